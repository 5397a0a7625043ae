//! What a step may ask of the host while it runs: carries out what its attempt wants.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use wf_engine::attempt::{Answer, Attempt, Next, Request};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Call, Commit, Failure};

use super::RunInfo;
use super::clock::Clock;
use super::lines::Lines;
use super::meter::Meter;
use super::report::Report;
use crate::model::Limits;

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
}

impl Context {
    pub(super) fn new(invoke: Invoke, info: Arc<RunInfo>, limits: &Limits, lines: Lines, meter: Meter) -> Context {
        let attempt = Attempt::new(invoke, limits.attempt());
        let (clock, reports) = (lines.clock.clone(), lines.reports.clone());
        Context { info, attempt, clock, lines, ending: None, meter, reports }
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

    /// Reports, and waits for the answer of the last call, unless it suspends. None: nobody is there.
    async fn progress(&mut self, calls: Vec<Call>, commit: Option<Commit>) -> wasmtime::Result<Option<Call>> {
        let suspends = calls.last().is_some_and(|call| call.function.suspends());
        let (invocation, attempt) = (self.attempt.invocation, self.attempt.attempt);
        let (reply, answer) = oneshot::channel();
        let sent = self.reports.send(Report::Progressed { invocation, attempt, calls, commit, usage: self.meter.usage(), reply });
        if suspends {
            return self.end(Ending::Suspended);
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
