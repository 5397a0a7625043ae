//! One run in memory: one input at a time, apply, append, carry out.
//!
//! Nothing that the outside can see leaves before the entries behind it are durable. Guests may go
//! on before that, because a crash only makes them compute the same again.

mod pause;
mod way;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use wf_engine::attempt::{Query, ReadAnswer, RunInfo};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Event, Forked, Input, InvocationId, Micros, Started};
use wf_engine::run::Run;
use wf_engine::state::Overlay;
use wf_engine::text;

use super::messages::{Copied, Exit, Fresh, FreshFork, Output, Report, Reported, Unbegun};
use super::rows::{entry_row, failure_row, frame_rows, preview};
use super::timers::Timers;
use super::{Answer, Command, letters};
use crate::model::{Frame, Idempotency, Refusal, RunView, Target, Workflow};
use crate::store::{
    self, Append, Claim, CommandId, EntryRow, Follows, FrameRow, IdempotencyRow, LogRow, Made, NewRun, Now, RunKey, SentCommand,
};

/// Keys of accepted events that are kept in memory.
const KEYS_MAX: usize = 1_000;
/// What a host is told whose command this one cannot read.
const UNREADABLE: &str = "the host that has the run is another build of wf-host, and cannot read what was asked";

/// A run in memory.
pub struct Worker<T> {
    key: RunKey,
    generation: u64,
    workflow: Arc<Workflow>,
    info: Arc<RunInfo>,
    run: Run,
    /// As the outside sees it, once it has ended.
    ended: Option<RunView>,
    /// What it is to begin with, while it queues for its workflow's turn.
    queues: Option<Box<Unbegun>>,
    /// The instances that work on it, by invocation, with their attempts.
    live: BTreeMap<InvocationId, u32>,
    timers: Timers,
    /// The appends under way, in their order.
    held: VecDeque<Held<T>>,
    /// How much of them is under way, in bytes.
    under_way: usize,
    /// The keys of events that were accepted while it was in memory.
    keys: HashMap<String, [u8; 32]>,
    /// The commands that were in the store when it last looked: it has taken each of them.
    letters: HashSet<CommandId>,
    /// Entries since the last snapshot, and that snapshot, in bytes.
    since_snapshot: usize,
    snapshot: usize,
    awaited: bool,
    attended: bool,
    /// Who is entered once it is durable that the run goes on after its owner was lost.
    resuming: Option<Vec<Invoke>>,
    abandoned: bool,
    /// The next append that is told of is its creation.
    created_next: bool,
    /// That may tell that it has to queue.
    may_queue: bool,
    /// Something was stored while it was in memory.
    went_well: bool,
    stopping: bool,
    left: bool,
    /// Since when it is paused, on the clock that stands while no host is up.
    paused_since: Option<Micros>,
    outputs: Vec<Output<T>>,
    gathered: Gathered,
}

/// What goes into the next append.
#[derive(Default)]
struct Gathered {
    /// Their first and last number, and the time of the last.
    place: Option<(u64, u64, Micros)>,
    rows: Vec<EntryRow>,
    frames: Vec<FrameRow>,
    logs: Vec<LogRow>,
    /// Somebody waits for it.
    waited: bool,
}

/// What must not leave before an append is durable.
#[derive(Debug)]
struct Held<T> {
    size: usize,
    frames: Vec<Frame>,
    answers: Vec<(Asker<T>, Answer)>,
    /// Attempts that have something to say to the outside.
    leaving: Vec<(InvocationId, u32)>,
    /// Answered with the append itself.
    letter: Option<CommandId>,
}

/// Who is told how it went.
#[derive(Debug)]
enum Asker<T> {
    Here(T),
    /// Whoever has left the command. As long as it is not answered, it stays: for the next worker, if not for this.
    Letter(CommandId),
}

/// A worker, and what is to be done first.
pub type Begun<T> = (Worker<T>, Vec<Output<T>>);

