//! Starting runs, and looking at one by its own id.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;
use wf_engine::entry::Micros;
use wf_engine::json::{self, Json};
use wf_engine::text::Limit;

use super::aside::perhaps_aside;
use super::door::Begun;
use super::error::{ApiError, ErrorBody};
use super::run::Run;
use super::uri::pairs;
use super::wire::Handler;
use super::{Answer, Shared, body, context, header, wire, workflows};
use crate::forms::{BadStart, Form, Given};
use crate::model::{Fields, Refusal, RunStatus, RunView, RunsFilter, RunsOrder, RunsPlace, Start, Workflow, unfit_id};

/// Of a run in a list, the request of so many of its questions is told.
const LISTED_REQUESTS_MAX: usize = 1;

/// Runs on a page.
const RUNS_DEFAULT: usize = 50;
const RUNS_MAX: usize = 500;

type Body = Result<Bytes, ApiError>;

/// A request to start a run.
#[derive(Serialize, ToSchema)]
pub(super) struct StartBody {
    /// The start event: its fields, or `{"type", "value"}`, or a text that holds either.
    #[schema(value_type = Option<Object>, required = false)]
    start_event: Option<Value>,
    /// The state to begin with, as exported.
    #[schema(value_type = Option<Object>, required = false)]
    context: Option<Value>,
    /// 1 to 128 characters of `[0-9A-Za-z._:-]`; one whose run has ended goes on with its state.
    #[schema(required = false, pattern = "^[0-9A-Za-z._:-]{0,128}$")]
    handler_id: Option<String>,
}

/// Starts a run, and waits for its end. A repeat with the same `Idempotency-Key` is answered from the run it made.
#[utoipa::path(post, path = "/workflows/{name}/run", operation_id = "run_workflow", tag = "workflows", request_body = StartBody,
    params(("name" = String, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    responses((status = 200, body = Handler), (status = 400, body = ErrorBody), (status = 403, description = "Another page's request", body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, description = "The handler's run goes on", body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 422, description = "The key came with another body", body = ErrorBody),
        (status = 500, description = "The run failed or was cancelled", body = Handler),
        (status = 503, description = "Where it has a `handler_id`, the run was begun and goes on", body = ErrorBody)))]
pub(super) async fn run(api: Shared, name: String, headers: HeaderMap, body: Body) -> Answer {
    let ended = start(&api, &name, &headers, body, true).await?;
    Ok(begun(wire::json(wire::status(&ended), &Handler::of(&ended)), &ended))
}

/// Starts a run.
#[utoipa::path(post, path = "/workflows/{name}/run-nowait", operation_id = "start_run", tag = "workflows", request_body = StartBody,
    params(("name" = String, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    responses((status = 200, body = Handler), (status = 400, body = ErrorBody), (status = 403, description = "Another page's request", body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, description = "The handler's run goes on", body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 422, description = "The key came with another body", body = ErrorBody),
        (status = 503, body = ErrorBody)))]
pub(super) async fn run_nowait(api: Shared, name: String, headers: HeaderMap, body: Body) -> Answer {
    let started = start(&api, &name, &headers, body, false).await?;
    Ok(begun(wire::json(StatusCode::OK, &Handler::of(&started)), &started))
}

/// Tells the audit log, too.
pub(super) fn begun(mut response: Response, view: &RunView) -> Response {
    response.extensions_mut().insert(Begun { handler: view.handler.clone(), run: view.run.clone() });
    response
}

/// Runs.
#[derive(Serialize, ToSchema)]
pub(super) struct Runs {
    /// In the order that was asked for.
    runs: Vec<Run>,
    /// What to give as `before` for the next page; null: there is none.
    next: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the query")]
pub(super) struct RunsQuery {
    /// Only runs that stand so: `running`, `waiting` (for something from outside), `completed`, `failed` or `cancelled`. May be repeated.
    status: Option<Vec<String>>,
    /// Only runs of this workflow. May be repeated.
    workflow: Option<Vec<String>>,
    /// Only runs of this handler, newest first: neither a time nor another order goes with it.
    handler: Option<String>,
    /// Whether only the newest run of each handler is listed [default: false].
    newest: Option<bool>,
    /// Only runs that have this text in their id, their handler's id, `input_preview` or `result_preview`, in large letters or small.
    search: Option<String>,
    /// Only runs that began at this time or later, or ended then where the order is by their ends: `2026-11-23T06:38:23Z`, or a day.
    since: Option<String>,
    /// Only runs that began, or ended, before this time.
    until: Option<String>,
    /// In which order: `newest`, `oldest`, `last-ended` or `first-ended` [default: newest]. By their ends, only those that have ended are listed.
    #[param(pattern = "^(newest|oldest|last-ended|first-ended)$")]
    order: Option<String>,
    /// At most so many, up to 500 [default: 50].
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u64>,
    /// `next` of an earlier page.
    #[param(pattern = "^(-?[0-9]{1,18}_)?-?[0-9]{1,18}$")]
    before: Option<String>,
}

/// Lists runs.
#[utoipa::path(get, path = "/api/v1/runs", operation_id = "list_runs", tag = "runs", params(RunsQuery),
    responses((status = 200, body = Runs), (status = 400, body = ErrorBody),
        (status = 422, description = "A time is none, or what is asked for does not go together", body = ErrorBody)))]
