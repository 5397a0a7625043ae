//! Events from outside that nothing has taken yet, in order: the next wait that one meets gets it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::waiters::Wanted;
use crate::definition::Definition;
use crate::entry::Event;
use crate::json::Fields;

/// Most events that a run keeps for waits to come.
pub const INBOX_EVENTS_MAX: usize = 1_000;
/// Most bytes of their payloads.
pub const INBOX_BYTES_MAX: usize = 16 << 20;

const KEPT: &str = "cannot happen: a kept event is not where its type says";

/// The kept events.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Inbox {
    next: u64,
    kept: BTreeMap<u64, Message>,
    by_type: BTreeMap<String, BTreeSet<u64>>,
    bytes: usize,
}

/// A field that is as long as this, or longer, is looked up in the payload itself.
const SHORT_MAX: usize = 256;

#[derive(Debug, Serialize, Deserialize)]
struct Message {
    event: Event,
    /// Its short fields, in the form that is equal for equal values.
    short: BTreeMap<String, String>,
    /// The only step that may have it.
    step: Option<String>,
}

impl Inbox {
    /// Whether there is room for an event. The fold keeps what it is given; whoever accepts
    /// events from outside asks before.
    pub(super) fn has_room(&self, event: &Event) -> bool {
        self.kept.len() < INBOX_EVENTS_MAX && self.bytes + event.payload.get().len() <= INBOX_BYTES_MAX
    }

    pub(super) fn keep(&mut self, event: &Event, step: Option<&str>) {
        self.bytes += event.payload.get().len();
        self.by_type.entry(event.name.to_string()).or_default().insert(self.next);
        self.kept.insert(self.next, Message::of(event, step));
        self.next += 1;
    }

    /// Takes out the oldest event that a wait of a step takes.
    pub(super) fn take(&mut self, wanted: &Wanted, step: &str, definition: &Definition) -> Option<Event> {
        let types = self.by_type.iter().filter(|(name, _)| wanted.takes(name, &definition.bases(name)));
        let numbers: BTreeSet<u64> = types.flat_map(|(_, numbers)| numbers).copied().collect();
        let fits = |number: &u64| {
            let message = &self.kept[number];
            message.step.as_deref().is_none_or(|only| only == step) && message.meets(wanted)
        };
        let number = numbers.into_iter().find(fits)?;
        let Message { event, .. } = self.kept.remove(&number).expect(KEPT);
        self.bytes -= event.payload.get().len();
        let numbers = self.by_type.get_mut(&*event.name).expect(KEPT);
        numbers.remove(&number);
        if numbers.is_empty() {
            self.by_type.remove(&*event.name);
        }
        Some(event)
    }
}

impl Message {
    fn of(event: &Event, step: Option<&str>) -> Message {
        let short = Fields::of(&event.payload).all().filter(|(_, value)| value.len() < SHORT_MAX).collect();
        Message { event: event.clone(), short, step: step.map(str::to_owned) }
    }

    /// Whether it has what a wait requires. A payload is read again only for what is long.
    fn meets(&self, wanted: &Wanted) -> bool {
        let short = wanted.requirements().all(|(field, value)| value.len() >= SHORT_MAX || self.short.get(field) == Some(value));
        let long = wanted.requirements().any(|(_, value)| value.len() >= SHORT_MAX);
        short && (!long || wanted.is_met(&Fields::of(&self.event.payload)))
    }
}
