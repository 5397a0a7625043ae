//! From rows to what the outside sees, and back.

use super::rows::{FrameRow, RunSummary, Status};
use crate::model::{Frame, RunStatus, RunView, awaits};

impl From<RunSummary> for RunView {
    fn from(row: RunSummary) -> RunView {
        RunView {
            handler: row.handler,
            run: row.run,
            workflow: row.workflow,
            status: row.status.into(),
            started_at: row.started_at,
            updated_at: row.updated_at,
            completed_at: row.completed_at,
            queued: row.queue.is_some(),
            preview: row.preview,
            result_preview: row.result_preview,
            waiting: awaits(row.waiting.as_deref()),
            origin: row.origin,
        }
    }
}

impl From<RunStatus> for Status {
    fn from(status: RunStatus) -> Status {
        match status {
            RunStatus::Running => Status::Running,
            RunStatus::Completed(result) => Status::Completed(result),
            RunStatus::Failed(message) => Status::Failed(message),
            RunStatus::Cancelled => Status::Cancelled,
        }
    }
}

impl From<Status> for RunStatus {
    fn from(status: Status) -> RunStatus {
        match status {
            Status::Running => RunStatus::Running,
            Status::Completed(result) => RunStatus::Completed(result),
            Status::Failed(message) => RunStatus::Failed(message),
            Status::Cancelled => RunStatus::Cancelled,
        }
    }
}

impl From<FrameRow> for Frame {
    fn from(row: FrameRow) -> Frame {
        Frame { sequence: row.sequence, internal: row.internal, terminal: row.terminal, envelope: row.json }
    }
}
