//! `events.wait`: without an instance and without a slot, until the answer is there.

use super::Run;
use super::frames::StepState;
use super::invocation::{Activity, OTHER};
use super::waiters::Wanted;
use crate::effect::Due;
use crate::entry::{Function, InvocationId, Wait, WaitAnswer};
use crate::time;

impl Run {
    pub(super) fn wait(&mut self, id: InvocationId, wait: &Wait) {
        let key = self.invocations[id].occurrence(&wait.key());
        let asked_before = self.invocations[id].kept.asked.contains_key(&key);
        if asked_before || self.invocations[id].kept.answers.contains_key(&key) {
            self.no_question(id);
        }
        if let Some(event) = self.invocations[id].kept.answers.get(&key).cloned() {
            return self.answer_wait(id, WaitAnswer::Event(event));
        }
        if !asked_before {
            let frame = self.asks_by(id, wait.request.as_ref());
            self.invocations[id].kept.asked.insert(key.clone(), frame);
            wait.request.iter().for_each(|request| self.publish(request.clone()));
        }
        let wanted = Wanted::of(wait);
        let step = &self.plan[self.invocations[id].step].name;
        let kept = if wait.fresh { None } else { self.inbox.take(&wanted, step, &self.definition) };
        match kept {
            Some(event) => {
                self.invocations[id].kept.answers.insert(key, event.clone());
                self.answer_wait(id, WaitAnswer::Event(event));
            }
            None => self.begin_wait(id, wait, wanted, key),
        }
    }

    fn begin_wait(&mut self, id: InvocationId, wait: &Wait, wanted: Wanted, key: String) {
        let due = wait.timeout.map(|timeout| Due::Alive(self.now.alive.saturating_add(time::micros(timeout))));
        let timer = due.map(|due| self.set_timer(due, Some(id)));
        self.publish_step_state(id, StepState::NotRunning, None);
        self.now_does(id, Activity::Waiting { timer, key });
        self.free_slot(id);
        self.waiters.add(id, wanted);
    }

    /// Ends a wait: the step goes on as soon as there is a slot.
    pub(super) fn end_wait(&mut self, id: InvocationId, answer: WaitAnswer) {
        self.waiters.remove(id);
        let invocation = &mut self.invocations[id];
        let Activity::Waiting { timer, key } = invocation.activity.clone() else {
            unreachable!("cannot happen: a wait ends that nobody waits in")
        };
        match &answer {
            WaitAnswer::Event(event) => drop(invocation.kept.answers.insert(key, event.clone())),
            WaitAnswer::TimedOut => drop(invocation.kept.asked.remove(&key)),
        }
        self.clear_timer(timer);
        self.fill_wait(id, answer);
        self.requeue(id);
    }

    /// A wait whose answer is there already: the same path, but for the slot.
    fn answer_wait(&mut self, id: InvocationId, answer: WaitAnswer) {
        self.fill_wait(id, answer);
        self.enter(id);
    }

    fn fill_wait(&mut self, id: InvocationId, ended: WaitAnswer) {
        self.fill_last(id, |function| {
            let Function::Wait(wait) = function else { unreachable!("{OTHER}") };
            wait.answer = Some(ended);
        });
    }
}
