//! Generated texts at the edge: each is refused with its reason, or carried as it came.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Event, Input, Part};
use wf_engine::journal;
use wf_engine::json::{Json, canonical, to_json};
use wf_engine::run::Run;
use wf_engine::state::State;
use wf_engine::text::{self, Limit};

use super::error::ApiError;
use super::{body, context, events, runs, uri};
use crate::forms::{BadStart, Given, Schemas};
use crate::model::{Fields, Limits, Workflow, envelope};

const STATE_MAX: Limit = Limit { name: "state_max", max: 16 << 20 };

fn workflow() -> Workflow {
    let manifest = json!({ "name": "demo", "events": [{ "name": "Note", "kind": "human-response" }],
        "steps": [{ "name": "take", "accepts": ["StartEvent", "Note"], "emits": ["StopEvent"] }] });
    let manifest = serde_json::from_value(manifest).expect("a manifest");
    let definition = Definition::new(vec![(Part { component: "d".to_owned(), data: None }, manifest)]);
    let (definition, limits) = (Arc::new(definition), Arc::new(Limits::default()));
    Workflow { name: "mine".to_owned(), definition, additional_events: Vec::new(), components: Vec::new(), limits, grants: Arc::default() }
}

fn number() -> impl Strategy<Value = String> + Clone {
    let known = ["12345678901234567890123", "18446744073709551616", "1.0", "-0", "1E+2", "0.1", "1e999", "-1e400", "01", "1."];
    prop_oneof![
        2 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?",
        1 => any::<f64>().prop_map(|number| format!("{number:e}")),
    ]
}

