//! Runs that are held at breakpoints, where the host has such.

use std::sync::Arc;

use super::Host;
use super::forks::{Edit, Forking};
use crate::model::{Refusal, RunView};
use crate::services::Breakpoints;

impl Host {
    /// Has breakpoints from here on: before it [goes on](Host::resume). Every workflow begins with those that it is given
    /// here, which are names of steps or of types of events.
    #[cfg(feature = "cli")]
    pub(crate) fn break_at(&self, names: impl IntoIterator<Item = String>) {
        // Once they are there, they stay.
        let _ = self.services.breakpoints.set(Arc::new(Breakpoints::new(names)));
    }

    /// Its breakpoints; none: it has no such thing.
    pub(crate) fn breakpoints(&self) -> Option<&Arc<Breakpoints>> {
        self.services.breakpoints.get()
    }

    /// A run as it stands at a breakpoint, about to go on in another form. All that it has done until there is stored.
    pub(crate) async fn forking_paused(&self, run: &str, current: bool) -> Result<Forking, Refusal> {
        // What was written before is stored before it.
        self.services.store.log(self.summary(run).await?.key, Vec::new()).await?;
        self.forking(run, None, current).await
    }

    /// Goes on with a paused run in another form: a fork takes its place under its handler, and the run itself is cancelled.
    pub(crate) async fn go_on_as(&self, forking: Forking, edit: Edit) -> Result<RunView, Refusal> {
        let handler = self.run(forking.origin()).await?.handler;
        match self.cancel(&handler).await {
            // It ended by itself meanwhile: its fork goes on all the same.
            Ok(()) | Err(Refusal::NotFound) => (),
            Err(refusal) => return Err(refusal),
        }
        self.fork(forking, Edit { handler: Some(handler), ..edit }, None).await
    }
}
