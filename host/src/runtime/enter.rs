//! One entry into an attempt: a fresh instance, from its beginning to its end.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc::UnboundedSender;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, Trap, UpdateDeadline, WasmBacktrace};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Event, Failure, Micros};
use wf_engine::text::{MESSAGE_MAX, TRACE_MAX, cut};

use super::bindings::wf::workflow::types::{Event as WitEvent, Failure as WitFailure};
use super::clock::Clock;
use super::context::{Context, Ending};
use super::guest::Guest;
use super::lines::{Lines, Output};
use super::meter::{Memory, Meter};
use super::report::Report;
use super::threads::Place;
use super::wasi;
use super::{Component, Inner, LoadError, RunInfo};
use crate::model::Limits;

/// How a call into a guest ended.
enum Called<T> {
    Ended(wasmtime::Result<T>),
    /// It computed for too long.
    Exhausted,
    /// The step's own timeout.
    TimedOut,
}

/// The wall time at which a component describes itself: fixed, so that it always says the same.
const DESCRIBED_AT: Micros = 1_767_225_600_000_000;

pub(super) async fn describe(inner: &Arc<Inner>, component: &Component) -> Result<String, LoadError> {
    let _turn = inner.instances.acquire().await.expect("never closed");
    let (stdout, stderr) = (Output::new("stdout", None), Output::new("stderr", None));
    let (clock, meter) = (Clock::at(DESCRIBED_AT), Meter::from(DESCRIBED_AT));
    let wasi = wasi::context(&[0; 32], 0, 0, &clock, &stdout, &stderr);
    let memory = memory(inner.limits.memory_max, &meter);
    let mut store = store(inner, memory, wasi, clock, None);
    let call = async {
        let workflow = component.pre.instantiate_async(&mut store).await?;
        workflow.wf_workflow_steps().call_describe(&mut store).await
    };
    let called = timed(call, &meter, None, inner.limits.describe_max, None).await;
    let hint = "`describe` must return the manifest and do nothing else; the SDKs write it for you";
    match called {
        Called::Ended(Ok(json)) => Ok(json),
        Called::Ended(Err(error)) => {
            let message = panic_message(&stderr).unwrap_or_else(|| format!("{}", error.root_cause()));
            Err(LoadError::new(format!("its `describe` failed: {message}"), hint))
        }
        Called::Exhausted | Called::TimedOut => {
            Err(LoadError::new(format!("its `describe` did not end within {:?}", inner.limits.describe_max), hint))
        }
    }
}

/// Runs an attempt and reports how it ended, if anybody is to hear it.
pub(super) async fn enter(
    inner: Arc<Inner>,
    component: Arc<Component>,
    invoke: Invoke,
    at: Micros,
    info: Arc<RunInfo>,
    limits: Arc<Limits>,
    reports: UnboundedSender<Report>,
) {
    let (invocation, attempt, meter) = (invoke.invocation, invoke.attempt, Meter::from(at));
    let entry = AssertUnwindSafe(run(&inner, &component, invoke, &meter, info, &limits, reports.clone())).catch_unwind();
    let report = entry.await.unwrap_or_else(|_| {
        let failure = Failure::new("host", "a defect of wf-host ended the attempt; its log has the details".to_owned(), true);
        Some(Report::Failed { invocation, attempt, calls: Vec::new(), failure, usage: meter.usage() })
    });
    if let Some(report) = report {
        // The worker is gone when the run has ended.
        let _ = reports.send(report);
    }
}

