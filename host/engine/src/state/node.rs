//! What own writes make of the value at one path.

use indexmap::IndexMap;
use smol_str::SmolStr;

use crate::entry::Buffered;
use crate::json::{Tree, work};

use super::changes::Changes;
use super::path::{SOUND, keys};
use super::write::{Write, apply, child};

/// What has become of a value.
#[derive(Debug)]
pub(super) enum Node {
    /// It was set: nothing committed shows through.
    Whole(Tree),
    /// It was deleted.
    Gone,
    /// Something was written in it.
    Part(Part),
}

/// A value of which the committed part shows through.
#[derive(Debug)]
pub(super) struct Part {
    /// The own writes in it, in order, by their places among all.
    writes: Vec<usize>,
    /// Whether there is a value after them, also where nothing is committed.
    pub made: bool,
    pub form: Form,
}

/// How the writes in a value are kept.
#[derive(Debug)]
pub(super) enum Form {
    /// By field, over an object, or over what an object replaces.
    Fields(Fields),
    /// What was pushed, behind a committed list, or in the place of what is none.
    Items(Vec<Tree>),
    /// The whole result, with the version of the state that it was made for: none before it is
    /// needed. For all else, as items of a list that others change: where a write goes depends on
    /// all before it.
    Copy(Option<(u64, Option<Tree>)>),
}

/// Own writes by field.
#[derive(Debug, Default)]
pub(super) struct Fields(IndexMap<SmolStr, Field>);

/// A field that was written.
#[derive(Debug)]
pub(super) struct Field {
    /// The place, among all writes, of the one that made it: new fields stand in this order.
    pub place: usize,
    /// Whether it was made anew after it was deleted: then it leaves its committed place.
    pub moved: bool,
    pub node: Node,
}

impl Default for Node {
    fn default() -> Node {
        Node::Part(Part { writes: Vec::new(), made: true, form: Form::Fields(Fields::default()) })
    }
}

impl Node {
    /// Of a value with nothing written in it, before a write under `keys` in it.
    fn new(committed: Option<&Tree>, keys: &[&str]) -> Node {
        let form = match committed {
            _ if keys.is_empty() => Form::Items(Vec::new()),
            Some(Tree::List(_)) => Form::Copy(None),
            _ => Form::Fields(Fields::default()),
        };
        Node::Part(Part { writes: Vec::new(), made: false, form })
    }

    /// Adds a write, the `at`th of all, under keys in the value. It has been followed.
    pub fn put(&mut self, committed: Option<&Tree>, keys: &[&str], write: Write, at: usize) {
        work::add(1);
        match (keys, write, &mut *self) {
            ([], Write::Set(new), _) => *self = Node::Whole(new),
            ([], Write::Delete, _) => *self = Node::Gone,
            (_, write, Node::Whole(tree)) => drop(apply(tree, keys, write)),
            (_, write, Node::Gone) => {
                let mut tree = None;
                apply_to_any(&mut tree, keys, write);
                *self = tree.map_or(Node::Gone, Node::Whole);
            }
            (_, write, Node::Part(part)) => part.put(committed, keys, write, at),
        }
    }

    /// Makes what lies under keys, and all in it, follow the committed value, which lies `depth` keys
    /// deep in the state.
    pub fn follow(&mut self, known: &Known, committed: Option<&Tree>, depth: usize, keys: &[&str]) {
        work::add(1);
        // What was written whole follows nothing.
        let Node::Part(part) = self else { return };
        if let (Form::Fields(_), Some(Tree::List(_))) = (&part.form, committed) {
            part.form = Form::Copy(None);
        }
        match &mut part.form {
            Form::Fields(fields) => fields.follow(known, committed, depth, keys),
            Form::Items(_) => (),
            Form::Copy(copy) => known.copy(copy, &part.writes, committed, depth),
        }
    }

    /// Whether there is a value because of own writes.
    fn is_made(&self) -> bool {
        match self {
            Node::Whole(_) => true,
            Node::Gone => false,
            Node::Part(part) => part.made,
        }
    }
}

