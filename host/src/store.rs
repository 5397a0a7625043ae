//! What lasts: runs, their journals and streams, components. The one trait of the project.

mod error;
mod memory;
mod open;
mod rows;
mod shown;
mod sqlite;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use wf_engine::entry::Micros;

pub use error::Error;
pub use memory::Memory;
pub use open::open;
pub use rows::{
    Append, Ended, EntryRow, Expiry, FrameRow, HandlersQuery, IdempotencyRow, LogRow, Made, NewRun, RunKey, RunSummary, RunsQuery, Status,
};
pub use sqlite::Sqlite;

/// What a store answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Durable truth. What a future of a writing method resolves to is durable by then; what is not
/// stored after an error has left no trace.
pub trait Store: Send + Sync + 'static {
    /// Stores a new run under a handler, with its first entry. Gives the key for what follows, and the
    /// generation of its owner. Refused with [`Error::AlreadyRunning`] while the handler has a
    /// run that has not ended, with [`Error::KeyTaken`] when its idempotency key is there.
    fn create(&self, new: NewRun) -> BoxFuture<'static, Result<(RunKey, u64)>>;

    /// Makes the caller the run's owner: appends of an older generation are refused from here on.
    fn acquire(&self, key: RunKey) -> BoxFuture<'static, Result<u64>>;

    /// Appends to a run, all or nothing. The order is that of the calls, not of the futures.
    /// Refused with [`Error::Stale`] when the sequence or the generation is not the expected
    /// one, with [`Error::Gone`] after a purge.
    fn append(&self, append: Append) -> BoxFuture<'static, Result<()>>;

    /// A run, by its id.
    fn run(&self, run: &str) -> BoxFuture<'_, Result<Option<RunSummary>>>;

    /// The newest run of a handler.
    fn handler(&self, handler: &str) -> BoxFuture<'_, Result<Option<RunSummary>>>;

    /// The newest runs of handlers, in the order in which these runs began.
    fn handlers(&self, query: HandlersQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>>;

    /// Runs, newest first.
    fn runs(&self, query: RunsQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>>;

    /// The ids of the runs that have not ended, oldest first.
    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<String>>>;

    /// A run's journal.
    fn journal(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<EntryRow>>>;

    /// At most `limit` frames of a run with sequences above `after`, which is -1 for all.
    fn frames(&self, run: &str, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<FrameRow>>>;

    /// The sequence of a run's last frame; -1 where there is none.
    fn last_sequence(&self, run: &str) -> BoxFuture<'_, Result<i64>>;

    /// The lines that a run's steps have written, by invocation, attempt and place.
    fn logs(&self, run: &str) -> BoxFuture<'_, Result<Vec<LogRow>>>;

    /// What an idempotency key made.
    fn idempotency(&self, scope: &str, key: &str) -> BoxFuture<'_, Result<Option<IdempotencyRow>>>;

    /// Deletes a handler with all its runs and everything of them. Nothing, where there is none.
    fn purge(&self, handler: &str) -> BoxFuture<'static, Result<()>>;

    /// Purges handlers that are over. Says how many.
    fn expire(&self, expiry: Expiry) -> BoxFuture<'static, Result<usize>>;

    /// Deletes the components that no run needs, but for these digests. Says how many.
    fn drop_components(&self, keep: Vec<String>) -> BoxFuture<'static, Result<usize>>;

    /// Keeps a component with its manifest. Kept already: nothing changes.
    fn put_component(&self, digest: &str, bytes: Bytes, manifest: String) -> BoxFuture<'static, Result<()>>;

    /// The manifest of a component.
    fn manifest(&self, digest: &str) -> BoxFuture<'_, Result<Option<String>>>;

    /// The bytes of a component.
    fn component(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>>>;

    /// The clock that stands while no host is up.
    fn alive(&self) -> BoxFuture<'_, Result<Micros>>;

    /// Sets that clock. It never goes back.
    fn save_alive(&self, alive: Micros) -> BoxFuture<'static, Result<()>>;

    /// Whether the host before this one left gracefully; the mark is taken away.
    fn take_planned(&self) -> BoxFuture<'static, Result<bool>>;

    /// Leaves that mark.
    fn mark_planned(&self) -> BoxFuture<'static, Result<()>>;
}

/// The scope of idempotency keys of starts: a workflow.
pub fn start_scope(workflow: &str) -> String {
    format!("workflow/{workflow}")
}

/// The scope of idempotency keys of events: a handler.
pub fn event_scope(handler: &str) -> String {
    format!("handler/{handler}")
}
