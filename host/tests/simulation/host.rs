//! One host's shell around the machine: what the driver does, by chance.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use wf_engine::entry::{Entry, Input, InvocationId, Micros};
use wf_engine::run::Run;
use wf_engine::{journal, snapshot};
use wf_host::machine::letters::{self, Left, Next};
use wf_host::machine::{Action, Command, Exit, Fresh, Identity, Output, Owners, Unbegun, WaiterId, Worker};
use wf_host::model::{Refusal, Workflow};
use wf_host::store::{
    self, Append, Claim, CommandId, Created, Held, HostId, NewRun, Now, Place, Purged, Release, RunSummary, SentCommand, Store,
};

use crate::client::Reply;
use crate::ground::{Ground, now};
use crate::guest::{Guest, Move};

/// More happenings on the way to rest than any world needs.
const HAPPENINGS_MAX: usize = 200_000;

pub struct Host {
    pub id: HostId,
    /// Asked of the store and not done: a crash forgets them.
    writes: VecDeque<Write>,
    /// Done, and not told yet.
    done: Vec<Done>,
    /// Ticks in which the store does nothing.
    pub stalled: usize,
    pub owners: Owners<Reply>,
    live: BTreeMap<Identity, Live>,
    loads: Vec<(String, Identity, Claim)>,
    /// It has lost sight of something, and not looked for it; `blind_again`: since it looked.
    blind: bool,
    blind_again: bool,
    /// Workers that were told that they have mail.
    bells: BTreeSet<Identity>,
    /// What it has asked of other hosts.
    asked: Vec<Asked>,
    /// Who waits here for which run's end.
    waits: Vec<(String, WaiterId)>,
    stopping: bool,
    /// After so many of the things that it is to do, it does none any more: it is about to be killed.
    left: Option<usize>,
    /// Nothing of it happens until then. `true`: it is gone; else it only believes that it is there.
    pub away: Option<(Micros, bool)>,
}

struct Live {
    /// Of this worker: one that comes after it has the same place, and hears nothing of its appends.
    number: u64,
    run: String,
    held: Held,
    worker: Worker<Reply>,
    guests: BTreeMap<InvocationId, Guest>,
    /// Until it is told what other hosts have asked, nothing happens to it: what follows then, and whether it is to stop.
    reads: Option<(Vec<Output<Reply>>, bool)>,
}

/// What was read of a run.
struct Read {
    workflow: Arc<Workflow>,
    unbegun: Option<store::Unbegun>,
    stored: store::Stored,
}

/// A command that was left for another host.
struct Asked {
    left: Left,
    run: String,
    /// Of its event; none: it is a cancel, or will be sent again.
    number: Option<u64>,
    reply: Reply,
}

enum Write {
    Create(u64, Box<NewRun>),
    Append(u64, Box<Append>),
    Acquire(String, Identity),
    Claim(usize),
    Release(Release),
    /// A run of the workflow has ended, or somebody looks whether one has.
    GiveTurns(String),
    Reply(CommandId, Vec<u8>),
    Renew(Now),
    Purge(String),
    Send(String, Vec<u8>, Option<u64>, Reply),
    /// Whether the run went on before.
    Take(Asked, bool),
    Withdraw(Asked, Refusal),
}

enum Done {
    Appended(u64, store::Result<Created>),
    Acquired(String, Identity, store::Result<Claim>),
    Claimed(store::Result<Vec<Claim>>),
    Released(store::Result<()>),
    /// Nobody hears whether it went well.
    Unheard,
    Purged(store::Result<Purged>),
    Sent(String, store::Result<CommandId>, Option<u64>, Reply),
    Taken(Asked, bool, store::Result<Option<Vec<u8>>>),
    Withdrawn(Asked, Refusal, store::Result<Option<Vec<u8>>>),
    Newer(Vec<Held>),
    Read(String, Identity, Claim, Read),
    Owned(store::Result<Vec<String>>),
    Commanded(Vec<String>),
    Letters(u64, store::Result<Vec<SentCommand>>),
    Looked(String, WaiterId, bool, store::Result<Option<RunSummary>>),
}

/// What goes wrong with a write.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Fails,
    /// It is stored, and an error is told.
    Lies,
}

impl Fault {
    fn upon<T>(self, write: impl FnOnce() -> store::Result<T>) -> store::Result<T> {
        let failed = Err(store::Error::Unavailable("by chance".into()));
        match self {
            Fault::None => write(),
            Fault::Fails => failed,
            Fault::Lies => write().and(failed),
        }
    }
}

impl Host {
    pub fn new(ground: &Ground) -> Host {
        let mut owners = Owners::default();
        owners.open();
        Host {
            id: now(ground.store.join(ground.now())).expect("a host"),
            writes: VecDeque::new(),
            done: Vec::new(),
            stalled: 0,
            owners,
            live: BTreeMap::new(),
            loads: Vec::new(),
            blind: false,
            blind_again: false,
            bells: BTreeSet::new(),
            asked: Vec::new(),
            waits: Vec::new(),
            stopping: false,
            left: None,
            away: None,
        }
    }

