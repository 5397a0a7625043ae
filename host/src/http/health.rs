//! Whether the server takes requests.

use serde::Serialize;
use utoipa::ToSchema;
use warp::http::StatusCode;

use super::{Answer, Shared, wire};

/// Whether the server takes requests.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    /// Why it is not healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    reason: Option<String>,
}

/// Says whether the server takes requests: not while it starts or stops, nor while its store takes no writes.
#[utoipa::path(get, path = "/health", operation_id = "get_health", tag = "server", responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(super) async fn get(api: Shared) -> Answer {
    match api.host.health() {
        Ok(()) => Ok(wire::json(StatusCode::OK, &Health { status: "healthy", reason: None })),
        Err(refusal) => {
            let reason = Some(refusal.to_string());
            Ok(wire::json(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "unhealthy", reason }))
        }
    }
}
