//! A run that can be put away: the fold's state in a form of its own, apart from the entries.
//!
//! A snapshot is a checked cache: a run that is restored from one and then given the entries after
//! it is the run that a replay from the start gives. Replay never depends on it, so its form may
//! change with any build; [`SNAPSHOT_VERSION`] then gets a new number, and older ones are not used.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::definition::Definition;
use crate::entry::{Part, RULES};
use crate::journal::Misfit;
use crate::json::{Json, to_json};
use crate::run::Run;

/// The version of the form. A change of any part of a run changes it: a file of `tests/golden` notices.
pub const SNAPSHOT_VERSION: u16 = 1;

#[derive(Serialize)]
struct Taken {
    v: u16,
    rules: u32,
    definition: Vec<Part>,
    /// Of the run's text: the parts of a run stand on each other, and a damaged one must not be entered.
    checksum: String,
    run: Json,
}

/// What is looked at before the rest is read.
#[derive(Deserialize)]
struct Form {
    v: u16,
    rules: u32,
    definition: Vec<Part>,
}

#[derive(Deserialize)]
struct Whole {
    checksum: String,
    run: Json,
}

/// Puts a run away, as JSON.
pub fn take(run: &Run) -> Vec<u8> {
    let text = to_json(run);
    let taken = Taken { v: SNAPSHOT_VERSION, rules: RULES, definition: run.definition().parts(), checksum: checksum(&text), run: text };
    serde_json::to_vec(&taken).expect("cannot happen: a part of a run that is no JSON")
}

/// The parts of the definition that a run was put away without.
pub fn parts(bytes: &[u8]) -> Result<Vec<Part>, Misfit> {
    let form: Form = serde_json::from_slice(bytes).map_err(|error| Misfit::Snapshot(error.to_string()))?;
    if (form.v, form.rules) != (SNAPSHOT_VERSION, RULES) {
        return Err(Misfit::Snapshot(format!("it has form {} by rules {}", form.v, form.rules)));
    }
    Ok(form.definition)
}

/// Takes a run up again, as it was put away.
pub fn restore(definition: Arc<Definition>, bytes: &[u8]) -> Result<Run, Misfit> {
    let unusable = |message: String| Misfit::Snapshot(message);
    let expected = parts(bytes)?;
    if expected != definition.parts() {
        return Err(Misfit::Definition { expected });
    }
    let whole: Whole = serde_json::from_slice(bytes).map_err(|error| unusable(error.to_string()))?;
    if checksum(&whole.run) != whole.checksum {
        return Err(unusable("it is damaged".to_owned()));
    }
    let run: Run = serde_json::from_str(whole.run.get()).map_err(|error| unusable(error.to_string()))?;
    Ok(run.with(definition))
}

fn checksum(run: &Json) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, run.get().as_bytes()).to_string()
}
