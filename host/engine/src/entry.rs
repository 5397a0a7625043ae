//! The journal: everything that can happen to a run.

pub(crate) mod calls;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::run::time::utc_text;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// Microseconds: since 1970 in UTC (`at`), or of the store's own clock (`alive`).
pub type Micros = u64;
/// An invocation's number in its run.
pub type InvocationId = u64;
/// A timer's number in its run.
pub type TimerId = u64;

/// The version of the journal's form.
pub const ENTRY_VERSION: u16 = 1;
/// The number of the fold's observable behaviour. A change to it gets a new number.
pub const RULES: u32 = 1;
/// A sleep of this length or longer drops the instance: 1 second.
pub const SLEEP_DROP_MIN: Micros = 1_000_000;

/// A typed JSON value. The payload's text is carried as it came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// The bare type name.
    pub name: Arc<str>,
    /// A JSON object.
    pub payload: Arc<RawValue>,
}

/// One line of the journal: an input that the engine accepted, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The form of this entry: [`ENTRY_VERSION`].
    pub v: u16,
    /// Its place in the journal, from 0.
    pub seq: u64,
    /// When, in UTC.
    pub at: Micros,
    /// When, on the clock that stands while no host is up.
    pub alive: Micros,
    /// What.
    pub input: Input,
}

/// Everything that can happen to a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    /// Always the first.
    Started(Box<Started>),
    /// The outside sent an event; `step` directs it to one step.
    EventReceived {
        /// Unique in the run.
        id: String,
        /// The event.
        event: Event,
        /// The only step to deliver it to.
        step: Option<String>,
    },
    /// An attempt reached a commit point or published.
    StepProgressed {
        /// Who reports.
        invocation: InvocationId,
        /// Which attempt of it.
        attempt: u32,
        /// The calls since the last report, in order of their ordinals without gaps. When the
        /// last is a publish or a commit point, the guest waits for its answer.
        calls: Vec<Call>,
        /// What is committed; none for a publish, which commits nothing.
        commit: Option<Commit>,
    },
    /// An attempt ended well. A commit point.
    StepReturned {
        /// Who reports.
        invocation: InvocationId,
        /// Which attempt of it.
        attempt: u32,
        /// The calls since the last report.
        calls: Vec<Call>,
        /// What is committed.
        commit: Commit,
        /// The events that it returned.
        events: Vec<Event>,
        /// What it used.
        usage: Usage,
    },
    /// An attempt failed. What it had only buffered is gone.
    StepFailed {
        /// Who reports.
        invocation: InvocationId,
        /// Which attempt of it.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// What it used.
        usage: Usage,
    },
    /// A timer that the engine had set is due.
    TimerFired {
        /// Which.
        timer: TimerId,
    },
    /// The outside wants the run to end.
    CancelRequested,
    /// A host took the run over; no guest of it is alive.
    Resumed {
        /// Whether the host before it stopped gracefully.
        planned: bool,
    },
}

/// All that the fold reads and that does not happen later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Started {
    /// [`RULES`] when the run began.
    pub rules: u32,
    /// The digests of the components, in order, as hexadecimal text.
    pub definition: Vec<String>,
    /// The workflow's name.
    pub workflow: String,
    /// The handler's id.
    pub handler: String,
    /// The run's id.
    pub run: String,
    /// The start event.
    pub start: Event,
    /// The state to begin with: a JSON object.
    pub state: Value,
    /// 32 random bytes, as hexadecimal text.
    pub seed: String,
    /// Seconds after which the run fails; none for never.
    pub timeout: Option<f64>,
    /// Names of the additional event types, the manifest's and the configured ones.
    pub additional_events: Vec<String>,
}

/// What an attempt used.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Usage {
    /// When this entry into the attempt began.
    pub started_at: Micros,
    /// Executing time of this entry.
    pub cpu: Micros,
    /// Peak linear memory, in bytes.
    pub memory: u64,
}

/// Why an attempt failed.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Failure {
    /// The type of the error: `ValueError`, `timeout`, `trap`.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// Whether another attempt could do better.
    pub retryable: bool,
    /// Seconds to wait before it; wins over the policy.
    pub retry_after: Option<f64>,
    /// Whether answered waits stay answered.
    pub keep_answers: bool,
    /// A backtrace.
    pub trace: Option<String>,
}

/// A host call of an attempt, as the step log keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Its place among the attempt's recorded calls, from 0.
    pub ordinal: u32,
    /// When it was made; the fold moves it on to when it was answered.
    pub at: Micros,
    /// What was called, and where the guest's side knows it, the answer.
    pub function: Function,
}

