//! What a step may ask of the host while it runs: answered from the log up to *recorded*, live after it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use wf_engine::effect::Invoke;
use wf_engine::entry::{Buffered, Call, Commit, Event, Failure, Function, InvocationId, Wait, WaitAnswer};

use super::lines::Lines;
use super::report::{Query, ReadAnswer, Report};
use super::wasi::Clock;
use super::{Limits, RunInfo};

/// What a call of the contract gives: the outer error ends the entry, the inner one goes to the guest.
pub(super) type Answer<T> = wasmtime::Result<Result<T, Failure>>;

/// Why an entry ended before the step did.
pub(super) enum Ending {
    /// The instance is dropped; the step is entered again when the answer is there.
    Suspended,
    /// The run is gone, and with it whoever could hear a report.
    Gone,
    /// The attempt has failed.
    Failed(Failure),
}

/// The context of one entry into an attempt.
pub(super) struct Context {
    pub info: Arc<RunInfo>,
    pub step: Arc<str>,
    pub invocation: InvocationId,
    pub attempt: u32,
    pub clock: Clock,
    pub lines: Lines,
    pub ending: Option<Ending>,
    reports: UnboundedSender<Report>,
    limits: Limits,
    /// What is still to be answered from the log.
    log: VecDeque<Call>,
    /// The ordinal of the next call.
    next: u32,
    committed: u32,
    /// Calls since the last report.
    calls: Vec<Call>,
    /// Effects since the last commit.
    own: Vec<Buffered>,
    memos: BTreeMap<String, Arc<RawValue>>,
    sent: usize,
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
    requirements: BTreeMap<String, serde_json::Value>,
    timeout: Option<f64>,
    request: Option<Request>,
}

#[derive(Deserialize)]
struct Request {
    name: String,
    payload: Box<RawValue>,
}

#[derive(Deserialize)]
struct CollectOptions {
    expected: Vec<String>,
    id: Option<String>,
}

impl Context {
    pub(super) fn new(invoke: Invoke, info: Arc<RunInfo>, limits: &Limits, lines: Lines, reports: UnboundedSender<Report>) -> Context {
        Context {
            info,
            step: invoke.step,
            invocation: invoke.invocation,
            attempt: invoke.attempt,
            clock: lines.clock.clone(),
            lines,
            ending: None,
            reports,
            limits: limits.clone(),
            log: invoke.log.into(),
            next: 0,
            committed: invoke.committed,
            calls: Vec::new(),
            own: Vec::new(),
            memos: invoke.memos,
            sent: 0,
        }
    }

    /// What the step's end commits; a failure, when it ended before its log did.
    pub(super) fn finish(&mut self) -> Result<(Vec<Call>, Commit), Failure> {
        if let Some(call) = self.log.front() {
            return Err(nondeterministic(&call.function.identity(), "its end"));
        }
        Ok((std::mem::take(&mut self.calls), Commit { effects: std::mem::take(&mut self.own) }))
    }

    /// A returned event, as far as it can be one.
    pub(super) fn returned(&self, name: String, payload: String) -> Result<Event, Failure> {
        self.event(name, payload)
    }

    pub(super) async fn send(&mut self, name: String, payload: String, options: &str) -> Answer<()> {
        let step = parse::<SendOptions>(options).map(|options| options.step);
        let function = Function::Send { step: step.clone().unwrap_or_default(), name: name.as_str().into() };
        let recorded = self.recorded(&function.identity())?;
        let effect = step.and_then(|step| Ok(Buffered::Send { event: self.event(name, payload)?, step }));
        self.sent += 1;
        if self.sent > self.limits.events_max {
            return self.fail(limit(format!("the step sent more than {} events", self.limits.events_max)));
        }
        self.buffer(function, recorded, effect)
    }

    pub(super) async fn publish(&mut self, name: String, payload: String) -> Answer<()> {
        let identity = format!("publish {name}");
        if let Some(function) = self.recorded(&identity)? {
            return Ok(refusal(function));
        }
        match self.event(name, payload) {
            Ok(event) => self.answered(Function::Publish { event }).await.map(|_| Ok(())),
            Err(failure) => self.refuse(identity, failure),
        }
    }

