//! What a test is told.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::{Awaits, Fields};
use crate::outside::Question;
use crate::store::LogRow;

/// How a run stands.
#[derive(Serialize)]
pub(super) struct Standing {
    /// `running`, `completed`, `failed` or `cancelled`.
    pub status: &'static str,
    /// Seconds on the run's clock since it began.
    pub now: f64,
    /// Seconds until something is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<f64>,
    /// What of an advance is left, where the clock stood still at an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<f64>,
    /// What it waits for from outside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<Awaits>,
    /// Those that were published since this was told last, as readers of its stream get them.
    pub events: Vec<Box<RawValue>>,
    /// With what it has completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// The event with which it has completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Box<RawValue>>,
    /// The message with which it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How many reports of steps its journal has: the points at which a host can be restarted.
    pub points: u64,
    /// How often it was.
    pub restarts: u64,
}

/// A line of its log.
#[derive(Serialize)]
pub(super) struct Line {
    pub step: String,
    pub attempt: u32,
    /// `log`, `stdout`, `stderr`, or `failure` for how an attempt ended.
    pub source: String,
    pub level: String,
    pub message: String,
    pub fields: Box<RawValue>,
}

/// A request that a step has made.
#[derive(Serialize)]
pub(super) struct Asked {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// Where it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// An attempt that was begun.
#[derive(Clone, Serialize)]
pub(super) struct Tried {
    pub step: String,
    pub invocation: u64,
    pub attempt: u32,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Why>,
}

/// Why an attempt failed.
#[derive(Clone, Serialize)]
pub(super) struct Why {
    pub kind: String,
    pub message: String,
}

impl Line {
    pub(super) fn of(row: LogRow, step: String) -> Line {
        let LogRow { attempt, source, level, message, fields, .. } = row;
        Line { step, attempt, source, level, message, fields: raw(fields.as_bytes()) }
    }
}

impl From<&Question> for Asked {
    fn from(question: &Question) -> Asked {
        let Question { method, url, headers, body } = question.clone();
        let (text, base64) = match String::from_utf8(body) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(BASE64_STANDARD.encode(error.as_bytes()))),
        };
        Asked { method, url, headers, text, base64 }
    }
}

/// JSON that we have written.
pub(super) fn raw(json: &[u8]) -> Box<RawValue> {
    serde_json::from_slice(json).expect("cannot happen: it is JSON")
}

/// The type in an envelope, and its value.
pub(super) fn opened(envelope: &RawValue) -> (String, Box<RawValue>) {
    let fields = Fields::read("an envelope", envelope).unwrap_or_default();
    let name = fields.get("type").and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default();
    (name, fields.get("value").map(ToOwned::to_owned).unwrap_or_else(|| raw(b"{}")))
}

/// What a stop event says: the `result` of a plain one, else its fields.
pub(super) fn result(envelope: &RawValue) -> Box<RawValue> {
    let (name, value) = opened(envelope);
    if name != "StopEvent" {
        return value;
    }
    let fields = Fields::read("its value", &value).unwrap_or_default();
    fields.get("result").map_or_else(|| raw(b"null"), ToOwned::to_owned)
}
