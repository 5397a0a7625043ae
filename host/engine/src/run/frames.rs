//! The frames that the fold itself writes to the stream.

use serde::Serialize;

use crate::entry::Event;
use crate::json::{self, Json, Tree};
use crate::text::DEPTH_MAX;

/// How deep the input stands in a `StepFailedEvent`.
const INPUT_DEPTH: usize = 2;

/// The states of a step that the stream tells of.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StepState {
    Preparing,
    Running,
    NotRunning,
}

/// Payload of `StepStateChanged`.
#[derive(Serialize)]
pub(super) struct StepStateChanged<'a> {
    pub name: &'a str,
    pub step_state: StepState,
    pub worker_id: String,
    pub input_event_name: &'a str,
    pub output_event_name: Option<&'a str>,
}

/// Payload of `UnhandledEvent`.
#[derive(Serialize)]
pub(super) struct UnhandledEvent<'a> {
    pub event_type: &'a str,
    pub qualified_name: String,
    pub step_name: Option<&'a str>,
    pub idle: bool,
}

/// Payload of `StepFailedEvent`, which a catch-error step is given. The input's text is carried as it came.
#[derive(Serialize)]
pub(super) struct StepFailedEvent<'a> {
    pub step_name: &'a str,
    pub input_event: Option<InputEvent<'a>>,
    pub exception: Exception<'a>,
    pub attempts: u32,
    pub elapsed_seconds: f64,
    pub failed_at: String,
}

#[derive(Serialize)]
pub(super) struct InputEvent<'a> {
    #[serde(rename = "type")]
    pub name: &'a str,
    /// Null where the whole would be deeper than a step may hand on.
    pub value: Option<&'a Json>,
}

/// Payload of `WorkflowFailedEvent`.
#[derive(Serialize)]
pub(super) struct WorkflowFailedEvent<'a> {
    pub step_name: &'a str,
    pub exception: Exception<'a>,
    pub attempts: Option<u32>,
    pub elapsed_seconds: f64,
}

#[derive(Serialize)]
pub(super) struct Exception<'a> {
    pub exception_type: &'a str,
    pub exception_message: &'a str,
}

/// Payload of `WorkflowTimedOutEvent`.
#[derive(Serialize)]
pub(super) struct WorkflowTimedOutEvent<'a> {
    pub timeout: f64,
    pub active_steps: Vec<&'a str>,
}

impl StepStateChanged<'_> {
    pub(super) fn event(&self) -> Event {
        event("StepStateChanged", self)
    }
}

impl UnhandledEvent<'_> {
    pub(super) fn event(&self) -> Event {
        event("UnhandledEvent", self)
    }
}

impl<'a> StepFailedEvent<'a> {
    pub(super) fn event(&self) -> Event {
        event("StepFailedEvent", self)
    }

    pub(super) fn input(events: &'a [Event]) -> Option<InputEvent<'a>> {
        let event = events.first()?;
        let fits = Tree::parse(&event.payload).depth() + INPUT_DEPTH <= DEPTH_MAX.max;
        Some(InputEvent { name: &event.name, value: fits.then_some(&event.payload) })
    }
}

impl WorkflowFailedEvent<'_> {
    pub(super) fn event(&self) -> Event {
        event("WorkflowFailedEvent", self)
    }
}

impl WorkflowTimedOutEvent<'_> {
    pub(super) fn event(&self) -> Event {
        event("WorkflowTimedOutEvent", self)
    }
}

pub(super) fn idle() -> Event {
    Event { name: "WorkflowIdleEvent".into(), payload: json::empty() }
}

pub(super) fn cancelled() -> Event {
    Event { name: "WorkflowCancelledEvent".into(), payload: json::empty() }
}

fn event(name: &str, payload: &impl Serialize) -> Event {
    Event { name: name.into(), payload: json::to_json(payload) }
}
