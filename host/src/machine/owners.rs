//! Which runs this host has: each with one worker, or on the way to one.
//!
//! A run that has not ended and is not here is left in the store: to whoever claims it when it is
//! due, or to the next command.

use std::collections::{HashMap, VecDeque};

use wf_engine::entry::Micros;

use super::{Answer, Command, Exit};
use crate::model::{Refusal, RunView};
use crate::store::Claim;

/// The first delay before a run that broke is loaded again; doubles up to the last.
const RELOAD_DELAY: Micros = 100_000;
const RELOAD_DELAY_MAX: Micros = 5_000_000;

/// One worker, or what is to become one: what is said of another changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(u64);

/// Somebody who waits for a run's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaiterId(u64);

/// What is to be done.
#[derive(Debug)]
pub enum Action<T> {
    /// Load a run, and say how it went with [`Owners::loaded`]. `claim`: it is owned already.
    Load {
        /// The run.
        run: String,
        /// For whom.
        identity: Identity,
        /// Claimed already; none: acquire it.
        claim: Option<Claim>,
    },
    /// A worker has mail, or is to stop: see [`Owners::mail`].
    Notify(Identity),
    /// Leave a run that was claimed to others: this host stops.
    Release(Claim),
    /// Leave a command for the host that owns the run, and tell whoever asked what it answers.
    Forward(String, Command<T>),
    /// Refuse what other hosts have asked of a run.
    Refuse(String, Refusal),
    /// Tell whoever asked.
    Tell(T, Answer),
}

/// What a worker finds when it looks.
#[derive(Debug)]
pub struct Mail<T> {
    /// In order.
    pub commands: Vec<Command<T>>,
    /// Other hosts have left commands in the store: see [`Worker::letters`](super::Worker::letters).
    pub letters: bool,
    /// It is to stop.
    pub stop: bool,
}

/// The runs that this host has.
#[derive(Debug)]
pub struct Owners<T> {
    slots: HashMap<String, Slot<T>>,
    waiters: HashMap<String, Vec<(WaiterId, T)>>,
    next: u64,
    open: bool,
}

#[derive(Debug)]
struct Slot<T> {
    identity: Identity,
    state: State,
    mail: VecDeque<Command<T>>,
    /// Other hosts have left commands for it in the store, and it has not looked at them.
    letters: bool,
    /// How often it broke since it last went well.
    failures: u32,
    /// Its owner was lost, and that is not noted yet.
    abandoned: bool,
    /// It came by a claim.
    claimed: bool,
}

#[derive(Debug)]
enum State {
    Loading,
    Working,
    /// Loaded again at a time, on the clock that the caller goes by.
    Broken(Micros),
    /// It cannot be read here, now or later.
    Unfit(Refusal),
}

impl<T> Default for Owners<T> {
    fn default() -> Owners<T> {
        Owners { slots: HashMap::new(), waiters: HashMap::new(), next: 0, open: false }
    }
}

impl<T> Owners<T> {
    /// Accepts from here on.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Whether it accepts: not while starting or stopping.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// How many runs are here.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many that were claimed are being loaded or driven: while they are many, no more need be claimed.
    pub fn claims(&self) -> usize {
        let counts = |slot: &&Slot<T>| slot.claimed && matches!(slot.state, State::Loading | State::Working);
        self.slots.values().filter(counts).count()
    }

    /// Whether none is here.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether a run is here.
    pub fn has(&self, run: &str) -> bool {
        self.slots.contains_key(run)
    }

    /// Gives a run that is about to begin its place, before anybody can know of it.
    /// `waiter`: told how it ended.
    pub fn begin(&mut self, run: &str, waiter: Option<T>) -> Result<(Identity, Option<WaiterId>), (Refusal, Option<T>)> {
        if !self.open {
            return Err((Refusal::stopping(), waiter));
        }
        let identity = self.slot(run, State::Working);
        Ok((identity, waiter.map(|waiter| self.wait(run, waiter))))
    }

    /// Tells a run something; loads it where it is not here.
    pub fn tell(&mut self, run: &str, command: Command<T>) -> Option<Action<T>> {
        if !self.open {
            return Some(Action::Tell(command.reply(), Err(Refusal::stopping())));
        }
        if let Some(slot) = self.slots.get_mut(run) {
            if let State::Unfit(refusal) = &slot.state {
                return Some(Action::Tell(command.reply(), Err(refusal.clone())));
            }
            slot.mail.push_back(command);
            return matches!(slot.state, State::Working).then_some(Action::Notify(slot.identity));
        }
        let identity = self.slot(run, State::Loading);
        self.slots.get_mut(run)?.mail.push_back(command);
        Some(Action::Load { run: run.to_owned(), identity, claim: None })
    }

