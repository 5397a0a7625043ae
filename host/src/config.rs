//! What a host is configured with, for all workflows and for single ones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Grants, Limits};

/// What a host is configured with.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What guests may use.
    pub limits: Limits,
    /// What the guests of all workflows may reach, beside what is granted to single ones.
    pub grants: Grants,
    /// How long runs are kept after their end; none: until they are purged.
    pub retention: Option<Duration>,
    /// With less than so many free bytes its disk is said to be nearly full; none: a share of it.
    pub free_min: Option<u64>,
    /// What differs for single workflows, by name.
    pub workflows: BTreeMap<String, WorkflowConfig>,
}

/// What differs for one workflow. None: as for all.
#[derive(Clone, Debug, Default)]
pub struct WorkflowConfig {
    /// Types that the outside may send although no step accepts them, beside the manifest's own.
    pub additional_events: Vec<String>,
    /// What its guests may reach outside.
    pub grants: Grants,
    /// Most memory of one instance, in bytes.
    pub memory_max: Option<u64>,
    /// Most time that one entry into an attempt may compute.
    pub executing_max: Option<Duration>,
    /// Most time from the beginning of an entry into an attempt to its end.
    pub entry_max: Option<Duration>,
    /// Most runs of it at once; more queue.
    pub runs_max: Option<u32>,
    /// How long its runs are kept after their end.
    pub retention: Option<Duration>,
    /// Of its handlers that are over, so many are kept: those that ended last.
    pub runs_kept: Option<u64>,
    /// So much of them is kept, in bytes.
    pub size_kept: Option<u64>,
}

impl Config {
    /// What guests of a workflow may use.
    pub(crate) fn limits(&self, workflow: &str) -> Arc<Limits> {
        let own = self.workflows.get(workflow).cloned().unwrap_or_default();
        Arc::new(Limits {
            memory_max: own.memory_max.unwrap_or(self.limits.memory_max),
            executing_max: own.executing_max.unwrap_or(self.limits.executing_max),
            entry_max: own.entry_max.unwrap_or(self.limits.entry_max),
            runs_max: own.runs_max.or(self.limits.runs_max),
            ..self.limits.clone()
        })
    }

    /// What guests of a workflow may reach outside.
    pub(crate) fn grants(&self, workflow: &str) -> Grants {
        self.workflows.get(workflow).map_or_else(|| self.grants.clone(), |own| self.grants.and(&own.grants))
    }

    /// The largest that any guest may use: what the runtime must have room for.
    pub fn limits_max(&self) -> Limits {
        let memory = self.workflows.values().filter_map(|it| it.memory_max);
        Limits { memory_max: memory.fold(self.limits.memory_max, u64::max), ..self.limits.clone() }
    }

    /// The manifest's additional events, and the configured ones, each once.
    pub(crate) fn additional_events(&self, workflow: &str, mut declared: Vec<String>) -> Vec<String> {
        let own = self.workflows.get(workflow).map(|it| it.additional_events.as_slice()).unwrap_or_default();
        for name in own {
            if !declared.contains(name) {
                declared.push(name.clone());
            }
        }
        declared
    }
}
