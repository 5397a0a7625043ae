//! Somebody who has come in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use wf_engine::entry::Micros;

use super::{Door, Standing};
use crate::host::Host;
use crate::keys::{Key, SecretHash};
use crate::model::Refusal;

/// Somebody who has come in.
#[derive(Clone)]
pub(in crate::http) struct Visitor {
    /// None: nobody needs a key.
    pub(super) key: Option<Arc<Known>>,
    pub(super) address: IpAddr,
    pub(super) door: Arc<Door>,
}

/// A key, and what was shown for it.
pub(super) struct Known {
    pub key: Arc<Key>,
    shown: SecretHash,
}

impl Known {
    pub(super) fn new(key: Arc<Key>, shown: SecretHash) -> Known {
        Known { key, shown }
    }
}

impl Visitor {
    /// Somebody who needs no key.
    pub(in crate::http) fn unasked(address: IpAddr, door: &Arc<Door>) -> Visitor {
        Visitor { key: None, address, door: door.clone() }
    }

    /// The door that they came through.
    pub(in crate::http) fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// Where they are.
    pub(in crate::http) fn address(&self) -> IpAddr {
        self.address
    }

    /// Their key.
    pub(in crate::http) fn key(&self) -> Option<&Key> {
        self.key.as_ref().map(|known| &*known.key)
    }

    /// Whether there are workflows that they do not know.
    pub(in crate::http) fn is_restricted(&self) -> bool {
        self.key().is_some_and(|key| !key.workflows.is_empty())
    }

    /// Whether they know a workflow.
    pub(in crate::http) fn knows(&self, workflow: &str) -> bool {
        self.key().is_none_or(|key| key.knows(workflow))
    }

    /// Narrows a list of runs by workflows, which is of all where it is empty, to those that they know, served or not.
    pub(in crate::http) async fn narrow(&self, host: &Host, asked: Vec<String>) -> Result<Vec<String>, Refusal> {
        if !self.is_restricted() {
            return Ok(asked);
        }
        let mut known = if asked.is_empty() { host.workflows_of_runs().await? } else { asked };
        known.retain(|name| self.knows(name));
        // No workflow has no name: a list of none is not one of all.
        Ok(if known.is_empty() { vec![String::new()] } else { known })
    }

    /// Ends when their key does, or what they have signed in with: what is being told to them ends with it.
    pub(in crate::http) async fn shut_out(self) {
        let Some(known) = &self.key else { return std::future::pending().await };
        let mut standing = self.door.standing.subscribe();
        loop {
            let now = self.door.clock.at();
            let lasts = match &**standing.borrow_and_update() {
                Standing::Locked(ring) => ring.find(&known.shown, now).is_some(),
                // Broken files are mended, and nobody is judged by them.
                Standing::Open | Standing::Broken => true,
            };
            if !lasts {
                return;
            }
            tokio::select! {
                changed = standing.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(until(known.key.expires_at, now)) => (),
            }
        }
    }
}

/// How long a key lasts, or some time after which to look again: sessions end, too.
fn until(expires_at: Option<Micros>, now: Micros) -> Duration {
    const LOOK_AGAIN: Duration = Duration::from_secs(60);
    expires_at.map_or(LOOK_AGAIN, |at| Duration::from_micros(at.saturating_sub(now)).min(LOOK_AGAIN))
}
