//! A value as an attempt sees it: the committed one, under its own writes.

use smol_str::SmolStr;

use crate::json::{Json, Tree, of_text, quoted, write_list, write_object};

use super::node::{Fields, Form, Node};
use super::path::{PathError, index};
use super::write::child;

/// A value, or none, as it is seen.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    below: Option<&'a Tree>,
    /// What was written to it.
    over: Option<&'a Node>,
    /// Whether it lies in something of which nothing committed shows through.
    own: bool,
}

/// What a value is, as far as paths go.
enum Shape {
    Nothing,
    Object,
    List(usize),
    Scalar(&'static str),
}

impl<'a> Seen<'a> {
    /// Of a committed value, and what was written to it.
    pub fn new(committed: &'a Tree, written: &'a Node) -> Seen<'a> {
        Seen { below: Some(committed), over: Some(written), own: false }
    }

    fn own(tree: Option<&'a Tree>) -> Seen<'a> {
        Seen { below: tree, over: None, own: true }
    }

    /// The part that a key means.
    pub fn child(self, key: &str) -> Seen<'a> {
        let below = self.below.and_then(|tree| child(tree, key));
        match self.over {
            None => Seen { below, over: None, own: self.own },
            Some(Node::Whole(tree)) => Seen::own(child(tree, key)),
            Some(Node::Gone) => Seen::own(None),
            Some(Node::Part(part)) => match &part.form {
                Form::Fields(fields) => Seen { below, over: fields.get(key).map(|field| &field.node), own: self.own },
                Form::Items(_) if self.below_items().is_some() && below.is_some() => Seen { below, over: None, own: self.own },
                Form::Items(items) => {
                    let before = self.below_items().unwrap_or_default();
                    Seen::own(index(key).and_then(|at| items.get(at.checked_sub(before)?)))
                }
                Form::Copy(copy) => Seen::own(copied(copy).and_then(|tree| child(tree, key))),
            },
        }
    }

