//! The journal: everything that can happen to a run. `FORMS.md` says which entry carries what.

pub(crate) mod calls;
mod chunk;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// Microseconds: since 1970 in UTC (`at`), or of the store's own clock (`alive`).
pub type Micros = u64;
/// An invocation's number in its run.
pub type InvocationId = u64;
/// A timer's number in its run.
pub type TimerId = u64;
/// Variables with their values.
pub type Variables = Arc<BTreeMap<String, String>>;

/// The version of the journal's form.
pub const ENTRY_VERSION: u16 = 1;
/// The number of the fold's observable behaviour. A change to it gets a new number. 2: a step's timeout counts what the
/// entries into an attempt computed, where 1 counted the time that they were in an instance. 3: the variables that an
/// attempt has are among its calls. 4: a workflow's timeout is told as LlamaIndex tells it, `45.0s`, where it was `45s`; an
/// attempt is told when the one before it failed.
pub const RULES: u32 = 4;
/// A sleep of this length or longer drops the instance: 1 second.
pub const SLEEP_DROP_MIN: Micros = 1_000_000;
/// How often an entry tells how many frames there are: each so many entries.
pub const FRAMES_TOLD_EVERY: u64 = 16;

/// A typed JSON value. The payload's text is carried as it came.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The bare type name.
    pub name: Arc<str>,
    /// A JSON object.
    pub payload: Json,
}

/// One line of the journal: an input that the engine accepted, and when. [`crate::run::Run::entry`] makes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The form of this entry: [`ENTRY_VERSION`].
    pub v: u16,
    /// Its place in the journal, from 0.
    pub seq: u64,
    /// When, in UTC.
    pub at: Micros,
    /// When, on the clock that stands while no host is up.
    pub alive: Micros,
    /// How many frames the stream had before it, told now and then: what the fold counts must agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<u64>,
    /// What.
    pub input: Input,
}

/// Everything that can happen to a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Input {
    /// Always the first.
    Started(Box<Started>),
    /// The outside sent an event.
    EventReceived {
        /// Unique in the run.
        id: String,
        /// The event.
        event: Event,
        /// The only step to deliver it to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
        /// The only invocation to deliver it to: one whose wait it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invocation: Option<InvocationId>,
    },
    /// An attempt reached a commit point, published, or reached the outside.
    StepProgressed {
        /// Who reports.
        invocation: InvocationId,
        /// Which attempt of it.
        attempt: u32,
        /// The calls since the last report, in order of their ordinals without gaps. The guest
        /// waits for the answer of the last.
        calls: Vec<Call>,
        /// What is committed; none where the last call is no commit point.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<Commit>,
        /// What this entry into the attempt has used so far.
        #[serde(default)]
        usage: Usage,
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
        /// What this entry into the attempt has used.
        #[serde(default)]
        usage: Usage,
    },
    /// An attempt failed. What it had only buffered is gone.
    StepFailed {
        /// Who reports.
        invocation: InvocationId,
        /// Which attempt of it.
        attempt: u32,
        /// The calls since the last report.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<Call>,
        /// Why.
        failure: Failure,
        /// What this entry into the attempt has used.
        #[serde(default)]
        usage: Usage,
    },
    /// A timer that the engine had set is due.
    TimerFired {
        /// Which.
        timer: TimerId,
    },
    /// The outside wants the run to end.
    CancelRequested,
    /// A host took the run over while something of it was executing; no guest of it is alive.
    Resumed {
        /// Whether the host before it stopped gracefully.
        planned: bool,
        /// Who was on a thread when the host before it died; none: not known, and then all that executed count.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_thread: Option<Vec<InvocationId>>,
    },
    /// What comes before it was copied from another run. From here on the journal is its own.
    Forked(Box<Forked>),
}

/// All that the fold reads and that does not happen later.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// [`RULES`] when the run began.
    pub rules: u32,
    /// The parts of the definition, in order.
    pub definition: Vec<Part>,
    /// The workflow's name.
    pub workflow: String,
    /// The handler's id.
    pub handler: String,
    /// The run's id.
    pub run: String,
    /// The start event.
    pub start: Event,
    /// The state to begin with: a JSON object.
    pub state: Json,
    /// 32 random bytes, as hexadecimal text.
    pub seed: String,
    /// Seconds after which the run fails; none for never.
    pub timeout: Option<f64>,
    /// Names of the additional event types, the manifest's and the configured ones.
    pub additional_events: Vec<String>,
    /// Largest committed state, in bytes: of attempts that each keep to it, one that would make it larger with what
    /// others have committed fails. None: nothing is refused for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_max: Option<u64>,
}

/// One part of a definition: SHA-256 digests as hexadecimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Of the component.
    pub component: String,
    /// Of the data that the host hands to it, where its language wants some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// What makes a copied journal one of its own. What was in flight starts anew, and so does the run's timeout: by the
/// entry's own clocks, as [`Started`] tells when its origin began.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forked {
    /// The run that the entries before were copied from.
    pub origin: String,
    /// The fork's own id.
    pub run: String,
    /// The handler of the fork.
    pub handler: String,
    /// The fork's own seed, as in [`Started`].
    pub seed: String,
    /// The parts of the definition that it goes on with.
    pub definition: Vec<Part>,
    /// The state from here on; none: as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Json>,
    /// What an invocation in flight is given instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<(InvocationId, Vec<Event>)>,
}

