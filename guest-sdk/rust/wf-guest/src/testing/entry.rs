//! One entry into an attempt: the step runs on a thread of its own, and only while the world waits for it.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use wf_engine::attempt::{Answer, Attempt, Limits, Next, Outside, Query, ReadAnswer, Request, RunInfo};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Chunk, Commit, Event, Failure, Micros, Response};
use wf_engine::state::Overlay;
use wf_engine::text::{self, Refused};

use super::Line;
use super::outside::HttpRequest;
use crate::RawEvent;

/// A workflow's `invoke`.
pub(super) type Step = fn(&str, Vec<RawEvent>) -> crate::Result<Vec<RawEvent>>;

/// As a host that is not configured.
pub(super) const LIMITS: Limits = Limits {
    payload_max: 4 << 20,
    value_max: 4 << 20,
    state_max: 16 << 20,
    events_max: 10_000,
    buffered_max: 64 << 20,
    calls_max: 100_000,
};

/// What a step says to the world, which waits for it.
pub(super) enum Report {
    Read {
        query: Query,
        own: Overlay,
    },
    /// Where the last call suspends, the thread has ended.
    Progressed {
        calls: Vec<Call>,
        commit: Option<Commit>,
        /// It reads an answer, which a restart would cut.
        reads: bool,
    },
    /// It makes a request.
    Asked(HttpRequest),
    Logged(Line),
    Returned {
        calls: Vec<Call>,
        commit: Commit,
        events: Vec<Event>,
    },
    Failed {
        calls: Vec<Call>,
        failure: Failure,
    },
}

/// What the world says to it.
pub(super) enum Reply {
    Read(Result<ReadAnswer, Refused>, Overlay),
    Answered(Call),
    /// The head, and what is read of the body.
    Came(Response, VecDeque<Chunk>),
}

/// The world's end of an entry.
pub(super) struct Entry {
    pub attempt: u32,
    pub reports: Receiver<Report>,
    replies: Option<Sender<Reply>>,
    thread: Option<JoinHandle<()>>,
}

/// The step's end.
struct Current {
    attempt: Attempt,
    info: Arc<RunInfo>,
    clock: Micros,
    reports: Sender<Report>,
    replies: Receiver<Reply>,
    variables: Arc<BTreeMap<String, String>>,
    /// What the call that is made asks for.
    asked: Option<HttpRequest>,
    /// What is still to be read, by the number of the request.
    bodies: BTreeMap<u32, VecDeque<Chunk>>,
}

/// Unwinds a step whose entry is over.
struct Over;

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

impl Entry {
    pub(super) fn begin(step: Step, invoke: Invoke, info: Arc<RunInfo>, variables: Arc<BTreeMap<String, String>>) -> Entry {
        let (reports, from_step) = channel();
        let (replies, to_step) = channel();
        let attempt = invoke.attempt;
        let begin = move || run(step, invoke, info, variables, reports, to_step);
        let thread = thread::Builder::new().name("a step".to_owned()).spawn(begin).expect("a thread can be made");
        Entry { attempt, reports: from_step, replies: Some(replies), thread: Some(thread) }
    }

    pub(super) fn reply(&self, reply: Reply) {
        // A step that is gone says so in its next report.
        if let Some(replies) = &self.replies {
            let _ = replies.send(reply);
        }
    }
}

