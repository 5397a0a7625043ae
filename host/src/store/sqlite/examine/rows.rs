//! The rows of a run, one after the other: however long its journal is, one row of it is in memory.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::value::RawValue;

use super::Examination;
use crate::store::Result;
use crate::store::rows::{EntryRow, FrameRow, RunKey};
use crate::store::sqlite::blobs::{Stored, unreadable};
use crate::store::sqlite::{seal, statements as sql};

/// What the checksum of a row says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// It is as it was written.
    Sound,
    /// It is not.
    Broken,
    /// It was written before there were checksums.
    None,
}

impl Seal {
    pub(super) fn of(written: i64, now: i64) -> Seal {
        match written {
            seal::UNSEALED => Seal::None,
            written if written == now => Seal::Sound,
            _ => Seal::Broken,
        }
    }
}

/// The row of a run, as it is.
#[derive(Clone, Debug)]
pub struct ExaminedRun {
    /// Its key.
    pub key: RunKey,
    /// Its id.
    pub run: String,
    /// Its handler's id.
    pub handler: String,
    /// Whether it is the newest of its handler.
    pub newest: bool,
    /// How many of the handler's runs are.
    pub newest_of_handler: u64,
    /// Its workflow's name.
    pub workflow: String,
    /// The digests of what it is pinned to, joined by blanks; none: no such definition is there.
    pub definition: Option<String>,
    /// `running`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// When it began.
    pub started_at: i64,
    /// When its last entry was made.
    pub updated_at: i64,
    /// When it ended.
    pub completed_at: Option<i64>,
    /// Who has it: whether that host is known.
    pub owner: Option<bool>,
    /// The length of its journal.
    pub next_seq: i64,
    /// When it is due, on both clocks.
    pub wake: (Option<i64>, Option<i64>),
    /// What it waits for from outside.
    pub waiting: Option<String>,
    /// In whose line it waits for its turn.
    pub queue: Option<String>,
    /// The beginning of its start event's payload.
    pub preview: String,
    /// The beginning of its result.
    pub result_preview: Option<String>,
}

/// A row with a text.
pub struct ExaminedText {
    /// The row's key.
    pub key: i64,
    /// The place of the last that is in it.
    pub last: i64,
    /// What its checksum says.
    pub seal: Seal,
    text: Stored,
}

impl ExaminedText {
    fn of(run: RunKey, row: &Row, is_placed: bool) -> Result<ExaminedText> {
        let (key, last) = (row.get(0)?, row.get(1)?);
        let text = Stored::of(row, 2)?;
        let holes: Option<String> = row.get(3)?;
        let numbers = [run.0, last];
        let now = seal::of_text(if is_placed { &numbers } else { &numbers[..1] }, text.text(), holes.as_deref());
        Ok(ExaminedText { key, last, seal: Seal::of(row.get(4)?, now), text })
    }

    /// The keys of the values that stand apart.
    pub fn blobs(&self) -> impl Iterator<Item = i64> {
        self.text.blobs()
    }
}

/// How a run has ended, as it is stored.
pub struct ExaminedEnding {
    /// The result's envelope, or the message.
    pub outcome: Option<Vec<u8>>,
    /// The state.
    pub state: Vec<u8>,
    /// What its checksum says.
    pub seal: Seal,
    /// The keys of the values that stand apart.
    pub blobs: Vec<i64>,
}

impl Examination {
    /// The next run after one, by key.
    pub fn next_run(&self, after: RunKey) -> Result<Option<RunKey>> {
        Ok(self.connection.prepare_cached(sql::NEXT_RUN)?.query_row([after.0], |row| row.get(0)).optional()?.map(RunKey))
    }

    /// How many runs there are, about.
    pub fn runs(&self) -> Result<u64> {
        Ok(self.connection.prepare_cached(sql::LAST_RUN)?.query_row([], |row| row.get::<_, Option<u64>>(0))?.unwrap_or(0))
    }

    /// A run's row; none: it is gone.
    pub fn run(&self, key: RunKey) -> Result<Option<ExaminedRun>> {
        let mut statement = self.connection.prepare_cached(sql::WHOLE_RUN)?;
        let run = |row: &Row| {
            Ok(ExaminedRun {
                key,
                run: row.get(0)?,
                handler: row.get(1)?,
                newest: row.get(2)?,
                newest_of_handler: 0,
                workflow: row.get(3)?,
                definition: row.get(4)?,
                status: row.get(5)?,
                started_at: row.get(6)?,
                updated_at: row.get(7)?,
                completed_at: row.get(8)?,
                owner: row.get::<_, bool>(9)?.then_some(row.get(10)?),
                next_seq: row.get(11)?,
                wake: (row.get(12)?, row.get(13)?),
                waiting: row.get(14)?,
                queue: row.get(15)?,
                preview: row.get(16)?,
                result_preview: row.get(17)?,
            })
        };
        let Some(mut run) = statement.query_row([key.0], run).optional()? else { return Ok(None) };
        run.newest_of_handler = self.connection.prepare_cached(sql::COUNT_NEWEST)?.query_row([&run.handler], |row| row.get(0))?;
        Ok(Some(run))
    }

    /// The next row of a run's journal, after the entry of that place.
    pub fn next_entries(&self, run: RunKey, after: i64) -> Result<Option<ExaminedText>> {
        self.text(sql::NEXT_ENTRIES, run, after, true)
    }

    /// The next row of its stream, after the frame of that number.
    pub fn next_frames(&self, run: RunKey, after: i64) -> Result<Option<ExaminedText>> {
        self.text(sql::NEXT_FRAMES, run, after, true)
    }

    /// The next row of its lines, by the row's key.
    pub fn next_lines(&self, run: RunKey, after: i64) -> Result<Option<ExaminedText>> {
        self.text(sql::NEXT_LINES, run, after, false)
    }

