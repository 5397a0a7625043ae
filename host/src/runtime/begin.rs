//! A component that has begun: what it holds after a call is where each of its instances begins.

use std::sync::Arc;

use bytes::Bytes;
use component_init_transform::Invoker;
use futures_util::FutureExt;
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Instance, Lift};
use wasmtime_wasi::async_trait;

use super::bindings::Workflow;
use super::bindings::wf::workflow::types::Event;
use super::enter::Opened;
use super::guest::Guest;
use super::shape::digest;
use super::{LoadError, Runtime, beside};

/// Changes the memory that is kept, given what the call answered; an error says what is wrong with it.
pub(super) type Mend = fn(&str, &mut [u8]) -> Result<(), String>;

/// Calls a step of a component outside of any run: none of the contract's imports are there. Gives the component that has
/// begun, and the payload of the one event that the call returned.
pub(super) async fn begin(
    runtime: &Runtime,
    component: &[u8],
    step: &str,
    payload: String,
    mend: Mend,
) -> Result<(Vec<u8>, String), LoadError> {
    let (own, step) = (runtime.clone(), step.to_owned());
    // By whom: each version may read it in another way.
    let name = format!("{}-begin-{}", digest(component), env!("CARGO_PKG_VERSION"));
    let (told, answer) = std::sync::mpsc::channel();
    let called = move |instrumented: Vec<u8>| {
        async move {
            let instrumented = first(&own, name, instrumented).await?;
            let held = call(&own, instrumented.into(), &step, payload, mend).await?;
            told.send(held.said.clone())?;
            Ok(Box::new(held) as Box<dyn Invoker>)
        }
        .boxed()
    };
    let begun = component_init_transform::initialize(component, called).await;
    let bytes = begun.map_err(|error| match error.downcast::<LoadError>() {
        Ok(error) => error,
        Err(error) => LoadError::new(format!("it cannot begin: {error:#}"), "this is a defect of wf-host"),
    })?;
    Ok((bytes, answer.recv().unwrap_or_default()))
}

/// What makes a component's memory readable is in another order each time, and the same: the first one is kept, so that it
/// is compiled once.
async fn first(runtime: &Runtime, name: String, instrumented: Vec<u8>) -> Result<Vec<u8>, LoadError> {
    let own = runtime.0.clone();
    beside(move || {
        let Some(cache) = &own.cache else { return Ok(instrumented) };
        Ok(cache.read(&name).unwrap_or_else(|| {
            cache.put(&name, &instrumented);
            instrumented
        }))
    })
    .await
}

async fn call(runtime: &Runtime, instrumented: Bytes, step: &str, payload: String, mend: Mend) -> anyhow::Result<Held> {
    let component = runtime.load(instrumented).await?;
    let Opened { mut store, meter, stderr } = Opened::new(&runtime.0);
    let event = [Event { name: step.to_owned(), payload }];
    let called = async {
        let instance = component.pre.instance_pre().instantiate_async(&mut store).await?;
        let workflow = Workflow::new(&mut store, &instance)?;
        let answer = workflow.wf_workflow_steps().call_invoke(&mut store, step, &event).await?;
        Ok((instance, answer))
    };
    let limits = Arc::new(runtime.0.limits.clone());
    let (instance, answer) = super::enter::ended(called, &meter, &limits, &stderr).await?;
    // To be read, its whole memory is handed over.
    store.set_hostcall_fuel(usize::MAX);
    let said = answer.map_err(|failure| {
        let details: serde_json::Value = serde_json::from_str(&failure.details).unwrap_or_default();
        LoadError::new(failure.message, details["hint"].as_str().unwrap_or("correct it, and build again"))
    })?;
    let said = said.into_iter().next().map(|event| event.payload).unwrap_or_default();
    Ok(Held { store, instance, said, mend })
}

/// An instance after the call.
struct Held {
    store: Store<Guest>,
    instance: Instance,
    /// What the call answered.
    said: String,
    mend: Mend,
}

impl Held {
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

    /// The memory: there is one, and nothing else is a list.
    async fn call_list_u8(&mut self, function: &str) -> anyhow::Result<Vec<u8>> {
        let mut memory: Vec<u8> = self.get(function).await?;
        (self.mend)(&self.said, &mut memory).map_err(anyhow::Error::msg)?;
        Ok(memory)
    }
}
