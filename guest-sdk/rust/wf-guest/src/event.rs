//! Typed JSON values that are routed between steps.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::read::read;
use crate::{Failure, RawEvent, Result};

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
#[derive(Clone, Debug)]
pub struct StopEvent {
    /// As text, for a `Value` rounds long numbers; or why it is no JSON.
    result: std::result::Result<Box<RawValue>, String>,
}

/// What a step that catches errors is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepFailedEvent {
    /// The step that failed for good.
    pub step_name: String,
    /// The first event that it was given; null as payload where that is deeper than a step may hand on.
    #[serde(serialize_with = "write_input", deserialize_with = "read_input")]
    pub input_event: Option<RawEvent>,
    /// `exception_type` and `exception_message`.
    pub exception: Value,
    /// How often it was tried.
    pub attempts: Option<u32>,
    /// Seconds since it was first tried.
    pub elapsed_seconds: f64,
    /// When, in UTC.
    pub failed_at: String,
}

/// An event inside another one.
#[derive(Serialize, Deserialize)]
struct Input {
    #[serde(rename = "type")]
    name: String,
    value: Box<RawValue>,
}

fn write_input<S: Serializer>(event: &Option<RawEvent>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let input = |event: &RawEvent| Ok(Input { name: event.name.clone(), value: RawValue::from_string(event.payload.clone())? });
    let input = event.as_ref().map(input).transpose();
    input.map_err(|error: serde_json::Error| S::Error::custom(format!("its input is no JSON: {error}")))?.serialize(serializer)
}

fn read_input<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<RawEvent>, D::Error> {
    let input = Option::<Input>::deserialize(deserializer)?;
    Ok(input.map(|input| RawEvent { name: input.name, payload: Box::<str>::from(input.value).into_string() }))
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
    /// Ends the run with a result. Where it is no JSON (a map with keys that are no text), the step
    /// that returns it fails.
    pub fn new(result: impl Serialize) -> StopEvent {
        StopEvent { result: to_raw_value(&result).map_err(|error| error.to_string()) }
    }

    /// The run's result. An error where it is of another type.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T> {
        let result = self.result.as_ref().map_err(Clone::clone);
        let value = result.and_then(|text| read(text.get()).map_err(|error| error.to_string()));
        value.map_err(|error| Failure::new("ValueError", format!("the result of the stop event: {error}")).no_retry())
    }
}

impl Serialize for StopEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let result = self.result.as_ref().map_err(|error| S::Error::custom(format!("its result is no JSON: {error}")))?;
        BTreeMap::from([("result", result)]).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StopEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<StopEvent, D::Error> {
        let mut fields = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
        let result = fields.remove("result").unwrap_or_else(|| RawValue::NULL.to_owned());
        Ok(StopEvent { result: Ok(result) })
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
