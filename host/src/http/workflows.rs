//! `/workflows`: what can be run, and what it looks like.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use warp::http::StatusCode;
use wf_engine::manifest::Manifest;

use super::aside::aside;
use super::error::{ApiError, ErrorBody};
use super::{Answer, Shared, representation, wire};
use crate::model::{Asked, ComponentView, Refusal, Workflow};
use crate::registry::Listing;

/// The names of the workflows, in order of registration.
#[derive(Serialize, ToSchema)]
pub(super) struct Names {
    /// They.
    workflows: Vec<String>,
}

/// What was loaded, and what became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Listings {
    /// In order of registration.
    workflows: Vec<ListingBody>,
}

/// A file, and the workflow that new runs get of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Listing)]
struct ListingBody {
    /// The workflow's name.
    name: String,
    /// The author's version.
    version: Option<String>,
    /// What it does.
    description: Option<String>,
    /// What it is written in; of several components in several languages, each once.
    language: Option<String>,
    /// SHA-256 of the component, of several the first; null where it was never sound.
    digest: Option<String>,
    /// The file; of several, with `+` between them.
    path: String,
    /// Its components, in order; none where it was never sound.
    components: Vec<ComponentBody>,
    /// The interfaces that it asks for.
    imports: Vec<String>,
    /// What it asks for of the outside, beside what it is granted.
    outside: Vec<OutsideBody>,
    /// When it was last loaded, or tried to, in UTC.
    loaded_at: String,
    /// Why its newest version is not the one that runs get.
    error: Option<LoadFailure>,
}

/// A part of a workflow.
#[derive(Serialize, ToSchema)]
#[schema(as = Component)]
struct ComponentBody {
    /// SHA-256 of its bytes.
    digest: String,
    /// Its length, in bytes.
    size: usize,
    /// What it is written in.
    language: Option<String>,
    /// The steps that it adds.
    steps: Vec<String>,
}

/// Something of the outside.
#[derive(Serialize, ToSchema)]
#[schema(as = Outside)]
struct OutsideBody {
    /// `http`, `files`, `variables` or `sockets`.
    what: String,
    /// Whether the workflow asks for it. What runs a language asks for files, variables and sockets, whatever the workflow does.
    requested: bool,
    /// In the words of the settings. Sockets are never granted.
    granted: Vec<String>,
}

/// Why a file was not loaded.
#[derive(Serialize, ToSchema)]
struct LoadFailure {
    /// What happened.
    message: String,
    /// What to do.
    hint: Option<String>,
}

/// A workflow with everything that it says about itself.
#[derive(Serialize, ToSchema)]
pub(super) struct Details {
    /// As in the list.
    listing: ListingBody,
    /// What the components say about themselves: see `wit/manifest.schema.json`.
    #[schema(value_type = Vec<Object>)]
    manifests: Vec<Manifest>,
    /// Types that the outside may send although no step accepts them, the configured ones included.
    additional_events: Vec<String>,
    /// The type that a run starts with.
    start_type: Option<String>,
    /// The JSON Schemas of the event types, by name.
    #[schema(value_type = Object)]
    schemas: Value,
}

/// JSON Schemas of the types that a run starts and ends with.
#[derive(Serialize, ToSchema)]
pub(super) struct StartAndStop {
    /// Of the start event.
    #[schema(value_type = Option<Object>)]
    start: Option<Value>,
    /// Of the stop event.
    #[schema(value_type = Option<Object>)]
    stop: Option<Value>,
}

/// JSON Schemas of the event types.
#[derive(Serialize, ToSchema)]
pub(super) struct Events {
    /// Each once; `title` is the type's name.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Value>,
}

/// Lists the workflows.
#[utoipa::path(get, path = "/workflows", operation_id = "list_workflow_names", tag = "workflows", responses((status = 200, body = Names)))]
pub(super) async fn list(api: Shared) -> Answer {
    let names = api.host.workflows().iter().map(|workflow| workflow.name.clone()).collect::<Vec<_>>();
    let workflows = names.into_iter().filter(|name| api.visitor.knows(name)).collect();
    Ok(wire::json(StatusCode::OK, &Names { workflows }))
}

/// Lists the files that were loaded, with what became of each.
#[utoipa::path(get, path = "/api/v1/workflows", operation_id = "list_workflows", tag = "workflows", responses((status = 200, body = Listings)))]
pub(super) async fn listings(api: Shared) -> Answer {
    let workflows = api.host.listings().iter().map(ListingBody::of).filter(|it| api.visitor.knows(&it.name)).collect();
    Ok(wire::json(StatusCode::OK, &Listings { workflows }))
}

/// Shows a workflow with everything that it says about itself.
#[utoipa::path(get, path = "/api/v1/workflows/{name}", operation_id = "get_workflow", tag = "workflows", params(("name" = String, Path)),
    responses((status = 200, body = Details), (status = 404, body = ErrorBody)))]
