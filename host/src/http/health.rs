//! Whether the server takes requests.

use serde::Serialize;
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::RETRY_AFTER as RETRY_AFTER_HEADER;

use super::error::RETRY_AFTER;
use super::{Answer, Shared, wire};

/// Whether the server takes requests.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    /// Why it is not healthy; or what is about to go wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    reason: Option<String>,
}

/// Says whether the server takes requests: not while it starts or stops, nor while its store takes no writes.
#[utoipa::path(get, path = "/health", operation_id = "get_health", tag = "server", responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(super) async fn get(api: Shared) -> Answer {
    match api.host.health() {
        Ok(()) => Ok(wire::json(StatusCode::OK, &Health { status: "healthy", reason: api.host.warning() })),
        Err(refusal) => {
            let reason = Some(refusal.to_string());
            let mut response = wire::json(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "unhealthy", reason });
            response.headers_mut().insert(RETRY_AFTER_HEADER, RETRY_AFTER.into());
            Ok(response)
        }
    }
}
