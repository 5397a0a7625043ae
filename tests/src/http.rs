//! Requests to a server, and their answers as they came.

use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::Stream;
use crate::patience::{DEADLINE, PAUSE, until, within};

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; empty where there is none.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in the answer {self:?}"))
    }

    /// A header as text; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header is text"))
    }

    /// A text at the top level of the JSON body.
    pub fn text(&self, key: &str) -> String {
        let value = &self.json()[key];
        value.as_str().unwrap_or_else(|| panic!("`{key}` is no text in {}", self.body)).to_owned()
    }

    /// The `handler_id` of a handler object.
    pub fn handler(&self) -> String {
        self.text("handler_id")
    }

    /// The `run_id` of a handler object.
    pub fn run(&self) -> String {
        self.text("run_id")
    }

    /// What is under `value` in a handler's result.
    pub fn value(&self) -> Value {
        self.json()["result"]["value"].clone()
    }

    /// The result of a plain stop event.
    pub fn result(&self) -> Value {
        self.value()["result"].clone()
    }
}

/// A client of one server. Cheap to clone: it outlives the server that is killed.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    /// For a server at `http://HOST:PORT`.
    pub fn new(url: &str) -> Client {
        Client::trusting(url, None, None)
    }

    /// The same, with an API key, and a certificate to trust, as PEM.
    pub fn trusting(url: &str, key: Option<&str>, certificate: Option<&str>) -> Client {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            headers.insert("authorization", format!("Bearer {key}").parse().expect("a header"));
        }
        let trusted = certificate.map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate"));
        // A page that is sent elsewhere is looked at as it came.
        let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).default_headers(headers);
        // A test that waits for a build sees nothing of a server that meanwhile lets go of a connection.
        let builder = builder.pool_idle_timeout(Duration::from_secs(10));
        let http = builder.tls_certs_merge(trusted).build().expect("a client");
        Client { http, url: url.to_owned() }
    }

    /// The same server, asked with an API key.
    pub fn with_key(&self, key: &str) -> Client {
        Client::trusting(&self.url, Some(key), None)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://").trim_start_matches("https://")
    }

    /// Any request; none where the connection broke.
    pub async fn attempt(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.body(body.to_owned());
        }
        let response = within(path, request.send()).await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = within(path, response.text()).await.ok()?;
        Some(Answer { status, headers, body })
    }

    /// Any request.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = self.attempt(method, path, headers, body).await;
        answer.unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "").await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.request("POST", path, &[], body).await
    }

    /// `run` with a start event; the answer comes when the run has ended.
    pub async fn run(&self, workflow: &str, start_event: &str) -> Answer {
        self.start(&format!("/workflows/{workflow}/run"), start_event).await
    }

    /// `run-nowait` with a start event; the handler's id.
    pub async fn begin(&self, workflow: &str, start_event: &str) -> String {
        let answer = self.start(&format!("/workflows/{workflow}/run-nowait"), start_event).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.handler()
    }

    /// Starts a run, once the workflow is loaded: on a busy machine that may take longer than a server waits for it.
    /// Not by [`until`]: whoever starts many does so in a task of its own, which has to be `Send`.
    async fn start(&self, path: &str, start_event: &str) -> Answer {
        let (begun, body) = (Instant::now(), format!(r#"{{"start_event":{start_event}}}"#));
        loop {
            let answer = self.post(path, &body).await;
            let is_loading = answer.status == 503 && answer.body.contains("still being loaded");
            if !is_loading || begun.elapsed() > DEADLINE {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends an event of that type.
    pub async fn send(&self, handler: &str, name: &str, value: &str) -> Answer {
        self.post(&format!("/events/{handler}"), &format!(r#"{{"event":{{"type":"{name}","value":{value}}}}}"#)).await
    }

    /// The handler, once it has ended.
    pub async fn ended(&self, handler: &str) -> Answer {
        let path = format!("/handlers/{handler}");
        until(&format!("{handler} to end"), async || {
            let answer = self.attempt("GET", &path, &[], "").await?;
            (answer.status != 202 && answer.status != 503).then_some(answer)
        })
        .await
    }

    /// A handler's stream, by the query.
    pub async fn events(&self, handler: &str, query: &str) -> Stream {
        self.stream(&format!("/events/{handler}?{query}"), &[]).await
    }

    /// A stream, by its whole path.
    pub async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Stream {
        self.open(path, headers).await.unwrap_or_else(|| panic!("no answer to GET {path}"))
    }

    /// A stream; none where the connection broke before the head.
    pub async fn open(&self, path: &str, headers: &[(&str, &str)]) -> Option<Stream> {
        let mut request = self.http.get(format!("{}{path}", self.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Some(Stream::new(within(path, request.send()).await.ok()?))
    }

    /// All visible events of a handler, once it has ended.
    pub async fn shape(&self, handler: &str) -> Vec<String> {
        self.events(handler, "").await.rest().await.iter().map(crate::Frame::shape).collect()
    }
}
