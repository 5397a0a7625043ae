//! Where attempts are held before they are entered, for whoever looks for a mistake. A server for others has none.
//!
//! A run knows nothing of it: to the fold a step that is held is one that has been entered and says nothing yet, and no
//! entry tells of it. So all of this is gone with its host, and whoever has the run next enters the step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wf_engine::attempt::RunInfo;
use wf_engine::effect::Invoke;
use wf_engine::entry::{InvocationId, Micros};

use crate::model::Paused;

/// The breakpoints of a host, and what is held at them.
pub(crate) struct Breakpoints {
    /// Those of workflows that were given none of their own.
    first: BTreeSet<String>,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    /// By workflow.
    set: BTreeMap<String, BTreeSet<String>>,
    /// In the order in which they came.
    held: BTreeMap<u64, Place>,
    next: u64,
    /// Those that are let pass once: the runs, with their deliveries.
    passes: BTreeSet<(String, InvocationId)>,
}

struct Place {
    paused: Paused,
    released: Arc<AtomicBool>,
    /// Wakes whoever is to enter it.
    bell: Arc<Notify>,
}

/// An attempt that is not entered yet. Dropped, it is held no more.
pub(crate) struct Held {
    breakpoints: Arc<Breakpoints>,
    number: u64,
    released: Arc<AtomicBool>,
}

impl Held {
    /// Whether it may be entered.
    pub fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.breakpoints.now().held.remove(&self.number);
    }
}

impl Breakpoints {
    /// `first`: the names of steps and types of events that workflows have as long as nothing else is said of them.
    pub fn new(first: impl IntoIterator<Item = String>) -> Breakpoints {
        Breakpoints { first: first.into_iter().collect(), now: Mutex::default() }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of a workflow.
    pub fn of(&self, workflow: &str) -> BTreeSet<String> {
        self.now().set.get(workflow).unwrap_or(&self.first).clone()
    }

    /// Sets those of a workflow. What is held at one that is gone stays held.
    pub fn set(&self, workflow: &str, names: BTreeSet<String>) {
        self.now().set.insert(workflow.to_owned(), names);
    }

    /// Holds an attempt that is about to be entered, where a breakpoint says so. `bell`: rung once it may be entered.
    pub fn hold(self: &Arc<Breakpoints>, info: &RunInfo, invoke: &Invoke, at: Micros, bell: &Arc<Notify>) -> Option<Held> {
        // What goes on where it was has begun already.
        if !invoke.log.is_empty() {
            return None;
        }
        let mut now = self.now();
        if now.passes.remove(&(info.run.clone(), invoke.invocation)) {
            return None;
        }
        let names = now.set.get(&info.workflow).unwrap_or(&self.first);
        let stops = |name: &&String| ***name == *invoke.step || invoke.events.iter().any(|event| *event.name == ***name);
        let breakpoint = names.iter().find(stops)?.clone();
        tracing::info!(run.id = info.run, "run `{}` is paused before step `{}`, at breakpoint `{breakpoint}`", info.run, invoke.step);
        let paused = Paused {
            run: info.run.clone(),
            handler: info.handler.clone(),
            workflow: info.workflow.clone(),
            invocation: invoke.invocation,
            attempt: invoke.attempt,
            step: invoke.step.clone(),
            events: invoke.events.clone(),
            breakpoint,
            since: at,
        };
        let (number, released) = (now.next, Arc::new(AtomicBool::new(false)));
        now.next += 1;
        now.held.insert(number, Place { paused, released: released.clone(), bell: bell.clone() });
        Some(Held { breakpoints: self.clone(), number, released })
    }

    /// What is held of the runs that are looked for, in the order in which it came.
    pub fn held(&self, wanted: impl Fn(&Paused) -> bool) -> Vec<Paused> {
        self.now().held.values().filter(|place| wanted(&place.paused)).map(|place| place.paused.clone()).collect()
    }

    /// Lets a run's attempts go on that are held, or that of one delivery. Says how many.
    pub fn go_on(&self, run: &str, invocation: Option<InvocationId>) -> usize {
        let mut now = self.now();
        let before = now.held.len();
        now.held.retain(|_, place| {
            let goes = place.paused.run == run && invocation.is_none_or(|it| it == place.paused.invocation);
            if goes {
                place.released.store(true, Ordering::Release);
                place.bell.notify_one();
            }
            !goes
        });
        before - now.held.len()
    }

    /// Lets a delivery pass that is about to come, once.
    pub fn let_pass(&self, run: &str, invocation: InvocationId) {
        self.now().passes.insert((run.to_owned(), invocation));
    }
}
