//! A call that was made at an earlier entry: it is compared, and answered from the log. It is never refused.

use super::border::Sizes;
use super::{Attempt, Next, Request, answer, nondeterministic};
use crate::entry::{Call, Function};

impl Attempt {
    /// The attempt fails when it was another call.
    pub(super) fn again(&mut self, call: Call, mut request: Request) -> Next {
        if !request.is(&call.function) {
            return Next::Fail(nondeterministic(call.function.identity(), request.identity()));
        }
        if self.next >= self.committed && !matches!(call.function, Function::Refused { .. }) {
            match request.effect(&Sizes::any()) {
                Ok(effect) => effect.into_iter().for_each(|effect| self.own.again(effect)),
                // It could be read when it was recorded.
                Err(refused) => return Next::Fail(nondeterministic(call.function.identity(), refused.message)),
            }
        }
        self.next += 1;
        self.stands(&call);
        self.unreported.recorded(&call);
        self.follow(&call, false);
        answer::next(call, &self.log)
    }
}
