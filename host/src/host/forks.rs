//! A run from an entry of another on, of a handler of its own.

use std::sync::Arc;

use rand::RngExt;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use wf_engine::entry::{Entry, Event, Forked, Input, InvocationId, Started};
use wf_engine::journal;
use wf_engine::json::Json;
use wf_engine::run::Run;

use super::Host;
use crate::driver;
use crate::machine::{Copied, FreshFork};
use crate::model::{Idempotency, Refusal, RunView, Workflow};
use crate::registry::{Kept, Loaded};
use crate::services::{Services, new_id};
use crate::store::{EntryRow, FrameRow, IdempotencyRow, LogRow, Made, RunSummary, fork_scope};

/// Forks that are made at once: others wait for their turn.
pub(super) const FORKS_MAX: usize = 2;
/// Frames that are read at once.
const FRAMES_MAX: usize = 1_000;

/// A run as it was after an entry, about to be forked.
pub struct Forking {
    origin: RunSummary,
    at: u64,
    run: Run,
    entries: Vec<EntryRow>,
    /// When that entry was made.
    until: u64,
    loaded: Loaded,
    /// The digests of all components that its journal needs.
    needed: Vec<String>,
    /// Which stay, whoever purges the origin.
    kept: Kept,
    turn: OwnedSemaphorePermit,
}

/// What a fork has otherwise than its origin. It is checked.
#[derive(Default)]
pub struct Edit {
    /// The state; none: as it was.
    pub state: Option<Json>,
    /// What an invocation in flight is given.
    pub events: Option<(InvocationId, Vec<Event>)>,
    /// An event that comes next, from outside.
    pub next: Option<Event>,
    /// The handler that it is a run of; none: a new one.
    pub handler: Option<String>,
    /// Deliveries that breakpoints let pass once.
    pub passes: Vec<InvocationId>,
}

impl Forking {
    /// What is forked, by its id.
    pub(super) fn origin(&self) -> &str {
        &self.origin.run
    }

    /// The last entry that is copied.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// What it goes on with.
    pub fn workflow(&self) -> &Arc<Workflow> {
        &self.loaded.workflow
    }

    /// What was in flight: each invocation with its step, and what that was given.
    pub fn in_flight(&self) -> impl Iterator<Item = (InvocationId, &Arc<str>, &Arc<[Event]>)> {
        self.run.in_flight()
    }
}

impl Host {
    /// The fork that an idempotency key made earlier, as it now stands. Looked up before every other check.
    pub async fn repeated_fork(&self, origin: &str, idempotency: &Idempotency) -> Result<Option<RunView>, Refusal> {
        match self.made(&fork_scope(origin), idempotency).await? {
            Some(Made::Run(run)) => self.run(&run).await.map(Some),
            _ => Ok(None),
        }
    }

    /// The ids of a run's forks, in the order in which they began.
    pub async fn forks(&self, run: &str) -> Result<Vec<String>, Refusal> {
        Ok(self.services.store.made(&fork_scope(run)).await?)
    }

    /// A run as it was after an entry. None: of one that has failed the entry with which the attempt began that it
    /// failed with; of another the last before its end. `current`: it is to go on with the workflow as it is served.
    pub async fn forking(&self, run: &str, at: Option<u64>, current: bool) -> Result<Forking, Refusal> {
        let turn = self.forks.clone().acquire_owned().await.expect("cannot happen: nobody closes it");
        let (services, origin) = (&self.services, self.summary(run).await?);
        let rows = services.store.journal(origin.key).await?;
        let (rows, entries) = services.read(run, rows).await?;
        let Some(last) = entries.last().map(|entry| entry.seq) else {
            self.summary(run).await?;
            return Err(Refusal::Queued);
        };
        let ended = !origin.status.is_running();
        let at = match at {
            Some(at) if at > last => {
                return Err(Refusal::Invalid(format!("Entry {at} is not in the journal of run '{run}': its last is entry {last}")));
            }
            Some(at) if ended && at == last => {
                return Err(Refusal::Invalid(format!("Run '{run}' ended with entry {at}: fork it at an earlier one")));
            }
            Some(at) => at,
            None if ended => services.try_again(run, &entries).await?.unwrap_or(last.saturating_sub(1)),
            None => last,
        };
        if ended && at == last {
            return Err(Refusal::Invalid(format!("Run '{run}' ended with its first entry: there is nothing to fork")));
        }
        let (mut rows, mut entries) = (rows, entries);
        rows.truncate(at as usize + 1);
        entries.truncate(rows.len());
        let until = entries.last().map_or(0, |entry| entry.at);
        let earlier = pinned(&entries);
        let kept = self.kept(run, &earlier).await?;
        let mut folded = services.replay(run, entries).await?;
        let loaded = self.loaded(&folded, current).await?;
        folded.redefine(loaded.workflow.definition.clone());
        let mut needed = loaded.workflow.digests();
        earlier.into_iter().for_each(|digest| {
            if !needed.contains(&digest) {
                needed.push(digest)
            }
        });
        Ok(Forking { origin, at, run: folded, entries: rows, until, loaded, needed, kept, turn })
    }

