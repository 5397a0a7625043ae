//! The instances that work on a run, and the calls that they wait in.

use std::collections::HashMap;

use tokio::sync::oneshot;
use wf_engine::entry::{Call, InvocationId};

use crate::machine::{self, Reported, Worker};
use crate::runtime::{Entry, LogLine, Report, Waits};
use crate::store::LogRow;

/// The instances of one run. Dropped, they end.
#[derive(Default)]
pub(crate) struct Guests(HashMap<InvocationId, Guest>);

struct Guest {
    entry: Entry,
    /// The call that it waits in, by its ordinal, and where the answer goes.
    waiting: Option<(u32, oneshot::Sender<Call>)>,
    /// Where it is told that what it has for the outside may leave.
    leaving: Option<oneshot::Sender<()>>,
}

impl Guests {
    pub(crate) fn entered(&mut self, invocation: InvocationId, entry: Entry) {
        self.0.insert(invocation, Guest { entry, waiting: None, leaving: None });
    }

    /// Whether one goes on by itself: it waits in no call for an answer.
    pub(crate) fn computes(&self, invocation: InvocationId) -> bool {
        self.0.get(&invocation).is_some_and(|guest| guest.waiting.is_none())
    }

    /// What the worker hears of a report, where it is one for the journal: whoever waits for the answer is noted.
    pub(crate) fn hear<T>(&mut self, report: Report, worker: &Worker<T>) -> Option<machine::Report> {
        let (invocation, attempt, what) = match report {
            Report::Progressed { invocation, attempt, calls, commit, usage, waits } => {
                if let (Waits::Answer(reply), Some(call), true) = (waits, calls.last(), worker.is_live(invocation)) {
                    self.waits(invocation, call.ordinal, reply);
                }
                (invocation, attempt, Reported::Progressed { calls, commit, usage })
            }
            Report::Returned { invocation, attempt, calls, commit, events, usage } => {
                (invocation, attempt, Reported::Returned { calls, commit, events, usage })
            }
            Report::Failed { invocation, attempt, calls, failure, usage } => {
                (invocation, attempt, Reported::Failed { calls, failure, usage })
            }
            Report::Read { .. } | Report::Called { .. } | Report::Asked { .. } | Report::Leaves { .. } | Report::Logged { .. } => {
                return None;
            }
        };
        Some(machine::Report { invocation, attempt, what })
    }

    /// One waits in a call of this ordinal.
    fn waits(&mut self, invocation: InvocationId, ordinal: u32, reply: oneshot::Sender<Call>) {
        if let Some(guest) = self.0.get_mut(&invocation) {
            guest.waiting = Some((ordinal, reply));
        }
    }

    /// A call is answered, whether or not its instance waits for that.
    pub(crate) fn answer(&mut self, invocation: InvocationId, call: Call) {
        let waiting = self.0.get_mut(&invocation).and_then(|guest| guest.waiting.take_if(|(ordinal, _)| *ordinal == call.ordinal));
        if let Some((_, reply)) = waiting {
            // A guest that is gone meanwhile reports its end by itself.
            let _ = reply.send(call);
        }
    }

    /// One has something to say to the outside.
    pub(crate) fn leaves(&mut self, invocation: InvocationId, reply: oneshot::Sender<()>) {
        if let Some(guest) = self.0.get_mut(&invocation) {
            guest.leaving = Some(reply);
        }
    }

    /// It may.
    pub(crate) fn leave(&mut self, invocation: InvocationId) {
        if let Some(reply) = self.0.get_mut(&invocation).and_then(|guest| guest.leaving.take()) {
            // A guest that is gone meanwhile reports its end by itself.
            let _ = reply.send(());
        }
    }

    /// One has ended by itself.
    pub(crate) fn ended(&mut self, invocation: InvocationId) {
        self.0.remove(&invocation);
    }

    pub(crate) fn abort(&mut self, invocation: InvocationId) {
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

/// A line as the store keeps it.
pub(crate) fn row(invocation: InvocationId, attempt: u32, line: LogLine) -> LogRow {
    let LogLine { source, number, at, level, message, fields } = line;
    LogRow { invocation, attempt, source: source.to_owned(), number, at, level, message, fields }
}
