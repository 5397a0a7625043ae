//! Runs as one file, made while a host has them: a copy, or all of a handler, which is then here no more.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use wf_engine::entry::Micros;

use super::files::{absent, folder, free, locked, named, or_nothing, partial, unwritable};
use super::manifest::{MANIFEST, Manifest, Part, add};
use super::redact::{Redaction, SHOWN};
use super::seal::{self, Kind};
use super::{fsck, import};
use crate::store::carry::{Carrier, Moved, Rows, RunRow};
use crate::store::{Error, Result, RunKey};

/// Rows are put together until they are as long as this: 64 KiB.
const PART_MIN: usize = 64 << 10;
/// So often what is moved is read while others write. Then it has changed each time, and they have to wait.
const READ_MAX: u32 = 3;

/// What is asked for.
pub(crate) struct Export {
    pub database: PathBuf,
    /// A run's or a handler's id.
    pub name: String,
    /// The file; none: one that is named after the run, here.
    pub to: Option<PathBuf>,
    /// Whether it is to be here no more.
    pub moves: bool,
    /// Fields whose values are not to be in it.
    pub redacted: Vec<String>,
}

/// What was written.
pub(crate) struct Exported {
    pub path: PathBuf,
    /// How long the file is, in bytes.
    pub size: u64,
    /// How the newest of the runs stands; none: they had been moved before, and only the file lacked its name.
    pub run: Option<RunRow>,
    /// Of the fields whose values were not to be in it, those of which there was no value.
    pub unmet: Vec<String>,
}

impl Export {
    /// Writes the file. `told`: how many bytes are written.
    pub(crate) fn make(&self, now: Micros, told: &mut dyn FnMut(u64)) -> Result<Exported> {
        let carrier = Carrier::open(&self.database)?;
        let Some((_, run)) = carrier.find(&self.name)? else { return self.finish(&carrier) };
        self.sound(&run)?;
        let to = self.to.clone().unwrap_or_else(|| PathBuf::from(format!("{}.tar", run.id)));
        free(&to)?;
        let unfinished = partial(&to);
        // Nobody else finishes it from here on.
        let mut file = locked(&unfinished)?;
        spare(&carrier, &unfinished)?;
        let written = self.write(&carrier, &mut file, &to, now, told);
        if written.is_err() {
            carrier.roll_back();
        }
        // Whole or not: the runs are here.
        let (run, unmet) = or_nothing(written, &unfinished)?;
        // Where this fails, nobody knows whether they still are. The file stays, and whoever calls again learns it.
        carrier.commit()?;
        if !self.redacted.is_empty() {
            or_nothing(tells(&run, &unfinished, now), &unfinished)?;
        }
        named(&unfinished, &to)?;
        let size = file.metadata().map_err(|error| unwritable(&to, &error))?.len();
        Ok(Exported { path: to, size, run: Some(run), unmet })
    }

    /// Refuses what would come to nothing.
    fn sound(&self, run: &RunRow) -> Result<()> {
        let id = &run.id;
        let running = run.status == "running";
        if running && !self.moves && run.next_seq == 0 {
            let message = format!("run `{id}` has not begun: a copy of it would have nothing to go on with");
            return Err(Error::open(message, "wait for its turn, or move it with `--move`"));
        }
        if !run.newest && self.moves {
            let message = format!("run `{id}` is not the newest of its handler `{}`", run.handler);
            return Err(Error::open(message, "a handler moves with all its runs: name the handler"));
        }
        Ok(())
    }

    /// Writes the file, and takes away what moves, in a transaction that is left open. Gives the newest of the runs, and
    /// the fields of which there was no value.
    fn write(
        &self,
        carrier: &Carrier,
        file: &mut File,
        to: &Path,
        now: Micros,
        told: &mut dyn FnMut(u64),
    ) -> Result<(RunRow, Vec<String>)> {
        for tries in 0.. {
            let alone = self.moves && tries == READ_MAX;
            if alone {
                carrier.write()?
            } else {
                carrier.read()?
            }
            let runs = self.runs(carrier)?;
            // What was damaged would be as good as new in the file: each row is sealed anew where it is taken in.
            if let Some(wrong) = fsck::first_of(carrier.seen(), runs.iter().map(|it| it.0))? {
                return Err(Error::open(format!("the store is damaged: {}: {}", wrong.place, wrong.what), wrong.advice));
            }
            let before = stamps(carrier, &runs)?;
            let (hash, unmet) = self.write_once(carrier, &runs, file, now, told)?;
            let newest = runs.last().map(|(_, run)| run.clone()).ok_or_else(|| gone(&self.name))?;
            if !self.moves {
                return Ok((newest, unmet));
            }
            // Before the runs go, the file is there, with its name of now.
            File::open(folder(to)).and_then(|folder| folder.sync_all()).map_err(|error| unwritable(to, &error))?;
            if !alone {
                carrier.commit()?;
                carrier.write()?;
                let now = self.runs(carrier)?;
                if stamps(carrier, &now)? != before {
                    carrier.roll_back();
                    continue;
                }
            }
            let path = std::path::absolute(to).map_err(|error| unwritable(to, &error))?;
            carrier.take(&newest.handler, &Moved { run: newest.id.clone(), file: path.display().to_string(), hash })?;
            return Ok((newest, unmet));
        }
        Err(gone(&self.name))
    }

