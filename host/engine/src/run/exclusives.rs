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
}

#[derive(Debug, Serialize, Deserialize)]
struct Queue {
    path: String,
    holder: Option<InvocationId>,
    waiting: BTreeMap<u64, InvocationId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asked {
    path: String,
    ticket: u64,
    holds: bool,
}

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

    /// Gives back what an invocation holds or waits for. Whose turn it is then.
    pub(super) fn leave(&mut self, id: InvocationId) -> Vec<InvocationId> {
        let Some(Asked { path, ticket, .. }) = self.asked.remove(&id) else { return Vec::new() };
        if let Some(queue) = self.by_path.get_mut(&path) {
            queue.waiting.remove(&ticket);
            queue.holder.take_if(|holder| *holder == id);
        }
        let granted = self.grant(&path);
        if self.by_path.get(&path).is_some_and(|queue| queue.holder.is_none() && queue.waiting.is_empty()) {
            self.by_path.remove(&path);
        }
        granted
    }

    /// Lets an edit of a path wait for its answer until nobody else has it.
    pub(super) fn put_off(&mut self, id: InvocationId, path: &str) {
        self.put_off.insert(id, path.to_owned());
    }

    /// Who is not to wait any more for its answer.
    pub(super) fn take_put_off(&mut self) -> Vec<InvocationId> {
        let free = self.put_off.iter().filter(|(id, path)| !self.is_held_by_another(path, **id)).map(|(id, _)| *id);
        let free: Vec<InvocationId> = free.collect();
        free.iter().for_each(|id| drop(self.put_off.remove(id)));
        free
    }

    /// Forgets that an edit waits for its answer: its instance is gone.
    pub(super) fn forget_put_off(&mut self, id: InvocationId) {
        self.put_off.remove(&id);
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
            if self.is_turn(ticket, &path)
                && let Some(queue) = self.by_path.get_mut(&path)
            {
                queue.holder = queue.waiting.remove(&ticket);
                granted.extend(queue.holder);
            }
        }
        for id in &granted {
            if let Some(asked) = self.asked.get_mut(id) {
                asked.holds = true;
            }
        }
        granted
    }

    /// Whether nobody has anything around a path, and nobody waits for it longer.
    fn is_turn(&self, ticket: u64, path: &str) -> bool {
        let before = |queue: &Queue| queue.holder.is_some() || queue.waiting.first_key_value().is_some_and(|(first, _)| *first < ticket);
        !self.by_path.related(path).any(before)
    }
}
