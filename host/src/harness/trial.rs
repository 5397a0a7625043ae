//! A run under test: what the machine asks for is done at once, one step after the other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Chunk, Function, InvocationId, Micros, RULES, Response, Started};
use wf_engine::json::{self, Json};
use wf_engine::snapshot;
use wf_engine::text::{self, Limit};

use super::Mistake;
use super::again::{self, Replayed};
use super::faults::Faults;
use super::outside::Answers;
use super::request::{Plan, Sending};
use super::standing::{Asked, Line, Standing, Tried, Why, opened, raw, result};
use crate::driver::{Guests, row};
use crate::forms::{self, BadStart, Form, Schemas};
use crate::machine::{self, Answer, Command, Exit, Fresh, Output, Reported, Worker};
use crate::model::{Frame, Grants, Limits, RunStatus, RunView, Target};
use crate::outside::Question;
use crate::registry::Loaded;
use crate::runtime::{Report, Terms};
use crate::services::Services;
use crate::store::{ALIVE_FIRST, Follows, Now};

/// 2026-01-01T00:00:00Z: when every run begins.
const BEGINNING: Micros = 1_767_225_600_000_000;
/// There is one run at a time.
const RUN: &str = "run";
/// Its handler.
const HANDLER: &str = "handler";

/// A run under test.
pub(super) struct Trial {
    services: Arc<Services>,
    loaded: Loaded,
    terms: Terms,
    faults: Faults,
    answers: Answers,
    pause_at: Vec<String>,
    patience: u64,
    internal: bool,
    worker: Worker<()>,
    now: Now,
    guests: Guests,
    reports: mpsc::UnboundedReceiver<Report>,
    reporter: mpsc::UnboundedSender<Report>,
    /// What lets a step go on, in order.
    tasks: VecDeque<Task>,
    /// The steps of the invocations that were entered.
    steps: BTreeMap<InvocationId, String>,
    tried: BTreeMap<(InvocationId, u32), Tried>,
    /// The requests whose answers are not read to their end, by invocation: a restart would cut them.
    open: BTreeMap<InvocationId, BTreeSet<u32>>,
    requests: Vec<Question>,
    /// The attempts that the test has made fail.
    failed: BTreeSet<(InvocationId, u32)>,
    /// Those that were not told yet.
    frames: Vec<Frame>,
    /// What the last command was answered.
    told: Option<Answer>,
    ended: Option<RunView>,
    sent: u64,
    points: u64,
    restarts: u64,
    /// Whether an event was published at which a clock stands still.
    paused: bool,
    left: Option<Micros>,
}

enum Task {
    Enter(Box<Invoke>),
    Answer(InvocationId, Box<Call>),
}

