//! What happened in a run, for those who look at it: `/api/v1/runs/{id}/history` and `/state`.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use warp::http::{HeaderMap, StatusCode};
use wf_engine::history;
use wf_engine::json::Json;
use wf_engine::time::utc_text;

use super::aside::aside;
use super::error::{ApiError, ErrorBody};
use super::uri::pairs;
use super::{Answer, Shared, compressed, representation, wire};

/// A payload above this is left out of a history, in bytes: its size is told.
const PAYLOAD_MAX: usize = 16 << 10;

/// Moments on a page.
const MOMENTS_DEFAULT: usize = 500;
const MOMENTS_MAX: usize = 1000;

/// A page of what happened in a run.
#[derive(Serialize, ToSchema)]
pub(super) struct History {
    /// Entries of its journal, in order.
    moments: Vec<Moment>,
    /// Each delivery of events to a step of which these entries tell, by its number. One that began on an
    /// earlier page is there with the span in which it then stood, and what these entries add.
    invocations: Vec<Invocation>,
    /// What to give as `after` for the next page; null: these are the last entries so far.
    next: Option<u64>,
}

/// An entry of the journal.
#[derive(Serialize, ToSchema)]
struct Moment {
    /// Its place in the journal, from 0.
    seq: u64,
    /// When, in UTC.
    at: String,
    /// What: `started`, `event-received`, `step-progressed`, `step-returned`, `step-failed`,
    /// `timer-fired`, `cancel-requested`, `resumed` or `forked`.
    kind: &'static str,
    /// Whose report it is.
    invocation: Option<u64>,
    /// The type of the event that came.
    event: Option<String>,
    /// How many frames the stream had after it.
    frames: u64,
}

/// One delivery of events to a step.
#[derive(Serialize, ToSchema)]
struct Invocation {
    /// Its number in the run.
    id: u64,
    /// The step.
    step: String,
    /// What the step was given.
    events: Vec<Given>,
    /// The entry that made it.
    seq: u64,
    /// When.
    at: String,
    /// Where it stood, one after the other; what ended on an earlier page is not told again.
    spans: Vec<Span>,
    /// What it sent, in order.
    sent: Vec<Sent>,
    /// Its failures.
    failures: Vec<Failed>,
    /// How it ended; null: it has not.
    end: Option<End>,
}

/// An event that a step was given.
#[derive(Serialize, ToSchema)]
struct Given {
    /// Its type.
    #[serde(rename = "type")]
    name: String,
    /// Its fields; null where they are too large to be shown here.
    #[schema(value_type = Option<Object>)]
    value: Option<Json>,
    /// How long they are, in bytes.
    size: usize,
}

/// A time in which an invocation stood somewhere.
#[derive(Serialize, ToSchema)]
struct Span {
    /// Which attempt, from 0.
    attempt: u32,
    /// Where: `queued`, `executing`, `sleeping`, `waiting` (for an event), `blocked` (for its turn at an
    /// exclusive edit) or `retrying`.
    phase: &'static str,
    /// The slot that it held.
    slot: Option<u32>,
    /// What it waits for.
    wait: Option<Wait>,
    /// The entry that began it.
    seq: u64,
    /// When it began.
    from: String,
    /// When it ended; null: it has not.
    until: Option<String>,
}

/// What an invocation waits for.
#[derive(Serialize, ToSchema)]
struct Wait {
    /// The types of event that answer.
    types: Vec<String>,
    /// Fields that must be equal.
    #[schema(value_type = Object)]
    requirements: BTreeMap<String, Json>,
    /// When it gives up, if the host stays up.
    due: Option<String>,
}

/// An event that a step sent.
#[derive(Serialize, ToSchema)]
struct Sent {
    /// Its type.
    #[serde(rename = "type")]
    name: String,
    /// The entry that committed it.
    seq: u64,
}

/// A failed attempt.
#[derive(Serialize, ToSchema)]
struct Failed {
    /// Which.
    attempt: u32,
    /// The type of the error.
    kind: String,
    /// What happened.
    message: String,
    /// Whether another attempt could do better.
    retryable: bool,
    /// The guest's backtrace.
    trace: Option<String>,
}

/// How an invocation ended.
#[derive(Serialize, ToSchema)]
struct End {
    /// The entry.
    seq: u64,
    /// When.
    at: String,
    /// `returned`, `failed`, or `dropped` when the run ended first.
    outcome: &'static str,
    /// The types of the events that it returned.
    events: Vec<String>,
}