    pub fn is_up(&self) -> bool {
        self.away.is_none()
    }

    /// One of the things that happen in a host happens.
    pub fn tick(&mut self, ground: &mut Ground) {
        match ground.up_to(92) {
            0 => self.stop(ground),
            1..=2 => self.panic(ground),
            3 => self.stalled = ground.up_to(30),
            4..=26 => self.store(ground),
            27..=44 => self.tell(ground),
            45..=52 => self.load(ground),
            53..=56 => self.park(ground),
            57..=62 => self.wake(ground),
            63..=65 => self.due(ground),
            66 => self.look_at_commands(ground),
            67..=73 => self.answer_bell(ground),
            74..=78 => self.look_at_asked(ground),
            79 => self.look_at_waits(ground),
            _ => self.play(ground),
        }
    }

    /// All that happens of itself, up to now.
    pub fn let_happen(&mut self, ground: &mut Ground) {
        self.wake(ground);
        self.look_at_commands(ground);
        for _ in 0..self.asked.len() {
            self.look_at_asked(ground);
        }
        self.look_at_waits(ground);
        let mut happenings = 0;
        while self.is_busy() || !self.loads.is_empty() {
            happenings += 1;
            assert!(happenings < HAPPENINGS_MAX, "the store, the loads and the bells come to no end");
            self.hear(ground);
            self.load(ground);
        }
        self.due(ground);
        self.park(ground);
        while self.live.values().any(|live| live.guests.values().any(|guest| guest.is_ready(ground.at))) {
            self.play(ground);
        }
    }

    fn is_busy(&self) -> bool {
        !self.writes.is_empty() || !self.done.is_empty() || !self.bells.is_empty()
    }

    /// Until it is told all.
    pub fn hear_all(&mut self, ground: &mut Ground) {
        while self.is_busy() {
            self.hear(ground);
        }
    }

    fn hear(&mut self, ground: &mut Ground) {
        self.answer_bell(ground);
        self.store(ground);
        self.tell(ground);
    }

    /// Whether nothing is here, and nobody waits for another host's answer.
    pub fn is_at_rest(&self, ground: &Ground) -> bool {
        let unfit = ground.unfit.iter().filter(|run| self.owners.unfit(run).is_some() && ground.run(run).is_some()).count();
        self.owners.len() == unfit && self.asked.is_empty()
    }

    pub fn places(&self) -> (usize, usize) {
        (self.owners.len(), self.live.len())
    }

    // What the driver does.

    fn act(&mut self, ground: &mut Ground, actions: impl IntoIterator<Item = Action<Reply>>) {
        for action in actions {
            if !self.goes_on(ground) {
                return;
            }
            match action {
                Action::Load { run, identity, claim: None } => self.writes.push_back(Write::Acquire(run, identity)),
                Action::Load { run, identity, claim: Some(claim) } => self.acquired(run, identity, claim),
                Action::Notify(identity) => drop(self.bells.insert(identity)),
                Action::Release(claim) => {
                    let wake = store::Wake { at: Some(0), alive: None };
                    self.writes.push_back(Write::Release(Release { run: claim.key, generation: claim.generation, wake }));
                }
                Action::Tell(reply, answer) => reply.tell(answer),
                Action::Forward(run, command) => {
                    let number = match &command {
                        Command::Send { event, idempotency: None, .. } => event_number(event.payload.get()),
                        Command::Send { .. } | Command::Cancel { .. } => None,
                    };
                    let (letter, reply) = letters::command(command);
                    self.writes.push_back(Write::Send(run, letter, number, reply));
                }
                Action::Refuse(run, refusal) => {
                    let key = ground.read(|store| store.run(&run)).ok().flatten().map(|it| it.key);
                    let sent = key.map(|key| ground.read(|store| store.commands(key)).unwrap_or_default());
                    let answer = || letters::answer(Some(refusal.clone()));
                    self.writes.extend(sent.into_iter().flatten().map(|(letter, _)| Write::Reply(letter, answer())));
                }
            }
        }
    }

    pub fn command(&mut self, ground: &mut Ground, run: &str, command: Command<Reply>) {
        let action = self.owners.tell(run, command);
        self.act(ground, action);
    }

    pub fn purge(&mut self, handler: String) {
        self.writes.push_back(Write::Purge(handler));
    }

    pub fn begin(&mut self, ground: &mut Ground, fresh: Fresh, reply: Reply) {
        let (run, key) = (fresh.started.run.clone(), fresh.key);
        let (reply, waiter) = if fresh.awaited { (None, Some(reply)) } else { (Some(reply), None) };
        let identity = match self.owners.begin(&run, key, waiter) {
            Ok((identity, waiter)) => {
                self.waits.extend(waiter.map(|waiter| (run.clone(), waiter)));
                identity
            }
            Err((refusal, waiter)) => return reply.or(waiter).expect("somebody asked").tell(Err(refusal)),
        };
        let (worker, outputs) = Worker::begin(fresh, ground.now(), reply);
        let (number, held) = (ground.number(), Held { key, generation: 1 });
        self.live.insert(identity, Live { number, run, held, worker, guests: BTreeMap::new(), reads: None });
        self.carry_out(ground, identity, outputs);
    }

