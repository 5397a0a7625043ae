//! Requests to the outside, and their bodies.

use expect_test::expect;
use wf_engine::attempt::{Next, Request};
use wf_engine::entry::{Chunk, Response};

use super::world::{World, json};
use super::{attempt, check, send};

fn request() -> Request {
    Request::Outside { target: "GET http://x/".into(), options: json("{}") }
}

fn read(request: u32) -> Request {
    Request::ReadBody { request }
}

#[test]
fn nothing_leaves_before_what_came_before_it_is_durable() {
    let mut attempt = attempt(Vec::new(), 0);
    attempt.call(send("A"), 110);
    check(&attempt.call(request(), 120), expect!["progress [0@110 send A], None committed"]);
    check(
        &attempt.answered(super::recorded(0, wf_engine::entry::Function::Log)),
        expect![[r#"perform Request { target: "GET http://x/", options: RawValue({}) }"#]],
    );
    check(&attempt.performed(Response::Head(json("{}"))), expect!["progress [1@200 request GET http://x/], None committed"]);
    let call =
        super::recorded(1, wf_engine::entry::Function::Request { target: "GET http://x/".into(), answer: Response::Head(json("{}")) });
    check(&attempt.answered(call), expect!["answer Response(1, Head(RawValue({})))"]);
    check(&attempt.call(read(1), 130), expect!["perform Read { request: 1 }"]);
    check(&attempt.received(Chunk::End), expect!["progress [2@200 read 1], None committed"]);
}

#[test]
fn a_body_that_was_cut_gives_what_was_recorded_and_then_fails() {
    let mut world = World::new("{}");
    let mut attempt = world.enter();
    world.call(&mut attempt, super::set("x"));
    let first = [request(), read(1), read(1)].map(|request| world.told(&mut attempt, request));
    expect![[r#"
        Response(1, Head(RawValue({"status":200})))
        Chunk(Data("aGk="))
        Chunk(Data("aGk="))"#]]
    .assert_eq(&first.join("\n"));
    assert_eq!((world.committed, world.log.len()), (0, 4), "it moves recorded, and not committed");
    let mut again = world.enter();
    world.call(&mut again, super::set("x"));
    assert_eq!([request(), read(1), read(1)].map(|request| world.told(&mut again, request)), first);
    let Next::Answer(Err(failure)) = world.call(&mut again, read(1)) else { panic!("it is refused") };
    assert_eq!((failure.kind.as_str(), failure.retryable), ("interrupted", true));
    assert!(world.told(&mut again, request()).starts_with("Response(5"));
    assert!(world.told(&mut again, read(5)).starts_with("Chunk"), "one of its own goes on");
}

#[test]
fn a_request_is_known_by_its_method_and_url() {
    let recorded = || {
        let head = Response::Head(json(r#"{"status":200}"#));
        vec![super::recorded(0, wf_engine::entry::Function::Request { target: "GET http://x/".into(), answer: head })]
    };
    let ask = |target: &str, options: &str| Request::Outside { target: target.into(), options: json(options) };
    check(
        &attempt(recorded(), 0).call(ask("GET http://x/", r#"{"other":1}"#), 0),
        expect![[r#"answer Response(0, Head(RawValue({"status":200})))"#]],
    );
    for other in ["POST http://x/", "GET http://x/?"] {
        let Next::Fail(failure) = attempt(recorded(), 0).call(ask(other, "{}"), 0) else { panic!("{other} is another one") };
        assert_eq!((failure.kind.as_str(), failure.retryable), ("nondeterministic", false));
        assert!(failure.message.contains(&format!("`request GET http://x/` when it was recorded, it is `request {other}` now")));
    }
}

#[test]
fn a_read_of_nothing_is_refused() {
    check(&attempt(Vec::new(), 0).call(read(0), 0), expect!["refused invalid: there is no request 0 whose body has more"]);
    let mut ended = attempt(Vec::new(), 0);
    ended.call(request(), 0);
    let Next::Progress { mut calls, .. } = ended.performed(Response::Head(json("{}"))) else { panic!("it is reported") };
    ended.answered(calls.remove(0));
    ended.call(read(0), 0);
    let Next::Progress { mut calls, .. } = ended.received(Chunk::End) else { panic!("it is reported") };
    ended.answered(calls.remove(0));
    check(&ended.call(read(0), 0), expect!["refused invalid: there is no request 0 whose body has more"]);
    let long = Request::Outside { target: "x".repeat(9000), options: json("{}") };
    check(&attempt(Vec::new(), 0).call(long, 0), expect!["refused limit: the target is longer than 8192 bytes (limit target_max)"]);
}
