use expect_test::{Expect, expect};

use super::*;

const MAX: Limit = Limit { name: "value_max", max: 4 << 20 };

/// What becomes of a text at the border.
fn check(text: &str, expected: Expect) {
    let answer = json("the value", text.to_owned(), MAX);
    expected.assert_eq(&answer.map_or_else(|refused| format!("{}: {refused}", refused.kind), |value| value.get().to_owned()));
}

#[test]
fn what_can_be_read_back_comes_back_as_it_came() {
    check(" 12345678901234567890123\n", expect!["12345678901234567890123"]);
    check(
        r#"{"b" : 1.50, "a": ["\ud83d\ude00", "\u0000", -0, 1E-400]}"#,
        expect![[r#"{"b" : 1.50, "a": ["\ud83d\ude00", "\u0000", -0, 1E-400]}"#]],
    );
    check("null", expect!["null"]);
}

#[test]
fn what_cannot_be_read_back_is_refused_with_its_reason() {
    check(r#"["\ud83d"]"#, expect![[r#"invalid: the value has the text "\ud83d", which is half of a surrogate pair"#]]);
    check(r#"{"\udc00":1}"#, expect![[r#"invalid: the value has the text "\udc00", which is half of a surrogate pair"#]]);
    check("1e999", expect!["invalid: the value has the number 1e999, which is beyond a double"]);
    check("[-1E+400]", expect!["invalid: the value has the number -1E+400, which is beyond a double"]);
    check("1e-99999999999999999999", expect!["invalid: the value has the number 1e-99999999999999999999, which is beyond a double"]);
    check(r#"{"a":1,"\u0061":2}"#, expect!["invalid: the value has the field `a` twice"]);
    check(
        r#"{"$serde_json::private::RawValue":"x"}"#,
        expect!["invalid: the value has the field `$serde_json::private::RawValue`, a name that is reserved"],
    );
    check("", expect!["invalid: the value is no JSON: EOF while parsing a value at line 1 column 0"]);
    check(
        "{\"a\":\"\n\"}",
        expect!["invalid: the value is no JSON: control character (\\u0000-\\u001F) found while parsing a string at line 1 column 6"],
    );
    check("NaN", expect!["invalid: the value is no JSON: expected value at line 1 column 1"]);
    check("01", expect!["invalid: the value is no JSON: invalid number at line 1 column 2"]);
}

#[test]
fn a_value_is_at_most_64_deep() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(json("the value", deep(64), MAX).is_ok());
    check(&deep(65), expect!["limit: the value is more than 64 deep (limit depth_max)"]);
    check(&deep(2 << 20), expect!["limit: the value is more than 64 deep (limit depth_max)"]);
    check(&"[".repeat(4 << 20), expect!["invalid: the value is no JSON: EOF while parsing a list at line 1 column 4194304"]);
    check(&"[".repeat((4 << 20) + 1), expect!["limit: the value is longer than 4194304 bytes (limit value_max)"]);
}

#[test]
fn a_payload_is_an_object() {
    let refused = object("the payload of `Ask`", "[{}]".to_owned(), MAX).expect_err("a list");
    assert_eq!(refused.to_string(), "the payload of `Ask` is no JSON object");
    assert!(object("the payload", " {} ".to_owned(), MAX).is_ok());
}

fn refusal(answer: Result<(), Refused>) -> String {
    answer.expect_err("it is refused").message
}

#[test]
fn names_and_ids_are_one_short_line() {
    assert_eq!(refusal(name("the step", "")), "the step is empty");
    assert_eq!(refusal(name("the step", "a\nb")), r#"the step "a\nb" has a control character"#);
    assert_eq!(refusal(name("the step", &"x".repeat(257))), "the step is longer than 256 bytes (limit name_max)");
    assert_eq!(refusal(id("the id", &"é".repeat(129))), "the id is longer than 256 bytes (limit id_max)");
    assert_eq!((id("the id", ""), name("the step", &"x".repeat(256))), (Ok(()), Ok(())));
}

#[test]
fn a_path_has_one_to_32_keys() {
    assert_eq!(refusal(path("")), "the path is empty");
    assert_eq!(refusal(path("a..b")), "the path `a..b` has an empty key");
    let reserved = "the path has the key `$serde_json::private::RawValue`, a name that is reserved";
    assert_eq!(refusal(path("a.$serde_json::private::RawValue")), reserved);
    assert_eq!(refusal(path("a\u{7f}")), "the path \"a\u{7f}\" has a control character");
    assert_eq!(refusal(path(&vec!["k"; 50_000].join("."))), "the path is longer than 1024 bytes (limit path_max)");
    assert!(refusal(path(&vec!["k"; 33].join("."))).ends_with("has more than 32 keys (limit path_keys_max)"));
    assert_eq!(path(&vec!["k"; 32].join(".")), Ok(()));
}

#[test]
fn what_is_cut_says_how_much_is_missing() {
    let limit = Limit { name: "message_max", max: 60 };
    assert_eq!(cut("short".to_owned(), limit), "short");
    let text = cut("é".repeat(100), limit);
    assert_eq!(text, format!("{}… ({} bytes more)", "é".repeat(11), 200 - 22));
    assert_eq!(cut(text.clone(), limit), text, "what was cut is not cut again");
    assert!(cut("x".repeat(60 << 20), MESSAGE_MAX).len() <= MESSAGE_MAX.max);
}

#[test]
fn a_log_line_is_kept_whatever_is_wrong_with_it() {
    let line = |level: &str, message: &str, fields: &str| {
        let (level, message, fields) = log_line(level.to_owned(), message.to_owned(), fields.to_owned());
        format!("{level} {message} {fields}")
    };
    assert_eq!(line("warn", "hot", r#"{"at": 1.0}"#), r#"warn hot {"at": 1.0}"#);
    assert_eq!(line("debug", "hot", ""), "debug hot {}");
    expect![[r#"info hot [the level `LOUD\n` is none of trace, debug, info, warn, error; the value of `fields` is no JSON object] {}"#]]
        .assert_eq(&line("LOUD\n", "hot", "[1]"));
    expect![[r#"info hot [the value of `fields` has the text "\ud83d", which is half of a surrogate pair] {}"#]].assert_eq(&line(
        "info",
        "hot",
        r#"{"a":"\ud83d"}"#,
    ));
}
