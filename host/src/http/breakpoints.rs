//! Steps that wait at breakpoints, of `wf-host dev`: `/api/v1/workflows/{name}/breakpoints`, `/api/v1/runs/{id}/go-on`.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use warp::http::StatusCode;

use super::error::{ApiError, ErrorBody};
use super::forks::{Asked, shown};
use super::run::Run;
use super::{Answer, Shared, wire, workflows};
use crate::host::Edit;
use crate::model::{Paused, Workflow};
use crate::services::Breakpoints;

/// A value above this is not shown, in bytes.
const VALUE_MAX: usize = 1 << 20;

/// The breakpoints of a workflow, and what waits at them.
#[derive(Serialize, ToSchema)]
pub(super) struct WorkflowBreakpoints {
    /// Whether this server has such a thing: `wf-host dev` does.
    enabled: bool,
    /// Names of steps, and types of events that a step is given.
    breakpoints: Vec<String>,
    /// What waits, in the order in which it came.
    paused: Vec<PausedStep>,
}

/// A step that waits before it is entered.
#[derive(Serialize, ToSchema)]
struct PausedStep {
    /// Its run.
    run_id: String,
    /// The run's handler.
    handler_id: String,
    /// Which invocation.
    invocation: u64,
    /// Which attempt of it, from 0.
    attempt: u32,
    /// The step.
    step: String,
    /// The breakpoint that it waits at.
    breakpoint: String,
    /// Since when.
    since: String,
    /// What it is about to be given.
    events: Vec<PausedEvent>,
}

/// An event that a step is about to be given.
#[derive(Serialize, ToSchema)]
struct PausedEvent {
    /// Its type.
    #[serde(rename = "type")]
    name: String,
    /// Its fields; null: they are too large to be shown here.
    #[schema(value_type = Option<Object>)]
    value: Option<Box<RawValue>>,
}

impl WorkflowBreakpoints {
    fn of(breakpoints: Option<&Arc<Breakpoints>>, workflow: &str) -> WorkflowBreakpoints {
        let Some(all) = breakpoints else { return WorkflowBreakpoints { enabled: false, breakpoints: Vec::new(), paused: Vec::new() } };
        let paused = all.held(|it| it.workflow == workflow).into_iter().map(PausedStep::from).collect();
        WorkflowBreakpoints { enabled: true, breakpoints: all.of(workflow).into_iter().collect(), paused }
    }
}

impl From<Paused> for PausedStep {
    fn from(paused: Paused) -> PausedStep {
        let Paused { run, handler, workflow: _, invocation, attempt, step, events, breakpoint, since } = paused;
        let shown = |text: &str| if text.len() > VALUE_MAX { None } else { RawValue::from_string(text.to_owned()).ok() };
        let event = |event: &wf_engine::entry::Event| PausedEvent { name: event.name.to_string(), value: shown(event.payload.get()) };
        PausedStep {
            run_id: run,
            handler_id: handler,
            invocation,
            attempt,
            step: step.to_string(),
            breakpoint,
            since: wf_engine::time::utc_text(since),
            events: events.iter().map(event).collect(),
        }
    }
}

/// The breakpoints of a workflow, and what waits at them. A server that is not `wf-host dev` has none.
#[utoipa::path(get, path = "/api/v1/workflows/{name}/breakpoints", operation_id = "get_breakpoints", tag = "runs", params(("name" = String, Path)),
    responses((status = 200, body = WorkflowBreakpoints)))]
pub(super) async fn get(api: Shared, name: String) -> Answer {
    Ok(wire::json(StatusCode::OK, &WorkflowBreakpoints::of(api.host.breakpoints(), &name)))
}

/// All breakpoints that a workflow is to have.
#[derive(Deserialize, ToSchema)]
pub(super) struct SetBody {
    /// Names of steps, and types of events that a step is given: its attempts wait before they begin. None: they go on.
    breakpoints: BTreeSet<String>,
}

/// Sets the breakpoints of a workflow. What waits at one that is gone waits on. They last as long as the server.
#[utoipa::path(post, path = "/api/v1/workflows/{name}/breakpoints", operation_id = "set_breakpoints", tag = "runs", request_body = SetBody,
    params(("name" = String, Path)),
    responses((status = 200, body = WorkflowBreakpoints), (status = 400, body = ErrorBody),
        (status = 403, description = "Another page's request", body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, description = "The server is not `wf-host dev`", body = ErrorBody), (status = 413, body = ErrorBody),
        (status = 503, body = ErrorBody)))]
