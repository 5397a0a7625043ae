//! One entry into an attempt: a fresh instance, from its beginning to its end.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};
use wasmtime::{Store, UpdateDeadline};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Event, Failure, Micros};
use wf_engine::text::{MESSAGE_MAX, cut};

use super::bindings::wf::workflow::types::{Event as WitEvent, Failure as WitFailure};
use super::clock::Clock;
use super::context::{Context, Ending, no_folders};
use super::denied::NO_SOCKETS;
use super::door::Door;
use super::failures::{beyond_memory, exceeded, panic_message, trapped};
use super::guest::Guest;
use super::lines::{Lines, Output};
use super::memory::{Memory, Refused};
use super::meter::{Excess, Meter};
use super::report::{Report, Reporter};
use super::shares::Name;
use super::threads::Place;
use super::ticks::TICK;
use super::wasi::{self, Timers};
use super::wasi_http::state::WasiHttp;
use super::{Component, Inner, LoadError, RunInfo, Terms};
use crate::model::Limits;
use crate::outside::Placeholders;

/// How a call into a guest ended.
enum Called<T> {
    Ended(wasmtime::Result<T>),
    /// It took more than it may.
    Exceeded(Excess),
    /// The step's own timeout.
    TimedOut,
}

/// The wall time at which a component describes itself: fixed, so that it always says the same.
const DESCRIBED_AT: Micros = 1_767_225_600_000_000;

/// What describes itself has no name yet; nobody's workflow has this one.
const DESCRIBED: &str = "";

pub(super) async fn describe(inner: &Arc<Inner>, component: &Arc<Component>) -> Result<String, LoadError> {
    let turn = inner.describes.clone().acquire_owned().await.expect("never closed");
    let (sender, described) = oneshot::channel();
    let (own, component) = (inner.clone(), component.clone());
    let meter = Meter::from(DESCRIBED_AT, inner.ticks.clone());
    let _entry = inner.executor.spawn(DESCRIBED.into(), meter.clone(), async move {
        // Whoever asked may be gone.
        let _ = sender.send(described_by(&own, &component, &meter).await);
        drop(turn);
    });
    let defect = || LoadError::new("a defect of wf-host ended its `describe`", "the log has the details");
    described.await.unwrap_or_else(|_| Err(defect()))
}

/// What a component is called in that is no run: no context, no world, and a time that stands.
pub(super) struct Opened {
    pub store: Store<Guest>,
    pub meter: Meter,
    pub stderr: Output,
}

impl Opened {
    pub(super) fn new(inner: &Inner) -> Opened {
        Opened::described(inner, Meter::from(DESCRIBED_AT, inner.ticks.clone()))
    }

    fn described(inner: &Inner, meter: Meter) -> Opened {
        Opened::with(inner, DESCRIBED.into(), DESCRIBED_AT, &[0; 32], &inner.limits, meter)
    }

    fn with(inner: &Inner, name: Name, at: Micros, seed: &[u8; 32], limits: &Limits, meter: Meter) -> Opened {
        let (stdout, stderr) = (Output::new("stdout", None), Output::new("stderr", None));
        let clock = Clock::at(at);
        let wasi = wasi::context(seed, 0, 0, &clock, &stdout, &stderr).build();
        let memory = Memory::new(limits.memory_max, name, inner.budget.clone(), meter.clone());
        let store = store(inner, memory, &meter, wasi, clock, None);
        Opened { store, meter, stderr }
    }
}

/// What a call outside of any run gives, within what a step may take.
pub(super) async fn ended<T>(
    call: impl Future<Output = wasmtime::Result<T>>,
    meter: &Meter,
    limits: &Limits,
    stderr: &Output,
) -> Result<T, LoadError> {
    let hint = "what a file does when it is imported is done once, when it is built: nothing there may wait, or compute for long";
    match timed(call, meter, None, limits, None).await {
        Called::Ended(result) => result.map_err(|error| {
            let message = panic_message(stderr).unwrap_or_else(|| format!("{}", error.root_cause()));
            LoadError::new(format!("it failed when it began: {message}"), hint)
        }),
        Called::Exceeded(excess) => Err(LoadError::new(exceeded(excess, "begin", limits).message, hint)),
        Called::TimedOut => Err(LoadError::new("it did not end when it began", hint)),
    }
}

async fn described_by(inner: &Inner, component: &Component, meter: &Meter) -> Result<String, LoadError> {
    let Opened { mut store, stderr, .. } = Opened::described(inner, meter.clone());
    let call = async {
        let workflow = component.pre.instantiate_async(&mut store).await?;
        workflow.wf_workflow_steps().call_describe(&mut store).await
    };
    let most = inner.limits.describe_max;
    let called = timed(call, meter, None, &inner.limits.outside_of_runs(), None).await;
    let hint = "`describe` must return the manifest and do nothing else; the SDKs write it for you";
    match called {
        Called::Ended(Ok(json)) => Ok(json),
        Called::Ended(Err(error)) => Err(match panic_message(&stderr) {
            Some(message) => LoadError::new(format!("its `describe` failed: {message}"), "correct what it says, and build it again"),
            None => LoadError::new(format!("its `describe` failed: {}", error.root_cause()), hint),
        }),
        Called::Exceeded(Excess::Sleep) => Err(LoadError::new("its `describe` sleeps", hint)),
        Called::Exceeded(_) | Called::TimedOut => Err(LoadError::new(format!("its `describe` did not end within {most:?}"), hint)),
    }
}

