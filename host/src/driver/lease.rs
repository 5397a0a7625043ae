//! The host's lease, the store's clock, and what others have taken or purged meanwhile.

use std::panic::AssertUnwindSafe;
use std::sync::Weak;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::task::JoinHandle;

use super::{Driver, Inner};
use crate::store;

/// How often the store's clock is kept: a crash loses at most this much of it.
const KEPT_EVERY: Duration = Duration::from_millis(500);

/// How often the store is asked what others have taken or purged: with the first renewal after a host was held up.
const ASKED_EVERY: Duration = Duration::from_secs(2);

/// Until the host is gone.
pub(super) async fn keep(driver: Weak<Inner>) {
    let (mut asked, mut asking): (Option<Instant>, Option<JoinHandle<()>>) = (None, None);
    loop {
        tokio::time::sleep(KEPT_EVERY).await;
        let Some(driver) = driver.upgrade().map(Driver) else { return };
        let kept = AssertUnwindSafe(driver.keep_alive()).catch_unwind().await;
        if let Err(error) = kept.unwrap_or_else(|_| Err(store::Error::Unavailable("a defect of wf-host".to_owned()))) {
            tracing::warn!("the store's clock could not be kept: {error}");
        }
        // Asking takes as long as there are many: the clock goes on meanwhile.
        if asked.is_none_or(|at| at.elapsed() >= ASKED_EVERY) && asking.as_ref().is_none_or(JoinHandle::is_finished) {
            asked = Some(Instant::now());
            asking = Some(tokio::spawn(async move { driver.look_at_others().await }));
        }
    }
}

impl Driver {
    /// Keeps the store's clock and the host's lease.
    pub async fn keep_alive(&self) -> store::Result<()> {
        let services = &self.0.services;
        services.store.keep_alive(services.host, services.now()).await
    }

    /// Learns what others have taken, should the lease have been over, and what they have purged.
    async fn look_at_others(&self) {
        if let Err(error) = self.look_at_taken().await {
            tracing::warn!("what others have taken cannot be told: {error}");
        }
        self.forget_purged().await;
    }

    async fn look_at_taken(&self) -> store::Result<()> {
        let held = self.table().owners.held();
        if held.is_empty() {
            return Ok(());
        }
        let newer = self.0.services.store.newer(held).await?;
        let actions = self.table().owners.overtaken(&newer);
        self.act(actions);
        Ok(())
    }

    /// Forgets runs that cannot be read and that another host has purged.
    async fn forget_purged(&self) {
        let unreadable = self.table().owners.unreadable();
        for run in unreadable {
            match self.0.services.store.run(&run).await {
                Ok(None) => self.purged(&[run]),
                Ok(Some(_)) => (),
                Err(error) => return tracing::warn!("which runs are gone cannot be told: {error}"),
            }
        }
    }
}
