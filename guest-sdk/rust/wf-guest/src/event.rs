//! Typed JSON values that are routed between steps.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::read::read;
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
#[derive(Clone, Debug, Default)]
pub struct StartEvent {
    fields: Map<String, Value>,
    /// As they came: a `Value` rounds long numbers.
    texts: BTreeMap<String, Box<RawValue>>,
}

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
        let text = self.texts.get(field).map(|text| text.get()).filter(|text| *text != "null");
        let value = text.map(read).transpose();
        value.map_err(|error| Failure::new("ValueError", format!("field `{field}` of the start event: {error}")).no_retry())
    }

    /// All fields. Numbers with more digits than a double holds are rounded here; [`StartEvent::get`] gives them whole.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }
}

impl Serialize for StartEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.texts.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StartEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<StartEvent, D::Error> {
        let texts = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
        let fields = texts.iter().map(|(name, text)| Ok((name.clone(), serde_json::from_str(text.get())?)));
        let fields = fields.collect::<serde_json::Result<_>>().map_err(D::Error::custom)?;
        Ok(StartEvent { fields, texts })
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
