//! What the outside asks of runs.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rand::RngExt;
use tokio::sync::oneshot;
use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Event, Input, RULES, Started};
use wf_engine::history::History;
use wf_engine::json::{self, Json};
use wf_engine::run::Run;

use super::{Host, Inner, new_id};
use crate::model::{Filter, Frame, Idempotency, Refusal, RunStatus, RunView, RunsFilter, Start, Target, Workflow};
use crate::registry::Loaded;
use crate::store::{self, Ended, IdempotencyRow, Made, NewRun, RunKey, RunSummary};
use crate::worker::{self, Command, Fresh, Reply, entry_row, frame_rows};

impl Host {
    /// The run that an idempotency key made earlier, as it now stands. Looked up before every other check.
    pub async fn repeated_start(&self, workflow: &str, idempotency: &Idempotency) -> Result<Option<RunView>, Refusal> {
        match self.0.made(&store::start_scope(workflow), idempotency).await? {
            Some(Made::Run(run)) => self.run(&run).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Whether this key has already sent this event to the handler.
    pub async fn repeated_send(&self, handler: &str, idempotency: &Idempotency) -> Result<bool, Refusal> {
        Ok(self.0.made(&store::event_scope(handler), idempotency).await?.is_some())
    }

    /// Starts a run; returns when it is durable.
    pub async fn start(&self, start: Start) -> Result<RunView, Refusal> {
        let repeated = start.idempotency.clone().map(|idempotency| (start.workflow.name.clone(), idempotency));
        // Its own task: a client that goes away must not leave a run that nobody drives.
        let started = tokio::spawn(self.0.clone().start(start)).await;
        match (started, repeated) {
            // The same key came twice at once, and the other was first.
            (Ok(Err(Refusal::KeyReused)), Some((workflow, idempotency))) => {
                self.repeated_start(&workflow, &idempotency).await?.ok_or(Refusal::KeyReused)
            }
            (Ok(result), _) => result,
            (Err(error), _) => Err(Refusal::Unavailable(error.to_string())),
        }
    }

    /// Waits for a run's end. Refused with `Unavailable` at a graceful stop.
    pub async fn ended(&self, run: &str) -> Result<RunView, Refusal> {
        // Held over the whole wait, so that the worker's end cannot be missed.
        let tail = self.0.tails.of(run);
        if tail.ended().is_none() && !self.0.is_active(run) {
            let view = self.run(run).await?;
            if !matches!(view.status, RunStatus::Running) {
                return Ok(view);
            }
        }
        tail.until_ended().await.ok_or_else(Refusal::stopping)
    }

    /// The workflow as the handler's run holds it: events are parsed and checked against it.
    pub async fn running_definition(&self, handler: &str) -> Result<Arc<Workflow>, Refusal> {
        let run = self.running(handler).await?;
        if let Some(current) = self.0.registry.workflow(&run.workflow)
            && current.digests() == run.definition
        {
            return Ok(current);
        }
        self.0.workflow_of(&run).await
    }

    /// Sends an event to the handler's run; returns when it is durable.
    pub async fn send(&self, handler: &str, event: Event, target: Target, idempotency: Option<Idempotency>) -> Result<(), Refusal> {
        let run = self.running(handler).await?;
        self.ask(&run.run, |reply| Command::Send { event, target, idempotency, reply }).await
    }

    /// Cancels the handler's run, and returns once it has ended.
    pub async fn cancel(&self, handler: &str) -> Result<(), Refusal> {
        let run = self.running(handler).await.map_err(|_| Refusal::NotFound)?;
        self.ask(&run.run, |reply| Command::Cancel { reply }).await.map_err(|refusal| match refusal {
            Refusal::AlreadyCompleted => Refusal::NotFound,
            other => other,
        })
    }

    /// Cancels the run if it is running, and deletes the handler and all its runs.
    pub async fn purge(&self, handler: &str) -> Result<(), Refusal> {
        self.handler(handler).await?;
        let (host, handler) = (self.clone(), handler.to_owned());
        // Its own task: a client that goes away must not leave it half done.
        let purged = tokio::spawn(async move {
            match host.cancel(&handler).await {
                // What cannot be read cannot be cancelled, but it can go.
                Ok(()) | Err(Refusal::NotFound | Refusal::Unfit { .. }) => (),
                Err(refusal) => return Err(refusal),
            }
            Ok(host.0.store.purge(&handler).await?)
        });
        purged.await.unwrap_or_else(|error| Err(Refusal::Unavailable(error.to_string())))
    }

    /// The handler's latest run.
    pub async fn handler(&self, id: &str) -> Result<RunView, Refusal> {
        let row = self.0.store.handler(id).await?;
        row.map(RunView::from).ok_or(Refusal::NotFound)
    }

    /// A run, by its own id, also one that a later run of its handler has followed.
    pub async fn run(&self, id: &str) -> Result<RunView, Refusal> {
        self.summary(id).await.map(RunView::from)
    }

    /// The latest runs of the handlers, oldest first.
    pub async fn handlers(&self, filter: Filter) -> Result<Vec<RunView>, Refusal> {
        let rows = self.0.store.handlers(filter.into()).await?;
        Ok(rows.into_iter().map(RunView::from).collect())
    }

    /// Runs, newest first; and the place from which to go on, where there are more.
    pub async fn runs(&self, filter: RunsFilter) -> Result<(Vec<RunView>, Option<i64>), Refusal> {
        let RunsFilter { status, workflow, search, before, limit } = filter;
        // One more says whether there is a next page.
        let query = store::RunsQuery { status, workflow, search, before: before.map(RunKey), limit: limit.saturating_add(1) };
        let mut rows = self.0.store.runs(query).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.key.0);
        Ok((rows.into_iter().map(RunView::from).collect(), next))
    }

    /// What happened in a run, entry by entry.
    pub async fn history(&self, id: &str) -> Result<History, Refusal> {
        let (definition, entries) = self.0.folded(&self.summary(id).await?).await?;
        wf_engine::journal::history(definition, &entries).map_err(|misfit| worker::unfit(id, misfit))
    }

    /// A run's state as it was after an entry; none: as it is.
    pub async fn state_at(&self, id: &str, seq: Option<u64>) -> Result<Json, Refusal> {
        self.0.state_at(&self.summary(id).await?, seq).await
    }

    /// The workflow as a run holds it.
    pub async fn workflow_of(&self, id: &str) -> Result<Arc<Workflow>, Refusal> {
        self.0.workflow_of(&self.summary(id).await?).await
    }

    async fn summary(&self, id: &str) -> Result<RunSummary, Refusal> {
        self.0.store.run(id).await?.ok_or(Refusal::NotFound)
    }

    /// The lines that a run's steps have written.
    pub async fn logs(&self, run: &str) -> Result<Vec<store::LogRow>, Refusal> {
        self.run(run).await?;
        Ok(self.0.store.logs(run).await?)
    }

    /// The state of the handler's latest run, as committed.
    pub async fn state(&self, handler: &str) -> Result<Json, Refusal> {
        let row = self.0.store.handler(handler).await?.ok_or(Refusal::NotFound)?;
        self.0.state_at(&row, None).await
    }

    async fn running(&self, handler: &str) -> Result<RunSummary, Refusal> {
        let row = self.0.store.handler(handler).await?.ok_or(Refusal::NotFound)?;
        if row.status.is_running() { Ok(row) } else { Err(Refusal::AlreadyCompleted) }
    }

    async fn ask<T>(&self, run: &str, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.0.tell(run, command(reply))?;
        // A worker that ends drops what it was told last: the run is no longer there to take it.
        answer.await.unwrap_or_else(|_| Err(if self.is_healthy() { Refusal::AlreadyCompleted } else { Refusal::stopping() }))
    }
}

impl Inner {
    async fn made(&self, scope: &str, idempotency: &Idempotency) -> Result<Option<Made>, Refusal> {
        match self.store.idempotency(scope, &idempotency.key).await? {
            Some(row) if row.body == idempotency.body => Ok(Some(row.made)),
            Some(_) => Err(Refusal::KeyReused),
            None => Ok(None),
        }
    }