    pub fn wait(&mut self, ground: &mut Ground, run: &str, reply: Reply) {
        if !self.owners.is_open() {
            return reply.tell(Err(Refusal::stopping()));
        }
        if let Some(refusal) = self.owners.unfit(run) {
            return reply.tell(Err(refusal.clone()));
        }
        let waiter = self.owners.wait(run, reply);
        self.waits.push((run.to_owned(), waiter));
        self.look_at_waits(ground);
    }

    /// Who waits sees in the store what has ended, or gone, elsewhere.
    fn look_at_waits(&mut self, ground: &mut Ground) {
        for (run, waiter) in std::mem::take(&mut self.waits) {
            // What is stored later has its place before.
            let here = self.owners.has(&run);
            let stored = ground.read(|store| store.run(&run));
            if ground.tells_at_once() {
                self.looked(ground, run, waiter, here, stored);
            } else {
                self.done.push(Done::Looked(run, waiter, here, stored));
            }
        }
    }

    fn looked(&mut self, ground: &Ground, run: String, waiter: WaiterId, here: bool, stored: store::Result<Option<RunSummary>>) {
        let goes_on = stored.is_ok_and(|stored| stored.map_or(here, |it| it.status.is_running()));
        if goes_on && self.owners.unfit(&run).is_none() {
            self.waits.push((run, waiter));
        } else {
            ground.ledger.breaks(true);
            self.owners.unwait(&run, waiter);
            ground.ledger.breaks(false);
        }
    }

    /// A worker looks at its mail.
    fn answer_bell(&mut self, ground: &mut Ground) {
        let chosen = ground.up_to(self.bells.len());
        let Some(identity) = self.bells.iter().nth(chosen).copied() else { return };
        self.bells.remove(&identity);
        let Some(live) = self.live.get_mut(&identity) else { return };
        if live.worker.awaits_turn() || live.reads.is_some() {
            self.bells.insert(identity);
            return;
        }
        let mail = self.owners.mail(&live.run, identity);
        if mail.overtaken {
            let outputs = live.worker.overtaken();
            return self.carry_out(ground, identity, outputs);
        }
        let mut outputs = Vec::new();
        for command in mail.commands {
            outputs.extend(live.worker.command(ground.now(), command));
        }
        if !mail.letters {
            outputs.extend(mail.stop.then(|| live.worker.stop()).into_iter().flatten());
            return self.carry_out(ground, identity, outputs);
        }
        live.reads = Some((outputs, mail.stop));
        let (number, key) = (live.number, live.held.key);
        let sent = ground.read(|store| store.commands(key));
        if ground.tells_at_once() {
            self.told_letters(ground, number, sent);
        } else {
            self.done.push(Done::Letters(number, sent));
        }
    }

    /// A worker learns what other hosts have asked, or that it cannot: it stays, and is found again.
    fn told_letters(&mut self, ground: &mut Ground, number: u64, sent: store::Result<Vec<SentCommand>>) {
        let Some((&identity, live)) = self.live.iter_mut().find(|(_, live)| live.number == number) else { return };
        let Some((mut outputs, stop)) = live.reads.take() else { return };
        if let Ok(sent) = sent {
            outputs.extend(live.worker.letters(ground.now(), sent));
        }
        if stop {
            outputs.extend(live.worker.stop());
        }
        self.carry_out(ground, identity, outputs);
    }

    fn carry_out(&mut self, ground: &mut Ground, identity: Identity, outputs: Vec<Output<Reply>>) {
        for output in outputs {
            if !self.goes_on(ground) {
                return;
            }
            let Some(live) = self.live.get_mut(&identity) else { return };
            match output {
                Output::Create(new) => self.writes.push_back(Write::Create(live.number, new)),
                Output::Append(append) => {
                    ground.appends += 1;
                    self.writes.push_back(Write::Append(live.number, append));
                }
                Output::Enter(invoke) => {
                    assert!(!live.worker.awaits_turn(), "{} is entered, and may have to queue", live.run);
                    live.guests.insert(invoke.invocation, Guest::enter(*invoke));
                }
                Output::Answer(invocation, call) => {
                    live.guests.get_mut(&invocation).into_iter().for_each(|guest| guest.answered((*call).clone()))
                }
                Output::Leave(invocation) => {
                    let Some(guest) = live.guests.get_mut(&invocation) else { continue };
                    let at = ground.at;
                    let (attempt, calls) = guest.may_leave(at, &mut |below| ground.up_to(below));
                    let stored = ground.journal(live.held.key);
                    let stored: usize = stored.iter().map(|entry| recorded(&entry.input, invocation, attempt)).sum();
                    let purged = ground.run(&live.run).is_none();
                    assert!(purged || stored >= calls as usize, "a request of {} leaves before what led to it is durable", live.run);
                    let owns = ground.owners.get(&live.held.key).is_none_or(|owner| *owner == (self.id, live.held.generation));
                    assert!(
                        purged || !owns || stored == calls as usize,
                        "a request of {} is repeated, and its answer is recorded",
                        live.run
                    );
                }
                Output::Abort(invocation) => drop(live.guests.remove(&invocation)),
                Output::Tell(reply, answer) => reply.tell(answer),
                Output::Reply(letter, answer) => self.writes.push_back(Write::Reply(letter, answer)),
                Output::Show(frames) => {
                    let stored = now(ground.store.last_sequence(&live.run)).expect("an answer");
                    let last = frames.last().expect("frames").sequence;
                    let purged = ground.run(&live.run).is_none();
                    assert!(purged || stored >= i64::try_from(last).expect("small"), "a frame is shown that is not durable");
                }
                Output::Exit(exit) => self.leave(ground, identity, &exit),
            }
        }
    }

