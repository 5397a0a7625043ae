//! Tiny step programs, and the instances that run them as a guest's side does: answered from
//! the log up to *recorded*, live after it.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value, json, value::to_raw_value};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Buffered, Call, Commit, Event, Failure, Function, Input, InvocationId, Micros, Usage, Wait};
use wf_engine::run::Run;

/// What a step does, one after the other.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Publish,
    /// Adds one to `count` in an atomic edit, until it does not conflict.
    Edit,
    /// Sets a key of its own, buffered, to be seen after the next commit.
    Set,
    Sleep(Micros),
    /// Keeps a value by its name once, whatever the attempt.
    Memo,
    Commit,
    /// Asks, and waits for the answer.
    Wait,
    /// Collects two of the events that it is given.
    Collect,
    /// Fails in the attempts before this one.
    FailBefore(u32),
}

/// One entry into an attempt.
pub struct Instance {
    pub invocation: InvocationId,
    pub attempt: u32,
    pub step: Arc<str>,
    /// The answer of the call that it waits in.
    pub answer: Option<Function>,
    pub waits: bool,
    events: Vec<Event>,
    has_memo: bool,
    ops: VecDeque<Op>,
    log: VecDeque<Call>,
    committed: u32,
    next: u32,
    calls: Vec<Call>,
    own: Vec<Buffered>,
    begun: Option<(u64, u64)>,
    /// What the look-up before a keep has found.
    found: Option<bool>,
    /// The clock as the guest sees it.
    pub at: Micros,
}

/// What an instance does next.
pub enum Move {
    /// It reports, and waits for the answer.
    Report(Input),
    /// It reports, and is gone.
    Last(Input),
    /// It computes.
    Pause,
}

pub fn event(name: &str, payload: Value) -> Event {
    Event { name: name.into(), payload: raw(&payload) }
}

fn raw(value: &Value) -> Arc<RawValue> {
    to_raw_value(value).expect("JSON").into()
}

pub fn payload(event: &Event) -> Value {
    serde_json::from_str(event.payload.get()).expect("JSON")
}

/// Why a program does not go on at once.
enum Stop {
    Report(Box<Input>),
    Pause,
    Fail,
}

impl Instance {
    pub fn enter(invoke: &Invoke, program: &[Op]) -> Instance {
        Instance {
            invocation: invoke.invocation,
            attempt: invoke.attempt,
            step: invoke.step.clone(),
            answer: None,
            waits: false,
            events: invoke.events.clone(),
            has_memo: !invoke.memos.is_empty(),
            ops: program.iter().copied().collect(),
            log: invoke.log.clone().into(),
            committed: invoke.committed,
            next: 0,
            calls: Vec::new(),
            own: Vec::new(),
            begun: None,
            found: None,
            at: invoke.started_at,
        }
    }

    /// Goes on to its next report.
    pub fn go_on(&mut self, run: &Run) -> Move {
        while let Some(op) = self.ops.front().copied() {
            match self.play(op, run) {
                Ok(true) => drop(self.ops.pop_front()),
                Ok(false) => (),
                Err(Stop::Report(report)) => {
                    self.waits = true;
                    return Move::Report(*report);
                }
                Err(Stop::Pause) => return Move::Pause,
                Err(Stop::Fail) => return Move::Last(self.failure()),
            }
        }
        Move::Last(self.end())
    }

    /// True: it is done; false: once more.
    fn play(&mut self, op: Op, run: &Run) -> Result<bool, Stop> {
        let id = self.invocation;
        match op {
            Op::Publish => self.sync(Function::Publish { event: event("Seen", json!({ "by": id })) })?,
            Op::Commit => self.sync(Function::Commit)?,
            Op::Sleep(duration) => self.sync(Function::Sleep { duration, answer: false })?,
            Op::Wait => {
                let requirements = [("to".to_owned(), json!(id))].into();
                let request = Some(event("Ask", json!({ "by": id })));
                self.sync(Function::Wait(Wait { name: "Answer".into(), id: None, requirements, timeout: None, request, answer: None }))?
            }
            Op::Collect => {
                let expected = vec!["Item".into(), "Item".into()];
                self.sync(Function::Collect { id: None, expected, event: event("Item", json!({ "of": id })), answer: None })?
            }
            Op::Memo => self.memo()?,
            Op::Set => {
                let path = format!("set.{id}");
                let is_recorded = self.local(Function::Set { path: path.clone() }).1;
                if !is_recorded || self.next > self.committed {
                    self.own.push(Buffered::Set { path, value: raw(&json!(self.attempt)) });
                }
                Function::Log
            }
            Op::Edit => return self.edit(run),
            Op::FailBefore(attempt) if self.attempt < attempt => return Err(Stop::Fail),
            Op::FailBefore(_) => Function::Log,
        };
        Ok(true)
    }

