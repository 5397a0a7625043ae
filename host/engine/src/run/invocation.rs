//! What is in flight: one delivery of events to a step, over all its attempts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::effect::{Log, Memos, RetryInfo};
use crate::entry::{Call, Event, Failure, Function, InvocationId, Micros, TimerId};

/// What is said where an answer meets another call than the one that it is for: the last of a log stays the last while
/// its invocation waits in it.
pub(super) const OTHER: &str = "cannot happen: an answer is for another call";

/// The invocations in flight, by number. Dropped when they end.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Invocations {
    next: InvocationId,
    in_flight: BTreeMap<InvocationId, Invocation>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Invocation {
    /// An index into the plan.
    pub step: usize,
    pub events: Arc<[Event]>,
    pub place: Place,
    /// From 0.
    pub attempt: u32,
    pub activity: Activity,
    /// The slot that it holds.
    pub slot: Option<u32>,
    /// When the first attempt was entered.
    pub first_at: Option<Micros>,
    /// When this attempt was first entered.
    pub started_at: Option<Micros>,
    /// The frame of the last input-required event that this attempt has published, and has not waited since.
    pub shown: Option<u64>,
    /// Executing time of this attempt, as far as it is known.
    pub used: Micros,
    /// The same, until it was last entered.
    pub used_before: Micros,
    /// Hosts that were lost while it was on a thread, without a record in between.
    pub crashes: u32,
    /// Attempts that failed.
    pub failures: u32,
    /// Why the last of them did.
    pub last_failure: Option<Failure>,
    /// When it did.
    pub failed_at: Option<Micros>,
    /// The recorded calls of this attempt.
    pub log: Log,
    /// How many of them are committed.
    pub committed: u32,
    /// How often a key of a wait or a buffer of `collect` was used in this attempt.
    occurrences: BTreeMap<String, u32>,
    pub kept: Kept,
    /// The entry that made it, and when; none until that is over.
    pub made: Option<(u64, Micros)>,
    /// Where it stood at the end of the last entry.
    pub stand: Option<Stand>,
}

/// Where an invocation stands, and since when. The fold goes nowhere by it: it is for whoever looks at
/// the run from here on, without the entries before.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Stand {
    pub phase: Phase,
    pub attempt: u32,
    /// The slot that it then held.
    pub slot: Option<u32>,
    /// The entry that began it, and its clocks.
    pub seq: u64,
    pub at: Micros,
    pub alive: Micros,
}

/// Where an invocation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// For a slot.
    Queued,
    /// In an instance.
    Executing,
    /// For a time.
    Sleeping,
    /// For an event.
    Waiting,
    /// For its turn at an exclusive edit.
    Blocked,
    /// For the delay of a retry.
    Retrying,
}

/// What an invocation does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Activity {
    /// Waits for a slot. Entered before, when the attempt has a `started_at`.
    Queued,
    /// Is in an instance, since then on the clock that stands while no host is up.
    Executing { since: Micros },
    /// `dropped`: without an instance.
    Sleeping { timer: TimerId, dropped: bool },
    /// Waits for an event, without an instance and without a slot.
    Waiting { timer: Option<TimerId>, key: WaitKey },
    /// Waits for its turn at an exclusive edit, without an instance.
    Blocked,
    /// Waits for the delay of a retry to pass.
    Retrying { timer: TimerId },
}

/// The key of a wait, and how many of the same key came before in the attempt, as one text.
pub(super) type WaitKey = String;

/// What an invocation keeps over its attempts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    pub memos: Memos,
    pub answers: BTreeMap<WaitKey, Event>,
    /// Waits whose request is published, with its frame; none: it has no request.
    pub asked: BTreeMap<WaitKey, Option<u64>>,
    /// Calls of `collect` that have added their event.
    pub added: BTreeSet<String>,
    /// Batches that it was given, by call of `collect`.
    pub batches: BTreeMap<String, Arc<[Event]>>,
}

impl Invocations {
    pub(super) fn add(&mut self, step: usize, events: Vec<Event>, place: Place) -> InvocationId {
        let id = self.next;
        self.next += 1;
        self.in_flight.insert(id, Invocation::new(step, events, place));
        id
    }

