//! Says itself whether events from outside fit, and fails at that in several ways.

use serde_json::{Value, json};
use wf_guest::bindings::exports::wf::workflow::steps::Guest;
use wf_guest::bindings::wf::workflow::types::{Event, Failure};
use wf_guest::bindings::wf::workflow::{events, state};

struct Component;

impl Guest for Component {
    fn describe() -> String {
        let schema = |field: &str, kind: &str| json!({"type": "object", "properties": {field: {"type": kind}}, "required": [field]});
        json!({
            "name": "validating",
            "additional_events": ["Reply", "Note", "Plain"],
            "events": [
                {"name": "Order", "kind": "start", "validation": "own", "schema": schema("count", "integer")},
                {"name": "Reply", "kind": "human-response", "validation": "last-word", "schema": schema("number", "integer")},
                {"name": "Note", "kind": "plain", "validation": "own", "schema": schema("text", "string")},
                {"name": "Plain", "kind": "human-response", "schema": schema("number", "integer")},
            ],
            "steps": [{"name": "begin", "accepts": ["Order"], "emits": ["StopEvent"], "waits": ["Reply", "Note", "Plain"]}],
        })
        .to_string()
    }

    fn invoke(step: String, events: Vec<Event>) -> Result<Vec<Event>, Failure> {
        let event = events.into_iter().next().expect("an event");
        if step == "wf:validate" {
            return validated(event);
        }
        let result = match number(&event, "count") {
            Some(0) => event,
            _ => events::wait(r#"{"types":["Reply","Note","Plain"]}"#)?,
        };
        Ok(vec![Event { name: "StopEvent".to_owned(), payload: json!({"result": result.payload}).to_string() }])
    }
}

fn number(event: &Event, field: &str) -> Option<i64> {
    let value: Value = serde_json::from_str(&event.payload).expect("JSON");
    value[field].as_i64().or_else(|| value[field].as_str()?.parse().ok())
}

/// Seconds since 1970.
fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |it| it.as_secs() as i64)
}

fn validated(event: Event) -> Result<Vec<Event>, Failure> {
    let refused = |message: &str| Failure { kind: "ValueError".to_owned(), message: message.to_owned(), details: "{}".to_owned() };
    match event.name.as_str() {
        "Order" => match number(&event, "count") {
            Some(13) => panic!("thirteen"),
            Some(14) => drop(state::get("count")),
            Some(15) => std::thread::sleep(std::time::Duration::from_secs(60)),
            Some(16) => drop(vec![1_u8; 1 << 30]),
            Some(18) => drop(vec![1_u8; 128 << 20]),
            Some(17) => return Err(refused(&"long ".repeat(20_000))),
            Some(20) if number(&event, "until").is_some_and(|until| now() > until) => return Err(refused("it is over")),
            Some(count) if count % 2 == 0 => (),
            Some(_) => return Err(refused("it is odd")),
            None => return Err(refused("it is no count")),
        },
        "Reply" if number(&event, "number").is_none() => return Err(refused("it is no number")),
        "Note" => {
            let value: Value = serde_json::from_str(&event.payload).expect("JSON");
            let text = value["text"].as_str().ok_or_else(|| refused("it is no text"))?.trim();
            let payload = if text == "junk" { "{junk".to_owned() } else { json!({"text": text}).to_string() };
            return Ok(vec![Event { payload, ..event }]);
        }
        _ => (),
    }
    Ok(Vec::new())
}

wf_guest::bindings::export_component!(Component with_types_in wf_guest::bindings);
