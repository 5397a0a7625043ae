//! Starting runs, and looking at one by its own id.

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use warp::http::{HeaderMap, StatusCode};

use super::error::ApiError;
use super::wire::Handler;
use super::{Answer, Shared, body, routes, wire, workflows};
use crate::envelope::Fields;
use crate::forms::{BadStart, Form};
use crate::host::{Idempotency, RunView, Start, Workflow};

type Body = Result<Bytes, ApiError>;

pub(super) async fn run(api: Shared, name: String, headers: HeaderMap, body: Body) -> Answer {
    let started = start(&api, &name, &headers, body).await?;
    let ended = api.host.ended(&started.run).await?;
    Ok(wire::json(wire::status(&ended), &Handler::of(&ended)))
}

pub(super) async fn run_nowait(api: Shared, name: String, headers: HeaderMap, body: Body) -> Answer {
    let started = start(&api, &name, &headers, body).await?;
    Ok(wire::json(StatusCode::OK, &Handler::of(&started)))
}

pub(super) async fn get(api: Shared, run: String) -> Answer {
    let view = api.host.run(&run).await?;
    Ok(wire::json(wire::status(&view), &Handler::of(&view)))
}

pub(super) async fn logs(api: Shared, run: String) -> Answer {
    let lines: Vec<Value> = api.host.logs(&run).await?.iter().map(line).collect();
    Ok(wire::json(StatusCode::OK, &json!({ "logs": lines })))
}

fn line(row: &crate::store::LogRow) -> Value {
    let fields: Value = serde_json::from_str(&row.fields).unwrap_or_default();
    json!({
        "invocation": row.invocation, "attempt": row.attempt, "source": row.source, "number": row.number,
        "at": wf_engine::entry::utc_text(row.at), "level": row.level, "message": row.message, "fields": fields,
    })
}

async fn start(api: &Shared, name: &str, headers: &HeaderMap, body: Body) -> Result<RunView, ApiError> {
    let body = body?;
    let idempotency = idempotency(headers, &body)?;
    if let Some(idempotency) = &idempotency
        && let Some(made) = api.host.repeated_start(name, idempotency).await?
    {
        return Ok(made);
    }
    let workflow = workflows::find(api, name)?;
    let start = parse(api, workflow, &body, idempotency)?;
    Ok(api.host.start(start).await?)
}

fn parse(api: &Shared, workflow: std::sync::Arc<Workflow>, body: &Bytes, idempotency: Option<Idempotency>) -> Result<Start, ApiError> {
    let fields = body::object(body, |kind| ApiError::bad(format!("Error processing request body: it is {kind}, and no object")))?;
    let form = start_form(&fields).map_err(invalid_start)?;
    let event = api.schemas.start(&workflow.definition, form).map_err(|bad| match bad {
        BadStart::Invalid(why) => invalid_start(why),
        BadStart::Other(expected) => ApiError::bad(format!("Start event must be an instance of {expected}")),
    })?;
    let state = context_state(present(&fields, "context"))?;
    Ok(Start { workflow, event, state, handler: handler_id(present(&fields, "handler_id"))?, idempotency })
}

fn invalid_start(why: String) -> ApiError {
    ApiError::bad(format!("Validation error for 'start_event': {why}"))
}

/// A field that is there and not null.
fn present<'a>(fields: &'a Fields, key: &str) -> Option<&'a RawValue> {
    fields.get(key).filter(|value| value.get() != "null")
}

fn start_form(fields: &Fields) -> Result<Form, String> {
    match present(fields, "start_event") {
        // What the old client sends for none.
        Some(text) if text.get() == "\"\"" => Ok(Form { name: None, payload: "{}".to_owned() }),
        Some(raw) => Form::parse(raw),
        None => {
            let kwargs = present(fields, "kwargs").map(|raw| serde_json::from_str::<Fields>(raw.get()));
            let kwargs = kwargs.transpose().map_err(|_| "'kwargs' is no object".to_owned())?;
            Ok(Form { name: None, payload: kwargs.unwrap_or_default().flat() })
        }
    }
}

fn handler_id(raw: Option<&RawValue>) -> Result<Option<String>, ApiError> {
    let Some(raw) = raw else { return Ok(None) };
    let id: String =
        serde_json::from_str(raw.get()).map_err(|_| ApiError::bad("Error processing request body: 'handler_id' is no text"))?;
    let allowed = |it: char| it.is_ascii_alphanumeric() || "._:-".contains(it);
    match id.len() {
        0 => Ok(None),
        1..=128 if id.chars().all(allowed) => Ok(Some(id)),
        _ => Err(ApiError::bad("Error processing request body: 'handler_id' must be 1 to 128 characters of [0-9A-Za-z._:-]")),
    }
}

/// The state in an exported context: each value is a text that holds JSON.
fn context_state(raw: Option<&RawValue>) -> Result<Option<Value>, ApiError> {
    let bad = |why: &str| ApiError::bad(format!("Error processing request body: 'context' {why}"));
    let Some(raw) = raw else { return Ok(None) };
    let context: Value = serde_json::from_str(raw.get()).map_err(|error| bad(&error.to_string()))?;
    let Some(context) = context.as_object() else { return Err(bad("is no object")) };
    if context.get("version").and_then(Value::as_f64).is_some_and(|version| version > 2.0) {
        return Err(bad("is of a version above 2"));
    }
    let Some(data) = context.get("state").and_then(|state| state.pointer("/state_data/_data")) else { return Ok(None) };
    let Some(data) = data.as_object() else { return Err(bad("has a state that is no object")) };
    let decode = |(key, value): (&String, &Value)| match value {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(value) => Ok((key.clone(), value)),
            Err(_) => Err(bad(&format!("has a value under '{key}' that holds no JSON"))),
        },
        other => Ok((key.clone(), other.clone())),
    };
    let state: Result<serde_json::Map<String, Value>, ApiError> = data.iter().map(decode).collect();
    Ok(Some(Value::Object(state?)))
}

/// The request's key, with the hash of its body.
pub(super) fn idempotency(headers: &HeaderMap, body: &Bytes) -> Result<Option<Idempotency>, ApiError> {
    if !headers.contains_key("idempotency-key") {
        return Ok(None);
    }
    let key = routes::text(headers, "idempotency-key").filter(|key| (1..=255).contains(&key.len()));
    let key = key.ok_or_else(|| ApiError::bad("Idempotency-Key must be a text of 1 to 255 bytes"))?;
    Ok(Some(Idempotency { key: key.to_owned(), body: Sha256::digest(body).into() }))
}
