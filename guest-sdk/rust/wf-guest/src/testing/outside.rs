//! Who answers requests in a native test.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Value, json};
use wf_engine::entry::{Chunk, Failure, Response};
use wf_engine::json::to_json;

/// A request that a step has made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpRequest {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// As the step has written it.
    pub url: String,
    /// In order, as the step has written them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a test answers to a request.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    status: u16,
    headers: Vec<(String, String)>,
    parts: Vec<Vec<u8>>,
    /// How it ends before its end, or before it begins.
    failure: Option<crate::Failure>,
    is_there: bool,
}

impl HttpRequest {
    /// The first header of a name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as a value.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("the body of the request is another: {error}"))
    }

    pub(super) fn of(options: &str, body: Vec<u8>) -> HttpRequest {
        let options: Value = serde_json::from_str(options).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let headers = options["headers"].as_array().into_iter().flatten().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        HttpRequest { method: text(&options["method"]), url: text(&options["url"]), headers, body }
    }

    /// What it is recorded by.
    pub(super) fn target(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

impl HttpResponse {
    /// With nothing in it.
    pub fn status(status: u16) -> HttpResponse {
        HttpResponse { status, headers: Vec::new(), parts: Vec::new(), failure: None, is_there: true }
    }

    /// A value.
    ///
    /// # Panics
    /// When it is no JSON.
    #[track_caller]
    pub fn json(value: impl Serialize) -> HttpResponse {
        let text = serde_json::to_vec(&value).unwrap_or_else(|error| panic!("the answer is JSON: {error}"));
        HttpResponse::status(200).header("content-type", "application/json").part(text)
    }

    /// Nobody answers, for this reason.
    pub fn failed(failure: crate::Failure) -> HttpResponse {
        HttpResponse { failure: Some(failure), is_there: false, ..HttpResponse::status(0) }
    }

    /// With a header. `retry-after` is in seconds.
    pub fn header(mut self, name: &str, value: impl ToString) -> HttpResponse {
        self.headers.push((name.to_lowercase(), value.to_string()));
        self
    }

    /// With a part more of its body: each is read by itself.
    pub fn part(mut self, part: impl Into<Vec<u8>>) -> HttpResponse {
        self.parts.push(part.into());
        self
    }

    /// With the text of server-sent events, one for each of these, each in a part of its own.
    pub fn events<T: AsRef<str>>(self, data: impl IntoIterator<Item = T>) -> HttpResponse {
        let begun = self.header("content-type", "text/event-stream");
        data.into_iter().fold(begun, |response, data| response.part(format!("data: {}\n\n", data.as_ref())))
    }

    /// Cut after what it has.
    pub fn cut(mut self) -> HttpResponse {
        self.failure = Some(crate::Failure::new("network", "the connection broke"));
        self
    }

    /// The head, and what is read of the body.
    pub(super) fn tell(self, url: &str) -> (Response, VecDeque<Chunk>) {
        let failure = self.failure.map(|failure| {
            let failure = failure.into_host();
            Failure::from_guest(failure.kind, failure.message, &failure.details)
        });
        if !self.is_there {
            let none = || Failure::new("network", "nobody answers", true);
            return (Response::Failed(failure.unwrap_or_else(none)), VecDeque::new());
        }
        let after = self.headers.iter().find(|(name, _)| name == "retry-after").and_then(|(_, value)| value.parse::<f64>().ok());
        let mut head = json!({ "status": self.status, "url": url, "headers": self.headers });
        if let Some(after) = after {
            head["retry_after"] = json!(after);
        }
        let end = failure.map_or(Chunk::End, Chunk::Failed);
        let parts = self.parts.iter().filter(|part| !part.is_empty()).map(|part| Chunk::of(part));
        (Response::Head(to_json(&head)), parts.chain([end]).collect())
    }
}
