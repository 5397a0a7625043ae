//! A host takes the run over, and no instance of it is alive.

use super::Run;
use super::fail;
use super::invocation::Phase;
use crate::effect::Effect;
use crate::entry::InvocationId;

/// Most hosts that an attempt may lose in a row without having recorded anything. Past this it
/// is the attempt that takes them down.
const CRASHES_MAX: u32 = 10;

impl Run {
    /// Sets every timer again, and enters again what was executing.
    pub(super) fn resumed(&mut self, planned: bool) {
        let timers = self.timers.iter().map(|(&timer, it)| Effect::SetTimer { timer, due: it.due });
        self.turn.effects.extend(timers);
        for id in self.interrupted(planned) {
            let Some(invocation) = self.invocations.get(&id) else { return };
            if invocation.crashes >= CRASHES_MAX {
                let failure = fail::crashed(&self.steps[invocation.step].name, CRASHES_MAX);
                self.failed(id, &failure);
            } else {
                self.enter(id);
            }
        }
    }

    /// Takes note that there are no instances. What was executing.
    fn interrupted(&mut self, planned: bool) -> Vec<InvocationId> {
        let mut executing = Vec::new();
        for (&id, invocation) in &mut self.invocations {
            match &mut invocation.phase {
                Phase::Sleeping { dropped, .. } => *dropped = true,
                Phase::Executing { .. } => {
                    invocation.crashes += u32::from(!planned);
                    executing.push(id);
                }
                _ => (),
            }
        }
        executing
    }
}
