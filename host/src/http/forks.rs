//! A run from an entry of another on: `/api/v1/runs/{id}/fork`.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use warp::http::{HeaderMap, StatusCode};
use wf_engine::entry::{Event, InvocationId};
use wf_engine::json::Json;
use wf_engine::text::{self, Limit};

use super::aside::perhaps_aside;
use super::error::{ApiError, ErrorBody};
use super::run::Run;
use super::runs::{self, begun};
use super::{Answer, Shared, body, header, wire};
use crate::forms::{self, Form, Given, Schemas};
use crate::host::{Edit, Forking};
use crate::model::{Fields, Refusal, RunStatus, RunView, Target};

/// A request to fork a run.
#[derive(Serialize, ToSchema)]
pub(super) struct ForkBody {
    /// The last entry of its journal that the fork has, too. Left out: of a run that has failed the entry with which the
    /// attempt began that it failed with, so that it is tried again; of another the last before its end.
    #[schema(required = false, minimum = 0)]
    at: Option<u64>,
    /// The state from here on, as `/state` shows it; left out: as it was.
    #[schema(value_type = Option<Object>, required = false)]
    state: Option<Value>,
    /// What an invocation in flight is given instead: `{"type", "value"}`, or the bare fields where the type stays; a
    /// list for a step that takes several. Where the step of none in flight accepts its type, it comes next from outside.
    #[schema(value_type = Option<Object>, required = false)]
    event: Option<Value>,
    /// Which invocation that is, where several are in flight.
    #[schema(required = false)]
    invocation: Option<u64>,
    /// `pinned`: it goes on with its origin's components; `current`: with those that are served now.
    #[schema(required = false, pattern = "^(pinned|current)$")]
    definition: Option<String>,
    /// Continue an existing handler whose run has ended, or name a new one; left out: a new one without a name.
    #[schema(required = false, max_length = 128, pattern = "^[0-9A-Za-z._:-]*$")]
    handler_id: Option<String>,
}

