//! A run, as the outside sees it.

use bytes::Bytes;
use wf_engine::attempt::RunInfo;
use wf_engine::entry::Micros;
use wf_engine::run::{Awaits, Run, Status};

use super::envelope::envelope;
use super::workflow::Workflow;

/// The beginning of a start event's payload, in characters.
const PREVIEW_MAX: usize = 200;

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
    /// Whether it has not begun: it queues for its workflow's turn.
    pub queued: bool,
    /// The beginning of its start event's payload.
    pub preview: String,
    /// The beginning of its result, or of the message with which it failed; none where only a store knows it.
    pub result_preview: Option<String>,
    /// What it waits for from outside.
    pub waiting: Vec<Awaits>,
    /// The run that it was forked from, as its store tells; none: it was not, or nobody has asked the store.
    pub origin: Option<String>,
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

impl RunView {
    /// Of a run in memory. `result`: the envelope of what it has ended with, where that is there already.
    pub fn of(run: &Run, workflow: &Workflow, info: &RunInfo, result: Option<Bytes>) -> RunView {
        let enveloped = |event| envelope(&workflow.definition, &workflow.name, event);
        let status = match run.status() {
            Status::Queued | Status::Running => RunStatus::Running,
            Status::Completed(event) => RunStatus::Completed(result.unwrap_or_else(|| enveloped(event))),
            Status::Failed(message) => RunStatus::Failed(message.clone()),
            Status::Cancelled => RunStatus::Cancelled,
        };
        let ended = !matches!(status, RunStatus::Running);
        let updated: Micros = run.updated_at();
        RunView {
            handler: info.handler.clone(),
            run: info.run.clone(),
            workflow: workflow.name.clone(),
            status,
            started_at: run.started_at(),
            updated_at: Some(updated),
            completed_at: ended.then_some(updated),
            queued: matches!(run.status(), Status::Queued),
            preview: run.started().map(|it| it.start.payload.get().chars().take(PREVIEW_MAX).collect()).unwrap_or_default(),
            result_preview: None,
            waiting: run.awaits(),
            origin: None,
        }
    }
}
