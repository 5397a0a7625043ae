//! Exclusive edits: who has which path of the state, and who queues for it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::entry::InvocationId;
use crate::state::Paths;

/// Paths that are held, or waited for, in order of asking. A path excludes what it lies in and
/// what lies in it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Exclusives {
    tickets: u64,
    by_path: Paths<Queue>,
    asked: BTreeMap<InvocationId, Asked>,
    /// Edits of others that conflict with what is held: they hear it once that is over, or they
    /// would try in vain again and again.
    put_off: BTreeMap<InvocationId, String>,
    /// The same by path.
    put_off_from: Paths<PutOff>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Queue {
    path: String,
    holder: Option<InvocationId>,
    waiting: BTreeMap<u64, InvocationId>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PutOff {
    path: String,
    edits: BTreeSet<InvocationId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asked {
    path: String,
    ticket: u64,
    holds: bool,
}

const ASKED: &str = "cannot happen: who has asked for a path is not in its queue";

impl Exclusives {
    /// Queues for a path. Whether it is the invocation's turn at once.
    pub(super) fn ask(&mut self, id: InvocationId, path: &str) -> bool {
        let ticket = self.tickets;
        self.tickets += 1;
        match self.by_path.get_mut(path) {
            Some(queue) => drop(queue.waiting.insert(ticket, id)),
            None => {
                let queue = Queue { path: path.to_owned(), holder: None, waiting: BTreeMap::from([(ticket, id)]) };
                self.by_path.insert(path.to_owned(), queue);
            }
        }
        self.asked.insert(id, Asked { path: path.to_owned(), ticket, holds: false });
        self.grant(path).contains(&id)
    }

    /// Gives back what an invocation holds or waits for. Whose turn it is then, and which edits are not to wait
    /// any more for their answers.
    pub(super) fn leave(&mut self, id: InvocationId) -> (Vec<InvocationId>, Vec<InvocationId>) {
        // Most have asked for nothing.
        let Some(Asked { path, ticket, .. }) = self.asked.remove(&id) else { return (Vec::new(), Vec::new()) };
        let queue = self.by_path.get_mut(&path).expect(ASKED);
        queue.waiting.remove(&ticket);
        queue.holder.take_if(|holder| *holder == id);
        let granted = self.grant(&path);
        if self.by_path.get(&path).is_some_and(|queue| queue.holder.is_none() && queue.waiting.is_empty()) {
            self.by_path.remove(&path);
        }
        (granted, self.take_put_off(&path))
    }

    /// Lets an edit of a path wait for its answer until nobody else has it.
    pub(super) fn put_off(&mut self, id: InvocationId, path: &str) {
        self.put_off.insert(id, path.to_owned());
        match self.put_off_from.get_mut(path) {
            Some(put_off) => drop(put_off.edits.insert(id)),
            None => self.put_off_from.insert(path.to_owned(), PutOff { path: path.to_owned(), edits: [id].into() }),
        }
    }

    /// Who, of those around a path that somebody has left, is not to wait any more for its answer.
    fn take_put_off(&mut self, left: &str) -> Vec<InvocationId> {
        #[cfg(test)]
        tests::LOOKED.set(tests::LOOKED.get() + self.put_off_from.related(left).count());
        let free = self.put_off_from.related(left).flat_map(|put_off| put_off.edits.iter().map(|id| (*id, put_off.path.as_str())));
        let free: BTreeSet<InvocationId> = free.filter(|(id, path)| !self.is_held_by_another(path, *id)).map(|(id, _)| id).collect();
        free.iter().for_each(|id| self.forget_put_off(*id));
        free.into_iter().collect()
    }

    /// Forgets that an edit waits for its answer: its instance is gone.
    pub(super) fn forget_put_off(&mut self, id: InvocationId) {
        let Some(path) = self.put_off.remove(&id) else { return };
        let put_off = self.put_off_from.get_mut(&path).expect("cannot happen: an edit is put off from a path that nobody is");
        put_off.edits.remove(&id);
        if put_off.edits.is_empty() {
            self.put_off_from.remove(&path);
        }
    }

    /// The path that an invocation has.
    pub(super) fn held(&self, id: InvocationId) -> Option<&str> {
        self.asked.get(&id).filter(|asked| asked.holds).map(|asked| asked.path.as_str())
    }

    /// Whether somebody else has a path, what it lies in, or what lies in it.
    pub(super) fn is_held_by_another(&self, path: &str, id: InvocationId) -> bool {
        self.by_path.related(path).any(|queue| queue.holder.is_some_and(|holder| holder != id))
    }

    /// Who of those around a path has its turn now.
    fn grant(&mut self, path: &str) -> Vec<InvocationId> {
        let head = |queue: &Queue| Some((*queue.waiting.first_key_value()?.0, queue.path.clone()));
        let heads = self.by_path.related(path).filter_map(head);
        let heads: BTreeSet<(u64, String)> = heads.collect();
        let mut granted = Vec::new();
        for (ticket, path) in heads {
            if self.is_turn(ticket, &path) {
                let queue = self.by_path.get_mut(&path).expect(ASKED);
                queue.holder = queue.waiting.remove(&ticket);
                granted.extend(queue.holder);
            }
        }
        granted.iter().for_each(|id| self.asked.get_mut(id).expect(ASKED).holds = true);
        granted
    }

    /// Whether nobody has anything around a path, and nobody waits for it longer.
    fn is_turn(&self, ticket: u64, path: &str) -> bool {
        let before = |queue: &Queue| queue.holder.is_some() || queue.waiting.first_key_value().is_some_and(|(first, _)| *first < ticket);
        !self.by_path.related(path).any(before)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// How many paths with edits that are put off were looked at.
        pub static LOOKED: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn the_end_of_an_attempt_looks_at_the_edits_that_wait_for_it_and_at_no_others() {
        const COUNT: u64 = 1_000;
        let mut exclusives = Exclusives::default();
        for id in 0..COUNT {
            assert!(exclusives.ask(id, &format!("all.k{id}")));
            exclusives.put_off(COUNT + id, &format!("all.k{id}.deep"));
        }
        LOOKED.set(0);
        assert_eq!(exclusives.leave(2 * COUNT), (vec![], vec![]), "of one that has asked for nothing");
        assert_eq!(LOOKED.get(), 0);
        for id in 0..COUNT {
            assert_eq!(exclusives.leave(id), (vec![], vec![COUNT + id]));
        }
        assert_eq!(LOOKED.get(), COUNT as usize);
        assert!(exclusives.put_off.is_empty() && exclusives.put_off_from.len() == 0, "nothing is left of them");
    }

    #[test]
    fn an_edit_that_two_others_have_parts_of_waits_for_both() {
        let mut exclusives = Exclusives::default();
        assert!(exclusives.ask(0, "a.b") && exclusives.ask(1, "a.c"));
        exclusives.put_off(2, "a");
        assert_eq!(exclusives.leave(0), (vec![], vec![]));
        assert_eq!(exclusives.leave(1), (vec![], vec![2]));
    }
}
