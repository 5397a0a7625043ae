//! How a step takes an event that is for it: alone, paired with others, or with all of a scope.

use super::Run;
use super::place::{Place, ScopeId};
use super::scopes::{Closed, Gathered, Gathering, Paired};
use crate::entry::Event;
use crate::manifest::{Join, Order};

impl Run {
    /// Gives an event to a step that accepts it. False: it can take no part in the step's join.
    pub(super) fn deliver(&mut self, step: usize, event: &Event, place: Place) -> bool {
        match self.plan[step].join {
            None => self.invoke(step, vec![event.clone()], place),
            Some(Join::Each) => self.pair(step, event, place),
            Some(Join::All) => return self.gather(step, event, place),
        }
        true
    }

    /// One event of each accepted type, first in, first out, within one scope.
    fn pair(&mut self, step: usize, event: &Event, place: Place) {
        let name = self.accepted_as(step, &event.name).to_owned();
        let paired = self.scopes.pair(step, &self.plan[step].accepts, &name, place, event.clone());
        self.invoke_pair(step, paired);
    }

    fn invoke_pair(&mut self, step: usize, paired: Option<Paired>) {
        if let Some((events, place)) = paired {
            self.invoke(step, events, place);
        }
    }

    /// All events of a scope: they are kept until it is closed, or there are as many as it takes.
    fn gather(&mut self, step: usize, event: &Event, place: Place) -> bool {
        let planned = &self.plan[step];
        match self.scopes.gather(step, &planned.openers, planned.take, place, event) {
            Gathering::Elsewhere => return false,
            Gathering::Held => (),
            Gathering::Complete(gathered, place) => self.fire(step, gathered, place),
        }
        true
    }

    fn fire(&mut self, join: usize, mut gathered: Gathered, place: Place) {
        if self.plan[join].order == Order::Emission {
            gathered.sort_by_key(|(index, _)| *index);
        }
        let events = gathered.into_iter().map(|(_, event)| event).collect();
        self.invoke(join, events, place);
    }

    /// Opens a scope for what a fan-out step returned.
    pub(super) fn open_scope(&mut self, step: usize, place: Place) -> ScopeId {
        let scope = self.scopes.open(step, &self.plan[step].joins, place);
        self.scopes.enter(Some(scope));
        scope
    }

    /// Counts one less in flight in a scope. One without any is closed, and so perhaps its parents:
    /// its joins fire, and what is unpaired moves up.
    pub(super) fn leave_scope(&mut self, scope: Option<ScopeId>) {
        let mut next = scope;
        if let Some(scope) = scope {
            self.scopes.leave(scope);
        }
        while let Some(id) = next {
            // Something is still in it.
            let Some(Closed { place, joins, pairing }) = self.scopes.close(id) else { return };
            joins.into_iter().for_each(|(join, gathered)| self.fire(join, gathered, place));
            for (step, unpaired) in pairing {
                self.scopes.move_up(step, unpaired, place);
                while let Some(paired) = self.scopes.take_pair(step, &self.plan[step].accepts, place.scope) {
                    self.invoke_pair(step, Some(paired));
                }
            }
            next = self.scopes.forget(id, place);
        }
    }

    /// The accepted type that lets an event in: its own, or one that it derives from.
    fn accepted_as<'a>(&'a self, step: usize, name: &'a str) -> &'a str {
        let accepts = &self.plan[step].accepts;
        let accepted = |name: &str| accepts.iter().any(|(accepted, _)| accepted == name);
        if accepted(name) {
            return name;
        }
        self.definition.bases(name).into_iter().find(|base| accepted(base)).unwrap_or(name)
    }
}