    fn leave(&mut self, ground: &mut Ground, identity: Identity, exit: &Exit) {
        let run = self.live[&identity].run.clone();
        let Some(actions) = self.owners.leave(ground.at, &run, identity, exit) else {
            // It was told something meanwhile.
            self.bells.insert(identity);
            return;
        };
        let workflow = self.live.remove(&identity).expect("it is there").worker.workflow().clone();
        if matches!(exit, Exit::Ended(_)) && workflow.limits.runs_max.is_some() && self.goes_on(ground) {
            self.writes.push_back(Write::GiveTurns(workflow.name.clone()));
        }
        if let Exit::Parked(release) | Exit::Stopped(release) = exit
            && self.goes_on(ground)
        {
            self.writes.push_back(Write::Release(*release));
        }
        self.act(ground, actions);
    }

    /// The store takes some writes.
    fn store(&mut self, ground: &mut Ground) {
        if self.stalled > 0 {
            self.stalled -= 1;
            return;
        }
        let fault = match ground.up_to(12) {
            0 if !ground.kind => Fault::Fails,
            1 if !ground.kind => Fault::Lies,
            _ => Fault::None,
        };
        for _ in 0..1 + ground.up_to(4) {
            let Some(write) = self.writes.pop_front() else { return };
            let done = self.write(ground, write, fault);
            self.done.push(done);
        }
    }

    fn write(&mut self, ground: &mut Ground, write: Write, fault: Fault) -> Done {
        let (host, clocks) = (self.id, ground.now());
        match write {
            Write::Create(number, new) => {
                let created = || {
                    let (key, run, workflow, runs_max) = (new.key, new.run.clone(), new.workflow.clone(), new.runs_max);
                    let queue = ground.queue(&workflow);
                    let created = now(ground.store.create(*new))?;
                    match created {
                        Created::Begun => {
                            assert!(
                                queue.is_empty() || runs_max.is_none() || ground.run(&run).is_some_and(|it| !it.status.is_running()),
                                "a run passes those that queue"
                            );
                            ground.owners.insert(key, (host, 1));
                        }
                        Created::Queued => (),
                    }
                    Ok(created)
                };
                Done::Appended(number, fault.upon(created))
            }
            Write::Append(number, append) => {
                let appended = || {
                    now(ground.store.append((*append).clone()))?;
                    ground.appended(host, &append);
                    Ok(Created::Begun)
                };
                Done::Appended(number, fault.upon(appended))
            }
            Write::Acquire(run, identity) => {
                let acquired = fault.upon(|| now(ground.store.acquire(host, &run, clocks)).inspect(|claim| ground.claimed(host, claim)));
                Done::Acquired(run, identity, acquired)
            }
            Write::Claim(room) => {
                let claimed =
                    || now(ground.store.claim_due(host, clocks, room)).inspect(|it| it.iter().for_each(|it| ground.claimed(host, it)));
                Done::Claimed(fault.upon(claimed))
            }
            Write::Release(release) => {
                let released = fault.upon(|| now(ground.store.release(release)));
                ground.abandoned(release.run, false);
                Done::Released(released)
            }
            Write::GiveTurns(workflow) => {
                let runs_max = ground.workflow(&workflow).limits.runs_max;
                let queue = ground.queue(&workflow);
                let _ = fault.upon(|| now(ground.store.give_turns(&workflow, runs_max, clocks)));
                assert!(queue.ends_with(&ground.queue(&workflow)), "a turn is given out of turn");
                Done::Unheard
            }
            Write::Reply(letter, answer) => {
                // Who was not answered is answered again.
                let _ = fault.upon(|| now(ground.store.answer_command(letter, answer)));
                Done::Unheard
            }
            Write::Renew(clocks) => {
                let _ = fault.upon(|| now(ground.store.keep_alive(host, clocks)));
                Done::Unheard
            }
            Write::Purge(handler) => {
                // What nobody can read cannot be cancelled before, but it can go.
                let newest = now(ground.store.handler(&handler)).expect("an answer");
                let unfit = newest.as_ref().is_some_and(|run| ground.unfit.contains(&run.run));
                let purged = fault.upon(|| now(ground.store.purge(&handler, unfit)));
                let going_on = newest.filter(|run| run.status.is_running() && !unfit);
                assert!(going_on.is_none_or(|run| ground.run(&run.run).is_some()), "a purge has taken a run that goes on");
                Done::Purged(purged)
            }
            Write::Send(run, letter, number, reply) => {
                let sent = fault.upon(|| now(ground.store.send_command(&run, letter)));
                Done::Sent(run, sent, number, reply)
            }
            Write::Take(asked, running) => {
                let taken = fault.upon(|| now(ground.store.take_answer(asked.left.letter)));
                Done::Taken(asked, running, taken)
            }
            Write::Withdraw(asked, refusal) => {
                let withdrawn = || {
                    let answer = now(ground.store.withdraw_command(asked.left.letter))?;
                    ground.withdrawn.extend(asked.number.filter(|_| answer.is_none()));
                    Ok(answer)
                };
                let withdrawn = fault.upon(withdrawn);
                Done::Withdrawn(asked, refusal, withdrawn)
            }
        }
    }

