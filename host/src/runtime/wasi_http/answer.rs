//! Answers: their heads, and their bodies.

use std::sync::{Arc, Mutex};

use serde::Deserialize;
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::io::error::Error as IoError;
use wasmtime_wasi::p2::{DynInputStream, DynPollable, Pollable, subscribe};

use super::bindings::{ErrorCode, types};
use super::fields::Fields;
use super::reading::{AnswerStream, Broken, Reading};
use super::{code, internal};
use crate::runtime::guest::Guest;

/// What is said of an answer that is waited for before the whole request is there.
const UNFINISHED: &str = "this host records a request as a whole: finish its body before waiting for its answer";

/// The head of an answer.
#[derive(Deserialize)]
pub(super) struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    /// The number of its request.
    #[serde(skip)]
    request: u32,
}

impl Head {
    pub(super) fn read(request: u32, text: &str) -> Result<Head, ErrorCode> {
        let head: Result<Head, _> = serde_json::from_str(text);
        head.map(|head| Head { request, ..head }).map_err(|error| internal(format!("what was recorded of an answer is none: {error}")))
    }
}

/// An answer, once there is one.
pub(super) type Came = Arc<Mutex<Option<Result<Head, ErrorCode>>>>;

/// An answer that may be waited for.
pub struct FutureAnswer {
    came: Came,
    told: bool,
}

impl FutureAnswer {
    pub(super) fn new(came: Came) -> FutureAnswer {
        FutureAnswer { came, told: false }
    }
}

/// It is there, or never will be while somebody waits for it.
#[async_trait]
impl Pollable for FutureAnswer {
    async fn ready(&mut self) {}
}

pub struct Answer {
    head: Head,
    consumed: bool,
}

pub struct AnswerBody {
    request: u32,
    streams: bool,
}

/// There are none: an answer is recorded without them.
pub struct Trailers {
    told: bool,
}

#[async_trait]
impl Pollable for Trailers {
    async fn ready(&mut self) {}
}

impl types::Host for Guest {
    fn http_error_code(&mut self, error: Resource<IoError>) -> wasmtime::Result<Option<ErrorCode>> {
        let broken = self.table.get(&error)?.downcast_ref::<Broken>();
        Ok(broken.map(|Broken(failure)| code(failure.clone())))
    }
}

impl types::HostFutureIncomingResponse for Guest {
    fn subscribe(&mut self, future: Resource<FutureAnswer>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, future)
    }

    fn get(&mut self, future: Resource<FutureAnswer>) -> wasmtime::Result<Option<Result<Result<Resource<Answer>, ErrorCode>, ()>>> {
        let future = self.table.get_mut(&future)?;
        if future.told {
            return Ok(Some(Err(())));
        }
        let Some(came) = future.came.lock().expect("no panic while locked").take() else {
            return Ok(Some(Ok(Err(internal(UNFINISHED)))));
        };
        future.told = true;
        Ok(Some(Ok(match came {
            Ok(head) => Ok(self.table.push(Answer { head, consumed: false })?),
            Err(error) => Err(error),
        })))
    }

    fn drop(&mut self, future: Resource<FutureAnswer>) -> wasmtime::Result<()> {
        let FutureAnswer { came, .. } = self.table.delete(future)?;
        if let Some(Ok(head)) = came.lock().expect("no panic while locked").take() {
            self.close(head.request);
        }
        Ok(())
    }
}

impl types::HostIncomingResponse for Guest {
    fn status(&mut self, answer: Resource<Answer>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&answer)?.head.status)
    }

    fn headers(&mut self, answer: Resource<Answer>) -> wasmtime::Result<Resource<Fields>> {
        let headers = &self.table.get(&answer)?.head.headers;
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        let fields = Fields::fixed(&self.http.room, headers)?;
        Ok(self.table.push_child(fields, &answer)?)
    }

    fn consume(&mut self, answer: Resource<Answer>) -> wasmtime::Result<Result<Resource<AnswerBody>, ()>> {
        let answer = self.table.get_mut(&answer)?;
        if std::mem::replace(&mut answer.consumed, true) {
            return Ok(Err(()));
        }
        let request = answer.head.request;
        Ok(Ok(self.table.push(AnswerBody { request, streams: false })?))
    }

    fn drop(&mut self, answer: Resource<Answer>) -> wasmtime::Result<()> {
        let Answer { head, consumed } = self.table.delete(answer)?;
        if !consumed {
            self.close(head.request);
        }
        Ok(())
    }
}

impl types::HostIncomingBody for Guest {
    fn stream(&mut self, body: Resource<AnswerBody>) -> wasmtime::Result<Result<Resource<DynInputStream>, ()>> {
        let AnswerBody { request, streams } = self.table.get_mut(&body)?;
        let request = *request;
        if std::mem::replace(streams, true) {
            return Ok(Err(()));
        }
        let answer = self.context.as_ref().and_then(|context| context.door.body(request));
        let reading = Arc::new(Mutex::new(Reading::new(request, answer)));
        let stream: DynInputStream = Box::new(AnswerStream(reading.clone()));
        let stream = self.table.push_child(stream, &body)?;
        self.http.has_stream(&stream, &reading);
        Ok(Ok(stream))
    }

    fn finish(&mut self, body: Resource<AnswerBody>) -> wasmtime::Result<Resource<Trailers>> {
        let AnswerBody { request, .. } = self.table.delete(body)?;
        self.close(request);
        Ok(self.table.push(Trailers { told: false })?)
    }

    fn drop(&mut self, body: Resource<AnswerBody>) -> wasmtime::Result<()> {
        let AnswerBody { request, .. } = self.table.delete(body)?;
        self.close(request);
        Ok(())
    }
}

impl types::HostFutureTrailers for Guest {
    fn subscribe(&mut self, trailers: Resource<Trailers>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, trailers)
    }

    fn get(&mut self, trailers: Resource<Trailers>) -> wasmtime::Result<Option<Result<Result<Option<Resource<Fields>>, ErrorCode>, ()>>> {
        let told = std::mem::replace(&mut self.table.get_mut(&trailers)?.told, true);
        Ok(Some(if told { Err(()) } else { Ok(Ok(None)) }))
    }

    fn drop(&mut self, trailers: Resource<Trailers>) -> wasmtime::Result<()> {
        self.table.delete(trailers)?;
        Ok(())
    }
}
