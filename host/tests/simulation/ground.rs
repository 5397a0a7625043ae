//! What all hosts of a world stand on: chance, the clocks, the store, and what is known of each run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Input, Micros, Part};
use wf_engine::journal;
use wf_engine::run::Run;
use wf_host::model::RunsFilter;
use wf_host::model::{Limits, Workflow};
use wf_host::store::{self, Append, Claim, HostId, Memory, Now, Place, RunKey, RunSummary, Store, Wake};

use crate::client::Ledger;
use crate::guest::manifest;

/// Of so many worlds in a row each has as many runs at once as the others.
const RUNS_MAX_FROM: u64 = 12;

pub struct Ground {
    chance: ChaCha8Rng,
    pub workflows: [Arc<Workflow>; 2],
    pub store: Memory,
    pub ledger: Ledger,
    /// Nothing goes wrong any more.
    pub kind: bool,
    pub at: Micros,
    pub alive: Micros,
    numbers: u64,
    /// How many there were.
    pub appends: usize,
    /// Who owns each run, and by which generation, as the store has answered whoever asked.
    pub owners: BTreeMap<RunKey, (HostId, u64)>,
    /// Runs whose owner was lost, as whoever has claimed them since was told.
    abandoned: BTreeSet<RunKey>,
    /// Runs whose journals no build fits.
    pub unfit: BTreeSet<String>,
    /// The numbers of the events, sent without a key, that were withdrawn before somebody took them in.
    pub withdrawn: BTreeSet<u64>,
    /// Runs that only the outside moves, by their journals of this length.
    idle: BTreeSet<(RunKey, usize)>,
}

/// How many runs of a workflow have begun, or may.
fn begun(places: &[Place], workflow: &str) -> usize {
    places.iter().filter(|it| it.workflow == workflow && !it.queues).count()
}

pub fn now<T>(future: BoxFuture<'_, T>) -> T {
    future.now_or_never().expect("a store in memory answers at once")
}

pub fn part() -> Part {
    Part { component: "d".into(), data: None }
}

fn workflow(name: &str, timeout: Option<f64>, runs_max: Option<u32>) -> Arc<Workflow> {
    let manifest = serde_json::from_value(manifest(timeout)).expect("a manifest");
    let definition = Arc::new(Definition::new(vec![(part(), manifest)]));
    Arc::new(Workflow {
        name: name.into(),
        definition,
        additional_events: vec!["Answer".into()],
        components: Vec::new(),
        limits: Arc::new(Limits { runs_max, ..Limits::default() }),
        grants: Arc::default(),
    })
}

impl Ground {
    pub fn new(seed: u64) -> Ground {
        let runs_max = [None, Some(1), Some(2)][(seed / RUNS_MAX_FROM % 3) as usize];
        Ground {
            chance: ChaCha8Rng::seed_from_u64(seed),
            workflows: [workflow("play", None, runs_max), workflow("timed", Some(20.0), runs_max)],
            store: Memory::default(),
            ledger: Ledger::default(),
            kind: false,
            at: 1_000_000,
            alive: 0,
            numbers: 0,
            appends: 0,
            owners: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            unfit: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            idle: BTreeSet::new(),
        }
    }

