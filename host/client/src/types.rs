//! What the API sends and takes.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Json, Result};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not ended.
    Running,
    /// Not ended, and waits for something from outside: said of runs of a wf-host, never of handlers.
    Waiting,
    /// Ended with a stop event.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended on request.
    Cancelled,
}

/// The outside's grip on a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handler {
    /// Its id.
    pub handler_id: String,
    /// The workflow's name.
    pub workflow_name: String,
    /// The id of its latest run; none from servers that do not tell.
    #[serde(default)]
    pub run_id: Option<String>,
    /// Why the run failed.
    pub error: Option<String>,
    /// The stop event's envelope; from `result` the value alone.
    pub result: Option<Json>,
    /// How it stands.
    pub status: Status,
    /// Whether its run has not begun, as others of its workflow go on; said of single runs, and of no others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub queued: bool,
    /// The run that its run was forked from; said of single runs, and of no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<String>,
    /// The runs that were forked from its run, oldest first; said of single runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forks: Vec<String>,
    /// When it began, UTC.
    pub started_at: String,
    /// When something last happened, UTC.
    pub updated_at: Option<String>,
    /// When it ended, UTC.
    pub completed_at: Option<String>,
    /// The beginning of its start event's fields, as text; said of runs of a wf-host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_preview: Option<String>,
    /// The beginning of what it gave, or of why it failed; said of runs of a wf-host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_preview: Option<String>,
    /// What it waits for from outside; said of runs of a wf-host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<Vec<WaitingFor>>,
}

/// Something from outside that a run waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingFor {
    /// The types of event that answer: the first to come does.
    pub types: Vec<String>,
    /// The step that waits; none: none does, a step is given the answer.
    pub step: Option<String>,
    /// Its invocation, by its number.
    pub invocation: Option<u64>,
    /// What was asked; in a list only of the first that is waited for.
    pub request: Option<Request>,
}

/// An event by which a run has asked for something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its number in the stream.
    pub sequence: i64,
    /// Its type.
    #[serde(rename = "type")]
    pub name: String,
    /// Its fields.
    pub value: Json,
}

/// Runs of a wf-host, and from where the next page goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunsPage {
    /// In the order that was asked for.
    pub runs: Vec<Handler>,
    /// For [`RunsFilter::before`]; none on the last page.
    #[serde(default)]
    pub next: Option<String>,
}

/// Which runs of a wf-host to list. Empty: all, newest first.
#[derive(Clone, Debug, Default)]
pub struct RunsFilter {
    /// Any of these; [`Status::Running`] means those that do not wait.
    pub status: Vec<Status>,
    /// Any of these workflows.
    pub workflow: Vec<String>,
    /// Only those of this handler: neither times nor another order go with it.
    pub handler: Option<String>,
    /// Only the newest of each handler.
    pub newest: bool,
    /// Only those with this text in an id, in what went in, or in what came out.
    pub search: Option<String>,
    /// Only those that began, or ended where the order is by that, at this time or later: `2026-11-23T06:38:23Z`, or a day.
    pub since: Option<String>,
    /// Only those that began, or ended, before this time.
    pub until: Option<String>,
    /// `newest`, `oldest`, `last-ended` or `first-ended`.
    pub order: Option<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// From where an earlier page says that it goes on.
    pub before: Option<String>,
}

impl RunsFilter {
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let status = self.status.iter().map(|it| ("status", text(*it)));
        let workflow = self.workflow.iter().map(|it| ("workflow", it.clone()));
        let single = [
            ("handler", self.handler.clone()),
            ("newest", self.newest.then(|| "true".to_owned())),
            ("search", self.search.clone()),
            ("since", self.since.clone()),
            ("until", self.until.clone()),
            ("order", self.order.clone()),
            ("limit", self.limit.map(|it| it.to_string())),
            ("before", self.before.clone()),
        ];
        status.chain(workflow).chain(single.into_iter().filter_map(|(name, value)| Some((name, value?)))).collect()
    }
}

