#![doc = include_str!("../README.md")]

mod error;
mod events;
mod json;
mod types;

use std::collections::BTreeMap;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::TryStreamExt;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Certificate, Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::Error;
pub use events::{Events, From};
pub use json::Json;
pub use types::{
    Definition, Envelope, Filter, Fork, GoOn, Handler, Listing, LogLine, Numbered, Page, Request, RunsFilter, RunsPage, Start, Status,
    WaitingFor,
};

/// What a call gives.
pub type Result<T> = std::result::Result<T, Error>;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of one server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    patience: Duration,
    notice: Option<fn(&Error)>,
    /// What is sent with every request to show who asks; never shown itself.
    authorization: Option<HeaderValue>,
}

/// An answer, whole.
struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    /// With the one that was answered.
    attempts: u32,
}

/// How long a call is tried again where nothing else is said. A server that restarts is back by then.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body of a send.
#[derive(Serialize)]
struct Sent<'a> {
    event: SentEvent<'a>,
    #[serde(flatten)]
    to: To<'a>,
}

/// Whom an event is for.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct To<'a> {
    /// Only this step.
    pub step: Option<&'a str>,
    /// Only this invocation, which waits: the numbers of those that do are in the run's history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation: Option<u64>,
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
        let http = http(Vec::new())?;
        Ok(Client { http, url: url.trim_end_matches('/').to_owned(), patience: PATIENCE, notice: None, authorization: None })
    }

    /// With an API key, for a server that asks for one.
    pub fn with_key(mut self, key: &str) -> Result<Client> {
        let value = HeaderValue::from_str(&format!("Bearer {}", key.trim()));
        let mut value = value.map_err(|_| Error::Key("a key is one line of letters, digits and `_`".to_owned()))?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// Trusts these certificates, as PEM, beside those of the system.
    pub fn with_ca(mut self, pem: &[u8]) -> Result<Client> {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|error| Error::Certificate(error.to_string()))?;
        if certificates.is_empty() {
            return Err(Error::Certificate("there is no `BEGIN CERTIFICATE` in it".to_owned()));
        }
        self.http = http(certificates)?;
        Ok(self)
    }

    /// How long a call is tried again while there is no connection, it breaks, or the server takes no requests, or no
    /// more of them. Of a stream: each time that it breaks.
    pub fn with_patience(mut self, patience: Duration) -> Client {
        self.patience = patience;
        self
    }

    /// Is told why, each time that something is tried again.
    pub fn with_notice(mut self, notice: fn(&Error)) -> Client {
        self.notice = Some(notice);
        self
    }

    /// Whether the server takes requests now.
    pub async fn health(&self) -> Result<()> {
        let request = self.request(Method::GET, &["health"]);
        read::<Value>(self.again(request, |error| matches!(error, Error::Connection(_))).await?).map(drop)
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
        match self.write(&["workflows", workflow, "run"], start).await {
            Err(Error::Unavailable { handler_id: Some(handler), .. }) => self.wait(&handler).await,
            answer => ended(answer?),
        }
    }

    /// Waits for the end of a handler's run, however it ends.
    pub async fn wait(&self, handler: &str) -> Result<Handler> {
        loop {
            let seen = self.handler(handler).await?;
            if seen.status != Status::Running {
                return Ok(seen);
            }
            let mut events = self.events(handler, From::Now);
            while events.try_next().await?.is_some() {}
        }
    }

    /// Starts a run.
    pub async fn start(&self, workflow: &str, start: &Start) -> Result<Handler> {
        read(self.write(&["workflows", workflow, "run-nowait"], start).await?)
    }

    /// The handlers that a filter lets through, oldest first.
    pub async fn handlers(&self, filter: &Filter) -> Result<Page> {
        self.get(&["handlers"], &filter.query()).await
    }

    /// A handler and its latest run.
    pub async fn handler(&self, handler: &str) -> Result<Handler> {
        ended(self.read(&["handlers", handler], &[]).await?)
    }

    /// A handler, with its result's own value in `result`.
    pub async fn result(&self, handler: &str) -> Result<Handler> {
        ended(self.read(&["results", handler], &[]).await?)
    }

    /// Waits for the end of a handler's run, and gives its result as a type of one's own: the value of a plain stop
    /// event, or the fields of a workflow's own.
    ///
    /// ```no_run
    /// # async fn example(client: wf_client::Client) -> wf_client::Result<()> {
    /// #[derive(serde::Deserialize)]
    /// struct Report {
    ///     title: String,
    ///     pages: u32,
    /// }
    /// let report: Report = client.output("report-7").await?;
    /// println!("{} has {} pages", report.title, report.pages);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// One that has ended otherwise is [`Error::Failed`] or [`Error::Cancelled`]; a result of another form is [`Error::Form`].
    pub async fn output<T: DeserializeOwned>(&self, handler: &str) -> Result<T> {
        loop {
            self.wait(handler).await?;
            let Handler { handler_id, status: now, error, result, .. } = self.result(handler).await?;
            return match now {
                // A later run of the handler has begun meanwhile: it is the one that is asked about.
                Status::Running | Status::Waiting => continue,
                Status::Completed => match result {
                    Some(result) => result.parse(),
                    None => serde_json::from_str("null").map_err(|error| Error::Form(error.to_string())),
                },
                Status::Failed => Err(Error::Failed { handler_id, detail: error.unwrap_or_default() }),
                Status::Cancelled => Err(Error::Cancelled { handler_id }),
            };
        }
    }

    /// A run of a wf-host by its own id, also one that a later run of its handler has followed.
    pub async fn run_of(&self, run: &str) -> Result<Handler> {
        ended(self.read(&["api", "v1", "runs", run], &[]).await?)
    }

    /// Begins a run of a wf-host from an entry of another on, under a handler of its own.
    pub async fn fork(&self, run: &str, fork: &Fork) -> Result<Handler> {
        read(self.write(&["api", "v1", "runs", run, "fork"], fork).await?)
    }

    /// Lets a run of `wf-host dev` go on that waits at breakpoints. In another form, a fork goes on in its place: what this
    /// gives.
    pub async fn go_on(&self, run: &str, how: &GoOn) -> Result<Handler> {
        read(self.write(&["api", "v1", "runs", run, "go-on"], how).await?)
    }

    /// The runs of a wf-host that a filter lets through, also those that a later run of their handler has followed.
    pub async fn runs(&self, filter: &RunsFilter) -> Result<RunsPage> {
        self.get(&["api", "v1", "runs"], &filter.query()).await
    }

    /// The step of each invocation of a run, by the invocation's number; of a wf-host.
    pub async fn steps(&self, run: &str) -> Result<BTreeMap<u64, String>> {
        #[derive(serde::Deserialize)]
        struct History {
            invocations: Vec<Invocation>,
            next: Option<u64>,
        }
        #[derive(serde::Deserialize)]
        struct Invocation {
            id: u64,
            step: String,
        }
        let (mut steps, mut after) = (BTreeMap::new(), None::<u64>);
        loop {
            let query: Vec<_> = [("limit", "1000".to_owned())].into_iter().chain(after.map(|it| ("after", it.to_string()))).collect();
            let page: History = self.get(&["api", "v1", "runs", run, "history"], &query).await?;
            steps.extend(page.invocations.into_iter().map(|it| (it.id, it.step)));
            if page.next.is_none() {
                return Ok(steps);
            }
            after = page.next;
        }
    }

    /// What a run's steps have written; of a wf-host.
    pub async fn logs(&self, run: &str) -> Result<Vec<LogLine>> {
        #[derive(serde::Deserialize)]
        struct Lines {
            logs: Vec<LogLine>,
        }
        Ok(self.get::<Lines>(&["api", "v1", "runs", run, "logs"], &[]).await?.logs)
    }

    /// Sends an event to a handler's run.
    pub async fn send(&self, handler: &str, name: &str, value: impl Serialize, to: To<'_>) -> Result<()> {
        let body = Sent { event: SentEvent { name, value: Json::of(value)? }, to };
        read::<Value>(self.write(&["events", handler], &body).await?).map(drop)
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
        let answer = self.again(request, Error::may_pass).await?;
        let attempts = answer.attempts;
        match read::<Value>(answer) {
            // An earlier attempt has done it, and nobody could say so.
            Err(Error::Refused { status: 404, .. }) if attempts > 1 && self.is_cancelled(handler, purge).await => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn is_cancelled(&self, handler: &str, purge: &str) -> bool {
        match self.handler(handler).await {
            Ok(there) => purge != "true" && there.status == Status::Cancelled,
            Err(error) => purge == "true" && matches!(error, Error::Refused { status: 404, .. }),
        }
    }

    /// The events of a handler's latest run: those that are there, then those that come, to the end.
    pub fn events(&self, handler: &str, from: From) -> Events {
        events::open(self.clone(), vec!["events".to_owned(), handler.to_owned()], from)
    }

    /// The events of a run of a wf-host by its own id.
    pub fn events_of_run(&self, run: &str, from: From) -> Events {
        events::open(self.clone(), ["api", "v1", "runs", run, "events"].map(str::to_owned).to_vec(), from)
    }

    fn backoff(&self) -> ExponentialBuilder {
        let builder = ExponentialBuilder::default().with_min_delay(Duration::from_millis(100)).with_max_delay(Duration::from_secs(2));
        builder.without_max_times().with_total_delay(Some(self.patience))
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = reqwest::Url::parse(&self.url).expect("parsed before");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let request = self.http.request(method, url);
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)]) -> Result<T> {
        read(self.read(path, query).await?)
    }

    /// Reading changes nothing: it is tried again.
    async fn read(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer> {
        self.again(self.request(Method::GET, path).query(query), Error::may_pass).await
    }

    /// With a key of its own, so that the server sees a repeat for what it is.
    async fn write(&self, path: &[&str], body: &impl Serialize) -> Result<Answer> {
        let key = uuid::Uuid::new_v4().to_string();
        let request = self.request(Method::POST, path).header("Idempotency-Key", &key).json(body);
        // A run that was begun is not begun again: its end is waited for.
        self.again(request, |error| error.may_pass() && !matches!(error, Error::Unavailable { handler_id: Some(_), .. })).await
    }

    async fn again(&self, request: RequestBuilder, when: fn(&Error) -> bool) -> Result<Answer> {
        let mut pauses = self.backoff().build();
        let mut attempts = 0;
        loop {
            attempts += 1;
            // One that could not be made has no second; sent, it says why.
            let Some(again) = request.try_clone() else { return self.ask(request).await };
            let error = match self.ask(again).await {
                Err(error) if when(&error) => error,
                answer => return answer.map(|answer| Answer { attempts, ..answer }),
            };
            let Some(pause) = pauses.next() else { return Err(error) };
            self.pause(pause, &error).await;
        }
    }

    async fn pause(&self, pause: Duration, error: &Error) {
        if let Some(notice) = self.notice {
            notice(error);
        }
        tokio::time::sleep(pause.max(error.retry_after())).await;
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Answer> {
        whole(request.send().await.map_err(Error::connection)?).await
    }
}

fn http(certificates: Vec<Certificate>) -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).tls_certs_merge(certificates);
    builder.build().map_err(Error::connection)
}

