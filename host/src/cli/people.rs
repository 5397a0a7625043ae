//! What people read of a server: rows, times and JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Problem;

/// A time as the API says it, for people: in UTC, to the second.
pub(super) fn time(text: &str) -> String {
    moment(text).split('.').next().unwrap_or_default().to_owned()
}

/// The same, to the millisecond.
pub(super) fn moment(text: &str) -> String {
    let (day, clock) = text.split_once('T').unwrap_or((text, ""));
    let clock = clock.trim_end_matches("+00:00");
    let end = clock.find('.').map_or(clock.len(), |dot| clock.len().min(dot + 4));
    format!("{day} {}", clock.get(..end).unwrap_or(clock))
}

/// Rows below their heads, in columns.
pub(super) fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut all = vec![head.map(str::to_owned)];
    all.extend(rows);
    lines(&all)
}

pub(super) fn lines<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(super) fn print(value: &impl Serialize) -> Result<(), Problem> {
    out(&serde_json::to_string_pretty(value).expect("JSON"))
}

pub(super) fn line(value: &impl Serialize) -> Result<(), Problem> {
    out(&serde_json::to_string(value).expect("JSON"))
}

pub(super) fn out(text: &str) -> Result<(), Problem> {
    super::screen::out(&format!("{text}\n"))
}

/// JSON on one line: it may have come with line breaks between its parts.
pub(super) fn line_of(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

/// What was said with a line of a log: a JSON object, but for what is nothing.
pub(super) fn given_with(fields: &str) -> String {
    let fields: Map<String, Value> = serde_json::from_str(fields).unwrap_or_default();
    let field = |(name, value): (&String, &Value)| match value {
        // Below, on lines of its own.
        _ if name == "trace" => String::new(),
        Value::Null => String::new(),
        Value::String(text) => format!("  {name}={}", line_of(text)),
        other => format!("  {name}={other}"),
    };
    fields.iter().map(field).collect()
}

/// The backtrace among a line's fields, on lines of its own below it; nothing, where it has none.
pub(super) fn trace(fields: &str) -> String {
    #[derive(Deserialize)]
    struct Fields {
        trace: String,
    }
    let Ok(Fields { trace }) = serde_json::from_str(fields) else { return String::new() };
    trace.trim_end().lines().map(|line| format!("\n    {line}")).collect()
}

/// The type of a field, by its JSON Schema: `string`, `list of integer`, `string or null`, or the name of its definition.
pub(super) fn type_of(field: &Value) -> String {
    let named = |it: &Value| it["$ref"].as_str().and_then(|it| it.rsplit('/').next()).map(str::to_owned);
    let any_of = |it: &Value| it["anyOf"].as_array().map(|all| all.iter().map(type_of).collect::<Vec<_>>().join(" or "));
    match &field["type"] {
        Value::String(name) if name == "array" => match &field["items"] {
            items @ Value::Object(_) => format!("list of {}", type_of(items)),
            _ => "list".to_owned(),
        },
        Value::String(one) => one.clone(),
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => named(field).or_else(|| any_of(field)).unwrap_or_else(|| "any".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_shown_as_what_they_are() {
        let shown = [
            json!({ "type": "array", "items": { "type": "integer" } }),
            json!({ "type": "array", "items": { "$ref": "#/$defs/Item" } }),
            json!({ "type": ["string", "null"] }),
            json!({ "anyOf": [{ "$ref": "#/$defs/Item" }, { "type": "null" }] }),
            json!({}),
        ];
        let told: Vec<String> = shown.iter().map(type_of).collect();
        assert_eq!(told, ["list of integer", "list of Item", "string or null", "Item or null", "any"]);
    }

    #[test]
    fn times_are_for_people() {
        assert_eq!(time("2026-11-23T06:38:23.279795+00:00"), "2026-11-23 06:38:23");
        assert_eq!(moment("2026-11-23T06:38:23.279795+00:00"), "2026-11-23 06:38:23.279");
        assert_eq!(given_with(r#"{"a":1,"b":"x","c":null}"#), "  a=1  b=x");
    }

    #[test]
    fn a_trace_stands_below_its_line() {
        assert_eq!(trace(r#"{"kind":"Boom","trace":"one\n  two\n\nthree\n\n"}"#), "\n    one\n      two\n    \n    three");
        for none in ["{}", "", r#"{"trace":null}"#, r#"{"trace":1}"#, r#"{"trace":""}"#] {
            assert_eq!(trace(none), "", "{none}");
        }
    }
}
