//! Generated text at the border: each is refused with a reason, or comes back as it came.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wf_engine::json::{Json, canonical};
use wf_engine::text::{self, DEPTH_MAX, Limit, MESSAGE_MAX};

const MAX: Limit = Limit { name: "value_max", max: 1 << 20 };

/// A value in the journal: with others around it, as an entry has them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    input: Input,
}

#[derive(Serialize, Deserialize)]
enum Input {
    Told { calls: Vec<(u32, Json)> },
}

/// Numbers of all sizes and forms, also wrong ones.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?",
        any::<f64>().prop_map(|number| format!("{number:e}")),
        any::<f64>().prop_map(|number| number.to_string()),
        "1e-?[0-9]{15,25}",
        "[-+.0-9eE]{1,8}",
    ]
}

/// Strings with escapes, halves of pairs and control characters.
fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-z é😀]{0,4}",
        2 => "\\\\u[dD][89a-fA-F][0-9a-f]{2}",
        2 => Just("\\ud83d\\ude00".to_owned()),
        2 => "\\\\[\"\\\\/bfnrtu]",
        1 => "\\\\u00[0-9a-f]{2}",
        1 => "[\u{0}-\u{1f}\u{7f}\u{2028}\u{feff}]",
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        number(),
        string(),
        prop::sample::select(vec!["null", "true", "false", "NaN", "-Infinity", "", "undefined"]).prop_map(str::to_owned),
    ]
}

fn key() -> impl Strategy<Value = String> {
    let known = [r#""a""#, r#""\u0061""#, r#""""#, r#""$serde_json::private::RawValue""#, r#""$serde_json::private::Number""#];
    prop_oneof![3 => string(), 2 => prop::sample::select(known.to_vec()).prop_map(str::to_owned)]
}

fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", "", " ", "\n\t", "\r\n", "\u{a0}", "/**/"])
}

/// Values of all kinds; most of them JSON.
fn any_text() -> impl Strategy<Value = String> {
    let nested = scalar().prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            (prop::collection::vec((key(), inner), 0..5), space()).prop_map(|(fields, space)| {
                let fields = fields.iter().map(|(key, value)| format!("{key}{space}:{value}"));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }),
        ]
    });
    let deep = (1..200_usize, scalar()).prop_map(|(depth, inner)| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth)));
    let whole = prop_oneof![8 => nested, 1 => deep, 1 => "[\\[\\]{}\",:0-9a-z\\\\ ]{0,20}"];
    (space(), whole, space()).prop_map(|(before, value, after)| format!("{before}{value}{after}"))
}

/// The deepest bracket of a value that was read.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Whether two values are equal, number by number: the reader's own answer.
fn nearly_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| nearly_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| nearly_equal(value, other)))
        }
        _ => one == other,
    }
}

