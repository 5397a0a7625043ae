//! Who feeds whom.

use std::collections::{BTreeSet, VecDeque};

use super::{Definition, once};
use crate::manifest::Join;

/// So many scopes may lie between an all-join and its fan-out step, each within the other.
const NESTED_MAX: usize = 8;

/// A step from which another is fed.
struct Feeder {
    step: usize,
    /// By what opens a scope: a list that it returns, and neither one event alone nor its failure.
    opens: bool,
}

impl Definition {
    /// The fan-out steps whose scopes an all-join takes: on each way to it the nearest.
    pub fn fan_outs_of(&self, join: &str) -> impl Iterator<Item = &str> {
        let found = self.step_index(join).and_then(|step| self.fan_outs.get(step));
        let found = found.into_iter().flatten().filter_map(|&step| self.step_at(step));
        found.map(|step| step.name.as_str())
    }

    /// The catch-error step that takes the failures of a step, both by their indexes: the first
    /// that names it, else the first that names none.
    pub fn catcher(&self, step: usize) -> Option<usize> {
        self.catchers.get(step).copied().flatten()
    }

    pub(super) fn find_catchers(&self) -> Vec<Option<usize>> {
        let mut catchers = vec![None; self.places.len()];
        let catching = self.indexed().filter_map(|(step, manifest)| Some((step, &manifest.catch_error.as_ref()?.steps)));
        let catching: Vec<(usize, &Vec<String>)> = catching.collect();
        for (catcher, names) in &catching {
            for failed in names.iter().filter_map(|name| self.step_index(name)).filter(|failed| failed != catcher) {
                catchers[failed].get_or_insert(*catcher);
            }
        }
        for (catcher, _) in catching.iter().filter(|(_, names)| names.is_empty()) {
            let others = catchers.iter_mut().enumerate().filter(|(failed, _)| failed != catcher);
            others.for_each(|(_, taken)| *taken = taken.or(Some(*catcher)));
        }
        catchers
    }

    pub(super) fn find_fan_outs(&self) -> Vec<Vec<usize>> {
        let feeders = self.feeders();
        let joins = self.indexed().map(|(step, manifest)| (step, manifest.join == Some(Join::All)));
        joins.map(|(step, joins)| if joins { self.nearest_fan_outs(step, &feeders) } else { Vec::new() }).collect()
    }

    /// A scope that another all-join closes in between does not reach a join.
    fn nearest_fan_outs(&self, join: usize, feeders: &[Vec<Feeder>]) -> Vec<usize> {
        let steps: Vec<_> = self.indexed().map(|(_, step)| step.join == Some(Join::All)).collect();
        let mut found: Vec<usize> = Vec::new();
        let mut seen = vec![[false; NESTED_MAX + 1]; steps.len()];
        let mut next = VecDeque::from([(join, 0)]);
        while let Some((step, closed)) = next.pop_front() {
            for source in &feeders[step] {
                let joins = steps[source.step];
                let opens = usize::from(source.opens);
                if opens > closed {
                    if !found.contains(&source.step) {
                        found.push(source.step);
                    }
                    continue;
                }
                let closed = closed - opens + usize::from(joins);
                if closed <= NESTED_MAX && !std::mem::replace(&mut seen[source.step][closed], true) {
                    next.push_back((source.step, closed));
                }
            }
        }
        found
    }

    /// For each step those that feed it: they may return what it accepts, or it takes their failures.
    fn feeders(&self) -> Vec<Vec<Feeder>> {
        let mut feeders: Vec<Vec<Feeder>> = self.places.iter().map(|_| Vec::new()).collect();
        let open = self.open_steps();
        for (source, manifest) in self.indexed() {
            // By a list, and otherwise.
            let mut fed = [vec![false; feeders.len()], vec![false; feeders.len()]];
            let listed = |name: &&str| manifest.fan_out && !manifest.returns_alone.iter().any(|alone| alone == name);
            for name in once(manifest.emits.iter().map(String::as_str)) {
                self.accepting(name).iter().for_each(|&step| fed[usize::from(!listed(&name))][step] = true);
            }
            open.iter().filter(|_| manifest.emits_any).for_each(|&step| fed[usize::from(!manifest.fan_out)][step] = true);
            if let Some(catcher) = self.catcher(source) {
                fed[1][catcher] = true;
            }
            for (opens, fed) in [true, false].into_iter().zip(fed) {
                fed.into_iter()
                    .zip(&mut feeders)
                    .filter(|(fed, _)| *fed)
                    .for_each(|(_, feeders)| feeders.push(Feeder { step: source, opens }));
            }
        }
        feeders
    }

    /// The steps that something reaches, by index: a start event, the outside, an error, or a
    /// step that is reached.
    pub(super) fn reached(&self) -> BTreeSet<usize> {
        let outside = self.event_types().map(|event| event.name.as_str()).chain(self.additional());
        let outside = outside.filter(|name| self.is_from_outside(name)).flat_map(|name| self.accepting(name)).copied();
        let catching = self.indexed().filter(|(_, step)| step.catch_error.is_some()).map(|(step, _)| step);
        let mut next: Vec<usize> = outside.chain(catching).collect();
        let open: Vec<usize> = self.open_steps().into_iter().collect();
        let mut reached: BTreeSet<usize> = BTreeSet::new();
        while let Some(index) = next.pop() {
            // It was reached by another way already.
            let Some(step) = self.step_at(index).filter(|_| reached.insert(index)) else { continue };
            let named = once(step.emits.iter().chain(&step.sends).map(String::as_str));
            next.extend(named.into_iter().flat_map(|name| self.accepting(name)));
            next.extend(open.iter().filter(|_| step.emits_any));
        }
        reached
    }

    /// The steps that accept what the steps with `emits_any` are taken to return.
    fn open_steps(&self) -> BTreeSet<usize> {
        self.open_types().flat_map(|name| self.accepting(name)).copied().collect()
    }
}
