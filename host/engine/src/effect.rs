//! Everything that a run can ask of the world.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::entry::{Call, Event, Failure, InvocationId, Micros, TimerId};
use crate::json::Json;

/// The recorded calls of an attempt. Cheap to clone, however many there are.
pub type Log = rpds::VectorSync<Call>;
/// What an invocation keeps by name. Cheap to clone.
pub type Memos = rpds::RedBlackTreeMapSync<String, Json>;

/// Something to be done, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Enter an attempt with a fresh instance.
    Invoke(Box<Invoke>),
    /// Answer the call that an attempt waits in. The instance goes on.
    Answer {
        /// Which invocation.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The call with its answer filled in.
        call: Call,
    },
    /// Drop the attempt's instance, if it has one, and refuse its reports.
    Abort {
        /// Which invocation.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
    },
    /// Report `TimerFired` when it is due. Forgotten at the run's end.
    SetTimer {
        /// Which.
        timer: TimerId,
        /// When.
        due: Due,
    },
    /// Forget a timer.
    ClearTimer {
        /// Which.
        timer: TimerId,
    },
    /// Write a frame to the stream.
    Publish(Frame),
    /// The run has ended; its terminal frame came just before.
    End(Outcome),
}

/// When a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Due {
    /// In UTC: sleeps and retries.
    At(Micros),
    /// On the clock that stands while no host is up: timeouts of runs and waits.
    Alive(Micros),
}

/// What to enter.
#[derive(Clone, Debug)]
pub struct Invoke {
    /// The invocation.
    pub invocation: InvocationId,
    /// The attempt, from 0.
    pub attempt: u32,
    /// The step.
    pub step: Arc<str>,
    /// The component that has it: an index into the definition.
    pub component: usize,
    /// What it is given.
    pub events: Arc<[Event]>,
    /// When the attempt was started: its clocks begin there.
    pub started_at: Micros,
    /// The recorded calls, answered: up to *recorded*.
    pub log: Log,
    /// How many of them are committed.
    pub committed: u32,
    /// Kept by this invocation.
    pub memos: Memos,
    /// What came before this attempt.
    pub retry: RetryInfo,
    /// What the run follows.
    pub definition: Arc<Definition>,
    /// Executing time that is left to the attempt by the step's timeout; none for no limit.
    pub time_left: Option<Micros>,
    /// Whether the instance before was lost while it worked: what it did beyond the log is done
    /// anew, and may be another thing.
    pub lost: bool,
}

/// What an attempt may know of those before it. The same at every entry into it.
#[derive(Clone, Debug, Default)]
pub struct RetryInfo {
    /// How many attempts of the invocation have failed.
    pub failures: u32,
    /// Time since the first attempt was entered, when this one was.
    pub elapsed: Micros,
    /// Why the attempt before it failed.
    pub last_failure: Option<Failure>,
    /// When it did; none: nothing has failed, or the run's rules are older than 4.
    pub failed_at: Option<Micros>,
}

/// An event on the stream, and its number there.
#[derive(Clone, Debug)]
pub struct Frame {
    /// From 0, without gaps.
    pub sequence: u64,
    /// The event.
    pub event: Event,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// With a stop event.
    Completed(Event),
    /// With a message.
    Failed(String),
    /// On request.
    Cancelled,
}
