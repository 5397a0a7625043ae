//! What a run waits for from outside, for those who look for it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Run;
use crate::entry::{Event, InvocationId};
use crate::manifest::EventKind;

/// Most questions that are told of at once, most types of each, and most waits that are looked at for it.
const AWAITS_MAX: usize = 20;
const LOOKED_AT_MAX: usize = 200;
/// Most questions without a waiter that are remembered: the oldest go first.
const OPEN_MAX: usize = 100;

/// Something from outside that a run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaits {
    /// The event types that answer: the first to come does.
    pub types: Vec<String>,
    /// The step that waits; none: no step does, it is given the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Its invocation, by its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation: Option<InvocationId>,
    /// The frame in which it was asked; none: nothing was published for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
}

/// Input-required events that were emitted for no wait and are not answered: their frames, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Questions(VecDeque<u64>);

impl Questions {
    pub(super) fn ask(&mut self, frame: u64) {
        if self.0.len() == OPEN_MAX {
            self.0.pop_front();
        }
        self.0.push_back(frame);
    }

    /// Its own step waits for the answer.
    pub(super) fn waited_for(&mut self, frame: u64) {
        self.0.retain(|it| *it != frame);
    }

    /// Nothing says which of them an answer is for: it is the oldest.
    pub(super) fn answered(&mut self) {
        self.0.pop_front();
    }
}

impl Run {
    /// What it waits for from outside, at most 20 of it: waits that only the outside can end, and questions that steps
    /// have put without waiting. Nothing while it only goes on.
    pub fn awaits(&self) -> Vec<Awaits> {
        if !self.is_running() {
            return Vec::new();
        }
        let mut awaits: Vec<Awaits> = self.waits_outside().take(AWAITS_MAX).collect();
        // It is asked after every entry, and mostly goes on.
        let idles = awaits.is_empty() && self.idle;
        if self.questions.0.is_empty() && !idles {
            return awaits;
        }
        let taken = self.taken_from_outside();
        if !taken.is_empty() {
            let asked = self.questions.0.iter().map(|frame| Awaits { request: Some(*frame), ..Awaits::of(&taken) });
            awaits.extend(asked.take(AWAITS_MAX - awaits.len()));
        }
        if awaits.is_empty() && self.idle {
            let additional = self.started.iter().flat_map(|it| &it.additional_events).map(String::as_str);
            let types = if taken.is_empty() { additional.collect() } else { taken };
            awaits.extend((!types.is_empty()).then(|| Awaits::of(&types)));
        }
        awaits
    }

    /// Waits that end by what comes from outside: while others go on, one of them might still end a wait of another kind.
    fn waits_outside(&self) -> impl Iterator<Item = Awaits> {
        let outside = |types: &[String]| self.idle || types.iter().any(|name| self.may_be_waited_for(name));
        self.waiters.iter().take(LOOKED_AT_MAX).filter(move |(_, types)| outside(types)).map(|(id, types)| {
            let invocation = &self.invocations[id];
            let types: Vec<&str> = types.iter().map(String::as_str).collect();
            let step = self.plan[invocation.step].name.to_string();
            Awaits { step: Some(step), invocation: Some(id), request: invocation.request(), ..Awaits::of(&types) }
        })
    }

    /// The types that steps are given when they come from outside.
    fn taken_from_outside(&self) -> Vec<&str> {
        let is_answer = |name: &&str| self.definition.kind(name) == Some(EventKind::HumanResponse);
        let accepted = self.plan.iter().flat_map(|step| &step.accepts).map(|(name, _)| &**name).filter(is_answer);
        let mut types: Vec<&str> = accepted.collect();
        types.sort_unstable();
        types.dedup();
        types
    }

    pub(super) fn is_input_required(&self, event: &Event) -> bool {
        self.definition.kind(&event.name) == Some(EventKind::InputRequired)
    }

    /// Whether a wait that is still to come could take an event from outside.
    pub(super) fn may_be_waited_for(&self, name: &str) -> bool {
        let bases = self.definition.bases(name);
        let named = |additional: &String| additional == name || bases.contains(&additional.as_str());
        let additional = self.started.as_ref().is_some_and(|started| started.additional_events.iter().any(named));
        additional || self.definition.kind(name) == Some(EventKind::HumanResponse)
    }

    /// A step publishes an event; an input-required one is a question, of the wait that comes next or of none.
    pub(super) fn publish_of(&mut self, id: InvocationId, event: Event) {
        if self.is_input_required(&event) {
            self.invocations[id].shown = Some(self.next_sequence);
            self.questions.ask(self.next_sequence);
        }
        self.publish(event);
    }

    /// An input-required event is emitted, and published by that.
    pub(super) fn ask(&mut self, event: Event) {
        self.questions.ask(self.next_sequence);
        self.publish(event);
    }

    /// The frame that asks what an invocation now waits for.
    pub(super) fn asks_by(&mut self, id: InvocationId, request: Option<&Event>) -> Option<u64> {
        let shown = self.no_question(id);
        if request.is_some() { Some(self.next_sequence) } else { shown }
    }

    /// What an invocation has last asked waits for nobody else: it does itself, or begins anew, and would ask again.
    pub(super) fn no_question(&mut self, id: InvocationId) -> Option<u64> {
        let shown = self.invocations[id].shown.take();
        shown.iter().for_each(|frame| self.questions.waited_for(*frame));
        shown
    }
}

impl Awaits {
    fn of(types: &[&str]) -> Awaits {
        let types = types.iter().take(AWAITS_MAX).map(|name| (*name).to_owned()).collect();
        Awaits { types, step: None, invocation: None, request: None }
    }
}