    /// Somebody is told of a write: of one run in the order of its writes.
    fn tell(&mut self, ground: &mut Ground) {
        if self.done.is_empty() {
            return;
        }
        let chosen = ground.up_to(self.done.len());
        let same = |done: &Done| match (&self.done[chosen], done) {
            (Done::Appended(one, _), Done::Appended(other, _)) => one == other,
            _ => false,
        };
        let first = self.done.iter().position(same).unwrap_or(chosen);
        let reads = |number: u64| self.live.values().any(|live| live.number == number && live.reads.is_some());
        if matches!(self.done[first], Done::Appended(number, _) if reads(number)) {
            return;
        }
        match self.done.remove(first) {
            Done::Appended(number, result) => {
                let Some((&identity, live)) = self.live.iter_mut().find(|(_, live)| live.number == number) else { return };
                let outputs = match result {
                    Ok(Created::Queued) => live.worker.queued(),
                    result => live.worker.appended(result.map(drop)),
                };
                self.carry_out(ground, identity, outputs);
            }
            Done::Acquired(run, identity, Ok(claim)) => {
                self.told_of(ground, &claim);
                self.acquired(run, identity, claim);
            }
            Done::Acquired(run, identity, Err(store::Error::Owned)) => {
                let actions = self.owners.elsewhere(&run, identity);
                self.act(ground, actions);
            }
            Done::Acquired(run, identity, Err(error)) => self.loaded(ground, &run, identity, Err(error.into())),
            Done::Claimed(Ok(claims)) => {
                claims.iter().for_each(|claim| self.told_of(ground, claim));
                let actions = self.owners.claimed(claims);
                self.act(ground, actions);
            }
            Done::Purged(Ok(purged)) => {
                let actions = self.owners.purged(&purged.runs);
                self.act(ground, actions);
            }
            Done::Claimed(Err(_)) | Done::Released(Err(_)) => self.lose_sight(),
            Done::Sent(run, Ok(letter), number, reply) => {
                self.asked.push(Asked { left: Left::new(letter, ground.alive), run, number, reply });
            }
            Done::Sent(_, Err(error), _, reply) => reply.tell(Err(error.into())),
            Done::Taken(mut asked, running, answer) => match asked.left.looked(ground.alive, self.owners.is_open(), running, answer) {
                Next::Wait => self.asked.push(asked),
                Next::Withdraw(refusal) => self.writes.push_back(Write::Withdraw(asked, refusal)),
                Next::Tell(answer) => Host::answered(ground, asked, answer),
            },
            Done::Withdrawn(asked, refusal, answer) => {
                let answer = asked.left.withdrawn(refusal, answer);
                Host::answered(ground, asked, answer);
            }
            Done::Newer(newer) => {
                let actions = self.owners.overtaken(&newer);
                self.act(ground, actions);
            }
            Done::Read(run, identity, claim, read) => self.read(ground, run, identity, &claim, read),
            Done::Owned(Ok(owned)) => {
                self.blind = self.blind_again;
                let actions = self.owners.recover(owned);
                self.act(ground, actions);
            }
            Done::Owned(Err(_)) => self.lose_sight(),
            Done::Commanded(runs) => {
                let actions = self.owners.commanded(runs);
                self.act(ground, actions);
            }
            Done::Letters(number, sent) => self.told_letters(ground, number, sent),
            Done::Looked(run, waiter, here, stored) => self.looked(ground, run, waiter, here, stored),
            Done::Released(Ok(())) | Done::Unheard | Done::Purged(Err(_)) => (),
        }
    }

    /// Whoever asked another host is told.
    fn answered(ground: &mut Ground, asked: Asked, answer: Result<(), Refusal>) {
        let answer = answer.and_then(|()| ground.read(|store| store.run(&asked.run))?.ok_or(Refusal::NotFound));
        asked.reply.tell(answer.map(Into::into));
    }

