//! The OpenAPI document, made from the types.

use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use warp::http::StatusCode;

use super::door::SESSION_COOKIE;
use super::{Answer, Shared, breakpoints, context, events, forks, handlers, health, history, logs, runs, session, wire, workflows};

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
        logs::get,
        events::of_run,
        history::get,
        history::state,
        history::graph,
        forks::fork,
        breakpoints::get,
        breakpoints::set,
        breakpoints::go_on,
        context::get,
        session::get,
        session::sign_in,
        session::sign_out,
        get,
    ),
    modifiers(&Locks),
    tags(
        (name = "workflows", description = "What can be run"),
        (name = "handlers", description = "The outside's grip on runs: a handler's newest run"),
        (name = "events", description = "What runs publish, and what is sent to them"),
        (name = "runs", description = "Single runs, and what happened in them"),
        (name = "server", description = "The server itself"),
    )
)]
struct Document;

/// How whoever asks shows a key, where keys are needed.
struct Locks;

impl Modify for Locks {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API key, of `wf-host keys add`")).build();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(
            SESSION_COOKIE,
            "What the page has signed in with; the server's port follows its name, as in `wf_host_session_8080`",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The document.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).expect("cannot happen: a document that is no JSON");
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, operation) in
        paths.filter_map(|(path, it)| Some((path, it.as_object_mut()?))).flat_map(|(path, it)| it.values_mut().map(move |it| (path, it)))
    {
        let open = OPEN.contains(&path.as_str());
        // Keys may be needed; where there are none, they are not.
        operation["security"] = if open { json!([]) } else { json!([{}, { "key": [] }, { "session": [] }]) };
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        let locked = LOCKED.iter().filter(|_| !open);
        for (status, description) in EVERYWHERE.iter().chain(locked) {
            responses.entry(*status).or_insert_with(|| refusal(description));
        }
    }
    document
}

/// Nobody needs a key for these; whoever signs in shows it there.
const OPEN: [&str; 2] = ["/health", "/api/v1/sign-in"];

/// What every endpoint may answer.
const EVERYWHERE: [(&str, &str); 2] =
    [("400", "The path or the query cannot be read"), ("421", "The server was asked by a name that is not allowed")];
/// What those may answer, too, that a key may be needed for.
const LOCKED: [(&str, &str); 3] = [
    ("401", "A key is needed, or it is none"),
    ("403", "The key lacks the scope; or another page's request"),
    ("429", "Too many requests"),
];

fn refusal(description: &str) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/ErrorBody" });
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "server", responses((status = 200, body = Object)))]
pub(super) async fn get(_: Shared) -> Answer {
    Ok(wire::json(StatusCode::OK, &document()))
}
