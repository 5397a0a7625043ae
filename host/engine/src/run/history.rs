//! A run as it was at every entry, for those who look at it. Told by the moves themselves.
//!
//! It may begin at any entry: what was in flight by then knows when it was made, and since when it stands where it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Run;
pub use super::invocation::Phase;
use super::invocation::{Invocation, Stand};
use crate::effect::Due;
use crate::entry::{Commit, Entry, Event, Failure, Function, Input, InvocationId, Micros};
use crate::json::Json;

/// All that happened in a run, or what did in some entries of it.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The entries of the journal, in order.
    pub moments: Vec<Moment>,
    /// The deliveries to steps that these entries tell of. Of one that was made before them: where it stood
    /// then, and what has become of it since.
    pub deliveries: BTreeMap<InvocationId, Delivery>,
    /// Those in flight before the first entry, of which none has told so far.
    before: BTreeMap<InvocationId, Delivery>,
}

/// An entry of the journal.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Its place in the journal.
    pub seq: u64,
    /// When, in UTC.
    pub at: Micros,
    /// What: `started`, `event-received`, `step-progressed`, `step-returned`, `step-failed`, `timer-fired`, `cancel-requested`, `resumed`, `forked`.
    pub kind: &'static str,
    /// Whose report it is.
    pub invocation: Option<InvocationId>,
    /// The event that came.
    pub event: Option<Arc<str>>,
    /// How many frames the stream had after it.
    pub frames: u64,
}

/// An invocation: one delivery of events to a step, over all its attempts.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its number.
    pub invocation: InvocationId,
    /// The step.
    pub step: Arc<str>,
    /// What it was given.
    pub events: Arc<[Event]>,
    /// The entry that made it.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// Where it stood, one after the other.
    pub spans: Vec<Span>,
    /// The types of the events that it sent, with the entries that committed them.
    pub sent: Vec<(u64, Arc<str>)>,
    /// Its failures, by attempt.
    pub failures: Vec<(u32, Failure)>,
    /// How it ended.
    pub end: Option<End>,
}

/// A time in which an invocation stood somewhere.
#[derive(Clone, Debug)]
pub struct Span {
    /// Which attempt, from 0.
    pub attempt: u32,
    /// Where.
    pub phase: Phase,
    /// The slot that it held.
    pub slot: Option<u32>,
    /// What it waits for.
    pub wait: Option<Waited>,
    /// The entry that began it.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// When it ended; none: it has not.
    pub until: Option<Micros>,
}

/// What an invocation waits for.
#[derive(Clone, Debug)]
pub struct Waited {
    /// The types of event that answer.
    pub types: Vec<String>,
    /// Fields that must be equal.
    pub requirements: BTreeMap<String, Json>,
    /// When it gives up, in UTC, if the host stays up.
    pub due: Option<Micros>,
}

/// The end of an invocation.
#[derive(Clone, Debug)]
pub struct End {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// How.
    pub how: Ended,
}

/// How an invocation ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// It returned events of these types.
    Returned(Vec<Arc<str>>),
    /// It failed for good.
    Failed,
    /// The run ended first, or a fork of it went on with a definition that has no such step.
    Dropped,
}

/// What the moves of one entry tell of it: who was touched is looked at once it is applied.
#[derive(Debug, Default)]
pub(super) struct Notes {
    touched: BTreeSet<InvocationId>,
    sent: Vec<(InvocationId, Arc<str>)>,
    failed: Vec<(InvocationId, u32, Failure)>,
    ended: Vec<(InvocationId, Ended)>,
}

impl Run {
    /// Takes notes of the next entry, for a [`History`].
    pub(crate) fn watch(&mut self) {
        self.notes = Some(Notes::default());
    }

    /// Keeps of those who were touched where they now stand.
    pub(super) fn keep_stands(&mut self, touched: BTreeSet<InvocationId>) {
        let (seq, now) = (self.seq(), self.now);
        for id in &touched {
            if let Some(invocation) = self.invocations.get_mut(*id) {
                invocation.keep_stand(seq, now.at, now.alive);
            }
        }
        if let Some(notes) = &mut self.notes {
            notes.touched = touched;
        }
    }

