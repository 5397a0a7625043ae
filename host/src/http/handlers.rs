//! `/handlers`: the outside's grip on runs.

use serde_json::{Map, Value, json};
use warp::http::StatusCode;

use super::error::ApiError;
use super::wire::Handler;
use super::{Answer, Shared, wire};
use crate::host::Filter;

pub(super) async fn get(api: Shared, id: String) -> Answer {
    let view = api.host.handler(&id).await?;
    Ok(wire::json(wire::status(&view), &Handler::of(&view)))
}

pub(super) async fn result(api: Shared, id: String) -> Answer {
    let view = api.host.handler(&id).await?;
    Ok(wire::json(wire::status(&view), &Handler::of(&view).unwrapped()))
}

pub(super) async fn list(api: Shared, query: String) -> Answer {
    let mut filter = Filter::default();
    for (key, value) in pairs(&query) {
        match key.as_str() {
            _ if value.is_empty() => (),
            "status" => filter.status.push(value),
            "workflow_name" => filter.workflow.push(value),
            "limit" => filter.limit = Some(value.parse().map_err(|_| ApiError::bad(format!("Invalid limit: '{value}'")))?),
            "after" => filter.after = Some(value),
            _ => (),
        }
    }
    let paged = filter.limit.is_some() || filter.after.is_some();
    let limit = filter.limit;
    // One more says whether there is a next page.
    filter.limit = limit.map(|limit| limit.saturating_add(1));
    let mut views = api.host.handlers(filter).await?;
    let more = limit.is_some_and(|limit| views.len() > limit);
    views.truncate(limit.unwrap_or(usize::MAX));
    let mut answer = json!({ "handlers": views.iter().map(Handler::of).collect::<Vec<_>>() });
    if paged {
        answer["next"] = views.last().filter(|_| more).map(|view| view.handler.as_str()).into();
    }
    Ok(wire::json(StatusCode::OK, &answer))
}

pub(super) async fn cancel(api: Shared, id: String, query: String) -> Answer {
    let purge = pairs(&query).into_iter().any(|(key, value)| key == "purge" && is_true(&value));
    if purge {
        api.host.purge(&id).await?;
        return Ok(wire::json(StatusCode::OK, &json!({ "status": "deleted" })));
    }
    api.host.cancel(&id).await?;
    Ok(wire::json(StatusCode::OK, &json!({ "status": "cancelled" })))
}

/// The context as it can be given to a new run.
pub(super) async fn context(api: Shared, id: String) -> Answer {
    let running = matches!(api.host.handler(&id).await?.status, crate::host::RunStatus::Running);
    let state = api.host.state(&id).await?;
    let values = state.as_object().into_iter().flatten();
    let data: Map<String, Value> = values.map(|(key, value)| (key.clone(), Value::String(value.to_string()))).collect();
    let state = json!({ "state_data": { "_data": data }, "state_type": "DictState", "state_module": "workflows.context.state_store" });
    Ok(wire::json(StatusCode::OK, &json!({ "version": 1, "state": state, "is_running": running })))
}

/// The pairs of a query, decoded, in their order.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// `true` in any case is true, everything else false.
pub(super) fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true")
}