    /// Keeps a value, unless there is one.
    fn memo(&mut self) -> Result<Function, Stop> {
        if self.found.is_none() {
            let answer = self.has_memo.then(|| raw(&json!(self.invocation)));
            let (function, _) = self.local(Function::LookUp { name: "memo".into(), answer });
            let Function::LookUp { answer, .. } = function else { unreachable!("matched by identity") };
            self.found = Some(answer.is_some());
        }
        if self.found == Some(false) {
            self.sync(Function::Keep { name: "memo".into(), value: raw(&json!(self.invocation)) })?;
        }
        self.found = None;
        self.has_memo = true;
        Ok(Function::Log)
    }

    /// Adds one to the count.
    fn edit(&mut self, run: &Run) -> Result<bool, Stop> {
        if self.begun.is_none() {
            let answer = run.edit_begin("count", &self.own).expect("a path");
            let (function, is_recorded) = self.local(Function::EditBegin { path: "count".into(), answer });
            let Function::EditBegin { answer: (version, value), .. } = function else { unreachable!("matched by identity") };
            self.begun = Some((version, value.map_or(0, |value| value.get().parse().expect("a number"))));
            if !is_recorded {
                // Others have time to change it too.
                return Err(Stop::Pause);
            }
        }
        let (version, count) = self.begun.expect("set above");
        let kept = self.own.clone();
        let commit = Function::EditCommit { path: "count".into(), version, value: raw(&json!(count + 1)), answer: None };
        let Function::EditCommit { answer, .. } = self.sync(commit)? else { unreachable!("matched by identity") };
        self.begun = None;
        if answer == Some(false) {
            self.own = kept;
        }
        Ok(answer == Some(true))
    }

    /// A call that is recorded with the next report; whether it came from the log.
    fn local(&mut self, function: Function) -> (Function, bool) {
        if let Some(function) = self.replayed(&function) {
            return (function, true);
        }
        self.calls.push(Call { ordinal: self.next, at: self.at, function: function.clone() });
        self.next += 1;
        (function, false)
    }

    /// A call that the instance waits in.
    fn sync(&mut self, function: Function) -> Result<Function, Stop> {
        if let Some(answer) = self.answer.take() {
            return Ok(answer);
        }
        if let Some(function) = self.replayed(&function) {
            return Ok(function);
        }
        let commit = function.is_commit_point().then(|| Commit { effects: std::mem::take(&mut self.own) });
        self.local(function);
        let calls = std::mem::take(&mut self.calls);
        Err(Stop::Report(Box::new(Input::StepProgressed { invocation: self.invocation, attempt: self.attempt, calls, commit })))
    }

    fn replayed(&mut self, function: &Function) -> Option<Function> {
        let call = self.log.pop_front()?;
        assert_eq!(call.function.identity(), function.identity(), "the log is that of this step");
        assert!(call.at >= self.at, "a clock never goes back");
        self.at = call.at;
        self.next += 1;
        Some(call.function)
    }

    fn failure(&self) -> Input {
        let failure =
            Failure { kind: "Oops".into(), message: "oops".into(), retryable: true, retry_after: None, keep_answers: true, trace: None };
        Input::StepFailed { invocation: self.invocation, attempt: self.attempt, failure, usage: Usage::default() }
    }

    fn end(&mut self) -> Input {
        let first = self.events.first().map(payload).unwrap_or_default();
        let events = match &*self.step {
            "begin" => (0..first["n"].as_u64().expect("n")).map(|i| event("Work", json!({ "i": i }))).collect(),
            "work" => vec![event("Done", first)],
            "join" => vec![event("Sum", json!({ "items": self.events.iter().map(|it| payload(it)["i"].clone()).collect::<Vec<_>>() }))],
            "last" => vec![event("StopEvent", json!({ "result": first["items"] }))],
            _ => Vec::new(),
        };
        let commit = Commit { effects: std::mem::take(&mut self.own) };
        let calls = std::mem::take(&mut self.calls);
        Input::StepReturned { invocation: self.invocation, attempt: self.attempt, calls, commit, events, usage: Usage::default() }
    }
}
