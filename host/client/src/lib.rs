//! Talk to a wf-host, or to LlamaIndex's `WorkflowServer`.
//!
//! ```no_run
//! # async fn example() -> Result<(), wf_client::Error> {
//! use futures_util::TryStreamExt;
//! use wf_client::{Client, Start};
//!
//! let client = Client::new("http://127.0.0.1:8080")?;
//! let run = client.start("greeting", &Start::event(serde_json::json!({ "name": "Ada" }))).await?;
//! let mut events = client.events(&run.handler_id, wf_client::From::Beginning);
//! while let Some(event) = events.try_next().await? {
//!     println!("{} {}", event.event.name, event.event.value);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Starts and sends carry an `Idempotency-Key` and are tried again when a connection breaks, so
//! that each happens once. A stream of events goes on by itself after the last one that came.

mod error;
mod events;
mod json;
mod types;

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::Error;
pub use events::{Events, From};
pub use json::Json;
pub use types::{Envelope, Filter, Handler, Listing, LogLine, Numbered, Page, Start, Status};

/// What a call gives.
pub type Result<T> = std::result::Result<T, Error>;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of one server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    retries: usize,
}

/// How often a broken connection is tried again where nothing else is said: for about ten
/// seconds in all. A server that restarts is back by then.
const RETRIES: usize = 9;

/// The body of a send.
#[derive(Serialize)]
struct Sent<'a> {
    event: SentEvent<'a>,
    step: Option<&'a str>,
}

#[derive(Serialize)]
struct SentEvent<'a> {
    #[serde(rename = "type")]
    name: &'a str,
    value: Json,
}

