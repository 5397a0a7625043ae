//! Time in which this process runs. While it is stopped, or its machine is, none passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One tick: so long it is at least, and counts as no more however late the next one comes.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// How many there have been. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Ticks(Arc<AtomicU64>);

impl Ticks {
    pub(super) fn tick(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn passed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed).saturating_mul(10))
    }
}
