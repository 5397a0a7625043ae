//! Whether two schemas of one event agree: what steps in several languages hand to each other is JSON, and each language
//! describes it in its own manner.
//!
//! What counts is what a value must be: which fields there are, of which types, and which must be there. Titles, bounds
//! and patterns are not compared, and what one schema leaves open the other may say.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

/// So many schemas of one event are looked at; beyond that they agree.
const LOOKED_AT_MAX: usize = 10_000;
/// They are followed so deep.
const DEPTH_MAX: usize = 64;

/// A schema, and the document whose definitions it refers to.
#[derive(Clone, Copy)]
struct Schema<'a> {
    value: &'a Value,
    document: &'a Value,
}

/// What was looked at so far: a type may be made of itself.
#[derive(Default)]
struct Comparison {
    seen: HashSet<(*const Value, *const Value)>,
    looked_at: usize,
}

/// The first thing in which two schemas disagree, in words.
pub(super) fn disagreement(one: &Value, other: &Value) -> Option<String> {
    let whole = |value| Schema { value, document: value };
    if one == other { None } else { Comparison::default().compare(whole(one), whole(other), "", 0) }
}

impl Comparison {
    fn compare(&mut self, one: Schema, other: Schema, path: &str, depth: usize) -> Option<String> {
        let (one, other) = (one.followed(), other.followed());
        if depth > DEPTH_MAX || self.looked_at > LOOKED_AT_MAX || !self.seen.insert((one.value, other.value)) {
            return None;
        }
        let (all_of_one, all_of_other) = (self.alternatives(one, depth), self.alternatives(other, depth));
        let (of_one, of_other) = (types(&all_of_one)?, types(&all_of_other)?);
        if of_one != of_other {
            let place = if path.is_empty() { "it".to_owned() } else { format!("`{path}`") };
            return Some(format!("{place} is {} in the first and {} in the second", listed(&of_one), listed(&of_other)));
        }
        if let (Some(these), Some(those)) = (values(&all_of_one), values(&all_of_other))
            && these != those
        {
            return Some(format!("`{path}` is one of {} in the first and of {} in the second", listed(&these), listed(&those)));
        }
        let fields = match (only(&all_of_one, "object"), only(&all_of_other, "object")) {
            (Some(one), Some(other)) => self.objects(one, other, path, depth),
            _ => None,
        };
        fields.or_else(|| {
            let (one, other) = (only(&all_of_one, "array")?.child("items")?, only(&all_of_other, "array")?.child("items")?);
            self.compare(one, other, &format!("{path}[]"), depth + 1)
        })
    }

    fn objects(&mut self, one: Schema, other: Schema, path: &str, depth: usize) -> Option<String> {
        let (fields, others) = (one.value.get("properties")?.as_object()?, other.value.get("properties")?.as_object()?);
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let names: BTreeSet<&String> = fields.keys().chain(others.keys()).collect();
        for name in names {
            let at = below(name);
            let required = (one.requires(name), other.requires(name));
            let differ = match (fields.get(name), others.get(name)) {
                (Some(value), Some(other_value)) => {
                    let (one, other) = (Schema { value, ..one }, Schema { value: other_value, ..other });
                    self.compare(one, other, &at, depth + 1).or_else(|| match required {
                        (true, false) => Some(format!("`{at}` must be there in the first, and may be left out in the second")),
                        (false, true) => Some(format!("`{at}` may be left out in the first, and must be there in the second")),
                        _ => None,
                    })
                }
                (Some(_), None) if required.0 => Some(format!("`{at}` must be there in the first, and the second does not know it")),
                (None, Some(_)) if required.1 => Some(format!("`{at}` must be there in the second, and the first does not know it")),
                _ => None,
            };
            if differ.is_some() {
                return differ;
            }
        }
        None
    }

    /// What a value may be one of.
    fn alternatives<'a>(&mut self, schema: Schema<'a>, depth: usize) -> Vec<Schema<'a>> {
        let schema = schema.followed();
        self.looked_at += 1;
        if depth > DEPTH_MAX || self.looked_at > LOOKED_AT_MAX {
            return vec![Schema { value: &Value::Null, ..schema }];
        }
        match ["anyOf", "oneOf"].into_iter().find_map(|key| schema.value.get(key)?.as_array()) {
            Some(any) => any.iter().flat_map(|value| self.alternatives(Schema { value, ..schema }, depth + 1)).collect(),
            None => vec![schema],
        }
    }
}

impl<'a> Schema<'a> {
    fn child(self, key: &str) -> Option<Schema<'a>> {
        Some(Schema { value: self.value.get(key)?, ..self })
    }

    fn requires(self, name: &str) -> bool {
        self.value.get("required").and_then(Value::as_array).is_some_and(|all| all.iter().any(|it| it == name))
    }

    /// The schema that it refers to, or itself. One that refers elsewhere, or to itself, is left open.
    fn followed(self) -> Schema<'a> {
        let mut value = self.value;
        for _ in 0..DEPTH_MAX {
            let target = value.get("$ref").and_then(Value::as_str);
            let wrapped = || value.get("allOf")?.as_array().filter(|all| all.len() == 1)?.first();
            let next = match target {
                Some(target) => Some(target.strip_prefix('#').and_then(|it| self.document.pointer(it)).unwrap_or(&Value::Null)),
                None => wrapped(),
            };
            match next {
                Some(next) => value = next,
                None => return Schema { value, ..self },
            }
        }
        Schema { value: &Value::Null, ..self }
    }

    /// The types that it says; none: it leaves them open.
    fn types(self) -> Option<Vec<&'a str>> {
        let schema: &Map<String, Value> = self.value.as_object()?;
        match schema.get("type") {
            Some(Value::String(one)) => return Some(vec![one.as_str()]),
            Some(Value::Array(several)) => return Some(several.iter().filter_map(Value::as_str).collect()),
            _ => (),
        }
        let values = self.values()?;
        Some(values.iter().map(|value| type_of(value)).collect())
    }

    /// The only values that it allows; none: it says none.
    fn values(self) -> Option<Vec<&'a Value>> {
        let one = self.value.get("const").map(|it| vec![it]);
        one.or_else(|| Some(self.value.get("enum")?.as_array()?.iter().collect()))
    }
}

/// The types of all alternatives; none: one of them leaves it open.
fn types(alternatives: &[Schema]) -> Option<BTreeSet<String>> {
    let each: Option<Vec<Vec<&str>>> = alternatives.iter().map(|it| it.types()).collect();
    Some(each?.into_iter().flatten().map(str::to_owned).collect())
}

/// All values that are allowed but for null, where only single values are.
fn values(alternatives: &[Schema]) -> Option<BTreeSet<String>> {
    let some = alternatives.iter().filter(|it| it.types().is_none_or(|types| types != ["null"]));
    let each: Option<Vec<Vec<&Value>>> = some.map(|it| it.values()).collect();
    let values: BTreeSet<String> = each?.into_iter().flatten().filter(|it| !it.is_null()).map(Value::to_string).collect();
    (!values.is_empty()).then_some(values)
}

/// The one alternative of a type; none where there are several.
fn only<'a>(alternatives: &[Schema<'a>], name: &str) -> Option<Schema<'a>> {
    let mut found = alternatives.iter().filter(|it| it.types().is_some_and(|types| types.contains(&name)));
    found.next().filter(|_| found.next().is_none()).copied()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn listed(all: &BTreeSet<String>) -> String {
    all.iter().map(String::as_str).collect::<Vec<_>>().join(" or ")
}