    pub(super) fn note_sent(&mut self, id: InvocationId, commit: &Commit) {
        if let Some(notes) = &mut self.notes {
            notes.sent.extend(commit.sends().map(|(event, _)| (id, event.name.clone())));
        }
    }

    pub(super) fn note_failed(&mut self, id: InvocationId, failure: &Failure) {
        if let Some(notes) = &mut self.notes {
            notes.failed.push((id, self.invocations[id].attempt, failure.clone()));
        }
    }

    pub(super) fn note_ended(&mut self, id: InvocationId, how: Ended) {
        if let Some(notes) = &mut self.notes {
            notes.ended.push((id, how));
        }
    }

    /// The run has ended with these in flight.
    pub(super) fn note_dropped(&mut self) {
        if let Some(notes) = &mut self.notes {
            notes.ended.extend(self.invocations.iter().map(|(id, _)| (id, Ended::Dropped)));
        }
    }
}

impl History {
    /// The history of the entries that a run takes from here on.
    pub(crate) fn from(run: &Run) -> History {
        let delivery = |(id, invocation): (InvocationId, &Invocation)| (id, Delivery::of(id, invocation, run));
        History { before: run.invocations.iter().map(delivery).collect(), ..History::default() }
    }

    /// Goes on by an entry that a run has just taken, which was [watched](Run::watch) for it.
    pub(crate) fn add(&mut self, run: &mut Run, entry: &Entry) {
        self.moments.push(Moment::of(entry, run.next_sequence()));
        let notes = run.notes.take().unwrap_or_default();
        self.note(run, entry.seq, notes);
    }

    /// Where a run that has ended is forked to try again what it failed with: the entry with which that attempt began;
    /// none: it has not failed with one.
    pub fn try_again(&self) -> Option<u64> {
        let last = self.moments.last()?.seq;
        let ended = |it: &&Delivery| matches!(&it.end, Some(End { seq, how: Ended::Failed, .. }) if *seq == last);
        let failed = self.deliveries.values().find(ended)?;
        let attempt = failed.failures.last()?.0;
        failed.spans.iter().find(|span| span.attempt == attempt && span.phase == Phase::Executing).map(|span| span.seq)
    }

    /// What has become of the invocations by an entry.
    fn note(&mut self, run: &Run, seq: u64, notes: Notes) {
        let at = run.updated_at();
        for (id, name) in notes.sent {
            self.delivery(id, |delivery| delivery.sent.push((seq, name)));
        }
        for (id, attempt, failure) in notes.failed {
            self.delivery(id, |delivery| delivery.failures.push((attempt, failure)));
        }
        for (id, how) in notes.ended {
            self.delivery(id, |delivery| delivery.end(End { seq, at, how }));
        }
        for id in notes.touched {
            // It has ended by the same entry.
            let Some(invocation) = run.invocations.get(id) else { continue };
            let made = || self.before.remove(&id).unwrap_or_else(|| Delivery::of(id, invocation, run));
            self.deliveries.entry(id).or_insert_with(made).stands(invocation, run);
        }
    }

    /// One that arrived and ended by the same entry was never anywhere, and is not told of.
    fn delivery(&mut self, id: InvocationId, tell: impl FnOnce(&mut Delivery)) {
        if let Some(before) = self.before.remove(&id) {
            self.deliveries.insert(id, before);
        }
        if let Some(delivery) = self.deliveries.get_mut(&id) {
            tell(delivery);
        }
    }
}

impl Delivery {
    fn of(id: InvocationId, invocation: &Invocation, run: &Run) -> Delivery {
        let (step, events) = (run.plan[invocation.step].name.clone(), invocation.events.clone());
        let (seq, at) = invocation.made.unwrap_or_default();
        let mut delivery = Delivery { invocation: id, step, events, seq, at, spans: vec![], sent: vec![], failures: vec![], end: None };
        delivery.stands(invocation, run);
        delivery
    }

