//! Things that wait for their company.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Things by type, each type in order of arrival, until a batch of them is complete.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pool<T>(BTreeMap<String, BTreeMap<u64, T>>);

impl<T> Default for Pool<T> {
    fn default() -> Pool<T> {
        Pool(BTreeMap::new())
    }
}

impl<T> Pool<T> {
    /// `arrival`: a number that is higher for what came later.
    pub(super) fn add(&mut self, name: &str, arrival: u64, thing: T) {
        match self.0.get_mut(name) {
            Some(things) => drop(things.insert(arrival, thing)),
            None => drop(self.0.insert(name.to_owned(), BTreeMap::from([(arrival, thing)]))),
        }
    }

    /// Takes out as many of each type as are expected, the oldest first, in the order of the
    /// types; nothing at all while one is missing.
    pub(super) fn take(&mut self, expected: &[(String, u32)]) -> Option<Vec<T>> {
        let mut needed: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, count) in expected {
            *needed.entry(name).or_default() += u64::from(*count);
        }
        let complete = needed.iter().all(|(name, count)| self.0.get(*name).map_or(0, BTreeMap::len) as u64 >= *count);
        if !complete {
            return None;
        }
        let counted = expected.iter().flat_map(|(name, count)| (0..*count).map(move |_| name));
        let batch = counted.filter_map(|name| Some(self.0.get_mut(name)?.pop_first()?.1)).collect();
        self.0.retain(|_, things| !things.is_empty());
        Some(batch)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that is in it, with names and arrivals.
    pub(super) fn into_things(self) -> impl Iterator<Item = (String, u64, T)> {
        self.0.into_iter().flat_map(|(name, things)| things.into_iter().map(move |(arrival, thing)| (name.clone(), arrival, thing)))
    }
}
