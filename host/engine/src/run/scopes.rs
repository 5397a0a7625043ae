//! Scopes: what one return of a fan-out step gave rise to, until nothing of it is in flight.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::place::{Place, ScopeId};
use super::plan::Plan;
use super::pool::Pool;
use crate::entry::Event;

/// The open scopes, and what joins hold in them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Scopes {
    next: ScopeId,
    open: BTreeMap<ScopeId, Scope>,
    arrivals: u64,
    /// What each-joins hold of what is in no scope, by step.
    pairing: BTreeMap<usize, Pairing>,
}

/// What one return of a fan-out step opened.
#[derive(Debug, Serialize, Deserialize)]
struct Scope {
    /// Where it is itself.
    place: Place,
    /// The fan-out step; none: a fork has left it behind.
    opener: Option<usize>,
    /// Invocations in flight in it.
    busy: u64,
    /// Open scopes in it.
    below: BTreeSet<ScopeId>,
    /// The all-joins that have not fired yet, with what they have.
    gathering: BTreeMap<usize, Gathered>,
    /// What each-joins hold of it, by step.
    pairing: BTreeMap<usize, Pairing>,
}

/// Events with their places in the fan-out, in order of arrival.
pub(super) type Gathered = Vec<(u64, Event)>;
pub(super) type Pairing = Pool<(u64, Event)>;

/// What becomes of an event that is for an all-join.
pub(super) enum Gathering {
    /// It is in no scope of the join's.
    Elsewhere,
    /// It waits for the others, or is one too many.
    Held,
    /// It was the last that the join takes.
    Complete(Gathered, Place),
}

/// A scope with nothing in flight: its joins fire, and what is unpaired moves up.
pub(super) struct Closed {
    /// Where it was.
    pub place: Place,
    /// The all-joins that had not fired, with their events.
    pub joins: Vec<(usize, Gathered)>,
    /// What each-joins held, by step.
    pub pairing: BTreeMap<usize, Pairing>,
}

impl Scopes {
    /// Opens a scope, for those that will be in it; `joins`: the all-joins that take it.
    pub(super) fn open(&mut self, opener: usize, joins: &[usize], place: Place) -> ScopeId {
        let id = self.next;
        self.next += 1;
        if let Some(parent) = place.scope.and_then(|id| self.open.get_mut(&id)) {
            parent.below.insert(id);
        }
        let gathering = joins.iter().map(|&join| (join, Vec::new())).collect();
        self.open.insert(id, Scope { place, opener: Some(opener), busy: 0, below: BTreeSet::new(), gathering, pairing: BTreeMap::new() });
        id
    }

    /// Counts one more in flight.
    pub(super) fn enter(&mut self, scope: Option<ScopeId>) {
        if let Some(id) = scope {
            self.expect_mut(id).busy += 1;
        }
    }

    /// Counts one less in flight.
    pub(super) fn leave(&mut self, scope: ScopeId) {
        let scope = self.expect_mut(scope);
        scope.busy = scope.busy.checked_sub(1).expect("cannot happen: a scope is left by whom it does not hold");
    }

    /// Closes a scope with nothing in flight. Its parent keeps it until [`Scopes::forget`].
    pub(super) fn close(&mut self, id: ScopeId) -> Option<Closed> {
        let scope = self.expect_mut(id);
        if scope.busy > 0 || !scope.below.is_empty() {
            self.drop_spent(id);
            return None;
        }
        let Scope { place, gathering, pairing, .. } = self.open.remove(&id)?;
        Some(Closed { place, joins: gathering.into_iter().collect(), pairing })
    }

    /// The parent of a scope that has closed: it is one less there.
    pub(super) fn forget(&mut self, closed: ScopeId, place: Place) -> Option<ScopeId> {
        let parent = place.scope?;
        self.expect_mut(parent).below.remove(&closed);
        Some(parent)
    }

    /// Drops a scope that cannot fire again and has nothing but one scope in it, whose joins have
    /// all fired and so put nothing more into it: that one takes its place. A loop through a
    /// fan-out must not leave a scope for every turn.
    fn drop_spent(&mut self, id: ScopeId) {
        let scope = self.expect(id);
        let spent = scope.busy == 0 && scope.below.len() == 1 && scope.gathering.is_empty() && scope.pairing.is_empty();
        let below = scope.below.first().copied().filter(|&below| spent && self.expect(below).gathering.is_empty());
        // It may fire again, or holds more than one scope.
        let Some(below) = below else { return };
        let place = scope.place;
        self.open.remove(&id);
        self.expect_mut(below).place = place;
        if let Some(parent) = place.scope {
            let parent = self.expect_mut(parent);
            parent.below.remove(&id);
            parent.below.insert(below);
        }
    }

