//! What is made now: buffered, committed, given back.

use expect_test::expect;
use wf_engine::attempt::{Answer, Next, ReadAnswer, Request};
use wf_engine::effect::{Log, RetryInfo};
use wf_engine::entry::{Failure, Function};
use wf_engine::state::Overlay;

use super::world::{World, invoke};
use super::{attempt, check, get, limits, publish, recorded, send, set, sound};

#[test]
fn effects_are_buffered_until_a_commit_point() {
    let mut attempt = attempt(Vec::new(), 0);
    check(&attempt.call(send("A"), 110), expect!["answer Done"]);
    check(&attempt.call(set("x"), 120), expect![[r#"read Write { effect: Set { path: "x", value: RawValue(1) }, state_max: 100 }"#]]);
    check(&sound(&mut attempt), expect!["answer Done"]);
    check(&attempt.call(get("x"), 120), expect![[r#"read Get { path: "x" }"#]]);
    let nothing = ReadAnswer::Value { value: None, seq: 3, own: true };
    check(&attempt.read(Ok(nothing), Overlay::default()), expect!["answer Value(None)"]);
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
    check(&attempt.call(publish("P"), 110), expect!["progress [0@110 send A, 1@110 publish P], None committed"]);
}

#[test]
fn an_edit_that_conflicts_gives_back_what_was_buffered_and_what_is_seen() {
    let mut world = World::new(r#"{"n":1}"#);
    let mut attempt = world.enter();
    world.call(&mut attempt, send("A"));
    world.call(&mut attempt, set("x"));
    let edit = |version| Request::EditCommit { path: "n".into(), version, value: "2".into() };
    world.interfere("n", "5");
    assert_eq!(world.told(&mut attempt, edit(0)), "Committed(false)");
    assert_eq!(world.told(&mut attempt, get("x")), "Value(Some(RawValue(1)))");
    assert_eq!(world.told(&mut attempt, edit(1)), "Committed(true)");
    expect![[r#"{"effects":[{"Send":{"event":{"name":"A","payload":{}}}},{"Set":{"path":"x","value":1}}]}"#]]
        .assert_eq(&world.commit.replace(r#"[{"Send""#, r#"{"effects":[{"Send""#).replace("}]", "}]}"));
    world.call(&mut attempt, Request::Commit);
    assert_eq!(world.commit, "[]", "it is committed once");
}

#[test]
fn a_memo_kept_is_found_again() {
    let mut attempt = attempt(Vec::new(), 0);
    let look_up = || Request::LookUp { name: "m".into() };
    check(&attempt.call(look_up(), 110), expect!["answer Value(None)"]);
    let keep = Request::Keep { name: "m".into(), value: "1".into() };
    check(&attempt.call(keep, 110), expect!["progress [0@110 look-up m, 1@110 keep m], Some(0) committed"]);
    attempt.answered(recorded(1, Function::Commit));
    assert!(matches!(attempt.call(look_up(), 110), Next::Answer(Ok(Answer::Value(Some(_))))));
}

#[test]
fn pushes_and_deletes_are_seen_at_once() {
    let mut world = World::new(r#"{"l":[1],"x":1}"#);
    let mut attempt = world.enter();
    world.call(&mut attempt, Request::Push { path: "l".into(), value: "2.50".into() });
    world.call(&mut attempt, Request::Delete { path: "x".into() });
    assert_eq!(world.told(&mut attempt, get("l")), "Value(Some(RawValue([1,2.50])))");
    assert_eq!(world.told(&mut attempt, get("x")), "Value(None)");
    world.call(&mut attempt, Request::Commit);
    assert_eq!(world.state.json().get(), r#"{"l":[1,2.50]}"#);
}

#[test]
fn the_clock_never_goes_back() {
    let mut attempt = attempt(vec![recorded(0, Function::Log)], 0);
    attempt.call(Request::Log, 50);
    assert_eq!(attempt.at(), 200, "the clock stands where the call was answered");
    attempt.call(Request::Log, 150);
    check(&attempt.call(Request::Commit, 140), expect!["progress [1@200 log, 2@200 commit], Some(0) committed"]);
    attempt.answered(super::Call { at: 120, ..recorded(2, Function::Commit) });
    assert_eq!(attempt.at(), 200);
}

#[test]
fn an_attempt_knows_of_those_before_it() {
    let info = |retry| {
        let invoke = super::world::invoke(Log::new_sync(), 0);
        wf_engine::attempt::Attempt::new(wf_engine::effect::Invoke { retry, ..invoke }, limits()).retry_info()
    };
    expect![[r#"{"attempts":0,"elapsed":0.0,"last_failure":null}"#]].assert_eq(&info(RetryInfo::default()));
    let last_failure = Some(Failure::new("ValueError", "no \"x\"", true));
    let retry = RetryInfo { failures: 2, elapsed: 1_500_000, last_failure, failed_at: Some(7) };
    expect![[r#"{"attempts":2,"elapsed":1.5,"last_failure":{"kind":"ValueError","message":"no \"x\"","at":7}}"#]].assert_eq(&info(retry));
}

#[test]
fn a_hundred_thousand_writes_can_be_buffered() {
    let mut world = World::new("{}");
    let mut attempt = world.enter();
    for index in 0..100_000 {
        let set = Request::Set { path: format!("k{}.n", index % 1000), value: index.to_string() };
        assert!(matches!(world.call(&mut attempt, set), Next::Answer(Ok(Answer::Done))));
    }
    assert_eq!(world.told(&mut attempt, get("k7.n")), "Value(Some(RawValue(99007)))");
    world.call(&mut attempt, Request::Commit);
    let value = world.state.read("k7.n", &mut Overlay::default()).expect("a path").value;
    assert_eq!(value.expect("a value").get(), "99007");
    // And they are buffered again, where they are not committed.
    world.committed = 0;
    let mut again = wf_engine::attempt::Attempt::new(invoke(world.log.drop_last().expect("a log"), 0), world.limits.clone());
    for index in 0..100_000 {
        again.call(Request::Set { path: format!("k{}.n", index % 1000), value: index.to_string() }, 0);
    }
    assert_eq!(world.told(&mut again, get("k7.n")), "Value(Some(RawValue(99007)))", "from the log");
    assert_eq!(world.told(&mut again, get("k8.n")), "Value(Some(RawValue(99008)))");
}
