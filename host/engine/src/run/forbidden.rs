//! What no step may do. It fails the attempt for good, and nothing of the report is committed.

use crate::definition::Definition;
use crate::entry::{Call, Commit, Event, Failure, Function};

/// What a step is held to.
pub(super) struct Declared<'a> {
    pub definition: &'a Definition,
    /// Types of events that the configuration adds.
    pub additional: &'a [String],
    /// The step.
    pub step: &'a str,
}

impl Declared<'_> {
    /// Why a report is refused; none: it is not.
    pub(super) fn forbids(&self, calls: &[Call], commit: Option<&Commit>, events: &[Event]) -> Option<Failure> {
        let published = calls.iter().filter_map(|call| published(&call.function)).map(|event| ("published", event));
        let sent = commit.into_iter().flat_map(Commit::sends).map(|(event, _)| ("sent", event));
        let returned = events.iter().map(|event| ("returned", event));
        let emitted = published.chain(sent).chain(returned).find_map(|(did, event)| self.not_to_be_emitted(did, &event.name));
        let waited = || calls.iter().find_map(|call| self.not_to_be_waited_for(&call.function));
        let message = emitted.or_else(waited)?;
        Some(Failure::new("invalid", message, false))
    }

    fn not_to_be_emitted(&self, did: &str, name: &str) -> Option<String> {
        let step = self.step;
        if Definition::is_reserved(name) {
            return Some(format!("step `{step}` {did} `{name}`, which only the host makes: use an event type of your own"));
        }
        if did == "returned" {
            let refused = !self.definition.may_return(step, name);
            return refused
                .then(|| format!("step `{step}` returned `{name}`, which it does not declare: add the type to what the step emits"));
        }
        let ends = self.definition.is_terminal(name);
        ends.then(|| format!("step `{step}` {did} `{name}`: a stop event ends the run when a step returns it, and only then"))
    }

    /// A wait that nobody could answer, or of which nobody would know what is asked.
    fn not_to_be_waited_for(&self, function: &Function) -> Option<String> {
        let step = self.step;
        // No other call waits.
        let Function::Wait(wait) = function else { return None };
        if let Some(name) = wait.types.iter().find(|name| !self.is_known(name)) {
            return Some(format!(
                "step `{step}` waits for `{name}`, which the workflow does not declare: add the type to its additional events"
            ));
        }
        let asked = wait.request.as_ref().filter(|request| !self.is_known(&request.name))?;
        Some(format!("step `{step}` asks with `{}`, which the workflow does not declare: add the type to what the step sends", asked.name))
    }

    /// Whether the definition or the configuration names a type.
    fn is_known(&self, name: &str) -> bool {
        self.additional.iter().any(|it| it == name) || self.definition.event_type(name).is_some()
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