impl<T> Worker<T> {
    /// A run that begins. `reply`: told once it is durable.
    pub fn begin(fresh: Fresh, now: Now, reply: Option<T>) -> Begun<T> {
        let Fresh { host, key, workflow, follows, started, idempotency, awaited } = fresh;
        let run = Run::new(workflow.definition.clone());
        let mut worker = Worker::new(key, 1, workflow, &started, run);
        (worker.awaited, worker.created_next) = (awaited, true);
        worker.may_queue = worker.workflow.limits.runs_max.is_some();
        let preview = preview(&started.start);
        let definition = worker.workflow.digests();
        let entry = worker.run.entry(now.at, now.alive, Input::Started(Box::new(started)));
        let effects = worker.run.apply(&entry);
        worker.set_timers(&effects);
        let frames = frame_rows(&worker.workflow, &effects);
        worker.note_end(&frames);
        let new = NewRun {
            key,
            host,
            run: worker.info.run.clone(),
            handler: worker.info.handler.clone(),
            follows,
            workflow: worker.workflow.name.clone(),
            definition,
            started_at: entry.at,
            preview,
            entries: vec![entry_row(&entry)],
            frames,
            copied: 0,
            logs: Vec::new(),
            standing: worker.standing(entry.at),
            runs_max: worker.workflow.limits.runs_max,
            idempotency: idempotency.map(|Idempotency { key, body }| IdempotencyRow {
                scope: store::start_scope(&worker.workflow.name),
                key,
                body,
                made: Made::Run(worker.info.run.clone()),
            }),
            waited: reply.is_some() || worker.awaited && !worker.run.is_running(),
        };
        worker.hold(new.size(), &new.frames, reply.map(Asker::Here));
        worker.outputs.push(Output::Create(Box::new(new)));
        // It may have to queue: nobody enters a step of it before that is known.
        worker.resuming = worker.awaits_turn().then(Vec::new);
        worker.perform(effects);
        let outputs = worker.outputs();
        (worker, outputs)
    }

    /// A fork that begins. `reply`: told once it is durable. Refused where it takes the event no more that comes next.
    pub fn begin_fork(fork: FreshFork, now: Now, reply: T) -> Result<Begun<T>, (Refusal, T)> {
        let FreshFork { host, key, workflow, mut run, copied, forked, event, definition, row } = fork;
        let Copied { mut entries, mut frames, logs } = copied;
        let mut effects = Vec::new();
        let mut updated_at = now.at;
        let event = event.map(|(id, event)| Input::EventReceived { id, event, step: None, invocation: None });
        for input in std::iter::once(Input::Forked(Box::new(forked))).chain(event) {
            if let Input::EventReceived { event, .. } = &input
                && let Some(refusal) = run.refuses(event, None, None)
            {
                return Err((refusal.into(), reply));
            }
            let entry = run.entry(now.at, now.alive, input);
            effects.extend(run.apply(&entry));
            entries.push(entry_row(&entry));
            updated_at = entry.at;
        }
        let Some(started) = run.started().cloned() else { return Err((Refusal::NotFound, reply)) };
        let copied = frames.len();
        let mut worker = Worker::new(key, 1, workflow, &started, run);
        worker.created_next = true;
        worker.may_queue = worker.workflow.limits.runs_max.is_some();
        worker.since_snapshot = entries.iter().map(|it| it.bytes.len()).sum();
        worker.set_timers(&effects);
        let more = frame_rows(&worker.workflow, &effects);
        worker.note_end(&more);
        frames.extend(more);
        let new = NewRun {
            key,
            host,
            run: worker.info.run.clone(),
            handler: worker.info.handler.clone(),
            follows: Follows::Any,
            workflow: worker.workflow.name.clone(),
            definition,
            started_at: worker.run.started_at(),
            preview: preview(&started.start),
            entries,
            frames,
            copied,
            logs,
            standing: worker.standing(updated_at),
            runs_max: worker.workflow.limits.runs_max,
            idempotency: Some(row),
            waited: true,
        };
        worker.hold(new.size(), &[], Some(Asker::Here(reply)));
        worker.outputs.push(Output::Create(Box::new(new)));
        if worker.awaits_turn() {
            worker.resuming = Some(Vec::new());
        }
        worker.perform(effects);
        let outputs = worker.outputs();
        Ok((worker, outputs))
    }

