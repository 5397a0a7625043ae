//! What is wrong with a definition, said before a run finds out.

use std::collections::BTreeSet;
use std::fmt;

use super::Definition;
use crate::manifest::{EventKind, EventType, Join, Manifest, Retry, StepManifest};

/// Something that keeps a definition from being sound: what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding(String);

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What was found so far.
struct Findings<'a> {
    definition: &'a Definition,
    found: Vec<Finding>,
}

impl Definition {
    /// Everything that is wrong with it; nothing: it is sound.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Findings { definition: self, found: Vec::new() };
        self.manifests().for_each(|manifest| findings.manifest(manifest));
        findings.duplicates();
        self.manifests().flat_map(|manifest| &manifest.events).for_each(|event| findings.event(event));
        self.steps().for_each(|step| findings.step(step));
        // What follows from unknown names would only repeat them.
        if findings.found.is_empty() {
            findings.ends();
            findings.flow();
            findings.joins();
        }
        findings.found
    }
}

impl Findings<'_> {
    fn add(&mut self, finding: String) {
        self.found.push(Finding(finding));
    }

    fn manifest(&mut self, manifest: &Manifest) {
        if !is_name(&manifest.name) {
            self.add(format!("the workflow's name `{}` is none: use letters, digits, `.`, `_` and `-`", manifest.name));
        }
        if !manifest.timeout.is_none_or(is_duration) {
            self.add("the workflow's timeout is no time: give a number of seconds above 0, or leave it out".into());
        }
        for name in &manifest.additional_events {
            if self.definition.event_type(name).is_none() {
                self.add(format!("additional event `{name}` is declared nowhere: add it to the workflow's events"));
            }
        }
    }

    fn duplicates(&mut self) {
        let definition = self.definition;
        for step in twice(definition.steps().map(|step| &step.name)) {
            self.add(format!("step `{step}` is there twice: rename one of them"));
        }
        for manifest in definition.manifests() {
            for event in twice(manifest.events.iter().map(|event| &event.name)) {
                self.add(format!("event `{event}` is declared twice: remove or rename one of them"));
            }
        }
    }

    fn event(&mut self, event: &EventType) {
        let name = &event.name;
        if !is_name(name) {
            self.add(format!("the event name `{name}` is none: use letters, digits, `.`, `_` and `-`"));
        }
        if !(event.schema.is_object() || event.schema.is_null()) {
            self.add(format!("the schema of event `{name}` is no JSON Schema: give an object"));
        }
        let Some(base) = &event.base else { return };
        if base != "Event" && self.definition.event_type(base).is_none() {
            self.add(format!("event `{name}` derives from `{base}`, which is declared nowhere: add it to the workflow's events"));
        }
        if base == name || self.definition.types(name).contains(&name.as_str()) {
            self.add(format!("event `{name}` derives from itself: give it another base"));
        }
    }

    fn step(&mut self, step: &StepManifest) {
        let name = &step.name;
        if !is_name(name) {
            self.add(format!("the step name `{name}` is none: use letters, digits, `.`, `_` and `-`"));
        }
        if step.accepts.is_empty() {
            self.add(format!("step `{name}` accepts no event: name the type of event that it takes"));
        }
        for event in step.accepts.iter().chain(&step.emits).chain(&step.sends) {
            if self.definition.event_type(event).is_none() {
                self.add(format!("step `{name}` names event `{event}`, which is declared nowhere: add it to the workflow's events"));
            }
        }
        for event in step.accepts.iter().filter(|event| self.definition.is_terminal(event)) {
            self.add(format!("step `{name}` accepts event `{event}`, which ends the run and reaches no step: let it accept another"));
        }
        if step.num_workers == 0 {
            self.add(format!("step `{name}` has no slots: set `num_workers` to 1 or more"));
        }
        if !step.timeout.is_none_or(is_duration) {
            self.add(format!("the timeout of step `{name}` is no time: give a number of seconds above 0, or leave it out"));
        }
        if let Some(retry) = &step.retry {
            self.retry(name, retry);
        }
        for caught in step.catch_error.iter().flat_map(|catch| &catch.steps) {
            if self.definition.step(caught).is_none() {
                self.add(format!("step `{name}` catches the errors of step `{caught}`, which is not there: correct the name"));
            }
        }
        if step.catch_error.is_some() && !self.definition.step_accepts(step, "StepFailedEvent") {
            self.add(format!("step `{name}` catches errors and does not accept `StepFailedEvent`: add it to what the step accepts"));
        }
    }

    fn retry(&mut self, step: &str, retry: &Retry) {
        let optional = |value: Option<f64>| value.is_none_or(is_span);
        let sound = is_span(retry.delay) && is_span(retry.factor) && optional(retry.delay_max) && optional(retry.elapsed_max);
        if !sound || !(0.0..=1.0).contains(&retry.jitter) {
            self.add(format!("the retry of step `{step}` has a time that is none: give seconds of 0 or more, and a jitter from 0 to 1"));
        }
        if retry.attempts_max == Some(0) {
            self.add(format!("the retry of step `{step}` allows no attempt: set `attempts_max` to 1 or more"));
        }
    }

    /// How it begins and ends.
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

    /// Steps that nothing reaches, events that nothing produces or consumes.
    fn flow(&mut self) {
        let definition = self.definition;
        let produced = |name: &str| definition.steps().any(|step| step.emits.iter().chain(&step.sends).any(|it| it == name));
        for step in definition.steps() {
            for event in &step.accepts {
                let derived =
                    || definition.event_types().any(|it| produced(&it.name) && definition.types(&it.name).contains(&event.as_str()));
                let made = event == "StepFailedEvent" || definition.is_from_outside(event) || produced(event);
                if !(made || step.subtypes && derived()) {
                    self.add(format!(
                        "step `{}` accepts event `{event}`, which nothing produces: let a step return it, or name it in the `sends` of the step that sends it",
                        step.name
                    ));
                }
            }
            for event in &step.emits {
                let consumed = definition.steps().any(|it| definition.step_accepts(it, event));
                let leaves = definition.is_terminal(event) || definition.kind(event) == Some(EventKind::InputRequired);
                if !consumed && !leaves {
                    self.add(format!(
                        "step `{}` returns event `{event}`, which no step accepts: let one accept it, or publish it",
                        step.name
                    ));
                }
            }
        }
        for event in definition.manifests().flat_map(|manifest| &manifest.events) {
            let derived = definition.event_types().any(|it| definition.types(&it.name).contains(&event.name.as_str()));
            if !definition.is_named(&event.name) && !definition.is_from_outside(&event.name) && !derived {
                let asks = event.kind == EventKind::InputRequired;
                if !asks {
                    self.add(format!(
                        "event `{}` is declared, and no step names it: remove it, or name it in a step's `sends`",
                        event.name
                    ));
                }
            }
        }
        let reached = definition.reached();
        for step in definition.steps().filter(|step| !reached.contains(step.name.as_str())) {
            self.add(format!("no event reaches step `{}` from the start: let a step that is reached return what it accepts", step.name));
        }
    }

    /// Each all-join has one fan-out step.
    fn joins(&mut self) {
        let definition = self.definition;
        for step in definition.steps().filter(|step| step.join == Some(Join::All)) {
            match definition.fan_outs_of(&step.name)[..] {
                [] => self.add(format!(
                    "step `{}` joins all events of a fan-out, and no fan-out step leads to it: let a step before it return a list",
                    step.name
                )),
                [_] => (),
                [first, second, ..] => self.add(format!(
                    "step `{}` joins all events of a fan-out, and both `{first}` and `{second}` lead to it: give each a join of its own",
                    step.name
                )),
            }
        }
        for step in definition.steps().filter(|step| step.join == Some(Join::Each) && step.accepts.len() < 2) {
            self.add(format!(
                "step `{}` joins events of one type with nothing: let it accept a second type, or leave the join out",
                step.name
            ));
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || "._-".contains(it))
}

/// A time that passes.
fn is_duration(seconds: f64) -> bool {
    seconds.is_finite() && seconds > 0.0
}

/// A time, perhaps none at all.
fn is_span(seconds: f64) -> bool {
    seconds.is_finite() && seconds >= 0.0
}

fn twice<'a>(names: impl Iterator<Item = &'a String>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(name.as_str())).map(String::as_str).collect()
}
