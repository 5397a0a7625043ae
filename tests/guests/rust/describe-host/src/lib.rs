//! Its `describe` calls the host.

use wf_guest::bindings::exports::wf::workflow::steps::Guest;
use wf_guest::bindings::wf::workflow::types::{Event, Failure};

struct Component;

impl Guest for Component {
    fn describe() -> String {
        wf_guest::bindings::wf::workflow::run::run_id()
    }

    fn invoke(_step: String, events: Vec<Event>) -> Result<Vec<Event>, Failure> {
        Ok(events)
    }
}

wf_guest::bindings::export_component!(Component with_types_in wf_guest::bindings);
