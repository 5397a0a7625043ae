//! The parts of a file as they come, put into a store one after the other.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest, Sha256};
use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Forked, Input, Micros, Started};
use wf_engine::journal;
use wf_engine::run::Run;

use crate::care::files::unreadable;
use crate::care::fsck;
use crate::care::manifest::Part;
use crate::care::seal::hex;
use crate::machine::Worker;
use crate::model::{ComponentView, Limits, Workflow};
use crate::store::carry::{Carrier, EndingRow, KeyRow, Rows, RunRow};
use crate::store::{self, Error, Now, Result, RunKey, finding};

/// A part that is taken into memory is at most so long: 900 MB, as a row.
const PART_MAX: u64 = 900_000_000;

/// What came of it.
pub(crate) struct Imported {
    /// The newest run, as it is here.
    pub run: String,
    pub handler: String,
    pub how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It had ended, and is to be looked at.
    Ended,
    /// It goes on as what it was.
    GoesOn,
    /// It goes on as another, and so does the one it was copied from.
    Fork,
    /// It has not ended where it comes from; here it has, so that it can be looked at.
    Cancelled,
}

/// What is known of the file while it is read.
pub(super) struct Reading<'a> {
    carrier: &'a Carrier,
    path: &'a Path,
    /// The manifests of components, by digest.
    descriptions: BTreeMap<String, String>,
    /// The runs, as they are stored here.
    runs: Vec<(RunKey, RunRow)>,
    how: How,
    /// The entries of the newest, where it has not ended.
    entries: Vec<Entry>,
    /// How far the clock here, that stands while no host is up, is before the one there.
    ahead: i128,
    endings: BTreeMap<usize, Vec<u8>>,
}

impl<'a> Reading<'a> {
    /// Of a file from which nothing is read yet but what is to become of its runs.
    pub(super) fn begun(carrier: &'a Carrier, path: &'a Path, how: How, runs: Vec<(RunKey, RunRow)>, ahead: i128) -> Reading<'a> {
        let (descriptions, endings) = (BTreeMap::new(), BTreeMap::new());
        Reading { carrier, path, descriptions, runs, how, entries: Vec::new(), ahead, endings }
    }
}

