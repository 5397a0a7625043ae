//! What lasts: runs, their journals and streams, components. The one trait of the project.
//!
//! It speaks of owners: a run that has not ended is owned by one host, or by none while it only
//! waits. Every write of a run names its owner's generation, so that one who has lost it writes nothing.

mod error;
pub mod finding;
mod lines;
mod memory;
mod open;
mod rows;
mod shown;
mod sqlite;
mod watchers;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use wf_engine::entry::Micros;

use crate::model::RunsFilter;

pub use error::Error;
pub use lines::Written;
pub use memory::Memory;
pub use open::{Kept, beside, folder, open};
pub(crate) use open::{database, lock, private_folder, replace, stay};
pub(crate) use rows::Line;
pub use rows::{
    ALIVE_FIRST, Append, Claim, CommandId, Created, Ended, EntryRow, Expiry, Finished, Follows, FrameRow, HandlersQuery, Held, HostId,
    IdempotencyRow, LogRow, Made, NewRun, Now, Past, Place, Purged, Release, RunKey, RunSummary, RunsPage, SentCommand, Shown, Snapshot,
    Standing, Status, Stored, TURNS_MAX, Unbegun, Wake,
};
pub use sqlite::Sqlite;
pub use sqlite::examine::{
    Examination, ExaminedDefinition, ExaminedEnding, ExaminedRun, ExaminedText, Seal, Space, TableSpace, ValueSpace, WorkflowSpace,
};
pub(crate) use sqlite::{backup, carry};

