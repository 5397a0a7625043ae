//! What a run is pinned to: the manifests of its components.

use crate::manifest::{EventKind, EventType, Manifest, StepManifest};

/// What a run is pinned to; immutable.
#[derive(Debug)]
pub struct Definition {
    components: Vec<(String, Manifest)>,
}

impl Definition {
    /// Of components' digests and manifests, in order.
    pub fn new(components: Vec<(String, Manifest)>) -> Definition {
        Definition { components }
    }

    /// The manifests, in order.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.components.iter().map(|(_, manifest)| manifest)
    }

    /// The steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &StepManifest> {
        self.manifests().flat_map(|manifest| &manifest.steps)
    }

    /// The step of that name.
    pub fn step(&self, name: &str) -> Option<&StepManifest> {
        self.steps().find(|step| step.name == name)
    }

    /// A declared type.
    pub fn event_type(&self, name: &str) -> Option<&EventType> {
        self.manifests().flat_map(|manifest| &manifest.events).find(|event| event.name == name)
    }

    /// Whether a type is built in, and not declared.
    pub fn is_builtin(&self, name: &str) -> bool {
        self.event_type(name).is_none() && (name.starts_with("Workflow") || name.starts_with('S') || name == "HumanResponseEvent")
    }

    /// The base types of a type, up to but without `Event`.
    pub fn types(&self, name: &str) -> Vec<&str> {
        let Some(event) = self.event_type(name) else { return Vec::new() };
        match (&event.base, event.kind) {
            (Some(base), _) => vec![base],
            (None, EventKind::Stop) if name != "StopEvent" => vec!["StopEvent"],
            _ => Vec::new(),
        }
    }

    /// Whether a type ends a run.
    pub fn is_terminal(&self, name: &str) -> bool {
        self.kind(name) == Some(EventKind::Stop)
    }

    /// The kind of a type.
    pub fn kind(&self, name: &str) -> Option<EventKind> {
        match name {
            "StopEvent" => Some(EventKind::Stop),
            "StartEvent" => Some(EventKind::Start),
            _ => self.event_type(name).map(|event| event.kind),
        }
    }

    /// Whether a step accepts a type.
    pub fn accepts(&self, step: &str, event: &str) -> bool {
        let Some(step) = self.step(step) else { return false };
        let accepted = |name: &str| step.accepts.iter().any(|accepted| accepted == name);
        accepted(event) || step.subtypes && self.types(event).into_iter().any(accepted)
    }
}
