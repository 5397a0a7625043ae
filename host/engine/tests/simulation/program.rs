//! Tiny step programs, and the instances that run them on the guest's side of an attempt, as a host does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use wf_engine::attempt::{Answer, Attempt, Limits, Next, Request};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Commit, Event, Failure, Input, InvocationId, Micros, Usage};
use wf_engine::json::to_json;
use wf_engine::run::Run;

/// What a step does, one after the other.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Publish,
    /// Adds one to `count` in an atomic edit, until it does not conflict.
    Edit,
    /// Adds one to `alone` in an exclusive edit.
    Alone,
    /// Adds one to `alone` as `Edit` does.
    Beside,
    /// Sets a key of its own, buffered, to be seen after the next commit.
    Set,
    /// Reads the count, whatever it is then.
    Get,
    Sleep(Micros),
    /// Asks for its variables, which are others at every entry.
    Variables,
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

/// What a guest has seen: answers by ordinal.
pub type Saw = BTreeMap<u32, String>;

/// One entry into an attempt.
pub struct Instance {
    pub attempt: Attempt,
    pub waits: bool,
    /// What to go on with: the answer of the call that it waited in.
    answer: Option<Next>,
    events: Vec<Event>,
    ops: VecDeque<Op>,
    /// How many calls it has made.
    calls: u32,
    /// What an edit, or a look-up before a keep, has found.
    begun: Option<(u64, u64)>,
    found: Option<bool>,
    pub saw: Saw,
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

/// Why a program does not go on at once.
enum Stop {
    Report(Box<Input>),
    Pause,
    Fail(Failure),
}

pub fn event(name: &str, payload: Value) -> Event {
    Event { name: name.into(), payload: to_json(&payload) }
}

pub fn payload(event: &Event) -> Value {
    serde_json::from_str(event.payload.get()).expect("JSON")
}

fn limits() -> Limits {
    Limits { payload_max: 1 << 20, value_max: 1 << 20, state_max: 1 << 20, events_max: 100, buffered_max: 64 << 20, calls_max: 1000 }
}

impl Instance {
    pub fn enter(invoke: Invoke, program: &[Op]) -> Instance {
        Instance {
            events: invoke.events.to_vec(),
            attempt: Attempt::new(invoke, limits()),
            waits: false,
            answer: None,
            ops: program.iter().copied().collect(),
            calls: 0,
            begun: None,
            found: None,
            saw: Saw::new(),
        }
    }

    pub fn id(&self) -> InvocationId {
        self.attempt.invocation
    }

