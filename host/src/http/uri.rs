//! What a request's path and query say: decoded, and checked, once.

use std::borrow::Cow;
use std::convert::Infallible;
use std::str::FromStr;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use warp::reply::Response;
use wf_engine::text::{self, Limit, NAME_MAX};

use super::Answer;
use super::error::{self, ApiError};

/// Longest query, in bytes.
const QUERY_MAX: Limit = Limit { name: "query_max", max: 16 << 10 };

/// A part of a path that names something: decoded, or why it was not.
pub(super) struct Part(Result<String, ApiError>);

impl FromStr for Part {
    type Err = Infallible;

    fn from_str(part: &str) -> Result<Part, Infallible> {
        let read = signs(part).and_then(|()| decoded("a part of the path", part)).and_then(|part| {
            text::within("a part of the path", &part, NAME_MAX).map_err(|refused| ApiError::bad(refused.message))?;
            Ok(part)
        });
        Ok(Part(read))
    }
}

impl Part {
    /// What an endpoint answers to it.
    pub(super) fn answer<F: Future<Output = Answer> + Send + 'static>(
        self,
        endpoint: impl FnOnce(String) -> F,
    ) -> BoxFuture<'static, Response> {
        match self.0 {
            Ok(part) => error::answer(endpoint(part)),
            Err(error) => ready(error.response()).boxed(),
        }
    }
}

/// A path as routes are written: a letter, digit or one of `-._~` needs no percent sign, and means the same with one.
pub(super) fn normal(path: &str) -> Cow<'_, str> {
    if !path.contains('%') || signs(path).is_err() {
        return path.into();
    }
    let mut pieces = path.split('%');
    let mut normal = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        let sign = digits.as_bytes().first_chunk().and_then(byte).map(char::from);
        match sign.filter(|it| it.is_ascii_alphanumeric() || "-._~".contains(*it)) {
            Some(plain) => normal.push(plain),
            None => normal.extend(["%", digits]),
        }
        normal.push_str(rest);
    }
    normal.into()
}

/// Every percent sign of a path begins a byte.
fn signs(path: &str) -> Result<(), ApiError> {
    match path.split('%').skip(1).find(|rest| rest.as_bytes().first_chunk().and_then(byte).is_none()) {
        None => Ok(()),
        Some(rest) => {
            let rest = text::cut(rest.to_owned(), NAME_MAX);
            Err(ApiError::bad(format!("a part of the path has a '%' that begins no byte: '%{rest}'")))
        }
    }
}

/// The pairs of a query, in their order.
pub(super) fn pairs(query: &str) -> Result<Vec<(String, String)>, ApiError> {
    text::within("the query", query, QUERY_MAX).map_err(|refused| ApiError::bad(refused.message))?;
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let text = |text: &str| decoded("the query", &text.replace('+', " "));
        Ok((text(key)?, text(value)?))
    });
    pairs.collect()
}

/// `true` in any case is true, everything else false.
pub(super) fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true")
}

/// A part of a path, decoded; none: it cannot be.
pub(super) fn part(part: &str) -> Option<String> {
    decoded("a part of the path", part).ok()
}

/// Whether a cancellation asks for a purge.
pub(super) fn purges(query: &str) -> bool {
    pairs(query).is_ok_and(|pairs| pairs.iter().any(|(key, value)| key == "purge" && is_true(value)))
}

/// A text without its percent signs: a sign that begins no byte stands for itself.
fn decoded(what: &str, text: &str) -> Result<String, ApiError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        match others.split_first_chunk::<2>().filter(|_| first == b'%').and_then(|(digits, after)| Some((byte(digits)?, after))) {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(first);
                rest = others;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| ApiError::bad(format!("{what} is no UTF-8: '{}'", text::cut(text.to_owned(), NAME_MAX))))
}

fn byte(digits: &[u8; 2]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(digits[0])? << 4 | digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_or_refused_with_its_reason() {
        let pairs = |query: &str| pairs(query).map_err(|error| error.to_string());
        let texts = |list: &[(&str, &str)]| -> Result<Vec<(String, String)>, String> {
            Ok(list.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
        };
        assert_eq!(pairs(""), texts(&[]));
        assert_eq!(pairs("a=1&a=2&&b&c=%C3%A9+%2B%26"), texts(&[("a", "1"), ("a", "2"), ("b", ""), ("c", "é +&")]));
        assert_eq!(pairs("a=100%&b=%4&c=%zz%20"), texts(&[("a", "100%"), ("b", "%4"), ("c", "%zz ")]));
        assert_eq!(pairs("a=%ff"), Err("the query is no UTF-8: '%ff'".to_owned()));
        assert_eq!(pairs(&"a".repeat(20_000)), Err("the query is longer than 16384 bytes (limit query_max)".to_owned()));
    }

    #[test]
    fn a_part_of_a_path_is_decoded_or_refused_with_its_reason() {
        let part = |part: &str| part.parse::<Part>().map(|it| it.0.map_err(|error| error.to_string()));
        assert_eq!(part("Gr%C3%BC%C3%9Fe+"), Ok(Ok("Grüße+".to_owned())));
        assert_eq!(part("user%3A42"), Ok(Ok("user:42".to_owned())));
        for (bad, rest) in [("100%", ""), ("%4", "4"), ("%zz", "zz"), ("%é", "é")] {
            assert_eq!(part(bad), Ok(Err(format!("a part of the path has a '%' that begins no byte: '%{rest}'"))));
        }
        assert_eq!(part("%c3%28"), Ok(Err("a part of the path is no UTF-8: '%c3%28'".to_owned())));
        assert_eq!(part(&"x".repeat(257)), Ok(Err("a part of the path is longer than 256 bytes (limit name_max)".to_owned())));
    }

    #[test]
    fn what_needs_no_sign_loses_it() {
        assert_eq!(normal("/%68andlers/user%3a42"), "/handlers/user%3a42");
        assert_eq!(normal("/workflows/a%2Fb/run%2Dnowait"), "/workflows/a%2Fb/run-nowait");
        // Else a sign could be made of two.
        assert_eq!(normal("/handlers/%%34%31"), "/handlers/%%34%31");
        assert_eq!(normal("/handlers/%2541"), "/handlers/%2541");
        assert_eq!(normal("/handlers/%41%"), "/handlers/%41%");
    }
}
