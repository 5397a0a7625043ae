//! The beginning.

use super::place::Place;
use super::{Run, Status};
use crate::effect::Due;
use crate::entry::Started;
use crate::json;
use crate::state::State;
use crate::time;

impl Run {
    pub(super) fn start(&mut self, started: &Started) {
        self.status = Status::Running;
        self.started_at = self.now.at;
        self.state = State::new(&started.state);
        // The state may be large, and is kept once.
        self.started = Some(Started { state: json::empty(), ..started.clone() });
        self.set_run_timeout();
        self.emit(&started.start, None, Place::default());
    }

    pub(super) fn set_run_timeout(&mut self) {
        if let Some(timeout) = self.started.as_ref().and_then(|started| started.timeout) {
            let due = self.now.alive.saturating_add(time::micros(timeout));
            self.set_timer(Due::Alive(due), None);
        }
    }
}