/// The answer, once all of it is there; or that there is none now.
async fn whole(response: Response) -> Result<Answer> {
    let status = response.status();
    let retry_after = response.headers().get("retry-after").and_then(|it| it.to_str().ok()?.parse().ok()).map(Duration::from_secs);
    let body = Vec::from(response.bytes().await.map_err(Error::connection)?);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let said = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let handler_id = said["handler_id"].as_str().map(str::to_owned);
        let detail = said["detail"].as_str().unwrap_or("the server takes no requests at the moment").to_owned();
        return Err(Error::Unavailable { detail, retry_after, handler_id });
    }
    if let (StatusCode::TOO_MANY_REQUESTS, Some(retry_after)) = (status, retry_after) {
        return Err(Error::TooMany { detail: detail(&body), retry_after });
    }
    Ok(Answer { status, body, attempts: 1 })
}

fn read<T: DeserializeOwned>(Answer { status, body, .. }: Answer) -> Result<T> {
    if !status.is_success() {
        return Err(refused(status, &body));
    }
    serde_json::from_slice(&body).map_err(|error| Error::Form(error.to_string()))
}

/// A run that failed is an answer as well, with 500.
fn ended(Answer { status, body, .. }: Answer) -> Result<Handler> {
    match serde_json::from_slice(&body) {
        Ok(handler) if status.is_success() || status == StatusCode::INTERNAL_SERVER_ERROR => Ok(handler),
        Err(error) if status.is_success() => Err(Error::Form(error.to_string())),
        _ => Err(refused(status, &body)),
    }
}

fn refused(status: StatusCode, body: &[u8]) -> Error {
    Error::Refused { status: status.as_u16(), detail: detail(body) }
}

fn detail(body: &[u8]) -> String {
    let detail = serde_json::from_slice::<Value>(body).ok().and_then(|it| it["detail"].as_str().map(str::to_owned));
    detail.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned())
}

#[cfg(test)]
mod tests;