pub(super) async fn list(api: Shared, query: String) -> Answer {
    let mut filter = RunsFilter { limit: RUNS_DEFAULT, ..RunsFilter::default() };
    for (key, value) in pairs(&query)?.into_iter().filter(|(_, value)| !value.is_empty()) {
        match key.as_str() {
            "status" => filter.status.push(value),
            "workflow" => filter.workflow.push(value),
            "handler" => filter.handler = Some(value),
            "newest" => filter.newest = value.eq_ignore_ascii_case("true"),
            "search" => filter.search = Some(value),
            "since" => filter.since = Some(time("since", &value)?),
            "until" => filter.until = Some(time("until", &value)?),
            "order" => filter.order = order(&value)?,
            "limit" => {
                let limit = value.parse::<usize>().ok().filter(|it| (1..=RUNS_MAX).contains(it));
                filter.limit = limit.ok_or_else(|| ApiError::bad(format!("Invalid limit: '{value}'. Give 1 to {RUNS_MAX}")))?;
            }
            "before" => {
                filter.after = Some(place(&value).ok_or_else(|| ApiError::bad(format!("Invalid before: '{value}'")))?);
            }
            _ => (),
        }
    }
    filter.workflow = api.visitor.narrow(&api.host, filter.workflow).await?;
    if filter.handler.is_some() && (filter.since.is_some() || filter.until.is_some() || filter.order != RunsOrder::default()) {
        return Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Runs of a 'handler' are listed newest first, without 'since', 'until' or 'order'",
        ));
    }
    let (views, next) = api.host.runs(filter).await?;
    let mut runs = Vec::with_capacity(views.len());
    for view in &views {
        runs.push(Run::of(&api.host, view, LISTED_REQUESTS_MAX).await?);
    }
    let next = next.map(|it| if it.at == 0 { it.key.to_string() } else { format!("{}_{}", it.at, it.key) });
    Ok(wire::json(StatusCode::OK, &Runs { runs, next }))
}

fn time(name: &str, value: &str) -> Result<Micros, ApiError> {
    let read = wf_engine::time::read_utc(value);
    let message = || format!("Invalid {name}: '{value}'. Give a time as in 2026-11-23T06:38:23Z, or a day");
    read.ok_or_else(|| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, message()))
}

fn order(value: &str) -> Result<RunsOrder, ApiError> {
    match value {
        "newest" => Ok(RunsOrder::Newest),
        "oldest" => Ok(RunsOrder::Oldest),
        "last-ended" => Ok(RunsOrder::LastEnded),
        "first-ended" => Ok(RunsOrder::FirstEnded),
        _ => Err(ApiError::bad(format!("Invalid order: '{value}'. Give newest, oldest, last-ended or first-ended"))),
    }
}

fn place(value: &str) -> Option<RunsPlace> {
    let (at, key) = value.split_once('_').unwrap_or(("0", value));
    Some(RunsPlace { at: at.parse().ok()?, key: key.parse().ok()? })
}

/// Shows a run, also one that a later run of its handler has followed.
#[utoipa::path(get, path = "/api/v1/runs/{run_id}", operation_id = "get_run", tag = "runs", params(("run_id" = String, Path)),
    responses((status = 200, description = "Completed", body = Run), (status = 202, description = "Running", body = Run), (status = 404, body = ErrorBody), (status = 500, description = "Failed or cancelled", body = Run)))]
pub(super) async fn get(api: Shared, run: String) -> Answer {
    let view = api.host.run(&run).await?;
    let forks = api.host.forks(&run).await?;
    Ok(wire::json(wire::status(&view), &Run::of(&api.host, &view, usize::MAX).await?.with(forks)))
}

