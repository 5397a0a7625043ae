//! Which runs this host has: each with one worker, or on the way to one.
//!
//! A run that has not ended and is not here is left in the store: to whoever claims it when it is
//! due, or to the next command.

use std::collections::{BTreeMap, VecDeque};

use wf_engine::entry::Micros;

use super::{Answer, Command, Exit};
use crate::model::{Refusal, RunView};
use crate::store::{Claim, Held, RunKey};

/// The first delay before a run that broke is loaded again; doubles up to the last.
const RELOAD_DELAY: Micros = 100_000;
const RELOAD_DELAY_MAX: Micros = 5_000_000;
/// Runs that are claimed at once.
const CLAIMED_MAX: usize = 256;
/// With so many claimed runs in memory, no more are claimed until some have left.
const CLAIMS_MAX: usize = 2048;
/// Runs that cannot be read, and of which that is remembered. Any more stay this host's in the store, and are found out
/// anew by whoever asks for them.
pub const UNFIT_MAX: usize = 10_000;

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
    /// Another owner has taken the run: see [`Worker::overtaken`](super::Worker::overtaken).
    pub overtaken: bool,
}

/// The runs that this host has.
#[derive(Debug)]
pub struct Owners<T> {
    slots: BTreeMap<String, Slot<T>>,
    waiters: BTreeMap<String, Vec<(WaiterId, T)>>,
    /// How many slots are of runs that cannot be read.
    unfit: usize,
    next: u64,
    open: bool,
    /// Of some claim or release nobody knows how it went.
    lost_sight: bool,
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
    /// This host has become its owner while it was on its way: an answer that another host owns it may be older.
    claimed_since: bool,
    /// As its worker writes for it; none: it is owned by nobody here yet.
    held: Option<Held>,
    /// The newest generation that is known of it.
    newest: u64,
}

impl<T> Slot<T> {
    /// What its worker writes for it is refused from here on.
    fn is_overtaken(&self) -> bool {
        self.held.is_some_and(|held| held.generation < self.newest)
    }

    fn is_on_its_way(&self) -> bool {
        matches!(self.state, State::Loading | State::Broken(_))
    }
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
        Owners { slots: BTreeMap::new(), waiters: BTreeMap::new(), unfit: 0, next: 0, open: false, lost_sight: false }
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

    /// How many runs may be claimed now: none while as many that were claimed are being loaded or driven as may be.
    pub fn room(&self) -> usize {
        let counts = |slot: &&Slot<T>| slot.claimed && matches!(slot.state, State::Loading | State::Working);
        CLAIMS_MAX.saturating_sub(self.slots.values().filter(counts).count()).min(CLAIMED_MAX)
    }

    /// Takes note of a claim or a release of which nobody knows how it went.
    pub fn lose_sight(&mut self) {
        self.lost_sight = true;
    }

