//! The host: what the outside can ask of it. HTTP and the command line both stand on this.

mod retention;
mod runs;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use wf_engine::definition::Definition;
use wf_engine::entry::{Event, InvocationId, Micros, Started};
use wf_engine::journal::Misfit;
use wf_engine::json::Json;
use wf_engine::manifest::{EventKind, EventType, StepManifest};
use wf_engine::run::{self, INBOX_BYTES_MAX, INBOX_EVENTS_MAX};

use crate::alarms::Alarms;
use crate::clock::Clock;
use crate::config::Config;
use crate::registry::{Change, Listing, Registry, Rejected, Source};
use crate::runtime::{Component, Limits, RunInfo, Runtime};
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

/// A registered workflow: a name, and the definition that new runs get.
pub struct Workflow {
    /// The name in URLs.
    pub name: String,
    /// What new runs are pinned to.
    pub definition: Arc<Definition>,
    /// Names of the additional event types, the manifest's and the configured ones.
    pub additional_events: Vec<String>,
    /// The definition's components, in its order.
    pub components: Vec<Arc<Component>>,
    /// What its guests may use.
    pub limits: Arc<Limits>,
}

/// The types that a step may return beside those it names, where it says so: each that is declared
/// and no answer from outside, and a plain stop event.
pub(crate) fn unnamed_types<'a>(definition: &'a Definition, step: &StepManifest) -> Vec<&'a str> {
    if !step.emits_any {
        return Vec::new();
    }
    let returned = |event: &&EventType| matches!(event.kind, EventKind::Plain | EventKind::InputRequired | EventKind::Stop);
    let declared = definition.event_types().filter(returned).map(|it| it.name.as_str());
    let stop = ["StopEvent"].into_iter().filter(|name| !definition.is_declared(name));
    let named: HashSet<&str> = step.emits.iter().map(String::as_str).collect();
    declared.chain(stop).filter(|name| !named.contains(name) && !Definition::is_reserved(name)).collect()
}

/// A run as the outside sees it.
#[derive(Clone, Debug)]
pub struct RunView {
    /// The handler's id.
    pub handler: String,
    /// The run's id.
    pub run: String,
    /// The workflow's name.
    pub workflow: String,
    /// How it stands.
    pub status: RunStatus,
    /// When it began.
    pub started_at: Micros,
    /// When its last entry was made.
    pub updated_at: Option<Micros>,
    /// When it ended.
    pub completed_at: Option<Micros>,
}

/// How a run stands.
#[derive(Clone, Debug)]
pub enum RunStatus {
    /// Not ended.
    Running,
    /// Ended with a stop event: its envelope, as JSON.
    Completed(Bytes),
    /// Ended with a message.
    Failed(String),
    /// Ended on request.
    Cancelled,
}

/// An `Idempotency-Key` and the SHA-256 of the body that came with it.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The key.
    pub key: String,
    /// The hash.
    pub body: [u8; 32],
}

/// A request to start a run, checked against the workflow.
pub struct Start {
    /// The workflow.
    pub workflow: Arc<Workflow>,
    /// The start event.
    pub event: Event,
    /// The state to begin with, from `context`; none: the handler's last, or empty.
    pub state: Option<Json>,
    /// The client's handler id.
    pub handler: Option<String>,
    /// To be kept with the run.
    pub idempotency: Option<Idempotency>,
}

/// Who an event from outside is for. Nothing: whoever takes it.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The only step that may have it.
    pub step: Option<String>,
    /// The only invocation that may have it, by its number: one whose wait it answers.
    pub invocation: Option<InvocationId>,
}

/// Which handlers to list. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these: `running`, `completed`, `failed`, `cancelled`.
    pub status: Vec<String>,
    /// Any of these workflows.
    pub workflow: Vec<String>,
    /// At most this many.
    pub limit: Option<usize>,
    /// Only those after this handler.
    pub after: Option<String>,
}

/// Which runs to list. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct RunsFilter {
    /// Any of these: `running`, `completed`, `failed`, `cancelled`.
    pub status: Vec<String>,
    /// Any of these workflows.
    pub workflow: Vec<String>,
    /// Only those whose id, or handler's id, holds this text.
    pub search: Option<String>,
    /// From where an earlier page ended.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// A frame of a run's stream, durable.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its number in the stream.
    pub sequence: u64,
    /// Whether it is one of the internal events.
    pub internal: bool,
    /// Whether it is the last of its run.
    pub terminal: bool,
    /// The envelope, as JSON; with its qualified name.
    pub envelope: Bytes,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// No such handler or run.
    #[error("Handler not found")]
    NotFound,
    /// A new run was asked for under a handler that has one running.
    #[error("Handler '{0}' is already running")]
    AlreadyRunning(String),
    /// An event for a run that has ended.
    #[error("Workflow already completed")]
    AlreadyCompleted,
    /// The idempotency key was used with another body.
    #[error("Idempotency-Key was used before with another body")]
    KeyReused,
    /// The event's type is not one that the run's own definition knows.
    #[error("Invalid event type: {name}. Expected one of {}", expected.join(", "))]
    UnknownEvent {
        /// What was sent.
        name: String,
        /// What could have been.
        expected: Vec<String>,
    },
    /// The payload does not fit the type's schema.
    #[error("Failed to deserialize event: {0}")]
    BadEvent(String),
    /// The step does not exist, or does not accept the event.
    #[error("Failed to send event: {0}")]
    BadStep(String),
    /// The run keeps as many events as it may that nothing has taken yet.
    #[error("The run's inbox is full: it keeps at most {INBOX_EVENTS_MAX} events, and {} MiB of them, that nothing has taken yet", INBOX_BYTES_MAX >> 20)]
    InboxFull,
    /// The run's journal does not fit this build, or its own definition: nothing can be done with
    /// it here. Other runs go on.
    #[error("Run '{run}' cannot be read: {misfit}")]
    Unfit {
        /// The run.
        run: String,
        /// Why.
        misfit: Misfit,
    },
    /// The host is stopping, or the store does not take writes at the moment.
    #[error("The server is not available: {0}")]
    Unavailable(String),
}

impl Refusal {
    pub(crate) fn stopping() -> Refusal {
        Refusal::Unavailable("it is starting or stopping; runs go on after it".into())
    }
}

impl From<run::Refusal> for Refusal {
    fn from(refusal: run::Refusal) -> Refusal {
        match refusal {
            run::Refusal::InboxFull => Refusal::InboxFull,
            run::Refusal::NotWaiting(id) => Refusal::BadStep(format!("Invocation {id} does not wait for it")),
        }
    }
}

impl From<crate::store::Error> for Refusal {
    fn from(error: crate::store::Error) -> Refusal {
        match error {
            crate::store::Error::Gone => Refusal::NotFound,
            other => Refusal::Unavailable(other.to_string()),
        }
    }
}

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
    pub(crate) async fn pinned(&self, started: &Started) -> Result<Arc<Workflow>, Refusal> {
        if let Some(current) = self.registry.workflow(&started.workflow)
            && current.definition.parts() == started.definition
        {
            return Ok(current);
        }
        let pinned = self.registry.pinned(started, &self.runtime, &*self.store).await;
        pinned.map(Arc::new).map_err(|error| Refusal::Unavailable(format!("run `{}` cannot be loaded: {error:#}", started.run)))
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
