//! What guests report to the worker of their run.

use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use wf_engine::attempt::{Query, ReadAnswer, Request};
use wf_engine::entry::{Call, Commit, Event, Failure, InvocationId, Micros, Usage};
use wf_engine::state::Overlay;
use wf_engine::text::Refused;

use crate::outside::{Question, Told};

/// What a guest reports.
pub enum Report {
    /// It published and goes on, or reached a commit point and waits for the answer of the last call.
    Progressed {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The calls since the last report.
        calls: Vec<Call>,
        /// What is committed; none where the last call is no commit point.
        commit: Option<Commit>,
        /// What it has used so far.
        usage: Usage,
        /// Who waits for the answer, and how long it may go on without.
        waits: Waits,
    },
    /// It calls: told where [somebody watches](super::Terms::watched).
    Called {
        /// What, as the guest has it.
        request: Request,
    },
    /// It asks the outside, and is answered here: told where [that is so](super::Terms::answered).
    Asked {
        /// Who.
        invocation: InvocationId,
        /// What.
        question: Question,
        /// Where the answer goes; a failure: why there is none.
        reply: oneshot::Sender<Result<Told, Failure>>,
    },
    /// It asks about committed state.
    Read {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The question.
        query: Query,
        /// What it has written and not committed.
        own: Overlay,
        /// Where the answer goes, and what it has written with it.
        reply: oneshot::Sender<(Result<ReadAnswer, Refused>, Overlay)>,
    },
    /// It has something to say to the outside, and waits until all that led to it is durable.
    Leaves {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// Told when it may.
        reply: oneshot::Sender<()>,
    },
    /// It wrote a line.
    Logged {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The line.
        line: LogLine,
    },
    /// It ended well.
    Returned {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The calls since the last report.
        calls: Vec<Call>,
        /// What is committed.
        commit: Commit,
        /// What it returned.
        events: Vec<Event>,
        /// What it used.
        usage: Usage,
    },
    /// It failed.
    Failed {
        /// Who.
        invocation: InvocationId,
        /// Which attempt.
        attempt: u32,
        /// The calls since the last report.
        calls: Vec<Call>,
        /// Why.
        failure: Failure,
        /// What it used.
        usage: Usage,
    },
}

/// Where the reports of one entry go.
#[derive(Clone)]
pub(super) struct Reporter {
    reports: UnboundedSender<Report>,
    /// What may wait until the guest leaves its thread, which it does at each tick: to wake a worker costs more than
    /// what it is told.
    held: Arc<Mutex<Vec<Report>>>,
}

impl Reporter {
    pub(super) fn new(reports: UnboundedSender<Report>) -> Reporter {
        Reporter { reports, held: Arc::default() }
    }

    /// Reports, after what was held. False: nobody is there.
    pub(super) fn send(&self, report: Report) -> bool {
        self.flush();
        self.reports.send(report).is_ok()
    }

    /// Reports with the next that is sent, or when the guest leaves its thread. False: nobody is there.
    pub(super) fn hold(&self, report: Report) -> bool {
        self.held.lock().expect("no panic while locked").push(report);
        !self.reports.is_closed()
    }

    /// Reports what was held.
    pub(super) fn flush(&self) {
        let held = std::mem::take(&mut *self.held.lock().expect("no panic while locked"));
        // The worker is gone when the run has ended.
        held.into_iter().for_each(|report| drop(self.reports.send(report)));
    }
}

/// How an instance goes on after a report.
pub enum Waits {
    /// It waits for the answer of the last call; nobody is there when the call suspends.
    Answer(oneshot::Sender<Call>),
    /// It goes on, as long as there is room for what is not heard yet: this is what the report takes of it.
    Room(OwnedSemaphorePermit),
}

/// A line that a guest wrote.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// `log`, `stdout` or `stderr`.
    pub source: &'static str,
    /// The call's ordinal, or the number of the line in that output.
    pub number: u64,
    /// When, on the derived clock.
    pub at: Micros,
    /// `trace`, `debug`, `info`, `warn` or `error`; or [`LEVEL_END`](wf_engine::text::LEVEL_END).
    pub level: String,
    /// The text.
    pub message: String,
    /// A JSON object.
    pub fields: String,
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    fn line(number: u64) -> Report {
        let text = String::new;
        Report::Logged {
            invocation: 0,
            attempt: 0,
            line: LogLine { source: "log", number, at: 0, level: text(), message: text(), fields: text() },
        }
    }

    #[test]
    fn what_is_held_comes_before_what_is_sent_and_nothing_is_lost() {
        let (sender, mut reports) = unbounded_channel();
        let reporter = Reporter::new(sender);
        let mut told = || {
            std::iter::from_fn(|| reports.try_recv().ok())
                .map(|report| if let Report::Logged { line, .. } = report { line.number } else { panic!("another report") })
                .collect::<Vec<_>>()
        };
        assert!(reporter.hold(line(0)) && reporter.clone().hold(line(1)));
        assert_eq!(told(), [] as [u64; 0], "nobody is woken");
        assert!(reporter.send(line(2)));
        assert_eq!(told(), [0, 1, 2]);
        assert!(reporter.hold(line(3)));
        reporter.flush();
        assert_eq!(told(), [3]);
        drop(reports);
        assert!(!reporter.hold(line(4)) && !reporter.send(line(5)), "nobody is there");
        reporter.flush();
    }
}
