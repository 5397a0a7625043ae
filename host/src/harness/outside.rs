//! Who answers the requests of steps: the test, by patterns.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use wf_engine::entry::Failure;

use super::Mistake;
use super::request::{Failing, Stub};
use crate::outside::{Question, Told};

/// The answers of a test, in its order.
pub(super) struct Answers(Vec<Answer>);

struct Answer {
    method: Option<String>,
    url: String,
    left: Option<u32>,
    told: Result<Told, Failure>,
}

impl Answers {
    pub(super) fn new(stubs: Vec<Stub>) -> Result<Answers, Mistake> {
        stubs.into_iter().map(answer).collect::<Result<_, _>>().map(Answers)
    }

    /// What a request is answered: by the first that fits and is not used up.
    pub(super) fn answer(&mut self, question: &Question) -> Result<Told, Failure> {
        let Question { method, url, .. } = question;
        let fits = |it: &&mut Answer| {
            it.left != Some(0) && it.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method)) && matches(&it.url, url)
        };
        let Some(answer) = self.0.iter_mut().find(fits) else {
            let message = format!("nobody answers `{method} {url}` in this test: add an answer to `http` of its start");
            return Err(Failure::new("denied", message, false));
        };
        answer.left = answer.left.map(|left| left - 1);
        answer.told.clone()
    }
}

fn answer(stub: Stub) -> Result<Answer, Mistake> {
    let Stub { method, url, times, status, headers, json: value, text, base64, failure, cut } = stub;
    let hint = "guest-sdk/HARNESS.md has the keys of an answer";
    let given = [value.is_some(), text.is_some(), base64.is_some(), failure.is_some()];
    if given.iter().filter(|it| **it).count() > 1 {
        let message = format!("the answer to `{url}` has more than one of `json`, `text`, `base64` and `failure`");
        return Err(Mistake::new(message, hint));
    }
    if !(100..=599).contains(&status) {
        return Err(Mistake::new(format!("the answer to `{url}` has the status {status}"), "give one from 100 to 599"));
    }
    let mut headers: Vec<(String, String)> = headers.into_iter().collect();
    if value.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let decoded = base64.map(|it| BASE64_STANDARD.decode(it)).transpose();
    let decoded = decoded.map_err(|error| Mistake::new(format!("the answer to `{url}` is no base64: {error}"), hint))?;
    let body = value.map(|it| it.get().as_bytes().to_vec()).or(text.map(String::into_bytes)).or(decoded).unwrap_or_default();
    let cut = cut.then(|| Failure::new("network", "the connection broke", true));
    let told = match failure {
        Some(Failing { kind, message, retryable }) => {
            let kind = kind.unwrap_or_else(|| "network".to_owned());
            let details = json!({ "retryable": retryable.unwrap_or(true) });
            Err(Failure::from_guest(kind, message.unwrap_or_else(|| "nobody answers".to_owned()), &details.to_string()))
        }
        None => Ok(Told::new(status, &headers, body, cut).map_err(|why| Mistake::new(format!("the answer to `{url}`: {why}"), hint))?),
    };
    Ok(Answer { method, url, left: times, told })
}

/// Whether a text is as a pattern has it, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pattern.split('*').skip(1).last() else { return rest.is_empty() };
    for part in parts.take(pattern.matches('*').count() - 1) {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("https://a/b", "https://a/b", true),
            ("https://a/b", "https://a/bc", false),
            ("https://a/*", "https://a/", true),
            ("https://a/*/c*", "https://a/b/cd", true),
            ("*/c", "https://a/b/c", true),
            ("*", "", true),
            ("a*a", "a", false),
            ("a**b", "ab", true),
            ("a*b*c", "abab", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
