//! Errors as the outside sees them: `{"detail": "<text>"}`.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::RETRY_AFTER as RETRY_AFTER_HEADER;
use warp::reply::Response;
use wf_engine::text::{self, MESSAGE_MAX};

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
    /// When it may be better, in seconds.
    retry_after: Option<u32>,
}

/// How long a client that is told to come again should wait, in seconds.
const RETRY_AFTER: u32 = 1;

impl ApiError {
    /// A detail that says more than people read is cut.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> ApiError {
        let detail = text::cut(detail.into(), MESSAGE_MAX);
        let passes = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        ApiError { status, detail, retry_after: passes.then_some(RETRY_AFTER) }
    }

    pub(super) fn bad(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn response(&self) -> Response {
        let mut response = wire::json(self.status, &ErrorBody { detail: self.detail.clone() });
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER_HEADER, seconds.into());
        }
        response
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
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
            Refusal::InboxFull => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Unfit { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        ApiError::new(status, refusal.to_string())
    }
}