/// What a store answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Durable truth. What a future of a writing method resolves to is durable by then; what is not
/// stored after an error has left no trace. Writes take effect in the order of the calls, not of the futures.
pub trait Store: Send + Sync + 'static {
    /// A host joins, and owns what it takes from here on. Its lease lasts as long as it keeps the
    /// clock with [`Store::keep_alive`]; what a host owned whose lease is over can be claimed by others.
    fn join(&self, now: Now) -> BoxFuture<'static, Result<HostId>>;

    /// Renews a host's lease, and sets the clock that stands while no host is up; it never goes back.
    fn keep_alive(&self, host: HostId, now: Now) -> BoxFuture<'static, Result<()>>;

    /// The clock that stands while no host is up.
    fn alive(&self) -> BoxFuture<'_, Result<Micros>>;

    /// Whether it takes writes, as the last one told. An error says why not.
    fn health(&self) -> Result<()>;

    /// A key for a run that is about to be created. None is given twice.
    fn key(&self) -> RunKey;

    /// Stores a new run under a handler, with its first entry; the host owns it, with generation 1. Where it
    /// has to [queue](NewRun::runs_max), it has no entry and no owner until its [turn](Store::give_turns) comes; one
    /// that ends with its first entry needs none. Refused with [`Error::AlreadyRunning`] while the handler has a run
    /// that has not ended, or has another newest run than [the one it follows](NewRun::follows), with
    /// [`Error::KeyTaken`] when its idempotency key is there.
    fn create(&self, new: NewRun) -> BoxFuture<'static, Result<Created>>;

    /// What a run begins with that has not begun; none: it has, or is not there.
    fn unbegun(&self, key: RunKey) -> BoxFuture<'_, Result<Option<Unbegun>>>;

    /// The workflows that have runs in their queues.
    fn queues(&self) -> BoxFuture<'_, Result<Vec<String>>>;

    /// While fewer runs of a workflow have begun than may, the one that queues longest gets its turn: it queues no
    /// more, counts as one that has begun, and is due. Says how many; at most [`TURNS_MAX`] at once.
    fn give_turns(&self, workflow: &str, runs_max: Option<u32>, now: Now) -> BoxFuture<'static, Result<usize>>;

    /// Appends to a run, all or nothing; with its first entries, it has begun. Refused with [`Error::Stale`] when the sequence or the
    /// generation is not the expected one, when the run was left or has ended, or when the command
    /// that it answers is answered or withdrawn, with [`Error::Gone`] after a purge.
    fn append(&self, append: Append) -> BoxFuture<'static, Result<()>>;

    /// Keeps lines that steps have written. A line that was written before is replaced; where it says
    /// [so](wf_engine::text::LEVEL_END), those past it go. Nothing, after a purge.
    fn log(&self, run: RunKey, lines: Vec<LogRow>) -> BoxFuture<'static, Result<()>>;

    /// Makes a host the owner of a run, by the run's id, whether something of it is due or not.
    /// Refused with [`Error::Gone`] where there is no such run, with [`Error::Over`] when it has
    /// ended, with [`Error::Owned`] while another host owns it whose lease lasts. A run that the
    /// host owns already is taken from whoever writes for it there: it gets another generation.
    fn acquire(&self, host: HostId, run: &str, now: Now) -> BoxFuture<'static, Result<Claim>>;

    /// Makes a host the owner of runs that have not ended, are owned by nobody, and are due; and of
    /// those whose owner's lease is over. At most so many, what is due longest first.
    fn claim_due(&self, host: HostId, now: Now, limit: usize) -> BoxFuture<'static, Result<Vec<Claim>>>;

    /// Leaves a run to whoever claims it next. Nothing, where the caller no longer owns it.
    fn release(&self, release: Release) -> BoxFuture<'static, Result<()>>;

    /// Those of some runs that have a newer generation, with it: others own them now, or have.
    fn newer(&self, held: Vec<Held>) -> BoxFuture<'_, Result<Vec<Held>>>;

    /// How many runs have not ended.
    fn unfinished(&self) -> BoxFuture<'_, Result<u64>>;

    /// The ids of the runs that a host owns.
    fn owned(&self, host: HostId) -> BoxFuture<'_, Result<Vec<String>>>;

    /// When the next run that nobody owns is due, on either clock.
    fn next_due(&self) -> BoxFuture<'_, Result<Wake>>;

    /// A run's newest snapshot, and the entries after it; without a snapshot, all entries.
    fn load(&self, key: RunKey) -> BoxFuture<'_, Result<Stored>>;

    /// A run's newest snapshot that tells of no entry after this one, and the entries from there on: all until
    /// it, and beyond it at most `limit`, and not many more than 4 MiB of them; at least one where there is
    /// one. After none: from the first.
    fn load_at(&self, key: RunKey, after: Option<u64>, limit: usize) -> BoxFuture<'_, Result<Past>>;

    /// A run's journal, from its beginning.
    fn journal(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<EntryRow>>>;

    /// The state with which a run has ended, as JSON; none while it runs.
    fn final_state(&self, key: RunKey) -> BoxFuture<'_, Result<Option<Bytes>>>;

    /// Tells of a run's changes: the number grows with each creation, append, command, answer and
    /// purge that is durable, whichever host made it.
    fn watch(&self, run: &str) -> watch::Receiver<u64>;

    /// Leaves a command for the owner of a run, which is another host. Refused with
    /// [`Error::Gone`] where there is no such run, with [`Error::Over`] when it has ended.
    fn send_command(&self, run: &str, command: Vec<u8>) -> BoxFuture<'static, Result<CommandId>>;

    /// The commands that were left for a run's owner and are not answered, in their order.
    fn commands(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<SentCommand>>>;

    /// The ids of runs that have not ended, have such commands, and are owned by a host, or by none.
    fn commanded(&self, host: HostId) -> BoxFuture<'_, Result<Vec<String>>>;

    /// Tells of commands for whichever run: the number grows with each that is durable.
    fn watch_commands(&self) -> watch::Receiver<u64>;

    /// Answers a command that needs no append: the first answer stands. One that an append carries
    /// out is answered [with it](Append::answer). Nothing, where it is not there any more.
    fn answer_command(&self, command: CommandId, answer: Vec<u8>) -> BoxFuture<'static, Result<()>>;

    /// What a command was answered; none: nothing so far. Refused with [`Error::Gone`] when the
    /// answer was taken, or the run was purged.
    fn take_answer(&self, command: CommandId) -> BoxFuture<'static, Result<Option<Vec<u8>>>>;

    /// Takes a command away, so that nobody carries it out from here on; or its answer, where it
    /// has one. Refused as [`Store::take_answer`] is.
    fn withdraw_command(&self, command: CommandId) -> BoxFuture<'static, Result<Option<Vec<u8>>>>;

    /// A run, by its id.
    fn run(&self, run: &str) -> BoxFuture<'_, Result<Option<RunSummary>>>;

    /// The newest run of a handler.
    fn handler(&self, handler: &str) -> BoxFuture<'_, Result<Option<RunSummary>>>;

    /// The newest runs of handlers, in the order in which these runs began: at most `limit`, and at most some MiB
    /// of them, but at least one. None: that was all.
    fn handlers(&self, query: HandlersQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>>;

    /// Runs: at most as many as are asked for, and at most some MiB of them.
    fn runs(&self, query: RunsFilter) -> BoxFuture<'_, Result<RunsPage>>;

    /// The names of the workflows that have runs, whether they are served or not, in order.
    fn workflows(&self) -> BoxFuture<'_, Result<Vec<String>>>;

    /// At most `limit` frames of a run with sequences above `after`, which is -1 for all, and not
    /// many more than 4 MiB of them; at least one where there is one.
    fn frames(&self, run: &str, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<FrameRow>>>;

    /// The sequence of a run's last frame; -1 where there is none.
    fn last_sequence(&self, run: &str) -> BoxFuture<'_, Result<i64>>;

    /// The lines that a run's steps have written, by invocation, attempt and place.
    fn logs(&self, run: &str) -> BoxFuture<'_, Result<Vec<LogRow>>>;

    /// What was written to a run's lines after a place, 0 for the first, as it came: also lines that take the place of
    /// earlier ones, and the ends past which they go. `limit` of them or, with what was written at once with the last
    /// of these, more; and not many more than 4 MiB.
    fn written(&self, run: &str, after: u64, limit: usize) -> BoxFuture<'_, Result<Written>>;

    /// What an idempotency key made.
    fn idempotency(&self, scope: &str, key: &str) -> BoxFuture<'_, Result<Option<IdempotencyRow>>>;

    /// The ids of the runs that keys of a scope have made, in the order in which they began.
    fn made(&self, scope: &str) -> BoxFuture<'_, Result<Vec<String>>>;

    /// Deletes a handler with all its runs and everything of them. Refused with
    /// [`Error::AlreadyRunning`] while one of them runs, unless it is to go all the same: one whose
    /// journal cannot be read. Nothing, where there is none.
    fn purge(&self, handler: &str, running_too: bool) -> BoxFuture<'static, Result<Purged>>;

    /// Handlers of a workflow that are over, those that ended last first, at most `limit` of them, from one on: those that
    /// ended before it. `sized`: what each of them holds is asked for, too.
    fn over(&self, workflow: &str, after: Option<Finished>, limit: usize, sized: bool) -> BoxFuture<'_, Result<Vec<Finished>>>;

    /// Purges handlers that are over. Says how many.
    fn expire(&self, expiry: Expiry) -> BoxFuture<'static, Result<usize>>;

    /// Deletes the components that no run needs, but for these digests. Says how many.
    fn drop_components(&self, keep: Vec<String>) -> BoxFuture<'static, Result<usize>>;

    /// Keeps a component with its manifest, also in the place of what is kept and differs: that is damaged.
    fn put_component(&self, digest: &str, bytes: Bytes, manifest: String) -> BoxFuture<'static, Result<()>>;

    /// The manifest of a component; none, where it is damaged, too.
    fn manifest(&self, digest: &str) -> BoxFuture<'_, Result<Option<String>>>;

    /// The bytes of a component.
    fn component(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>>>;
}

/// The scope of idempotency keys of starts: a workflow.
pub fn start_scope(workflow: &str) -> String {
    format!("workflow/{workflow}")
}

/// The scope of idempotency keys of forks: their origin, a run. By it they are found.
pub fn fork_scope(origin: &str) -> String {
    format!("{FORKS}{origin}")
}

/// The origin of forks, of the scope of their keys.
pub(crate) fn forked_from(scope: &str) -> Option<&str> {
    scope.strip_prefix(FORKS)
}

/// What scopes of keys of forks begin with.
const FORKS: &str = "fork/";

/// The scope of idempotency keys of events: a handler.
pub fn event_scope(handler: &str) -> String {
    format!("handler/{handler}")
}
