//! `/events`: what a run has published, and sending something to it.

use bytes::Bytes;
use serde_json::json;
use warp::http::{HeaderMap, StatusCode};

use super::error::ApiError;
use super::handlers::{is_true, pairs};
use super::{Answer, Shared, body, routes, runs, stream, wire};
use crate::forms::{self, Form};
use crate::host::{Refusal, RunStatus, RunView, Workflow};

pub(super) async fn of_handler(api: Shared, id: String, headers: HeaderMap, query: String) -> Answer {
    let view = api.host.handler(&id).await?;
    open(&api, &view, &headers, &query).await
}

pub(super) async fn of_run(api: Shared, run: String, headers: HeaderMap, query: String) -> Answer {
    let view = api.host.run(&run).await?;
    open(&api, &view, &headers, &query).await
}

async fn open(api: &Shared, view: &RunView, headers: &HeaderMap, query: &str) -> Answer {
    let mut form = stream::Form { sse: true, internal: false, qualified: true };
    let mut after = Some(-1);
    for (key, value) in pairs(query) {
        match key.as_str() {
            "sse" => form.sse = is_true(&value),
            "include_internal" => form.internal = is_true(&value),
            "include_qualified_name" => form.qualified = is_true(&value),
            "after_sequence" if value == "now" => after = None,
            "after_sequence" => {
                let sequence = value.parse::<i64>().map_err(|_| ApiError::bad(format!("Invalid after_sequence: '{value}'")))?;
                after = Some(sequence.max(-1));
            }
            "acquire_timeout" if value.parse::<f64>().is_err() => {
                return Err(ApiError::bad(format!("Invalid acquire_timeout: '{value}'")));
            }
            _ => (),
        }
    }
    if let Some(sequence) = routes::text(headers, "last-event-id").and_then(|value| value.parse::<i64>().ok()) {
        after = Some(sequence.max(-1));
    }
    let last = api.host.last_sequence(&view.run).await?;
    let after = after.unwrap_or(last);
    if !matches!(view.status, RunStatus::Running) && after >= last {
        let mut response = warp::reply::Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        return Ok(response);
    }
    Ok(stream::response(api.host.frames(&view.run, after), form))
}

pub(super) async fn send(api: Shared, id: String, headers: HeaderMap, body: Result<Bytes, ApiError>) -> Answer {
    let body = body?;
    let sent = || Ok(wire::json(StatusCode::OK, &json!({ "status": "sent" })));
    let idempotency = runs::idempotency(&headers, &body)?;
    if let Some(idempotency) = &idempotency
        && api.host.repeated_send(&id, idempotency).await?
    {
        return sent();
    }
    let workflow = api.host.running_definition(&id).await?;
    let (form, step) = parse(&body)?;
    let name = form.name.unwrap_or_default();
    check(&workflow, &name, step.as_deref())?;
    let event = api.schemas.event(&workflow.definition, name, form.payload).map_err(Refusal::BadEvent)?;
    api.host.send(&id, event, step, idempotency).await?;
    sent()
}

fn parse(body: &Bytes) -> Result<(Form, Option<String>), ApiError> {
    let required = || ApiError::bad("Event data is required");
    let fields = body::object(body, |_| required())?;
    let event = fields.get("event").filter(|event| !["null", "{}", "\"\""].contains(&event.get())).ok_or_else(required)?;
    let form = Form::parse(event).map_err(Refusal::BadEvent)?;
    if form.name.is_none() {
        return Err(Refusal::BadEvent(format!("Invalid client data. Must have a type or a qualified name, got {}", event.get())).into());
    }
    let step = fields.get("step").filter(|step| step.get() != "null");
    let step = step.map(|step| serde_json::from_str(step.get())).transpose();
    Ok((form, step.map_err(|_| ApiError::bad("Failed to send event: 'step' is no text"))?))
}

fn check(workflow: &Workflow, name: &str, step: Option<&str>) -> Result<(), Refusal> {
    let definition = &workflow.definition;
    let known = definition.is_declared(name) || workflow.additional_events.iter().any(|it| it == name);
    if !known {
        let expected = forms::expected(definition, &workflow.additional_events);
        return Err(Refusal::UnknownEvent { name: name.to_owned(), expected });
    }
    match step {
        Some(step) if definition.step(step).is_none() => Err(Refusal::BadStep(format!("Step {step} does not exist"))),
        Some(step) if !definition.accepts(step, name) => Err(Refusal::BadStep(format!("Step {step} does not accept {name}"))),
        _ => Ok(()),
    }
}
