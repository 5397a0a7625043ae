//! The host: what the outside can ask of it. HTTP and the command line both stand on this.

mod retention;
mod runs;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::BoxStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use wf_engine::entry::Started;

use crate::alarms::Alarms;
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Frame, Refusal, Workflow};
use crate::registry::{Change, Listing, Loaded, Registry, Rejected, Source};
use crate::runtime::{RunInfo, Runtime};
use crate::store::Store;
use crate::tail::{self, Tails};
use crate::worker::{self, Command, Commands, Fresh};

/// How often the store's clock is saved: a crash loses at most this much of it.
const CLOCK_SAVED_EVERY: Duration = Duration::from_millis(500);
/// Runs that are read from the store at once.
const LOADING_MAX: usize = 64;

/// The host. Cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) runtime: Runtime,
    pub(crate) registry: Registry,
    pub(crate) clock: Clock,
    pub(crate) tails: Tails,
    /// The runs in memory. Locked for as long as a command is sent, so that none is sent to a
    /// worker that has just left.
    active: Mutex<HashMap<String, Active>>,
    pub(crate) loading: Semaphore,
    pub(crate) alarms: Alarms,
    healthy: AtomicBool,
    /// The runs that the host before this one left without a graceful stop, until they are loaded.
    crashed: Mutex<HashSet<String>>,
    /// The runs whose journals do not fit, and of which that was said.
    unfit: Mutex<HashSet<String>>,
}

struct Active {
    commands: mpsc::UnboundedSender<Command>,
    task: JoinHandle<()>,
}

impl Host {
    /// Opens a host on a store. Its runs go on once [`Host::resume`] is called.
    pub async fn open(store: Arc<dyn Store>, runtime: Runtime, config: Config) -> Result<Host, crate::store::Error> {
        let clock = Clock::new(store.alive().await?);
        let crashed = if store.take_planned().await? { Vec::new() } else { store.unfinished().await? };
        let inner = Arc::new(Inner {
            store,
            runtime,
            registry: Registry::new(config.clone()),
            clock,
            tails: Tails::default(),
            active: Mutex::default(),
            loading: Semaphore::new(LOADING_MAX),
            alarms: Alarms::default(),
            healthy: AtomicBool::new(false),
            crashed: Mutex::new(crashed.into_iter().collect()),
            unfit: Mutex::default(),
        });
        tokio::spawn(save_clock(Arc::downgrade(&inner)));
        tokio::spawn(wake(inner.clone()));
        tokio::spawn(retention::keep(Arc::downgrade(&inner), config));
        Ok(Host(inner))
    }

    /// Loads a file and registers what is in it: new runs get it from here on.
    pub async fn load(&self, source: &Source) -> Result<(Arc<Workflow>, Change), Rejected> {
        self.0.registry.load(source, self.0.clock.at(), &self.0.runtime, &*self.0.store).await
    }

    /// Notes why there is no newer version of a file's workflow; the one before goes on.
    pub fn reject(&self, source: &Source, rejected: Rejected) {
        self.0.registry.reject(source, self.0.clock.at(), rejected);
    }

    /// Takes a file's workflow away: its runs finish, new ones are not started.
    pub fn retire(&self, source: &Source) -> Option<Arc<Workflow>> {
        self.0.registry.retire(source)
    }

    /// The files that were loaded, with what became of them, in order of registration.
    pub fn listings(&self) -> Vec<Listing> {
        self.0.registry.listings()
    }

    /// Lets every unfinished run go on, and accepts requests from here on. Says how many.
    pub async fn resume(&self) -> Result<usize, crate::store::Error> {
        let unfinished = self.0.store.unfinished().await?;
        self.0.healthy.store(true, Ordering::Release);
        for run in &unfinished {
            let _ = self.0.tell(run, Command::Wake);
        }
        Ok(unfinished.len())
    }

    /// Stops gracefully: no more requests, every run at a durable point, every stream ended.
    pub async fn stop(&self) {
        self.0.healthy.store(false, Ordering::Release);
        let active: Vec<Active> = self.0.active.lock().expect("no panic while locked").drain().map(|it| it.1).collect();
        for run in &active {
            let _ = run.commands.send(Command::Stop);
        }
        for run in active {
            if let Err(error) = run.task.await {
                tracing::error!("a worker ended badly: {error}");
            }
        }
        self.0.tails.close();
        let saved = self.0.store.save_alive(self.0.clock.alive()).await;
        let marked = self.0.store.mark_planned().await;
        if let Err(error) = saved.and(marked) {
            tracing::warn!("the graceful stop could not be recorded: {error}");
        }
    }

    /// Whether it accepts requests: not while starting or stopping.
    pub fn is_healthy(&self) -> bool {
        self.0.healthy.load(Ordering::Acquire)
    }

    /// The workflows, in order of registration.
    pub fn workflows(&self) -> Vec<Arc<Workflow>> {
        self.0.registry.workflows()
    }

    /// The workflow of that name.
    pub fn workflow(&self, name: &str) -> Option<Arc<Workflow>> {
        self.0.registry.workflow(name)
    }

