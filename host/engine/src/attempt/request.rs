//! The calls of the contract, and what they come to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Limits, Query, invalid, limit};
use crate::entry::{Buffered, Event, Failure, Function, Micros, Wait};

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
        /// `type`, `id`, `requirements`, `timeout`, `request`.
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
    /// `state.edit-commit`.
    EditCommit {
        /// Keys joined by dots.
        path: String,
        /// Of `edit-begin`.
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
    /// `log.write`: the line itself does not concern the run.
    Log,
}

/// A call that can be made.
#[derive(Debug)]
pub(super) struct Prepared {
    /// What is recorded.
    pub function: Function,
    /// What is buffered.
    pub effect: Option<Buffered>,
    /// What must be asked before.
    pub query: Option<Query>,
}

#[derive(Deserialize)]
struct SendOptions {
    step: Option<String>,
}

#[derive(Deserialize)]
struct WaitOptions {
    #[serde(rename = "type")]
    name: String,
    id: Option<String>,
    #[serde(default)]
    requirements: BTreeMap<String, Value>,
    timeout: Option<f64>,
    request: Option<Asking>,
}

#[derive(Deserialize)]
struct Asking {
    name: String,
    payload: Box<RawValue>,
}

#[derive(Deserialize)]
struct CollectOptions {
    expected: Vec<String>,
    id: Option<String>,
}

impl Request {
    /// The call's identity, and the call; or why it is refused.
    pub(super) fn prepare(self, limits: &Limits) -> (String, Result<Prepared, Failure>) {
        match self {
            Request::Send { name, payload, options } => {
                let options = parse::<SendOptions>(&options);
                let step = options.as_ref().ok().and_then(|options| options.step.clone());
                let function = Function::Send { step, name: name.as_str().into() };
                let effect = options.and_then(|SendOptions { step }| Ok(Buffered::Send { event: limits.event(name, payload)?, step }));
                (function.identity(), effect.map(|effect| Prepared { function, effect: Some(effect), query: None }))
            }
            Request::Publish { name, payload } => {
                let identity = format!("publish {name}");
                (identity, limits.event(name, payload).map(|event| plain(Function::Publish { event })))
            }
            Request::Wait { options } => identified("wait", options, |options| wait(options, limits)),
            Request::Collect { name, payload, options } => {
                let event = limits.event(name, payload);
                identified("collect", options, |options| collect(options, event))
            }
            Request::Get { path } => {
                let query = Query::Get { path: path.clone() };
                asking(Function::Get { path, answer: None }, None, query)
            }
            Request::Set { path, value } => {
                let function = Function::Set { path: path.clone() };
                let identity = function.identity();
                let set = limits.value(value).map(|value| {
                    let query = limits.check_write(&path, &value);
                    Prepared { function, effect: Some(Buffered::Set { path, value }), query: Some(query) }
                });
                (identity, set)
            }
            Request::Delete { path } => {
                let query = Query::Get { path: path.clone() };
                asking(Function::Delete { path: path.clone() }, Some(Buffered::Delete { path }), query)
            }
            Request::EditBegin { path } => {
                let query = Query::EditBegin { path: path.clone() };
                asking(Function::EditBegin { path, answer: (0, None) }, None, query)
            }
            Request::EditCommit { path, version, value } => {
                let identity = format!("edit-commit {path}");
                let commit = limits.value(value).map(|value| {
                    let query = limits.check_write(&path, &value);
                    let function = Function::EditCommit { path, version, value, answer: None };
                    Prepared { function, effect: None, query: Some(query) }
                });
                (identity, commit)
            }
            Request::Sleep { duration } => ready(Function::Sleep { duration, answer: false }),
            Request::LookUp { name } => ready(Function::LookUp { name, answer: None }),
            Request::Keep { name, value } => {
                let identity = format!("keep {name}");
                (identity, limits.value(value).map(|value| plain(Function::Keep { name, value })))
            }
            Request::Commit => ready(Function::Commit),
            Request::Log => ready(Function::Log),
        }
    }
}

fn plain(function: Function) -> Prepared {
    Prepared { function, effect: None, query: None }
}

fn ready(function: Function) -> (String, Result<Prepared, Failure>) {
    (function.identity(), Ok(plain(function)))
}

fn asking(function: Function, effect: Option<Buffered>, query: Query) -> (String, Result<Prepared, Failure>) {
    (function.identity(), Ok(Prepared { function, effect, query: Some(query) }))
}

/// A call whose options say what it is; one whose options are wrong is known by their text.
fn identified(
    name: &str,
    options: String,
    function: impl FnOnce(&str) -> Result<Function, Failure>,
) -> (String, Result<Prepared, Failure>) {
    match function(&options) {
        Ok(function) => ready(function),
        Err(failure) => (format!("{name} {options}"), Err(failure)),
    }
}

fn wait(options: &str, limits: &Limits) -> Result<Function, Failure> {
    let WaitOptions { name, id, requirements, timeout, request } = parse(options)?;
    if timeout.is_some_and(|seconds| !(seconds.is_finite() && seconds >= 0.0)) {
        return Err(invalid("the timeout of a wait is no number of seconds"));
    }
    let request = request.map(|it| limits.event(it.name, it.payload.get().to_owned())).transpose()?;
    Ok(Function::Wait(Wait { name, id, requirements, timeout, request, answer: None }))
}

fn collect(options: &str, event: Result<Event, Failure>) -> Result<Function, Failure> {
    let CollectOptions { expected, id } = parse(options)?;
    if expected.is_empty() {
        return Err(invalid("`expected` of collect names no type"));
    }
    Ok(Function::Collect { id, expected, event: event?, answer: None })
}

fn parse<'a, T: Deserialize<'a>>(options: &'a str) -> Result<T, Failure> {
    let options = if options.trim().is_empty() { "{}" } else { options };
    serde_json::from_str(options).map_err(|error| invalid(&format!("the options are not understood: {error}")))
}

impl Limits {
    pub(super) fn event(&self, name: String, payload: String) -> Result<Event, Failure> {
        if payload.len() > self.payload_max {
            return Err(limit(format!("the payload of {name} is larger than {} bytes", self.payload_max)));
        }
        let payload = RawValue::from_string(payload).map_err(|error| invalid(&format!("the payload of {name} is no JSON: {error}")))?;
        if !payload.get().trim_start().starts_with('{') {
            return Err(invalid(&format!("the payload of {name} is no JSON object")));
        }
        Ok(Event { name: name.into(), payload: payload.into() })
    }

    fn value(&self, value: String) -> Result<Arc<RawValue>, Failure> {
        if value.len() > self.value_max {
            return Err(limit(format!("the value is larger than {} bytes", self.value_max)));
        }
        RawValue::from_string(value).map(Arc::from).map_err(|error| invalid(&format!("the value is no JSON: {error}")))
    }

    fn check_write(&self, path: &str, value: &RawValue) -> Query {
        Query::CheckWrite { path: path.to_owned(), size: path.len() + value.get().len(), state_max: self.state_max }
    }
}
