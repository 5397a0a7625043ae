//! What one entry into an attempt uses, counted as it goes.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use wf_engine::entry::{Micros, SLEEP_DROP_MIN, Usage};

use super::ticks::Ticks;
use crate::model::Limits;

/// A sleep through WASI that is as long as this is refused: a durable one keeps no instance.
const SLEEP_MAX: Duration = Duration::from_micros(SLEEP_DROP_MIN);

/// The counts of one entry, for those who count and those who tell. Cheap to clone.
#[derive(Clone)]
pub(super) struct Meter(Arc<Mutex<Counts>>);

struct Counts {
    started_at: Micros,
    ticks: Ticks,
    /// Executing time of the polls that are over.
    computed: Duration,
    /// The thread's time when the present poll began.
    polled: Option<Duration>,
    /// How long it has slept, or waited for the host. What it waited for a thread is none of it.
    idled: Duration,
    /// Since when it does so now.
    idles: Option<Duration>,
    /// What it has slept durably.
    rested: Duration,
    /// Sleeps that it waits for now, and how many of them are too long.
    sleeping: (u32, u32),
    memory: u64,
}

/// What an entry has used too much of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Excess {
    Executing,
    Entry,
    Sleep,
}

/// The CPU time of the thread that asks. The time in which others have it, or the machine stands still, is none of it.
pub(super) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

impl Meter {
    /// Of an entry that begins at this time.
    pub(super) fn from(started_at: Micros, ticks: Ticks) -> Meter {
        Meter(Arc::new(Mutex::new(Counts {
            started_at,
            ticks,
            computed: Duration::ZERO,
            polled: None,
            idled: Duration::ZERO,
            idles: None,
            rested: Duration::ZERO,
            sleeping: (0, 0),
            memory: 0,
        })))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().expect("no panic while locked")
    }

    /// The guest is given the thread.
    pub(super) fn begin(&self) {
        self.counts().polled = Some(thread_time());
    }

    /// It gives the thread back.
    pub(super) fn end(&self) {
        let mut counts = self.counts();
        counts.computed = counts.computed();
        counts.polled = None;
        counts.idles = Some(counts.ticks.passed());
    }

    /// What it slept or waited for is there: it can go on as soon as there is a thread.
    pub(super) fn wake(&self) {
        let mut counts = self.counts();
        if let Some(since) = counts.idles.take() {
            let idled = counts.ticks.passed().saturating_sub(since);
            counts.idled += idled;
        }
    }

    /// It sleeps durably for so long. Such a sleep is recorded, and has bounds of its own.
    pub(super) fn rest(&self, duration: Duration) {
        self.counts().rested += duration;
    }

    /// What it has computed by now, while it has not the thread.
    pub(super) fn computed(&self) -> Duration {
        self.counts().computed
    }

    /// How long it may still idle.
    pub(super) fn left(&self, limits: &Limits) -> Duration {
        let counts = self.counts();
        limits.entry_max.saturating_add(counts.rested).saturating_sub(counts.computed + counts.idled)
    }

    /// What it has used too much of by now, while it has not the thread.
    pub(super) fn excess(&self, limits: &Limits) -> Option<Excess> {
        let over = self.left(limits).is_zero();
        let counts = self.counts();
        match counts.sleeping {
            _ if counts.computed > limits.executing_max => Some(Excess::Executing),
            (sleeping, long) if long > 0 && long == sleeping => Some(Excess::Sleep),
            _ if over => Some(Excess::Entry),
            _ => None,
        }
    }

    /// It sleeps for so long, until this is dropped.
    pub(super) fn sleeping(&self, duration: Duration) -> Sleeping {
        let mut counts = self.counts();
        let long = u32::from(duration >= SLEEP_MAX);
        counts.sleeping = (counts.sleeping.0 + 1, counts.sleeping.1 + long);
        Sleeping { meter: self.clone(), long }
    }

    pub(super) fn memory(&self, bytes: u64) {
        let mut counts = self.counts();
        counts.memory = counts.memory.max(bytes);
    }

    /// What it had used when it was last given the thread: costs nothing to ask.
    pub(super) fn usage_before(&self) -> Usage {
        let counts = self.counts();
        Usage { started_at: counts.started_at, cpu: counts.computed.as_micros() as Micros, memory: counts.memory }
    }

    /// What it has used so far. Asked by the guest's thread, or while the guest has none.
    pub(super) fn usage(&self) -> Usage {
        let counts = self.counts();
        Usage { started_at: counts.started_at, cpu: counts.computed().as_micros() as Micros, memory: counts.memory }
    }
}

impl Counts {
    fn computed(&self) -> Duration {
        self.computed + self.polled.map_or(Duration::ZERO, |begun| thread_time().saturating_sub(begun))
    }
}

/// A sleep that goes on.
pub(super) struct Sleeping {
    meter: Meter,
    long: u32,
}

impl Drop for Sleeping {
    fn drop(&mut self) {
        let mut counts = self.meter.counts();
        counts.sleeping = (counts.sleeping.0 - 1, counts.sleeping.1 - self.long);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = SLEEP_MAX;
    const SHORT: Duration = Duration::from_millis(999);

    #[test]
    fn only_who_waits_for_nothing_but_long_sleeps_sleeps_too_long() {
        let (meter, limits) = (Meter::from(0, Ticks::default()), Limits::default());
        assert_eq!(meter.excess(&limits), None);
        let long = meter.sleeping(LONG);
        assert_eq!(meter.excess(&limits), Some(Excess::Sleep));
        let short = meter.sleeping(SHORT);
        assert_eq!(meter.excess(&limits), None, "the short one wakes it");
        drop(short);
        assert_eq!(meter.excess(&limits), Some(Excess::Sleep));
        drop(long);
        assert_eq!(meter.excess(&limits), None, "it only had a look");
    }

    #[test]
    fn what_it_computes_is_bounded() {
        let (meter, limits) = (Meter::from(0, Ticks::default()), Limits { executing_max: Duration::ZERO, ..Limits::default() });
        assert_eq!(meter.excess(&limits), None, "it had no thread");
        meter.begin();
        while meter.usage().cpu < 1000 {
            std::hint::spin_loop();
        }
        meter.end();
        assert_eq!(meter.excess(&limits), Some(Excess::Executing));
        let limits = Limits { entry_max: Duration::from_micros(1), ..Limits::default() };
        assert_eq!(meter.excess(&limits), Some(Excess::Entry));
    }

    #[test]
    fn what_it_idles_is_bounded_in_the_time_in_which_the_host_runs() {
        let (ticks, limits) = (Ticks::default(), Limits { entry_max: Duration::from_millis(100), ..Limits::default() });
        let meter = Meter::from(0, ticks.clone());
        let pass = |milliseconds| (0..milliseconds / 10).for_each(|_| ticks.tick());
        pass(1000);
        assert_eq!(meter.excess(&limits), None, "it waited for its turn");
        meter.begin();
        meter.end();
        pass(50);
        meter.wake();
        pass(1000);
        assert_eq!(meter.excess(&limits), None, "it waited for a thread");
        meter.begin();
        meter.rest(Duration::from_millis(500));
        meter.end();
        pass(540);
        meter.wake();
        assert_eq!(meter.excess(&limits), None, "what it slept durably is none of it");
        assert!(meter.left(&limits) <= Duration::from_millis(10), "{:?}", meter.left(&limits));
        meter.begin();
        meter.end();
        pass(10);
        meter.wake();
        assert_eq!(meter.excess(&limits), Some(Excess::Entry));
    }
}
