//! `/handlers`: the outside's grip on runs.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use warp::http::StatusCode;

use super::error::{ApiError, ErrorBody};
use super::uri::{pairs, purges};
use super::wire::Handler;
use super::{Answer, Shared, stream as body, wire};
use crate::model::{Filter, Refusal, RunView};

/// Shows the newest run of a handler.
#[utoipa::path(get, path = "/handlers/{handler_id}", operation_id = "get_handler", tag = "handlers", params(("handler_id" = String, Path)),
    responses((status = 200, description = "Completed", body = Handler), (status = 202, description = "Running", body = Handler), (status = 404, body = ErrorBody), (status = 500, description = "Failed or cancelled", body = Handler)))]
pub(super) async fn get(api: Shared, id: String) -> Answer {
    let view = api.host.handler(&id).await?;
    Ok(wire::json(wire::status(&view), &Handler::of(&view)))
}

/// The same, with the value of the result alone.
#[utoipa::path(get, path = "/results/{handler_id}", operation_id = "get_result", tag = "handlers", params(("handler_id" = String, Path)),
    responses((status = 200, description = "Completed", body = Handler), (status = 202, description = "Running", body = Handler), (status = 404, body = ErrorBody), (status = 500, description = "Failed or cancelled", body = Handler)))]
pub(super) async fn result(api: Shared, id: String) -> Answer {
    let view = api.host.handler(&id).await?;
    Ok(wire::json(wire::status(&view), &Handler::of(&view).unwrapped()))
}

/// Handlers with their newest runs.
#[derive(Serialize, ToSchema)]
pub(super) struct Handlers {
    /// In the order in which these runs began.
    handlers: Vec<Handler>,
    /// What to give as `after` for the next page; only there when `limit` or `after` was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    next: Option<Option<String>>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the query")]
pub(super) struct ListQuery {
    /// Only runs that stand so: `running`, `completed`, `failed` or `cancelled`. May be repeated.
    status: Option<Vec<String>>,
    /// Only runs of this workflow. May be repeated.
    workflow_name: Option<Vec<String>>,
    /// At most so many.
    #[param(minimum = 0, maximum = 1000000)]
    limit: Option<u64>,
    /// Only those after this handler.
    after: Option<String>,
}

/// Lists the newest run of each handler, with its result.
///
/// However many there are, however large: the answer is read and sent in parts that end after 8 MiB of results, or one
/// result that is larger, so that a request takes some tens of MiB of the server's memory and no more. Whoever reads
/// slowly holds up nobody. With `limit` and `after` it comes in pages.
#[utoipa::path(get, path = "/handlers", operation_id = "list_handlers", tag = "handlers", params(ListQuery),
    responses((status = 200, body = Handlers), (status = 400, body = ErrorBody)))]
pub(super) async fn list(api: Shared, query: String) -> Answer {
    let mut filter = Filter::default();
    for (key, value) in pairs(&query)? {
        match key.as_str() {
            _ if value.is_empty() => (),
            "status" => filter.status.push(value),
            "workflow_name" => filter.workflow.push(value),
            "limit" => filter.limit = Some(value.parse().map_err(|_| ApiError::bad(format!("Invalid limit: '{value}'")))?),
            "after" => filter.after = Some(value),
            _ => (),
        }
    }
    filter.workflow = api.visitor.narrow(&api.host, filter.workflow).await?;
    if let Some(after) = filter.after.as_ref().filter(|_| api.visitor.is_restricted()) {
        // One that they do not know is none.
        match api.host.handler(after).await {
            Ok(view) if !api.visitor.knows(&view.workflow) => filter.workflow = vec![String::new()],
            Ok(_) | Err(Refusal::NotFound) => (),
            Err(refusal) => return Err(refusal.into()),
        }
    }
    let paged = filter.limit.is_some() || filter.after.is_some();
    let limit = filter.limit;
    // One more says whether there is a next page.
    filter.limit = limit.map(|limit| limit.saturating_add(1));
    let mut pages = api.host.handlers(filter).peekable();
    // What fails at once is an answer of its own; later the connection breaks.
    if let Some(Err(refusal)) = std::pin::Pin::new(&mut pages).next_if(Result::is_err).await {
        return Err(refusal.into());
    }
    let list = List { limit: limit.unwrap_or(usize::MAX), paged, ..List::default() };
    let chunks = stream::try_unfold(Some((pages, list)), |rest| async {
        let Some((mut pages, mut list)) = rest else { return Ok::<_, Refusal>(None) };
        match pages.try_next().await? {
            Some(page) => Ok(Some((list.page(&page), Some((pages, list))))),
            None => Ok(Some((list.end(), None))),
        }
    });
    Ok(body::json(chunks.boxed()))
}

/// The bytes of a list, page by page.
#[derive(Default)]
struct List {
    limit: usize,
    paged: bool,
    written: usize,
    last: Option<String>,
    more: bool,
}

impl List {
    fn page(&mut self, views: &[RunView]) -> Bytes {
        let mut bytes = Vec::new();
        for view in views {
            if self.written == self.limit {
                self.more = true;
                break;
            }
            bytes.extend_from_slice(if self.written == 0 { b"{\"handlers\":[" } else { b"," });
            serde_json::to_writer(&mut bytes, &Handler::of(view)).expect("a handler is JSON");
            self.written += 1;
            self.last = Some(view.handler.clone());
        }
        bytes.into()
    }

    fn end(self) -> Bytes {
        let mut bytes = if self.written == 0 { b"{\"handlers\":[".to_vec() } else { Vec::new() };
        bytes.push(b']');
        if self.paged {
            let next = self.last.filter(|_| self.more);
            bytes.extend_from_slice(b",\"next\":");
            serde_json::to_writer(&mut bytes, &next).expect("a name is JSON");
        }
        bytes.push(b'}');
        bytes.into()
    }
}

/// What became of a request.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    /// `cancelled`, `deleted` or `sent`.
    pub status: &'static str,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the query")]
pub(super) struct CancelQuery {
    /// `true`: delete the handler with all its runs, too.
    purge: Option<String>,
}

/// Cancels a handler's run; answers once it has ended.
#[utoipa::path(post, path = "/handlers/{handler_id}/cancel", operation_id = "cancel_handler", tag = "handlers", params(("handler_id" = String, Path), CancelQuery),
    responses((status = 200, body = Done), (status = 404, body = ErrorBody)))]
pub(super) async fn cancel(api: Shared, id: String, query: String) -> Answer {
    pairs(&query)?;
    // Whoever is asked what a key may do reads it with the same words.
    if purges(&query) {
        api.host.purge(&id).await?;
        return Ok(wire::json(StatusCode::OK, &Done { status: "deleted" }));
    }
    api.host.cancel(&id).await?;
    Ok(wire::json(StatusCode::OK, &Done { status: "cancelled" }))
}
