//! What is known by path, so that all that concerns a path is found without looking at the rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Values by path.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Paths<T>(BTreeMap<String, T>);

impl<T> Default for Paths<T> {
    fn default() -> Paths<T> {
        Paths(BTreeMap::new())
    }
}

impl<T> Paths<T> {
    /// How many paths there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What is known of a path.
    pub fn get(&self, path: &str) -> Option<&T> {
        self.0.get(path)
    }

    /// What is known of a path, to be changed.
    pub fn get_mut(&mut self, path: &str) -> Option<&mut T> {
        self.0.get_mut(path)
    }

    /// Makes known, in the place of what was.
    pub fn insert(&mut self, path: String, value: T) {
        self.0.insert(path, value);
    }

    /// Forgets a path.
    pub fn remove(&mut self, path: &str) -> Option<T> {
        self.0.remove(path)
    }

    /// All of them, in the order of their texts.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values()
    }

    /// Forgets those that are not wanted.
    pub fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        self.0.retain(|_, value| wanted(value));
    }

    /// What a path lies in, the path itself, and what lies in it.
    pub fn related(&self, path: &str) -> impl Iterator<Item = &T> {
        let dots = path.match_indices('.').map(|(at, _)| &path[..at]);
        let above: Vec<&T> = dots.chain([path]).filter_map(|path| self.0.get(path)).collect();
        // A dot is followed by a slash: between them is all that begins with the path and a dot.
        above.into_iter().chain(self.0.range(format!("{path}.")..format!("{path}/")).map(|(_, value)| value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_related_to_what_it_lies_in_and_to_what_lies_in_it() {
        let mut paths = Paths::default();
        for path in ["a", "a.b", "a.b.c", "a.b.d.e", "a.bc", "a.b-", "a.c", "b"] {
            paths.insert(path.to_owned(), path);
        }
        let related = |path| paths.related(path).copied().collect::<Vec<_>>();
        assert_eq!(related("a.b"), ["a", "a.b", "a.b.c", "a.b.d.e"]);
        assert_eq!(related("a.b.c.x"), ["a", "a.b", "a.b.c"]);
        assert_eq!(related("c"), [""; 0]);
    }
}