/// A run's state.
#[derive(Serialize, ToSchema)]
pub(super) struct State {
    /// After this entry; null: as it is.
    seq: Option<u64>,
    /// The state: one object.
    #[schema(value_type = Object)]
    state: Json,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the query")]
pub(super) struct StateQuery {
    /// The entry of the journal after which to look; left out: the newest.
    #[param(minimum = 0)]
    seq: Option<u64>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the query")]
pub(super) struct HistoryQuery {
    /// Only the entries after this one; left out: from the first.
    #[param(minimum = 0)]
    after: Option<u64>,
    /// At most so many entries, up to 1000 [default: 500]. A page of many MiB ends sooner.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// What happened in a run, entry by entry.
#[utoipa::path(get, path = "/api/v1/runs/{run_id}/history", operation_id = "get_history", tag = "runs", params(("run_id" = String, Path), HistoryQuery),
    responses((status = 200, body = History), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(api: Shared, run: String, headers: HeaderMap, query: String) -> Answer {
    let (mut after, mut limit) = (None, MOMENTS_DEFAULT);
    for (key, value) in pairs(&query)?.into_iter().filter(|(_, value)| !value.is_empty()) {
        match key.as_str() {
            "after" => after = Some(value.parse::<u64>().map_err(|_| ApiError::bad(format!("Invalid after: '{value}'")))?),
            "limit" => {
                let within = value.parse::<usize>().ok().filter(|it| (1..=MOMENTS_MAX).contains(it));
                limit = within.ok_or_else(|| ApiError::bad(format!("Invalid limit: '{value}'. Give 1 to {MOMENTS_MAX}")))?;
            }
            _ => (),
        }
    }
    let (history, next) = api.host.history(&run, after, limit).await?;
    let takes = compressed::takes(&headers);
    aside(move || compressed::json(takes, &History::of(history, next))).await
}

/// A run's state as it was after any entry.
#[utoipa::path(get, path = "/api/v1/runs/{run_id}/state", operation_id = "get_state", tag = "runs", params(("run_id" = String, Path), StateQuery),
    responses((status = 200, body = State), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn state(api: Shared, run: String, headers: HeaderMap, query: String) -> Answer {
    let seq = pairs(&query)?.into_iter().find(|(key, _)| key == "seq").map(|(_, value)| value);
    let seq = seq.map(|text| text.parse::<u64>().map_err(|_| ApiError::bad(format!("Invalid seq: '{text}'")))).transpose()?;
    let state = api.host.state_at(&run, seq).await?;
    let takes = compressed::takes(&headers);
    aside(move || compressed::json(takes, &State { seq, state })).await
}

/// The graph of a run's own workflow, as it was when the run began.
#[utoipa::path(get, path = "/api/v1/runs/{run_id}/representation", operation_id = "get_run_graph", tag = "runs", params(("run_id" = String, Path)),
    responses((status = 200, body = representation::Representation), (status = 404, body = ErrorBody)))]
pub(super) async fn graph(api: Shared, run: String) -> Answer {
    let workflow = api.host.workflow_of(&run).await?;
    aside(move || wire::json(StatusCode::OK, &representation::of(&workflow.definition))).await
}

impl History {
    fn of(history: history::History, next: Option<u64>) -> History {
        let moment = |it: history::Moment| Moment {
            seq: it.seq,
            at: utc_text(it.at),
            kind: it.kind,
            invocation: it.invocation,
            event: it.event.map(|name| name.to_string()),
            frames: it.frames,
        };
        History {
            moments: history.moments.into_iter().map(moment).collect(),
            invocations: history.deliveries.into_values().map(Invocation::from).collect(),
            next,
        }
    }
}

impl From<history::Delivery> for Invocation {
    fn from(it: history::Delivery) -> Invocation {
        let given = |event: &wf_engine::entry::Event| {
            let size = event.payload.get().len();
            Given { name: event.name.to_string(), value: (size <= PAYLOAD_MAX).then(|| event.payload.clone()), size }
        };
        let failed = |(attempt, it): (u32, wf_engine::entry::Failure)| Failed {
            attempt,
            kind: it.kind,
            message: it.message,
            retryable: it.retryable,
            trace: it.trace,
        };
        Invocation {
            id: it.invocation,
            step: it.step.to_string(),
            events: it.events.iter().map(given).collect(),
            seq: it.seq,
            at: utc_text(it.at),
            spans: it.spans.into_iter().map(Span::from).collect(),
            sent: it.sent.into_iter().map(|(seq, name)| Sent { name: name.to_string(), seq }).collect(),
            failures: it.failures.into_iter().map(failed).collect(),
            end: it.end.map(End::from),
        }
    }
}

impl From<history::Span> for Span {
    fn from(it: history::Span) -> Span {
        let wait = |it: history::Waited| Wait { types: it.types, requirements: it.requirements, due: it.due.map(utc_text) };
        Span {
            attempt: it.attempt,
            phase: match it.phase {
                history::Phase::Queued => "queued",
                history::Phase::Executing => "executing",
                history::Phase::Sleeping => "sleeping",
                history::Phase::Waiting => "waiting",
                history::Phase::Blocked => "blocked",
                history::Phase::Retrying => "retrying",
            },
            slot: it.slot,
            wait: it.wait.map(wait),
            seq: it.seq,
            from: utc_text(it.at),
            until: it.until.map(utc_text),
        }
    }
}

impl From<history::End> for End {
    fn from(it: history::End) -> End {
        let (outcome, events) = match it.how {
            history::Ended::Returned(names) => ("returned", names.iter().map(ToString::to_string).collect()),
            history::Ended::Failed => ("failed", Vec::new()),
            history::Ended::Dropped => ("dropped", Vec::new()),
        };
        End { seq: it.seq, at: utc_text(it.at), outcome, events }
    }
}
