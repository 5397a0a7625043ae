//! Names that are none, are there twice, or name nothing.

use std::collections::BTreeMap;

use super::{Findings, is_duration};
use crate::definition::Definition;
use crate::manifest::{EventType, Manifest, StepManifest};

impl Findings<'_> {
    pub(super) fn manifest(&mut self, manifest: &Manifest) {
        if !is_name(&manifest.name) {
            self.add(format!("the workflow's name `{}` is none: use letters, digits, `.`, `_` and `-`", manifest.name));
        }
        if !manifest.timeout.is_none_or(is_duration) {
            self.add("the workflow's timeout is no time: give a number of seconds above 0, or leave it out".into());
        }
        for name in manifest.additional_events.iter().filter(|name| Definition::is_reserved(name)) {
            self.add(format!("additional event `{name}` is one that only the host makes: leave it out"));
        }
    }

    pub(super) fn duplicates(&mut self) {
        let mut seen = BTreeMap::new();
        for (part, manifest) in self.definition.manifests().enumerate() {
            for StepManifest { name, .. } in &manifest.steps {
                match seen.insert(name, part) {
                    Some(before) if before != part => {
                        let (before, part) = (self.part_name(before), self.part_name(part));
                        self.add(format!("step `{name}` is there twice, in {before} and in {part}: rename one of them"));
                    }
                    Some(_) => self.add(format!("step `{name}` is there twice: rename one of them")),
                    None => (),
                }
            }
        }
    }

    pub(super) fn event_name(&mut self, event: &EventType) {
        let name = &event.name;
        if !is_name(name) {
            self.add(format!("the event name `{name}` is none: use letters, digits, `.`, `_` and `-`"));
        }
        let is_module = |module: &String| !module.is_empty() && !module.contains(|it: char| it.is_whitespace() || it.is_control());
        if !event.module.as_ref().is_none_or(is_module) {
            self.add(format!("the module of event `{name}` is none: give its name without blanks, or leave it out"));
        }
    }

    pub(super) fn step_name(&mut self, step: &StepManifest) {
        if !is_name(&step.name) {
            self.add(format!("the step name `{}` is none: use letters, digits, `.`, `_` and `-`", step.name));
        }
    }

    /// Names that nothing in the whole definition declares.
    pub(super) fn names(&mut self) {
        let definition = self.definition;
        for name in definition.additional().filter(|name| is_unknown(definition, name)) {
            self.add(format!("additional event `{name}` is declared nowhere: add it to the workflow's events"));
        }
        definition.declarations().for_each(|event| self.known_base(event));
        definition.steps().for_each(|step| self.known_names(step));
    }

    fn known_base(&mut self, event: &EventType) {
        if let Some(base) = event.base.as_ref().filter(|base| *base != "Event" && is_unknown(self.definition, base)) {
            let name = &event.name;
            self.add(format!("event `{name}` derives from `{base}`, which is declared nowhere: add it to the workflow's events"));
        }
    }

    fn known_names(&mut self, step: &StepManifest) {
        let (name, definition) = (&step.name, self.definition);
        for event in step.accepts.iter().chain(&step.emits).chain(&step.sends).filter(|event| is_unknown(definition, event)) {
            self.add(format!("step `{name}` names event `{event}`, which is declared nowhere: add it to the workflow's events"));
        }
        let caught = step.catch_error.iter().flat_map(|catch| &catch.steps);
        for caught in caught.filter(|caught| definition.step(caught).is_none()) {
            self.add(format!("step `{name}` catches the errors of step `{caught}`, which is not there: correct the name"));
        }
    }
}

/// Whether nothing declares an event. That only the host makes it is a finding of its own.
fn is_unknown(definition: &Definition, event: &str) -> bool {
    definition.event_type(event).is_none() && !Definition::is_reserved(event)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || "._-".contains(it))
}
