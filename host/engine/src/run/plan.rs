//! What follows from the definition, worked out once: a run's steps by number.

use std::sync::Arc;

use crate::definition::Definition;
use crate::entry::Micros;
use crate::manifest::{CatchError, Join, Order, Retry};
use crate::time;

/// The steps of a definition in order; of two with one name, the first.
#[derive(Debug, Default)]
pub(super) struct Plan(Vec<Planned>);

/// A step, as the fold needs it.
#[derive(Debug)]
pub(super) struct Planned {
    pub name: Arc<str>,
    /// The part of the definition that has it.
    pub component: usize,
    pub accepts: Vec<(String, u32)>,
    pub join: Option<Join>,
    pub order: Order,
    pub take: Option<u32>,
    /// The fan-out steps whose scopes it joins, if it is an all-join.
    pub openers: Vec<usize>,
    /// The all-joins of its own scopes, if it is a fan-out.
    pub joins: Vec<usize>,
    pub fan_out: bool,
    pub slots: u32,
    pub timeout: Option<Micros>,
    pub retry: Option<Retry>,
    pub catch_error: Option<CatchError>,
}

/// A definition without parts: what a snapshot has until it is given its own.
pub(super) fn nothing() -> Arc<Definition> {
    Arc::new(Definition::new(Vec::new()))
}

impl Plan {
    pub(super) fn of(definition: &Definition) -> Plan {
        let mut steps: Vec<Planned> = Vec::new();
        for (component, manifest) in definition.manifests().enumerate() {
            for step in &manifest.steps {
                if !steps.iter().any(|other| *other.name == *step.name) {
                    steps.push(Planned::new(component, step));
                }
            }
        }
        let place = |name: &str| steps.iter().position(|step| *step.name == *name);
        let openers: Vec<Vec<usize>> = steps.iter().map(|step| definition.fan_outs_of(&step.name).filter_map(place).collect()).collect();
        for (join, openers) in openers.into_iter().enumerate() {
            openers.iter().for_each(|&opener| steps[opener].joins.push(join));
            steps[join].openers = openers;
        }
        Plan(steps)
    }

    /// Where the step of a name is.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|step| *step.name == *name)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Planned> {
        self.0.iter()
    }
}

impl std::ops::Index<usize> for Plan {
    type Output = Planned;

    fn index(&self, step: usize) -> &Planned {
        &self.0[step]
    }
}

impl Planned {
    fn new(component: usize, step: &crate::manifest::StepManifest) -> Planned {
        Planned {
            name: step.name.as_str().into(),
            component,
            accepts: step.accepts.iter().map(|name| (name.clone(), 1)).collect(),
            join: step.join,
            order: step.order,
            take: step.take,
            openers: Vec::new(),
            joins: Vec::new(),
            fan_out: step.fan_out,
            slots: step.num_workers.max(1),
            timeout: step.timeout.map(time::micros),
            retry: step.retry.clone(),
            catch_error: step.catch_error.clone(),
        }
    }
}
