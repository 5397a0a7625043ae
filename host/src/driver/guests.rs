//! The instances that work on a run, and the calls that they wait in.

use std::collections::HashMap;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use wf_engine::entry::{Call, InvocationId};

/// The instances of one run. Dropped, they end.
#[derive(Default)]
pub(super) struct Guests(HashMap<InvocationId, Guest>);

struct Guest {
    task: AbortHandle,
    /// Where the answer of the call goes that it waits in.
    waiting: Option<oneshot::Sender<Call>>,
}

impl Guests {
    pub(super) fn entered(&mut self, invocation: InvocationId, task: AbortHandle) {
        self.0.insert(invocation, Guest { task, waiting: None });
    }

    /// One waits in a call.
    pub(super) fn waits(&mut self, invocation: InvocationId, reply: oneshot::Sender<Call>) {
        if let Some(guest) = self.0.get_mut(&invocation) {
            guest.waiting = Some(reply);
        }
    }

    pub(super) fn answer(&mut self, invocation: InvocationId, call: Call) {
        let reply = self.0.get_mut(&invocation).and_then(|guest| guest.waiting.take());
        if let Some(reply) = reply {
            // A guest that is gone meanwhile reports its end by itself.
            let _ = reply.send(call);
        }
    }

    /// One has ended by itself.
    pub(super) fn ended(&mut self, invocation: InvocationId) {
        self.0.remove(&invocation);
    }

    pub(super) fn abort(&mut self, invocation: InvocationId) {
        if let Some(guest) = self.0.remove(&invocation) {
            guest.task.abort();
        }
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        self.0.values().for_each(|guest| guest.task.abort());
    }
}
