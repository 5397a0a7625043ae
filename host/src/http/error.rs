//! Errors as the outside sees them: `{"detail": "<text>"}`.

use std::fmt;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::RETRY_AFTER as RETRY_AFTER_HEADER;
use warp::reply::Response;
use wf_engine::text::{self, MESSAGE_MAX};

use super::{Answer, wire};
use crate::model::Refusal;

/// An error.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorBody {
    /// What happened.
    detail: String,
    /// The handler of a run that goes on, where nobody can be told how it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    handler_id: Option<String>,
}

/// An error with the status and the text that the API gives it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    detail: String,
    handler: Option<String>,
    /// When it may be better, in seconds.
    retry_after: Option<u32>,
}

/// How long a client that is told to come again should wait, in seconds.
pub(super) const RETRY_AFTER: u32 = 1;

impl ApiError {
    /// A detail that says more than people read is cut.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> ApiError {
        let detail = text::cut(detail.into(), MESSAGE_MAX);
        let passes = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        ApiError { status, detail, handler: None, retry_after: passes.then_some(RETRY_AFTER) }
    }

    pub(super) fn bad(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, detail)
    }

    /// An event that cannot be taken as it came.
    pub(super) fn bad_event(why: impl fmt::Display) -> ApiError {
        const WORDS: &str = "Failed to deserialize event: ";
        let why = why.to_string();
        // A component may have said so of a start event.
        ApiError::bad(if why.starts_with(WORDS) { why } else { format!("{WORDS}{why}") })
    }

    /// Of a request that waited for the end of this handler's run, which goes on.
    pub(super) fn of_run(mut self, handler: String) -> ApiError {
        self.handler = Some(handler);
        self
    }

    pub(super) fn response(&self) -> Response {
        let mut response = wire::json(self.status, &ErrorBody { detail: self.detail.clone(), handler_id: self.handler.clone() });
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER_HEADER, seconds.into());
        }
        response
    }
}

/// What an endpoint answers, be it an error. Boxed, as `reading` and `writing` of the routes are: all that a route is made
/// of is part of its type, and took a quarter of the compiler's time.
pub(super) fn answer(answer: impl Future<Output = Answer> + Send + 'static) -> BoxFuture<'static, Response> {
    answer.map(|answer| answer.unwrap_or_else(|error| error.response())).boxed()
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
        match refusal {
            Refusal::NotFound => ApiError::not_found("Handler not found"),
            Refusal::AlreadyRunning(handler) => ApiError::new(StatusCode::CONFLICT, format!("Handler '{handler}' is already running")),
            Refusal::AlreadyCompleted => ApiError::new(StatusCode::CONFLICT, "Workflow already completed"),
            Refusal::KeyReused => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Idempotency-Key was used before with another body"),
            Refusal::UnknownEvent { name, expected } => {
                ApiError::bad(format!("Invalid event type: {name}. Expected one of {}", expected.join(", ")))
            }
            Refusal::Invalid(why) => ApiError::bad(why),
            Refusal::UnknownStep(step) => ApiError::bad(format!("Failed to send event: Step {step} does not exist")),
            Refusal::NotAccepted { step, event } => ApiError::bad(format!("Failed to send event: Step {step} does not accept {event}")),
            Refusal::NotWaiting(id) => ApiError::bad(format!("Failed to send event: Invocation {id} does not wait for it")),
            Refusal::InboxFull { events_max, bytes_max } => ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!(
                    "The run's inbox is full: it keeps at most {events_max} events, and {} MiB of them, that nothing has taken yet (limit inbox_max)",
                    bytes_max >> 20
                ),
            ),
            Refusal::Queued => ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "The run has not begun: it queues, because as many runs of its workflow go on as may",
            ),
            Refusal::Unfit { run, why } => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("Run '{run}' cannot be read: {why}")),
            Refusal::Unavailable(why) => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, format!("The server is not available: {why}")),
        }
    }
}
