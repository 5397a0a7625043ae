//! Who feeds whom.

use std::collections::{BTreeSet, VecDeque};

use super::Definition;
use crate::manifest::{EventKind, Join, StepManifest};

impl Definition {
    /// The fan-out step whose scopes an all-join takes: the nearest that reaches it.
    pub fn fan_out_of(&self, join: &str) -> Option<&str> {
        self.fan_outs_of(join).into_iter().next()
    }

    /// The fan-out steps that are nearest to an all-join, each by way of its own. A scope that
    /// another all-join closes in between does not reach it.
    pub(super) fn fan_outs_of(&self, join: &str) -> Vec<&str> {
        let steps: Vec<&StepManifest> = self.steps().collect();
        let Some(join) = steps.iter().position(|step| step.name == join && step.join == Some(Join::All)) else {
            return Vec::new();
        };
        let mut found: Vec<&str> = Vec::new();
        let mut seen = BTreeSet::from([(join, 0)]);
        let mut next = VecDeque::from([(join, 0)]);
        while let Some((step, closed)) = next.pop_front() {
            for source in (0..steps.len()).filter(|&source| self.feeds(steps[source], steps[step])) {
                let opens = usize::from(steps[source].fan_out);
                if opens > closed {
                    if !found.contains(&steps[source].name.as_str()) {
                        found.push(&steps[source].name);
                    }
                    continue;
                }
                let closed = closed - opens + usize::from(steps[source].join == Some(Join::All));
                if closed <= steps.len() && seen.insert((source, closed)) {
                    next.push_back((source, closed));
                }
            }
        }
        found
    }

    /// Whether a step may return what another accepts.
    fn feeds(&self, source: &StepManifest, step: &StepManifest) -> bool {
        source.emits.iter().any(|name| self.step_accepts(step, name))
    }

    /// The steps that something reaches, by name: a start event, the outside, an error, or a
    /// step that is reached.
    pub(super) fn reached(&self) -> BTreeSet<&str> {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        loop {
            let sources: Vec<&StepManifest> = self.steps().filter(|step| reached.contains(step.name.as_str())).collect();
            let before = reached.len();
            for step in self.steps() {
                let fed = sources.iter().flat_map(|source| source.emits.iter().chain(&source.sends));
                if step.catch_error.is_some() || self.comes_from_outside(step) || fed.clone().any(|name| self.step_accepts(step, name)) {
                    reached.insert(&step.name);
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }

    fn comes_from_outside(&self, step: &StepManifest) -> bool {
        step.accepts.iter().any(|name| self.is_from_outside(name))
    }

    /// Whether the outside produces it: it starts a run, answers, or is an additional event.
    pub(super) fn is_from_outside(&self, name: &str) -> bool {
        let outside = matches!(self.kind(name), Some(EventKind::Start | EventKind::HumanResponse));
        outside || self.manifests().any(|manifest| manifest.additional_events.iter().any(|it| it == name))
    }
}
