//! Takes the values of named fields out of what users have put into runs. What the engine has written is left as it is.

use std::cell::Cell;

use serde_json::value::{RawValue, to_raw_value};

use crate::model::Fields;

/// Stands where a value was.
const MARKER: &str = "\"[redacted]\"";
/// The same as bytes of a body, as the journal has them.
const BODY: &str = "\"W3JlZGFjdGVkXQ==\"";
/// What lists show of a run that has been redacted.
pub(super) const SHOWN: &str = "[redacted]";
/// Under these keys of entries and envelopes lies what users have put there.
const THEIRS: [&str; 6] = ["payload", "state", "value", "Value", "requirements", "values"];
/// Deeper than this nothing is looked into, and all of it goes: the border lets nothing in that is as deep.
const DEPTH_MAX: usize = 128;

/// The fields: each a name, or a path of names.
pub(super) struct Redaction(Vec<Field>);

struct Field {
    path: Vec<String>,
    /// Whether there was a value of it.
    met: Cell<bool>,
}

impl Redaction {
    pub(super) fn of(fields: &[String]) -> Redaction {
        let field = |field: &String| Field { path: field.split('.').map(str::to_owned).collect(), met: Cell::default() };
        Redaction(fields.iter().map(field).collect())
    }

    /// The fields of which there was no value.
    pub(super) fn unmet(&self) -> Vec<String> {
        self.0.iter().filter(|field| !field.met.get()).map(|field| field.path.join(".")).collect()
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
        let hides = |field: &&Field| path.windows(field.path.len()).any(|part| part == field.path.as_slice());
        self.0.iter().filter(hides).map(|field| field.met.set(true)).count() > 0
    }

    fn walk(&self, value: &RawValue, path: &[String], theirs: bool, depth: usize) -> Box<RawValue> {
        if theirs && self.hides(path) {
            return json(MARKER);
        }
        let text = value.get();
        let opens = text.starts_with(['{', '[']);
        let walked = match text.as_bytes().first() {
            _ if opens && depth == DEPTH_MAX => None,
            Some(b'{') => serde_json::from_str::<Fields>(text).ok().and_then(|fields| self.object(&fields, path, theirs, depth + 1)),
            Some(b'[') => serde_json::from_str::<Vec<Box<RawValue>>>(text).ok().and_then(|items| {
                let walked: Vec<_> = items.iter().map(|item| self.walk(item, path, theirs, depth + 1)).collect();
                to_raw_value(&walked).ok()
            }),
            _ => Some(value.to_owned()),
        };
        // Where nobody can tell what is in it, it is not shown.
        walked.unwrap_or_else(|| json(MARKER))
    }

    fn object(&self, fields: &Fields, path: &[String], theirs: bool, depth: usize) -> Option<Box<RawValue>> {
        // A write says in which place of the state its value goes, and what is kept has a name.
        let keeps = fields.get("value").is_some() || fields.get("answer").is_some();
        let said = |key: &str| fields.get(key).filter(|_| !theirs).and_then(|it| serde_json::from_str::<String>(it.get()).ok());
        let base: Vec<String> = match said("path").or_else(|| said("name").filter(|_| keeps)) {
            Some(path) => path.split('.').map(str::to_owned).collect(),
            None => path.to_vec(),
        };
        let walked = fields.0.iter().map(|(key, value)| {
            if let Some(gone) = outside(key, value).filter(|_| !theirs) {
                return (key.clone(), gone);
            }
            let below: Vec<String> = if theirs { base.iter().chain([key]).cloned().collect() } else { base.clone() };
            let theirs = theirs || THEIRS.contains(&key.as_str());
            (key.clone(), self.walk(value, &below, theirs, depth))
        });
        to_raw_value(&Object(walked.collect())).ok()
    }
}

