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
pub const SNAPSHOT_VERSION: u16 = 6;

#[derive(Serialize)]
struct Taken {
    v: u16,
    rules: u32,
    definition: Vec<Part>,
    /// Of the run's text: the parts of a run stand on each other, and a damaged one must not be entered.
    checksum: String,
    run: Json,
}

/// As it is read: what another form lacks is no fault of this one.
#[derive(Deserialize)]
struct Form {
    v: u16,
    rules: u32,
    definition: Vec<Part>,
    checksum: Option<String>,
    run: Option<Json>,
}

/// A run as it was put away, without its definition. Nothing of it is damaged.
#[derive(Debug)]
pub struct Away {
    definition: Vec<Part>,
    run: Json,
}

/// Puts a run away, as JSON.
pub fn take(run: &Run) -> Vec<u8> {
    let text = to_json(run);
    let taken = Taken { v: SNAPSHOT_VERSION, rules: RULES, definition: run.definition().parts(), checksum: checksum(&text), run: text };
    serde_json::to_vec(&taken).expect("cannot happen: a part of a run that is no JSON")
}

/// Whether it has the form of this build: one of another is not used.
pub fn is_of_this_form(bytes: &[u8]) -> bool {
    serde_json::from_slice(bytes).is_ok_and(|form: Form| form.is_of_this_build())
}

/// Reads what was put away.
pub fn read(bytes: &[u8]) -> Result<Away, Misfit> {
    let form: Form = serde_json::from_slice(bytes).map_err(unusable)?;
    if !form.is_of_this_build() {
        return Err(unusable(format!("it has form {} by rules {}", form.v, form.rules)));
    }
    let Form { definition, checksum: written, run, .. } = form;
    match run {
        Some(run) if written == Some(checksum(&run)) => Ok(Away { definition, run }),
        _ => Err(unusable("it is damaged")),
    }
}

/// Takes a run up again, as it was put away.
pub fn restore(definition: Arc<Definition>, bytes: &[u8]) -> Result<Run, Misfit> {
    read(bytes)?.restore(definition)
}

impl Form {
    fn is_of_this_build(&self) -> bool {
        (self.v, self.rules) == (SNAPSHOT_VERSION, RULES)
    }
}

impl Away {
    /// The parts of the definition that it was put away without.
    pub fn parts(&self) -> &[Part] {
        &self.definition
    }

    /// Takes it up again.
    pub fn restore(self, definition: Arc<Definition>) -> Result<Run, Misfit> {
        if self.definition != definition.parts() {
            return Err(Misfit::Definition { expected: self.definition });
        }
        let run: Run = serde_json::from_str(self.run.get()).map_err(unusable)?;
        Ok(run.with(definition))
    }
}

fn unusable(why: impl ToString) -> Misfit {
    Misfit::Snapshot(why.to_string())
}

fn checksum(run: &Json) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, run.get().as_bytes()).to_string()
}
