//! Its `describe` sleeps.

use wf_guest::bindings::exports::wf::workflow::steps::Guest;
use wf_guest::bindings::wf::workflow::types::{Event, Failure};

struct Component;

impl Guest for Component {
    fn describe() -> String {
        std::thread::sleep(std::time::Duration::from_secs(3600));
        String::new()
    }

    fn invoke(_step: String, events: Vec<Event>) -> Result<Vec<Event>, Failure> {
        Ok(events)
    }
}

wf_guest::bindings::export_component!(Component with_types_in wf_guest::bindings);
