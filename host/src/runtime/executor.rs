//! Threads of their own for guests: what they compute keeps no one waiting who answers requests.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use async_task::{Runnable, Task};

use super::flows::Flows;
use super::meter::{self, Meter};
use super::shares::Name;

/// The threads of guests. They end when it is dropped.
pub(super) struct Executor(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    bell: Condvar,
}

struct State {
    flows: Flows<Runnable>,
    stopped: bool,
}

/// One entry into an attempt, on these threads. Dropped, it goes on.
pub struct Entry(Option<Task<()>>);

impl Executor {
    /// Twice as many as there are cores; one workflow has at most as many as there are cores. They wake by the clock of the tokio runtime in which this is called.
    pub(super) fn start() -> std::io::Result<Executor> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let state = Mutex::new(State { flows: Flows::new(cores), stopped: false });
        let executor = Executor(Arc::new(Shared { state, bell: Condvar::new() }));
        let timers = tokio::runtime::Handle::try_current().map_err(std::io::Error::other)?;
        for number in 0..2 * cores {
            let (shared, timers) = (executor.0.clone(), timers.clone());
            let work = move || {
                let _timers = timers.enter();
                lower_priority();
                shared.work();
            };
            std::thread::Builder::new().name(format!("guests-{number}")).spawn(work)?;
        }
        Ok(executor)
    }

    /// Lets a workflow's guest run. Its meter learns when it can go on.
    pub(super) fn spawn(&self, name: Name, meter: Meter, guest: impl Future<Output = ()> + Send + 'static) -> Entry {
        let shared = self.0.clone();
        let wake = move |runnable| {
            meter.wake();
            shared.push(&name, runnable);
        };
        let (runnable, task) = async_task::spawn(guest, wake);
        runnable.schedule();
        Entry(Some(task))
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.stopped = true;
        let left = state.flows.clear();
        drop(state);
        // Their ends may wake others.
        drop(left);
        self.0.bell.notify_all();
    }
}

impl Entry {
    /// Ends it, if it has not ended.
    pub fn abort(&mut self) {
        self.0.take();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Task::detach);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while locked")
    }

    fn push(&self, name: &Name, runnable: Runnable) {
        let mut state = self.state();
        if state.stopped {
            // What it holds may wake others as it goes.
            drop(state);
            return drop(runnable);
        }
        state.flows.push(name, runnable);
        drop(state);
        self.bell.notify_one();
    }

    fn work(&self) {
        let mut state = self.state();
        while !state.stopped {
            let Some((name, runnable)) = state.flows.next() else {
                state = self.bell.wait(state).expect("no panic while locked");
                continue;
            };
            drop(state);
            let begun = meter::thread_time();
            if catch_unwind(AssertUnwindSafe(|| runnable.run())).is_err() {
                tracing::error!("a guest of `{name}` ended with a panic of the host");
            }
            let computed = meter::thread_time().saturating_sub(begun);
            state = self.state();
            state.flows.ran(&name, computed);
        }
    }
}

/// Where both have work, the threads that answer requests come first. Only Linux has priorities of threads.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        const NICE: i32 = 5;
        let lowered = rustix::process::getpriority_process(None).and_then(|now| rustix::process::setpriority_process(None, now + NICE));
        if let Err(error) = lowered {
            tracing::debug!("guests have the priority of all other threads: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::sync::mpsc;

    use super::super::ticks::Ticks;
    use super::*;

    fn meter() -> Meter {
        Meter::from(0, Ticks::default())
    }

    /// A guest that computes for ever, and yields at each tick.
    async fn spin() {
        loop {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(10) {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_crowd_that_computes_for_ever_leaves_the_threads_to_others() {
        let executor = Executor::start().expect("threads");
        let mut crowd: Vec<Entry> = (0..100).map(|_| executor.spawn("crowd".into(), meter(), spin())).collect();
        let (sender, mut answers) = mpsc::unbounded_channel();
        for number in 0..20 {
            let sender = sender.clone();
            let entry = executor.spawn("neighbour".into(), meter(), async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                sender.send(number).expect("somebody listens");
            });
            drop(entry);
            assert_eq!(answers.recv().await, Some(number));
        }
        crowd.iter_mut().for_each(Entry::abort);
    }

    #[tokio::test]
    async fn a_guest_is_dropped_when_it_is_aborted_and_with_its_threads() {
        let executor = Executor::start().expect("threads");
        for abort in [true, false] {
            let (sender, mut dropped) = mpsc::channel::<()>(1);
            let mut entry = executor.spawn("one".into(), meter(), async move {
                let _sender = sender;
                spin().await;
            });
            if abort {
                entry.abort();
                assert_eq!(dropped.recv().await, None);
            } else {
                drop(executor);
                assert_eq!(dropped.recv().await, None);
                break;
            }
        }
    }
}
