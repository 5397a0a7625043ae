//! How a definition begins and ends, and what nothing produces, consumes or reaches.

use std::collections::BTreeSet;

use super::Findings;
use crate::definition::{Definition, builtin};
use crate::manifest::{EventKind, EventType, Join, StepManifest};

impl Findings<'_> {
    pub(super) fn flow(&mut self) {
        let definition = self.definition;
        self.ends();
        let supply = Supply::of(definition);
        for step in definition.steps() {
            self.accepted(step, &supply);
            self.returned(step);
        }
        definition.declarations().for_each(|event| self.unnamed(event, &supply));
        let reached = definition.reached();
        for (_, step) in definition.indexed().filter(|(index, _)| !reached.contains(index)) {
            self.add(format!("no event reaches step `{}` from the start: let a step that is reached return what it accepts", step.name));
        }
        definition.steps().for_each(|step| self.joins(step));
    }

    fn ends(&mut self) {
        match self.definition.start_types()[..] {
            [] => self.add("no step accepts a start event: let one accept `StartEvent` or a type of kind `start`".into()),
            [_] => (),
            [first, second, ..] => {
                self.add(format!("steps accept two start events, `{first}` and `{second}`: a workflow starts with one"));
            }
        }
        if self.definition.stop_types().is_empty() {
            self.add("no step returns a stop event: let one return `StopEvent` or a type of kind `stop`".into());
        }
    }

    fn accepted(&mut self, step: &StepManifest, supply: &Supply) {
        let made = |event: &str| supply.made.contains(event) || step.subtypes && supply.bases.contains(event);
        for event in step.accepts.iter().filter(|event| !made(event)) {
            self.add(format!(
                "step `{}` accepts event `{event}`, which nothing produces: let a step return it, \
                 or name it in the `sends` of the step that sends it",
                step.name
            ));
        }
    }

    /// Of a step that may return anything, what it returns needs no consumer.
    fn returned(&mut self, step: &StepManifest) {
        let definition = self.definition;
        let leaves = |event: &str| definition.is_terminal(event) || definition.kind(event) == Some(EventKind::InputRequired);
        let unconsumed = |event: &&String| !step.emits_any && !leaves(event) && definition.accepting(event).is_empty();
        for event in step.emits.iter().filter(unconsumed) {
            self.add(format!("step `{}` returns event `{event}`, which no step accepts: let one accept it, or publish it", step.name));
        }
    }

    fn unnamed(&mut self, event: &EventType, supply: &Supply) {
        let name = event.name.as_str();
        let asks = event.kind == EventKind::InputRequired;
        let used = self.definition.is_named(name) || supply.made.contains(name) || supply.declared_bases.contains(name);
        if !asks && !used {
            self.add(format!("event `{name}` is declared, and no step names it: remove it, or name it in a step's `sends`"));
        }
    }

    /// Each all-join has a fan-out step; several, if all steps say what they return: one that may return anything
    /// would make an all-join's of each fan-out before it, and fire it for those that have nothing for it.
    fn joins(&mut self, step: &StepManifest) {
        let name = &step.name;
        if step.join == Some(Join::Each) && step.accepts.len() < 2 {
            self.add(format!("step `{name}` joins events of one type with nothing: let it accept a second type, or leave the join out"));
        }
        if step.join != Some(Join::All) {
            return;
        }
        let fan_outs: Vec<&str> = self.definition.fan_outs_of(name).collect();
        let open = self.definition.steps().any(|step| step.emits_any);
        match fan_outs[..] {
            [] => self.add(format!(
                "step `{name}` joins all events of a fan-out, and no fan-out step leads to it: let a step before it return a list"
            )),
            [first, second, ..] if open => self.add(format!(
                "step `{name}` joins all events of a fan-out, and both `{first}` and `{second}` may lead to it, \
                 as a step may return anything: name what each step returns, or give each fan-out a join of its own"
            )),
            _ => (),
        }
    }
}

/// The types of which there are events.
struct Supply<'a> {
    /// Those that a step makes, or that come from outside or from the host.
    made: BTreeSet<&'a str>,
    /// Those that one of them derives from.
    bases: BTreeSet<&'a str>,
    /// Those that any declared type derives from.
    declared_bases: BTreeSet<&'a str>,
}

impl<'a> Supply<'a> {
    fn of(definition: &'a Definition) -> Supply<'a> {
        let named = definition.steps().flat_map(|step| step.emits.iter().chain(&step.sends)).map(String::as_str);
        let outside = definition.event_types().map(|event| event.name.as_str()).filter(|name| definition.is_from_outside(name));
        let made: BTreeSet<&str> = named.chain(definition.open_types()).chain(outside).chain([builtin::STEP_FAILED]).collect();
        let bases = made.iter().flat_map(|name| definition.bases(name)).collect();
        let declared_bases = definition.event_types().flat_map(|event| definition.bases(&event.name)).collect();
        Supply { made, bases, declared_bases }
    }
}
