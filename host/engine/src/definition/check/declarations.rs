//! The event types that are declared: each in itself, and two of one name.

use std::collections::BTreeMap;

use super::Findings;
use super::agreement::disagreement;
use crate::definition::{BASES_MAX, Definition, index, once};
use crate::manifest::{EventKind, EventType};

/// A declaration, and where it is.
#[derive(Clone, Copy)]
struct Declared<'a> {
    /// The component, by its place.
    component: usize,
    event: &'a EventType,
}

impl Findings<'_> {
    pub(super) fn event(&mut self, event: &EventType) {
        self.event_name(event);
        let name = &event.name;
        if Definition::is_reserved(name) {
            self.add(format!("event `{name}` is declared, and only the host makes it: rename it, or leave the declaration out"));
        }
        if !(event.schema.is_object() || event.schema.is_null()) {
            self.add(format!("the schema of event `{name}` is no JSON Schema: give an object"));
        }
        let bases = self.definition.bases(name);
        if event.base.as_ref() == Some(name) || bases.contains(&name.as_str()) {
            self.add(format!("event `{name}` derives from itself: give it another base"));
        } else if self.definition.index.is_cut(name) && once(bases.into_iter()).len() == BASES_MAX {
            self.add(format!("event `{name}` derives from more than {BASES_MAX} types (limit bases_max): let it derive from fewer"));
        }
    }

    /// Several components may declare a type; one declares it once.
    pub(super) fn declarations(&mut self) {
        let definition = self.definition;
        let mut first: BTreeMap<&str, Declared> = BTreeMap::new();
        for (component, manifest) in definition.manifests().enumerate() {
            let mut own: BTreeMap<&str, Declared> = BTreeMap::new();
            for event in &manifest.events {
                let declared = Declared { component, event };
                let before = own.get(event.name.as_str()).or(first.get(event.name.as_str())).copied();
                if let Some(before) = before {
                    self.declared_again(before, declared);
                }
                own.entry(&event.name).or_insert(declared);
                first.entry(&event.name).or_insert(declared);
            }
        }
    }

    fn declared_again(&mut self, one: Declared, other: Declared) {
        let name = &one.event.name;
        if one.component != other.component {
            return self.declared_elsewhere(one, other);
        }
        let differ = differences(one.event, other.event);
        if !differ.is_empty() {
            let (one, other, differ) = (module(one.event), module(other.event), differ.join(" and "));
            let what_to_do = "rename one of them, or declare both alike";
            self.add(format!("event `{name}` is declared {one} and {other}, with another {differ}: {what_to_do}"));
        } else {
            self.add(format!("event `{name}` is declared twice: remove or rename one of them"));
        }
    }

    /// Each component declares it in its own language and module: it is one type if the values are the same.
    fn declared_elsewhere(&mut self, one: Declared, other: Declared) {
        let differ = match (one.event.kind == other.event.kind, index::base(one.event) == index::base(other.event)) {
            (false, _) => Some(format!("its kind is {} in the first and {} in the second", kind(one.event), kind(other.event))),
            (true, false) => Some("it derives from another type in the second".to_owned()),
            (true, true) => disagreement(&one.event.schema, &other.event.schema),
        };
        if let Some(differ) = differ {
            let (name, one, other) = (&one.event.name, self.part_name(one.component), self.part_name(other.component));
            let what_to_do = "declare both alike, or rename one of them";
            self.add(format!("event `{name}` is declared in {one} and in {other}, and {differ}: {what_to_do}"));
        }
    }
}

/// Where a declaration is, as people find it.
fn module(event: &EventType) -> String {
    event.module.as_ref().map_or("in no module".to_owned(), |module| format!("in module `{module}`"))
}

fn kind(event: &EventType) -> &'static str {
    match event.kind {
        EventKind::Start => "start",
        EventKind::Stop => "stop",
        EventKind::InputRequired => "input-required",
        EventKind::HumanResponse => "human-response",
        EventKind::Plain => "plain",
    }
}

/// In what two declarations of one name differ.
fn differences(one: &EventType, other: &EventType) -> Vec<&'static str> {
    let differ = [
        ("kind", one.kind != other.kind),
        ("base", index::base(one) != index::base(other)),
        ("module", one.module != other.module),
        ("schema", one.schema != other.schema),
    ];
    differ.into_iter().filter_map(|(what, differs)| differs.then_some(what)).collect()
}