/// The step by which a component is asked whether an event from outside fits.
const VALIDATE: &str = "wf:validate";

/// The payload that a component wants for that of an event from outside, where it wants another, or why it refuses it, in
/// its own words, where it has any; an error where it could not be asked, which says nothing of the event.
pub(super) async fn validate(
    inner: &Arc<Inner>,
    component: &Arc<Component>,
    workflow: &str,
    event: &Event,
    at: Micros,
    limits: &Limits,
) -> Result<Result<Option<String>, String>, String> {
    let name = Name::from(workflow);
    let turn = inner.turns.turn(&name).await;
    let (sender, validated) = oneshot::channel();
    let (own, component, events, limits) = (inner.clone(), component.clone(), [outward(event)], limits.outside_of_runs());
    let meter = Meter::from(at, inner.ticks.clone());
    // What it makes by chance is kept with the event.
    let seed: [u8; 32] = rand::random();
    let _entry = inner.executor.spawn(name.clone(), meter.clone(), async move {
        let Opened { mut store, meter, stderr } = Opened::with(&own, name, at, &seed, &limits, meter);
        let call = async {
            let workflow = component.pre.instantiate_async(&mut store).await?;
            workflow.wf_workflow_steps().call_invoke(&mut store, VALIDATE, &events).await
        };
        let called = timed(call, &meter, None, &limits, None).await;
        let refused = store.data().memory.refused;
        let failed = |failure: Failure| cut(failure.message, MESSAGE_MAX);
        let words = match (called, refused) {
            (Called::Ended(Ok(Ok(events))), _) => Ok(Ok(events.into_iter().next().map(|event| event.payload))),
            (Called::Ended(Ok(Err(failure))), _) => Ok(Err(cut(failure.message, MESSAGE_MAX))),
            (Called::Ended(Err(error)), Some(refused)) => {
                let message = failed(beyond_memory(refused, &limits, own.limits.memory_total(), &error, &component.bytes));
                // Where others have used up what there is for all, another time may do.
                if matches!(refused, Refused::Total) { Err(message) } else { Ok(Err(message)) }
            }
            (Called::Ended(Err(error)), None) => Ok(Err(failed(trapped(&error, &limits, &stderr, &component.bytes)))),
            (Called::Exceeded(excess), _) => Ok(Err(failed(exceeded(excess, VALIDATE, &limits)))),
            (Called::TimedOut, _) => Ok(Err(format!("step `{VALIDATE}` timed out"))),
        };
        // Whoever asked may be gone.
        let _ = sender.send(words);
        drop(turn);
    });
    // It is stopping, or a defect has ended it, which the log tells.
    validated.await.unwrap_or_else(|_| Err(format!("step `{VALIDATE}` has not ended")))
}

/// Runs an attempt and reports how it ended, if anybody is to hear it.
pub(super) async fn enter(
    inner: Arc<Inner>,
    component: Arc<Component>,
    invoke: Invoke,
    meter: Meter,
    info: Arc<RunInfo>,
    terms: Terms,
    reports: UnboundedSender<Report>,
) {
    let (invocation, attempt, reports) = (invoke.invocation, invoke.attempt, Reporter::new(reports));
    let entry = AssertUnwindSafe(run(&inner, &component, invoke, &meter, info, &terms, reports.clone())).catch_unwind();
    let report = entry.await.unwrap_or_else(|_| {
        let failure = Failure::new("host", "a defect of wf-host ended the attempt; its log has the details".to_owned(), true);
        Some(Report::Failed { invocation, attempt, calls: Vec::new(), failure, usage: meter.usage() })
    });
    match report {
        // The worker is gone when the run has ended.
        Some(report) => drop(reports.send(report)),
        None => reports.flush(),
    }
}

