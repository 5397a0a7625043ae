//! A run's committed state: one JSON object, addressed by dotted paths.
//!
//! Values are kept parsed: key order stays, and so do numbers that are an `i64`, a `u64` or an `f64`.

mod path;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::entry::{Buffered, InvocationId};
pub use path::PathError;
use path::{delete, get, segments, set};

/// Most paths whose changes are remembered. Older ones are forgotten; an edit that began before
/// a forgotten change is answered as if it conflicted, and is repeated.
const CHANGES_MAX: usize = 1024;

/// An attempt of an invocation.
type Attempt = (InvocationId, u32);

/// Committed state: a JSON object.
#[derive(Debug)]
pub struct State {
    value: Value,
    /// The seq of the newest commit.
    version: u64,
    changes: BTreeMap<String, Change>,
    /// The newest change that is no longer among them.
    forgotten: u64,
    /// Bytes of JSON that the object cannot exceed: those of the first one and of all writes since.
    size_max: usize,
}

/// The newest change of a path, and the newest of another attempt than that one's.
#[derive(Debug)]
struct Change {
    seq: u64,
    by: Attempt,
    other: u64,
}

impl State {
    /// Of an object; anything else counts as an empty one.
    pub fn new(value: Value) -> State {
        let value = if value.is_object() { value } else { Value::Object(Default::default()) };
        let size_max = size(&value);
        State { value, version: 0, changes: BTreeMap::new(), forgotten: 0, size_max }
    }

    /// The object.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value at a path as an attempt sees it that has buffered `own`; none where there is none.
    pub fn read(&self, path: &str, own: &[Buffered]) -> Result<Option<Arc<RawValue>>, PathError> {
        let path = segments(path)?;
        let seen = self.seen(path[0], own)?;
        let value = get(seen.as_ref().unwrap_or(&self.value), &path);
        Ok(value.map(|value| to_raw_value(value).expect("a JSON value is JSON").into()))
    }

    /// The version to give to an edit's commit, and the value as [`State::read`] does.
    pub fn edit_begin(&self, path: &str, own: &[Buffered]) -> Result<(u64, Option<Arc<RawValue>>), PathError> {
        Ok((self.version, self.read(path, own)?))
    }

    /// Whether an attempt that has buffered `own` could set the path.
    pub fn check_write(&self, path: &str, own: &[Buffered]) -> Result<(), PathError> {
        let path = segments(path)?;
        let mut seen = match self.seen(path[0], own)? {
            Some(seen) => seen,
            None => self.part(path[0]),
        };
        set(&mut seen, &path, Value::Null)
    }

    /// Whether it stays within `max` bytes of JSON when an attempt that has buffered `own` writes
    /// `more` bytes. Replaced values count until they are committed.
    pub fn has_room(&self, own: &[Buffered], more: usize, max: usize) -> bool {
        let own: usize = own.iter().map(written).sum();
        // Counting takes time; most states are far below the limit.
        self.size_max + own + more <= max || size(&self.value) + own + more <= max
    }

    /// Whether another attempt has, after a version, changed a path, what it lies in, or what
    /// lies in it.
    pub fn conflicts(&self, path: &str, version: u64, by: Attempt) -> bool {
        let changed = |change: &Change| if change.by == by { change.other > version } else { change.seq > version };
        self.forgotten > version || self.changes.iter().any(|(other, change)| related(other, path) && changed(change))
    }

    /// Applies writes, in order. One that its path does not allow any more changes nothing:
    /// another attempt has put a scalar in its way, and the last commit wins.
    pub fn commit(&mut self, effects: &[Buffered], by: Attempt, seq: u64) {
        for effect in effects {
            if let Some(path) = write(&mut self.value, effect) {
                self.size_max += written(effect);
                self.changed(path, by, seq);
            }
        }
    }

    fn changed(&mut self, path: &str, by: Attempt, seq: u64) {
        self.version = seq;
        match self.changes.get_mut(path) {
            Some(change) => {
                let other = if change.by == by { change.other } else { change.seq };
                *change = Change { seq, by, other };
            }
            None => drop(self.changes.insert(path.to_owned(), Change { seq, by, other: 0 })),
        }
        if self.changes.len() > CHANGES_MAX {
            self.forget();
        }
    }

    /// Forgets the older half of the changes.
    fn forget(&mut self) {
        let mut seqs: Vec<u64> = self.changes.values().map(|change| change.seq).collect();
        seqs.sort_unstable();
        self.forgotten = seqs[seqs.len() / 2];
        self.changes.retain(|_, change| change.seq > self.forgotten);
    }

    /// The state with own writes applied, as far as they concern a top-level key; none where
    /// none does.
    fn seen(&self, key: &str, own: &[Buffered]) -> Result<Option<Value>, PathError> {
        let mut seen = None;
        for effect in own {
            let concerned = match effect {
                Buffered::Set { path, .. } | Buffered::Delete { path } => segments(path)?[0] == key,
                Buffered::Send { .. } => false,
            };
            if concerned {
                write(seen.get_or_insert_with(|| self.part(key)), effect);
            }
        }
        Ok(seen)
    }

    /// An object with one key of the state.
    fn part(&self, key: &str) -> Value {
        let entry = self.value.get(key).map(|value| (key.to_owned(), value.clone()));
        Value::Object(entry.into_iter().collect())
    }
}

