//! What the outside asks for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wf_engine::entry::{Event, InvocationId};
use wf_engine::json::Json;

use super::workflow::Workflow;

/// An `Idempotency-Key` and the SHA-256 of the body that came with it. Hosts hand it on to one
/// another through the store: a change of its form is one of that form, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Idempotency {
    /// The key.
    pub key: String,
    /// The hash.
    pub body: [u8; 32],
}

/// A request to start a run, checked against the workflow.
pub struct Start {
    /// The workflow.
    pub workflow: Arc<Workflow>,
    /// The start event.
    pub event: Event,
    /// The state to begin with, from `context`; none: the handler's last, or empty.
    pub state: Option<Json>,
    /// The client's handler id.
    pub handler: Option<String>,
    /// To be kept with the run.
    pub idempotency: Option<Idempotency>,
}

/// Who an event from outside is for. Nothing: whoever takes it.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The only step that may have it.
    pub step: Option<String>,
    /// The only invocation that may have it, by its number: one whose wait it answers.
    pub invocation: Option<InvocationId>,
}

/// Which handlers to list. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these: `running`, `completed`, `failed`, `cancelled`.
    pub status: Vec<String>,
    /// Any of these workflows.
    pub workflow: Vec<String>,
    /// At most this many.
    pub limit: Option<usize>,
    /// Only those after this handler.
    pub after: Option<String>,
}

/// Which runs to list. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct RunsFilter {
    /// Any of these: `running`, `completed`, `failed`, `cancelled`.
    pub status: Vec<String>,
    /// Any of these workflows.
    pub workflow: Vec<String>,
    /// Only those whose id, or handler's id, holds this text.
    pub search: Option<String>,
    /// From where an earlier page ended.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}