    /// Takes in runs that were claimed.
    pub fn claimed(&mut self, claims: Vec<Claim>) -> Vec<Action<T>> {
        let mut actions = Vec::new();
        for claim in claims {
            if !self.open {
                actions.push(Action::Release(claim));
            } else if let Some(slot) = self.slots.get_mut(&claim.run) {
                // Who is loading it acquires it anew, behind this.
                slot.abandoned |= claim.abandoned;
            } else {
                let (run, abandoned) = (claim.run.clone(), claim.abandoned);
                let identity = self.slot(&run, State::Loading);
                self.slots.entry(run.clone()).and_modify(|slot| (slot.abandoned, slot.claimed) = (abandoned, true));
                actions.push(Action::Load { run, identity, claim: Some(claim) });
            }
        }
        actions
    }

    /// Takes in runs that this host owns by the store: those that are not here it has lost sight of,
    /// because a claim or a release went wrong.
    pub fn recover(&mut self, owned: Vec<String>) -> Vec<Action<T>> {
        let lost: Vec<String> = owned.into_iter().filter(|run| self.open && !self.has(run)).collect();
        let load = |run: String| Action::Load { identity: self.slot(&run, State::Loading), run, claim: None };
        lost.into_iter().map(load).collect()
    }

    /// Takes in runs for which other hosts have left commands, and which this host owns by the store, or none does.
    pub fn commanded(&mut self, runs: Vec<String>) -> Vec<Action<T>> {
        let mut actions = Vec::new();
        for run in runs {
            if !self.open {
                break;
            }
            if !self.has(&run) {
                let identity = self.slot(&run, State::Loading);
                actions.push(Action::Load { run: run.clone(), identity, claim: None });
            }
            let Some(slot) = self.slots.get_mut(&run) else { continue };
            match &slot.state {
                State::Unfit(refusal) => actions.push(Action::Refuse(run, refusal.clone())),
                State::Working => {
                    slot.letters = true;
                    actions.push(Action::Notify(slot.identity));
                }
                State::Loading | State::Broken(_) => slot.letters = true,
            }
        }
        actions
    }

    /// Takes note that another host owns a run that was to be loaded: what it was told goes there. Whoever waits for
    /// its end sees it in the store.
    pub fn elsewhere(&mut self, run: &str, identity: Identity) -> Vec<Action<T>> {
        if self.of(run, identity).is_none() {
            return Vec::new();
        }
        let mail = self.slots.remove(run).map(|slot| slot.mail).unwrap_or_default();
        mail.into_iter().map(|command| Action::Forward(run.to_owned(), command)).collect()
    }

    fn slot(&mut self, run: &str, state: State) -> Identity {
        self.next += 1;
        let identity = Identity(self.next);
        let mail = VecDeque::new();
        self.slots.insert(run.to_owned(), Slot { identity, state, mail, letters: false, failures: 0, abandoned: false, claimed: false });
        identity
    }

    /// Whether the owner of a run that is being loaded was lost. `claim`: what acquiring it said.
    pub fn abandoned(&mut self, run: &str, identity: Identity, claim: &Claim) -> bool {
        self.of(run, identity).is_some_and(|slot| {
            slot.abandoned |= claim.abandoned;
            slot.abandoned
        })
    }

    /// Takes note of how a load went.
    pub fn loaded(&mut self, now: Micros, run: &str, identity: Identity, result: Result<(), Refusal>) -> Vec<Action<T>> {
        let open = self.open;
        let Some(slot) = self.of(run, identity) else { return Vec::new() };
        match result {
            Ok(()) => {
                slot.state = State::Working;
                let mail = !slot.mail.is_empty() || slot.letters || !open;
                mail.then_some(Action::Notify(identity)).into_iter().collect()
            }
            Err(refusal) => self.failed(now, run, refusal),
        }
    }

    fn failed(&mut self, now: Micros, run: &str, refusal: Refusal) -> Vec<Action<T>> {
        let told = self.refuse(run, &refusal);
        let open = self.open;
        match (self.slots.get_mut(run), refusal) {
            (Some(slot), Refusal::Unavailable(_)) if open => {
                let delay = RELOAD_DELAY.saturating_mul(1 << slot.failures.min(16)).min(RELOAD_DELAY_MAX);
                slot.failures += 1;
                slot.state = State::Broken(now + delay);
            }
            (Some(slot), refusal @ Refusal::Unfit { .. }) if open => slot.state = State::Unfit(refusal),
            _ => drop(self.slots.remove(run)),
        }
        told
    }

    /// Refuses all who wait for a run.
    fn refuse(&mut self, run: &str, refusal: &Refusal) -> Vec<Action<T>> {
        let mail = self.slots.get_mut(run).map(|slot| std::mem::take(&mut slot.mail)).unwrap_or_default();
        let waiters = self.waiters.remove(run).unwrap_or_default();
        let replies = mail.into_iter().map(Command::reply).chain(waiters.into_iter().map(|it| it.1));
        replies.map(|reply| Action::Tell(reply, Err(refusal.clone()))).collect()
    }

    /// What a worker was told since it last looked.
    pub fn mail(&mut self, run: &str, identity: Identity) -> Mail<T> {
        let stop = !self.open;
        match self.of(run, identity) {
            Some(slot) => Mail { commands: slot.mail.drain(..).collect(), letters: std::mem::take(&mut slot.letters), stop },
            // Another has its place: it has nothing to do here.
            None => Mail { commands: Vec::new(), letters: false, stop: true },
        }
    }