    pub(super) async fn wait(&mut self, options: &str) -> Answer<Event> {
        let wait = parse::<WaitOptions>(options).and_then(|options| self.asked(options));
        let identity = match &wait {
            Ok(wait) => Function::Wait(wait.clone()).identity(),
            Err(_) => format!("wait {options}"),
        };
        let function = match (self.recorded(&identity)?, wait) {
            (Some(function), _) => function,
            (None, Ok(wait)) => self.answered(Function::Wait(wait)).await?,
            (None, Err(failure)) => return self.refuse(identity, failure),
        };
        match function {
            Function::Wait(Wait { answer: Some(WaitAnswer::Event(event)), .. }) => Ok(Ok(event)),
            Function::Wait(Wait { answer: Some(WaitAnswer::TimedOut), name, timeout, .. }) => {
                let message = format!("no {name} came within {:?} s", timeout.unwrap_or_default());
                Ok(Err(failure("timeout", message, true)))
            }
            Function::Refused { failure, .. } => Ok(Err(failure)),
            _ => self.end(Ending::Suspended),
        }
    }

    fn asked(&self, options: WaitOptions) -> Result<Wait, Failure> {
        let WaitOptions { name, id, requirements, timeout, request } = options;
        if timeout.is_some_and(|seconds| !(seconds.is_finite() && seconds >= 0.0)) {
            return Err(invalid("the timeout of a wait is no number of seconds"));
        }
        let request = request.map(|it| self.event(it.name, it.payload.get().to_owned())).transpose()?;
        Ok(Wait { name, id, requirements, timeout, request, answer: None })
    }

    pub(super) async fn collect(&mut self, name: String, payload: String, options: &str) -> Answer<Option<Vec<Event>>> {
        let event = self.event(name, payload);
        let function = parse::<CollectOptions>(options).and_then(|CollectOptions { expected, id }| {
            if expected.is_empty() {
                return Err(invalid("`expected` of collect names no type"));
            }
            Ok(Function::Collect { id, expected, event: event?, answer: None })
        });
        let identity = function.as_ref().map_or_else(|_| format!("collect {options}"), Function::identity);
        let function = match (self.recorded(&identity)?, function) {
            (Some(function), _) => function,
            (None, Ok(function)) => self.answered(function).await?,
            (None, Err(failure)) => return self.refuse(identity, failure),
        };
        Ok(match function {
            Function::Collect { answer, .. } => Ok(answer.flatten()),
            other => refusal(other).map(|()| None),
        })
    }

    pub(super) async fn get(&mut self, path: String) -> Answer<Option<String>> {
        let identity = format!("get {path}");
        let function = match self.recorded(&identity)? {
            Some(function) => function,
            None => match self.read(Query::Get { path: path.clone() }).await? {
                Ok(ReadAnswer::Value(answer)) => self.note(Function::Get { path, answer })?,
                Ok(_) => return self.end(Ending::Gone),
                Err(failure) => return self.refuse(identity, failure),
            },
        };
        Ok(match function {
            Function::Get { answer, .. } => Ok(answer.map(|value| value.get().to_owned())),
            other => refusal(other).map(|()| None),
        })
    }

    pub(super) async fn set(&mut self, path: String, value: String) -> Answer<()> {
        let function = Function::Set { path: path.clone() };
        let recorded = self.recorded(&function.identity())?;
        let effect = match self.value(value) {
            Ok(value) if recorded.is_none() => self.read(self.check_write(&path, &value)).await?.map(|_| Buffered::Set { path, value }),
            value => value.map(|value| Buffered::Set { path, value }),
        };
        self.buffer(function, recorded, effect)
    }

    pub(super) async fn delete(&mut self, path: String) -> Answer<()> {
        let function = Function::Delete { path: path.clone() };
        let recorded = self.recorded(&function.identity())?;
        let effect = match recorded {
            None => self.read(Query::Get { path: path.clone() }).await?.map(|_| Buffered::Delete { path }),
            Some(_) => Ok(Buffered::Delete { path }),
        };
        self.buffer(function, recorded, effect)
    }

    pub(super) async fn edit_begin(&mut self, path: String) -> Answer<(u64, Option<String>)> {
        let identity = format!("edit-begin {path}");
        let function = match self.recorded(&identity)? {
            Some(function) => function,
            None => match self.read(Query::EditBegin { path: path.clone() }).await? {
                Ok(ReadAnswer::Edit(version, value)) => self.note(Function::EditBegin { path, answer: (version, value) })?,
                Ok(_) => return self.end(Ending::Gone),
                Err(failure) => return self.refuse(identity, failure),
            },
        };
        Ok(match function {
            Function::EditBegin { answer: (version, value), .. } => Ok((version, value.map(|value| value.get().to_owned()))),
            other => refusal(other).map(|()| (0, None)),
        })
    }

