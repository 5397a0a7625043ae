//! Runs in memory with all that belongs to them, from a file or from a store beside its host.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use wf_engine::entry::{Entry, Input};
use wf_engine::journal;

use super::files::unreadable;
use super::manifest::{self, MANIFEST, Manifest, Part};
use super::seal::{self, Kind, Sealed};
use crate::store::carry::{Carrier, Rows, RunRow};
use crate::store::{EntryRow, Error, FrameRow, Line, LogRow, Result, RunKey, RunSummary, Shown, Status};

/// Runs, and the components that they need.
#[derive(Default)]
pub(crate) struct Bundle {
    /// In the order in which they began.
    pub runs: Vec<Shown>,
    /// By digest: the bytes, and the manifest.
    pub components: BTreeMap<String, (Bytes, String)>,
}

impl Bundle {
    /// All runs of a file.
    pub(crate) fn read(path: &Path) -> Result<Bundle> {
        Bundle::parts(path).map_err(|error| match error {
            // No store is.
            Error::Damaged(why) => {
                let message = format!("`{}` cannot be looked at: {why}", path.display());
                Error::open(message, "give it what `wf-host export` has made")
            }
            error => error,
        })
    }

    fn parts(path: &Path) -> Result<Bundle> {
        let Sealed { file, size, .. } = seal::open(path, Kind::Export)?;
        let mut archive = tar::Archive::new(io::BufReader::new(file.take(size)));
        let mut bundle = Bundle::default();
        let mut manifests = BTreeMap::new();
        let broken = |error: io::Error| unreadable(path, &error);
        let strange = |name: &str| {
            let message = format!("`{}` holds what no export does: {name}", path.display());
            Error::open(message, "give it what `wf-host export` has made")
        };
        for part in archive.entries().map_err(broken)? {
            let mut part = part.map_err(broken)?;
            let name = manifest::name(&part).map_err(broken)?.ok_or_else(|| strange("what is no file"))?;
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).map_err(broken)?;
            if name == MANIFEST {
                let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|_| strange(&name))?;
                bundle.runs = (1..).zip(manifest.runs).map(|(key, row)| shown(RunKey(key), row)).collect();
                continue;
            }
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| strange(&name));
            let run = match Part::of(&name).ok_or_else(|| strange(&name))? {
                Part::Description(digest) => {
                    manifests.insert(digest, text(bytes)?);
                    continue;
                }
                Part::Component(digest) => {
                    let manifest = manifests.remove(&digest).ok_or_else(|| strange(&name))?;
                    bundle.components.insert(digest, (bytes.into(), manifest));
                    continue;
                }
                Part::Rows(run, ..) | Part::Outcome(run) | Part::State(run) | Part::First(run) | Part::Keys(run) => run,
            };
            let run = bundle.runs.get_mut(run).ok_or_else(|| strange(&name))?;
            match Part::of(&name) {
                Some(Part::Rows(_, rows, _)) => add(run, rows, &bytes)?,
                Some(Part::Outcome(_)) => end(run, bytes),
                Some(Part::State(_)) => run.state = Some(bytes.into()),
                Some(Part::First(_)) => run.first = entries(&bytes)?.into_iter().next(),
                _ => (),
            }
        }
        bundle.runs.iter_mut().for_each(note_origin);
        Ok(bundle)
    }

    /// A run of a store, which is found by its id or its handler's; none: it is not there.
    pub(crate) fn of(carrier: &Carrier, found: (RunKey, RunRow)) -> Result<Bundle> {
        let (key, row) = found;
        let mut run = shown(key, row);
        for rows in [Rows::Journal, Rows::Stream] {
            carrier.rows::<Error>(key, rows, |text| add(&mut run, rows, &text))?;
        }
        note_origin(&mut run);
        let mut components = BTreeMap::new();
        for digest in &run.summary.definition {
            let missing = || Error::Damaged(format!("component {digest} is missing"));
            let (manifest, _, mut reader) = carrier.component(digest)?.ok_or_else(missing)?;
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map_err(|error| Error::Unavailable(error.to_string()))?;
            components.insert(digest.clone(), (bytes.into(), manifest));
        }
        Ok(Bundle { runs: vec![run], components })
    }
}

