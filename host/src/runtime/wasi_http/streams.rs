//! Reads of answers by WASI's streams: what they take is recorded first, in the order in which it was ready.

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::bindings::io::streams::{self, HostInputStream};
use wasmtime_wasi::p2::{DynInputStream, StreamResult};
use wf_engine::attempt::Request;

use super::reading::{Shared, Turn};
use crate::runtime::guest::Guest;

/// Where reads of streams come from, by the version that wasmtime has.
const STREAMS: &str = "wasi:io/streams@0.2.12";

/// Whether it is a read's turn.
pub(in crate::runtime) fn turn(guest: &Guest, request: u32) -> Turn {
    let recorded = guest.context.as_ref().and_then(|context| context.attempt.recorded(&Request::ReadBody { request }));
    match recorded {
        None => Turn::Live,
        Some(true) => Turn::Now,
        Some(false) => Turn::Later,
    }
}

/// Whether a read would not have to wait.
pub(in crate::runtime) fn is_ready(guest: &Guest, reading: &Shared) -> bool {
    let (request, at_hand) = {
        let reading = reading.lock().expect("no panic while locked");
        (reading.request, reading.is_at_hand())
    };
    at_hand
        || match turn(guest, request) {
            Turn::Now => true,
            Turn::Later => false,
            Turn::Live => guest.context.as_ref().is_none_or(|context| context.door.has_come(request)),
        }
}

/// Reads, and records what came, where nothing is at hand.
pub(in crate::runtime) async fn fetch(guest: &mut Guest, reading: &Shared) -> wasmtime::Result<()> {
    let request = {
        let reading = reading.lock().expect("no panic while locked");
        if reading.is_at_hand() {
            return Ok(());
        }
        reading.request
    };
    let part = guest.context()?.read(request).await?;
    reading.lock().expect("no panic while locked").came(part);
    Ok(())
}

/// Has what is read of answers recorded; other streams are read as before.
pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    type Given = (Resource<DynInputStream>, u64);
    let mut instance = linker.instance(STREAMS)?;
    instance.func_wrap_async("[method]input-stream.read", |mut store, (stream, size): Given| {
        Box::new(async move { Ok((read(store.data_mut(), stream, size, false).await?,)) })
    })?;
    instance.func_wrap_async("[method]input-stream.blocking-read", |mut store, (stream, size): Given| {
        Box::new(async move { Ok((read(store.data_mut(), stream, size, true).await?,)) })
    })?;
    instance.func_wrap_async("[method]input-stream.skip", |mut store, (stream, size): Given| {
        Box::new(async move { Ok((skip(store.data_mut(), stream, size, false).await?,)) })
    })?;
    instance.func_wrap_async("[method]input-stream.blocking-skip", |mut store, (stream, size): Given| {
        Box::new(async move { Ok((skip(store.data_mut(), stream, size, true).await?,)) })
    })?;
    instance.func_wrap("[method]input-stream.subscribe", |mut store, (stream,): (Resource<DynInputStream>,)| {
        let guest: &mut Guest = store.data_mut();
        let reading = guest.http.of_stream(&stream);
        let pollable = HostInputStream::subscribe(&mut guest.table, stream)?;
        if let Some(reading) = reading {
            guest.http.has_pollable(&pollable, &reading);
        }
        Ok((pollable,))
    })
}

/// Has at hand what a call of a stream wants, as far as it waits for it.
async fn prepare(guest: &mut Guest, stream: &Resource<DynInputStream>, waits: bool) -> wasmtime::Result<()> {
    match guest.http.of_stream(stream) {
        Some(reading) if waits || is_ready(guest, &reading) => fetch(guest, &reading).await,
        _ => Ok(()),
    }
}

async fn read(
    guest: &mut Guest,
    stream: Resource<DynInputStream>,
    size: u64,
    waits: bool,
) -> wasmtime::Result<Result<Vec<u8>, streams::StreamError>> {
    prepare(guest, &stream, waits).await?;
    let table = &mut guest.table;
    let read = if waits { table.blocking_read(stream, size).await } else { HostInputStream::read(table, stream, size) };
    told(guest, read)
}

async fn skip(
    guest: &mut Guest,
    stream: Resource<DynInputStream>,
    size: u64,
    waits: bool,
) -> wasmtime::Result<Result<u64, streams::StreamError>> {
    prepare(guest, &stream, waits).await?;
    let table = &mut guest.table;
    let skipped = if waits { table.blocking_skip(stream, size).await } else { HostInputStream::skip(table, stream, size) };
    told(guest, skipped)
}

fn told<T>(guest: &mut Guest, result: StreamResult<T>) -> wasmtime::Result<Result<T, streams::StreamError>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(streams::Host::convert_stream_error(&mut guest.table, error)?)),
    }
}
