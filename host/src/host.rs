//! The host: what the outside can ask of it. HTTP and the command line both stand on this.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde_json::Value;
use wf_engine::definition::Definition;
use wf_engine::entry::{Event, Micros};

/// The host. Cheap to clone.
#[derive(Clone)]
pub struct Host {}

/// A registered workflow: a name, and the definition that new runs get.
pub struct Workflow {
    /// The name in URLs.
    pub name: String,
    /// What new runs are pinned to.
    pub definition: Arc<Definition>,
    /// Additional event types of the configuration, beside the manifest's.
    pub additional_events: Vec<String>,
}

/// A run as the outside sees it.
#[derive(Clone, Debug)]
pub struct RunView {
    /// The handler's id.
    pub handler: String,
    /// The run's id.
    pub run: String,
    /// The workflow's name.
    pub workflow: String,
    /// How it stands.
    pub status: RunStatus,
    /// When it began.
    pub started_at: Micros,
    /// When its last entry was made.
    pub updated_at: Option<Micros>,
    /// When it ended.
    pub completed_at: Option<Micros>,
}

/// How a run stands.
#[derive(Clone, Debug)]
pub enum RunStatus {
    /// Not ended.
    Running,
    /// Ended with a stop event: its envelope, as JSON.
    Completed(Bytes),
    /// Ended with a message.
    Failed(String),
    /// Ended on request.
    Cancelled,
}

/// An `Idempotency-Key` and the SHA-256 of the body that came with it.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The key.
    pub key: String,
    /// The hash.
    pub body: [u8; 32],
}

/// A request to start a run, checked against the workflow.
pub struct Start {
    /// The workflow.
    pub workflow: Arc<Workflow>,
    /// The start event.
    pub event: Event,
    /// The state to begin with, from `context`; none: the handler's last, or empty.
    pub state: Option<Value>,
    /// The client's handler id.
    pub handler: Option<String>,
    /// To be kept with the run.
    pub idempotency: Option<Idempotency>,
}

/// Which handlers to list. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these: `running`, `completed`, `failed`, `cancelled`.
    pub status: Vec<String>,
    /// Any of these workflows.
    pub workflow: Vec<String>,
    /// At most this many.
    pub limit: Option<usize>,
    /// Only those after this handler.
    pub after: Option<String>,
}

/// A frame of a run's stream, durable.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its number in the stream.
    pub sequence: u64,
    /// Whether it is one of the internal events.
    pub internal: bool,
    /// The envelope, as JSON; with its qualified name.
    pub envelope: Bytes,
}

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No such handler or run.
    #[error("Handler not found")]
    NotFound,
    /// A new run was asked for under a handler that has one running.
    #[error("Handler '{0}' is already running")]
    AlreadyRunning(String),
    /// An event for a run that has ended.
    #[error("Workflow already completed")]
    AlreadyCompleted,
    /// The idempotency key was used with another body.
    #[error("Idempotency-Key was used before with another body")]
    KeyReused,
    /// The event's type is not one that the run's own definition knows.
    #[error("Invalid event type: {name}. Expected one of {}", expected.join(", "))]
    UnknownEvent {
        /// What was sent.
        name: String,
        /// What could have been.
        expected: Vec<String>,
    },
    /// The payload does not fit the type's schema.
    #[error("Failed to deserialize event: {0}")]
    BadEvent(String),
    /// The step does not exist, or does not accept the event.
    #[error("Failed to send event: {0}")]
    BadStep(String),
    /// The host is stopping, or the store does not take writes at the moment.
    #[error("The server is not available: {0}")]
    Unavailable(String),
}

impl Host {
    /// Whether it accepts requests: not while starting or stopping.
    pub fn is_healthy(&self) -> bool {
        todo!()
    }

    /// The workflows, in order of registration.
    pub fn workflows(&self) -> Vec<Arc<Workflow>> {
        todo!()
    }

    /// The workflow of that name.
    pub fn workflow(&self, _name: &str) -> Option<Arc<Workflow>> {
        todo!()
    }

    /// The run that an idempotency key made earlier, as it now stands. Looked up before every other check.
    pub async fn repeated_start(&self, _workflow: &str, _idempotency: &Idempotency) -> Result<Option<RunView>, Refusal> {
        todo!()
    }

    /// Whether this key has already sent this event to the handler.
    pub async fn repeated_send(&self, _handler: &str, _idempotency: &Idempotency) -> Result<bool, Refusal> {
        todo!()
    }

    /// Starts a run; returns when it is durable.
    pub async fn start(&self, _start: Start) -> Result<RunView, Refusal> {
        todo!()
    }

    /// Waits for a run's end. Refused with `Unavailable` at a graceful stop.
    pub async fn ended(&self, _run: &str) -> Result<RunView, Refusal> {
        todo!()
    }

    /// The definition that the handler's run is pinned to, while it is running: events are
    /// parsed and checked against it. 404 and 409 come from here.
    pub async fn running_definition(&self, _handler: &str) -> Result<Arc<Workflow>, Refusal> {
        todo!()
    }

    /// Sends an event to the handler's run; returns when it is durable.
    pub async fn send(
        &self,
        _handler: &str,
        _event: Event,
        _step: Option<String>,
        _idempotency: Option<Idempotency>,
    ) -> Result<(), Refusal> {
        todo!()
    }

    /// Cancels the handler's run, and returns once it has ended.
    pub async fn cancel(&self, _handler: &str) -> Result<(), Refusal> {
        todo!()
    }

    /// Cancels the run if it is running, and deletes the handler and all its runs.
    pub async fn purge(&self, _handler: &str) -> Result<(), Refusal> {
        todo!()
    }

    /// The handler's latest run.
    pub async fn handler(&self, _id: &str) -> Result<RunView, Refusal> {
        todo!()
    }

    /// A run, by its own id, also one that a later run of its handler has followed.
    pub async fn run(&self, _id: &str) -> Result<RunView, Refusal> {
        todo!()
    }

    /// The latest runs of the handlers, oldest first.
    pub async fn handlers(&self, _filter: Filter) -> Result<Vec<RunView>, Refusal> {
        todo!()
    }

    /// The number of the last durable frame of a run; -1 for none.
    pub async fn last_sequence(&self, _run: &str) -> Result<i64, Refusal> {
        todo!()
    }

    /// Durable frames after a sequence (-1: from the beginning), then live, in batches; ends
    /// after the terminal frame, and without one at a graceful stop.
    pub fn frames(&self, _run: &str, _after: i64) -> BoxStream<'static, Vec<Frame>> {
        todo!()
    }

    /// The state of the handler's latest run, as committed.
    pub async fn state(&self, _handler: &str) -> Result<Value, Refusal> {
        todo!()
    }
}
