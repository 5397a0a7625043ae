//! A store in one SQLite file: one writer thread that commits in groups, and readers beside it.

mod added;
pub(crate) mod backup;
mod blobs;
pub(crate) mod carry;
mod change;
mod connect;
pub(super) mod examine;
mod inbox;
mod lists;
pub(super) mod mend;
mod owners;
mod purge;
mod queue;
mod read;
mod readers;
mod seal;
mod statements;
#[cfg(test)]
mod tests;
mod text;
mod tidy;
mod turns;
mod write;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use rusqlite::Connection;
use tokio::sync::watch;
use wf_engine::entry::Micros;

use crate::model::RunsFilter;

use super::lines::Written;
use super::rows::{
    Append, Claim, CommandId, Created, EntryRow, Expiry, Finished, FrameRow, HandlersQuery, Held, HostId, IdempotencyRow, LogRow, NewRun,
    Now, Past, Purged, Release, RunKey, RunSummary, RunsPage, SentCommand, Stored, Unbegun, Wake,
};
use super::watchers::Watchers;
use super::{Result, Store};
use added::Added;
use change::Change;
use readers::Readers;
use writer::Writer;

/// A store in one SQLite file.
pub struct Sqlite {
    writer: Writer,
    readers: Arc<Readers>,
    watchers: Arc<Watchers>,
    next_key: AtomicI64,
    /// What tells whether another process has changed the file.
    version: Arc<AtomicI64>,
    /// Keeps other hosts out.
    _lock: File,
}

impl Sqlite {
    /// Refuses a file that no database of ours can be, and changes nothing of it.
    pub fn check(path: &Path) -> Result<()> {
        connect::check(path)
    }

    /// Opens or makes a database. `lock`: held for as long as the store is.
    pub fn open(path: &Path, lock: File) -> Result<Sqlite> {
        let (connection, last_key) = connect::open(path)?;
        Ok(Sqlite {
            writer: Writer::start(connection)?,
            readers: Readers::new(path.to_owned()),
            watchers: Arc::default(),
            next_key: AtomicI64::new(last_key + 1),
            version: Arc::default(),
            _lock: lock,
        })
    }

    /// The writer ends where nobody catches it.
    #[cfg(test)]
    pub(crate) async fn lose_writer(&self) {
        let last = self.writer.write(0, true, |_| Ok(()), |()| std::panic::panic_any("at a place where nobody catches it"));
        assert!(last.await.is_err());
        // Whoever comes later is answered by its last word, which says so to all others before.
        assert!(self.write(|_| Ok(())).await.is_err());
    }

    fn read<'a, T: Send + 'static>(&self, question: impl FnOnce(&Connection) -> Result<T> + Send + 'static) -> BoxFuture<'a, Result<T>> {
        self.readers.clone().ask(question).boxed()
    }

    /// As [`Sqlite::read`], of what a name names.
    fn read_of<'a, T: Send + 'static>(
        &self,
        name: &str,
        question: impl FnOnce(&Connection, &str) -> Result<T> + Send + 'static,
    ) -> BoxFuture<'a, Result<T>> {
        let name = name.to_owned();
        self.read(move |connection| question(connection, &name))
    }

    /// A small write that somebody waits for.
    fn write<T: Send + 'static>(&self, change: impl Fn(&Connection) -> Change<T> + Send + 'static) -> BoxFuture<'static, Result<T>> {
        self.writer.write(0, true, change, |_| ())
    }

    /// Tells those who watch the runs of a change, once it is durable.
    fn told<T>(&self, runs: impl FnOnce(&T) -> &[String] + Send + 'static) -> impl FnOnce(&T) + Send + 'static {
        let watchers = self.watchers.clone();
        move |answer| runs(answer).iter().for_each(|run| watchers.tell(run))
    }
}