/// `to_end`: waits for the run's end; else until it is durable.
async fn start(api: &Shared, name: &str, headers: &HeaderMap, body: Body, to_end: bool) -> Result<RunView, ApiError> {
    let body = body?;
    let idempotency = header::idempotency(headers, &body)?;
    if let Some(idempotency) = &idempotency
        && let Some(made) = api.host.repeated_start(name, idempotency).await?
    {
        let waits = to_end && matches!(made.status, RunStatus::Running);
        // It takes room, and a run may last.
        drop(body);
        return match waits {
            true => api.host.ended(&made.run).await.map_err(|refusal| cut(refusal, Some(made.handler))),
            false => Ok(made),
        };
    }
    let workflow = workflows::find(api, name)?;
    let (prepared, api_aside) = (api.schemas.is_prepared(&workflow.definition), api.clone());
    let (size, of) = (body.len(), workflow.clone());
    let Parsed { given, state, handler } = perhaps_aside(size, prepared, move || parse(&api_aside, &of, &body)).await?;
    let event = api.host.validated(&workflow, given).await?.map_err(invalid_start)?;
    let start = Start { workflow, event, state, handler, idempotency };
    if let Some(handler) = &start.handler {
        // Its state would be carried over.
        may_go_on_with(api, handler).await?;
    }
    match to_end {
        true => api.host.start_checked_and_wait(start).await.map_err(|it| cut(it.refusal, it.handler)),
        false => Ok(api.host.start_checked(start).await?),
    }
}

/// Refuses a handler of a workflow that the visitor does not know.
pub(super) async fn may_go_on_with(api: &Shared, handler: &str) -> Result<(), ApiError> {
    if !api.visitor.is_restricted() {
        return Ok(());
    }
    match api.host.handler(handler).await {
        Ok(view) if !api.visitor.knows(&view.workflow) => {
            Err(ApiError::new(StatusCode::FORBIDDEN, format!("The key may not go on with handler '{handler}'")))
        }
        Ok(_) | Err(Refusal::NotFound) => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Nobody can be told how the run ends; whoever knows its handler asks later.
fn cut(refusal: Refusal, handler: Option<String>) -> ApiError {
    let error = ApiError::from(refusal);
    match handler {
        Some(handler) => error.of_run(handler),
        None => error,
    }
}

/// What a request to start a run has in it.
struct Parsed {
    given: Given,
    state: Option<Json>,
    handler: Option<String>,
}

fn parse(api: &Shared, workflow: &Workflow, body: &Bytes) -> Result<Parsed, ApiError> {
    let fields = body::object(body, |kind| ApiError::bad(format!("Error processing request body: it is {kind}, and no object")))?;
    let form = start_form(&fields).map_err(invalid_start)?;
    api.schemas.prepare(&workflow.definition);
    let given = api.schemas.start(workflow, form).map_err(|bad| match bad {
        BadStart::Invalid(why) => invalid_start(why),
        BadStart::Other(expected) => ApiError::bad(format!("Start event must be an instance of {expected}")),
    })?;
    let state_max = Limit { name: "state_max", max: workflow.limits.state_max };
    let state = present(&fields, "context").map(|context| context::state(context, state_max)).transpose();
    let state = state.map_err(|why| ApiError::bad(format!("Error processing request body: {why}")))?.flatten();
    Ok(Parsed { given, state, handler: handler_id(present(&fields, "handler_id"))? })
}

fn invalid_start(why: String) -> ApiError {
    ApiError::bad(format!("Validation error for 'start_event': {why}"))
}

/// A field that is there and not null.
fn present<'a>(fields: &'a Fields, key: &str) -> Option<&'a RawValue> {
    fields.get(key).filter(|value| value.get() != "null")
}

pub(super) fn start_form(fields: &Fields) -> Result<Form, String> {
    match present(fields, "start_event") {
        // What the old client sends for none.
        Some(text) if text.get() == "\"\"" => Ok(Form { name: None, payload: json::empty() }),
        Some(raw) => Form::start(raw),
        None => {
            let kwargs = present(fields, "kwargs").map(|raw| Ok::<_, String>(Fields::read("'kwargs'", raw)?.flat(raw))).transpose()?;
            Ok(Form { name: None, payload: kwargs.unwrap_or_else(json::empty) })
        }
    }
}

pub(super) fn handler_id(raw: Option<&RawValue>) -> Result<Option<String>, ApiError> {
    let Some(raw) = raw else { return Ok(None) };
    let id: String =
        serde_json::from_str(raw.get()).map_err(|_| ApiError::bad("Error processing request body: 'handler_id' is no text"))?;
    if id.is_empty() {
        return Ok(None);
    }
    match unfit_id(&id) {
        None => Ok(Some(id)),
        Some(why) => Err(ApiError::bad(format!("Error processing request body: 'handler_id' {why}"))),
    }
}