    pub(super) async fn edit_commit(&mut self, path: String, version: u64, value: String) -> Answer<bool> {
        let identity = format!("edit-commit {path}");
        let function = match self.recorded(&identity)? {
            Some(function) => function,
            None => {
                let value = match self.value(value) {
                    Ok(value) => value,
                    Err(failure) => return self.refuse(identity, failure),
                };
                if let Err(failure) = self.read(self.check_write(&path, &value)).await? {
                    return self.refuse(identity, failure);
                }
                let own = self.own.clone();
                let function = self.answered(Function::EditCommit { path, version, value, answer: None }).await?;
                // A conflict commits nothing, not even what was buffered.
                if matches!(function, Function::EditCommit { answer: Some(false), .. }) {
                    self.own = own;
                }
                function
            }
        };
        Ok(match function {
            Function::EditCommit { answer, .. } => Ok(answer.unwrap_or(false)),
            other => refusal(other).map(|()| false),
        })
    }

    pub(super) async fn sleep(&mut self, duration: u64) -> wasmtime::Result<()> {
        let function = Function::Sleep { duration, answer: false };
        if self.recorded(&function.identity())?.is_none() {
            self.answered(function).await?;
        }
        Ok(())
    }

    pub(super) async fn look_up(&mut self, name: String) -> Answer<Option<String>> {
        let function = match self.recorded(&format!("look-up {name}"))? {
            Some(function) => function,
            None => {
                let answer = self.memos.get(&name).cloned();
                self.note(Function::LookUp { name, answer })?
            }
        };
        Ok(match function {
            Function::LookUp { answer, .. } => Ok(answer.map(|value| value.get().to_owned())),
            other => refusal(other).map(|()| None),
        })
    }

    pub(super) async fn keep(&mut self, name: String, value: String) -> Answer<()> {
        let identity = format!("keep {name}");
        let recorded = self.recorded(&identity)?;
        match (recorded, self.value(value)) {
            (Some(Function::Refused { failure, .. }), _) => Ok(Err(failure)),
            (None, Err(failure)) => self.refuse(identity, failure),
            (recorded, Ok(value)) => {
                self.memos.insert(name.clone(), value.clone());
                if recorded.is_none() {
                    self.answered(Function::Keep { name, value }).await?;
                }
                Ok(Ok(()))
            }
            (Some(_), Err(failure)) => Ok(Err(failure)),
        }
    }

    pub(super) async fn commit(&mut self) -> wasmtime::Result<()> {
        if self.recorded(&Function::Commit.identity())?.is_none() {
            self.answered(Function::Commit).await?;
        }
        Ok(())
    }

