//! What a component may import.

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::p2::bindings::cli::environment;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::io::poll;

use super::bindings::Workflow;
use super::guest::Guest;
use super::polls::{HasPolls, Polls};
use super::wasi::{Clocks, HasClocks};
use super::world::{HasWorld, World};
use super::{denied, wasi_http};

/// Everything that a component may import.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Guest, HasClocks>(&mut linker, |guest| {
        let Guest { clock, timers, meter, table, .. } = guest;
        Clocks { clock, timers, meter, table }
    })?;
    poll::add_to_linker::<Guest, HasPolls>(&mut linker, |guest| Polls(guest))?;
    environment::add_to_linker::<Guest, HasWorld>(&mut linker, |guest| World(guest))?;
    preopens::add_to_linker::<Guest, HasWorld>(&mut linker, |guest| World(guest))?;
    Workflow::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
    wasi_http::link(&mut linker)?;
    denied::no_sockets(&mut linker)?;
    Ok(linker)
}
