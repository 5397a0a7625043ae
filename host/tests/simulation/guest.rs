//! Instances that play small scripts on the guest's side of an attempt, as the runtime does.

use std::collections::VecDeque;

use serde_json::{Value, json};
use wf_engine::attempt::{self, Answer, Attempt, Limits, Next, Request};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Chunk, Failure, Function, InvocationId, Micros, Response, Usage};
use wf_engine::json::empty;
use wf_host::machine::{Report, Reported, Worker};

/// What a step does, one after the other: the start event says it.
const SCRIPTS: [&str; 13] = ["ask", "publish", "set", "sleep", "long", "wait", "fail", "commit", "memo", "note", "big", "edit", "timed"];

/// Longest time that the outside takes.
const SLOW_MAX: usize = 4_000_000;

/// One entry into an attempt.
pub struct Guest {
    attempt: Attempt,
    ops: VecDeque<String>,
    /// The answer of the call that it waited in.
    next: Option<Next>,
    /// The ordinal of the call that it waits in.
    waits: Option<u32>,
    /// It has something to say to the outside, and waits until it may.
    leaves: bool,
    /// What comes of the outside, and when.
    comes: Option<(Micros, Came)>,
}

/// What the outside gives.
enum Came {
    Answer(Response),
    Part(Chunk),
}

/// The outside takes its time, breaks off, and says things twice.
struct Outside<'a> {
    at: Micros,
    chance: &'a mut dyn FnMut(usize) -> usize,
}

impl Outside<'_> {
    /// Now, or up to so much later.
    fn when(&mut self) -> Micros {
        let slow = (self.chance)(4) == 0;
        self.at + if slow { (self.chance)(SLOW_MAX) as Micros } else { 0 }
    }

    fn answer(&mut self) -> (Micros, Came) {
        let response = match (self.chance)(4) {
            0 => Response::Failed(Failure::new("network", "cut", true)),
            _ => Response::Head(empty()),
        };
        (self.when(), Came::Answer(response))
    }

    /// The same part may come again and again: what was recorded of it is told as often.
    fn part(&mut self) -> (Micros, Came) {
        let part = match (self.chance)(5) {
            0 => Chunk::Failed(Failure::new("network", "cut", true)),
            1 | 2 => Chunk::End,
            _ => Chunk::of(b"part"),
        };
        (self.when(), Came::Part(part))
    }
}

/// What it does next.
pub enum Move {
    /// It reports, and waits for the answer, unless it has published.
    Report(Report),
    /// It waits until it may say something to the outside.
    Leave(InvocationId, u32),
    /// It waits for the outside.
    Wait,
    /// It reports, and is gone.
    Last(Report),
}

/// A manifest whose steps play what their event's `ops` say.
pub fn manifest(timeout: Option<f64>) -> Value {
    json!({
        "name": "play", "timeout": timeout,
        "events": [
            { "name": "Seen", "kind": "plain" }, { "name": "Ask", "kind": "input-required" }, { "name": "Answer", "kind": "human-response" },
            { "name": "Note", "kind": "human-response" },
        ],
        "additional_events": ["Answer"],
        "steps": [
            { "name": "play", "accepts": ["StartEvent"], "emits": ["StopEvent"], "sends": ["Seen"],
              "retry": { "delay": 0.3, "attempts_max": 6 } },
            { "name": "note", "accepts": ["Note"] },
        ],
    })
}

/// A script at random.
pub fn script(mut chance: impl FnMut(usize) -> usize) -> Vec<&'static str> {
    let op_count = chance(6);
    // What is large is rare: it costs most of the time.
    let mut op = || match SCRIPTS[chance(SCRIPTS.len())] {
        "big" if chance(8) > 0 => "set",
        op => op,
    };
    (0..op_count).map(|_| op()).collect()
}

impl Guest {
    pub fn enter(invoke: Invoke) -> Guest {
        let start: Value = serde_json::from_str(invoke.events[0].payload.get()).expect("JSON");
        let ops = start["ops"].as_array().into_iter().flatten().map(|op| op.as_str().expect("a text").to_owned()).collect();
        let limits = Limits {
            payload_max: 1 << 20,
            value_max: 1 << 20,
            state_max: 1 << 22,
            events_max: 100,
            buffered_max: 64 << 20,
            calls_max: 1000,
        };
        Guest { attempt: Attempt::new(invoke, limits), ops, next: None, waits: None, leaves: false, comes: None }
    }

    /// Whether it can go on by itself.
    pub fn is_ready(&self, at: Micros) -> bool {
        self.waits.is_none() && !self.leaves && self.comes.as_ref().is_none_or(|(then, _)| *then <= at)
    }

    /// A call is answered, whether or not it waits for that.
    pub fn answered(&mut self, call: Call) {
        if self.waits.take_if(|ordinal| *ordinal == call.ordinal).is_some() {
            self.next = Some(self.attempt.answered(call));
        }
    }

    /// It may say to the outside what it has to: what comes of that is known when it goes on. Gives whose it is, and how many calls
    /// came before.
    pub fn may_leave(&mut self, at: Micros, chance: &mut dyn FnMut(usize) -> usize) -> (u32, u32) {
        assert!(std::mem::take(&mut self.leaves), "nobody asked");
        self.comes = Some(Outside { at, chance }.answer());
        (self.attempt.attempt, self.attempt.calls())
    }

