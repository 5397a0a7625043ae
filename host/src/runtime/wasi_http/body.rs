//! Bodies of requests: held until they are whole, since then the request leaves.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::answer::{Came, Head};
use super::bindings::{ErrorCode, types};
use super::fields::Fields;
use super::held::{Exceeded, Held, Room};
use super::{code, internal};
use crate::runtime::guest::Guest;

/// Most bytes that a stream takes at once.
const WRITE_MAX: usize = 64 << 10;
/// What is said of trailers.
const TRAILERS: &str = "this host sends no trailers: put what they hold into the headers";
/// What is said of a request whose body was dropped.
const ABANDONED: &str = "the body of the request was not finished";

/// A request that leaves once its body is whole.
#[derive(Clone)]
pub(super) struct Ready {
    /// As `wf:workflow/http` has them.
    pub options: String,
    /// How long its headers say that its body is.
    pub length: Option<u64>,
}

impl Ready {
    /// Sends it, and waits for the head of its answer.
    pub(super) async fn send(self, guest: &mut Guest, body: Vec<u8>) -> wasmtime::Result<Result<Head, ErrorCode>> {
        let length = body.len() as u64;
        if self.length.is_some_and(|said| said != length) {
            return Ok(Err(ErrorCode::HttpRequestBodySize(Some(length))));
        }
        let answer = guest.context()?.request(&self.options, body).await?;
        Ok(answer.map_err(code).and_then(|(request, head)| Head::read(request, &head)))
    }
}

/// A body, and who waits for it.
pub(super) struct Sending {
    bytes: Vec<u8>,
    held: Held,
    state: State,
    waits: Option<(Ready, Came)>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    Finished,
    Abandoned,
}

pub(super) type Shared = Arc<Mutex<Sending>>;

impl Sending {
    pub(super) fn new(room: &Room) -> Sending {
        Sending { bytes: Vec::new(), held: room.none(), state: State::Open, waits: None }
    }

    /// The whole of it, where it is there; else the request waits for it, or never leaves.
    pub(super) fn whole(&mut self, ready: &Ready, came: &Came) -> Result<Option<Vec<u8>>, ErrorCode> {
        match self.state {
            State::Finished => Ok(Some(std::mem::take(&mut self.bytes))),
            State::Abandoned => Err(internal(ABANDONED)),
            State::Open => {
                self.waits = Some((ready.clone(), came.clone()));
                Ok(None)
            }
        }
    }

    /// Nothing more comes. Who waits for it, and the whole of it.
    fn end(&mut self, state: State) -> Option<(Ready, Came, Vec<u8>)> {
        self.state = state;
        let (ready, came) = self.waits.take()?;
        Some((ready, came, std::mem::take(&mut self.bytes)))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Exceeded> {
        self.held.grow(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

pub struct OutgoingBody {
    sending: Shared,
    streams: bool,
}

impl OutgoingBody {
    pub(super) fn new(sending: Shared) -> OutgoingBody {
        OutgoingBody { sending, streams: false }
    }
}

struct Writer(Shared);

#[async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {}
}

impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_MAX {
            return Err(StreamError::trap("it wrote more at once than `check-write` allows"));
        }
        let mut sending = self.0.lock().expect("no panic while locked");
        sending.write(&bytes).map_err(|exceeded| StreamError::LastOperationFailed(exceeded.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let sending = self.0.lock().expect("no panic while locked");
        match (sending.state, sending.held.room().left()) {
            (State::Open, 0) => Err(StreamError::LastOperationFailed(Exceeded.into())),
            (State::Open, left) => Ok(left.min(WRITE_MAX)),
            _ => Err(StreamError::Closed),
        }
    }
}

impl types::HostOutgoingBody for Guest {
    fn write(&mut self, body: Resource<OutgoingBody>) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        let OutgoingBody { sending, streams } = self.table.get_mut(&body)?;
        if std::mem::replace(streams, true) {
            return Ok(Err(()));
        }
        let stream: DynOutputStream = Box::new(Writer(sending.clone()));
        Ok(Ok(self.table.push_child(stream, &body)?))
    }

    async fn finish(
        &mut self,
        body: Resource<OutgoingBody>,
        trailers: Option<Resource<Fields>>,
    ) -> wasmtime::Result<Result<(), ErrorCode>> {
        let OutgoingBody { sending, .. } = self.table.delete(body)?;
        let trailers = trailers.map(|trailers| self.table.delete(trailers)).transpose()?;
        let refused = trailers.is_some_and(|trailers| !trailers.all.is_empty());
        let state = if refused { State::Abandoned } else { State::Finished };
        let waits = sending.lock().expect("no panic while locked").end(state);
        if let Some((ready, came, body)) = waits {
            let answer = if refused { Err(internal(TRAILERS)) } else { ready.send(self, body).await? };
            *came.lock().expect("no panic while locked") = Some(answer);
        }
        Ok(if refused { Err(internal(TRAILERS)) } else { Ok(()) })
    }

    fn drop(&mut self, body: Resource<OutgoingBody>) -> wasmtime::Result<()> {
        let OutgoingBody { sending, .. } = self.table.delete(body)?;
        if let Some((_, came, _)) = sending.lock().expect("no panic while locked").end(State::Abandoned) {
            *came.lock().expect("no panic while locked") = Some(Err(internal(ABANDONED)));
        }
        Ok(())
    }
}
