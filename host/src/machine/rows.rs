//! What a run leaves in the store.

use wf_engine::effect::Effect;
use wf_engine::entry::{Entry, Event, Failure, InvocationId, Micros};

use crate::model::{Workflow, envelope, work};
use crate::store::{EntryRow, FrameRow, LogRow};

/// How much of a payload a list shows, in characters.
const PREVIEW_MAX: usize = 200;

/// An entry as the store keeps it.
pub(super) fn entry_row(entry: &Entry) -> EntryRow {
    work::written();
    // Most are no larger.
    let mut bytes = Vec::with_capacity(512);
    serde_json::to_writer(&mut bytes, entry).expect("cannot happen: an entry that is no JSON");
    EntryRow { seq: entry.seq, bytes }
}

/// The frames among the effects, as the store keeps them.
pub(super) fn frame_rows(workflow: &Workflow, effects: &[Effect]) -> Vec<FrameRow> {
    let frames = effects.iter().filter_map(|effect| if let Effect::Publish(frame) = effect { Some(frame) } else { None });
    let row = |frame: &wf_engine::effect::Frame| FrameRow {
        sequence: frame.sequence,
        internal: workflow.definition.is_internal(&frame.event.name),
        terminal: workflow.definition.is_terminal(&frame.event.name),
        json: envelope(&workflow.definition, &workflow.name, &frame.event),
    };
    frames.map(row).collect()
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

/// The beginning of an event's payload, for lists.
pub(crate) fn preview(event: &Event) -> String {
    event.payload.get().chars().take(PREVIEW_MAX).collect()
}
