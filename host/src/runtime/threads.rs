//! Who is on a thread, for the host after this one if this one is lost: a small file that is
//! written at every turn of a guest and never synced. What the machine loses with it only makes
//! everybody suspected who was executing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use wf_engine::entry::InvocationId;

/// Bytes of a run's id in a record; then comes the invocation's number, and one more so that zero is nobody, and the
/// checksum of both.
const ID_MAX: usize = 16;
const SUMMED: usize = ID_MAX + 8;
const RECORD: usize = SUMMED + 4;

type Record = [u8; RECORD];

/// The file, and what the host before this one left in it.
pub(super) struct Threads {
    file: Option<File>,
    places: Mutex<Places>,
    /// None: it is not known.
    before: Option<BTreeMap<String, BTreeSet<InvocationId>>>,
}

/// Which records are in use.
#[derive(Default)]
struct Places {
    fresh: u64,
    freed: Vec<u64>,
}

/// The record of one entry into an attempt. Given back when it is dropped.
pub(super) struct Place {
    threads: Arc<Threads>,
    number: u64,
    record: Option<Record>,
    is_on: AtomicBool,
}

impl Threads {
    /// Reads what was left, and begins anew. Where the file cannot be had nothing is known, and nothing is left.
    pub(super) fn open(path: Option<&Path>) -> Threads {
        let read = path.and_then(|path| std::fs::read(path).ok());
        let before = read.as_deref().and_then(left);
        if let (Some(path), Some(_), None) = (path, &read, &before) {
            tracing::warn!(
                "`{}` is damaged: of a step that ended a host nothing is known, and all that executed then are suspected",
                path.display()
            );
        }
        let file = path.and_then(|path| OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).ok());
        Threads { file, places: Mutex::default(), before }
    }

    /// Which invocations of a run were on a thread when the host before this one was lost; none: it is not known.
    pub(super) fn before(&self, run: &str) -> Option<Vec<InvocationId>> {
        let before = self.before.as_ref()?;
        Some(before.get(run).into_iter().flatten().copied().collect())
    }

    /// A record for an entry.
    pub(super) fn place(self: &Arc<Self>, run: &str, invocation: InvocationId) -> Place {
        let mut places = self.places.lock().expect("no panic while locked");
        let number = places.freed.pop().unwrap_or_else(|| {
            places.fresh += 1;
            places.fresh - 1
        });
        Place { threads: self.clone(), number, record: record(run, invocation), is_on: AtomicBool::new(false) }
    }
}

impl Place {
    /// It is on a thread from here on.
    pub(super) fn on(&self) {
        if let Some(record) = &self.record {
            self.write(record);
            self.is_on.store(true, Ordering::Relaxed);
        }
    }

    /// It has left its thread.
    pub(super) fn off(&self) {
        if self.is_on.swap(false, Ordering::Relaxed) {
            self.write(&[0; RECORD]);
        }
    }

    /// A disk that is full costs only what would have been known after a crash.
    fn write(&self, record: &Record) {
        if let Some(file) = &self.threads.file {
            let _ = file.write_all_at(record, self.number * RECORD as u64);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.off();
        self.threads.places.lock().expect("no panic while locked").freed.push(self.number);
    }
}

/// None for a run whose id is longer than those that a host makes.
fn record(run: &str, invocation: InvocationId) -> Option<Record> {
    let mut record = [0; RECORD];
    record.get_mut(..ID_MAX)?.get_mut(..run.len())?.copy_from_slice(run.as_bytes());
    record[ID_MAX..SUMMED].copy_from_slice(&invocation.checked_add(1)?.to_le_bytes());
    let sum = crc32fast::hash(&record[..SUMMED]);
    record[SUMMED..].copy_from_slice(&sum.to_le_bytes());
    Some(record)
}

/// What a file says; none where it is no whole one.
fn left(bytes: &[u8]) -> Option<BTreeMap<String, BTreeSet<InvocationId>>> {
    let (records, rest) = bytes.as_chunks::<RECORD>();
    let mut left: BTreeMap<String, BTreeSet<InvocationId>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.iter().any(|byte| *byte != 0)) {
        let (summed, sum) = record.split_at(SUMMED);
        if sum != crc32fast::hash(summed).to_le_bytes() {
            return None;
        }
        let id = summed[..ID_MAX].split(|byte| *byte == 0).next()?;
        let number = u64::from_le_bytes(summed[ID_MAX..].try_into().ok()?);
        left.entry(String::from_utf8(id.to_vec()).ok()?).or_default().insert(number.checked_sub(1)?);
    }
    rest.is_empty().then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_on_a_thread_is_known_after_a_loss_and_nobody_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("threads");
        let first = Arc::new(Threads::open(Some(&path)));
        assert_eq!(first.before("run"), None, "there was no host before");
        let places = ["run", "run", "other", "left"].map(|run| (run, first.place(run, 7)));
        places.iter().for_each(|(_, place)| place.on());
        let second = first.place("run", 8);
        second.on();
        places[2].1.off();
        let [.., (_, left)] = places;
        drop(left);
        let after = Threads::open(Some(&path));
        assert_eq!(after.before("run"), Some(vec![7, 8]));
        assert_eq!((after.before("other"), after.before("left")), (Some(vec![]), Some(vec![])));
    }

    #[test]
    fn a_file_that_is_none_tells_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("threads");
        for bytes in [&b"short"[..], &[255; RECORD], &[0; RECORD + 1]] {
            std::fs::write(&path, bytes).expect("a file");
            assert_eq!(Threads::open(Some(&path)).before("run"), None, "{bytes:?}");
        }
        std::fs::write(&path, [0; 2 * RECORD]).expect("a file");
        assert_eq!(Threads::open(Some(&path)).before("run"), Some(vec![]), "nobody was");
        assert_eq!(Threads::open(Some(folder.path())).before("run"), None, "a folder is no file");
    }

    #[test]
    fn a_byte_that_was_changed_suspects_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("threads");
        // Somebody, nobody, somebody.
        let whole = [record("run", 7), Some([0; RECORD]), record("other", 8)].map(|it| it.expect("it fits")).concat();
        std::fs::write(&path, &whole).expect("a file");
        assert_eq!(Threads::open(Some(&path)).before("run"), Some(vec![7]));
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).expect("a file");
            assert_eq!(Threads::open(Some(&path)).before("run"), None, "byte {at}");
        }
    }
}
