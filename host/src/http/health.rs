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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use http_body_util::BodyExt;
    use serde_json::Value;
    use wf_tests::wasm::Module;

    use super::*;
    use crate::http::costs::api_of;
    use crate::store::Sqlite;

    async fn answer(api: &Shared) -> (StatusCode, bool, Value) {
        let response = get(api.clone()).await.expect("an answer");
        let (status, again) = (response.status(), response.headers().contains_key(RETRY_AFTER_HEADER));
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, again, serde_json::from_slice(&body).expect("JSON"))
    }

    #[tokio::test]
    async fn a_store_whose_writer_is_gone_is_unhealthy() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = File::create(folder.path().join("lock")).expect("a file");
        let store = Arc::new(Sqlite::open(&folder.path().join("wf-host.db"), lock).expect("it opens"));
        let manifest = r#"{"name":"echo","steps":[{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#;
        let api = api_of(&folder, store.clone(), Module::echoing(manifest)).await;
        assert_eq!(answer(&api).await, (StatusCode::OK, false, serde_json::json!({"status": "healthy"})));
        store.lose_writer().await;
        let (status, again, body) = answer(&api).await;
        assert_eq!((status, again), (StatusCode::SERVICE_UNAVAILABLE, true));
        assert_eq!(
            body,
            serde_json::json!({"status": "unhealthy", "reason": "the host is not available: the store is not available: its writer has ended"})
        );
    }
}
