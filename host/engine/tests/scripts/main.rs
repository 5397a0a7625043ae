//! Every test is a script: a workflow, inputs, and the effects that each prints. Nothing but
//! `check` names the engine, so it can be reshaped freely.
//!
//! Inputs, one a line (`workflow` and `guest` hold the rest of the language):
//!
//! ```text
//! start [{}]                  event Name {} [to step]          timer 0
//! cancel                      resume                           resume planned
//! @5 …                        the clocks now stand at 5 s; `@9/5`: UTC at 9, alive at 5
//! ```

mod collect;
mod ends;
mod failures;
mod golden;
mod guest;
mod history;
mod joins;
mod journal;
mod print;
mod reentry;
mod routing;
mod sleeps;
mod state;
mod waits;
mod words;
mod workflow;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use expect_test::Expect;
use wf_engine::definition::Definition;
use wf_engine::entry::{ENTRY_VERSION, Entry, Input, InvocationId, Micros};
use wf_engine::run::Run;

use guest::Guest;
use words::Words;
use workflow::Workflow;

/// Runs a script, and compares what it prints. The journal, read back from its text, must give
/// the same run again.
#[track_caller]
pub fn check(script: &str, expect: Expect) {
    let world = played(script);
    let text = serde_json::to_string(&world.journal).expect("entries are JSON");
    let journal: Vec<Entry> = serde_json::from_str(&text).expect("entries are read back");
    let replayed = Run::replay(world.definition.clone(), &journal);
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
    journal: Vec<Entry>,
    guests: BTreeMap<InvocationId, Guest>,
    at: Micros,
    alive: Micros,
    out: String,
}

impl World {
    fn new(workflow: Workflow) -> World {
        let definition = Arc::new(Definition::new(vec![("digest".into(), workflow.manifest.clone())]));
        let run = Run::new(definition.clone());
        World { workflow, definition, run, journal: Vec::new(), guests: BTreeMap::new(), at: 0, alive: 0, out: String::new() }
    }

    fn line(&mut self, line: &str) {
        let mut words = Words::of(line);
        if let Some(clocks) = line.strip_prefix('@') {
            self.set_clocks(&clocks[..clocks.find(' ').expect("an input after the time")]);
            words.word();
        }
        let input = self.input(words);
        let entry = Entry { v: ENTRY_VERSION, seq: self.run.next_seq(), at: self.at, alive: self.alive, input };
        let _ = writeln!(self.out, "{line}");
        let before = self.run.state().clone();
        for effect in self.run.apply(&entry) {
            Guest::hear(&mut self.guests, &effect);
            if let Some(line) = print::effect(&effect, self.workflow.shows_steps) {
                let _ = writeln!(self.out, "    {line}");
            }
        }
        if self.workflow.shows_state && *self.run.state() != before {
            let _ = writeln!(self.out, "    state {}", self.run.state());
        }
        self.journal.push(entry);
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
                Input::EventReceived { id: self.run.next_seq().to_string(), event, step: words.eat("to").then(|| words.word().to_owned()) }
            }
            "timer" => Input::TimerFired { timer: words.number() as u64 },
            "cancel" => Input::CancelRequested,
            "resume" => Input::Resumed { planned: words.eat("planned") },
            other => panic!("`{other}` is no input"),
        }
    }
}
