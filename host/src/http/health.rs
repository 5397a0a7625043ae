//! Whether the server takes requests.

use serde_json::json;
use warp::http::StatusCode;

use super::{Answer, Shared, wire};

pub(super) async fn get(api: Shared) -> Answer {
    let (status, text) = if api.host.is_healthy() { (StatusCode::OK, "healthy") } else { (StatusCode::SERVICE_UNAVAILABLE, "unhealthy") };
    Ok(wire::json(status, &json!({ "status": text })))
}
