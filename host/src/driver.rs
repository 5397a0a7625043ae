//! The shell around the [machine](crate::machine): carries out what it says, and tells it what has happened.
//!
//! A worker is a task of its own, and so is each load; a claim loop looks after what is due. When
//! the store is looked at is decided here, and nothing else.

mod claims;
mod guests;
mod lease;
mod letters;
mod load;
mod task;
mod waiter;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wf_engine::entry::Micros;

use crate::machine::{Action, Answer, Command, Exit, Fresh, FreshFork, Identity, Owners, WaiterId, Worker};
use crate::model::Refusal;
use crate::registry::Loaded;
use crate::services::Services;
use crate::store::{self, Claim, Release, RunKey, TURNS_MAX, Wake};
pub(crate) use guests::{Guests, row};
use task::Task;
pub(crate) use waiter::Waiter;

/// Runs that are read from the store at once.
const LOADING_MAX: usize = 64;
/// What all runs together may have on its way to the store, in KiB, entries, frames and lines of logs: beyond it, who
/// produces waits. What else waits for the writer is small, or a request that waits with it.
const UNDER_WAY_MAX: usize = 64 << 10;

pub(crate) type Reply = oneshot::Sender<Answer>;

/// Drives the runs of a host. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Driver(Arc<Inner>);

struct Inner {
    services: Arc<Services>,
    table: Mutex<Table>,
    loading: Semaphore,
    under_way: Arc<Semaphore>,
    tasks: TaskTracker,
    stopping: CancellationToken,
    /// Something may be due earlier than the claim loop thinks.
    earlier: Notify,
}

#[derive(Default)]
struct Table {
    owners: Owners<Reply>,
    /// What wakes the workers' tasks.
    bells: HashMap<Identity, Arc<Notify>>,
}

impl Driver {
    /// From here on the host's lease is kept.
    pub fn new(services: Arc<Services>) -> Driver {
        let inner = Arc::new(Inner {
            services,
            table: Mutex::default(),
            loading: Semaphore::new(LOADING_MAX),
            under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            earlier: Notify::new(),
        });
        tokio::spawn(lease::keep(Arc::downgrade(&inner)));
        Driver(inner)
    }

    /// Accepts from here on, and takes in what is due.
    pub fn open(&self) {
        self.table().owners.open();
        self.0.tasks.spawn(claims::keep(self.clone()));
    }

    /// Whether it accepts: not while starting or stopping.
    pub fn is_open(&self) -> bool {
        self.table().owners.is_open()
    }

    /// Begins a run. `reply`: told once it is durable.
    pub fn begin(&self, loaded: Loaded, fresh: Fresh, reply: Reply) {
        let run = fresh.started.run.clone();
        let begun = self.table().begin(&run, fresh.key, None);
        match begun {
            Ok((identity, _, bell)) => self.begin_worker(run, identity, bell, loaded, fresh, Some(reply)),
            Err(refusal) => tell(reply, Err(refusal)),
        }
    }

    /// Begins a fork. `reply`: told once it is durable.
    pub fn begin_fork(&self, loaded: Loaded, fork: FreshFork, reply: Reply) {
        let run = fork.forked.run.clone();
        let (identity, bell) = match self.table().begin(&run, fork.key, None) {
            Ok((identity, _, bell)) => (identity, bell),
            Err(refusal) => return tell(reply, Err(refusal)),
        };
        let now = self.0.services.now();
        match std::panic::catch_unwind(AssertUnwindSafe(|| Worker::begin_fork(fork, now, reply))) {
            Ok(Ok((worker, outputs))) => self.drive(Task::new(self.clone(), run, identity, loaded, worker, bell), outputs),
            Ok(Err((refusal, reply))) => {
                let exit = Exit::Refused(refusal.clone());
                let actions = self.table().leave(self.0.services.clock.alive(), &run, identity, &exit);
                self.act(actions);
                tell(reply, Err(refusal));
            }
            Err(_) => self.lost(&run, identity),
        }
    }

    /// Begins a run, and lets the caller wait for its end.
    pub fn begin_to_end(&self, loaded: Loaded, fresh: Fresh) -> Result<Waiter, Refusal> {
        let run = fresh.started.run.clone();
        let (reply, answer) = oneshot::channel();
        let (identity, id, bell) = self.table().begin(&run, fresh.key, Some(reply))?;
        let id = id.ok_or_else(Refusal::stopping)?;
        self.begin_worker(run.clone(), identity, bell, loaded, fresh, None);
        Ok(Waiter::new(self, &run, id, answer))
    }

    fn begin_worker(&self, run: String, identity: Identity, bell: Arc<Notify>, loaded: Loaded, fresh: Fresh, reply: Option<Reply>) {
        let now = self.0.services.now();
        match std::panic::catch_unwind(AssertUnwindSafe(|| Worker::begin(fresh, now, reply))) {
            Ok((worker, outputs)) => self.drive(Task::new(self.clone(), run, identity, loaded, worker, bell), outputs),
            Err(_) => self.lost(&run, identity),
        }
    }

    /// Tells a run something.
    pub fn tell(&self, run: &str, command: Command<Reply>) {
        let action = self.table().owners.tell(run, command);
        self.act(action);
    }

    /// Waits for a run's end, as long as the waiter is kept.
    pub fn wait(&self, run: &str) -> Result<Waiter, Refusal> {
        let (reply, answer) = oneshot::channel();
        let id = {
            let mut table = self.table();
            if !table.owners.is_open() {
                return Err(Refusal::stopping());
            }
            if let Some(refusal) = table.owners.unfit(run) {
                return Err(refusal.clone());
            }
            table.owners.wait(run, reply)
        };
        Ok(Waiter::new(self, run, id, answer))
    }

