//! A request as a guest asks for it: read, and checked as far as it can be before anything is granted.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use wf_engine::entry::Failure;
use wf_engine::text::{OPTIONS_MAX, Refused, shown};

/// Largest body of a request, in bytes.
const BODY_MAX: usize = 16 << 20;
/// No request takes longer, whatever it asks for.
const TIMEOUT_MAX: Duration = Duration::from_secs(3600);

/// Headers that are the connection's own, so that no guest writes what another reads as a second request.
const RESERVED: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request as a guest asks for it. Nothing is granted yet.
#[derive(Clone, Debug)]
pub struct Asked {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) redirects: bool,
    pub(super) timeouts: Timeouts,
    pub(super) body: Vec<u8>,
    target: String,
    label: Option<String>,
}

/// The same in plain words, for whoever answers it in the outside's place.
#[derive(Clone, Debug)]
pub struct Question {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// Where to.
    pub url: String,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// How long it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// In all, to the last byte of the answer.
    pub whole: Duration,
    /// To the answer's head.
    pub first_byte: Duration,
    /// Between two parts of its body.
    pub idle: Duration,
}

#[derive(Deserialize)]
struct Options {
    url: String,
    method: Option<String>,
    headers: Option<Value>,
    timeout: Option<f64>,
    first_byte_timeout: Option<f64>,
    idle_timeout: Option<f64>,
    redirects: Option<bool>,
    idempotency_key: Option<String>,
}

impl Asked {
    /// From the options of `http.request`, and its body.
    pub fn read(options: &str, body: Vec<u8>) -> Result<Asked, Failure> {
        read(options, body).map_err(Failure::from)
    }

    /// What it is recorded by: method and URL, as the guest wrote it.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The label of the key that it is to carry, so that whoever gets it twice knows.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// In plain words.
    pub fn question(&self) -> Question {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = self.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        Question { method: self.method.to_string(), url: self.url.to_string(), headers, body: self.body.clone() }
    }

    /// Gives it that key.
    pub fn set_key(&mut self, key: &str) {
        if let Ok(key) = HeaderValue::from_str(key) {
            self.headers.insert(HeaderName::from_static("idempotency-key"), key);
        }
    }
}

fn read(options: &str, body: Vec<u8>) -> Result<Asked, Refused> {
    let options = wf_engine::text::object("the text of the options", options.to_owned(), OPTIONS_MAX)?;
    let options: Options = serde_json::from_str(options.get())
        .map_err(|error| Refused::invalid(format!("the options are not understood: {}", shown(&error.to_string()))))?;
    if body.len() > BODY_MAX {
        return Err(Refused {
            kind: "limit",
            message: format!("the body of a request is longer than {BODY_MAX} bytes (limit request_max)"),
        });
    }
    let method = options.method.as_deref().unwrap_or("GET").to_uppercase();
    let target = format!("{method} {}", options.url);
    let method = Method::from_bytes(method.as_bytes()).ok().filter(|it| ![Method::CONNECT, Method::TRACE].contains(it));
    let method = method.ok_or_else(|| Refused::invalid("the method is none that a request can have"))?;
    let timeout = |name: &str, seconds: Option<f64>, usual: u64| match seconds {
        None => Ok(Duration::from_secs(usual)),
        Some(seconds) => match Duration::try_from_secs_f64(seconds) {
            Ok(time) => Ok(time.min(TIMEOUT_MAX)),
            Err(_) => Err(Refused::invalid(format!("`{name}` is no number of seconds"))),
        },
    };
    Ok(Asked {
        method,
        url: url(&options.url)?,
        headers: headers(options.headers)?,
        redirects: options.redirects.unwrap_or(true),
        timeouts: Timeouts {
            whole: timeout("timeout", options.timeout, 300)?,
            first_byte: timeout("first_byte_timeout", options.first_byte_timeout, 120)?,
            idle: timeout("idle_timeout", options.idle_timeout, 60)?,
        },
        body,
        target,
        label: options.idempotency_key,
    })
}

/// One that a request can go to. Its text is not shown: it may hold what is private.
pub(super) fn url(text: &str) -> Result<Url, Refused> {
    let url = Url::parse(text).map_err(|error| Refused::invalid(format!("the URL is none: {error}")))?;
    checked(url)
}