    /// Gives an event to an all-join: to the innermost scope around it that one of its openers opened. It goes up through
    /// all that lie between: as many as fan-outs are nested, which a loop makes as deep as it has turns only where
    /// each of its scopes still has an all-join that has not fired.
    pub(super) fn gather(&mut self, join: usize, openers: &[usize], take: Option<u32>, place: Place, event: &Event) -> Gathering {
        let mut place = place;
        while let Some(id) = place.scope {
            let scope = self.expect_mut(id);
            if scope.opener.is_none_or(|opener| !openers.contains(&opener)) {
                place = scope.place;
                continue;
            }
            // One that has fired takes no more.
            let Some(gathered) = scope.gathering.get_mut(&join) else { return Gathering::Held };
            gathered.push((place.index, event.clone()));
            if take.is_none_or(|take| gathered.len() < take as usize) {
                return Gathering::Held;
            }
            let events = scope.gathering.remove(&join).unwrap_or_default();
            return Gathering::Complete(events, scope.place);
        }
        Gathering::Elsewhere
    }

    /// Gives an event to an each-join, as one of a type; a whole set of the same scope, if it is
    /// complete.
    pub(super) fn pair(&mut self, step: usize, expected: &[(String, u32)], name: &str, place: Place, event: Event) -> Option<Paired> {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.pairing(step, place.scope).add(name, arrival, (place.index, event));
        self.take_pair(step, expected, place.scope)
    }

    /// Lets what was unpaired in a scope that has closed be paired in the one around it.
    pub(super) fn move_up(&mut self, step: usize, unpaired: Pairing, place: Place) {
        let pairing = self.pairing(step, place.scope);
        unpaired.into_things().for_each(|(name, arrival, (_, event))| pairing.add(&name, arrival, (place.index, event)));
    }

    /// A whole set of a scope, if there is one.
    pub(super) fn take_pair(&mut self, step: usize, expected: &[(String, u32)], scope: Option<ScopeId>) -> Option<Paired> {
        let pairing = self.pairing(step, scope);
        let taken = pairing.take(expected);
        if pairing.is_empty() {
            self.pairings(scope).remove(&step);
        }
        let taken = taken?;
        let index = taken.iter().map(|(index, _)| *index).min().unwrap_or_default();
        Some((taken.into_iter().map(|(_, event)| event).collect(), Place { scope, index }))
    }

    /// Follows steps to their places in another plan. A join that is new there gathers from now on;
    /// a scope whose opener is gone is one of nobody's, and closes as any other.
    pub(super) fn move_to(&mut self, moved: &[Option<usize>], plan: &Plan) {
        let follow = |pairing: BTreeMap<usize, Pairing>| pairing.into_iter().filter_map(|(step, it)| Some((moved[step]?, it))).collect();
        self.pairing = follow(std::mem::take(&mut self.pairing));
        for scope in self.open.values_mut() {
            scope.pairing = follow(std::mem::take(&mut scope.pairing));
            let Some(opener) = scope.opener.and_then(|step| moved[step]) else {
                (scope.opener, scope.gathering) = (None, BTreeMap::new());
                continue;
            };
            let mut before: BTreeMap<usize, Gathered> =
                std::mem::take(&mut scope.gathering).into_iter().filter_map(|(join, it)| Some((moved[join]?, it))).collect();
            let fired = |join: &usize| !before.contains_key(join) && moved.contains(&Some(*join));
            let joins: Vec<usize> = plan[opener].joins.iter().copied().filter(|join| !fired(join)).collect();
            scope.gathering = joins.into_iter().map(|join| (join, before.remove(&join).unwrap_or_default())).collect();
            scope.opener = Some(opener);
        }
    }

    fn pairing(&mut self, step: usize, scope: Option<ScopeId>) -> &mut Pairing {
        self.pairings(scope).entry(step).or_default()
    }

    fn pairings(&mut self, scope: Option<ScopeId>) -> &mut BTreeMap<usize, Pairing> {
        match scope {
            Some(id) => &mut self.expect_mut(id).pairing,
            None => &mut self.pairing,
        }
    }

    fn expect(&self, id: ScopeId) -> &Scope {
        self.open.get(&id).expect("cannot happen: a scope is closed while something is in it")
    }

    fn expect_mut(&mut self, id: ScopeId) -> &mut Scope {
        self.open.get_mut(&id).expect("cannot happen: a scope is closed while something is in it")
    }

    #[cfg(test)]
    pub(super) fn open_scopes(&self) -> impl Iterator<Item = (ScopeId, Option<ScopeId>, u64, &BTreeSet<ScopeId>)> {
        self.open.iter().map(|(&id, scope)| (id, scope.place.scope, scope.busy, &scope.below))
    }
}

/// A whole set for an each-join, and where it is.
pub(super) type Paired = (Vec<Event>, Place);
