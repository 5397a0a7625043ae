//! What the outside asks of runs.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use rand::RngExt;
use tokio::sync::oneshot;
use wf_engine::entry::{Event, RULES, Started};
use wf_engine::history::History;
use wf_engine::json::{self, Json};
use wf_engine::text::{self, Limit};

use super::Host;
use crate::driver::{self, Reply};
use crate::forms::Given;
use crate::machine::{Answer, Command, Fresh};
use crate::model::{Filter, Idempotency, Limits, Refusal, RunStatus, RunView, RunsFilter, RunsPlace, Start, Target, Workflow};
use crate::registry::Loaded;
use crate::services::new_id;
use crate::store::{self, Follows, HandlersQuery, Made, RunSummary, Store};

/// Handlers that are read at once.
const PAGE_MAX: usize = 256;
/// A purge beside starts gives way so often.
const PURGES_MAX: usize = 16;
/// A start beside others of its handler does, too.
const STARTS_MAX: usize = 16;

/// Why nobody can be told how a run ended.
#[derive(Debug)]
pub struct Cut {
    /// Why.
    pub refusal: Refusal,
    /// Its handler, where the run was begun and goes on.
    pub handler: Option<String>,
}

/// Whom an event is sent to.
pub(crate) struct Receiver {
    /// The workflow as it holds it.
    pub workflow: Arc<Workflow>,
    run: RunSummary,
}

impl Receiver {
    /// Whether it takes events at all.
    pub(crate) fn is_open(&self) -> bool {
        self.run.status.is_running() && self.run.queue.is_none()
    }
}

impl From<Refusal> for Cut {
    fn from(refusal: Refusal) -> Cut {
        Cut { refusal, handler: None }
    }
}