    pub(super) fn log(&mut self, level: String, message: String, fields: String) -> wasmtime::Result<()> {
        let ordinal = self.next;
        if self.recorded(&Function::Log.identity())?.is_none() {
            self.note(Function::Log)?;
        }
        // Written again at re-entry, under the same number, which changes nothing.
        let fields =
            if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&fields).is_ok() { fields } else { "{}".to_owned() };
        self.lines.write("log", ordinal.into(), level, message, fields);
        Ok(())
    }

    /// The next call of the log, if there is one; the attempt fails when it is another call.
    fn recorded(&mut self, identity: &str) -> wasmtime::Result<Option<Function>> {
        let Some(call) = self.log.pop_front() else { return Ok(None) };
        let then = call.function.identity();
        if then != identity {
            return self.fail(nondeterministic(&then, identity));
        }
        self.clock.advance(call.at);
        self.next = call.ordinal + 1;
        Ok(Some(call.function))
    }

    /// Records a call that is not reported yet.
    fn note(&mut self, function: Function) -> wasmtime::Result<Function> {
        if self.next >= self.limits.calls_max {
            return self.fail(limit(format!("the step made more than {} calls", self.limits.calls_max)));
        }
        self.calls.push(Call { ordinal: self.next, at: self.clock.standing(), function: function.clone() });
        self.next += 1;
        Ok(function)
    }

    /// Buffers an effect, at re-entry where it is not committed; or refuses the call.
    fn buffer(&mut self, function: Function, recorded: Option<Function>, effect: Result<Buffered, Failure>) -> Answer<()> {
        match (recorded, effect) {
            (Some(Function::Refused { failure, .. }), _) => Ok(Err(failure)),
            (Some(_), effect) => {
                if self.next > self.committed {
                    self.own.extend(effect);
                }
                Ok(Ok(()))
            }
            (None, Ok(effect)) => {
                self.own.push(effect);
                self.note(function).map(|_| Ok(()))
            }
            (None, Err(failure)) => self.refuse(function.identity(), failure),
        }
    }

    fn refuse<T>(&mut self, call: String, failure: Failure) -> Answer<T> {
        self.note(Function::Refused { call, failure: failure.clone() })?;
        Ok(Err(failure))
    }

    /// Reports all calls up to this one, and waits for its answer.
    async fn answered(&mut self, function: Function) -> wasmtime::Result<Function> {
        let suspends = function.suspends();
        let commit = function.is_commit_point().then(|| Commit { effects: std::mem::take(&mut self.own) });
        self.note(function)?;
        let (reply, answer) = oneshot::channel();
        let calls = std::mem::take(&mut self.calls);
        let report = Report::Progressed { invocation: self.invocation, attempt: self.attempt, calls, commit, reply };
        let sent = self.reports.send(report);
        if suspends {
            return self.end(Ending::Suspended);
        }
        match (sent, answer.await) {
            (Ok(()), Ok(call)) => {
                self.clock.advance(call.at);
                Ok(call.function)
            }
            _ => self.end(Ending::Gone),
        }
    }

    /// Asks the run about its state.
    async fn read(&mut self, query: Query) -> wasmtime::Result<Result<ReadAnswer, Failure>> {
        let (reply, answer) = oneshot::channel();
        let own = self.own.iter().filter(|effect| !matches!(effect, Buffered::Send { .. })).cloned().collect();
        let report = Report::Read { invocation: self.invocation, attempt: self.attempt, query, own, reply };
        match (self.reports.send(report), answer.await) {
            (Ok(()), Ok(Ok(ReadAnswer::TooLarge))) => {
                Ok(Err(limit(format!("the state would be larger than {} bytes", self.limits.state_max))))
            }
            (Ok(()), Ok(answer)) => Ok(answer.map_err(|message| invalid(&message))),
            _ => self.end(Ending::Gone),
        }
    }

    fn check_write(&self, path: &str, value: &RawValue) -> Query {
        Query::CheckWrite { path: path.to_owned(), size: path.len() + value.get().len(), state_max: self.limits.state_max }
    }

    fn event(&self, name: String, payload: String) -> Result<Event, Failure> {
        if payload.len() > self.limits.payload_max {
            return Err(limit(format!("the payload of {name} is larger than {} bytes", self.limits.payload_max)));
        }
        let payload = RawValue::from_string(payload).map_err(|error| invalid(&format!("the payload of {name} is no JSON: {error}")))?;
        if !payload.get().trim_start().starts_with('{') {
            return Err(invalid(&format!("the payload of {name} is no JSON object")));
        }
        Ok(Event { name: name.into(), payload: payload.into() })
    }

    fn value(&self, value: String) -> Result<Arc<RawValue>, Failure> {
        if value.len() > self.limits.value_max {
            return Err(limit(format!("the value is larger than {} bytes", self.limits.value_max)));
        }
        RawValue::from_string(value).map(Arc::from).map_err(|error| invalid(&format!("the value is no JSON: {error}")))
    }

    fn fail<T>(&mut self, failure: Failure) -> wasmtime::Result<T> {
        self.end(Ending::Failed(failure))
    }

    /// Ends the entry from within a call: the error unwinds the guest, the ending says why.
    fn end<T>(&mut self, ending: Ending) -> wasmtime::Result<T> {
        self.ending = Some(ending);
        Err(wasmtime::Error::msg("the entry has ended"))
    }
}

fn parse<'a, T: Deserialize<'a>>(options: &'a str) -> Result<T, Failure> {
    let options = if options.trim().is_empty() { "{}" } else { options };
    serde_json::from_str(options).map_err(|error| invalid(&format!("the options are not understood: {error}")))
}

/// The answer of a call that gives nothing.
fn refusal(function: Function) -> Result<(), Failure> {
    match function {
        Function::Refused { failure, .. } => Err(failure),
        _ => Ok(()),
    }
}

fn nondeterministic(then: &str, now: &str) -> Failure {
    let message = format!("nondeterministic step: where the call was `{then}` when it was recorded, it is `{now}` now");
    failure("nondeterministic", message, false)
}

fn invalid(message: &str) -> Failure {
    failure("invalid", message.to_owned(), false)
}

pub(super) fn limit(message: String) -> Failure {
    failure("limit", message, false)
}

pub(super) fn failure(kind: &str, message: String, retryable: bool) -> Failure {
    Failure { kind: kind.to_owned(), message, retryable, retry_after: None, keep_answers: true, trace: None }
}
