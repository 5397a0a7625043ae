//! What is due at the end of every entry.

use super::Run;
use super::end::Failed;
use super::frames::{self, StepState, UnhandledEvent};
use super::invocation::Activity;
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
        let quiet = self.waiters.len() == self.invocations.len();
        self.publish_unhandled(quiet);
        if self.is_stuck() {
            let elapsed = self.now.at.saturating_sub(self.started_at);
            return self.fail(Failed { step: "", kind: "stuck", message: STUCK.to_owned(), attempts: None, elapsed });
        }
        if quiet && !self.idle {
            self.publish(frames::idle());
        }
        self.idle = quiet;
    }

    /// Says of the new invocations which wait for a slot.
    fn publish_preparing(&mut self) {
        for id in std::mem::take(&mut self.turn.arrived) {
            if self.invocations.get(id).is_some_and(|invocation| matches!(invocation.activity, Activity::Queued)) {
                self.publish_step_state(id, StepState::Preparing, None);
            }
        }
    }

    fn publish_unhandled(&mut self, idle: bool) {
        for unhandled in std::mem::take(&mut self.turn.unhandled) {
            let qualified_name = self.qualified_name(&unhandled.name);
            let frame = UnhandledEvent { event_type: &unhandled.name, qualified_name, step_name: unhandled.step.as_deref(), idle };
            self.publish(frame.event());
        }
    }

    /// Nothing is in flight, and what could come from the outside is nothing that is expected.
    fn is_stuck(&self) -> bool {
        let additional = self.started.as_ref().is_some_and(|started| !started.additional_events.is_empty());
        self.invocations.len() == 0 && !additional && !self.accepts_human_response()
    }

    fn accepts_human_response(&self) -> bool {
        let mut accepted = self.plan.iter().flat_map(|step| &step.accepts);
        accepted.any(|(name, _)| self.definition.kind(name) == Some(EventKind::HumanResponse))
    }

    fn qualified_name(&self, name: &str) -> String {
        let workflow = self.started.as_ref().map_or("", |started| &started.workflow);
        self.definition.qualified_name(workflow, name)
    }
}
