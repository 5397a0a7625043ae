use serde_json::json;

use super::*;

/// More than 64 bits hold, and more digits than a double does.
const LONG: u128 = 12_345_678_901_234_567_890_123;

fn check_text<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let it: T = serde_json::from_str(text).expect("what a server sends");
    assert_eq!(serde_json::to_string(&it).expect("JSON"), text);
    it
}

#[test]
fn what_a_server_sends_is_told_as_it_came() {
    let envelope =
        r#"{"value":{"long":12345678901234567890123,"float":1.0},"type":"StopEvent","types":null,"qualified_name":"a.StopEvent"}"#;
    let envelope: Envelope = check_text(envelope);
    assert_eq!(envelope.value.to_string(), r#"{"long":12345678901234567890123,"float":1.0}"#);
    #[derive(serde::Deserialize)]
    struct Fields {
        long: u128,
    }
    assert_eq!(envelope.parse::<Fields>().expect("its fields").long, LONG);
    let error = envelope.parse::<u8>().expect_err("an object").to_string();
    assert!(error.starts_with("not understood: StopEvent: invalid type: map"), "{error}");
    let numbered = Numbered { sequence: 3, event: envelope };
    let text = r#"{"sequence":3,"value":{"long":12345678901234567890123,"float":1.0},"type":"StopEvent","types":null,"qualified_name":"a.StopEvent"}"#;
    assert_eq!(serde_json::to_string(&numbered).expect("JSON"), text);

    let handler = r#"{"handler_id":"h","workflow_name":"w","run_id":"r","error":null,"result":1e400,"status":"completed","started_at":"1","updated_at":null,"completed_at":null}"#;
    assert_eq!(check_text::<Handler>(handler).result.expect("a result").text(), "1e400");
    assert_eq!(check_text::<Handler>(&handler.replace("1e400", "null")).result, None);
    let page: Page = check_text(&format!(r#"{{"handlers":[{handler}],"next":"h"}}"#));
    assert!(serde_json::to_string_pretty(&page).expect("JSON").contains(r#""result": 1e400,"#));
    let line = r#"{"invocation":0,"attempt":0,"source":"log","number":0,"at":"1","level":"info","message":"m","fields":{"long":12345678901234567890123}}"#;
    check_text::<LogLine>(line);
}

#[test]
fn what_is_sent_is_sent_as_it_was_written() {
    let long = Json::of([LONG]).expect("JSON");
    assert_eq!(long.text(), "[12345678901234567890123]");
    let body = Sent { event: SentEvent { name: "AnswerEvent", value: long.clone() }, to: To::default() };
    let text = r#"{"event":{"type":"AnswerEvent","value":[12345678901234567890123]},"step":null}"#;
    assert_eq!(serde_json::to_string(&body).expect("JSON"), text);
    let start = Start { context: Some(json!({ "a": 1.0 }).into()), ..Start::event(long) };
    let text = r#"{"start_event":[12345678901234567890123],"context":{"a":1.0}}"#;
    assert_eq!(serde_json::to_string(&start).expect("JSON"), text);
    let unsound = std::collections::HashMap::from([((1, 2), 3)]);
    assert_eq!(Json::of(unsound).expect_err("no JSON").to_string(), "not understood: key must be a string");
}

#[test]
fn json_is_shown_compared_and_parsed_by_its_text() {
    let json: Json = serde_json::from_str(" {\"a\": 1.0} ").expect("JSON");
    assert_eq!(json.to_string(), r#"{"a": 1.0}"#);
    assert_ne!(json, json!({ "a": 1.0 }).into());
    assert_eq!(json.parse::<Value>().expect("a value"), json!({ "a": 1.0 }));
}
