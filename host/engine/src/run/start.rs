//! The beginning.

use serde_json::Value;

use super::{Run, time};
use crate::effect::Due;
use crate::entry::Started;
use crate::state::State;

impl Run {
    pub(super) fn start(&mut self, started: &Started) {
        self.started_at = self.at;
        self.state = State::new(started.state.clone());
        if let Some(timeout) = started.timeout {
            let due = self.alive.saturating_add(time::micros(timeout));
            self.set_timer(Due::Alive(due), None);
        }
        self.started = Some(stateless(started));
        self.route(&started.start, None, None);
    }
}

/// The state may be large, and is kept once.
fn stateless(started: &Started) -> Started {
    Started {
        rules: started.rules,
        definition: started.definition.clone(),
        workflow: started.workflow.clone(),
        handler: started.handler.clone(),
        run: started.run.clone(),
        start: started.start.clone(),
        state: Value::Null,
        seed: started.seed.clone(),
        timeout: started.timeout,
        additional_events: started.additional_events.clone(),
    }
}
