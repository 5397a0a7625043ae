//! Invocations that wait for an event, found by what they wait for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::entry::{InvocationId, Wait};
use crate::json::{self, Fields};

/// Who waits: by type, and by one of the fields that are required, so that an answer finds its
/// waiters however many there are.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Waiters {
    wanted: BTreeMap<InvocationId, Wanted>,
    /// By the exact type.
    exact: BTreeMap<String, Shelf>,
    /// By a type whose subtypes are taken as well.
    derived: BTreeMap<String, Shelf>,
}

/// What a wait asks of an event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Wanted {
    types: Vec<String>,
    subtypes: bool,
    /// Fields and their values, in the form that is equal for equal values.
    requirements: BTreeMap<String, String>,
    /// The requirement that it is filed under.
    filed: Option<String>,
}

/// Those who wait for one type.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Shelf {
    /// Whatever its fields.
    any: BTreeSet<InvocationId>,
    /// By a required field and its value.
    by_field: BTreeMap<String, BTreeMap<String, BTreeSet<InvocationId>>>,
}

impl Wanted {
    pub(super) fn of(wait: &Wait) -> Wanted {
        let requirements = wait.requirements.iter().map(|(field, value)| (field.clone(), json::canonical(value)));
        Wanted { types: wait.types.clone(), subtypes: wait.subtypes, requirements: requirements.collect(), filed: None }
    }

    /// Fields and their values.
    pub(super) fn requirements(&self) -> impl Iterator<Item = (&String, &String)> {
        self.requirements.iter()
    }

    /// Whether it takes a type that derives from these.
    pub(super) fn takes(&self, name: &str, bases: &[&str]) -> bool {
        let wanted = |name: &str| self.types.iter().any(|it| it == name);
        wanted(name) || self.subtypes && bases.iter().any(|base| wanted(base))
    }

    /// Whether a payload has every required field with an equal value.
    pub(super) fn is_met(&self, fields: &Fields) -> bool {
        #[cfg(test)]
        tests::LOOKED.set(tests::LOOKED.get() + 1);
        self.requirements.iter().all(|(field, value)| fields.canonical(field).as_ref() == Some(value))
    }
}

impl Waiters {
    pub(super) fn len(&self) -> usize {
        self.wanted.len()
    }

    /// Who waits, and for which types.
    pub(super) fn iter(&self) -> impl Iterator<Item = (InvocationId, &[String])> {
        self.wanted.iter().map(|(&id, wanted)| (id, &wanted.types[..]))
    }

    /// The types that somebody waits for.
    pub(super) fn types(&self) -> BTreeSet<&str> {
        self.exact.keys().chain(self.derived.keys()).map(String::as_str).collect()
    }

    pub(super) fn add(&mut self, id: InvocationId, mut wanted: Wanted) {
        let shelves = if wanted.subtypes { &mut self.derived } else { &mut self.exact };
        // The field that tells most apart.
        let crowd = |(field, value): &(&String, &String)| {
            let shelf = wanted.types.first().and_then(|name| shelves.get(name));
            shelf.and_then(|shelf| shelf.by_field.get(*field)?.get(*value)).map_or(0, BTreeSet::len)
        };
        wanted.filed = wanted.requirements.iter().min_by_key(crowd).map(|(field, _)| field.clone());
        for name in &wanted.types {
            shelves.entry(name.clone()).or_default().slot(&wanted).insert(id);
        }
        self.wanted.insert(id, wanted);
    }

    pub(super) fn remove(&mut self, id: InvocationId) {
        let wanted = self.wanted.remove(&id).expect("cannot happen: a wait ends that nobody waits in");
        let shelves = if wanted.subtypes { &mut self.derived } else { &mut self.exact };
        for name in &wanted.types {
            if let Some(shelf) = shelves.get_mut(name) {
                shelf.slot(&wanted).remove(&id);
                shelf.tidy(&wanted);
                if shelf.any.is_empty() && shelf.by_field.is_empty() {
                    shelves.remove(name);
                }
            }
        }
    }

    /// Who is answered by an event of a type that derives from these.
    pub(super) fn find(&self, name: &str, bases: &[&str], payload: &json::Json) -> BTreeSet<InvocationId> {
        let derived = std::iter::once(name).chain(bases.iter().copied()).filter_map(|name| self.derived.get(name));
        let shelves: Vec<&Shelf> = self.exact.get(name).into_iter().chain(derived).collect();
        if shelves.is_empty() {
            return BTreeSet::new();
        }
        let fields = Fields::of(payload);
        let candidates = shelves.into_iter().flat_map(|shelf| shelf.candidates(&fields));
        candidates.filter(|id| self.wanted[id].is_met(&fields)).collect()
    }

