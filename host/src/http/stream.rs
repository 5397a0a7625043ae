//! A run's stream as bytes: server-sent events, or a line each.

use std::sync::Mutex;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use warp::Reply;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;

use crate::model::{Fields, Frame, Refusal};

/// A reader that hears nothing for so long is told that we are still there.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// What a reader wants.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub sse: bool,
    pub internal: bool,
    pub qualified: bool,
}

pub(super) fn response(frames: BoxStream<'static, Vec<Frame>>, form: Form) -> Response {
    let chunks = stream::unfold(frames, move |frames| next(frames, form)).map(Ok).boxed();
    let kind = if form.sse { "text/event-stream; charset=utf-8" } else { "application/x-ndjson" };
    let mut response = body(chunks, kind);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx would keep the frames until it has a pageful.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// JSON that is too long to be held in memory. Where it fails, the connection breaks.
pub(super) fn json(chunks: BoxStream<'static, Result<Bytes, Refusal>>) -> Response {
    body(chunks, "application/json")
}

fn body(chunks: BoxStream<'static, Result<Bytes, Refusal>>, kind: &'static str) -> Response {
    // A body must be `Sync`, which no boxed stream is; nobody else ever locks it.
    let mut chunks = Mutex::new(chunks);
    let chunks = stream::poll_fn(move |context| chunks.get_mut().expect("never locked").poll_next_unpin(context));
    let mut response = warp::reply::stream(chunks).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

async fn next(mut frames: BoxStream<'static, Vec<Frame>>, form: Form) -> Option<(Bytes, BoxStream<'static, Vec<Frame>>)> {
    loop {
        let batch = match tokio::time::timeout(HEARTBEAT, frames.next()).await {
            Ok(batch) => batch?,
            Err(_) if form.sse => return Some((Bytes::from_static(b": heartbeat\n\n"), frames)),
            // An empty line, which readers of lines pass over.
            Err(_) => return Some((Bytes::from_static(b"\n"), frames)),
        };
        let bytes = render(&batch, form);
        if !bytes.is_empty() {
            return Some((bytes, frames));
        }
    }
}

fn render(batch: &[Frame], form: Form) -> Bytes {
    let mut bytes = BytesMut::new();
    for frame in batch.iter().filter(|frame| form.internal || !frame.internal) {
        let envelope = if form.qualified { frame.envelope.clone() } else { unqualified(&frame.envelope) };
        if form.sse {
            bytes.put_slice(format!("id: {}\ndata: ", frame.sequence).as_bytes());
        }
        // A payload may have come with line breaks between its tokens; a frame is one line.
        bytes.extend(envelope.iter().map(|&byte| if byte == b'\n' || byte == b'\r' { b' ' } else { byte }));
        bytes.put_slice(if form.sse { b"\n\n" } else { b"\n" });
    }
    bytes.freeze()
}

/// The envelope with `"qualified_name":null`.
fn unqualified(envelope: &Bytes) -> Bytes {
    let Ok(mut fields) = serde_json::from_slice::<Fields>(envelope) else { return envelope.clone() };
    for (key, value) in &mut fields.0 {
        if key == "qualified_name" {
            *value = serde_json::value::RawValue::NULL.to_owned();
        }
    }
    fields.text().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_rendered_byte_for_byte() {
        let frame = |sequence, internal, envelope: &'static str| Frame {
            sequence,
            internal,
            terminal: false,
            envelope: Bytes::from_static(envelope.as_bytes()),
        };
        let batch =
            [frame(0, true, "{}"), frame(1, false, "{\"value\":{\"a\":\n1},\"qualified_name\":\"w.A\",\"type\":\"A\",\"types\":null}")];
        let sse = render(&batch, Form { sse: true, internal: false, qualified: true });
        assert_eq!(sse, "id: 1\ndata: {\"value\":{\"a\": 1},\"qualified_name\":\"w.A\",\"type\":\"A\",\"types\":null}\n\n");
        let lines = render(&batch, Form { sse: false, internal: true, qualified: false });
        assert_eq!(lines, "{}\n{\"value\":{\"a\": 1},\"qualified_name\":null,\"type\":\"A\",\"types\":null}\n");
    }
}