    /// Goes on to its next report.
    pub fn go_on<T>(&mut self, worker: &Worker<T>, now: Micros, chance: &mut dyn FnMut(usize) -> usize) -> Move {
        match self.comes.take() {
            Some((_, Came::Answer(response))) => self.next = Some(self.attempt.performed(response)),
            Some((_, Came::Part(part))) => self.next = Some(self.attempt.received(part)),
            None => (),
        }
        while let Some(op) = self.ops.front().cloned() {
            if op == "fail" && self.attempt.attempt < 2 {
                return Move::Last(self.report(|attempt| Reported::Failed {
                    calls: attempt.failed(),
                    failure: Failure::new("Oops", "oops".to_owned(), true),
                    usage: Usage::default(),
                }));
            }
            let at = self.attempt.at();
            let mut next = match (self.next.take(), request(&op)) {
                (Some(next), _) => next,
                (None, Some(request)) => self.attempt.call(request, at),
                (None, None) => {
                    self.ops.pop_front();
                    continue;
                }
            };
            loop {
                next = match next {
                    Next::Answer(answer) => {
                        self.see(&op, answer);
                        break;
                    }
                    Next::Read { query, mut own } => {
                        let answer = worker.query(&query, &mut own);
                        self.attempt.read(answer, own)
                    }
                    Next::Progress { calls, commit } => {
                        let last = calls.last().expect("something is reported").clone();
                        match last.function {
                            Function::Publish { .. } => self.next = Some(self.attempt.answered(last)),
                            _ => self.waits = Some(last.ordinal),
                        }
                        return Move::Report(self.report(|_| Reported::Progressed { calls, commit, usage: Usage::default() }));
                    }
                    Next::Perform(attempt::Outside::Request { .. }) => {
                        self.leaves = true;
                        return Move::Leave(self.attempt.invocation, self.attempt.attempt);
                    }
                    Next::Perform(attempt::Outside::Read { .. }) => {
                        self.comes = Some(Outside { at: now, chance: &mut *chance }.part());
                        return Move::Wait;
                    }
                    Next::Fail(failure) => panic!("{failure:?}"),
                };
            }
        }
        Move::Last(self.end())
    }

    /// An edit goes on with what it has begun.
    fn see(&mut self, op: &str, answer: Result<Answer, Failure>) {
        self.ops.pop_front();
        match op {
            "edit" => {
                let (version, _) = answer.and_then(Answer::edit).expect("an edit is begun");
                self.ops.push_front(format!("commit-edit {version}"));
            }
            "ask" => match answer.and_then(Answer::response).expect("it is answered") {
                (request, Response::Head(_)) => self.ops.push_front(format!("read {request}")),
                (_, Response::Failed(_)) => (),
            },
            // A crash may have cut it, or the outside.
            op if op.starts_with("read ") => {
                if let Ok(Chunk::Data(_)) = answer.and_then(Answer::chunk) {
                    self.ops.push_front(op.to_owned());
                }
            }
            // Nobody may answer in time.
            "timed" => drop(answer),
            _ => drop(answer.expect("nothing is refused")),
        }
    }

    fn end(&mut self) -> Report {
        let events = match &*self.attempt.step {
            "play" => vec![("StopEvent".to_owned(), r#"{"result":"played"}"#.to_owned())],
            _ => Vec::new(),
        };
        self.report(|attempt| {
            let (calls, commit, events) = attempt.returned(events).expect("it may return");
            Reported::Returned { calls, commit, events, usage: Usage::default() }
        })
    }

    fn report(&mut self, what: impl FnOnce(&mut Attempt) -> Reported) -> Report {
        let (invocation, attempt) = (self.attempt.invocation, self.attempt.attempt);
        Report { invocation, attempt, what: what(&mut self.attempt) }
    }
}

/// The call that an operation makes; none: it makes none.
fn request(op: &str) -> Option<Request> {
    let text = str::to_owned;
    Some(match op {
        "publish" => Request::Publish { name: text("Seen"), payload: text("{}") },
        "set" => Request::Set { path: text("set"), value: text("1") },
        // So large that a snapshot is due.
        "big" => Request::Keep { name: text("big"), value: format!("{:?}", "x".repeat(70_000)) },
        "memo" => Request::Keep { name: text("memo"), value: text("1") },
        "sleep" => Request::Sleep { duration: 40_000 },
        "long" => Request::Sleep { duration: 3_000_000 },
        "wait" => Request::Wait { options: json!({ "type": "Answer", "request": { "name": "Ask", "payload": "{}" } }).to_string() },
        "timed" => Request::Wait { options: json!({ "type": "Answer", "id": "timed", "timeout": 2.0 }).to_string() },
        "commit" => Request::Commit,
        "ask" => Request::Outside { target: text("GET http://a/"), options: empty() },
        "note" => Request::Send { name: text("Seen"), payload: text("{}"), options: text("{}") },
        "edit" => Request::EditBegin { path: text("edit") },
        op if op.starts_with("read ") => Request::ReadBody { request: op["read ".len()..].parse().expect("a number") },
        op => match op.strip_prefix("commit-edit ") {
            Some(version) => Request::EditCommit { path: text("edit"), version: version.parse().expect("a number"), value: text("2") },
            None => return None,
        },
    })
}
