//! All of wasmtime: loads components, and lets steps run in fresh instances of them.
//!
//! A guest only reports; nothing here changes a run.

#[cfg(feature = "cli")]
mod begin;
mod bindings;
mod cache;
mod clock;
mod compiler;
mod component;
mod context;
mod denied;
mod door;
mod engine;
mod enter;
#[cfg(test)]
mod entries;
mod executor;
mod failures;
#[cfg(feature = "cli")]
pub(crate) mod flat;
mod flows;
mod guest;
mod libraries;
mod lines;
mod linker;
mod memory;
#[cfg(feature = "cli")]
pub(crate) mod merge;
mod meter;
mod polls;
mod report;
mod shape;
mod shares;
mod source;
mod threads;
mod ticks;
#[cfg(feature = "cli")]
mod touch;
mod turns;
mod wasi;
mod wasi_http;
mod world;

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Semaphore, SemaphorePermit};
use wf_engine::effect::Invoke;
use wf_engine::entry::{Event, InvocationId, Micros};
use wf_engine::text::{MESSAGE_MAX, cut};

use crate::model::{Grants, Limits};
use crate::outside::Outside;
#[cfg(feature = "cli")]
pub(crate) use begin::Beginning;
pub use compiler::{Compiler, Work, make};
pub use component::Component;
pub(crate) use component::Encoded;
pub use executor::Entry;
use libraries::Library;
pub use report::{LogLine, Report, Waits};
pub use wf_engine::attempt::RunInfo;

/// What a runtime is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where compiled code is kept; none: it is compiled at every start.
    pub cache_dir: Option<PathBuf>,
    /// Where that is done.
    pub compiler: Compiler,
    /// Where it is noted who is on a thread, for the host after this one; none: it is not.
    pub threads: Option<PathBuf>,
    /// The most that any guest may use.
    pub limits: Limits,
}

/// What an entry into an attempt may use, and reach.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What it may use.
    pub limits: Arc<Limits>,
    /// What it may reach outside.
    pub grants: Arc<Grants>,
    /// Whether each call is reported before anything is done about it: for whoever runs an attempt again.
    pub watched: bool,
    /// Whether its requests are reported and answered by whoever hears that, and none leaves: for tests.
    pub answered: bool,
}

/// Loads components and runs their steps. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    engine: wasmtime::Engine,
    linker: wasmtime::component::Linker<guest::Guest>,
    cache: Option<cache::Cache>,
    compilers: compiler::Compilers,
    /// For one file at a time: hundreds that come at once, each on a thread, would keep the processors from who answers.
    looking: Semaphore,
    threads: Arc<threads::Threads>,
    libraries: libraries::Libraries,
    limits: Limits,
    executor: executor::Executor,
    /// As many as the pool has room for, beside what describes itself.
    turns: turns::Turns,
    describes: Arc<Semaphore>,
    budget: memory::Budget,
    ticks: ticks::Ticks,
    outside: Outside,
}

/// Why a file is no workflow: what happened, and what to do.
#[derive(Clone, Debug, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct LoadError {
    message: String,
    hint: String,
    /// It is not the file's fault.
    #[serde(skip)]
    passing: bool,
}

