//! `/workflows`: what can be run, and what it looks like.

use std::sync::Arc;

use serde_json::{Value, json};
use warp::http::StatusCode;

use super::error::ApiError;
use super::{Answer, Shared, representation, wire};
use crate::host::Workflow;

pub(super) async fn list(api: Shared) -> Answer {
    let names: Vec<String> = api.host.workflows().iter().map(|workflow| workflow.name.clone()).collect();
    Ok(wire::json(StatusCode::OK, &json!({ "workflows": names })))
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
