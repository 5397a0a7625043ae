//! The one thread that writes. Whatever has come meanwhile goes into the next transaction, so
//! that many runs share one sync of the disk.
//!
//! There are no savepoints: a change reads before it writes, so that one which is refused has
//! written nothing. Where a statement fails all the same, or a change panics, its group is rolled
//! back and made again without it. Where the disk fails, the whole group does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use futures_util::future::{BoxFuture, FutureExt};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::change::{Change, Failure, transaction};
use super::queue::{Job, Queue};
use super::tidy::Tidy;
use crate::store::{Error, Result};

pub(super) struct Writer {
    queue: Arc<Queue>,
    health: Arc<Health>,
    thread: Option<JoinHandle<()>>,
}

/// Why the last commit failed, or why there will be no more of them.
#[derive(Default)]
struct Health(Mutex<Option<Error>>);

impl Health {
    fn set(&self, to: Option<Error>) {
        *self.0.lock().expect("no panic while locked") = to;
    }
}

/// However the thread ends, nobody goes on waiting for it.
struct LastWord {
    queue: Arc<Queue>,
    health: Arc<Health>,
}

impl Drop for LastWord {
    fn drop(&mut self) {
        self.health.set(Some(gone()));
        self.queue.abandon();
    }
}

fn gone() -> Error {
    Error::Unavailable("its writer has ended".to_owned())
}

fn behind() -> Error {
    Error::Unavailable("its disk is far behind".to_owned())
}

fn defect() -> Error {
    Error::Unavailable("a change was given up: a defect of wf-host".to_owned())
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Writer> {
        let (queue, health) = (Arc::new(Queue::default()), Arc::new(Health::default()));
        let work = {
            let last_word = LastWord { queue: queue.clone(), health: health.clone() };
            move || work(&connection, &last_word.queue, &last_word.health)
        };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(work);
        let thread = thread.map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Writer { queue, health, thread: Some(thread) })
    }

    pub(super) fn health(&self) -> Result<()> {
        self.health.0.lock().expect("no panic while locked").clone().map_or(Ok(()), Err)
    }

    /// As [`Writer::write`], of what somebody outside begins: refused while the disk is far behind.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        size: usize,
        waited: bool,
        change: impl Fn(&Connection) -> Change<T> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> BoxFuture<'static, Result<T>> {
        if self.queue.is_full() {
            return std::future::ready(Err(behind())).boxed();
        }
        self.write(size, waited, change, then)
    }

    /// Queues a change of so many bytes, in the order of calls. It is durable when the future
    /// resolves with its answer, and `then` has seen it; where it is refused, none of it is stored.
    /// `waited`: somebody waits for it.
    pub(super) fn write<T: Send + 'static>(
        &self,
        size: usize,
        waited: bool,
        change: impl Fn(&Connection) -> Change<T> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> BoxFuture<'static, Result<T>> {
        let (sender, receiver) = oneshot::channel();
        let answer = Arc::new(Mutex::new(None));
        let made = answer.clone();
        let make = move |connection: &Connection| {
            let answer = match change(connection) {
                Ok(answer) => Ok(answer),
                Err(Failure::Refused(error)) => Err(error),
                Err(failure) => return Err(failure),
            };
            *made.lock().expect("no panic while locked") = Some(answer);
            Ok(())
        };
        let tell = move |committed: Result<()>| {
            let answer = answer.lock().expect("no panic while locked").take();
            let answer = committed.and_then(|()| answer.unwrap_or_else(|| Err(gone())));
            if let Ok(answer) = &answer {
                then(answer);
            }
            // Nobody may be left to hear it; the change stands all the same.
            drop(sender.send(answer));
        };
        self.queue.push(Job::new(size, waited, Box::new(make), Box::new(tell)));
        async move { receiver.await.unwrap_or_else(|_| Err(gone())) }.boxed()
    }
}

impl Drop for Writer {
    /// Everything queued is written before it ends.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the store's writer ended badly");
        }
    }
}

fn work(connection: &Connection, queue: &Queue, health: &Health) {
    let mut tidy = Tidy::default();
    while let Some(group) = queue.take(tidy.wait()) {
        if group.is_empty() {
            tidy.step(connection);
            continue;
        }
        write(connection, health, group);
        tidy.after_a_group(connection);
    }
}

/// Makes the changes of a group, in their order: in one transaction, unless one of them is broken.
fn write(connection: &Connection, health: &Health, mut group: Vec<Job>) {
    let mut count = group.len();
    while count > 0 {
        let before = connection.total_changes();
        let (committed, broken) = commit(connection, &group[..count]);
        match broken {
            // It was the first, and so fails alone.
            Some(0) => count = 1,
            // Those before it are made again, without it.
            Some(place) => {
                count = place;
                continue;
            }
            None if committed.is_err() => count = group.len(),
            None => (),
        }
        match &committed {
            Err(error) => health.set(Some(error.clone())),
            // One that changed nothing has tried nothing.
            Ok(()) if connection.total_changes() > before => health.set(None),
            Ok(()) => (),
        }
        group.drain(..count).for_each(|job| (job.tell)(committed.clone()));
        count = group.len();
    }
}

/// One transaction for changes: all of them, or nothing. Says which one is broken, too.
fn commit(connection: &Connection, jobs: &[Job]) -> (Result<()>, Option<usize>) {
    let mut broken = None;
    let make = |(place, job): (usize, &Job)| {
        let made = catch_unwind(AssertUnwindSafe(|| (job.make)(connection)));
        made.unwrap_or_else(|_| Err(Failure::Broken(defect()))).map_err(|failure| match failure {
            Failure::Broken(error) => {
                broken = Some(place);
                error
            }
            Failure::Outage(error) | Failure::Refused(error) => error,
        })
    };
    let committed = transaction(connection, || jobs.iter().enumerate().try_for_each(make));
    (committed, broken)
}
