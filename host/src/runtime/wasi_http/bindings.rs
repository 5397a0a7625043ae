//! What the interface says, in Rust.

use wf_engine::entry::Failure;

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
        "wasi:http/types.fields": crate::runtime::wasi_http::fields::Fields,
        "wasi:http/types.outgoing-request": crate::runtime::wasi_http::request::OutgoingRequest,
        "wasi:http/types.request-options": crate::runtime::wasi_http::request::RequestOptions,
        "wasi:http/types.outgoing-body": crate::runtime::wasi_http::body::OutgoingBody,
        "wasi:http/types.future-incoming-response": crate::runtime::wasi_http::answer::FutureAnswer,
        "wasi:http/types.incoming-response": crate::runtime::wasi_http::answer::Answer,
        "wasi:http/types.incoming-body": crate::runtime::wasi_http::answer::AnswerBody,
        "wasi:http/types.future-trailers": crate::runtime::wasi_http::answer::Trailers,
        "wasi:http/types.incoming-request": crate::runtime::wasi_http::absent::IncomingRequest,
        "wasi:http/types.response-outparam": crate::runtime::wasi_http::absent::ResponseOutparam,
        "wasi:http/types.outgoing-response": crate::runtime::wasi_http::absent::OutgoingResponse,
    },
});

/// As the interface tells a failure: in words, where it has none of its own for it.
pub(super) fn code(failure: Failure) -> ErrorCode {
    internal(failure.message)
}

pub(super) fn internal(message: impl Into<String>) -> ErrorCode {
    ErrorCode::InternalError(Some(message.into()))
}
