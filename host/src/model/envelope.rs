//! How an event looks from outside.
//!
//! Inside, a payload is a flat object, and a plain stop event's value stands under `result`.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use wf_engine::definition::Definition;
use wf_engine::entry::Event;
use wf_engine::json::{Json, to_json};
use wf_engine::text;

use super::work;

/// The plain stop event.
const STOP: &str = "StopEvent";

/// So many keys are compared with each other faster than they are hashed.
const FEW: usize = 16;

/// The key of what a type does not declare.
pub const UNDECLARED: &str = "_data";

/// The fields of a JSON object, in their order, as they came.
#[derive(Debug, Default)]
pub struct Fields(pub Vec<(String, Box<RawValue>)>);

#[derive(Serialize)]
struct Envelope<'a> {
    value: Value<'a>,
    qualified_name: String,
    #[serde(rename = "type")]
    name: &'a str,
    types: Option<Vec<&'a str>>,
}

struct Value<'a> {
    declared: Vec<Field<'a>>,
    undeclared: Vec<Field<'a>>,
}

/// A field of an object that has come through the border, where it stands in it.
type Field<'a> = (Cow<'a, str>, &'a RawValue);

/// The envelope of an event, as compact JSON.
pub fn envelope(definition: &Definition, workflow: &str, event: &Event) -> Bytes {
    let Placed(fields) = Placed::deserialize(&*event.payload).expect("cannot happen: an object behind the border that is none");
    let is_declared = |(key, _): &Field| declares(definition, &event.name, key);
    // A plain stop event without a result has none, and not null.
    let is_shown = |(key, value): &Field| *event.name != *STOP || key != "result" || value.get() != "null";
    let (declared, undeclared) = fields.into_iter().filter(is_shown).partition(is_declared);
    let types = definition.bases(&event.name);
    let envelope = Envelope {
        value: Value { declared, undeclared },
        qualified_name: definition.qualified_name(workflow, &event.name),
        name: &event.name,
        types: (!types.is_empty()).then_some(types),
    };
    work::written();
    let mut bytes = Vec::with_capacity(event.payload.get().len() + 256);
    serde_json::to_writer(&mut bytes, &envelope).expect("an envelope is JSON");
    bytes.into()
}

/// The fields of an object, without a copy of them.
struct Placed<'a>(Vec<Field<'a>>);

impl<'de> Deserialize<'de> for Placed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Placed<'de>, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Placed<'de>;
            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Placed<'de>, A::Error> {
                work::read();
                let mut fields = Vec::with_capacity(8);
                while let Some((Key(key), value)) = map.next_entry::<Key, &RawValue>()? {
                    fields.push((key, value));
                }
                Ok(Placed(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A key, as it stands there where nothing in it is escaped.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Whether a type, or one that it derives from, declares a field.
fn declares(definition: &Definition, name: &str, field: &str) -> bool {
    if name == STOP {
        return field == "result";
    }
    let types = std::iter::once(name).chain(definition.bases(name));
    types
        .filter_map(|name| definition.event_type(name))
        .any(|it| it.schema.get("properties").and_then(|fields| fields.get(field)).is_some())
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in &self.declared {
            map.serialize_entry(key, value)?;
        }
        if !self.undeclared.is_empty() {
            map.serialize_entry(UNDECLARED, &Object(&self.undeclared))?;
        }
        map.end()
    }
}

struct Object<'a, K, V>(&'a [(K, V)]);

impl<K: Serialize, V: Serialize> Serialize for Object<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl Fields {
    /// Of a text that somebody hands in. `what` begins the reason why it has none.
    pub fn read(what: &str, value: &RawValue) -> Result<Fields, String> {
        if !value.get().starts_with('{') {
            return Err(format!("{what} is no JSON object"));
        }
        Fields::deserialize(value).map_err(|error| format!("{what} cannot be read: {error}"))
    }

    /// Of an object that has come through the border, or that we have written.
    pub fn of(object: &RawValue) -> Fields {
        Fields::deserialize(object).expect("cannot happen: an object behind the border that is none")
    }

