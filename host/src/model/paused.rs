//! A step that is held before it is entered.

use std::sync::Arc;

use wf_engine::entry::{Event, InvocationId, Micros};

/// A delivery to a step that waits at a breakpoint.
#[derive(Clone, Debug)]
pub struct Paused {
    /// The run.
    pub run: String,
    /// Its handler.
    pub handler: String,
    /// Its workflow's name.
    pub workflow: String,
    /// The delivery.
    pub invocation: InvocationId,
    /// Which attempt of it, from 0.
    pub attempt: u32,
    /// The step.
    pub step: Arc<str>,
    /// What it is given.
    pub events: Arc<[Event]>,
    /// The breakpoint: the name of the step, or of an event's type.
    pub breakpoint: String,
    /// Since when, in UTC.
    pub since: Micros,
}
