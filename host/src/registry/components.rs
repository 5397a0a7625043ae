//! The components in memory: each is loaded once, however many ask for it at once.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Instant;

use tokio::sync::{Mutex, RwLock};

use crate::runtime::{Component, LoadError};
use crate::store::{self, Store};

/// Locked while it is loaded: others wait for it.
type Place = Mutex<Held>;

#[derive(Default)]
struct Held {
    component: Weak<Component>,
    /// When it could not be loaded the last time, and why.
    failed: Option<(Instant, LoadError)>,
}

/// The components that somebody holds, or is loading, by digest.
#[derive(Default)]
pub(super) struct Components(RwLock<HashMap<String, Arc<Place>>>);

impl Components {
    /// The component of that digest; loads it where nobody holds it. What cannot be compiled has failed for all who wait.
    pub(super) async fn get(
        &self,
        digest: &str,
        load: impl Future<Output = anyhow::Result<Arc<Component>>>,
    ) -> anyhow::Result<Arc<Component>> {
        let place = self.place(digest).await;
        let asked = Instant::now();
        let mut held = place.lock().await;
        if let Some(component) = held.component.upgrade() {
            return Ok(component);
        }
        if let Some((at, error)) = &held.failed
            && asked < *at
        {
            return Err(error.clone().into());
        }
        let loaded = load.await;
        match &loaded {
            Ok(component) => *held = Held { component: Arc::downgrade(component), failed: None },
            // The store may have it for the next.
            Err(error) => held.failed = error.downcast_ref::<LoadError>().map(|error| (Instant::now(), error.clone())),
        }
        loaded
    }

    async fn place(&self, digest: &str) -> Arc<Place> {
        if let Some(place) = self.0.read().await.get(digest) {
            return place.clone();
        }
        let mut places = self.0.write().await;
        places.retain(|_, place| is_needed(place));
        places.entry(digest.to_owned()).or_default().clone()
    }

    /// Keeps what is stored of these from being dropped, for as long as what this gives lasts.
    pub(super) async fn keep(&self, digests: &[String]) -> Kept {
        let mut places = Vec::new();
        for digest in digests {
            places.push(self.place(digest).await);
        }
        Kept(places)
    }

    /// Drops the stored components that neither a run nor anybody here needs: a run that is about to begin holds its
    /// own. Whoever asks for one meanwhile waits.
    pub(super) async fn drop_unneeded(&self, store: &dyn Store) -> store::Result<usize> {
        let places = self.0.write().await;
        let needed = places.iter().filter(|(_, place)| is_needed(place)).map(|(digest, _)| digest.clone()).collect();
        store.drop_components(needed).await
    }
}

/// Components that are not dropped meanwhile.
pub(crate) struct Kept(#[expect(dead_code, reason = "they are needed for as long as somebody has them")] Vec<Arc<Place>>);

/// Whether somebody holds the component, is loading it, or is about to.
fn is_needed(place: &Arc<Place>) -> bool {
    Arc::strong_count(place) > 1 || place.try_lock().is_ok_and(|held| held.component.strong_count() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Memory;

    #[tokio::test]
    async fn what_is_kept_is_not_dropped_until_nobody_keeps_it() {
        let (store, components) = (Memory::default(), Components::default());
        for digest in ["kept", "other"] {
            store.put_component(digest, "bytes".into(), "{}".to_owned()).await.expect("kept");
        }
        let kept = components.keep(&["kept".to_owned()]).await;
        assert_eq!(components.drop_unneeded(&store).await, Ok(1));
        assert!(store.manifest("kept").await.expect("an answer").is_some());
        drop(kept);
        assert_eq!(components.drop_unneeded(&store).await, Ok(1));
        assert!(store.manifest("kept").await.expect("an answer").is_none());
    }
}