    /// Sets a field: in the place of the one that is there, or as the last.
    pub fn set(&mut self, key: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(it, _)| it == key) {
            Some((_, there)) => *there = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// The value of a field.
    pub fn get(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().find(|(it, _)| it == key).map(|(_, value)| &**value)
    }

    /// The object as text.
    pub fn text(&self) -> String {
        self.json().get().to_owned()
    }

    /// The object.
    pub fn json(&self) -> Json {
        work::written();
        to_json(&Object(&self.0))
    }

    /// These fields, with what stands under `_data` beside the others. `whole`: the object that they are of; where
    /// nothing stands there, it is that.
    pub fn flat(self, whole: &RawValue) -> Json {
        if self.get(UNDECLARED).is_none() {
            return whole.to_owned().into();
        }
        let mut flat: Vec<(String, Box<RawValue>)> = Vec::new();
        for (key, value) in self.0 {
            // It may be no object, or not be read: whoever checks the whole sees it.
            match Some(&value).filter(|_| key == UNDECLARED).map(|value| Fields::deserialize(&**value)) {
                Some(Ok(inner)) => flat.extend(inner.0),
                _ => flat.push((key, value)),
            }
        }
        Fields(flat).json()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;
            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                work::read();
                let mut fields: Vec<(String, Box<RawValue>)> = Vec::new();
                // A hostile body has very many keys: they must not each be compared with all others.
                let mut seen: HashSet<String> = HashSet::new();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if fields.len() == FEW {
                        seen.extend(fields.iter().map(|(key, _)| key.clone()));
                    }
                    let is_there = if fields.len() < FEW { fields.iter().any(|(it, _)| *it == key) } else { !seen.insert(key.clone()) };
                    if is_there {
                        let key = text::cut(key, text::NAME_MAX);
                        return Err(A::Error::custom(format!("the field `{key}` is there twice")));
                    }
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;
    use wf_engine::entry::Part;

    use super::*;

    fn check(name: &str, payload: &str, expected: Expect) {
        let manifest = json!({
            "name": "demo",
            "events": [
                { "name": "StreamEvent", "kind": "plain", "schema": { "properties": { "sequence": {} } } },
                { "name": "OutEvent", "kind": "stop", "schema": { "properties": { "output": {} } } },
                { "name": "OrderStart", "kind": "start", "schema": { "properties": { "type": {} } } },
                { "name": "RequestEvent", "kind": "input-required", "schema": { "properties": { "prompt": {} } } },
            ],
            "steps": [],
        });
        let definition =
            Definition::new(vec![(Part { component: "d".into(), data: None }, serde_json::from_value(manifest).expect("manifest"))]);
        let payload = RawValue::from_string(payload.to_owned()).expect("JSON").into();
        let bytes = envelope(&definition, "mine", &Event { name: name.into(), payload });
        expected.assert_eq(std::str::from_utf8(&bytes).expect("text"));
    }

    #[test]
    fn an_envelope_has_its_keys_in_order_and_the_payload_as_it_came() {
        check(
            "StopEvent",
            r#"{"result": {"z": 1.0, "a": 2}}"#,
            expect![[
                r#"{"value":{"result":{"z": 1.0, "a": 2}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}"#
            ]],
        );
        check(
            "StopEvent",
            "{}",
            expect![[r#"{"value":{},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}"#]],
        );
        check(
            "StopEvent",
            r#"{"result":null,"more":1}"#,
            expect![[r#"{"value":{"_data":{"more":1}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}"#]],
        );
        check(
            "OrderStart",
            r#"{"type":"invoice"}"#,
            expect![[r#"{"value":{"type":"invoice"},"qualified_name":"mine.OrderStart","type":"OrderStart","types":["StartEvent"]}"#]],
        );
        check(
            "OutEvent",
            r#"{"output":"x"}"#,
            expect![[r#"{"value":{"output":"x"},"qualified_name":"mine.OutEvent","type":"OutEvent","types":["StopEvent"]}"#]],
        );
        check(
            "RequestEvent",
            r#"{"prompt":"?","more":1}"#,
            expect![[
                r#"{"value":{"prompt":"?","_data":{"more":1}},"qualified_name":"mine.RequestEvent","type":"RequestEvent","types":["InputRequiredEvent"]}"#
            ]],
        );
        check(
            "StartEvent",
            r#"{"name":"Ada"}"#,
            expect![[
                r#"{"value":{"_data":{"name":"Ada"}},"qualified_name":"workflows.events.StartEvent","type":"StartEvent","types":null}"#
            ]],
        );
        check(
            "StreamEvent",
            r#"{"sequence":0}"#,
            expect![[r#"{"value":{"sequence":0},"qualified_name":"mine.StreamEvent","type":"StreamEvent","types":null}"#]],
        );
    }

    #[test]
    fn undeclared_fields_are_flat_inside() {
        let flat = |text: &str| {
            let whole = RawValue::from_string(text.to_owned()).expect("JSON");
            Fields::of(&whole).flat(&whole).get().to_owned()
        };
        assert_eq!(flat(r#"{"a": 1, "_data": {"b": 2.50}}"#), r#"{"a":1,"b":2.50}"#);
        assert_eq!(flat(r#"{"a": 1, "b" :2.50}"#), r#"{"a": 1, "b" :2.50}"#);
    }

    #[test]
    fn a_field_that_is_there_twice_is_refused() {
        let twice = RawValue::from_string(r#"{"a": 1, "\u0061": 3}"#.to_owned()).expect("JSON");
        let refused = Fields::read("it", &twice).expect_err("refused");
        assert_eq!(refused, "it cannot be read: the field `a` is there twice at line 1 column 21");
    }
}