impl Reading<'_> {
    /// Takes a part in.
    pub(super) fn part(&mut self, part: Part, length: u64, from: &mut dyn Read) -> Result<()> {
        match part {
            Part::Description(digest) => {
                let text = String::from_utf8(bytes(self.path, from)?).map_err(|error| unsound(self.path, error))?;
                self.descriptions.insert(digest, text);
            }
            Part::Component(digest) => {
                let description = self.descriptions.get(&digest).ok_or_else(|| strange(self.path, &digest))?;
                let mut hashed = Hashed { from, hash: Sha256::new() };
                self.carrier.put_component(&digest, description, length, &mut hashed)?;
                if hex(&hashed.hash.finalize()) != digest {
                    return Err(unsound(self.path, format!("component {digest} is another one")));
                }
            }
            Part::Rows(place, rows, _) => {
                let text = bytes(self.path, from)?;
                let items: Vec<&RawValue> = serde_json::from_slice(&text).map_err(|error| unsound(self.path, error))?;
                self.rows(place, rows, &items)?;
            }
            Part::Outcome(place) => drop(self.endings.insert(place, bytes(self.path, from)?)),
            Part::State(place) => {
                let outcome = self.endings.remove(&place);
                self.carrier.put_ending(self.key(place)?, &EndingRow { outcome, state: bytes(self.path, from)? })?;
            }
            Part::First(place) => self.carrier.put_first(self.key(place)?, &bytes(self.path, from)?)?,
            Part::Keys(place) => {
                let rows: Vec<KeyRow> = serde_json::from_slice(&bytes(self.path, from)?).map_err(|error| unsound(self.path, error))?;
                let (key, run) = self.runs.get(place).ok_or_else(|| strange(self.path, &format!("run {place}")))?;
                // They made another than a copy is.
                for row in rows.iter().filter(|_| self.how != How::Fork) {
                    let is_own = [store::start_scope(&run.workflow), store::event_scope(&run.handler)].contains(&row.scope);
                    if !is_own && store::forked_from(&row.scope).is_none() || row.run.as_ref().is_some_and(|made| *made != run.id) {
                        return Err(strange(self.path, "a key of another run"));
                    }
                    self.carrier.put_key(*key, row)?;
                }
            }
        }
        Ok(())
    }

    fn key(&self, place: usize) -> Result<RunKey> {
        self.runs.get(place).map(|it| it.0).ok_or_else(|| strange(self.path, &format!("run {place}")))
    }

    fn goes_on(&self, place: usize) -> bool {
        self.how != How::Ended && place + 1 == self.runs.len()
    }

    fn rows(&mut self, place: usize, rows: Rows, items: &[&RawValue]) -> Result<()> {
        let key = self.key(place)?;
        let Some(last) = items.last() else { return Ok(()) };
        match rows {
            Rows::Journal if self.goes_on(place) => {
                let moved = items.iter().map(|item| shifted(item, self.ahead)).collect::<serde_json::Result<Vec<_>>>();
                let moved = moved.map_err(|error| unsound(self.path, error))?;
                for entry in &moved {
                    let seq = self.entries.len() as u64;
                    self.entries.push(journal::read(seq, entry.get().as_bytes()).map_err(|misfit| unsound(self.path, misfit))?);
                }
                let items: Vec<&RawValue> = moved.iter().map(|it| &**it).collect();
                let last = self.entries.last().map_or(0, |entry| entry.seq);
                self.carrier.put_rows(key, rows, last, &items)
            }
            Rows::Journal => {
                let last: Place = serde_json::from_str(last.get()).map_err(|error| unsound(self.path, error))?;
                self.carrier.put_rows(key, rows, last.seq, items)
            }
            Rows::Stream => {
                let (last, _, _): (u64, u8, &RawValue) = serde_json::from_str(last.get()).map_err(|error| unsound(self.path, error))?;
                self.carrier.put_rows(key, rows, last, items)
            }
            Rows::Log => self.carrier.put_rows(key, rows, 0, items),
        }
    }

    /// Looks whether a run that goes on can be gone on with here; makes a copy one of its own.
    pub(super) fn end(&self, now: Micros) -> Result<Imported> {
        let (key, run) = self.runs.last().ok_or_else(|| strange(self.path, "no run"))?;
        let imported = Imported { run: run.id.clone(), handler: run.handler.clone(), how: self.how };
        let first = match self.entries.first() {
            Some(first) => first,
            None if self.how == How::Cancelled => return Err(unsound(self.path, "it has not begun")),
            None => return Ok(imported),
        };
        let Input::Started(started) = &first.input else { return Err(unsound(self.path, "its journal has no beginning")) };
        let mut begun = Run::new(Arc::new(self.definition(&started.definition)?));
        for parts in journal::forks(&self.entries) {
            begun.redefine(Arc::new(self.definition(parts)?));
        }
        let folded = journal::replay(begun, &self.entries).map_err(|misfit| unsound(self.path, misfit))?;
        let definition = folded.definition().clone();
        let now = Now { at: now, alive: self.carrier.alive()? };
        let workflow = Arc::new(workflow(&run.workflow, definition.clone(), started));
        if self.how == How::Cancelled {
            let append = Worker::cancelled(workflow, folded, now).ok_or_else(|| unsound(self.path, "it has ended"))?;
            self.carrier.append(*key, append)?;
        } else if self.how == How::Fork {
            let origin = folded.started().map_or_else(String::new, |it| it.run.clone());
            let mut seed = [0; 32];
            rand::rng().fill(&mut seed);
            let forked = Forked {
                origin: origin.clone(),
                run: run.id.clone(),
                handler: run.handler.clone(),
                seed: Started::seed_text(seed),
                definition: definition.parts(),
                state: None,
                events: None,
            };
            let append = Worker::fork(workflow, folded, forked, now).ok_or_else(|| unsound(self.path, "it has not begun"))?;
            self.carrier.append(*key, append)?;
            // By it a run is shown with its forks.
            let scope = store::fork_scope(&origin);
            self.carrier.put_key(*key, &KeyRow { scope, key: run.id.clone(), body: [0; 32], run: Some(run.id.clone()), event: None })?;
        }
        Ok(imported)
    }

    /// Refuses what a check of the store would find afterwards.
    pub(super) fn check(&self) -> Result<()> {
        match fsck::first_of(self.carrier.seen(), self.runs.iter().map(|it| it.0))? {
            None => Ok(()),
            // The row will not be there.
            Some(wrong) => Err(unsound(self.path, format!("{}: {}", finding::Place { row: None, ..wrong.place }, wrong.what))),
        }
    }

    fn definition(&self, parts: &[wf_engine::entry::Part]) -> Result<Definition> {
        let parts = parts.iter().map(|part| {
            let text = self
                .descriptions
                .get(&part.component)
                .ok_or_else(|| unsound(self.path, format!("component {} is missing", part.component)))?;
            Ok((part.clone(), serde_json::from_str(text).map_err(|error| unsound(self.path, error))?))
        });
        Ok(Definition::new(parts.collect::<Result<_>>()?))
    }
}

