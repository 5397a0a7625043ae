//! Things that wait for their company.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Things by type, each type in order of arrival, until a batch of them is complete.
#[derive(Debug)]
pub(super) struct Pool<T>(BTreeMap<Arc<str>, VecDeque<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Pool<T> {
        Pool(BTreeMap::new())
    }
}

impl<T> Pool<T> {
    pub(super) fn add(&mut self, name: &Arc<str>, thing: T) {
        self.0.entry(name.clone()).or_default().push_back(thing);
    }

    /// Takes out one of each expected type (repeats count), the oldest first, in the order of
    /// the types; nothing at all while one is missing.
    pub(super) fn take(&mut self, expected: &[String]) -> Option<Vec<T>> {
        let mut needed: BTreeMap<&str, usize> = BTreeMap::new();
        for name in expected {
            *needed.entry(name).or_default() += 1;
        }
        let complete = needed.iter().all(|(name, count)| self.0.get(*name).is_some_and(|things| things.len() >= *count));
        if !complete {
            return None;
        }
        let batch = expected.iter().filter_map(|name| self.0.get_mut(name.as_str())?.pop_front()).collect();
        self.0.retain(|_, things| !things.is_empty());
        Some(batch)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.values_mut().flatten()
    }
}
