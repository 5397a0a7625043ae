//! One delivery of events to a step, over all its attempts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::value::RawValue;

use super::scope::ScopeId;
use crate::entry::{Call, Event, Micros, TimerId};

#[derive(Debug)]
pub(super) struct Invocation {
    /// An index into the steps.
    pub step: usize,
    pub events: Vec<Event>,
    pub scope: Option<ScopeId>,
    /// From 0.
    pub attempt: u32,
    pub phase: Phase,
    /// The slot that it holds.
    pub slot: Option<u32>,
    /// When the first attempt was entered.
    pub first_at: Option<Micros>,
    /// When this attempt was first entered.
    pub started_at: Option<Micros>,
    /// Executing time of this attempt until it was last entered.
    pub used: Micros,
    /// Hosts that were lost while it executed, without a record in between.
    pub crashes: u32,
    /// The recorded calls of this attempt.
    pub log: Vec<Call>,
    /// How many of them are committed.
    pub committed: u32,
    pub kept: Kept,
}

/// Where an invocation stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// For a slot. Entered before, when the attempt has a `started_at`.
    Queued,
    /// In an instance, since then on the clock that stands while no host is up.
    Executing { since: Micros },
    /// `dropped`: without an instance.
    Sleeping { timer: TimerId, dropped: bool },
    /// For an event, without an instance and without a slot.
    Waiting { timer: Option<TimerId>, key: WaitKey },
    /// For the delay of a retry to pass.
    Retrying,
}

/// The key of a wait, and how many of the same key came before in the attempt.
pub(super) type WaitKey = (String, u32);

/// What an invocation keeps over its attempts.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub memos: BTreeMap<String, Arc<RawValue>>,
    pub answers: BTreeMap<WaitKey, Event>,
    /// Waits whose request is published.
    pub asked: BTreeSet<WaitKey>,
    /// Buffers of `collect` that it has added to.
    pub added: BTreeSet<String>,
    /// Batches that it was given, by buffer.
    pub batches: BTreeMap<String, Vec<Event>>,
}

impl Invocation {
    pub(super) fn new(step: usize, events: Vec<Event>, scope: Option<ScopeId>) -> Invocation {
        Invocation {
            step,
            events,
            scope,
            attempt: 0,
            phase: Phase::Queued,
            slot: None,
            first_at: None,
            started_at: None,
            used: 0,
            crashes: 0,
            log: Vec::new(),
            committed: 0,
            kept: Kept::default(),
        }
    }

    /// Whether there is an instance of it.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Executing { .. } | Phase::Sleeping { dropped: false, .. })
    }

    /// Whether it counts among the active steps: executing, suspended or sleeping.
    pub(super) fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Executing { .. } | Phase::Sleeping { .. } | Phase::Waiting { .. })
    }

    /// Stops the count of executing time.
    pub(super) fn pause(&mut self, alive: Micros) {
        if let Phase::Executing { since } = self.phase {
            self.used = self.used.saturating_add(alive.saturating_sub(since));
        }
    }

    /// Begins anew, from the top, with an empty log.
    pub(super) fn next_attempt(&mut self) {
        self.attempt = self.attempt.saturating_add(1);
        self.phase = Phase::Retrying;
        self.started_at = None;
        self.used = 0;
        self.crashes = 0;
        self.log.clear();
        self.committed = 0;
    }

    /// Forgets the answered waits, and that they were asked: who asks again shall be heard.
    pub(super) fn forget_answers(&mut self) {
        self.kept.answers.clear();
        self.kept.asked.clear();
    }
}
