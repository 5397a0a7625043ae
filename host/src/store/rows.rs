//! What goes into a store and comes out of it. Entries and envelopes are bytes here.

use bytes::Bytes;
use wf_engine::entry::Micros;

use crate::model::RunsPlace;

/// How long a host owns its runs without a sign of life: 10 seconds.
pub(super) const LEASE: Micros = 10_000_000;
/// Turns that are given at once: others wait until they are written.
pub const TURNS_MAX: usize = 256;
/// Where the clock of a new store stands, which stands while no host is up: far enough that a run can be carried there
/// that has lived longer than the store.
pub const ALIVE_FIRST: Micros = 1 << 50;
/// Frames, or entries, that are read at once stop after so many bytes: 4 MiB.
pub(super) const READ_BYTES_MAX: usize = 4 << 20;
/// A page of runs ends after results of so many bytes: 4 MiB. Each is there some times over while it is written out, and for
/// a while after.
pub(super) const LIST_BYTES_MAX: usize = 4 << 20;
/// A search looks at so many runs, and leaves the rest to the next call.
pub(super) const SEARCH_MAX: usize = 10_000;
/// The beginning of a result, for lists, in characters.
const PREVIEW_MAX: usize = 200;

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
/// number, it takes the place of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Which invocation.
    pub invocation: u64,
    /// Which attempt of it.
    pub attempt: u32,
    /// `log`, `stdout`, `stderr`, `host` for what the host says to it, or `failure` for how the attempt ended.
    pub source: String,
    /// The ordinal of the call, or the number of the line.
    pub number: u64,
    /// When.
    pub at: Micros,
    /// `trace` to `error`; or [`LEVEL_END`](wf_engine::text::LEVEL_END).
    pub level: String,
    /// The line.
    pub message: String,
    /// A JSON object.
    pub fields: String,
}

/// A line as it is stored and exported: the fields of [`LogRow`], in their order.
pub(crate) type Line = (u64, u32, String, u64, Micros, String, String, String);

impl From<Line> for LogRow {
    fn from((invocation, attempt, source, number, at, level, message, fields): Line) -> LogRow {
        LogRow { invocation, attempt, source, number, at, level, message, fields }
    }
}

impl LogRow {
    /// How much it adds, in bytes, roughly.
    pub fn size(&self) -> usize {
        self.message.len() + self.fields.len() + 64
    }
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

/// A handler that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// When its newest run ended.
    pub at: Micros,
    /// That run.
    pub run: RunKey,
    /// What all of its runs hold, in bytes, with the values that they need; 0 where nobody has asked.
    pub bytes: u64,
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

    /// The beginning of what came of it.
    pub(crate) fn preview(&self) -> Option<String> {
        let beginning = |text: &str| text.chars().take(PREVIEW_MAX).collect();
        match self {
            Status::Running | Status::Cancelled => None,
            // So much of it that it holds as many characters, whatever is cut off within one.
            Status::Completed(result) => Some(beginning(&String::from_utf8_lossy(&result[..result.len().min(4 * PREVIEW_MAX)]))),
            Status::Failed(message) => Some(beginning(message)),
        }
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Status::Running | Status::Cancelled => 0,
            Status::Completed(result) => result.len(),
            Status::Failed(message) => message.len(),
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
    /// The digests of the components that it is pinned to, then of those that only its journal needs.
    pub definition: Vec<String>,
    /// The run that it was forked from.
    pub origin: Option<String>,
    /// How it stands.
    pub status: Status,
    /// When it began.
    pub started_at: Micros,
    /// When its last entry was made.
    pub updated_at: Option<Micros>,
    /// When it ended.
    pub completed_at: Option<Micros>,
    /// The beginning of its start event's payload.
    pub preview: String,
    /// The beginning of its result's envelope, or of the message with which it failed.
    pub result_preview: Option<String>,
    /// What it waits for from outside; none: for nothing.
    pub waiting: Option<String>,
    /// In whose line it waits for its turn; none: it has begun.
    pub queue: Option<String>,
}

/// Some of the runs that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunsPage {
    /// In the order that was asked for. May be fewer than asked for, or none, where many were looked at for it.
    pub runs: Vec<RunSummary>,
    /// What to give as `after` for more; none: that is all.
    pub next: Option<RunsPlace>,
}

/// A host that has joined a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub i64);

/// A command that waits for a run's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub i64);

/// A command, and what is asked with it.
pub type SentCommand = (CommandId, Vec<u8>);

/// What the clocks show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// UTC.
    pub at: Micros,
    /// The clock that stands while no host is up.
    pub alive: Micros,
}