    /// What it has asked of another host is looked at.
    fn look_at_asked(&mut self, ground: &mut Ground) {
        if !self.asked.is_empty() {
            let asked = self.asked.swap_remove(ground.up_to(self.asked.len()));
            let running = ground.read(|store| store.run(&asked.run)).map_or(true, |it| it.is_some_and(|it| it.status.is_running()));
            self.writes.push_back(Write::Take(asked, running));
        }
    }

    /// From here on it must know whether the run's owner was lost; unless the run is another's by now, or was written
    /// for by a newer worker here already, or this host stops.
    fn told_of(&self, ground: &mut Ground, claim: &Claim) {
        let newer = |key, generation| key == claim.key && generation > claim.generation;
        let driven = self.live.values().any(|live| newer(live.held.key, live.held.generation))
            || self.writes.iter().any(|it| matches!(it, Write::Append(_, append) if newer(append.run, append.generation)));
        let ours = ground.owners.get(&claim.key).is_some_and(|(owner, _)| *owner == self.id);
        if claim.abandoned && ours && self.owners.is_open() && !driven {
            ground.abandoned(claim.key, true);
        }
    }

    fn lose_sight(&mut self) {
        self.owners.lose_sight();
        (self.blind, self.blind_again) = (true, true);
    }

    fn acquired(&mut self, run: String, identity: Identity, claim: Claim) {
        self.owners.acquired(&run, identity, &claim);
        self.loads.push((run, identity, claim));
    }

    fn loaded(&mut self, ground: &mut Ground, run: &str, identity: Identity, result: Result<(), Refusal>) {
        let actions = self.owners.loaded(ground.at, run, identity, result);
        self.act(ground, actions);
    }

    fn load(&mut self, ground: &mut Ground) {
        if self.loads.is_empty() {
            return;
        }
        let (run, identity, claim) = self.loads.swap_remove(ground.up_to(self.loads.len()));
        if !ground.kind && ground.up_to(10) == 0 {
            return self.loaded(ground, &run, identity, Err(Refusal::Unavailable("it cannot be read, by chance".into())));
        }
        let Some(summary) = ground.run(&run) else { return self.loaded(ground, &run, identity, Err(Refusal::NotFound)) };
        if !ground.kind && ground.up_to(100) == 0 {
            ground.unfit.insert(run.clone());
        }
        if ground.unfit.contains(&run) {
            return self.loaded(ground, &run, identity, Err(Refusal::Unfit { run: run.clone(), why: "by chance".into() }));
        }
        let workflow = ground.workflow(&summary.workflow);
        let (unbegun, stored) = (now(ground.store.unbegun(claim.key)), now(ground.store.load(claim.key)));
        let read = Read { workflow, unbegun: unbegun.expect("an answer"), stored: stored.expect("an answer") };
        if ground.tells_at_once() {
            self.read(ground, run, identity, &claim, read);
        } else {
            self.done.push(Done::Read(run, identity, claim, read));
        }
    }

    /// What was read comes into memory, whatever has happened since.
    fn read(&mut self, ground: &mut Ground, run: String, identity: Identity, claim: &Claim, read: Read) {
        let Read { workflow, unbegun, stored } = read;
        if let Some(unbegun) = unbegun {
            let first = journal::read(0, &unbegun.entries[0].bytes).expect("it fits");
            let Input::Started(started) = first.input else { panic!("a run begins with {:?}", first.input) };
            let run_before = Run::new(workflow.definition.clone());
            let unbegun = Unbegun { started: *started, fork: None, queues: unbegun.queues };
            let (worker, outputs) = Worker::unbegun(claim, workflow, run_before, unbegun, ground.now());
            return self.begins(ground, run, identity, claim, worker, outputs);
        }
        let entries: Vec<Entry> = stored.entries.iter().map(|it| journal::read(it.seq, &it.bytes).expect("it fits")).collect();
        let before = stored.snapshot.as_ref().map(|it| snapshot::restore(workflow.definition.clone(), &it.bytes).expect("it fits"));
        let replayed = journal::replay(before.unwrap_or_else(|| Run::new(workflow.definition.clone())), &entries).expect("it fits");
        let abandoned = self.owners.abandoned(&run, identity);
        let sizes = (stored.snapshot.map_or(0, |it| it.bytes.len()), stored.entries.iter().map(|it| it.bytes.len()).sum());
        let resumed = Worker::resume(claim, workflow, replayed, sizes, abandoned, None, ground.now());
        let (worker, outputs) = resumed.expect("it has begun");
        self.begins(ground, run, identity, claim, worker, outputs);
    }

    fn begins(
        &mut self,
        ground: &mut Ground,
        run: String,
        identity: Identity,
        claim: &Claim,
        worker: Worker<Reply>,
        outputs: Vec<Output<Reply>>,
    ) {
        let (number, held) = (ground.number(), Held { key: claim.key, generation: claim.generation });
        self.live.insert(identity, Live { number, run: run.clone(), held, worker, guests: BTreeMap::new(), reads: None });
        self.loaded(ground, &run, identity, Ok(()));
        self.carry_out(ground, identity, outputs);
    }

