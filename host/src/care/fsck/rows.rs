//! The rows of a run, each for itself: its checksum, its JSON, the values that stand apart.

use std::collections::BTreeSet;

use crate::store::finding::{self, Finding, Mend, Place};
use crate::store::{Error, Examination, ExaminedText, Result, RunKey, Seal};

pub(super) const CHANGED: &str = "its bytes are not as they were written";

/// What is found of one run.
pub(super) struct OfRun<'a> {
    pub(super) store: &'a Examination,
    pub(super) key: RunKey,
    /// Its id and its handler's.
    pub(super) names: [String; 2],
    pub(super) findings: Vec<Finding>,
    /// The rows that something was found of: there may be very many.
    met: BTreeSet<(&'static str, Option<String>)>,
    /// The values that its rows need.
    blobs: BTreeSet<i64>,
    /// Whether one of its rows cannot be read: then it is not known what it needs.
    unread: bool,
}

impl<'a> OfRun<'a> {
    pub(super) fn new(store: &'a Examination, key: RunKey, names: [String; 2]) -> OfRun<'a> {
        OfRun { store, key, names, findings: Vec::new(), met: BTreeSet::new(), blobs: BTreeSet::new(), unread: false }
    }

    pub(super) fn add(
        &mut self,
        table: &'static str,
        row: Option<String>,
        what: impl Into<String>,
        advice: &'static str,
        mend: Option<Mend>,
    ) {
        let [run, handler] = self.names.clone();
        let place = Place { file: None, run: Some(run), handler: Some(handler), table: Some(table), row };
        let what = what.into();
        // What is wrong with a row of texts is met by whoever replays it, too.
        if self.met.insert((table, place.row.clone())) || table == "run" {
            self.findings.push(Finding { place, what, advice, mend });
        }
    }

    /// The answer to a question; where it cannot be read, that is a finding, and there is none.
    pub(super) fn read<T>(&mut self, table: &'static str, row: Option<String>, asked: Result<T>) -> Result<Option<T>> {
        match asked {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::Damaged(why)) => {
                self.unread = true;
                self.add(table, row, format!("it cannot be read: {why}"), finding::RESTORE_RUN, None);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// All of its rows with texts, keys and commands.
    pub(super) fn rows(&mut self) -> Result<()> {
        self.texts("journal", Examination::next_entries)?;
        self.texts("stream", Examination::next_frames)?;
        self.texts("log", Examination::next_lines)?;
        self.texts("snapshot", Examination::next_snapshot)?;
        self.texts("queued", |store, run, after| if after == i64::MIN { store.unbegun(run) } else { Ok(None) })?;
        if let Some(ending) = self.read("ending", None, self.store.ending(self.key))?.flatten() {
            self.blobs.extend(&ending.blobs);
            if ending.seal == Seal::Broken {
                self.add("ending", None, CHANGED, finding::RESTORE_RUN, None);
            }
        }
        for (key, seal) in self.read("idempotency", None, self.store.keys(self.key))?.unwrap_or_default() {
            if seal == Seal::Broken {
                self.add("idempotency", Some(key), CHANGED, finding::RESTORE_RUN, None);
            }
        }
        for (key, seal) in self.read("command", None, self.store.sent(self.key))?.unwrap_or_default() {
            if seal == Seal::Broken {
                self.add("command", Some(key.to_string()), CHANGED, finding::RESTORE_RUN, None);
            }
        }
        self.uses()
    }

    fn texts(&mut self, table: &'static str, next: impl Fn(&Examination, RunKey, i64) -> Result<Option<ExaminedText>>) -> Result<()> {
        let mut last = i64::MIN;
        while let Some(text) = self.read(table, None, next(self.store, self.key, last))?.flatten() {
            last = text.last;
            self.blobs.extend(text.blobs());
            let row = Some(text.key.to_string());
            let (advice, mend) = match table {
                "snapshot" => (finding::MENDED, Some(Mend::Snapshot(text.key))),
                _ => (finding::RESTORE_RUN, None),
            };
            let wrong = match self.store.json(&text) {
                _ if text.seal == Seal::Broken => Some(CHANGED.to_owned()),
                Ok(_) => None,
                Err(Error::Damaged(why)) => Some(format!("it cannot be read: {why}")),
                Err(other) => return Err(other),
            };
            if let Some(wrong) = wrong {
                self.unread = true;
                self.add(table, row, wrong, advice, mend);
            }
        }
        Ok(())
    }

    /// Whether it is noted which values it needs.
    fn uses(&mut self) -> Result<()> {
        let Some(noted) = self.read("blob_use", None, self.store.uses(self.key))? else { return Ok(()) };
        let noted: BTreeSet<i64> = noted.into_iter().collect();
        if noted != self.blobs && !self.unread {
            let mend = Mend::Uses { run: self.key, blobs: self.blobs.iter().copied().collect() };
            self.add("blob_use", None, "it does not name the values that the run's rows need", finding::MENDED, Some(mend));
        }
        Ok(())
    }
}
