//! Numbers that are kept, and text that is not let in.

use expect_test::expect;
use wf_engine::attempt::{Attempt, Limits, Next, Request};
use wf_engine::effect::Log;
use wf_engine::state::Overlay;
use wf_engine::text::Refused;

use super::world::{World, invoke, json};
use super::{attempt, check, get, limits, send, set, shown};

#[test]
fn limits_are_kept() {
    let long = "\"a text of more than twenty bytes\"";
    let large = Request::Publish { name: "P".into(), payload: format!("{{\"a\":{long}}}") };
    check(
        &attempt(Vec::new(), 0).call(large, 100),
        expect!["refused limit: the payload of `P` is longer than 20 bytes (limit payload_max)"],
    );
    let value = Request::Keep { name: "m".into(), value: long.into() };
    check(&attempt(Vec::new(), 0).call(value, 100), expect!["refused limit: the value is longer than 20 bytes (limit value_max)"]);
    let mut writer = attempt(Vec::new(), 0);
    writer.call(set("x.y"), 100);
    check(&writer.read(Err(Refused::invalid("`x` is no object")), Overlay::default()), expect!["refused invalid: `x` is no object"]);
    let mut sender = attempt(Vec::new(), 0);
    sender.call(send("A"), 100);
    sender.call(send("A"), 100);
    check(&sender.call(send("A"), 100), expect!["fail limit (retryable: false): the step sent more than 2 events (limit events_max)"]);
    assert_eq!(sender.failed().len(), 2, "what came before is reported");
    let mut talker = attempt(Vec::new(), 0);
    (0..5).for_each(|_| drop(talker.call(Request::Log, 100)));
    check(&talker.call(Request::Log, 100), expect!["fail limit (retryable: false): the step made more than 5 calls (limit calls_max)"]);
}

