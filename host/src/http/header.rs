//! What a request's headers say.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use warp::http::HeaderMap;

use super::error::ApiError;
use crate::model::Idempotency;

/// Longest Idempotency-Key, in bytes.
const KEY_MAX: usize = 255;

/// A header's text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The request's key, with the hash of its body.
pub(super) fn idempotency(headers: &HeaderMap, body: &Bytes) -> Result<Option<Idempotency>, ApiError> {
    if !headers.contains_key("idempotency-key") {
        return Ok(None);
    }
    let key = text(headers, "idempotency-key");
    let limit = if key.is_some_and(|key| key.len() > KEY_MAX) { " (limit idempotency_key_max)" } else { "" };
    let key = key.filter(|key| (1..=KEY_MAX).contains(&key.len()));
    let key = key.ok_or_else(|| ApiError::bad(format!("Idempotency-Key must be a text of 1 to {KEY_MAX} bytes{limit}")))?;
    Ok(Some(Idempotency { key: key.to_owned(), body: Sha256::digest(body).into() }))
}
