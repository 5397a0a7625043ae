//! What goes into a step and comes out of it.

use std::collections::VecDeque;

use serde_json::Value;

use crate::bindings::wf::workflow::types::{Event as WitEvent, Failure as WitFailure};
use crate::read::read;
use crate::{Event, Failure, Result};

/// An event as it crosses the boundary: a type's name and a JSON object.
#[derive(Clone, Debug)]
pub struct RawEvent {
    /// The bare type name.
    pub name: String,
    /// A JSON object, as text.
    pub payload: String,
}

impl RawEvent {
    /// The event as text.
    pub fn of<E: Event>(event: &E) -> Result<RawEvent> {
        let unsound = |error| Failure::new("ValueError", format!("{}: {error}", E::NAME)).no_retry();
        Ok(RawEvent { name: E::NAME.to_owned(), payload: serde_json::to_string(event).map_err(unsound)? })
    }

    /// The event as its type.
    pub fn parse<E: Event>(&self) -> Result<E> {
        read(&self.payload).map_err(|error| Failure::new("ValueError", format!("{}: {error}", self.name)).no_retry())
    }

    pub(crate) fn into_host(self) -> WitEvent {
        WitEvent { name: self.name, payload: self.payload }
    }

    pub(crate) fn from_host(event: WitEvent) -> RawEvent {
        RawEvent { name: event.name, payload: event.payload }
    }
}

/// What a step's parameter can be: an event, an enum of events, [`Subtype`](crate::Subtype), or [`Collect`].
#[diagnostic::on_unimplemented(
    message = "a step cannot take `{Self}`",
    label = "is no event",
    note = "a step takes events: `StartEvent`, a struct with `#[derive(Event)]`, an enum of them with `#[derive(Events)]`, `Subtype<…>`, or `Collect<…>`"
)]
pub trait StepInput: Sized {
    /// Whether it takes all events of a fan-out.
    const ALL: bool = false;

    /// Whether it takes events of derived types, too.
    const SUBTYPES: bool = false;

    /// Names and declarations of the types that it accepts.
    fn types() -> Vec<(&'static str, Option<Value>)>;

    /// Takes what it needs of the events that the step is given.
    fn take(events: &mut VecDeque<RawEvent>) -> Result<Self>;
}

/// One of several events. Derive it on an enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no enum of events",
    label = "is no enum of events",
    note = "put `#[derive(Events)]` on an enum whose variants hold one event each: `Name(Type)`"
)]
pub trait Events: StepInput {}

/// What a step can return: an event, an enum of events, `Option` of either, `Vec` for a fan-out.
#[diagnostic::on_unimplemented(
    message = "a step cannot return `{Self}`",
    label = "holds no event",
    note = "a step returns an event, such as `StopEvent` or a struct with `#[derive(Event)]`; or `Option`, `Vec` or `Result` of one"
)]
pub trait StepOutput {
    /// Whether it is a list, and so opens a scope for a join.
    const FAN_OUT: bool = false;

    /// Names and declarations of the types that it may return.
    fn types() -> Vec<(&'static str, Option<Value>)>;

    /// The events, in order.
    fn into_events(self) -> Result<Vec<RawEvent>>;
}

/// All events that a fan-out gave rise to, in the order in which they were emitted.
#[derive(Debug)]
pub struct Collect<E>(pub Vec<E>);

impl<E: Event> StepInput for E {
    fn types() -> Vec<(&'static str, Option<Value>)> {
        vec![(E::NAME, E::declaration())]
    }

    fn take(events: &mut VecDeque<RawEvent>) -> Result<E> {
        first(events, E::NAME)?.parse()
    }
}

/// Takes the event of this type; where there is none, one that derives from it.
pub(crate) fn first(events: &mut VecDeque<RawEvent>, name: &str) -> Result<RawEvent> {
    let place = events.iter().position(|event| event.name == name).unwrap_or(0);
    events.remove(place).ok_or_else(|| Failure::new("TypeError", format!("no {name} was given")).no_retry())
}

impl<E> IntoIterator for Collect<E> {
    type Item = E;
    type IntoIter = std::vec::IntoIter<E>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<E: StepInput> StepInput for Collect<E> {
    const ALL: bool = true;
    const SUBTYPES: bool = E::SUBTYPES;

    fn types() -> Vec<(&'static str, Option<Value>)> {
        E::types()
    }

    fn take(events: &mut VecDeque<RawEvent>) -> Result<Collect<E>> {
        // Each by itself: among several a type would look for its own, before those that derive from it.
        let all = std::mem::take(events).into_iter().map(|event| E::take(&mut VecDeque::from([event])));
        Ok(Collect(all.collect::<Result<_>>()?))
    }
}

impl<E: Event> StepOutput for E {
    fn types() -> Vec<(&'static str, Option<Value>)> {
        vec![(E::NAME, E::declaration())]
    }

    fn into_events(self) -> Result<Vec<RawEvent>> {
        Ok(vec![RawEvent::of(&self)?])
    }
}

impl<O: StepOutput> StepOutput for Option<O> {
    const FAN_OUT: bool = O::FAN_OUT;

    fn types() -> Vec<(&'static str, Option<Value>)> {
        O::types()
    }

    fn into_events(self) -> Result<Vec<RawEvent>> {
        self.map_or(Ok(Vec::new()), O::into_events)
    }
}

impl<O: StepOutput> StepOutput for Vec<O> {
    const FAN_OUT: bool = true;

    fn types() -> Vec<(&'static str, Option<Value>)> {
        O::types()
    }

    fn into_events(self) -> Result<Vec<RawEvent>> {
        let events: Result<Vec<Vec<RawEvent>>> = self.into_iter().map(O::into_events).collect();
        Ok(events?.into_iter().flatten().collect())
    }
}

impl<O: StepOutput> StepOutput for Result<O> {
    const FAN_OUT: bool = O::FAN_OUT;

    fn types() -> Vec<(&'static str, Option<Value>)> {
        O::types()
    }

    fn into_events(self) -> Result<Vec<RawEvent>> {
        self?.into_events()
    }
}

/// A workflow, as `#[workflow]` makes it of an impl block.
pub trait Workflow {
    /// The manifest, as JSON.
    fn describe() -> String;

    /// Runs one step on the events that it was given.
    fn invoke(step: &str, events: Vec<RawEvent>) -> Result<Vec<RawEvent>>;
}

/// A workflow, of which there is nothing but its type. One with fields does not compile, and says why where it is declared.
#[doc(hidden)]
pub fn unit<W>() -> &'static W {
    const { assert!(size_of::<W>() == 0) };
    // SAFETY: it has no bytes that could be read, and a place that is aligned.
    unsafe { std::ptr::NonNull::<W>::dangling().as_ref() }
}

#[doc(hidden)]
pub fn invoke<W: Workflow>(step: &str, events: Vec<WitEvent>) -> std::result::Result<Vec<WitEvent>, WitFailure> {
    let returned = W::invoke(step, events.into_iter().map(RawEvent::from_host).collect());
    returned.map(|events| events.into_iter().map(RawEvent::into_host).collect()).map_err(Failure::into_host)
}
