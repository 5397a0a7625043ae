//! What workflows are granted, as the settings say now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::config::Config;
use crate::model::Granted;

/// By the names of workflows.
pub(super) struct AllGranted(Mutex<State>);

struct State {
    /// Of it, what it says of grants.
    config: Config,
    granted: HashMap<String, Arc<Granted>>,
}

impl AllGranted {
    pub(super) fn new(config: Config) -> AllGranted {
        AllGranted(Mutex::new(State { config, granted: HashMap::new() }))
    }

    /// That of a workflow.
    pub(super) fn of(&self, workflow: &str) -> Arc<Granted> {
        let State { config, granted } = &mut *self.0.lock().expect("no panic while locked");
        let made = || Arc::new(Granted::new(config.grants(workflow)));
        granted.entry(workflow.to_owned()).or_insert_with(made).clone()
    }

    /// Grants what these settings say.
    pub(super) fn apply(&self, config: &Config) {
        let mut state = self.0.lock().expect("no panic while locked");
        state.granted.iter().for_each(|(name, granted)| granted.replace(config.grants(name)));
        state.config = config.clone();
    }
}
