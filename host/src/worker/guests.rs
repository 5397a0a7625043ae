//! The instances that work on a run, and the calls that they wait in.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Failure, InvocationId, Micros};

use crate::model::Limits;
use crate::runtime::{Component, LogLine, Report, RunInfo, Runtime};
use crate::store::LogRow;

/// The live instances of one run.
pub(super) struct Guests {
    live: HashMap<InvocationId, Guest>,
    sender: mpsc::UnboundedSender<Report>,
    receiver: mpsc::UnboundedReceiver<Report>,
}

struct Guest {
    attempt: u32,
    task: AbortHandle,
    /// The call that it waits in.
    waiting: Option<oneshot::Sender<Call>>,
}

impl Guests {
    pub(super) fn new() -> Guests {
        let (sender, receiver) = mpsc::unbounded_channel();
        Guests { live: HashMap::new(), sender, receiver }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.live.is_empty() && self.receiver.is_empty()
    }

    pub(super) async fn report(&mut self) -> Report {
        self.receiver.recv().await.expect("we hold a sender")
    }

    pub(super) fn enter(
        &mut self,
        runtime: &Runtime,
        component: Arc<Component>,
        invoke: Invoke,
        at: Micros,
        info: Arc<RunInfo>,
        limits: Arc<Limits>,
    ) {
        let (invocation, attempt) = (invoke.invocation, invoke.attempt);
        let task = runtime.enter(component, invoke, at, info, limits, self.sender.clone());
        self.live.insert(invocation, Guest { attempt, task, waiting: None });
    }

    /// Keeps the call that a guest now waits in; one that suspends has dropped its instance.
    /// False: the report is of a guest that was aborted.
    pub(super) fn hold(&mut self, invocation: InvocationId, attempt: u32, suspends: bool, reply: oneshot::Sender<Call>) -> bool {
        let Some(guest) = self.current(invocation, attempt) else { return false };
        guest.waiting = Some(reply);
        if suspends {
            self.live.remove(&invocation);
        }
        true
    }

    /// Whether the report that ends an entry is of a live guest.
    pub(super) fn ended(&mut self, invocation: InvocationId, attempt: u32) -> bool {
        let current = self.current(invocation, attempt).is_some();
        if current {
            self.live.remove(&invocation);
        }
        current
    }

    pub(super) fn answer(&mut self, invocation: InvocationId, attempt: u32, call: Call) {
        let reply = self.current(invocation, attempt).and_then(|guest| guest.waiting.take());
        if let Some(reply) = reply {
            // A guest that is gone meanwhile reports its end by itself.
            let _ = reply.send(call);
        }
    }

    pub(super) fn abort(&mut self, invocation: InvocationId, attempt: u32) {
        if self.current(invocation, attempt).is_some() {
            self.live.remove(&invocation).expect("current").task.abort();
        }
    }

    pub(super) fn abort_all(&mut self) {
        self.live.drain().for_each(|(_, guest)| guest.task.abort());
    }

    fn current(&mut self, invocation: InvocationId, attempt: u32) -> Option<&mut Guest> {
        self.live.get_mut(&invocation).filter(|guest| guest.attempt == attempt)
    }
}

/// A failure among the lines of its attempt, with the guest's backtrace.
pub(super) fn failure_row(invocation: InvocationId, attempt: u32, at: Micros, failure: &Failure) -> LogRow {
    let fields = serde_json::json!({ "kind": failure.kind, "retryable": failure.retryable, "trace": failure.trace });
    LogRow {
        invocation,
        attempt,
        source: "failure".to_owned(),
        number: 0,
        at,
        level: "error".to_owned(),
        message: failure.message.clone(),
        fields: fields.to_string(),
    }
}

/// A line as the store keeps it.
pub(super) fn log_row(invocation: InvocationId, attempt: u32, line: LogLine) -> LogRow {
    let LogLine { source, number, at, level, message, fields } = line;
    LogRow { invocation, attempt, source: source.to_owned(), number, at, level, message, fields }
}
