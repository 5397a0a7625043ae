//! The options of `send`, `wait` and `collect`: one JSON text each. Unknown keys are ignored, so that newer guests run on older hosts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::entry::Wait;
use crate::json::Json;
use crate::text::{self, OPTIONS_MAX, Refused, shown};

#[derive(Deserialize)]
pub(super) struct SendOptions {
    pub step: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WaitOptions {
    #[serde(rename = "type")]
    name: Option<String>,
    types: Option<Vec<String>>,
    subtypes: Option<bool>,
    fresh: Option<bool>,
    id: Option<String>,
    requirements: Option<BTreeMap<String, Json>>,
    timeout: Option<f64>,
    request: Option<Asking>,
}

/// The event that asks for the answer.
#[derive(Deserialize)]
struct Asking {
    name: String,
    /// Text that holds a JSON object, as with every payload of the contract.
    payload: String,
}

#[derive(Deserialize)]
pub(super) struct CollectOptions {
    pub expected: Vec<Expected>,
    pub id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`expected` lists names, or pairs of a name and how often it is expected")]
pub(super) enum Expected {
    Name(String),
    Counted(String, u32),
}

/// Reads options. Empty text is an empty object.
pub(super) fn parse<T: for<'a> Deserialize<'a>>(options: &str) -> Result<T, Refused> {
    let options = if options.trim().is_empty() { "{}" } else { options };
    let options = text::object("the text of the options", options.to_owned(), OPTIONS_MAX)?;
    serde_json::from_str(options.get())
        .map_err(|error| Refused::invalid(format!("the options are not understood: {}", shown(&error.to_string()))))
}

impl WaitOptions {
    /// The wait, without its request. A type that is named twice counts once.
    pub(super) fn wait(self) -> Result<Wait, Refused> {
        let mut types = match (self.name, self.types) {
            (Some(name), None) => vec![name],
            (None, Some(types)) if !types.is_empty() => types,
            _ => return Err(Refused::invalid("a wait needs either `type`, or at least one name in `types`")),
        };
        let mut seen = BTreeSet::new();
        types.retain(|name| seen.insert(name.clone()));
        Ok(Wait {
            types,
            subtypes: self.subtypes.unwrap_or_default(),
            id: self.id,
            requirements: self.requirements.unwrap_or_default(),
            timeout: self.timeout,
            request: None,
            fresh: self.fresh.unwrap_or_default(),
            answer: None,
        })
    }
}

/// Name and payload of the event that a wait asks with.
pub(super) fn request(options: &str) -> Result<Option<(String, String)>, Refused> {
    Ok(parse::<WaitOptions>(options)?.request.map(|asking| (asking.name, asking.payload)))
}

/// The expected types in order, repeats of one folded into one with a count.
pub(super) fn folded(expected: Vec<Expected>) -> Vec<(String, u32)> {
    let mut folded: Vec<(String, u32)> = Vec::new();
    for it in expected {
        let (name, count) = match it {
            Expected::Name(name) => (name, 1),
            Expected::Counted(name, count) => (name, count),
        };
        match folded.last_mut() {
            Some(last) if last.0 == name && last.1.checked_add(count).is_some() => last.1 += count,
            _ => folded.push((name, count)),
        }
    }
    folded
}
