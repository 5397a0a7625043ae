//! `time.sleep`: a sleep keeps its slot, and a long one drops its instance.

use super::Run;
use super::invocation::{Activity, OTHER};
use crate::effect::Due;
use crate::entry::{Function, InvocationId, Micros, SLEEP_DROP_MIN};

impl Run {
    pub(super) fn sleep(&mut self, id: InvocationId, duration: Micros) {
        let timer = self.set_timer(Due::At(self.now.at.saturating_add(duration)), Some(id));
        self.now_does(id, Activity::Sleeping { timer, dropped: duration >= SLEEP_DROP_MIN });
    }

    /// Wakes what sleeps, at the time at which it was due or later.
    pub(super) fn wake(&mut self, id: InvocationId, due: Due, dropped: bool) {
        if let Due::At(due) = due {
            self.now.at = self.now.at.max(due);
        }
        let awake = |function: &mut Function| {
            let Function::Sleep { answer, .. } = function else { unreachable!("{OTHER}") };
            *answer = true;
        };
        if dropped {
            self.fill_last(id, awake);
            self.enter(id);
        } else {
            self.now_does(id, Activity::Executing { since: self.now.alive });
            self.answer_last(id, awake);
        }
    }
}