impl Client {
    /// Of a server by its URL, such as `http://127.0.0.1:8080`.
    pub fn new(url: &str) -> Result<Client> {
        let parsed = reqwest::Url::parse(url).map_err(|error| Error::Url { url: url.to_owned(), why: error.to_string() })?;
        if !["http", "https"].contains(&parsed.scheme()) {
            return Err(Error::Url { url: url.to_owned(), why: "it begins with neither `http://` nor `https://`".to_owned() });
        }
        let http = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).build().map_err(Error::connection)?;
        Ok(Client { http, url: url.trim_end_matches('/').to_owned(), retries: RETRIES })
    }

    /// How often a call is tried again when there is no connection, or it breaks.
    pub fn with_retries(mut self, retries: usize) -> Client {
        self.retries = retries;
        self
    }

    /// Whether the server takes requests.
    pub async fn health(&self) -> Result<()> {
        self.get::<Value>(&["health"], &[]).await.map(drop)
    }

    /// The names of the workflows.
    pub async fn workflows(&self) -> Result<Vec<String>> {
        #[derive(serde::Deserialize)]
        struct Names {
            workflows: Vec<String>,
        }
        Ok(self.get::<Names>(&["workflows"], &[]).await?.workflows)
    }

    /// The files of a wf-host, and what became of them.
    pub async fn listings(&self) -> Result<Vec<Listing>> {
        #[derive(serde::Deserialize)]
        struct Listings {
            workflows: Vec<Listing>,
        }
        Ok(self.get::<Listings>(&["api", "v1", "workflows"], &[]).await?.workflows)
    }

    /// The JSON Schemas of a workflow's start and stop events, under `start` and `stop`.
    pub async fn schema(&self, workflow: &str) -> Result<Value> {
        self.get(&["workflows", workflow, "schema"], &[]).await
    }

    /// The JSON Schemas of a workflow's events.
    pub async fn event_types(&self, workflow: &str) -> Result<Vec<Value>> {
        #[derive(serde::Deserialize)]
        struct Types {
            events: Vec<Value>,
        }
        Ok(self.get::<Types>(&["workflows", workflow, "events"], &[]).await?.events)
    }

    /// A workflow as a graph of nodes and edges.
    pub async fn representation(&self, workflow: &str) -> Result<Value> {
        let mut answer: Value = self.get(&["workflows", workflow, "representation"], &[]).await?;
        Ok(answer["graph"].take())
    }

    /// Starts a run and waits for its end, however it ends.
    pub async fn run(&self, workflow: &str, start: &Start) -> Result<Handler> {
        let path = ["workflows", workflow, "run"];
        let response = self.write(&path, start).await?;
        ended(response).await
    }

    /// Starts a run.
    pub async fn start(&self, workflow: &str, start: &Start) -> Result<Handler> {
        read(self.write(&["workflows", workflow, "run-nowait"], start).await?).await
    }

    /// The handlers that a filter lets through, oldest first.
    pub async fn handlers(&self, filter: &Filter) -> Result<Page> {
        self.get(&["handlers"], &filter.query()).await
    }

    /// A handler and its latest run.
    pub async fn handler(&self, handler: &str) -> Result<Handler> {
        ended(self.read(&["handlers", handler], &[]).await?).await
    }

    /// A handler, with its result's own value in `result`.
    pub async fn result(&self, handler: &str) -> Result<Handler> {
        ended(self.read(&["results", handler], &[]).await?).await
    }

    /// A run of a wf-host by its own id, also one that a later run of its handler has followed.
    pub async fn run_of(&self, run: &str) -> Result<Handler> {
        ended(self.read(&["api", "v1", "runs", run], &[]).await?).await
    }

    /// What a run's steps have written; of a wf-host.
    pub async fn logs(&self, run: &str) -> Result<Vec<LogLine>> {
        #[derive(serde::Deserialize)]
        struct Lines {
            logs: Vec<LogLine>,
        }
        Ok(self.get::<Lines>(&["api", "v1", "runs", run, "logs"], &[]).await?.logs)
    }

    /// Sends an event to a handler's run, or to one step of it.
    pub async fn send(&self, handler: &str, name: &str, value: impl Serialize, step: Option<&str>) -> Result<()> {
        let body = Sent { event: SentEvent { name, value: Json::of(value)? }, step };
        read::<Value>(self.write(&["events", handler], &body).await?).await.map(drop)
    }

    /// Cancels a handler's run.
    pub async fn cancel(&self, handler: &str) -> Result<()> {
        self.cancelled(handler, "false").await
    }

    /// Cancels a handler's run if it is running, and deletes the handler with all its runs.
    pub async fn purge(&self, handler: &str) -> Result<()> {
        self.cancelled(handler, "true").await
    }

    async fn cancelled(&self, handler: &str, purge: &str) -> Result<()> {
        let request = self.request(Method::POST, &["handlers", handler, "cancel"]).query(&[("purge", purge)]);
        read::<Value>(request.send().await.map_err(Error::connection)?).await.map(drop)
    }

    /// The events of a handler's latest run: those that are there, then those that come, to the end.
    pub fn events(&self, handler: &str, from: From) -> Events {
        events::open(self.clone(), vec!["events".to_owned(), handler.to_owned()], from)
    }

    /// The events of a run of a wf-host by its own id.
    pub fn events_of_run(&self, run: &str, from: From) -> Events {
        events::open(self.clone(), ["api", "v1", "runs", run, "events"].map(str::to_owned).to_vec(), from)
    }

    fn patience(&self) -> ExponentialBuilder {
        let builder = ExponentialBuilder::default().with_min_delay(Duration::from_millis(100)).with_max_delay(Duration::from_secs(2));
        builder.with_max_times(self.retries)
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = reqwest::Url::parse(&self.url).expect("parsed before");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.http.request(method, url)
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)]) -> Result<T> {
        read(self.read(path, query).await?).await
    }

    /// Reading changes nothing: it is tried again.
    async fn read(&self, path: &[&str], query: &[(&str, String)]) -> Result<Response> {
        let attempt = async || self.request(Method::GET, path).query(query).send().await.map_err(Error::connection);
        attempt.retry(self.patience()).when(Error::is_connection).await
    }

    /// With a key of its own, so that the server sees a repeat for what it is.
    async fn write(&self, path: &[&str], body: &impl Serialize) -> Result<Response> {
        let key = uuid::Uuid::new_v4().to_string();
        let attempt = async || {
            let request = self.request(Method::POST, path).header("Idempotency-Key", &key).json(body);
            request.send().await.map_err(Error::connection)
        };
        attempt.retry(self.patience()).when(Error::is_connection).await
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let status = response.status();
    let body = response.bytes().await.map_err(Error::connection)?;
    if !status.is_success() {
        return Err(refused(status, &body));
    }
    serde_json::from_slice(&body).map_err(|error| Error::Form(error.to_string()))
}

/// A run that failed is an answer as well, with 500.
async fn ended(response: Response) -> Result<Handler> {
    let status = response.status();
    let body = response.bytes().await.map_err(Error::connection)?;
    match serde_json::from_slice(&body) {
        Ok(handler) if status.is_success() || status == StatusCode::INTERNAL_SERVER_ERROR => Ok(handler),
        Err(error) if status.is_success() => Err(Error::Form(error.to_string())),
        _ => Err(refused(status, &body)),
    }
}

fn refused(status: StatusCode, body: &[u8]) -> Error {
    let detail = serde_json::from_slice::<Value>(body).ok().and_then(|it| it["detail"].as_str().map(str::to_owned));
    let detail = detail.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    Error::Refused { status: status.as_u16(), detail }
}

#[cfg(test)]
mod tests;
