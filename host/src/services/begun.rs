//! The workflows with which runs have begun. That does not change: what is known of it stays true.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::model::Workflow;
use crate::store::RunKey;

/// Runs of which it is known; then all of them are forgotten.
const KNOWN_MAX: usize = 4096;

/// Which run has begun with which.
#[derive(Default)]
pub(crate) struct Begun(Mutex<HashMap<RunKey, Arc<Workflow>>>);

impl Begun {
    fn known(&self) -> MutexGuard<'_, HashMap<RunKey, Arc<Workflow>>> {
        self.0.lock().expect("no panic while locked")
    }

    /// What a run has begun with, where that is known.
    pub(crate) fn get(&self, run: RunKey) -> Option<Arc<Workflow>> {
        self.known().get(&run).cloned()
    }

    /// Takes note of what a run has begun with.
    pub(crate) fn put(&self, run: RunKey, workflow: Arc<Workflow>) {
        let mut known = self.known();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(run, workflow);
    }
}
