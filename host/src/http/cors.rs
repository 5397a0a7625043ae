//! Which pages may use the server.

use hyper::Request;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderValue, ORIGIN, VARY,
};
use warp::http::{Method, StatusCode};
use warp::reply::Response;

use super::Options;
use super::error::ApiError;

/// The allowed origin of a request; or the answer, to a preflight or to a change that another
/// origin asks for.
pub(super) fn check<B>(options: &Options, request: &Request<B>) -> Result<Option<HeaderValue>, Box<Response>> {
    let Some(origin) = request.headers().get(ORIGIN) else { return Ok(None) };
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let allowed = origin.to_str().is_ok_and(|origin| is_allowed(options, origin, host));
    let preflight = request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if preflight && allowed {
        return Err(Box::new(preflight_answer(origin, request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS))));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !allowed && (changes || preflight) {
        let error = ApiError::new(StatusCode::FORBIDDEN, "This origin is not allowed; the server's --cors-origin names those that are");
        return Err(Box::new(error.response()));
    }
    Ok(allowed.then(|| origin.clone()))
}

/// Tells the browser that the page may read the answer.
pub(super) fn allow(origin: Option<HeaderValue>, response: &mut Response) {
    let Some(origin) = origin else { return };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(VARY, HeaderValue::from_static("Origin"));
}

fn preflight_answer(origin: &HeaderValue, requested: Option<&HeaderValue>) -> Response {
    let mut response = Response::default();
    allow(Some(origin.clone()), &mut response);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, OPTIONS"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(requested) = requested {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
    }
    response
}

fn is_allowed(options: &Options, origin: &str, host: Option<&str>) -> bool {
    options.cors_origins.iter().any(|allowed| allowed == "*") || is_named(options, origin, host)
}

/// Whether an origin is the server's own, or one that was named: not one of all.
pub(super) fn is_named(options: &Options, origin: &str, host: Option<&str>) -> bool {
    let public = options.public_url.as_deref().map(origin_of);
    // Without TLS here there may be some before us, where the public URL does not say otherwise.
    let by_tls = |host| options.tls.is_some() || public.is_some_and(|it| it.strip_prefix("https://") == Some(host));
    let own = origin
        .split_once("://")
        .is_some_and(|(scheme, name)| Some(name) == host && (scheme == "https" || scheme == "http" && !by_tls(name)));
    own || public == Some(origin) || options.cors_origins.iter().any(|allowed| allowed.trim_end_matches('/') == origin)
}

/// Scheme, host and port of a URL.
fn origin_of(url: &str) -> &str {
    let Some(start) = url.find("://").map(|at| at + 3) else { return url };
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_public_and_named_origins_are_allowed() {
        let options = Options {
            cors_origins: vec!["http://app.test/".into()],
            public_url: Some("https://wf.test/here".into()),
            ..Options::default()
        };
        let allowed = |origin: &str| is_allowed(&options, origin, Some("localhost:8080"));
        assert!(allowed("http://localhost:8080"));
        assert!(allowed("https://wf.test"));
        assert!(allowed("http://app.test"));
        assert!(!allowed("http://evil.test"));
        assert!(!allowed("http://localhost:8081"));
        assert!(!allowed("null"));
    }

    #[test]
    fn the_scheme_of_its_own_origin_counts_where_it_is_reached_by_tls() {
        let public = Options { public_url: Some("https://wf.test".into()), ..Options::default() };
        let named = |options: &Options, origin: &str| is_named(options, origin, origin.split_once("://").map(|(_, host)| host));
        for (origin, with_public, without) in [
            ("https://wf.test", true, true),
            ("http://wf.test", false, true),
            ("http://localhost:8080", true, true),
            ("https://localhost:8080", true, true),
            ("ftp://localhost:8080", false, false),
        ] {
            assert_eq!((named(&public, origin), named(&Options::default(), origin)), (with_public, without), "{origin}");
        }
    }

    #[test]
    fn changes_from_elsewhere_are_refused_and_reading_is_not_told_to_the_browser() {
        let request = |method: Method| {
            Request::builder().method(method).header(ORIGIN, "http://evil.test").header(HOST, "us").body(()).expect("request")
        };
        let refused = check(&Options::default(), &request(Method::POST)).expect_err("refused");
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(check(&Options::default(), &request(Method::GET)).expect("passes").is_none());
    }
}
