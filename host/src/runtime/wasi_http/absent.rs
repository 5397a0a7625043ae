//! The half of the interface by which a component answers requests: a workflow is asked none.

use wasmtime::component::Resource;

use super::answer::AnswerBody;
use super::bindings::{ErrorCode, Method, Scheme, types};
use super::body::OutgoingBody;
use super::fields::Fields;
use crate::runtime::guest::Guest;

/// There is none.
pub enum IncomingRequest {}

/// There is none.
pub enum ResponseOutparam {}

/// There is none.
pub enum OutgoingResponse {}

fn none<T>() -> wasmtime::Result<T> {
    Err(wasmtime::Error::msg("a workflow is asked nothing over HTTP: its steps are given events, and the host answers requests"))
}

impl types::HostIncomingRequest for Guest {
    fn method(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Method> {
        none()
    }

    fn path_with_query(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Option<String>> {
        none()
    }

    fn scheme(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Option<Scheme>> {
        none()
    }

    fn authority(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Option<String>> {
        none()
    }

    fn headers(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Resource<Fields>> {
        none()
    }

    fn consume(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Result<Resource<AnswerBody>, ()>> {
        none()
    }

    fn drop(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<()> {
        none()
    }
}

impl types::HostResponseOutparam for Guest {
    fn set(&mut self, _: Resource<ResponseOutparam>, _: Result<Resource<OutgoingResponse>, ErrorCode>) -> wasmtime::Result<()> {
        none()
    }

    fn drop(&mut self, _: Resource<ResponseOutparam>) -> wasmtime::Result<()> {
        none()
    }
}

impl types::HostOutgoingResponse for Guest {
    fn new(&mut self, _: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingResponse>> {
        none()
    }

    fn status_code(&mut self, _: Resource<OutgoingResponse>) -> wasmtime::Result<u16> {
        none()
    }

    fn set_status_code(&mut self, _: Resource<OutgoingResponse>, _: u16) -> wasmtime::Result<Result<(), ()>> {
        none()
    }

    fn headers(&mut self, _: Resource<OutgoingResponse>) -> wasmtime::Result<Resource<Fields>> {
        none()
    }

    fn body(&mut self, _: Resource<OutgoingResponse>) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        none()
    }

    fn drop(&mut self, _: Resource<OutgoingResponse>) -> wasmtime::Result<()> {
        none()
    }
}
