//! An object's fields, in the order in which they came.

use indexmap::IndexMap;
use smol_str::SmolStr;

use super::Tree;

/// Fields by name. Finding, adding and removing one takes the same time however many there are.
#[derive(Clone, Default)]
pub(crate) struct Object {
    /// In any order, once something was removed.
    fields: IndexMap<SmolStr, Field>,
    next: u64,
}

#[derive(Clone)]
struct Field {
    /// Where it stands among the others.
    place: u64,
    value: Tree,
}

impl Object {
    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Tree> {
        self.fields.get(name).map(|field| &field.value)
    }

    /// The value of a field, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Tree> {
        self.fields.get_mut(name).map(|field| &mut field.value)
    }

    /// Sets a field: one that is there keeps its place, a new one is the last.
    pub fn insert(&mut self, name: &str, value: Tree) -> &mut Tree {
        let place = self.next;
        self.next += 1;
        let at = match self.fields.get_index_of(name) {
            Some(at) => at,
            None => self.fields.insert_full(name.into(), Field { place, value: Tree::null() }).0,
        };
        let field = &mut self.fields[at];
        field.value = value;
        &mut field.value
    }

    /// Removes a field.
    pub fn remove(&mut self, name: &str) -> Option<Tree> {
        self.fields.swap_remove(name).map(|field| field.value)
    }

    /// The fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Tree)> {
        let mut fields: Vec<_> = self.fields.iter().collect();
        fields.sort_by_key(|(_, field)| field.place);
        fields.into_iter().map(|(name, field)| (name, &field.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_whatever_is_removed() {
        let mut object = Object::default();
        for name in ["a", "b", "c", "d"] {
            object.insert(name, Tree::null());
        }
        object.remove("b");
        object.remove("no such");
        object.insert("a", Tree::null());
        object.insert("b", Tree::null());
        let names: Vec<&str> = object.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "c", "d", "b"]);
    }
}
