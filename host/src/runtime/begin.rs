//! A component that has begun: what it holds after a call is where each of its instances begins.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use bytes::Bytes;
use component_init_transform::Invoker;
use futures_util::FutureExt;
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Instance, Lift};
use wasmtime_wasi::async_trait;

use super::bindings::Workflow;
use super::bindings::wf::workflow::types::{Event, Failure};
use super::enter::Opened;
use super::guest::Guest;
use super::lines::Output;
use super::meter::Meter;
use super::shape::digest;
use super::touch;
use super::{LoadError, Runtime, beside};
use crate::model::Limits;

/// Changes the memory that is kept, given what the last call answered; an error says what is wrong with it.
pub(super) type Mend = fn(&str, &mut [u8]) -> Result<(), String>;

/// How a component begins.
pub(crate) struct Beginning {
    /// The steps that are called, one after the other, each with an event of its name and this payload.
    pub steps: Vec<(&'static str, String)>,
    /// The step that is called after these and leaves nothing behind: what memory it writes to, each instance writes to
    /// as it begins.
    pub rehearsal: Option<&'static str>,
    /// Changes the memory that is kept, given the last answer.
    pub mend: Mend,
}

/// Calls steps of a component outside of any run: none of the contract's imports are there. Gives the component that has
/// begun, and of each step the payload of the one event that it returned.
pub(super) async fn begin(runtime: &Runtime, component: &[u8], beginning: Beginning) -> Result<(Vec<u8>, Vec<String>), LoadError> {
    let own = runtime.clone();
    // By whom: each version may read it in another way.
    let name = format!("{}-begin-{}", digest(component), env!("CARGO_PKG_VERSION"));
    let ((told, answers), (wrote, written)) = (channel(), channel());
    let called = move |instrumented: Vec<u8>| {
        async move {
            let instrumented = first(&own, name, instrumented).await?;
            let held = call(&own, instrumented.into(), beginning, wrote).await?;
            told.send(held.answers.clone())?;
            Ok(Box::new(held) as Box<dyn Invoker>)
        }
        .boxed()
    };
    let begun = component_init_transform::initialize(component, called).await;
    let bytes = begun.map_err(|error| match error.downcast::<LoadError>() {
        Ok(error) => error,
        Err(error) => LoadError::new(format!("it cannot begin: {error:#}"), "this is a defect of wf-host"),
    })?;
    // Nobody says where it writes, where there is no rehearsal, or it failed.
    let touching = written.recv().ok().filter(|stretches| !stretches.is_empty()).and_then(|stretches| touch::touching(&bytes, &stretches));
    Ok((touching.unwrap_or(bytes), answers.recv().unwrap_or_default()))
}

/// What makes a component's memory readable is in another order each time, and the same: the first one is kept, so that it
/// is compiled once.
async fn first(runtime: &Runtime, name: String, instrumented: Vec<u8>) -> Result<Vec<u8>, LoadError> {
    let own = runtime.0.clone();
    // Several may begin at once: the others find what the first has kept.
    static FIRST: std::sync::Mutex<()> = std::sync::Mutex::new(());
    beside(move || {
        let Some(cache) = &own.cache else { return Ok(instrumented) };
        let _one = FIRST.lock();
        Ok(cache.read(&name).unwrap_or_else(|| {
            cache.put(&name, &instrumented);
            instrumented
        }))
    })
    .await
}

async fn call(runtime: &Runtime, instrumented: Bytes, beginning: Beginning, wrote: Sender<Vec<Range<u32>>>) -> anyhow::Result<Held> {
    let component = runtime.load(instrumented).await?;
    let Opened { mut store, meter, stderr } = Opened::new(&runtime.0);
    let limits = Arc::new(runtime.0.limits.clone());
    let instantiated = async { component.pre.instance_pre().instantiate_async(&mut store).await };
    let instance = super::enter::ended(instantiated, &meter, &limits, &stderr).await?;
    let Beginning { steps, rehearsal, mend } = beginning;
    let mut held =
        Held { store, instance, meter, stderr, limits, answers: Vec::new(), mend, rehearsal: rehearsal.map(|step| (step, wrote)) };
    for (step, payload) in steps {
        let said = held.call(step, payload).await?.map_err(|failure| {
            let details: serde_json::Value = serde_json::from_str(&failure.details).unwrap_or_default();
            LoadError::new(failure.message, details["hint"].as_str().unwrap_or("correct it, and build again"))
        })?;
        held.answers.push(said.into_iter().next().map(|event| event.payload).unwrap_or_default());
    }
    // To be read, its whole memory is handed over.
    held.store.set_hostcall_fuel(usize::MAX);
    Ok(held)
}

/// An instance after the calls.
struct Held {
    store: Store<Guest>,
    instance: Instance,
    meter: Meter,
    stderr: Output,
    limits: Arc<Limits>,
    /// What each call answered.
    answers: Vec<String>,
    mend: Mend,
    /// And who is to know where it writes.
    rehearsal: Option<(&'static str, Sender<Vec<Range<u32>>>)>,
}

impl Held {
    async fn call(&mut self, step: &str, payload: String) -> Result<Result<Vec<Event>, Failure>, LoadError> {
        let event = [Event { name: step.to_owned(), payload }];
        let Held { store, instance, meter, stderr, limits, .. } = self;
        let called = async {
            let workflow = Workflow::new(&mut *store, instance)?;
            workflow.wf_workflow_steps().call_invoke(&mut *store, step, &event).await
        };
        super::enter::ended(called, meter, limits, stderr).await
    }

