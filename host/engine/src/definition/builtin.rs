//! The event types that every workflow has.

use serde_json::{Value, json};

use crate::manifest::{EventKind, EventType, Validation};

pub(super) const STOP: &str = "StopEvent";
pub(super) const STEP_FAILED: &str = "StepFailedEvent";
pub(super) const INTERNAL: &str = "InternalDispatchEvent";
/// The module that declares them in LlamaIndex Workflows.
const MODULE: &str = "workflows.events";

/// Those that only the host makes.
const RESERVED: [&str; 8] = [
    STEP_FAILED,
    "WorkflowFailedEvent",
    "WorkflowTimedOutEvent",
    "WorkflowCancelledEvent",
    "StepStateChanged",
    "WorkflowIdleEvent",
    "UnhandledEvent",
    INTERNAL,
];

pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Name, kind, base, fields. The names are those of LlamaIndex Workflows.
const TYPES: [(&str, EventKind, Option<&str>, &[&str]); 11] = [
    ("StartEvent", EventKind::Start, None, &[]),
    (STOP, EventKind::Stop, None, &[]),
    ("InputRequiredEvent", EventKind::InputRequired, None, &[]),
    ("HumanResponseEvent", EventKind::HumanResponse, None, &[]),
    (STEP_FAILED, EventKind::Plain, None, &["step_name", "input_event", "exception", "attempts", "elapsed_seconds", "failed_at"]),
    ("WorkflowFailedEvent", EventKind::Stop, Some(STOP), &["step_name", "exception", "attempts", "elapsed_seconds"]),
    ("WorkflowTimedOutEvent", EventKind::Stop, Some(STOP), &["timeout", "active_steps"]),
    ("WorkflowCancelledEvent", EventKind::Stop, Some(STOP), &[]),
    ("StepStateChanged", EventKind::Plain, Some(INTERNAL), &["name", "step_state", "worker_id", "input_event_name", "output_event_name"]),
    ("WorkflowIdleEvent", EventKind::Plain, Some(INTERNAL), &[]),
    ("UnhandledEvent", EventKind::Plain, Some(INTERNAL), &["event_type", "qualified_name", "step_name", "idle"]),
];

pub(super) fn types() -> Vec<EventType> {
    let types = TYPES.iter().map(|&(name, kind, base, fields)| EventType {
        name: name.to_owned(),
        kind,
        base: base.map(str::to_owned),
        module: Some(MODULE.to_owned()),
        schema: schema(name, fields),
        validation: Validation::Schema,
        other: Default::default(),
    });
    types.collect()
}

fn schema(name: &str, fields: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> = fields.iter().map(|&field| (field.to_owned(), json!({}))).collect();
    json!({ "properties": properties, "title": name, "type": "object" })
}

/// The base of a type that names none: it follows from its kind.
pub(super) fn base(event: &EventType) -> Option<&'static str> {
    let base = match event.kind {
        EventKind::Start => "StartEvent",
        EventKind::Stop => STOP,
        EventKind::InputRequired => "InputRequiredEvent",
        EventKind::HumanResponse => "HumanResponseEvent",
        EventKind::Plain => return None,
    };
    (event.name != base).then_some(base)
}
