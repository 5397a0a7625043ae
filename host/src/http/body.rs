//! Bodies of requests, within their limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use warp::http::StatusCode;
use warp::{Filter, Rejection};

use super::Api;
use super::error::ApiError;
use crate::model::Fields;

/// How long a client may be silent within a body.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// What a body may take in all: this long, and a second more for so many bytes that have come.
const TIME_MAX: Duration = Duration::from_secs(30);
const BYTES_A_SECOND_MIN: u64 = 16 << 10;

/// How many bytes of a body that is too large are still read and dropped. A client that sends
/// all before it reads would otherwise see a broken connection instead of the answer.
const DROPPED_MAX: u64 = 16 << 20;

/// What all bodies may take together that are being read or looked at: more are refused, not waited for, so that
/// nobody keeps others out by being slow.
const ALL_KIB_MAX: usize = 512 << 10;

/// Room for bodies, shared by all requests.
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Room {
        Room(Arc::new(Semaphore::new(ALL_KIB_MAX)))
    }
}

/// A body, in its place until nobody looks at it.
struct Held {
    body: Vec<u8>,
    place: Option<OwnedSemaphorePermit>,
}

impl Held {
    fn add(&mut self, room: &Room, chunk: &[u8]) -> Result<(), ApiError> {
        let has = self.place.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needs = (self.body.len() + chunk.len()).div_ceil(1 << 10);
        let more = u32::try_from(needs.saturating_sub(has)).unwrap_or(u32::MAX);
        let more =
            room.0.clone().try_acquire_many_owned(more).map_err(|_| {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "The server is reading as many large bodies as it has room for")
            })?;
        match &mut self.place {
            Some(place) => place.merge(more),
            None => self.place = Some(more),
        }
        self.body.extend_from_slice(chunk);
        Ok(())
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// The whole body; or why it was not read.
/// `most`: of those that take less than others, in bytes.
pub(super) fn bytes(api: Arc<Api>, most: u64) -> impl Filter<Extract = (Result<Bytes, ApiError>,), Error = Rejection> + Clone {
    warp::header::optional::<u64>("content-length").and(warp::body::stream()).then(move |promised: Option<u64>, stream| {
        let (api, max) = (api.clone(), api.options.borrow().body_max.min(most));
        async move { read(&api.room, promised.unwrap_or(0), stream, max, TIME_MAX).await }
    })
}

/// `time_max`: without the seconds that it gains by bytes.
async fn read<B: Buf>(
    room: &Room,
    promised: u64,
    stream: impl futures_util::Stream<Item = Result<B, warp::Error>>,
    max: u64,
    time_max: Duration,
) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The request's body is larger than {max} bytes (limit body_max)"));
    if promised > max + DROPPED_MAX {
        return Err(too_large());
    }
    let begun = Instant::now();
    let mut stream = std::pin::pin!(stream);
    let mut held = Held { body: Vec::new(), place: None };
    let mut length = 0_u64;
    loop {
        let next = tokio::time::timeout(left(begun.elapsed(), length, time_max), stream.next()).await;
        let next = next.map_err(|_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "The request's body did not come in time"))?;
        let Some(part) = next else {
            return if length > max { Err(too_large()) } else { Ok(Bytes::from_owner(held)) };
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
            held.add(room, chunk)?;
            let read = chunk.len();
            part.advance(read);
        }
    }
}

/// How long the next part may take.
fn left(passed: Duration, length: u64, time_max: Duration) -> Duration {
    let gained = Duration::from_secs(length / BYTES_A_SECOND_MIN);
    (time_max + gained).saturating_sub(passed).min(SILENCE_MAX)
}

/// The fields of a JSON object, each as it came: whoever takes one checks it. `otherwise`: the
/// error where it is JSON, but no object.
pub(super) fn object(body: &Bytes, otherwise: impl FnOnce(&str) -> ApiError) -> Result<Fields, ApiError> {
    let invalid = |error: serde_json::Error| ApiError::bad(format!("Invalid JSON body: {error}"));
    // Some editors and shells put a byte order mark before a text.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii_start().starts_with(b"{") {
        return serde_json::from_slice(body).map_err(invalid);
    }
    let other: &RawValue = serde_json::from_slice(body).map_err(invalid)?;
    Err(otherwise(kind(other)))
}

fn kind(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    type Part = Result<Bytes, warp::Error>;

    /// A byte now and then, for ever.
    fn trickle() -> impl futures_util::Stream<Item = Part> {
        stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((Ok(Bytes::from_static(b" ")), ()))
        })
    }

    #[tokio::test]
    async fn a_body_that_never_ends_ends_in_time() {
        let soon = Duration::from_millis(20);
        let room = Room::default();
        let error = read(&room, 0, trickle(), 1 << 40, soon).await.expect_err("it does not come");
        assert_eq!(error.to_string(), "The request's body did not come in time");
        let error = read(&room, 0, stream::pending::<Part>(), 1 << 20, soon).await.expect_err("it does not come");
        assert_eq!(error.to_string(), "The request's body did not come in time");
    }

    #[tokio::test]
    async fn bodies_have_room_until_nobody_looks_at_them() {
        let room = Room(Arc::new(Semaphore::new(3)));
        let body = |length| stream::iter([Part::Ok(Bytes::from(vec![b' '; length])), Ok(Bytes::from_static(b"{}"))]);
        let read = async |length| read(&room, 0, body(length), 1 << 20, TIME_MAX).await;
        let first = read(2046).await.expect("it has room");
        let more = read(2046).await.expect_err("there is none left");
        assert_eq!(more.to_string(), "The server is reading as many large bodies as it has room for");
        assert_eq!(room.0.available_permits(), 1, "what was refused takes none");
        drop(read(512).await.expect("a small one has"));
        drop(first);
        assert_eq!(read(2046).await.expect("there is again").len(), 2048);
        assert_eq!(room.0.available_permits(), 3);
    }

    #[test]
    fn who_sends_much_has_more_time() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(40), 1 << 20, seconds(30)), seconds(30), "of 54, not all in silence");
        assert_eq!(left(seconds(90), 1 << 20, seconds(30)), seconds(4));
        assert_eq!(left(seconds(40), 100, seconds(30)), seconds(0));
    }
}
