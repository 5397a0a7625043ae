//! The forms in which an event may come, and whether its value fits its type.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use serde_json::Value;
use serde_json::value::RawValue;
use wf_engine::definition::Definition;
use wf_engine::entry::Event;
use wf_engine::json::{self, Json};
use wf_engine::manifest::EventKind;
use wf_engine::text::{self, Limit};

use crate::model::{Fields, Refusal, Target, Workflow, work};

/// Of what does not fit a schema, so many reasons are said.
const ERRORS_MAX: usize = 20;

/// An event as it came: its bare type name, where one was given, and its fields.
#[derive(Debug)]
pub(crate) struct Form {
    pub name: Option<String>,
    pub payload: Json,
}

/// Why a start event was not taken.
#[derive(Debug)]
pub(crate) enum BadStart {
    /// It is none, or its value does not fit.
    Invalid(String),
    /// It is of a type that starts nothing here.
    Other(String),
}

/// An event from outside, and what its schema says of it.
#[derive(Debug)]
pub(crate) struct Given {
    pub event: Event,
    /// Why its value does not fit; none: it does.
    pub unfit: Option<String>,
}

impl Given {
    /// The event, where its value fits its schema.
    pub(crate) fn by_schema(self) -> Result<Event, String> {
        self.unfit.map_or(Ok(self.event), Err)
    }
}

/// Validators, made once for each type of a definition.
#[derive(Default)]
pub(crate) struct Schemas {
    validators: Mutex<HashMap<String, Arc<Validator>>>,
    /// The definitions that have all of theirs, by their digests.
    prepared: Mutex<HashSet<String>>,
}

impl Form {
    /// Of what a run is to start with, or a person answers: an envelope, or else the bare fields of
    /// the event, which may have names like `type`.
    pub(crate) fn start(raw: &RawValue) -> Result<Form, String> {
        let (whole, fields) = object(raw)?;
        let has = |key: &str| fields.get(key).is_some();
        if has("value") || has("type") && has("qualified_name") {
            return Form::envelope(raw, &fields);
        }
        Ok(Form { name: None, payload: fields.flat(&whole) })
    }

    /// Of what is sent to a run: an envelope, also with `data` for `value`.
    pub(crate) fn sent(raw: &RawValue) -> Result<Form, String> {
        let (_, fields) = object(raw)?;
        let form = Form::envelope(raw, &fields)?;
        if ["value", "data", "qualified_name"].iter().all(|key| fields.get(key).is_none()) {
            return Err(format!("Invalid client data. Must have a value, got {}", raw.get()));
        }
        Ok(form)
    }

    fn envelope(raw: &RawValue, fields: &Fields) -> Result<Form, String> {
        let qualified = name(fields, "qualified_name")?;
        let qualified = qualified.map(|name| name.rsplit_once('.').map_or(name.clone(), |(_, bare)| bare.to_owned()));
        let Some(name) = name(fields, "type")?.or(qualified) else {
            return Err(format!("Invalid client data. Must have a type or a qualified name, got {}", raw.get()));
        };
        let payload = match fields.get("value").or(fields.get("data")) {
            None => json::empty(),
            Some(value) if value.get() == "null" => json::empty(),
            Some(value) => Fields::read("its value", value)?.flat(value),
        };
        Ok(Form { name: Some(name), payload })
    }
}

/// An object, or that which a text holds, and its fields.
fn object(raw: &RawValue) -> Result<(Cow<'_, RawValue>, Fields), String> {
    if !raw.get().starts_with('"') {
        return Ok((Cow::Borrowed(raw), Fields::read("it", raw)?));
    }
    let text: String = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
    let inner = RawValue::from_string(text).map_err(|error| error.to_string())?;
    if inner.get().starts_with('"') {
        return Err("it is a text that holds a text".to_owned());
    }
    let fields = Fields::read("it", &inner)?;
    Ok((Cow::Owned(inner), fields))
}

/// The text of a field; none, where it is none.
fn name(fields: &Fields, key: &str) -> Result<Option<String>, String> {
    let name = fields.get(key).filter(|name| name.get().starts_with('"'));
    let name = name.map(|name| serde_json::from_str(name.get())).transpose();
    name.map_err(|error| format!("its '{key}' cannot be read: {error}"))
}

