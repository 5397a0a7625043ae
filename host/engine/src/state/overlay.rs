//! What an attempt has written and not yet committed, laid over the committed state.
//!
//! What is seen is, by definition, the committed state as it is now, with the own writes applied in
//! order as a commit would. Others go on committing meanwhile, so the writes are kept as what they
//! change, and not as a copy of what they changed.

use crate::entry::Buffered;
use crate::json::Tree;

use super::changes::Changes;
use super::node::{Known, Node};
use super::path::{PathError, SOUND, keys};
use super::seen::Seen;
use super::write::Write;

/// Own writes: begins empty, and anew after each commit. A write costs what its value costs, and a
/// read what its answer costs, however many there are. Only a list that is changed in its midst is
/// copied: once, and once again after each commit of others that changes it. It is moved to whoever
/// asks with it, and cannot be copied itself.
#[derive(Debug, Default)]
pub struct Overlay {
    /// All own writes, in order.
    writes: Vec<Buffered>,
    /// How many of them are in `root`. Those of an attempt that is entered again come without a
    /// state to lie over, and wait for the next question.
    applied: usize,
    root: Node,
    /// By how many bytes they make the state's text longer, as far as was known when they came.
    grown: isize,
}

impl Overlay {
    /// Adds a write that was accepted before, as a commit would apply it. An event is no write.
    pub fn add(&mut self, effect: Buffered) {
        if !matches!(effect, Buffered::Send { .. }) {
            self.writes.push(effect);
        }
    }

    /// Whether there is no write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// By how many bytes the writes make the state longer.
    pub(super) fn grown(&self) -> isize {
        self.grown
    }

    /// The whole state, as it is seen. Right where it was [followed](Overlay::follow).
    pub(super) fn seen<'a>(&'a self, committed: &'a Tree) -> Seen<'a> {
        Seen::new(committed, &self.root)
    }

    /// Makes what is seen under keys follow the committed state.
    pub(super) fn follow(&mut self, committed: &Tree, changes: &Changes, keys: &[&str]) {
        while self.applied < self.writes.len() {
            self.apply_next(committed, changes);
        }
        self.root.follow(&Known { changes, writes: &self.writes }, Some(committed), 0, keys);
    }

    /// Adds a write after which the state is longer by so many bytes. It has been followed.
    pub(super) fn accept(&mut self, committed: &Tree, keys: &[&str], write: Write, effect: &Buffered, grown: isize) {
        self.root.put(Some(committed), keys, write, self.writes.len());
        self.writes.push(effect.clone());
        self.applied += 1;
        self.grown += grown;
    }

    fn apply_next(&mut self, committed: &Tree, changes: &Changes) {
        let at = self.applied;
        self.applied += 1;
        let (path, write) = Write::of(&self.writes[at]).expect("cannot happen: an event among the writes");
        let keys = keys(path).expect(SOUND);
        self.root.follow(&Known { changes, writes: &self.writes }, Some(committed), 0, &keys);
        let most = || (path.len() + write.size()) as isize;
        let grown = self.growth(committed, &keys, &write).unwrap_or_else(|_| most());
        self.root.put(Some(committed), &keys, write, at);
        self.grown += grown;
    }

    /// By how many bytes a write makes the state longer, at most; or why it is not possible. What
    /// lies under the keys has been followed.
    pub(super) fn growth(&self, committed: &Tree, keys: &[&str], write: &Write) -> Result<isize, PathError> {
        let seen = self.seen(committed);
        let (made, before) = match write {
            Write::Set(_) => (seen.check_set(keys)?, seen.at(keys).size()),
            Write::Push(_) => (seen.check_push(keys)?, 0),
            Write::Delete => (0, seen.size_of_part(keys)),
        };
        Ok((made + write.size()) as isize - before as isize)
    }
}
