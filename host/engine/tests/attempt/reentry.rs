//! What was recorded: it is compared and given again, and never refused.

use expect_test::expect;
use wf_engine::attempt::{Attempt, Limits, Next, Request};
use wf_engine::entry::{Call, Function, Told};

use super::world::{self, World, json};
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

/// Who publishes does not wait for the run, which notes it at a time of its own.
#[test]
fn the_time_after_a_publish_is_the_same_again() {
    let mut first = attempt(Vec::new(), 0);
    let Next::Progress { calls, .. } = first.call(publish("P"), 110) else { panic!("it is reported") };
    check(&first.answered(calls[0].clone()), expect!["answer Done"]);
    let mut again = attempt(vec![Call { at: 200, ..calls[0].clone() }], 0);
    check(&again.call(publish("P"), 110), expect!["answer Done"]);
    assert_eq!((first.at(), again.at()), (110, 110));
    let Next::Progress { calls, .. } = first.call(Request::Commit, 111) else { panic!("a commit point") };
    check(&first.answered(Call { at: 300, ..calls[0].clone() }), expect!["answer Done"]);
    assert_eq!(first.at(), 300, "for a commit it waits");
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

/// Limits below all that `record` records.
const LOWERED: Limits = Limits { payload_max: 50, value_max: 50, state_max: 50, events_max: 1, buffered_max: 50, calls_max: 2 };

fn item() -> Request {
    Request::Send { name: "Item".into(), payload: format!(r#"{{"x":"{}"}}"#, "y".repeat(100)), options: String::new() }
}

fn text(path: &str) -> Request {
    Request::Set { path: path.into(), value: format!(r#""{}""#, "y".repeat(100)) }
}

/// Calls past each of these limits, none of them committed.
fn record(world: &mut World) -> Vec<Request> {
    let calls = vec![item(), item(), text("a"), Request::EditBegin { path: "n".into() }, publish("Stream")];
    let mut attempt = world.enter();
    calls.iter().for_each(|request| assert!(matches!(world.call(&mut attempt, request.clone()), Next::Answer(Ok(_)))));
    assert_eq!(world.committed, 0);
    calls
}

/// A world that has recorded them, and an attempt that has made them again under other limits.
fn entered_again(limits: Limits) -> (World, Attempt) {
    let mut world = World::new(r#"{"n":1}"#);
    let recorded = record(&mut world);
    world.limits = limits;
    let mut again = world.enter();
    recorded.into_iter().for_each(|request| assert!(matches!(world.call(&mut again, request), Next::Answer(Ok(_)))));
    (world, again)
}

fn edit(version: u64) -> Request {
    Request::EditCommit { path: "n".into(), version, value: "2".into() }
}

#[test]
fn limits_that_changed_lose_nothing_that_was_recorded() {
    // By each limit alone, and by all of them: what ends the attempt, once all is committed.
    let wide = world::wide();
    let long = "limit: the payload of `Item` is longer than 50 bytes (limit payload_max)";
    let calls = "the step made more than 2 calls (limit calls_max)";
    let cases = [
        (Limits { payload_max: 50, ..wide.clone() }, long),
        (Limits { value_max: 50, ..wide.clone() }, "limit: the value is longer than 50 bytes (limit value_max)"),
        (Limits { state_max: 50, ..wide.clone() }, "limit: the state is longer than 50 bytes (limit state_max)"),
        (Limits { events_max: 1, ..wide.clone() }, "the step sent more than 1 events (limit events_max)"),
        (Limits { buffered_max: 50, ..wide.clone() }, "the step holds back more than 50 bytes (limit buffered_max)"),
        (Limits { calls_max: 2, ..wide }, calls),
        (LOWERED, calls),
    ];
    for (limits, ended) in cases {
        for committed in [Request::Commit, edit(0), wait(r#"{"type":"Answer"}"#)] {
            let (mut world, mut again) = entered_again(limits.clone());
            let told = world.told(&mut again, committed);
            assert!(["Done", "Committed(true)", "suspended"].contains(&&*told), "{told}");
            assert_eq!(world.commit.matches("yyy").count() / 33, 3, "all is committed");
            let mut told = Vec::new();
            for request in [text("b"), item(), item(), Request::Log] {
                told.push(world.told(&mut again, request));
            }
            assert!(told.iter().any(|told| told.contains(ended)), "{limits:?} {told:?}");
        }
        let (_, mut again) = entered_again(limits);
        let (calls, commit, _) = again.returned(vec![("Done".into(), "{}".into())]).expect("nothing speaks against it");
        assert_eq!((calls.len(), commit.effects.len()), (0, 3));
    }
}

#[test]
fn past_its_calls_an_attempt_commits_and_does_no_more() {
    let over = "the step made more than 2 calls (limit calls_max)";
    for request in [Request::Log, get("a"), item(), publish("Stream"), Request::EditBegin { path: "n".into() }, edit(9), wait("{}")] {
        let (mut world, mut again) = entered_again(LOWERED);
        world.told(&mut again, Request::Commit);
        let told = world.told(&mut again, request.clone());
        assert!(told.contains(over) || told.contains("events_max"), "{told}");
        // What commits nothing is not made before the commit either.
        let (mut world, mut again) = entered_again(LOWERED);
        let told = world.told(&mut again, request);
        assert!(told == "Committed(true)" || told.contains(over), "{told}");
    }
    // An edit that conflicts commits nothing: what is buffered can be committed behind it, and no edit made again.
    let (mut world, mut again) = entered_again(LOWERED);
    world.interfere("n", "5");
    assert_eq!(world.told(&mut again, edit(0)), "Committed(false)");
    assert!(world.told(&mut again, edit(0)).contains(over));
    let (mut world, mut again) = entered_again(LOWERED);
    world.interfere("n", "5");
    assert_eq!(world.told(&mut again, edit(0)), "Committed(false)");
    assert_eq!(world.told(&mut again, Request::Commit), "Done");
    assert_eq!(world.commit.matches("Item").count(), 2);
    assert!(world.told(&mut again, Request::Commit).contains(over), "once");
}

#[test]
fn an_edit_that_is_refused_past_the_calls_is_not_recorded() {
    let (mut world, mut again) = entered_again(LOWERED);
    let edit = Request::EditCommit { path: "b".into(), version: 0, value: format!("\"{}\"", "z".repeat(40)) };
    let told = world.told(&mut again, edit);
    assert!(told.contains("calls_max"), "{told}");
    assert!(again.failed().is_empty());
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
