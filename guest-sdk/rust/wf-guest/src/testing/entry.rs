//! One entry into an attempt: the step runs on a thread of its own, and only while the world waits for it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use wf_engine::attempt::{Answer, Attempt, Limits, Query, ReadAnswer, Request, RunInfo, Step as Turn};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Buffered, Call, Commit, Event, Failure, Micros};

use super::Line;
use crate::RawEvent;

/// A workflow's `invoke`.
pub(super) type Step = fn(&str, Vec<RawEvent>) -> crate::Result<Vec<RawEvent>>;

/// As a host that is not configured.
const LIMITS: Limits = Limits { payload_max: 4 << 20, value_max: 4 << 20, state_max: 16 << 20, events_max: 10_000, calls_max: 100_000 };

/// What a step says to the world, which waits for it.
pub(super) enum Report {
    Read {
        query: Query,
        own: Vec<Buffered>,
    },
    /// Where the last call suspends, the thread has ended.
    Progressed {
        calls: Vec<Call>,
        commit: Option<Commit>,
    },
    Logged(Line),
    Returned {
        calls: Vec<Call>,
        commit: Commit,
        events: Vec<Event>,
    },
    Failed(Failure),
}

/// What the world says to it.
pub(super) enum Reply {
    Read(Result<ReadAnswer, String>),
    Answered(Call),
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
}

/// Unwinds a step whose entry is over.
struct Over;

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

impl Entry {
    pub(super) fn begin(step: Step, invoke: Invoke, info: Arc<RunInfo>) -> Entry {
        let (reports, from_step) = channel();
        let (replies, to_step) = channel();
        let attempt = invoke.attempt;
        let begin = move || run(step, invoke, info, reports, to_step);
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

fn run(step: Step, invoke: Invoke, info: Arc<RunInfo>, reports: Sender<Report>, replies: Receiver<Reply>) {
    let (name, clock) = (invoke.step.clone(), invoke.started_at);
    let given = |event: &Event| RawEvent { name: event.name.to_string(), payload: event.payload.get().to_owned() };
    let events = invoke.events.iter().map(given).collect();
    let current = Current { attempt: Attempt::new(invoke, LIMITS), info, clock, reports: reports.clone(), replies };
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
        Err(failure) => Report::Failed(failure),
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
        let mut turn = self.attempt.call(request, self.clock);
        loop {
            self.clock = self.clock.max(self.attempt.at());
            turn = match turn {
                Turn::Answer(answer) => return Ok(answer),
                Turn::Read { query, own } => match self.ask(Report::Read { query, own })? {
                    Reply::Read(answer) => self.attempt.read(answer),
                    Reply::Answered(_) => return Err(Over),
                },
                Turn::Progress { calls, commit } => match self.ask(Report::Progressed { calls, commit })? {
                    Reply::Answered(call) => self.attempt.answered(call),
                    Reply::Read(_) => return Err(Over),
                },
                Turn::Fail(failure) => {
                    let _ = self.reports.send(Report::Failed(failure));
                    return Err(Over);
                }
            }
        }
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

pub(super) fn log(level: &str, message: &str, fields: &str) {
    if let Ok(Answer::Line(_)) = call(Request::Log) {
        let fields = serde_json::from_str(fields).unwrap_or_default();
        with(|current| {
            let line = Line { step: current.attempt.step.to_string(), level: level.to_owned(), message: message.to_owned(), fields };
            let _ = current.reports.send(Report::Logged(line));
        });
    }
}

/// What the run and the attempt are.
pub(super) fn about<T>(tell: impl FnOnce(&RunInfo, &Attempt) -> T) -> T {
    with(|current| tell(&current.info, &current.attempt))
}
