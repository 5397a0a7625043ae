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
}

/// Says whether the server takes requests: not while it starts or stops.
#[utoipa::path(get, path = "/health", operation_id = "get_health", tag = "server", responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(super) async fn get(api: Shared) -> Answer {
    let (status, text) = if api.host.is_healthy() { (StatusCode::OK, "healthy") } else { (StatusCode::SERVICE_UNAVAILABLE, "unhealthy") };
    Ok(wire::json(status, &Health { status: text }))
}