impl Schemas {
    /// Whether all validators of a definition are made. To make them takes long where the schemas are large.
    pub(crate) fn is_prepared(&self, definition: &Definition) -> bool {
        self.prepared.lock().expect("no panic while locked").contains(&digests(definition))
    }

    /// Makes all validators of a definition.
    pub(crate) fn prepare(&self, definition: &Definition) {
        if self.is_prepared(definition) {
            return;
        }
        for event in definition.event_types().filter(|it| constrains(&it.schema)) {
            // Whoever sends an event of that type is told.
            let _ = self.validator(definition, &event.name, &event.schema);
        }
        self.prepared.lock().expect("no panic while locked").insert(digests(definition));
    }

    /// The start event of a run.
    pub(crate) fn start(&self, workflow: &Workflow, form: Form) -> Result<Given, BadStart> {
        let definition = &workflow.definition;
        let expected = definition.start_type().unwrap_or("StartEvent");
        let name = form.name.unwrap_or_else(|| expected.to_owned());
        if definition.event_type(&name).is_none() {
            return Err(BadStart::Invalid(format!("unknown event type {name}; expected {expected}")));
        }
        if name != expected && !definition.bases(&name).contains(&expected) {
            return Err(BadStart::Other(expected.to_owned()));
        }
        self.event(workflow, name, form.payload).map_err(BadStart::Invalid)
    }

    /// An event whose value can be kept, and whether its schema takes that.
    pub(crate) fn event(&self, workflow: &Workflow, name: String, payload: Json) -> Result<Given, String> {
        let max = Limit { name: "payload_max", max: workflow.limits.payload_max };
        let payload = text::read_object(&format!("the value of {name}"), payload, max).map_err(|refused| refused.message)?;
        work::read();
        let definition = &workflow.definition;
        let schema = definition.event_type(&name).map(|it| &it.schema);
        let mut unfit = None;
        if let Some(schema) = schema.filter(|schema| constrains(schema)) {
            let validator = self.validator(definition, &name, schema)?;
            // For the check alone: its numbers may be rounded.
            work::read();
            let value: Value = serde_json::from_str(payload.get()).map_err(|error| error.to_string())?;
            let errors: Vec<String> = validator.iter_errors(&value).take(ERRORS_MAX).map(|error| located(&error)).collect();
            if !errors.is_empty() {
                unfit = Some(errors.join("; "));
            }
        }
        Ok(Given { event: Event { name: name.into(), payload }, unfit })
    }

    fn validator(&self, definition: &Definition, name: &str, schema: &Value) -> Result<Arc<Validator>, String> {
        let key = format!("{} {name}", digests(definition));
        if let Some(validator) = self.validators.lock().expect("no panic while locked").get(&key) {
            return Ok(validator.clone());
        }
        let validator = jsonschema::validator_for(schema).map_err(|error| format!("the schema of {name} is invalid: {error}"))?;
        let validator = Arc::new(validator);
        self.validators.lock().expect("no panic while locked").insert(key, validator.clone());
        Ok(validator)
    }
}

fn digests(definition: &Definition) -> String {
    definition.digests().join(" ")
}

/// Whether a schema says anything about a value.
fn constrains(schema: &Value) -> bool {
    let fields = schema.get("properties").and_then(Value::as_object);
    fields.is_some_and(|fields| !fields.is_empty()) || schema.get("required").is_some() || schema.get("additionalProperties").is_some()
}

fn located(error: &jsonschema::ValidationError) -> String {
    let path = error.instance_path().to_string();
    if path.is_empty() { error.to_string() } else { format!("{}: {error}", path.trim_start_matches('/').replace('/', ".")) }
}

/// Whether the outside may send an event of that type, to that step. What an invocation waits for
/// only its run knows.
pub(crate) fn check(workflow: &Workflow, name: &str, target: &Target) -> Result<(), Refusal> {
    let definition = &workflow.definition;
    let known = definition.is_declared(name) || workflow.additional_events.iter().any(|it| it == name);
    if !known {
        let expected = expected(definition, &workflow.additional_events);
        return Err(Refusal::UnknownEvent { name: name.to_owned(), expected });
    }
    match &target.step {
        Some(step) if definition.step(step).is_none() => Err(Refusal::UnknownStep(step.clone())),
        Some(step) if target.invocation.is_none() && !definition.accepts(step, name) => {
            Err(Refusal::NotAccepted { step: step.clone(), event: name.to_owned() })
        }
        _ => Ok(()),
    }
}

