//! Errors as the outside sees them: `{"detail": "<text>"}`.

use serde::Serialize;
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;

use super::wire;
use crate::host::Refusal;

/// An error.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorBody {
    /// What happened.
    detail: String,
}

/// An error with the status and the text that the API gives it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    detail: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> ApiError {
        ApiError { status, detail: detail.into() }
    }

    pub(super) fn bad(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn response(&self) -> Response {
        wire::json(self.status, &ErrorBody { detail: self.detail.clone() })
    }
}

impl warp::Reply for ApiError {
    fn into_response(self) -> Response {
        self.response()
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let status = match refusal {
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::AlreadyRunning(_) | Refusal::AlreadyCompleted => StatusCode::CONFLICT,
            Refusal::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::UnknownEvent { .. } | Refusal::BadEvent(_) | Refusal::BadStep(_) => StatusCode::BAD_REQUEST,
            Refusal::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        ApiError::new(status, refusal.to_string())
    }
}