pub(super) async fn details(api: Shared, name: String) -> Answer {
    let listing = api.host.listings().into_iter().find(|it| it.workflow.as_ref().is_some_and(|it| it.name == name));
    let listing = listing.ok_or_else(|| ApiError::not_found("Workflow not found"))?;
    let workflow = find(&api, &name)?;
    aside(move || {
        let definition = &workflow.definition;
        let schemas: serde_json::Map<String, Value> =
            definition.event_types().map(|it| (it.name.clone(), wire::titled(&it.schema, &it.name))).collect();
        let details = Details {
            listing: ListingBody::of(&listing),
            manifests: definition.manifests().cloned().collect(),
            additional_events: workflow.additional_events.clone(),
            start_type: definition.start_type().map(str::to_owned),
            schemas: schemas.into(),
        };
        wire::json(StatusCode::OK, &details)
    })
    .await
}

impl From<Asked> for OutsideBody {
    fn from(Asked { what, requested, granted }: Asked) -> OutsideBody {
        OutsideBody { what: what.to_owned(), requested, granted }
    }
}

impl ListingBody {
    fn of(listing: &Listing) -> ListingBody {
        let workflow = listing.workflow.as_ref();
        let manifest = workflow.and_then(|it| it.definition.manifests().next());
        let stem = listing.source.files.first().and_then(|it| it.file_stem()).map(|it| it.to_string_lossy().into_owned());
        let imports = workflow.iter().flat_map(|it| it.imports()).cloned().collect();
        ListingBody {
            name: workflow.map(|it| it.name.clone()).or_else(|| listing.source.name.clone()).or(stem).unwrap_or_default(),
            version: manifest.and_then(|it| it.version.clone()),
            description: manifest.and_then(|it| it.description.clone()),
            language: workflow.map(|it| it.definition.languages().join(", ")).filter(|it| !it.is_empty()),
            digest: workflow.and_then(|it| it.digests().into_iter().next()),
            path: listing.source.to_string(),
            components: workflow.map(|it| components(it)).unwrap_or_default(),
            imports,
            outside: workflow.map(|it| it.asked().into_iter().map(OutsideBody::from).collect()).unwrap_or_default(),
            loaded_at: wf_engine::time::utc_text(listing.loaded_at),
            error: listing.rejected.as_ref().map(|it| LoadFailure { message: it.message.clone(), hint: it.hint.clone() }),
        }
    }
}

fn components(workflow: &Workflow) -> Vec<ComponentBody> {
    let component = |(view, manifest): (&ComponentView, &Manifest)| ComponentBody {
        digest: view.digest.clone(),
        size: view.size,
        language: manifest.language.clone(),
        steps: manifest.steps.iter().map(|it| it.name.clone()).collect(),
    };
    workflow.components.iter().zip(workflow.definition.manifests()).map(component).collect()
}

/// The JSON Schemas of the events that a run starts and ends with.
#[utoipa::path(get, path = "/workflows/{name}/schema", operation_id = "get_start_and_stop_schemas", tag = "workflows", params(("name" = String, Path)),
    responses((status = 200, body = StartAndStop), (status = 404, body = ErrorBody)))]
pub(super) async fn schema(api: Shared, name: String) -> Answer {
    let workflow = find(&api, &name)?;
    aside(move || {
        let definition = &workflow.definition;
        let schema = |name: Option<&str>| name.and_then(|name| definition.event_type(name)).map(|it| wire::titled(&it.schema, &it.name));
        let start = schema(definition.start_type());
        let stop = schema(definition.stop_types().first().copied());
        wire::json(StatusCode::OK, &StartAndStop { start, stop })
    })
    .await
}

/// The JSON Schemas of a workflow's event types.
#[utoipa::path(get, path = "/workflows/{name}/events", operation_id = "get_event_schemas", tag = "workflows", params(("name" = String, Path)),
    responses((status = 200, body = Events), (status = 404, body = ErrorBody)))]
pub(super) async fn events(api: Shared, name: String) -> Answer {
    let workflow = api.host.workflow(&name).ok_or_else(|| ApiError::not_found(format!("Workflow '{name}' not found")))?;
    aside(move || {
        let events = workflow.definition.event_types().map(|it| wire::titled(&it.schema, &it.name)).collect();
        wire::json(StatusCode::OK, &Events { events })
    })
    .await
}

/// A workflow as a graph.
#[utoipa::path(get, path = "/workflows/{name}/representation", operation_id = "get_graph", tag = "workflows", params(("name" = String, Path)),
    responses((status = 200, body = representation::Representation), (status = 404, body = ErrorBody)))]
pub(super) async fn representation(api: Shared, name: String) -> Answer {
    let workflow = find(&api, &name)?;
    aside(move || wire::json(StatusCode::OK, &representation::of(&workflow.definition))).await
}

pub(super) fn find(api: &Shared, name: &str) -> Result<Arc<Workflow>, ApiError> {
    api.host.workflow(name).ok_or_else(|| match api.host.is_loading() {
        true => Refusal::Unavailable("workflows are still being loaded, and it may be one of them; try again later".into()).into(),
        false => ApiError::not_found("Workflow not found"),
    })
}