pub(super) async fn set(api: Shared, name: String, body: Result<Bytes, ApiError>) -> Answer {
    let body = body?;
    let workflow = workflows::find(&api, &name)?;
    let breakpoints = enabled(&api)?;
    let asked: SetBody = serde_json::from_slice(&body).map_err(|error| ApiError::bad(format!("Invalid breakpoints: {error}")))?;
    if let Some(unknown) = asked.breakpoints.iter().find(|it| !is_there(&workflow, it)) {
        let unknown = wf_engine::text::shown(unknown);
        return Err(ApiError::bad(format!("Workflow '{name}' has no step '{unknown}', and none that is given an event of that type")));
    }
    breakpoints.set(&name, asked.breakpoints);
    Ok(wire::json(StatusCode::OK, &WorkflowBreakpoints::of(Some(breakpoints), &name)))
}

/// Whether a workflow may ever stop at a breakpoint.
fn is_there(workflow: &Workflow, breakpoint: &str) -> bool {
    let definition = &workflow.definition;
    definition.step(breakpoint).is_some() || !definition.accepting(breakpoint).is_empty()
}

fn enabled(api: &Shared) -> Result<&Arc<Breakpoints>, ApiError> {
    api.host.breakpoints().ok_or_else(|| ApiError::new(StatusCode::CONFLICT, "This server has no breakpoints: `wf-host dev` does"))
}

/// How a run that waits at breakpoints goes on. Nothing: as it is.
#[derive(Serialize, ToSchema)]
pub(super) struct GoOnBody {
    /// Which of its invocations goes on; left out: all that wait.
    #[schema(required = false)]
    invocation: Option<u64>,
    /// What it is given instead: `{"type", "value"}`, or the bare fields where the type stays; a list for a step that takes
    /// several.
    #[schema(value_type = Option<Object>, required = false)]
    event: Option<Value>,
    /// The state from here on, as `/state` shows it; left out: as it is.
    #[schema(value_type = Option<Object>, required = false)]
    state: Option<Value>,
    /// With an edit: `pinned`, the run's own components, or `current`, those that are served now.
    #[schema(required = false, pattern = "^(pinned|current)$")]
    definition: Option<String>,
}

/// Lets a run go on that waits at breakpoints. As it is, or in another form: then a fork takes its place under its handler,
/// which has passed them, and the run itself is cancelled. Gives the run that goes on.
#[utoipa::path(post, path = "/api/v1/runs/{run_id}/go-on", operation_id = "go_on", tag = "runs", request_body = GoOnBody,
    params(("run_id" = String, Path)),
    responses((status = 200, body = Run), (status = 400, body = ErrorBody), (status = 403, description = "Another page's request", body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, description = "It does not wait at a breakpoint", body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 500, description = "The run cannot be read", body = ErrorBody),
        (status = 503, body = ErrorBody)))]
pub(super) async fn go_on(api: Shared, run: String, body: Result<Bytes, ApiError>) -> Answer {
    let body = body?;
    let view = api.host.run(&run).await?;
    let breakpoints = enabled(&api)?.clone();
    let mut asked = Asked::read(&body)?;
    if asked.at.is_some() || asked.handler.is_some() {
        return Err(ApiError::bad("A run goes on where it is, under its handler: leave 'at' and 'handler_id' away"));
    }
    let waits = breakpoints.held(|it| it.run == run && asked.invocation.is_none_or(|invocation| invocation == it.invocation));
    let Some(first) = waits.first() else {
        let what = match asked.invocation {
            Some(invocation) => format!("Invocation {invocation} of run '{run}'"),
            None => format!("Run '{run}'"),
        };
        return Err(ApiError::new(StatusCode::CONFLICT, format!("{what} does not wait at a breakpoint")));
    };
    if asked.edits() {
        if asked.events.is_some() {
            if waits.len() > 1 {
                let waits: Vec<String> = waits.iter().map(|it| format!("{} ({})", it.invocation, it.step)).collect();
                let waits = waits.join(", ");
                return Err(ApiError::bad(format!("Several wait: say which 'invocation' is to have the event, of {waits}")));
            }
            asked.invocation = Some(first.invocation);
        } else {
            asked.invocation = None;
        }
        let passes = waits.iter().map(|it| it.invocation).collect();
        let forking = api.host.forking_paused(&run, asked.current).await?;
        let (forking, edit) = asked.checked(&api, forking, body.len()).await?;
        let forked = api.host.go_on_as(forking, Edit { passes, ..edit }).await?;
        return shown(&api, &forked).await;
    }
    breakpoints.go_on(&run, asked.invocation);
    Ok(wire::json(StatusCode::OK, &Run::of(&api.host, &view, usize::MAX).await?))
}
