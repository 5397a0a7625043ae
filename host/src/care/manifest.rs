//! The parts of a file that runs are carried in: a tar, of which the first part says what the others are.

use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use wf_engine::entry::Micros;

use super::seal::{self, Kind};
use crate::store::carry::{Rows, RunRow};

/// The name of the first part.
pub(super) const MANIFEST: &str = "manifest.json";

/// What a file holds. Its form is in the last line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// The build that has written it, for people.
    pub wf_host: String,
    /// When, in UTC.
    pub made_at: Micros,
    /// Where the clock of the store stood that stands while no host is up.
    pub alive: Micros,
    /// Whether the store that it comes from has it no more.
    pub moved: bool,
    /// Fields whose values were taken out.
    pub redacted: Vec<String>,
    /// All of one handler, in the order in which they began.
    pub runs: Vec<RunRow>,
}

impl Manifest {
    /// Of a file; none: it is no whole one.
    pub(super) fn of(path: &Path) -> Option<Manifest> {
        let sealed = seal::open(path, Kind::Export).ok()?;
        let mut archive = tar::Archive::new(sealed.file.take(sealed.size));
        let first = archive.entries().ok()?.next()?.ok()?;
        serde_json::from_reader(io::BufReader::new(first)).ok()
    }
}

/// A part, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The manifest of a component, by its digest.
    Description(String),
    /// Its bytes.
    Component(String),
    /// Of the run in this place: rows, with their number among those of their kind.
    Rows(usize, Rows, u32),
    /// What it has ended with; a message where it has failed.
    Outcome(usize),
    /// The state with which it has ended.
    State(usize),
    /// What it begins with.
    First(usize),
    /// The keys that made it, and its events.
    Keys(usize),
}

impl Part {
    pub(super) fn name(&self) -> String {
        match self {
            Part::Description(digest) => format!("components/{digest}.json"),
            Part::Component(digest) => format!("components/{digest}.wasm"),
            Part::Rows(run, rows, number) => format!("{run}/{}/{number:06}.json", folder(*rows)),
            Part::Outcome(run) => format!("{run}/outcome"),
            Part::State(run) => format!("{run}/state.json"),
            Part::First(run) => format!("{run}/first.json"),
            Part::Keys(run) => format!("{run}/keys.json"),
        }
    }

    pub(super) fn of(name: &str) -> Option<Part> {
        if let Some(rest) = name.strip_prefix("components/") {
            let (digest, kind) = rest.split_once('.')?;
            return match kind {
                "json" => Some(Part::Description(digest.to_owned())),
                "wasm" => Some(Part::Component(digest.to_owned())),
                _ => None,
            };
        }
        let (run, rest) = name.split_once('/')?;
        let run = run.parse().ok()?;
        match rest {
            "outcome" => Some(Part::Outcome(run)),
            "state.json" => Some(Part::State(run)),
            "first.json" => Some(Part::First(run)),
            "keys.json" => Some(Part::Keys(run)),
            rest => {
                let (kind, number) = rest.split_once('/')?;
                let rows = [Rows::Journal, Rows::Stream, Rows::Log].into_iter().find(|it| folder(*it) == kind)?;
                Some(Part::Rows(run, rows, number.strip_suffix(".json")?.parse().ok()?))
            }
        }
    }
}

fn folder(rows: Rows) -> &'static str {
    match rows {
        Rows::Journal => "journal",
        Rows::Stream => "stream",
        Rows::Log => "log",
    }
}

/// The name of a part that is read. None: an export has none of its kind. One with holes would be as long as it says, out
/// of nothing.
pub(super) fn name<R: Read>(part: &tar::Entry<R>) -> io::Result<Option<String>> {
    let is_file = part.header().entry_type() == tar::EntryType::Regular;
    Ok(is_file.then_some(part.path()?.display().to_string()))
}

/// Writes a part.
pub(super) fn add<W: Write>(to: &mut tar::Builder<W>, name: &str, size: u64, bytes: impl Read) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    header.set_mtime(0);
    to.append_data(&mut header, name, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_its_name() {
        let digest = "ab12".to_owned();
        let parts = [
            Part::Description(digest.clone()),
            Part::Component(digest),
            Part::Rows(0, Rows::Journal, 0),
            Part::Rows(12, Rows::Stream, 1_234_567),
            Part::Rows(1, Rows::Log, 3),
            Part::Outcome(0),
            Part::State(1),
            Part::First(0),
            Part::Keys(7),
        ];
        for part in parts {
            assert_eq!(Part::of(&part.name()), Some(part));
        }
        for name in ["", "manifest.json", "components/x.txt", "0/journal/x.json", "0/nothing.json", "x/state.json"] {
            assert_eq!(Part::of(name), None, "{name}");
        }
    }
}
