//! Runs as they are carried from one database to another, by a command beside the host that has the database, or
//! without one. Texts are whole here: what was taken out of them is in them again.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use rusqlite::{Connection, ErrorCode, MAIN_DB, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use wf_engine::entry::Micros;

use super::added::Added;
use super::blobs::{self, Stored};
use super::change::{Failure, number};
use super::examine::Examination;
use super::statements as sql;
use super::text::{Cutter, Text};
use super::{connect, purge, seal, write};
use crate::store::rows::{ALIVE_FIRST, RunKey};
use crate::store::{Append, Error, Result, stay};

/// Under this name runs that were moved away are remembered, beside what keys have made.
pub(super) const MOVED: &str = "moved";
/// Below this no host gives a key to a run: one that was carried here has a key that is told by the time.
const CARRIED: i64 = -(1 << 52);
/// A component is read and written in pieces of so many bytes.
const CHUNK: usize = 256 << 10;

/// A run's own row.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRow {
    pub id: String,
    pub handler: String,
    pub newest: bool,
    pub workflow: String,
    pub definition: Vec<String>,
    pub status: String,
    pub started_at: Micros,
    pub updated_at: Micros,
    pub completed_at: Option<Micros>,
    pub generation: u64,
    pub next_seq: u64,
    pub waiting: Option<String>,
    /// Whether it waits for its workflow's turn.
    pub queues: bool,
    pub preview: String,
    pub result_preview: Option<String>,
}

/// A key that made a run or an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRow {
    pub scope: String,
    pub key: String,
    pub body: [u8; 32],
    pub run: Option<String>,
    pub event: Option<String>,
}

/// How a run ended.
pub(crate) struct EndingRow {
    pub outcome: Option<Vec<u8>>,
    pub state: Vec<u8>,
}

/// Of which table rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    Journal,
    Stream,
    Log,
}

/// Where a run was moved.
pub(crate) struct Moved {
    pub run: String,
    pub file: String,
    pub hash: [u8; 32],
}

/// A connection of a command, by which the database can be looked at, too.
pub(crate) struct Carrier {
    store: Examination,
    /// The key that a run was given last.
    last: Cell<i64>,
    /// Nobody replaces it meanwhile.
    _stays: Option<File>,
}

impl Carrier {
    /// To a database that is there, in its newest form.
    pub(crate) fn open(path: &Path) -> Result<Carrier> {
        connect::there(path)?;
        let stays = stay(path)?;
        Ok(Carrier::of(connect::beside(path)?, path, Some(stays)))
    }

    /// The same, made where it is not there.
    pub(crate) fn make(path: &Path) -> Result<Carrier> {
        let stays = stay(path)?;
        let connection = if path.exists() { connect::beside(path)? } else { connect::open(path)?.0 };
        Ok(Carrier::of(connection, path, Some(stays)))
    }

    fn of(connection: Connection, path: &Path, stays: Option<File>) -> Carrier {
        Carrier { store: Examination::of(connection, path), last: Cell::new(i64::MIN), _stays: stays }
    }

    /// To one that is nowhere once it is closed. What is large of it is in a file without a name.
    pub(crate) fn passing() -> Result<Carrier> {
        Ok(Carrier::of(connect::passing()?, Path::new(""), None))
    }

    /// What it sees, for whoever checks it.
    pub(crate) fn seen(&self) -> &Examination {
        &self.store
    }

    /// One state of the database for all questions from here on.
    pub(crate) fn read(&self) -> Result<()> {
        self.store.connection.execute_batch("begin")?;
        // Until the first question it is of no time.
        self.alive().map(drop)
    }

    /// The same, and nobody else writes meanwhile.
    pub(crate) fn write(&self) -> Result<()> {
        Ok(self.store.connection.execute_batch("begin immediate")?)
    }

    pub(crate) fn commit(&self) -> Result<()> {
        Ok(self.store.connection.execute_batch("commit")?)
    }

    pub(crate) fn roll_back(&self) {
        if !self.store.connection.is_autocommit() && self.store.connection.execute_batch("rollback").is_err() {
            tracing::error!("a transaction could not be rolled back");
        }
    }

    /// The clock that stands while no host is up.
    pub(crate) fn alive(&self) -> Result<Micros> {
        let alive: Option<Micros> = self.store.connection.prepare_cached(sql::ALIVE)?.query_row([], |row| row.get(0)).optional()?;
        Ok(alive.filter(|alive| *alive > 0).unwrap_or(ALIVE_FIRST))
    }

