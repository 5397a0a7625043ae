//! `state.edit-exclusive`: with the slot and without an instance, until it is the attempt's turn.

use super::Run;
use super::invocation::{Activity, OTHER};
use crate::entry::{Function, InvocationId};

impl Run {
    pub(super) fn edit_exclusive(&mut self, id: InvocationId, path: &str) {
        // One at a time: whoever asks again has let go.
        self.release_exclusive(id);
        if self.exclusives.ask(id, path) {
            self.begin_exclusive(id);
        } else {
            self.now_does(id, Activity::Blocked);
        }
    }

    /// Gives back what an invocation has to itself, or waits for: others may have their turn.
    pub(super) fn release_exclusive(&mut self, id: InvocationId) {
        self.exclusives.forget_put_off(id);
        let (turns, edits) = self.exclusives.leave(id);
        turns.into_iter().for_each(|next| self.begin_exclusive(next));
        edits.into_iter().for_each(|edit| self.answer_last(edit, |_| ()));
    }

    /// It is an attempt's turn: it is told what is there, and entered again.
    fn begin_exclusive(&mut self, id: InvocationId) {
        let version = self.state.version();
        let told = self.told(self.exclusives.held(id).expect("cannot happen: a turn at nothing"));
        self.fill_last(id, |function| {
            let Function::EditExclusive { answer, .. } = function else { unreachable!("{OTHER}") };
            *answer = Some((version, told));
        });
        self.enter(id);
    }
}