/// When something of a run is due, on each of the clocks; none: only the outside moves it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    /// In UTC: sleeps and retries.
    pub at: Option<Micros>,
    /// On the clock that stands while no host is up: timeouts.
    pub alive: Option<Micros>,
}

/// A run that a host now owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its key here.
    pub key: RunKey,
    /// Its id.
    pub run: String,
    /// What its owner's writes name from here on.
    pub generation: u64,
    /// Whether it was owned by another host, which was lost without leaving it.
    pub abandoned: bool,
}

/// What a new run must find under its handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follows {
    /// Anything but a run that has not ended.
    #[default]
    Any,
    /// No run.
    None,
    /// This one, as the newest: it goes on with its state.
    Run(RunKey),
}

/// A run under the generation that an owner's writes name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The run.
    pub key: RunKey,
    /// The owner's.
    pub generation: u64,
}

/// Leaves a run.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// The run.
    pub run: RunKey,
    /// The owner's.
    pub generation: u64,
    /// When it is due.
    pub wake: Wake,
}

/// By what a run that has not ended is found again.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its key.
    pub key: RunKey,
    /// Its id.
    pub run: String,
    /// Its workflow's name.
    pub workflow: String,
    /// The host that owns it.
    pub owner: Option<HostId>,
    /// When something of it is due.
    pub wake: Wake,
    /// Whether it queues for its workflow's turn.
    pub queues: bool,
    /// Whether commands wait for it.
    pub commanded: bool,
    /// How many entries it has.
    pub length: usize,
}

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// The ids of the runs.
    pub runs: Vec<String>,
}

/// The fold's state after an entry, in a form of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The place of that entry.
    pub seq: u64,
    /// The form.
    pub bytes: Bytes,
}

/// From what a run comes into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The newest; none: it was never worth one.
    pub snapshot: Option<Snapshot>,
    /// The entries after it, or all.
    pub entries: Vec<EntryRow>,
}

/// From what a run is looked at as it was after an entry, and what came then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The newest that tells of no later entry; none: there is none.
    pub snapshot: Option<Snapshot>,
    /// The entries after it, or from the first: all until that entry, and some beyond it.
    pub entries: Vec<EntryRow>,
    /// How many the whole journal has.
    pub length: u64,
}

/// How much of a journal is read: all until an entry, and some beyond it.
pub(super) struct Wanted {
    until: Option<u64>,
    beyond: usize,
    bytes: usize,
}

impl Wanted {
    pub(super) fn all() -> Wanted {
        Wanted::until(Some(u64::MAX), 0)
    }

    pub(super) fn until(entry: Option<u64>, beyond: usize) -> Wanted {
        Wanted { until: entry, beyond, bytes: 0 }
    }

    pub(super) fn has(&self, seq: u64) -> bool {
        !self.is_beyond(seq) || self.beyond > 0 && self.bytes < READ_BYTES_MAX
    }

    pub(super) fn took(&mut self, entry: &EntryRow) {
        if self.is_beyond(entry.seq) {
            self.beyond = self.beyond.saturating_sub(1);
            self.bytes += entry.bytes.len();
        }
    }

    fn is_beyond(&self, seq: u64) -> bool {
        self.until.is_none_or(|last| seq > last)
    }
}

/// A run as it was elsewhere.
#[derive(Clone, Debug)]
pub struct Shown {
    /// It, without what belongs to it.
    pub summary: RunSummary,
    /// Its journal.
    pub entries: Vec<EntryRow>,
    /// Its stream.
    pub frames: Vec<FrameRow>,
    /// What its steps have written.
    pub logs: Vec<LogRow>,
    /// The state with which it has ended, as JSON.
    pub state: Option<Bytes>,
    /// What it begins with that has not begun; empty: it has.
    pub first: Vec<EntryRow>,
}

/// How a run stands after its last entry, as others look for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// When the entry was made.
    pub updated_at: Micros,
    /// When something of it is due, should its owner be lost or leave it.
    pub wake: Wake,
    /// What it waits for from outside; none: for nothing.
    pub waiting: Option<String>,
    /// Set when it has ended.
    pub ended: Option<Ended>,
}

impl Standing {
    fn size(&self) -> usize {
        self.ended.as_ref().map_or(0, |it| it.status.size() + it.state.len())
    }
}

/// How and when a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub status: Status,
    /// When.
    pub at: Micros,
    /// Its state, as JSON: a later run may go on with it.
    pub state: Bytes,
}

