//! Typed JSON values that are routed between steps.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Failure, Result};

/// A type of event. Derive it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event",
    label = "is no event",
    note = "put `#[derive(Event)]` on a struct with named fields"
)]
pub trait Event: Serialize + DeserializeOwned {
    /// The type's name, as the manifest and the API have it.
    const NAME: &'static str;

    /// How the manifest declares it; none for the built-in types.
    fn declaration() -> Option<Value>;
}

/// The event that starts a run, with whatever fields it came with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StartEvent(Map<String, Value>);

/// The event that ends a run, when a step returns it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StopEvent {
    /// The run's result.
    #[serde(default)]
    pub result: Value,
}

/// What a step that catches errors is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepFailedEvent {
    /// The step that failed for good.
    pub step_name: String,
    /// What it was given: `type` and `value`.
    pub input_event: Value,
    /// `exception_type` and `exception_message`.
    pub exception: Value,
    /// How often it was tried.
    pub attempts: Option<u32>,
    /// Seconds since it was first tried.
    pub elapsed_seconds: f64,
    /// When, in UTC.
    pub failed_at: String,
}

impl StartEvent {
    /// The value of a field; none where it is missing or null. An error where it is of another type.
    pub fn get<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>> {
        let value = self.0.get(field).filter(|value| !value.is_null()).cloned();
        let value = value.map(serde_json::from_value).transpose();
        value.map_err(|error| Failure::new("ValueError", format!("field `{field}` of the start event: {error}")).no_retry())
    }

    /// All fields.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl StopEvent {
    /// Ends the run with a result. What is no JSON (a map with keys that are no text) becomes null.
    pub fn new(result: impl Serialize) -> StopEvent {
        StopEvent { result: serde_json::to_value(result).unwrap_or_default() }
    }
}

impl Event for StartEvent {
    const NAME: &'static str = "StartEvent";
    fn declaration() -> Option<Value> {
        None
    }
}

impl Event for StopEvent {
    const NAME: &'static str = "StopEvent";
    fn declaration() -> Option<Value> {
        None
    }
}

impl Event for StepFailedEvent {
    const NAME: &'static str = "StepFailedEvent";
    fn declaration() -> Option<Value> {
        None
    }
}

/// A type's declaration with the JSON Schema of its fields.
#[doc(hidden)]
pub fn schema<T: JsonSchema>(name: &str, kind: &str, base: Option<&str>) -> Option<Value> {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        object.insert("title".to_owned(), name.into());
        object.entry("properties").or_insert_with(|| json!({}));
    }
    let mut declaration = json!({ "name": name, "kind": kind, "schema": schema });
    if let Some(base) = base {
        declaration["base"] = base.into();
    }
    Some(declaration)
}