    fn stands(&mut self, invocation: &Invocation, run: &Run) {
        // A fork may have edited them.
        self.events = invocation.events.clone();
        let Some(stand) = invocation.stand.filter(|stand| self.spans.last().is_none_or(|span| span.seq != stand.seq)) else { return };
        self.close(stand.at);
        let Stand { phase, attempt, slot, seq, at, .. } = stand;
        let wait = if phase == Phase::Waiting { waited(invocation, stand, run) } else { None };
        self.spans.push(Span { attempt, phase, slot, wait, seq, at, until: None });
    }

    fn end(&mut self, end: End) {
        self.close(end.at);
        self.end = Some(end);
    }

    fn close(&mut self, at: Micros) {
        if let Some(span) = self.spans.last_mut() {
            span.until.get_or_insert(at);
        }
    }
}

fn waited(invocation: &Invocation, stand: Stand, run: &Run) -> Option<Waited> {
    let Function::Wait(wait) = invocation.last_call()? else { return None };
    let due = invocation.timer().and_then(|timer| run.timers.get(timer)).map(|timer| match timer.due {
        Due::At(at) => at,
        Due::Alive(alive) => stand.at.saturating_add(alive.saturating_sub(stand.alive)),
    });
    Some(Waited { types: wait.types.clone(), requirements: wait.requirements.clone(), due })
}

impl Moment {
    fn of(entry: &Entry, frames: u64) -> Moment {
        let (kind, invocation, event) = match &entry.input {
            Input::Started(started) => ("started", None, Some(started.start.name.clone())),
            Input::EventReceived { event, .. } => ("event-received", None, Some(event.name.clone())),
            Input::StepProgressed { invocation, .. } => ("step-progressed", Some(*invocation), None),
            Input::StepReturned { invocation, .. } => ("step-returned", Some(*invocation), None),
            Input::StepFailed { invocation, .. } => ("step-failed", Some(*invocation), None),
            Input::TimerFired { .. } => ("timer-fired", None, None),
            Input::CancelRequested => ("cancel-requested", None, None),
            Input::Resumed { .. } => ("resumed", None, None),
            Input::Forked(_) => ("forked", None, None),
        };
        Moment { seq: entry.seq, at: entry.at, kind, invocation, event, frames }
    }
}

#[cfg(test)]
mod tests {
    use super::super::garbage::{definition, started};
    use super::*;
    use crate::entry::Usage;
    use crate::json::empty;

    /// Applies an entry; how many notes it gave.
    fn told(history: &mut History, run: &mut Run, input: Input) -> usize {
        let entry = run.entry(0, 0, input);
        run.watch();
        run.apply(&entry);
        let Notes { touched, sent, failed, ended } = run.notes.as_ref().expect("it is watched");
        let count = touched.len() + sent.len() + failed.len() + ended.len();
        history.add(run, &entry);
        count
    }

    fn returned(invocation: InvocationId, events: Vec<Event>) -> Input {
        Input::StepReturned { invocation, attempt: 0, calls: Vec::new(), commit: Commit::default(), events, usage: Usage::default() }
    }

    #[test]
    fn an_entry_tells_of_whom_it_touches_however_many_are_in_flight() {
        const COUNT: usize = 10_000;
        let (mut history, mut run) = (History::default(), Run::new(definition()));
        told(&mut history, &mut run, Input::Started(Box::new(started())));
        let items = vec![Event { name: "Item".into(), payload: empty() }; COUNT];
        assert_eq!(told(&mut history, &mut run, returned(0, items)), COUNT + 1, "each that came, and the one that ended");
        for id in 1..=COUNT as InvocationId {
            let notes = told(&mut history, &mut run, returned(id, Vec::new()));
            assert!((1..=4).contains(&notes), "{notes} notes of the end of {id}");
        }
        let spans: usize = history.deliveries.values().map(|delivery| delivery.spans.len()).sum();
        assert!(history.moments.len() == COUNT + 2 && spans <= 3 * COUNT, "{spans} spans");
    }
}
