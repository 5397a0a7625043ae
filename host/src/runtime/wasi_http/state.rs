//! What an instance has of `wasi:http`.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynPollable};

use super::held::Room;
use super::reading::{Reading, Shared};

type Readings = HashMap<u32, Weak<std::sync::Mutex<Reading>>>;

/// What an instance has of it.
#[derive(Default)]
pub(in crate::runtime) struct WasiHttp {
    pub(super) room: Room,
    /// The bodies that are read by streams, and by what is waited for of them.
    streams: Readings,
    pollables: Readings,
}

impl WasiHttp {
    pub(super) fn has_stream(&mut self, stream: &Resource<DynInputStream>, reading: &Shared) {
        self.streams.insert(stream.rep(), Arc::downgrade(reading));
    }

    pub(super) fn has_pollable(&mut self, pollable: &Resource<DynPollable>, reading: &Shared) {
        self.pollables.insert(pollable.rep(), Arc::downgrade(reading));
    }

    /// The pollable is gone: another may come in its place.
    pub(in crate::runtime) fn drop_pollable(&mut self, pollable: &Resource<DynPollable>) {
        self.pollables.remove(&pollable.rep());
    }

    /// The body that a stream reads; none: it is another kind of stream.
    pub(super) fn of_stream(&self, stream: &Resource<DynInputStream>) -> Option<Shared> {
        self.streams.get(&stream.rep())?.upgrade()
    }

    /// The body that is waited for; none: something else is.
    pub(in crate::runtime) fn of_pollable(&self, pollable: &Resource<DynPollable>) -> Option<Shared> {
        self.pollables.get(&pollable.rep())?.upgrade()
    }
}
