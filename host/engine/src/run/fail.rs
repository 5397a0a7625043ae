//! How an attempt fails: it is retried, or caught, or the run fails.

use super::Run;
use super::finish::Fault;
use super::frames;
use super::invocation::{Invocation, Phase};
use crate::effect::{Due, Effect};
use crate::entry::{Event, Failure, InvocationId};
use crate::manifest::CatchError;

impl Run {
    /// A report of a failure, which also a short sleep may end in.
    pub(super) fn reported_failure(&mut self, id: InvocationId, attempt: u32, failure: &Failure) {
        let Some(invocation) = self.invocations.get(&id) else { return };
        if invocation.attempt != attempt || !invocation.is_live() {
            return;
        }
        if let Phase::Sleeping { timer, .. } = invocation.phase {
            self.timers.remove(&timer);
            self.turn.effects.push(Effect::ClearTimer { timer });
        }
        self.failed(id, failure);
    }

    pub(super) fn failed(&mut self, id: InvocationId, failure: &Failure) {
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        if !failure.keep_answers {
            invocation.forget_answers();
        }
        match self.retry_delay(id, failure) {
            Some(delay) => {
                self.publish_ended(id, None);
                self.free_slot(id);
                self.set_timer(Due::At(self.at.saturating_add(delay)), Some(id));
                if let Some(invocation) = self.invocations.get_mut(&id) {
                    invocation.next_attempt();
                }
            }
            None => self.failed_for_good(id, failure),
        }
    }

    fn failed_for_good(&mut self, id: InvocationId, failure: &Failure) {
        let Some(invocation) = self.end(id, None) else { return };
        let Some(catcher) = self.catcher(invocation.step) else { return self.fail_step(&invocation, failure) };
        self.steps[catcher].recoveries += 1;
        let event = self.step_failed(&invocation, failure);
        self.invoke(catcher, vec![event], invocation.scope);
        self.leave_scope(invocation.scope);
    }

    /// The first catch-error step that names a step, else the first that names none; none also
    /// where its recoveries are used up.
    fn catcher(&self, failed: usize) -> Option<usize> {
        let others = || (0..self.steps.len()).filter(move |&step| step != failed);
        let catches = |step: usize| self.catch_error(step).map(|catch| &catch.steps);
        let names = |step: &usize| catches(*step).is_some_and(|steps| steps.iter().any(|name| **name == *self.steps[failed].name));
        let takes_all = |step: &usize| catches(*step).is_some_and(Vec::is_empty);
        let catcher = others().find(names).or_else(|| others().find(takes_all))?;
        let recoveries_max = self.catch_error(catcher)?.max_recoveries;
        (self.steps[catcher].recoveries < recoveries_max).then_some(catcher)
    }

    fn catch_error(&self, step: usize) -> Option<&CatchError> {
        self.definition.step(&self.steps[step].name)?.catch_error.as_ref()
    }

    fn step_failed(&self, invocation: &Invocation, failure: &Failure) -> Event {
        frames::step_failed(&self.fault(invocation, failure), invocation.events.first(), self.at)
    }

    fn fail_step(&mut self, invocation: &Invocation, failure: &Failure) {
        let fault = self.fault(invocation, failure);
        self.fail(fault);
    }

    fn fault(&self, invocation: &Invocation, failure: &Failure) -> Fault {
        Fault {
            step: self.steps[invocation.step].name.to_string(),
            kind: failure.kind.clone(),
            message: failure.message.clone(),
            attempts: Some(invocation.attempt.saturating_add(1)),
            elapsed: self.at.saturating_sub(invocation.first_at.unwrap_or(self.at)),
        }
    }
}

/// The failure of an attempt that takes its host down whenever it is entered.
pub(super) fn crashed(step: &str, crashes: u32) -> Failure {
    let message = format!("step `{step}` was entered {crashes} times, and each time its host was lost before it recorded anything");
    Failure { kind: "crashed".to_owned(), ..Failure::invalid(message) }
}

impl Failure {
    /// Of an attempt that did what no attempt may.
    pub(super) fn invalid(message: String) -> Failure {
        Failure::new("invalid", message, false)
    }
}
