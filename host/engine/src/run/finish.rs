//! The ends of a run. Nothing follows the terminal frame.

use super::{Run, Status, Turn, Waiters, frames};
use crate::effect::{Effect, Outcome};
use crate::entry::{Event, Micros};

/// Why a run fails.
#[derive(Debug)]
pub(super) struct Fault {
    /// The step that failed; empty where none did.
    pub step: String,
    pub kind: String,
    pub message: String,
    pub attempts: Option<u32>,
    /// Since the first attempt, or the run, began.
    pub elapsed: Micros,
}

impl Run {
    pub(super) fn complete(&mut self, stop: &Event) {
        self.finish(stop.clone(), Status::Completed(stop.clone()), Outcome::Completed(stop.clone()));
    }

    pub(super) fn fail(&mut self, fault: Fault) {
        let message = fault.message.clone();
        self.finish(frames::failed(&fault), Status::Failed(message.clone()), Outcome::Failed(message));
    }

    pub(super) fn cancel(&mut self) {
        self.finish(frames::cancelled(), Status::Cancelled, Outcome::Cancelled);
    }

    /// The run's timeout has passed.
    pub(super) fn time_out(&mut self) {
        let timeout = self.started.as_ref().and_then(|started| started.timeout).unwrap_or_default();
        let is_active = |step: &usize| self.invocations.values().any(|it| it.step == *step && it.is_active());
        let active: Vec<&str> = (0..self.steps.len()).filter(is_active).map(|step| &*self.steps[step].name).collect();
        let message = format!("Workflow timed out after {timeout}s");
        self.finish(frames::timed_out(timeout, &active), Status::Failed(message.clone()), Outcome::Failed(message));
    }

    /// Drops all that the ended run needs no more, so that it holds its state and little else.
    fn finish(&mut self, terminal: Event, status: Status, outcome: Outcome) {
        let live = self.invocations.iter().filter(|(_, invocation)| invocation.is_live());
        let aborts = live.map(|(&invocation, it)| Effect::Abort { invocation, attempt: it.attempt });
        self.turn.effects.extend(aborts);
        self.publish(terminal);
        self.turn.effects.push(Effect::Finish(outcome));
        self.status = status;
        self.steps.clear();
        self.invocations.clear();
        self.waiters = Waiters::new();
        self.timers.clear();
        self.scopes.clear();
        self.buffers.clear();
        self.turn = Turn { effects: std::mem::take(&mut self.turn.effects), ..Turn::default() };
    }
}
