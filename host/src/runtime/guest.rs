//! What an instance has around it, and how the contract reaches its context.

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wf_engine::attempt::{Answer, Request};
use wf_engine::entry::{Event, Failure};
use wf_engine::json::Json;
use wf_engine::text::log_line;

use super::bindings::wf::workflow::types::{Event as WitEvent, Failure as WitFailure};
use super::bindings::wf::workflow::{events, http, log, memo, run, state, time, types};
use super::clock::Clock;
use super::context::Context;
use super::memory::Memory;
use super::meter::Meter;
use super::wasi::Timers;
use super::wasi_http::state::WasiHttp;

/// The data of one `wasmtime::Store`.
pub(super) struct Guest {
    pub wasi: WasiCtx,
    pub table: ResourceTable,
    pub clock: Clock,
    pub timers: Timers,
    pub meter: Meter,
    pub memory: Memory,
    /// None outside of any run, as while a component describes itself: then the contract's imports trap.
    pub context: Option<Context>,
    pub http: WasiHttp,
    /// It asked for a socket.
    pub wants_sockets: bool,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Guest {
    /// Lets go of an answer that is not read on.
    pub(super) fn close(&mut self, request: u32) {
        self.context.iter_mut().for_each(|context| context.door.close(request));
    }

    pub(super) fn context(&mut self) -> wasmtime::Result<&mut Context> {
        self.context.as_mut().ok_or_else(|| wasmtime::Error::msg("what is called outside of a run may not use the context"))
    }
}

fn answer<T>(answer: Result<T, Failure>) -> wasmtime::Result<Result<T, WitFailure>> {
    Ok(answer.map_err(|failure| WitFailure { details: failure.details(), kind: failure.kind, message: failure.message }))
}

fn text(value: Option<Json>) -> Option<String> {
    value.map(|value| value.get().to_owned())
}

fn event(event: Event) -> WitEvent {
    WitEvent { name: event.name.to_string(), payload: event.payload.get().to_owned() }
}

impl types::Host for Guest {}

impl events::Host for Guest {
    async fn send(&mut self, WitEvent { name, payload }: WitEvent, options: String) -> wasmtime::Result<Result<(), WitFailure>> {
        answer(self.context()?.call(Request::Send { name, payload, options }).await?.map(drop))
    }

    async fn publish(&mut self, WitEvent { name, payload }: WitEvent, _options: String) -> wasmtime::Result<Result<(), WitFailure>> {
        answer(self.context()?.call(Request::Publish { name, payload }).await?.map(drop))
    }

    async fn wait(&mut self, options: String) -> wasmtime::Result<Result<WitEvent, WitFailure>> {
        answer(self.context()?.call(Request::Wait { options }).await?.and_then(Answer::event).map(event))
    }

    async fn collect(&mut self, added: WitEvent, options: String) -> wasmtime::Result<Result<Option<Vec<WitEvent>>, WitFailure>> {
        let request = Request::Collect { name: added.name, payload: added.payload, options };
        let batch = self.context()?.call(request).await?.and_then(Answer::batch);
        answer(batch.map(|batch| batch.map(|batch| batch.iter().cloned().map(event).collect())))
    }
}

impl state::Host for Guest {
    async fn get(&mut self, path: String) -> wasmtime::Result<Result<Option<String>, WitFailure>> {
        answer(self.context()?.call(Request::Get { path }).await?.and_then(Answer::value).map(text))
    }

    async fn set(&mut self, path: String, value: String) -> wasmtime::Result<Result<(), WitFailure>> {
        answer(self.context()?.call(Request::Set { path, value }).await?.map(drop))
    }

    async fn push(&mut self, path: String, value: String) -> wasmtime::Result<Result<(), WitFailure>> {
        answer(self.context()?.call(Request::Push { path, value }).await?.map(drop))
    }

    async fn delete(&mut self, path: String) -> wasmtime::Result<Result<(), WitFailure>> {
        answer(self.context()?.call(Request::Delete { path }).await?.map(drop))
    }

    async fn edit_begin(&mut self, path: String) -> wasmtime::Result<Result<(u64, Option<String>), WitFailure>> {
        let begun = self.context()?.call(Request::EditBegin { path }).await?.and_then(Answer::edit);
        answer(begun.map(|(version, value)| (version, text(value))))
    }

    async fn edit_commit(&mut self, path: String, version: u64, value: String) -> wasmtime::Result<Result<bool, WitFailure>> {
        answer(self.context()?.call(Request::EditCommit { path, version, value }).await?.and_then(Answer::committed))
    }

    async fn edit_exclusive(&mut self, path: String) -> wasmtime::Result<Result<(u64, Option<String>), WitFailure>> {
        let begun = self.context()?.call(Request::EditExclusive { path }).await?.and_then(Answer::edit);
        answer(begun.map(|(version, value)| (version, text(value))))
    }
}

impl time::Host for Guest {
    async fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.context()?.clock.read())
    }

    async fn sleep(&mut self, duration: u64) -> wasmtime::Result<()> {
        self.context()?.call(Request::Sleep { duration }).await.map(drop)
    }
}

impl memo::Host for Guest {
    async fn look_up(&mut self, name: String) -> wasmtime::Result<Result<Option<String>, WitFailure>> {
        answer(self.context()?.call(Request::LookUp { name }).await?.and_then(Answer::value).map(text))
    }

    async fn keep(&mut self, name: String, value: String) -> wasmtime::Result<Result<(), WitFailure>> {
        answer(self.context()?.call(Request::Keep { name, value }).await?.map(drop))
    }
}

impl run::Host for Guest {
    async fn run_id(&mut self) -> wasmtime::Result<String> {
        Ok(self.context()?.info.run.clone())
    }

    async fn handler_id(&mut self) -> wasmtime::Result<String> {
        Ok(self.context()?.info.handler.clone())
    }

    async fn workflow(&mut self) -> wasmtime::Result<String> {
        Ok(self.context()?.info.workflow.clone())
    }

    async fn step(&mut self) -> wasmtime::Result<String> {
        Ok(self.context()?.attempt.step.to_string())
    }

    async fn attempt(&mut self) -> wasmtime::Result<u32> {
        Ok(self.context()?.attempt.attempt)
    }

    async fn retry_info(&mut self) -> wasmtime::Result<String> {
        Ok(self.context()?.attempt.retry_info())
    }

    async fn idempotency_key(&mut self, label: String) -> wasmtime::Result<String> {
        let context = self.context()?;
        Ok(context.info.idempotency_key(context.attempt.invocation, &label))
    }

    async fn commit(&mut self) -> wasmtime::Result<()> {
        self.context()?.call(Request::Commit).await.map(drop)
    }

    async fn no_list(&mut self) -> wasmtime::Result<()> {
        self.context()?.attempt.no_list();
        Ok(())
    }
}

impl http::Host for Guest {
    async fn request(&mut self, options: String, body: Vec<u8>) -> wasmtime::Result<Result<(u32, String), WitFailure>> {
        answer(self.context()?.request(&options, body).await?)
    }

    async fn read(&mut self, request: u32) -> wasmtime::Result<Result<Option<Vec<u8>>, WitFailure>> {
        answer(self.context()?.read(request).await?)
    }

    async fn close(&mut self, request: u32) -> wasmtime::Result<()> {
        self.context()?.door.close(request);
        Ok(())
    }
}

impl log::Host for Guest {
    async fn write(&mut self, level: String, message: String, fields: String) -> wasmtime::Result<()> {
        let (level, message, fields) = log_line(level, message, fields);
        self.context()?.log(level, message, fields).await
    }
}