/// What one entry into an attempt used.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// When it began.
    pub started_at: Micros,
    /// Executing time.
    pub cpu: Micros,
    /// Peak linear memory, in bytes.
    pub memory: u64,
}

/// Why an attempt failed.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
    Wait(Box<Wait>),
    /// `events.collect`; identity: the buffer. Answered by the fold.
    Collect {
        /// The buffer's id, where one was given.
        id: Option<String>,
        /// The expected types in order, each with how many of it follow one another.
        expected: Vec<(String, u32)>,
        /// The event to add.
        event: Event,
        /// The batch, or none while it is incomplete. Set by the fold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Batch>,
    },
    /// `state.get`; identity: the path.
    Get {
        /// The path.
        path: String,
        /// What was there.
        answer: Told,
    },
    /// `state.set`; identity: the path. The value is in the [`Commit`].
    Set {
        /// The path.
        path: String,
    },
    /// `state.push`; identity: the path. The value is in the [`Commit`].
    Push {
        /// The path of the list.
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
        /// What to give to `edit-commit`.
        version: u64,
        /// What was there.
        answer: Told,
    },
    /// `state.edit-exclusive`; identity: the path. A commit point, answered by the fold once it is its turn.
    EditExclusive {
        /// The path.
        path: String,
        /// The version, and what was there. Set by the fold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<(u64, Told)>,
    },
    /// `state.edit-commit`; identity: the path. Answered by the fold.
    EditCommit {
        /// The path.
        path: String,
        /// The version that the edit began with.
        version: u64,
        /// The new value.
        value: Json,
        /// Whether it was committed. Set by the fold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<bool>,
    },
    /// `time.sleep`. Answered by the fold.
    Sleep {
        /// How long.
        duration: Micros,
        /// Whether it is over. Set by the fold.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        answer: bool,
    },
    /// `memo.look-up`; identity: the name.
    LookUp {
        /// The memo's name.
        name: String,
        /// What was kept.
        answer: Told,
    },
    /// `memo.keep`; identity: the name.
    Keep {
        /// The memo's name.
        name: String,
        /// The value.
        value: Json,
    },
    /// `log.write`. The line itself is in the run's log. Also, without one, a timer that was told while an answer was open and
    /// had nothing to read.
    Log,
    /// `run.commit`.
    Commit,
    /// A request to the outside; identity: the target. Moves *recorded*, and commits nothing.
    Request {
        /// Method and URL, as text.
        target: String,
        /// What came of it.
        answer: Response,
    },
    /// A read of a response's body; identity: the request. In the order in which reads were ready.
    Read {
        /// The ordinal of the request.
        request: u32,
        /// What was read.
        answer: Chunk,
    },
    /// The variables that the attempt has, as they were when it first asked for them: once, and only where it had some.
    Variables {
        /// By name. What stands for secrets is none of them.
        values: Variables,
    },
    /// A call refused with a failure before it had any effect; identity: function and argument.
    Refused {
        /// What was called, with its identity.
        call: String,
        /// The answer.
        failure: Failure,
    },
}

/// What a read gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Told {
    /// There was nothing.
    Nothing,
    /// This.
    Value(Json),
    /// The value of an earlier call of the same attempt, by its ordinal: large values are journaled once.
    Same(u32),
    /// What the fold tells before the entry of this seq is applied. In the last report of an attempt, which nobody
    /// enters again, of any entry before it; in others only of their own, and the fold fills the value in.
    Before(u64),
}

/// What `collect` gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Batch {
    /// Nothing: more events are to come.
    Incomplete,
    /// The events of a batch, of which this call added the last.
    Complete(Arc<[Event]>),
}

/// What came of a request to the outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Response {
    /// Status and headers, as a JSON object.
    Head(Json),
    /// There was none.
    Failed(Failure),
}

/// What a read of a body gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Chunk {
    /// Bytes, in base64.
    Data(String),
    /// There are no more.
    End,
    /// The body was cut.
    Failed(Failure),
}

/// The arguments of `events.wait`, and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The types to wait for: the first event of any of them answers.
    pub types: Vec<String>,
    /// Whether events of types that derive from these answer too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subtypes: bool,
    /// The caller's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Top-level fields that must be equal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requirements: BTreeMap<String, Json>,
    /// Seconds until it times out; none for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// Published once per key to ask for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Event>,
    /// Whether it takes only what comes after it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// Set by the fold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
#[serde(transparent)]
pub struct Commit {
    /// Buffered effects since the last commit.
    pub effects: Vec<Buffered>,
}

/// A buffered effect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Buffered {
    /// Of `events.send`.
    Send {
        /// The event.
        event: Event,
        /// The only step to deliver it to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
    },
    /// Of `state.set`.
    Set {
        /// The path.
        path: String,
        /// The value.
        value: Json,
    },
    /// Of `state.push`.
    Push {
        /// The path of the list.
        path: String,
        /// The new last item.
        value: Json,
    },
    /// Of `state.delete`.
    Delete {
        /// The path.
        path: String,
    },
    /// Of `run.no-list`: what the step returns opens no scope of a fan-out.
    NoList,
}

/// Journals an event by its name alone.
mod published {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Event;

    pub fn serialize<S: Serializer>(event: &Event, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&event.name)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
        let name = String::deserialize(deserializer)?.into();
        Ok(Event { name, payload: crate::json::empty() })
    }
}
