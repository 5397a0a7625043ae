//! How an attempt fails: it is retried, or caught, or the run fails.

use super::Run;
use super::end::Failed;
use super::frames::{Exception, StepFailedEvent};
use super::history::Ended;
use super::invocation::{Activity, Invocation};
use super::retry;
use crate::effect::Due;
use crate::entry::{Event, Failure, InvocationId, Micros};
use crate::time;

impl Run {
    /// A report of a failure, which also a short sleep may end in. A late one is of what has ended.
    pub(super) fn failed(&mut self, id: InvocationId, attempt: u32, failure: &Failure) {
        if let Some(invocation) = self.invocations.get(id).filter(|it| it.attempt == attempt && it.is_live()) {
            self.clear_timer(invocation.timer());
            self.fail_attempt(id, failure);
        }
    }

    /// An attempt has failed.
    pub(super) fn fail_attempt(&mut self, id: InvocationId, failure: &Failure) {
        self.note_failed(id, failure);
        let delay = self.retry_delay(id, failure);
        // What an attempt of an older run was told, it is told again.
        let failed_at = self.follows_rules(4).then_some(self.now.at);
        let invocation = &mut self.invocations[id];
        if !failure.keep_answers {
            invocation.forget_answers();
        }
        invocation.failures = invocation.failures.saturating_add(1);
        invocation.last_failure = Some(Failure { trace: None, ..failure.clone() });
        invocation.failed_at = failed_at;
        match delay {
            Some(delay) => self.retry_after(id, delay),
            None => self.fail_invocation(id, failure),
        }
    }

    /// How long it is until the next attempt; none: there is none.
    fn retry_delay(&self, id: InvocationId, failure: &Failure) -> Option<Micros> {
        let invocation = &self.invocations[id];
        let seed = self.started.as_ref()?.seed_bytes();
        let chance = retry::chance(seed, id, invocation.attempt);
        let retry = self.plan[invocation.step].retry.as_ref()?;
        retry.delay(failure, invocation.failures.saturating_add(1), self.elapsed(invocation), chance)
    }

    fn retry_after(&mut self, id: InvocationId, delay: Micros) {
        self.end_attempt(id, None);
        let timer = self.set_timer(Due::At(self.now.at.saturating_add(delay)), Some(id));
        self.now_does(id, Activity::Retrying { timer });
        self.no_question(id);
        self.invocations[id].begin_anew();
    }

    /// No further attempt is made.
    fn fail_invocation(&mut self, id: InvocationId, failure: &Failure) {
        self.note_ended(id, Ended::Failed);
        let invocation = self.end_invocation(id, None);
        match self.catcher(invocation.step) {
            Some((catcher, max)) if self.steps.recover(catcher, max) => {
                let event = self.failed_event(&invocation, failure);
                self.invoke(catcher, vec![event], invocation.place);
                self.leave_scope(invocation.place.scope);
            }
            catcher => {
                let mut message = failure.message.clone();
                if let Some((catcher, max)) = catcher.filter(|(_, max)| *max > 0) {
                    let name = &self.plan[catcher].name;
                    message = format!("{message} (the recoveries of step `{name}` are used up ({max}): raise its `max_recoveries`)");
                }
                self.fail(Failed {
                    step: &self.plan[invocation.step].name.clone(),
                    kind: &failure.kind,
                    message,
                    attempts: Some(invocation.failures),
                    elapsed: self.elapsed(&invocation),
                });
            }
        }
    }

    /// The catch-error step that takes a step's failures, and how often it may recover.
    fn catcher(&self, failed: usize) -> Option<(usize, u32)> {
        let catcher = self.definition.catcher(failed)?;
        Some((catcher, self.plan[catcher].catch_error.as_ref()?.max_recoveries))
    }

    /// What a catch-error step is given.
    fn failed_event(&self, invocation: &Invocation, failure: &Failure) -> Event {
        let event = StepFailedEvent {
            step_name: &self.plan[invocation.step].name,
            input_event: StepFailedEvent::input(&invocation.events),
            exception: Exception { exception_type: &failure.kind, exception_message: &failure.message },
            attempts: invocation.failures,
            elapsed_seconds: time::seconds(self.elapsed(invocation)),
            failed_at: time::utc_text(self.now.at),
        };
        event.event()
    }

    /// Since the first attempt was entered.
    fn elapsed(&self, invocation: &Invocation) -> Micros {
        self.now.at.saturating_sub(invocation.first_at.unwrap_or(self.now.at))
    }
}
