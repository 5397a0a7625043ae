//! A workflow that is loaded.

use std::sync::Arc;

use wf_engine::definition::Definition;
use wf_engine::manifest::{EventKind, EventType, StepManifest};

use super::grants::{Asked, Granted, Grants};
use super::limits::Limits;

/// A workflow: a name, and the definition that its runs are pinned to.
pub struct Workflow {
    /// The name in URLs.
    pub name: String,
    /// What its runs are pinned to.
    pub definition: Arc<Definition>,
    /// Names of the additional event types, the manifest's and the configured ones.
    pub additional_events: Vec<String>,
    /// The definition's components, in its order.
    pub components: Vec<ComponentView>,
    /// What its guests may use.
    pub limits: Arc<Limits>,
    /// What its guests may reach outside.
    pub grants: Arc<Granted>,
}

/// A component as the outside sees it.
#[derive(Clone, Debug)]
pub struct ComponentView {
    /// SHA-256 of its bytes, as hexadecimal text.
    pub digest: String,
    /// Its length, in bytes.
    pub size: usize,
    /// The interfaces that it asks for.
    pub imports: Vec<String>,
}

impl Workflow {
    /// The digests of its components, in order.
    pub fn digests(&self) -> Vec<String> {
        self.components.iter().map(|component| component.digest.clone()).collect()
    }

    /// The interfaces that its components ask for.
    pub fn imports(&self) -> impl Iterator<Item = &String> + Clone {
        self.components.iter().flat_map(|component| &component.imports)
    }

    /// Whether a component asks for requests because its own code makes some. What runs Python has all that there is.
    pub fn means_requests(&self) -> bool {
        let mut components = self.definition.manifests().zip(&self.components);
        components.any(|(manifest, it)| manifest.language.as_deref() != Some("python") && Grants::are_for_requests(&it.imports))
    }

    /// What it asks for, beside what it is granted.
    pub fn asked(&self) -> Vec<Asked> {
        self.grants.now().asked(self.imports())
    }
}

/// The types that a step may return that names none and says that it may return any: each that is declared
/// and no answer from outside, and a plain stop event. Of one that names some, these are what it is about.
pub fn unnamed_types<'a>(definition: &'a Definition, step: &StepManifest) -> Vec<&'a str> {
    if !step.emits_any || !step.emits.is_empty() {
        return Vec::new();
    }
    let returned = |event: &&EventType| matches!(event.kind, EventKind::Plain | EventKind::InputRequired | EventKind::Stop);
    let declared = definition.event_types().filter(returned).map(|it| it.name.as_str());
    let stop = ["StopEvent"].into_iter().filter(|name| !definition.is_declared(name));
    declared.chain(stop).filter(|name| !Definition::is_reserved(name)).collect()
}