/// The same value in another text: fields in reverse, numbers and strings in other words.
fn reworded(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[ {} ]", items.iter().map(reworded).collect::<Vec<_>>().join(" ,")),
        Value::Object(fields) => {
            let fields = fields.iter().rev().map(|(key, value)| format!("{} : {}", escaped(key), reworded(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::String(text) => escaped(text),
        Value::Number(number) if number.is_f64() => number.to_string(),
        Value::Number(number) => format!("{number}.00E+0"),
        _ => value.to_string(),
    }
}

/// A string of nothing but escapes.
fn escaped(text: &str) -> String {
    format!("\"{}\"", text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_is_refused_with_a_reason_or_comes_back_as_it_came(text in any_text()) {
        match text::json("the value", text.clone(), MAX) {
            Err(refused) => {
                prop_assert!(refused.kind == "limit" || refused.kind == "invalid");
                prop_assert!(refused.message.starts_with("the value ") && refused.message.len() < 400, "{}", refused);
            }
            Ok(value) => {
                let whole = text.trim_matches([' ', '\n', '\r', '\t']);
                prop_assert_eq!(value.get(), whole);
                let line = serde_json::to_vec(&Line { seq: 7, input: Input::Told { calls: vec![(1, value.clone()), (2, value.clone())] } });
                let line: Line = serde_json::from_slice(&line.expect("it is written")).expect("it is read");
                let Input::Told { calls } = line.input;
                prop_assert!(calls.iter().all(|(_, told)| told.get() == whole));
                let read: Value = serde_json::from_str(value.get()).expect("any reader reads it");
                prop_assert!(depth(&read) <= DEPTH_MAX.max);
            }
        }
    }

    #[test]
    fn what_every_reader_reads_without_loss_is_let_in(value in "[a-z0-9 é😀]{0,8}", number in any::<i64>(), double in any::<f64>()) {
        let text = serde_json::json!({ "text": value, "list": [number, double, null, true], "": {} }).to_string();
        prop_assert_eq!(text::object("the payload", text.clone(), MAX).map(|json| json.get().to_owned()), Ok(text));
    }

    #[test]
    fn equal_values_have_one_canonical_text(one in any_text(), other in any_text()) {
        let (Ok(one), Ok(other)) = (text::json("one", one, MAX), text::json("other", other, MAX)) else { return Ok(()) };
        let read = |text: &str| serde_json::from_str::<Value>(text).expect("any reader reads it");
        let texts = [canonical(&one), canonical(&other)];
        prop_assert!(nearly_equal(&read(&texts[0]), &read(one.get())), "{} became {}", one, texts[0]);
        let again = text::json("the canonical text", texts[0].clone(), MAX).expect("it can be read back");
        prop_assert_eq!(canonical(&again), texts[0].clone());
        if texts[0] == texts[1] {
            prop_assert!(nearly_equal(&read(one.get()), &read(other.get())), "{} and {}", one, other);
        }
    }

    #[test]
    fn a_value_in_other_words_has_the_same_canonical_text(text in any_text()) {
        let Ok(value) = text::json("the value", text, MAX) else { return Ok(()) };
        let read: Value = serde_json::from_str(value.get()).expect("any reader reads it");
        let plain = text::json("the value", read.to_string(), MAX).expect("it is JSON");
        let other = text::json("the value", reworded(&read), MAX).expect("it is JSON");
        prop_assert_eq!(canonical(&plain), canonical(&other));
    }

    #[test]
    fn what_is_no_equal_value_has_another_canonical_text(one in any::<i64>(), zeros in 0..30_usize, digit in 1..10_u8) {
        let number = |text: String| canonical(&text::json("the number", text, MAX).expect("a number"));
        prop_assert_ne!(number(one.to_string()), number(format!("{one}.{}{digit}", "0".repeat(zeros))));
        prop_assert_eq!(number(one.to_string()), number(format!("{one}.{}", "0".repeat(zeros + 1))));
    }

    #[test]
    fn names_ids_and_paths_are_refused_with_a_reason_or_short_lines(text in any::<String>(), times in 1..100_usize) {
        let text = text.repeat(times);
        for answer in [text::name("the name", &text), text::id("the name", &text), text::path(&text)] {
            match answer {
                Ok(()) => prop_assert!(text.len() <= 1024 && !text.contains(char::is_control)),
                Err(refused) => prop_assert!(refused.message.starts_with("the ") && refused.message.len() < 16 << 10),
            }
        }
        let cut = text::cut(text.repeat(20), MESSAGE_MAX);
        prop_assert!(cut.len() <= MESSAGE_MAX.max && (cut == text.repeat(20) || cut.ends_with("bytes more)")));
    }

    #[test]
    fn a_log_line_is_always_sound(level in any_text(), message in any::<String>(), fields in any_text()) {
        let (level, line, fields) = text::log_line(level, message.clone(), fields);
        prop_assert!(text::LEVELS.contains(&level.as_str()) && line.starts_with(&message));
        prop_assert!(serde_json::from_str::<serde_json::Map<String, Value>>(&fields).is_ok());
    }
}
