//! One worker's task.

use std::collections::VecDeque;
use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt, TryFutureExt};
use futures_util::stream::{FuturesOrdered, StreamExt};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};
use wf_engine::effect::Invoke;

use super::claims::LOOK_EVERY;
use super::guests::{Guests, row};
use super::{Driver, Reply, UNDER_WAY_MAX, tell};
use crate::machine::{self, Exit, Identity, Worker};
use crate::model::Workflow;
use crate::registry::Loaded;
use crate::runtime::{Report, Terms};
use crate::services::Held;
use crate::store::{self, Append, Created, LogRow, NewRun};
use crate::tail::Driven;

/// A run with nothing in flight leaves memory after this long.
const PARK_AFTER: Duration = Duration::from_millis(500);
/// How long a line waits for others, before it goes to the store.
const LOG_AFTER: Duration = Duration::from_millis(100);
/// How long the creation of a run waits that nobody waits for, so that what comes next is stored with it: most runs
/// are over by then, and are one write.
const CREATE_AFTER: Duration = Duration::from_millis(5);
/// How large it may grow, in bytes.
const CREATION_MAX: usize = 64 << 10;
/// Lines that go to the store at once.
const LINES_MAX: usize = 512;
/// What one run may have on its way to the store, in bytes: beyond it, its guests wait.
const OWN_UNDER_WAY_MAX: usize = 8 << 20;
/// Reports that are heard together, and go to the store together.
const REPORTS_MAX: usize = 64;

pub(super) type Output = machine::Output<Reply>;
type Written = BoxFuture<'static, store::Result<Created>>;

pub(super) struct Task {
    driver: Driver,
    pub run: String,
    pub identity: Identity,
    loaded: Loaded,
    worker: Worker<Reply>,
    pub bell: Arc<Notify>,
    tail: Driven,
    guests: Guests,
    /// What waits at a breakpoint before it is entered.
    held: Vec<(Held, Invoke)>,
    reports: mpsc::UnboundedReceiver<Report>,
    reporter: mpsc::UnboundedSender<Report>,
    written: FuturesOrdered<Written>,
    /// What is created, and not on its way to the store yet.
    creation: Option<Creation>,
    /// What was written, and the worker does not know yet.
    noted: VecDeque<store::Result<Created>>,
    lines: Vec<LogRow>,
    /// Since when the first of them waits.
    lines_since: Option<Instant>,
}

/// A run that is to be created.
struct Creation {
    new: NewRun,
    since: Instant,
    /// What was added since: the worker is told of each.
    appends: usize,
    room: OwnedSemaphorePermit,
}

/// What happens next.
enum Happening {
    Written(store::Result<Created>),
    Bell,
    Reports(Vec<Report>),
    Time,
    Idle,
}

impl Task {
    pub(super) fn new(
        driver: Driver,
        run: String,
        identity: Identity,
        loaded: Loaded,
        worker: Worker<Reply>,
        bell: Arc<Notify>,
    ) -> Box<Task> {
        let tail = driver.0.services.tails.driven(&run);
        let (reporter, reports) = mpsc::unbounded_channel();
        let (guests, written, noted) = (Guests::default(), FuturesOrdered::new(), VecDeque::new());
        let (held, creation, lines, lines_since) = (Vec::new(), None, Vec::new(), None);
        Box::new(Task {
            driver,
            run,
            identity,
            loaded,
            worker,
            bell,
            tail,
            guests,
            held,
            reports,
            reporter,
            written,
            creation,
            noted,
            lines,
            lines_since,
        })
    }

    /// Until the run leaves memory.
    pub(super) async fn drive(mut self: Box<Self>, outputs: Vec<Output>) {
        let mut left = self.carry_out(outputs).await;
        while !left {
            self.mind_breakpoints();
            let happening = self.next().await;
            self.worker.attend(self.tail.has_readers());
            let outputs = match happening {
                Happening::Written(Ok(Created::Queued)) => self.worker.queued(),
                Happening::Written(result) => self.worker.appended(result.map(drop)),
                Happening::Bell => self.look_at_mail().await,
                Happening::Reports(reports) => {
                    for report in reports {
                        self.hear(report).await;
                    }
                    self.worker.outputs()
                }
                // It is looked at after each.
                Happening::Time => Vec::new(),
                Happening::Idle => vec![Output::Exit(self.worker.parked())],
            };
            left = self.carry_out(outputs).await || self.look_at_clocks().await;
        }
    }