    /// What is to be in the file: when it moves, all runs of the handler.
    fn runs(&self, carrier: &Carrier) -> Result<Vec<(RunKey, RunRow)>> {
        let found = carrier.find(&self.name)?.ok_or_else(|| gone(&self.name))?;
        if self.moves { carrier.runs_of(&found.1.handler) } else { Ok(vec![found]) }
    }

    fn write_once(
        &self,
        carrier: &Carrier,
        runs: &[(RunKey, RunRow)],
        file: &mut File,
        now: Micros,
        told: &mut dyn FnMut(u64),
    ) -> Result<([u8; 32], Vec<String>)> {
        let path = self.to.as_deref().unwrap_or(Path::new("the file"));
        let written = |error: io::Error| unwritable(path, &error);
        file.set_len(0).and_then(|()| io::Seek::rewind(file)).map_err(written)?;
        let redaction = (!self.redacted.is_empty()).then(|| Redaction::of(&self.redacted));
        let manifest = Manifest {
            wf_host: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: now,
            alive: carrier.alive()?,
            moved: self.moves,
            redacted: self.redacted.clone(),
            runs: runs.iter().map(|(_, run)| shown(run, redaction.is_some())).collect(),
        };
        let unmet = {
            let mut parts = Parts { to: tar::Builder::new(io::BufWriter::new(&mut *file)), path, size: 0, redaction, told };
            parts.add(MANIFEST, &serde_json::to_vec_pretty(&manifest).map_err(|error| written(error.into()))?)?;
            let mut digests: Vec<&String> = runs.iter().flat_map(|(_, run)| &run.definition).collect();
            digests.sort_unstable();
            digests.dedup();
            for digest in digests {
                let (description, size, bytes) =
                    carrier.component(digest)?.ok_or_else(|| Error::Damaged(format!("component {digest} is missing")))?;
                parts.add(&Part::Description(digest.clone()).name(), description.as_bytes())?;
                parts.stream(&Part::Component(digest.clone()).name(), size, bytes)?;
            }
            for (place, (key, run)) in runs.iter().enumerate() {
                parts.run(carrier, place, *key, run)?;
            }
            let finished = parts.to.into_inner().and_then(|mut buffer| buffer.flush());
            finished.map_err(written)?;
            parts.redaction.map(|it| it.unmet()).unwrap_or_default()
        };
        Ok((seal::seal(file, Kind::Export).map_err(written)?, unmet))
    }

    /// The runs were moved before, and whoever did it could not give the file its name.
    fn finish(&self, carrier: &Carrier) -> Result<Exported> {
        let Some(moved) = carrier.moved(&self.name)? else { return Err(gone(&self.name)) };
        let path = PathBuf::from(&moved.file);
        for file in [partial(&path), path.clone()] {
            let Ok(sealed) = seal::open(&file, Kind::Export) else { continue };
            if self.moves && sealed.hash == moved.hash {
                if file != path {
                    absent(&path, "it is another file: remove it first")?;
                    named(&file, &path)?;
                }
                return Ok(Exported { path, size: sealed.size, run: None, unmet: Vec::new() });
            }
        }
        let message = format!("`{}` was moved to `{}`, and is here no more", self.name, moved.file);
        Err(Error::open(message, "`wf-host import` takes it in where it is to go on"))
    }
}

/// Refuses a file that nobody could import: with other values its run has gone another way.
fn tells(run: &RunRow, unfinished: &Path, now: Micros) -> Result<()> {
    let Err(error) = import::tried(unfinished, now) else { return Ok(()) };
    match error {
        Error::Open { message, .. } => {
            let message = format!("without these values run `{}` tells something else: {message}", run.id);
            Err(Error::open(message, "leave one of the fields in: by its value a step has waited for one event among several"))
        }
        other => Err(other),
    }
}

/// Refuses to write over a file that lacks only its name, and that holds runs which are not here any more.
fn spare(carrier: &Carrier, unfinished: &Path) -> Result<()> {
    let Some(manifest) = Manifest::of(unfinished).filter(|it| it.moved) else { return Ok(()) };
    for run in &manifest.runs {
        if carrier.find(&run.id)?.is_none() {
            let message = format!("`{}` holds run `{}`, which was moved into it and is nowhere else", unfinished.display(), run.id);
            let hint = format!("`wf-host export {} --move` on the store that it was moved from gives the file its name", run.handler);
            return Err(Error::open(message, hint));
        }
    }
    Ok(())
}

