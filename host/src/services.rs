//! What everything that drives runs, or looks at them, stands on.

mod begun;
mod breakpoints;
mod past;
mod stored;

use std::sync::{Arc, OnceLock};

use crate::clock::Clock;
use crate::registry::Registry;
use crate::runtime::Runtime;
use crate::store::{HostId, Now, Store};
use crate::tail::Tails;

pub(crate) use begun::Begun;
pub(crate) use breakpoints::{Breakpoints, Held};
pub(crate) use stored::Stored;

/// Store, runtime, registry, clock and tails of one host, and what it knows of its runs.
pub(crate) struct Services {
    pub store: Arc<dyn Store>,
    pub runtime: Runtime,
    pub registry: Registry,
    pub clock: Clock,
    pub tails: Tails,
    pub begun: Begun,
    /// Where steps are held; none: nowhere.
    pub breakpoints: OnceLock<Arc<Breakpoints>>,
    /// Who this host is to its store.
    pub host: HostId,
}

impl Services {
    /// What the clocks show.
    pub fn now(&self) -> Now {
        Now { at: self.clock.at(), alive: self.clock.alive() }
    }
}

/// A new identifier: ten characters of `[0-9A-Za-z]`.
pub(crate) fn new_id() -> String {
    use rand::RngExt;
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(10).map(char::from).collect()
}
