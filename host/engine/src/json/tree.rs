//! JSON taken apart, so that a part of it can be found and changed.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::{Json, Object, TREE_DEPTH_MAX, Token, Tokens, of_text, quoted, work};

/// A JSON value. Scalars keep the text that they came with; white space between the parts is
/// gone, and names of fields are escaped as serde_json does it.
#[derive(Clone)]
pub(crate) enum Tree {
    /// The text of a string, a number or a word.
    Scalar(SmolStr),
    /// Items in order. A queue: the first one goes as cheaply as the last.
    List(VecDeque<Tree>),
    /// Fields in order.
    Object(Box<Object>),
}

impl Tree {
    /// `null`
    pub fn null() -> Tree {
        Tree::Scalar(SmolStr::new_static("null"))
    }

    /// `{}`
    pub fn object() -> Tree {
        Tree::Object(Box::default())
    }

    /// `[]`
    pub fn list() -> Tree {
        Tree::List(VecDeque::new())
    }

    /// Takes a text apart. Where a field comes twice, the last one counts.
    pub fn parse(value: &RawValue) -> Tree {
        let mut tokens = Tokens::of(value.get());
        let first = tokens.next();
        tree(&mut tokens, first, 0)
    }

    /// Its text, compact.
    pub fn to_json(&self) -> Json {
        let mut text = String::new();
        self.write(&mut text);
        of_text(text)
    }

    /// Appends its text.
    pub fn write(&self, text: &mut String) {
        work::add(1);
        match self {
            Tree::Scalar(scalar) => text.push_str(scalar),
            Tree::List(items) => write_list(text, items.iter()),
            Tree::Object(object) => write_object(text, object.iter(), |value, text| value.write(text)),
        }
    }

    /// Bytes of its text.
    pub fn size(&self) -> usize {
        work::add(1);
        match self {
            Tree::Scalar(scalar) => scalar.len(),
            Tree::List(items) => around(items.len()) + items.iter().map(Tree::size).sum::<usize>(),
            Tree::Object(object) => {
                around(object.len()) + object.iter().map(|(name, value)| quoted(name).len() + 1 + value.size()).sum::<usize>()
            }
        }
    }

    /// How many brackets lie around its innermost value: 0 for a scalar, 1 for `[]`.
    pub fn depth(&self) -> usize {
        match self {
            Tree::Scalar(_) => 0,
            Tree::List(items) => 1 + items.iter().map(Tree::depth).max().unwrap_or(0),
            Tree::Object(object) => 1 + object.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
        }
    }

    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Tree::List(_) => "a list",
            Tree::Object(_) => "an object",
            Tree::Scalar(scalar) => match scalar.as_bytes().first() {
                Some(b'"') => "a text",
                Some(b'n') => "null",
                Some(b't' | b'f') => "a boolean",
                _ => "a number",
            },
        }
    }
}

/// Writes items between brackets.
pub(crate) fn write_list<'a>(text: &mut String, items: impl Iterator<Item = &'a Tree>) {
    text.push('[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push(',');
        }
        item.write(text);
    }
    text.push(']');
}

/// Writes fields between braces.
pub(crate) fn write_object<'a, V>(text: &mut String, fields: impl Iterator<Item = (&'a SmolStr, V)>, write: impl Fn(V, &mut String)) {
    text.push('{');
    for (at, (name, value)) in fields.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&quoted(name));
        text.push(':');
        write(value, text);
    }
    text.push('}');
}

/// Bytes of brackets and commas.
fn around(items: usize) -> usize {
    2 + items.saturating_sub(1)
}

/// The value that starts with a token, `depth` brackets deep.
fn tree(tokens: &mut Tokens, first: Option<Token>, depth: usize) -> Tree {
    match first {
        Some(Token::Object | Token::List) if depth == TREE_DEPTH_MAX => Tree::Scalar(tokens.whole().into()),
        Some(Token::Object) => object(tokens, depth + 1),
        Some(Token::List) => list(tokens, depth + 1),
        Some(Token::Scalar(text) | Token::Key(text)) => Tree::Scalar(text.into()),
        Some(Token::Close) | None => Tree::null(),
    }
}

fn list(tokens: &mut Tokens, depth: usize) -> Tree {
    let mut items = VecDeque::new();
    while let Some(token) = tokens.next().filter(|token| *token != Token::Close) {
        items.push_back(tree(tokens, Some(token), depth));
    }
    Tree::List(items)
}

fn object(tokens: &mut Tokens, depth: usize) -> Tree {
    let mut object = Object::default();
    while let Some(Token::Key(name)) = tokens.next() {
        let first = tokens.next();
        object.insert(&unquoted(name), tree(tokens, first, depth));
    }
    Tree::Object(Box::new(object))
}

/// What a JSON string stands for. One that stands for no text, which the border lets none
/// through, is taken for its own text.
pub(super) fn unquoted(string: &str) -> String {
    serde_json::from_str(string).unwrap_or_else(|_| string.to_owned())
}

impl PartialEq for Tree {
    fn eq(&self, other: &Tree) -> bool {
        let text = |tree: &Tree| {
            let mut text = String::new();
            tree.write(&mut text);
            text
        };
        text(self) == text(other)
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.to_json().get())
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        Ok(Tree::parse(&Json::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Tree {
        Tree::parse(&of_text(text.to_owned()))
    }

    #[test]
    fn scalars_keep_their_text_and_fields_their_order() {
        let text = r#"{"z":12345678901234567890123,"a":[1.0,-0,1E+2,"\u00e9\/",true,null],"":{}}"#;
        assert_eq!(parsed(text).to_json().get(), text);
        assert_eq!(parsed(text).size(), text.len());
        assert_eq!(parsed(" [ 1 , {\"\\u0061\" : 2 } ] ").to_json().get(), r#"[1,{"a":2}]"#);
    }

    #[test]
    fn keys_that_serde_json_uses_for_itself_are_keys() {
        let text = r#"{"$serde_json::private::RawValue":"[1]","$serde_json::private::Number":"1"}"#;
        assert_eq!(parsed(text).to_json().get(), text);
    }

    #[test]
    fn a_value_says_what_it_is() {
        let kinds: Vec<&str> = [r#""x""#, "-1", "null", "false", "[]", "{}"].map(|text| parsed(text).kind()).to_vec();
        assert_eq!(kinds, ["a text", "a number", "null", "a boolean", "a list", "an object"]);
    }

    #[test]
    fn the_depth_of_a_value_counts_its_brackets() {
        for (text, expected) in [("1", 0), ("[]", 1), (r#"{"a":[{}, 1]}"#, 3), (r#""[[""#, 0)] {
            assert_eq!(parsed(text).depth(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_deeper_than_a_stack_is_carried_as_text() {
        let text = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let tree = parsed(&text);
        assert_eq!(tree.size(), text.len());
        assert!(tree.to_json().get() == text);
    }

    #[test]
    fn a_tree_is_serialised_as_the_json_that_it_is() {
        let text = r#"{"tree":{"b":1.00,"a":null}}"#;
        #[derive(Serialize, Deserialize)]
        struct Holder {
            tree: Tree,
        }
        let holder: Holder = serde_json::from_str(text).expect("it is read");
        assert_eq!(serde_json::to_string(&holder).expect("it is written"), text);
    }
}
