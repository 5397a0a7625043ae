//! The second door to the outside, `wasi:http`, for guests whose libraries bring it: onto the same requests, grants and
//! records as `wf:workflow/http`.
//!
//! A request leaves once its body is finished, and whoever hands it over waits for the head of its answer, as with the
//! first door. wasmtime's own crate for this interface sends in a task of its own, beside the guest: when that ends decides
//! the place of the answer among the guest's calls, which no record could repeat.

// Read in this order.
pub(super) mod held;

pub(super) mod reading;

pub(super) mod state;

mod fields;

mod answer;

mod body;

mod request;

mod absent;

pub(super) mod streams;

use wasmtime::component::{HasSelf, Linker};

use super::guest::Guest;
use bindings::{ErrorCode, outgoing_handler, types};
use wf_engine::entry::Failure;

/// Gives guests the interface.
pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)?;
    outgoing_handler::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)?;
    streams::link(linker)
}

/// What the interface says, in Rust.
mod bindings {
    pub(super) use wasi::http::outgoing_handler;
    pub(super) use wasi::http::types::{self, ErrorCode, HeaderError, Method, Scheme};

    wasmtime::component::bindgen!({
        path: "src/runtime/wasi_http/wasi.wit",
        world: "wf:door/door",
        imports: {
            "wasi:http/outgoing-handler.handle": async | trappable,
            "wasi:http/types.[static]outgoing-body.finish": async | trappable,
            default: trappable,
        },
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:http/types.fields": super::fields::Fields,
            "wasi:http/types.outgoing-request": super::request::OutgoingRequest,
            "wasi:http/types.request-options": super::request::RequestOptions,
            "wasi:http/types.outgoing-body": super::body::OutgoingBody,
            "wasi:http/types.future-incoming-response": super::answer::FutureAnswer,
            "wasi:http/types.incoming-response": super::answer::Answer,
            "wasi:http/types.incoming-body": super::answer::AnswerBody,
            "wasi:http/types.future-trailers": super::answer::Trailers,
            "wasi:http/types.incoming-request": super::absent::IncomingRequest,
            "wasi:http/types.response-outparam": super::absent::ResponseOutparam,
            "wasi:http/types.outgoing-response": super::absent::OutgoingResponse,
        },
    });
}

/// As the interface tells a failure: in words, where it has none of its own for it.
fn code(failure: Failure) -> ErrorCode {
    internal(failure.message)
}

fn internal(message: impl Into<String>) -> ErrorCode {
    ErrorCode::InternalError(Some(message.into()))
}