async fn run(
    inner: &Arc<Inner>,
    component: &Component,
    invoke: Invoke,
    meter: &Meter,
    info: Arc<RunInfo>,
    limits: &Limits,
    reports: UnboundedSender<Report>,
) -> Option<Report> {
    let _turn = inner.instances.acquire().await.expect("never closed");
    let Invoke { invocation, attempt, started_at, time_left, lost, .. } = invoke;
    let clock = Clock::at(started_at);
    let left = Arc::new(Mutex::new(limits.log_max));
    let lines = Lines { invocation, attempt, reports, clock: clock.clone(), left };
    let (stdout, stderr) = (Output::new("stdout", Some(lines.clone())), Output::new("stderr", Some(lines.clone())));
    let wasi = wasi::context(&info.seed, invocation, attempt, &clock, &stdout, &stderr);
    let place = inner.threads.place(&info.run, invocation);
    let step = invoke.step.clone();
    let events: Vec<WitEvent> = invoke.events.iter().map(outward).collect();
    let context = Context::new(invoke, info, limits, lines, meter.clone());
    let mut store = store(inner, memory(limits.memory_max, meter), wasi, clock, Some(context));

    let call = async {
        let workflow = component.pre.instantiate_async(&mut store).await?;
        workflow.wf_workflow_steps().call_invoke(&mut store, &step, &events).await
    };
    let called = timed(call, meter, Some(&place), limits.executing_max, time_left).await;
    stdout.finish();
    stderr.finish();

    let guest = store.data_mut();
    let usage = meter.usage();
    let refused = guest.memory.refused;
    let context = guest.context.as_mut()?;
    if lost {
        context.lines.end("log", context.attempt.calls().into());
        stdout.end();
        stderr.end();
    }
    match context.ending.take() {
        Some(Ending::Suspended | Ending::Gone) => return None,
        Some(Ending::Failed(failure)) => {
            return Some(Report::Failed { invocation, attempt, calls: context.attempt.failed(), failure, usage });
        }
        None => (),
    }
    let ended = match called {
        Called::Ended(Ok(Ok(events))) => Ok(events),
        Called::Ended(Ok(Err(WitFailure { kind, message, details }))) => Err(Failure::from_guest(kind, message, &details)),
        Called::Ended(Err(error)) if refused => {
            let mut failure = Failure::new("limit", format!("the memory limit of {} MiB was exceeded", limits.memory_max >> 20), false);
            failure.trace = trace(&error);
            Err(failure)
        }
        Called::Ended(Err(error)) if error.downcast_ref() == Some(&Trap::StackOverflow) => {
            let mut failure = Failure::new("limit", format!("the stack limit of {} KiB was exceeded", limits.stack_max >> 10), false);
            failure.trace = trace(&error);
            Err(failure)
        }
        Called::Ended(Err(error)) => Err(trapped(&error, &stderr)),
        Called::Exhausted => Err(Failure::new("timeout", format!("step `{step}` computed for more than {:?}", limits.executing_max), true)),
        Called::TimedOut => Err(Failure::new("timeout", format!("step `{step}` timed out"), true)),
    };
    let finished = ended.and_then(|events| context.attempt.returned(events.into_iter().map(|event| (event.name, event.payload)).collect()));
    Some(match finished {
        Ok((calls, commit, events)) => Report::Returned { invocation, attempt, calls, commit, events, usage },
        Err(failure) => Report::Failed { invocation, attempt, calls: context.attempt.failed(), failure, usage },
    })
}

fn memory(max: u64, meter: &Meter) -> Memory {
    Memory { max: usize::try_from(max).unwrap_or(usize::MAX), refused: false, meter: meter.clone() }
}

fn store(inner: &Inner, memory: Memory, wasi: wasmtime_wasi::WasiCtx, clock: Clock, context: Option<Context>) -> Store<Guest> {
    let guest = Guest {
        wasi,
        http: wasmtime_wasi_http::WasiHttpCtx::new(),
        requests: wasi::Denied,
        table: ResourceTable::new(),
        clock,
        memory,
        context,
    };
    let mut store = Store::new(&inner.engine, guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
    store
}

/// Polls a call, and counts the time in which it computes. The step's own timeout counts all of its time here.
async fn timed<T>(
    call: impl Future<Output = wasmtime::Result<T>>,
    meter: &Meter,
    place: Option<&Place>,
    computing_max: Duration,
    time_left: Option<Micros>,
) -> Called<T> {
    let mut call = Box::pin(call);
    let polled = poll_fn(|context| {
        meter.begin();
        place.into_iter().for_each(Place::on);
        let poll = call.as_mut().poll(context);
        place.into_iter().for_each(Place::off);
        let computed = meter.end();
        match poll {
            Poll::Ready(result) => Poll::Ready(Called::Ended(result)),
            Poll::Pending if computed > computing_max => Poll::Ready(Called::Exhausted),
            Poll::Pending => Poll::Pending,
        }
    });
    match time_left {
        Some(left) => tokio::time::timeout(Duration::from_micros(left), polled).await.unwrap_or(Called::TimedOut),
        None => polled.await,
    }
}

fn outward(event: &Event) -> WitEvent {
    WitEvent { name: event.name.to_string(), payload: event.payload.get().to_owned() }
}

/// A trap: the guest's own words where it left some, else wasm's.
fn trapped(error: &wasmtime::Error, stderr: &Output) -> Failure {
    let mut failure = match panic_message(stderr) {
        Some(message) => Failure::new("panic", cut(message, MESSAGE_MAX), true),
        None => Failure::new("trap", cut(error.root_cause().to_string(), MESSAGE_MAX), true),
    };
    failure.trace = trace(error);
    failure
}

fn trace(error: &wasmtime::Error) -> Option<String> {
    error.downcast_ref::<WasmBacktrace>().map(|trace| cut(trace.to_string(), TRACE_MAX))
}

/// What a Rust panic wrote last: the lines after `panicked at`, up to the note.
fn panic_message(stderr: &Output) -> Option<String> {
    let lines = stderr.last();
    let start = lines.iter().rposition(|line| line.contains("panicked at"))?;
    let message = lines[start + 1..].iter().take_while(|line| !line.starts_with("note:") && !line.starts_with("stack backtrace:"));
    let message: Vec<&str> = message.map(String::as_str).filter(|line| !line.is_empty()).collect();
    Some(if message.is_empty() { lines[start].clone() } else { message.join("\n") })
}
