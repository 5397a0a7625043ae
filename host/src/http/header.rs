//! What a request's headers say.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use warp::http::HeaderMap;

use super::error::ApiError;
use crate::model::Idempotency;

/// A header's text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The request's key, with the hash of its body.
pub(super) fn idempotency(headers: &HeaderMap, body: &Bytes) -> Result<Option<Idempotency>, ApiError> {
    if !headers.contains_key("idempotency-key") {
        return Ok(None);
    }
    let key = text(headers, "idempotency-key").filter(|key| (1..=255).contains(&key.len()));
    let key = key.ok_or_else(|| ApiError::bad("Idempotency-Key must be a text of 1 to 255 bytes"))?;
    Ok(Some(Idempotency { key: key.to_owned(), body: Sha256::digest(body).into() }))
}
