//! What a workflow says about itself.

use serde_json::{Map, Value, json};

use crate::step::{StepInput, StepOutput};

/// The keys of a step that name types.
const NAMING: [&str; 3] = ["accepts", "emits", "sends"];

type Types = Vec<(&'static str, Option<Value>)>;

/// A manifest in the making.
#[derive(Default)]
pub struct Manifest {
    fields: Map<String, Value>,
    events: Vec<Value>,
    steps: Vec<Map<String, Value>>,
    additional: Vec<&'static str>,
    waits: Vec<&'static str>,
}

/// A step of it.
pub struct StepManifest {
    fields: Map<String, Value>,
    types: Types,
    waits: Vec<&'static str>,
}

impl Manifest {
    /// Of a name and, where it is not empty, a description.
    pub fn new(name: &str, description: &str) -> Manifest {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), name.into());
        if !description.is_empty() {
            fields.insert("description".to_owned(), description.into());
        }
        fields.insert("language".to_owned(), "rust".into());
        Manifest { fields, ..Manifest::default() }
    }

    /// Any other key.
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Manifest {
        self.fields.insert(key.to_owned(), value.into());
        self
    }

    /// Types that the outside may send although no step accepts them.
    pub fn additional(mut self, types: Types) -> Manifest {
        self.additional.extend(types.iter().map(|(name, _)| *name));
        self.declare(types);
        self
    }

    /// A step.
    pub fn step(mut self, step: StepManifest) -> Manifest {
        self.declare(step.types);
        self.waits.extend(step.waits);
        self.steps.push(step.fields);
        self
    }

    /// Another type of the same name is kept beside the first: wf-host's check names them both.
    fn declare(&mut self, types: Types) {
        for declaration in types.into_iter().filter_map(|(_, declaration)| declaration) {
            if !self.events.contains(&declaration) {
                self.events.push(declaration);
            }
        }
    }

    /// Whether a step takes, returns or sends a type.
    fn is_named(&self, name: &str) -> bool {
        let names = self.steps.iter().flat_map(|step| NAMING.iter().filter_map(|key| step.get(*key)?.as_array()).flatten());
        names.into_iter().any(|it| it == name)
    }

    /// As JSON.
    pub fn json(mut self) -> String {
        // What a step waits for and no other has to do with comes from outside.
        for name in std::mem::take(&mut self.waits) {
            if !self.additional.contains(&name) && !self.is_named(name) {
                self.additional.push(name);
            }
        }
        if !self.additional.is_empty() {
            self.fields.insert("additional_events".to_owned(), self.additional.into());
        }
        self.fields.insert("events".to_owned(), self.events.into());
        self.fields.insert("steps".to_owned(), self.steps.into_iter().map(Value::Object).collect());
        Value::Object(self.fields).to_string()
    }
}

impl StepManifest {
    /// Of a name and, where it is not empty, a description.
    pub fn new(name: &str, description: &str) -> StepManifest {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), name.into());
        if !description.is_empty() {
            fields.insert("description".to_owned(), description.into());
        }
        fields.insert("accepts".to_owned(), json!([]));
        StepManifest { fields, types: Vec::new(), waits: Vec::new() }
    }

    /// A parameter.
    pub fn input<I: StepInput>(mut self) -> StepManifest {
        let joins = self.fields["accepts"].as_array().is_some_and(|accepts| !accepts.is_empty());
        self.name_types("accepts", I::types());
        if I::SUBTYPES {
            self.fields.insert("subtypes".to_owned(), true.into());
        }
        if I::ALL {
            self.fields.insert("join".to_owned(), "all".into());
        } else if joins {
            self.fields.insert("join".to_owned(), "each".into());
        }
        self
    }

    /// What it returns.
    pub fn output<O: StepOutput>(mut self) -> StepManifest {
        self.name_types("emits", O::types());
        if O::FAN_OUT {
            self.fields.insert("fan_out".to_owned(), true.into());
        }
        self
    }

    /// A type that it sends, publishes or asks with.
    pub fn sends<I: StepInput>(mut self) -> StepManifest {
        self.name_types("sends", I::types());
        self
    }

    /// A type that it waits for.
    pub fn waits<I: StepInput>(mut self) -> StepManifest {
        let types = I::types();
        self.waits.extend(types.iter().map(|(name, _)| *name));
        self.name_types("waits", types);
        self
    }

    /// Any other key.
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> StepManifest {
        self.fields.insert(key.to_owned(), value.into());
        self
    }

    fn name_types(&mut self, key: &str, types: Types) {
        let names = self.fields.entry(key).or_insert_with(|| json!([]));
        if let Some(names) = names.as_array_mut() {
            for (name, _) in &types {
                if !names.iter().any(|it| it == name) {
                    names.push(Value::from(*name));
                }
            }
        }
        self.types.extend(types);
    }
}