    /// Keeps the components that a run's journal needs for as long as it is forked.
    async fn kept(&self, run: &str, digests: &[String]) -> Result<Kept, Refusal> {
        let Services { registry, store, .. } = &*self.services;
        let kept = registry.keep(digests).await;
        for digest in digests {
            if store.manifest(digest).await?.is_none() {
                // It was purged before they were kept.
                self.summary(run).await?;
                return Err(Refusal::Unfit { run: run.to_owned(), why: format!("component {digest} is not in the store") });
            }
        }
        Ok(kept)
    }

    /// What a fork goes on with.
    async fn loaded(&self, run: &Run, current: bool) -> Result<Loaded, Refusal> {
        let services = &self.services;
        let Some(started) = run.started() else { return Err(Refusal::Queued) };
        if !current {
            return services.pinned(started).await;
        }
        let name = &started.workflow;
        services.registry.loaded(name).ok_or_else(|| {
            Refusal::Invalid(format!(
                "Workflow '{name}' is not served now: leave 'definition' away, and the fork goes on with its origin's"
            ))
        })
    }

    /// Begins a fork; returns when it is durable.
    pub async fn fork(&self, forking: Forking, edit: Edit, idempotency: Option<Idempotency>) -> Result<RunView, Refusal> {
        let Forking { origin, run, entries, until, loaded, needed, kept: _kept, turn: _turn, .. } = forking;
        let services = &self.services;
        let frames = self.copied_frames(&origin.run, run.next_sequence()).await?;
        let logs = services.store.logs(&origin.run).await?.into_iter().filter(|line| line.at <= until).collect::<Vec<LogRow>>();
        // Of one that was purged meanwhile some may be gone.
        self.summary(&origin.run).await?;
        let at = services.clock.at();
        let (key, id, scope) = (services.store.key(), new_id(at), fork_scope(&origin.run));
        if let Some(breakpoints) = self.breakpoints() {
            edit.passes.iter().for_each(|invocation| breakpoints.let_pass(&id, *invocation));
        }
        let mut seed = [0; 32];
        rand::rng().fill(&mut seed);
        let forked = Forked {
            origin: origin.run.clone(),
            run: id.clone(),
            handler: edit.handler.unwrap_or_else(|| new_id(at)),
            seed: Started::seed_text(seed),
            definition: loaded.workflow.definition.parts(),
            state: edit.state,
            events: edit.events,
        };
        let (row_key, body) = idempotency.clone().map_or_else(|| (id.clone(), [0; 32]), |it| (it.key, it.body));
        let fork = FreshFork {
            host: services.host,
            key,
            workflow: loaded.workflow.clone(),
            run,
            copied: Copied { entries, frames, logs },
            forked,
            event: edit.next.map(|event| (new_id(at), event)),
            definition: needed,
            row: IdempotencyRow { scope, key: row_key, body, made: Made::Run(id.clone()) },
        };
        services.begun.put(key, loaded.workflow.clone());
        let (reply, mut answer) = oneshot::channel();
        self.driver.begin_fork(loaded, fork, reply);
        match (driver::told(&mut answer).await, idempotency) {
            // As the store tells it, which knows where it comes from.
            (Ok(_), _) => self.run(&id).await,
            // The same key came twice at once, and the other was first.
            (Err(refusal @ (Refusal::KeyReused | Refusal::AlreadyRunning(_))), Some(idempotency)) => {
                self.repeated_fork(&origin.run, &idempotency).await?.ok_or(refusal)
            }
            (Err(refusal), _) => Err(refusal),
        }
    }

    /// The frames before a sequence.
    async fn copied_frames(&self, run: &str, before: u64) -> Result<Vec<FrameRow>, Refusal> {
        let mut frames: Vec<FrameRow> = Vec::new();
        loop {
            let after = frames.last().map_or(-1, |frame| frame.sequence as i64);
            let page = self.services.store.frames(run, after, FRAMES_MAX).await?;
            let whole = page.len();
            frames.extend(page.into_iter().take_while(|frame| frame.sequence < before));
            if frames.len() as u64 >= before {
                return Ok(frames);
            }
            if whole == 0 {
                // Or it was purged meanwhile.
                self.summary(run).await?;
                return Err(Refusal::Unfit { run: run.to_owned(), why: format!("its stream lacks frame {}", frames.len()) });
            }
        }
    }
}

/// The digests of whatever some entries say that a run is pinned to.
fn pinned(entries: &[Entry]) -> Vec<String> {
    let begun =
        entries.first().and_then(|entry| if let Input::Started(started) = &entry.input { Some(&*started.definition) } else { None });
    let parts = begun.into_iter().chain(journal::forks(entries)).flatten();
    parts.map(|part| part.component.clone()).collect()
}
