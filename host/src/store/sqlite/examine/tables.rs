//! What is kept beside runs: components, definitions, values that stand apart, the counters of keys.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use rusqlite::blob::Blob;
use rusqlite::{MAIN_DB, OptionalExtension, Row};
use sha2::{Digest as _, Sha256};

use super::Examination;
use super::rows::Seal;
use crate::store::finding::{Finding, Mend, Place};
use crate::store::sqlite::blobs::unreadable;
use crate::store::sqlite::{seal, statements as sql};
use crate::store::{Result, finding};

/// Values that are looked at in one state of the database, in bytes, about: 16 MiB.
const BLOBS_BYTES: usize = 16 << 20;

/// A component is read in pieces of so many bytes.
const CHUNK: usize = 256 << 10;

/// What a definition is, and whether a run is pinned to it.
#[derive(Clone, Debug)]
pub struct ExaminedDefinition {
    /// Its components' digests.
    pub digests: Vec<String>,
    /// Whether a run is.
    pub is_used: bool,
}

impl Examination {
    /// The definitions; and what is wrong with how their parts are noted.
    pub fn definitions(&self) -> Result<(Vec<ExaminedDefinition>, Vec<Finding>)> {
        let mut definitions = Vec::new();
        let mut expected: BTreeSet<(String, i64)> = BTreeSet::new();
        let mut statement = self.connection.prepare_cached(sql::DEFINITIONS)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let (key, joined, is_used): (i64, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let digests: Vec<String> = joined.split_whitespace().map(str::to_owned).collect();
            expected.extend(digests.iter().map(|digest| (digest.clone(), key)));
            definitions.push(ExaminedDefinition { digests, is_used });
        }
        let noted: rusqlite::Result<BTreeSet<(String, i64)>> =
            self.connection.prepare_cached(sql::PARTS)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
        let differs = (noted? != expected).then(|| Finding {
            place: Place { table: Some("part"), ..Place::default() },
            what: "it names other components than the definitions have".to_owned(),
            advice: finding::MENDED,
            mend: Some(Mend::Parts),
        });
        Ok((definitions, differs.into_iter().collect()))
    }

    /// The digests of the components that are there.
    pub fn components(&self) -> Result<Vec<String>> {
        let digests: rusqlite::Result<Vec<String>> =
            self.connection.prepare_cached(sql::COMPONENTS)?.query_map([], |row| row.get(0))?.collect();
        Ok(digests?)
    }

    /// What is wrong with a component; nothing, where it is gone.
    pub fn component(&self, digest: &str) -> Result<Option<&'static str>> {
        let Some((row, manifest, seal)) = self.component_row(digest)? else { return Ok(None) };
        let mut bytes = self.connection.blob_open(MAIN_DB, "component", "bytes", row, true)?;
        if hexadecimal(&sum(&mut bytes).map_err(unreadable)?) != digest {
            return Ok(Some("its bytes are not those of its digest"));
        }
        let seal = Seal::of(seal, seal::seal(&[Some(manifest.as_bytes())]));
        Ok((seal == Seal::Broken).then_some("its manifest is not as it was written"))
    }

    fn component_row(&self, digest: &str) -> Result<Option<(i64, String, i64)>> {
        let found = |row: &Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(self.connection.prepare_cached(sql::COMPONENT_ROW)?.query_row([digest], found).optional()?)
    }

    /// The manifest of a component, and its bytes, to be read.
    pub(in crate::store::sqlite) fn bytes_of(&self, digest: &str) -> Result<Option<(String, Blob<'_>)>> {
        let Some((row, manifest, _)) = self.component_row(digest)? else { return Ok(None) };
        Ok(Some((manifest, self.connection.blob_open(MAIN_DB, "component", "bytes", row, true)?)))
    }

    /// Whether a value that stands apart has the bytes of its digest; one that is not there has not.
    pub fn is_sound_value(&self, key: i64) -> Result<bool> {
        let is_sound = |row: &Row| Ok(row.get_ref(0)?.as_blob()? == &Sha256::digest(row.get_ref(1)?.as_blob()?)[..]);
        Ok(self.connection.prepare_cached(sql::VALUE)?.query_row([key], is_sound).optional()?.unwrap_or(false))
    }

    /// The manifest of a component, as it is kept.
    pub fn manifest(&self, digest: &str) -> Result<Option<String>> {
        Ok(self.connection.prepare_cached(sql::MANIFEST)?.query_row([digest], |row| row.get(0)).optional()?)
    }

    /// What is wrong with some values that stand apart, after one of them; and the last that was looked at, where there
    /// are more.
    pub fn blobs(&self, after: i64) -> Result<(Vec<Finding>, Option<i64>)> {
        let (mut findings, mut last, mut bytes) = (Vec::new(), after, 0);
        while bytes < BLOBS_BYTES {
            let mut statement = self.connection.prepare_cached(sql::NEXT_BLOB)?;
            let mut found = statement.query([last])?;
            let Some(row) = found.next()? else { return Ok((findings, None)) };
            last = row.get(0)?;
            let (digest, value) = (row.get_ref(1)?.as_blob_or_null(), row.get_ref(2)?.as_blob_or_null());
            let value = value.ok().flatten().unwrap_or_default();
            bytes += value.len() + 1024;
            let place = || Place { table: Some("blob"), row: Some(last.to_string()), ..Place::default() };
            if digest.ok().flatten() != Some(&Sha256::digest(value)[..]) {
                let what = "its bytes are not those of its digest".to_owned();
                findings.push(Finding { place: place(), what, advice: finding::RESTORE, mend: None });
            }
            if !self.connection.prepare_cached(sql::BLOB_USED)?.exists([last])? {
                let what = "no run needs it".to_owned();
                findings.push(Finding { place: place(), what, advice: finding::MENDED, mend: Some(Mend::Blob(last)) });
            }
        }
        Ok((findings, Some(last)))
    }

    /// What is wrong with the counters of keys, and with the list of what was deleted.
    pub fn counters(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let mut wrong = |table, row: String, what: &str, advice| {
            let place = Place { table: Some(table), row: Some(row), ..Place::default() };
            findings.push(Finding { place, what: what.to_owned(), advice, mend: None });
        };
        let counters: rusqlite::Result<BTreeMap<String, i64>> =
            self.connection.prepare_cached(sql::SEQUENCES)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
        let mut counters = counters?;
        let last: [Option<i64>; 3] =
            self.connection.prepare_cached(sql::LAST_KEYS)?.query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
        for (table, last) in ["run", "command", "host"].into_iter().zip(last) {
            let counter = counters.remove(table);
            if counter < last || counter.is_some_and(|counter| counter >> 40 != 0) {
                wrong("sqlite_sequence", table.to_owned(), "its counter is not that of the keys that were given", finding::RESTORE);
            }
        }
        for (name, _) in counters {
            wrong("sqlite_sequence", name, "there is no such table", finding::RESTORE);
        }
        let there: rusqlite::Result<Vec<i64>> =
            self.connection.prepare_cached(sql::DELETED_AND_THERE)?.query_map([], |row| row.get(0))?.collect();
        for run in there? {
            wrong("deleted", run.to_string(), "the run is there, and its rows are about to be deleted", finding::RESTORE);
        }
        Ok(findings)
    }
}

/// The digest of what may be large.
fn sum(bytes: &mut impl Read) -> std::io::Result<[u8; 32]> {
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match bytes.read(&mut chunk)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(&chunk[..read]),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
