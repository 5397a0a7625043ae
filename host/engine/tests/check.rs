//! Every finding of the definition check: what is wrong, where, and what to do.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use wf_engine::definition::Definition;

fn findings(manifests: &[Value]) -> String {
    let components = manifests.iter().enumerate();
    let components = components.map(|(place, it)| (place.to_string(), serde_json::from_value(it.clone()).expect("a manifest")));
    let found = Definition::new(components.collect()).check();
    found.iter().map(|it| format!("{it}\n")).collect()
}

/// A sound workflow with one thing changed: a JSON pointer, and what stands there instead.
fn check(path: &str, value: Value, expected: Expect) {
    let mut manifest = sound();
    let (parent, key) = path.rsplit_once('/').expect("a pointer");
    match manifest.pointer_mut(parent).expect("it is there") {
        Value::Object(object) => drop(object.insert(key.to_owned(), value)),
        Value::Array(array) if key == "-" => array.push(value),
        Value::Array(array) => array[key.parse::<usize>().expect("a place")] = value,
        other => panic!("{other}"),
    }
    expected.assert_eq(&findings(&[manifest]));
}

fn sound() -> Value {
    json!({
        "name": "orders",
        "events": [{"name": "Item", "kind": "plain"}, {"name": "Done", "kind": "plain"}],
        "steps": [
            {"name": "split", "accepts": ["StartEvent"], "emits": ["Item"], "fan_out": true},
            {"name": "work", "accepts": ["Item"], "emits": ["Done"]},
            {"name": "join", "accepts": ["Done"], "emits": ["StopEvent"], "join": "all"},
        ],
    })
}

#[test]
fn a_sound_definition_has_none() {
    assert_eq!(findings(&[sound()]), "");
}

