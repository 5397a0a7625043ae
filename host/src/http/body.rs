//! Bodies of requests, within their limits.

use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use warp::http::StatusCode;
use warp::{Filter, Rejection};

use super::error::ApiError;
use crate::model::Fields;

/// How long a client may be silent within a body.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// How many bytes of a body that is too large are still read and dropped. A client that sends
/// all before it reads would otherwise see a broken connection instead of the answer.
const DROPPED_MAX: u64 = 16 << 20;

/// The whole body; or why it was not read.
pub(super) fn bytes(max: u64) -> impl Filter<Extract = (Result<Bytes, ApiError>,), Error = Rejection> + Clone {
    warp::header::optional::<u64>("content-length")
        .and(warp::body::stream())
        .then(move |promised: Option<u64>, stream| read(promised.unwrap_or(0), stream, max))
}

async fn read<B: Buf>(
    promised: u64,
    stream: impl futures_util::Stream<Item = Result<B, warp::Error>>,
    max: u64,
) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The request's body is larger than {max} bytes"));
    if promised > max + DROPPED_MAX {
        return Err(too_large());
    }
    let mut stream = std::pin::pin!(stream);
    let mut body = Vec::new();
    let mut length = 0;
    loop {
        let next = tokio::time::timeout(SILENCE_MAX, stream.next()).await;
        let next = next.map_err(|_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "The request's body did not come in time"))?;
        let Some(part) = next else {
            return if length > max { Err(too_large()) } else { Ok(body.into()) };
        };
        let mut part = part.map_err(|error| ApiError::bad(format!("The request's body broke off: {error}")))?;
        length += part.remaining() as u64;
        if length > max + DROPPED_MAX {
            return Err(too_large());
        }
        if length > max {
            continue;
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            body.extend_from_slice(chunk);
            let read = chunk.len();
            part.advance(read);
        }
    }
}

/// The fields of a JSON object, each as it came: whoever takes one checks it. `otherwise`: the
/// error where it is JSON, but no object.
pub(super) fn object(body: &Bytes, otherwise: impl FnOnce(&str) -> ApiError) -> Result<Fields, ApiError> {
    let invalid = |error: serde_json::Error| ApiError::bad(format!("Invalid JSON body: {error}"));
    // Some editors and shells put a byte order mark before a text.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let whole: &RawValue = serde_json::from_slice(body).map_err(invalid)?;
    match kind(whole) {
        "an object" => Fields::deserialize(whole).map_err(invalid),
        other => Err(otherwise(other)),
    }
}

fn kind(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}