    async fn start(self: Arc<Self>, start: Start) -> Result<RunView, Refusal> {
        if !self.healthy.load(Ordering::Acquire) {
            return Err(Refusal::stopping());
        }
        let state = match (start.state.clone(), &start.handler) {
            (Some(state), _) => state,
            (None, Some(handler)) => self.carried_state(handler).await?,
            (None, None) => json::empty(),
        };
        let mut seed = [0; 32];
        rand::rng().fill(&mut seed);
        let started = Started {
            rules: RULES,
            definition: start.workflow.definition.parts(),
            workflow: start.workflow.name.clone(),
            handler: start.handler.unwrap_or_else(new_id),
            run: new_id(),
            start: start.event,
            state,
            seed: Started::seed_text(seed),
            timeout: start.workflow.definition.timeout(),
            additional_events: start.workflow.additional_events.clone(),
        };
        self.create(start.workflow, started, start.idempotency).await
    }

    async fn create(
        self: Arc<Self>,
        workflow: Arc<Workflow>,
        started: Started,
        idempotency: Option<Idempotency>,
    ) -> Result<RunView, Refusal> {
        let components = self.registry.components(&started.definition, &self.runtime, &*self.store).await;
        let components = components.map_err(|error| Refusal::Unavailable(format!("{error:#}")))?;
        let info = Inner::info(&started);
        let mut run = Run::new(workflow.definition.clone());
        let entry = run.entry(self.clock.at(), self.clock.alive(), Input::Started(Box::new(started)));
        let effects = run.apply(&entry);
        let frames = frame_rows(&workflow, &effects);
        let view = RunView::of(&run, &workflow, &info);
        let new = NewRun {
            run: info.run.clone(),
            handler: info.handler.clone(),
            workflow: workflow.name.clone(),
            definition: workflow.digests(),
            started_at: entry.at,
            entry: entry_row(&entry),
            frames: frames.clone(),
            ended: Ended::of(&view),
            idempotency: idempotency.map(|Idempotency { key, body }| IdempotencyRow {
                scope: store::start_scope(&workflow.name),
                key,
                body,
                made: Made::Run(info.run.clone()),
            }),
        };
        let (key, generation) = self.store.create(new).await.map_err(|error| match error {
            store::Error::AlreadyRunning => Refusal::AlreadyRunning(info.handler.clone()),
            store::Error::KeyTaken => Refusal::KeyReused,
            other => other.into(),
        })?;
        let tail = self.tails.of(&info.run);
        tail.extend(frames.into_iter().map(Frame::from).collect());
        if !run.is_running() {
            tail.end(view.clone());
        }
        self.adopt(Fresh { key, generation, run, loaded: Loaded { workflow, components }, info, effects });
        Ok(view)
    }

