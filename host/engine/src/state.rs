//! Committed state.

use std::sync::Arc;

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::entry::{Buffered, InvocationId};

/// Committed state: a JSON object.
#[derive(Debug)]
pub struct State {
    value: Value,
    changes: Vec<(String, u64, (InvocationId, u32))>,
}

/// Why a path cannot be used.
#[derive(Debug)]
pub struct PathError(String);

impl std::fmt::Display for PathError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl State {
    /// Of an object.
    pub fn new(value: Value) -> State {
        State { value, changes: Vec::new() }
    }

    /// The object.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value at a path.
    pub fn read(&self, path: &str, _own: &[Buffered]) -> Result<Option<Arc<RawValue>>, PathError> {
        Ok(self.value.get(path).and_then(|value| to_raw_value(value).ok()).map(Arc::from))
    }

    /// The version of and the value at a path.
    pub fn edit_begin(&self, path: &str, own: &[Buffered]) -> Result<(u64, Option<Arc<RawValue>>), PathError> {
        let version = self.changes.iter().filter(|(changed, ..)| changed == path).map(|(_, seq, _)| *seq).max().unwrap_or(0);
        Ok((version, self.read(path, own)?))
    }

    /// Whether a path could be written.
    pub fn check_write(&self, _path: &str, _own: &[Buffered]) -> Result<(), PathError> {
        Ok(())
    }

    /// Whether another attempt changed it.
    pub fn conflicts(&self, path: &str, version: u64, by: (InvocationId, u32)) -> bool {
        self.changes.iter().any(|(changed, seq, who)| changed == path && *seq > version && *who != by)
    }

    /// Applies writes.
    pub fn commit(&mut self, effects: &[Buffered], by: (InvocationId, u32), seq: u64) {
        for effect in effects {
            if let Buffered::Set { path, value } = effect {
                self.value[path.as_str()] = serde_json::from_str(value.get()).unwrap_or_default();
                self.changes.push((path.clone(), seq, by));
            }
        }
    }
}