    /// What lies under keys.
    pub fn at(self, keys: &[&str]) -> Seen<'a> {
        keys.iter().fold(self, |seen, key| seen.child(key))
    }

    /// Whether own writes have a part in it.
    pub fn is_own(&self) -> bool {
        self.own || self.over.is_some()
    }

    /// How many committed items there are, where it is a list.
    fn below_items(&self) -> Option<usize> {
        match self.below {
            Some(Tree::List(items)) => Some(items.len()),
            _ => None,
        }
    }

    fn shape(&self) -> Shape {
        match self.over {
            None => shape(self.below),
            Some(Node::Whole(tree)) => shape(Some(tree)),
            Some(Node::Gone) => Shape::Nothing,
            Some(Node::Part(part)) => match &part.form {
                Form::Fields(_) if part.made => Shape::Object,
                Form::Fields(_) => shape(self.below),
                Form::Items(items) => Shape::List(self.below_items().unwrap_or_default() + items.len()),
                Form::Copy(copy) => shape(copied(copy)),
            },
        }
    }

    fn is_there(&self) -> bool {
        !matches!(self.shape(), Shape::Nothing)
    }

    /// Its text; none where there is nothing.
    pub fn json(&self) -> Option<Json> {
        self.text().map(of_text)
    }

    /// Bytes of its text; 0 where there is nothing.
    pub fn size(&self) -> usize {
        self.text().map_or(0, |text| text.len())
    }

    /// Bytes that go with what lies under keys, at least: the name of a field with it.
    pub fn size_of_part(self, keys: &[&str]) -> usize {
        // The state as a whole goes with nothing.
        let Some((last, parents)) = keys.split_last() else { return 0 };
        let parent = self.at(parents);
        match (parent.child(last).size(), parent.shape()) {
            (0, _) => 0,
            (size, Shape::Object) => quoted(last).len() + 1 + size,
            (size, _) => size,
        }
    }

    fn text(&self) -> Option<String> {
        let mut text = String::new();
        self.write(&mut text);
        self.is_there().then_some(text)
    }

    /// Appends its text, where there is something.
    fn write(&self, text: &mut String) {
        let tree = match self.over {
            None => self.below,
            Some(Node::Whole(tree)) => Some(tree),
            Some(Node::Gone) => None,
            Some(Node::Part(part)) => match &part.form {
                Form::Fields(fields) if matches!(self.shape(), Shape::Object) => {
                    return write_object(text, self.fields(fields).into_iter(), |value, text| value.write(text));
                }
                Form::Fields(_) => self.below,
                Form::Items(items) => return self.write_items(items, text),
                Form::Copy(copy) => copied(copy),
            },
        };
        if let Some(tree) = tree {
            tree.write(text);
        }
    }

    /// Committed fields in their places, then those that were made.
    fn fields(&self, written: &'a Fields) -> Vec<(&'a SmolStr, Seen<'a>)> {
        let committed = match self.below {
            Some(Tree::Object(object)) => Some(&**object),
            _ => None,
        };
        let stays = |name: &SmolStr| written.get(name).is_none_or(|field| !field.moved);
        let in_place = committed.into_iter().flat_map(|object| object.iter()).filter(|(name, _)| stays(name));
        let is_new = |name: &SmolStr| committed.is_none_or(|object| object.get(name).is_none());
        let made = written.in_order().into_iter().filter(|(name, field)| field.moved || is_new(name));
        let names = in_place.map(|(name, _)| name).chain(made.map(|(name, _)| name));
        names.map(|name| (name, self.child(name))).filter(|(_, value)| value.is_there()).collect()
    }

    fn write_items(&self, pushed: &'a [Tree], text: &mut String) {
        match self.below {
            Some(Tree::List(items)) => write_list(text, items.iter().chain(pushed)),
            _ => write_list(text, pushed.iter()),
        }
    }

    /// Whether a path in it can be set, and how many bytes the fields take that are made for it.
    pub fn check_set(self, keys: &[&str]) -> Result<usize, PathError> {
        let mut seen = self;
        let mut made = 0;
        for (at, key) in keys.iter().enumerate() {
            let new = seen
                .check_child(key)
                .map_err(|why| PathError(format!("`{}` cannot be set: `{}` {why}", keys.join("."), keys[..at].join("."))))?;
            seen = seen.child(key);
            made += if seen.is_there() { 0 } else { new + if at + 1 < keys.len() { "{}".len() } else { 0 } };
        }
        Ok(made)
    }

    /// Whether something can be pushed to a path in it, and how many bytes that takes beside it.
    pub fn check_push(self, keys: &[&str]) -> Result<usize, PathError> {
        let made = self.check_set(keys)?;
        let target = self.at(keys);
        let refused = |kind: &str| Err(PathError(format!("nothing can be pushed to `{}`: it is {kind}", keys.join("."))));
        match target.shape() {
            Shape::Nothing => Ok(made + "[]".len()),
            Shape::List(items) => Ok(usize::from(items > 0)),
            Shape::Object => refused("an object"),
            Shape::Scalar(kind) => refused(kind),
        }
    }

    /// How many bytes a part takes beside its value, if it is new; or why there can be none.
    fn check_child(&self, key: &str) -> Result<usize, String> {
        match self.shape() {
            Shape::Nothing => Ok(quoted(key).len() + ":".len()),
            Shape::Object => Ok(quoted(key).len() + ":,".len()),
            Shape::Scalar(kind) => Err(format!("is {kind}")),
            Shape::List(items) => match index(key) {
                None => Err(format!("is a list, and `{key}` is no index")),
                Some(at) if at > items => Err(format!("has {items} items")),
                Some(_) => Ok(",".len()),
            },
        }
    }
}

/// The result that a copy holds: it was made when it was followed.
fn copied(copy: &Option<(u64, Option<Tree>)>) -> Option<&Tree> {
    copy.as_ref().and_then(|(_, tree)| tree.as_ref())
}

fn shape(tree: Option<&Tree>) -> Shape {
    match tree {
        None => Shape::Nothing,
        Some(Tree::Object(_)) => Shape::Object,
        Some(Tree::List(items)) => Shape::List(items.len()),
        Some(scalar) => Shape::Scalar(scalar.kind()),
    }
}