/// The types that the outside may name, for the text of an error.
fn expected(definition: &Definition, additional: &[String]) -> Vec<String> {
    let kinds = [EventKind::Start, EventKind::Plain, EventKind::HumanResponse, EventKind::InputRequired];
    let declared = definition.event_types().filter(|it| kinds.contains(&it.kind)).map(|it| it.name.clone());
    let mut names: Vec<String> = declared.collect();
    names.extend(additional.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
    names
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(form: fn(&RawValue) -> Result<Form, String>, json: &str, expected: Expect) {
        let raw = RawValue::from_string(json.to_owned()).expect("JSON");
        let shown = match form(&raw) {
            Ok(Form { name, payload }) => format!("{} {}", name.as_deref().unwrap_or("-"), payload.get()),
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn every_form_of_a_start_event_is_understood() {
        let check = |json, expected| check(Form::start, json, expected);
        check(r#"{"name":"Ada","n":1.0}"#, expect![[r#"- {"name":"Ada","n":1.0}"#]]);
        check(r#"{"_data":{"name":"Ada"}}"#, expect![[r#"- {"name":"Ada"}"#]]);
        check(r#"{"type":"A","value":{"x":1}}"#, expect![[r#"A {"x":1}"#]]);
        check(r#""{\"type\":\"A\",\"value\":{\"x\":1}}""#, expect![[r#"A {"x":1}"#]]);
        check(r#"{"__is_pydantic":true,"value":{"x":1},"qualified_name":"mod.sub.A"}"#, expect![[r#"A {"x":1}"#]]);
        check(r#"{"type":"B","value":{},"qualified_name":"mod.A"}"#, expect!["B {}"]);
        check(r#"{"type":"B","qualified_name":"mod.B"}"#, expect!["B {}"]);
        check(r#"{"type":"invoice","message":"x"}"#, expect![[r#"- {"type":"invoice","message":"x"}"#]]);
        check(r#"{"type":"invoice","data":{"x":1}}"#, expect![[r#"- {"type":"invoice","data":{"x":1}}"#]]);
        check(r#"{"qualified_name":"invoice"}"#, expect![[r#"- {"qualified_name":"invoice"}"#]]);
        check(r#"{"value":{}}"#, expect![[r#"error: Invalid client data. Must have a type or a qualified name, got {"value":{}}"#]]);
        check(r#"{"type":"B","value":[]}"#, expect!["error: its value is no JSON object"]);
        check("[]", expect!["error: it is no JSON object"]);
        check(r#""nonsense""#, expect!["error: expected ident at line 1 column 2"]);
        check(r#""\"text\"""#, expect!["error: it is a text that holds a text"]);
    }

    #[test]
    fn every_form_of_an_event_that_is_sent_is_understood() {
        let check = |json, expected| check(Form::sent, json, expected);
        check(r#"{"type":"A","value":{"x":1}}"#, expect![[r#"A {"x":1}"#]]);
        check(r#"{"type":"A","data":{"x":1}}"#, expect![[r#"A {"x":1}"#]]);
        check(r#""{\"type\":\"A\",\"data\":{\"x\":1}}""#, expect![[r#"A {"x":1}"#]]);
        check(r#"{"__is_pydantic":true,"value":{"x":1},"qualified_name":"mod.sub.A"}"#, expect![[r#"A {"x":1}"#]]);
        check(r#"{"type":"B","qualified_name":"mod.A"}"#, expect!["B {}"]);
        check(r#"{"type":"B"}"#, expect![[r#"error: Invalid client data. Must have a value, got {"type":"B"}"#]]);
        check(r#"{"name":"Ada"}"#, expect![[r#"error: Invalid client data. Must have a type or a qualified name, got {"name":"Ada"}"#]]);
        check(r#"{"value":{}}"#, expect![[r#"error: Invalid client data. Must have a type or a qualified name, got {"value":{}}"#]]);
        check("[]", expect!["error: it is no JSON object"]);
    }
}