    /// A run that was loaded. What was executing is resumed; one that only waits is told nothing.
    /// `abandoned`: its owner was lost; `on_thread`: who was on a thread then, where that is known;
    /// `loaded`: how much was read, as the bytes of a snapshot and of the entries after it.
    pub fn resume(
        claim: &Claim,
        workflow: Arc<Workflow>,
        run: Run,
        loaded: (usize, usize),
        abandoned: bool,
        on_thread: Option<Vec<InvocationId>>,
        now: Now,
    ) -> Option<(Worker<T>, Vec<Output<T>>)> {
        let started = run.started()?.clone();
        let mut worker = Worker::new(claim.key, claim.generation, workflow, &started, run);
        (worker.snapshot, worker.since_snapshot) = loaded;
        worker.abandoned = abandoned;
        for (timer, due) in worker.run.timers() {
            worker.timers.set(timer, due);
        }
        if worker.run.needs_resume() {
            worker.resuming = Some(Vec::new());
            worker.input(now, Input::Resumed { planned: !abandoned, on_thread }, Extra::default());
        }
        let outputs = worker.outputs();
        Some((worker, outputs))
    }

    /// A run that is stored, and has not begun. It begins now, unless it still queues: then it is only there for what
    /// is asked of it.
    pub fn unbegun(claim: &Claim, workflow: Arc<Workflow>, run: Run, unbegun: Unbegun, now: Now) -> (Worker<T>, Vec<Output<T>>) {
        let mut worker = Worker::new(claim.key, claim.generation, workflow, &unbegun.started, run);
        if unbegun.queues {
            worker.queues = Some(Box::new(unbegun));
        } else {
            let (copied, inputs) = unbegun.beginning();
            worker.gather_copied(copied);
            inputs.into_iter().for_each(|input| worker.input(now, input, Extra::default()));
        }
        let outputs = worker.outputs();
        (worker, outputs)
    }

    fn new(key: RunKey, generation: u64, workflow: Arc<Workflow>, started: &Started, run: Run) -> Worker<T> {
        Worker {
            key,
            generation,
            workflow,
            info: Arc::new(info(started)),
            run,
            queues: None,
            ended: None,
            live: BTreeMap::new(),
            timers: Timers::default(),
            held: VecDeque::new(),
            under_way: 0,
            keys: HashMap::new(),
            letters: HashSet::new(),
            since_snapshot: 0,
            snapshot: 0,
            awaited: false,
            attended: false,
            resuming: None,
            abandoned: false,
            created_next: false,
            may_queue: false,
            went_well: false,
            stopping: false,
            left: false,
            paused_since: None,
            outputs: Vec::new(),
            gathered: Gathered::default(),
        }
    }

    /// Its workflow, as it is pinned to it.
    pub fn workflow(&self) -> &Arc<Workflow> {
        &self.workflow
    }

    /// The run, as it is in memory.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// What its guests may know of it.
    pub fn info(&self) -> &Arc<RunInfo> {
        &self.info
    }

    /// Its key in the store.
    pub fn key(&self) -> RunKey {
        self.key
    }

    /// Whether it is not known yet whether it begins or has to queue: until then it is told of nothing else.
    pub fn awaits_turn(&self) -> bool {
        self.created_next && self.may_queue
    }

    /// Whether it has not begun, and is only there for what was asked of it.
    pub fn queues(&self) -> bool {
        self.queues.is_some()
    }

    /// How much of it is on its way to the store, in bytes: while it is much, guests wait.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    /// Whether only a command or its time can move it.
    pub fn is_idle(&self) -> bool {
        !self.left && !self.stopping && self.live.is_empty() && self.held.is_empty()
    }

    /// As it leaves memory while it [is idle](Worker::is_idle).
    pub fn parked(&self) -> Exit {
        Exit::Parked(self.release())
    }

    /// Says whether somebody reads its stream: then frames are synced at once.
    pub fn attend(&mut self, attended: bool) {
        self.attended = attended;
    }

    /// Answers a question about the state.
    pub fn query(&self, query: &Query, own: &mut Overlay) -> Result<ReadAnswer, text::Refused> {
        self.run.query(query, own)
    }

    /// Whether an instance works for an invocation, for any of its attempts.
    pub fn is_live(&self, invocation: InvocationId) -> bool {
        self.live.contains_key(&invocation)
    }

    /// Whether an instance works for this attempt: what others report is late.
    fn works_for(&self, invocation: InvocationId, attempt: u32) -> bool {
        self.live.get(&invocation) == Some(&attempt)
    }

    /// Takes a command.
    pub fn command(&mut self, now: Now, command: Command<T>) -> Vec<Output<T>> {
        if self.stopping || self.left {
            self.tell(Asker::Here(command.reply()), Err(Refusal::stopping()));
        } else {
            self.obey(now, command.asked_by(Asker::Here));
        }
        self.outputs()
    }

