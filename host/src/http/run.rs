//! A run, with what only `/api/v1` says of it.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::error::ApiError;
use super::wire::Handler;
use crate::host::Host;
use crate::model::{Awaits, Fields, RunStatus, RunView};

/// A request above this is left out, in bytes: it is in the run's events.
const REQUEST_MAX: usize = 16 << 10;

/// A run.
#[derive(Serialize, ToSchema)]
pub(super) struct Run {
    /// It. Here `status` can also be `waiting`: it waits for something from outside, whatever else of it goes on.
    #[serde(flatten)]
    handler: Handler,
    /// Whether it has not begun: it queues, because as many runs of its workflow go on as may.
    queued: bool,
    /// The beginning of its start event's fields, as text: at most 200 characters.
    input_preview: String,
    /// The beginning of the envelope that it completed with, or of the message with which it failed.
    result_preview: Option<String>,
    /// What it waits for from outside, at most 20 of it; null: for nothing.
    waiting_for: Option<Vec<WaitingFor>>,
    /// The run that it was forked from.
    forked_from: Option<String>,
    /// The runs that were forked from it, oldest first; a list of runs leaves them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    forks: Option<Vec<String>>,
}

/// Something from outside that a run waits for.
#[derive(Serialize, ToSchema)]
struct WaitingFor {
    /// The types of event that answer: the first to come does.
    types: Vec<String>,
    /// The step that waits; null: none does, a step is given the answer.
    step: Option<String>,
    /// Its invocation, by its number.
    invocation: Option<u64>,
    /// What was asked; null: nothing, or it is too large to be shown here. In a list, only of the first that is waited for.
    request: Option<Request>,
}

/// An event by which a run has asked for something.
#[derive(Serialize, ToSchema)]
struct Request {
    /// Its number in the stream.
    sequence: u64,
    /// Its type.
    #[serde(rename = "type")]
    name: String,
    /// Its fields.
    #[schema(value_type = Object)]
    value: Box<RawValue>,
}

impl Run {
    /// `requests_max`: of so many questions is told what was asked.
    pub(super) async fn of(host: &Host, view: &RunView, requests_max: usize) -> Result<Run, ApiError> {
        let mut handler = Handler::of(view);
        let waits = matches!(view.status, RunStatus::Running) && !view.waiting.is_empty();
        let mut waiting_for = None;
        if waits {
            handler.waits();
            let mut requests = host.requests(view, requests_max).await?;
            requests.resize(view.waiting.len(), None);
            let told = view.waiting.iter().zip(requests);
            waiting_for = Some(told.map(|(awaits, request)| WaitingFor::of(awaits, request.as_deref())).collect());
        }
        Ok(Run {
            handler,
            queued: view.queued,
            input_preview: view.preview.clone(),
            result_preview: view.result_preview.clone(),
            waiting_for,
            forked_from: view.origin.clone(),
            forks: None,
        })
    }

    pub(super) fn with(self, forks: Vec<String>) -> Run {
        Run { forks: Some(forks), ..self }
    }
}

impl WaitingFor {
    fn of(awaits: &Awaits, request: Option<&[u8]>) -> WaitingFor {
        let Awaits { types, step, invocation, request: sequence } = awaits.clone();
        let request = request.filter(|envelope| envelope.len() <= REQUEST_MAX);
        let request = sequence.zip(request).and_then(|(sequence, envelope)| Request::of(sequence, envelope));
        WaitingFor { types, step, invocation, request }
    }
}

impl Request {
    fn of(sequence: u64, envelope: &[u8]) -> Option<Request> {
        let envelope: &RawValue = serde_json::from_slice(envelope).ok()?;
        let fields = Fields::of(envelope);
        let name = serde_json::from_str(fields.get("type")?.get()).ok()?;
        Some(Request { sequence, name, value: fields.get("value")?.to_owned() })
    }
}
