//! JSON as it came: nothing that a user wrote is rounded, sorted or escaped anew on its way.
//!
//! Text travels as [`Json`]. Where the engine must look inside, it reads a [`Tree`], which keeps
//! the text of every scalar, or the [`Fields`] of an object. Never a `serde_json::Value`: that one
//! rounds numbers, and obeys keys that serde_json uses for itself.

mod canonical;
mod object;
mod tokens;
mod tree;
pub(crate) mod work;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

pub(crate) use canonical::Decimal;
pub use canonical::canonical;
pub(crate) use object::Object;
pub(crate) use tokens::{Token, Tokens};
pub(crate) use tree::{Tree, write_list, write_object};

/// JSON text as it came, without the white space around it. Cheap to clone.
pub type Json = Arc<RawValue>;

/// The deepest that a value is taken apart; what lies below is carried as text. The border lets
/// nothing in that is as deep: this keeps the stack safe from what came another way.
const TREE_DEPTH_MAX: usize = 128;

/// An object without fields: `{}`.
pub fn empty() -> Json {
    to_json(&BTreeMap::<(), ()>::new())
}

/// The text of a value of our own: one that has a JSON form.
pub fn to_json(value: &(impl Serialize + ?Sized)) -> Json {
    to_raw_value(value).expect("our own values are JSON").into()
}

/// The text of a value that is known to be JSON.
pub(crate) fn of_text(text: String) -> Json {
    RawValue::from_string(text).expect("it was put together from JSON").into()
}

/// A text as a JSON string, with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// The top-level fields of an object, found once.
#[derive(Debug)]
pub(crate) struct Fields<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Fields<'a> {
    /// Of a text; none where it is no object, or has a field whose name cannot be read.
    pub fn read(text: &'a RawValue) -> Option<Fields<'a>> {
        serde_json::from_str(text.get()).ok().map(Fields)
    }

    /// Of a payload.
    pub fn of(payload: &'a RawValue) -> Fields<'a> {
        Fields::read(payload).expect("cannot happen: a payload that neither the border nor the gate lets in")
    }

    /// The text of a field.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }

    /// All fields, by name, with their [`canonical`] texts.
    pub fn all(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(name, value)| (name.clone().into_owned(), canonical(value)))
    }

    /// The [`canonical`] text of a field.
    pub fn canonical(&self, name: &str) -> Option<String> {
        self.get(name).map(canonical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_unescaped_names() {
        let payload = of_text(r#" {"a\u0062": 1.50, "n": null, "o": {"x": [1]}} "#.to_owned());
        let fields = Fields::of(&payload);
        assert_eq!(fields.get("ab").map(RawValue::get), Some("1.50"));
        assert_eq!(fields.get("n").map(RawValue::get), Some("null"), "null is no missing field");
        assert_eq!(fields.canonical("o").as_deref(), Some(r#"{"x":[1]}"#));
        assert!(fields.get("x").is_none());
        for text in ["5", "[]", "null", r#"{"\ud83d":1}"#] {
            assert!(Fields::read(&of_text(text.to_owned())).is_none(), "{text}");
        }
        assert_eq!((fields.len(), fields.names().collect::<Vec<_>>()), (3, vec!["ab", "n", "o"]));
    }

    #[test]
    fn an_empty_object_is_one() {
        assert_eq!(empty().get(), "{}");
    }
}