    /// Takes the commands that other hosts have left for it: all that are in the store now, also those that it has
    /// taken before and not answered yet.
    pub fn letters(&mut self, now: Now, sent: Vec<SentCommand>) -> Vec<Output<T>> {
        if self.stopping || self.left {
            return Vec::new();
        }
        // What is not there any more does not come back, so no more need be known than what is there.
        let there = sent.iter().map(|it| it.0).collect();
        let taken = std::mem::replace(&mut self.letters, there);
        for (id, bytes) in sent.into_iter().filter(|it| !taken.contains(&it.0)) {
            match letters::read_command(&bytes) {
                Some(command) => self.obey(now, command.asked_by(|()| Asker::Letter(id))),
                None => self.tell(Asker::Letter(id), Err(Refusal::Unavailable(UNREADABLE.to_owned()))),
            }
        }
        self.outputs()
    }

    fn obey(&mut self, now: Now, command: Command<Asker<T>>) {
        if let Some(unbegun) = self.queues.take() {
            match command {
                Command::Cancel { reply } => self.cancel_unbegun(now, *unbegun, reply),
                Command::Send { reply, .. } => {
                    self.queues = Some(unbegun);
                    self.tell(reply, Err(Refusal::Queued));
                }
            }
            return;
        }
        if !self.run.is_running() {
            // That it has ended must not be known before it is durable.
            return self.tell_once_durable(command.reply(), Err(Refusal::AlreadyCompleted));
        }
        match command {
            Command::Send { id, event, target, idempotency, reply } => self.send(now, id, event, target, idempotency, reply),
            Command::Cancel { reply } => self.input(now, Input::CancelRequested, Extra { reply: Some(reply), ..Extra::default() }),
        }
    }

    fn send(&mut self, now: Now, id: String, event: Event, target: Target, idempotency: Option<Idempotency>, reply: Asker<T>) {
        // The store was asked before; a repeat may have come in between.
        match idempotency.as_ref().and_then(|it| Some(self.keys.get(&it.key)? == &it.body)) {
            Some(true) => return self.tell_once_durable(reply, Ok(self.view())),
            Some(false) => return self.tell_once_durable(reply, Err(Refusal::KeyReused)),
            None => (),
        }
        let Target { step, invocation } = target;
        if let Some(refusal) = self.run.refuses(&event, step.as_deref(), invocation) {
            return self.tell_once_durable(reply, Err(refusal.into()));
        }
        // The store knows of them all; here they only save a failed append.
        if self.keys.len() >= KEYS_MAX {
            self.keys.clear();
        }
        self.keys.extend(idempotency.clone().map(|it| (it.key, it.body)));
        let row = idempotency.map(|Idempotency { key, body }| {
            let scope = store::event_scope(&self.info.handler);
            IdempotencyRow { scope, key, body, made: Made::Event(id.clone()) }
        });
        let extra = Extra { reply: Some(reply), idempotency: row, log: None };
        self.input(now, Input::EventReceived { id, event, step, invocation }, extra);
    }

    /// Takes a guest's report, whose [outputs](Worker::outputs) are for the caller to take: those of several, together.
    /// One that is late changes nothing.
    pub fn hear(&mut self, now: Now, report: Report) {
        let Report { invocation, attempt, what } = report;
        if self.left || self.stopping || !self.works_for(invocation, attempt) {
            return;
        }
        match what {
            Reported::Progressed { calls, commit, usage } => {
                // An instance that suspends is gone already.
                if calls.last().is_some_and(|call| call.function.suspends()) {
                    self.live.remove(&invocation);
                }
                self.input(now, Input::StepProgressed { invocation, attempt, calls, commit, usage }, Extra::default());
            }
            Reported::Returned { calls, commit, events, usage } => {
                self.live.remove(&invocation);
                self.input(now, Input::StepReturned { invocation, attempt, calls, commit, events, usage }, Extra::default());
            }
            Reported::Failed { calls, failure, usage } => {
                self.live.remove(&invocation);
                let log = Some(failure_row(invocation, attempt, now.at, &failure));
                self.input(now, Input::StepFailed { invocation, attempt, calls, failure, usage }, Extra { log, ..Extra::default() });
            }
        }
    }

