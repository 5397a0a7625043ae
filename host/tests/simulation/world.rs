//! A host's shell, its store, its guests and its clients, all by chance; and what must hold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use wf_engine::definition::Definition;
use wf_engine::effect::{Due, Effect};
use wf_engine::entry::{Entry, Event, Input, InvocationId, Micros, Part, RULES, Started};
use wf_engine::json::to_json;
use wf_engine::run::Run;
use wf_engine::{journal, snapshot};
use wf_host::machine::{Action, Command, Exit, Fresh, Identity, Output, Owners, Worker, letters};
use wf_host::model::{Idempotency, Limits, Refusal, RunStatus, Target, Workflow};
use wf_host::store::{self, Append, Claim, CommandId, HostId, Made, Memory, NewRun, Now, Purged, Release, RunsQuery, Store, start_scope};

use crate::client::{Asked, Ledger, Reply, Told};
use crate::guest::{Guest, Move, manifest, script};

const HANDLERS: usize = 6;
/// More turns to rest, or happenings in one of them, than any world needs.
const TURNS_MAX: usize = 2_000;
const HAPPENINGS_MAX: usize = 200_000;

pub struct World {
    chance: ChaCha8Rng,
    workflows: [Arc<Workflow>; 2],
    store: Memory,
    host: HostId,
    /// Asked of the store and not done: a crash forgets them.
    writes: VecDeque<Write>,
    /// Done, and not told yet.
    done: Vec<Done>,
    /// Ticks in which the store does nothing.
    stalled: usize,
    owners: Owners<Reply>,
    live: BTreeMap<Identity, Live>,
    loads: Vec<(String, Identity, Claim)>,
    /// A claim failed, or a release did: what it left is looked for.
    lost_sight: bool,
    /// Workers that were told that they have mail.
    bells: BTreeSet<Identity>,
    ledger: Ledger,
    /// What another host has asked through the store: the number of its event, none for a cancel.
    letters: BTreeMap<CommandId, (String, Option<u64>)>,
    /// Handlers that somebody has asked to purge.
    purged: BTreeSet<String>,
    stopping: bool,
    kind: bool,
    at: Micros,
    alive: Micros,
    numbers: u64,
    /// How many there were.
    appends: usize,
}

struct Live {
    /// Of this worker: one that comes after it has the same place, and hears nothing of its appends.
    number: u64,
    run: String,
    worker: Worker<Reply>,
    guests: BTreeMap<InvocationId, Guest>,
}

enum Write {
    Create(u64, Box<NewRun>),
    Append(u64, Box<Append>),
    Acquire(String, Identity),
    Claim,
    Release(Release),
    Reply(CommandId, Vec<u8>),
    Purge(String),
}

enum Done {
    Appended(u64, store::Result<()>),
    Acquired(String, Identity, store::Result<Claim>),
    Claimed(store::Result<Vec<Claim>>),
    Released(store::Result<()>),
    Replied,
    Purged(store::Result<Purged>),
}

/// What goes wrong with a write.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Fails,
    /// It is stored, and an error is told.
    Lies,
}

fn now<T>(future: BoxFuture<'_, T>) -> T {
    future.now_or_never().expect("a store in memory answers at once")
}

fn part() -> Part {
    Part { component: "d".into(), data: None }
}

fn workflow(name: &str, timeout: Option<f64>) -> Arc<Workflow> {
    let manifest = serde_json::from_value(manifest(timeout)).expect("a manifest");
    let definition = Arc::new(Definition::new(vec![(part(), manifest)]));
    Arc::new(Workflow {
        name: name.into(),
        definition,
        additional_events: vec!["Answer".into()],
        components: Vec::new(),
        limits: Arc::new(Limits::default()),
    })
}

impl World {
    pub fn new(seed: u64) -> World {
        let store = Memory::default();
        let host = now(store.join(Now::default())).expect("a host");
        let mut owners = Owners::default();
        owners.open();
        World {
            chance: ChaCha8Rng::seed_from_u64(seed),
            workflows: [workflow("play", None), workflow("timed", Some(20.0))],
            store,
            host,
            writes: VecDeque::new(),
            done: Vec::new(),
            stalled: 0,
            owners,
            live: BTreeMap::new(),
            loads: Vec::new(),
            lost_sight: false,
            bells: BTreeSet::new(),
            ledger: Ledger::default(),
            letters: BTreeMap::new(),
            purged: BTreeSet::new(),
            stopping: false,
            kind: false,
            at: 1_000_000,
            alive: 0,
            numbers: 0,
            appends: 0,
        }
    }

