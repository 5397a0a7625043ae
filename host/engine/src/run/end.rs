//! The ends of a run. Nothing follows the terminal frame.

use super::awaits::Questions;
use super::buffers::Buffers;
use super::exclusives::Exclusives;
use super::frames::{self, Exception, WorkflowFailedEvent, WorkflowTimedOutEvent};
use super::inbox::Inbox;
use super::invocation::Invocations;
use super::scopes::Scopes;
use super::timers::Timers;
use super::waiters::Waiters;
use super::{Run, Status, Turn};
use crate::effect::{Effect, Outcome};
use crate::entry::{Event, Micros};
use crate::time;

/// Why a run fails.
pub(super) struct Failed<'a> {
    /// The step that failed; empty where none did.
    pub step: &'a str,
    pub kind: &'a str,
    pub message: String,
    pub attempts: Option<u32>,
    /// Since the first attempt, or the run, began.
    pub elapsed: Micros,
}

impl Run {
    /// With a stop event.
    pub(super) fn complete(&mut self, stop: &Event) {
        self.end(stop.clone(), Status::Completed(stop.clone()), Outcome::Completed(stop.clone()));
    }

    /// With a failure.
    pub(super) fn fail(&mut self, failed: Failed) {
        let terminal = WorkflowFailedEvent {
            step_name: failed.step,
            exception: Exception { exception_type: failed.kind, exception_message: &failed.message },
            attempts: failed.attempts,
            elapsed_seconds: time::seconds(failed.elapsed),
        };
        self.end(terminal.event(), Status::Failed(failed.message.clone()), Outcome::Failed(failed.message));
    }

    /// On request.
    pub(super) fn cancel(&mut self) {
        self.end(frames::cancelled(), Status::Cancelled, Outcome::Cancelled);
    }

    /// Because its timeout has passed.
    pub(super) fn time_out(&mut self) {
        let timeout = self.started.as_ref().and_then(|started| started.timeout).unwrap_or_default();
        let mut active = vec![false; self.plan.len()];
        self.invocations.iter().filter(|(_, it)| it.is_active()).for_each(|(_, it)| active[it.step] = true);
        let active_steps = self.plan.iter().zip(active).filter(|(_, active)| *active).map(|(planned, _)| &*planned.name).collect();
        let terminal = WorkflowTimedOutEvent { timeout, active_steps }.event();
        let seconds = if self.follows_rules(4) { format!("{timeout:?}") } else { timeout.to_string() };
        let message = format!("Workflow timed out after {seconds}s");
        self.end(terminal, Status::Failed(message.clone()), Outcome::Failed(message));
    }

    /// Drops all that the ended run needs no more, so that it holds its state and little else.
    fn end(&mut self, terminal: Event, status: Status, outcome: Outcome) {
        let live = self.invocations.iter().filter(|(_, invocation)| invocation.is_live());
        let aborts = live.map(|(invocation, it)| Effect::Abort { invocation, attempt: it.attempt });
        self.turn.effects.extend(aborts);
        self.publish(terminal);
        self.push(Effect::End(outcome));
        self.status = status;
        self.note_dropped();
        self.steps = self.steps.emptied();
        self.invocations = Invocations::default();
        self.waiters = Waiters::default();
        self.inbox = Inbox::default();
        self.questions = Questions::default();
        self.exclusives = Exclusives::default();
        self.buffers = Buffers::default();
        self.scopes = Scopes::default();
        self.timers = Timers::default();
        self.turn = Turn { effects: std::mem::take(&mut self.turn.effects), ..Turn::default() };
    }
}
