//! What guests report to the worker of their run.

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use wf_engine::attempt::{Query, ReadAnswer, Request};
use wf_engine::entry::{Call, Commit, Event, Failure, InvocationId, Micros, Usage};
use wf_engine::state::Overlay;
use wf_engine::text::Refused;

use crate::outside::{Question, Told};

/// What a guest reports.
pub enum Report {
    /// It published and goes on, or reached a commit point and waits for the answer of the last call.
    Progressed {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The calls since the last report.
        calls: Vec<Call>,
        /// What is committed; none where the last call is no commit point.
        commit: Option<Commit>,
        /// What it has used so far.
        usage: Usage,
        /// Who waits for the answer, and how long it may go on without.
        waits: Waits,
    },
    /// It calls: told where [somebody watches](super::Terms::watched).
    Called {
        /// What, as the guest has it.
        request: Request,
    },
    /// It asks the outside, and is answered here: told where [that is so](super::Terms::answered).
    Asked {
        /// Who.
        invocation: InvocationId,
        /// What.
        question: Question,
        /// Where the answer goes; a failure: why there is none.
        reply: oneshot::Sender<Result<Told, Failure>>,
    },
    /// It asks about committed state.
    Read {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The question.
        query: Query,
        /// What it has written and not committed.
        own: Overlay,
        /// Where the answer goes, and what it has written with it.
        reply: oneshot::Sender<(Result<ReadAnswer, Refused>, Overlay)>,
    },
    /// It has something to say to the outside, and waits until all that led to it is durable.
    Leaves {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// Told when it may.
        reply: oneshot::Sender<()>,
    },
    /// It wrote a line.
    Logged {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The line.
        line: LogLine,
    },
    /// It ended well.
    Returned {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The calls since the last report.
        calls: Vec<Call>,
        /// What is committed.
        commit: Commit,
        /// What it returned.
        events: Vec<Event>,
        /// What it used.
        usage: Usage,
    },
    /// It failed.
    Failed {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The calls since the last report.
        calls: Vec<Call>,
        /// Why.
        failure: Failure,
        /// What it used.
        usage: Usage,
    },
}

/// How an instance goes on after a report.
pub enum Waits {
    /// It waits for the answer of the last call; nobody is there when the call suspends.
    Answer(oneshot::Sender<Call>),
    /// It goes on, as long as there is room for what is not heard yet: this is what the report takes of it.
    Room(OwnedSemaphorePermit),
}

/// A line that a guest wrote.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// `log`, `stdout` or `stderr`.
    pub source: &'static str,
    /// The call's ordinal, or the number of the line in that output.
    pub number: u64,
    /// When, on the derived clock.
    pub at: Micros,
    /// `trace`, `debug`, `info`, `warn` or `error`; or [`LEVEL_END`](wf_engine::text::LEVEL_END).
    pub level: String,
    /// The text.
    pub message: String,
    /// A JSON object.
    pub fields: String,
}
