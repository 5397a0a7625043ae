//! The clock that a guest sees.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};
use wf_engine::entry::Micros;

/// A clock that stands where the last recorded call was answered, and moves a microsecond a reading.
#[derive(Clone)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(super) fn at(start: Micros) -> Clock {
        Clock(Arc::new(AtomicU64::new(start)))
    }

    /// A reading, in microseconds since 1970.
    pub(super) fn read(&self) -> Micros {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Where it stands; not a reading.
    pub(super) fn standing(&self) -> Micros {
        self.0.load(Ordering::Relaxed)
    }

    /// Moves it on; never back.
    pub(super) fn advance(&self, to: Micros) {
        self.0.fetch_max(to, Ordering::Relaxed);
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.read())
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        self.read().saturating_mul(1_000)
    }
}