#[test]
fn what_is_held_back_stays_within_its_limit() {
    let within = Limits { payload_max: 100, value_max: 100, buffered_max: 100, ..limits() };
    let mut sender = Attempt::new(invoke(Log::new_sync(), 0), within.clone());
    let large = || format!(r#"{{"x":"{}"}}"#, "y".repeat(80));
    for _ in 0..2 {
        sender.call(Request::Send { name: "A".into(), payload: large(), options: String::new() }, 100);
    }
    check(
        &sender.call(Request::Log, 100),
        expect!["fail limit (retryable: false): the step holds back more than 100 bytes (limit buffered_max): commit now and then"],
    );
    let mut committed = Attempt::new(invoke(Log::new_sync(), 0), within.clone());
    for _ in 0..2 {
        committed.call(Request::Send { name: "A".into(), payload: large(), options: String::new() }, 100);
    }
    check(&committed.call(Request::Commit, 100), expect!["progress [0@100 send A, 1@100 send A, 2@100 commit], Some(2) committed"]);
    let returned = Attempt::new(invoke(Log::new_sync(), 0), within).returned(vec![("A".to_owned(), large()); 2]);
    check(
        &Next::Fail(returned.expect_err("it is too much")),
        expect!["fail limit (retryable: false): the step returned more than 100 bytes (limit buffered_max)"],
    );
}

#[test]
fn the_state_stays_within_its_limit() {
    let mut world = World::new("{}");
    world.limits = limits();
    let mut attempt = world.enter();
    let set = |path: &str| Request::Set { path: path.into(), value: r#""0123456789ABCDEF""#.into() };
    assert_eq!(world.told(&mut attempt, set(&"k".repeat(40))), "Done");
    expect!["limit: the state is longer than 100 bytes (limit state_max)"].assert_eq(&world.told(&mut attempt, set(&"l".repeat(40))));
    let edit = Request::EditCommit { path: "l".repeat(40), version: 0, value: r#""0123456789ABCDEF""#.into() };
    expect!["limit: the state is longer than 100 bytes (limit state_max)"].assert_eq(&world.told(&mut attempt, edit));
}

#[test]
fn what_a_step_returns_is_checked() {
    let returned = |name: &str, payload: &str, count: usize| {
        let failure = attempt(Vec::new(), 0).returned(vec![(name.to_owned(), payload.to_owned()); count]).expect_err("it is not let in");
        shown(&Next::Fail(failure))
    };
    expect!["fail limit (retryable: false): the step returned more than 2 events (limit events_max)"].assert_eq(&returned("A", "{}", 3));
    expect!["fail invalid (retryable: false): the payload of `A` is no JSON object"].assert_eq(&returned("A", "[]", 1));
    expect!["fail invalid (retryable: false): the payload of `A` has the number 1e999, which is beyond a double"].assert_eq(&returned(
        "A",
        r#"{"a":1e999}"#,
        1,
    ));
    expect!["fail invalid (retryable: false): the event's type is empty"].assert_eq(&returned("", "{}", 1));
    expect!["fail limit (retryable: false): the payload of `A` is longer than 20 bytes (limit payload_max)"].assert_eq(&returned(
        "A",
        r#"{"a":"0123456789ABCDEF"}"#,
        1,
    ));
}

#[test]
fn values_that_cannot_be_read_back_are_refused() {
    let mut world = World::new(r#"{"n":0}"#);
    let mut attempt = world.enter();
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let mut refused = Vec::new();
    for value in [r#""\ud83d""#, &deep, "1e999", r#"{"a":1,"a":2}"#, r#"{"$serde_json::private::RawValue":"1"}"#, "nul", ""] {
        let requests = [
            Request::Set { path: "x".into(), value: value.into() },
            Request::Push { path: "x".into(), value: value.into() },
            Request::EditCommit { path: "n".into(), version: 0, value: value.into() },
            Request::Keep { name: "x".into(), value: value.into() },
        ];
        let told = requests.map(|request| world.told(&mut attempt, request));
        assert!(told.iter().all(|it| *it == told[0]), "{told:?}");
        refused.push(told[0].clone());
    }
    expect![[r#"
        invalid: the value has the text "\ud83d", which is half of a surrogate pair
        limit: the value is more than 64 deep (limit depth_max)
        invalid: the value has the number 1e999, which is beyond a double
        invalid: the value has the field `a` twice
        invalid: the value has the field `$serde_json::private::RawValue`, a name that is reserved
        invalid: the value is no JSON: EOF while parsing a value at line 1 column 3
        invalid: the value is no JSON: EOF while parsing a value at line 1 column 0"#]]
    .assert_eq(&refused.join("\n"));
    assert_eq!(world.told(&mut attempt, get("x")), "Value(None)");
    assert_eq!(world.told(&mut attempt, get("n")), "Value(Some(RawValue(0)))");
}

#[test]
fn a_path_of_fifty_thousand_keys_is_refused() {
    let mut world = World::new("{}");
    let mut attempt = world.enter();
    expect!["limit: the path is longer than 1024 bytes (limit path_max)"]
        .assert_eq(&world.told(&mut attempt, set(&vec!["k"; 50_000].join("."))));
    expect!["limit: the path `k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k.k… (168 bytes more)` has more than 32 keys (limit path_keys_max)"].assert_eq(&world.told(&mut attempt, set(&vec!["k"; 130].join("."))));
    let deep = Request::Set { path: vec!["k"; 32].join("."), value: format!("{}{}", "[".repeat(40), "]".repeat(40)) };
    assert!(world.told(&mut attempt, deep).contains("limit depth_max"));
}

/// Each limit of a text, by the call that it is of.
#[test]
fn a_text_that_is_too_long_is_refused_by_the_name_of_its_limit() {
    let long = |bytes: usize| "x".repeat(bytes);
    let wait = |options: String| Request::Wait { options };
    let collect = |options: String| Request::Collect { name: "A".into(), payload: "{}".into(), options };
    let refused = [
        (wait(format!(r#"{{"type":"A","more":"{}"}}"#, long(64 << 10))), "options_max"),
        (wait(format!(r#"{{"type":"{}"}}"#, long(257))), "name_max"),
        (wait(format!(r#"{{"type":"A","id":"{}"}}"#, long(257))), "id_max"),
        (wait(format!(r#"{{"type":"A","requirements":{{"{}":1}}}}"#, long(16 << 10))), "requirements_max"),
        (collect(format!(r#"{{"expected":["A","{}"]}}"#, long(257))), "name_max"),
        (collect(format!(r#"{{"expected":["A"],"id":"{}"}}"#, long(257))), "id_max"),
        (collect(format!(r#"{{"expected":{:?}}}"#, ["A", "B"].repeat(33))), "expected_max"),
        (Request::Send { name: "A".into(), payload: "{}".into(), options: format!(r#"{{"step":"{}"}}"#, long(257)) }, "name_max"),
        (Request::Send { name: long(257), payload: "{}".into(), options: String::new() }, "name_max"),
        (Request::Publish { name: long(257), payload: "{}".into() }, "name_max"),
        (Request::LookUp { name: long(257) }, "name_max"),
        (Request::Get { path: long(1025) }, "path_max"),
        (Request::Get { path: vec!["k"; 33].join(".") }, "path_keys_max"),
        (Request::Outside { target: long((8 << 10) + 1), options: json("{}") }, "target_max"),
    ];
    for (request, name) in refused {
        let shown = format!("{request:.60?}");
        let told = World::new("{}");
        let Next::Answer(Err(failure)) = told.enter().call(request, 0) else { panic!("{shown} is refused") };
        assert_eq!(failure.kind, "limit", "{shown}");
        assert!(failure.message.ends_with(&format!("(limit {name})")), "{shown}: {}", failure.message);
    }
}
