//! What must hold in the end.

use std::collections::{BTreeMap, BTreeSet};

use wf_engine::effect::{Due, Effect};
use wf_engine::entry::Input;
use wf_engine::run::Run;
use wf_host::machine::letters;
use wf_host::model::{Refusal, RunStatus};
use wf_host::store::Store;

use crate::client::{Asked, Told};
use crate::ground::now;
use crate::world::World;

impl World {
    /// Timers fire once, not early; events are there once; frames are those of the fold. Gives the numbers of the
    /// events that each run has received.
    pub fn check_journals(&self) -> BTreeMap<String, BTreeSet<Option<u64>>> {
        let mut received = BTreeMap::new();
        for summary in self.ground.runs() {
            let mut run = Run::new(self.ground.workflow(&summary.workflow).definition.clone());
            let mut dues = BTreeMap::new();
            let mut numbers = BTreeSet::new();
            let mut frames = 0;
            for entry in self.ground.journal(summary.key) {
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
            let stored = now(self.ground.store.frames(&summary.run, -1, usize::MAX)).expect("frames");
            let sequences: Vec<u64> = stored.iter().map(|it| it.sequence).collect();
            assert_eq!(sequences, (0..frames).collect::<Vec<u64>>(), "the frames of {}", summary.run);
            // What nobody can read goes on for ever.
            let over = !self.ground.unfit.contains(&summary.run);
            assert!(!over || stored.last().is_some_and(|it| it.terminal), "the last frame of {}", summary.run);
            received.insert(summary.run, numbers);
        }
        received
    }

    /// What another host has asked of a run is answered, unless the run is over, and done where the answer says so: once,
    /// as any event.
    pub fn check_letters(&self, received: &BTreeMap<String, BTreeSet<Option<u64>>>) {
        for (&letter, (run, number)) in &self.letters {
            let Ok(answer) = now(self.ground.store.withdraw_command(letter)) else {
                assert!(!received.contains_key(run), "a command for {run} is gone");
                continue;
            };
            let done = answer.is_some_and(|answer| letters::read_answer(&answer).is_ok());
            match number {
                Some(_) => assert_eq!(received[run].contains(number), done, "{number:?} of {run}, and its answer"),
                None => {
                    assert!(
                        !done || !now(self.ground.store.run(run)).expect("an answer").expect("it is there").status.is_running(),
                        "{run} runs"
                    )
                }
            }
        }
    }

    /// Everybody was answered, and what was acknowledged is there.
    pub fn check_answers(&self, received: &BTreeMap<String, BTreeSet<Option<u64>>>) {
        let mut by_key: BTreeMap<String, String> = BTreeMap::new();
        for (asked, told) in self.ground.ledger.entries() {
            let Some(told) = told else {
                assert!(self.waits_elsewhere(&asked), "{asked:?} was never answered");
                continue;
            };
            assert!(!matches!(told, Told::Lost), "{asked:?}: its answer was dropped");
            let view = match told {
                Told::Answer(Ok(view)) => view,
                Told::Answer(Err(refusal)) => {
                    self.check_refused(&asked, &refusal, received);
                    continue;
                }
                Told::Nothing | Told::Lost => continue,
            };
            let stored = now(self.ground.store.run(&view.run)).expect("an answer");
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

    /// That a run cannot be read is known to the host that owns it: who waits at another one waits on.
    fn waits_elsewhere(&self, asked: &Asked) -> bool {
        match asked {
            Asked::Start { run, awaits: true, .. } | Asked::Await { run } => self.has_many() && self.ground.unfit.contains(run),
            Asked::Start { .. } | Asked::Send { .. } | Asked::Cancel(_) => false,
        }
    }

    /// What was refused for sure, or withdrawn, was not done.
    fn check_refused(&self, asked: &Asked, refusal: &Refusal, received: &BTreeMap<String, BTreeSet<Option<u64>>>) {
        // With a key it may have been done when it was asked before.
        let Asked::Send { run, number, key: None, .. } = asked else { return };
        let sure = !matches!(refusal, Refusal::Unavailable(_)) || self.ground.withdrawn.contains(number);
        let done = received.get(run).is_some_and(|numbers| numbers.contains(&Some(*number)));
        assert!(!sure || !done, "{asked:?} was refused, and done: {refusal}");
    }
}