    /// Whether an event would answer this one.
    pub(super) fn would_take(&self, id: InvocationId, name: &str, bases: &[&str], payload: &json::Json) -> bool {
        self.wanted.get(&id).is_some_and(|wanted| wanted.takes(name, bases) && wanted.is_met(&Fields::of(payload)))
    }

    #[cfg(test)]
    pub(super) fn ids(&self) -> BTreeSet<InvocationId> {
        self.wanted.keys().copied().collect()
    }
}

impl Shelf {
    /// Where one who wants this is.
    fn slot(&mut self, wanted: &Wanted) -> &mut BTreeSet<InvocationId> {
        match &wanted.filed {
            Some(field) => self.by_field.entry(field.clone()).or_default().entry(wanted.requirements[field].clone()).or_default(),
            None => &mut self.any,
        }
    }

    /// Drops what has become empty.
    fn tidy(&mut self, wanted: &Wanted) {
        // Those of any fields are in one place, which stays.
        let Some(field) = &wanted.filed else { return };
        let values = self.by_field.get_mut(field).expect("cannot happen: a place is tidied that there never was");
        if values.get(&wanted.requirements[field]).is_some_and(BTreeSet::is_empty) {
            values.remove(&wanted.requirements[field]);
        }
        if values.is_empty() {
            self.by_field.remove(field);
        }
    }

    fn candidates<'a>(&'a self, fields: &Fields) -> impl Iterator<Item = InvocationId> + 'a + use<'a> {
        let met = |field: &str| {
            #[cfg(test)]
            tests::LOOKED.set(tests::LOOKED.get() + 1);
            self.by_field.get(field)?.get(&fields.canonical(field)?)
        };
        // Through whichever is fewer: those who wait may each require a field of another name.
        let met: Vec<&BTreeSet<InvocationId>> = if fields.len() < self.by_field.len() {
            fields.names().filter_map(met).collect()
        } else {
            self.by_field.keys().filter_map(|field| met(field)).collect()
        };
        self.any.iter().copied().chain(met.into_iter().flatten().copied())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;
    use crate::json::to_json;

    thread_local! {
        /// How often it was looked whether an event answers a wait, or has a field that waits require.
        pub static LOOKED: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn an_answer_looks_at_whom_it_may_be_for_however_many_wait() {
        // Before and behind the field that tells them apart: nobody is found well by chance.
        for (shared, count) in [("all", 1_000), ("shared", 1_000), ("all", 10_000), ("shared", 10_000)] {
            let mut waiters = Waiters::default();
            for id in 0..count {
                let requirements = [(shared.to_owned(), "1".to_owned()), ("own".to_owned(), id.to_string())].into();
                waiters.add(id, Wanted { types: vec!["Answer".to_owned()], subtypes: id % 2 == 0, requirements, filed: None });
            }
            for id in (0..count).rev() {
                LOOKED.set(0);
                let found = waiters.find("Answer", &[], &to_json(&json!({ shared: 1, "own": id })));
                assert_eq!(found, [id].into());
                // The first on each shelf may be filed under what all have: nobody was there to tell it from. And
                // two fields on each of two shelves.
                assert!(LOOKED.get() <= 3 + 4, "{} looks for the answer of one in {count}", LOOKED.get());
                waiters.remove(id);
            }
            assert!(waiters.exact.is_empty() && waiters.derived.is_empty(), "nothing is left of who has gone");
        }
    }

    #[test]
    fn an_answer_looks_at_its_own_fields_however_many_others_are_required() {
        for count in [1_000, 10_000] {
            let mut waiters = Waiters::default();
            for id in 0..count {
                let requirements = [(format!("f{id}"), "1".to_owned())].into();
                waiters.add(id, Wanted { types: vec!["Answer".to_owned()], subtypes: id % 2 == 0, requirements, filed: None });
            }
            LOOKED.set(0);
            let found = waiters.find("Answer", &[], &to_json(&json!({ "f7": 1, "other": 2 })));
            assert_eq!(found, [7].into());
            assert!(LOOKED.get() <= 5, "{} looks for the answer of one in {count}", LOOKED.get());
        }
    }
}
