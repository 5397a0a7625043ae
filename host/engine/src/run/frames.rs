//! The frames that the fold itself writes to the stream, and how any frame gets its number.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::finish::Fault;
use super::invocation::Invocation;
use super::route::Unhandled;
use super::slots::Step;
use super::{Run, time};
use crate::effect::{Effect, Frame};
use crate::entry::{Event, Micros};

impl Run {
    pub(super) fn publish(&mut self, event: Event) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.turn.effects.push(Effect::Publish(Frame { sequence, event }));
    }
}

/// The states of a step that the stream tells of.
#[derive(Clone, Copy)]
pub(super) enum StepState {
    Preparing,
    Running,
    NotRunning,
}

pub(super) fn step_state(step: &Step, invocation: &Invocation, state: StepState, output: Option<&Event>) -> Event {
    let state = match state {
        StepState::Preparing => "preparing",
        StepState::Running => "running",
        StepState::NotRunning => "not_running",
    };
    // An all-join may be given no events at all.
    let input = invocation.events.first().map_or("", |event| &*event.name);
    event(
        "StepStateChanged",
        json!({
            "name": &*step.name,
            "step_state": state,
            "worker_id": invocation.slot.map_or("<enqueued>".to_owned(), |slot| slot.to_string()),
            "input_event_name": input,
            "output_event_name": output.map(|event| &*event.name),
        }),
    )
}

pub(super) fn idle() -> Event {
    event("WorkflowIdleEvent", json!({}))
}

pub(super) fn unhandled(unhandled: &Unhandled, qualified: &str, idle: bool) -> Event {
    event(
        "UnhandledEvent",
        json!({
            "event_type": &*unhandled.name,
            "qualified_name": qualified,
            "step_name": unhandled.step,
            "idle": idle,
        }),
    )
}

/// What a catch-error step is given.
pub(super) fn step_failed(fault: &Fault, input: Option<&Event>, at: Micros) -> Event {
    let input = input.map(|event| Input { name: &event.name, value: &event.payload });
    let payload = StepFailed {
        step_name: &fault.step,
        input_event: input,
        exception: exception(fault),
        attempts: fault.attempts,
        elapsed_seconds: time::seconds(fault.elapsed),
        failed_at: time::utc_text(at),
    };
    event("StepFailedEvent", payload)
}

/// Not a `Value`, because the input's text is carried as it came.
#[derive(Serialize)]
struct StepFailed<'a> {
    step_name: &'a str,
    input_event: Option<Input<'a>>,
    exception: Value,
    attempts: Option<u32>,
    elapsed_seconds: f64,
    failed_at: String,
}

#[derive(Serialize)]
struct Input<'a> {
    #[serde(rename = "type")]
    name: &'a str,
    value: &'a RawValue,
}

pub(super) fn failed(fault: &Fault) -> Event {
    event(
        "WorkflowFailedEvent",
        json!({
            "step_name": fault.step,
            "exception": exception(fault),
            "attempts": fault.attempts,
            "elapsed_seconds": time::seconds(fault.elapsed),
        }),
    )
}

pub(super) fn timed_out(timeout: f64, active_steps: &[&str]) -> Event {
    event("WorkflowTimedOutEvent", json!({ "timeout": timeout, "active_steps": active_steps }))
}

pub(super) fn cancelled() -> Event {
    event("WorkflowCancelledEvent", json!({}))
}

fn exception(fault: &Fault) -> Value {
    json!({ "exception_type": fault.kind, "exception_message": fault.message })
}

fn event(name: &str, payload: impl Serialize) -> Event {
    let payload = to_raw_value(&payload).map_or_else(|_| empty(), Arc::from);
    Event { name: name.into(), payload }
}

/// The payload `{}`.
pub(super) fn empty() -> Arc<RawValue> {
    RawValue::from_string("{}".to_owned()).expect("it is JSON").into()
}
