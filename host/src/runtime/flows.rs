//! Whose turn on a thread it is: guests that can go on, by workflow. The workflow that has computed
//! least comes first, so a crowd of one workflow's guests is to the others as one of them; and no
//! workflow has all threads, since some of what a guest does nobody can interrupt: filling its memory is one call.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::shares::Name;

/// Guests that can go on.
pub(super) struct Flows<T> {
    /// Most threads that one workflow has at once.
    threads_max: usize,
    flows: BTreeMap<Name, Flow<T>>,
    /// How far those that are served have come. Whoever was away does not save up for later.
    reached: Duration,
    served: u64,
}

struct Flow<T> {
    waiting: VecDeque<T>,
    /// On a thread now.
    running: usize,
    computed: Duration,
    /// When it was served last.
    served: u64,
}

impl<T> Flows<T> {
    pub(super) fn new(threads_max: usize) -> Flows<T> {
        Flows { threads_max, flows: BTreeMap::new(), reached: Duration::ZERO, served: 0 }
    }

    /// One can go on; it comes after those of its own workflow.
    pub(super) fn push(&mut self, name: &Name, guest: T) {
        let reached = self.reached;
        let flow =
            self.flows.entry(name.clone()).or_insert_with(|| Flow { waiting: VecDeque::new(), running: 0, computed: reached, served: 0 });
        if flow.waiting.is_empty() && flow.running == 0 {
            flow.computed = flow.computed.max(reached);
        }
        flow.waiting.push_back(guest);
    }

    /// Who is next; none: nobody, or only those of workflows that have their threads. It is given back by [`Self::ran`].
    pub(super) fn next(&mut self) -> Option<(Name, T)> {
        let waiting = self.flows.iter_mut().filter(|(_, flow)| !flow.waiting.is_empty() && flow.running < self.threads_max);
        let (name, flow) = waiting.min_by_key(|(_, flow)| (flow.computed, flow.served))?;
        let guest = flow.waiting.pop_front()?;
        self.served += 1;
        (flow.served, flow.running) = (self.served, flow.running + 1);
        self.reached = self.reached.max(flow.computed);
        Some((name.clone(), guest))
    }

    /// It has left its thread, and has computed for so long.
    pub(super) fn ran(&mut self, name: &Name, computed: Duration) {
        let Some(flow) = self.flows.get_mut(name) else { return };
        flow.running -= 1;
        flow.computed += computed;
        // What is no further than the others is as if it came for the first time.
        if flow.waiting.is_empty() && flow.running == 0 && flow.computed <= self.reached {
            self.flows.remove(name);
        }
    }

    /// All that wait.
    pub(super) fn clear(&mut self) -> Vec<T> {
        std::mem::take(&mut self.flows).into_values().flat_map(|flow| flow.waiting).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(10);

    #[test]
    fn a_neighbour_comes_before_a_crowd() {
        let mut flows = Flows::new(1);
        let (crowd, neighbour) = (Name::from("crowd"), Name::from("neighbour"));
        (0..510).for_each(|guest| flows.push(&crowd, guest));
        for round in 0..20 {
            let (name, guest) = flows.next().expect("somebody");
            assert_eq!((&name, guest), (&crowd, round));
            flows.push(&neighbour, 1000);
            flows.push(&crowd, guest);
            flows.ran(&crowd, TICK);
            // It waited for one tick, and what it computed itself is little.
            assert_eq!(flows.next(), Some((neighbour.clone(), 1000)));
            flows.ran(&neighbour, TICK / 20);
        }
    }

    #[test]
    fn no_workflow_has_all_threads() {
        let mut flows = Flows::new(2);
        let (crowd, neighbour) = (Name::from("crowd"), Name::from("neighbour"));
        (0..3).for_each(|guest| flows.push(&crowd, guest));
        assert_eq!(flows.next(), Some((crowd.clone(), 0)));
        assert_eq!(flows.next(), Some((crowd.clone(), 1)));
        assert_eq!(flows.next(), None);
        flows.push(&neighbour, 1000);
        assert_eq!(flows.next(), Some((neighbour, 1000)));
        flows.ran(&crowd, TICK);
        assert_eq!(flows.next(), Some((crowd, 2)));
    }

    #[test]
    fn who_was_away_has_not_saved_up() {
        let mut flows = Flows::new(1);
        let (busy, late) = (Name::from("busy"), Name::from("late"));
        (0..100).for_each(|guest| flows.push(&busy, guest));
        for _ in 0..50 {
            flows.next().expect("somebody");
            flows.ran(&busy, TICK);
        }
        (0..100).for_each(|guest| flows.push(&late, guest));
        let mut served = Vec::new();
        for _ in 0..20 {
            let (name, _) = flows.next().expect("somebody");
            flows.ran(&name, TICK);
            served.push(name);
        }
        assert_eq!(served.iter().filter(|name| **name == late).count(), 10, "{served:?}");
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let mut flows = Flows::new(1);
        for number in 0..1000 {
            let name = Name::from(number.to_string());
            flows.push(&name, 0);
            flows.next().expect("the one");
            flows.ran(&name, Duration::ZERO);
        }
        assert!(flows.flows.is_empty());
    }
}