/// What the frames of a copy are made with.
fn workflow(name: &str, definition: Arc<Definition>, started: &Started) -> Workflow {
    let components = definition.digests().into_iter().map(|digest| ComponentView { digest, size: 0, imports: Vec::new() });
    Workflow {
        name: name.to_owned(),
        components: components.collect(),
        definition,
        additional_events: started.additional_events.clone(),
        limits: Arc::new(Limits::default()),
        grants: Arc::default(),
    }
}

/// As an entry says where it is.
#[derive(Deserialize)]
struct Place {
    seq: u64,
}

/// An entry, but for what it says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    v: u64,
    seq: u64,
    at: Micros,
    alive: Micros,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    input: Box<RawValue>,
}

/// An entry as it would be had the run lived here: what is due on the clock that stands while no host is up is due as
/// long from now as it was there.
fn shifted(entry: &RawValue, ahead: i128) -> serde_json::Result<Box<RawValue>> {
    let mut head: Head = serde_json::from_str(entry.get())?;
    head.alive = Micros::try_from((i128::from(head.alive) + ahead).max(0)).unwrap_or(Micros::MAX);
    to_raw_value(&head)
}

struct Hashed<'a> {
    from: &'a mut dyn Read,
    hash: Sha256,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

pub(super) fn bytes(path: &Path, from: &mut dyn Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(PART_MAX).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

pub(super) fn strange(path: &Path, what: &str) -> Error {
    let message = format!("`{}` holds what no export does: {what}", path.display());
    Error::open(message, "give it what `wf-host export` has made")
}

pub(super) fn unsound(path: &Path, why: impl std::fmt::Display) -> Error {
    let message = format!("`{}` cannot be imported: {why}", path.display());
    Error::open(message, "it may need a newer wf-host; nothing was imported")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ahead: i128, entry: &str, expected: &str) {
        let entry = RawValue::from_string(entry.to_owned()).expect("JSON");
        assert_eq!(shifted(&entry, ahead).expect("an entry").get(), expected);
    }

    #[test]
    fn what_is_due_on_the_clock_of_a_store_is_due_as_long_from_now_on_that_of_another() {
        let input = r#"{"EventReceived":{"id":"x","event":{"name":"A","payload":{"n": 1.0}}}}"#;
        let entry = |alive: u64| format!(r#"{{"v":1,"seq":3,"at":7,"alive":{alive},"frames":2,"input":{input}}}"#);
        check(250, &entry(1000), &entry(1250));
        check(-250, &entry(1000), &entry(750));
        check(-2000, &entry(1000), &entry(0));
        check(1, r#"{"v":1,"seq":0,"at":7,"alive":1,"input":{ }}"#, r#"{"v":1,"seq":0,"at":7,"alive":2,"input":{ }}"#);
    }

    #[test]
    fn an_entry_of_another_form_is_refused() {
        let entry = RawValue::from_string(r#"{"v":2,"seq":0,"at":7,"alive":1,"since":3,"input":{}}"#.to_owned()).expect("JSON");
        assert!(shifted(&entry, 0).is_err());
    }
}