    /// The memory, as it is kept.
    async fn memory(&mut self, function: &str) -> anyhow::Result<Vec<u8>> {
        let mut memory: Vec<u8> = self.get(function).await?;
        (self.mend)(self.answers.last().map_or("", String::as_str), &mut memory).map_err(anyhow::Error::msg)?;
        Ok(memory)
    }

    async fn get<T: Lift + Send + Sync + 'static>(&mut self, function: &str) -> anyhow::Result<T>
    where
        (T,): ComponentNamedList + Lift,
    {
        let read = async {
            let get = self.instance.get_typed_func::<(), (T,)>(&mut self.store, function)?;
            get.call_async(&mut self.store, ()).await
        };
        let read: wasmtime::Result<(T,)> = read.await;
        Ok(read.map_err(|error| anyhow::anyhow!("what it holds cannot be read: {error:#}"))?.0)
    }
}

#[async_trait]
impl Invoker for Held {
    async fn call_s32(&mut self, function: &str) -> anyhow::Result<i32> {
        self.get(function).await
    }

    async fn call_s64(&mut self, function: &str) -> anyhow::Result<i64> {
        self.get(function).await
    }

    async fn call_f32(&mut self, function: &str) -> anyhow::Result<f32> {
        self.get(function).await
    }

    async fn call_f64(&mut self, function: &str) -> anyhow::Result<f64> {
        self.get(function).await
    }

    /// The memory: there is one, and nothing else is a list. It is read last.
    async fn call_list_u8(&mut self, function: &str) -> anyhow::Result<Vec<u8>> {
        let memory = self.memory(function).await?;
        if let Some((step, wrote)) = self.rehearsal.take() {
            // What goes wrong there costs time in each step, and nothing else.
            match self.call(step, String::new()).await {
                Ok(Ok(_)) => match self.memory(function).await {
                    Ok(after) => wrote.send(touch::stretches(&memory, &after))?,
                    Err(error) => tracing::warn!("where a step writes is not known: {error:#}"),
                },
                Ok(Err(failure)) => tracing::warn!("where a step writes is not known: {}", failure.message),
                Err(error) => tracing::warn!("where a step writes is not known: {error}"),
            }
        }
        Ok(memory)
    }
}
