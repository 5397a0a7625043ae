//! What a component says about itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A component's self-description. Keys that we do not know are kept in `other`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Manifest {
    /// The workflow's default name.
    pub name: String,
    /// The author's version of the workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the workflow does, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The source language, for display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Every event type that the workflow names. Built-in types may be left out.
    #[serde(default)]
    pub events: Vec<EventType>,
    /// The steps.
    pub steps: Vec<StepManifest>,
    /// Seconds after which a run fails; none for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// Event types, by name, that the outside may send although no step accepts them (waits).
    #[serde(default)]
    pub additional_events: Vec<String>,
    /// Unknown keys.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// An event type.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct EventType {
    /// The bare type name.
    pub name: String,
    /// What the type is for; follows from the built-in base types where it is left out.
    pub kind: EventKind,
    /// The type that it derives from; `Event` (and so nothing) where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The module that declares it in its language: `orders.events`. Qualifies the name for clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The JSON Schema of the payload; `title` is the type name.
    #[serde(default)]
    pub schema: Value,
    /// Who says whether the value of an event from outside fits.
    #[serde(default, skip_serializing_if = "Validation::is_by_schema")]
    pub validation: Validation,
    /// Unknown keys.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// Begins a run.
    Start,
    /// Ends a run when it is returned.
    Stop,
    /// Published to ask the outside for something.
    InputRequired,
    /// Sent by the outside.
    HumanResponse,
    /// Any other.
    Plain,
}

/// Who says whether the value of an event from outside fits its type.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// Its schema alone.
    #[default]
    Schema,
    /// Its schema; where that refuses a value, the component has the last word.
    LastWord,
    /// The component, whatever the schema says: it has rules of its own.
    Own,
}

impl Validation {
    fn is_by_schema(&self) -> bool {
        *self == Validation::Schema
    }
}

/// A step.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct StepManifest {
    /// The step's name, unique in the definition.
    pub name: String,
    /// What the step does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The event types that it accepts, by name.
    pub accepts: Vec<String>,
    /// The event types that it may return, by name.
    #[serde(default)]
    pub emits: Vec<String>,
    /// Whether it may return every declared type, beside those it names: for languages that enforce none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emits_any: bool,
    /// The event types that it may send or publish, by name: for the graph and the check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sends: Vec<String>,
    /// The event types that it may wait for, by name: for the graph.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<String>,
    /// Whether an event whose type derives from an accepted one is accepted too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subtypes: bool,
    /// Whether it returns a list, and so opens a scope at every return.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fan_out: bool,
    /// Of a fan-out, the event types that it returns alone and in no list, by name: what it says by `run.no-list` as it
    /// does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns_alone: Vec<String>,
    /// How several events are joined into one invocation; none: each event is an invocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<Join>,
    /// The order of the events that an all-join is given.
    #[serde(default, skip_serializing_if = "Order::is_emission")]
    pub order: Order,
    /// Fires an all-join at the n-th event of a scope; none: when nothing of the scope is in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take: Option<u32>,
    /// How many invocations run at once.
    #[serde(default = "default_slots")]
    pub num_workers: u32,
    /// How a failure is retried; none: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Seconds of executing time that an attempt may take; none for the host's limit alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// Makes this a catch-error step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_error: Option<CatchError>,
    /// Unknown keys.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A step's slots where it does not say.
pub const SLOTS_DEFAULT: u32 = 4;

fn default_slots() -> u32 {
    SLOTS_DEFAULT
}

/// How a step joins events.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// One event of each accepted type, paired first in, first out.
    Each,
    /// All events of the accepted types that a fan-out gave rise to.
    All,
}

/// The order of the events of an all-join.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// That in which the fan-out step returned what they came from.
    #[default]
    Emission,
    /// That in which they arrived.
    Arrival,
}

impl Order {
    fn is_emission(&self) -> bool {
        *self == Order::Emission
    }
}

/// A retry policy. Times are in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Retry {
    /// How the delay grows.
    #[serde(default)]
    pub backoff: Backoff,
    /// The delay before the second attempt.
    #[serde(default)]
    pub delay: f64,
    /// The longest delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_max: Option<f64>,
    /// What the delay is multiplied by each time, when exponential (2).
    #[serde(default = "default_factor")]
    pub factor: f64,
    /// The part of the delay, 0 to 1, that is added or taken away by chance.
    #[serde(default)]
    pub jitter: f64,
    /// Most attempts, the first included; none for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts_max: Option<u32>,
    /// No further attempt once this much time has passed since the first began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_max: Option<f64>,
    /// Only failures of these kinds; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
}

fn default_factor() -> f64 {
    2.0
}

/// How a retry's delay grows.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Backoff {
    /// The same each time.
    #[default]
    Constant,
    /// The delay times the number of failures.
    Linear,
    /// The delay times the factor to the power of the failures before.
    Exponential,
}

/// Whose errors a catch-error step takes, and how often in a run.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct CatchError {
    /// The steps; empty for every step that no other catch-error step names.
    #[serde(default)]
    pub steps: Vec<String>,
    /// Most recoveries in a run.
    #[serde(default = "default_recoveries")]
    pub max_recoveries: u32,
}

fn default_recoveries() -> u32 {
    1
}