/// A run to be stored.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its key, from [`Store::key`](super::Store::key).
    pub key: RunKey,
    /// Its owner.
    pub host: HostId,
    /// Its id.
    pub run: String,
    /// Its handler's id.
    pub handler: String,
    /// What it must find there.
    pub follows: Follows,
    /// Its workflow's name.
    pub workflow: String,
    /// The digests of the components that it is pinned to, then of those that only its journal needs.
    pub definition: Vec<String>,
    /// When it began.
    pub started_at: Micros,
    /// The beginning of its start event's payload, for lists.
    pub preview: String,
    /// Its first entry; of a fork, all that it was copied with and begins anew with.
    pub entries: Vec<EntryRow>,
    /// The frames that follow from them.
    pub frames: Vec<FrameRow>,
    /// How many of the frames a fork was copied with: where it queues, it has these alone.
    pub copied: usize,
    /// Lines that a fork was copied with.
    pub logs: Vec<LogRow>,
    /// How it stands after them.
    pub standing: Standing,
    /// Most runs of its workflow at once: where as many have begun, or others queue already, it queues. None: it begins.
    pub runs_max: Option<u32>,
    /// The key that it was started with. A fork has one by which it is found, whether it was asked for with one or not.
    pub idempotency: Option<IdempotencyRow>,
    /// Somebody waits for it: see [`Append::waited`].
    pub waited: bool,
}

impl NewRun {
    /// How much it adds, in bytes, roughly: what waits to be written is bounded by it.
    pub fn size(&self) -> usize {
        let entries: usize = self.entries.iter().map(|it| it.bytes.len()).sum();
        let frames: usize = self.frames.iter().map(|it| it.json.len()).sum();
        let logs: usize = self.logs.iter().map(LogRow::size).sum();
        entries + frames + logs + self.standing.size() + 512
    }

    /// Takes in what is to be added to the run, so that both are stored as one. Gives back what no run is created with.
    pub fn with(&mut self, append: Append) -> Option<Append> {
        if append.snapshot.is_some() || append.answer.is_some() || append.idempotency.is_some() {
            return Some(append);
        }
        self.entries.extend(append.entries);
        self.frames.extend(append.frames);
        self.logs.extend(append.logs);
        self.standing = append.standing;
        self.waited |= append.waited;
        None
    }
}

/// What became of a run that was to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It has begun.
    Begun,
    /// It queues for its workflow's turn: it has no entry and no owner, and what it begins with is kept, as are the frames
    /// and lines that a fork was copied with.
    Queued,
}

/// A run that has not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbegun {
    /// Its first entry, but for when it is made; of a fork, all that it was copied with and begins anew with.
    pub entries: Vec<EntryRow>,
    /// Whether it still queues; else its turn has come.
    pub queues: bool,
}

/// An addition to a run: all or nothing.
#[derive(Clone, Debug)]
pub struct Append {
    /// The run.
    pub run: RunKey,
    /// The owner's: what [`Claim::generation`] says, 1 after a creation.
    pub generation: u64,
    /// The place of the first entry: the journal's length so far.
    pub expected_seq: u64,
    /// The entries.
    pub entries: Vec<EntryRow>,
    /// The frames that follow from them.
    pub frames: Vec<FrameRow>,
    /// How the run stands after them.
    pub standing: Standing,
    /// The key of the event that was accepted.
    pub idempotency: Option<IdempotencyRow>,
    /// Lines that tell of these entries.
    pub logs: Vec<LogRow>,
    /// The fold's state after the last entry, where it is worth keeping. It stays as long as the run.
    pub snapshot: Option<Snapshot>,
    /// The command that it carries out, and what that is answered: both or neither is there after a
    /// crash, so that nobody carries it out twice.
    pub answer: Option<(CommandId, Vec<u8>)>,
    /// Somebody waits for it: it is synced at once. Else it may wait some milliseconds for others.
    pub waited: bool,
}

impl Append {
    /// How much it adds, in bytes, roughly: what waits to be written is bounded by it.
    pub fn size(&self) -> usize {
        let entries: usize = self.entries.iter().map(|it| it.bytes.len()).sum();
        let frames: usize = self.frames.iter().map(|it| it.json.len()).sum();
        let logs: usize = self.logs.iter().map(LogRow::size).sum();
        let snapshot = self.snapshot.as_ref().map_or(0, |it| it.bytes.len());
        entries + frames + logs + snapshot + self.standing.size() + 512
    }
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
    pub limit: usize,
    /// Only those whose newest run began after this one.
    pub after: Option<RunKey>,
}
