//! The calls since the last report, and how a report tells what they read: large values once, and in
//! the last report only where they cannot be told again from the run.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::entry::{Call, Function, Told};
use crate::json::Json;

/// Longest text of a value that is told again with every read of it, in bytes.
const AGAIN_MAX: usize = 1024;

/// The calls since the last report.
#[derive(Debug, Default)]
pub(super) struct Unreported {
    calls: Vec<Call>,
    /// Bytes of what they hold beside their ordinals: a value that is read again counts once.
    bytes: usize,
    /// The reads among them, by ordinal, that the run tells again: before the entry of which seq.
    before: BTreeMap<u32, u64>,
    /// The large values of the calls that were reported, and whose they are.
    told: BTreeMap<Large, u32>,
    /// Those of all calls: one that is read again is not held again.
    held: BTreeSet<Large>,
}

/// A large value, in order of its length, then of its text.
#[derive(Debug)]
struct Large(Json);

impl Unreported {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn push(&mut self, mut call: Call) {
        let mut is_new = true;
        if let Some(Told::Value(value)) = answer(&mut call.function)
            && is_large(value)
        {
            match self.held.get(&Large(value.clone())) {
                Some(Large(same)) => (*value, is_new) = (same.clone(), false),
                None => drop(self.held.insert(Large(value.clone()))),
            }
        }
        self.bytes += if is_new { bytes(&call.function) } else { 0 };
        self.calls.push(call);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The call of this ordinal, which comes next, is a read that the run tells again.
    pub(super) fn tell_again(&mut self, ordinal: u32, seq: u64) {
        self.before.insert(ordinal, seq);
    }

    /// Takes note of a call that is recorded.
    pub(super) fn recorded(&mut self, call: &Call) {
        if let Some(value) = call.function.value().filter(|value| is_large(value)) {
            self.told.entry(Large(value.clone())).or_insert(call.ordinal);
        }
    }

    /// Takes them out for a report that the attempt goes on after.
    pub(super) fn progress(&mut self) -> Vec<Call> {
        self.before.clear();
        self.bytes = 0;
        let mut calls = std::mem::take(&mut self.calls);
        for call in &mut calls {
            self.tell_once(call);
        }
        calls
    }

    /// Takes them out for the attempt's last report.
    pub(super) fn last(&mut self) -> Vec<Call> {
        let before = std::mem::take(&mut self.before);
        let mut calls = std::mem::take(&mut self.calls);
        for call in &mut calls {
            if let (Some(&seq), Some(answer)) = (before.get(&call.ordinal), answer(&mut call.function)) {
                *answer = Told::Before(seq);
            }
        }
        // A look-up asks no run: what it told is in an earlier report, or it is told here.
        calls.iter_mut().filter(|call| matches!(call.function, Function::LookUp { .. })).for_each(|call| self.tell_once(call));
        calls
    }

    /// Replaces a large value that was told before.
    fn tell_once(&mut self, call: &mut Call) {
        // What is small is told with every read.
        let Some(value) = call.function.value().filter(|value| is_large(value)).cloned() else { return };
        let first = *self.told.entry(Large(value)).or_insert(call.ordinal);
        if let Some(answer) = answer(&mut call.function).filter(|_| first != call.ordinal) {
            *answer = Told::Same(first);
        }
    }
}

/// What a call that is answered on the guest's side was told.
fn answer(function: &mut Function) -> Option<&mut Told> {
    match function {
        Function::Get { answer, .. } | Function::LookUp { answer, .. } | Function::EditBegin { answer, .. } => Some(answer),
        _ => None,
    }
}

/// What a call holds, of what its guest or the run gave it.
fn bytes(function: &Function) -> usize {
    let value = function.value().map_or(0, |value| value.get().len());
    value
        + match function {
            Function::Refused { call, failure } => call.len() + failure.message.len(),
            Function::Collect { event, .. } | Function::Publish { event } => event.payload.get().len(),
            Function::EditCommit { value, .. } => value.get().len(),
            Function::Variables { values } => values.iter().map(|(name, value)| name.len() + value.len()).sum(),
            _ => 0,
        }
}

/// Whether a value is told once.
pub(crate) fn is_large(value: &Json) -> bool {
    value.get().len() > AGAIN_MAX
}

impl Ord for Large {
    fn cmp(&self, other: &Large) -> Ordering {
        let (one, two) = (self.0.get(), other.0.get());
        one.len().cmp(&two.len()).then_with(|| one.cmp(two))
    }
}

impl PartialOrd for Large {
    fn partial_cmp(&self, other: &Large) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Large {
    fn eq(&self, other: &Large) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Large {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::to_json;

    #[test]
    fn a_large_value_that_is_read_twice_is_held_once() {
        let mut unreported = Unreported::default();
        for ordinal in 0..2 {
            let answer = Told::Value(to_json(&"x".repeat(2 * AGAIN_MAX)));
            unreported.push(Call { ordinal, at: 0, function: Function::Get { path: "a".to_owned(), answer } });
        }
        let values: Vec<&Json> = unreported.calls.iter().filter_map(|call| call.function.value()).collect();
        assert!(values.len() == 2 && std::sync::Arc::ptr_eq(values[0], values[1]));
    }
}
