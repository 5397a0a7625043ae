//! `/workflows`: what can be run, and what it looks like.

use std::sync::Arc;

use serde_json::{Value, json};
use warp::http::StatusCode;

use super::error::ApiError;
use super::{Answer, Shared, representation, wire};
use crate::host::Workflow;
use crate::registry::Listing;

pub(super) async fn list(api: Shared) -> Answer {
    let names: Vec<String> = api.host.workflows().iter().map(|workflow| workflow.name.clone()).collect();
    Ok(wire::json(StatusCode::OK, &json!({ "workflows": names })))
}

pub(super) async fn listings(api: Shared) -> Answer {
    let listings: Vec<Value> = api.host.listings().iter().map(listing).collect();
    Ok(wire::json(StatusCode::OK, &json!({ "workflows": listings })))
}

fn listing(listing: &Listing) -> Value {
    let workflow = listing.workflow.as_ref();
    let manifest = workflow.and_then(|it| it.definition.manifests().next());
    let stem = listing.source.path.file_stem().map(|it| it.to_string_lossy().into_owned());
    let imports: Vec<&String> = workflow.iter().flat_map(|it| &it.components).flat_map(|it| &it.imports).collect();
    json!({
        "name": workflow.map(|it| it.name.clone()).or_else(|| listing.source.name.clone()).or(stem),
        "version": manifest.and_then(|it| it.version.as_ref()),
        "description": manifest.and_then(|it| it.description.as_ref()),
        "language": manifest.and_then(|it| it.language.as_ref()),
        "digest": workflow.and_then(|it| it.digests().into_iter().next()),
        "path": listing.source.path,
        "imports": imports,
        "loaded_at": wf_engine::entry::utc_text(listing.loaded_at),
        "error": listing.rejected.as_ref().map(|it| json!({ "message": it.message, "hint": it.hint })),
    })
}

pub(super) async fn schema(api: Shared, name: String) -> Answer {
    let workflow = find(&api, &name)?;
    let definition = &workflow.definition;
    let schema = |name: Option<&str>| name.and_then(|name| definition.event_type(name)).map(|it| titled(&it.schema, &it.name));
    let start = schema(definition.start_type());
    let stop = schema(definition.stop_types().first().copied());
    Ok(wire::json(StatusCode::OK, &json!({ "start": start, "stop": stop })))
}

pub(super) async fn events(api: Shared, name: String) -> Answer {
    let workflow = api.host.workflow(&name).ok_or_else(|| ApiError::not_found(format!("Workflow '{name}' not found")))?;
    let events: Vec<Value> = workflow.definition.event_types().map(|it| titled(&it.schema, &it.name)).collect();
    Ok(wire::json(StatusCode::OK, &json!({ "events": events })))
}

pub(super) async fn representation(api: Shared, name: String) -> Answer {
    let workflow = find(&api, &name)?;
    Ok(wire::json(StatusCode::OK, &representation::of(&workflow)))
}

pub(super) fn find(api: &Shared, name: &str) -> Result<Arc<Workflow>, ApiError> {
    api.host.workflow(name).ok_or_else(|| ApiError::not_found("Workflow not found"))
}

/// A schema with the type's name as its title.
pub(super) fn titled(schema: &Value, name: &str) -> Value {
    let mut schema = if schema.is_object() { schema.clone() } else { json!({ "properties": {}, "type": "object" }) };
    schema["title"] = name.into();
    schema
}