    /// Enters what is held no more. As long as anything is, the run's timeouts do not count; nor before it is known.
    fn mind_breakpoints(&mut self) {
        if self.driver.0.services.breakpoints.get().is_none() {
            return;
        }
        let (released, held): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held).into_iter().partition(|(held, _)| held.is_released());
        self.held = held;
        released.into_iter().for_each(|(_, invoke)| self.enter(invoke));
        let paused = !self.held.is_empty() || self.worker.is_resuming();
        self.worker.pause(self.driver.0.services.now(), paused);
    }

    /// What is due happens after whatever else: a guest that reports all the time does not keep it from happening.
    async fn look_at_clocks(&mut self) -> bool {
        if self.lines_since.is_some_and(|since| since.elapsed() >= LOG_AFTER) {
            self.write_lines().await;
        }
        if self.creation.as_ref().is_some_and(|it| it.since.elapsed() >= CREATE_AFTER) {
            self.create();
        }
        let outputs = self.worker.due(self.driver.0.services.now());
        self.carry_out(outputs).await
    }

    async fn next(&mut self) -> Happening {
        if let Some(result) = self.noted.pop_front() {
            return Happening::Written(result);
        }
        let due = self.driver.0.services.clock.until(self.worker.wake());
        // One that queues makes room for its turn at once.
        let park_after = if self.worker.queues() { Duration::ZERO } else { PARK_AFTER };
        let idle = self.worker.is_idle() && self.lines.is_empty() && due.is_none_or(|due| due > park_after);
        let has_room = self.worker.under_way() < OWN_UNDER_WAY_MAX;
        let mut reports = Vec::new();
        tokio::select! {
            biased;
            Some(result) = self.written.next() => Happening::Written(result),
            () = self.bell.notified(), if !self.worker.awaits_turn() => Happening::Bell,
            1.. = self.reports.recv_many(&mut reports, REPORTS_MAX), if has_room => Happening::Reports(reports),
            () = tokio::time::sleep(due.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)), if !idle && due.is_some() => Happening::Time,
            () = tokio::time::sleep(CREATE_AFTER), if self.creation.is_some() => Happening::Time,
            () = tokio::time::sleep(LOG_AFTER), if !self.lines.is_empty() => Happening::Time,
            () = tokio::time::sleep(park_after), if idle => Happening::Idle,
        }
    }

    async fn look_at_mail(&mut self) -> Vec<Output> {
        let services = self.driver.0.services.clone();
        let mail = self.driver.table().owners.mail(&self.run, self.identity);
        if mail.overtaken {
            return self.worker.overtaken();
        }
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

    async fn hear(&mut self, report: Report) {
        let now = self.driver.0.services.now();
        match report {
            Report::Read { query, mut own, reply, .. } => {
                let answer = self.worker.query(&query, &mut own);
                // A guest that is gone meanwhile needs no answer.
                let _ = reply.send((answer, own));
            }
            Report::Logged { invocation, attempt, line } => {
                self.lines.push(row(invocation, attempt, line));
                self.lines_since.get_or_insert_with(Instant::now);
                if self.lines.len() >= LINES_MAX {
                    self.write_lines().await;
                }
            }
            Report::Leaves { invocation, attempt, reply } => {
                if self.worker.is_live(invocation) {
                    self.guests.leaves(invocation, reply);
                }
                self.worker.leave(invocation, attempt);
                self.create();
            }
            report => {
                let Some(heard) = self.guests.hear(report, &self.worker) else { return };
                let invocation = heard.invocation;
                self.worker.hear(now, heard);
                if !self.worker.is_live(invocation) {
                    self.guests.ended(invocation);
                }
            }
        }
    }

    /// True: it has left memory.
    async fn carry_out(&mut self, outputs: Vec<Output>) -> bool {
        for output in outputs {
            match output {
                Output::Create(new) => {
                    let room = self.room(new.size()).await;
                    // Of a run that perhaps has to queue, nothing else is known before that.
                    let waits = !new.waited && new.runs_max.is_none() && new.size() <= CREATION_MAX;
                    self.creation = Some(Creation { new: *new, since: Instant::now(), appends: 0, room });
                    if !waits {
                        self.create();
                    }
                }
                Output::Append(append) => {
                    // Who is told of the end finds all its lines.
                    if append.standing.ended.is_some() {
                        self.write_lines().await;
                    }
                    let room = self.room(append.size()).await;
                    if let Some((append, room)) = self.add_to_creation(*append, room) {
                        self.create();
                        let appended = self.driver.0.services.store.append(append);
                        self.written(room, appended.map_ok(|()| Created::Begun).boxed());
                    }
                }
                Output::Enter(invoke) => self.enter_unless_held(*invoke),
                Output::Answer(invocation, call) => self.guests.answer(invocation, *call),
                Output::Leave(invocation) => self.guests.leave(invocation),
                Output::Abort(invocation) => {
                    self.held.retain(|(_, invoke)| invoke.invocation != invocation);
                    self.guests.abort(invocation);
                }
                Output::Tell(reply, answer) => tell(reply, answer),
                Output::Reply(letter, answer) => self.driver.answer(letter, answer),
                Output::Show(frames) => self.tail.extend(frames),
                Output::Exit(exit) => {
                    if self.leave(exit).await {
                        return true;
                    }
                    // It was told something meanwhile.
                    self.bell.notify_one();
                }
            }
        }
        false
    }

    /// Waits until so much may be on its way to the store. What is written meanwhile gives its own room back; so what
    /// has not been sent there is, or all would wait for one another.
    async fn room(&mut self, size: usize) -> OwnedSemaphorePermit {
        let size = u32::try_from((size >> 10).clamp(1, UNDER_WAY_MAX)).unwrap_or(u32::MAX);
        if let Ok(room) = self.driver.0.under_way.clone().try_acquire_many_owned(size) {
            return room;
        }
        self.create();
        let mut room = pin!(self.driver.0.under_way.clone().acquire_many_owned(size));
        loop {
            tokio::select! {
                biased;
                room = &mut room => return room.expect("never closed"),
                Some(result) = self.written.next() => self.noted.push_back(result),
            }
        }
    }

    /// Lets an addition be part of the creation that waits. Gives it back where there is none, or it cannot.
    fn add_to_creation(&mut self, append: Append, room: OwnedSemaphorePermit) -> Option<(Append, OwnedSemaphorePermit)> {
        let Some(creation) = &mut self.creation else { return Some((append, room)) };
        if let Some(append) = creation.new.with(append) {
            return Some((append, room));
        }
        creation.room.merge(room);
        creation.appends += 1;
        if creation.new.waited || creation.new.size() > CREATION_MAX {
            self.create();
        }
        None
    }

    /// Sends the creation that waits on its way to the store.
    fn create(&mut self) {
        let Some(Creation { mut new, appends, room, .. }) = self.creation.take() else { return };
        // It has waited for company, or its first step waits for it.
        new.waited = true;
        let written = self.driver.0.services.store.create(new);
        self.written(room, written);
        // What was added is as durable as it is.
        self.written.extend((0..appends).map(|_| ready(Ok(Created::Begun)).boxed()));
    }

    fn written(&mut self, room: OwnedSemaphorePermit, written: Written) {
        self.written.push_back(written.map(|result| (drop(room), result).1).boxed());
    }

    /// False: it has been told something, and stays.
    async fn leave(&mut self, exit: Exit) -> bool {
        // While it has its place: this may wait.
        self.write_lines().await;
        let clock = &self.driver.0.services.clock;
        if matches!(exit, Exit::Ended(_)) {
            self.tail.end();
        }
        let actions = self.driver.table().owners.leave(clock.alive(), &self.run, self.identity, &exit);
        let Some(actions) = actions else { return false };
        match exit {
            Exit::Parked(release) | Exit::Stopped(release) => self.driver.release(release),
            Exit::Broken { error, .. } => {
                let run = &self.run;
                tracing::error!(run.id = run, "run `{run}`: its journal could not be written; it is loaded again: {error}");
                self.driver.0.earlier.notify_one();
            }
            Exit::Ended(_) if self.worker.workflow().limits.runs_max.is_some() => {
                self.driver.give_turns(self.worker.workflow().name.clone());
            }
            Exit::Ended(_) | Exit::Refused(_) | Exit::Queued => (),
        }
        self.driver.act(actions);
        true
    }

    fn enter_unless_held(&mut self, invoke: Invoke) {
        let services = &self.driver.0.services;
        let breakpoints = services.breakpoints.get();
        match breakpoints.and_then(|it| it.hold(self.worker.info(), &invoke, services.clock.at(), &self.bell)) {
            Some(held) => self.held.push((held, invoke)),
            None => self.enter(invoke),
        }
    }

    fn enter(&mut self, invoke: Invoke) {
        let services = &self.driver.0.services;
        let (invocation, component) = (invoke.invocation, self.loaded.components[invoke.component].clone());
        let Workflow { limits, grants, .. } = &*self.loaded.workflow;
        let (info, terms) =
            (self.worker.info().clone(), Terms { limits: limits.clone(), grants: grants.now(), watched: false, answered: false });
        let task = services.runtime.enter(component, invoke, services.clock.at(), info, terms, self.reporter.clone());
        self.guests.entered(invocation, task);
    }

    /// What is lost of it with a crash is written again by the step's next entry. It has its share of what may be on its
    /// way to the store, as entries have.
    async fn write_lines(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        self.lines_since = None;
        let (run, lines) = (self.run.clone(), std::mem::take(&mut self.lines));
        let room = self.room(lines.iter().map(LogRow::size).sum()).await;
        if let Some(creation) = &mut self.creation {
            creation.new.logs.extend(lines);
            creation.room.merge(room);
            if creation.new.size() > CREATION_MAX {
                self.create();
            }
            return;
        }
        let written = self.driver.0.services.store.log(self.worker.key(), lines);
        self.driver.0.tasks.spawn(async move {
            let written = written.await;
            drop(room);
            if let Err(error) = written {
                tracing::warn!(run.id = run, "run `{run}`: lines of its log are lost: {error}");
            }
        });
    }
}
