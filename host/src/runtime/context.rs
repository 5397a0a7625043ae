//! What a step may ask of the host while it runs: carries out what its attempt wants.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use wf_engine::attempt::{Answer, Attempt, Next, Outside, Request};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Chunk, Commit, Failure, Function, Response};
use wf_engine::json;

use super::clock::Clock;
use super::door::Door;
use super::lines::Lines;
use super::meter::Meter;
use super::report::{Report, Reporter, Waits};
use super::{RunInfo, Terms};
use crate::model::Grants;
use crate::outside::Asked;

/// How much of what an entry has published may wait until its worker hears of it, in KiB: beyond it, the guest waits.
const AHEAD_MAX: u32 = 64;

/// Why an entry ended before the step did.
pub(super) enum Ending {
    /// The instance is dropped; the step is entered again when the answer is there.
    Suspended,
    /// The run is gone, and with it whoever could hear a report.
    Gone,
    /// The attempt has failed.
    Failed(Failure),
}

/// That a workflow has no folders, and what gives it some.
pub(super) fn no_folders(workflow: &str) -> String {
    format!(
        "the step looks for a file, and no folder is granted: add `allow_dir = [\"name=path\"]` to `[workflows.{workflow}]` in wf-host.toml, or start the host with `--allow-dir name=path`; it is `/name` then"
    )
}

/// The context of one entry into an attempt.
pub(super) struct Context {
    pub info: Arc<RunInfo>,
    pub attempt: Attempt,
    pub clock: Clock,
    pub lines: Lines,
    pub ending: Option<Ending>,
    pub door: Door,
    /// It looked for a folder, and has none.
    pub lacks_folders: bool,
    grants: Arc<Grants>,
    meter: Meter,
    reports: Reporter,
    watched: bool,
    answered: bool,
    ahead: Arc<Semaphore>,
}

impl Context {
    pub(super) fn new(invoke: Invoke, info: Arc<RunInfo>, terms: &Terms, door: Door, lines: Lines, meter: Meter) -> Context {
        let (attempt, grants) = (Attempt::new(invoke, terms.limits.attempt()), terms.grants.clone());
        let (clock, reports) = (lines.clock.clone(), lines.reports.clone());
        let &Terms { watched, answered, .. } = terms;
        let ahead = Arc::new(Semaphore::new(AHEAD_MAX as usize));
        Context { info, attempt, clock, lines, ending: None, door, lacks_folders: false, grants, meter, reports, watched, answered, ahead }
    }

    /// What a call of the contract gives: the outer error ends the entry, the inner one goes to the guest.
    pub(super) async fn call(&mut self, request: Request) -> wasmtime::Result<Result<Answer, Failure>> {
        if self.watched {
            // Nobody is there once the entry has ended.
            self.reports.send(Report::Called { request: request.clone() });
        }
        let mut next = self.attempt.call(request, self.clock.standing());
        loop {
            self.clock.advance(self.attempt.at());
            let (invocation, attempt) = (self.attempt.invocation, self.attempt.attempt);
            next = match next {
                Next::Answer(answer) => return Ok(answer),
                Next::Read { query, own } => {
                    let (reply, answer) = oneshot::channel();
                    let sent = self.reports.send(Report::Read { invocation, attempt, query, own, reply });
                    match (sent, answer.await) {
                        (true, Ok((answer, own))) => self.attempt.read(answer, own),
                        _ => return self.end(Ending::Gone),
                    }
                }
                Next::Progress { calls, commit } => match self.progress(calls, commit).await? {
                    Some(call) => self.attempt.answered(call),
                    None => return self.end(Ending::Gone),
                },
                Next::Perform(outside) => self.perform(outside).await?,
                Next::Fail(failure) => return self.end(Ending::Failed(failure)),
            }
        }
    }

    /// Reports, and waits for the answer of the last call, unless it suspends, or has none to wait for. None: nobody
    /// is there.
    async fn progress(&mut self, calls: Vec<Call>, commit: Option<Commit>) -> wasmtime::Result<Option<Call>> {
        let last = calls.last().map(|call| &call.function);
        let suspends = last.is_some_and(Function::suspends);
        let sleeps = last.and_then(|function| if let Function::Sleep { duration, .. } = function { Some(*duration) } else { None });
        let (invocation, attempt) = (self.attempt.invocation, self.attempt.attempt);
        if let Some(Function::Publish { event }) = last {
            // The answer says nothing that is not known: to wait for it would cost two ways between threads.
            let size = u32::try_from(event.payload.get().len() >> 10).unwrap_or(u32::MAX);
            let size = size.saturating_add(1).min(AHEAD_MAX);
            let room = match self.ahead.clone().try_acquire_many_owned(size) {
                Ok(room) => room,
                // Its worker is to hear of what takes the room.
                Err(_) => {
                    self.reports.flush();
                    self.ahead.clone().acquire_many_owned(size).await.expect("never closed")
                }
            };
            let published = calls.last().cloned();
            let usage = self.meter.usage_before();
            let report = Report::Progressed { invocation, attempt, calls, commit, usage, waits: Waits::Room(room) };
            return Ok(self.reports.hold(report).then_some(published).flatten());
        }
        let (reply, answer) = oneshot::channel();
        let usage = self.meter.usage();
        let sent = self.reports.send(Report::Progressed { invocation, attempt, calls, commit, usage, waits: Waits::Answer(reply) });
        if suspends {
            return self.end(Ending::Suspended);
        }
        if let Some(duration) = sleeps {
            self.meter.rest(Duration::from_micros(duration));
        }
        Ok(if sent { answer.await.ok() } else { None })
    }