/// Applies a write; its path, when something was done.
fn write<'a>(value: &mut Value, effect: &'a Buffered) -> Option<&'a str> {
    match effect {
        Buffered::Set { path, value: new } => {
            let new = serde_json::from_str(new.get()).ok()?;
            set(value, &segments(path).ok()?, new).ok()?;
            Some(path)
        }
        Buffered::Delete { path } => delete(value, &segments(path).ok()?).then_some(path),
        Buffered::Send { .. } => None,
    }
}

/// Whether one path is the other, or lies in it.
fn related(one: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    within(one, other) || within(other, one)
}

/// Bytes that a write can add to the object.
fn written(effect: &Buffered) -> usize {
    match effect {
        Buffered::Set { path, value } => path.len() + value.get().len(),
        Buffered::Send { .. } | Buffered::Delete { .. } => 0,
    }
}

/// Bytes of a value's JSON.
fn size(value: &Value) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn writes(text: &str) -> Vec<Buffered> {
        let write = |line: &str| match line.split_once('=') {
            Some((path, value)) => {
                Buffered::Set { path: path.trim().to_owned(), value: RawValue::from_string(value.trim().to_owned()).expect("JSON").into() }
            }
            None => Buffered::Delete { path: line.trim().trim_start_matches('-').to_owned() },
        };
        text.split(';').filter(|line| !line.trim().is_empty()).map(write).collect()
    }

    /// Commits writes to an object, and shows it.
    fn check(start: Value, text: &str, expected: Expect) {
        let mut state = State::new(start);
        state.commit(&writes(text), (0, 0), 1);
        expected.assert_eq(&state.value().to_string());
    }

    #[test]
    fn paths_create_objects_and_index_lists() {
        check(json!({}), "a.b.c = 1; a.b.d = 2.50", expect![[r#"{"a":{"b":{"c":1,"d":2.5}}}"#]]);
        check(json!({ "l": [1, 2] }), "l.0 = 9; l.2 = 3", expect![[r#"{"l":[9,2,3]}"#]]);
        check(json!({ "l": [{}] }), "l.0.x = {\"z\":1,\"a\":2}", expect![[r#"{"l":[{"x":{"z":1,"a":2}}]}"#]]);
        check(json!({ "a": 1, "b": { "c": 1 }, "l": [1, 2, 3] }), "-a; -b.c; -l.1; -no.such", expect![[r#"{"b":{},"l":[1,3]}"#]]);
    }

    #[test]
    fn what_cannot_be_set_says_why() {
        let state = State::new(json!({ "n": 1, "l": [1] }));
        let errors: Vec<String> = ["", "a..b", "n.x", "l.x", "l.5"]
            .iter()
            .map(|path| state.check_write(path, &[]).expect_err("it cannot be set").to_string())
            .collect();
        expect![[r#"
            the path is empty
            the path `a..b` has an empty key
            `n.x` cannot be set: `n` is a number
            `l.x` cannot be set: `l` is a list, and `x` is no index
            `l.5` cannot be set: `l` has 1 items"#]]
        .assert_eq(&errors.join("\n"));
        assert!(state.check_write("l.1", &[]).is_ok());
        assert!(state.check_write("o.x", &writes("o = 5")).is_err(), "own writes count");
    }

    #[test]
    fn own_writes_are_seen_over_committed_state_and_change_nothing() {
        let state = State::new(json!({ "a": { "x": 1 }, "b": 2 }));
        let read = |path, own| state.read(path, &writes(own)).expect("read").map(|value| value.get().to_owned());
        assert_eq!(read("a", "a.y = 2; b = 3").as_deref(), Some(r#"{"x":1,"y":2}"#));
        assert_eq!(read("a.x", "-a"), None);
        assert_eq!(read("b.no.such", ""), None);
        assert_eq!(state.value(), &json!({ "a": { "x": 1 }, "b": 2 }));
    }

    #[test]
    fn an_edit_conflicts_with_another_attempts_change_of_what_it_edits() {
        let mut state = State::new(json!({}));
        state.commit(&writes("a.b = 1"), (1, 0), 5);
        let conflicts = |path, version, by| state.conflicts(path, version, by);
        assert!(conflicts("a.b", 4, (2, 0)), "the path");
        assert!(conflicts("a", 4, (2, 0)), "an ancestor");
        assert!(conflicts("a.b.c", 4, (2, 0)), "a descendant");
        assert!(conflicts("a.b", 4, (1, 1)), "another attempt of the same invocation");
        assert!(!conflicts("a.b", 4, (1, 0)), "its own change");
        assert!(!conflicts("a.b", 5, (2, 0)), "it has seen the change");
        assert!(!conflicts("a.bc", 4, (2, 0)), "a namesake");
        state.commit(&writes("a.b = 2"), (2, 0), 6);
        assert!(state.conflicts("a.b", 4, (2, 0)), "an earlier change of another attempt");
    }

    #[test]
    fn forgotten_changes_count_as_conflicts() {
        let mut state = State::new(json!({}));
        for seq in 1..=5000 {
            state.commit(&writes(&format!("k{seq} = 1")), (seq, 0), seq);
        }
        assert!(state.changes.len() <= CHANGES_MAX);
        assert!(state.conflicts("other", 1, (9, 0)));
        let (version, _) = state.edit_begin("other", &[]).expect("path");
        assert!(!state.conflicts("other", version, (9, 0)));
    }
}