    /// The next of its snapshots, after the entry of that place.
    pub fn next_snapshot(&self, run: RunKey, after: i64) -> Result<Option<ExaminedText>> {
        self.text(sql::NEXT_SNAPSHOT, run, after, true)
    }

    /// What a run begins with that has not begun.
    pub fn unbegun(&self, run: RunKey) -> Result<Option<ExaminedText>> {
        self.text(sql::NEXT_QUEUED, run, i64::MIN, false)
    }

    /// The entries of that row.
    pub fn beginning(&self, row: &ExaminedText) -> Result<Vec<EntryRow>> {
        let entry = |(seq, item)| Ok(EntryRow { seq, bytes: row.text.value(&self.connection, item)? });
        (0..).zip(row.text.items::<&RawValue>()?).map(entry).collect()
    }

    fn text(&self, statement: &str, run: RunKey, after: i64, is_placed: bool) -> Result<Option<ExaminedText>> {
        let mut statement = self.connection.prepare_cached(statement)?;
        let mut found = statement.query(params![run.0, after])?;
        found.next()?.map(|row| ExaminedText::of(run, row, is_placed)).transpose()
    }

    /// The entries of a row.
    pub fn entries(&self, row: &ExaminedText) -> Result<Vec<EntryRow>> {
        let items = row.text.items::<&RawValue>()?;
        let first = (row.last + 1).saturating_sub_unsigned(items.len() as u64);
        let entry = |(seq, item)| Ok(EntryRow { seq, bytes: row.text.value(&self.connection, item)? });
        let first = u64::try_from(first).map_err(|_| unreadable("it holds more than its place allows"))?;
        (first..).zip(items).map(entry).collect()
    }

    /// The frames of a row.
    pub fn frames(&self, row: &ExaminedText) -> Result<Vec<FrameRow>> {
        let frame = |(sequence, flags, envelope): (u64, u8, &RawValue)| {
            let json = row.text.value(&self.connection, envelope)?.into();
            Ok(FrameRow { sequence, internal: flags & 1 != 0, terminal: flags & 2 != 0, json })
        };
        row.text.items()?.into_iter().map(frame).collect()
    }

    /// The whole text of a row, which is JSON.
    pub fn json(&self, row: &ExaminedText) -> Result<Vec<u8>> {
        let whole = row.text.whole(&self.connection)?;
        serde_json::from_slice::<&RawValue>(&whole).map_err(unreadable)?;
        Ok(whole)
    }

    /// How a run has ended.
    pub fn ending(&self, run: RunKey) -> Result<Option<ExaminedEnding>> {
        let mut statement = self.connection.prepare_cached(sql::WHOLE_ENDING)?;
        let mut found = statement.query([run.0])?;
        let Some(row) = found.next()? else { return Ok(None) };
        let (outcome, state) = (Stored::maybe(row, 0)?, Stored::of(row, 2)?);
        let holes: [Option<String>; 2] = [row.get(1)?, row.get(3)?];
        let texts = [outcome.as_ref().map(Stored::text), Some(state.text())];
        let now = seal::of_ending(run.0, texts, [holes[0].as_deref(), holes[1].as_deref()]);
        Ok(Some(ExaminedEnding {
            seal: Seal::of(row.get(4)?, now),
            blobs: outcome.iter().flat_map(Stored::blobs).chain(state.blobs()).collect(),
            outcome: outcome.map(|outcome| outcome.whole(&self.connection)).transpose()?,
            state: state.whole(&self.connection)?,
        }))
    }

    /// The idempotency keys of a run, each with what its checksum says.
    pub fn keys(&self, run: RunKey) -> Result<Vec<(String, Seal)>> {
        let mut statement = self.connection.prepare_cached(sql::REMEMBERED_OF)?;
        let mut found = statement.query([run.0])?;
        let mut keys = Vec::new();
        while let Some(row) = found.next()? {
            let (scope, key, body): (String, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let made: [Option<String>; 2] = [row.get(3)?, row.get(4)?];
            let now = seal::of_key(&scope, &key, &body, run.0, [made[0].as_deref(), made[1].as_deref()]);
            keys.push((format!("{scope} {key}"), Seal::of(row.get(5)?, now)));
        }
        Ok(keys)
    }

    /// The commands that wait for a run's owner, each with what its checksum says.
    pub fn sent(&self, run: RunKey) -> Result<Vec<(i64, Seal)>> {
        let mut statement = self.connection.prepare_cached(sql::COMMANDS_OF)?;
        let mut found = statement.query([run.0])?;
        let mut commands = Vec::new();
        while let Some(row) = found.next()? {
            let (command, answer): (Vec<u8>, Option<Vec<u8>>) = (row.get(1)?, row.get(2)?);
            commands.push((row.get(0)?, Seal::of(row.get(3)?, seal::seal(&[Some(&command), answer.as_deref()]))));
        }
        Ok(commands)
    }

    /// The keys of the values that a run is noted to need.
    pub fn uses(&self, run: RunKey) -> Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(sql::USES_OF)?;
        let uses: rusqlite::Result<Vec<i64>> = statement.query_map([run.0], |row| row.get(0))?.collect();
        Ok(uses?)
    }

    /// The tables that have rows of runs between two, which are not there and were not deleted just now; with the key
    /// of the first such run.
    pub fn rests(&self, after: RunKey, before: RunKey) -> Result<Vec<(&'static str, RunKey)>> {
        let mut rests = Vec::new();
        for (table, statement) in sql::RESTS {
            let first = self.connection.prepare_cached(statement)?.query_row([after.0, before.0], |row| row.get(0)).optional()?;
            rests.extend(first.map(|run| (*table, RunKey(run))));
        }
        Ok(rests)
    }
}