    /// An attempt has something to say to the outside: it may once all before it is durable. One that is late never may.
    pub fn leave(&mut self, invocation: InvocationId, attempt: u32) {
        if self.left || self.stopping || !self.works_for(invocation, attempt) {
            return;
        }
        self.gathered.waited = true;
        self.append_gathered();
        match self.held.back_mut() {
            Some(held) => held.leaving.push((invocation, attempt)),
            None => self.outputs.push(Output::Leave(invocation)),
        }
    }

    /// What is to be done since this was last asked; the entries since then are stored together.
    pub fn outputs(&mut self) -> Vec<Output<T>> {
        self.append_gathered();
        std::mem::take(&mut self.outputs)
    }

    /// Fires what is due.
    pub fn due(&mut self, now: Now) -> Vec<Output<T>> {
        while !self.left
            && !self.stopping
            && !self.awaits_turn()
            && let Some(timer) = self.timers.take(self.counted(now))
        {
            self.input(now, Input::TimerFired { timer }, Extra::default());
        }
        self.outputs()
    }

    /// Takes note of how the first of the appends under way went.
    pub fn appended(&mut self, result: store::Result<()>) -> Vec<Output<T>> {
        if self.left {
            return Vec::new();
        }
        match result {
            Ok(()) => self.durable(),
            Err(error) => self.broken(error),
        }
        self.outputs()
    }

    /// Takes note that it is stored, and has to queue: whoever asked for it is told, and it leaves.
    pub fn queued(&mut self) -> Vec<Output<T>> {
        if !self.left {
            let answers = self.held.pop_front().map(|held| held.answers).unwrap_or_default();
            answers.into_iter().for_each(|(reply, answer)| self.tell(reply, answer));
            self.exit(Exit::Queued);
        }
        self.outputs()
    }

    /// Leaves: another owner has taken the run, and nothing of this one will be stored.
    pub fn overtaken(&mut self) -> Vec<Output<T>> {
        if !self.left {
            self.broken(store::Error::Stale);
        }
        self.outputs()
    }

    /// Brings it to a durable point, and ends.
    pub fn stop(&mut self) -> Vec<Output<T>> {
        if !self.left && !self.stopping {
            self.stopping = true;
            self.abort_all();
            self.resuming = self.resuming.take().map(|_| Vec::new());
            self.leave_if_over();
        }
        self.outputs()
    }
}

impl Worker<()> {
    /// What is to be added to a copy of a run's journal, so that it is a run of its own; none: it has not begun. Nobody
    /// enters a step of it here: whoever claims it does.
    pub fn fork(workflow: Arc<Workflow>, run: Run, forked: Forked, now: Now) -> Option<Append> {
        let started = run.started()?.clone();
        let mut worker = Worker::<()>::new(RunKey(0), 0, workflow, &started, run);
        worker.resuming = Some(Vec::new());
        worker.input(now, Input::Forked(Box::new(forked)), Extra::default());
        worker.added()
    }

    /// What is to be added to a copy of a run's journal, so that it has ended; none: it has not begun, or has ended.
    pub fn cancelled(workflow: Arc<Workflow>, run: Run, now: Now) -> Option<Append> {
        let started = run.started()?.clone();
        if !run.is_running() {
            return None;
        }
        let mut worker = Worker::<()>::new(RunKey(0), 0, workflow, &started, run);
        worker.input(now, Input::CancelRequested, Extra::default());
        worker.added()
    }

    fn added(mut self) -> Option<Append> {
        self.outputs().into_iter().find_map(|output| if let Output::Append(append) = output { Some(*append) } else { None })
    }
}

impl<T> Asker<T> {
    fn letter(&self) -> Option<CommandId> {
        match self {
            Asker::Here(_) => None,
            Asker::Letter(letter) => Some(*letter),
        }
    }
}

fn info(started: &Started) -> RunInfo {
    RunInfo { run: started.run.clone(), handler: started.handler.clone(), workflow: started.workflow.clone(), seed: started.seed_bytes() }
}

/// What goes with an entry.
struct Extra<T> {
    reply: Option<Asker<T>>,
    idempotency: Option<IdempotencyRow>,
    log: Option<LogRow>,
}

impl<T> Default for Extra<T> {
    fn default() -> Extra<T> {
        Extra { reply: None, idempotency: None, log: None }
    }
}
