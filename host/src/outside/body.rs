//! The body of an answer, as it comes: what has come while nobody read is read at once, and no more than a little comes
//! ahead of who reads.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use wf_engine::entry::{Chunk, Failure};

use super::broken::broken;
use super::redact::Redactor;

/// Most bytes that one read gives.
const CHUNK_MAX: usize = 64 << 10;
/// How much may have come that nobody has read, in KiB.
const AHEAD_MAX: u32 = 256;
/// Longest body, in bytes: all of it is journaled.
const RESPONSE_MAX: usize = 16 << 20;

/// The body of an answer. Dropped, nothing more of it comes.
pub struct Body {
    parts: UnboundedReceiver<Part>,
    /// The next part, where somebody has waited for it. Within: none, after the last.
    next: Option<Option<Part>>,
    /// What has come and was not read.
    rest: Bytes,
    redactor: Redactor,
    /// What is told once all before it was read.
    last: Option<Chunk>,
    _pump: Option<AbortOnDropHandle<()>>,
    _turn: Option<OwnedSemaphorePermit>,
}

struct Part {
    bytes: Result<Bytes, Failure>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Body {
    pub(super) fn new(response: reqwest::Response, idle: Duration, until: Instant, redactor: Redactor, turn: OwnedSemaphorePermit) -> Body {
        let (sender, parts) = unbounded_channel();
        let pump = AbortOnDropHandle::new(tokio::spawn(pump(response, idle, until, sender)));
        Body { parts, next: None, rest: Bytes::new(), redactor, last: None, _pump: Some(pump), _turn: Some(turn) }
    }

    /// One that is all there. `cut`: how it ends before its end.
    pub(super) fn whole(bytes: Vec<u8>, cut: Option<Failure>) -> Body {
        let (sender, parts) = unbounded_channel();
        for bytes in [Ok(Bytes::from(bytes))].into_iter().chain(cut.map(Err)) {
            // Whoever reads is below.
            let _ = sender.send(Part { bytes, _room: None });
        }
        Body { parts, next: None, rest: Bytes::new(), redactor: Redactor::default(), last: None, _pump: None, _turn: None }
    }

    /// Waits until a read finds something. Given up meanwhile, nothing is lost.
    pub async fn comes(&mut self) {
        if self.rest.is_empty() && self.last.is_none() && self.next.is_none() {
            self.next = Some(self.parts.recv().await);
        }
    }

    /// Whether a read finds something at once.
    pub fn has_come(&mut self) -> bool {
        self.comes().now_or_never().is_some()
    }

    /// Waits for more of it.
    pub async fn read(&mut self) -> Chunk {
        while self.rest.is_empty() && self.last.is_none() {
            self.comes().await;
            let first = self.next.take().flatten();
            let mut told = Vec::new();
            let mut part = first;
            loop {
                match part {
                    Some(Part { bytes: Ok(bytes), .. }) => told.extend(self.redactor.push(&bytes)),
                    Some(Part { bytes: Err(failure), .. }) => self.last = Some(Chunk::Failed(failure)),
                    None => self.last = Some(Chunk::End),
                }
                if self.last.is_some() || told.len() >= CHUNK_MAX {
                    break;
                }
                match self.parts.try_recv() {
                    Ok(next) => part = Some(next),
                    Err(_) => break,
                }
            }
            if self.last.is_some() {
                told.extend(self.redactor.end());
            }
            self.rest = told.into();
        }
        if self.rest.is_empty() {
            return self.last.clone().unwrap_or(Chunk::End);
        }
        Chunk::of(&self.rest.split_to(self.rest.len().min(CHUNK_MAX)))
    }
}

async fn pump(mut response: reqwest::Response, idle: Duration, until: Instant, parts: UnboundedSender<Part>) {
    let (ahead, mut came) = (Arc::new(Semaphore::new(AHEAD_MAX as usize)), 0);
    let origin = response.url().origin().ascii_serialization();
    let failure = loop {
        let bytes = match timeout_at(until, timeout(idle, response.chunk())).await {
            Err(_) => break Failure::new("timeout", format!("the answer of `{origin}` did not end in time"), true),
            Ok(Err(_)) => break Failure::new("timeout", format!("nothing more of the answer of `{origin}` came for {idle:?}"), true),
            Ok(Ok(Err(error))) => break broken(&origin, &error),
            Ok(Ok(Ok(None))) => return,
            Ok(Ok(Ok(Some(bytes)))) => bytes,
        };
        came += bytes.len();
        if came > RESPONSE_MAX {
            let message = format!("the answer of `{origin}` is longer than {RESPONSE_MAX} bytes (limit response_max)");
            break Failure::new("limit", message, false);
        }
        let size = u32::try_from(bytes.len() >> 10).unwrap_or(u32::MAX).saturating_add(1).min(AHEAD_MAX);
        let room = ahead.clone().acquire_many_owned(size).await.ok();
        if parts.send(Part { bytes: Ok(bytes), _room: room }).is_err() {
            return;
        }
    };
    // Nobody may be left to hear it.
    let _ = parts.send(Part { bytes: Err(failure), _room: None });
}
