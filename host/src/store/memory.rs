//! A store that lasts as long as its process. Several hosts of the process may join it.

mod lists;
mod tables;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};
use tokio::sync::watch;
use wf_engine::entry::Micros;

use crate::model::RunsFilter;

use super::lines::Written;
use super::rows::{
    Append, Claim, CommandId, Created, EntryRow, Expiry, Finished, FrameRow, HandlersQuery, Held, HostId, IdempotencyRow, LogRow, NewRun,
    Now, Past, Place, Purged, READ_BYTES_MAX, Release, RunKey, RunSummary, RunsPage, SentCommand, Shown, Stored, Unbegun, Wake,
};
use super::watchers::Watchers;
use super::{Result, Store};
use tables::{Row, Tables};

/// A store in memory.
#[derive(Default)]
pub struct Memory {
    tables: Mutex<Tables>,
    watchers: Watchers,
    last_key: AtomicI64,
}

impl Memory {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("no panic while locked")
    }

    /// Asks, or changes; those who watch the runs are told where it is done.
    fn answer<'a, T: Send + 'a>(&self, runs: &[&str], ask: impl FnOnce(&mut Tables) -> Result<T>) -> BoxFuture<'a, Result<T>> {
        let answer = ask(&mut self.tables());
        if answer.is_ok() {
            runs.iter().for_each(|run| self.watchers.tell(run));
        }
        ready(answer).boxed()
    }

    /// Where each run that has not ended is found again, oldest first: for whoever checks that it is.
    pub fn places(&self) -> Vec<Place> {
        self.tables().places()
    }

    /// Keeps a run as it was elsewhere, to be looked at: nobody goes on with it.
    pub fn show(&self, shown: Shown) {
        self.tables().show(shown);
    }

    fn tell(&self, runs: &[String]) {
        runs.iter().for_each(|run| self.watchers.tell(run));
    }
}

