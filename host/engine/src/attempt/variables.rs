//! The variables of an attempt: those that it had when it first asked, at every entry into it.

use super::Attempt;
use crate::entry::{Function, Variables};

impl Attempt {
    /// What it is told without a call: it has been told before, or it has none. `granted`: what it would have now.
    pub(super) fn known(&mut self, granted: &Variables) -> Option<Variables> {
        if self.variables.is_none() {
            let had_none = match self.log.get(self.next as usize) {
                Some(call) => !matches!(call.function, Function::Variables { .. }),
                None => granted.is_empty(),
            };
            self.variables = had_none.then(Variables::default);
        }
        self.variables.clone()
    }
}