    pub fn up_to(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.chance.next_u32() as usize % limit }
    }

    /// Asks the store, which does not always answer.
    pub fn read<T>(&mut self, read: impl for<'a> FnOnce(&'a Memory) -> BoxFuture<'a, store::Result<T>>) -> store::Result<T> {
        if !self.kind && self.up_to(15) == 0 {
            return Err(store::Error::Unavailable("it cannot be read, by chance".into()));
        }
        now(read(&self.store))
    }

    /// Whether somebody is told at once what was read, while it is still so.
    pub fn tells_at_once(&mut self) -> bool {
        self.kind || self.up_to(3) > 0
    }

    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub fn now(&self) -> Now {
        Now { at: self.at, alive: self.alive }
    }

    /// The runs of a workflow that queue, those that wait longest first.
    pub fn queue(&self, workflow: &str) -> Vec<RunKey> {
        let runs = self.runs().into_iter().filter(|it| it.queue.as_deref() == Some(workflow)).map(|it| it.key);
        runs.collect::<BTreeSet<RunKey>>().into_iter().collect()
    }

    /// How many runs of a workflow have begun, or may, and have not ended.
    pub fn begun(&self, workflow: &str) -> usize {
        begun(&self.store.places(), workflow)
    }

    /// Of each workflow no more runs go on than may; and where fewer do, somebody is about to give a turn.
    pub fn check_turns(&self, places: &[Place]) {
        for workflow in &self.workflows {
            let begun = begun(places, &workflow.name);
            assert!(workflow.limits.runs_max.is_none_or(|max| begun <= max as usize), "{begun} runs of {} go on", workflow.name);
        }
    }

    /// What nobody owns is due at some time, or queues, or is asked for; else nothing moves it but the outside.
    pub fn check_left(&mut self, places: &[Place]) {
        for place in places.iter().filter(|it| it.owner.is_none() && !it.queues && !it.commanded) {
            if place.wake != Wake::default() || self.idle.contains(&(place.key, place.length)) {
                continue;
            }
            let run = self.replayed(&place.workflow, &self.journal(place.key));
            assert!(!run.needs_resume(), "run {} executes by its journal, and nobody has it", place.run);
            assert_eq!(run.timers().count(), 0, "a timer of run {} is lost", place.run);
            assert!(run.awaited().next().is_some(), "run {} waits for nothing, and nothing moves it", place.run);
            self.idle.insert((place.key, place.length));
        }
    }

    pub fn workflow(&self, name: &str) -> Arc<Workflow> {
        self.workflows.iter().find(|it| it.name == name).expect("it is loaded").clone()
    }

    /// A run as it is stored.
    pub fn run(&self, run: &str) -> Option<RunSummary> {
        now(self.store.run(run)).expect("an answer")
    }

    pub fn runs(&self) -> Vec<RunSummary> {
        now(self.store.runs(RunsFilter { limit: usize::MAX, ..RunsFilter::default() })).expect("runs").runs
    }

    /// The runs that have not ended, and that somebody can read.
    pub fn unfinished(&self) -> Vec<RunSummary> {
        let runs = self.runs().into_iter();
        runs.filter(|it| it.status.is_running() && !self.unfit.contains(&it.run)).collect()
    }

    pub fn journal(&self, key: RunKey) -> Vec<Entry> {
        let rows = now(self.store.journal(key)).expect("a journal");
        rows.iter().map(|it| journal::read(it.seq, &it.bytes).expect("it fits")).collect()
    }

    pub fn replayed(&self, workflow: &str, entries: &[Entry]) -> Run {
        journal::replay(Run::new(self.workflow(workflow).definition.clone()), entries).expect("it fits")
    }

    /// The store has made a host the owner of a run.
    pub fn claimed(&mut self, host: HostId, claim: &Claim) {
        let before = self.owners.insert(claim.key, (host, claim.generation));
        if before.is_none_or(|(before, _)| before != host) {
            // What the one before knew is no more than what this one will be told.
            self.abandoned.remove(&claim.key);
        }
    }

    /// A host was told that a run was another's, which was lost; or it can know no more that it was.
    pub fn abandoned(&mut self, run: RunKey, abandoned: bool) {
        if abandoned {
            self.abandoned.insert(run);
        } else {
            self.abandoned.remove(&run);
        }
    }

    /// The store has taken an append of a host.
    pub fn appended(&mut self, host: HostId, append: &Append) {
        assert_eq!(self.owners.get(&append.run), Some(&(host, append.generation)), "who has lost a run writes for it");
        if self.abandoned.remove(&append.run) {
            let entry = journal::read(append.entries[0].seq, &append.entries[0].bytes).expect("it fits");
            let planned = matches!(entry.input, Input::Resumed { planned: true, .. });
            assert!(!planned, "that the owner of {:?} was lost is forgotten", append.run);
        }
    }
}
