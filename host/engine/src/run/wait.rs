//! `events.wait`: without an instance and without a slot, until the answer is there.

use super::Run;
use super::invocation::{Invocation, Phase, WaitKey};
use super::time;
use crate::effect::{Due, Effect};
use crate::entry::{Function, InvocationId, Wait, WaitAnswer};

impl Run {
    pub(super) fn wait(&mut self, id: InvocationId, wait: &Wait) {
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        invocation.pause(self.alive);
        let key = key(invocation, wait);
        if let Some(event) = invocation.kept.answers.get(&key).cloned() {
            self.fill_wait(id, WaitAnswer::Event(event));
            return self.enter(id);
        }
        let is_asked = !invocation.kept.asked.insert(key.clone());
        if let Some(request) = wait.request.clone().filter(|_| !is_asked) {
            self.publish(request);
        }
        let due = wait.timeout.map(|timeout| Due::Alive(self.alive.saturating_add(time::micros(timeout))));
        let timer = due.map(|due| self.set_timer(due, Some(id)));
        if let Some(invocation) = self.invocations.get_mut(&id) {
            invocation.phase = Phase::Waiting { timer, key };
        }
        self.free_slot(id);
        self.index_waiter(id, true);
    }

    /// Ends a wait: the step goes on as soon as there is a slot.
    pub(super) fn end_wait(&mut self, id: InvocationId, answer: WaitAnswer) {
        self.index_waiter(id, false);
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        let Phase::Waiting { timer, key } = std::mem::replace(&mut invocation.phase, Phase::Queued) else { return };
        match &answer {
            WaitAnswer::Event(event) => drop(invocation.kept.answers.insert(key, event.clone())),
            WaitAnswer::TimedOut => drop(invocation.kept.asked.remove(&key)),
        }
        if let Some(timer) = timer.filter(|timer| self.timers.remove(timer).is_some()) {
            self.turn.effects.push(Effect::ClearTimer { timer });
        }
        self.fill_wait(id, answer);
        self.requeue(id);
    }

    fn fill_wait(&mut self, id: InvocationId, ended: WaitAnswer) {
        self.fill_last(id, |function| {
            if let Function::Wait(wait) = function {
                wait.answer = Some(ended);
            }
        });
    }
}

/// The key of the last call of an invocation, which is this wait.
fn key(invocation: &Invocation, wait: &Wait) -> WaitKey {
    let key = wait.key();
    let before = invocation.log.iter().rev().skip(1);
    let same = before.filter(|call| matches!(&call.function, Function::Wait(wait) if wait.key() == key));
    (key.clone(), same.count() as u32)
}
