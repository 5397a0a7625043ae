//! Signing in at the page, and out again.

use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;
use warp::Reply;
use warp::http::header::{ACCEPT, CACHE_CONTROL, HeaderValue, LOCATION, SET_COOKIE};
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::door::{UNKNOWN, is_foreign, unauthorized};
use super::error::{ApiError, ErrorBody};
use super::handlers::Done;
use super::{Answer, Shared, header, page, uri, wire};
use crate::keys::{self, SESSION_MAX};

/// Longest form that somebody signs in with, in bytes.
pub(super) const FORM_MAX: u64 = 4 << 10;

/// Who asks, as the server sees them.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// The name of their key; null: nobody needs one.
    key: Option<String>,
    /// What it is good for: `read`, `run`, `admin`.
    scopes: Vec<String>,
    /// Which workflows it knows, as patterns; empty: all.
    workflows: Vec<String>,
    /// Whether they have signed in, and can sign out.
    signed_in: bool,
    /// Whether nothing can be started or changed: the runs of a file are shown to be looked at.
    read_only: bool,
    /// What it means that nobody needs a key; null: somebody does, or nothing can be started.
    notice: Option<String>,
}

/// Says who asks, and what a server without keys is open to.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "get_session", tag = "server", responses((status = 200, body = Session)))]
pub(super) async fn get(api: Shared, headers: HeaderMap) -> Answer {
    let key = api.visitor.key();
    let read_only = api.options.borrow().read_only.is_some();
    let notice = (key.is_none() && !read_only).then(|| match api.address {
        Some(address) if address.ip().is_loopback() => {
            "Without keys, every user and program of this machine can start workflows and read runs.".to_owned()
        }
        Some(address) => format!("Without keys, whoever reaches {address} can start workflows and read runs."),
        None => "Without keys, whoever reaches this server can start workflows and read runs.".to_owned(),
    });
    let shown = Session {
        key: key.map(|it| it.name.clone()),
        scopes: key.iter().flat_map(|it| it.scopes.iter().map(ToString::to_string)).collect(),
        workflows: key.map(|it| it.workflows.iter().map(ToString::to_string).collect()).unwrap_or_default(),
        signed_in: key.is_some() && api.visitor.door().session(&headers).is_some(),
        read_only,
        notice,
    };
    Ok(wire::json(StatusCode::OK, &shown))
}

/// A key, as a form sends it.
#[derive(Serialize, ToSchema)]
pub(super) struct SignInForm {
    /// The key.
    key: String,
}

/// Signs in: whoever shows a key gets a cookie, and is sent to the page.
#[utoipa::path(post, path = "/api/v1/sign-in", operation_id = "sign_in", tag = "server",
    request_body(content = SignInForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "To the page; with a cookie, where keys are needed"), (status = 401, description = "It is no key", body = ErrorBody),
        (status = 403, description = "Another page's request", body = ErrorBody), (status = 413, body = ErrorBody),
        (status = 429, description = "Too many wrong keys came from this address", body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(super) async fn sign_in(api: Shared, headers: HeaderMap, body: Result<Bytes, ApiError>) -> Answer {
    if is_foreign(&api.options.borrow(), &headers) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "Nobody signs in from another page"));
    }
    let body = body?;
    let body = std::str::from_utf8(&body).map_err(|_| ApiError::bad("The form is no UTF-8"))?;
    let pairs = uri::pairs(body)?;
    let door = api.visitor.door();
    if !door.is_locked() {
        return Ok(to_page(None));
    }
    let key = pairs.into_iter().find(|(name, _)| name == "key").map(|(_, value)| value.trim().to_owned()).unwrap_or_default();
    match door.sign_in(key, api.visitor.address()).await.map_err(unavailable)? {
        Some(session) => Ok(to_page(Some(door.cookie(&api.options.borrow(), &session, SESSION_MAX / 1_000_000)))),
        None => {
            let people = header::text(&headers, ACCEPT.as_str()).is_some_and(|it| it.contains("text/html"));
            let refused = || if people { page::sign_in(Some(UNKNOWN)) } else { unauthorized(UNKNOWN, true) };
            Ok(door.turned_away("/api/v1/sign-in", api.visitor.address()).unwrap_or_else(refused))
        }
    }
}

/// Signs out: the cookie is worth nothing from here on.
#[utoipa::path(post, path = "/api/v1/sign-out", operation_id = "sign_out", tag = "server",
    responses((status = 200, body = Done), (status = 403, description = "Another page's request", body = ErrorBody), (status = 413, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(super) async fn sign_out(api: Shared, headers: HeaderMap) -> Answer {
    let door = api.visitor.door();
    if let Some(session) = door.session(&headers) {
        door.sign_out(session).await.map_err(unavailable)?;
    }
    let mut response = wire::json(StatusCode::OK, &Done { status: "signed out" });
    response.headers_mut().insert(SET_COOKIE, door.cookie(&api.options.borrow(), "", 0));
    Ok(response)
}

fn unavailable(error: keys::Error) -> ApiError {
    tracing::error!("{error}; {}", error.hint());
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "Who is signed in cannot be kept")
}

/// Relative, as a proxy may have put the server below a path of its own.
fn to_page(cookie: Option<HeaderValue>) -> Response {
    let mut response = warp::reply().into_response();
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("../../"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
