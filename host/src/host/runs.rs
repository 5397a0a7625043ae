//! What the outside asks of runs.

use std::sync::Arc;

use rand::RngExt;
use serde_json::Value;
use tokio::sync::oneshot;
use wf_engine::entry::{ENTRY_VERSION, Entry, Event, Input, Micros, RULES, Started};
use wf_engine::run::{Run, Status};

use super::{Filter, Frame, Host, Idempotency, Inner, Refusal, RunStatus, RunView, Start, Workflow, new_id};
use crate::store::{self, FrameRow, IdempotencyRow, Made, NewRun, RunSummary};
use crate::worker::{Command, Fresh, Reply, entry_row, frame_rows};

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
        // Its own task: a client that goes away must not leave a run that nobody drives.
        let started = tokio::spawn(self.0.clone().start(start)).await;
        started.unwrap_or_else(|error| Err(Refusal::Unavailable(error.to_string())))
    }

    /// Waits for a run's end. Refused with `Unavailable` at a graceful stop.
    pub async fn ended(&self, run: &str) -> Result<RunView, Refusal> {
        let tail = self.0.tails.of(run);
        let mut end = tail.end();
        let view = self.run(run).await?;
        if !matches!(view.status, RunStatus::Running) {
            return Ok(view);
        }
        end.wait().await.ok_or_else(|| Refusal::Unavailable("it is stopping; the run goes on after the restart".into()))
    }

    /// The workflow as the handler's run holds it: events are parsed and checked against it.
    pub async fn running_definition(&self, handler: &str) -> Result<Arc<Workflow>, Refusal> {
        let run = self.running(handler).await?;
        if let Some(current) = self.0.registry.workflow(&run.workflow)
            && current.digests() == run.definition
        {
            return Ok(current);
        }
        let journal = self.0.store.journal(run.key).await?;
        let first = journal.first().and_then(|row| serde_json::from_slice::<Entry>(&row.bytes).ok());
        match first.map(|entry| entry.input) {
            Some(Input::Started(started)) => self.0.pinned(&started).await,
            _ => Err(Refusal::Unavailable(format!("the journal of run `{}` has no beginning", run.run))),
        }
    }

    /// Sends an event to the handler's run; returns when it is durable.
    pub async fn send(&self, handler: &str, event: Event, step: Option<String>, idempotency: Option<Idempotency>) -> Result<(), Refusal> {
        let run = self.running(handler).await?;
        self.ask(&run.run, |reply| Command::Send { event, step, idempotency, reply }).await
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
        match self.cancel(handler).await {
            Ok(()) | Err(Refusal::NotFound) => (),
            Err(refusal) => return Err(refusal),
        }
        self.0.store.purge(handler).await?;
        Ok(())
    }

    /// The handler's latest run.
    pub async fn handler(&self, id: &str) -> Result<RunView, Refusal> {
        let row = self.0.store.handler(id).await?;
        row.map(RunView::from).ok_or(Refusal::NotFound)
    }

    /// A run, by its own id, also one that a later run of its handler has followed.
    pub async fn run(&self, id: &str) -> Result<RunView, Refusal> {
        let row = self.0.store.run(id).await?;
        row.map(RunView::from).ok_or(Refusal::NotFound)
    }

    /// The latest runs of the handlers, oldest first.
    pub async fn handlers(&self, filter: Filter) -> Result<Vec<RunView>, Refusal> {
        let rows = self.0.store.handlers(filter.into()).await?;
        Ok(rows.into_iter().map(RunView::from).collect())
    }

    /// The state of the handler's latest run, as committed.
    pub async fn state(&self, handler: &str) -> Result<Value, Refusal> {
        let row = self.0.store.handler(handler).await?.ok_or(Refusal::NotFound)?;
        if row.status.is_running() {
            return self.ask(&row.run, |reply| Command::State { reply }).await;
        }
        self.0.last_state(row.key).await
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
        if !self.is_healthy() {
            return Err(Refusal::stopping());
        }
        let handler = start.handler.clone().unwrap_or_else(new_id);
        let state = match start.state.clone() {
            Some(state) => state,
            None => self.carried_state(&handler).await?,
        };
        let mut seed = [0; 32];
        rand::rng().fill(&mut seed);
        let started = Started {
            rules: RULES,
            definition: start.workflow.digests().to_vec(),
            workflow: start.workflow.name.clone(),
            handler,
            run: new_id(),
            start: start.event,
            state,
            seed: Started::seed_text(seed),
            timeout: start.workflow.definition.timeout(),
            additional_events: start.workflow.additional_events.clone(),
        };
        self.create(start.workflow, started, start.idempotency).await
    }

    async fn create(self: Arc<Self>, workflow: Arc<Workflow>, started: Started, idempotency: Option<Idempotency>) -> Result<RunView, Refusal> {
        let info = Inner::info(&started);
        let entry = Entry {
            v: ENTRY_VERSION,
            seq: 0,
            at: self.clock.at(),
            alive: self.clock.alive(),
            input: Input::Started(Box::new(started)),
        };
        let mut run = Run::new(workflow.definition.clone());
        let effects = run.apply(&entry);
        let frames = frame_rows(&workflow, &effects);
        let view = RunView::of(&run, &workflow.name, &info.handler, &info.run);
        let new = NewRun {
            summary: view.clone().into(),
            definition: workflow.digests().to_vec(),
            idempotency: idempotency.map(|it| IdempotencyRow::start(&workflow.name, it, &info.run)),
            entry: entry_row(&entry),
            frames: frames.clone(),
        };
        let (key, generation) = self.store.create(new).await?;
        self.tails.of(&info.run).extend(frames.into_iter().map(Frame::from));
        self.adopt(Fresh { key, generation, run, workflow, info, effects });
        Ok(view)
    }

    /// The state that a new run under a handler begins with: that of its last run.
    async fn carried_state(&self, handler: &str) -> Result<Value, Refusal> {
        match self.store.handler(handler).await? {
            Some(row) if row.status.is_running() => Err(Refusal::AlreadyRunning(handler.to_owned())),
            Some(row) => self.last_state(row.key).await,
            None => Ok(Value::Object(Default::default())),
        }
    }

    /// The state of a run that has ended: the fold of its journal.
    async fn last_state(&self, key: store::RunKey) -> Result<Value, Refusal> {
        let journal = self.store.journal(key).await?;
        let entries: Result<Vec<Entry>, _> = journal.iter().map(|row| serde_json::from_slice(&row.bytes)).collect();
        let entries = entries.map_err(|error| Refusal::Unavailable(format!("a journal is unreadable: {error}")))?;
        let Some(Input::Started(started)) = entries.first().map(|entry| &entry.input) else {
            return Ok(Value::Object(Default::default()));
        };
        let definition = self.registry.definition(&started.definition, &*self.store).await;
        let definition = definition.map_err(|error| Refusal::Unavailable(format!("{error:#}")))?;
        Ok(Run::replay(Arc::new(definition), &entries).state().clone())
    }
}

impl Workflow {
    /// The digests of its components, in order.
    pub fn digests(&self) -> Vec<String> {
        self.components.iter().map(|component| component.digest.clone()).collect()
    }
}

impl RunView {
    /// A run in memory, as the outside sees it.
    pub(crate) fn of(run: &Run, workflow: &Workflow, handler: &str, id: &str) -> RunView {
        let status = match run.status() {
            Status::Running => RunStatus::Running,
            Status::Completed(event) => RunStatus::Completed(crate::envelope::envelope(&workflow.definition, &workflow.name, event)),
            Status::Failed(message) => RunStatus::Failed(message.clone()),
            Status::Cancelled => RunStatus::Cancelled,
        };
        let ended = !matches!(status, RunStatus::Running);
        let updated: Micros = run.updated_at();
        RunView {
            handler: handler.to_owned(),
            run: id.to_owned(),
            workflow: workflow.name.clone(),
            status,
            started_at: run.started_at(),
            updated_at: Some(updated),
            completed_at: ended.then_some(updated),
        }
    }
}

impl From<FrameRow> for Frame {
    fn from(row: FrameRow) -> Frame {
        Frame { sequence: row.sequence, internal: row.internal, terminal: row.terminal, envelope: row.json }
    }
}
