//! The instances that work on a run, and the calls that they wait in.

use std::collections::HashMap;

use tokio::sync::oneshot;
use wf_engine::entry::{Call, InvocationId};

use crate::runtime::Entry;

/// The instances of one run. Dropped, they end.
#[derive(Default)]
pub(super) struct Guests(HashMap<InvocationId, Guest>);

struct Guest {
    entry: Entry,
    /// The call that it waits in, by its ordinal, and where the answer goes.
    waiting: Option<(u32, oneshot::Sender<Call>)>,
    /// Where it is told that what it has for the outside may leave.
    leaving: Option<oneshot::Sender<()>>,
}

impl Guests {
    pub(super) fn entered(&mut self, invocation: InvocationId, entry: Entry) {
        self.0.insert(invocation, Guest { entry, waiting: None, leaving: None });
    }

    /// One waits in a call of this ordinal.
    pub(super) fn waits(&mut self, invocation: InvocationId, ordinal: u32, reply: oneshot::Sender<Call>) {
        if let Some(guest) = self.0.get_mut(&invocation) {
            guest.waiting = Some((ordinal, reply));
        }
    }

    /// A call is answered, whether or not its instance waits for that.
    pub(super) fn answer(&mut self, invocation: InvocationId, call: Call) {
        let waiting = self.0.get_mut(&invocation).and_then(|guest| guest.waiting.take_if(|(ordinal, _)| *ordinal == call.ordinal));
        if let Some((_, reply)) = waiting {
            // A guest that is gone meanwhile reports its end by itself.
            let _ = reply.send(call);
        }
    }

    /// One has something to say to the outside.
    pub(super) fn leaves(&mut self, invocation: InvocationId, reply: oneshot::Sender<()>) {
        if let Some(guest) = self.0.get_mut(&invocation) {
            guest.leaving = Some(reply);
        }
    }

    /// It may.
    pub(super) fn leave(&mut self, invocation: InvocationId) {
        if let Some(reply) = self.0.get_mut(&invocation).and_then(|guest| guest.leaving.take()) {
            // A guest that is gone meanwhile reports its end by itself.
            let _ = reply.send(());
        }
    }

    /// One has ended by itself.
    pub(super) fn ended(&mut self, invocation: InvocationId) {
        self.0.remove(&invocation);
    }

    pub(super) fn abort(&mut self, invocation: InvocationId) {
        if let Some(mut guest) = self.0.remove(&invocation) {
            guest.entry.abort();
        }
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        self.0.values_mut().for_each(|guest| guest.entry.abort());
    }
}