/// Makes a new run, under a handler of its own, that has a run's journal until an entry: finished attempts are taken
/// over, and what was in flight runs again from the top of its step. It begins now: `started_at` is its own, and the run's
/// timeout counts from there. It queues for its workflow's `runs_max` as other starts do. A repeat with the same
/// `Idempotency-Key` is answered from the run it made.
#[utoipa::path(post, path = "/api/v1/runs/{run_id}/fork", operation_id = "fork_run", tag = "runs", request_body = ForkBody,
    params(("run_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    responses((status = 200, body = Run), (status = 400, body = ErrorBody), (status = 403, description = "Another page's request", body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, description = "The handler has a run that has not ended", body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 422, description = "The key came with another body", body = ErrorBody),
        (status = 429, description = "The run has not begun, or keeps as many events as it may", body = ErrorBody),
        (status = 500, description = "The run cannot be read", body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(super) async fn fork(api: Shared, run: String, headers: HeaderMap, body: Result<Bytes, ApiError>) -> Answer {
    let body = body?;
    let idempotency = header::idempotency(&headers, &body)?;
    if let Some(idempotency) = &idempotency
        && let Some(made) = api.host.repeated_fork(&run, idempotency).await?
    {
        return shown(&api, &made).await;
    }
    let asked = Asked::read(&body)?;
    if let Some(handler) = &asked.handler {
        runs::may_go_on_with(&api, handler).await?;
        let newest = api.host.handler(handler).await;
        if newest.is_ok_and(|it| matches!(it.status, RunStatus::Running)) {
            return Err(Refusal::AlreadyRunning(handler.clone()).into());
        }
    }
    let forking = api.host.forking(&run, asked.at, asked.current).await?;
    let (forking, edit) = asked.checked(&api, forking, body.len()).await?;
    let forked = api.host.fork(forking, edit, idempotency).await?;
    shown(&api, &forked).await
}

pub(super) async fn shown(api: &Shared, view: &RunView) -> Answer {
    let forks = api.host.forks(&view.run).await?;
    Ok(begun(wire::json(StatusCode::OK, &Run::of(&api.host, view, usize::MAX).await?.with(forks)), view))
}

/// What was asked for; the edit is not checked yet.
pub(super) struct Asked {
    pub at: Option<u64>,
    pub current: bool,
    state: Option<Box<RawValue>>,
    pub events: Option<Vec<Box<RawValue>>>,
    pub invocation: Option<InvocationId>,
    pub handler: Option<String>,
}

impl Asked {
    pub(super) fn read(body: &Bytes) -> Result<Asked, ApiError> {
        let empty = body.iter().all(u8::is_ascii_whitespace);
        let fields = match empty {
            true => Fields::default(),
            false => body::object(body, |kind| ApiError::bad(format!("Error processing request body: it is {kind}, and no object")))?,
        };
        let given = |key: &str| fields.get(key).filter(|value| value.get() != "null");
        let number = |key: &str| {
            let number = given(key).map(|value| value.get().parse::<u64>()).transpose();
            number.map_err(|_| ApiError::bad(format!("Invalid {key}: {}", text::shown(given(key).map_or("", RawValue::get)))))
        };
        let current = match given("definition").map(RawValue::get) {
            None | Some("\"pinned\"") => false,
            Some("\"current\"") => true,
            Some(other) => return Err(ApiError::bad(format!("Invalid definition: {}. Give 'pinned' or 'current'", text::shown(other)))),
        };
        let events = given("event").map(|event| match event.get().starts_with('[') {
            true => serde_json::from_str(event.get()).map_err(|error| ApiError::bad_event(error.to_string())),
            false => Ok(vec![event.to_owned()]),
        });
        Ok(Asked {
            at: number("at")?,
            current,
            state: given("state").map(ToOwned::to_owned),
            events: events.transpose()?,
            invocation: number("invocation")?,
            handler: runs::handler_id(given("handler_id"))?,
        })
    }

    /// Whether the run is to go on in another form.
    pub(super) fn edits(&self) -> bool {
        self.current || self.state.is_some() || self.events.is_some()
    }

    /// The run that is forked, and its edit, which is read aside where that takes long. `size`: of the body, in bytes.
    pub(super) async fn checked(self, api: &Shared, forking: Forking, size: usize) -> Result<(Forking, Edit), ApiError> {
        let (prepared, aside) = (api.schemas.is_prepared(&forking.workflow().definition), api.clone());
        let check = move || {
            aside.schemas.prepare(&forking.workflow().definition);
            let edit = self.edit(&forking, &aside.schemas)?;
            Ok((forking, edit))
        };
        let (forking, (mut edit, receiver, given)) = perhaps_aside(size, prepared, check).await?;
        let mut events = Vec::new();
        for it in given {
            events.push(match it {
                Ok(event) => event,
                Err(given) => api.host.validated(forking.workflow(), given).await?.map_err(ApiError::bad_event)?,
            });
        }
        match receiver {
            Some(id) => edit.events = Some((id, events)),
            None => edit.next = events.pop(),
        }
        Ok((forking, edit))
    }

    /// What is edited but for events, and those, with the invocation that is to have them; none: they come from outside.
    fn edit(self, forking: &Forking, schemas: &Schemas) -> Result<(Edit, Option<InvocationId>, Vec<Handed>), ApiError> {
        let max = Limit { name: "state_max", max: forking.workflow().limits.state_max };
        let state = self.state.map(|state| text::read_object("the state", state.into(), max)).transpose();
        let state = state.map_err(|refused| ApiError::bad(format!("Invalid state: {}", refused.message)))?;
        let edit = Edit { state, handler: self.handler, ..Edit::default() };
        let Some(events) = self.events else {
            return match self.invocation {
                Some(_) => Err(ApiError::bad("Event data is required: 'invocation' says who is to have it")),
                None => Ok((edit, None, Vec::new())),
            };
        };
        let forms = events.iter().map(|event| Form::start(event).map_err(ApiError::bad_event)).collect::<Result<Vec<_>, _>>()?;
        let receiver = chosen(forking, &forms, self.invocation)?;
        let given = match receiver {
            Some(id) => given(forking, id, forms, schemas)?,
            None => vec![Err(next(forking, forms, schemas)?)],
        };
        Ok((edit, receiver, given))
    }
}

/// An event of a fork: one that was there, and was taken before, or another.
type Handed = Result<Event, Given>;

/// Whether two payloads are of one value.
fn is_same(one: &Json, other: &Json) -> bool {
    let read = |it: &Json| serde_json::from_str::<Value>(it.get()).ok();
    one.get() == other.get() || read(one).is_some_and(|it| read(other) == Some(it))
}

/// Which of those in flight is to have the events; none: they come from outside.
fn chosen(forking: &Forking, forms: &[Form], named: Option<InvocationId>) -> Result<Option<InvocationId>, ApiError> {
    let flight: Vec<(InvocationId, &str)> = forking.in_flight().map(|(id, step, _)| (id, &**step)).collect();
    let listed = |some: &[(InvocationId, &str)]| {
        let some: Vec<String> = some.iter().take(LISTED_MAX).map(|(id, step)| format!("{id} ({step})")).collect();
        if some.is_empty() { "none".to_owned() } else { some.join(", ") }
    };
    let at = forking.at();
    if let Some(id) = named {
        return match flight.iter().any(|(there, _)| *there == id) {
            true => Ok(Some(id)),
            false => Err(ApiError::bad(format!("Invocation {id} is not in flight after entry {at}. In flight: {}", listed(&flight)))),
        };
    }
    let definition = &forking.workflow().definition;
    let takes = |step: &str| forms.iter().all(|form| form.name.as_ref().is_none_or(|name| definition.accepts(step, name)));
    let takers: Vec<(InvocationId, &str)> = flight.into_iter().filter(|(_, step)| takes(step)).collect();
    match (&takers[..], forms) {
        ([(id, _)], _) => Ok(Some(*id)),
        ([], [Form { name: Some(_), .. }]) => Ok(None),
        ([], _) => Err(ApiError::bad(format!("Nothing in flight after entry {at} takes it: name its type, and it comes from outside"))),
        (several, _) => Err(ApiError::bad(format!(
            "Several are in flight after entry {at}: say which 'invocation' is to have it, of {}",
            listed(several)
        ))),
    }
}

/// Invocations that an error names.
const LISTED_MAX: usize = 20;

/// What an invocation is given instead of what it was given.
fn given(forking: &Forking, id: InvocationId, forms: Vec<Form>, schemas: &Schemas) -> Result<Vec<Handed>, ApiError> {
    let workflow = forking.workflow();
    let found = forking.in_flight().find(|(there, _, _)| *there == id).map(|(_, step, events)| (step.clone(), events.clone()));
    let Some((step, before)) = found else { return Ok(Vec::new()) };
    if forms.len() != before.len() {
        return Err(ApiError::bad(format!("Invocation {id} of step {step} was given {} events, and not {}", before.len(), forms.len())));
    }
    let mut events = Vec::new();
    for (form, before) in forms.into_iter().zip(before.iter()) {
        let name = form.name.unwrap_or_else(|| before.name.to_string());
        if *name != *before.name && !workflow.definition.accepts(&step, &name) {
            return Err(ApiError::bad(format!("Failed to send event: Step {step} does not accept {name}")));
        }
        if *name == *before.name && is_same(&form.payload, &before.payload) {
            events.push(Ok(before.clone()));
            continue;
        }
        events.push(Err(schemas.event(workflow, name, form.payload).map_err(ApiError::bad_event)?));
    }
    Ok(events)
}

/// An event that comes from outside.
fn next(forking: &Forking, forms: Vec<Form>, schemas: &Schemas) -> Result<Given, ApiError> {
    let workflow = forking.workflow();
    let Some(Form { name, payload }) = forms.into_iter().next() else { return Err(ApiError::bad("Event data is required")) };
    let name = name.unwrap_or_default();
    forms::check(workflow, &name, &Target::default())?;
    schemas.event(workflow, name, payload).map_err(ApiError::bad_event)
}
