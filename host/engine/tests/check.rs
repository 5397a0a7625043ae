//! Every finding of the definition check: what is wrong, where, and what to do.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use wf_engine::definition::{Definition, Finding};
use wf_engine::entry::Part;

fn definition(manifests: &[Value]) -> Definition {
    let part = |place: usize| Part { component: place.to_string(), data: None };
    let manifests = manifests.iter().map(|it| serde_json::from_value(it.clone()).expect("a manifest"));
    Definition::new(manifests.enumerate().map(|(place, it)| (part(place), it)).collect())
}

fn findings(manifests: &[Value]) -> String {
    lines(&definition(manifests).check())
}

fn lines(found: &[Finding]) -> String {
    found.iter().map(|it| format!("{it}\n")).collect()
}

/// A sound workflow with one thing changed: a JSON pointer, and what stands there instead.
fn check(path: &str, value: Value, expected: Expect) {
    expected.assert_eq(&findings(&[changed(sound(), path, value)]));
}

fn changed(mut manifest: Value, path: &str, value: Value) -> Value {
    let (parent, key) = path.rsplit_once('/').expect("a pointer");
    match manifest.pointer_mut(parent).expect("it is there") {
        Value::Object(object) => drop(object.insert(key.to_owned(), value)),
        Value::Array(array) if key == "-" => array.push(value),
        Value::Array(array) => array[key.parse::<usize>().expect("a place")] = value,
        other => panic!("{other}"),
    }
    manifest
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
        json!({"delay": 1, "jitter": 2}),
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
        step `work` catches errors and does not accept `StepFailedEvent`: add it to what the step accepts
        step `work` catches the errors of step `nope`, which is not there: correct the name
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
        json!(["Done", "Item", "HumanResponseEvent"]),
        expect![[r#"
        step `work` returns event `HumanResponseEvent`, which no step accepts: let one accept it, or publish it
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
fn joins_have_a_fan_out() {
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
    assert_eq!(findings(std::slice::from_ref(&both)), "");
    assert_eq!(definition(&[both]).fan_outs_of("join").collect::<Vec<_>>(), ["other", "split"]);
}

#[test]
fn what_a_fan_out_returns_alone_leads_into_no_scope() {
    let mut manifest = changed(sound(), "/steps/0/emits", json!(["Item", "Done"]));
    manifest["steps"][0]["returns_alone"] = json!(["Done"]);
    assert_eq!(definition(&[manifest.clone()]).fan_outs_of("join").collect::<Vec<_>>(), ["split"]);
    // Only alone: no list of it reaches the join.
    manifest["steps"][1]["emits"] = json!([]);
    expect![[r#"
        step `join` joins all events of a fan-out, and no fan-out step leads to it: let a step before it return a list
    "#]]
    .assert_eq(&findings(&[manifest]));
    check(
        "/steps/0/returns_alone",
        json!(["Done"]),
        expect![[r#"
            step `split` returns event `Done` alone, and not as one of what it returns beside a list: name it in `emits`, of a fan-out
        "#]],
    );
    check(
        "/steps/1/returns_alone",
        json!(["Done"]),
        expect![[r#"
            step `work` returns event `Done` alone, and not as one of what it returns beside a list: name it in `emits`, of a fan-out
        "#]],
    );
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

/// A workflow of two steps and one declared type.
fn taking(event: Value) -> Value {
    json!({
        "name": "orders",
        "events": [event],
        "steps": [
            {"name": "take", "accepts": ["StartEvent"], "emits": ["Order"]},
            {"name": "ship", "accepts": ["Order"], "emits": ["StopEvent"]},
        ],
    })
}

#[test]
fn two_declarations_of_one_name_differ() {
    let order = json!({"name": "Order", "kind": "plain", "module": "orders.events", "schema": {"properties": {"id": {}}}});
    let differing =
        |key: &str, value: Value| changed(taking(order.clone()), "/events/-", changed(order.clone(), &format!("/{key}"), value));
    let check = |key: &str, value: Value, expected: Expect| expected.assert_eq(&findings(&[differing(key, value)]));
    check(
        "module",
        json!("billing.events"),
        expect![[r#"
        event `Order` is declared in module `orders.events` and in module `billing.events`, with another module: rename one of them, or declare both alike
    "#]],
    );
    check(
        "module",
        Value::Null,
        expect![[r#"
        event `Order` is declared in module `orders.events` and in no module, with another module: rename one of them, or declare both alike
    "#]],
    );
    check(
        "schema",
        json!({"properties": {}}),
        expect![[r#"
        event `Order` is declared in module `orders.events` and in module `orders.events`, with another schema: rename one of them, or declare both alike
    "#]],
    );
    check(
        "kind",
        json!("human-response"),
        expect![[r#"
        event `Order` is declared in module `orders.events` and in module `orders.events`, with another kind and base: rename one of them, or declare both alike
    "#]],
    );
    check(
        "base",
        json!("HumanResponseEvent"),
        expect![[r#"
        event `Order` is declared in module `orders.events` and in module `orders.events`, with another base: rename one of them, or declare both alike
    "#]],
    );
    check(
        "base",
        json!("Event"),
        expect![[r#"
        event `Order` is declared twice: remove or rename one of them
    "#]],
    );
}

#[test]
fn several_components_declare_a_type_alike() {
    let ask = json!({"name": "Ask", "kind": "input-required", "schema": {"title": "Ask", "type": "object"}});
    let implied =
        json!({"schema": {"type": "object", "title": "Ask"}, "name": "Ask", "kind": "input-required", "base": "InputRequiredEvent"});
    let first = json!({"name": "front", "events": [ask], "steps": [{"name": "take", "accepts": ["StartEvent"], "emits": ["Ask"]}]});
    let second = json!({"name": "back", "events": [implied], "steps": [{"name": "ship", "accepts": ["Ask"], "emits": ["StopEvent"]}]});
    let both = [first.clone(), second.clone()];
    assert_eq!(findings(&both), "");
    assert_eq!(definition(&both).event_types().filter(|it| it.name == "Ask").count(), 1);
    // Each language has its own modules, and one that can say no types says none.
    let moved = changed(second, "/events/0/module", json!("back.events"));
    let moved = changed(moved, "/events/0/schema", json!({}));
    assert_eq!(findings(&[first.clone(), moved.clone()]), "");
    let other = changed(changed(moved, "/events/0/kind", json!("plain")), "/steps/0/name", json!("take"));
    expect![[r#"
        step `take` is there twice, in `front.wasm` and in `back.wasm`: rename one of them
        event `Ask` is declared in `front.wasm` and in `back.wasm`, and its kind is input-required in the first and plain in the second: declare both alike, or rename one of them
    "#]]
    .assert_eq(&lines(&definition(&[first, other]).check_of(&["front.wasm".to_owned(), "back.wasm".to_owned()])));
}

/// Two components that declare one event with these schemas: the finding between what all have in common.
fn between(one: Value, other: Value) -> String {
    let manifest = |schema, step| json!({"name": "one", "events": [{"name": "Order", "kind": "plain", "schema": schema}], "steps": [step]});
    let first = manifest(one, json!({"name": "take", "accepts": ["StartEvent"], "emits": ["Order"]}));
    let second = manifest(other, json!({"name": "ship", "accepts": ["Order"], "emits": ["StopEvent"]}));
    let found = findings(&[first, second]);
    let found = found.trim_end().strip_prefix("event `Order` is declared in component 1 (`one`) and in component 2 (`one`), and ");
    found.map(|it| it.trim_end_matches(": declare both alike, or rename one of them").to_owned()).unwrap_or_default()
}

#[test]
fn schemas_of_several_languages_agree_in_what_a_value_must_be() {
    // As schemars, pydantic and zod write one type.
    let rust = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Order", "type": "object", "required": ["id", "lines"],
        "properties": {
            "id": {"type": "integer", "format": "uint32", "minimum": 0},
            "note": {"type": ["string", "null"], "description": "For the kitchen."},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
        },
        "$defs": {"Line": {"type": "object", "required": ["sort", "parts"], "properties": {
            "sort": {"oneOf": [{"const": "tea", "type": "string"}, {"const": "cake", "type": "string"}]},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
        }}},
    });
    let python = json!({
        "title": "Order", "type": "object", "required": ["lines", "id"],
        "properties": {
            "id": {"title": "Id", "type": "integer"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null},
            "lines": {"type": "array", "items": {"allOf": [{"$ref": "#/definitions/Line"}]}},
        },
        "definitions": {"Line": {"type": "object", "required": ["sort", "parts"], "properties": {
            "sort": {"enum": ["tea", "cake"], "type": "string"},
            "parts": {"type": "array", "items": {"$ref": "#/definitions/Line"}},
        }}},
    });
    assert_eq!(between(rust.clone(), python.clone()), "");
    // One that cannot say more: an object of any kind, a list of anything, nothing at all.
    for open in [
        json!({}),
        json!(null),
        json!({"type": "object"}),
        json!({"properties": {"id": {}, "lines": {"type": "array"}}, "required": ["id", "lines"]}),
    ] {
        assert_eq!(between(rust.clone(), open.clone()), "", "{open}");
        assert_eq!(between(open.clone(), python.clone()), "", "{open}");
    }
    let other = |path: &str, value: Value| between(rust.clone(), changed(python.clone(), path, value));
    let id = "/properties/id";
    assert_eq!(other(id, json!({"type": "string"})), "`id` is integer in the first and string in the second");
    assert_eq!(other(id, json!({"type": "number"})), "`id` is integer in the first and number in the second");
    assert_eq!(other(id, json!({"type": ["integer", "null"]})), "`id` is integer in the first and integer or null in the second");
    assert_eq!(other("/required", json!(["id"])), "`lines` must be there in the first, and may be left out in the second");
    assert_eq!(other("/required", json!(["id", "lines", "note"])), "`note` may be left out in the first, and must be there in the second");
    assert_eq!(other("/properties", json!({"lines": {}})), "`id` must be there in the first, and the second does not know it");
    assert_eq!(
        other("/definitions/Line/properties/sort/enum", json!(["tea"])),
        "`lines[].sort` is one of \"cake\" or \"tea\" in the first and of \"tea\" in the second"
    );
    assert_eq!(
        other("/definitions/Line/properties/parts", json!({"type": "integer"})),
        "`lines[].parts` is array in the first and integer in the second"
    );
    assert_eq!(other("/type", json!("array")), "it is object in the first and array in the second");
    // Types that are made of themselves, without an end.
    let selves = |count: usize| json!({"anyOf": vec![json!({"$ref": "#"}); count], "type": "object"});
    assert_eq!(between(selves(50), selves(49)), "");
    assert_eq!(between(json!({"$ref": "#"}), json!({"allOf": [{"$ref": "#"}]})), "");
    // What only one knows, and may be left out, hurts nobody.
    assert_eq!(other("/properties/more", json!({"type": "integer"})), "");
}

#[test]
fn what_a_workflow_is_called_and_how_long_its_runs_take_the_first_component_says() {
    let first = json!({"name": "front", "language": "rust", "steps": [{"name": "take", "accepts": ["StartEvent"], "emits": ["Order"]}], "events": [{"name": "Order", "kind": "plain"}]});
    let second = json!({"name": "back", "description": "b", "timeout": 3, "language": "c", "steps": [{"name": "ship", "accepts": ["Order"], "emits": ["StopEvent"]}]});
    let both = definition(&[first.clone(), second.clone()]);
    assert_eq!((both.name(), both.description(), both.timeout()), ("front", None, None));
    assert_eq!((both.language_of("take"), both.language_of("ship"), both.language_of("nope")), (Some("rust"), Some("c"), None));
    assert_eq!(both.languages(), ["rust", "c"]);
    let other = definition(&[second, first]);
    assert_eq!((other.name(), other.description(), other.timeout()), ("back", Some("b"), Some(3.0)));
}

#[test]
fn modules_are_names() {
    check("/events/0/module", json!("orders::events"), expect![""]);
    check(
        "/events/0/module",
        json!("orders events"),
        expect![[r#"
        the module of event `Item` is none: give its name without blanks, or leave it out
    "#]],
    );
}

/// A sound workflow with a step that catches errors.
fn recovering() -> Value {
    let recover = json!({"name": "recover", "accepts": ["StepFailedEvent"], "emits": ["Done"], "catch_error": {}});
    changed(sound(), "/steps/-", recover)
}

#[test]
fn a_step_that_catches_errors_joins_nothing() {
    assert_eq!(findings(&[recovering()]), "");
    let each = changed(recovering(), "/steps/3/join", json!("each"));
    expect![[r#"
        step `recover` catches errors and joins events, and is given one error at a time: leave `join` out
    "#]]
    .assert_eq(&findings(&[changed(each, "/steps/3/accepts", json!(["StepFailedEvent", "Item"]))]));
    expect![[r#"
        step `recover` catches errors and joins events, and is given one error at a time: leave `join` out
    "#]]
    .assert_eq(&findings(&[changed(recovering(), "/steps/3/join", json!("all"))]));
}

#[test]
fn a_retry_ends_or_waits() {
    let endless = [
        json!({}),
        json!({"kinds": ["ValueError"]}),
        json!({"delay": 1, "delay_max": 0}),
        json!({"delay": 1, "backoff": "exponential", "factor": 0.5}),
    ];
    for retry in endless {
        check(
            "/steps/1/retry",
            retry,
            expect![[r#"
            the retry of step `work` has no end and no lasting delay: set `attempts_max` or `elapsed_max`, or a `delay` above 0
        "#]],
        );
    }
    for retry in [json!({"attempts_max": 3}), json!({"elapsed_max": 60}), json!({"delay": 0.1}), json!({"delay": 1, "factor": 0.5})] {
        check("/steps/1/retry", retry, expect![""]);
    }
}

#[test]
fn take_and_order_are_of_a_join_of_all() {
    let join = changed(sound(), "/steps/2/take", json!(2));
    assert_eq!(findings(&[changed(join, "/steps/2/order", json!("arrival"))]), "");
    check("/steps/1/order", json!("emission"), expect![""]);
    check(
        "/steps/2/take",
        json!(0),
        expect![[r#"
        step `join` takes 0 events of a fan-out: set `take` to 1 or more, or leave it out
    "#]],
    );
    check(
        "/steps/1/take",
        json!(1),
        expect![[r#"
        step `work` has `take` and does not join a fan-out: set `join` to `all`, or leave `take` out
    "#]],
    );
    check(
        "/steps/1/order",
        json!("arrival"),
        expect![[r#"
        step `work` has `order` and does not join a fan-out: set `join` to `all`, or leave `order` out
    "#]],
    );
}

#[test]
fn only_the_host_makes_reserved_types() {
    for name in [
        "WorkflowFailedEvent",
        "WorkflowTimedOutEvent",
        "WorkflowCancelledEvent",
        "StepFailedEvent",
        "StepStateChanged",
        "WorkflowIdleEvent",
        "UnhandledEvent",
        "InternalDispatchEvent",
    ] {
        assert!(Definition::is_reserved(name), "{name}");
        let returned = format!("step `work` returns event `{name}`, which only the host makes: let it return another, or fail\n");
        assert_eq!(findings(&[changed(sound(), "/steps/1/emits", json!(["Done", name]))]), returned);
        let sent = format!("step `work` sends event `{name}`, which only the host makes: let it send another\n");
        assert_eq!(findings(&[changed(sound(), "/steps/1/sends", json!([name]))]), sent);
        let declared = format!("event `{name}` is declared, and only the host makes it: rename it, or leave the declaration out\n");
        assert_eq!(findings(&[changed(sound(), "/events/-", json!({"name": name, "kind": "plain"}))]), declared);
        let additional = format!("additional event `{name}` is one that only the host makes: leave it out\n");
        assert_eq!(findings(&[changed(sound(), "/additional_events", json!([name]))]), additional);
    }
    for name in ["Event", "StartEvent", "StopEvent", "InputRequiredEvent", "HumanResponseEvent", "Item"] {
        assert!(!Definition::is_reserved(name), "{name}");
    }
    check(
        "/steps/1/accepts",
        json!(["Item", "StepStateChanged", "WorkflowFailedEvent"]),
        expect![[r#"
        step `work` accepts event `StepStateChanged`, which the host gives to no step: let it accept another
        step `work` accepts event `WorkflowFailedEvent`, which ends the run and reaches no step: let it accept another
    "#]],
    );
}

/// A language without return types: each step may return whatever is declared.
fn open() -> Value {
    json!({
        "name": "orders",
        "events": [{"name": "Item", "kind": "plain"}, {"name": "Done", "kind": "plain"}, {"name": "Spare", "kind": "plain"}],
        "steps": [
            {"name": "split", "accepts": ["StartEvent"], "emits_any": true, "fan_out": true},
            {"name": "work", "accepts": ["Item"], "emits_any": true},
            {"name": "join", "accepts": ["Done"], "emits_any": true, "join": "all"},
        ],
    })
}

#[test]
fn a_step_may_emit_any_declared_type() {
    assert_eq!(findings(&[open()]), "");
    let open_definition = definition(&[open()]);
    assert_eq!(open_definition.fan_outs_of("join").collect::<Vec<_>>(), ["split"]);
    assert_eq!(open_definition.stop_types(), ["StopEvent"]);
    assert!(open_definition.is_declared("StopEvent"));
    assert_eq!(findings(&[changed(open(), "/steps/1/emits", json!(["Spare"]))]), "");
    let island = json!({"name": "answer", "accepts": ["Reply"], "emits": ["Done"]});
    let island = changed(changed(open(), "/steps/-", island), "/events/-", json!({"name": "Reply", "kind": "start"}));
    expect![[r#"
        steps accept two start events, `StartEvent` and `Reply`: a workflow starts with one
    "#]]
    .assert_eq(&findings(&[island]));
    let two = changed(open(), "/steps/1/fan_out", json!(true));
    expect![[r#"
        step `join` joins all events of a fan-out, and both `split` and `work` may lead to it, as a step may return anything: name what each step returns, or give each fan-out a join of its own
    "#]]
    .assert_eq(&findings(&[two]));
}

#[test]
fn what_a_step_may_return() {
    let mut manifest = sound();
    manifest["events"] = json!([
        {"name": "Item", "kind": "plain"}, {"name": "Done", "kind": "plain"},
        {"name": "Late", "kind": "plain", "base": "Done"}, {"name": "Later", "kind": "plain", "base": "Late"},
        {"name": "Sum", "kind": "stop"},
    ]);
    manifest["steps"].as_array_mut().expect("a list").push(json!({"name": "any", "accepts": ["Item"], "emits_any": true}));
    let definition = definition(&[manifest]);
    let returned = |step: &str| {
        let names = ["Item", "Done", "Late", "Later", "Sum", "StopEvent", "WorkflowCancelledEvent", "StepFailedEvent", "Nope"];
        names.into_iter().filter(|name| definition.may_return(step, name)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(returned("work"), "Done Late Later");
    assert_eq!(returned("join"), "Sum StopEvent");
    assert_eq!(returned("any"), "Item Done Late Later Sum StopEvent");
    assert_eq!(returned("nope"), "");
}

#[test]
fn a_join_is_fed_by_the_step_that_catches() {
    let manifest = |catch: Value| {
        json!({
            "name": "orders",
            "events": [{"name": "Item", "kind": "plain"}, {"name": "Bad", "kind": "plain"}],
            "steps": [
                {"name": "split", "accepts": ["StartEvent"], "emits": ["Item"], "fan_out": true},
                {"name": "work", "accepts": ["Item"]},
                {"name": "recover", "accepts": ["StepFailedEvent"], "emits": ["Bad"], "catch_error": catch},
                {"name": "gather", "accepts": ["Bad"], "emits": ["StopEvent"], "join": "all"},
            ],
        })
    };
    for catch in [json!({"steps": ["work"], "max_recoveries": 9}), json!({})] {
        let manifest = manifest(catch);
        assert_eq!(findings(std::slice::from_ref(&manifest)), "");
        assert_eq!(definition(&[manifest]).fan_outs_of("gather").collect::<Vec<_>>(), ["split"]);
    }
    // The fan-out has opened nothing when it fails.
    expect![[r#"
        step `gather` joins all events of a fan-out, and no fan-out step leads to it: let a step before it return a list
    "#]]
    .assert_eq(&findings(&[manifest(json!({"steps": ["split"]}))]));
}

#[test]
fn a_failure_has_one_step_that_catches_it() {
    let catching = |name: &str, steps: Value| json!({"name": name, "accepts": ["StepFailedEvent"], "catch_error": {"steps": steps}});
    let mut manifest = sound();
    let more = [catching("all", json!([])), catching("some", json!(["work", "some"])), catching("late", json!(["work", "some"]))];
    manifest["steps"].as_array_mut().expect("a list").extend(more);
    let definition = definition(&[manifest]);
    let catcher = |step: &str| {
        let catcher = definition.catcher(definition.step_index(step).expect("a step"));
        catcher.and_then(|it| definition.step_at(it)).map(|it| it.name.as_str())
    };
    assert_eq!(["split", "work", "all", "some", "late"].map(catcher), [Some("all"), Some("some"), None, Some("late"), Some("all")]);
    assert_eq!(definition.catcher(99), None);
}

#[test]
fn steps_and_types_are_looked_up() {
    let first = json!({
        "name": "front",
        "events": [
            {"name": "Order", "kind": "plain"}, {"name": "Rush", "kind": "plain", "base": "Order"},
            {"name": "Done", "kind": "stop"}, {"name": "Express", "kind": "plain", "base": "Rush"},
        ],
        "steps": [
            {"name": "take", "accepts": ["StartEvent"], "emits": ["Order"]},
            {"name": "watch", "accepts": ["Rush", "Order"], "subtypes": true},
        ],
    });
    let second = json!({"name": "back", "steps": [
        {"name": "take", "accepts": ["Rush"]}, {"name": "ship", "accepts": ["Order", "Undeclared"], "emits": ["StopEvent"]},
    ]});
    let definition = definition(&[first, second]);
    assert_eq!(definition.accepting("Order"), [1, 2]);
    assert_eq!(definition.accepting("Rush"), [1]);
    assert_eq!(definition.accepting("Express"), [1]);
    assert_eq!(definition.accepting("StartEvent"), [0]);
    assert_eq!(definition.accepting("Nope"), [0; 0]);
    let steps = (0..4).map(|it| definition.step_at(it).map(|it| it.name.as_str()));
    assert_eq!(steps.collect::<Vec<_>>(), [Some("take"), Some("watch"), Some("ship"), None]);
    assert_eq!([0, 1, 2, 3].map(|it| definition.component_of(it)), [Some(0), Some(0), Some(1), None]);
    assert_eq!(definition.step_index("ship"), Some(2));
    assert!(definition.accepts("watch", "Express") && !definition.accepts("ship", "Rush") && !definition.accepts("nope", "Rush"));
    assert_eq!(definition.bases("Express"), ["Rush", "Order"]);
    assert_eq!(definition.bases("Done"), ["StopEvent"]);
    assert!(definition.derives("Express", "Order") && !definition.derives("Order", "Order") && !definition.derives("Order", "Express"));
    assert!(definition.is_terminal("Done") && definition.is_terminal("StopEvent") && !definition.is_terminal("Order"));
    assert!(definition.is_internal("UnhandledEvent") && !definition.is_internal("StepFailedEvent"));
}

#[test]
fn a_definition_keeps_its_parts() {
    let manifest = serde_json::from_value(sound()).expect("a manifest");
    let part = Part { component: "c".into(), data: Some("d".into()) };
    let definition = Definition::new(vec![(part.clone(), manifest)]);
    assert_eq!(definition.parts(), [part]);
    assert_eq!(definition.digests(), ["c"]);
}

#[test]
fn a_part_is_checked_in_itself() {
    let part = json!({
        "name": "back",
        "events": [{"name": "Box", "kind": "plain", "base": "Parcel"}],
        "additional_events": ["Later"],
        "steps": [
            {"name": "ship", "accepts": ["Order"], "emits": ["Shipped"], "join": "all"},
            {"name": "recover", "accepts": ["StepFailedEvent"], "catch_error": {"steps": ["elsewhere"]}},
        ],
    });
    assert_eq!(definition(std::slice::from_ref(&part)).check_part(), []);
    let broken = changed(changed(part, "/steps/0/take", json!(0)), "/events/0/schema", json!(3));
    let broken = changed(changed(broken, "/steps/1/name", json!("ship")), "/steps/0/emits", json!(["UnhandledEvent"]));
    expect![[r#"
        step `ship` is there twice: rename one of them
        the schema of event `Box` is no JSON Schema: give an object
        step `ship` returns event `UnhandledEvent`, which only the host makes: let it return another, or fail
        step `ship` takes 0 events of a fan-out: set `take` to 1 or more, or leave it out
        step `ship` catches errors and does not accept `StepFailedEvent`: add it to what the step accepts
    "#]]
    .assert_eq(&lines(&definition(&[broken]).check_part()));
}

#[test]
fn what_is_too_large_is_not_looked_at() {
    let steps: Vec<Value> = (0..257).map(|it| json!({"name": format!("s{it}"), "accepts": ["Nope"]})).collect();
    check(
        "/steps",
        json!(steps),
        expect![[r#"
        the workflow has 257 steps, more than 256 (limit steps_max): make several workflows of it
    "#]],
    );
    let events: Vec<Value> = (0..5001).map(|it| json!({"name": format!("E{it}"), "kind": "plain"})).collect();
    check(
        "/events",
        json!(events),
        expect![[r#"
        the workflow declares 5001 event types, more than 5000 (limit event_types_max): make several workflows of it
    "#]],
    );
    check(
        "/steps/0/emits",
        json!(["é".repeat(129)]),
        expect![[r#"
        the name `éééééééééééééééééééééééééééééééééééééééé…` is 258 bytes long, more than 256 (limit name_max): shorten it
    "#]],
    );
    assert_eq!(definition(&[changed(sound(), "/events", json!(events))]).accepting("StartEvent"), [0; 0]);
}

#[test]
fn a_long_chain_of_types_and_many_findings() {
    let chain = |length: usize| {
        let event = |it: usize| match it {
            0 => json!({"name": "Item", "kind": "plain"}),
            _ => json!({"name": format!("E{it}"), "kind": "plain", "base": if it == 1 { "Item".into() } else { format!("E{}", it - 1) }}),
        };
        let events = (0..=length).map(event).chain([json!({"name": "Done", "kind": "plain"})]);
        let manifest = changed(sound(), "/events", events.collect());
        changed(manifest, "/steps/0/emits", json!(["Item", format!("E{length}")]))
    };
    let manifest = changed(chain(64), "/steps/1/subtypes", json!(true));
    assert_eq!(findings(&[manifest]), "");
    expect![[r#"
        event `E65` derives from more than 64 types (limit bases_max): let it derive from fewer
    "#]]
    .assert_eq(&findings(&[chain(65)]));
    let names: Vec<String> = (0..150).map(|it| format!("Nope{it}")).collect();
    let found = definition(&[changed(sound(), "/steps/1/sends", json!(names))]).check();
    assert_eq!(found.len(), 101);
    assert_eq!(found[100].to_string(), "50 more findings are not listed: mend these first");
}

#[test]
fn the_largest_definition_is_checked_in_time() {
    let events: Vec<Value> =
        (0..5000).map(|it| json!({"name": format!("E{it}"), "kind": "plain", "base": if it == 0 { "Event" } else { "E0" }})).collect();
    let step = |it: usize| {
        json!({
            "name": format!("s{it}"), "accepts": ["StartEvent", "E0"], "subtypes": true, "emits_any": true,
            "fan_out": it == 0, "join": if it == 0 { Value::Null } else { json!("all") },
        })
    };
    let steps: Vec<Value> = (0..256).map(step).collect();
    let began = std::time::Instant::now();
    let found = findings(&[json!({"name": "large", "events": events, "steps": steps})]);
    assert_eq!(found, "");
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "it took {:?}", began.elapsed());
}

#[test]
fn who_validates_an_event_from_outside() {
    let declaring = |validation: &str| changed(sound(), "/events/0/validation", json!(validation));
    let asked = |manifests: &[Value]| {
        let definition = definition(manifests);
        let name = sound()["events"][0]["name"].as_str().expect("a name").to_owned();
        [true, false].map(|taken| definition.validators(&name, taken))
    };
    let nobody = Vec::<usize>::new;
    assert_eq!(asked(&[sound()]), [nobody(), nobody()], "its schema");
    assert_eq!(asked(&[declaring("last-word")]), [nobody(), vec![0]]);
    assert_eq!(asked(&[declaring("own")]), [vec![0], vec![0]]);
    // What a schema refuses is for all, or for nobody.
    assert_eq!(asked(&[declaring("own"), sound()]), [vec![0], nobody()]);
    assert_eq!(asked(&[declaring("last-word"), declaring("own")]), [vec![1], vec![0, 1]]);
    assert_eq!(definition(&[declaring("own")]).validators("Nobody", true), nobody());
}
