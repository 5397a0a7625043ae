//! Commands and their answers, as hosts leave them for one another in the store.
//!
//! Both are JSON with a version of their own, as entries have: while hosts are replaced, two builds
//! share a store. What a command asks is written as the entry's input that it is to become.

use serde::{Deserialize, Serialize};
use wf_engine::entry::{Input, Micros};

use super::Command;
use crate::model::{Idempotency, Refusal, Target};
use crate::store::{self, CommandId};

/// The version of both forms.
const VERSION: u16 = 1;
/// An answer may take so long: by then, whoever takes over from a host that was lost has given it.
const ANSWERED_WITHIN: Micros = 20_000_000;

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

/// A command that was left for a run's owner, until it is known what became of it.
#[derive(Debug)]
pub struct Left {
    /// What it is in the store.
    pub letter: CommandId,
    /// It is withdrawn then, on the clock that the caller goes by.
    until: Micros,
    /// Its answer may have been taken, and lost on the way.
    unsure: bool,
}

/// What is to be done about a command that was left.
#[derive(Debug)]
pub enum Next {
    /// Look again, once the run has changed or some time has passed.
    Wait,
    /// Take it away, so that whoever is refused knows that nothing was done: see [`Left::withdrawn`].
    Withdraw(Refusal),
    /// Tell whoever asked.
    Tell(Result<(), Refusal>),
}

impl Left {
    /// From here on.
    pub fn new(letter: CommandId, now: Micros) -> Left {
        Left { letter, until: now.saturating_add(ANSWERED_WITHIN), unsure: false }
    }

    /// It was looked at: whether the run goes on, and after that what it is answered. `open`: this host does not stop.
    pub fn looked(&mut self, now: Micros, open: bool, running: bool, answer: store::Result<Option<Vec<u8>>>) -> Next {
        // A store that cannot be asked now can be asked later.
        self.unsure |= matches!(&answer, Err(error) if *error != store::Error::Gone);
        match answer {
            Ok(Some(answer)) => Next::Tell(read_answer(&answer)),
            Err(store::Error::Gone) => Next::Tell(Err(self.gone())),
            // An answer that came with the end is there once the end is.
            Ok(None) if !running => Next::Withdraw(Refusal::AlreadyCompleted),
            Ok(None) | Err(_) if !open => Next::Withdraw(Refusal::stopping()),
            Ok(None) | Err(_) if now >= self.until => {
                Next::Withdraw(Refusal::Unavailable("the host that has the run does not answer; nothing was done; ask again".to_owned()))
            }
            Ok(None) | Err(_) => Next::Wait,
        }
    }

    /// It was to be taken away, and whoever asked to be refused so. Says what they are told.
    pub fn withdrawn(&self, refusal: Refusal, answer: store::Result<Option<Vec<u8>>>) -> Result<(), Refusal> {
        match answer {
            Ok(Some(answer)) => read_answer(&answer),
            Ok(None) => Err(refusal),
            Err(store::Error::Gone) => Err(self.gone()),
            Err(error) => Err(Refusal::Unavailable(format!("the host that has the run may do it later: {error}"))),
        }
    }

    /// It is not there any more: with its run, unless we have taken it ourselves.
    fn gone(&self) -> Refusal {
        if self.unsure {
            Refusal::Unavailable("the host that has the run has answered, and the answer is lost; look whether it was done".to_owned())
        } else {
            Refusal::NotFound
        }
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
        check(Some(Refusal::Invalid("no object".to_owned())), &expect![[r#"{"v":1,"refused":{"Invalid":"no object"}}"#]]);
        check(Some(Refusal::Queued), &expect![[r#"{"v":1,"refused":"Queued"}"#]]);
        check(Some(Refusal::NotWaiting(4)), &expect![[r#"{"v":1,"refused":{"NotWaiting":4}}"#]]);
        let full = Refusal::InboxFull { events_max: 1, bytes_max: 2 };
        check(Some(full), &expect![[r#"{"v":1,"refused":{"InboxFull":{"events_max":1,"bytes_max":2}}}"#]]);
        let unfit = Refusal::Unfit { run: "r".to_owned(), why: "a gap".to_owned() };
        check(Some(unfit), &expect![[r#"{"v":1,"refused":{"Unfit":{"run":"r","why":"a gap"}}}"#]]);
        check(Some(Refusal::Unavailable("no disk".to_owned())), &expect![[r#"{"v":1,"refused":{"Unavailable":"no disk"}}"#]]);
    }

    fn left() -> Left {
        Left::new(CommandId(1), 1_000_000)
    }

    #[test]
    fn what_is_not_answered_in_time_is_withdrawn() {
        let mut left = left();
        let mut looked = |now, open, running, answer| format!("{:?}", left.looked(now, open, running, answer));
        assert_eq!(looked(20_999_999, true, true, Ok(None)), "Wait");
        expect![[r#"Withdraw(Unavailable("the host that has the run does not answer; nothing was done; ask again"))"#]].assert_eq(&looked(
            21_000_000,
            true,
            true,
            Ok(None),
        ));
        assert_eq!(looked(21_000_000, true, true, Ok(Some(answer(None)))), "Tell(Ok(()))", "it came in the last moment");
        assert_eq!(looked(1, true, false, Ok(None)), "Withdraw(AlreadyCompleted)");
        assert_eq!(looked(1, true, false, Ok(Some(answer(None)))), "Tell(Ok(()))", "it came with the end");
        assert_eq!(looked(1, true, true, Ok(Some(answer(Some(Refusal::KeyReused))))), "Tell(Err(KeyReused))");
        expect![[r#"Withdraw(Unavailable("it is starting or stopping; runs go on after it"))"#]].assert_eq(&looked(
            1,
            false,
            true,
            Ok(None),
        ));
    }

    #[test]
    fn what_is_withdrawn_is_refused_unless_it_was_done() {
        let withdrawn = |answer| format!("{:?}", left().withdrawn(Refusal::AlreadyCompleted, answer));
        assert_eq!(withdrawn(Ok(None)), "Err(AlreadyCompleted)");
        assert_eq!(withdrawn(Ok(Some(answer(None)))), "Ok(())");
        assert_eq!(withdrawn(Err(store::Error::Gone)), "Err(NotFound)");
        expect![[r#"Err(Unavailable("the host that has the run may do it later: the store is locked by another process: x"))"#]]
            .assert_eq(&withdrawn(Err(store::Error::Busy("x".to_owned()))));
    }

    #[test]
    fn an_answer_that_was_lost_is_no_purge() {
        let mut left = left();
        assert!(matches!(left.looked(1, true, true, Err(store::Error::Busy("x".to_owned()))), Next::Wait));
        let gone = left.looked(1, true, true, Err(store::Error::Gone));
        expect![[r#"Tell(Err(Unavailable("the host that has the run has answered, and the answer is lost; look whether it was done")))"#]]
            .assert_eq(&format!("{gone:?}"));
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
