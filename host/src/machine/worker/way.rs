//! The one way of a run: apply, append, carry out; and what becomes of it once an append is durable, or is not.

use wf_engine::effect::{Effect, Invoke};
use wf_engine::entry::{Entry, Input, InvocationId};
use wf_engine::snapshot;

use super::{Asker, Extra, Gathered, Held, Worker};
use crate::machine::rows::{entry_row, frame_rows};
use crate::machine::timers::Timers;
use crate::machine::{Answer, Exit, Output, Unbegun, letters};
use crate::model::{Frame, Refusal, RunView, waiting};
use crate::store::{self, Append, Ended, EntryRow, FrameRow, IdempotencyRow, LogRow, Now, Release, Snapshot, Standing, Wake};

/// Entries below this, in bytes, are read again faster than a snapshot of the run.
const SNAPSHOT_AFTER: usize = 64 << 10;

impl<T> Worker<T> {
    pub(super) fn durable(&mut self) {
        let Some(held) = self.held.pop_front() else { return };
        self.under_way -= held.size;
        (self.abandoned, self.created_next, self.went_well) = (false, false, true);
        if let Some(entered) = self.resuming.take() {
            entered.into_iter().for_each(|invoke| self.enter(invoke));
        }
        if !held.frames.is_empty() {
            self.outputs.push(Output::Show(held.frames));
        }
        held.answers.into_iter().for_each(|(reply, answer)| self.tell(reply, answer));
        for (invocation, attempt) in held.leaving {
            if self.works_for(invocation, attempt) {
                self.outputs.push(Output::Leave(invocation));
            }
        }
        self.leave_if_over();
    }

    pub(super) fn leave_if_over(&mut self) {
        if !self.held.is_empty() {
            return;
        }
        if self.queues.is_none() && !self.run.is_running() {
            self.exit(Exit::Ended(self.view()));
        } else if self.stopping {
            self.exit(Exit::Stopped(self.release()));
        }
    }

    /// What is in memory is ahead of the store: all that was held is refused.
    pub(super) fn broken(&mut self, error: store::Error) {
        self.abort_all();
        let refusal = match &error {
            store::Error::AlreadyRunning => Refusal::AlreadyRunning(self.info.handler.clone()),
            store::Error::KeyTaken => Refusal::KeyReused,
            other => other.clone().into(),
        };
        let mut held = std::mem::take(&mut self.held).into_iter();
        if let Some(first) = held.next() {
            // Whoever carries it out again meets the same key.
            if let (Some(letter), Refusal::KeyReused) = (first.letter, &refusal) {
                self.tell(Asker::Letter(letter), Err(refusal.clone()));
            }
            self.refuse(first.answers, &refusal);
        }
        let behind = Refusal::Unavailable(format!("an entry before it could not be stored: {error}"));
        held.for_each(|held| self.refuse(held.answers, &behind));
        let never_stored = self.created_next || error == store::Error::Gone;
        self.exit(match refusal {
            refusal @ (Refusal::AlreadyRunning(_) | Refusal::KeyReused | Refusal::NotFound) if never_stored => Exit::Refused(refusal),
            _ => Exit::Broken { error, abandoned: self.abandoned, went_well: self.went_well },
        });
    }

    /// Refuses those who asked here. What others have left is still there.
    fn refuse(&mut self, answers: Vec<(Asker<T>, Answer)>, refusal: &Refusal) {
        for (asker, _) in answers {
            if let Asker::Here(_) = asker {
                self.tell(asker, Err(refusal.clone()));
            }
        }
    }

    pub(super) fn exit(&mut self, exit: Exit) {
        self.left = true;
        self.outputs.push(Output::Exit(exit));
    }

    pub(super) fn release(&self) -> Release {
        // What executes goes on at once with whoever takes the run over.
        let wake = if self.run.needs_resume() { Wake { at: Some(0), alive: None } } else { self.timers.wake() };
        // A fork that queues is as its origin was, and has not begun.
        let wake = if self.queues.is_some() { Wake::default() } else { wake };
        Release { run: self.key, generation: self.generation, wake }
    }

    /// The one way of a run: apply, append, carry out. What nobody is answered about is appended together with what
    /// comes with it.
    pub(super) fn input(&mut self, now: Now, input: Input, extra: Extra<T>) {
        let Extra { reply, idempotency, log } = extra;
        let alone = reply.is_some() || idempotency.is_some();
        if alone {
            self.append_gathered();
        }
        let entry = self.run.entry(now.at, now.alive, input);
        let effects = self.run.apply(&entry);
        self.set_timers(&effects);
        self.gather(&entry, &effects, log);
        if alone {
            self.append(reply, idempotency);
        }
        self.perform(effects);
    }

    /// Ends a run that queues: it begins and ends at once, so that it never counts as one that goes on.
    pub(super) fn cancel_unbegun(&mut self, now: Now, unbegun: Unbegun, reply: Asker<T>) {
        let (copied, inputs) = unbegun.beginning();
        self.gather_copied(copied);
        for input in inputs.into_iter().chain([Input::CancelRequested]) {
            let entry = self.run.entry(now.at, now.alive, input);
            let mut effects = self.run.apply(&entry);
            effects.retain(|effect| !matches!(effect, Effect::Invoke(_)));
            self.set_timers(&effects);
            self.gather(&entry, &effects, None);
            self.perform(effects);
        }
        self.append(Some(reply), None);
    }

