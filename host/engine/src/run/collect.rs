//! `events.collect`: buffers that complete by themselves.

use super::Run;
use crate::entry::{Event, Function, InvocationId, calls};

impl Run {
    /// Adds an event, once per invocation and buffer, and answers with the batch if it is
    /// complete, or if the invocation has it from before.
    pub(super) fn collect(&mut self, id: InvocationId, buffer: Option<&str>, expected: &[String], event: &Event) {
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        let name = calls::buffer(buffer, expected);
        if invocation.kept.added.insert(name.clone()) {
            let key = (invocation.step, name.clone());
            let pool = self.buffers.entry(key.clone()).or_default();
            pool.add(&event.name, event.clone());
            let batch = pool.take(expected);
            if pool.is_empty() {
                self.buffers.remove(&key);
            }
            batch.and_then(|batch| invocation.kept.batches.insert(name.clone(), batch));
        }
        let batch = invocation.kept.batches.get(&name).cloned();
        self.answer_last(id, |function| {
            if let Function::Collect { answer, .. } = function {
                *answer = Some(batch);
            }
        });
    }
}
