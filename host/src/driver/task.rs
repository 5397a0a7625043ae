//! One worker's task.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesOrdered, StreamExt};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use wf_engine::effect::Invoke;

use super::guests::Guests;
use super::{Driver, Reply, UNDER_WAY_MAX, tell};
use crate::machine::{self, Exit, Identity, Reported, Worker};
use crate::registry::Loaded;
use crate::runtime::{LogLine, Report};
use crate::store::{self, LogRow};
use crate::tail::Driven;

/// A run with nothing in flight leaves memory after this long.
const PARK_AFTER: Duration = Duration::from_millis(500);
/// How long a line waits for others, before it goes to the store.
const LOG_AFTER: Duration = Duration::from_millis(100);
/// Lines that go to the store at once.
const LINES_MAX: usize = 512;
/// Clocks may jump: they are looked at so often, however far off a timer is.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What one run may have on its way to the store, in bytes: beyond it, its guests wait.
const OWN_UNDER_WAY_MAX: usize = 8 << 20;

pub(super) type Output = machine::Output<Reply>;
type Written = BoxFuture<'static, store::Result<()>>;

pub(super) struct Task {
    driver: Driver,
    pub run: String,
    pub identity: Identity,
    loaded: Loaded,
    worker: Worker<Reply>,
    pub bell: Arc<Notify>,
    tail: Driven,
    guests: Guests,
    reports: mpsc::UnboundedReceiver<Report>,
    reporter: mpsc::UnboundedSender<Report>,
    written: FuturesOrdered<Written>,
    lines: Vec<LogRow>,
    /// Since when the first of them waits.
    lines_since: Option<Instant>,
}

/// What happens next.
enum Happening {
    Written(store::Result<()>),
    Bell,
    Report(Report),
    Time,
    Idle,
}

impl Task {
    pub(super) fn new(driver: Driver, run: String, identity: Identity, loaded: Loaded, worker: Worker<Reply>, bell: Arc<Notify>) -> Task {
        let tail = driver.0.services.tails.driven(&run);
        let (reporter, reports) = mpsc::unbounded_channel();
        let (guests, written) = (Guests::default(), FuturesOrdered::new());
        Task { driver, run, identity, loaded, worker, bell, tail, guests, reports, reporter, written, lines: Vec::new(), lines_since: None }
    }

    /// Until the run leaves memory.
    pub(super) async fn drive(mut self, outputs: Vec<Output>) {
        let mut left = self.carry_out(outputs).await;
        while !left {
            let happening = self.next().await;
            self.worker.attend(self.tail.has_readers());
            let outputs = match happening {
                Happening::Written(result) => self.worker.appended(result),
                Happening::Bell => self.look_at_mail().await,
                Happening::Report(report) => self.report(report),
                // It is looked at after each.
                Happening::Time => Vec::new(),
                Happening::Idle => vec![Output::Exit(self.worker.parked())],
            };
            left = self.carry_out(outputs).await || self.look_at_clocks().await;
        }
    }

    /// What is due happens after whatever else: a guest that reports all the time does not keep it from happening.
    async fn look_at_clocks(&mut self) -> bool {
        if self.lines_since.is_some_and(|since| since.elapsed() >= LOG_AFTER) {
            self.write_lines();
        }
        let outputs = self.worker.due(self.driver.0.services.now());
        self.carry_out(outputs).await
    }

