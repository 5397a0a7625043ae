//! A run's committed state: one JSON object, addressed by dotted paths.
//!
//! Scalars are kept as they came, and so is the order of fields. What an attempt has written and
//! not yet committed lies over it, as an [`Overlay`].

mod changes;
mod node;
mod overlay;
mod path;
mod paths;
mod seen;
mod write;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::entry::{Buffered, InvocationId};
use crate::json::{Json, Tree};
use crate::text::DEPTH_MAX;

pub use overlay::Overlay;
pub use path::PathError;
pub(crate) use paths::Paths;

use changes::Changes;
use path::{SOUND, keys, keys_read};
use write::{Write, apply};

/// Committed state: a JSON object, at most [`DEPTH_MAX`] deep.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    tree: Tree,
    /// Bytes of its text.
    size: usize,
    changes: Changes,
}

/// What is at a path.
#[derive(Clone, Debug)]
pub struct Read {
    /// Its text; none where there is nothing, which is another thing than `null`.
    pub value: Option<Json>,
    /// Whether the attempt's own writes have a part in it: the committed state alone does not tell it.
    pub own: bool,
}

/// Why something cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// The path leads nowhere.
    Path(PathError),
    /// The state would be larger than its limit.
    TooLarge,
}

impl From<PathError> for WriteError {
    fn from(error: PathError) -> WriteError {
        WriteError::Path(error)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Path(error) => error.fmt(formatter),
            WriteError::TooLarge => formatter.write_str("the state would be larger than it can be"),
        }
    }
}

impl std::error::Error for WriteError {}

impl State {
    /// Of an object; anything else counts as an empty one.
    pub fn new(value: &RawValue) -> State {
        let tree = Tree::parse(value);
        let tree = if matches!(tree, Tree::Object(_)) { tree } else { Tree::object() };
        State { size: tree.size(), tree, changes: Changes::default() }
    }

    /// The object.
    pub fn json(&self) -> Json {
        self.tree.to_json()
    }

    /// Bytes of the object's text.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The seq of the newest commit that changed something: what an edit begins with.
    pub fn version(&self) -> u64 {
        self.changes.version()
    }

    /// The value at a path, as an attempt sees it that has written `own`: the committed state as it
    /// is now, with these writes applied in order, as a commit would.
    /// Of the empty path it is the whole state.
    pub fn read(&self, path: &str, own: &mut Overlay) -> Result<Read, PathError> {
        let keys = keys_read(path)?;
        own.follow(&self.tree, &self.changes, &keys);
        let seen = own.seen(&self.tree).at(&keys);
        Ok(Read { value: seen.json(), own: seen.is_own() })
    }

    /// Adds a write to an attempt's own, if it is possible in what the attempt sees. What makes the
    /// state longer than `state_max` bytes is not. An event is no write, and always possible.
    pub fn write(&self, effect: &Buffered, own: &mut Overlay, state_max: usize) -> Result<(), WriteError> {
        let Some((path, write)) = Write::of(effect) else { return Ok(()) };
        let keys = keys(path)?;
        let grown = self.room(&keys, &write, own, state_max)?;
        own.accept(&self.tree, &keys, write, effect, grown);
        Ok(())
    }

    /// Whether an attempt that has written `own` could set a path.
    pub fn check(&self, path: &str, value: &RawValue, own: &mut Overlay, state_max: usize) -> Result<(), WriteError> {
        self.room(&keys(path)?, &Write::Set(Tree::parse(value)), own, state_max).map(drop)
    }

    /// By how many bytes a write makes the state longer, if there is room for it.
    fn room(&self, keys: &[&str], write: &Write, own: &mut Overlay, state_max: usize) -> Result<isize, WriteError> {
        if keys.len() + write.depth() > DEPTH_MAX.max {
            let message =
                format!("`{}` cannot be written: the state would be more than {} deep (limit depth_max)", keys.join("."), DEPTH_MAX.max);
            return Err(PathError(message).into());
        }
        own.follow(&self.tree, &self.changes, keys);
        let grown = own.growth(&self.tree, keys, write)?;
        if grown > 0 && self.size as isize + own.grown() + grown > state_max as isize {
            return Err(WriteError::TooLarge);
        }
        Ok(grown)
    }

    /// Whether another attempt has, after a version, changed a path, what it lies in, or what
    /// lies in it.
    pub fn conflicts(&self, path: &str, version: u64, by: (InvocationId, u32)) -> bool {
        self.changes.by_others(path, version, by)
    }

    /// Whether a commit of these writes would make it longer, and longer than `state_max` bytes.
    pub fn outgrows<'a>(&self, effects: impl Iterator<Item = &'a Buffered> + Clone, state_max: usize) -> bool {
        let most: usize = effects.clone().map(Buffered::growth_max).sum();
        if self.size.saturating_add(most) <= state_max {
            return false;
        }
        // Only then, because it takes a copy of all of it.
        let (mut tree, mut size) = (self.tree.clone(), self.size);
        for (path, write) in effects.filter_map(Write::of) {
            let done = apply(&mut tree, &keys(path).expect(SOUND), write);
            size = size.strict_add_signed(done.map_or(0, |done| done.grown));
        }
        size > state_max && size > self.size
    }

    /// Applies writes, in order. The last commit wins: what stands in the way of one is replaced by
    /// an object, or by a list for a push, and an index past the end of a list appends.
    pub fn commit(&mut self, effects: &[Buffered], by: (InvocationId, u32), seq: u64) {
        for (path, write) in effects.iter().filter_map(Write::of) {
            let keys = keys(path).expect(SOUND);
            if let Some(done) = apply(&mut self.tree, &keys, write) {
                self.size = self.size.strict_add_signed(done.grown);
                self.changes.note(done.path, by, seq);
            }
        }
    }
}

#[cfg(test)]
mod tests;
