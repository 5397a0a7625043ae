//! When something of a run is due, and what of that waits while somebody holds it up.

use super::Worker;
use crate::store::{Now, Wake};

impl<T> Worker<T> {
    /// When something of it is due.
    pub fn wake(&self) -> Wake {
        if self.stopping || self.awaits_turn() {
            return Wake::default();
        }
        let wake = self.timers.wake();
        if self.paused_since.is_some() { Wake { alive: None, ..wake } } else { wake }
    }

    /// Says whether somebody holds it up: as long as that lasts, its timeouts do not count. Sleeps and retries go on.
    pub fn pause(&mut self, now: Now, paused: bool) {
        match self.paused_since {
            None => self.paused_since = paused.then_some(now.alive),
            Some(since) if !paused => {
                self.paused_since = None;
                self.timers.delay(now.alive.saturating_sub(since));
            }
            Some(_) => (),
        }
    }

    /// Whether it waits to be told that it may go on after its owner was lost.
    pub fn is_resuming(&self) -> bool {
        self.resuming.is_some()
    }

    /// The clocks by which something of it is due.
    pub(super) fn counted(&self, now: Now) -> Now {
        if self.paused_since.is_some() { Now { alive: 0, ..now } } else { now }
    }
}
