//! Takes the values of named fields out of what users have put into runs. What the engine has written is left as it is.

use serde_json::value::{RawValue, to_raw_value};

use crate::model::Fields;

/// Stands where a value was.
const MARKER: &str = "\"[redacted]\"";
/// What lists show of a run that has been redacted.
pub(super) const SHOWN: &str = "[redacted]";
/// Under these keys of entries and envelopes lies what users have put there.
const THEIRS: [&str; 5] = ["payload", "state", "value", "Value", "requirements"];
/// Deeper than this nothing is looked into: the border lets nothing in that is as deep.
const DEPTH_MAX: usize = 128;

/// The fields: each a name, or a path of names.
pub(super) struct Redaction(Vec<Vec<String>>);

impl Redaction {
    pub(super) fn of(fields: &[String]) -> Redaction {
        Redaction(fields.iter().map(|field| field.split('.').map(str::to_owned).collect()).collect())
    }

    /// A text of ours: entries, frames, envelopes.
    pub(super) fn ours(&self, text: &RawValue) -> Box<RawValue> {
        self.walk(text, &[], false, 0)
    }

    /// A text of theirs: a state, the fields of a line.
    pub(super) fn theirs(&self, text: &RawValue) -> Box<RawValue> {
        self.walk(text, &[], true, 0)
    }

    /// Whether a value at a path is one of those, or lies in one.
    fn hides(&self, path: &[String]) -> bool {
        self.0.iter().any(|field| path.windows(field.len()).any(|part| part == field.as_slice()))
    }

    fn walk(&self, value: &RawValue, path: &[String], theirs: bool, depth: usize) -> Box<RawValue> {
        if theirs && self.hides(path) {
            return RawValue::from_string(MARKER.to_owned()).expect("it is JSON");
        }
        let text = value.get();
        let inner: Option<Box<RawValue>> = match text.as_bytes().first() {
            Some(b'{') if depth < DEPTH_MAX => serde_json::from_str::<Fields>(text).ok().and_then(|fields| {
                // A write says in which place of the state its value goes, and what is kept has a name.
                let said =
                    |key: &str| fields.0.iter().find(|it| it.0 == key).and_then(|it| serde_json::from_str::<String>(it.1.get()).ok());
                let base: Vec<String> = match said("path").filter(|_| !theirs) {
                    Some(path) => path.split('.').map(str::to_owned).collect(),
                    None => path.to_vec(),
                };
                let walked = fields.0.iter().map(|(key, value)| {
                    let below: Vec<String> = if theirs { base.iter().chain([key]).cloned().collect() } else { base.clone() };
                    let theirs = theirs || THEIRS.contains(&key.as_str());
                    (key.clone(), self.walk(value, &below, theirs, depth + 1))
                });
                to_raw_value(&Object(walked.collect())).ok()
            }),
            Some(b'[') if depth < DEPTH_MAX => serde_json::from_str::<Vec<Box<RawValue>>>(text).ok().and_then(|items| {
                let walked: Vec<_> = items.iter().map(|item| self.walk(item, path, theirs, depth + 1)).collect();
                to_raw_value(&walked).ok()
            }),
            _ => None,
        };
        inner.unwrap_or_else(|| value.to_owned())
    }
}

struct Object(Vec<(String, Box<RawValue>)>);

impl serde::Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(fields: &[&str], text: &str, expected: Expect) {
        let fields: Vec<String> = fields.iter().map(|&it| it.to_owned()).collect();
        let text = RawValue::from_string(text.to_owned()).expect("JSON");
        expected.assert_eq(Redaction::of(&fields).ours(&text).get());
    }

    #[test]
    fn fields_of_payloads_go_at_any_depth_and_the_rest_stays_as_it_was_written() {
        check(
            &["email", "card.number"],
            r#"{"v":1,"email":1,"input":{"EventReceived":{"id":"x","event":{"name":"A","payload":{"email":"a@b","big":12345678901234567890123,"x":[{"email":{"deep":1}}],"card":{"number":7,"kind":1.0},"number":8}}}}}"#,
            expect![[
                r#"{"v":1,"email":1,"input":{"EventReceived":{"id":"x","event":{"name":"A","payload":{"email":"[redacted]","big":12345678901234567890123,"x":[{"email":"[redacted]"}],"card":{"number":"[redacted]","kind":1.0},"number":8}}}}}"#
            ]],
        );
    }

    #[test]
    fn a_write_is_known_by_its_path() {
        check(
            &["email"],
            r#"[{"Set":{"path":"user.email","value":"a@b"}},{"Set":{"path":"user.name","value":"Ada"}},{"Set":{"path":"user","value":{"email":1}}},{"Get":{"path":"email.home","answer":{"Value":3}}}]"#,
            expect![[
                r#"[{"Set":{"path":"user.email","value":"[redacted]"}},{"Set":{"path":"user.name","value":"Ada"}},{"Set":{"path":"user","value":{"email":"[redacted]"}}},{"Get":{"path":"email.home","answer":{"Value":"[redacted]"}}}]"#
            ]],
        );
    }
}
