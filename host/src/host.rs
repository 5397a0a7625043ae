//! The host: what the outside can ask of it. HTTP and the command line both stand on this.

mod disk;
mod forks;
mod pauses;
mod retention;
mod runs;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio::sync::{Semaphore, watch};

pub use forks::{Edit, Forking};
pub use runs::Cut;

use crate::clock::Clock;
use crate::config::Config;
use crate::driver::Driver;
#[cfg(feature = "cli")]
use crate::harness::Harness;
use crate::model::{Frame, Refusal, Workflow};
use crate::registry::{Change, Listing, Prepared, Registry, Rejected, Source};
use crate::runtime::Runtime;
#[cfg(feature = "cli")]
use crate::runtime::{Beginning, LoadError};
use crate::services::{Begun, Services};
use crate::store::{ALIVE_FIRST, Now, Store};
use crate::tail::{self, Tails};

/// The host. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    services: Arc<Services>,
    driver: Driver,
    /// How long runs are kept.
    kept: Arc<watch::Sender<Config>>,
    room: disk::Room,
    /// Forks that are being made: each has a whole run in memory.
    forks: Arc<Semaphore>,
}

impl Host {
    /// Opens a host on a store. Its runs go on once [`Host::resume`] is called.
    pub fn open(store: Arc<dyn Store>, runtime: Runtime, config: Config) -> BoxFuture<'static, Result<Host, crate::store::Error>> {
        Box::pin(async move {
            let alive = store.alive().await?;
            let clock = Clock::new(if alive == 0 { ALIVE_FIRST } else { alive });
            let host = store.join(Now { at: clock.at(), alive: clock.alive() }).await?;
            let registry = Registry::new(config.clone());
            let (tails, begun, breakpoints) = (Tails::default(), Begun::default(), OnceLock::new());
            let services = Arc::new(Services { store, runtime, registry, clock, tails, begun, breakpoints, host });
            let (kept, keep_as) = watch::channel(config);
            tokio::spawn(retention::keep(Arc::downgrade(&services), keep_as));
            let driver = Driver::new(services.clone());
            Ok(Host {
                services,
                driver,
                kept: Arc::new(kept),
                room: disk::Room::default(),
                forks: Arc::new(Semaphore::new(forks::FORKS_MAX)),
            })
        })
    }

    /// Keeps runs after their end as long as this says, and grants to workflows what it grants, from here on: entries
    /// into steps that are under way go on with what they had. Nothing else of it counts.
    pub fn apply(&self, config: &Config) {
        self.services.registry.grant(config);
        self.kept.send_replace(config.clone());
    }

    /// Looks after the room on the disk of a folder, from here on.
    pub fn watch_disk(&self, folder: Option<PathBuf>) {
        if let Some(folder) = folder {
            tokio::spawn(disk::watch(folder, self.room.clone(), self.kept.subscribe()));
        }
    }

    /// What is about to go wrong, although it accepts requests.
    pub fn warning(&self) -> Option<String> {
        self.room.warning()
    }

    /// Loads a file and registers what is in it: new runs get it from here on.
    pub async fn load(&self, source: &Source) -> Result<(Arc<Workflow>, Change), Rejected> {
        self.register(self.prepare(source).await)
    }

    /// Loads a file, off to one side.
    pub fn prepare<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Prepared> {
        Box::pin(async {
            let Services { registry, clock, runtime, store, .. } = &*self.services;
            registry.prepare(source, None, clock.at(), runtime, &**store).await
        })
    }

    /// Loads what somebody has in memory, under a name, off to one side.
    pub fn prepare_bytes<'a>(&'a self, name: &'a str, bytes: Bytes) -> BoxFuture<'a, Prepared> {
        Box::pin(async move {
            let source = Source { name: Some(name.to_owned()), files: vec![PathBuf::from(name)] };
            let Services { registry, clock, runtime, store, .. } = &*self.services;
            registry.prepare(&source, Some(bytes), clock.at(), runtime, &**store).await
        })
    }

    /// Calls steps of a component outside of any run. Gives a component whose instances begin where that has ended, and
    /// what each answered: how a language begins with somebody's files.
    #[cfg(feature = "cli")]
    pub(crate) async fn begin(&self, component: &[u8], beginning: Beginning) -> Result<(Vec<u8>, Vec<String>), LoadError> {
        self.services.runtime.begin(component, beginning).await
    }

    /// Drops the stored components that neither a run nor what is served needs, rather than within minutes.
    #[cfg(feature = "cli")]
    pub(crate) async fn drop_unneeded(&self) {
        retention::drop_unneeded(&self.services).await;
    }

    /// Runs of what is loaded, for tests, beside all that this host does: it need not have been resumed.
    #[cfg(feature = "cli")]
    pub(crate) fn harness(&self) -> Harness {
        Harness::new(self.services.clone())
    }

    /// Registers what was loaded: new runs get it from here on.
    pub fn register(&self, prepared: Prepared) -> Result<(Arc<Workflow>, Change), Rejected> {
        self.services.registry.register(prepared)
    }

    /// Whether workflows may come that are not known yet: it has not opened, or a file is still being loaded.
    pub fn is_loading(&self) -> bool {
        !self.driver.is_open() || self.services.registry.is_loading()
    }

    /// Notes why there is no newer version of a file's workflow; the one before goes on.
    pub fn reject(&self, source: &Source, rejected: Rejected) {
        self.services.registry.reject(source, self.services.clock.at(), rejected);
    }

    /// Takes a file's workflow away: its runs finish, new ones are not started.
    pub fn retire(&self, source: &Source) -> Option<Arc<Workflow>> {
        self.services.registry.retire(source)
    }

    /// The files that were loaded, with what became of them, in order of registration.
    pub fn listings(&self) -> Vec<Listing> {
        self.services.registry.listings()
    }

    /// Accepts requests from here on. What was executing, and what is due, goes on, in steps. Says how many runs
    /// have not ended.
    pub async fn resume(&self) -> Result<u64, crate::store::Error> {
        let unfinished = self.services.store.unfinished().await?;
        self.driver.open();
        Ok(unfinished)
    }

    /// Stops gracefully: no more requests, every run at a durable point, every stream ended.
    pub fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.driver.stop().await;
            self.services.tails.close();
            if let Err(error) = self.driver.keep_alive().await {
                tracing::warn!("the store's clock could not be kept: {error}");
            }
        })
    }

    /// Whether it accepts requests; if not, why.
    pub fn health(&self) -> Result<(), Refusal> {
        if !self.driver.is_open() {
            return Err(Refusal::stopping());
        }
        Ok(self.services.store.health()?)
    }

    /// The workflows, in order of registration.
    pub fn workflows(&self) -> Vec<Arc<Workflow>> {
        self.services.registry.workflows()
    }

    /// The workflow of that name.
    pub fn workflow(&self, name: &str) -> Option<Arc<Workflow>> {
        self.services.registry.workflow(name)
    }

    /// The number of the last durable frame of a run; -1 for none.
    pub async fn last_sequence(&self, run: &str) -> Result<i64, Refusal> {
        Ok(self.services.store.last_sequence(run).await?)
    }

    /// Durable frames after a sequence (-1: from the beginning), then live, in batches; ends
    /// after the terminal frame, and without one at a graceful stop.
    pub fn frames(&self, run: &str, after: i64) -> BoxStream<'static, Vec<Frame>> {
        tail::frames(self.services.store.clone(), self.services.tails.of(run), run, after)
    }
}