    /// One that a report names: it may have ended.
    pub(super) fn get(&self, id: InvocationId) -> Option<&Invocation> {
        self.in_flight.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: InvocationId) -> Option<&mut Invocation> {
        self.in_flight.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: InvocationId) -> Invocation {
        self.in_flight.remove(&id).expect("cannot happen: what ends is in flight")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (InvocationId, &Invocation)> {
        self.in_flight.iter().map(|(&id, invocation)| (id, invocation))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (InvocationId, &mut Invocation)> {
        self.in_flight.iter_mut().map(|(&id, invocation)| (id, invocation))
    }

    pub(super) fn len(&self) -> usize {
        self.in_flight.len()
    }
}

impl std::ops::Index<InvocationId> for Invocations {
    type Output = Invocation;

    fn index(&self, id: InvocationId) -> &Invocation {
        self.in_flight.get(&id).expect("cannot happen: a move of what is not in flight")
    }
}

impl std::ops::IndexMut<InvocationId> for Invocations {
    fn index_mut(&mut self, id: InvocationId) -> &mut Invocation {
        self.in_flight.get_mut(&id).expect("cannot happen: a move of what is not in flight")
    }
}

impl Invocation {
    fn new(step: usize, events: Vec<Event>, place: Place) -> Invocation {
        Invocation {
            step,
            events: events.into(),
            place,
            attempt: 0,
            activity: Activity::Queued,
            slot: None,
            first_at: None,
            started_at: None,
            shown: None,
            used: 0,
            used_before: 0,
            crashes: 0,
            failures: 0,
            last_failure: None,
            failed_at: None,
            log: Log::new_sync(),
            committed: 0,
            occurrences: BTreeMap::new(),
            kept: Kept::default(),
            made: None,
            stand: None,
        }
    }

    /// Keeps where it stands at the end of an entry.
    pub(super) fn keep_stand(&mut self, seq: u64, at: Micros, alive: Micros) {
        let (phase, attempt) = (self.phase(), self.attempt);
        if self.stand.is_some_and(|stand| (stand.phase, stand.attempt) == (phase, attempt)) {
            return;
        }
        self.made.get_or_insert((seq, at));
        self.stand = Some(Stand { phase, attempt, slot: self.slot, seq, at, alive });
    }

    fn phase(&self) -> Phase {
        match self.activity {
            Activity::Queued => Phase::Queued,
            Activity::Executing { .. } => Phase::Executing,
            Activity::Sleeping { .. } => Phase::Sleeping,
            Activity::Waiting { .. } => Phase::Waiting,
            Activity::Blocked => Phase::Blocked,
            Activity::Retrying { .. } => Phase::Retrying,
        }
    }

    /// Whether there is an instance of it.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.activity, Activity::Executing { .. } | Activity::Sleeping { dropped: false, .. })
    }

    /// Whether it counts among the active steps: executing, suspended or sleeping.
    pub(super) fn is_active(&self) -> bool {
        !matches!(self.activity, Activity::Queued | Activity::Retrying { .. })
    }

    /// The frame in which was asked what it waits for.
    pub(super) fn request(&self) -> Option<u64> {
        match &self.activity {
            Activity::Waiting { key, .. } => self.kept.asked.get(key).copied().flatten(),
            _ => None,
        }
    }

    /// The timer that it has set.
    pub(super) fn timer(&self) -> Option<TimerId> {
        match self.activity {
            Activity::Sleeping { timer, .. } | Activity::Retrying { timer } => Some(timer),
            Activity::Waiting { timer, .. } => timer,
            Activity::Queued | Activity::Executing { .. } | Activity::Blocked => None,
        }
    }

    /// Its entry has computed for so long by now.
    pub(super) fn uses(&mut self, cpu: Micros) {
        self.used = self.used_before.saturating_add(cpu);
    }

    /// Stops the count of the time in an instance.
    pub(super) fn pause(&mut self, alive: Micros) {
        if let Activity::Executing { since } = self.activity {
            self.used = self.used.saturating_add(alive.saturating_sub(since));
        }
    }

    /// Tells uses of one key in this attempt apart.
    pub(super) fn occurrence(&mut self, key: &str) -> String {
        let count = self.occurrences.entry(key.to_owned()).or_default();
        *count += 1;
        format!("{count} {key}")
    }

    /// The last recorded call.
    pub(super) fn last_call(&self) -> Option<&Function> {
        self.log.last().map(|call| &call.function)
    }

    pub(super) fn record(&mut self, call: Call) {
        self.log.push_back_mut(call);
    }

    /// Fills in the answer of the last call, as of a time.
    pub(super) fn fill_last(&mut self, at: Micros, fill: impl FnOnce(&mut Function)) {
        let last = self.log.len().checked_sub(1).and_then(|last| self.log.get_mut(last));
        let call = last.expect("cannot happen: an answer, and no call was recorded");
        call.at = call.at.max(at);
        fill(&mut call.function);
    }

    /// Begins anew, from the top, with an empty log.
    pub(super) fn begin_anew(&mut self) {
        self.attempt = self.attempt.saturating_add(1);
        self.started_at = None;
        self.shown = None;
        self.used = 0;
        self.crashes = 0;
        self.log = Log::new_sync();
        self.committed = 0;
        self.occurrences.clear();
    }

    /// Begins anew as if no attempt had failed before.
    pub(super) fn begin_afresh(&mut self) {
        self.begin_anew();
        self.first_at = None;
        self.failures = 0;
        self.last_failure = None;
        self.failed_at = None;
    }

    /// Forgets the answered waits, and that they were asked: who asks again shall be heard.
    pub(super) fn forget_answers(&mut self) {
        self.kept.answers.clear();
        self.kept.asked.clear();
    }

    pub(super) fn retry_info(&self) -> RetryInfo {
        let elapsed = self.started_at.unwrap_or_default().saturating_sub(self.first_at.unwrap_or_default());
        RetryInfo { failures: self.failures, elapsed, last_failure: self.last_failure.clone(), failed_at: self.failed_at }
    }
}
