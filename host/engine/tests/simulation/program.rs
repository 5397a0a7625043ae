//! Tiny step programs, and the instances that run them on the guest's side of an attempt, as a host does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use wf_engine::attempt::{self, Answer, Attempt, Limits, Next, Request};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Chunk, Commit, Event, Failure, Input, InvocationId, Micros, Response, Usage};
use wf_engine::json::{empty, to_json};
use wf_engine::run::Run;

use crate::outside::{Came, is_last, sending};

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
    /// Makes a request, and has its answer open.
    Ask,
    /// Reads a part of an answer that is open.
    Read,
    /// Fails in the attempts before this one.
    FailBefore(u32),
}

/// What a guest has seen: answers by ordinal.
pub type Saw = BTreeMap<u32, String>;

/// One entry into an attempt.
pub struct Instance {
    pub attempt: Attempt,
    pub waits: bool,
    /// It has a request that leaves once this many entries are durable.
    pub leaves: Option<(usize, String)>,
    /// What comes of the outside, and when.
    pub comes: Option<(Micros, Came)>,
    /// The bodies that this entry itself can read, by their requests: their sendings.
    pub bodies: BTreeMap<u32, usize>,
    /// What was read, by sending.
    pub heard: BTreeMap<usize, Vec<Chunk>>,
    /// What to go on with: the answer of the call that it waited in.
    answer: Option<Next>,
    /// The requests whose answers it has open, and their sendings.
    open: Vec<(u32, usize)>,
    /// How many requests it has made.
    asked: u32,
    /// Whether an answer that was cut ends the attempt.
    gives_up: bool,
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
    /// It waits until a request may leave.
    Leave(String),
    /// It waits for more of an answer.
    Read(usize),
    /// It computes.
    Pause,
}

/// Why a program does not go on at once.
enum Stop {
    Report(Box<Input>),
    Leave(String),
    Read(usize),
    Pause,
    Fail(Failure),
}

/// Attempts before this one may fail because an answer was cut.
const PATIENT: u32 = 3;

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
        // Each edit of an attempt counts: how many there are must follow from the program alone.
        let edits = program.iter().any(|op| matches!(op, Op::Edit | Op::Alone | Op::Beside));
        Instance {
            events: invoke.events.to_vec(),
            gives_up: !edits && invoke.attempt < PATIENT,
            attempt: Attempt::new(invoke, limits()),
            waits: false,
            leaves: None,
            comes: None,
            bodies: BTreeMap::new(),
            heard: BTreeMap::new(),
            answer: None,
            open: Vec::new(),
            asked: 0,
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

    /// Whether it can go on by itself.
    pub fn is_ready(&self, at: Micros, synced: usize) -> bool {
        let leaves = self.leaves.as_ref().is_none_or(|(after, _)| *after <= synced);
        !self.waits && leaves && self.comes.as_ref().is_none_or(|(then, _)| *then <= at)
    }

    /// The call that it waits in is answered.
    pub fn answered(&mut self, call: Call) {
        assert!(self.waits, "who is answered waits");
        self.waits = false;
        self.answer = Some(self.attempt.answered(call));
    }

    /// Goes on to its next report.
    pub fn go_on(&mut self, run: &Run) -> Move {
        if let Some((_, came)) = self.comes.take() {
            self.answer = Some(self.came(came));
        }
        while let Some(op) = self.ops.front().copied() {
            match self.play(op, run) {
                Ok(true) => drop(self.ops.pop_front()),
                Ok(false) => (),
                Err(Stop::Report(report)) => {
                    self.waits = true;
                    return Move::Report(*report);
                }
                Err(Stop::Leave(target)) => return Move::Leave(target),
                Err(Stop::Read(sending)) => return Move::Read(sending),
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
            Op::Ask => self.ask(run)?,
            Op::Read => self.read(run)?,
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

    /// Makes a request that no other one is as.
    fn ask(&mut self, run: &Run) -> Result<(), Stop> {
        let target = format!("GET http://outside/{}/{}/{}", self.id(), self.attempt.attempt, self.asked);
        let (request, response) = self.call(Request::Outside { target, options: empty() }, run)?.response().expect("an answer");
        self.asked += 1;
        if let Response::Head(_) = &response {
            self.open.push((request, sending(&response)));
        }
        Ok(())
    }

    /// Reads on in one of the answers. One whose connection went with another entry gives what was recorded, and no more.
    fn read(&mut self, run: &Run) -> Result<(), Stop> {
        if self.open.is_empty() {
            return Ok(());
        }
        let place = self.calls as usize % self.open.len();
        let (request, sending) = self.open[place];
        let is_new = self.answer.is_none() && !self.attempt.has_recorded();
        let is_cut = is_new && !self.bodies.contains_key(&request);
        let told = self.told(Request::ReadBody { request }, run);
        assert!(!is_cut || matches!(told, Ok(Err(_))), "what was cut is not read on");
        match told? {
            Ok(answer) => {
                let part = answer.chunk().expect("a part");
                if is_last(&part) {
                    self.open.remove(place);
                }
                self.heard.entry(sending).or_default().push(part);
            }
            Err(failure) => {
                assert!(is_cut || !is_new, "it was not cut");
                assert_eq!((failure.kind.as_str(), failure.retryable), ("interrupted", true));
                self.open.remove(place);
                if self.gives_up {
                    return Err(Stop::Fail(failure));
                }
            }
        }
        Ok(())
    }

    /// Something comes of the outside.
    fn came(&mut self, came: Came) -> Next {
        match came {
            Came::Answer(sending, response) => {
                if let Response::Head(_) = response {
                    self.bodies.insert(self.attempt.calls(), sending);
                }
                self.attempt.performed(response)
            }
            Came::Part(part) => self.attempt.received(part),
        }
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

    /// A call that nothing speaks against.
    fn call(&mut self, request: Request, run: &Run) -> Result<Answer, Stop> {
        Ok(self.told(request, run)?.expect("nothing is refused"))
    }

    /// A call, answered from the log, by the run's state, by the fold, or by the outside.
    fn told(&mut self, request: Request, run: &Run) -> Result<Result<Answer, Failure>, Stop> {
        let at = self.attempt.at();
        let mut next = self.answer.take().unwrap_or_else(|| self.attempt.call(request, at));
        loop {
            assert!(self.attempt.at() >= at, "a clock never goes back");
            next = match next {
                Next::Answer(answer) => return Ok(self.see(answer)),
                Next::Read { query, mut own } => {
                    let answer = run.query(&query, &mut own);
                    self.attempt.read(answer, own)
                }
                Next::Progress { calls, commit } => return Err(Stop::Report(Box::new(self.progressed(calls, commit)))),
                Next::Perform(attempt::Outside::Request { target, .. }) => return Err(Stop::Leave(target)),
                Next::Perform(attempt::Outside::Read { request }) => {
                    return Err(Stop::Read(*self.bodies.get(&request).expect("no body of another entry is read")));
                }
                Next::Fail(failure) => panic!("{failure:?}"),
            };
        }
    }

    fn see(&mut self, answer: Result<Answer, Failure>) -> Result<Answer, Failure> {
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
pub fn shown(answer: &Result<Answer, Failure>) -> String {
    format!("{answer:?}")
}
