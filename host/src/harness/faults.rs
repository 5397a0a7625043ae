//! What a test makes go wrong: attempts that fail, and hosts that are restarted.

use std::collections::BTreeMap;

use serde_json::json;
use wf_engine::definition::Definition;
use wf_engine::entry::{Failure, InvocationId};

use super::Mistake;
use super::request::{Fault, RestartAt};

/// What is to go wrong in a run.
pub(super) struct Faults {
    faults: Vec<Fault>,
    restart_at: RestartAt,
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>, restart_at: RestartAt, definition: &Definition) -> Result<Faults, Mistake> {
        if let Some(unknown) = faults.iter().find(|fault| definition.step(&fault.step).is_none()) {
            let steps: Vec<String> = definition.steps().map(|step| format!("`{}`", step.name)).collect();
            return Err(Mistake::new(format!("there is no step `{}` to fail", unknown.step), format!("there are {}", steps.join(", "))));
        }
        Ok(Faults { faults, restart_at })
    }

    /// How an attempt that has done its work is to fail all the same. `steps`: the invocations that were entered, with
    /// their steps.
    pub(super) fn of(&self, invocation: InvocationId, attempt: u32, steps: &BTreeMap<InvocationId, String>) -> Option<Failure> {
        let step = steps.get(&invocation)?;
        let delivery = steps.range(..invocation).filter(|(_, other)| *other == step).count();
        let is_meant = |fault: &&Fault| fault.step == *step && attempt < fault.times && fault.delivery.is_none_or(|it| it == delivery);
        let Fault { kind, message, retryable, retry_after, .. } = self.faults.iter().find(is_meant)?;
        let kind = kind.clone().unwrap_or_else(|| "Error".to_owned());
        let message = message.clone().unwrap_or_else(|| "the test has made it fail".to_owned());
        let details = json!({ "retryable": retryable.unwrap_or(true), "retry_after": retry_after });
        Some(Failure::from_guest(kind, message, &details.to_string()))
    }

    /// Whether the host is to be restarted at a point. `reads`: a step has an answer of the outside to read, which that
    /// would cut.
    pub(super) fn restarts_at(&self, point: u64, reads: bool) -> bool {
        match &self.restart_at {
            RestartAt::Never => false,
            RestartAt::Every(_) => !reads,
            RestartAt::Points(points) => points.contains(&point),
        }
    }
}
