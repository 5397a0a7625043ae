//! The timers of a run in memory, by what they are due at.

use std::collections::{BTreeMap, BTreeSet};

use wf_engine::effect::Due;
use wf_engine::entry::{Micros, TimerId};

use crate::store::{Now, Wake};

/// Those that are set, on each of the clocks.
#[derive(Debug, Default)]
pub(super) struct Timers {
    set: BTreeMap<TimerId, Due>,
    at: BTreeSet<(Micros, TimerId)>,
    alive: BTreeSet<(Micros, TimerId)>,
}

impl Timers {
    pub(super) fn set(&mut self, timer: TimerId, due: Due) {
        self.clear(timer);
        self.set.insert(timer, due);
        match due {
            Due::At(at) => self.at.insert((at, timer)),
            Due::Alive(alive) => self.alive.insert((alive, timer)),
        };
    }

    pub(super) fn clear(&mut self, timer: TimerId) {
        match self.set.remove(&timer) {
            Some(Due::At(at)) => self.at.remove(&(at, timer)),
            Some(Due::Alive(alive)) => self.alive.remove(&(alive, timer)),
            None => false,
        };
    }

    /// Takes one that is due.
    pub(super) fn take(&mut self, now: Now) -> Option<TimerId> {
        let first = |timers: &BTreeSet<(Micros, TimerId)>, clock: Micros| timers.first().filter(|(due, _)| *due <= clock).map(|it| it.1);
        let due = first(&self.at, now.at).or_else(|| first(&self.alive, now.alive))?;
        self.clear(due);
        Some(due)
    }

    /// Moves those of the clock that stands while no host is up on by so long.
    pub(super) fn delay(&mut self, by: Micros) {
        let moved: Vec<(Micros, TimerId)> = std::mem::take(&mut self.alive).into_iter().collect();
        for (due, timer) in moved {
            self.set(timer, Due::Alive(due.saturating_add(by)));
        }
    }

    /// When the first is due.
    pub(super) fn wake(&self) -> Wake {
        Wake { at: self.at.first().map(|it| it.0), alive: self.alive.first().map(|it| it.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_delayed_is_due_later_on_the_clock_of_hosts_alone() {
        let mut timers = Timers::default();
        for (timer, due) in [(0, Due::Alive(5)), (1, Due::At(5)), (2, Due::Alive(7))] {
            timers.set(timer, due);
        }
        timers.delay(10);
        assert_eq!(timers.wake(), Wake { at: Some(5), alive: Some(15) });
        timers.clear(0);
        let taken: Vec<_> = std::iter::from_fn(|| timers.take(Now { at: 5, alive: 17 })).collect();
        assert_eq!((taken, timers.wake()), (vec![1, 2], Wake::default()));
    }
}