    /// Something happens.
    pub fn tick(&mut self) {
        let passed = 1 + self.up_to(150_000) as u64;
        self.pass(passed);
        match self.up_to(100) {
            0 => self.crash(),
            1 if !self.stopping => {
                self.stopping = true;
                let actions = self.owners.stop();
                self.act(actions);
            }
            2 => self.panic(),
            3 => self.stalled = self.up_to(30),
            4..=17 => self.client(),
            18..=40 => self.store(),
            41..=58 => self.tell(),
            59..=66 => self.load(),
            67..=70 => self.park(),
            71..=76 => self.wake(),
            77..=79 => self.due(),
            80 => self.look_at_commands(),
            81..=87 => self.answer_bell(),
            _ => self.play(),
        }
        self.restart_once_stopped();
        self.check_places();
    }

    /// Lets everything come to its end, in a kind world.
    pub fn settle(&mut self) {
        self.kind = true;
        self.stalled = 0;
        self.let_pass();
        for (summary, entries) in self.unfinished() {
            let run = self.replayed(&summary.workflow, &entries);
            let awaited: Vec<_> = run.awaited().collect();
            assert!(!run.needs_resume(), "run {} executes by its journal, and nobody has it", summary.run);
            assert_eq!(run.timers().count(), 0, "a timer of run {} is lost", summary.run);
            assert!(!awaited.is_empty(), "run {} waits for nothing, and nothing moves it", summary.run);
        }
        assert_eq!(now(self.store.commanded(self.host)), Ok(Vec::new()), "nobody looks at what another host has asked");
        for (summary, _) in self.unfinished() {
            let reply = self.ledger.ask(Asked::Cancel(summary.run.clone()));
            let action = self.owners.tell(&summary.run, Command::Cancel { reply });
            self.act(action);
        }
        self.let_pass();
        let unfinished: Vec<_> = self.unfinished().into_iter().map(|it| it.0.run).collect();
        assert!(unfinished.is_empty(), "cancelled, and not ended: {unfinished:?}");
        assert!(self.owners.is_empty(), "who has ended has left: {} are there", self.owners.len());
        let received = self.check_journals();
        self.check_answers(&received);
        self.check_letters(&received);
    }

    /// Until nothing happens any more, whatever time passes.
    fn let_pass(&mut self) {
        let (mut quiet, mut turns) = (0, 0);
        // The lease of a host that was killed, and the longest timer, are over by then.
        while quiet < 3 {
            turns += 1;
            assert!(turns < TURNS_MAX, "it comes to no end: {} places, {} of them driven", self.owners.len(), self.live.len());
            let before = self.appends;
            let mut happenings = 0;
            self.pass(if quiet == 0 { 500_000 } else { 25_000_000 });
            for _ in 0..4 {
                self.wake();
                self.look_at_commands();
                while !self.writes.is_empty() || !self.done.is_empty() || !self.loads.is_empty() || !self.bells.is_empty() {
                    happenings += 1;
                    assert!(happenings < HAPPENINGS_MAX, "the store, the loads and the bells come to no end");
                    self.answer_bell();
                    self.store();
                    self.tell();
                    self.load();
                }
                self.due();
                self.park();
                while self.live.values().any(|live| live.guests.values().any(Guest::is_ready)) {
                    self.play();
                }
            }
            self.restart_once_stopped();
            self.check_places();
            quiet = if self.owners.is_empty() && self.appends == before { quiet + 1 } else { 0 };
        }
    }