impl Part {
    fn put(&mut self, committed: Option<&Tree>, keys: &[&str], write: Write, at: usize) {
        self.writes.push(at);
        self.made |= write.makes();
        match (&mut self.form, keys, write) {
            (Form::Fields(fields), [key, rest @ ..], write) => fields.put(committed, key, rest, write, at),
            (Form::Items(items), [], Write::Push(new)) => items.push(new),
            (Form::Copy(Some((_, tree))), keys, write) => apply_to_any(tree, keys, write),
            (form, ..) => *form = Form::Copy(None),
        }
    }
}

impl Fields {
    /// What was written to a field.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.get(name)
    }

    /// All that were written, in the order in which they were made.
    pub fn in_order(&self) -> Vec<(&SmolStr, &Field)> {
        let mut fields: Vec<_> = self.0.iter().collect();
        fields.sort_by_key(|(_, field)| field.place);
        fields
    }

    fn put(&mut self, committed: Option<&Tree>, key: &str, rest: &[&str], write: Write, at: usize) {
        let committed = committed.and_then(|tree| child(tree, key));
        if !self.0.contains_key(key) {
            self.0.insert(key.into(), Field { place: at, moved: false, node: Node::new(committed, rest) });
        }
        let field = &mut self.0[key];
        if write.makes() && !field.node.is_made() {
            field.place = at;
            field.moved |= matches!(field.node, Node::Gone);
        }
        field.node.put(committed, rest, write, at);
    }

    fn follow(&mut self, known: &Known, committed: Option<&Tree>, depth: usize, keys: &[&str]) {
        let follow = |name: &str, field: &mut Field, rest: &[&str]| {
            field.node.follow(known, committed.and_then(|tree| child(tree, name)), depth + 1, rest);
        };
        match keys {
            [] => self.0.iter_mut().for_each(|(name, field)| follow(name, field, &[])),
            [key, rest @ ..] => self.0.get_mut(*key).into_iter().for_each(|field| follow(key, field, rest)),
        }
    }
}

/// What is to be known beside the committed values, to follow them.
pub(super) struct Known<'a> {
    /// Of the committed state.
    pub changes: &'a Changes,
    /// All own writes.
    pub writes: &'a [Buffered],
}

impl Known<'_> {
    /// Makes a copy anew, where it is none yet, or others have committed a change to what it is of.
    /// `depth`: of the value, in keys.
    fn copy(&self, copy: &mut Option<(u64, Option<Tree>)>, writes: &[usize], committed: Option<&Tree>, depth: usize) {
        let version = self.changes.version();
        match copy {
            Some((made_for, _)) if !self.changed_since(writes, depth, *made_for) => *made_for = version,
            _ => *copy = Some((version, self.result(writes, committed, depth))),
        }
    }

    fn changed_since(&self, writes: &[usize], depth: usize, version: u64) -> bool {
        let path = writes.first().and_then(|at| self.writes[*at].path());
        let path = path.expect("cannot happen: a copy without a write in it");
        let end = path.match_indices('.').nth(depth - 1).map_or(path.len(), |(end, _)| end);
        self.changes.since(&path[..end], version)
    }

    /// The committed value with the writes in it.
    fn result(&self, writes: &[usize], committed: Option<&Tree>, depth: usize) -> Option<Tree> {
        work::add(writes.len());
        let mut tree = committed.cloned();
        for (path, write) in writes.iter().filter_map(|at| Write::of(&self.writes[*at])) {
            let keys = keys(path).expect(SOUND);
            apply_to_any(&mut tree, keys.get(depth..).unwrap_or_default(), write);
        }
        tree
    }
}

/// Applies a write to a value that may be none.
fn apply_to_any(tree: &mut Option<Tree>, keys: &[&str], write: Write) {
    if write.makes() || tree.is_some() {
        let tree = tree.get_or_insert_with(|| if keys.is_empty() { Tree::list() } else { Tree::object() });
        apply(tree, keys, write);
    }
}
