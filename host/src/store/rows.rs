//! What goes into a store and comes out of it. Entries and envelopes are bytes here.

use bytes::Bytes;
use wf_engine::entry::Micros;

/// A run's key in its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(pub i64);

/// An entry of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Its place, from 0.
    pub seq: u64,
    /// The entry, as JSON.
    pub bytes: Vec<u8>,
}

/// A frame of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameRow {
    /// Its number, from 0.
    pub sequence: u64,
    /// Whether it is one of the internal events.
    pub internal: bool,
    /// Whether it is the last of its run.
    pub terminal: bool,
    /// Its envelope, as JSON.
    pub json: Bytes,
}

/// A line that a step wrote. Written again under the same invocation, attempt, source and
/// number, it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Which invocation.
    pub invocation: u64,
    /// Which attempt of it.
    pub attempt: u32,
    /// `log`, `stdout`, `stderr`, or `failure` for how the attempt ended.
    pub source: String,
    /// The ordinal of the call, or the number of the line.
    pub number: u64,
    /// When.
    pub at: Micros,
    /// `trace` to `error`.
    pub level: String,
    /// The line.
    pub message: String,
    /// A JSON object.
    pub fields: String,
}

/// Which handlers are to go: those whose newest run ended before a time.
#[derive(Clone, Debug)]
pub struct Expiry {
    /// Of this workflow only; none: of any.
    pub workflow: Option<String>,
    /// Of none of these workflows.
    pub except: Vec<String>,
    /// The time.
    pub before: Micros,
    /// At most so many, those that ended first.
    pub max: usize,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not ended.
    Running,
    /// Ended with a stop event: its envelope, as JSON.
    Completed(Bytes),
    /// Ended with a message.
    Failed(String),
    /// Ended on request.
    Cancelled,
}

impl Status {
    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        matches!(self, Status::Running)
    }

    /// The name that the API gives it.
    pub fn text(&self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Completed(_) => "completed",
            Status::Failed(_) => "failed",
            Status::Cancelled => "cancelled",
        }
    }
}

/// A run without its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// Its key here.
    pub key: RunKey,
    /// Its id.
    pub run: String,
    /// Its handler's id.
    pub handler: String,
    /// Its workflow's name.
    pub workflow: String,
    /// The digests of the components that it is pinned to.
    pub definition: Vec<String>,
    /// How it stands.
    pub status: Status,
    /// When it began.
    pub started_at: Micros,
    /// When its last entry was made.
    pub updated_at: Option<Micros>,
    /// When it ended.
    pub completed_at: Option<Micros>,
}

/// Which runs to list. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct RunsQuery {
    /// Any of these: `running`, `completed`, `failed`, `cancelled`.
    pub status: Vec<String>,
    /// Any of these workflows.
    pub workflow: Vec<String>,
    /// Only those whose id, or handler's id, holds this text.
    pub search: Option<String>,
    /// Only those that began before this one.
    pub before: Option<RunKey>,
    /// At most so many.
    pub limit: usize,
}

/// How and when a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub status: Status,
    /// When.
    pub at: Micros,
}

/// A run to be stored.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its id.
    pub run: String,
    /// Its handler's id.
    pub handler: String,
    /// Its workflow's name.
    pub workflow: String,
    /// The digests of the components that it is pinned to.
    pub definition: Vec<String>,
    /// When it began.
    pub started_at: Micros,
    /// Its first entry.
    pub entry: EntryRow,
    /// The frames that follow from it.
    pub frames: Vec<FrameRow>,
    /// Set when it has ended at once.
    pub ended: Option<Ended>,
    /// The key that it was started with.
    pub idempotency: Option<IdempotencyRow>,
}

/// An addition to a run: all or nothing.
#[derive(Clone, Debug)]
pub struct Append {
    /// The run.
    pub run: RunKey,
    /// What [`Store::acquire`](super::Store::acquire) gave.
    pub generation: u64,
    /// The place of the first entry: the journal's length so far.
    pub expected_seq: u64,
    /// The entries.
    pub entries: Vec<EntryRow>,
    /// The frames that follow from them.
    pub frames: Vec<FrameRow>,
    /// When the last entry was made.
    pub updated_at: Micros,
    /// Set when the run has ended with it.
    pub ended: Option<Ended>,
    /// The key of the event that was accepted.
    pub idempotency: Option<IdempotencyRow>,
    /// Lines that steps wrote.
    pub logs: Vec<LogRow>,
    /// Somebody waits for it: it is synced at once. Else it may wait some milliseconds for others.
    pub waited: bool,
}

/// An idempotency key and what it made. It lives as long as the run that it made or sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// What the key is unique in.
    pub scope: String,
    /// The key.
    pub key: String,
    /// The SHA-256 of the body that came with it.
    pub body: [u8; 32],
    /// What it made.
    pub made: Made,
}

/// What a request made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// A run, by its id.
    Run(String),
    /// An event, by its id.
    Event(String),
}

/// Which handlers to list.
#[derive(Clone, Debug, Default)]
pub struct HandlersQuery {
    /// Any of these, as [`Status::text`] names them; empty: all.
    pub status: Vec<String>,
    /// Any of these workflows; empty: all.
    pub workflow: Vec<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Only what follows this handler; nothing, when it is not there.
    pub after: Option<String>,
}

impl HandlersQuery {
    pub(super) fn matches(&self, run: &RunSummary) -> bool {
        let any = |wanted: &[String], value: &str| wanted.is_empty() || wanted.iter().any(|it| it == value);
        any(&self.status, run.status.text()) && any(&self.workflow, &run.workflow)
    }
}
