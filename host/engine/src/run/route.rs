//! Where an event goes: to who waits for it, and to the steps that accept it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::Run;
use super::scope::ScopeId;
use crate::entry::{Event, Function, InvocationId, Wait, WaitAnswer};
use crate::manifest::EventKind;

/// Invocations that wait, by the type that they wait for.
pub(super) type Waiters = BTreeMap<String, BTreeSet<InvocationId>>;

/// An event that nobody took.
#[derive(Debug)]
pub(super) struct Unhandled {
    pub name: Arc<str>,
    pub step: Option<String>,
}

impl Run {
    /// An event that a step returned or sent.
    pub(super) fn emit(&mut self, event: &Event, step: Option<&str>, scope: Option<ScopeId>) {
        if self.is_input_required(event) {
            self.publish(event.clone());
        }
        self.route(event, step, scope);
    }

    /// Gives an event to every waiter that it answers, and to every step that accepts it and
    /// has no such waiter; `target`: to that step only.
    pub(super) fn route(&mut self, event: &Event, target: Option<&str>, scope: Option<ScopeId>) {
        let waited = self.answer_waiters(event, target);
        let mut taken = !waited.is_empty();
        for step in 0..self.steps.len() {
            let name = &self.steps[step].name;
            let wanted = target.is_none_or(|target| *target == **name) && !waited.contains(&step);
            if wanted && self.definition.accepts(name, &event.name) {
                taken |= self.deliver(step, event, scope);
            }
        }
        // The outside takes what is asked of it.
        if !taken && !self.is_input_required(event) {
            self.turn.unhandled.push(Unhandled { name: event.name.clone(), step: target.map(str::to_owned) });
        }
    }

    pub(super) fn is_input_required(&self, event: &Event) -> bool {
        self.definition.kind(&event.name) == Some(EventKind::InputRequired)
    }

    /// The steps whose waiters it answered.
    fn answer_waiters(&mut self, event: &Event, target: Option<&str>) -> BTreeSet<usize> {
        let Some(waiters) = self.waiters.get(&*event.name) else { return BTreeSet::new() };
        let payload: Value = serde_json::from_str(event.payload.get()).unwrap_or_default();
        let answered: Vec<(InvocationId, usize)> = waiters
            .iter()
            .filter_map(|id| Some((*id, self.invocations.get(id)?)))
            .filter(|(_, it)| target.is_none_or(|target| *target == *self.steps[it.step].name))
            .filter(|(_, it)| matches!(it.log.last().map(|call| &call.function), Some(Function::Wait(wait)) if meets(&payload, wait)))
            .map(|(id, it)| (id, it.step))
            .collect();
        for (id, _) in &answered {
            self.end_wait(*id, WaitAnswer::Event(event.clone()));
        }
        answered.into_iter().map(|(_, step)| step).collect()
    }

    /// Enters a waiter into the index, or takes it out.
    pub(super) fn index_waiter(&mut self, id: InvocationId, waits: bool) {
        let Some(invocation) = self.invocations.get(&id) else { return };
        let Some(Function::Wait(wait)) = invocation.log.last().map(|call| &call.function) else { return };
        if waits {
            self.waiters.entry(wait.name.clone()).or_default().insert(id);
        } else if let Some(ids) = self.waiters.get_mut(&wait.name) {
            ids.remove(&id);
            if ids.is_empty() {
                self.waiters.remove(&wait.name.clone());
            }
        }
    }

    /// Whether nothing but waits is in flight.
    pub(super) fn is_quiet(&self) -> bool {
        let waiting: usize = self.waiters.values().map(BTreeSet::len).sum();
        waiting == self.invocations.len()
    }
}

/// Whether a payload has every required field with an equal value.
fn meets(payload: &Value, wait: &Wait) -> bool {
    wait.requirements.iter().all(|(field, value)| payload.get(field).is_some_and(|found| equal(found, value)))
}

/// Equal as JSON; numbers by value, so that 1 is 1.0.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64() && one.is_f64() != other.is_f64(),
        (Value::Array(one), Value::Array(other)) => one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other)),
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| equal(one, other)))
        }
        _ => one == other,
    }
}
