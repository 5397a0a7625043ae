//! What is due at the end of every entry.

use super::finish::Fault;
use super::invocation::Phase;
use super::{Run, frames};
use crate::manifest::EventKind;

const STUCK: &str = "the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. \
    Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event";

impl Run {
    pub(super) fn settle(&mut self) {
        if !self.is_running() {
            return;
        }
        self.fill_slots();
        self.publish_preparing();
        let quiet = self.is_quiet();
        for unhandled in std::mem::take(&mut self.turn.unhandled) {
            let qualified = self.qualified_name(&unhandled.name);
            self.publish(frames::unhandled(&unhandled, &qualified, quiet));
        }
        if self.is_stuck() {
            return self.fail(Fault {
                step: String::new(),
                kind: "stuck".to_owned(),
                message: STUCK.to_owned(),
                attempts: None,
                elapsed: self.at.saturating_sub(self.started_at),
            });
        }
        if quiet && !self.idle {
            self.publish(frames::idle());
        }
        self.idle = quiet;
    }

    /// Says of the new invocations which wait for a slot.
    fn publish_preparing(&mut self) {
        for id in std::mem::take(&mut self.turn.arrived) {
            let Some(invocation) = self.invocations.get(&id) else { continue };
            if matches!(invocation.phase, Phase::Queued) {
                let step = &self.steps[invocation.step];
                let frame = frames::step_state(step, invocation, frames::StepState::Preparing, None);
                self.publish(frame);
            }
        }
    }

    /// Nothing is in flight, and what could come from the outside is nothing that is expected.
    fn is_stuck(&self) -> bool {
        let additional = self.started.as_ref().is_some_and(|started| !started.additional_events.is_empty());
        self.invocations.is_empty() && !additional && !self.accepts_human_response()
    }

    fn accepts_human_response(&self) -> bool {
        let mut accepted = self.definition.steps().flat_map(|step| &step.accepts);
        accepted.any(|name| self.definition.kind(name) == Some(EventKind::HumanResponse))
    }

    fn qualified_name(&self, name: &str) -> String {
        let workflow = self.started.as_ref().map_or("", |started| &started.workflow);
        let module = if self.definition.is_builtin(name) { "workflows.events" } else { workflow };
        format!("{module}.{name}")
    }
}