    /// What is stored with the first entry of its own that a fork makes.
    pub(super) fn gather_copied(&mut self, entries: Vec<EntryRow>) {
        if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
            // The time is that of the entry that follows.
            self.gathered.place = Some((first.seq, last.seq, 0));
            self.since_snapshot += entries.iter().map(|it| it.bytes.len()).sum::<usize>();
            self.gathered.rows = entries;
        }
    }

    fn gather(&mut self, entry: &Entry, effects: &[Effect], log: Option<LogRow>) {
        let row = entry_row(entry);
        self.since_snapshot += row.bytes.len();
        let frames = frame_rows(&self.workflow, effects);
        self.note_end(&frames);
        let first = self.gathered.place.map_or(entry.seq, |(first, ..)| first);
        self.gathered.place = Some((first, entry.seq, entry.at));
        self.gathered.rows.push(row);
        self.gathered.frames.extend(frames);
        self.gathered.logs.extend(log);
    }

    pub(super) fn append_gathered(&mut self) {
        self.append(None, None);
    }

    fn append(&mut self, reply: Option<Asker<T>>, idempotency: Option<IdempotencyRow>) {
        let Gathered { place, rows, frames, logs, waited } = std::mem::take(&mut self.gathered);
        let Some((first, last, at)) = place else { return };
        let ended = !self.run.is_running();
        let append = Append {
            run: self.key,
            generation: self.generation,
            expected_seq: first,
            entries: rows,
            waited: waited || reply.is_some() || self.attended && !frames.is_empty() || ended && self.awaited,
            frames,
            standing: self.standing(at),
            idempotency,
            logs,
            snapshot: self.snapshot(last),
            answer: reply.as_ref().and_then(Asker::letter).map(|letter| (letter, letters::answer(None))),
        };
        self.hold(append.size(), &append.frames, reply);
        self.outputs.push(Output::Append(Box::new(append)));
    }

    /// Worth its writing once the entries since the last outweigh it.
    fn snapshot(&mut self, seq: u64) -> Option<Snapshot> {
        if !self.run.is_running() || self.since_snapshot < self.snapshot.max(SNAPSHOT_AFTER) {
            return None;
        }
        let bytes = snapshot::take(&self.run);
        (self.snapshot, self.since_snapshot) = (bytes.len(), 0);
        Some(Snapshot { seq, bytes: bytes.into() })
    }

    pub(super) fn hold(&mut self, size: usize, frames: &[store::FrameRow], asker: Option<Asker<T>>) {
        let letter = asker.as_ref().and_then(Asker::letter);
        let here = asker.filter(|_| letter.is_none());
        let answers = here.map(|asker| (asker, Ok(self.view()))).into_iter().collect();
        self.under_way += size;
        self.held.push_back(Held { size, frames: frames.iter().cloned().map(Frame::from).collect(), answers, leaving: Vec::new(), letter });
    }

    pub(super) fn standing(&self, updated_at: u64) -> Standing {
        let ended = (!self.run.is_running()).then(|| {
            let state = self.run.state().get().to_owned().into_bytes().into();
            Ended { status: self.view().status.into(), at: updated_at, state }
        });
        let waiting = waiting(&self.run);
        let wake = if ended.is_some() { Wake::default() } else { self.timers.wake() };
        Standing { updated_at, wake, waiting, ended }
    }

    pub(super) fn set_timers(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::SetTimer { timer, due } => self.timers.set(*timer, *due),
                Effect::ClearTimer { timer } => self.timers.clear(*timer),
                Effect::End(_) => self.timers = Timers::default(),
                _ => (),
            }
        }
    }

    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Invoke(invoke) => match &mut self.resuming {
                    Some(entered) => entered.push(*invoke),
                    None => self.enter(*invoke),
                },
                Effect::Answer { invocation, attempt, call } => {
                    if self.works_for(invocation, attempt) {
                        self.outputs.push(Output::Answer(invocation, Box::new(call)));
                    }
                }
                Effect::Abort { invocation, attempt } => self.abort(invocation, attempt),
                Effect::End(_) => self.abort_all(),
                // With the append.
                Effect::Publish(_) | Effect::SetTimer { .. } | Effect::ClearTimer { .. } => (),
            }
        }
    }

    fn enter(&mut self, invoke: Invoke) {
        self.live.insert(invoke.invocation, invoke.attempt);
        self.outputs.push(Output::Enter(Box::new(invoke)));
    }

    fn abort(&mut self, invocation: InvocationId, attempt: u32) {
        if let Some(entered) = &mut self.resuming {
            entered.retain(|invoke| (invoke.invocation, invoke.attempt) != (invocation, attempt));
        }
        if self.works_for(invocation, attempt) {
            self.live.remove(&invocation);
            self.outputs.push(Output::Abort(invocation));
        }
    }

    pub(super) fn abort_all(&mut self) {
        if let Some(entered) = &mut self.resuming {
            entered.clear();
        }
        let live = std::mem::take(&mut self.live);
        self.outputs.extend(live.into_keys().map(Output::Abort));
    }

    pub(super) fn tell(&mut self, asker: Asker<T>, answer: Answer) {
        self.outputs.push(match asker {
            Asker::Here(reply) => Output::Tell(reply, answer),
            Asker::Letter(letter) => Output::Reply(letter, letters::answer(answer.err())),
        });
    }

    pub(super) fn tell_once_durable(&mut self, asker: Asker<T>, answer: Answer) {
        match self.held.back_mut() {
            Some(held) => held.answers.push((asker, answer)),
            None => self.tell(asker, answer),
        }
    }

    pub(super) fn view(&self) -> RunView {
        self.ended.clone().unwrap_or_else(|| RunView::of(&self.run, &self.workflow, &self.info, None))
    }

    /// What it ends with is put in its envelope once: for its last frame.
    pub(super) fn note_end(&mut self, frames: &[FrameRow]) {
        if !self.run.is_running() {
            let last = frames.last().filter(|frame| frame.terminal).map(|frame| frame.json.clone());
            self.ended = Some(RunView::of(&self.run, &self.workflow, &self.info, last));
        }
    }
}
