//! What a run waits for from outside, as a store keeps it: a JSON array.

use wf_engine::run::{Awaits, Run};

/// What a run waits for from outside; none: for nothing.
pub fn waiting(run: &Run) -> Option<String> {
    let awaits = run.awaits();
    (!awaits.is_empty()).then(|| serde_json::to_string(&awaits).expect("cannot happen: names and numbers are JSON"))
}

/// The same, as it was written.
pub fn awaits(written: Option<&str>) -> Vec<Awaits> {
    let Some(written) = written else { return Vec::new() };
    // Older builds wrote the types alone.
    let types = || Awaits { types: written.split_whitespace().map(str::to_owned).collect(), step: None, invocation: None, request: None };
    serde_json::from_str(written).unwrap_or_else(|_| vec![types()])
}

/// What older builds wrote, who knew only of waits.
pub fn waiting_before(run: &Run) -> Option<String> {
    let awaited: Vec<&str> = run.awaited().collect();
    (run.is_running() && !awaited.is_empty()).then(|| awaited.join(" "))
}