    /// The call that it waits in is answered.
    pub fn answered(&mut self, call: Call) {
        assert!(self.waits, "who is answered waits");
        self.waits = false;
        self.answer = Some(self.attempt.answered(call));
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
                Err(Stop::Fail(failure)) => return Move::Last(self.failure(failure)),
            }
        }
        Move::Last(self.end())
    }

    /// True: it is done; false: once more.
    fn play(&mut self, op: Op, run: &Run) -> Result<bool, Stop> {
        let id = self.id();
        let own = || json!({ "by": id }).to_string();
        let name = |name: &str| name.to_owned();
        match op {
            Op::Publish => self.call(Request::Publish { name: name("Seen"), payload: own() }, run).map(drop)?,
            Op::Commit => self.call(Request::Commit, run).map(drop)?,
            Op::Sleep(duration) => self.call(Request::Sleep { duration }, run).map(drop)?,
            Op::Get => self.call(Request::Get { path: name("count") }, run).map(drop)?,
            Op::Wait => {
                let request = json!({ "name": "Ask", "payload": own() });
                let options = json!({ "type": "Answer", "requirements": { "to": id }, "request": request });
                self.call(Request::Wait { options: options.to_string() }, run).map(drop)?;
            }
            Op::Collect => {
                let options = json!({ "expected": [["Item", 2]] }).to_string();
                let nth = self.ops.iter().filter(|op| matches!(op, Op::Collect)).count();
                let payload = json!({ "of": [id, nth] }).to_string();
                self.call(Request::Collect { name: name("Item"), payload, options }, run).map(drop)?;
            }
            Op::Set => {
                let value = self.attempt.attempt.to_string();
                self.call(Request::Set { path: format!("set.{id}"), value }, run).map(drop)?;
            }
            Op::Variables => {
                static ASKED: AtomicU64 = AtomicU64::new(0);
                let number = ASKED.fetch_add(1, Ordering::Relaxed).to_string();
                let values = BTreeMap::from([("NUMBER".to_owned(), number)]).into();
                self.call(Request::Variables { values }, run).map(drop)?;
            }
            Op::Memo => self.memo(run)?,
            Op::Edit => return self.edit("count", run),
            Op::Beside => return self.edit("alone", run),
            Op::Alone => self.alone(run)?,
            Op::FailBefore(attempt) if self.attempt.attempt < attempt => return Err(Stop::Fail(Failure::new("Oops", "oops", true))),
            Op::FailBefore(_) => (),
        }
        Ok(true)
    }

    /// Keeps a value, unless there is one.
    fn memo(&mut self, run: &Run) -> Result<(), Stop> {
        let (name, value) = ("memo".to_owned(), self.id().to_string());
        if self.found.is_none() {
            let found = self.call(Request::LookUp { name: name.clone() }, run)?.value().expect("a value");
            self.found = Some(found.is_some());
        }
        if self.found == Some(false) {
            self.call(Request::Keep { name, value }, run)?;
        }
        self.found = None;
        Ok(())
    }

    /// Adds one to a count.
    fn edit(&mut self, path: &str, run: &Run) -> Result<bool, Stop> {
        if self.begun.is_none() {
            let (version, value) = self.call(Request::EditBegin { path: path.into() }, run)?.edit().expect("an edit");
            self.begun = Some((version, value.map_or(0, |value| value.get().parse().expect("a number"))));
            // Others have time to change it too.
            return Err(Stop::Pause);
        }
        let (version, count) = self.begun.expect("set above");
        let commit = Request::EditCommit { path: path.into(), version, value: (count + 1).to_string() };
        let committed = self.call(commit, run)?.committed().expect("an answer");
        self.begun = None;
        Ok(committed)
    }

    /// Adds one to what nobody else changes meanwhile.
    fn alone(&mut self, run: &Run) -> Result<(), Stop> {
        if self.begun.is_none() {
            let (version, value) = self.call(Request::EditExclusive { path: "alone".into() }, run)?.edit().expect("an edit");
            self.begun = Some((version, value.map_or(0, |value| value.get().parse().expect("a number"))));
            return Err(Stop::Pause);
        }
        let (version, count) = self.begun.expect("set above");
        let commit = Request::EditCommit { path: "alone".into(), version, value: (count + 1).to_string() };
        assert!(self.call(commit, run)?.committed().expect("an answer"), "an exclusive edit never conflicts");
        self.begun = None;
        Ok(())
    }

    /// A call, answered from the log, by the run's state, or by the fold.
    fn call(&mut self, request: Request, run: &Run) -> Result<Answer, Stop> {
        let at = self.attempt.at();
        let mut next = self.answer.take().unwrap_or_else(|| self.attempt.call(request, at));
        loop {
            assert!(self.attempt.at() >= at, "a clock never goes back");
            next = match next {
                Next::Answer(answer) => return Ok(self.see(answer.expect("nothing is refused"))),
                Next::Read { query, mut own } => {
                    let answer = run.query(&query, &mut own);
                    self.attempt.read(answer, own)
                }
                Next::Progress { calls, commit } => return Err(Stop::Report(Box::new(self.progressed(calls, commit)))),
                Next::Perform(outside) => panic!("nothing outside is asked: {outside:?}"),
                Next::Fail(failure) => panic!("{failure:?}"),
            };
        }
    }

    fn see(&mut self, answer: Answer) -> Answer {
        self.saw.insert(self.calls, shown(&answer));
        self.calls += 1;
        answer
    }

    fn progressed(&self, calls: Vec<Call>, commit: Option<Commit>) -> Input {
        Input::StepProgressed { invocation: self.id(), attempt: self.attempt.attempt, calls, commit, usage: Usage::default() }
    }

    fn failure(&mut self, failure: Failure) -> Input {
        let (invocation, attempt, calls) = (self.id(), self.attempt.attempt, self.attempt.failed());
        Input::StepFailed { invocation, attempt, calls, failure, usage: Usage::default() }
    }

    fn end(&mut self) -> Input {
        let first = self.events.first().map(payload).unwrap_or_default();
        let events: Vec<Event> = match &*self.attempt.step {
            "begin" => (0..first["n"].as_u64().expect("n")).map(|i| event("Work", json!({ "i": i }))).collect(),
            "work" => vec![event("Done", first)],
            "join" => vec![event("Sum", json!({ "items": self.events.iter().map(|it| payload(it)["i"].clone()).collect::<Vec<_>>() }))],
            "last" => vec![event("StopEvent", json!({ "result": first["items"] }))],
            _ => Vec::new(),
        };
        let events = events.into_iter().map(|event| (event.name.to_string(), event.payload.get().to_owned())).collect();
        let (calls, commit, events) = self.attempt.returned(events).expect("it may return");
        let (invocation, attempt) = (self.id(), self.attempt.attempt);
        Input::StepReturned { invocation, attempt, calls, commit, events, usage: Usage::default() }
    }
}

/// An answer as the guest sees it.
fn shown(answer: &Answer) -> String {
    format!("{answer:?}")
}