    /// Whether a run is here: has a worker, or is on the way to one, or is known to be unfit.
    pub fn has(&self, run: &str) -> bool {
        self.table().owners.has(run)
    }

    /// Takes note of runs that were deleted.
    pub fn purged(&self, runs: &[String]) {
        runs.iter().for_each(|run| self.0.services.tails.end(run));
        let actions = self.table().owners.purged(runs);
        self.act(actions);
    }

    /// Stops gracefully: every run at a durable point, everybody who waits told.
    pub async fn stop(&self) {
        let actions = self.table().owners.stop();
        self.0.stopping.cancel();
        self.act(actions);
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic in the machine itself leaves it as it was between two inputs.
        self.0.table.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn act(&self, actions: impl IntoIterator<Item = Action<Reply>>) {
        for action in actions {
            match action {
                Action::Load { run, identity, claim } => self.load(run, identity, claim),
                Action::Notify(identity) => {
                    if let Some(bell) = self.table().bells.get(&identity) {
                        bell.notify_one();
                    }
                }
                Action::Release(claim) => {
                    let wake = Wake { at: Some(0), alive: None };
                    self.release(Release { run: claim.key, generation: claim.generation, wake });
                }
                Action::Forward(run, command) => self.forward(run, command),
                Action::Refuse(run, refusal) => self.refuse(run, refusal),
                Action::Tell(reply, answer) => tell(reply, answer),
            }
        }
    }

    /// Drives a worker to its end in a task of its own.
    fn drive(&self, task: Box<Task>, outputs: Vec<task::Output>) {
        let (driver, run, identity, bell) = (self.clone(), task.run.clone(), task.identity, task.bell.clone());
        self.0.tasks.spawn(async move {
            let driven = AssertUnwindSafe(task.drive(outputs)).catch_unwind().await;
            {
                let mut table = driver.table();
                // One that was loaded in its place has a bell of its own.
                if table.bells.get(&identity).is_some_and(|it| Arc::ptr_eq(it, &bell)) {
                    table.bells.remove(&identity);
                }
            }
            if driven.is_err() {
                driver.lost(&run, identity);
            }
        });
    }

    /// Loads a run in a task of its own.
    fn load(&self, run: String, identity: Identity, claim: Option<Claim>) {
        let driver = self.clone();
        self.0.tasks.spawn(async move {
            let loaded = AssertUnwindSafe(load::load(&driver, &run, identity, claim)).catch_unwind().await;
            if loaded.is_err() {
                driver.lost(&run, identity);
            }
        });
    }

    /// A defect has ended what had a run: it is loaded again.
    fn lost(&self, run: &str, identity: Identity) {
        tracing::error!(run.id = run, "a defect of wf-host ended the worker of run `{run}`; it is loaded again");
        let actions = self.table().owners.lost(self.0.services.clock.alive(), run, identity);
        self.act(actions);
        self.0.earlier.notify_one();
    }

    /// A run of a workflow has ended, of which only so many go on at once: whoever queues longest gets its turn.
    fn give_turns(&self, workflow: String) {
        let driver = self.clone();
        self.0.tasks.spawn(async move {
            match driver.turns(&workflow).await {
                Ok(0) => (),
                Ok(_) => driver.0.earlier.notify_one(),
                // It is looked at again.
                Err(error) => tracing::warn!(workflow, "runs of `{workflow}` that queue do not get their turn yet: {error}"),
            }
        });
    }

    /// Gives all turns that there are, in steps: others can write between them. Says how many.
    async fn turns(&self, workflow: &str) -> store::Result<usize> {
        let services = &self.0.services;
        let mut given = 0;
        loop {
            let some = services.store.give_turns(workflow, services.registry.limits(workflow).runs_max, services.now()).await?;
            given += some;
            if some < TURNS_MAX {
                return Ok(given);
            }
        }
    }

    /// Leaves a run to others.
    fn release(&self, release: Release) {
        let (driver, released) = (self.clone(), self.0.services.store.release(release));
        self.0.tasks.spawn(async move {
            let is_soon = driver.0.services.clock.until(release.wake).is_some_and(|due| due < claims::LOOK_EVERY);
            match released.await {
                Ok(()) if is_soon => driver.0.earlier.notify_one(),
                Ok(()) => (),
                Err(error) => {
                    tracing::warn!("a run could not be left: {error}");
                    driver.table().owners.lose_sight();
                }
            }
        });
    }
}

impl Table {
    fn begin(&mut self, run: &str, key: RunKey, waiter: Option<Reply>) -> Result<(Identity, Option<WaiterId>, Arc<Notify>), Refusal> {
        let (identity, waiter) = self.owners.begin(run, key, waiter).map_err(|(refusal, _)| refusal)?;
        Ok((identity, waiter, self.bell(identity)))
    }

    /// Gives up the place of a run that never came to be.
    fn leave(&mut self, now: Micros, run: &str, identity: Identity, exit: &Exit) -> Vec<Action<Reply>> {
        self.bells.remove(&identity);
        self.owners.leave(now, run, identity, exit).unwrap_or_default()
    }

    /// What wakes a worker that takes a place now.
    fn bell(&mut self, identity: Identity) -> Arc<Notify> {
        let bell = Arc::new(Notify::new());
        self.bells.insert(identity, bell.clone());
        bell
    }
}

/// What somebody is told; where nobody is left to tell it, that the server cannot say.
pub(crate) async fn told(answer: &mut oneshot::Receiver<Answer>) -> Answer {
    answer.await.unwrap_or_else(|_| Err(Refusal::Unavailable("whoever had the run is gone; ask again".to_owned())))
}

/// A client that went away needs no answer.
fn tell(reply: Reply, answer: Answer) {
    let _ = reply.send(answer);
}
