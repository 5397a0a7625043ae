//! Reads JSON as a type.
//!
//! JSON knows one kind of number, and JSON Schema calls 1.0 and 1e2 integers. What a schema lets in
//! its type can hold: where an integer is wanted, a number that is one is read as one.

use serde::de::DeserializeOwned;

/// The longest integer that a type holds has 39 digits.
const DIGITS_MAX: usize = 39;

/// The text as a type.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    // Only a text that does not fit is written anew: floats keep their form, and cost nothing.
    serde_json::from_str(text).or_else(|error| match integers(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    })
}

/// The text with every integer in an integer's form; none where each has it already.
fn integers(text: &str) -> Option<String> {
    let (mut written, mut copied) = (String::new(), 0);
    let mut numbers = Numbers { text: text.as_bytes(), place: 0 };
    while let Some((begin, end)) = numbers.next() {
        if let Some(integer) = integer(&text[begin..end]) {
            written.push_str(&text[copied..begin]);
            written.push_str(&integer);
            copied = end;
        }
    }
    written.push_str(&text[copied..]);
    (copied > 0).then_some(written)
}

/// Where the numbers of a JSON text begin and end.
struct Numbers<'a> {
    text: &'a [u8],
    place: usize,
}

impl Numbers<'_> {
    fn next(&mut self) -> Option<(usize, usize)> {
        while let Some(&byte) = self.text.get(self.place) {
            match byte {
                b'"' => self.skip_string(),
                b'-' | b'0'..=b'9' => {
                    let begin = self.place;
                    self.skip_number();
                    return Some((begin, self.place));
                }
                _ => self.place += 1,
            }
        }
        None
    }

    fn skip_string(&mut self) {
        self.place += 1;
        while let Some(&byte) = self.text.get(self.place) {
            self.place += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }

    fn skip_number(&mut self) {
        let numeric = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        self.place += self.text[self.place..].iter().take_while(|byte| numeric(byte)).count();
    }
}

/// A number in an integer's form, where it is one and has another form.
fn integer(number: &str) -> Option<String> {
    if number != "-0" && !number.contains(['.', 'e', 'E']) {
        return None;
    }
    exactly(number).or_else(|| as_a_double(number))
}

/// Digit by digit.
fn exactly(number: &str) -> Option<String> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let exponent: i64 = exponent.parse().ok()?;
    let power = exponent.checked_add(i64::try_from(zeros).ok()?)?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let zeros = usize::try_from(power).ok().filter(|zeros| zeros + significant.len() <= DIGITS_MAX)?;
    Some(format!("{sign}{significant}{}", "0".repeat(zeros)))
}

/// One that is none by a fraction too small for a double, and so is an integer to a schema.
fn as_a_double(number: &str) -> Option<String> {
    let value: f64 = number.parse().ok()?;
    // Adding 0 makes 0 of -0.
    (value.fract() == 0.0 && value.abs() < 1e38).then(|| format!("{:.0}", value + 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: &str, expected: Option<&str>) {
        assert_eq!(integer(number).as_deref(), expected, "{number}");
    }

    #[test]
    fn an_integer_in_a_floats_form_is_found() {
        check("1.0", Some("1"));
        check("-1.50e1", Some("-15"));
        check("10e-1", Some("1"));
        check("1E2", Some("100"));
        check("0.0", Some("0"));
        check("-0", Some("0"));
        check("-0.0e9", Some("0"));
        check("9007199254740993.0", Some("9007199254740993"));
        check("1.8446744073709551615e19", Some("18446744073709551615"));
        check("1.00000000000000000000001", Some("1"));
        check("-1e-400", Some("0"));
    }

    #[test]
    fn what_is_none_stays_as_it_is() {
        check("1", None);
        check("0", None);
        check("-12345678901234567890123", None);
        check("1.5", None);
        check("1e-1", None);
        check("1e300", None);
        check("1e99999999999999999999", None);
    }

    #[test]
    fn text_that_only_looks_like_a_number_is_left_alone() {
        assert_eq!(integers(r#"{"1.0":"2.0 \" 3.0","a":[4.0,{"b":5}]}"#).as_deref(), Some(r#"{"1.0":"2.0 \" 3.0","a":[4,{"b":5}]}"#));
        assert_eq!(integers(r#"{"1.0":"\\","a":true,"b":0.5}"#), None);
        for unsound in ["\"", "\"\\", "-", "1.0e", "[1.0", "--1.0", "1.0.0"] {
            assert!(read::<u8>(unsound).is_err(), "{unsound}");
        }
    }

    #[test]
    fn a_float_keeps_its_form_where_all_fits() {
        let value: serde_json::Value = read("[1.0,-0.0]").unwrap();
        assert_eq!(value.to_string(), "[1.0,-0.0]");
        assert_eq!(read::<(u8, f64, Option<i64>)>("[1.0,-0.5,-3e2]").unwrap(), (1, -0.5, Some(-300)));
        assert!(read::<u8>("1.5").unwrap_err().to_string().contains("1.5"));
        assert!(read::<u8>("256.0").unwrap_err().to_string().contains("256"));
    }
}