impl LoadError {
    /// What happened, in lower case; what to do. A component has a part in the message: it is cut.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> LoadError {
        LoadError { message: cut(message.into(), MESSAGE_MAX), hint: hint.into(), passing: false }
    }

    /// Whether the same file may load at another time.
    pub fn is_passing(&self) -> bool {
        self.passing
    }

    /// What to do.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl Runtime {
    /// Starts a runtime, within one of tokio's, by whose clock its guests wake. Its threads end with it.
    pub fn new(options: Options) -> Result<Runtime, LoadError> {
        let Options { cache_dir, compiler, threads, mut limits } = options;
        limits.memory_total_max = limits.memory_total_max.or_else(memory::half_of_the_machine);
        let ticks = ticks::Ticks::default();
        let engine = engine::new(&limits, &ticks)
            .map_err(|error| LoadError::new(format!("wasm cannot run here: {error:#}"), "this machine is not supported"))?;
        let linker = linker::linker(&engine).map_err(|error| LoadError::new(format!("{error:#}"), "this is a defect of wf-host"))?;
        let cache = cache_dir.and_then(|folder| cache::Cache::open(folder, &engine));
        let compilers = compiler::Compilers::new(compiler, &limits);
        let executor = executor::Executor::start()
            .map_err(|error| LoadError::new(format!("no threads could be started: {error}"), "this machine has too few"))?;
        let (turns, describes) = (turns::Turns::new(limits.instances_max), Arc::new(Semaphore::new(engine::DESCRIBES_MAX as usize)));
        let budget = memory::Budget::new(limits.memory_total());
        let threads = Arc::new(threads::Threads::open(threads.as_deref()));
        Ok(Runtime(Arc::new(Inner {
            engine,
            linker,
            cache,
            compilers,
            looking: Semaphore::new(1),
            threads,
            libraries: libraries::Libraries::default(),
            limits,
            executor,
            turns,
            describes,
            budget,
            ticks,
            outside: Outside::default(),
        })))
    }

    /// Which invocations of a run were on a thread when the host before this one was lost; none: it is not known.
    pub(crate) fn on_thread(&self, run: &str) -> Option<Vec<InvocationId>> {
        self.0.threads.before(run)
    }

    /// Makes a component of a file's bytes, and compiles it.
    pub async fn load(&self, bytes: impl Into<Bytes>) -> Result<Arc<Component>, LoadError> {
        self.compile(self.encode(bytes).await?).await
    }

    /// The largest file that can be loaded, in bytes.
    pub(crate) fn component_max(&self) -> u64 {
        self.0.limits.component_max
    }

    /// Makes a component of a file's bytes, or takes it from the cache.
    pub(crate) async fn encode(&self, bytes: impl Into<Bytes>) -> Result<Encoded, LoadError> {
        let bytes = bytes.into();
        let max = self.component_max();
        if bytes.len() as u64 > max {
            let message = format!("it has more than {max} bytes (limit component_max)");
            return Err(LoadError::new(message, "leave out what it does not need"));
        }
        let looking = self.0.looking.acquire().await.expect("never closed");
        if shape::is_component(&bytes) {
            return beside(move || Ok(Encoded::new(bytes))).await;
        }
        let (own, module) = (self.0.clone(), bytes.clone());
        let (name, kept) = beside(move || {
            let name = format!("{}-component", shape::digest(&module));
            let kept = own.cache.as_ref().and_then(|cache| cache.read(&name));
            Ok((name, kept))
        })
        .await?;
        if let Some(kept) = kept {
            return beside(move || Ok(Encoded::new(kept.into()))).await;
        }
        drop(looking);
        let made = Bytes::from(self.0.compilers.make(Work::Encode, bytes).await?);
        let own = self.0.clone();
        beside(move || {
            if let Some(cache) = &own.cache {
                cache.put(&name, &made);
            }
            Ok(Encoded::new(made))
        })
        .await
    }

    /// Compiles a component, or takes it from the cache.
    pub(crate) async fn compile(&self, encoded: Encoded) -> Result<Arc<Component>, LoadError> {
        let bytes = encoded.bytes.clone();
        let split = beside(move || Ok(libraries::split(&bytes))).await?;
        let (name, bytes, apart) = match split {
            Some(split) => (format!("{}-shell", encoded.digest), split.shell.into(), split.libraries),
            None => (encoded.digest.clone(), encoded.bytes.clone(), Vec::new()),
        };
        let mut libraries = Vec::new();
        for library in apart {
            libraries.push(self.library(library).await?);
        }
        let (own, kept) = (self.0.clone(), name.clone());
        let kept = beside(move || Ok(own.cache.as_ref().and_then(|cache| cache.get(&own.engine, &kept)))).await?;
        let made = match kept {
            Some(_) => Vec::new(),
            None => self.0.compilers.make(Work::Compile, bytes).await?,
        };
        let own = self.0.clone();
        beside(move || {
            let compiled = match kept {
                Some(compiled) => compiled,
                None => cache::component(&own.engine, &made).map_err(|error| engine::unfit(&error))?,
            };
            if let Some(cache) = own.cache.as_ref().filter(|_| !made.is_empty()) {
                cache.put(&name, &made);
            }
            component::link(&own.engine, &own.linker, encoded, &compiled, libraries).map(Arc::new)
        })
        .await
    }

    /// Compiles a library, or takes it from whoever holds it or from the cache.
    async fn library(&self, library: Library) -> Result<Arc<libraries::Compiled>, LoadError> {
        let place = self.0.libraries.place(&library.digest);
        let mut held = place.lock().await;
        if let Some(compiled) = held.upgrade() {
            return Ok(compiled);
        }
        let name = format!("{}-library", library.digest);
        let (own, kept) = (self.0.clone(), name.clone());
        let kept = beside(move || Ok(own.cache.as_ref().and_then(|cache| cache.library(&own.engine, &kept)))).await?;
        let module = match kept {
            Some(module) => module,
            None => {
                let made = self.0.compilers.make(Work::Library, library.bytes).await?;
                let own = self.0.clone();
                beside(move || {
                    let module = cache::library(&own.engine, &made).map_err(|error| engine::unfit(&error))?;
                    if let Some(cache) = &own.cache {
                        cache.put(&name, &made);
                    }
                    Ok(module)
                })
                .await?
            }
        };
        let compiled = Arc::new(libraries::Compiled { digest: library.digest, module });
        *held = Arc::downgrade(&compiled);
        Ok(compiled)
    }

    /// Calls steps of a component outside of any run. Gives a component whose instances begin where that has ended, and
    /// what each answered.
    #[cfg(feature = "cli")]
    pub(crate) async fn begin(&self, component: &[u8], beginning: Beginning) -> Result<(Vec<u8>, Vec<String>), LoadError> {
        begin::begin(self, component, beginning).await
    }

    /// What a component says about itself: JSON, unchecked.
    pub async fn describe(&self, component: &Arc<Component>) -> Result<String, LoadError> {
        enter::describe(&self.0, component).await
    }

    /// The payload that the component wants for that of an event from outside, where it wants another, or its words, where
    /// the event does not fit; an error where it could not be asked.
    pub(crate) async fn validate(
        &self,
        component: &Arc<Component>,
        workflow: &str,
        event: &Event,
        at: Micros,
        limits: &Limits,
    ) -> Result<Result<Option<String>, String>, String> {
        enter::validate(&self.0, component, workflow, event, at, limits).await
    }

    /// Lets an attempt run in a fresh instance, from this time on. It reports until it has ended, been suspended,
    /// or been aborted by the handle.
    pub fn enter(
        &self,
        component: Arc<Component>,
        invoke: Invoke,
        at: Micros,
        info: Arc<RunInfo>,
        terms: Terms,
        reports: UnboundedSender<Report>,
    ) -> Entry {
        let name = shares::Name::from(&*info.workflow);
        let meter = meter::Meter::from(at, self.0.ticks.clone());
        self.0.executor.spawn(name, meter.clone(), enter::enter(self.0.clone(), component, invoke, meter, info, terms, reports))
    }
}

/// So much that takes long is done at once: hundreds of files may come together, and each would have a thread of its own.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, NonZero::get)));

/// A turn to do what takes long. Whoever has one waits for no other.
pub(crate) async fn long_turn() -> SemaphorePermit<'static> {
    TURNS.acquire().await.expect("never closed")
}

/// What takes long, beside those that answer.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> Result<T, LoadError> + Send + 'static) -> Result<T, LoadError> {
    let _turn = long_turn().await;
    blocking(work).await
}

/// On a thread of its own, however many there are: who calls this says how many that may be.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, LoadError> + Send + 'static) -> Result<T, LoadError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(LoadError::new(error.to_string(), "this is a defect of wf-host")))
}
