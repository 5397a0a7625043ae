//! Requests to the outside, as far as the workflow is granted them.
//!
//! ```no_run
//! # use wf_guest::prelude::*;
//! # #[derive(Event)] struct Token { text: String }
//! # fn step(context: &Context) -> Result<()> {
//! let key = context.secret("API_KEY")?;
//! let request = context.http().post("https://api.example.com/v1/stream").bearer(&key).json(&json!({ "stream": true }))?;
//! for event in request.send()?.error_for_status()?.events() {
//!     context.publish(&Token { text: event?.data })?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A request and each part of its answer are recorded: a step that is entered again gets the same
//! again, and nothing is sent twice. One whose answer a crash has cut fails with kind `interrupted`, and
//! the retry policy of the step makes it anew: such steps have `#[step(retry(…))]`. A wait, and a sleep of
//! a second or more, cut an answer that is still open: read it to its end before that.

mod stream;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::host::http;
use crate::read::read;
use crate::{Failure, Result};
pub use stream::{Events, Lines, ServerEvent};

/// So much of a body is shown in the failure of an answer that is an error, in bytes.
const SHOWN_MAX: usize = 512;

/// Makes requests: see [`Context::http`](crate::Context::http).
#[derive(Clone, Copy, Debug)]
pub struct Http(pub(crate) ());

/// A request in the making.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until `send` is called"]
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    options: Map<String, Value>,
    body: Vec<u8>,
}

/// An answer: its head, and a body that is read as it comes.
#[derive(Debug)]
pub struct Response {
    number: u32,
    method: String,
    status: u16,
    url: String,
    headers: Vec<(String, String)>,
    retry_after: Option<Duration>,
}

impl Http {
    /// A request that only asks.
    pub fn get(self, url: impl Into<String>) -> Request {
        self.request("GET", url)
    }

    /// A request that hands in something.
    pub fn post(self, url: impl Into<String>) -> Request {
        self.request("POST", url)
    }

    /// A request that puts something in its place.
    pub fn put(self, url: impl Into<String>) -> Request {
        self.request("PUT", url)
    }

    /// A request that changes something in part.
    pub fn patch(self, url: impl Into<String>) -> Request {
        self.request("PATCH", url)
    }

    /// A request that deletes something.
    pub fn delete(self, url: impl Into<String>) -> Request {
        self.request("DELETE", url)
    }

    /// A request of any method.
    pub fn request(self, method: impl Into<String>, url: impl Into<String>) -> Request {
        Request { method: method.into(), url: url.into(), headers: Vec::new(), options: Map::new(), body: Vec::new() }
    }
}

impl Request {
    /// Adds a header; one of the same name that was there stays.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds the header by which services know who asks.
    pub fn bearer(self, token: &str) -> Request {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Adds a parameter to the URL, escaped.
    pub fn query(mut self, name: &str, value: impl ToString) -> Request {
        let before = if self.url.contains('?') { '&' } else { '?' };
        self.url = format!("{}{before}{}={}", self.url, escaped(name), escaped(&value.to_string()));
        self
    }

    /// The body, as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Request> {
        self.body = serde_json::to_vec(body)?;
        Ok(self.header("content-type", "application/json"))
    }

    /// The body, as a form has it.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Request {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        self.body = fields.join("&").into_bytes();
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// The body, as it is.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }

    /// How long it may take, to the last byte of its answer; else five minutes.
    pub fn timeout(self, time: Duration) -> Request {
        self.option("timeout", time.as_secs_f64())
    }

    /// How long the answer's head may take; else two minutes.
    pub fn first_byte_timeout(self, time: Duration) -> Request {
        self.option("first_byte_timeout", time.as_secs_f64())
    }

    /// How long nothing of the answer may come; else a minute.
    pub fn idle_timeout(self, time: Duration) -> Request {
        self.option("idle_timeout", time.as_secs_f64())
    }

    /// An answer that leads elsewhere is the answer.
    pub fn no_redirects(self) -> Request {
        self.option("redirects", false)
    }

    /// Adds the header `idempotency-key`, with the [key](crate::Context::idempotency_key) of this label: the same over
    /// re-entries and retries, so that a service that knows it does nothing twice.
    pub fn idempotency_key(self, label: &str) -> Request {
        self.option("idempotency_key", label)
    }

    fn option(mut self, name: &str, value: impl Into<Value>) -> Request {
        self.options.insert(name.to_owned(), value.into());
        self
    }

    /// Sends it, and waits for the head of its answer. Whatever its status is, it is an answer: see
    /// [`Response::error_for_status`].
    pub fn send(self) -> Result<Response> {
        let Request { method, url, headers, mut options, body } = self;
        options.extend([("method".to_owned(), json!(method)), ("url".to_owned(), json!(url)), ("headers".to_owned(), json!(headers))]);
        let (number, head) = http::request(&Value::Object(options).to_string(), &body).map_err(Failure::from_host)?;
        let head: Value = serde_json::from_str(&head)?;
        let pairs = head["headers"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Response {
            number,
            method,
            status: head["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or_default(),
            url: text(&head["url"]),
            headers: pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            retry_after: head["retry_after"].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        })
    }
}

impl Response {
    /// The status: 200 where all went well.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether it is an answer to what was asked, and no error: its status is one of the 200s.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of a name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All headers, in order, their names in lower case.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Where it came from, after redirects.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How long it asks to be left alone: `retry-after`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Itself where its status is no error; else a failure of kind `HttpError` that says what came. It is retried where
    /// another time could do better (408, 425, 429 and from 500 on), and then after the time that the answer asks for.
    pub fn error_for_status(mut self) -> Result<Response> {
        if self.status < 400 {
            return Ok(self);
        }
        let mut shown = Vec::new();
        while shown.len() < SHOWN_MAX
            && let Ok(Some(part)) = self.chunk()
        {
            shown.extend(part);
        }
        shown.truncate(SHOWN_MAX);
        let shown = String::from_utf8_lossy(&shown);
        let place = self.url.split(['?', '#']).next().unwrap_or_default();
        let failure = Failure::new("HttpError", format!("{} of `{} {place}`: {}", self.status, self.method, shown.trim()));
        let passes = matches!(self.status, 408 | 425 | 429) || self.status >= 500;
        Err(match self.retry_after.filter(|_| passes) {
            Some(time) => failure.retry_after(time),
            None if passes => failure,
            None => failure.no_retry(),
        })
    }

    /// Waits for more of the body; none where there is no more.
    pub fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        http::read(self.number).map_err(Failure::from_host)
    }

    /// The body, whole.
    pub fn bytes(mut self) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(part) = self.chunk()? {
            whole.extend(part);
        }
        Ok(whole)
    }

    /// The body as text.
    pub fn text(self) -> Result<String> {
        Ok(String::from_utf8(self.bytes()?)?)
    }

    /// The body as a value.
    pub fn json<T: DeserializeOwned>(self) -> Result<T> {
        let url = self.url.clone();
        read(&self.text()?).map_err(|error| Failure::from(error).context(format!("the answer of `{url}` is another")))
    }

    /// The body, line by line, as they come.
    pub fn lines(self) -> Lines {
        Lines::of(self)
    }

    /// The body as server-sent events, as they come.
    pub fn events(self) -> Events {
        Events::of(self)
    }
}

/// What of it was not read does not come any more.
impl Drop for Response {
    fn drop(&mut self) {
        http::close(self.number);
    }
}

/// As it stands in a URL.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