    /// The state that a new run under a handler begins with: that of its last run.
    async fn carried_state(&self, handler: &str) -> Result<Json, Refusal> {
        match self.store.handler(handler).await? {
            Some(row) if row.status.is_running() => Err(Refusal::AlreadyRunning(handler.to_owned())),
            Some(row) => self.state_at(&row, None).await,
            None => Ok(json::empty()),
        }
    }

    /// The state of a run after an entry; none: after the last that is stored.
    async fn state_at(&self, run: &RunSummary, seq: Option<u64>) -> Result<Json, Refusal> {
        let (definition, mut entries) = self.folded(run).await?;
        entries.retain(|entry| seq.is_none_or(|seq| entry.seq <= seq));
        Ok(worker::replay(&run.run, definition, &entries)?.state())
    }

    /// A run's journal, and what it is a journal of.
    async fn folded(&self, run: &RunSummary) -> Result<(Arc<Definition>, Vec<Entry>), Refusal> {
        let entries = self.entries(run).await?;
        let started = worker::started(&run.run, &entries)?;
        let definition = self.registry.definition(&started.definition, &*self.store).await;
        Ok((Arc::new(definition.map_err(|error| Refusal::Unavailable(format!("{error:#}")))?), entries))
    }

    async fn entries(&self, run: &RunSummary) -> Result<Vec<Entry>, Refusal> {
        worker::entries(&run.run, &self.store.journal(run.key).await?)
    }

    /// The workflow as a run holds it.
    async fn workflow_of(&self, run: &RunSummary) -> Result<Arc<Workflow>, Refusal> {
        let entries = self.entries(run).await?;
        Ok(self.pinned(worker::started(&run.run, &entries)?).await?.workflow)
    }
}