/// What came from the outside, or went there, is in no field that could be named: what stands for it. None: it is not of
/// that.
fn outside(key: &str, value: &RawValue) -> Option<Box<RawValue>> {
    match key {
        "Data" => Some(json(BODY)),
        "headers" => Some(json("[]")),
        "target" | "url" | "call" => {
            let text: String = serde_json::from_str(value.get()).ok()?;
            let (before, _) = text.split_once(['?', '#'])?;
            to_raw_value(&format!("{before}?{SHOWN}")).ok()
        }
        _ => None,
    }
}

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("it is JSON")
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

    #[test]
    fn what_is_kept_has_a_name_and_variables_have_theirs() {
        check(
            &["email", "TOKEN"],
            r#"[{"Keep":{"name":"email","value":"a@b"}},{"LookUp":{"name":"user.email","answer":{"Value":"a@b"}}},{"Keep":{"name":"other","value":{"email":1,"n":2}}},{"Variables":{"values":{"TOKEN":"x","REGION":"eu"}}},{"event":{"name":"email","payload":{"n":1}}}]"#,
            expect![[
                r#"[{"Keep":{"name":"email","value":"[redacted]"}},{"LookUp":{"name":"user.email","answer":{"Value":"[redacted]"}}},{"Keep":{"name":"other","value":{"email":"[redacted]","n":2}}},{"Variables":{"values":{"TOKEN":"[redacted]","REGION":"eu"}}},{"event":{"name":"email","payload":{"n":1}}}]"#
            ]],
        );
    }

    /// Whatever is named: nobody can tell which fields a piece of a body has.
    #[test]
    fn bodies_headers_and_queries_go() {
        check(
            &["email"],
            r#"[{"Request":{"target":"GET https://a.example/b?email=a@b#c","answer":{"Head":{"status":200,"url":"https://a.example/b?email=a@b","headers":[["set-cookie","a=b"]],"retry_after":1.5}}}},{"Request":{"target":"GET https://a.example/b","answer":{"Failed":{"kind":"denied"}}}},{"Read":{"request":1,"answer":{"Data":"YUBi"}}},{"Read":{"request":1,"answer":"End"}},{"Refused":{"call":"http GET https://a/?email=a"}},{"value":{"url":"https://a/?b","Data":1,"headers":{"email":1}}}]"#,
            expect![[
                r#"[{"Request":{"target":"GET https://a.example/b?[redacted]","answer":{"Head":{"status":200,"url":"https://a.example/b?[redacted]","headers":[],"retry_after":1.5}}}},{"Request":{"target":"GET https://a.example/b","answer":{"Failed":{"kind":"denied"}}}},{"Read":{"request":1,"answer":{"Data":"W3JlZGFjdGVkXQ=="}}},{"Read":{"request":1,"answer":"End"}},{"Refused":{"call":"http GET https://a/?[redacted]"}},{"value":{"url":"https://a/?b","Data":1,"headers":{"email":"[redacted]"}}}]"#
            ]],
        );
    }

    #[test]
    fn what_cannot_be_looked_into_is_not_shown() {
        check(&["a"], r#"{"payload":{"b":{"c":1,"c":{"a":2}}}}"#, expect![[r#"{"payload":{"b":"[redacted]"}}"#]]);
        check(&["a"], r#"{"payload":{"b":{"\ud800":{"a":2}}}}"#, expect![[r#"{"payload":{"b":"[redacted]"}}"#]]);
        let deep = format!(r#"{{"payload":{}{{"a":2}}{}}}"#, "[".repeat(200), "]".repeat(200));
        let text = RawValue::from_string(deep).expect("JSON");
        let shown = Redaction::of(&["a".to_owned()]).ours(&text).get().to_owned();
        assert!(!shown.contains('2') && shown.contains("[redacted]"), "{shown}");
    }

    #[test]
    fn fields_that_nobody_has_are_known() {
        let redaction = Redaction::of(&["email".to_owned(), "emial".to_owned(), "card.number".to_owned()]);
        redaction.ours(&json(r#"{"email":1,"payload":{"email":1,"card":{"kind":1}}}"#));
        assert_eq!(redaction.unmet(), ["emial", "card.number"]);
    }
}
