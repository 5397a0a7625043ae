//! The shapes that the API sends, apart from those that the host works with.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_TYPE, HeaderValue};
use warp::reply::Response;
use wf_engine::entry::Micros;

use crate::model::{Fields, RunStatus, RunView, work};

/// A run as the API shows it.
#[derive(Serialize, ToSchema)]
pub(super) struct Handler {
    /// The outside's grip on it.
    handler_id: String,
    /// The workflow's name.
    workflow_name: String,
    /// Its own id.
    run_id: String,
    /// Why it failed.
    error: Option<String>,
    /// The stop event that it completed with; under `/results` its value alone.
    #[schema(value_type = Option<Value>)]
    result: Option<Box<RawValue>>,
    /// Whether there is a result that cannot be shown.
    result_unreadable: bool,
    /// `running`, `completed`, `failed` or `cancelled`.
    status: &'static str,
    /// When it began, in UTC.
    started_at: String,
    /// When its last entry was made.
    updated_at: Option<String>,
    /// When it ended.
    completed_at: Option<String>,
}

/// An event as it looks from outside.
#[derive(Serialize, ToSchema)]
pub(super) struct Envelope {
    /// Its fields.
    #[schema(value_type = Object)]
    value: Value,
    /// The type's name with that of its workflow.
    qualified_name: Option<String>,
    /// The type's name.
    #[serde(rename = "type")]
    name: String,
    /// The types that it derives from.
    types: Option<Vec<String>>,
}

impl Handler {
    pub(super) fn of(view: &RunView) -> Handler {
        let (status, error, result) = match &view.status {
            RunStatus::Running => ("running", None, None),
            RunStatus::Completed(envelope) => ("completed", None, read(envelope)),
            RunStatus::Failed(message) => ("failed", Some(message.clone()), None),
            RunStatus::Cancelled => ("cancelled", None, None),
        };
        Handler {
            handler_id: view.handler.clone(),
            workflow_name: view.workflow.clone(),
            run_id: view.run.clone(),
            error,
            result_unreadable: status == "completed" && result.is_none(),
            result,
            status,
            started_at: time(view.started_at),
            updated_at: view.updated_at.map(time),
            completed_at: view.completed_at.map(time),
        }
    }

    /// The same, of a run that waits for something from outside.
    pub(super) fn waits(&mut self) {
        self.status = "waiting";
    }

    /// The same with the result's own value: of a plain stop event what stands under `result`.
    pub(super) fn unwrapped(mut self) -> Handler {
        self.result = self.result.and_then(|envelope| unwrap(&envelope));
        self
    }
}

fn read(envelope: &[u8]) -> Option<Box<RawValue>> {
    work::read();
    serde_json::from_slice(envelope).ok()
}

fn unwrap(envelope: &RawValue) -> Option<Box<RawValue>> {
    let fields = Fields::of(envelope);
    let value = fields.get("value")?;
    if fields.get("type").is_some_and(|name| name.get() == "\"StopEvent\"") {
        return Fields::of(value).get("result").map(RawValue::to_owned);
    }
    Some(value.to_owned())
}

/// 202 while it runs, 200 when it is completed, 500 when it failed or was cancelled.
pub(super) fn status(view: &RunView) -> StatusCode {
    match view.status {
        RunStatus::Running => StatusCode::ACCEPTED,
        RunStatus::Completed(_) => StatusCode::OK,
        RunStatus::Failed(_) | RunStatus::Cancelled => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A response with compact JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    response(status, text(value))
}

/// Compact JSON.
pub(super) fn text(value: &impl Serialize) -> Vec<u8> {
    work::written();
    serde_json::to_vec(value).expect("wire types are JSON")
}

/// A response with JSON.
pub(super) fn response(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A schema with the type's name as its title.
pub(super) fn titled(schema: &Value, name: &str) -> Value {
    let mut schema = if schema.is_object() { schema.clone() } else { json!({ "properties": {}, "type": "object" }) };
    schema["title"] = name.into();
    schema
}

/// A time in UTC: `2026-11-23T06:38:23.279795+00:00`.
fn time(at: Micros) -> String {
    wf_engine::time::utc_text(at)
}