impl Drop for Entry {
    /// A step that still waits for a reply is unwound.
    fn drop(&mut self) {
        drop(self.replies.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn run(
    step: Step,
    invoke: Invoke,
    info: Arc<RunInfo>,
    variables: Arc<BTreeMap<String, String>>,
    reports: Sender<Report>,
    replies: Receiver<Reply>,
) {
    let (name, clock) = (invoke.step.clone(), invoke.started_at);
    let given = |event: &Event| RawEvent { name: event.name.to_string(), payload: event.payload.get().to_owned() };
    let events = invoke.events.iter().map(given).collect();
    let current = Current {
        attempt: Attempt::new(invoke, LIMITS),
        info,
        clock,
        reports: reports.clone(),
        replies,
        variables,
        asked: None,
        bodies: BTreeMap::new(),
    };
    CURRENT.set(Some(current));
    let called = catch_unwind(AssertUnwindSafe(|| step(&name, events)));
    let Some(mut current) = CURRENT.take() else { return };
    let ended = match called {
        Ok(Ok(events)) => current.attempt.returned(events.into_iter().map(|event| (event.name, event.payload)).collect()),
        Ok(Err(failure)) => {
            let failure = failure.into_host();
            Err(Failure::from_guest(failure.kind, failure.message, &failure.details))
        }
        Err(panic) if panic.is::<Over>() => return,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Failure::new("panic", text.unwrap_or("a panic without a message"), true))
        }
    };
    // Nobody hears it where the run has ended.
    let _ = reports.send(match ended {
        Ok((calls, commit, events)) => Report::Returned { calls, commit, events },
        Err(failure) => Report::Failed { calls: current.attempt.failed(), failure },
    });
}

/// Does something with the attempt that this thread runs.
fn with<T>(act: impl FnOnce(&mut Current) -> T) -> T {
    CURRENT.with_borrow_mut(|current| match current {
        Some(current) => act(current),
        None => panic!("a context lives in a run: start one with `wf_guest::testing::Test`"),
    })
}

/// Makes a call of the contract.
pub(super) fn call(request: Request) -> Result<Answer, Failure> {
    // The borrow ends before the unwinding begins: destructors may call again.
    with(|current| current.call(request)).unwrap_or_else(|over| resume_unwind(Box::new(over)))
}

impl Current {
    fn call(&mut self, request: Request) -> Result<Result<Answer, Failure>, Over> {
        let mut next = self.attempt.call(request, self.clock);
        loop {
            self.clock = self.clock.max(self.attempt.at());
            next = match next {
                Next::Answer(answer) => return Ok(answer),
                Next::Read { query, own } => match self.ask(Report::Read { query, own })? {
                    Reply::Read(answer, own) => self.attempt.read(answer, own),
                    _ => return Err(Over),
                },
                Next::Progress { calls, commit } => {
                    let reads = !self.bodies.is_empty();
                    match self.ask(Report::Progressed { calls, commit, reads })? {
                        Reply::Answered(call) => self.attempt.answered(call),
                        _ => return Err(Over),
                    }
                }
                Next::Perform(Outside::Request { .. }) => {
                    let asked = self.asked.take().unwrap_or_default();
                    let Reply::Came(response, body) = self.ask(Report::Asked(asked))? else { return Err(Over) };
                    if matches!(response, Response::Head(_)) {
                        self.bodies.insert(self.attempt.calls(), body);
                    }
                    self.attempt.performed(response)
                }
                Next::Perform(Outside::Read { request }) => {
                    let closed = || Chunk::Failed(Failure::new("invalid", format!("the answer to request {request} was closed"), false));
                    let chunk = self.bodies.get_mut(&request).and_then(VecDeque::pop_front).unwrap_or_else(closed);
                    if !matches!(chunk, Chunk::Data(_)) {
                        self.bodies.remove(&request);
                    }
                    self.attempt.received(chunk)
                }
                Next::Fail(failure) => return Err(self.fail(failure)),
            }
        }
    }

    fn fail(&mut self, failure: Failure) -> Over {
        let calls = self.attempt.failed();
        // Nobody hears it where the run has ended.
        let _ = self.reports.send(Report::Failed { calls, failure });
        Over
    }

    fn ask(&self, report: Report) -> Result<Reply, Over> {
        self.reports.send(report).map_err(|_| Over)?;
        self.replies.recv().map_err(|_| Over)
    }
}

pub(super) fn now() -> Micros {
    with(|current| {
        current.clock += 1;
        current.clock
    })
}

/// Takes note of what the next call asks for.
pub(super) fn ask(request: Option<HttpRequest>) {
    with(|current| current.asked = request);
}

/// Lets go of an answer; also as the step is unwound.
pub(super) fn close(request: u32) {
    CURRENT.with_borrow_mut(|current| current.iter_mut().for_each(|current| drop(current.bodies.remove(&request))));
}

pub(super) fn variable(name: &str) -> Option<String> {
    with(|current| current.variables.get(name).cloned())
}

pub(super) fn log(level: &str, message: &str, fields: &str) {
    if let Ok(Answer::Line(_)) = call(Request::Log) {
        let (level, message, fields) = text::log_line(level.to_owned(), message.to_owned(), fields.to_owned());
        let fields = serde_json::from_str(&fields).expect("a line's fields are an object");
        with(|current| {
            let line = Line { step: current.attempt.step.to_string(), level, message, fields };
            let _ = current.reports.send(Report::Logged(line));
        });
    }
}

/// What the run and the attempt are.
pub(super) fn about<T>(tell: impl FnOnce(&RunInfo, &Attempt) -> T) -> T {
    with(|current| tell(&current.info, &current.attempt))
}
