//! What was recorded: it is compared and given again, and never refused.

use expect_test::expect;
use wf_engine::attempt::{Limits, Next, Request};
use wf_engine::entry::{Function, Told};

use super::world::{World, json};
use super::{attempt, check, get, publish, recorded, send, shown, wait};

#[test]
fn a_reentry_is_answered_from_the_log_and_buffers_again_what_is_not_committed() {
    let sent = |name: &str| Function::Send { step: None, name: name.into() };
    let log = vec![recorded(0, sent("A")), recorded(1, Function::Commit), recorded(2, sent("B")), recorded(3, Function::Log)];
    let mut attempt = attempt(log, 2);
    check(&attempt.call(send("A"), 100), expect!["answer Done"]);
    assert_eq!(attempt.at(), 200, "the clock stands where the call was answered");
    check(&attempt.call(Request::Commit, 200), expect!["answer Done"]);
    check(&attempt.call(send("B"), 200), expect!["answer Done"]);
    check(&attempt.call(Request::Log, 200), expect!["answer Line(3)"]);
    check(&attempt.call(Request::Commit, 210), expect!["progress [4@210 commit], Some(1) committed"]);
}

#[test]
fn another_call_than_the_recorded_one_fails_the_attempt() {
    let log = || vec![recorded(0, Function::Get { path: "x".into(), answer: Told::Nothing })];
    let failed = "fail nondeterministic (retryable: false): nondeterministic step: where the call was `get x` when it was recorded, it is";
    let next = attempt(log(), 0).call(send("A"), 100);
    assert_eq!(shown(&next), format!("{failed} `send A` now"));
    let next = attempt(log(), 0).call(get("y"), 100);
    assert_eq!(shown(&next), format!("{failed} `get y` now"));
    let end = attempt(log(), 0).returned(Vec::new()).expect_err("the log has more");
    assert_eq!(shown(&Next::Fail(end)), format!("{failed} `its end` now"));
}

#[test]
fn a_mismatch_names_both_calls_in_short() {
    let log = vec![recorded(0, Function::Get { path: "x".repeat(1 << 20), answer: Told::Nothing })];
    let Next::Fail(failure) = attempt(log, 0).call(get(&"y".repeat(1 << 20)), 100) else { panic!("another path") };
    assert!(failure.message.len() < 1000, "{}", failure.message);
}

#[test]
fn a_refusal_is_recorded_and_given_again() {
    let mut first = attempt(Vec::new(), 0);
    let expected = || expect!["refused invalid: a wait needs either `type`, or at least one name in `types`"];
    check(&first.call(wait("{}"), 110), expected());
    let Next::Progress { calls, .. } = first.call(Request::Commit, 110) else { panic!("a commit point") };
    let mut again = attempt(calls, 2);
    check(&again.call(wait("{}"), 110), expected());
    check(&again.call(Request::Commit, 110), expect!["answer Done"]);
}

#[test]
fn what_is_refused_for_its_length_is_recorded_in_short() {
    let mut world = World::new("{}");
    let mut attempt = world.enter();
    let long = [
        wait(&format!(r#"{{"type":"{}"}}"#, "x".repeat(1 << 20))),
        wait(&"[".repeat(4 << 20)),
        get(&"k.".repeat(50_000)),
        send(&"é".repeat(5000)),
        Request::Keep { name: "n".repeat(300), value: "1".into() },
    ];
    let refused: Vec<String> = long.iter().map(|request| world.told(&mut attempt, request.clone())).collect();
    expect![[r#"
        limit: the text of the options is longer than 65536 bytes (limit options_max)
        limit: the text of the options is longer than 65536 bytes (limit options_max)
        limit: the path is longer than 1024 bytes (limit path_max)
        limit: the event's type is longer than 256 bytes (limit name_max)
        limit: the memo's name is longer than 256 bytes (limit name_max)"#]]
    .assert_eq(&refused.join("\n"));
    world.call(&mut attempt, Request::Commit);
    assert!(world.log.iter().all(|call| call.function.identity().len() < 400));
    let mut again = world.enter();
    let given: Vec<String> = long.into_iter().map(|request| world.told(&mut again, request)).collect();
    assert_eq!(given, refused);
}

#[test]
fn limits_that_changed_lose_nothing_that_was_recorded() {
    let mut world = World::new("{}");
    let payload = format!(r#"{{"x":"{}"}}"#, "y".repeat(100));
    let item = || Request::Send { name: "Item".into(), payload: payload.clone(), options: String::new() };
    let mut attempt = world.enter();
    for request in [item(), item(), Request::Set { path: "a".into(), value: payload.clone() }, publish("Stream")] {
        world.call(&mut attempt, request);
    }
    assert_eq!(world.committed, 0);
    world.limits = Limits { payload_max: 50, value_max: 50, state_max: 50, events_max: 1, buffered_max: usize::MAX, calls_max: 5 };
    let mut again = world.enter();
    for request in [item(), item(), Request::Set { path: "a".into(), value: payload.clone() }, publish("Stream")] {
        assert_eq!(world.told(&mut again, request), "Done");
    }
    assert_eq!(world.told(&mut again, item()), "limit: the payload of `Item` is longer than 50 bytes (limit payload_max)");
    let (calls, commit, _) = again.returned(Vec::new()).expect("nothing speaks against it");
    assert_eq!((calls.len(), commit.effects.len()), (1, 3));
    assert!(serde_json::to_string(&commit).expect("JSON").contains(&payload));
}

#[test]
fn text_that_could_be_read_and_cannot_be_any_more_is_another_call() {
    let mut attempt = attempt(vec![recorded(0, Function::Set { path: "x".into() })], 0);
    let next = attempt.call(Request::Set { path: "x".into(), value: "[1".into() }, 0);
    assert!(shown(&next).starts_with("fail nondeterministic"), "{}", shown(&next));
}

#[test]
fn a_log_that_cannot_be_fails_the_attempt() {
    let same = Function::Get { path: "x".into(), answer: Told::Same(5) };
    check(
        &attempt(vec![recorded(0, same)], 1).call(get("x"), 0),
        expect![[r#"fail invalid (retryable: false): a read gave the same as call 5, and that has no value"#]],
    );
    let before = Function::Get { path: "x".into(), answer: Told::Before(5) };
    check(
        &attempt(vec![recorded(0, before)], 1).call(get("x"), 0),
        expect![[r#"fail invalid (retryable: false): a read of an attempt's last report was recorded in an attempt that goes on"#]],
    );
    let edit = Function::EditCommit { path: "x".into(), version: 0, value: json("1"), answer: None };
    let request = Request::EditCommit { path: "x".into(), version: 0, value: "1".into() };
    check(
        &attempt(vec![recorded(0, edit)], 1).call(request, 0),
        expect!["fail invalid (retryable: false): `edit-commit x` was recorded, and has no answer"],
    );
    let mut attempt = attempt(Vec::new(), 0);
    check(
        &attempt.performed(wf_engine::entry::Response::Head(json("{}"))),
        expect!["fail invalid (retryable: false): a response came that was not asked for"],
    );
    check(&super::sound(&mut attempt), expect!["fail invalid (retryable: false): nothing was asked"]);
}