    /// The number of the last durable frame of a run; -1 for none.
    pub async fn last_sequence(&self, run: &str) -> Result<i64, Refusal> {
        Ok(self.0.store.last_sequence(run).await?)
    }

    /// Durable frames after a sequence (-1: from the beginning), then live, in batches; ends
    /// after the terminal frame, and without one at a graceful stop.
    pub fn frames(&self, run: &str, after: i64) -> BoxStream<'static, Vec<Frame>> {
        tail::frames(self.0.store.clone(), self.0.tails.of(run), run, after)
    }
}

impl Inner {
    /// Sends a command to a run's worker; loads the run when it is not in memory.
    pub(crate) fn tell(self: &Arc<Self>, run: &str, command: Command) -> Result<(), Refusal> {
        let mut active = self.active.lock().expect("no panic while locked");
        if !self.healthy.load(Ordering::Acquire) {
            return Err(Refusal::stopping());
        }
        // Where the worker is dead, a defect has killed it: the run starts again from its journal.
        let entry = active.entry(run.to_owned()).and_modify(|it| {
            if it.commands.is_closed() {
                *it = self.spawn(run, None);
            }
        });
        let sent = entry.or_insert_with(|| self.spawn(run, None)).commands.send(command);
        sent.map_err(|_| Refusal::Unavailable(format!("run `{run}` could not be loaded")))
    }

    /// Gives a run that was just created its worker.
    pub(crate) fn adopt(self: &Arc<Self>, fresh: Fresh) {
        let run = fresh.info.run.clone();
        let mut active = self.active.lock().expect("no panic while locked");
        // Where the host stops meanwhile, the run is durable and goes on after the restart.
        if self.healthy.load(Ordering::Acquire) {
            active.insert(run.clone(), self.spawn(&run, Some(fresh)));
        }
    }

    fn spawn(self: &Arc<Self>, run: &str, fresh: Option<Fresh>) -> Active {
        self.alarms.clear(run);
        let (commands, receiver) = mpsc::unbounded_channel();
        let task = tokio::spawn(worker::drive(self.clone(), run.to_owned(), fresh, receiver));
        Active { commands, task }
    }

    /// Lets a worker leave memory until a command comes or the time is up; not when it has been
    /// told something meanwhile.
    pub(crate) fn park(&self, run: &str, commands: &Commands, wake_in: Option<Duration>) -> bool {
        let mut active = self.active.lock().expect("no panic while locked");
        if !commands.is_empty() || active.remove(run).is_none() {
            return false;
        }
        if let Some(wake_in) = wake_in {
            self.alarms.set(run, tokio::time::Instant::now() + wake_in);
        }
        true
    }

    /// Forgets a worker that leaves.
    pub(crate) fn forget(&self, run: &str) {
        self.active.lock().expect("no panic while locked").remove(run);
    }

    /// Whether a run has its worker in memory.
    pub(crate) fn is_active(&self, run: &str) -> bool {
        self.active.lock().expect("no panic while locked").contains_key(run)
    }

    /// Whether a run that is being loaded was left on purpose: parked, or at a graceful stop.
    pub(crate) fn left_planned(&self, run: &str) -> bool {
        !self.crashed.lock().expect("no panic while locked").remove(run)
    }

    /// Takes note that a run's journal does not fit. Whether that is new.
    pub(crate) fn note_unfit(&self, run: &str) -> bool {
        self.unfit.lock().expect("no panic while locked").insert(run.to_owned())
    }

    pub(crate) fn info(started: &Started) -> Arc<RunInfo> {
        Arc::new(RunInfo {
            run: started.run.clone(),
            handler: started.handler.clone(),
            workflow: started.workflow.clone(),
            seed: started.seed_bytes(),
        })
    }

    /// The workflow as a run holds it.
    pub(crate) async fn pinned(&self, started: &Started) -> Result<Loaded, Refusal> {
        if let Some(current) = self.registry.loaded(&started.workflow)
            && current.workflow.definition.parts() == started.definition
        {
            return Ok(current);
        }
        let pinned = self.registry.pinned(started, &self.runtime, &*self.store).await;
        pinned.map_err(|error| Refusal::Unavailable(format!("run `{}` cannot be loaded: {error:#}", started.run)))
    }
}

async fn save_clock(inner: std::sync::Weak<Inner>) {
    loop {
        tokio::time::sleep(CLOCK_SAVED_EVERY).await;
        let Some(inner) = inner.upgrade() else { return };
        if let Err(error) = inner.store.save_alive(inner.clock.alive()).await {
            tracing::warn!("the store's clock could not be saved: {error}");
        }
    }
}

async fn wake(inner: Arc<Inner>) {
    loop {
        let run = inner.alarms.next().await;
        // While the host stops nothing is woken: the run goes on after the restart.
        let _ = inner.tell(&run, Command::Wake);
    }
}

/// A new identifier: ten characters of `[0-9A-Za-z]`.
pub(crate) fn new_id() -> String {
    use rand::RngExt;
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(10).map(char::from).collect()
}