    /// A worker that is idle leaves memory.
    fn park(&mut self, ground: &mut Ground) {
        let idle: Vec<Identity> =
            self.live.iter().filter(|(_, live)| live.worker.is_idle() && live.reads.is_none()).map(|it| *it.0).collect();
        if !idle.is_empty() {
            let identity = idle[ground.up_to(idle.len())];
            let exit = self.live[&identity].worker.parked();
            self.leave(ground, identity, &exit);
        }
    }

    /// What is due in the store is claimed, and what broke is loaded again.
    fn wake(&mut self, ground: &mut Ground) {
        // One look waits for the other.
        if self.done.iter().any(|done| matches!(done, Done::Owned(_))) {
            return;
        }
        if ground.up_to(4) == 0 || ground.kind {
            let Ok(queues) = ground.read(|store| store.queues()) else { return self.lose_sight() };
            self.writes.extend(queues.into_iter().map(Write::GiveTurns));
        }
        let actions = self.owners.due(ground.at);
        self.act(ground, actions);
        if !self.stopping && self.owners.looks() {
            self.blind_again = false;
            let host = self.id;
            self.done.push(Done::Owned(ground.read(|store| store.owned(host))));
        }
        self.writes.push_back(Write::Claim(self.owners.room().min(3)));
    }

    /// What other hosts have asked is looked at.
    fn look_at_commands(&mut self, ground: &mut Ground) {
        let host = self.id;
        match ground.read(|store| store.commanded(host)) {
            Ok(runs) => self.done.push(Done::Commanded(runs)),
            Err(_) => self.lose_sight(),
        }
    }

    /// The lease is renewed, and what others have taken or purged meanwhile is asked for.
    pub fn renew(&mut self, ground: &mut Ground) {
        // One waits for the other.
        let is_under_way = self.writes.iter().any(|it| matches!(it, Write::Renew(_)));
        match ground.up_to(30) {
            _ if is_under_way => (),
            0 if !ground.kind => (),
            1 if !ground.kind => self.writes.push_back(Write::Renew(ground.now())),
            _ => now(ground.store.keep_alive(self.id, ground.now())).expect("the clock is kept"),
        }
        let held = self.owners.held();
        if held.is_empty() {
            return;
        }
        match ground.read(|store| store.newer(held)) {
            Ok(newer) if !newer.is_empty() => self.done.push(Done::Newer(newer)),
            _ => (),
        }
        let is_gone = |run: &String| ground.read(|store| store.run(run)) == Ok(None);
        let runs: Vec<String> = self.owners.unreadable().into_iter().filter(is_gone).collect();
        if !runs.is_empty() {
            self.done.push(Done::Purged(Ok(Purged { runs })));
        }
    }

    /// Timers of workers fire.
    fn due(&mut self, ground: &mut Ground) {
        let identities: Vec<Identity> = self.live.keys().copied().collect();
        for identity in identities {
            let Some(live) = self.live.get_mut(&identity).filter(|live| live.reads.is_none()) else { continue };
            let outputs = live.worker.due(ground.now());
            self.carry_out(ground, identity, outputs);
        }
    }

    /// A guest goes on.
    fn play(&mut self, ground: &mut Ground) {
        let ready = |(identity, live): (&Identity, &Live)| {
            let guests = live.guests.iter().filter(|(_, guest)| guest.is_ready(ground.at) && live.reads.is_none());
            guests.map(|(invocation, _)| (*identity, *invocation)).collect::<Vec<_>>()
        };
        let ready: Vec<(Identity, InvocationId)> = self.live.iter().flat_map(ready).collect();
        if ready.is_empty() {
            return;
        }
        let (identity, mut invocation) = ready[ground.up_to(ready.len())];
        let live = self.live.get_mut(&identity).expect("it is there");
        // What several have to say may be heard together.
        loop {
            let at = ground.at;
            let guest = live.guests.get_mut(&invocation).expect("it is there");
            match guest.go_on(&live.worker, at, &mut |below| ground.up_to(below)) {
                Move::Wait => (),
                Move::Report(report) => live.worker.hear(ground.now(), report),
                Move::Leave(invocation, attempt) => live.worker.leave(invocation, attempt),
                Move::Last(report) => {
                    live.guests.remove(&invocation);
                    live.worker.hear(ground.now(), report);
                }
            }
            if !live.worker.is_live(invocation) {
                live.guests.remove(&invocation);
            }
            let next: Vec<_> =
                live.guests.iter().filter(|(_, guest)| guest.is_ready(ground.at)).map(|(invocation, _)| *invocation).collect();
            if next.is_empty() || ground.up_to(2) == 0 {
                break;
            }
            invocation = next[ground.up_to(next.len())];
        }
        let outputs = live.worker.outputs();
        self.carry_out(ground, identity, outputs);
    }

    // What befalls it.

    fn stop(&mut self, ground: &mut Ground) {
        if !self.stopping {
            self.stopping = true;
            let actions = self.owners.stop();
            self.act(ground, actions);
        }
    }

