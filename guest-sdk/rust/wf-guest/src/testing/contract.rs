//! The imports of the contract, for a native test: the same functions as the bindings'.

use wf_engine::attempt::{Answer, Request};
use wf_engine::entry::{Chunk, Event, Failure, Response};
use wf_engine::json::Json;

use super::entry;
use super::outside::HttpRequest;
use crate::bindings::wf::workflow::types::{Event as WitEvent, Failure as WitFailure};

fn call<T>(request: Request, take: impl FnOnce(Answer) -> Result<T, Failure>) -> Result<T, WitFailure> {
    let answer = entry::call(request).and_then(take);
    answer.map_err(|failure| WitFailure { details: failure.details(), kind: failure.kind, message: failure.message })
}

fn done(_: Answer) -> Result<(), Failure> {
    Ok(())
}

fn value(answer: Answer) -> Result<Option<String>, Failure> {
    Ok(answer.value()?.map(|value| value.get().to_owned()))
}

fn begun((version, value): (u64, Option<Json>)) -> (u64, Option<String>) {
    (version, value.map(|value| value.get().to_owned()))
}

fn outward(event: Event) -> WitEvent {
    WitEvent { name: event.name.to_string(), payload: event.payload.get().to_owned() }
}

pub(crate) mod events {
    use super::*;

    pub(crate) fn send(event: &WitEvent, options: &str) -> Result<(), WitFailure> {
        let WitEvent { name, payload } = event.clone();
        call(Request::Send { name, payload, options: options.to_owned() }, done)
    }

    pub(crate) fn publish(event: &WitEvent, _options: &str) -> Result<(), WitFailure> {
        let WitEvent { name, payload } = event.clone();
        call(Request::Publish { name, payload }, done)
    }

    pub(crate) fn wait(options: &str) -> Result<WitEvent, WitFailure> {
        call(Request::Wait { options: options.to_owned() }, Answer::event).map(outward)
    }

    pub(crate) fn collect(event: &WitEvent, options: &str) -> Result<Option<Vec<WitEvent>>, WitFailure> {
        let WitEvent { name, payload } = event.clone();
        let batch = call(Request::Collect { name, payload, options: options.to_owned() }, Answer::batch)?;
        Ok(batch.map(|batch| batch.iter().cloned().map(outward).collect()))
    }
}

pub(crate) mod state {
    use super::*;

    pub(crate) fn get(path: &str) -> Result<Option<String>, WitFailure> {
        call(Request::Get { path: path.to_owned() }, value)
    }

    pub(crate) fn set(path: &str, value: &str) -> Result<(), WitFailure> {
        call(Request::Set { path: path.to_owned(), value: value.to_owned() }, done)
    }

    pub(crate) fn push(path: &str, value: &str) -> Result<(), WitFailure> {
        call(Request::Push { path: path.to_owned(), value: value.to_owned() }, done)
    }

    pub(crate) fn delete(path: &str) -> Result<(), WitFailure> {
        call(Request::Delete { path: path.to_owned() }, done)
    }

    pub(crate) fn edit_begin(path: &str) -> Result<(u64, Option<String>), WitFailure> {
        call(Request::EditBegin { path: path.to_owned() }, Answer::edit).map(begun)
    }

    pub(crate) fn edit_exclusive(path: &str) -> Result<(u64, Option<String>), WitFailure> {
        call(Request::EditExclusive { path: path.to_owned() }, Answer::edit).map(begun)
    }

    pub(crate) fn edit_commit(path: &str, version: u64, value: &str) -> Result<bool, WitFailure> {
        call(Request::EditCommit { path: path.to_owned(), version, value: value.to_owned() }, Answer::committed)
    }
}

pub(crate) mod time {
    use super::*;

    pub(crate) fn now() -> u64 {
        entry::now()
    }

    pub(crate) fn sleep(duration: u64) {
        // It is never refused.
        let _ = entry::call(Request::Sleep { duration });
    }
}

pub(crate) mod memo {
    use super::*;

    pub(crate) fn look_up(name: &str) -> Result<Option<String>, WitFailure> {
        call(Request::LookUp { name: name.to_owned() }, value)
    }

    pub(crate) fn keep(name: &str, value: &str) -> Result<(), WitFailure> {
        call(Request::Keep { name: name.to_owned(), value: value.to_owned() }, done)
    }
}

pub(crate) mod run {
    use super::*;

    pub(crate) fn run_id() -> String {
        entry::about(|info, _| info.run.clone())
    }

    pub(crate) fn handler_id() -> String {
        entry::about(|info, _| info.handler.clone())
    }

    pub(crate) fn workflow() -> String {
        entry::about(|info, _| info.workflow.clone())
    }

    pub(crate) fn step() -> String {
        entry::about(|_, attempt| attempt.step.to_string())
    }

    pub(crate) fn attempt() -> u32 {
        entry::about(|_, attempt| attempt.attempt)
    }

    pub(crate) fn retry_info() -> String {
        entry::about(|_, attempt| attempt.retry_info())
    }

    pub(crate) fn idempotency_key(label: &str) -> String {
        entry::about(|info, attempt| info.idempotency_key(attempt.invocation, label))
    }

    pub(crate) fn commit() {
        // It is never refused.
        let _ = entry::call(Request::Commit);
    }
}

pub(crate) mod http {
    use super::*;

    pub(crate) fn request(options: &str, body: &[u8]) -> Result<(u32, String), WitFailure> {
        let asked = HttpRequest::of(options, body.to_vec());
        let request = Request::Outside { target: asked.target(), options: wf_engine::json::empty() };
        entry::ask(Some(asked));
        call(request, |answer| match answer.response()? {
            (number, Response::Head(head)) => Ok((number, head.get().to_owned())),
            (_, Response::Failed(failure)) => Err(failure),
        })
    }

    pub(crate) fn read(request: u32) -> Result<Option<Vec<u8>>, WitFailure> {
        call(Request::ReadBody { request }, |answer| match answer.chunk()? {
            Chunk::Failed(failure) => Err(failure),
            chunk => Ok(chunk.bytes()),
        })
    }

    pub(crate) fn close(request: u32) {
        entry::close(request);
    }
}

pub(crate) fn variable(name: &str) -> Option<String> {
    entry::variable(name)
}

pub(crate) mod log {
    use super::*;

    pub(crate) fn write(level: &str, message: &str, fields: &str) {
        entry::log(level, message, fields);
    }
}
