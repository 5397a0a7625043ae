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
        if let Some(name) = calls.iter().filter_map(|call| awaited(&call.function)).find(|name| !self.is_known(name)) {
            return Some(unknown(&step.name, name));
        }
        let event = events.iter().find(|event| !self.may_return(&step.name, &event.name))?;
        Some(undeclared(&step.name, &event.name))
    }

    /// Whether anybody could send a type: the definition or the configuration names it.
    fn is_known(&self, name: &str) -> bool {
        let configured = self.started.as_ref().is_some_and(|started| started.additional_events.iter().any(|it| it == name));
        configured || self.definition.event_type(name).is_some()
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

/// What a call waits for.
fn awaited(function: &Function) -> Option<&str> {
    match function {
        Function::Wait(wait) => Some(&wait.name),
        _ => None,
    }
}

fn unknown(step: &str, event: &str) -> Failure {
    Failure::invalid(format!(
        "step `{step}` waits for `{event}`, which the workflow does not declare: add the type to its additional events"
    ))
}

fn stop_not_returned(step: &str, did: &str, event: &str) -> Failure {
    Failure::invalid(format!("step `{step}` {did} `{event}`: a stop event ends the run when a step returns it, and only then"))
}

fn undeclared(step: &str, event: &str) -> Failure {
    Failure::invalid(format!("step `{step}` returned `{event}`, which it does not declare: add the type to what the step emits"))
}
