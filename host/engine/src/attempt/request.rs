//! The calls of the contract, as a guest makes them: nothing in them is checked yet.

use super::options::{CollectOptions, SendOptions, WaitOptions, folded, parse};
use crate::entry::{Event, Function, Micros, Response, Told, Variables};
use crate::json::{self, Json};
use crate::text::Refused;

/// A call as the guest makes it: its JSON is still unread.
#[derive(Clone, Debug)]
pub enum Request {
    /// `events.send`.
    Send {
        /// The event's type.
        name: String,
        /// A JSON object.
        payload: String,
        /// `step`.
        options: String,
    },
    /// `events.publish`.
    Publish {
        /// The event's type.
        name: String,
        /// A JSON object.
        payload: String,
    },
    /// `events.wait`.
    Wait {
        /// `type` or `types`, `subtypes`, `fresh`, `id`, `requirements`, `timeout`, `request`.
        options: String,
    },
    /// `events.collect`.
    Collect {
        /// The event's type.
        name: String,
        /// A JSON object.
        payload: String,
        /// `expected`, `id`.
        options: String,
    },
    /// `state.get`.
    Get {
        /// Keys joined by dots.
        path: String,
    },
    /// `state.set`.
    Set {
        /// Keys joined by dots.
        path: String,
        /// JSON.
        value: String,
    },
    /// `state.push`.
    Push {
        /// Keys joined by dots, of a list.
        path: String,
        /// JSON.
        value: String,
    },
    /// `state.delete`.
    Delete {
        /// Keys joined by dots.
        path: String,
    },
    /// `state.edit-begin`.
    EditBegin {
        /// Keys joined by dots.
        path: String,
    },
    /// `state.edit-exclusive`.
    EditExclusive {
        /// Keys joined by dots.
        path: String,
    },
    /// `state.edit-commit`.
    EditCommit {
        /// Keys joined by dots.
        path: String,
        /// Of `edit-begin` or `edit-exclusive`.
        version: u64,
        /// JSON.
        value: String,
    },
    /// `time.sleep`.
    Sleep {
        /// How long.
        duration: Micros,
    },
    /// `memo.look-up`.
    LookUp {
        /// The memo's name.
        name: String,
    },
    /// `memo.keep`.
    Keep {
        /// The memo's name.
        name: String,
        /// JSON.
        value: String,
    },
    /// `run.commit`.
    Commit,
    /// `log.write`: the line itself does not concern the run. Also that a timer was told before a part of an answer.
    Log,
    /// A request to the outside.
    Outside {
        /// Method and URL.
        target: String,
        /// What else the host is to send: its own JSON, which is not journaled.
        options: Json,
    },
    /// A read of a response's body.
    ReadBody {
        /// The number of the request, as [`Answer::Response`](super::Answer::Response) says it.
        request: u32,
    },
    /// WASI's `get-environment`. An attempt that has asked before is answered as it was then.
    Variables {
        /// Those that are granted now.
        values: Variables,
    },
}

/// Longest identity of a refused call that is kept whole, in bytes.
const WHOLE_MAX: usize = 1024;
/// Characters that are kept of the argument of a refused call whose identity is not kept whole.
const SHORT_MAX: usize = 64;

impl Request {
    /// Whether it is the recorded call: function and identity are the same. No limit is applied,
    /// and payloads are not looked at.
    pub(crate) fn is(&self, then: &Function) -> bool {
        let now = self.function().map(|function| function.identity());
        match then {
            Function::Refused { call, .. } => now.is_ok_and(|now| *call == now) || *call == self.short(),
            then => now.is_ok_and(|now| now == then.identity()),
        }
    }

    /// Its identity, as messages show it.
    pub fn name(&self) -> String {
        self.identity()
    }

    /// What it is called by in messages and where it is refused: short, however long the call is.
    pub(super) fn identity(&self) -> String {
        let whole = self.function().map(|function| function.identity());
        whole.ok().filter(|whole| whole.len() <= WHOLE_MAX).unwrap_or_else(|| self.short())
    }

    /// What it would be recorded as, without any payload, value or answer: all that its identity needs.
    pub(super) fn function(&self) -> Result<Function, Refused> {
        let event = |name: &str| Event { name: name.into(), payload: json::empty() };
        Ok(match self {
            Request::Send { name, options, .. } => Function::Send { step: parse::<SendOptions>(options)?.step, name: name.as_str().into() },
            Request::Publish { name, .. } => Function::Publish { event: event(name) },
            Request::Wait { options } => Function::Wait(Box::new(parse::<WaitOptions>(options)?.wait()?)),
            Request::Collect { name, options, .. } => {
                let CollectOptions { id, expected } = parse(options)?;
                Function::Collect { id, expected: folded(expected), event: event(name), answer: None }
            }
            Request::Get { path } => Function::Get { path: path.clone(), answer: Told::Nothing },
            Request::Set { path, .. } => Function::Set { path: path.clone() },
            Request::Push { path, .. } => Function::Push { path: path.clone() },
            Request::Delete { path } => Function::Delete { path: path.clone() },
            Request::EditBegin { path } => Function::EditBegin { path: path.clone(), version: 0, answer: Told::Nothing },
            Request::EditExclusive { path } => Function::EditExclusive { path: path.clone(), answer: None },
            &Request::EditCommit { ref path, version, .. } => {
                Function::EditCommit { path: path.clone(), version, value: json::empty(), answer: None }
            }
            &Request::Sleep { duration } => Function::Sleep { duration, answer: false },
            Request::LookUp { name } => Function::LookUp { name: name.clone(), answer: Told::Nothing },
            Request::Keep { name, .. } => Function::Keep { name: name.clone(), value: json::empty() },
            Request::Commit => Function::Commit,
            Request::Log => Function::Log,
            Request::Outside { target, .. } => Function::Request { target: target.clone(), answer: Response::Head(json::empty()) },
            &Request::ReadBody { request } => Function::Read { request, answer: crate::entry::Chunk::End },
            Request::Variables { values } => Function::Variables { values: values.clone() },
        })
    }

    /// The call's name and the beginning of its argument.
    fn short(&self) -> String {
        let (name, argument) = self.argument();
        let mut short: String = argument.chars().take(SHORT_MAX).collect();
        short.push_str(if short.len() < argument.len() { "…" } else { "" });
        if short.is_empty() { name.to_owned() } else { format!("{name} {short}") }
    }

    /// The call's name, and the argument that tells it from others.
    fn argument(&self) -> (&'static str, &str) {
        match self {
            Request::Send { name, .. } => ("send", name),
            Request::Publish { name, .. } => ("publish", name),
            Request::Wait { options } => ("wait", options),
            Request::Collect { options, .. } => ("collect", options),
            Request::Get { path } => ("get", path),
            Request::Set { path, .. } => ("set", path),
            Request::Push { path, .. } => ("push", path),
            Request::Delete { path } => ("delete", path),
            Request::EditBegin { path } => ("edit-begin", path),
            Request::EditExclusive { path } => ("edit-exclusive", path),
            Request::EditCommit { path, .. } => ("edit-commit", path),
            Request::Sleep { .. } => ("sleep", ""),
            Request::LookUp { name } => ("look-up", name),
            Request::Keep { name, .. } => ("keep", name),
            Request::Commit => ("commit", ""),
            Request::Log => ("log", ""),
            Request::Outside { target, .. } => ("request", target),
            Request::ReadBody { .. } => ("read", ""),
            Request::Variables { .. } => ("variables", ""),
        }
    }
}
