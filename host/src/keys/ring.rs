//! The keys as a door looks for them: at every request, however many there are.

use std::collections::HashMap;
use std::sync::Arc;

use wf_engine::entry::Micros;

use super::{Key, Keys, SecretHash};

/// Keys by what is shown for them.
#[derive(Default)]
pub struct Ring {
    keys: HashMap<SecretHash, Arc<Key>>,
    /// With when somebody is signed out.
    sessions: HashMap<SecretHash, (Arc<Key>, Micros)>,
}

impl Ring {
    /// All keys of a file.
    pub fn of(keys: &Keys) -> Ring {
        let by_name: HashMap<&str, Arc<Key>> = keys.keys.iter().map(|key| (key.name.as_str(), Arc::new(key.clone()))).collect();
        let sessions = keys.sessions.iter().filter_map(|session| {
            let key = by_name.get(session.key.as_str())?;
            Some((session.hash, (key.clone(), session.expires_at)))
        });
        Ring { sessions: sessions.collect(), keys: by_name.values().map(|key| (key.hash, key.clone())).collect() }
    }

    /// The key that somebody shows, or has signed in with.
    pub fn find(&self, shown: &SecretHash, now: Micros) -> Option<&Arc<Key>> {
        let session = || self.sessions.get(shown).filter(|(_, expires_at)| now < *expires_at).map(|(key, _)| key);
        self.keys.get(shown).or_else(session).filter(|key| key.lasts(now))
    }
}
