//! A host takes the run over, and no instance of it is alive.

use super::Run;
use super::invocation::Activity;
use crate::entry::{Failure, InvocationId};

/// Most hosts that an attempt may lose in a row without having recorded anything. Past this it
/// is the attempt that takes them down.
const CRASHES_MAX: u32 = 10;

impl Run {
    /// Enters again what was executing. `on_thread`: who was at work when the host was lost.
    pub(super) fn resumed(&mut self, planned: bool, on_thread: Option<&[InvocationId]>) {
        let suspected = |id: InvocationId| !planned && on_thread.is_none_or(|ids| ids.contains(&id));
        for id in self.interrupted() {
            let invocation = &mut self.invocations[id];
            invocation.crashes += u32::from(suspected(id));
            if invocation.crashes >= CRASHES_MAX {
                let failure = crashed(&self.plan[invocation.step].name);
                self.fail_attempt(id, &failure);
            } else {
                self.enter_again(id);
            }
            // The run may have failed with it.
            if !self.is_running() {
                return;
            }
        }
    }

    /// Takes note that there are no instances. What was executing.
    fn interrupted(&mut self) -> Vec<InvocationId> {
        let mut executing = Vec::new();
        for (id, invocation) in self.invocations.iter_mut() {
            match &mut invocation.activity {
                Activity::Sleeping { dropped, .. } => *dropped = true,
                Activity::Executing { .. } => {
                    // Its answer is in the log by now.
                    self.exclusives.forget_put_off(id);
                    executing.push(id);
                }
                _ => (),
            }
        }
        executing
    }
}

/// The failure of an attempt that takes its host down whenever it is entered.
fn crashed(step: &str) -> Failure {
    let message = format!("step `{step}` was entered {CRASHES_MAX} times, and each time its host was lost before it recorded anything");
    Failure::new("crashed", message, false)
}
