//! How large a definition may be. What is beyond that is not looked at.

use super::Findings;
use crate::definition::{EVENTS_MAX, STEPS_MAX};
use crate::manifest::{Manifest, StepManifest};
use crate::text::NAME_MAX;

/// So many characters of a longer name are shown.
const SHOWN: usize = 40;

impl Findings<'_> {
    pub(super) fn limits(&mut self) {
        let definition = self.definition;
        let steps = definition.steps().count();
        if steps > STEPS_MAX {
            self.add(format!("the workflow has {steps} steps, more than {STEPS_MAX} (limit steps_max): make several workflows of it"));
        }
        let events = definition.declarations().count();
        if events > EVENTS_MAX {
            self.add(format!(
                "the workflow declares {events} event types, more than {EVENTS_MAX} (limit event_types_max): make several workflows of it"
            ));
        }
        for name in definition.manifests().flat_map(names).filter(|name| name.len() > NAME_MAX.max) {
            let shown: String = name.chars().take(SHOWN).collect();
            self.add(format!("the name `{shown}…` is {} bytes long, more than {} (limit name_max): shorten it", name.len(), NAME_MAX.max));
        }
    }
}

/// Every name in a manifest.
fn names(manifest: &Manifest) -> impl Iterator<Item = &String> {
    let events = manifest.events.iter().flat_map(|event| std::iter::once(&event.name).chain(&event.base).chain(&event.module));
    let own = std::iter::once(&manifest.name).chain(&manifest.additional_events);
    own.chain(events).chain(manifest.steps.iter().flat_map(step_names))
}

fn step_names(step: &StepManifest) -> impl Iterator<Item = &String> {
    let caught = step.catch_error.iter().flat_map(|catch| &catch.steps);
    std::iter::once(&step.name).chain(&step.accepts).chain(&step.emits).chain(&step.sends).chain(&step.waits).chain(caught)
}
