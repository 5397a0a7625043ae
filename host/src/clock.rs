//! The two clocks of a host. Nothing else reads time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wf_engine::effect::Due;
use wf_engine::entry::Micros;

/// UTC, and the store's clock, which stands while no host is up.
pub struct Clock {
    started: Instant,
    alive_before: Micros,
    latest: AtomicU64,
}

impl Clock {
    /// `alive_before`: where the store's clock stood.
    pub fn new(alive_before: Micros) -> Clock {
        Clock { started: Instant::now(), alive_before, latest: AtomicU64::new(0) }
    }

    /// Microseconds since 1970, UTC. Never goes back, also when the machine's clock is set back.
    pub fn at(&self) -> Micros {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = micros(now);
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// The store's clock, in microseconds.
    pub fn alive(&self) -> Micros {
        self.alive_before + micros(self.started.elapsed())
    }

    /// How long until a timer is due; zero when it is.
    pub fn until(&self, due: Due) -> Duration {
        let micros = match due {
            Due::At(at) => at.saturating_sub(self.at()),
            Due::Alive(alive) => alive.saturating_sub(self.alive()),
        };
        Duration::from_micros(micros)
    }
}

fn micros(duration: Duration) -> Micros {
    duration.as_micros().try_into().unwrap_or(Micros::MAX)
}
