//! Long answers, which are made small for whoever says that they can read that.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use warp::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::{header, wire};

/// A shorter one goes as it is, in bytes: it would hardly be smaller.
const LONG: usize = 4 << 10;

/// Whether a client reads gzip.
pub(super) fn takes(headers: &HeaderMap) -> bool {
    let names = |it: &str| {
        let (name, weight) = it.split_once(';').unwrap_or((it, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|it| it.trim().parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    };
    header::text(headers, ACCEPT_ENCODING.as_str()).is_some_and(|it| it.split(',').any(names))
}

/// A response with compact JSON. It may be long: this is for a thread that answers nobody.
pub(super) fn json(takes: bool, value: &impl Serialize) -> Response {
    let text = wire::text(value);
    let small = (takes && text.len() > LONG).then(|| {
        let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
        encoder.write_all(&text).and_then(|()| encoder.finish()).expect("memory takes it")
    });
    let is_small = small.is_some();
    let mut response = wire::response(StatusCode::OK, small.unwrap_or(text));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    if is_small {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_so_is_given_gzip() {
        let takes = |said: &str| super::takes(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(said).expect("a header"))]));
        for said in ["gzip", "br, gzip", "GZIP;q=0.5", "deflate , gzip ; q=1"] {
            assert!(takes(said), "{said}");
        }
        for said in ["", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip", "identity"] {
            assert!(!takes(said), "{said}");
        }
    }
}
