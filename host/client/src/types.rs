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
        let status = self
            .status
            .iter()
            .map(|it| ("status", serde_json::to_value(it).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()));
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