    /// A worker is gone without a word, or a load, or what was claimed.
    fn panic(&mut self, ground: &mut Ground) {
        match ground.up_to(3) {
            0 if !self.live.is_empty() => {
                let chosen = ground.up_to(self.live.len());
                let identity = *self.live.keys().nth(chosen).expect("it is there");
                let live = self.live.remove(&identity).expect("it is there");
                let actions = self.owners.lost(ground.at, &live.run, identity);
                ground.ledger.breaks(true);
                drop(live);
                ground.ledger.breaks(false);
                self.act(ground, actions);
            }
            1 if !self.loads.is_empty() => {
                let (run, identity, _) = self.loads.swap_remove(ground.up_to(self.loads.len()));
                let actions = self.owners.lost(ground.at, &run, identity);
                self.act(ground, actions);
            }
            _ => {
                let lost = |done: &Done| matches!(done, Done::Claimed(_) | Done::Owned(_) | Done::Read(..));
                let Some(lost) = self.done.iter().position(lost) else { return };
                match self.done.remove(lost) {
                    Done::Read(run, identity, ..) => {
                        let actions = self.owners.lost(ground.at, &run, identity);
                        self.act(ground, actions);
                    }
                    _ => self.lose_sight(),
                }
            }
        }
    }

    /// Something happens to it, and some of what follows from that is done, before it is killed.
    pub fn break_off(&mut self, ground: &mut Ground) {
        self.left = Some(ground.up_to(4));
        self.tick(ground);
    }

    /// Whether it does the next of what it is to do.
    fn goes_on(&mut self, ground: &Ground) -> bool {
        match &mut self.left {
            None => true,
            Some(0) => {
                ground.ledger.breaks(true);
                false
            }
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// It is killed: what was not synced is gone.
    pub fn crash(&mut self, ground: &mut Ground) {
        ground.ledger.breaks(true);
        let synced = ground.up_to(self.writes.len() + 1);
        for write in self.writes.drain(..synced).collect::<Vec<_>>() {
            self.write(ground, write, Fault::None);
        }
        self.forget();
        ground.ledger.breaks(false);
    }

    /// Nothing of it is left but its name in the store.
    fn forget(&mut self) {
        self.writes.clear();
        self.done.clear();
        self.live.clear();
        self.loads.clear();
        self.bells.clear();
        self.asked.clear();
        self.waits.clear();
        self.owners = Owners::default();
        (self.stopping, self.blind, self.blind_again, self.stalled, self.left) = (false, false, false, 0, None);
    }

    /// Whether it was to stop, and has.
    pub fn has_stopped(&mut self) -> bool {
        let busy = !self.live.is_empty() || !self.loads.is_empty() || !self.writes.is_empty() || !self.asked.is_empty();
        let asking = self.done.iter().any(|it| matches!(it, Done::Sent(..) | Done::Taken(..) | Done::Withdrawn(..) | Done::Read(..)));
        if !self.stopping || busy || asking {
            return false;
        }
        assert!(self.owners.len() <= self.done.len(), "a host that has stopped has runs");
        self.forget();
        true
    }

    // What must hold.

    /// What this host owns by the store is with a worker, or on the way to or from one.
    pub fn check_places(&self, places: &[Place]) {
        if self.blind || self.stopping || self.away.is_some_and(|(_, gone)| gone) {
            return;
        }
        // It is about to lose sight.
        let wrong = self.done.iter().any(|it| matches!(it, Done::Claimed(Err(_)) | Done::Released(Err(_))));
        for place in places.iter().filter(|it| it.owner == Some(self.id) && !wrong) {
            let (run, key) = (&place.run, place.key);
            let is_left = || self.writes.iter().any(|it| matches!(it, Write::Release(release) if release.run == key));
            let comes = |it: &Done| matches!(it, Done::Claimed(Ok(claims)) if claims.iter().any(|claim| claim.key == key));
            assert!(self.owners.has(run) || is_left() || self.done.iter().any(comes), "nobody has run {run}");
        }
        for live in self.live.values() {
            let others = self.live.values().filter(|it| it.run == live.run).count();
            assert_eq!(others, 1, "run {} has two workers", live.run);
        }
    }

    /// Whoever works for a run that is another's by now learns it when the lease is renewed, without an append.
    pub fn check_overtaken(&mut self, ground: &mut Ground) {
        self.hear_all(ground);
        for live in self.live.values() {
            // Who has lost one that is purged learns it with an append.
            let owner = ground.run(&live.run).and_then(|_| ground.owners.get(&live.held.key).copied());
            assert!(owner.is_none_or(|owner| owner == (self.id, live.held.generation)), "{} is another's, and has a worker", live.run);
        }
    }
}

fn event_number(payload: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(payload).expect("JSON")["number"].as_u64()
}

/// How many calls of an attempt an entry records.
fn recorded(input: &Input, of: InvocationId, which: u32) -> usize {
    match input {
        Input::StepProgressed { invocation, attempt, calls, .. } if (*invocation, *attempt) == (of, which) => calls.len(),
        _ => 0,
    }
}
