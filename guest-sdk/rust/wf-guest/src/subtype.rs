//! Events that are taken for what they derive from.

use std::collections::VecDeque;
use std::ops::Deref;

use serde_json::Value;

use crate::step::first;
use crate::{Event, RawEvent, Result, StepInput};

/// An event of a type or of one that derives from it, which it still is: a step with a parameter
/// `order: Subtype<Order>` takes orders of every declared type, as if it had `#[step(subtypes)]`.
///
/// The fields of the base are there at once; [`Subtype::downcast`] gives those of the type that it
/// is of.
///
/// ```
/// use wf_guest::prelude::*;
///
/// #[derive(Event)]
/// struct Order {
///     number: u32,
/// }
///
/// #[derive(Event)]
/// #[event(base = "Order")]
/// struct RushOrder {
///     number: u32,
///     hours: u32,
/// }
///
/// fn hours(order: &Subtype<Order>) -> Result<u32> {
///     Ok(order.downcast::<RushOrder>()?.map_or(24, |rush| rush.hours))
/// }
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct Subtype<E> {
    base: E,
    event: RawEvent,
}

impl<E> Subtype<E> {
    /// The name of the type that it is of.
    pub fn type_name(&self) -> &str {
        &self.event.name
    }

    /// Whether it is of exactly this type.
    pub fn is<S: Event>(&self) -> bool {
        self.event.name == S::NAME
    }

    /// The whole event, where it is of exactly this type. An error where its fields do not fit.
    pub fn downcast<S: Event>(&self) -> Result<Option<S>> {
        self.is::<S>().then(|| self.event.parse()).transpose()
    }

    /// What it has of the type that it derives from.
    pub fn into_inner(self) -> E {
        self.base
    }
}

impl<E> Deref for Subtype<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.base
    }
}

impl<E: Event> StepInput for Subtype<E> {
    const SUBTYPES: bool = true;

    fn types() -> Vec<(&'static str, Option<Value>)> {
        E::types()
    }

    fn take(events: &mut VecDeque<RawEvent>) -> Result<Subtype<E>> {
        let event = first(events, E::NAME)?;
        Ok(Subtype { base: event.parse()?, event })
    }
}