    /// The run of that id, or the newest of that handler.
    pub(crate) fn find(&self, name: &str) -> Result<Option<(RunKey, RunRow)>> {
        for statement in [sql::CARRIED_BY_ID, sql::CARRIED_NEWEST] {
            let found = self.store.connection.prepare_cached(statement)?.query_row([name], run_row).optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// All runs of a handler, in the order in which they began.
    pub(crate) fn runs_of(&self, handler: &str) -> Result<Vec<(RunKey, RunRow)>> {
        let mut statement = self.store.connection.prepare_cached(sql::CARRIED_OF)?;
        let mut runs = statement.query_map([handler], run_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
        runs.sort_by_key(|(key, _)| key.0);
        Ok(runs)
    }

    /// The runs that began last, newest first: at most so many of those that began before this one.
    pub(crate) fn last(&self, before: Option<RunKey>, limit: usize) -> Result<Vec<(RunKey, RunRow)>> {
        let before = before.map_or(i64::MAX, |key| key.0);
        let mut statement = self.store.connection.prepare_cached(sql::CARRIED_LAST)?;
        Ok(statement.query_map(params![before, number(limit)], run_row)?.collect::<rusqlite::Result<_>>()?)
    }

    /// What of a run is another after each change of it.
    pub(crate) fn stamp(&self, run: RunKey) -> Result<Option<String>> {
        Ok(self.store.connection.prepare_cached(sql::STAMP)?.query_row([run.0], |row| row.get(0)).optional()?)
    }

    /// The rows of a run, in their order: each a JSON array of entries, of frames or of lines.
    pub(crate) fn rows<E: From<Error>>(
        &self,
        run: RunKey,
        of: Rows,
        mut each: impl FnMut(Vec<u8>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let refused = |error: rusqlite::Error| E::from(Error::from(error));
        let statement = match of {
            Rows::Journal => sql::CARRIED_ENTRIES,
            Rows::Stream => sql::CARRIED_FRAMES,
            Rows::Log => sql::LINES,
        };
        let mut statement = self.store.connection.prepare_cached(statement).map_err(refused)?;
        let mut found = statement.query([run.0]).map_err(refused)?;
        while let Some(row) = found.next().map_err(refused)? {
            each(Stored::of(row, 0)?.whole(&self.store.connection)?)?;
        }
        Ok(())
    }

    /// How a run ended; none: it has not.
    pub(crate) fn ending(&self, run: RunKey) -> Result<Option<EndingRow>> {
        let mut statement = self.store.connection.prepare_cached(sql::CARRIED_ENDING)?;
        let mut found = statement.query([run.0])?;
        let Some(row) = found.next()? else { return Ok(None) };
        let outcome = Stored::maybe(row, 0)?.map(|it| it.whole(&self.store.connection)).transpose()?;
        Ok(Some(EndingRow { outcome, state: Stored::of(row, 2)?.whole(&self.store.connection)? }))
    }

    /// What a run begins with that has not begun: a JSON array of its first entry.
    pub(crate) fn first(&self, run: RunKey) -> Result<Option<Vec<u8>>> {
        let mut statement = self.store.connection.prepare_cached(sql::FIRST)?;
        let mut found = statement.query([run.0])?;
        found.next()?.map(|row| Stored::of(row, 0)?.whole(&self.store.connection)).transpose()
    }

    /// The keys that made a run, or events of it.
    pub(crate) fn keys(&self, run: RunKey) -> Result<Vec<KeyRow>> {
        let mut statement = self.store.connection.prepare_cached(sql::CARRIED_KEYS)?;
        let row = |row: &Row| Ok(KeyRow { scope: row.get(0)?, key: row.get(1)?, body: row.get(2)?, run: row.get(3)?, event: row.get(4)? });
        Ok(statement.query_map([run.0], row)?.collect::<rusqlite::Result<_>>()?)
    }

    /// A component's manifest, its length, and its bytes from a reader.
    pub(crate) fn component(&self, digest: &str) -> Result<Option<(String, u64, impl Read)>> {
        let Some((manifest, bytes)) = self.store.bytes_of(digest)? else { return Ok(None) };
        Ok(Some((manifest, bytes.len() as u64, io::BufReader::with_capacity(CHUNK, bytes))))
    }

    /// Takes a handler away with all its runs, and remembers where it went.
    pub(crate) fn take(&self, handler: &str, moved: &Moved) -> Result<()> {
        let gone = purge::delete(&self.store.connection, handler)?;
        for run in gone {
            self.remember(&run, &run, moved)?;
        }
        self.remember(handler, &moved.run, moved)
    }

    /// Remembers where a name went, in a row that is of no run.
    fn remember(&self, name: &str, run: &str, moved: &Moved) -> Result<()> {
        let seal = seal::of_key(MOVED, name, &moved.hash, 0, [Some(run), Some(&moved.file)]);
        let values = params![MOVED, name, moved.hash, 0, run, moved.file, seal];
        self.store.connection.prepare_cached(sql::REMEMBER_MOVED)?.execute(values)?;
        Ok(())
    }

    /// Where a run, or a handler, was moved that is not here any more.
    pub(crate) fn moved(&self, name: &str) -> Result<Option<Moved>> {
        let moved = |row: &Row| Ok(Moved { hash: row.get(0)?, run: row.get(1)?, file: row.get(2)? });
        Ok(self.store.connection.prepare_cached(sql::REMEMBERED)?.query_row([MOVED, name], moved).optional()?)
    }

    /// Keeps a component, also in the place of one that is damaged; `bytes` are read to their end, whether it is there
    /// already or not.
    pub(crate) fn put_component(&self, digest: &str, manifest: &str, size: u64, bytes: &mut dyn Read) -> Result<()> {
        let is_there = self.store.connection.prepare_cached(sql::MANIFEST)?.exists([digest])?;
        if is_there && self.store.component(digest)?.is_none() {
            return io::copy(bytes, &mut io::sink()).map(drop).map_err(|error| Error::Unavailable(error.to_string()));
        }
        self.store.connection.prepare_cached(sql::DELETE_COMPONENT)?.execute([digest])?;
        let values = params![digest, manifest, number(size), seal::seal(&[Some(manifest.as_bytes())])];
        let row = self.store.connection.prepare_cached(sql::PUT_EMPTY_COMPONENT)?.insert(values)?;
        let mut blob = self.store.connection.blob_open(MAIN_DB, "component", "bytes", row, false)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = bytes.read(&mut chunk).map_err(|error| Error::Unavailable(error.to_string()))?;
            if read == 0 {
                return Ok(blob.close()?);
            }
            blob.write_all(&chunk[..read]).map_err(|error| Error::Unavailable(error.to_string()))?;
        }
    }

    /// Keeps a run, owned by nobody: one that has not ended is due at once. Gives its key.
    pub(crate) fn put_run(&self, run: &RunRow, now: Micros) -> Result<RunKey> {
        let connection = &self.store.connection;
        // Behind that of the run before it, of which there may be very many.
        let mut key = CARRIED.saturating_add(number(now)).max(self.last.get() + 1);
        while connection.prepare_cached(sql::CARRIED_KEY)?.exists([key])? {
            key += 1;
        }
        self.last.set(key);
        let definition = write::definition(connection, &run.definition)?;
        let running = run.status == "running";
        connection.prepare_cached(sql::CARRY)?.execute(params![
            key,
            run.id,
            run.handler,
            run.newest,
            run.workflow,
            definition,
            run.status,
            number(run.started_at),
            number(run.updated_at),
            run.completed_at.map(number),
            // Nobody has owned it here, whatever its file says.
            1,
            number(run.next_seq),
            (running && !run.queues).then_some(0),
            run.waiting,
            run.queues.then_some(&run.workflow),
            run.preview,
            run.result_preview
        ])?;
        // It may have been here before.
        connection.prepare_cached(sql::FORGET_MOVED)?.execute(params![MOVED, run.id])?;
        connection.prepare_cached(sql::FORGET_MOVED)?.execute(params![MOVED, run.handler])?;
        Ok(RunKey(key))
    }

    /// Adds entries or frames, of which the last has this place; or lines, which have none.
    pub(crate) fn put_rows(&self, run: RunKey, of: Rows, last: u64, items: &[&RawValue]) -> Result<()> {
        let text = Cutter::default().array(items.iter().map(|item| (String::new(), item.get().as_bytes(), "")));
        match of {
            Rows::Journal => self.put(sql::ADD_ENTRIES, run, number(last), &text),
            Rows::Stream => self.put(sql::ADD_FRAMES, run, number(last), &text),
            Rows::Log => {
                let holes = self.keep(run, &text)?;
                let seal = seal::of_text(&[run.0], &text.bytes, holes.as_deref());
                self.store.connection.prepare_cached(sql::ADD_LINES)?.execute(params![run.0, text.bytes, holes, seal])?;
                Ok(())
            }
        }
    }

    fn put(&self, statement: &str, run: RunKey, last: i64, text: &Text) -> Result<()> {
        let holes = self.keep(run, text)?;
        let seal = seal::of_text(&[run.0, last], &text.bytes, holes.as_deref());
        let added = self.store.connection.prepare_cached(statement)?.execute(params![run.0, last, text.bytes, holes, seal]);
        added.map(drop).map_err(twice)
    }

    /// Keeps how a run ended.
    pub(crate) fn put_ending(&self, run: RunKey, ending: &EndingRow) -> Result<()> {
        let (outcome, state) = (ending.outcome.as_ref().map(|it| Cutter::default().cut(it)), Cutter::default().cut(&ending.state));
        let outcome_holes = outcome.as_ref().map(|it| self.keep(run, it)).transpose()?.flatten();
        let state_holes = self.keep(run, &state)?;
        let outcome = outcome.as_ref().map(|it| &it.bytes[..]);
        let seal = seal::of_ending(run.0, [outcome, Some(&state.bytes)], [outcome_holes.as_deref(), state_holes.as_deref()]);
        let values = params![run.0, outcome, outcome_holes, state.bytes, state_holes, seal];
        self.store.connection.prepare_cached(sql::ADD_ENDING)?.execute(values).map(drop).map_err(twice)
    }

    /// Keeps what a run begins with.
    pub(crate) fn put_first(&self, run: RunKey, text: &[u8]) -> Result<()> {
        let text = Cutter::default().cut(text);
        let holes = self.keep(run, &text)?;
        let seal = seal::of_text(&[run.0], &text.bytes, holes.as_deref());
        let kept = self.store.connection.prepare_cached(sql::KEEP_FIRST)?.execute(params![run.0, text.bytes, holes, seal]);
        kept.map(drop).map_err(twice)
    }

    /// Keeps a key, where it is not taken; says whether it was free.
    pub(crate) fn put_key(&self, run: RunKey, row: &KeyRow) -> Result<bool> {
        if self.store.connection.prepare_cached(sql::REMEMBERED)?.exists([&row.scope, &row.key])? {
            return Ok(false);
        }
        let seal = seal::of_key(&row.scope, &row.key, &row.body, run.0, [row.run.as_deref(), row.event.as_deref()]);
        self.store
            .connection
            .prepare_cached(sql::REMEMBER)?
            .execute(params![row.scope, row.key, row.body, run.0, row.run, row.event, seal])?;
        Ok(true)
    }

    /// Adds what a run begins anew with, or ends with, as its owner would; it stays without one.
    pub(crate) fn append(&self, run: RunKey, append: Append) -> Result<()> {
        let (append, added) = Added::by_append(append);
        write::add_to(&self.store.connection, run, &append, &added).map_err(Failure::into_error)?;
        if added.ending.is_none() {
            // Whoever claims it enters what was under way.
            self.store.connection.prepare_cached(sql::MAKE_DUE)?.execute([run.0])?;
        }
        Ok(())
    }

    /// Lets a store that no host has had yet begin with its clock.
    pub(crate) fn keep_alive(&self, alive: Micros) -> Result<()> {
        self.store.connection.prepare_cached(sql::SET_ALIVE)?.execute([number(alive)])?;
        Ok(())
    }

    fn keep(&self, run: RunKey, text: &Text) -> Result<Option<String>> {
        Ok(blobs::keep(&self.store.connection, run, text)?)
    }
}

/// What there is one of is there already.
fn twice(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Error::Damaged("it is there twice".to_owned()),
        _ => error.into(),
    }
}

fn run_row(row: &Row) -> rusqlite::Result<(RunKey, RunRow)> {
    let digests: String = row.get(5)?;
    let run = RunRow {
        id: row.get(1)?,
        handler: row.get(2)?,
        newest: row.get(3)?,
        workflow: row.get(4)?,
        definition: digests.split_whitespace().map(str::to_owned).collect(),
        status: row.get(6)?,
        started_at: row.get(7)?,
        updated_at: row.get(8)?,
        completed_at: row.get(9)?,
        generation: row.get(10)?,
        next_seq: row.get(11)?,
        waiting: row.get(12)?,
        queues: row.get::<_, Option<String>>(13)?.is_some(),
        preview: row.get(14)?,
        result_preview: row.get(15)?,
    };
    Ok((RunKey(row.get(0)?), run))
}
