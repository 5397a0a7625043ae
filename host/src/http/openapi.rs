//! The OpenAPI document, made from the types.

use serde_json::{Value, json};
use utoipa::OpenApi;
use warp::http::StatusCode;

use super::{Answer, Shared, context, events, handlers, health, history, runs, wire, workflows};

#[derive(OpenApi)]
#[openapi(
    info(title = "wf-host", description = "Runs event-driven workflows. What is not below `/api/v1` is the API of LlamaIndex's WorkflowServer.", license(name = "MIT OR Apache-2.0")),
    paths(
        health::get,
        workflows::list,
        workflows::schema,
        workflows::events,
        workflows::representation,
        runs::run,
        runs::run_nowait,
        handlers::list,
        handlers::get,
        handlers::result,
        handlers::cancel,
        events::of_handler,
        events::send,
        workflows::listings,
        workflows::details,
        runs::list,
        runs::get,
        runs::logs,
        events::of_run,
        history::get,
        history::state,
        history::graph,
        context::get,
        get,
    ),
    tags(
        (name = "workflows", description = "What can be run"),
        (name = "handlers", description = "The outside's grip on runs: a handler's newest run"),
        (name = "events", description = "What runs publish, and what is sent to them"),
        (name = "runs", description = "Single runs, and what happened in them"),
        (name = "server", description = "The server itself"),
    )
)]
struct Document;

/// The document.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).expect("cannot happen: a document that is no JSON");
    let operations = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in operations.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut()) {
        if let Some(responses) = operation["responses"].as_object_mut() {
            responses.entry("400").or_insert_with(unreadable);
        }
    }
    document
}

/// A path or a query can be refused by every endpoint.
fn unreadable() -> Value {
    let schema = json!({ "$ref": "#/components/schemas/ErrorBody" });
    json!({ "description": "The path or the query cannot be read", "content": { "application/json": { "schema": schema } } })
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "server", responses((status = 200, body = Object)))]
pub(super) async fn get(_: Shared) -> Answer {
    Ok(wire::json(StatusCode::OK, &document()))
}
