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

mod bindings;

mod fields;

mod answer;

mod body;

mod request;

mod absent;

pub(super) mod streams;

use wasmtime::component::{HasSelf, Linker};

use super::guest::Guest;
use bindings::{outgoing_handler, types};

/// Gives guests the interface.
pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)?;
    outgoing_handler::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)?;
    streams::link(linker)
}
