//! The page at `/`, and its files: built by `make ui`, compressed there, embedded here.

use include_dir::{Dir, include_dir};
use warp::Reply;
use warp::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, VARY, WWW_AUTHENTICATE};
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::error::ApiError;
use super::{Answer, Shared, compressed};

static FILES: Dir = include_dir!("$OUT_DIR/ui");
/// Where the page was not built.
const NOT_BUILT: &str = include_str!("page.html");
/// The page asks nobody but its own server. The checks of its forms are compiled from schemas, by `eval`.
const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";
/// What whoever comes without a key sees.
const SIGN_IN: &str = include_str!("sign-in.html");
/// Where it says what was wrong.
const PROBLEM: &str = "<!-- problem -->";
/// Where its form goes.
const FORM_AT_ROOT: &str = "action=\"./api/v1/sign-in\"";

pub(super) async fn index(_: Shared, headers: HeaderMap) -> Answer {
    if FILES.get_file("index.html").is_none() {
        return Ok(warp::reply::html(NOT_BUILT).into_response());
    }
    let mut response = file("index.html", &headers)?;
    // The names of its files change with what is in them, so it alone is asked for again.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}

/// The page that asks for a key; with what was wrong with the last one.
pub(super) fn sign_in(problem: Option<&str>) -> Response {
    let text = match problem {
        None => SIGN_IN.to_owned(),
        // Shown in answer to its own form, it is somewhere else.
        Some(text) => SIGN_IN
            .replace(PROBLEM, &format!("<p id=\"problem\" role=\"alert\">⚠ {text}</p>"))
            .replace(FORM_AT_ROOT, "action=\"./sign-in\""),
    };
    let mut response = warp::reply::html(text).into_response();
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let challenge = HeaderValue::from_static("Bearer realm=\"wf-host\"");
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

pub(super) async fn asset(_: Shared, name: String, headers: HeaderMap) -> Answer {
    let mut response = file(&name, &headers)?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Ok(response)
}

fn file(name: &str, headers: &HeaderMap) -> Answer {
    let plain = FILES.get_file(name).ok_or_else(|| ApiError::not_found("Not Found"))?;
    let small = FILES.get_file(format!("{name}.gz"));
    let (file, encoded) = match small.filter(|_| compressed::takes(headers)) {
        Some(file) => (file, true),
        None => (plain, false),
    };
    let mut response = Response::new(file.contents().into());
    *response.status_mut() = StatusCode::OK;
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    if encoded {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_the_page_says_how_to_make_it() {
        assert!(SIGN_IN.contains(PROBLEM) && SIGN_IN.contains(FORM_AT_ROOT));
        assert!(NOT_BUILT.contains("<code>make ui</code>") && NOT_BUILT.contains("<div id=\"root\">"));
    }
}