    /// Lets a worker leave; the one exit. None: it has been told something, and stays.
    pub fn leave(&mut self, now: Micros, run: &str, identity: Identity, exit: &Exit) -> Option<Vec<Action<T>>> {
        let Some(slot) = self.of(run, identity) else { return Some(Vec::new()) };
        match exit {
            Exit::Parked(_) if !slot.mail.is_empty() || slot.letters => None,
            Exit::Parked(_) => {
                self.slots.remove(run);
                Some(Vec::new())
            }
            Exit::Ended(view) => Some(self.ended(run, view)),
            Exit::Refused(refusal) => {
                let told = self.refuse(run, refusal);
                self.slots.remove(run);
                Some(told)
            }
            Exit::Stopped(_) => {
                let told = self.refuse(run, &Refusal::stopping());
                self.slots.remove(run);
                Some(told)
            }
            Exit::Broken { error, abandoned, went_well } => {
                slot.abandoned = *abandoned;
                if *went_well {
                    slot.failures = 0;
                }
                Some(self.failed(now, run, Refusal::Unavailable(error.to_string())))
            }
        }
    }

    /// Takes note of a worker that is gone without a word: a defect has ended it.
    pub fn lost(&mut self, now: Micros, run: &str, identity: Identity) -> Vec<Action<T>> {
        match self.of(run, identity) {
            Some(_) => {
                self.failed(now, run, Refusal::Unavailable("a defect of wf-host ended the run's worker; it is loaded again".to_owned()))
            }
            None => Vec::new(),
        }
    }

    fn ended(&mut self, run: &str, view: &RunView) -> Vec<Action<T>> {
        let mail = self.slots.remove(run).map(|slot| slot.mail).unwrap_or_default();
        let late = mail.into_iter().map(|command| Action::Tell(command.reply(), Err(Refusal::AlreadyCompleted)));
        let waiters = self.waiters.remove(run).unwrap_or_default();
        late.chain(waiters.into_iter().map(|(_, waiter)| Action::Tell(waiter, Ok(view.clone())))).collect()
    }

    /// Lets somebody wait for a run's end. Whoever asks looks at the store afterwards: it may have ended before.
    pub fn wait(&mut self, run: &str, waiter: T) -> WaiterId {
        self.next += 1;
        let id = WaiterId(self.next);
        self.waiters.entry(run.to_owned()).or_default().push((id, waiter));
        id
    }

    /// Why a run cannot be waited for, where that is known.
    pub fn unfit(&self, run: &str) -> Option<&Refusal> {
        match &self.slots.get(run)?.state {
            State::Unfit(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Forgets somebody who waits no longer.
    pub fn unwait(&mut self, run: &str, id: WaiterId) {
        if let Some(waiters) = self.waiters.get_mut(run) {
            waiters.retain(|(it, _)| *it != id);
            if waiters.is_empty() {
                self.waiters.remove(run);
            }
        }
    }

    /// Takes note of runs that were deleted.
    pub fn purged(&mut self, runs: &[String]) -> Vec<Action<T>> {
        let mut told = Vec::new();
        for run in runs {
            told.extend(self.refuse(run, &Refusal::NotFound));
            if matches!(self.slots.get(run), Some(Slot { state: State::Unfit(_), .. })) {
                self.slots.remove(run);
            }
        }
        told
    }

    /// Loads again what broke and whose time has come.
    pub fn due(&mut self, now: Micros) -> Vec<Action<T>> {
        let mut actions = Vec::new();
        for (run, slot) in &mut self.slots {
            if matches!(slot.state, State::Broken(again) if again <= now) {
                slot.state = State::Loading;
                actions.push(Action::Load { run: run.clone(), identity: slot.identity, claim: None });
            }
        }
        actions
    }

    /// When the next of those that broke is to be loaded.
    pub fn next_due(&self) -> Option<Micros> {
        let again = |slot: &Slot<T>| if let State::Broken(again) = slot.state { Some(again) } else { None };
        self.slots.values().filter_map(again).min()
    }

    /// Accepts nothing from here on; every worker is to stop, and everybody who waits is told.
    pub fn stop(&mut self) -> Vec<Action<T>> {
        self.open = false;
        let runs: Vec<String> = self.slots.keys().chain(self.waiters.keys()).cloned().collect();
        let mut actions = Vec::new();
        for run in runs {
            actions.extend(self.refuse(&run, &Refusal::stopping()));
            match self.slots.get(&run) {
                Some(Slot { state: State::Working, identity, .. }) => actions.push(Action::Notify(*identity)),
                Some(Slot { state: State::Broken(_) | State::Unfit(_), .. }) => drop(self.slots.remove(&run)),
                // It stops once it is loaded.
                Some(Slot { state: State::Loading, .. }) | None => (),
            }
        }
        actions
    }

    fn of(&mut self, run: &str, identity: Identity) -> Option<&mut Slot<T>> {
        self.slots.get_mut(run).filter(|slot| slot.identity == identity)
    }
}