fn shown(key: RunKey, row: RunRow) -> Shown {
    let status = match row.status.as_str() {
        "completed" => Status::Completed(Bytes::new()),
        "failed" => Status::Failed(String::new()),
        "cancelled" => Status::Cancelled,
        _ => Status::Running,
    };
    let summary = RunSummary {
        key,
        run: row.id,
        handler: row.handler,
        workflow: row.workflow,
        definition: row.definition,
        origin: None,
        status,
        started_at: row.started_at,
        updated_at: Some(row.updated_at),
        completed_at: row.completed_at,
        preview: row.preview,
        result_preview: row.result_preview,
        waiting: row.waiting,
        // In no line: nobody gives it its turn here.
        queue: None,
    };
    Shown { summary, entries: Vec::new(), frames: Vec::new(), logs: Vec::new(), state: None, first: None }
}

fn end(run: &mut Shown, outcome: Vec<u8>) {
    match &mut run.summary.status {
        Status::Completed(result) => *result = outcome.into(),
        Status::Failed(message) => *message = String::from_utf8_lossy(&outcome).into_owned(),
        Status::Running | Status::Cancelled => (),
    }
}

/// What was forked last is in its journal.
fn note_origin(run: &mut Shown) {
    let forked = |row: &&EntryRow| row.bytes.iter().take(HEAD_MAX).copied().collect::<Vec<u8>>().windows(8).any(|it| it == b"\"Forked\"");
    let entry = run.entries.iter().rev().find(forked).and_then(|row| journal::read(row.seq, &row.bytes).ok());
    if let Some(Entry { input: Input::Forked(forked), .. }) = entry {
        run.summary.origin = Some(forked.origin);
    }
}

/// What an entry is stands in so many bytes of its beginning.
const HEAD_MAX: usize = 160;

/// As an entry says where it is.
#[derive(Deserialize)]
struct Place {
    seq: u64,
}

/// Adds rows of a kind: a JSON array of them.
fn add(run: &mut Shown, rows: Rows, text: &[u8]) -> Result<()> {
    match rows {
        Rows::Journal => run.entries.extend(entries(text)?),
        Rows::Stream => {
            let frames: Vec<(u64, u8, &RawValue)> = serde_json::from_slice(text).map_err(damaged)?;
            run.frames.extend(frames.into_iter().map(|(sequence, flags, json)| FrameRow {
                sequence,
                internal: flags & 1 != 0,
                terminal: flags & 2 != 0,
                json: Bytes::copy_from_slice(json.get().as_bytes()),
            }));
        }
        Rows::Log => {
            let lines: Vec<Line> = serde_json::from_slice(text).map_err(damaged)?;
            run.logs.extend(lines.into_iter().map(LogRow::from));
        }
    }
    Ok(())
}

fn entries(text: &[u8]) -> Result<Vec<EntryRow>> {
    let items: Vec<&RawValue> = serde_json::from_slice(text).map_err(damaged)?;
    let row = |item: &&RawValue| {
        let Place { seq } = serde_json::from_str(item.get()).map_err(damaged)?;
        Ok(EntryRow { seq, bytes: item.get().as_bytes().to_vec() })
    };
    items.iter().map(row).collect()
}

fn damaged(error: serde_json::Error) -> Error {
    Error::Damaged(format!("a row cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of a few kilobytes says that a state is as long as it likes.
    #[test]
    fn what_is_made_of_holes_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("it");
        let mut tar = tar::Builder::new(Vec::new());
        let row = r#"{"id":"r","handler":"h","newest":true,"workflow":"w","definition":[],"status":"running","started_at":0,"updated_at":0,"completed_at":null,"generation":1,"next_seq":0,"waiting":null,"queues":false,"preview":"","result_preview":null}"#;
        let manifest = format!(r#"{{"wf_host":"","made_at":0,"alive":0,"moved":false,"redacted":[],"runs":[{row}]}}"#);
        manifest::add(&mut tar, MANIFEST, manifest.len() as u64, manifest.as_bytes()).expect("room");
        let mut header = tar::Header::new_gnu();
        header.set_path("0/state.json").expect("short");
        header.set_size(0);
        header.set_entry_type(tar::EntryType::GNUSparse);
        let gnu = header.as_gnu_mut().expect("it is one");
        let size = b"00000200000\0";
        (gnu.realsize, gnu.sparse[0].offset) = (*size, *size);
        gnu.sparse[0].numbytes = *b"00000000000\0";
        header.set_cksum();
        tar.append(&header, io::empty()).expect("room");
        std::fs::write(&path, tar.into_inner().expect("room")).expect("room");
        let mut file = std::fs::File::options().read(true).write(true).open(&path).expect("a file");
        seal::seal(&mut file, Kind::Export).expect("sealed");
        let refused = Bundle::read(&path).err().expect("refused").to_string();
        assert!(refused.ends_with("holds what no export does: what is no file"), "{refused}");
    }
}
