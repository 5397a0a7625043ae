//! All of wasmtime: loads components, and lets steps run in fresh instances of them.
//!
//! A guest only reports; nothing here changes a run.

mod bindings;
mod cache;
mod clock;
mod component;
mod context;
mod engine;
mod enter;
mod guest;
mod lines;
mod meter;
mod report;
mod shape;
mod threads;
mod wasi;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use wf_engine::effect::Invoke;
use wf_engine::entry::{InvocationId, Micros};

use crate::model::Limits;
pub use component::Component;
pub use report::{LogLine, Report};
pub use wf_engine::attempt::RunInfo;

/// What a runtime is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where compiled code is kept; none: it is compiled at every start.
    pub cache_dir: Option<PathBuf>,
    /// Where it is noted who is on a thread, for the host after this one; none: it is not.
    pub threads: Option<PathBuf>,
    /// The most that any guest may use.
    pub limits: Limits,
}

/// Loads components and runs their steps. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    engine: wasmtime::Engine,
    linker: wasmtime::component::Linker<guest::Guest>,
    cache: Option<cache::Cache>,
    threads: Arc<threads::Threads>,
    limits: Limits,
    /// Below the pool's size, so that an instance always finds its place.
    instances: Semaphore,
}

/// Why a file is no workflow: what happened, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct LoadError {
    message: String,
    hint: String,
}

impl LoadError {
    /// What happened, in lower case; what to do.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> LoadError {
        LoadError { message: message.into(), hint: hint.into() }
    }

    /// What to do.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl Runtime {
    /// Starts a runtime; its ticker ends with it.
    pub fn new(options: Options) -> Result<Runtime, LoadError> {
        let Options { cache_dir, threads, limits } = options;
        let engine = engine::new(&limits)
            .map_err(|error| LoadError::new(format!("wasm cannot run here: {error:#}"), "this machine is not supported"))?;
        let linker = guest::linker(&engine).map_err(|error| LoadError::new(format!("{error:#}"), "this is a defect of wf-host"))?;
        let cache = cache_dir.and_then(|folder| cache::Cache::open(folder, &engine));
        let instances = Semaphore::new(limits.instances_max as usize);
        let threads = Arc::new(threads::Threads::open(threads.as_deref()));
        Ok(Runtime(Arc::new(Inner { engine, linker, cache, threads, limits, instances })))
    }

    /// Which invocations of a run were on a thread when the host before this one was lost; none: it is not known.
    pub(crate) fn on_thread(&self, run: &str) -> Option<Vec<InvocationId>> {
        self.0.threads.before(run)
    }

    /// Makes a component of a file's bytes, and compiles it.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Arc<Component>, LoadError> {
        let inner = self.0.clone();
        let loading = tokio::task::spawn_blocking(move || component::load(&inner.engine, &inner.linker, inner.cache.as_ref(), &bytes));
        let loaded = loading.await.unwrap_or_else(|error| Err(LoadError::new(error.to_string(), "this is a defect of wf-host")));
        loaded.map(Arc::new)
    }

    /// What a component says about itself: JSON, unchecked.
    pub async fn describe(&self, component: &Arc<Component>) -> Result<String, LoadError> {
        enter::describe(&self.0, component).await
    }

    /// Lets an attempt run in a fresh instance, from this time on. It reports until it has ended, been suspended,
    /// or been aborted by the handle.
    pub fn enter(
        &self,
        component: Arc<Component>,
        invoke: Invoke,
        at: Micros,
        info: Arc<RunInfo>,
        limits: Arc<Limits>,
        reports: UnboundedSender<Report>,
    ) -> AbortHandle {
        tokio::spawn(enter::enter(self.0.clone(), component, invoke, at, info, limits, reports)).abort_handle()
    }
}
