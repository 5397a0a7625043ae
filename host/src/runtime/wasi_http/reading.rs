//! The body of an answer as a stream of WASI's: what is at hand of it is recorded.

use std::future::pending;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};
use wf_engine::entry::Failure;

use crate::outside::SharedBody;

/// Why a body broke off, within an error of a stream.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(super) struct Broken(pub Failure);

/// Whether a read is ready.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) enum Turn {
    /// It is what was recorded next.
    Now,
    /// Something else was recorded next.
    Later,
    /// Nothing more is recorded: as soon as more of it has come.
    Live,
}

/// How far a body was read.
pub(in crate::runtime) struct Reading {
    /// The number of its request.
    pub request: u32,
    pub turn: Turn,
    /// What is recorded and was not taken.
    at_hand: Bytes,
    end: Option<Result<(), Failure>>,
    /// None: it was cut.
    body: Option<SharedBody>,
}

pub(in crate::runtime) type Shared = Arc<Mutex<Reading>>;

impl Reading {
    pub(super) fn new(request: u32, body: Option<SharedBody>) -> Reading {
        Reading { request, turn: Turn::Live, at_hand: Bytes::new(), end: None, body }
    }

    /// Whether a stream has something to say about it without another read.
    pub(in crate::runtime) fn is_at_hand(&self) -> bool {
        !self.at_hand.is_empty() || self.end.is_some()
    }

    /// Whether there are bytes that were recorded and not taken.
    pub(in crate::runtime) fn has_bytes(&self) -> bool {
        !self.at_hand.is_empty()
    }

    /// A read gave this.
    pub(super) fn came(&mut self, part: Result<Option<Vec<u8>>, Failure>) {
        match part {
            Ok(Some(bytes)) => return self.at_hand = bytes.into(),
            Ok(None) => self.end = Some(Ok(())),
            Err(failure) => self.end = Some(Err(failure)),
        }
        // Its connection is others'.
        self.body = None;
    }
}

/// The stream that a guest has.
pub(super) struct AnswerStream(pub Shared);

#[async_trait]
impl Pollable for AnswerStream {
    async fn ready(&mut self) {
        let (turn, body) = {
            let reading = self.0.lock().expect("no panic while locked");
            if reading.is_at_hand() {
                return;
            }
            (reading.turn, reading.body.clone())
        };
        match (turn, body) {
            (Turn::Later, _) => pending().await,
            (Turn::Live, Some(body)) => body.lock().await.comes().await,
            (Turn::Now, _) | (Turn::Live, None) => (),
        }
    }
}

#[async_trait]
impl InputStream for AnswerStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let reading = &mut *self.0.lock().expect("no panic while locked");
        if !reading.at_hand.is_empty() {
            let size = size.min(reading.at_hand.len());
            return Ok(reading.at_hand.split_to(size));
        }
        match reading.end.replace(Ok(())) {
            Some(Ok(())) => Err(StreamError::Closed),
            Some(Err(failure)) => Err(StreamError::LastOperationFailed(Broken(failure).into())),
            None => {
                reading.end = None;
                Ok(Bytes::new())
            }
        }
    }
}