    /// Whether what this host owns by the store is to be looked for, with [`Owners::recover`]; says so once.
    pub fn looks(&mut self) -> bool {
        std::mem::take(&mut self.lost_sight)
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
    pub fn begin(&mut self, run: &str, key: RunKey, waiter: Option<T>) -> Result<(Identity, Option<WaiterId>), (Refusal, Option<T>)> {
        if !self.open {
            return Err((Refusal::stopping(), waiter));
        }
        let identity = self.slot(run, State::Working);
        self.slots.entry(run.to_owned()).and_modify(|slot| slot.held = Some(Held { key, generation: 1 }));
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
                // Who is loading it acquires it anew, behind this; whoever wrote for it before must go.
                slot.abandoned |= claim.abandoned;
                slot.newest = slot.newest.max(claim.generation);
                slot.claimed_since |= slot.is_on_its_way();
                if matches!(slot.state, State::Unfit(_)) {
                    slot.held = Some(Held { key: claim.key, generation: slot.newest });
                }
                let overtaken = matches!(slot.state, State::Working) && slot.is_overtaken();
                actions.extend(overtaken.then_some(Action::Notify(slot.identity)));
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
        let mut actions = Vec::new();
        for run in owned {
            if !self.open {
                break;
            }
            match self.slots.get_mut(&run) {
                // One that is here, too, may learn yet that it queues, or that it is elsewhere.
                Some(slot) => slot.claimed_since = true,
                None => actions.push(Action::Load { identity: self.slot(&run, State::Loading), run, claim: None }),
            }
        }
        actions
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
        let Some(slot) = self.of(run, identity) else { return Vec::new() };
        if std::mem::take(&mut slot.claimed_since) {
            return vec![Action::Load { run: run.to_owned(), identity, claim: None }];
        }
        let mail = self.slots.remove(run).map(|slot| slot.mail).unwrap_or_default();
        mail.into_iter().map(|command| Action::Forward(run.to_owned(), command)).collect()
    }

    fn slot(&mut self, run: &str, state: State) -> Identity {
        self.next += 1;
        let identity = Identity(self.next);
        let slot = Slot {
            identity,
            state,
            mail: VecDeque::new(),
            letters: false,
            failures: 0,
            abandoned: false,
            claimed: false,
            claimed_since: false,
            held: None,
            newest: 0,
        };
        self.slots.insert(run.to_owned(), slot);
        identity
    }

    /// Takes note of what a run that is being loaded was claimed with, before it is read.
    pub fn acquired(&mut self, run: &str, identity: Identity, claim: &Claim) {
        if let Some(slot) = self.of(run, identity) {
            slot.abandoned |= claim.abandoned;
            slot.held = Some(Held { key: claim.key, generation: claim.generation });
            slot.newest = slot.newest.max(claim.generation);
        }
    }

    /// Whether the owner of a run that is being loaded was lost.
    pub fn abandoned(&mut self, run: &str, identity: Identity) -> bool {
        self.of(run, identity).is_some_and(|slot| slot.abandoned)
    }

    /// Takes note of how a load went.
    pub fn loaded(&mut self, now: Micros, run: &str, identity: Identity, result: Result<(), Refusal>) -> Vec<Action<T>> {
        let open = self.open;
        let Some(slot) = self.of(run, identity) else { return Vec::new() };
        match result {
            Ok(()) => {
                slot.state = State::Working;
                let mail = !slot.mail.is_empty() || slot.letters || slot.is_overtaken() || !open;
                mail.then_some(Action::Notify(identity)).into_iter().collect()
            }
            Err(refusal) => self.failed(now, run, refusal),
        }
    }

    fn failed(&mut self, now: Micros, run: &str, refusal: Refusal) -> Vec<Action<T>> {
        let mut told = self.refuse(run, &refusal);
        let (open, known) = (self.open, self.unfit < UNFIT_MAX);
        match (self.slots.get_mut(run), refusal) {
            (Some(slot), Refusal::Unavailable(_)) if open => {
                let delay = RELOAD_DELAY.saturating_mul(1 << slot.failures.min(16)).min(RELOAD_DELAY_MAX);
                slot.failures += 1;
                slot.state = State::Broken(now + delay);
            }
            // By which generation it is this host's has to be known, or it would be taken for another's.
            (Some(slot), Refusal::Unfit { .. }) if open && slot.claimed_since => {
                slot.claimed_since = false;
                slot.state = State::Loading;
                told.push(Action::Load { run: run.to_owned(), identity: slot.identity, claim: None });
            }
            (Some(slot), refusal @ Refusal::Unfit { .. }) if open && known => {
                self.unfit += 1;
                slot.state = State::Unfit(refusal);
            }
            (slot, refusal) => {
                // Nobody looks after what others have left for it from here on.
                let letters = slot.is_some_and(|slot| slot.letters) && matches!(refusal, Refusal::Unfit { .. });
                told.extend(letters.then(|| Action::Refuse(run.to_owned(), refusal)));
                self.slots.remove(run);
            }
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
            // What it was told is for whoever comes after it.
            Some(slot) if slot.is_overtaken() => Mail { commands: Vec::new(), letters: false, stop, overtaken: true },
            Some(slot) => {
                let (commands, letters) = (slot.mail.drain(..).collect(), std::mem::take(&mut slot.letters));
                Mail { commands, letters, stop, overtaken: false }
            }
            // Another has its place: it has nothing to do here.
            None => Mail { commands: Vec::new(), letters: false, stop: true, overtaken: false },
        }
    }

    /// Lets a worker leave; the one exit. None: it has been told something, and stays.
    pub fn leave(&mut self, now: Micros, run: &str, identity: Identity, exit: &Exit) -> Option<Vec<Action<T>>> {
        let open = self.open;
        let Some(slot) = self.of(run, identity) else { return Some(Vec::new()) };
        match exit {
            Exit::Parked(_) if !slot.mail.is_empty() || slot.letters || slot.is_overtaken() => None,
            // This host owns it by the store, perhaps by a newer generation than what is left with this one: it is asked.
            Exit::Parked(_) if slot.claimed_since => {
                slot.claimed_since = false;
                slot.state = State::Loading;
                Some(vec![Action::Load { run: run.to_owned(), identity, claim: None }])
            }
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
            Exit::Queued if !open => {
                let told = self.refuse(run, &Refusal::stopping());
                self.slots.remove(run);
                Some(told)
            }
            // It was told something meanwhile, or its turn has come already.
            Exit::Queued if !slot.mail.is_empty() || slot.letters || slot.is_overtaken() || slot.claimed_since => {
                slot.claimed_since = false;
                slot.state = State::Loading;
                Some(vec![Action::Load { run: run.to_owned(), identity, claim: None }])
            }
            Exit::Queued => {
                self.slots.remove(run);
                Some(Vec::new())
            }
            Exit::Stopped(_) => {
                let told = self.refuse(run, &Refusal::stopping());
                self.slots.remove(run);
                Some(told)
            }
            Exit::Broken { error, abandoned, went_well } => {
                // Who had it before that is not what this worker knows of.
                slot.abandoned = *abandoned || slot.abandoned && slot.is_overtaken();
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

    /// The runs that have workers here, and those that cannot be read: asked of the store, what of them
    /// [others have taken](Owners::overtaken).
    pub fn held(&self) -> Vec<Held> {
        let stays = |slot: &&Slot<T>| matches!(slot.state, State::Working | State::Unfit(_));
        self.slots.values().filter(stays).filter_map(|slot| slot.held).collect()
    }

    /// Takes note of runs whose generation in the store is newer than it was here: this host's lease was over for a
    /// while. Who works for one of them would learn it with its next append, and may have none for long; of one that
    /// cannot be read there is nothing to keep.
    pub fn overtaken(&mut self, newer: &[Held]) -> Vec<Action<T>> {
        let newer: BTreeMap<RunKey, u64> = newer.iter().map(|held| (held.key, held.generation)).collect();
        let (mut actions, unfit) = (Vec::new(), &mut self.unfit);
        self.slots.retain(|_, slot| {
            let Some(generation) = slot.held.and_then(|held| newer.get(&held.key)) else { return true };
            slot.newest = slot.newest.max(*generation);
            match &slot.state {
                State::Working => actions.extend(slot.is_overtaken().then_some(Action::Notify(slot.identity))),
                State::Unfit(_) if slot.is_overtaken() => {
                    *unfit -= 1;
                    return false;
                }
                State::Unfit(_) | State::Loading | State::Broken(_) => (),
            }
            true
        });
        actions
    }

    /// The runs that cannot be read here: asked of the store, which of them another host has [purged](Owners::purged).
    pub fn unreadable(&self) -> Vec<String> {
        let unfit = |(run, slot): (&String, &Slot<T>)| matches!(slot.state, State::Unfit(_)).then(|| run.clone());
        self.slots.iter().filter_map(unfit).collect()
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
                self.unfit -= 1;
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
                Some(Slot { state: State::Broken(_), .. }) => drop(self.slots.remove(&run)),
                Some(Slot { state: State::Unfit(_), .. }) => {
                    self.slots.remove(&run);
                    self.unfit -= 1;
                }
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

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::model::RunStatus;

    const RUN: &str = "r";

    fn owners() -> Owners<&'static str> {
        let mut owners = Owners::default();
        owners.open();
        owners
    }

    fn claim(generation: u64) -> Claim {
        Claim { key: RunKey(1), run: RUN.to_owned(), generation, abandoned: false }
    }

    /// It is loaded for somebody.
    fn loading(owners: &mut Owners<&'static str>, reply: &'static str) -> Identity {
        match owners.tell(RUN, Command::Cancel { reply }) {
            Some(Action::Load { identity, claim: None, .. }) => identity,
            other => panic!("{other:?}"),
        }
    }

    fn unfit() -> Refusal {
        Refusal::Unfit { run: RUN.to_owned(), why: "a gap".to_owned() }
    }

    #[test]
    fn what_others_ask_of_a_run_that_cannot_be_read_is_refused() {
        let mut owners = owners();
        let identity = loading(&mut owners, "here");
        assert!(owners.commanded(vec![RUN.to_owned()]).is_empty(), "it is being loaded");
        let told = owners.loaded(0, RUN, identity, Err(unfit()));
        expect![[r#"[Tell("here", Err(Unfit { run: "r", why: "a gap" }))]"#]].assert_eq(&format!("{told:?}"));
        let refused = owners.commanded(vec![RUN.to_owned()]);
        expect![[r#"[Refuse("r", Unfit { run: "r", why: "a gap" })]"#]].assert_eq(&format!("{refused:?}"));
    }

    #[test]
    fn what_others_ask_is_refused_where_no_more_can_be_remembered() {
        let mut owners = owners();
        owners.unfit = UNFIT_MAX;
        let identity = loading(&mut owners, "here");
        owners.commanded(vec![RUN.to_owned()]);
        let told = owners.loaded(0, RUN, identity, Err(unfit()));
        expect![[r#"[Tell("here", Err(Unfit { run: "r", why: "a gap" })), Refuse("r", Unfit { run: "r", why: "a gap" })]"#]]
            .assert_eq(&format!("{told:?}"));
        assert!(owners.is_empty());
    }

    /// In the simulation, too, who waits looks at the store after a while, and would miss nothing for long.
    #[test]
    fn who_waits_for_the_end_is_told_of_it_at_once() {
        let mut owners = owners();
        let (identity, _) = owners.begin(RUN, RunKey(1), None).expect("it is open");
        owners.wait(RUN, "waiting");
        let told = owners.leave(0, RUN, identity, &Exit::Ended(view())).expect("it leaves");
        assert!(matches!(told[..], [Action::Tell("waiting", Ok(_))]), "{told:?}");
        assert!(owners.is_empty());
    }

    fn no_disk() -> Refusal {
        Refusal::Unavailable("no disk".to_owned())
    }

    fn view() -> RunView {
        RunView {
            handler: "h".to_owned(),
            run: RUN.to_owned(),
            workflow: "w".to_owned(),
            status: RunStatus::Cancelled,
            started_at: 0,
            updated_at: None,
            completed_at: None,
            queued: false,
            preview: String::new(),
            result_preview: None,
            waiting: Vec::new(),
            origin: None,
        }
    }

    #[test]
    fn what_breaks_again_and_again_is_loaded_after_longer_and_longer() {
        let mut owners = owners();
        let identity = loading(&mut owners, "here");
        let (mut now, mut delays) = (1_000_000, Vec::new());
        for _ in 0..9 {
            owners.loaded(now, RUN, identity, Err(no_disk()));
            let again = owners.next_due().expect("it is loaded again");
            assert!(owners.due(again - 1).is_empty(), "not before its time");
            assert!(matches!(owners.due(again)[..], [Action::Load { .. }]));
            assert!(owners.due(again).is_empty(), "once");
            delays.push((again - now) / 1000);
            now = again;
        }
        assert_eq!(delays, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000], "milliseconds");
        let broken = |went_well| Exit::Broken { error: crate::store::Error::Gone, abandoned: false, went_well };
        for (went_well, delay) in [(false, 5_000_000), (true, RELOAD_DELAY)] {
            owners.loaded(now, RUN, identity, Ok(()));
            owners.leave(now, RUN, identity, &broken(went_well)).expect("it leaves");
            assert_eq!(owners.next_due(), Some(now + delay), "it went well: {went_well}");
            now += delay;
            assert_eq!(owners.due(now).len(), 1);
        }
        assert_eq!(owners.lost(now, RUN, identity).len(), 0, "nobody waits");
        assert_eq!(owners.next_due(), Some(now + 2 * RELOAD_DELAY), "so is one whose worker is lost");
    }

    /// Somebody has told a run something that it has not looked at, and somebody waits for its end: whichever way it
    /// leaves, both are answered, or what was told stays for whoever has the run next.
    #[test]
    fn everybody_is_answered_whichever_way_a_run_leaves() {
        type Way = fn(&mut Owners<&'static str>, Identity) -> Vec<Action<&'static str>>;
        fn leave(owners: &mut Owners<&'static str>, identity: Identity, exit: &Exit) -> Vec<Action<&'static str>> {
            owners.leave(0, RUN, identity, exit).unwrap_or_default()
        }
        fn release() -> crate::store::Release {
            crate::store::Release { run: RunKey(1), generation: 1, wake: crate::store::Wake::default() }
        }
        fn closed(owners: &mut Owners<&'static str>) {
            owners.open = false;
        }
        let ways: [(&str, Way); 17] = [
            ("ended", |it, identity| leave(it, identity, &Exit::Ended(view()))),
            ("refused", |it, identity| leave(it, identity, &Exit::Refused(Refusal::KeyReused))),
            ("parked", |it, identity| leave(it, identity, &Exit::Parked(release()))),
            ("stopped", |it, identity| leave(it, identity, &Exit::Stopped(release()))),
            ("queued", |it, identity| leave(it, identity, &Exit::Queued)),
            ("queued, and the host stops", |it, identity| {
                closed(it);
                leave(it, identity, &Exit::Queued)
            }),
            ("broken", |it, identity| {
                leave(it, identity, &Exit::Broken { error: crate::store::Error::Gone, abandoned: false, went_well: true })
            }),
            ("broken, and the host stops", |it, identity| {
                closed(it);
                leave(it, identity, &Exit::Broken { error: crate::store::Error::Gone, abandoned: false, went_well: true })
            }),
            ("a worker is lost", |it, identity| it.lost(0, RUN, identity)),
            ("a load fails", |it, identity| it.loaded(0, RUN, identity, Err(no_disk()))),
            ("a load finds what cannot be read", |it, identity| it.loaded(0, RUN, identity, Err(unfit()))),
            ("so, and no more are remembered", |it, identity| {
                it.unfit = UNFIT_MAX;
                it.loaded(0, RUN, identity, Err(unfit()))
            }),
            ("a load finds nothing", |it, identity| it.loaded(0, RUN, identity, Err(Refusal::NotFound))),
            ("a load finds its end", |it, identity| it.loaded(0, RUN, identity, Err(Refusal::AlreadyCompleted))),
            ("it is elsewhere", |it, identity| it.elsewhere(RUN, identity)),
            ("purged", |it, _| it.purged(&[RUN.to_owned()])),
            ("the host stops", |it, _| it.stop()),
        ];
        let mut answers = String::new();
        for (name, way) in ways {
            let mut owners = owners();
            let (identity, _) = owners.begin(RUN, RunKey(1), Some("waits")).expect("it is open");
            owners.tell(RUN, Command::Cancel { reply: "told" });
            let actions = way(&mut owners, identity);
            let shown = actions.iter().filter_map(|action| match action {
                Action::Tell(who, answer) => {
                    Some(format!("{who}: {}", answer.as_ref().map_or_else(ToString::to_string, |_| "its end".to_owned())))
                }
                Action::Forward(_, command) => Some(format!("forwarded: {command:?}")),
                Action::Load { .. } => Some("loaded".to_owned()),
                Action::Notify(_) | Action::Release(_) | Action::Refuse(..) => None,
            });
            let shown: Vec<String> = shown.collect();
            let kept = owners.slots.get(RUN).map_or(0, |slot| slot.mail.len());
            let waiting = owners.waiters.get(RUN).map_or(0, Vec::len);
            answers += &format!("{name}: {}; kept {kept}, waiting {waiting}\n", shown.join(", "));
            assert!(kept == 0 || owners.has(RUN), "{name}: nobody looks at what it was told");
        }
        expect![[r#"
            ended: told: the run has ended, waits: its end; kept 0, waiting 0
            refused: told: the idempotency key came before with another request, waits: the idempotency key came before with another request; kept 0, waiting 0
            parked: ; kept 1, waiting 1
            stopped: told: the host is not available: it is starting or stopping; runs go on after it, waits: the host is not available: it is starting or stopping; runs go on after it; kept 0, waiting 0
            queued: loaded; kept 1, waiting 1
            queued, and the host stops: told: the host is not available: it is starting or stopping; runs go on after it, waits: the host is not available: it is starting or stopping; runs go on after it; kept 0, waiting 0
            broken: told: the host is not available: the run was deleted, waits: the host is not available: the run was deleted; kept 0, waiting 0
            broken, and the host stops: told: the host is not available: the run was deleted, waits: the host is not available: the run was deleted; kept 0, waiting 0
            a worker is lost: told: the host is not available: a defect of wf-host ended the run's worker; it is loaded again, waits: the host is not available: a defect of wf-host ended the run's worker; it is loaded again; kept 0, waiting 0
            a load fails: told: the host is not available: no disk, waits: the host is not available: no disk; kept 0, waiting 0
            a load finds what cannot be read: told: run `r` cannot be read: a gap, waits: run `r` cannot be read: a gap; kept 0, waiting 0
            so, and no more are remembered: told: run `r` cannot be read: a gap, waits: run `r` cannot be read: a gap; kept 0, waiting 0
            a load finds nothing: told: there is no such run, waits: there is no such run; kept 0, waiting 0
            a load finds its end: told: the run has ended, waits: the run has ended; kept 0, waiting 0
            it is elsewhere: forwarded: Cancel { reply: "told" }; kept 0, waiting 1
            purged: told: there is no such run, waits: there is no such run; kept 0, waiting 0
            the host stops: told: the host is not available: it is starting or stopping; runs go on after it, waits: the host is not available: it is starting or stopping; runs go on after it; kept 0, waiting 0
        "#]].assert_eq(&answers);
    }

    #[test]
    fn a_run_that_is_found_before_it_knows_that_it_queues_is_loaded() {
        let mut owners = owners();
        let (identity, _) = owners.begin(RUN, RunKey(1), None).expect("it is open");
        assert!(owners.recover(vec![RUN.to_owned()]).is_empty(), "it has its place");
        let again = owners.leave(0, RUN, identity, &Exit::Queued).expect("it leaves");
        expect![[r#"[Load { run: "r", identity: Identity(1), claim: None }]"#]].assert_eq(&format!("{again:?}"));
    }

    /// What a claim has brought came late: meanwhile the run was acquired by a newer generation, and leaving it went wrong.
    #[test]
    fn a_run_that_is_found_while_somebody_leaves_it_with_an_old_claim_is_loaded() {
        let mut owners = owners();
        let loads = owners.claimed(vec![claim(4)]);
        let [Action::Load { identity, claim: Some(_), .. }] = loads[..] else { panic!("{loads:?}") };
        owners.acquired(RUN, identity, &claim(4));
        owners.loaded(0, RUN, identity, Ok(()));
        assert!(owners.recover(vec![RUN.to_owned()]).is_empty(), "it has its place");
        let parked = Exit::Parked(crate::store::Release { run: RunKey(1), generation: 4, wake: crate::store::Wake::default() });
        let again = owners.leave(0, RUN, identity, &parked).expect("it leaves");
        assert!(matches!(again[..], [Action::Load { claim: None, .. }]), "{again:?}");
        owners.acquired(RUN, identity, &claim(6));
        owners.loaded(0, RUN, identity, Ok(()));
        assert_eq!(owners.leave(0, RUN, identity, &parked).expect("it leaves").len(), 0, "once");
        assert!(owners.is_empty());
    }

    /// Which of the two the store has said later, nobody knows: the claim that is told may be the older one.
    #[test]
    fn a_run_that_is_found_before_an_old_claim_of_it_is_told_is_loaded_again() {
        let mut owners = owners();
        let identity = loading(&mut owners, "here");
        assert!(owners.recover(vec![RUN.to_owned()]).is_empty(), "it is being loaded");
        owners.acquired(RUN, identity, &claim(2));
        owners.loaded(0, RUN, identity, Ok(()));
        owners.mail(RUN, identity);
        let parked = Exit::Parked(crate::store::Release { run: RunKey(1), generation: 2, wake: crate::store::Wake::default() });
        let again = owners.leave(0, RUN, identity, &parked).expect("it leaves");
        assert!(matches!(again[..], [Action::Load { claim: None, .. }]), "{again:?}");
    }

    #[test]
    fn what_is_asked_of_a_run_that_another_host_has_goes_there() {
        let mut owners = owners();
        let identity = loading(&mut owners, "here");
        let forwarded = owners.elsewhere(RUN, identity);
        expect![[r#"[Forward("r", Cancel { reply: "here" })]"#]].assert_eq(&format!("{forwarded:?}"));
        assert!(owners.is_empty());
        assert!(owners.elsewhere(RUN, identity).is_empty(), "once");
    }

    #[test]
    fn a_run_that_was_claimed_since_is_not_given_away() {
        let mut owners = owners();
        let identity = loading(&mut owners, "here");
        assert!(owners.claimed(vec![Claim { abandoned: true, ..claim(2) }]).is_empty(), "it is being loaded");
        let again = owners.elsewhere(RUN, identity);
        expect![[r#"[Load { run: "r", identity: Identity(1), claim: None }]"#]].assert_eq(&format!("{again:?}"));
        assert!(owners.abandoned(RUN, identity));
        assert!(owners.recover(vec![RUN.to_owned()]).is_empty(), "it is being loaded");
        assert_eq!(format!("{:?}", owners.elsewhere(RUN, identity)), format!("{again:?}"));
        expect![[r#"[Forward("r", Cancel { reply: "here" })]"#]].assert_eq(&format!("{:?}", owners.elsewhere(RUN, identity)));
        assert!(owners.is_empty());
    }

    #[test]
    fn whoever_works_for_a_run_that_is_claimed_anew_goes() {
        let mut owners = owners();
        let identity = loading(&mut owners, "here");
        owners.acquired(RUN, identity, &claim(2));
        assert_eq!(owners.loaded(0, RUN, identity, Ok(())).len(), 1, "it has mail");
        assert!(owners.claimed(vec![claim(2)]).is_empty(), "what was told late");
        assert!(owners.overtaken(&[Held { key: RunKey(1), generation: 2 }]).is_empty(), "its own");
        assert_eq!(owners.mail(RUN, identity).commands.len(), 1);
        let notified = owners.claimed(vec![claim(4)]);
        expect!["[Notify(Identity(1))]"].assert_eq(&format!("{notified:?}"));
        let parked = Exit::Parked(crate::store::Release { run: RunKey(1), generation: 2, wake: crate::store::Wake::default() });
        assert!(owners.leave(0, RUN, identity, &parked).is_none(), "what it leaves is not its own");
        assert!(owners.mail(RUN, identity).overtaken);
    }

    #[test]
    fn what_cannot_be_read_and_was_claimed_meanwhile_is_no_others() {
        let mut owners = owners();
        let identity = loading(&mut owners, "here");
        owners.acquired(RUN, identity, &claim(2));
        assert!(owners.claimed(vec![claim(4)]).is_empty(), "it is being loaded");
        let told = owners.loaded(0, RUN, identity, Err(unfit()));
        assert!(matches!(told[..], [Action::Tell(..), Action::Load { claim: None, .. }]), "{told:?}");
        owners.acquired(RUN, identity, &claim(5));
        assert!(owners.loaded(0, RUN, identity, Err(unfit())).is_empty(), "once");
        assert_eq!(owners.held(), vec![Held { key: RunKey(1), generation: 5 }]);
    }

    #[test]
    fn what_cannot_be_read_is_forgotten_once_it_is_anothers() {
        let mut owners = owners();
        let identity = loading(&mut owners, "here");
        owners.acquired(RUN, identity, &claim(2));
        assert!(owners.held().is_empty(), "it is being loaded");
        owners.loaded(0, RUN, identity, Err(unfit()));
        assert_eq!((owners.held(), owners.unreadable()), (vec![Held { key: RunKey(1), generation: 2 }], vec![RUN.to_owned()]));
        // This host has had it anew, after another.
        owners.claimed(vec![claim(4)]);
        owners.overtaken(&[Held { key: RunKey(1), generation: 4 }]);
        assert!(owners.unfit(RUN).is_some(), "it is its own");
        owners.overtaken(&[Held { key: RunKey(1), generation: 5 }]);
        assert!(owners.is_empty());
    }

    #[test]
    fn no_more_is_claimed_than_there_is_room_for() {
        let mut owners = owners();
        let mut claimed = 0;
        while owners.room() > 0 {
            let claims = (0..owners.room()).map(|place| Claim { run: (claimed + place).to_string(), ..claim(1) }).collect();
            claimed += owners.claimed(claims).len();
        }
        assert_eq!(claimed, CLAIMS_MAX);
    }
}