async fn run(
    inner: &Arc<Inner>,
    component: &Component,
    invoke: Invoke,
    meter: &Meter,
    info: Arc<RunInfo>,
    terms: &Terms,
    reports: Reporter,
) -> Option<Report> {
    let Terms { limits, grants, .. } = terms;
    let name = Name::from(&*info.workflow);
    let _turn = inner.turns.turn(&name).await;
    let Invoke { invocation, attempt, started_at, time_left, lost, .. } = invoke;
    let clock = Clock::at(started_at);
    let left = Arc::new(Mutex::new(limits.log_max));
    let lines = Lines { invocation, attempt, reports: reports.clone(), clock: clock.clone(), left };
    let (stdout, stderr) = (Output::new("stdout", Some(lines.clone())), Output::new("stderr", Some(lines.clone())));
    let placeholders = Placeholders::new(grants, &info.seed);
    let mut wasi = wasi::context(&info.seed, invocation, attempt, &clock, &stdout, &stderr);
    if let Err(failure) = wasi::grant(&mut wasi, grants) {
        return Some(Report::Failed { invocation, attempt, calls: Vec::new(), failure, usage: meter.usage() });
    }
    let place = inner.threads.place(&info.run, invocation);
    let step = invoke.step.clone();
    let events: Vec<WitEvent> = invoke.events.iter().map(outward).collect();
    let door = Door::new(inner.outside.exchange(&info.workflow, grants), placeholders);
    let context = Context::new(invoke, info, terms, door, lines, meter.clone());
    let memory = Memory::new(limits.memory_max, name, inner.budget.clone(), meter.clone());
    let mut store = store(inner, memory, meter, wasi.build(), clock, Some(context));

    let call = async {
        let workflow = component.pre.instantiate_async(&mut store).await?;
        workflow.wf_workflow_steps().call_invoke(&mut store, &step, &events).await
    };
    let called = timed(call, meter, Some((&place, &reports)), limits, time_left).await;
    stdout.finish();
    stderr.finish();

    let guest = store.data_mut();
    let usage = meter.usage();
    let (refused, wants_sockets) = (guest.memory.refused, guest.wants_sockets);
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
        Called::Ended(Err(error)) => Err(match refused {
            Some(refused) => beyond_memory(refused, limits, inner.limits.memory_total(), &error, &component.bytes),
            None => trapped(&error, limits, &stderr, &component.bytes),
        }),
        Called::Exceeded(excess) => Err(exceeded(excess, &step, limits)),
        Called::TimedOut => Err(Failure::new("timeout", format!("step `{step}` timed out"), true)),
    };
    let finished = ended.and_then(|events| context.attempt.returned(events.into_iter().map(|event| (event.name, event.payload)).collect()));
    Some(match finished {
        Ok((calls, commit, events)) => Report::Returned { invocation, attempt, calls, commit, events, usage },
        Err(mut failure) => {
            // What the guest was told is a number alone.
            let lacks = [
                wants_sockets.then(|| NO_SOCKETS.to_owned()),
                (context.lacks_folders && tells_of_a_file(&failure.message)).then(|| no_folders(&context.info.workflow)),
            ];
            for lack in lacks.into_iter().flatten() {
                failure.message = cut(format!("{} [{lack}]", failure.message), MESSAGE_MAX);
            }
            Report::Failed { invocation, attempt, calls: context.attempt.failed(), failure, usage }
        }
    })
}

/// Whether a failure is one of files: some languages look for folders as they begin, whatever a step does.
fn tells_of_a_file(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["no such file", "os error", "errno", "enoent", "bad file", "file does not exist", "filenotfound"].iter().any(|it| message.contains(it))
}

fn store(
    inner: &Inner,
    memory: Memory,
    meter: &Meter,
    wasi: wasmtime_wasi::WasiCtx,
    clock: Clock,
    context: Option<Context>,
) -> Store<Guest> {
    let (table, timers, meter, http) = (wasi::table(), Timers::new(), meter.clone(), WasiHttp::default());
    let guest = Guest { wasi, table, clock, timers, meter, memory, context, http, wants_sockets: false };
    let mut store = Store::new(&inner.engine, guest);
    store.limiter(|guest| &mut guest.memory);
    // What one call hands over: no guest has more to say than it may hold back.
    store.set_hostcall_fuel(inner.limits.buffered_max);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
    store
}

/// Polls a call, and counts what it takes: also where it waits for what never comes. The step's own timeout counts what
/// it computes, too.
async fn timed<T>(
    call: impl Future<Output = wasmtime::Result<T>>,
    meter: &Meter,
    attempt: Option<(&Place, &Reporter)>,
    limits: &Limits,
    time_left: Option<Micros>,
) -> Called<T> {
    let mut call = Box::pin(call);
    let time_left = time_left.map(Duration::from_micros);
    let mut alarm: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|context| {
        meter.begin();
        if let Some((place, _)) = attempt {
            place.on();
        }
        let poll = call.as_mut().poll(context);
        if let Some((place, reports)) = attempt {
            place.off();
            reports.flush();
        }
        meter.end();
        match (poll, meter.excess(limits)) {
            (Poll::Ready(result), _) => Poll::Ready(Called::Ended(result)),
            (Poll::Pending, _) if time_left.is_some_and(|left| meter.computed() > left) => Poll::Ready(Called::TimedOut),
            (Poll::Pending, Some(excess)) => Poll::Ready(Called::Exceeded(excess)),
            (Poll::Pending, None) => {
                // Where the machine stood still meanwhile it may go on.
                let left = || meter.left(limits).max(TICK);
                let alarm = alarm.get_or_insert_with(|| Box::pin(sleep(left())));
                while alarm.as_mut().poll(context).is_ready() {
                    alarm.as_mut().reset(Instant::now() + left());
                }
                Poll::Pending
            }
        }
    })
    .await
}

fn outward(event: &Event) -> WitEvent {
    WitEvent { name: event.name.to_string(), payload: event.payload.get().to_owned() }
}
