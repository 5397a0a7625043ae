//! The two clocks of a host. Nothing else reads time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wf_engine::entry::Micros;

use crate::store::Wake;

/// UTC, and the store's clock, which stands while no host is up.
pub struct Clock {
    started: Instant,
    alive_before: Micros,
    /// What UTC was when we started, by the furthest that the machine's clock has shown since.
    anchor: AtomicU64,
}

impl Clock {
    /// `alive_before`: where the store's clock stood.
    pub fn new(alive_before: Micros) -> Clock {
        Clock { started: Instant::now(), alive_before, anchor: AtomicU64::new(0) }
    }

    /// Microseconds since 1970, UTC. Never goes back: where the machine's clock is set back, it goes on as time passes.
    pub fn at(&self) -> Micros {
        let passed = micros(self.started.elapsed());
        let shown = micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()).saturating_sub(passed);
        self.anchor.fetch_max(shown, Ordering::Relaxed).max(shown).saturating_add(passed)
    }

    /// The store's clock, in microseconds.
    pub fn alive(&self) -> Micros {
        self.alive_before + micros(self.started.elapsed())
    }

    /// How long until something is due, on whichever clock it is first; zero when it is; none: it never is.
    pub fn until(&self, wake: Wake) -> Option<Duration> {
        let at = wake.at.map(|at| at.saturating_sub(self.at()));
        let alive = wake.alive.map(|alive| alive.saturating_sub(self.alive()));
        at.into_iter().chain(alive).min().map(Duration::from_micros)
    }
}

fn micros(duration: Duration) -> Micros {
    duration.as_micros().try_into().unwrap_or(Micros::MAX)
}
