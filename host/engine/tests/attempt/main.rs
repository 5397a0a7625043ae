//! The guest's side of an attempt: what is answered from the log, what goes to the run, and what fails.

mod exclusive;
mod limits;
mod live;
mod options;
mod outside;
mod property;
mod reads;
mod reentry;
mod variables;
mod world;

use expect_test::Expect;
use wf_engine::attempt::{Attempt, Limits, Next, ReadAnswer, Request};
use wf_engine::effect::Log;
use wf_engine::entry::{Call, Failure, Function};
use wf_engine::state::Overlay;

fn limits() -> Limits {
    Limits { payload_max: 20, value_max: 20, state_max: 100, events_max: 2, buffered_max: 1_000, calls_max: 5 }
}

fn attempt(log: Vec<Call>, committed: u32) -> Attempt {
    Attempt::new(world::invoke(log.into_iter().collect::<Log>(), committed), limits())
}

fn send(name: &str) -> Request {
    Request::Send { name: name.into(), payload: "{}".into(), options: String::new() }
}

fn publish(name: &str) -> Request {
    Request::Publish { name: name.into(), payload: "{}".into() }
}

fn set(path: &str) -> Request {
    Request::Set { path: path.into(), value: "1".into() }
}

fn get(path: &str) -> Request {
    Request::Get { path: path.into() }
}

fn wait(options: &str) -> Request {
    Request::Wait { options: options.into() }
}

fn recorded(ordinal: u32, function: Function) -> Call {
    Call { ordinal, at: 200, function }
}

/// The run says yes.
fn sound(attempt: &mut Attempt) -> Next {
    attempt.read(Ok(ReadAnswer::Sound), Overlay::default())
}

/// What an attempt asks for, short.
fn shown(next: &Next) -> String {
    match next {
        Next::Answer(Ok(answer)) => format!("answer {answer:?}"),
        Next::Answer(Err(Failure { kind, message, .. })) => format!("refused {kind}: {message}"),
        Next::Read { query, .. } => format!("read {query:?}"),
        Next::Progress { calls, commit } => {
            let names: Vec<String> =
                calls.iter().map(|call| format!("{}@{} {}", call.ordinal, call.at, call.function.identity())).collect();
            format!("progress [{}], {:?} committed", names.join(", "), commit.as_ref().map(|it| it.effects.len()))
        }
        Next::Perform(outside) => format!("perform {outside:?}"),
        Next::Fail(Failure { kind, message, retryable, .. }) => format!("fail {kind} (retryable: {retryable}): {message}"),
    }
}

fn check(next: &Next, expected: Expect) {
    expected.assert_eq(&shown(next));
}
