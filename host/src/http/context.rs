//! A run's context as JSON: its state, going out and coming in. Values are carried as they came.

use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use warp::http::StatusCode;
use wf_engine::json::Json;
use wf_engine::text::{self, Limit};

use super::aside::aside;
use super::error::ErrorBody;
use super::{Answer, Shared, wire};
use crate::model::{Fields, RunStatus};

/// The newest version that is read. Those that are written are 1.
const VERSION_MAX: f64 = 2.0;

/// A context, as it can be given to a new run.
#[derive(Serialize, ToSchema)]
pub(super) struct Context {
    /// Of this form: 1.
    version: u32,
    /// The run's state.
    state: ContextState,
    /// Whether the run has not ended.
    is_running: bool,
}

/// A run's state.
#[derive(Serialize, ToSchema)]
pub(super) struct ContextState {
    /// Its fields.
    state_data: StateData,
    /// `DictState`.
    state_type: &'static str,
    /// Where that is declared.
    state_module: &'static str,
}

/// The fields of a state.
#[derive(Serialize, ToSchema)]
struct StateData {
    /// By name: each a text that holds JSON.
    #[schema(value_type = Object)]
    _data: Texts,
}

/// Values as texts that hold JSON.
struct Texts(Fields);

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.0.iter().map(|(key, value)| (key, value.get())))
    }
}

/// The context of a handler's run, as it can be given to a new one.
#[utoipa::path(get, path = "/api/v1/handlers/{handler_id}/context", operation_id = "get_context", tag = "handlers", params(("handler_id" = String, Path)),
    responses((status = 200, body = Context), (status = 404, body = ErrorBody)))]
pub(super) async fn get(api: Shared, id: String) -> Answer {
    let is_running = matches!(api.host.handler(&id).await?.status, RunStatus::Running);
    let state = api.host.state(&id).await?;
    aside(move || wire::json(StatusCode::OK, &Context { version: 1, state: ContextState::of(&state), is_running })).await
}

impl ContextState {
    pub(super) fn of(state: &Json) -> ContextState {
        let fields = Fields::of(state);
        ContextState {
            state_data: StateData { _data: Texts(fields) },
            state_type: "DictState",
            state_module: "workflows.context.state_store",
        }
    }
}

/// The state in an exported context; none: there is none in it. Or what is wrong with it.
pub(super) fn state(context: &RawValue, max: Limit) -> Result<Option<Json>, String> {
    let context = Fields::read("'context'", context)?;
    check_version(context.get("version"))?;
    let Some(state) = object(&context, "state")? else { return Ok(None) };
    let Some(data) = inner(&state, "state", "state_data")? else { return Ok(None) };
    let Some(Fields(mut data)) = inner(&data, "state_data", "_data")? else { return Ok(None) };
    for (key, value) in &mut data {
        if value.get().starts_with('"') {
            *value = held(key, value)?;
        }
    }
    text::object("the state in 'context'", Fields(data).text(), max).map(Some).map_err(|refused| refused.message)
}

fn check_version(version: Option<&RawValue>) -> Result<(), String> {
    match version.map(f64::deserialize) {
        Some(Ok(version)) if version > VERSION_MAX => Err("'context' is of a version above 2".to_owned()),
        Some(Err(_)) => Err("'context' has a version that is no number".to_owned()),
        _ => Ok(()),
    }
}

/// The JSON that a text holds.
fn held(key: &str, value: &RawValue) -> Result<Box<RawValue>, String> {
    let no_json =
        |error| format!("'context' has a value under '{}' that holds no JSON: {error}", text::cut(key.to_owned(), text::NAME_MAX));
    let held: String = serde_json::from_str(value.get()).map_err(no_json)?;
    RawValue::from_string(held).map_err(no_json)
}

/// The object within another, which says nothing only where it is empty: a state of another form is not to be lost.
fn inner(outer: &Fields, name: &str, key: &str) -> Result<Option<Fields>, String> {
    let found = object(outer, key)?;
    if found.is_none() && !outer.0.is_empty() && outer.get(key).is_none() {
        let form = r#"{"state":{"state_data":{"_data":{"KEY":"JSON as text"}}}}"#;
        return Err(format!("'{name}' in 'context' has no '{key}': give it as {form}, as `GET /api/v1/handlers/{{id}}/context` gives it"));
    }
    Ok(found)
}

/// The object under a key; none, where there is nothing.
fn object(fields: &Fields, key: &str) -> Result<Option<Fields>, String> {
    let value = fields.get(key).filter(|value| value.get() != "null");
    value.map(|value| Fields::read(&format!("'{key}' in 'context'"), value)).transpose()
}
