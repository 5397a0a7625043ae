//! Scopes: what one return of a fan-out step gave rise to, until nothing of it is in flight.

use std::collections::BTreeMap;

use super::Run;
use crate::entry::Event;

pub(super) type ScopeId = u64;

/// What one return of a fan-out step opened.
#[derive(Debug)]
pub(super) struct Scope {
    pub parent: Option<ScopeId>,
    /// The fan-out step.
    pub opener: usize,
    /// Invocations in flight in it, and open scopes below it.
    pub busy: u64,
    /// What all-joins have of it, in order of emission.
    pub held: BTreeMap<usize, Vec<Event>>,
}

/// An event that is held for an each-join.
#[derive(Debug)]
pub(super) struct Held {
    pub event: Event,
    pub scope: Option<ScopeId>,
}

impl Run {
    /// Opens a scope, which is entered.
    pub(super) fn open_scope(&mut self, opener: usize, parent: Option<ScopeId>) -> ScopeId {
        self.enter_scope(parent);
        let id = self.next_scope;
        self.next_scope += 1;
        self.scopes.insert(id, Scope { parent, opener, busy: 1, held: BTreeMap::new() });
        id
    }

    /// Counts one more in flight.
    pub(super) fn enter_scope(&mut self, scope: Option<ScopeId>) {
        if let Some(scope) = scope.and_then(|id| self.scopes.get_mut(&id)) {
            scope.busy += 1;
        }
    }

    /// Counts one less in flight; a scope without any is closed, and so perhaps its parents.
    pub(super) fn leave_scope(&mut self, scope: Option<ScopeId>) {
        let mut left = scope;
        while let Some(id) = left {
            let Some(scope) = self.scopes.get_mut(&id) else { return };
            scope.busy = scope.busy.saturating_sub(1);
            if scope.busy > 0 {
                return;
            }
            left = self.close_scope(id);
        }
    }

    /// Fires the joins of a scope. They are in flight in its parent, which is left after that.
    fn close_scope(&mut self, id: ScopeId) -> Option<ScopeId> {
        let mut scope = self.scopes.remove(&id)?;
        for step in 0..self.steps.len() {
            if self.steps[step].opener == Some(scope.opener) {
                let events = scope.held.remove(&step).unwrap_or_default();
                self.invoke(step, events, scope.parent);
            }
        }
        for step in &mut self.steps {
            let orphans = step.held.iter_mut().filter(|held| held.scope == Some(id));
            orphans.for_each(|held| held.scope = scope.parent);
        }
        scope.parent
    }

    /// The innermost scope, from this one outwards, that a step opened.
    pub(super) fn scope_of(&self, opener: usize, scope: Option<ScopeId>) -> Option<ScopeId> {
        self.ancestry(scope).find(|id| self.scopes[id].opener == opener)
    }

    /// The scope of an invocation whose events are of two scopes: the inner one where one is
    /// within the other, else the innermost that has both.
    pub(super) fn common_scope(&self, one: Option<ScopeId>, other: Option<ScopeId>) -> Option<ScopeId> {
        let within = |inner, outer: Option<ScopeId>| outer.is_none_or(|outer| self.ancestry(inner).any(|id| id == outer));
        if within(one, other) {
            return one;
        }
        if within(other, one) {
            return other;
        }
        self.ancestry(one).find(|&id| within(other, Some(id)))
    }

    /// A scope and those around it, outwards.
    fn ancestry(&self, scope: Option<ScopeId>) -> impl Iterator<Item = ScopeId> {
        let known = move |id: ScopeId| self.scopes.contains_key(&id).then_some(id);
        std::iter::successors(scope.and_then(known), move |id| self.scopes[id].parent.and_then(known))
    }
}