fn gone(name: &str) -> Error {
    let message = format!("there is no run and no handler `{name}` in the store");
    Error::open(message, "`wf-host runs ls` shows those of a server; `--data-dir` or `--store` name another store")
}

fn stamps(carrier: &Carrier, runs: &[(RunKey, RunRow)]) -> Result<Vec<Option<String>>> {
    runs.iter().map(|(key, _)| carrier.stamp(*key)).collect()
}

/// What lists show is cut off: nobody could tell what of it is to go.
fn shown(run: &RunRow, redacted: bool) -> RunRow {
    let mut run = run.clone();
    if redacted {
        run.preview = SHOWN.to_owned();
        if run.status == "completed" {
            run.result_preview = Some(SHOWN.to_owned());
        }
    }
    run
}

/// Writes part after part.
struct Parts<'a, W: Write> {
    to: tar::Builder<W>,
    path: &'a Path,
    size: u64,
    redaction: Option<Redaction>,
    told: &'a mut dyn FnMut(u64),
}

impl<W: Write> Parts<'_, W> {
    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.stream(name, bytes.len() as u64, bytes)
    }

    fn stream(&mut self, name: &str, size: u64, bytes: impl io::Read) -> Result<()> {
        add(&mut self.to, name, size, bytes).map_err(|error| unwritable(self.path, &error))?;
        self.size += size;
        (self.told)(self.size);
        Ok(())
    }

    fn run(&mut self, carrier: &Carrier, place: usize, key: RunKey, run: &RunRow) -> Result<()> {
        for rows in [Rows::Journal, Rows::Stream, Rows::Log] {
            let (mut gathered, mut number) = (Vec::new(), 0);
            carrier.rows(key, rows, |text| {
                let text = self.redacted(rows, text)?;
                // What is between the brackets.
                let items = text.strip_prefix(b"[").and_then(|it| it.strip_suffix(b"]"));
                let items = items.ok_or_else(|| Error::Damaged(format!("a row of run `{}` is no list", run.id)))?;
                gathered.push(if gathered.is_empty() { b'[' } else { b',' });
                gathered.extend_from_slice(items);
                if gathered.len() >= PART_MIN {
                    self.gathered(Part::Rows(place, rows, number), &mut gathered)?;
                    number += 1;
                }
                Ok::<_, Error>(())
            })?;
            if !gathered.is_empty() {
                self.gathered(Part::Rows(place, rows, number), &mut gathered)?;
            }
        }
        if let Some(ending) = carrier.ending(key)? {
            if let Some(outcome) = ending.outcome {
                let outcome = if run.status == "completed" { self.ours(outcome)? } else { outcome };
                self.add(&Part::Outcome(place).name(), &outcome)?;
            }
            let state = match &self.redaction {
                Some(redaction) => redaction.theirs(raw(&ending.state)?).get().as_bytes().to_vec(),
                None => ending.state,
            };
            self.add(&Part::State(place).name(), &state)?;
        }
        if let Some(first) = carrier.first(key)? {
            self.add(&Part::First(place).name(), &first)?;
        }
        if self.redaction.is_some() {
            // What a request has asked for can be tried against the hash that is kept of it.
            return Ok(());
        }
        let keys = serde_json::to_vec(&carrier.keys(key)?).map_err(|error| unwritable(self.path, &error.into()))?;
        self.add(&Part::Keys(place).name(), &keys)
    }

    fn gathered(&mut self, part: Part, gathered: &mut Vec<u8>) -> Result<()> {
        gathered.push(b']');
        self.add(&part.name(), gathered)?;
        gathered.clear();
        Ok(())
    }

    fn ours(&self, text: Vec<u8>) -> Result<Vec<u8>> {
        match &self.redaction {
            Some(redaction) => Ok(redaction.ours(raw(&text)?).get().as_bytes().to_vec()),
            None => Ok(text),
        }
    }

    fn redacted(&self, rows: Rows, text: Vec<u8>) -> Result<Vec<u8>> {
        let Some(redaction) = &self.redaction else { return Ok(text) };
        if rows != Rows::Log {
            return self.ours(text);
        }
        // The fields of a line are a text within it, its last.
        let mut lines: Vec<Vec<Box<RawValue>>> = serde_json::from_slice(&text).map_err(damaged)?;
        for line in &mut lines {
            let Some(fields) = line.last_mut() else { continue };
            let inner: String = serde_json::from_str(fields.get()).map_err(damaged)?;
            let inner = redaction.theirs(raw(inner.as_bytes())?);
            *fields = serde_json::value::to_raw_value(inner.get()).map_err(damaged)?;
        }
        serde_json::to_vec(&lines).map_err(damaged)
    }
}

fn raw(text: &[u8]) -> Result<&RawValue> {
    serde_json::from_slice(text).map_err(damaged)
}

fn damaged(error: serde_json::Error) -> Error {
    Error::Damaged(format!("a row cannot be read: {error}"))
}
