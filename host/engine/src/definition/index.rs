//! The event types of a definition by name, so that an event costs look-ups and no scans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{BASES_MAX, Definition, builtin};
use crate::manifest::{EventType, Validation};

/// Every type that is declared, built in or named by a step.
#[derive(Debug, Default)]
pub(super) struct Index {
    types: Vec<Type>,
    places: BTreeMap<Arc<str>, usize>,
}

/// What is known of a type.
#[derive(Debug)]
pub(super) struct Type {
    name: Arc<str>,
    /// Where it stands; none: it is only named.
    pub declaration: Option<Declaration>,
    /// Who validates it, by each component that declares it, in order.
    pub validations: Vec<(usize, Validation)>,
    /// The type that it derives from.
    base: Option<usize>,
    /// Whether it is `StopEvent`, or derives from it.
    pub is_terminal: bool,
    /// Whether a step names it.
    pub is_named: bool,
    /// Whether it is an additional event.
    pub is_additional: bool,
    /// The steps that accept it, exactly or as a subtype, by their indexes in order.
    pub accepting: Vec<usize>,
    /// The steps that name exactly it among what they return, by their indexes in order.
    emitting: Vec<usize>,
}

/// Where a type stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Declaration {
    /// In a component's manifest: both by their places.
    Manifest(usize, usize),
    /// Among the built-in types.
    Builtin(usize),
}

impl Index {
    pub(super) fn of(definition: &Definition) -> Index {
        let mut index = Index::default();
        index.declare(definition);
        definition.additional().for_each(|name| index.entry(name).is_additional = true);
        index.name_steps(definition);
        index.accept_subtypes(definition);
        let terminal = |place: &usize| index.names(*place).any(|name| name == builtin::STOP);
        for place in (0..index.types.len()).filter(terminal).collect::<Vec<_>>() {
            index.types[place].is_terminal = true;
        }
        index
    }

    /// What is known of a type.
    pub(super) fn get(&self, name: &str) -> Option<&Type> {
        self.places.get(name).map(|&place| &self.types[place])
    }

    /// The types that a type derives from, nearest first.
    pub(super) fn bases(&self, name: &str) -> impl Iterator<Item = &str> {
        self.places.get(name).into_iter().flat_map(|&place| self.names(place).skip(1))
    }

    /// Whether a type derives from more types than are looked at.
    pub(super) fn is_cut(&self, name: &str) -> bool {
        let last = self.places.get(name).and_then(|&place| self.chain(place).nth(BASES_MAX));
        last.is_some_and(|place| self.types[place].base.is_some())
    }

    /// Whether a step names a type, or one that it derives from, among what it returns.
    pub(super) fn emits(&self, step: usize, name: &str) -> bool {
        let emits = |it: usize| self.types[it].emitting.binary_search(&step).is_ok();
        self.places.get(name).is_some_and(|&place| self.chain(place).any(emits))
    }

    /// A type and those that it derives from. It ends also where a type derives from itself.
    fn chain(&self, place: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(place), |&it| self.types[it].base).take(BASES_MAX + 1)
    }

    fn names(&self, place: usize) -> impl Iterator<Item = &str> {
        self.chain(place).map(|it| &*self.types[it].name)
    }

    /// Of two declarations the first; a built-in type may be declared anew.
    fn declare(&mut self, definition: &Definition) {
        for (component, manifest) in definition.manifests().enumerate() {
            for (place, event) in manifest.events.iter().enumerate() {
                let declared = self.entry(&event.name);
                declared.declaration.get_or_insert(Declaration::Manifest(component, place));
                declared.validations.push((component, event.validation));
            }
        }
        for (place, event) in definition.builtins.iter().enumerate() {
            self.entry(&event.name).declaration.get_or_insert(Declaration::Builtin(place));
        }
        for place in 0..self.types.len() {
            let event = self.types[place].declaration.map(|it| definition.declared(it));
            self.types[place].base = event.and_then(base).map(|base| self.place(base));
        }
    }

    /// Enters what the steps name.
    fn name_steps(&mut self, definition: &Definition) {
        if definition.steps().any(|step| step.emits_any) {
            self.entry(builtin::STOP).is_named = true;
        }
        for (step, manifest) in definition.indexed() {
            manifest.sends.iter().for_each(|name| self.entry(name).is_named = true);
            manifest.emits.iter().for_each(|name| add(&mut self.named(name).emitting, step));
            manifest.accepts.iter().for_each(|name| add(&mut self.named(name).accepting, step));
        }
    }

    /// Adds those that accept a type because it derives from one that they accept.
    fn accept_subtypes(&mut self, definition: &Definition) {
        let subtypes: Vec<bool> = definition.indexed().map(|(_, step)| step.subtypes).collect();
        let exact: Vec<Vec<usize>> = self.types.iter_mut().map(|it| std::mem::take(&mut it.accepting)).collect();
        for place in 0..self.types.len() {
            let derived = self.chain(place).skip(1).flat_map(|base| exact[base].iter().filter(|step| subtypes[**step]));
            let steps: BTreeSet<usize> = exact[place].iter().chain(derived).copied().collect();
            self.types[place].accepting = steps.into_iter().collect();
        }
    }

    fn named(&mut self, name: &str) -> &mut Type {
        let named = self.entry(name);
        named.is_named = true;
        named
    }

    fn entry(&mut self, name: &str) -> &mut Type {
        let place = self.place(name);
        &mut self.types[place]
    }

    fn place(&mut self, name: &str) -> usize {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let name: Arc<str> = name.into();
        self.places.insert(name.clone(), self.types.len());
        self.types.push(Type::new(name));
        self.types.len() - 1
    }
}

impl Type {
    fn new(name: Arc<str>) -> Type {
        Type {
            name,
            declaration: None,
            validations: Vec::new(),
            base: None,
            is_terminal: false,
            is_named: false,
            is_additional: false,
            accepting: Vec::new(),
            emitting: Vec::new(),
        }
    }
}

impl Definition {
    pub(super) fn declared(&self, declaration: Declaration) -> &EventType {
        match declaration {
            Declaration::Manifest(component, place) => &self.parts[component].1.events[place],
            Declaration::Builtin(place) => &self.builtins[place],
        }
    }
}

/// Adds a step to those before it, once.
fn add(steps: &mut Vec<usize>, step: usize) {
    if steps.last() != Some(&step) {
        steps.push(step);
    }
}

/// The type that an event type derives from, but for `Event` and itself.
pub(super) fn base(event: &EventType) -> Option<&str> {
    let base = event.base.as_deref().or_else(|| builtin::base(event))?;
    (base != "Event" && base != event.name).then_some(base)
}
