//! What a worker is told, and what it says.

use std::sync::Arc;

use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Commit, Event, Failure, Forked, Input, InvocationId, Started, Usage};
use wf_engine::run::Run;

use super::Answer;
use crate::model::{Frame, Idempotency, Refusal, RunView, Workflow};
use crate::store::{self, Append, CommandId, EntryRow, Follows, FrameRow, HostId, IdempotencyRow, LogRow, NewRun, Release, RunKey};

/// A run that is about to begin.
pub struct Fresh {
    /// This host.
    pub host: HostId,
    /// From the store.
    pub key: RunKey,
    /// What it is a run of.
    pub workflow: Arc<Workflow>,
    /// What it must find under its handler.
    pub follows: Follows,
    /// Its first entry's input.
    pub started: Started,
    /// The key that it was started with.
    pub idempotency: Option<Idempotency>,
    /// Somebody waits for its end.
    pub awaited: bool,
}

/// A fork that is about to begin.
pub struct FreshFork {
    /// This host.
    pub host: HostId,
    /// From the store.
    pub key: RunKey,
    /// What it goes on with.
    pub workflow: Arc<Workflow>,
    /// Its origin as it was, which knows the definition that it goes on with.
    pub run: Run,
    /// What was copied of its origin until there.
    pub copied: Copied,
    /// What makes it one of its own.
    pub forked: Forked,
    /// An event from outside that comes next, with its id.
    pub event: Option<(String, Event)>,
    /// The digests of all components that its journal needs, beginning with those that it goes on with.
    pub definition: Vec<String>,
    /// By what it is found.
    pub row: IdempotencyRow,
}

/// What a fork has of its origin.
pub struct Copied {
    /// All until an entry.
    pub entries: Vec<EntryRow>,
    /// What follows from them.
    pub frames: Vec<FrameRow>,
    /// What was written by then.
    pub logs: Vec<LogRow>,
}

/// What a run begins with that is stored, and has not begun.
pub struct Unbegun {
    /// Its first entry's input; of a fork what it would have been, had the fork begun as others do.
    pub started: Started,
    /// Of a fork: what it begins with in its place.
    pub fork: Option<UnbegunFork>,
    /// It queues for its workflow's turn; else that has come.
    pub queues: bool,
}

/// What a fork begins with.
pub struct UnbegunFork {
    /// The entries of its origin.
    pub copied: Vec<EntryRow>,
    /// What follows them: that it is forked, and an event from outside.
    pub inputs: Vec<Input>,
}

impl Unbegun {
    /// The entries that are there by then, and what follows them.
    pub(super) fn beginning(self) -> (Vec<EntryRow>, Vec<Input>) {
        match self.fork {
            Some(UnbegunFork { copied, inputs }) => (copied, inputs),
            None => (Vec::new(), vec![Input::Started(Box::new(self.started))]),
        }
    }
}

/// What a guest reports.
#[derive(Debug)]
pub struct Report {
    /// Who.
    pub invocation: InvocationId,
    /// Which attempt.
    pub attempt: u32,
    /// What.
    pub what: Reported,
}

/// What it is that a guest reports.
#[derive(Debug)]
pub enum Reported {
    /// It waits for the answer of the last call.
    Progressed {
        /// The calls since the last report.
        calls: Vec<Call>,
        /// What is committed; none where the last call is no commit point.
        commit: Option<Commit>,
        /// What it has used so far.
        usage: Usage,
    },
    /// It ended well.
    Returned {
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
        /// The calls since the last report.
        calls: Vec<Call>,
        /// Why.
        failure: Failure,
        /// What it used.
        usage: Usage,
    },
}

/// What is to be done, in order.
#[derive(Debug)]
pub enum Output<T> {
    /// Store the new run. Answered with [`Worker::appended`], as each append is, in order; or with [`Worker::queued`].
    Create(Box<NewRun>),
    /// Store what was added.
    Append(Box<Append>),
    /// Enter an attempt with a fresh instance.
    Enter(Box<Invoke>),
    /// Answer the call that an instance waits in.
    Answer(InvocationId, Box<Call>),
    /// All that an instance has waited for is durable: what it wants to say to the outside may leave.
    Leave(InvocationId),
    /// Drop an instance.
    Abort(InvocationId),
    /// Tell whoever asked.
    Tell(T, Answer),
    /// Leave an answer in the store for another host, which asked with a command there.
    Reply(CommandId, Vec<u8>),
    /// Show frames to the stream's readers; they are durable.
    Show(Vec<Frame>),
    /// Leave memory: nothing follows.
    Exit(Exit),
}

/// How a run leaves memory.
#[derive(Debug)]
pub enum Exit {
    /// It has ended, durably.
    Ended(RunView),
    /// It was never stored.
    Refused(Refusal),
    /// It is stored, and queues for its workflow's turn: it begins once somebody claims it.
    Queued,
    /// What is in memory is ahead of the store. It is to be loaded again.
    Broken {
        /// Why.
        error: store::Error,
        /// Whether the owner before this one was lost, and that is not noted yet.
        abandoned: bool,
        /// Whether something of it was stored before.
        went_well: bool,
    },
    /// Nothing to do until a command or its time.
    Parked(Release),
    /// At a durable point, on request: it goes on as soon as somebody claims it.
    Stopped(Release),
}
