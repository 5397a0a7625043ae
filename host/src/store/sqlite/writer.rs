//! The one thread that writes. Whatever has come meanwhile goes into the next transaction, so
//! that many runs share one sync of the disk.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::{Error, Result};

/// How long a write that nobody waits for may wait for company.
const LINGER_MAX: Duration = Duration::from_millis(5);

/// Makes a change inside the transaction; what it gives is told how the commit went.
type Job = Box<dyn FnOnce(&Connection) -> Done + Send>;
type Done = Box<dyn FnOnce(Result<()>) + Send>;

pub(super) struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Default)]
struct Pending {
    jobs: Vec<Job>,
    /// When the first of them came.
    since: Option<Instant>,
    /// Somebody waits.
    waited: bool,
    closed: bool,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Writer> {
        let queue = Arc::new(Queue::default());
        let work = {
            let queue = queue.clone();
            move || {
                while let Some(jobs) = queue.take() {
                    commit(&connection, jobs);
                }
            }
        };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(work);
        let thread = thread.map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Writer { queue, thread: Some(thread) })
    }

    /// Queues a change, in the order of calls. It is durable when the future resolves with its
    /// answer; where it refuses, none of it is stored. `waited`: somebody waits for it.
    pub(super) fn write<T: Send + 'static>(
        &self,
        waited: bool,
        change: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> BoxFuture<'static, Result<T>> {
        let (sender, receiver) = oneshot::channel();
        self.queue.push(
            waited,
            Box::new(move |connection| {
                let result = savepoint(connection, change);
                // Nobody may be left to hear it; the change stands all the same.
                Box::new(move |committed| drop(sender.send(committed.and(result))))
            }),
        );
        async move { receiver.await.unwrap_or_else(|_| Err(Error::Unavailable("the store is closed".to_owned()))) }.boxed()
    }
}

impl Drop for Writer {
    /// Everything queued is written before it ends.
    fn drop(&mut self) {
        self.queue.pending.lock().expect("no panic while locked").closed = true;
        self.queue.changed.notify_one();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the store's writer ended badly");
        }
    }
}

impl Queue {
    fn push(&self, waited: bool, job: Job) {
        let mut pending = self.pending.lock().expect("no panic while locked");
        pending.jobs.push(job);
        pending.since.get_or_insert_with(Instant::now);
        pending.waited |= waited;
        drop(pending);
        self.changed.notify_one();
    }

    /// The next group; none when the store is closed and nothing is left.
    fn take(&self) -> Option<Vec<Job>> {
        let mut pending = self.pending.lock().expect("no panic while locked");
        loop {
            let left = pending.since.map(|since| LINGER_MAX.saturating_sub(since.elapsed()));
            pending = match left {
                Some(left) if pending.waited || pending.closed || left.is_zero() => break,
                Some(left) => self.changed.wait_timeout(pending, left).expect("no panic while locked").0,
                None if pending.closed => return None,
                None => self.changed.wait(pending).expect("no panic while locked"),
            };
        }
        pending.since = None;
        pending.waited = false;
        Some(std::mem::take(&mut pending.jobs))
    }
}

/// One transaction for a group. A change that refuses drops out of it alone; a commit that
/// fails fails them all.
fn commit(connection: &Connection, jobs: Vec<Job>) {
    let begun = connection.execute_batch("begin immediate").map_err(Error::from);
    let done: Vec<Done> = jobs.into_iter().map(|job| job(connection)).collect();
    let committed = begun.and_then(|()| {
        // A full disk makes SQLite roll the whole transaction back by itself.
        if connection.is_autocommit() {
            return Err(Error::Unavailable("the transaction was rolled back; the disk may be full".to_owned()));
        }
        connection.execute_batch("commit").map_err(Error::from)
    });
    if committed.is_err() && !connection.is_autocommit() && connection.execute_batch("rollback").is_err() {
        tracing::error!("a failed transaction could not be rolled back");
    }
    for done in done {
        done(committed.clone());
    }
}

fn savepoint<T>(connection: &Connection, change: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    // Without a transaction a savepoint would commit by itself.
    if connection.is_autocommit() {
        return Err(Error::Unavailable("no transaction could be begun".to_owned()));
    }
    connection.execute_batch("savepoint change")?;
    let result = change(connection);
    if !connection.is_autocommit() {
        let end = if result.is_ok() { "release change" } else { "rollback to change; release change" };
        connection.execute_batch(end)?;
    }
    result
}
