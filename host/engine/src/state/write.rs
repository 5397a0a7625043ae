//! Writes to a value. The last commit wins: what stands in the way of a write is replaced.

use super::path::{index, joined};
use crate::entry::Buffered;
use crate::json::{Tree, quoted};

/// What is done to the value at a path.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Set(Tree),
    Push(Tree),
    Delete,
}

impl Write {
    /// Of a buffered effect, with its path; none of an event.
    pub fn of(effect: &Buffered) -> Option<(&str, Write)> {
        Some(match effect {
            Buffered::Set { path, value } => (path, Write::Set(Tree::parse(value))),
            Buffered::Push { path, value } => (path, Write::Push(Tree::parse(value))),
            Buffered::Delete { path } => (path, Write::Delete),
            Buffered::Send { .. } | Buffered::NoList => return None,
        })
    }

    /// Whether there is something at the path after it.
    pub fn makes(&self) -> bool {
        !matches!(self, Write::Delete)
    }

    /// Bytes of what it writes.
    pub fn size(&self) -> usize {
        match self {
            Write::Set(new) | Write::Push(new) => new.size(),
            Write::Delete => 0,
        }
    }

    /// How deep it is in the value at its path.
    pub fn depth(&self) -> usize {
        match self {
            Write::Set(new) => new.depth(),
            Write::Push(new) => 1 + new.depth(),
            Write::Delete => 0,
        }
    }
}

/// What a write has done.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// The path of what is another than before, as a whole.
    pub path: String,
    /// By how many bytes the text of the value has grown.
    pub grown: isize,
    /// Whether something on the path was replaced: what comes deeper is no longer told.
    replaced: bool,
}

impl Done {
    fn step(&mut self, key: &str) {
        if !self.replaced {
            self.path = joined(&self.path, key);
        }
    }

    fn replace(&mut self, target: &mut Tree, new: Tree) {
        self.grown += new.size() as isize - target.size() as isize;
        *target = new;
    }

    fn replace_what_is_in_the_way(&mut self, target: &mut Tree, new: Tree) {
        self.replace(target, new);
        self.replaced = true;
    }
}

/// Applies a write to what lies under keys: at least one, if it is to set or delete. Nothing is
/// done where there is nothing to delete.
pub(super) fn apply(tree: &mut Tree, keys: &[&str], write: Write) -> Option<Done> {
    let mut done = Done::default();
    match write {
        Write::Set(new) => {
            let target = find_or_make(tree, keys, Tree::null(), &mut done);
            done.replace(target, new);
        }
        Write::Push(new) => {
            let target = find_or_make(tree, keys, Tree::list(), &mut done);
            push(target, new, &mut done);
        }
        Write::Delete => delete(tree, keys, &mut done)?,
    }
    Some(done)
}

/// The part of a tree that a key means.
pub(super) fn child<'a>(tree: &'a Tree, key: &str) -> Option<&'a Tree> {
    match tree {
        Tree::Object(object) => object.get(key),
        Tree::List(items) => items.get(index(key)?),
        Tree::Scalar(_) => None,
    }
}

fn child_mut<'a>(tree: &'a mut Tree, key: &str) -> Option<&'a mut Tree> {
    match tree {
        Tree::Object(object) => object.get_mut(key),
        Tree::List(items) => items.get_mut(index(key)?),
        Tree::Scalar(_) => None,
    }
}

/// What lies under keys: `made`, where there is nothing. Missing objects on the way are made too.
fn find_or_make<'a>(tree: &'a mut Tree, keys: &[&str], made: Tree, done: &mut Done) -> &'a mut Tree {
    let mut target = tree;
    let mut made = Some(made);
    for (at, key) in keys.iter().enumerate() {
        let last = at + 1 == keys.len();
        let new = made.take_if(|_| last).unwrap_or_else(Tree::object);
        target = child_or_make(target, key, new, done);
    }
    target
}

fn child_or_make<'a>(parent: &'a mut Tree, key: &str, made: Tree, done: &mut Done) -> &'a mut Tree {
    let holds = match parent {
        Tree::Object(_) => true,
        Tree::List(_) => index(key).is_some(),
        Tree::Scalar(_) => false,
    };
    if !holds {
        done.replace_what_is_in_the_way(parent, Tree::object());
    }
    match parent {
        Tree::Object(object) => {
            done.step(key);
            if object.get(key).is_none() {
                done.grown += (comma(object.len()) + quoted(key).len() + 1 + made.size()) as isize;
                object.insert(key, made);
            }
            object.get_mut(key).expect("it was inserted where it was missing")
        }
        Tree::List(items) => {
            let at = index(key).unwrap_or(usize::MAX).min(items.len());
            done.step(&at.to_string());
            if at == items.len() {
                done.grown += (comma(at) + made.size()) as isize;
                items.push_back(made);
            }
            &mut items[at]
        }
        Tree::Scalar(_) => unreachable!("a scalar was replaced by an object"),
    }
}

fn push(target: &mut Tree, new: Tree, done: &mut Done) {
    if !matches!(target, Tree::List(_)) {
        done.replace_what_is_in_the_way(target, Tree::list());
    }
    let Tree::List(items) = target else { unreachable!("cannot happen: what is no list was replaced by one") };
    done.step(&items.len().to_string());
    done.grown += (comma(items.len()) + new.size()) as isize;
    items.push_back(new);
}

/// Deletes. In a list the items behind move up: that is a change of the list.
fn delete(tree: &mut Tree, keys: &[&str], done: &mut Done) -> Option<()> {
    let (last, parents) = keys.split_last()?;
    let parent = parents.iter().try_fold(tree, |tree, key| child_mut(tree, key))?;
    done.path = parents.join(".");
    match parent {
        Tree::Object(object) => {
            let removed = object.remove(last)?;
            done.step(last);
            done.grown -= (comma(object.len()) + quoted(last).len() + 1 + removed.size()) as isize;
        }
        Tree::List(items) => {
            let removed = items.remove(index(last)?)?;
            done.grown -= (comma(items.len()) + removed.size()) as isize;
        }
        Tree::Scalar(_) => return None,
    }
    Some(())
}

/// Bytes of the comma that a part takes beside others.
fn comma(others: usize) -> usize {
    usize::from(others > 0)
}
