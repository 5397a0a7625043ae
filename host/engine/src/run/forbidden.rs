//! What no step may do. It fails the attempt for good, and nothing of the report is committed.

use super::Run;
use super::commit::sent;
use crate::entry::{Call, Commit, Event, Failure, Function, InvocationId};

impl Run {
    pub(super) fn forbidden(&self, id: InvocationId, calls: &[Call], commit: Option<&Commit>, events: &[Event]) -> Option<Failure> {
        let step = &self.steps[self.invocations.get(&id)?.step];
        let is_stop = |event: &&Event| self.definition.is_terminal(&event.name);
        if let Some(event) = calls.iter().filter_map(|call| published(&call.function)).find(is_stop) {
            return Some(stop_not_returned(&step.name, "published", &event.name));
        }
        if let Some(event) = commit.into_iter().flat_map(sent).map(|(event, _)| event).find(is_stop) {
            return Some(stop_not_returned(&step.name, "sent", &event.name));
        }
        let event = events.iter().find(|event| !self.may_return(&step.name, &event.name))?;
        Some(undeclared(&step.name, &event.name))
    }

    /// Whether a step's manifest declares that it returns a type, or one that it derives from.
    fn may_return(&self, step: &str, name: &str) -> bool {
        let bases = self.definition.types(name);
        let emits = self.definition.step(step).map_or(&[][..], |step| &step.emits);
        emits.iter().any(|emitted| emitted == name || bases.contains(&emitted.as_str()))
    }
}

/// What a call publishes.
fn published(function: &Function) -> Option<&Event> {
    match function {
        Function::Publish { event } => Some(event),
        Function::Wait(wait) => wait.request.as_ref(),
        _ => None,
    }
}

fn stop_not_returned(step: &str, did: &str, event: &str) -> Failure {
    Failure::invalid(format!("step `{step}` {did} `{event}`: a stop event ends the run when a step returns it, and only then"))
}

fn undeclared(step: &str, event: &str) -> Failure {
    Failure::invalid(format!("step `{step}` returned `{event}`, which it does not declare: add the type to what the step emits"))
}
