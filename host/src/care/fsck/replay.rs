//! Definitions as the store has them, for journals to be replayed by.

use std::sync::Arc;

use wf_engine::definition::Definition;
use wf_engine::entry::Part;

use crate::store::{Error, Examination};

/// So many are kept in memory.
const KNOWN_MAX: usize = 64;

/// Those that were asked for last.
#[derive(Default)]
pub(super) struct Definitions(Vec<Arc<Definition>>);

impl Definitions {
    /// The definition of these parts; else why there is none.
    pub(super) fn of(&mut self, parts: &[Part], store: &Examination) -> Result<Arc<Definition>, Error> {
        if let Some(known) = self.0.iter().find(|it| it.parts() == parts) {
            return Ok(known.clone());
        }
        let mut manifests = Vec::new();
        for part in parts {
            let digest = &part.component;
            let json = store.manifest(digest)?.ok_or_else(|| Error::Damaged(format!("component {digest} is not in the store")))?;
            let manifest = serde_json::from_str(&json);
            let manifest =
                manifest.map_err(|error| Error::Damaged(format!("the manifest of component {digest} cannot be read: {error}")))?;
            manifests.push((part.clone(), manifest));
        }
        let made = Arc::new(Definition::new(manifests));
        if self.0.len() >= KNOWN_MAX {
            self.0.remove(0);
        }
        self.0.push(made.clone());
        Ok(made)
    }
}