impl Trial {
    /// Begins a run. Its steps go on with [`Trial::settle`].
    pub(super) async fn begin(services: Arc<Services>, schemas: &Schemas, plan: Plan) -> Result<Trial, Mistake> {
        let loaded = loaded(&services, plan.workflow.as_deref())?;
        let workflow = loaded.workflow.clone();
        let faults = Faults::new(plan.fail, plan.restart_at, &workflow.definition)?;
        let answers = Answers::new(plan.http)?;
        let form = match plan.event {
            Some(event) => Form::start(&event).map_err(unfit)?,
            None => Form { name: None, payload: json::empty() },
        };
        let given = schemas.start(&workflow, form).map_err(|bad| match bad {
            BadStart::Invalid(why) | BadStart::Other(why) => unfit(why),
        })?;
        let event = services.validated(&workflow, given).await?.map_err(unfit)?;
        let max = Limit { name: "state_max", max: workflow.limits.state_max };
        let state = plan.state.map(|state| text::read_object("the state", state.into(), max)).transpose();
        let state = state.map_err(|refused| Mistake::new(refused.message, "a state is a JSON object"))?.unwrap_or_else(json::empty);
        let terms = terms(&loaded, plan.executing_max, plan.variables)?;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&plan.seed.to_le_bytes());
        let started = Started {
            rules: RULES,
            definition: workflow.definition.parts(),
            workflow: workflow.name.clone(),
            handler: HANDLER.to_owned(),
            run: RUN.to_owned(),
            start: event,
            state,
            seed: Started::seed_text(seed),
            timeout: workflow.definition.timeout(),
            additional_events: workflow.additional_events.clone(),
            state_max: Some(workflow.limits.state_max as u64),
        };
        services.store.purge(HANDLER, true).await?;
        let (host, key) = (services.host, services.store.key());
        services.begun.put(key, workflow.clone());
        let fresh = Fresh { host, key, workflow, follows: Follows::Any, started, idempotency: None, awaited: false };
        let now = Now { at: BEGINNING, alive: ALIVE_FIRST };
        let (worker, outputs) = Worker::begin(fresh, now, Some(()));
        let (reporter, reports) = mpsc::unbounded_channel();
        let mut trial = Trial {
            services,
            loaded,
            terms,
            faults,
            answers,
            pause_at: plan.pause_at,
            patience: plan.patience,
            internal: plan.internal,
            worker,
            now,
            guests: Guests::default(),
            reports,
            reporter,
            tasks: VecDeque::new(),
            steps: BTreeMap::new(),
            tried: BTreeMap::new(),
            open: BTreeMap::new(),
            requests: Vec::new(),
            failed: BTreeSet::new(),
            frames: Vec::new(),
            told: None,
            ended: None,
            sent: 0,
            points: 0,
            restarts: 0,
            paused: false,
            left: None,
        };
        trial.carry_out(outputs).await?;
        Ok(trial)
    }

    /// Takes an event from outside, checked as a server does.
    pub(super) async fn send(&mut self, schemas: &Schemas, sending: Sending) -> Result<(), Mistake> {
        let workflow = self.loaded.workflow.clone();
        let Form { name, payload } = Form::sent(&sending.event).map_err(unfit)?;
        let name = name.unwrap_or_default();
        let target = Target { step: sending.step, invocation: sending.invocation };
        forms::check(&workflow, &name, &target)?;
        let given = schemas.event(&workflow, name, payload).map_err(unfit)?;
        let event = self.services.validated(&workflow, given).await?.map_err(unfit)?;
        self.sent += 1;
        let id = format!("event-{}", self.sent);
        self.command(Command::Send { id, event, target, idempotency: None, reply: () }).await
    }

    /// Ends it on request.
    pub(super) async fn cancel(&mut self) -> Result<(), Mistake> {
        self.command(Command::Cancel { reply: () }).await
    }

    async fn command(&mut self, command: Command<()>) -> Result<(), Mistake> {
        if self.ended.is_some() {
            return Err(Mistake::new("the run has ended", r#"`{"do":"start","event":{…}}` starts another"#));
        }
        self.told = None;
        let outputs = self.worker.command(self.now, command);
        self.carry_out(outputs).await?;
        match self.told.take() {
            Some(Err(refusal)) => Err(refusal.into()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Moves the clock on. What comes due on the way happens in its order; at an event of a type at which it is to stand
    /// still it does, once no step can go on.
    pub(super) async fn advance(&mut self, time: Duration) -> Result<(), Mistake> {
        let end = self.now.at.saturating_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        self.left = None;
        self.alarms(Some(end)).await?;
        if self.paused {
            self.left = Some(end.saturating_sub(self.now.at));
        } else {
            self.move_to(end);
        }
        Ok(())
    }

    /// Moves the clock on to alarm after alarm, until the run has ended or only an event helps.
    pub(super) async fn finish(&mut self) -> Result<(), Mistake> {
        self.left = None;
        self.alarms(None).await
    }

    async fn alarms(&mut self, end: Option<Micros>) -> Result<(), Mistake> {
        let mut alarms = 0;
        self.paused = false;
        while let Some(due) = self.due().filter(|due| end.is_none_or(|end| *due <= end))
            && !self.paused
        {
            alarms += 1;
            if alarms > self.patience {
                let message = format!("the run goes on and on: something came due {} times", self.patience);
                return Err(Mistake::new(message, "what is due in it is due again and again: move the clock by less"));
            }
            self.move_to(due);
            let outputs = self.worker.due(self.now);
            self.carry_out(outputs).await?;
            self.settle().await?;
        }
        Ok(())
    }

    /// When the next is due that is; both clocks go on together.
    fn due(&self) -> Option<Micros> {
        let wake = self.worker.wake();
        let alive = wake.alive.map(|alive| self.now.at.saturating_add(alive.saturating_sub(self.now.alive)));
        wake.at.into_iter().chain(alive).min().filter(|_| self.ended.is_none()).map(|due| due.max(self.now.at))
    }

    fn move_to(&mut self, at: Micros) {
        let passed = at.saturating_sub(self.now.at);
        self.now = Now { at: self.now.at + passed, alive: self.now.alive.saturating_add(passed) };
    }

    /// Lets one step after the other go on, until none can.
    pub(super) async fn settle(&mut self) -> Result<(), Mistake> {
        let last = self.points.saturating_add(self.patience);
        while let Some(task) = self.tasks.pop_front() {
            let invocation = match task {
                Task::Enter(invoke) => self.enter(*invoke),
                Task::Answer(invocation, call) => {
                    self.guests.answer(invocation, *call);
                    invocation
                }
            };
            while self.guests.computes(invocation) {
                let Some(report) = self.reports.recv().await else { break };
                self.hear(report).await?;
            }
            if self.points > last {
                let message = format!("the run goes on and on: its steps reported {} times, and no time passed", self.patience);
                return Err(Mistake::new(message, "it has a loop that nothing ends"));
            }
        }
        Ok(())
    }

    fn enter(&mut self, invoke: Invoke) -> InvocationId {
        let Invoke { invocation, attempt, .. } = invoke;
        let step = invoke.step.to_string();
        self.steps.insert(invocation, step.clone());
        self.tried.entry((invocation, attempt)).or_insert(Tried { step, invocation, attempt, failure: None });
        self.open.remove(&invocation);
        let component = self.loaded.components[invoke.component].clone();
        let info = self.worker.info().clone();
        let entry = self.services.runtime.enter(component, invoke, self.now.at, info, self.terms.clone(), self.reporter.clone());
        self.guests.entered(invocation, entry);
        invocation
    }

    async fn hear(&mut self, report: Report) -> Result<(), Mistake> {
        match report {
            Report::Read { query, mut own, reply, .. } => {
                let answer = self.worker.query(&query, &mut own);
                // A guest that is gone meanwhile needs no answer.
                let _ = reply.send((answer, own));
            }
            Report::Logged { invocation, attempt, line } => {
                self.services.store.log(self.worker.key(), vec![row(invocation, attempt, line)]).await?;
            }
            Report::Asked { question, reply, .. } => {
                let answer = self.answers.answer(&question);
                self.requests.push(question);
                let _ = reply.send(answer);
            }
            Report::Leaves { invocation, attempt, reply } => {
                self.guests.leaves(invocation, reply);
                self.worker.leave(invocation, attempt);
                let outputs = self.worker.outputs();
                self.carry_out(outputs).await?;
            }
            report => {
                if let Some(heard) = self.guests.hear(report, &self.worker) {
                    self.point(heard).await?;
                }
            }
        }
        Ok(())
    }

    /// What a step reports for the journal.
    async fn point(&mut self, mut report: machine::Report) -> Result<(), Mistake> {
        let machine::Report { invocation, attempt, .. } = report;
        self.note_answers(&report);
        report.what = match report.what {
            Reported::Returned { calls, commit, events, usage } => match self.faults.of(invocation, attempt, &self.steps) {
                Some(failure) => {
                    self.failed.insert((invocation, attempt));
                    Reported::Failed { calls, failure, usage }
                }
                None => Reported::Returned { calls, commit, events, usage },
            },
            what => what,
        };
        if let (Reported::Failed { failure, .. }, Some(tried)) = (&report.what, self.tried.get_mut(&(invocation, attempt))) {
            tried.failure = Some(Why { kind: failure.kind.clone(), message: failure.message.clone() });
        }
        self.worker.hear(self.now, report);
        if !self.worker.is_live(invocation) {
            self.guests.ended(invocation);
        }
        let outputs = self.worker.outputs();
        self.carry_out(outputs).await?;
        self.points += 1;
        if self.faults.restarts_at(self.points, !self.open.is_empty()) {
            self.restart_now().await?;
        }
        Ok(())
    }

    /// Takes note of the answers of the outside that are still to be read.
    fn note_answers(&mut self, report: &machine::Report) {
        let Reported::Progressed { calls, .. } = &report.what else {
            self.open.remove(&report.invocation);
            return;
        };
        let mut open = self.open.remove(&report.invocation).unwrap_or_default();
        for call in calls {
            match &call.function {
                Function::Request { answer: Response::Head(_), .. } => {
                    open.insert(call.ordinal);
                }
                Function::Read { request, answer: Chunk::End | Chunk::Failed(_) } => {
                    open.remove(request);
                }
                _ => (),
            }
        }
        if !open.is_empty() {
            self.open.insert(report.invocation, open);
        }
    }

    async fn carry_out(&mut self, outputs: Vec<Output<()>>) -> Result<(), Mistake> {
        let store = self.services.store.clone();
        let mut left = VecDeque::from(outputs);
        while let Some(output) = left.pop_front() {
            match output {
                Output::Create(new) => left.extend(self.worker.appended(store.create(*new).await.map(drop))),
                Output::Append(append) => left.extend(self.worker.appended(store.append(*append).await)),
                Output::Enter(invoke) => self.tasks.push_back(Task::Enter(invoke)),
                Output::Answer(invocation, call) => self.tasks.push_back(Task::Answer(invocation, call)),
                Output::Leave(invocation) => self.guests.leave(invocation),
                Output::Abort(invocation) => {
                    self.tasks.retain(|task| match task {
                        Task::Enter(invoke) => invoke.invocation != invocation,
                        Task::Answer(other, _) => *other != invocation,
                    });
                    self.open.remove(&invocation);
                    self.guests.abort(invocation);
                }
                Output::Tell((), answer) => self.told = Some(answer),
                Output::Show(frames) => self.show(frames),
                Output::Exit(Exit::Ended(view)) => self.ended = Some(view),
                Output::Exit(exit) => return Err(Mistake::new(format!("the run cannot go on: {exit:?}"), "this is a defect of wf-host")),
                // No other host asks.
                Output::Reply(..) => (),
            }
        }
        Ok(())
    }

    fn show(&mut self, frames: Vec<Frame>) {
        if !self.pause_at.is_empty() {
            self.paused |= frames.iter().any(|frame| self.pause_at.contains(&opened(&raw(&frame.envelope)).0));
        }
        self.frames.extend(frames.into_iter().filter(|frame| self.internal || !frame.internal));
    }

    /// Stops the host, and has another go on with what the store has.
    pub(super) async fn restart(&mut self) -> Result<(), Mistake> {
        self.restart_now().await?;
        self.settle().await
    }

    async fn restart_now(&mut self) -> Result<(), Mistake> {
        if self.ended.is_some() {
            return Ok(());
        }
        self.guests = Guests::default();
        self.tasks.clear();
        self.open.clear();
        // What its guests still had to say nobody hears.
        (self.reporter, self.reports) = mpsc::unbounded_channel();
        let services = self.services.clone();
        let claim = services.store.acquire(services.host, RUN, self.now).await?;
        let stored = services.stored(RUN, claim.key).await?;
        if snapshot::take(&stored.run) != snapshot::take(self.worker.run()) {
            let message = format!("after point {} the journal tells of another run than there was", self.points);
            return Err(Mistake::new(message, "this is a defect of wf-host"));
        }
        let workflow = self.loaded.workflow.clone();
        let resumed = Worker::resume(&claim, workflow, stored.run, stored.sizes, false, None, self.now);
        let gone = || Mistake::new("the run is gone", "this is a defect of wf-host");
        let (worker, outputs) = resumed.ok_or_else(gone)?;
        self.worker = worker;
        self.restarts += 1;
        self.carry_out(outputs).await
    }

    /// How it stands, with what was published since this was told last.
    pub(super) fn standing(&mut self) -> Standing {
        let seconds = |micros: Micros| micros as f64 / 1e6;
        let mut standing = Standing {
            status: "running",
            now: seconds(self.now.at - BEGINNING),
            next: self.due().map(|due| seconds(due - self.now.at)),
            left: self.left.take().map(seconds),
            waits: self.worker.run().awaits(),
            events: std::mem::take(&mut self.frames).iter().map(|frame| raw(&frame.envelope)).collect(),
            result: None,
            stop: None,
            failure: None,
            points: self.points,
            restarts: self.restarts,
        };
        match self.ended.as_ref().map(|view| &view.status) {
            None | Some(RunStatus::Running) => (),
            Some(RunStatus::Completed(envelope)) => {
                let stop = raw(envelope);
                (standing.status, standing.result, standing.stop) = ("completed", Some(result(&stop)), Some(stop));
            }
            Some(RunStatus::Failed(message)) => (standing.status, standing.failure) = ("failed", Some(message.clone())),
            Some(RunStatus::Cancelled) => standing.status = "cancelled",
        }
        standing
    }

    /// The committed state.
    pub(super) fn state(&self) -> Json {
        self.worker.run().state()
    }

    /// What its steps have written, in the order of time.
    pub(super) async fn log(&self) -> Result<Vec<Line>, Mistake> {
        let mut rows = self.services.store.logs(RUN).await?;
        rows.sort_by_key(|row| row.at);
        let step = |invocation: InvocationId| self.steps.get(&invocation).cloned().unwrap_or_default();
        Ok(rows.into_iter().map(|row| (step(row.invocation), row)).map(|(step, row)| Line::of(row, step)).collect())
    }

    /// The requests that its steps have made, in order.
    pub(super) fn requests(&self) -> Vec<Asked> {
        self.requests.iter().map(Asked::from).collect()
    }

    /// Runs its finished attempts again: whether they do what they did.
    pub(super) async fn replay(&self) -> Result<Replayed, Mistake> {
        again::replay(&self.services, RUN, &self.loaded.workflow, &self.failed).await
    }

    /// The attempts that were begun.
    pub(super) fn attempts(&self) -> Vec<Tried> {
        self.tried.values().cloned().collect()
    }
}

/// The workflow that a test means.
fn loaded(services: &Services, name: Option<&str>) -> Result<Loaded, Mistake> {
    let names: Vec<String> = services.registry.workflows().iter().map(|it| it.name.clone()).collect();
    let all = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let name = match (name, &names[..]) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) => {
            return Err(Mistake::new("there are several workflows, and `start` names none", format!("`workflow` is one of {all}")));
        }
    };
    let unknown = || Mistake::new(format!("there is no workflow `{name}`"), format!("there are {all}"));
    services.registry.loaded(name).ok_or_else(unknown)
}

/// What its steps may use, and reach: nothing outside.
fn terms(loaded: &Loaded, executing_max: Option<f64>, variables: BTreeMap<String, String>) -> Result<Terms, Mistake> {
    let mut limits = Limits::clone(&loaded.workflow.limits);
    if let Some(seconds) = executing_max {
        let wrong = |_| Mistake::new(format!("`executing_max` cannot be {seconds} seconds"), "give a number from 0 on");
        limits.executing_max = Duration::try_from_secs_f64(seconds).map_err(wrong)?;
    }
    let mut grants = Grants::clone(&loaded.workflow.grants.now());
    Arc::make_mut(&mut grants.variables).extend(variables);
    Ok(Terms { limits: Arc::new(limits), grants: Arc::new(grants), watched: false, answered: true })
}

fn unfit(why: String) -> Mistake {
    Mistake::new(format!("the event does not fit: {why}"), "`wf-host inspect` shows the fields of every event")
}
