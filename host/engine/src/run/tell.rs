//! Large values that were read: where the run still tells one right before the entry that reports it, the entry
//! says so in its place, and the fold fills it in. A step that reads, and reports or publishes, at every turn
//! would else journal the same value each time.

use super::Run;
use crate::attempt::is_large;
use crate::entry::{Call, Function, Input, Told};
use crate::state::Overlay;

impl Run {
    /// What a read of a path of the committed state gives.
    pub(crate) fn told(&self, path: &str) -> Told {
        let read =
            self.state.read(path, &mut Overlay::default()).expect("cannot happen: a path that neither the border nor the gate lets in");
        read.value.map_or(Told::Nothing, Told::Value)
    }

    /// An input as its entry has it.
    pub(super) fn without_reads(&self, mut input: Input) -> Input {
        if let Input::StepProgressed { calls, .. } = &mut input {
            calls.iter_mut().for_each(|call| self.leave_out(&mut call.function));
        }
        input
    }

    fn leave_out(&self, function: &mut Function) {
        let Some((path, answer)) = function.read() else { return };
        let Told::Value(value) = answer else { return };
        if is_large(value) && matches!(self.told(path), Told::Value(now) if now.get() == value.get()) {
            *answer = Told::Before(self.next_seq());
        }
    }

    /// The calls of the entry that is being applied, before anything of it is committed, as the step log has them.
    pub(super) fn with_reads(&self, calls: &[Call]) -> Vec<Call> {
        let mut calls = calls.to_vec();
        for (path, answer) in calls.iter_mut().filter_map(|call| call.function.read()) {
            if matches!(answer, Told::Before(seq) if *seq == self.seq()) {
                *answer = self.told(path);
            }
        }
        calls
    }
}
