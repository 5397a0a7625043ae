//! What everything that drives runs, or looks at them, stands on.

mod stored;

use std::sync::Arc;

use crate::clock::Clock;
use crate::registry::Registry;
use crate::runtime::Runtime;
use crate::store::{HostId, Now, Store};
use crate::tail::Tails;

pub(crate) use stored::Stored;

/// Store, runtime, registry, clock and tails of one host.
pub(crate) struct Services {
    pub store: Arc<dyn Store>,
    pub runtime: Runtime,
    pub registry: Registry,
    pub clock: Clock,
    pub tails: Tails,
    /// Who this host is to its store.
    pub host: HostId,
}

impl Services {
    /// What the clocks show.
    pub fn now(&self) -> Now {
        Now { at: self.clock.at(), alive: self.clock.alive() }
    }
}
