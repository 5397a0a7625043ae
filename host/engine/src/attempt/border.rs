//! Where a guest's text comes in: each call is checked here once, and nothing behind it is unreadable or unlimited.

use std::mem::take;

use super::{Limits, Query, Request, options};
use crate::entry::{Buffered, Event, Function, Wait};
use crate::json::Json;
use crate::text::{self, EXPECTED_MAX, Limit, REQUIREMENTS_MAX, Refused, TARGET_MAX};

/// A call that can be made.
#[derive(Debug)]
pub(super) struct Prepared {
    /// What is recorded.
    pub function: Function,
    /// What is buffered.
    pub effect: Option<Buffered>,
    /// What must be asked before.
    pub query: Option<Query>,
}

/// How long payloads and values can be.
pub(super) struct Sizes {
    payload: Limit,
    value: Limit,
}

impl Sizes {
    /// Those of calls that are made now.
    pub(super) fn of(limits: &Limits) -> Sizes {
        let limit = |name, max| Limit { name, max };
        Sizes { payload: limit("payload_max", limits.payload_max), value: limit("value_max", limits.value_max) }
    }

    /// Those of calls that were recorded: whatever held then.
    pub(super) fn any() -> Sizes {
        let any = Limit { name: "any", max: usize::MAX };
        Sizes { payload: any, value: any }
    }

    /// An event that can be routed or published.
    pub(super) fn event(&self, name: &str, payload: String) -> Result<Event, Refused> {
        text::name("the event's type", name)?;
        let payload = text::object(&format!("the payload of `{name}`"), payload, self.payload)?;
        Ok(Event { name: name.into(), payload })
    }

    fn value(&self, value: String) -> Result<Json, Refused> {
        text::json("the value", value, self.value)
    }
}

impl Request {
    /// The call, with its payload moved out of the request; or why it is refused.
    pub(super) fn prepare(&mut self, limits: &Limits) -> Result<Prepared, Refused> {
        let sizes = Sizes::of(limits);
        let mut function = self.function()?;
        check(&function)?;
        self.fill(&mut function, &sizes)?;
        let effect = self.effect(&sizes)?;
        let query = query(&function, effect.as_ref(), limits.state_max);
        Ok(Prepared { function, effect, query })
    }

    /// What it would be recorded as, with its payload, and what it buffers. No limit is applied.
    pub fn whole(mut self) -> Result<(Function, Option<Buffered>), Refused> {
        let (sizes, mut function) = (Sizes::any(), self.function()?);
        self.fill(&mut function, &sizes)?;
        let effect = self.effect(&sizes)?;
        Ok((function, effect))
    }

    /// What it buffers.
    pub(super) fn effect(&mut self, sizes: &Sizes) -> Result<Option<Buffered>, Refused> {
        Ok(Some(match self {
            Request::Send { name, payload, options } => {
                let step = options::parse::<options::SendOptions>(options)?.step;
                Buffered::Send { event: sizes.event(name, take(payload))?, step }
            }
            Request::Set { path, value } => Buffered::Set { path: path.clone(), value: sizes.value(take(value))? },
            Request::Push { path, value } => Buffered::Push { path: path.clone(), value: sizes.value(take(value))? },
            Request::Delete { path } => Buffered::Delete { path: path.clone() },
            _ => return Ok(None),
        }))
    }

    /// Moves payload or value into what is recorded.
    fn fill(&mut self, function: &mut Function, sizes: &Sizes) -> Result<(), Refused> {
        match (self, function) {
            (Request::Publish { payload, .. }, Function::Publish { event })
            | (Request::Collect { payload, .. }, Function::Collect { event, .. }) => *event = sizes.event(&event.name, take(payload))?,
            (Request::EditCommit { value: text, .. }, Function::EditCommit { value, .. })
            | (Request::Keep { value: text, .. }, Function::Keep { value, .. }) => *value = sizes.value(take(text))?,
            (Request::Wait { options }, Function::Wait(wait)) => {
                let request = options::request(options)?;
                wait.request = request.map(|(name, payload)| sizes.event(&name, payload)).transpose()?;
            }
            _ => (),
        }
        Ok(())
    }
}

/// Checks all that makes up a call's identity.
fn check(function: &Function) -> Result<(), Refused> {
    match function {
        Function::Send { step: Some(step), .. } => text::name("the step", step),
        Function::Wait(wait) => check_wait(wait),
        Function::Collect { id, expected, event, .. } => check_collect(id.as_deref(), expected, event),
        Function::LookUp { name, .. } | Function::Keep { name, .. } => text::name("the memo's name", name),
        Function::Request { target, .. } => text::within("the target", target, TARGET_MAX),
        // The whole state can be read, and not written.
        Function::Get { path, .. } if path.is_empty() => Ok(()),
        // The names of events are checked with their payloads.
        other => other.path().map_or(Ok(()), text::path),
    }
}

fn check_wait(wait: &Wait) -> Result<(), Refused> {
    wait.types.iter().try_for_each(|name| text::name("the type of a wait", name))?;
    wait.id.iter().try_for_each(|id| text::id("the id of a wait", id))?;
    let size: usize = wait.requirements.iter().map(|(field, value)| field.len() + value.get().len()).sum();
    if size > REQUIREMENTS_MAX.max {
        return Err(REQUIREMENTS_MAX.exceeded("the text of the requirements"));
    }
    match wait.timeout {
        Some(seconds) if seconds < 0.0 => Err(Refused::invalid("the timeout of a wait is less than 0 seconds")),
        _ => Ok(()),
    }
}

fn check_collect(id: Option<&str>, expected: &[(String, u32)], event: &Event) -> Result<(), Refused> {
    id.map_or(Ok(()), |id| text::id("the id of a buffer", id))?;
    if expected.len() > EXPECTED_MAX.max {
        return Err(EXPECTED_MAX.refused(format!("`expected` of collect lists more than {} types one after the other", EXPECTED_MAX.max)));
    }
    expected.iter().try_for_each(|(name, _)| text::name("an expected type", name))?;
    if expected.is_empty() || expected.iter().any(|(_, count)| *count == 0) {
        return Err(Refused::invalid("`expected` of collect names no type, or one 0 times"));
    }
    if expected.iter().map(|(_, count)| u64::from(*count)).sum::<u64>() > u64::from(u32::MAX) {
        return Err(Refused::invalid("`expected` of collect counts more events than there can be"));
    }
    if !expected.iter().any(|(name, _)| **name == *event.name) {
        return Err(Refused::invalid(format!("`{}` is not among the types that collect expects", event.name)));
    }
    Ok(())
}

/// What the run must be asked before a call is made.
fn query(function: &Function, effect: Option<&Buffered>, state_max: usize) -> Option<Query> {
    match (function, effect) {
        (Function::Get { path, .. }, _) => Some(Query::Get { path: path.clone() }),
        (Function::EditBegin { path, .. }, _) => Some(Query::EditBegin { path: path.clone() }),
        (Function::EditCommit { path, value, .. }, _) => Some(Query::Check { path: path.clone(), value: value.clone(), state_max }),
        (_, None | Some(Buffered::Send { .. })) => None,
        (_, Some(effect)) => Some(Query::Write { effect: effect.clone(), state_max }),
    }
}