/// One that a request can go to, also after a redirect.
pub(super) fn checked(mut url: Url) -> Result<Url, Refused> {
    if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
        return Err(Refused::invalid("the URL is none of `http://` or `https://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::invalid("the URL has a name or a password before its host: put them into the header `authorization`"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// From an object, whose values may be lists, or a list of pairs.
fn headers(given: Option<Value>) -> Result<HeaderMap, Refused> {
    let mut headers = HeaderMap::new();
    let unfit = || Refused::invalid("`headers` is an object of texts or lists of them, or a list of pairs");
    let mut add = |name: &str, value: &Value| {
        let (text, parsed) = (value.as_str().ok_or_else(unfit)?, name.parse::<HeaderName>());
        let name = parsed.map_err(|_| Refused::invalid(format!("`{}` is no name of a header", shown(name))))?;
        if RESERVED.contains(&name.as_str()) {
            return Err(Refused::invalid(format!("the header `{name}` is the connection's own")));
        }
        let value = HeaderValue::from_str(text)
            .map_err(|_| Refused::invalid(format!("the value of the header `{name}` has what none can have")))?;
        headers.append(name, value);
        Ok(())
    };
    match given.unwrap_or_default() {
        Value::Null => (),
        Value::Object(fields) => {
            for (name, value) in &fields {
                match value {
                    Value::Array(values) => values.iter().try_for_each(|value| add(name, value))?,
                    value => add(name, value)?,
                }
            }
        }
        Value::Array(pairs) => {
            for pair in &pairs {
                let Some([Value::String(name), value]) = pair.as_array().map(Vec::as_slice) else { return Err(unfit()) };
                add(name, value)?;
            }
        }
        _ => return Err(unfit()),
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(options: &str) -> String {
        Asked::read(options, Vec::new()).expect_err(options).message
    }

    #[test]
    fn a_request_is_read() {
        let options = r#"{"url":"https://a.b/c?d#e","method":"post","headers":{"X-One":"1","x-two":["2","3"]},"timeout":1.5,"new":1}"#;
        let asked = Asked::read(options, vec![1]).expect("a request");
        assert_eq!((asked.method.as_str(), asked.url.as_str(), asked.target()), ("POST", "https://a.b/c?d", "POST https://a.b/c?d#e"));
        assert_eq!((asked.headers.len(), asked.timeouts.whole), (3, Duration::from_millis(1500)));
        assert_eq!(Asked::read(r#"{"url":"http://a","headers":[["x","1"],["x","2"]]}"#, Vec::new()).expect("a request").headers.len(), 2);
    }

    #[test]
    fn what_no_request_can_be_is_refused_with_its_reason() {
        for (options, why) in [
            ("{", "is no JSON"),
            ("{}", "missing field `url`"),
            (r#"{"url":"/here"}"#, "the URL is none"),
            (r#"{"url":"file:///etc/passwd"}"#, "none of `http://`"),
            (r#"{"url":"http://user:secret@a/"}"#, "a name or a password"),
            (r#"{"url":"http://a","method":"CONNECT"}"#, "the method is none"),
            (r#"{"url":"http://a","method":"GET / HTTP/1.1\r\nHost: b"}"#, "the method is none"),
            (r#"{"url":"http://a","headers":{"x":"1\r\ny: 2"}}"#, "what none can have"),
            (r#"{"url":"http://a","headers":{"x y":"1"}}"#, "is no name of a header"),
            (r#"{"url":"http://a","headers":{"Host":"b"}}"#, "is the connection's own"),
            (r#"{"url":"http://a","headers":{"Transfer-Encoding":"chunked"}}"#, "is the connection's own"),
            (r#"{"url":"http://a","headers":{"content-length":"0"}}"#, "is the connection's own"),
            (r#"{"url":"http://a","headers":{"x":1}}"#, "is an object of texts"),
            (r#"{"url":"http://a","headers":"x"}"#, "is an object of texts"),
            (r#"{"url":"http://a","timeout":-1}"#, "no number of seconds"),
        ] {
            let told = refused(options);
            assert!(told.contains(why) && !told.contains("secret"), "{options}: {told}");
        }
        let failure = Asked::read(r#"{"url":"http://a"}"#, vec![0; BODY_MAX + 1]).expect_err("too long");
        assert_eq!((failure.kind.as_str(), failure.retryable), ("limit", false));
    }
}