fn text(status: Status) -> String {
    serde_json::to_value(status).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Handlers, and the one after which the next page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page {
    /// Oldest first.
    pub handlers: Vec<Handler>,
    /// For [`Filter::after`]; none on the last page.
    #[serde(default)]
    pub next: Option<String>,
}

/// Which handlers to list. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these.
    pub status: Vec<Status>,
    /// Any of these workflows.
    pub workflow: Vec<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Only those after this handler.
    pub after: Option<String>,
}

impl Filter {
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let status = self.status.iter().map(|it| ("status", text(*it)));
        let workflow = self.workflow.iter().map(|it| ("workflow_name", it.clone()));
        let limit = self.limit.map(|it| ("limit", it.to_string()));
        let after = self.after.clone().map(|it| ("after", it));
        status.chain(workflow).chain(limit).chain(after).collect()
    }
}

/// What a run is started with.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Start {
    /// The start event: its fields, or an envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_event: Option<Json>,
    /// The handler's id; one that has ended goes on with its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler_id: Option<String>,
    /// An exported context, whose state the run begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Json>,
}

impl Start {
    /// With the fields of a start event.
    pub fn event(fields: impl Into<Json>) -> Start {
        Start { start_event: Some(fields.into()), ..Start::default() }
    }
}

/// How a run is forked. Nothing: as it was, or where it failed with an attempt, from that attempt on.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Fork {
    /// The last entry of its journal that the fork has, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// The state from there on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Json>,
    /// What an invocation in flight is given instead, or what comes next from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Json>,
    /// Which invocation that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation: Option<u64>,
    /// What it goes on with.
    pub definition: Definition,
    /// The handler that it is a run of: one whose run has ended, or a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler_id: Option<String>,
}

/// How a run goes on that waits at breakpoints. Nothing: as it is, with all that waits.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GoOn {
    /// Which of its invocations goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation: Option<u64>,
    /// What it is given instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Json>,
    /// The state from there on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Json>,
}

/// What a fork goes on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Definition {
    /// The components of its origin.
    #[default]
    Pinned,
    /// Those that are served now.
    Current,
}

/// An event as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Its payload.
    pub value: Json,
    /// The bare name of its type.
    #[serde(rename = "type")]
    pub name: String,
    /// The types that it derives from.
    #[serde(default)]
    pub types: Option<Vec<String>>,
    /// The type's name with where it is from.
    #[serde(default)]
    pub qualified_name: Option<String>,
}

impl Envelope {
    /// The payload as a type of one's own.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.value.text()).map_err(|error| Error::Form(format!("{}: {error}", self.name)))
    }

    /// Whether it ends its run.
    pub fn is_terminal(&self) -> bool {
        self.name == "StopEvent" || self.types.iter().flatten().any(|it| it == "StopEvent")
    }
}

/// An event of a stream, and its number there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Numbered {
    /// From 0.
    pub sequence: i64,
    /// The event.
    #[serde(flatten)]
    pub event: Envelope,
}

/// A file of a wf-host, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listing {
    /// The workflow's name.
    pub name: String,
    /// The author's version.
    pub version: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// What it is written in.
    pub language: Option<String>,
    /// Of the component; none where it was never sound.
    pub digest: Option<String>,
    /// The file.
    pub path: String,
    /// The interfaces that it asks for.
    pub imports: Vec<String>,
    /// When it was last loaded, or tried to, UTC.
    pub loaded_at: String,
    /// Why its newest version is not served: `message` and `hint`.
    pub error: Option<Value>,
}

/// A line that a step wrote.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogLine {
    /// Which invocation.
    pub invocation: u64,
    /// Which attempt of it.
    pub attempt: u32,
    /// `log`, `stdout`, `stderr`, `host` for what the host says to it, or `failure` for how the attempt ended.
    pub source: String,
    /// Its number there.
    pub number: u64,
    /// When, UTC.
    pub at: String,
    /// `trace` to `error`.
    pub level: String,
    /// The line.
    pub message: String,
    /// A JSON object.
    pub fields: Json,
}
