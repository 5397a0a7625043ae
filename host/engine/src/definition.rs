//! What a run is pinned to: the manifests of one or more components, in order.

mod builtin;
mod check;
mod graph;

use std::collections::BTreeMap;

pub use check::Finding;

use crate::manifest::{EventKind, EventType, Manifest, StepManifest};

/// What a run is pinned to; immutable.
#[derive(Debug)]
pub struct Definition {
    components: Vec<(String, Manifest)>,
    builtins: Vec<EventType>,
    /// Where each declared type stands: component and place in it; of two, the first.
    types: BTreeMap<String, (usize, usize)>,
    /// Where each step stands.
    steps: BTreeMap<String, (usize, usize)>,
}

impl Definition {
    /// Of components' digests and manifests, in order. What is wrong with it, [`Definition::check`] says.
    pub fn new(components: Vec<(String, Manifest)>) -> Definition {
        let mut types = BTreeMap::new();
        let mut steps = BTreeMap::new();
        for (component, (_, manifest)) in components.iter().enumerate() {
            for (place, event) in manifest.events.iter().enumerate() {
                types.entry(event.name.clone()).or_insert((component, place));
            }
            for (place, step) in manifest.steps.iter().enumerate() {
                steps.entry(step.name.clone()).or_insert((component, place));
            }
        }
        Definition { components, builtins: builtin::types(), types, steps }
    }

    /// The components' digests, in order.
    pub fn digests(&self) -> Vec<String> {
        self.components.iter().map(|(digest, _)| digest.clone()).collect()
    }

    /// The manifests, in order.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.components.iter().map(|(_, manifest)| manifest)
    }

    /// The first manifest's name; empty where there is no manifest.
    pub fn name(&self) -> &str {
        self.manifests().next().map_or("", |manifest| &manifest.name)
    }

    /// What the workflow does, for people.
    pub fn description(&self) -> Option<&str> {
        self.manifests().find_map(|manifest| manifest.description.as_deref())
    }

    /// Seconds after which a run fails; none for never.
    pub fn timeout(&self) -> Option<f64> {
        self.manifests().find_map(|manifest| manifest.timeout)
    }

    /// Types that the outside may send although no step accepts them, each once.
    pub fn additional_events(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.manifests().flat_map(|manifest| &manifest.additional_events) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// The steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &StepManifest> {
        self.manifests().flat_map(|manifest| &manifest.steps)
    }

    /// The step of that name; of two, the first.
    pub fn step(&self, name: &str) -> Option<&StepManifest> {
        let &(component, place) = self.steps.get(name)?;
        Some(&self.components[component].1.steps[place])
    }

    /// The declared types in order, then the built-in ones that steps name.
    pub fn event_types(&self) -> impl Iterator<Item = &EventType> {
        let declared = self.manifests().flat_map(|manifest| &manifest.events);
        let used = self.builtins.iter().filter(|it| self.is_builtin(&it.name) && self.is_named(&it.name));
        declared.chain(used)
    }

    /// The type of that name, declared or built in.
    pub fn event_type(&self, name: &str) -> Option<&EventType> {
        match self.types.get(name) {
            Some(&(component, place)) => Some(&self.components[component].1.events[place]),
            None => self.builtins.iter().find(|it| it.name == name),
        }
    }

    /// Whether the outside may name it: declared, or built in and named by a step.
    pub fn is_declared(&self, name: &str) -> bool {
        self.types.contains_key(name) || self.is_builtin(name) && self.is_named(name)
    }

    /// Whether a type is built in, and not declared.
    pub fn is_builtin(&self, name: &str) -> bool {
        !self.types.contains_key(name) && self.builtins.iter().any(|it| it.name == name)
    }

    /// The base types of a type, nearest first, up to but without `Event`.
    pub fn types(&self, name: &str) -> Vec<&str> {
        let mut bases: Vec<&str> = Vec::new();
        let mut next = self.base(name);
        // A type that derives from itself is a finding; here it must only end.
        while let Some(base) = next.filter(|base| !bases.contains(base)) {
            bases.push(base);
            next = self.base(base);
        }
        bases
    }

    /// The type that it derives from, but for `Event`.
    fn base(&self, name: &str) -> Option<&str> {
        let event = self.event_type(name)?;
        let base = event.base.as_deref().or_else(|| builtin::base(event))?;
        (base != "Event" && base != name).then_some(base)
    }

    /// Whether it tells of the run's inner life: `StepStateChanged`, `WorkflowIdleEvent`, `UnhandledEvent`.
    pub fn is_internal(&self, name: &str) -> bool {
        self.is_builtin(name) && self.base(name) == Some(builtin::INTERNAL)
    }

    /// Whether it ends a run: `StopEvent`, or derived from it.
    pub fn is_terminal(&self, name: &str) -> bool {
        name == builtin::STOP || self.types(name).contains(&builtin::STOP)
    }

    /// The kind of a type.
    pub fn kind(&self, name: &str) -> Option<EventKind> {
        self.event_type(name).map(|event| event.kind)
    }

    /// The type that a run starts with.
    pub fn start_type(&self) -> Option<&str> {
        self.start_types().into_iter().next()
    }

    /// The start types that steps accept, each once.
    fn start_types(&self) -> Vec<&str> {
        let accepted = self.steps().flat_map(|step| &step.accepts).map(String::as_str);
        once(accepted.filter(|name| self.kind(name) == Some(EventKind::Start)))
    }

    /// The stop types that steps return, each once.
    pub fn stop_types(&self) -> Vec<&str> {
        once(self.steps().flat_map(|step| &step.emits).map(String::as_str).filter(|name| self.is_terminal(name)))
    }

    /// Whether a step accepts a type: exactly, or a subtype where the step opted in.
    pub fn accepts(&self, step: &str, event: &str) -> bool {
        self.step(step).is_some_and(|step| self.step_accepts(step, event))
    }

    fn step_accepts(&self, step: &StepManifest, event: &str) -> bool {
        let accepted = |name: &str| step.accepts.iter().any(|it| it == name);
        accepted(event) || step.subtypes && self.types(event).into_iter().any(accepted)
    }

    fn is_named(&self, name: &str) -> bool {
        self.steps().any(|step| [&step.accepts, &step.emits, &step.sends].into_iter().flatten().any(|it| it == name))
    }
}

fn once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}