    async fn next(&mut self) -> Happening {
        let due = self.driver.0.services.clock.until(self.worker.wake());
        let idle = self.worker.is_idle() && self.lines.is_empty() && due.is_none_or(|due| due > PARK_AFTER);
        let has_room = self.worker.under_way() < OWN_UNDER_WAY_MAX;
        tokio::select! {
            biased;
            Some(result) = self.written.next() => Happening::Written(result),
            () = self.bell.notified() => Happening::Bell,
            Some(report) = self.reports.recv(), if has_room => Happening::Report(report),
            () = tokio::time::sleep(due.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)), if !idle && due.is_some() => Happening::Time,
            () = tokio::time::sleep(LOG_AFTER), if !self.lines.is_empty() => Happening::Time,
            () = tokio::time::sleep(PARK_AFTER), if idle => Happening::Idle,
        }
    }

    async fn look_at_mail(&mut self) -> Vec<Output> {
        let services = self.driver.0.services.clone();
        let mail = self.driver.table().owners.mail(&self.run, self.identity);
        let mut outputs = Vec::new();
        for command in mail.commands {
            outputs.extend(self.worker.command(services.now(), command));
        }
        if mail.letters {
            match services.store.commands(self.worker.key()).await {
                Ok(sent) => outputs.extend(self.worker.letters(services.now(), sent)),
                // They stay, and are found again.
                Err(error) => tracing::warn!(run.id = self.run, "run `{}`: what other hosts have asked cannot be read: {error}", self.run),
            }
        }
        if mail.stop {
            outputs.extend(self.worker.stop());
        }
        outputs
    }

    fn report(&mut self, report: Report) -> Vec<Output> {
        let now = self.driver.0.services.now();
        let (invocation, attempt, what) = match report {
            Report::Read { query, mut own, reply, .. } => {
                let answer = self.worker.query(&query, &mut own);
                // A guest that is gone meanwhile needs no answer.
                let _ = reply.send((answer, own));
                return Vec::new();
            }
            Report::Logged { invocation, attempt, line } => {
                self.lines.push(row(invocation, attempt, line));
                self.lines_since.get_or_insert_with(Instant::now);
                if self.lines.len() >= LINES_MAX {
                    self.write_lines();
                }
                return Vec::new();
            }
            Report::Progressed { invocation, attempt, calls, commit, usage, reply } => {
                if self.worker.is_live(invocation) {
                    self.guests.waits(invocation, reply);
                }
                (invocation, attempt, Reported::Progressed { calls, commit, usage })
            }
            Report::Returned { invocation, attempt, calls, commit, events, usage } => {
                (invocation, attempt, Reported::Returned { calls, commit, events, usage })
            }
            Report::Failed { invocation, attempt, calls, failure, usage } => {
                (invocation, attempt, Reported::Failed { calls, failure, usage })
            }
        };
        let outputs = self.worker.report(now, machine::Report { invocation, attempt, what });
        if !self.worker.is_live(invocation) {
            self.guests.ended(invocation);
        }
        outputs
    }

    /// True: it has left memory.
    async fn carry_out(&mut self, outputs: Vec<Output>) -> bool {
        for output in outputs {
            match output {
                Output::Create(new) => {
                    let room = room(self.driver.0.under_way.clone(), new.size()).await;
                    let written = self.driver.0.services.store.create(*new);
                    self.written(room, written);
                }
                Output::Append(append) => {
                    // Who is told of the end finds all its lines.
                    if append.standing.ended.is_some() {
                        self.write_lines();
                    }
                    let room = room(self.driver.0.under_way.clone(), append.size()).await;
                    let written = self.driver.0.services.store.append(*append);
                    self.written(room, written);
                }
                Output::Enter(invoke) => self.enter(*invoke),
                Output::Answer(invocation, call) => self.guests.answer(invocation, *call),
                Output::Abort(invocation) => self.guests.abort(invocation),
                Output::Tell(reply, answer) => tell(reply, answer),
                Output::Reply(letter, answer) => self.driver.answer(letter, answer),
                Output::Show(frames) => self.tail.extend(frames),
                Output::Exit(exit) => {
                    if self.leave(exit) {
                        return true;
                    }
                    // It was told something meanwhile.
                    self.bell.notify_one();
                }
            }
        }
        false
    }

    /// The room is given back when it is written, whether or not we look: we may be waiting for room.
    fn written(&mut self, room: OwnedSemaphorePermit, written: Written) {
        let written = self.driver.0.tasks.spawn(async move {
            let result = written.await;
            drop(room);
            result
        });
        let result = written.map(|result| result.unwrap_or_else(|error| Err(store::Error::Unavailable(error.to_string()))));
        self.written.push_back(result.boxed());
    }

    /// False: it has been told something, and stays.
    fn leave(&mut self, exit: Exit) -> bool {
        let clock = &self.driver.0.services.clock;
        if matches!(exit, Exit::Ended(_)) {
            self.tail.end();
        }
        let actions = self.driver.table().owners.leave(clock.alive(), &self.run, self.identity, &exit);
        let Some(actions) = actions else { return false };
        self.write_lines();
        match exit {
            Exit::Parked(release) | Exit::Stopped(release) => self.driver.release(release),
            Exit::Broken { error, .. } => {
                let run = &self.run;
                tracing::error!(run.id = run, "run `{run}`: its journal could not be written; it is loaded again: {error}");
                self.driver.0.earlier.notify_one();
            }
            Exit::Ended(_) | Exit::Refused(_) => (),
        }
        self.driver.act(actions);
        true
    }

    fn enter(&mut self, invoke: Invoke) {
        let services = &self.driver.0.services;
        let (invocation, component) = (invoke.invocation, self.loaded.components[invoke.component].clone());
        let (info, limits) = (self.worker.info().clone(), self.loaded.workflow.limits.clone());
        let task = services.runtime.enter(component, invoke, services.clock.at(), info, limits, self.reporter.clone());
        self.guests.entered(invocation, task);
    }

    /// What is lost of it with a crash is written again by the step's next entry.
    fn write_lines(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        self.lines_since = None;
        let (run, lines) = (self.run.clone(), std::mem::take(&mut self.lines));
        let written = self.driver.0.services.store.log(self.worker.key(), lines);
        self.driver.0.tasks.spawn(async move {
            if let Err(error) = written.await {
                tracing::warn!(run.id = run, "run `{run}`: lines of its log are lost: {error}");
            }
        });
    }
}

/// A line as the store keeps it.
fn row(invocation: u64, attempt: u32, line: LogLine) -> LogRow {
    let LogLine { source, number, at, level, message, fields } = line;
    LogRow { invocation, attempt, source: source.to_owned(), number, at, level, message, fields }
}

/// Waits until so much may be on its way to the store.
async fn room(under_way: Arc<Semaphore>, size: usize) -> OwnedSemaphorePermit {
    let size = u32::try_from((size >> 10).clamp(1, UNDER_WAY_MAX)).unwrap_or(u32::MAX);
    under_way.acquire_many_owned(size).await.expect("never closed")
}