/// The recorded calls. Matched on re-entry by ordinal, function and identity; never by payload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Function {
    /// `events.send`; identity: step and event type. The payload is in the [`Commit`].
    Send {
        /// The target step.
        step: Option<String>,
        /// The event's type.
        name: Arc<str>,
    },
    /// `events.publish`. The payload lives in the stream only, and is not journaled.
    Publish {
        /// The event; only its name is journaled.
        #[serde(with = "published")]
        event: Event,
    },
    /// `events.wait`; identity: the key. Answered by the fold.
    Wait(Wait),
    /// `events.collect`; identity: the buffer. Answered by the fold.
    Collect {
        /// The buffer's id, where one was given.
        id: Option<String>,
        /// The expected types, in order.
        expected: Vec<String>,
        /// The event to add.
        event: Event,
        /// The batch, or none while it is incomplete. Set by the fold.
        answer: Option<Option<Vec<Event>>>,
    },
    /// `state.get`; identity: the path.
    Get {
        /// The path.
        path: String,
        /// What was there.
        answer: Option<Arc<RawValue>>,
    },
    /// `state.set`; identity: the path. The value is in the [`Commit`].
    Set {
        /// The path.
        path: String,
    },
    /// `state.delete`; identity: the path.
    Delete {
        /// The path.
        path: String,
    },
    /// `state.edit-begin`; identity: the path.
    EditBegin {
        /// The path.
        path: String,
        /// The version and what was there.
        answer: (u64, Option<Arc<RawValue>>),
    },
    /// `state.edit-commit`; identity: the path. Answered by the fold.
    EditCommit {
        /// The path.
        path: String,
        /// The version that `edit-begin` gave.
        version: u64,
        /// The new value.
        value: Arc<RawValue>,
        /// Whether it was committed. Set by the fold.
        answer: Option<bool>,
    },
    /// `time.sleep`. Answered by the fold.
    Sleep {
        /// How long.
        duration: Micros,
        /// Whether it is over. Set by the fold.
        answer: bool,
    },
    /// `memo.look-up`; identity: the name.
    LookUp {
        /// The memo's name.
        name: String,
        /// What was kept.
        answer: Option<Arc<RawValue>>,
    },
    /// `memo.keep`; identity: the name.
    Keep {
        /// The memo's name.
        name: String,
        /// The value.
        value: Arc<RawValue>,
    },
    /// `log.write`. The line itself is in the run's log.
    Log,
    /// `run.commit`.
    Commit,
    /// A call refused with a failure before it had any effect; identity: function and argument.
    Refused {
        /// What was called, with its identity.
        call: String,
        /// The answer.
        failure: Failure,
    },
    /// Reserved for calls to the outside: HTTP requests.
    Outside {
        /// What was called.
        call: String,
        /// The recorded response, as JSON.
        answer: Arc<RawValue>,
    },
}

/// The arguments of `events.wait`, and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wait {
    /// The type to wait for.
    pub name: String,
    /// The caller's key.
    pub id: Option<String>,
    /// Top-level fields that must be equal.
    pub requirements: BTreeMap<String, Value>,
    /// Seconds until it times out; none for never.
    pub timeout: Option<f64>,
    /// Published once per key to ask for the answer.
    pub request: Option<Event>,
    /// Set by the fold.
    pub answer: Option<WaitAnswer>,
}

/// How a wait ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum WaitAnswer {
    /// With an event.
    Event(Event),
    /// With none in time.
    TimedOut,
}

/// What a commit point commits, in the order of the calls: all or nothing. The value of an edit is
/// in its call, and is written after these. An edit that conflicts commits none of them: they stay
/// buffered, and come again with the next commit point.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Commit {
    /// Buffered effects since the last commit.
    pub effects: Vec<Buffered>,
}

/// A buffered effect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Buffered {
    /// Of `events.send`.
    Send {
        /// The event.
        event: Event,
        /// The only step to deliver it to.
        step: Option<String>,
    },
    /// Of `state.set`.
    Set {
        /// The path.
        path: String,
        /// The value.
        value: Arc<RawValue>,
    },
    /// Of `state.delete`.
    Delete {
        /// The path.
        path: String,
    },
}

/// Journals an event by its name alone.
mod published {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::value::RawValue;

    use super::Event;

    pub fn serialize<S: Serializer>(event: &Event, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&event.name)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
        let name = String::deserialize(deserializer)?.into();
        let payload: Arc<RawValue> = RawValue::from_string("{}".into()).expect("valid").into();
        Ok(Event { name, payload })
    }
}
