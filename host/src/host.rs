//! The host: what the outside can ask of it. HTTP and the command line both stand on this.

mod retention;
mod runs;

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::stream::BoxStream;

use crate::clock::Clock;
use crate::config::Config;
use crate::driver::Driver;
use crate::model::{Frame, Refusal, Workflow};
use crate::registry::{Change, Listing, Registry, Rejected, Source};
use crate::runtime::Runtime;
use crate::services::Services;
use crate::store::{Now, Store};
use crate::tail::{self, Tails};

/// How often the store's clock is kept: a crash loses at most this much of it.
const CLOCK_KEPT_EVERY: Duration = Duration::from_millis(500);

/// The host. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    services: Arc<Services>,
    driver: Driver,
}

impl Host {
    /// Opens a host on a store. Its runs go on once [`Host::resume`] is called.
    pub async fn open(store: Arc<dyn Store>, runtime: Runtime, config: Config) -> Result<Host, crate::store::Error> {
        let clock = Clock::new(store.alive().await?);
        let host = store.join(Now { at: clock.at(), alive: clock.alive() }).await?;
        let registry = Registry::new(config.clone());
        let services = Arc::new(Services { store, runtime, registry, clock, tails: Tails::default(), host });
        tokio::spawn(keep_clock(Arc::downgrade(&services)));
        tokio::spawn(retention::keep(Arc::downgrade(&services), config));
        let driver = Driver::new(services.clone());
        Ok(Host { services, driver })
    }

    /// Loads a file and registers what is in it: new runs get it from here on.
    pub async fn load(&self, source: &Source) -> Result<(Arc<Workflow>, Change), Rejected> {
        let Services { registry, clock, runtime, store, .. } = &*self.services;
        registry.load(source, clock.at(), runtime, &**store).await
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
    pub async fn stop(&self) {
        self.driver.stop().await;
        self.services.tails.close();
        if let Err(error) = self.services.store.keep_alive(self.services.host, self.services.now()).await {
            tracing::warn!("the store's clock could not be kept: {error}");
        }
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

async fn keep_clock(services: Weak<Services>) {
    loop {
        tokio::time::sleep(CLOCK_KEPT_EVERY).await;
        let Some(services) = services.upgrade() else { return };
        if let Err(error) = services.store.keep_alive(services.host, services.now()).await {
            tracing::warn!("the store's clock could not be kept: {error}");
        }
    }
}

/// A new identifier: ten characters of `[0-9A-Za-z]`.
pub(crate) fn new_id() -> String {
    use rand::RngExt;
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(10).map(char::from).collect()
}
