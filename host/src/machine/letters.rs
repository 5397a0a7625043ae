//! Commands and their answers, as hosts leave them for one another in the store.
//!
//! Both are JSON with a version of their own, as entries have: while hosts are replaced, two builds
//! share a store. What a command asks is written as the entry's input that it is to become.

use serde::{Deserialize, Serialize};
use wf_engine::entry::Input;

use super::Command;
use crate::model::{Idempotency, Refusal, Target};

/// The version of both forms.
const VERSION: u16 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Letter {
    v: u16,
    /// `EventReceived` or `CancelRequested`.
    input: Input,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idempotency: Option<Idempotency>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    v: u16,
    /// None: it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Refusal>,
}

/// A command as it is left for a run's owner, and where its answer goes.
pub fn command<T>(command: Command<T>) -> (Vec<u8>, T) {
    let (input, idempotency, reply) = match command {
        Command::Send { id, event, target: Target { step, invocation }, idempotency, reply } => {
            (Input::EventReceived { id, event, step, invocation }, idempotency, reply)
        }
        Command::Cancel { reply } => (Input::CancelRequested, None, reply),
    };
    (bytes(&Letter { v: VERSION, input, idempotency }), reply)
}

/// What was left; none: it cannot be read here.
pub(super) fn read_command(bytes: &[u8]) -> Option<Command<()>> {
    let Letter { input, idempotency, .. } = serde_json::from_slice(bytes).ok().filter(|letter: &Letter| letter.v == VERSION)?;
    match input {
        Input::EventReceived { id, event, step, invocation } => {
            Some(Command::Send { id, event, target: Target { step, invocation }, idempotency, reply: () })
        }
        Input::CancelRequested => Some(Command::Cancel { reply: () }),
        _ => None,
    }
}

/// An answer as it is left for whoever asked. `refused`: why it was not done.
pub fn answer(refused: Option<Refusal>) -> Vec<u8> {
    bytes(&Reply { v: VERSION, refused })
}

/// How it was answered.
pub fn read_answer(bytes: &[u8]) -> Result<(), Refusal> {
    match serde_json::from_slice(bytes) {
        Ok(Reply { v: VERSION, refused }) => refused.map_or(Ok(()), Err),
        _ => Err(Refusal::Unavailable("another build of wf-host has answered, in a form that this one cannot read".to_owned())),
    }
}

fn bytes(form: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(form).expect("cannot happen: a form of ours that is no JSON")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use wf_engine::entry::Event;
    use wf_engine::json::to_json;

    use super::*;

    /// It is written so, and comes back as it was.
    fn check(command: Command<()>, wanted: &expect_test::Expect) {
        let (written, ()) = super::command(command);
        wanted.assert_eq(&String::from_utf8_lossy(&written));
        let read = read_command(&written).expect("it can be read");
        assert_eq!(super::command(read).0, written);
    }

    #[test]
    fn commands_have_a_form() {
        let event = || Event { name: "Answer".into(), payload: to_json(&serde_json::json!({ "a": 1 })) };
        let target = Target { step: Some("ask".to_owned()), invocation: Some(3) };
        let idempotency = Some(Idempotency { key: "k".to_owned(), body: [7; 32] });
        check(Command::Cancel { reply: () }, &expect![[r#"{"v":1,"input":"CancelRequested"}"#]]);
        check(
            Command::Send { id: "e".to_owned(), event: event(), target: Target::default(), idempotency: None, reply: () },
            &expect![[r#"{"v":1,"input":{"EventReceived":{"id":"e","event":{"name":"Answer","payload":{"a":1}}}}}"#]],
        );
        check(
            Command::Send { id: "e".to_owned(), event: event(), target, idempotency, reply: () },
            &expect![[
                r#"{"v":1,"input":{"EventReceived":{"id":"e","event":{"name":"Answer","payload":{"a":1}},"step":"ask","invocation":3}},"idempotency":{"key":"k","body":[7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7]}}"#
            ]],
        );
    }

    #[test]
    fn answers_have_a_form() {
        let check = |refused: Option<Refusal>, wanted: &expect_test::Expect| {
            let written = answer(refused.clone());
            wanted.assert_eq(&String::from_utf8_lossy(&written));
            assert_eq!(read_answer(&written).map_err(|it| it.to_string()), refused.map_or(Ok(()), |it| Err(it.to_string())));
        };
        check(None, &expect![[r#"{"v":1}"#]]);
        check(Some(Refusal::NotFound), &expect![[r#"{"v":1,"refused":"NotFound"}"#]]);
        check(Some(Refusal::AlreadyCompleted), &expect![[r#"{"v":1,"refused":"AlreadyCompleted"}"#]]);
        check(Some(Refusal::KeyReused), &expect![[r#"{"v":1,"refused":"KeyReused"}"#]]);
        check(Some(Refusal::NotWaiting(4)), &expect![[r#"{"v":1,"refused":{"NotWaiting":4}}"#]]);
        let full = Refusal::InboxFull { events_max: 1, bytes_max: 2 };
        check(Some(full), &expect![[r#"{"v":1,"refused":{"InboxFull":{"events_max":1,"bytes_max":2}}}"#]]);
        let unfit = Refusal::Unfit { run: "r".to_owned(), why: "a gap".to_owned() };
        check(Some(unfit), &expect![[r#"{"v":1,"refused":{"Unfit":{"run":"r","why":"a gap"}}}"#]]);
        check(Some(Refusal::Unavailable("no disk".to_owned())), &expect![[r#"{"v":1,"refused":{"Unavailable":"no disk"}}"#]]);
    }

    #[test]
    fn what_another_build_has_written_is_no_fault() {
        for bytes in
            [r#"{"v":2,"input":"CancelRequested"}"#, r#"{"v":1,"input":{"TimerFired":{"timer":1}}}"#, r#"{"v":1,"input":"Pause"}"#, ""]
        {
            assert!(read_command(bytes.as_bytes()).is_none(), "{bytes}");
        }
        for bytes in [r#"{"v":2}"#, r#"{"v":1,"refused":"Busy"}"#, "null", ""] {
            assert!(matches!(read_answer(bytes.as_bytes()), Err(Refusal::Unavailable(_))), "{bytes}");
        }
    }
}
