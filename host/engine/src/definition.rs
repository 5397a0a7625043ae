//! What a run is pinned to: the manifests of one or more components, in order.

mod builtin;
mod check;
mod graph;
mod index;
mod types;

use std::collections::{BTreeMap, BTreeSet};

pub use check::Finding;
use index::Index;

use crate::entry::Part;
use crate::manifest::{EventType, Manifest, StepManifest};

/// Most steps of a definition.
pub const STEPS_MAX: usize = 256;
/// Most event types that a definition declares.
pub const EVENTS_MAX: usize = 5_000;
/// Most types that a type derives from, one from the other.
pub const BASES_MAX: usize = 64;

/// What a run is pinned to; immutable. A step's *index* is its place among the steps, in order;
/// of two steps with one name only the first counts.
#[derive(Debug)]
pub struct Definition {
    parts: Vec<(Part, Manifest)>,
    builtins: Vec<EventType>,
    /// Component, and place in it, of each step.
    places: Vec<(usize, usize)>,
    indexes: BTreeMap<String, usize>,
    index: Index,
    /// The catch-error step that takes the failures of each step.
    catchers: Vec<Option<usize>>,
    /// The fan-out steps that are nearest to each step, if it is an all-join.
    fan_outs: Vec<Vec<usize>>,
}

impl Definition {
    /// Of parts and their manifests, in order. What is wrong with it, [`Definition::check`] says.
    pub fn new(parts: Vec<(Part, Manifest)>) -> Definition {
        let mut definition = Definition {
            parts,
            builtins: builtin::types(),
            places: Vec::new(),
            indexes: BTreeMap::new(),
            index: Index::default(),
            catchers: Vec::new(),
            fan_outs: Vec::new(),
        };
        // Anybody may hand in a manifest: what is too large is not looked at, only found to be so.
        if !definition.is_too_large() {
            definition.place_steps();
            definition.index = Index::of(&definition);
            definition.catchers = definition.find_catchers();
            definition.fan_outs = definition.find_fan_outs();
        }
        definition
    }

    fn place_steps(&mut self) {
        for (component, (_, manifest)) in self.parts.iter().enumerate() {
            for (place, step) in manifest.steps.iter().enumerate() {
                self.indexes.entry(step.name.clone()).or_insert_with(|| {
                    self.places.push((component, place));
                    self.places.len() - 1
                });
            }
        }
    }

    fn is_too_large(&self) -> bool {
        self.steps().count() > STEPS_MAX || self.declarations().count() > EVENTS_MAX
    }

    /// The parts, in order.
    pub fn parts(&self) -> Vec<Part> {
        self.parts.iter().map(|(part, _)| part.clone()).collect()
    }

    /// The components' digests, in order.
    pub fn digests(&self) -> Vec<String> {
        self.parts.iter().map(|(part, _)| part.component.clone()).collect()
    }

    /// The manifests, in order.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.parts.iter().map(|(_, manifest)| manifest)
    }

    /// The first manifest's name; empty where there is no manifest.
    pub fn name(&self) -> &str {
        self.manifests().next().map_or("", |manifest| &manifest.name)
    }

    /// What the workflow does, for people: the first manifest's, as its name.
    pub fn description(&self) -> Option<&str> {
        self.manifests().next()?.description.as_deref()
    }

    /// Seconds after which a run fails, the first manifest's; none for never.
    pub fn timeout(&self) -> Option<f64> {
        self.manifests().next()?.timeout
    }

    /// The language of the step of that name, where its component says it.
    pub fn language_of(&self, step: &str) -> Option<&str> {
        let (component, _) = *self.places.get(self.step_index(step)?)?;
        self.parts[component].1.language.as_deref()
    }

    /// The languages of the components, each once.
    pub fn languages(&self) -> Vec<&str> {
        once(self.manifests().filter_map(|manifest| manifest.language.as_deref()))
    }

    /// Types that the outside may send although no step accepts them, each once.
    pub fn additional_events(&self) -> Vec<String> {
        once(self.additional()).into_iter().map(str::to_owned).collect()
    }

    fn additional(&self) -> impl Iterator<Item = &str> {
        self.manifests().flat_map(|manifest| &manifest.additional_events).map(String::as_str)
    }

    /// The steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &StepManifest> {
        self.manifests().flat_map(|manifest| &manifest.steps)
    }

    /// The step of that name; of two, the first.
    pub fn step(&self, name: &str) -> Option<&StepManifest> {
        self.step_at(self.step_index(name)?)
    }

    /// The step of that index; none where there are not so many.
    pub fn step_at(&self, index: usize) -> Option<&StepManifest> {
        let &(component, place) = self.places.get(index)?;
        self.parts[component].1.steps.get(place)
    }

    /// The index of the step of that name.
    pub fn step_index(&self, name: &str) -> Option<usize> {
        self.indexes.get(name).copied()
    }

    /// The component, by its place in the definition, that has the step of that index.
    pub fn component_of(&self, step: usize) -> Option<usize> {
        self.places.get(step).map(|&(component, _)| component)
    }

    /// The steps by their indexes.
    fn indexed(&self) -> impl Iterator<Item = (usize, &StepManifest)> {
        self.places.iter().map(|&(component, place)| &self.parts[component].1.steps[place]).enumerate()
    }

    /// The event types as the manifests declare them, in order.
    fn declarations(&self) -> impl Iterator<Item = &EventType> {
        self.manifests().flat_map(|manifest| &manifest.events)
    }
}

fn once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}