    /// Sends a request: its number, and the head of its answer.
    pub(super) async fn request(&mut self, options: &str, body: Vec<u8>) -> wasmtime::Result<Result<(u32, String), Failure>> {
        let mut asked = match Asked::read(options, body) {
            Ok(asked) => asked,
            // It says the same at every entry.
            Err(failure) => return Ok(Err(failure)),
        };
        if let Some(label) = asked.label() {
            let key = self.info.idempotency_key(self.attempt.invocation, label);
            asked.set_key(&key);
        }
        let request = Request::Outside { target: asked.target().to_owned(), options: json::empty() };
        self.door.ask(Some(asked));
        let answer = self.call(request).await?;
        self.door.ask(None);
        Ok(answer.and_then(Answer::response).and_then(|(number, response)| match response {
            Response::Head(head) => Ok((number, head.get().to_owned())),
            Response::Failed(failure) => Err(failure),
        }))
    }

    /// Reads more of an answer.
    pub(super) async fn read(&mut self, request: u32) -> wasmtime::Result<Result<Option<Vec<u8>>, Failure>> {
        let answer = self.call(Request::ReadBody { request }).await?;
        Ok(answer.and_then(Answer::chunk).and_then(|chunk| match chunk {
            Chunk::End => Ok(None),
            Chunk::Failed(failure) => Err(failure),
            Chunk::Data(_) => match chunk.bytes() {
                Some(bytes) => Ok(Some(bytes)),
                None => Err(Failure::new("invalid", "what was recorded of an answer is none", false)),
            },
        }))
    }

    /// Reaches the outside. What it gives is recorded before the guest has it.
    async fn perform(&mut self, outside: Outside) -> wasmtime::Result<Next> {
        match outside {
            Outside::Request { .. } => {
                if let Err(failure) = self.door.may_leave() {
                    return Ok(self.attempt.performed(Response::Failed(failure)));
                }
                self.leave().await?;
                let response = if self.answered { self.ask().await? } else { self.door.send(self.attempt.calls()).await };
                Ok(self.attempt.performed(response))
            }
            Outside::Read { request } => Ok(self.attempt.received(self.door.read(request).await)),
        }
    }

    /// Asks whoever hears the reports, in the outside's place.
    async fn ask(&mut self) -> wasmtime::Result<Response> {
        let Some(question) = self.door.asked().map(|asked| asked.question()) else {
            return Ok(Response::Failed(Failure::new("invalid", "nothing was asked for", false)));
        };
        let (reply, answer) = oneshot::channel();
        let (invocation, url) = (self.attempt.invocation, question.url.clone());
        let sent = self.reports.send(Report::Asked { invocation, question, reply });
        match (sent, answer.await) {
            (true, Ok(Ok(told))) => Ok(self.door.answered(self.attempt.calls(), url, told)),
            (true, Ok(Err(failure))) => Ok(Response::Failed(failure)),
            _ => self.end(Ending::Gone),
        }
    }

    /// Waits until all that led here is durable: a crash does not undo what the outside has heard.
    async fn leave(&mut self) -> wasmtime::Result<()> {
        let (reply, may) = oneshot::channel();
        let (invocation, attempt) = (self.attempt.invocation, self.attempt.attempt);
        let sent = self.reports.send(Report::Leaves { invocation, attempt, reply });
        match (sent, may.await) {
            (true, Ok(())) => Ok(()),
            _ => self.end(Ending::Gone),
        }
    }

    /// The variables of the attempt, and what stands for its secrets: that is derived, and not recorded.
    pub(super) fn variables(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        let request = Request::Variables { values: self.grants.variables.clone() };
        let (watched, before) = (self.watched.then(|| request.clone()), self.attempt.calls());
        let next = self.attempt.call(request, self.clock.standing());
        // One that is asked again, or has none, is no call.
        if let Some(request) = watched.filter(|_| self.attempt.calls() > before) {
            // Nobody is there once the entry has ended.
            self.reports.send(Report::Called { request });
        }
        self.clock.advance(self.attempt.at());
        let failure = match next {
            Next::Answer(answer) => match answer.and_then(Answer::variables) {
                Ok(values) => {
                    let own = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(self.door.secrets());
                    return Ok(own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
                }
                Err(failure) => failure,
            },
            Next::Fail(failure) => failure,
            _ => Failure::new("invalid", "variables were answered as another call would be", false),
        };
        self.end(Ending::Failed(failure))
    }

    /// It looks for folders, and has none: the error that it may get for that is its language's, and names no grant.
    pub(super) fn looks_for_folders(&mut self) {
        self.lacks_folders = true;
    }

    /// It is told of something else while an answer may go on: a call, though none of the guest's, which moves *recorded* on.
    pub(super) async fn passes(&mut self) -> wasmtime::Result<()> {
        self.call(Request::Log).await.map(drop)
    }

    pub(super) async fn log(&mut self, level: String, message: String, fields: String) -> wasmtime::Result<()> {
        let Ok(Answer::Line(ordinal)) = self.call(Request::Log).await? else { return Ok(()) };
        self.lines.write("log", ordinal.into(), level, message, fields);
        Ok(())
    }

    /// Ends the entry from within a call: the error unwinds the guest, the ending says why.
    fn end<T>(&mut self, ending: Ending) -> wasmtime::Result<T> {
        self.ending = Some(ending);
        Err(wasmtime::Error::msg("the entry has ended"))
    }
}
