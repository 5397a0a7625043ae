//! The guest's side of an attempt: what is answered from the log, what goes to the run, and what fails.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use wf_engine::attempt::{Answer, Attempt, Limits, ReadAnswer, Request, Step};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Failure, Function};

fn limits() -> Limits {
    Limits { payload_max: 20, value_max: 20, state_max: 100, events_max: 2, calls_max: 5 }
}

fn attempt(log: Vec<Call>, committed: u32) -> Attempt {
    let invoke = Invoke {
        invocation: 7,
        attempt: 0,
        step: "work".into(),
        component: 0,
        events: Vec::new(),
        started_at: 100,
        log,
        committed,
        memos: BTreeMap::new(),
        time_left: None,
    };
    Attempt::new(invoke, limits())
}

fn send(name: &str) -> Request {
    Request::Send { name: name.into(), payload: "{}".into(), options: String::new() }
}

fn set(path: &str) -> Request {
    Request::Set { path: path.into(), value: "1".into() }
}

fn recorded(ordinal: u32, function: Function) -> Call {
    Call { ordinal, at: 200, function }
}

/// What a step asks for, short.
fn shown(step: &Step) -> String {
    match step {
        Step::Answer(Ok(answer)) => format!("answer {answer:?}"),
        Step::Answer(Err(Failure { kind, message, .. })) => format!("refused {kind}: {message}"),
        Step::Read { query, own } => format!("read {query:?}, {} own", own.len()),
        Step::Progress { calls, commit } => {
            let names: Vec<String> =
                calls.iter().map(|call| format!("{}@{} {}", call.ordinal, call.at, call.function.identity())).collect();
            format!("progress [{}], {:?} committed", names.join(", "), commit.as_ref().map(|it| it.effects.len()))
        }
        Step::Fail(Failure { kind, message, retryable, .. }) => format!("fail {kind} (retryable: {retryable}): {message}"),
    }
}

fn check(step: &Step, expected: Expect) {
    expected.assert_eq(&shown(step));
}