#[test]
fn names_and_times() {
    check(
        "/name",
        json!("two words"),
        expect![[r#"
        the workflow's name `two words` is none: use letters, digits, `.`, `_` and `-`
    "#]],
    );
    check(
        "/timeout",
        json!(0),
        expect![[r#"
        the workflow's timeout is no time: give a number of seconds above 0, or leave it out
    "#]],
    );
    check(
        "/steps/1/name",
        json!(""),
        expect![[r#"
        the step name `` is none: use letters, digits, `.`, `_` and `-`
    "#]],
    );
    check(
        "/steps/1/timeout",
        json!(-1),
        expect![[r#"
        the timeout of step `work` is no time: give a number of seconds above 0, or leave it out
    "#]],
    );
    check(
        "/steps/1/num_workers",
        json!(0),
        expect![[r#"
        step `work` has no slots: set `num_workers` to 1 or more
    "#]],
    );
    check(
        "/steps/1/retry",
        json!({"delay": -1, "attempts_max": 0}),
        expect![[r#"
        the retry of step `work` has a time that is none: give seconds of 0 or more, and a jitter from 0 to 1
        the retry of step `work` allows no attempt: set `attempts_max` to 1 or more
    "#]],
    );
    check(
        "/steps/1/retry",
        json!({"jitter": 2}),
        expect![[r#"
        the retry of step `work` has a time that is none: give seconds of 0 or more, and a jitter from 0 to 1
    "#]],
    );
    check(
        "/events/0/name",
        json!("Ite m"),
        expect![[r#"
        the event name `Ite m` is none: use letters, digits, `.`, `_` and `-`
        step `split` names event `Item`, which is declared nowhere: add it to the workflow's events
        step `work` names event `Item`, which is declared nowhere: add it to the workflow's events
    "#]],
    );
    check(
        "/events/0/schema",
        json!("text"),
        expect![[r#"
        the schema of event `Item` is no JSON Schema: give an object
    "#]],
    );
}

#[test]
fn what_is_not_there_or_there_twice() {
    check(
        "/additional_events",
        json!(["Nope"]),
        expect![[r#"
        additional event `Nope` is declared nowhere: add it to the workflow's events
    "#]],
    );
    check(
        "/steps/1/emits",
        json!(["Nope"]),
        expect![[r#"
        step `work` names event `Nope`, which is declared nowhere: add it to the workflow's events
    "#]],
    );
    check(
        "/steps/1/accepts",
        json!([]),
        expect![[r#"
        step `work` accepts no event: name the type of event that it takes
    "#]],
    );
    check(
        "/events/0/base",
        json!("Nope"),
        expect![[r#"
        event `Item` derives from `Nope`, which is declared nowhere: add it to the workflow's events
    "#]],
    );
    check(
        "/events/0/base",
        json!("Item"),
        expect![[r#"
        event `Item` derives from itself: give it another base
    "#]],
    );
    check(
        "/events/-",
        json!({"name": "Item", "kind": "plain"}),
        expect![[r#"
        event `Item` is declared twice: remove or rename one of them
    "#]],
    );
    check(
        "/steps/-",
        json!({"name": "work", "accepts": ["Item"]}),
        expect![[r#"
        step `work` is there twice: rename one of them
    "#]],
    );
    check(
        "/steps/1/catch_error",
        json!({"steps": ["nope"]}),
        expect![[r#"
        step `work` catches the errors of step `nope`, which is not there: correct the name
        step `work` catches errors and does not accept `StepFailedEvent`: add it to what the step accepts
    "#]],
    );
}

#[test]
fn how_it_begins_and_ends() {
    check(
        "/steps/0/accepts",
        json!(["Item"]),
        expect![[r#"
        no step accepts a start event: let one accept `StartEvent` or a type of kind `start`
        no event reaches step `split` from the start: let a step that is reached return what it accepts
        no event reaches step `work` from the start: let a step that is reached return what it accepts
        no event reaches step `join` from the start: let a step that is reached return what it accepts
    "#]],
    );
    check(
        "/steps/2/emits",
        json!([]),
        expect![[r#"
        no step returns a stop event: let one return `StopEvent` or a type of kind `stop`
    "#]],
    );
    let second = json!({"name": "again", "accepts": ["OtherStart"], "emits": ["StopEvent"]});
    let mut two = sound();
    two["events"].as_array_mut().expect("a list").push(json!({"name": "OtherStart", "kind": "start"}));
    two["steps"].as_array_mut().expect("a list").push(second);
    expect![[r#"
        steps accept two start events, `StartEvent` and `OtherStart`: a workflow starts with one
    "#]]
    .assert_eq(&findings(&[two]));
}

#[test]
fn what_nothing_produces_consumes_or_reaches() {
    check(
        "/steps/1/emits",
        json!(["Done", "Item", "StepFailedEvent"]),
        expect![[r#"
        step `work` returns event `StepFailedEvent`, which no step accepts: let one accept it, or publish it
    "#]],
    );
    check(
        "/events/-",
        json!({"name": "Unused", "kind": "plain"}),
        expect![[r#"
        event `Unused` is declared, and no step names it: remove it, or name it in a step's `sends`
    "#]],
    );
    check("/steps/2/accepts", json!(["Done", "HumanResponseEvent"]), expect![[""]]);
    check(
        "/steps/-",
        json!({"name": "lonely", "accepts": ["StopEvent"], "emits": ["StopEvent"]}),
        expect![[r#"
        step `lonely` accepts event `StopEvent`, which ends the run and reaches no step: let it accept another
    "#]],
    );
    let mut island = sound();
    island["events"].as_array_mut().expect("a list").push(json!({"name": "Ping", "kind": "plain"}));
    island["steps"].as_array_mut().expect("a list").push(json!({"name": "island", "accepts": ["Ping"], "emits": ["Ping"]}));
    expect![[r#"
        no event reaches step `island` from the start: let a step that is reached return what it accepts
    "#]]
    .assert_eq(&findings(&[island]));
}

#[test]
fn joins_have_one_fan_out() {
    check(
        "/steps/0/fan_out",
        json!(false),
        expect![[r#"
        step `join` joins all events of a fan-out, and no fan-out step leads to it: let a step before it return a list
    "#]],
    );
    check(
        "/steps/2/join",
        json!("each"),
        expect![[r#"
        step `join` joins events of one type with nothing: let it accept a second type, or leave the join out
    "#]],
    );
    let mut both = sound();
    both["events"].as_array_mut().expect("a list").push(json!({"name": "Part", "kind": "plain"}));
    both["steps"][0]["emits"] = json!(["Item", "Part"]);
    both["steps"].as_array_mut().expect("a list").push(json!({"name": "other", "accepts": ["Part"], "emits": ["Done"], "fan_out": true}));
    expect![[r#"
        step `join` joins all events of a fan-out, and both `other` and `split` lead to it: give each a join of its own
    "#]]
    .assert_eq(&findings(&[both]));
}

#[test]
fn components_are_checked_together() {
    let first = json!({"name": "front", "events": [{"name": "Order", "kind": "plain"}], "steps": [{"name": "take", "accepts": ["StartEvent"], "emits": ["Order"]}]});
    let second = json!({"name": "back", "steps": [{"name": "ship", "accepts": ["Order"], "emits": ["StopEvent"]}]});
    assert_eq!(findings(&[first.clone(), second]), "");
    expect![[r#"
        no step returns a stop event: let one return `StopEvent` or a type of kind `stop`
        step `take` returns event `Order`, which no step accepts: let one accept it, or publish it
    "#]]
    .assert_eq(&findings(&[first]));
}
