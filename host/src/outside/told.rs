//! An answer that somebody here gives in the outside's place: a test.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use wf_engine::entry::Failure;
use wf_engine::json::{Json, to_json};

use super::body::Body;
use super::send::{Head, retry_after};

/// An answer that was given here.
#[derive(Clone, Debug)]
pub struct Told {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    cut: Option<Failure>,
}

impl Told {
    /// An answer. `cut`: how its body ends before its end. An error says which header is none.
    pub fn new(status: u16, headers: &[(String, String)], body: Vec<u8>, cut: Option<Failure>) -> Result<Told, String> {
        let mut own = HeaderMap::new();
        for (name, value) in headers {
            let parsed = (name.parse::<HeaderName>(), HeaderValue::from_str(value));
            let (Ok(parsed), Ok(value)) = parsed else { return Err(format!("`{name}: {value}` is no header")) };
            own.append(parsed, value);
        }
        Ok(Told { status, headers: own, body, cut })
    }

    /// As the outside would have given it: its head, and its body.
    pub(crate) fn answer(self, url: String) -> (Json, Body) {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = self.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let head = Head { status: self.status, url, headers, retry_after: retry_after(&self.headers) };
        (to_json(&head), Body::whole(self.body, self.cut))
    }
}
