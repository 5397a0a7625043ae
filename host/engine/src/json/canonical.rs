//! One text for all texts of a value.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::value::RawValue;

use super::tree::unquoted;
use super::{Tree, quoted};

/// The longest whole number that is written without an exponent, in digits.
const PLAIN_DIGITS_MAX: i128 = 21;

/// A text that is the same for equal values and no others. Fields are sorted, strings escaped
/// anew, and numbers are compared by value, exactly: `1`, `1.0` and `10e-1` are one number.
pub fn canonical(value: &RawValue) -> String {
    let mut text = String::new();
    write(&Tree::parse(value), &mut text);
    text
}

fn write(tree: &Tree, text: &mut String) {
    match tree {
        Tree::Scalar(scalar) if scalar.starts_with('"') => text.push_str(&quoted(&unquoted(scalar))),
        Tree::Scalar(scalar) => match Decimal::parse(scalar) {
            Some(number) => number.write(text),
            None => text.push_str(scalar),
        },
        Tree::List(items) => {
            text.push('[');
            separated(text, items.iter(), write);
            text.push(']');
        }
        Tree::Object(object) => {
            let sorted: BTreeMap<_, _> = object.iter().collect();
            text.push('{');
            separated(text, sorted.into_iter(), |(name, value), text| {
                text.push_str(&quoted(name));
                text.push(':');
                write(value, text);
            });
            text.push('}');
        }
    }
}

fn separated<T>(text: &mut String, parts: impl Iterator<Item = T>, write: impl Fn(T, &mut String)) {
    for (at, part) in parts.enumerate() {
        if at > 0 {
            text.push(',');
        }
        write(part, text);
    }
}

/// A number: its digits, without zeros around them, times a power of ten. No digits: 0.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: String,
    exponent: i128,
}

impl Decimal {
    /// Of the text of a number; none of another text, or where the exponent itself is not to be
    /// held: none that a `double` could have is as large.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Decimal { negative: false, digits: String::new(), exponent: 0 });
        }
        let exponent = i128::from(exponent.parse::<i64>().ok()?) - fraction.len() as i128 + (all.len() - digits.len()) as i128;
        Some(Decimal { negative, digits: digits.trim_start_matches('0').to_owned(), exponent })
    }

    fn write(&self, text: &mut String) {
        if self.negative {
            text.push('-');
        }
        if self.digits.is_empty() {
            text.push('0');
            return;
        }
        text.push_str(&self.digits);
        if (0..=PLAIN_DIGITS_MAX - self.digits.len() as i128).contains(&self.exponent) {
            text.extend(std::iter::repeat_n('0', self.exponent as usize));
        } else if self.exponent != 0 {
            write!(text, "e{}", self.exponent).expect("a text can be written to");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::of_text;

    fn canonical_of(text: &str) -> String {
        canonical(&of_text(text.to_owned()))
    }

    #[test]
    fn numbers_are_one_text_by_value() {
        let equal = [
            &["1", "1.0", "10e-1", "1E0", "0.1e+1", "1e000000000000000000000000"][..],
            &["0", "-0", "0.000", "0e999999999999999999999999", "-0.0e-5"],
            &["100", "1e2", "1.00e2"],
            &["-1.5", "-15e-1", "-0.0150e2"],
            &["12345678901234567890123", "1.2345678901234567890123e22"],
            &["1e400", "10e399"],
        ];
        for texts in equal {
            assert!(texts.iter().all(|text| canonical_of(text) == canonical_of(texts[0])), "{texts:?}");
        }
        assert_ne!(canonical_of("12345678901234567890123"), canonical_of("12345678901234567890124"));
        assert_ne!(canonical_of("0.30000000000000004"), canonical_of("0.3"));
        assert_eq!(["7", "100.0", "-0.5", "1e300"].map(canonical_of), ["7", "100", "-5e-1", "1e300"]);
    }

    #[test]
    fn fields_are_sorted_and_strings_escaped_anew() {
        assert_eq!(canonical_of(r#"{"b":[1.0,{"d":1,"c":2}],"\u0061":"\u00e9\/\n"}"#), r#"{"a":"é/\n","b":[1,{"c":2,"d":1}]}"#);
        assert_ne!(canonical_of(r#""1""#), canonical_of("1"));
    }
}