fn string() -> impl Strategy<Value = String> + Clone {
    let part = prop_oneof![
        6 => "[a-z é😀/]{0,4}",
        1 => prop::sample::select(vec!["\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\u0000", "\\n", "\\/", "\\\"", "\\x", "\u{7}"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..3).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn key() -> impl Strategy<Value = String> {
    let known = [r#""a""#, r#""\u0061""#, r#""""#, r#""type""#, r#""$serde_json::private::RawValue""#];
    prop_oneof![4 => string(), 1 => prop::sample::select(known.to_vec()).prop_map(str::to_owned)]
}

fn object(inner: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let space = prop::sample::select(vec!["", "", " ", "\n\t"]);
    (prop::collection::vec((key(), inner), 0..5), space).prop_map(|(fields, space)| {
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{space}{key}{space}:{value}{space}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

/// Values of all kinds; most of them JSON.
fn any_text() -> impl Strategy<Value = String> + Clone {
    let scalar = prop_oneof![number(), string(), prop::sample::select(vec!["null", "true", "NaN"]).prop_map(str::to_owned)];
    let nested = scalar.clone().prop_recursive(4, 30, 4, |inner| {
        prop_oneof![object(inner.clone()), prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")))]
    });
    let deep = (1..200_usize, scalar).prop_map(|(depth, inner)| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth)));
    prop_oneof![8 => nested, 1 => deep, 1 => "[\\[\\]{}\",:0-9a-z\\\\ ]{0,20}"]
}

fn any_object() -> impl Strategy<Value = String> {
    prop_oneof![6 => object(any_text()), 1 => any_text()]
}

/// A text as a client may write it: whole, or as a text that holds it.
fn written(text: &str, held: bool) -> String {
    if held { serde_json::to_string(text).expect("a text is JSON") } else { text.to_owned() }
}

/// Whether a text could be kept as the fields of an event.
fn can_be_kept(text: &str) -> bool {
    text::object("it", text.to_owned(), STATE_MAX).is_ok()
}

/// The fields of an object, as they came.
fn fields(text: &str) -> Vec<(String, String)> {
    let object = RawValue::from_string(text.to_owned()).expect("JSON");
    Fields::of(&object).0.into_iter().map(|(key, value)| (key, value.get().to_owned())).collect()
}

fn check_carried(workflow: &Workflow, text: &str, event: &Event) {
    assert_eq!(fields(event.payload.get()), fields(text));
    // Over a restart.
    let input = Input::EventReceived { id: "1".to_owned(), event: event.clone(), step: None, invocation: None };
    let entry: Entry = Run::new(workflow.definition.clone()).entry(1, 1, input);
    let again = journal::read(0, &serde_json::to_vec(&entry).expect("JSON")).expect("it is read back");
    let Input::EventReceived { event: again, .. } = again.input else { panic!("{again:?}") };
    assert_eq!(again.payload.get(), event.payload.get());
    // And out again, for any reader.
    let shown = envelope(&workflow.definition, &workflow.name, event);
    serde_json::from_slice::<Value>(&shown).expect("any reader can read it");
    let shown = Fields::of(&serde_json::from_slice::<Box<RawValue>>(&shown).expect("JSON"));
    let value = Fields::of(shown.get("value").expect("a value"));
    let undeclared = value.get("_data").map_or("{}", RawValue::get);
    assert_eq!(fields(undeclared), fields(text));
}

fn check_refused(text: &str, why: &str) {
    assert!(!can_be_kept(text), "`{text}` is refused without need: {why}");
    assert!(!why.trim_end().ends_with(':'), "`{text}` is refused without a reason: {why}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_value_of_an_event_is_refused_or_carried(text in any_object(), held in any::<bool>()) {
        let workflow = workflow();
        let event = written(&format!(r#"{{"type":"Note","value":{text}}}"#), held);
        let parsed = events::parse(&Bytes::from(format!(r#"{{"event":{event}}}"#))).map_err(|error| error.to_string());
        let taken = parsed.and_then(|(form, _)| Schemas::default().event(&workflow, form.name.expect("Note"), form.payload).and_then(Given::by_schema));
        match taken {
            Ok(event) => check_carried(&workflow, if text == "null" { "{}" } else { &text }, &event),
            Err(why) => check_refused(&text, &why),
        }
    }

    #[test]
    fn the_fields_of_a_start_event_are_refused_or_carried(text in any_object(), kwargs in any::<bool>(), held in any::<bool>()) {
        let workflow = workflow();
        let body = match kwargs {
            true => format!(r#"{{"kwargs":{text}}}"#),
            false => format!(r#"{{"start_event":{}}}"#, written(&format!(r#"{{"value":{text},"type":"StartEvent"}}"#), held)),
        };
        let fields = body::object(&Bytes::from(body), |kind| ApiError::bad(kind)).map_err(|error| error.to_string());
        let form = fields.and_then(|fields| runs::start_form(&fields));
        let started = form.and_then(|form| {
            Schemas::default().start(&workflow, form).map_err(|(BadStart::Invalid(why) | BadStart::Other(why))| why).and_then(Given::by_schema)
        });
        match started {
            Ok(event) => check_carried(&workflow, if text == "null" { "{}" } else { &text }, &event),
            Err(why) => check_refused(&text, &why),
        }
    }

    #[test]
    fn a_state_is_refused_or_comes_out_as_it_came_in(text in any_text(), held in any::<bool>()) {
        // A text within a context is one that holds JSON.
        prop_assume!(held || !text.trim_start().starts_with('"'));
        let given = format!(r#"{{"version":1,"state":{{"state_data":{{"_data":{{"key":{}}}}}}}}}"#, written(&text, held));
        let raw = RawValue::from_string(given).map_err(|error| error.to_string());
        let state = raw.and_then(|raw| context::state(&raw, STATE_MAX)).map(|state| state.expect("a state"));
        let whole = format!(r#"{{"key":{text}}}"#);
        match state {
            Ok(state) => {
                prop_assert_eq!(canonical(&state), canonical(&RawValue::from_string(whole).expect("JSON")));
                // Through the fold, out, and in again.
                let kept: Json = State::new(&state).json();
                prop_assert_eq!(canonical(&kept), canonical(&state));
                let exported = to_json(&BTreeMap::from([("state", context::ContextState::of(&kept))]));
                let again = context::state(&exported, STATE_MAX).expect("it is taken again").expect("a state");
                prop_assert_eq!(again.get(), kept.get());
            }
            Err(why) => check_refused(&whole, &why),
        }
    }

    #[test]
    fn the_id_of_a_handler_is_refused_or_carried(text in any_text(), plain in "[0-9A-Za-z._:-]{0,140}") {
        for (raw, id) in [(text.clone(), None), (format!("\"{plain}\""), Some(&plain))] {
            let Ok(raw) = RawValue::from_string(raw) else { continue };
            match runs::handler_id(Some(&raw)) {
                Ok(Some(given)) => prop_assert_eq!(serde_json::to_string(&given).expect("JSON"), raw.get()),
                Ok(None) => prop_assert_eq!(raw.get(), "\"\""),
                Err(_) => prop_assert!(id.is_none_or(|id| id.len() > 128)),
            }
        }
    }

    #[test]
    fn a_query_is_refused_or_carried(pairs in prop::collection::vec((any::<String>(), any::<String>()), 0..4), any in any::<String>()) {
        let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
        let query: Vec<String> = pairs.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
        prop_assert_eq!(uri::pairs(&query.join("&")).map_err(|error| error.to_string()), Ok(pairs));
        // Whatever it is, it is answered.
        drop(uri::pairs(&any));
    }

    #[test]
    fn no_body_is_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..64), text in any_object()) {
        for body in [Bytes::from(bytes), Bytes::from(text)] {
            drop(events::parse(&body));
            if let Ok(fields) = body::object(&body, |kind| ApiError::bad(kind)) {
                drop(runs::start_form(&fields));
            }
        }
    }
}