impl Store for Memory {
    fn join(&self, now: Now) -> BoxFuture<'static, Result<HostId>> {
        self.answer(&[], |tables| Ok(tables.join(now)))
    }

    fn keep_alive(&self, host: HostId, now: Now) -> BoxFuture<'static, Result<()>> {
        self.answer(&[], |tables| {
            tables.keep_alive(host, now);
            Ok(())
        })
    }

    fn alive(&self) -> BoxFuture<'_, Result<Micros>> {
        self.answer(&[], |tables| Ok(tables.alive))
    }

    fn health(&self) -> Result<()> {
        Ok(())
    }

    fn key(&self) -> RunKey {
        RunKey(self.last_key.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn create(&self, new: NewRun) -> BoxFuture<'static, Result<Created>> {
        let run = new.run.clone();
        self.answer(&[&run], |tables| tables.create(new))
    }

    fn unbegun(&self, key: RunKey) -> BoxFuture<'_, Result<Option<Unbegun>>> {
        self.answer(&[], |tables| Ok(tables.runs.get(&key).and_then(Row::unbegun)))
    }

    fn queues(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        self.answer(&[], |tables| Ok(tables.queues()))
    }

    fn give_turns(&self, workflow: &str, runs_max: Option<u32>, now: Now) -> BoxFuture<'static, Result<usize>> {
        self.answer(&[], |tables| Ok(tables.give_turns(workflow, runs_max, now)))
    }

    fn append(&self, append: Append) -> BoxFuture<'static, Result<()>> {
        let appended = self.tables().append(append);
        if let Ok(run) = &appended {
            self.watchers.tell(run);
        }
        ready(appended.map(drop)).boxed()
    }

    fn log(&self, run: RunKey, lines: Vec<LogRow>) -> BoxFuture<'static, Result<()>> {
        self.answer(&[], |tables| {
            if let Some(row) = tables.runs.get_mut(&run) {
                row.lines.extend(lines);
            }
            Ok(())
        })
    }

    fn acquire(&self, host: HostId, run: &str, now: Now) -> BoxFuture<'static, Result<Claim>> {
        self.answer(&[], |tables| tables.acquire(host, run, now))
    }

    fn claim_due(&self, host: HostId, now: Now, limit: usize) -> BoxFuture<'static, Result<Vec<Claim>>> {
        self.answer(&[], |tables| Ok(tables.claim_due(host, now, limit)))
    }

    fn release(&self, release: Release) -> BoxFuture<'static, Result<()>> {
        self.answer(&[], |tables| {
            tables.release(release);
            Ok(())
        })
    }

    fn newer(&self, held: Vec<Held>) -> BoxFuture<'_, Result<Vec<Held>>> {
        self.answer(&[], |tables| Ok(tables.newer(held)))
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<u64>> {
        self.answer(&[], |tables| Ok(tables.runs.values().filter(|row| row.summary.status.is_running()).count() as u64))
    }

    fn owned(&self, host: HostId) -> BoxFuture<'_, Result<Vec<String>>> {
        self.answer(&[], |tables| Ok(tables.owned(host)))
    }

    fn next_due(&self) -> BoxFuture<'_, Result<Wake>> {
        self.answer(&[], |tables| Ok(tables.next_due()))
    }

    fn load(&self, key: RunKey) -> BoxFuture<'_, Result<Stored>> {
        self.answer(&[], |tables| {
            let Past { snapshot, entries, .. } = tables.past(key, Some(u64::MAX), 0);
            Ok(Stored { snapshot, entries })
        })
    }

    fn load_at(&self, key: RunKey, after: Option<u64>, limit: usize) -> BoxFuture<'_, Result<Past>> {
        self.answer(&[], |tables| Ok(tables.past(key, after, limit)))
    }

    fn journal(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<EntryRow>>> {
        self.answer(&[], |tables| Ok(tables.runs.get(&key).map(|row| row.journal.clone()).unwrap_or_default()))
    }

    fn final_state(&self, key: RunKey) -> BoxFuture<'_, Result<Option<Bytes>>> {
        self.answer(&[], |tables| Ok(tables.runs.get(&key).and_then(|row| row.state.clone())))
    }

    fn watch(&self, run: &str) -> watch::Receiver<u64> {
        self.watchers.watch(run)
    }

    fn send_command(&self, run: &str, command: Vec<u8>) -> BoxFuture<'static, Result<CommandId>> {
        let sent = self.tables().send_command(run, command);
        if sent.is_ok() {
            self.watchers.tell_of_command(run);
        }
        ready(sent).boxed()
    }

    fn commands(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<SentCommand>>> {
        self.answer(&[], |tables| Ok(tables.commands_of(key)))
    }

    fn commanded(&self, host: HostId) -> BoxFuture<'_, Result<Vec<String>>> {
        self.answer(&[], |tables| Ok(tables.commanded(host)))
    }

    fn watch_commands(&self) -> watch::Receiver<u64> {
        self.watchers.watch_commands()
    }

    fn answer_command(&self, command: CommandId, answer: Vec<u8>) -> BoxFuture<'static, Result<()>> {
        let run = self.tables().answer_command(command, answer);
        self.tell(run.as_slice());
        ready(Ok(())).boxed()
    }

    fn take_answer(&self, command: CommandId) -> BoxFuture<'static, Result<Option<Vec<u8>>>> {
        self.answer(&[], |tables| tables.take_answer(command))
    }

    fn withdraw_command(&self, command: CommandId) -> BoxFuture<'static, Result<Option<Vec<u8>>>> {
        self.answer(&[], |tables| tables.withdraw_command(command))
    }

    fn run(&self, run: &str) -> BoxFuture<'_, Result<Option<RunSummary>>> {
        self.answer(&[], |tables| Ok(tables.run(run).map(|row| row.summary.clone())))
    }

    fn handler(&self, handler: &str) -> BoxFuture<'_, Result<Option<RunSummary>>> {
        self.answer(&[], |tables| Ok(tables.newest(handler).cloned()))
    }

    fn handlers(&self, query: HandlersQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>> {
        self.answer(&[], |tables| Ok(lists::handlers(tables, &query)))
    }

    fn runs(&self, query: RunsFilter) -> BoxFuture<'_, Result<RunsPage>> {
        self.answer(&[], |tables| Ok(lists::runs(tables, &query)))
    }

    fn workflows(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        self.answer(&[], |tables| Ok(lists::workflows(tables)))
    }

    fn frames(&self, run: &str, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<FrameRow>>> {
        self.answer(&[], |tables| {
            let frames = tables.run(run).map_or(&[][..], |row| &row.frames);
            let first = frames.partition_point(|frame| i64::try_from(frame.sequence).is_ok_and(|sequence| sequence <= after));
            let mut size = 0;
            let fits = |frame: &&FrameRow| {
                size < READ_BYTES_MAX && {
                    size += frame.json.len();
                    true
                }
            };
            Ok(frames[first..].iter().take(limit).take_while(fits).cloned().collect())
        })
    }

    fn last_sequence(&self, run: &str) -> BoxFuture<'_, Result<i64>> {
        self.answer(&[], |tables| Ok(tables.run(run).and_then(|row| row.frames.last()).map_or(-1, |frame| frame.sequence as i64)))
    }

    fn logs(&self, run: &str) -> BoxFuture<'_, Result<Vec<LogRow>>> {
        self.answer(&[], |tables| Ok(tables.run(run).map(|row| row.lines.rows()).unwrap_or_default()))
    }

    fn written(&self, run: &str, after: u64, limit: usize) -> BoxFuture<'_, Result<Written>> {
        self.answer(&[], |tables| Ok(tables.run(run).map(|row| row.lines.written(after, limit)).unwrap_or_default()))
    }

    fn idempotency(&self, scope: &str, key: &str) -> BoxFuture<'_, Result<Option<IdempotencyRow>>> {
        self.answer(&[], |tables| Ok(tables.idempotency.get(&(scope.to_owned(), key.to_owned())).map(|(row, _)| row.clone())))
    }

    fn made(&self, scope: &str) -> BoxFuture<'_, Result<Vec<String>>> {
        self.answer(&[], |tables| Ok(lists::made(tables, scope)))
    }

    fn purge(&self, handler: &str, running_too: bool) -> BoxFuture<'static, Result<Purged>> {
        let purged = self.tables().purge(handler, running_too);
        if let Ok(purged) = &purged {
            self.tell(&purged.runs);
        }
        ready(purged).boxed()
    }

    fn over(&self, workflow: &str, after: Option<Finished>, limit: usize, _sized: bool) -> BoxFuture<'_, Result<Vec<Finished>>> {
        self.answer(&[], |tables| Ok(tables.over(workflow, after, limit)))
    }

    fn expire(&self, expiry: Expiry) -> BoxFuture<'static, Result<usize>> {
        let (handlers, purged) = self.tables().expire(&expiry);
        self.tell(&purged.runs);
        ready(Ok(handlers)).boxed()
    }

    fn drop_components(&self, keep: Vec<String>) -> BoxFuture<'static, Result<usize>> {
        self.answer(&[], |tables| Ok(tables.drop_components(&keep)))
    }

    fn put_component(&self, digest: &str, bytes: Bytes, manifest: String) -> BoxFuture<'static, Result<()>> {
        self.answer(&[], |tables| {
            tables.components.insert(digest.to_owned(), (bytes, manifest));
            Ok(())
        })
    }

    fn manifest(&self, digest: &str) -> BoxFuture<'_, Result<Option<String>>> {
        self.answer(&[], |tables| Ok(tables.components.get(digest).map(|(_, manifest)| manifest.clone())))
    }

    fn component(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>>> {
        self.answer(&[], |tables| Ok(tables.components.get(digest).map(|(bytes, _)| bytes.clone())))
    }
}
