//! `/events`: what a run has published, and sending something to it.

use bytes::Bytes;
use futures_util::StreamExt;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use warp::http::{HeaderMap, StatusCode};

use super::aside::perhaps_aside;
use super::error::{ApiError, ErrorBody};
use super::handlers::Done;
use super::uri::{is_true, pairs};
use super::wire::Envelope;
use super::{Answer, Shared, body, header, stream, wire};
use crate::forms::{self, Form};
use crate::model::{RunStatus, RunView, Target};

/// A server-sent event.
#[derive(Serialize, ToSchema)]
pub(super) struct SseEvent {
    /// The frame's number.
    id: String,
    /// An envelope, as JSON.
    data: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the query")]
pub(super) struct StreamQuery {
    /// `true`, or left out: server-sent events; anything else: a line of JSON each.
    sse: Option<String>,
    /// `true`: the events of the run's inner life, too.
    include_internal: Option<String>,
    /// Other than `true`: `qualified_name` is null.
    include_qualified_name: Option<String>,
    /// Only those after this number, or `now`; left out, or -1: all.
    #[param(pattern = "^(-?[0-9]{1,18}|[nN][oO][wW])$")]
    after_sequence: Option<String>,
}

/// What the newest run of a handler has published, then what it publishes.
#[utoipa::path(get, path = "/events/{handler_id}", operation_id = "follow_handler", tag = "events",
    params(("handler_id" = String, Path), ("Last-Event-ID" = Option<String>, Header), StreamQuery),
    responses((status = 200, description = "Frames as they come, to the end of the run", content((SseEvent = "text/event-stream"), (Envelope = "application/x-ndjson"))),
        (status = 204, description = "The run has ended, and nothing is left"), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn of_handler(api: Shared, id: String, headers: HeaderMap, query: String) -> Answer {
    let view = api.host.handler(&id).await?;
    open(&api, &view, &headers, &query).await
}

/// What a run has published, then what it publishes.
#[utoipa::path(get, path = "/api/v1/runs/{run_id}/events", operation_id = "follow_run", tag = "runs",
    params(("run_id" = String, Path), ("Last-Event-ID" = Option<String>, Header), StreamQuery),
    responses((status = 200, description = "Frames as they come, to the end of the run", content((SseEvent = "text/event-stream"), (Envelope = "application/x-ndjson"))),
        (status = 204, description = "The run has ended, and nothing is left"), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn of_run(api: Shared, run: String, headers: HeaderMap, query: String) -> Answer {
    let view = api.host.run(&run).await?;
    open(&api, &view, &headers, &query).await
}

async fn open(api: &Shared, view: &RunView, headers: &HeaderMap, query: &str) -> Answer {
    let mut form = stream::Form { sse: true, internal: false, qualified: true };
    let mut after = Some(-1);
    for (key, value) in pairs(query)? {
        match key.as_str() {
            "sse" => form.sse = is_true(&value),
            "include_internal" => form.internal = is_true(&value),
            "include_qualified_name" => form.qualified = is_true(&value),
            "after_sequence" if value.eq_ignore_ascii_case("now") => after = None,
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
    let last_id = header::text(headers, "last-event-id").filter(|_| form.sse);
    if let Some(sequence) = last_id.and_then(|value| value.parse::<i64>().ok()) {
        after = Some(sequence.max(-1));
    }
    let mut last = api.host.last_sequence(&view.run).await?;
    let after = after.unwrap_or(last);
    let mut is_over = !matches!(view.status, RunStatus::Running);
    if !is_over && after >= last {
        // It may have ended since it was looked at: then a stream of what follows would be empty, and not say that it has.
        is_over = !matches!(api.host.run(&view.run).await?.status, RunStatus::Running);
        last = api.host.last_sequence(&view.run).await?;
    }
    if is_over && after >= last {
        let mut response = warp::reply::Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        return Ok(response);
    }
    let frames = api.host.frames(&view.run, after).take_until(Box::pin(api.visitor.clone().shut_out()));
    Ok(stream::response(frames.boxed(), form))
}

/// An event for a run.
#[derive(Serialize, ToSchema)]
pub(super) struct SendBody {
    /// `{"type", "value"}`, or a text that holds it.
    #[schema(value_type = Object)]
    event: Value,
    /// The only step to deliver it to.
    #[schema(required = false)]
    step: Option<String>,
    /// The only invocation to deliver it to: one that waits for it.
    #[schema(required = false)]
    invocation: Option<u64>,
}

/// Sends an event to the run of a handler.
#[utoipa::path(post, path = "/events/{handler_id}", operation_id = "send_event", tag = "events", request_body = SendBody,
    params(("handler_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    responses((status = 200, body = Done), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, description = "The run has ended", body = ErrorBody), (status = 413, body = ErrorBody),
        (status = 422, description = "The key came with another body", body = ErrorBody),
        (status = 429, description = "The run keeps as many events as it may that nothing has taken", body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(super) async fn send(api: Shared, id: String, headers: HeaderMap, body: Result<Bytes, ApiError>) -> Answer {
    let body = body?;
    let size = body.len();
    let sent = || Ok(wire::json(StatusCode::OK, &Done { status: "sent" }));
    let idempotency = header::idempotency(&headers, &body)?;
    if let Some(idempotency) = &idempotency
        && api.host.repeated_send(&id, idempotency).await?
    {
        return sent();
    }
    let receiver = api.host.receiver(&id).await?;
    let (workflow, api_aside) = (receiver.workflow.clone(), api.clone());
    let prepared = api.schemas.is_prepared(&workflow.definition);
    let read = move || {
        let (form, target) = parse(&body)?;
        let name = form.name.unwrap_or_default();
        forms::check(&workflow, &name, &target)?;
        api_aside.schemas.prepare(&workflow.definition);
        let given = api_aside.schemas.event(&workflow, name, form.payload).map_err(ApiError::bad_event)?;
        Ok((given, target))
    };
    let (given, target) = perhaps_aside(size, prepared, read).await?;
    let event = match receiver.is_open() {
        true => api.host.validated(&receiver.workflow, given).await?.map_err(ApiError::bad_event)?,
        // It is refused, whatever it is.
        false => given.event,
    };
    api.host.send_checked(receiver, event, target, idempotency).await?;
    sent()
}

pub(super) fn parse(body: &Bytes) -> Result<(Form, Target), ApiError> {
    let required = || ApiError::bad("Event data is required");
    let fields = body::object(body, |_| required())?;
    let event = fields.get("event").filter(|event| !["null", "{}", "\"\""].contains(&event.get())).ok_or_else(required)?;
    let form = Form::sent(event).map_err(ApiError::bad_event)?;
    let target = |key: &str| fields.get(key).filter(|value| value.get() != "null");
    let step = target("step").map(|step| serde_json::from_str(step.get())).transpose();
    let step = step.map_err(|_| ApiError::bad("Failed to send event: 'step' is no text"))?;
    let invocation = target("invocation").map(|number| number.get().parse()).transpose();
    let invocation = invocation.map_err(|_| ApiError::bad("Failed to send event: 'invocation' is no number of an invocation"))?;
    Ok((form, Target { step, invocation }))
}
