//! Reading the lines of a script, word by word.

use std::sync::Arc;

use serde_json::value::RawValue;
use wf_engine::entry::Event;

/// What is left of a line.
pub struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    pub fn of(line: &'a str) -> Words<'a> {
        Words(line.trim())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left, to be read in another way.
    pub fn rest(self) -> &'a str {
        self.0
    }

    /// The next word, without the comma or colon at its end.
    pub fn word(&mut self) -> &'a str {
        let end = self.0.find(char::is_whitespace).unwrap_or(self.0.len());
        let word = self.0[..end].trim_end_matches([',', ':']);
        assert!(!word.is_empty(), "a word is missing before `{}`", self.0);
        self.0 = self.0[end..].trim_start();
        word
    }

    /// Takes the next word if it is this one.
    pub fn eat(&mut self, word: &str) -> bool {
        let rest = self.0.strip_prefix(word).filter(|rest| rest.is_empty() || rest.starts_with([' ', ',']));
        if let Some(rest) = rest {
            self.0 = rest.trim_start_matches(',').trim_start();
        }
        rest.is_some()
    }

    /// The number after a word, if that word is next.
    pub fn number_after(&mut self, word: &str) -> Option<f64> {
        self.eat(word).then(|| self.number())
    }

    pub fn number(&mut self) -> f64 {
        let word = self.word();
        word.parse().unwrap_or_else(|_| panic!("`{word}` is no number"))
    }

    /// A JSON value, as it is written.
    pub fn json(&mut self) -> Arc<RawValue> {
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter::<Box<RawValue>>();
        let value = values.next().unwrap_or_else(|| panic!("JSON is missing")).unwrap_or_else(|error| panic!("`{}`: {error}", self.0));
        self.0 = self.0[values.byte_offset()..].trim_start_matches(',').trim_start();
        value.into()
    }

    /// A JSON text's text.
    pub fn text(&mut self) -> String {
        serde_json::from_str(self.json().get()).expect("a text")
    }

    /// A type's name and a payload; `{}` where it is left out.
    pub fn event(&mut self) -> Event {
        let name = self.word();
        self.event_of(name)
    }

    /// A payload, of this type.
    pub fn event_of(&mut self, name: &str) -> Event {
        let name = name.into();
        let payload = if self.0.starts_with('{') { self.json() } else { RawValue::from_string("{}".into()).expect("JSON").into() };
        Event { name, payload }
    }

    /// Names up to the end, or to one of these words.
    pub fn names(&mut self, until: &[&str]) -> Vec<String> {
        let mut names = Vec::new();
        while !self.is_empty() && !until.iter().any(|word| Words(self.0).eat(word)) {
            names.push(self.word().to_owned());
        }
        names
    }
}