    fn up_to(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.chance.next_u32() as usize % limit }
    }

    fn now(&self) -> Now {
        Now { at: self.at, alive: self.alive }
    }

    fn pass(&mut self, time: Micros) {
        self.at += time;
        self.alive += time;
        now(self.store.keep_alive(self.host, self.now())).expect("the clock is kept");
    }

    // What the host does.

    fn act(&mut self, actions: impl IntoIterator<Item = Action<Reply>>) {
        for action in actions {
            match action {
                Action::Load { run, identity, claim: None } => self.writes.push_back(Write::Acquire(run, identity)),
                Action::Load { run, identity, claim: Some(claim) } => self.loads.push((run, identity, claim)),
                Action::Notify(identity) => drop(self.bells.insert(identity)),
                Action::Release(claim) => {
                    let wake = store::Wake { at: Some(0), alive: None };
                    self.writes.push_back(Write::Release(Release { run: claim.key, generation: claim.generation, wake }));
                }
                Action::Tell(reply, answer) => reply.tell(answer),
                Action::Forward(..) | Action::Refuse(..) => panic!("no other host owns a run, and each fits"),
            }
        }
    }

    /// A worker looks at its mail.
    fn answer_bell(&mut self) {
        let chosen = self.up_to(self.bells.len());
        let Some(identity) = self.bells.iter().nth(chosen).copied() else { return };
        self.bells.remove(&identity);
        let Some(live) = self.live.get_mut(&identity) else { return };
        let clocks = Now { at: self.at, alive: self.alive };
        let mail = self.owners.mail(&live.run, identity);
        let mut outputs = Vec::new();
        for command in mail.commands {
            outputs.extend(live.worker.command(clocks, command));
        }
        if mail.letters {
            let sent = now(self.store.commands(live.worker.key())).expect("an answer");
            outputs.extend(live.worker.letters(clocks, sent));
        }
        if mail.stop {
            outputs.extend(live.worker.stop());
        }
        self.carry_out(identity, outputs);
    }

    fn carry_out(&mut self, identity: Identity, outputs: Vec<Output<Reply>>) {
        for output in outputs {
            let Some(live) = self.live.get_mut(&identity) else { return };
            match output {
                Output::Create(new) => self.writes.push_back(Write::Create(live.number, new)),
                Output::Append(append) => {
                    self.appends += 1;
                    self.writes.push_back(Write::Append(live.number, append));
                }
                Output::Enter(invoke) => drop(live.guests.insert(invoke.invocation, Guest::enter(*invoke))),
                Output::Answer(invocation, call) => live.guests.get_mut(&invocation).expect("it is live").answered(*call),
                Output::Abort(invocation) => drop(live.guests.remove(&invocation)),
                Output::Tell(reply, answer) => reply.tell(answer),
                Output::Reply(letter, answer) => self.writes.push_back(Write::Reply(letter, answer)),
                Output::Show(frames) => {
                    let stored = now(self.store.last_sequence(&live.run)).expect("an answer");
                    let last = frames.last().expect("frames").sequence;
                    let purged = now(self.store.run(&live.run)).expect("an answer").is_none();
                    assert!(purged || stored >= i64::try_from(last).expect("small"), "a frame is shown that is not durable");
                }
                Output::Exit(exit) => self.leave(identity, &exit),
            }
        }
    }

    fn leave(&mut self, identity: Identity, exit: &Exit) {
        let run = self.live[&identity].run.clone();
        let Some(actions) = self.owners.leave(self.at, &run, identity, exit) else { return };
        self.live.remove(&identity);
        if let Exit::Parked(release) | Exit::Stopped(release) = exit {
            self.writes.push_back(Write::Release(*release));
        }
        self.act(actions);
    }

    /// The store takes some writes.
    fn store(&mut self) {
        if self.stalled > 0 {
            self.stalled -= 1;
            return;
        }
        let fault = match self.up_to(12) {
            0 if !self.kind => Fault::Fails,
            1 if !self.kind => Fault::Lies,
            _ => Fault::None,
        };
        for _ in 0..1 + self.up_to(4) {
            let Some(write) = self.writes.pop_front() else { return };
            let done = self.write(write, fault);
            self.done.push(done);
        }
    }

    fn write(&mut self, write: Write, fault: Fault) -> Done {
        let (host, clocks, store) = (self.host, self.now(), &self.store);
        fn with<T>(fault: Fault, write: impl FnOnce() -> store::Result<T>) -> store::Result<T> {
            let failed = Err(store::Error::Unavailable("by chance".into()));
            match fault {
                Fault::None => write(),
                Fault::Fails => failed,
                Fault::Lies => write().and(failed),
            }
        }
        match write {
            Write::Create(number, new) => Done::Appended(number, with(fault, || now(store.create(*new)))),
            Write::Append(number, append) => Done::Appended(number, with(fault, || now(store.append(*append)))),
            Write::Acquire(run, identity) => {
                let acquired = with(fault, || now(store.acquire(host, &run, clocks)));
                Done::Acquired(run, identity, acquired)
            }
            Write::Claim => Done::Claimed(with(fault, || now(store.claim_due(host, clocks, 3)))),
            Write::Release(release) => Done::Released(with(fault, || now(store.release(release)))),
            Write::Reply(letter, answer) => {
                // Who was not answered is answered again.
                let _ = with(fault, || now(store.answer_command(letter, answer)));
                Done::Replied
            }
            Write::Purge(handler) => Done::Purged(with(fault, || now(store.purge(&handler, false)))),
        }
    }

    /// Somebody is told of a write: of one run in the order of its writes.
    fn tell(&mut self) {
        if self.done.is_empty() {
            return;
        }
        let chosen = self.up_to(self.done.len());
        let same = |done: &Done| match (&self.done[chosen], done) {
            (Done::Appended(one, _), Done::Appended(other, _)) => one == other,
            _ => false,
        };
        let first = self.done.iter().position(same).unwrap_or(chosen);
        match self.done.remove(first) {
            Done::Appended(number, result) => {
                let Some((&identity, live)) = self.live.iter_mut().find(|(_, live)| live.number == number) else { return };
                let outputs = live.worker.appended(result);
                self.carry_out(identity, outputs);
            }
            Done::Acquired(run, identity, Ok(claim)) => self.loads.push((run, identity, claim)),
            Done::Acquired(run, identity, Err(error)) => self.loaded(&run, identity, Err(error.into())),
            Done::Claimed(Ok(claims)) => {
                let actions = self.owners.claimed(claims);
                self.act(actions);
            }
            Done::Purged(Ok(purged)) => {
                let actions = self.owners.purged(&purged.runs);
                self.act(actions);
            }
            Done::Claimed(Err(_)) | Done::Released(Err(_)) => self.lost_sight = true,
            Done::Released(Ok(())) | Done::Replied | Done::Purged(Err(_)) => (),
        }
    }

    fn loaded(&mut self, run: &str, identity: Identity, result: Result<(), Refusal>) {
        let actions = self.owners.loaded(self.at, run, identity, result);
        self.act(actions);
    }

    fn load(&mut self) {
        if self.loads.is_empty() {
            return;
        }
        let chosen = self.up_to(self.loads.len());
        let (run, identity, claim) = self.loads.swap_remove(chosen);
        if !self.kind && self.up_to(10) == 0 {
            return self.loaded(&run, identity, Err(Refusal::Unavailable("it cannot be read, by chance".into())));
        }
        let Some(summary) = now(self.store.run(&run)).expect("an answer") else {
            return self.loaded(&run, identity, Err(Refusal::NotFound));
        };
        let workflow = self.workflow(&summary.workflow);
        let stored = now(self.store.load(claim.key)).expect("an answer");
        let entries: Vec<Entry> = stored.entries.iter().map(|it| journal::read(it.seq, &it.bytes).expect("it fits")).collect();
        let before = stored.snapshot.as_ref().map(|it| snapshot::restore(workflow.definition.clone(), &it.bytes).expect("it fits"));
        let replayed = journal::replay(before.unwrap_or_else(|| Run::new(workflow.definition.clone())), &entries).expect("it fits");
        let abandoned = self.owners.abandoned(&run, identity, &claim);
        let sizes = (stored.snapshot.map_or(0, |it| it.bytes.len()), stored.entries.iter().map(|it| it.bytes.len()).sum());
        let resumed = Worker::resume(&claim, workflow, replayed, sizes, abandoned, None, self.now());
        let (worker, outputs) = resumed.expect("it has begun");
        let number = self.number();
        self.live.insert(identity, Live { number, run: run.clone(), worker, guests: BTreeMap::new() });
        self.loaded(&run, identity, Ok(()));
        self.carry_out(identity, outputs);
    }

    /// A worker that is idle leaves memory.
    fn park(&mut self) {
        let idle: Vec<Identity> = self.live.iter().filter(|(_, live)| live.worker.is_idle()).map(|it| *it.0).collect();
        if !idle.is_empty() {
            let identity = idle[self.up_to(idle.len())];
            let exit = self.live[&identity].worker.parked();
            self.leave(identity, &exit);
        }
    }

    /// What is due in the store is claimed, and what broke is loaded again.
    fn wake(&mut self) {
        let actions = self.owners.due(self.at);
        self.act(actions);
        if self.lost_sight && !self.stopping {
            self.lost_sight = false;
            let owned = now(self.store.owned(self.host)).expect("an answer");
            let actions = self.owners.recover(owned);
            self.act(actions);
        }
        self.writes.push_back(Write::Claim);
    }

    /// What another host has asked is looked at.
    fn look_at_commands(&mut self) {
        let commanded = now(self.store.commanded(self.host)).expect("an answer");
        let actions = self.owners.commanded(commanded);
        self.act(actions);
    }

    /// Timers of workers fire.
    fn due(&mut self) {
        let identities: Vec<Identity> = self.live.keys().copied().collect();
        for identity in identities {
            let clocks = self.now();
            let Some(live) = self.live.get_mut(&identity) else { continue };
            let outputs = live.worker.due(clocks);
            self.carry_out(identity, outputs);
        }
    }

    /// A guest goes on.
    fn play(&mut self) {
        let ready = |(identity, live): (&Identity, &Live)| {
            let guests = live.guests.iter().filter(|(_, guest)| guest.is_ready());
            guests.map(|(invocation, _)| (*identity, *invocation)).collect::<Vec<_>>()
        };
        let ready: Vec<(Identity, InvocationId)> = self.live.iter().flat_map(ready).collect();
        if ready.is_empty() {
            return;
        }
        let (identity, invocation) = ready[self.up_to(ready.len())];
        let clocks = self.now();
        let live = self.live.get_mut(&identity).expect("it is there");
        let report = match live.guests.get_mut(&invocation).expect("it is there").go_on(&live.worker) {
            Move::Report(report) => report,
            Move::Last(report) => {
                live.guests.remove(&invocation);
                report
            }
        };
        let outputs = live.worker.report(clocks, report);
        if !live.worker.is_live(invocation) {
            live.guests.remove(&invocation);
        }
        self.carry_out(identity, outputs);
    }

    /// A worker is gone without a word.
    fn panic(&mut self) {
        if self.live.is_empty() {
            return;
        }
        let chosen = self.up_to(self.live.len());
        let identity = *self.live.keys().nth(chosen).expect("it is there");
        let live = self.live.remove(&identity).expect("it is there");
        let actions = self.owners.lost(self.at, &live.run, identity);
        self.ledger.breaks(true);
        drop(live);
        self.ledger.breaks(false);
        self.act(actions);
    }

    /// The host is killed, and another comes: what was not synced is gone.
    fn crash(&mut self) {
        let synced = self.up_to(self.writes.len() + 1);
        for write in self.writes.drain(..synced).collect::<Vec<_>>() {
            self.write(write, Fault::None);
        }
        self.ledger.breaks(true);
        self.begin_anew();
        self.ledger.breaks(false);
    }

    fn restart_once_stopped(&mut self) {
        if self.stopping && self.live.is_empty() && self.loads.is_empty() && self.writes.is_empty() {
            assert!(self.owners.len() <= self.done.len(), "a host that has stopped has runs");
            self.begin_anew();
        }
    }

    fn begin_anew(&mut self) {
        self.writes.clear();
        self.done.clear();
        self.live.clear();
        self.loads.clear();
        self.bells.clear();
        self.owners = Owners::default();
        self.owners.open();
        (self.stopping, self.lost_sight) = (false, false);
        // While no host is up, one of the clocks stands.
        self.at += self.up_to(5_000_000) as u64;
        self.host = now(self.store.join(self.now())).expect("a host");
    }

    // What clients do.

    fn client(&mut self) {
        let handler = format!("h{}", self.up_to(HANDLERS));
        let newest = now(self.store.handler(&handler)).expect("an answer");
        let running = newest.as_ref().filter(|it| it.status.is_running()).map(|it| it.run.clone());
        match (self.up_to(12), running) {
            (0..=4, None) | (0, Some(_)) => self.start(handler),
            (1..=4, Some(run)) => self.send(handler, run),
            (5..=6, Some(run)) => self.leave_letter(run),
            (7, Some(run)) => {
                let reply = self.ledger.ask(Asked::Cancel(run.clone()));
                let action = self.owners.tell(&run, Command::Cancel { reply });
                self.act(action);
            }
            (8, Some(run)) => self.wait(run),
            (9, _) => {
                self.purged.insert(handler.clone());
                self.writes.push_back(Write::Purge(handler));
            }
            (10..=11, _) => self.ask_again(),
            _ => (),
        }
    }

    fn start(&mut self, handler: String) {
        let key = (self.up_to(2) == 0).then(|| self.number().to_string());
        let awaits = self.up_to(2) == 0;
        self.begin(handler, key, awaits);
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn begin(&mut self, handler: String, key: Option<String>, awaits: bool) {
        // Always the same for a handler: a key belongs to a workflow.
        let workflow = self.workflows[usize::from(handler.as_bytes()[1]) % 2].clone();
        let run = format!("r{}", self.number());
        let asked = self.ledger.ask(Asked::Start { handler: handler.clone(), run: run.clone(), key: key.clone(), awaits });
        let made = key.as_ref().and_then(|key| now(self.store.idempotency(&start_scope(&workflow.name), key)).expect("an answer"));
        if let Some(Made::Run(run)) = made.map(|it| it.made) {
            let summary = now(self.store.run(&run)).expect("an answer").expect("what a key made is there");
            return asked.tell(Ok(summary.into()));
        }
        let (reply, waiter) = if awaits { (None, Some(asked)) } else { (Some(asked), None) };
        let identity = match self.owners.begin(&run, waiter) {
            Ok((identity, _)) => identity,
            Err((refusal, waiter)) => return reply.or(waiter).expect("somebody asked").tell(Err(refusal)),
        };
        let ops = script(|limit| self.chance.next_u32() as usize % limit);
        let started = Started {
            rules: RULES,
            definition: vec![part()],
            workflow: workflow.name.clone(),
            handler,
            run: run.clone(),
            start: Event { name: "StartEvent".into(), payload: to_json(&json!({ "ops": ops })) },
            state: to_json(&json!({})),
            seed: Started::seed_text([7; 32]),
            timeout: workflow.definition.timeout(),
            additional_events: workflow.additional_events.clone(),
        };
        let idempotency = key.map(|key| Idempotency { key, body: [0; 32] });
        let fresh = Fresh { host: self.host, key: self.store.key(), workflow, started, idempotency, awaited: awaits };
        let (worker, outputs) = Worker::begin(fresh, self.now(), reply);
        let number = self.number();
        self.live.insert(identity, Live { number, run, worker, guests: BTreeMap::new() });
        self.carry_out(identity, outputs);
    }

    fn send(&mut self, handler: String, run: String) {
        let key = (self.up_to(2) == 0).then(|| self.number().to_string());
        let number = self.number();
        self.send_number(handler, run, number, key);
    }

    fn send_number(&mut self, handler: String, run: String, number: u64, key: Option<String>) {
        let reply = self.ledger.ask(Asked::Send { handler: handler.clone(), run: run.clone(), number, key: key.clone() });
        if let Some(key) = &key
            && now(self.store.idempotency(&store::event_scope(&handler), key)).expect("an answer").is_some()
        {
            let summary = now(self.store.run(&run)).expect("an answer").expect("what a key sent to is there");
            return reply.tell(Ok(summary.into()));
        }
        let name = if self.up_to(3) == 0 { "Note" } else { "Answer" };
        let event = Event { name: name.into(), payload: to_json(&json!({ "number": number })) };
        let idempotency = key.map(|key| Idempotency { key, body: [0; 32] });
        let id = format!("e{}", self.number());
        let action = self.owners.tell(&run, Command::Send { id, event, target: Target::default(), idempotency, reply });
        self.act(action);
    }

    /// Another host, which does not own the run, leaves a command for it.
    fn leave_letter(&mut self, run: String) {
        let number = (self.up_to(8) > 0).then(|| self.number());
        let command = match number {
            Some(number) => {
                let event = Event { name: "Answer".into(), payload: to_json(&json!({ "number": number })) };
                Command::Send { id: format!("l{number}"), event, target: Target::default(), idempotency: None, reply: () }
            }
            None => Command::Cancel { reply: () },
        };
        let letter = now(self.store.send_command(&run, letters::command(command).0)).expect("it runs");
        self.letters.insert(letter, (run, number));
    }

    fn wait(&mut self, run: String) {
        let reply = self.ledger.ask(Asked::Await { run: run.clone() });
        if !self.owners.is_open() {
            return reply.tell(Err(Refusal::stopping()));
        }
        let waiter = self.owners.wait(&run, reply);
        if !now(self.store.run(&run)).expect("an answer").is_some_and(|it| it.status.is_running()) {
            // It has its answer from the store.
            self.ledger.breaks(true);
            self.owners.unwait(&run, waiter);
            self.ledger.breaks(false);
        }
    }

    /// Who does not know whether a request with a key was carried out sends it again.
    fn ask_again(&mut self) {
        let unknown = |(asked, told): (Asked, Option<Told>)| match told {
            Some(Told::Nothing | Told::Answer(Err(Refusal::Unavailable(_)))) => Some(asked),
            _ => None,
        };
        let asked: Vec<Asked> = self.ledger.entries().into_iter().filter_map(unknown).collect();
        if asked.is_empty() {
            return;
        }
        match asked[self.up_to(asked.len())].clone() {
            Asked::Start { handler, key: Some(key), awaits, .. } => self.begin(handler, Some(key), awaits),
            // A later run of the handler would be another request.
            Asked::Send { handler, run, number, key: Some(key) } if now(self.store.run(&run)).expect("an answer").is_some() => {
                self.send_number(handler, run, number, Some(key));
            }
            Asked::Await { run } => self.wait(run),
            _ => (),
        }
    }

    // What must hold.

    fn workflow(&self, name: &str) -> Arc<Workflow> {
        self.workflows.iter().find(|it| it.name == name).expect("it is loaded").clone()
    }

    fn runs(&self) -> Vec<store::RunSummary> {
        now(self.store.runs(RunsQuery { limit: usize::MAX, ..RunsQuery::default() })).expect("runs").runs
    }

    fn unfinished(&self) -> Vec<(store::RunSummary, Vec<Entry>)> {
        let running = self.runs().into_iter().filter(|it| it.status.is_running());
        running.map(|it| (it.clone(), self.journal(it.key))).collect()
    }

    fn journal(&self, key: store::RunKey) -> Vec<Entry> {
        let rows = now(self.store.journal(key)).expect("a journal");
        rows.iter().map(|it| journal::read(it.seq, &it.bytes).expect("it fits")).collect()
    }

    fn replayed(&self, workflow: &str, entries: &[Entry]) -> Run {
        journal::replay(Run::new(self.workflow(workflow).definition.clone()), entries).expect("it fits")
    }

    /// What this host owns by the store is with a worker, or on the way to or from one.
    fn check_places(&self) {
        if self.lost_sight || self.stopping {
            return;
        }
        let under_way = self.writes.iter().any(|it| matches!(it, Write::Release(_)))
            || self.done.iter().any(|it| matches!(it, Done::Claimed(_) | Done::Released(_)));
        for run in now(self.store.owned(self.host)).expect("an answer") {
            assert!(under_way || self.owners.has(&run), "nobody has run {run}");
        }
        for identity in self.live.keys() {
            let run = &self.live[identity].run;
            let others = self.live.values().filter(|it| it.run == *run).count();
            assert_eq!(others, 1, "run {run} has two workers");
        }
    }

    /// Timers fire once, not early; events are there once; frames are those of the fold. Gives the numbers of the
    /// events that each run has received.
    fn check_journals(&self) -> BTreeMap<String, BTreeSet<Option<u64>>> {
        let mut received = BTreeMap::new();
        for summary in self.runs() {
            let mut run = Run::new(self.workflow(&summary.workflow).definition.clone());
            let mut dues = BTreeMap::new();
            let mut numbers = BTreeSet::new();
            let mut frames = 0;
            for entry in self.journal(summary.key) {
                if let Input::TimerFired { timer } = &entry.input {
                    match dues.remove(timer) {
                        Some(Due::At(at)) => assert!(entry.at >= at, "a timer of {} fires early", summary.run),
                        Some(Due::Alive(alive)) => assert!(entry.alive >= alive, "a timer of {} fires early", summary.run),
                        None => panic!("a timer of {} fires twice, or was never set", summary.run),
                    }
                }
                if let Input::EventReceived { event, .. } = &entry.input {
                    let payload: serde_json::Value = serde_json::from_str(event.payload.get()).expect("JSON");
                    assert!(numbers.insert(payload["number"].as_u64()), "{payload} is in {} twice", summary.run);
                }
                for effect in run.apply(&entry) {
                    match effect {
                        Effect::SetTimer { timer, due } => drop(dues.insert(timer, due)),
                        Effect::ClearTimer { timer } => drop(dues.remove(&timer)),
                        Effect::Publish(_) => frames += 1,
                        _ => (),
                    }
                }
            }
            let stored = now(self.store.frames(&summary.run, -1, usize::MAX)).expect("frames");
            let sequences: Vec<u64> = stored.iter().map(|it| it.sequence).collect();
            assert_eq!(sequences, (0..frames).collect::<Vec<u64>>(), "the frames of {}", summary.run);
            assert!(stored.last().is_some_and(|it| it.terminal), "the last frame of {}", summary.run);
            received.insert(summary.run, numbers);
        }
        received
    }

    /// What another host has asked of a run is answered, unless the run is over, and done where the answer says so: once,
    /// as any event.
    fn check_letters(&self, received: &BTreeMap<String, BTreeSet<Option<u64>>>) {
        for (&letter, (run, number)) in &self.letters {
            let Ok(answer) = now(self.store.withdraw_command(letter)) else {
                assert!(!received.contains_key(run), "a command for {run} is gone");
                continue;
            };
            let done = answer.is_some_and(|answer| letters::read_answer(&answer).is_ok());
            match number {
                Some(_) => assert_eq!(received[run].contains(number), done, "{number:?} of {run}, and its answer"),
                None => {
                    assert!(!done || !now(self.store.run(run)).expect("an answer").expect("it is there").status.is_running(), "{run} runs")
                }
            }
        }
    }

    /// Everybody was answered, and what was acknowledged is there.
    fn check_answers(&self, received: &BTreeMap<String, BTreeSet<Option<u64>>>) {
        let mut by_key: BTreeMap<String, String> = BTreeMap::new();
        for (asked, told) in self.ledger.entries() {
            let told = told.unwrap_or_else(|| panic!("{asked:?} was never answered"));
            assert!(!matches!(told, Told::Lost), "{asked:?}: its answer was dropped");
            let Told::Answer(Ok(view)) = told else { continue };
            let stored = now(self.store.run(&view.run)).expect("an answer");
            if self.purged.contains(&view.handler) && stored.is_none() {
                continue;
            }
            let stored = stored.unwrap_or_else(|| panic!("{asked:?} was acknowledged, and its run is gone"));
            match asked {
                Asked::Start { key, run, awaits, .. } => {
                    if let Some(key) = key {
                        let first = by_key.entry(key).or_insert_with(|| view.run.clone());
                        assert!(*first == view.run || self.purged.contains(&view.handler), "{run}: one key has made two runs");
                    } else {
                        assert_eq!(view.run, run);
                    }
                    assert!(!awaits || !matches!(view.status, RunStatus::Running) || view.run != run, "{run} has not ended");
                }
                Asked::Send { number, .. } => {
                    assert!(received[&stored.run].contains(&Some(number)), "{number} was acknowledged, and is not there");
                }
                Asked::Cancel(run) | Asked::Await { run } => assert!(!stored.status.is_running(), "{run} runs"),
            }
        }
    }
}