impl Host {
    /// The run that an idempotency key made earlier, as it now stands. Looked up before every other check.
    pub async fn repeated_start(&self, workflow: &str, idempotency: &Idempotency) -> Result<Option<RunView>, Refusal> {
        match self.made(&store::start_scope(workflow), idempotency).await? {
            Some(Made::Run(run)) => self.run(&run).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Whether this key has already sent this event to the handler.
    pub async fn repeated_send(&self, handler: &str, idempotency: &Idempotency) -> Result<bool, Refusal> {
        Ok(self.made(&store::event_scope(handler), idempotency).await?.is_some())
    }

    /// The event, where its value fits its type, else why not; a refusal where nobody can say.
    pub(crate) async fn validated(&self, workflow: &Workflow, given: Given) -> Result<Result<Event, String>, Refusal> {
        self.services.validated(workflow, given).await
    }

    /// Starts a run; returns when it is durable. What it is given is checked; whether it fits its type is not.
    pub async fn start(&self, start: Start) -> Result<RunView, Refusal> {
        self.start_checked(checked(start)?).await
    }

    /// As [`Host::start`], and waits for the run's end.
    pub async fn start_and_wait(&self, start: Start) -> Result<RunView, Cut> {
        self.start_checked_and_wait(checked(start)?).await
    }

    /// Starts a run with what the edge has checked.
    pub(crate) async fn start_checked(&self, start: Start) -> Result<RunView, Refusal> {
        let begun = self.begun(&start, false).await.and_then(|(_, _, begun)| begun);
        self.first(begun, repeated(&start)).await
    }

    /// As [`Host::start_checked`], and waits for the run's end.
    pub(crate) async fn start_checked_and_wait(&self, start: Start) -> Result<RunView, Cut> {
        let (handler, run, ended) = match self.begun(&start, true).await {
            Ok(begun) => begun,
            Err(refusal) => return Ok(self.to_its_end(Err(refusal), repeated(&start)).await?),
        };
        match self.to_its_end(ended, repeated(&start)).await {
            Err(refusal @ Refusal::Unavailable(_)) => {
                // Whether it is stored says whether it goes on.
                let there = self.handler(&handler).await.is_ok_and(|it| it.run == run);
                Err(Cut { refusal, handler: there.then_some(handler) })
            }
            ended => Ok(ended?),
        }
    }

    async fn to_its_end(&self, ended: Answer, repeated: Option<(String, Idempotency)>) -> Answer {
        let view = self.first(ended, repeated).await?;
        if matches!(view.status, RunStatus::Running) { self.ended(&view.run).await } else { Ok(view) }
    }

    /// Begins a run; `awaited`: and waits for its end. One that goes on with the state of another begins again where a
    /// third has come in between. Gives its handler, the run, and what was told of it.
    async fn begun(&self, start: &Start, awaited: bool) -> Result<(String, String, Answer), Refusal> {
        let mut starts = 0;
        loop {
            let (loaded, fresh) = self.fresh(start, awaited).await?;
            let (handler, run, follows) = (fresh.started.handler.clone(), fresh.started.run.clone(), fresh.follows);
            let answer = if awaited {
                self.driver.begin_to_end(loaded, fresh)?.ended().await
            } else {
                let (reply, mut answer) = oneshot::channel();
                self.driver.begin(loaded, fresh, reply);
                driver::told(&mut answer).await
            };
            starts += 1;
            if follows == Follows::Any || starts == STARTS_MAX || !matches!(answer, Err(Refusal::AlreadyRunning(_))) {
                return Ok((handler, run, answer));
            }
        }
    }

    /// The same key may have come twice at once, and the other was first: its run is the one that is in the way.
    async fn first(&self, answer: Result<RunView, Refusal>, repeated: Option<(String, Idempotency)>) -> Result<RunView, Refusal> {
        match (answer, repeated) {
            (Err(refusal @ (Refusal::KeyReused | Refusal::AlreadyRunning(_))), Some((workflow, idempotency))) => {
                self.repeated_start(&workflow, &idempotency).await?.ok_or(refusal)
            }
            (answer, _) => answer,
        }
    }

    async fn fresh(&self, start: &Start, awaited: bool) -> Result<(Loaded, Fresh), Refusal> {
        let (follows, state) = match (&start.state, &start.handler) {
            (Some(state), _) => (Follows::Any, state.clone()),
            (None, Some(handler)) => self.carried_state(handler).await?,
            (None, None) => (Follows::Any, json::empty()),
        };
        let mut seed = [0; 32];
        rand::rng().fill(&mut seed);
        let (workflow, at) = (start.workflow.clone(), self.services.clock.at());
        let started = Started {
            rules: RULES,
            definition: workflow.definition.parts(),
            workflow: workflow.name.clone(),
            handler: start.handler.clone().unwrap_or_else(|| new_id(at)),
            run: new_id(at),
            start: start.event.clone(),
            state,
            seed: Started::seed_text(seed),
            timeout: workflow.definition.timeout(),
            additional_events: workflow.additional_events.clone(),
            state_max: Some(workflow.limits.state_max as u64),
        };
        let services = &self.services;
        let components = services.registry.components(&started.definition, &services.runtime, &*services.store).await;
        let components = components.map_err(|error| Refusal::Unavailable(format!("{error:#}")))?;
        let (host, key, idempotency) = (services.host, services.store.key(), start.idempotency.clone());
        services.begun.put(key, workflow.clone());
        let fresh = Fresh { host, key, workflow: workflow.clone(), follows, started, idempotency, awaited };
        Ok((Loaded { workflow, components }, fresh))
    }

    /// Waits for a run's end. Refused with `Unavailable` where the run has to be loaded again, and at a graceful stop.
    pub async fn ended(&self, run: &str) -> Result<RunView, Refusal> {
        // It waits before we look, so that the end cannot be missed.
        let waiter = self.driver.wait(run)?;
        let summary = self.summary(run).await?;
        if !summary.status.is_running() {
            return Ok(summary.into());
        }
        if !self.driver.has(run) {
            // One that cannot be read never ends, and perhaps nobody here remembers that it cannot.
            self.services.stored(run, summary.key).await?;
        }
        match waiter.ended().await {
            Err(Refusal::AlreadyCompleted) => self.run(run).await,
            answer => answer,
        }
    }

    /// The workflow as the handler's run holds it: events are parsed and checked against it, also
    /// those that come too late.
    pub async fn definition(&self, handler: &str) -> Result<Arc<Workflow>, Refusal> {
        self.receiver(handler).await.map(|receiver| receiver.workflow)
    }

    /// Whom an event is sent to that goes to a handler: the run that it has now.
    pub(crate) async fn receiver(&self, handler: &str) -> Result<Receiver, Refusal> {
        let run = self.newest(handler).await?;
        let workflow = self.services.workflow_of(&run).await;
        // A definition goes when no run needs it any more.
        let workflow = if run.status.is_running() { workflow } else { workflow.map_err(|_| Refusal::AlreadyCompleted) };
        Ok(Receiver { workflow: workflow?, run })
    }

    /// Sends an event to the handler's run; returns when it is durable. It is checked; whether it fits its type is not.
    pub async fn send(&self, handler: &str, event: Event, target: Target, idempotency: Option<Idempotency>) -> Result<(), Refusal> {
        let run = self.newest(handler).await?;
        let event = kept(event, &self.services.registry.limits(&run.workflow))?;
        self.send_to(run, event, target, idempotency).await
    }

    /// Sends an event that the edge has checked.
    pub(crate) async fn send_checked(
        &self,
        receiver: Receiver,
        event: Event,
        target: Target,
        idempotency: Option<Idempotency>,
    ) -> Result<(), Refusal> {
        self.send_to(receiver.run, event, target, idempotency).await
    }

    async fn send_to(&self, run: RunSummary, event: Event, target: Target, idempotency: Option<Idempotency>) -> Result<(), Refusal> {
        let (id, repeated) = (new_id(self.services.clock.at()), idempotency.clone());
        let sent = match (run.status.is_running(), &run.queue) {
            (false, _) => Err(Refusal::AlreadyCompleted),
            (true, Some(_)) => Err(Refusal::Queued),
            (true, None) => self.ask(&run.run, |reply| Command::Send { id, event, target, idempotency, reply }).await,
        };
        match (sent, repeated) {
            // The same key came twice at once, and the other was first; perhaps it has ended the run.
            (Err(refusal @ (Refusal::KeyReused | Refusal::AlreadyCompleted)), Some(idempotency)) => {
                if self.repeated_send(&run.handler, &idempotency).await? { Ok(()) } else { Err(refusal) }
            }
            (answer, _) => answer,
        }
    }

    /// Cancels the handler's run, and returns once it has ended.
    pub async fn cancel(&self, handler: &str) -> Result<(), Refusal> {
        let run = self.running(handler).await.map_err(|refusal| match refusal {
            Refusal::AlreadyCompleted => Refusal::NotFound,
            other => other,
        })?;
        self.ask(&run.run, |reply| Command::Cancel { reply }).await.map_err(|refusal| match refusal {
            Refusal::AlreadyCompleted => Refusal::NotFound,
            other => other,
        })
    }

    /// Cancels the run if it is running, and deletes the handler and all its runs.
    pub async fn purge(&self, handler: &str) -> Result<(), Refusal> {
        self.handler(handler).await?;
        for _ in 0..PURGES_MAX {
            // What cannot be read cannot be cancelled, but it can go.
            let running_too = match self.cancel(handler).await {
                Ok(()) | Err(Refusal::NotFound) => false,
                Err(Refusal::Unfit { .. }) => true,
                Err(refusal) => return Err(refusal),
            };
            match self.services.store.purge(handler, running_too).await {
                Ok(purged) => {
                    self.driver.purged(&purged.runs);
                    return Ok(());
                }
                // Somebody has started one meanwhile.
                Err(store::Error::AlreadyRunning) => (),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refusal::Unavailable("new runs of the handler are started all the time; ask again".to_owned()))
    }

    /// The handler's latest run.
    pub async fn handler(&self, id: &str) -> Result<RunView, Refusal> {
        self.newest(id).await.map(RunView::from)
    }

    /// A run, by its own id, also one that a later run of its handler has followed.
    pub async fn run(&self, id: &str) -> Result<RunView, Refusal> {
        self.summary(id).await.map(RunView::from)
    }

    /// The latest runs of the handlers, oldest first, in pages: however many there are, only one is in memory.
    pub fn handlers(&self, filter: Filter) -> BoxStream<'static, Result<Vec<RunView>, Refusal>> {
        let Filter { status, workflow, limit, after } = filter;
        let query = HandlersQuery { status, workflow, limit: limit.unwrap_or(usize::MAX), after: None };
        let pages = Pages { store: self.services.store.clone(), query, first_after: after };
        stream::try_unfold(Some(pages), |pages| async {
            let Some(mut pages) = pages else { return Ok(None) };
            let page = pages.next().await?;
            let more = !page.is_empty() && pages.query.limit > 0;
            Ok(Some((page, more.then_some(pages))))
        })
        .boxed()
    }

    /// The names of the workflows that have runs, whether they are served or not.
    pub async fn workflows_of_runs(&self) -> Result<Vec<String>, Refusal> {
        Ok(self.services.store.workflows().await?)
    }

    /// Runs; and the place from which to go on, where there are more.
    pub async fn runs(&self, filter: RunsFilter) -> Result<(Vec<RunView>, Option<RunsPlace>), Refusal> {
        let page = self.services.store.runs(filter).await?;
        Ok((page.runs.into_iter().map(RunView::from).collect(), page.next))
    }

    /// The envelopes of the frames in which was asked what a run waits for, of its first so many questions; none: there is
    /// no such frame.
    pub async fn requests(&self, view: &RunView, limit: usize) -> Result<Vec<Option<Bytes>>, Refusal> {
        let mut requests = Vec::new();
        for awaits in view.waiting.iter().take(limit) {
            requests.push(match awaits.request {
                Some(sequence) => self.frame(&view.run, sequence).await?,
                None => None,
            });
        }
        Ok(requests)
    }

    async fn frame(&self, run: &str, sequence: u64) -> Result<Option<Bytes>, Refusal> {
        let after = i64::try_from(sequence).unwrap_or(i64::MAX) - 1;
        let rows = self.services.store.frames(run, after, 1).await?;
        Ok(rows.into_iter().find(|row| row.sequence == sequence).map(|row| row.json))
    }

    /// What happened in a run by at most `limit` entries after one, or from the first, and not many more than
    /// 4 MiB of them; and the entry after which to go on, where there are more.
    pub async fn history(&self, id: &str, after: Option<u64>, limit: usize) -> Result<(History, Option<u64>), Refusal> {
        self.services.history(&self.summary(id).await?, after, limit).await
    }

    /// Whether a run has not ended, and only waits for events.
    pub async fn is_idle(&self, id: &str) -> Result<bool, Refusal> {
        let key = self.summary(id).await?.key;
        let stored = self.services.stored(id, key).await?;
        // A fork that queues is what its origin was.
        Ok(stored.unbegun.is_none() && stored.run.is_idle())
    }

    /// A run's state as it was after an entry; none: as it is.
    pub async fn state_at(&self, id: &str, seq: Option<u64>) -> Result<Json, Refusal> {
        self.services.state(&self.summary(id).await?, seq).await
    }

    /// The workflow as a run holds it.
    pub async fn workflow_of(&self, id: &str) -> Result<Arc<Workflow>, Refusal> {
        self.services.workflow_of(&self.summary(id).await?).await
    }

    /// The lines that a run's steps have written.
    pub async fn logs(&self, run: &str) -> Result<Vec<store::LogRow>, Refusal> {
        self.summary(run).await?;
        Ok(self.services.store.logs(run).await?)
    }

    /// What was written to a run's lines after a place, 0 for the first, as it came: `limit` of them, or some more.
    pub async fn written(&self, run: &str, after: u64, limit: usize) -> Result<store::Written, Refusal> {
        self.summary(run).await?;
        Ok(self.services.store.written(run, after, limit).await?)
    }

    /// The state of the handler's latest run, as committed.
    pub async fn state(&self, handler: &str) -> Result<Json, Refusal> {
        self.services.state(&self.newest(handler).await?, None).await
    }

    pub(super) async fn summary(&self, id: &str) -> Result<RunSummary, Refusal> {
        self.services.store.run(id).await?.ok_or(Refusal::NotFound)
    }

    async fn newest(&self, handler: &str) -> Result<RunSummary, Refusal> {
        self.services.store.handler(handler).await?.ok_or(Refusal::NotFound)
    }

    async fn running(&self, handler: &str) -> Result<RunSummary, Refusal> {
        let run = self.newest(handler).await?;
        if run.status.is_running() { Ok(run) } else { Err(Refusal::AlreadyCompleted) }
    }

    /// The state that a new run under a handler begins with: that of its last run, and which that is.
    async fn carried_state(&self, handler: &str) -> Result<(Follows, Json), Refusal> {
        match self.services.store.handler(handler).await? {
            Some(run) if run.status.is_running() => Err(Refusal::AlreadyRunning(handler.to_owned())),
            Some(run) => Ok((Follows::Run(run.key), self.services.state(&run, None).await?)),
            None => Ok((Follows::None, json::empty())),
        }
    }

    pub(super) async fn made(&self, scope: &str, idempotency: &Idempotency) -> Result<Option<Made>, Refusal> {
        match self.services.store.idempotency(scope, &idempotency.key).await? {
            Some(row) if row.body == idempotency.body => Ok(Some(row.made)),
            Some(_) => Err(Refusal::KeyReused),
            None => Ok(None),
        }
    }

    async fn ask(&self, run: &str, command: impl FnOnce(Reply) -> Command<Reply>) -> Result<(), Refusal> {
        let (reply, mut answer) = oneshot::channel();
        self.driver.tell(run, command(reply));
        driver::told(&mut answer).await.map(drop)
    }
}

/// A start of which everything can be kept.
fn checked(start: Start) -> Result<Start, Refusal> {
    let limits = &start.workflow.limits;
    let event = kept(start.event, limits)?;
    let max = Limit { name: "state_max", max: limits.state_max };
    let state = start.state.map(|state| text::read_object("the state", state, max)).transpose()?;
    Ok(Start { event, state, ..start })
}

/// An event whose value can be kept.
fn kept(event: Event, limits: &Limits) -> Result<Event, Refusal> {
    let max = Limit { name: "payload_max", max: limits.payload_max };
    let payload = text::read_object(&format!("the value of {}", event.name), event.payload, max)?;
    Ok(Event { payload, ..event })
}

/// What a start is looked up by, should its key have come before.
fn repeated(start: &Start) -> Option<(String, Idempotency)> {
    Some((start.workflow.name.clone(), start.idempotency.clone()?))
}

/// What is left of a list of handlers.
struct Pages {
    store: Arc<dyn Store>,
    query: HandlersQuery,
    /// The handler to begin after.
    first_after: Option<String>,
}

impl Pages {
    async fn next(&mut self) -> Result<Vec<RunView>, Refusal> {
        if let Some(handler) = self.first_after.take() {
            match self.store.handler(&handler).await? {
                Some(run) => self.query.after = Some(run.key),
                None => return Ok(Vec::new()),
            }
        }
        let limit = self.query.limit.min(PAGE_MAX);
        let rows = self.store.handlers(HandlersQuery { limit, ..self.query.clone() }).await?;
        self.query.limit -= rows.len();
        self.query.after = rows.last().map(|run| run.key);
        Ok(rows.into_iter().map(RunView::from).collect())
    }
}