impl Store for Sqlite {
    fn join(&self, now: Now) -> BoxFuture<'static, Result<HostId>> {
        self.write(move |connection| owners::join(connection, now))
    }

    fn keep_alive(&self, host: HostId, now: Now) -> BoxFuture<'static, Result<()>> {
        let (watchers, seen, next) = (self.watchers.clone(), self.version.clone(), self.version.clone());
        let keep = move |connection: &Connection| owners::keep_alive(connection, host, now, seen.load(Ordering::Relaxed));
        // A command may have moved runs away, beside us: those who watch them look again.
        let kept = self.writer.write(0, true, keep, move |(version, moved): &(i64, Vec<String>)| {
            next.store(*version, Ordering::Relaxed);
            moved.iter().for_each(|run| watchers.tell(run));
        });
        kept.map(|kept| kept.map(drop)).boxed()
    }

    fn alive(&self) -> BoxFuture<'_, Result<Micros>> {
        self.read(owners::alive)
    }

    fn health(&self) -> Result<()> {
        self.writer.health()
    }

    fn key(&self) -> RunKey {
        RunKey(self.next_key.fetch_add(1, Ordering::Relaxed))
    }

    fn create(&self, new: NewRun) -> BoxFuture<'static, Result<Created>> {
        let (size, waited) = (new.size(), new.waited);
        let (watchers, run) = (self.watchers.clone(), new.run.clone());
        let apart = LazyLock::new(move || Added::by_creation(new));
        let change = move |connection: &Connection| write::create(connection, &apart.0, &apart.1);
        self.writer.begin(size, waited, change, move |_| watchers.tell(&run))
    }

    fn unbegun(&self, key: RunKey) -> BoxFuture<'_, Result<Option<Unbegun>>> {
        self.read(move |connection| turns::unbegun(connection, key))
    }

    fn queues(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        self.read(turns::queues)
    }

    fn give_turns(&self, workflow: &str, runs_max: Option<u32>, now: Now) -> BoxFuture<'static, Result<usize>> {
        let workflow = workflow.to_owned();
        self.write(move |connection| turns::give(connection, &workflow, runs_max, now))
    }

    fn append(&self, append: Append) -> BoxFuture<'static, Result<()>> {
        let (size, waited) = (append.size(), append.waited);
        let apart = LazyLock::new(move || Added::by_append(append));
        let change = move |connection: &Connection| write::append(connection, &apart.0, &apart.1);
        let done = self.writer.write(size, waited, change, self.told(std::slice::from_ref::<String>));
        done.map(|appended| appended.map(drop)).boxed()
    }

    fn log(&self, run: RunKey, lines: Vec<LogRow>) -> BoxFuture<'static, Result<()>> {
        let size = lines.iter().map(LogRow::size).sum();
        let added = LazyLock::new(move || Added::lines(&lines));
        self.writer.write(size, false, move |connection| write::log(connection, run, &added), |()| ())
    }

    fn acquire(&self, host: HostId, run: &str, now: Now) -> BoxFuture<'static, Result<Claim>> {
        let run = run.to_owned();
        self.write(move |connection| owners::acquire(connection, host, &run, now))
    }

    fn claim_due(&self, host: HostId, now: Now, limit: usize) -> BoxFuture<'static, Result<Vec<Claim>>> {
        self.write(move |connection| owners::claim_due(connection, host, now, limit))
    }

    fn release(&self, release: Release) -> BoxFuture<'static, Result<()>> {
        self.write(move |connection| owners::release(connection, &release))
    }

    fn newer(&self, held: Vec<Held>) -> BoxFuture<'_, Result<Vec<Held>>> {
        self.read(move |connection| owners::newer(connection, held))
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<u64>> {
        self.read(owners::unfinished)
    }

    fn owned(&self, host: HostId) -> BoxFuture<'_, Result<Vec<String>>> {
        self.read(move |connection| owners::owned(connection, host))
    }

    fn next_due(&self) -> BoxFuture<'_, Result<Wake>> {
        self.read(owners::next_due)
    }

    fn load(&self, key: RunKey) -> BoxFuture<'_, Result<Stored>> {
        self.read(move |connection| read::load(connection, key))
    }

    fn load_at(&self, key: RunKey, after: Option<u64>, limit: usize) -> BoxFuture<'_, Result<Past>> {
        self.read(move |connection| read::load_at(connection, key, after, limit))
    }

    fn journal(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<EntryRow>>> {
        self.read(move |connection| read::journal(connection, key))
    }

    fn final_state(&self, key: RunKey) -> BoxFuture<'_, Result<Option<Bytes>>> {
        self.read(move |connection| read::final_state(connection, key))
    }

    fn watch(&self, run: &str) -> watch::Receiver<u64> {
        self.watchers.watch(run)
    }

    fn send_command(&self, run: &str, command: Vec<u8>) -> BoxFuture<'static, Result<CommandId>> {
        let (watchers, id, run) = (self.watchers.clone(), run.to_owned(), run.to_owned());
        let size = command.len();
        let change = move |connection: &Connection| inbox::send(connection, &run, &command);
        self.writer.begin(size, true, change, move |_| watchers.tell_of_command(&id))
    }

    fn commands(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<SentCommand>>> {
        self.read(move |connection| inbox::commands(connection, key))
    }

    fn commanded(&self, host: HostId) -> BoxFuture<'_, Result<Vec<String>>> {
        self.read(move |connection| inbox::commanded(connection, host))
    }

    fn watch_commands(&self) -> watch::Receiver<u64> {
        self.watchers.watch_commands()
    }

    fn answer_command(&self, command: CommandId, answer: Vec<u8>) -> BoxFuture<'static, Result<()>> {
        let change = move |connection: &Connection| inbox::answer(connection, command, &answer);
        let done = self.writer.write(0, true, change, self.told(|run: &Option<String>| run.as_slice()));
        done.map(|answered| answered.map(drop)).boxed()
    }

    fn take_answer(&self, command: CommandId) -> BoxFuture<'static, Result<Option<Vec<u8>>>> {
        self.write(move |connection| inbox::take(connection, command))
    }

    fn withdraw_command(&self, command: CommandId) -> BoxFuture<'static, Result<Option<Vec<u8>>>> {
        self.write(move |connection| inbox::withdraw(connection, command))
    }

    fn run(&self, run: &str) -> BoxFuture<'_, Result<Option<RunSummary>>> {
        self.read_of(run, lists::run)
    }

    fn handler(&self, handler: &str) -> BoxFuture<'_, Result<Option<RunSummary>>> {
        self.read_of(handler, lists::handler)
    }

    fn handlers(&self, query: HandlersQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>> {
        self.read(move |connection| lists::handlers(connection, &query))
    }

    fn runs(&self, query: RunsFilter) -> BoxFuture<'_, Result<RunsPage>> {
        self.read(move |connection| lists::runs(connection, &query))
    }

    fn workflows(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        self.read(lists::workflows)
    }

    fn frames(&self, run: &str, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<FrameRow>>> {
        self.read_of(run, move |connection, run| read::frames(connection, run, after, limit))
    }

    fn last_sequence(&self, run: &str) -> BoxFuture<'_, Result<i64>> {
        self.read_of(run, read::last_sequence)
    }

    fn logs(&self, run: &str) -> BoxFuture<'_, Result<Vec<LogRow>>> {
        self.read_of(run, read::logs)
    }

    fn written(&self, run: &str, after: u64, limit: usize) -> BoxFuture<'_, Result<Written>> {
        self.read_of(run, move |connection, run| read::written(connection, run, after, limit))
    }

    fn idempotency(&self, scope: &str, key: &str) -> BoxFuture<'_, Result<Option<IdempotencyRow>>> {
        let scope = scope.to_owned();
        self.read_of(key, move |connection, key| read::idempotency(connection, &scope, key))
    }

    fn made(&self, scope: &str) -> BoxFuture<'_, Result<Vec<String>>> {
        self.read_of(scope, lists::made)
    }

    fn purge(&self, handler: &str, running_too: bool) -> BoxFuture<'static, Result<Purged>> {
        let handler = handler.to_owned();
        let change = move |connection: &Connection| purge::purge(connection, &handler, running_too);
        self.writer.write(0, true, change, self.told(|purged: &Purged| &purged.runs))
    }

    fn over(&self, workflow: &str, after: Option<Finished>, limit: usize, sized: bool) -> BoxFuture<'_, Result<Vec<Finished>>> {
        self.read_of(workflow, move |connection, workflow| purge::over(connection, workflow, after, limit, sized))
    }

    fn expire(&self, expiry: Expiry) -> BoxFuture<'static, Result<usize>> {
        let change = move |connection: &Connection| purge::expire(connection, &expiry);
        let done = self.writer.write(0, true, change, self.told(|(_, purged): &(usize, Purged)| &purged.runs));
        done.map(|expired| expired.map(|(handlers, _)| handlers)).boxed()
    }

    fn drop_components(&self, keep: Vec<String>) -> BoxFuture<'static, Result<usize>> {
        self.write(move |connection| purge::drop_components(connection, &keep))
    }

    fn put_component(&self, digest: &str, bytes: Bytes, manifest: String) -> BoxFuture<'static, Result<()>> {
        let digest = digest.to_owned();
        self.write(move |connection| write::put_component(connection, &digest, &bytes, &manifest))
    }

    fn manifest(&self, digest: &str) -> BoxFuture<'_, Result<Option<String>>> {
        self.read_of(digest, read::manifest)
    }

    fn component(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>>> {
        self.read_of(digest, read::component)
    }
}
