//! Tests are scripts: a workflow, inputs, and the effects that each prints. Few of them name the
//! engine otherwise, so it can be reshaped freely.
//!
//! Inputs, one a line (`workflow` and `guest` hold the rest of the language):
//!
//! ```text
//! start [{}]                  event Name {} [to step] [at 3]   timer 0
//! cancel                      resume [planned] [on 1 2]        fork [state {}] [#0 Item {}]
//! @5 …                        the clocks now stand at 5 s; `@9/5`: UTC at 9, alive at 5
//! ```

mod awaits;
mod collect;
mod counts;
mod ends;
mod exclusive;
mod failures;
mod forks;
mod golden;
mod guest;
mod history;
mod inbox;
mod joins;
mod journals;
mod pages;
mod print;
mod reentry;
mod routing;
mod sleeps;
mod snapshots;
mod state;
mod waits;
mod words;
mod workflow;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use expect_test::Expect;
use wf_engine::definition::Definition;
use wf_engine::effect::Effect;
use wf_engine::entry::{Entry, Input, InvocationId, Micros};
use wf_engine::journal;
use wf_engine::run::Run;
use wf_engine::snapshot;

use guest::Guest;
use words::Words;
use workflow::Workflow;

/// Bytes of snapshots that a script may take: beyond them its run goes on without being put away. So a
/// script of many thousand entries, or invocations, takes little longer for it, and any other is put away
/// to its end.
const PUT_AWAY_MAX: usize = 1 << 20;

/// Runs a script, and compares what it prints. The journal, read back from its text, must get through
/// its gate, and give the same run again.
#[track_caller]
pub fn check(script: &str, expect: Expect) {
    let world = played(script);
    assert!(world.put_away.is_some(), "it is too long to be put away after every entry");
    let text = world.journal.iter().map(|entry| serde_json::to_vec(entry).expect("entries are JSON"));
    let journal: Vec<Entry> = (0..).zip(text).map(|(seq, text)| journal::read(seq, &text).expect("entries are read back")).collect();
    let replayed = journal::replay(Run::new(world.definition.clone()), &journal).expect("the journal fits");
    assert_eq!(format!("{:?}", world.run), format!("{replayed:?}"), "a replay gives the same run");
    expect.assert_eq(&world.out);
}

/// The world after a script.
fn played(script: &str) -> World {
    let (workflow, inputs) = workflow::parse(script);
    let mut world = World::new(workflow);
    inputs.into_iter().for_each(|line| world.line(line));
    world
}

/// A run, its guests and its clocks.
struct World {
    workflow: Workflow,
    definition: Arc<Definition>,
    run: Run,
    /// The same run, put away and taken up again after every entry.
    put_away: Option<Run>,
    /// How many bytes of snapshots that took.
    bytes: usize,
    journal: Vec<Entry>,
    guests: BTreeMap<InvocationId, Guest>,
    at: Micros,
    alive: Micros,
    out: String,
}

impl World {
    fn new(workflow: Workflow) -> World {
        let definition = Arc::new(Definition::new(workflow.parts.clone()));
        World {
            workflow,
            run: Run::new(definition.clone()),
            put_away: Some(Run::new(definition.clone())),
            bytes: 0,
            definition,
            journal: Vec::new(),
            guests: BTreeMap::new(),
            at: 0,
            alive: 0,
            out: String::new(),
        }
    }

    /// Gives the run another workflow, that a fork goes on with.
    fn redefine(&mut self, workflow: Workflow) {
        let definition = Arc::new(Definition::new(workflow.parts.clone()));
        for run in std::iter::once(&mut self.run).chain(&mut self.put_away) {
            run.redefine(definition.clone());
        }
        (self.workflow, self.definition) = (workflow, definition);
    }

    fn line(&mut self, line: &str) {
        let mut words = Words::of(line);
        if let Some(clocks) = line.strip_prefix('@') {
            self.set_clocks(&clocks[..clocks.find(' ').expect("an input after the time")]);
            words.word();
        }
        let input = self.input(words);
        let entry = self.run.entry(self.at, self.alive, input);
        let _ = writeln!(self.out, "{line}");
        let before = self.run.state();
        for effect in self.apply(&entry) {
            Guest::hear(&mut self.guests, &effect);
            if let Some(line) = print::effect(&effect, self.workflow.shows_steps) {
                let _ = writeln!(self.out, "    {line}");
            }
        }
        let after = self.run.state();
        if self.workflow.shows_state && after.get() != before.get() {
            let _ = writeln!(self.out, "    state {after}");
        }
        self.journal.push(entry);
    }

    /// Applies an entry, also to the run that is put away after each: the same comes of it.
    fn apply(&mut self, entry: &Entry) -> Vec<Effect> {
        let effects = self.run.apply(entry);
        if let Some(mut run) = self.put_away.take() {
            let same = run.apply(entry);
            assert_eq!(format!("{effects:?}"), format!("{same:?}"), "what was put away does the same in entry {}", entry.seq);
            let bytes = snapshot::take(&run);
            let restored = snapshot::restore(run.definition().clone(), &bytes).expect("a snapshot");
            assert_eq!(format!("{:?}", self.run), format!("{restored:?}"), "what was put away is the same after entry {}", entry.seq);
            self.bytes += bytes.len();
            self.put_away = Some(restored).filter(|_| self.bytes <= PUT_AWAY_MAX);
        }
        effects
    }

    fn set_clocks(&mut self, clocks: &str) {
        let (at, alive) = clocks.split_once('/').unwrap_or((clocks, clocks));
        let micros = |text: &str| (text.parse::<f64>().expect("seconds") * 1e6) as Micros;
        (self.at, self.alive) = (micros(at), micros(alive));
    }

    fn input(&mut self, mut words: Words) -> Input {
        let word = words.word();
        if let Some(invocation) = word.strip_prefix('#') {
            let (id, attempt) = invocation.split_once('.').map_or((invocation, None), |(id, attempt)| (id, attempt.parse().ok()));
            let id = id.parse().expect("an invocation's number");
            let guest = self.guests.entry(id).or_default();
            return guest.report(id, attempt, words.rest(), self.at, &self.run);
        }
        match word {
            "start" => Input::Started(Box::new(self.workflow.started(&mut words))),
            "event" => {
                let event = words.event();
                let step = words.eat("to").then(|| words.word().to_owned());
                let invocation = words.number_after("at").map(|id| id as InvocationId);
                if let Some(refusal) = self.run.refuses(&event, step.as_deref(), invocation) {
                    let _ = writeln!(self.out, "refused: {refusal:?}");
                }
                Input::EventReceived { id: self.run.next_seq().to_string(), event, step, invocation }
            }
            "timer" => Input::TimerFired { timer: words.number() as u64 },
            "cancel" => Input::CancelRequested,
            "resume" => {
                let planned = words.eat("planned");
                let on_thread = words.eat("on").then(|| words.names(&[]).iter().map(|id| id.parse().expect("a number")).collect());
                Input::Resumed { planned, on_thread }
            }
            "fork" => Input::Forked(Box::new(workflow::forked(&mut words, self.workflow.parts.iter().map(|it| it.0.clone()).collect()))),
            other => panic!("`{other}` is no input"),
        }
    }
}
