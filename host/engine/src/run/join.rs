//! How a step takes an event that is for it: alone, paired with others, or with all of a scope.

use super::Run;
use super::scope::{Held, ScopeId};
use crate::entry::Event;
use crate::manifest::Join;

impl Run {
    /// Gives an event to a step that accepts it. False: it can take no part in the step's join.
    pub(super) fn deliver(&mut self, step: usize, event: &Event, scope: Option<ScopeId>) -> bool {
        match self.steps[step].join {
            None => {
                self.invoke(step, vec![event.clone()], scope);
                true
            }
            Some(Join::Each) => self.pair(step, event, scope),
            Some(Join::All) => self.hold(step, event, scope),
        }
    }

    /// One event of each accepted type, first in, first out.
    fn pair(&mut self, step: usize, event: &Event, scope: Option<ScopeId>) -> bool {
        let Some(manifest) = self.definition.step(&self.steps[step].name) else { return false };
        let name = self.accepted_as(&manifest.accepts, &event.name);
        let held = &mut self.steps[step].held;
        held.add(&name.into(), Held { event: event.clone(), scope });
        let Some(batch) = held.take(&manifest.accepts) else { return true };
        let scope = batch.iter().fold(None, |scope, held| self.common_scope(scope, held.scope));
        let events = batch.into_iter().map(|held| held.event).collect();
        self.invoke(step, events, scope);
        true
    }

    /// Keeps an event until its scope is closed.
    fn hold(&mut self, step: usize, event: &Event, scope: Option<ScopeId>) -> bool {
        let Some(opener) = self.steps[step].opener else { return false };
        let scope = self.scope_of(opener, scope).and_then(|id| self.scopes.get_mut(&id));
        let Some(scope) = scope else { return false };
        scope.held.entry(step).or_default().push(event.clone());
        true
    }

    /// The accepted type that lets an event in: its own, or one that it derives from.
    fn accepted_as<'a>(&self, accepts: &'a [String], name: &'a str) -> &'a str {
        if accepts.iter().any(|accepted| accepted == name) {
            return name;
        }
        let bases = self.definition.types(name);
        accepts.iter().find(|accepted| bases.contains(&accepted.as_str())).map_or(name, String::as_str)
    }
}