#[test]
fn effects_are_buffered_until_a_commit_point() {
    let mut attempt = attempt(Vec::new(), 0);
    check(&attempt.call(send("A"), 110), expect!["answer Done"]);
    check(&attempt.call(set("x"), 120), expect![[r#"read CheckWrite { path: "x", size: 2, state_max: 100 }, 0 own"#]]);
    check(&attempt.read(Ok(ReadAnswer::Sound)), expect!["answer Done"]);
    check(&attempt.call(Request::Get { path: "x".into() }, 120), expect![[r#"read Get { path: "x" }, 1 own"#]]);
    check(&attempt.read(Ok(ReadAnswer::Value(None))), expect!["answer Value(None)"]);
    check(
        &attempt.call(Request::Commit, 130),
        expect!["progress [0@110 send A, 1@120 set x, 2@120 get x, 3@130 commit], Some(2) committed"],
    );
    check(&attempt.answered(recorded(3, Function::Commit)), expect!["answer Done"]);
    assert_eq!(attempt.at(), 200);
    let (calls, commit, events) = attempt.returned(vec![("B".into(), "{}".into())]).expect("it can be returned");
    assert_eq!((calls.len(), commit.effects.len(), events.len()), (0, 0, 1));
}

#[test]
fn a_publish_commits_nothing() {
    let mut attempt = attempt(Vec::new(), 0);
    attempt.call(send("A"), 110);
    let publish = Request::Publish { name: "P".into(), payload: "{}".into() };
    check(&attempt.call(publish, 110), expect!["progress [0@110 send A, 1@110 publish P], None committed"]);
}

#[test]
fn an_edit_that_conflicts_gives_back_what_was_buffered() {
    let mut attempt = attempt(Vec::new(), 0);
    attempt.call(send("A"), 110);
    let edit = || Request::EditCommit { path: "x".into(), version: 3, value: "1".into() };
    let done = |answer| {
        let value = serde_json::value::RawValue::from_string("1".into()).expect("JSON").into();
        recorded(1, Function::EditCommit { path: "x".into(), version: 3, value, answer: Some(answer) })
    };
    attempt.call(edit(), 110);
    check(&attempt.read(Ok(ReadAnswer::Sound)), expect!["progress [0@110 send A, 1@110 edit-commit x], Some(1) committed"]);
    check(&attempt.answered(done(false)), expect!["answer Committed(false)"]);
    attempt.call(edit(), 120);
    check(&attempt.read(Ok(ReadAnswer::Sound)), expect!["progress [2@200 edit-commit x], Some(1) committed"]);
    check(&attempt.answered(done(true)), expect!["answer Committed(true)"]);
    check(&attempt.call(Request::Commit, 130), expect!["progress [3@200 commit], Some(0) committed"]);
}

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
    let log = || vec![recorded(0, Function::Get { path: "x".into(), answer: None })];
    let failed = "fail nondeterministic (retryable: false): nondeterministic step: where the call was `get x` when it was recorded, it is";
    let step = attempt(log(), 0).call(send("A"), 100);
    assert_eq!(shown(&step), format!("{failed} `send A` now"));
    let step = attempt(log(), 0).call(Request::Get { path: "y".into() }, 100);
    assert_eq!(shown(&step), format!("{failed} `get y` now"));
    let end = attempt(log(), 0).returned(Vec::new()).expect_err("the log has more");
    assert_eq!(shown(&Step::Fail(end)), format!("{failed} `its end` now"));
}

#[test]
fn a_refusal_is_recorded_and_given_again() {
    let mut first = attempt(Vec::new(), 0);
    let bad = || Request::Wait { options: "{}".into() };
    check(&first.call(bad(), 110), expect!["refused invalid: the options are not understood: missing field `type` at line 1 column 2"]);
    let Step::Progress { calls, .. } = first.call(Request::Commit, 110) else { panic!("a commit point") };
    let mut again = attempt(calls, 2);
    check(&again.call(bad(), 110), expect!["refused invalid: the options are not understood: missing field `type` at line 1 column 2"]);
    check(&again.call(Request::Commit, 110), expect!["answer Done"]);
}

#[test]
fn a_memo_kept_is_found_again() {
    let mut attempt = attempt(Vec::new(), 0);
    let look_up = || Request::LookUp { name: "m".into() };
    check(&attempt.call(look_up(), 110), expect!["answer Value(None)"]);
    let keep = Request::Keep { name: "m".into(), value: "1".into() };
    check(&attempt.call(keep, 110), expect!["progress [0@110 look-up m, 1@110 keep m], Some(0) committed"]);
    attempt.answered(recorded(1, Function::Commit));
    assert!(matches!(attempt.call(look_up(), 110), Step::Answer(Ok(Answer::Value(Some(_))))));
}

#[test]
fn limits_are_kept() {
    let long = "\"a text of more than twenty bytes\"";
    let large = Request::Publish { name: "P".into(), payload: format!("{{\"a\":{long}}}") };
    check(&attempt(Vec::new(), 0).call(large, 100), expect!["refused limit: the payload of P is larger than 20 bytes"]);
    let value = Request::Keep { name: "m".into(), value: long.into() };
    check(&attempt(Vec::new(), 0).call(value, 100), expect!["refused limit: the value is larger than 20 bytes"]);
    let mut writer = attempt(Vec::new(), 0);
    writer.call(set("x"), 100);
    check(&writer.read(Ok(ReadAnswer::TooLarge)), expect!["refused limit: the state would be larger than 100 bytes"]);
    check(&writer.call(set("x.y"), 100), expect![[r#"read CheckWrite { path: "x.y", size: 4, state_max: 100 }, 0 own"#]]);
    check(&writer.read(Err("`x` is no object".into())), expect!["refused invalid: `x` is no object"]);
    let mut sender = attempt(Vec::new(), 0);
    sender.call(send("A"), 100);
    sender.call(send("A"), 100);
    check(&sender.call(send("A"), 100), expect!["fail limit (retryable: false): the step sent more than 2 events"]);
    let mut talker = attempt(Vec::new(), 0);
    (0..5).for_each(|_| drop(talker.call(Request::Log, 100)));
    check(&talker.call(Request::Log, 100), expect!["fail limit (retryable: false): the step made more than 5 calls"]);
    let events = vec![("A".to_owned(), "{}".to_owned()); 3];
    let failure = attempt(Vec::new(), 0).returned(events).expect_err("too many");
    assert_eq!(failure.message, "the step returned more than 2 events");
}
