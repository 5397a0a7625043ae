//! Bodies of requests, within their limits.

use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use warp::http::StatusCode;
use warp::{Filter, Rejection};

use super::error::ApiError;
use crate::envelope::Fields;

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

/// The fields of a JSON object. `otherwise`: the error where it is JSON, but no object.
pub(super) fn object(body: &Bytes, otherwise: impl FnOnce(&str) -> ApiError) -> Result<Fields, ApiError> {
    let invalid = |error: serde_json::Error| ApiError::bad(format!("Invalid JSON body: {error}"));
    // Read as a whole first: nesting that is too deep for us is found here.
    let value: serde_json::Value = serde_json::from_slice(body).map_err(invalid)?;
    if !value.is_object() {
        return Err(otherwise(kind(&value)));
    }
    serde_json::from_slice(body).map_err(invalid)
}

fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a text",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}
