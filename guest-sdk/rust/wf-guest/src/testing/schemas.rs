//! What the API would refuse: values that do not fit the schemas of their types.

use serde_json::Value;
use wf_engine::definition::Definition;

/// # Panics
/// When an event from outside does not fit the type that the workflow declares.
#[track_caller]
pub(super) fn check(definition: &Definition, name: &str, payload: &str) {
    let Some(declared) = definition.event_type(name) else { return };
    let value: Value = serde_json::from_str(payload).expect("it is JSON");
    let validator = jsonschema::validator_for(&declared.schema).unwrap_or_else(|error| panic!("the schema of `{name}` is none: {error}"));
    let wrong: Vec<String> = validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "the API would refuse this `{name}`:\n  {}\n  {payload}", wrong.join("\n  "));
}
