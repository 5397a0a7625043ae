//! What the outside asks for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wf_engine::entry::{Event, InvocationId, Micros};
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

/// What is wrong with the id that somebody gives to a handler. None: nothing.
pub(crate) fn unfit_id(id: &str) -> Option<&'static str> {
    let allowed = |it: char| it.is_ascii_alphanumeric() || "._:-".contains(it);
    match id.len() {
        _ if id.is_empty() || !id.chars().all(allowed) => Some("must be 1 to 128 characters of [0-9A-Za-z._:-]"),
        0..=128 => None,
        _ => Some("must be 1 to 128 characters of [0-9A-Za-z._:-] (limit handler_id_max)"),
    }
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
    /// Any of these: `running` (and not waiting), `waiting`, `completed`, `failed`, `cancelled`.
    pub status: Vec<String>,
    /// Any of these workflows.
    pub workflow: Vec<String>,
    /// Only those of this handler.
    pub handler: Option<String>,
    /// Only the newest of each handler.
    pub newest: bool,
    /// Only those that have this text in their id, their handler's, or the beginning of what went in or came out. Whether
    /// letters of ASCII are large or small is all the same.
    pub search: Option<String>,
    /// Only those whose time of this order is not before this one, in microseconds UTC.
    pub since: Option<Micros>,
    /// Only those whose time is before this one.
    pub until: Option<Micros>,
    /// In which order.
    pub order: RunsOrder,
    /// From where an earlier page ended.
    pub after: Option<RunsPlace>,
    /// At most so many.
    pub limit: usize,
}

/// In which order runs are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunsOrder {
    /// Those that began last first.
    #[default]
    Newest,
    /// Those that began first first.
    Oldest,
    /// Those that ended last first; none that has not.
    LastEnded,
    /// Those that ended first first; none that has not.
    FirstEnded,
}

impl RunsOrder {
    /// Whether it is told by when runs ended.
    pub fn is_by_end(self) -> bool {
        matches!(self, RunsOrder::LastEnded | RunsOrder::FirstEnded)
    }

    /// Whether earlier times come first.
    pub fn is_up(self) -> bool {
        matches!(self, RunsOrder::Oldest | RunsOrder::FirstEnded)
    }
}

/// A place in a list of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunsPlace {
    /// The time by which it is ordered; 0 where the order is that of the keys alone.
    pub at: i64,
    /// The run's key in the store.
    pub key: i64,
}
