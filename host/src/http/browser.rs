//! What every answer tells a browser.

use warp::http::header::{
    CACHE_CONTROL, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use warp::reply::Response;

/// What every answer carries. A form's request would have no origin without a referrer.
const ALWAYS: [(HeaderName, &str); 3] =
    [(X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "same-origin"), (X_FRAME_OPTIONS, "SAMEORIGIN")];
/// The name is reached by TLS alone from now on, for a year.
const BY_TLS: &str = "max-age=31536000";

/// Adds it. `locked`: what is told to one is for nobody else, and nobody between keeps it.
pub(super) fn warn(response: &mut Response, by_tls: bool, locked: bool) {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if by_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(BY_TLS));
    }
    if locked {
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}
