//! Takes runs of a file into a store, beside the host that has it or without one. All of them, or nothing.

mod reading;

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use wf_engine::entry::Micros;
use wf_engine::text;

use super::files::{folder, is_partial, unreadable};
use super::manifest::{self, MANIFEST, Manifest, Part};
use super::seal::{self, Kind, Sealed};
use crate::model::unfit_id;
use crate::services::new_id;
use crate::store::carry::Carrier;
use crate::store::{self, Error, Result};
use reading::{Reading, bytes, strange, unsound};

pub(crate) use reading::{How, Imported};

/// What is asked for.
pub(crate) struct Import {
    pub file: PathBuf,
    pub database: PathBuf,
    /// The handler of a copy that goes on; none: one that nobody has.
    pub handler: Option<String>,
    /// Whether a copy that could go on is only to be looked at.
    pub read_only: bool,
}

impl Import {
    pub(crate) fn take(&self, now: Micros, told: &mut dyn FnMut(u64, u64)) -> Result<Imported> {
        if is_partial(&self.file) {
            let message = format!("`{}` was not finished", self.file.display());
            return Err(Error::open(
                message,
                "call `wf-host export` once more, as it was called: where runs were moved, it finishes the file",
            ));
        }
        let Sealed { file, size, .. } = seal::open(&self.file, Kind::Export)?;
        store::private_folder(folder(&self.database))?;
        let carrier = Carrier::make(&self.database)?;
        carrier.write()?;
        let taken = self.read(&carrier, file.take(size), size, now, told);
        match &taken {
            Ok(_) => carrier.commit()?,
            Err(_) => carrier.roll_back(),
        }
        taken
    }

    fn read(&self, carrier: &Carrier, file: impl Read, size: u64, now: Micros, told: &mut dyn FnMut(u64, u64)) -> Result<Imported> {
        let mut archive = tar::Archive::new(io::BufReader::new(file));
        let parts = archive.entries().map_err(|error| unreadable(&self.file, &error))?;
        let mut reading: Option<Reading> = None;
        let mut done = 0;
        for part in parts {
            let mut part = part.map_err(|error| unreadable(&self.file, &error))?;
            let name = manifest::name(&part).map_err(|error| unreadable(&self.file, &error))?;
            let name = name.ok_or_else(|| strange(&self.file, "what is no file"))?;
            let length = part.size();
            match &mut reading {
                None if name == MANIFEST => reading = Some(self.begin(carrier, &bytes(&self.file, &mut part)?, now)?),
                None => return Err(strange(&self.file, &name)),
                Some(reading) => {
                    let kind = Part::of(&name).ok_or_else(|| strange(&self.file, &name))?;
                    reading.part(kind, length, &mut part).map_err(|error| match error {
                        // The store is as it was: it is what was to be put into it.
                        Error::Damaged(why) => unsound(&self.file, format!("{name}: {why}")),
                        error => error,
                    })?;
                }
            }
            done += length;
            told(done, size);
        }
        let reading = reading.ok_or_else(|| strange(&self.file, MANIFEST))?;
        let imported = reading.end(now)?;
        reading.check()?;
        Ok(imported)
    }

    /// Decides what is to become of it, and makes its rows.
    fn begin<'a>(&'a self, carrier: &'a Carrier, manifest: &[u8], now: Micros) -> Result<Reading<'a>> {
        let mut manifest: Manifest = serde_json::from_slice(manifest).map_err(|error| unsound(&self.file, error))?;
        self.fit(&manifest)?;
        let newest = manifest.runs.last().ok_or_else(|| strange(&self.file, "no run"))?;
        // Without some of its values nobody could go on with it.
        let read_only = self.read_only || !manifest.redacted.is_empty();
        let how = match (newest.status == "running", manifest.moved) {
            (false, _) => How::Ended,
            (true, true) if read_only => {
                let message = format!("run `{}` is nowhere else: cancelled here, it would never go on", newest.id);
                return Err(Error::open(message, "leave `--read-only` away, or cancel it once it is here"));
            }
            (true, true) => How::GoesOn,
            (true, false) if read_only => How::Cancelled,
            (true, false) => How::Fork,
        };
        if self.handler.is_some() && how != How::Fork {
            let message = format!("run `{}` is no copy that goes on: it keeps its handler `{}`", newest.id, newest.handler);
            return Err(Error::open(message, "leave `--as` away"));
        }
        if how == How::Fork {
            let run = manifest.runs.last_mut().ok_or_else(|| strange(&self.file, "no run"))?;
            run.id = new_id(now);
            run.handler = self.handler.clone().unwrap_or_else(|| new_id(now));
            run.started_at = now;
        }
        if let [run] = manifest.runs.as_mut_slice() {
            run.newest = true;
        }
        for run in &manifest.runs {
            let (there, what) = match carrier.find(&run.id)? {
                Some(_) => (true, format!("run `{}`", run.id)),
                None => (carrier.find(&run.handler)?.is_some(), format!("handler `{}`", run.handler)),
            };
            if there {
                let message = format!("{what} is in the store already");
                return Err(Error::open(
                    message,
                    "nothing was imported: purge that one first, or give a copy that goes on another handler with `--as`",
                ));
            }
        }
        let alive = carrier.alive()?;
        carrier.keep_alive(alive)?;
        let ahead = i128::from(alive) - i128::from(manifest.alive);
        let runs = manifest.runs.iter().map(|run| Ok((carrier.put_run(run, now)?, run.clone()))).collect::<Result<_>>()?;
        Ok(Reading::begun(carrier, &self.file, how, runs, ahead))
    }

    /// Whether the runs are what an export has: those of one handler, of which the newest alone may go on, under names that
    /// can be asked for.
    fn fit(&self, manifest: &Manifest) -> Result<()> {
        let mut ids = BTreeSet::new();
        let newest = manifest.runs.len().saturating_sub(1);
        for (place, run) in manifest.runs.iter().enumerate() {
            let named = [("the handler", &run.handler), ("the workflow", &run.workflow)].map(|(what, name)| text::name(what, name));
            named.into_iter().collect::<std::result::Result<(), _>>().map_err(|refused| unsound(&self.file, refused))?;
            if let Some(why) = unfit_id(&run.id) {
                return Err(unsound(&self.file, format!("the id of a run {why}")));
            }
            let is_older = place < newest;
            if !ids.insert(&run.id) || run.handler != manifest.runs[newest].handler || is_older && run.status == "running" {
                return Err(strange(&self.file, "runs that are not those of one handler"));
            }
        }
        Ok(())
    }
}

/// Looks whether a file can be imported, before it has its name: into a store that is nowhere afterwards.
pub(super) fn tried(file: &Path, now: Micros) -> Result<()> {
    let import = Import { file: file.to_owned(), database: PathBuf::new(), handler: None, read_only: false };
    let Sealed { file, size, .. } = seal::open(file, Kind::Export)?;
    let carrier = Carrier::passing()?;
    carrier.write()?;
    import.read(&carrier, file.take(size), size, now, &mut |_, _| ()).map(drop)
}
