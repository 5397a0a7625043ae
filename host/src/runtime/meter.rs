//! What one entry into an attempt uses, counted as it goes.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;
use wf_engine::entry::{Micros, Usage};

/// Most elements of one table.
const TABLE_MAX: usize = 100_000;

/// The counts of one entry, for those who count and those who tell. Cheap to clone.
#[derive(Clone)]
pub(super) struct Meter(Arc<Mutex<Counts>>);

struct Counts {
    started_at: Micros,
    /// Executing time of the polls that are over.
    computed: Duration,
    /// When the present poll began.
    polled: Option<Instant>,
    memory: usize,
}

impl Meter {
    /// Of an entry that begins at this time.
    pub(super) fn from(started_at: Micros) -> Meter {
        Meter(Arc::new(Mutex::new(Counts { started_at, computed: Duration::ZERO, polled: None, memory: 0 })))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().expect("no panic while locked")
    }

    /// The guest is given the thread.
    pub(super) fn begin(&self) {
        self.counts().polled = Some(Instant::now());
    }

    /// It gives the thread back. What it has computed by then.
    pub(super) fn end(&self) -> Duration {
        let mut counts = self.counts();
        let polled = counts.polled.take().map_or(Duration::ZERO, |begun| begun.elapsed());
        counts.computed += polled;
        counts.computed
    }

    /// What it has used so far.
    pub(super) fn usage(&self) -> Usage {
        let counts = self.counts();
        let computed = counts.computed + counts.polled.map_or(Duration::ZERO, |begun| begun.elapsed());
        Usage { started_at: counts.started_at, cpu: computed.as_micros() as Micros, memory: counts.memory as u64 }
    }
}

/// Watches over an instance's memory.
pub(super) struct Memory {
    pub max: usize,
    /// It wanted more than it may have.
    pub refused: bool,
    pub meter: Meter,
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.max {
            self.refused = true;
            return Ok(false);
        }
        let mut counts = self.meter.counts();
        counts.memory = counts.memory.max(desired);
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_MAX)
    }
}
