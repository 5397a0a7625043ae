//! What a step may ask of the host while it runs: carries out what its attempt wants.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Semaphore, oneshot};
use wf_engine::attempt::{Answer, Attempt, Next, Request};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Commit, Failure, Function};

use super::RunInfo;
use super::clock::Clock;
use super::lines::Lines;
use super::meter::Meter;
use super::report::{Report, Waits};
use crate::model::Limits;

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

/// The context of one entry into an attempt.
pub(super) struct Context {
    pub info: Arc<RunInfo>,
    pub attempt: Attempt,
    pub clock: Clock,
    pub lines: Lines,
    pub ending: Option<Ending>,
    meter: Meter,
    reports: UnboundedSender<Report>,
    ahead: Arc<Semaphore>,
}

impl Context {
    pub(super) fn new(invoke: Invoke, info: Arc<RunInfo>, limits: &Limits, lines: Lines, meter: Meter) -> Context {
        let attempt = Attempt::new(invoke, limits.attempt());
        let (clock, reports) = (lines.clock.clone(), lines.reports.clone());
        let ahead = Arc::new(Semaphore::new(AHEAD_MAX as usize));
        Context { info, attempt, clock, lines, ending: None, meter, reports, ahead }
    }

    /// What a call of the contract gives: the outer error ends the entry, the inner one goes to the guest.
    pub(super) async fn call(&mut self, request: Request) -> wasmtime::Result<Result<Answer, Failure>> {
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
                        (Ok(()), Ok((answer, own))) => self.attempt.read(answer, own),
                        _ => return self.end(Ending::Gone),
                    }
                }
                Next::Progress { calls, commit } => match self.progress(calls, commit).await? {
                    Some(call) => self.attempt.answered(call),
                    None => return self.end(Ending::Gone),
                },
                Next::Perform(_) => return self.end(Ending::Failed(no_door())),
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
        let (invocation, attempt, usage) = (self.attempt.invocation, self.attempt.attempt, self.meter.usage());
        if let Some(Function::Publish { event }) = last {
            // The answer says nothing that is not known: to wait for it would cost two ways between threads.
            let size = u32::try_from(event.payload.get().len() >> 10).unwrap_or(u32::MAX);
            let room = self.ahead.clone().acquire_many_owned(size.saturating_add(1).min(AHEAD_MAX)).await.expect("never closed");
            let published = calls.last().cloned();
            let sent = self.reports.send(Report::Progressed { invocation, attempt, calls, commit, usage, waits: Waits::Room(room) });
            return Ok(sent.ok().and(published));
        }
        let (reply, answer) = oneshot::channel();
        let sent = self.reports.send(Report::Progressed { invocation, attempt, calls, commit, usage, waits: Waits::Answer(reply) });
        if suspends {
            return self.end(Ending::Suspended);
        }
        if let Some(duration) = sleeps {
            self.meter.rest(Duration::from_micros(duration));
        }
        Ok(sent.ok().and(answer.await.ok()))
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

/// The contract has no call yet that reaches the outside.
fn no_door() -> Failure {
    Failure::new("denied", "this host lets no request out", false)
}
