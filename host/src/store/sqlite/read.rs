//! What is asked of one run, and of what is kept beside runs.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;

use super::blobs::{self, Stored};
use super::change::number;
use super::{seal, statements as sql};
use crate::store::Result;
use crate::store::lines::{Lines, Written};
use crate::store::rows::{self, EntryRow, FrameRow, IdempotencyRow, Line, LogRow, Made, Past, READ_BYTES_MAX, RunKey, Snapshot, Wanted};

/// The key of a run; none after a purge, even while rows of it are left.
fn key(connection: &Connection, run: &str) -> Result<Option<i64>> {
    Ok(connection.prepare_cached(sql::KEY)?.query_row([run], |row| row.get(0)).optional()?)
}

/// The length of a run's journal; none: there is no such run.
fn length(connection: &Connection, run: RunKey) -> Result<Option<u64>> {
    Ok(connection.prepare_cached(sql::STANDING)?.query_row([run.0], |row| row.get(3)).optional()?)
}

pub(super) fn load(connection: &Connection, run: RunKey) -> Result<rows::Stored> {
    let Past { snapshot, entries, .. } = load_at(connection, run, Some(u64::MAX), 0)?;
    Ok(rows::Stored { snapshot, entries })
}

pub(super) fn load_at(connection: &Connection, run: RunKey, after: Option<u64>, limit: usize) -> Result<Past> {
    let Some(length) = length(connection, run)? else { return Ok(Past { snapshot: None, entries: Vec::new(), length: 0 }) };
    let snapshot = match after {
        Some(seq) => snapshot(connection, run, seq)?,
        None => None,
    };
    let entries = entries(connection, run, snapshot.as_ref().map(|it| it.seq), Wanted::until(after, limit))?;
    Ok(Past { snapshot, entries, length })
}

/// The newest that tells of no entry after this one.
fn snapshot(connection: &Connection, run: RunKey, seq: u64) -> Result<Option<Snapshot>> {
    let mut statement = connection.prepare_cached(sql::SNAPSHOT)?;
    let mut found = statement.query(params![run.0, number(seq)])?;
    let Some(row) = found.next()? else { return Ok(None) };
    Ok(Some(Snapshot { seq: row.get(0)?, bytes: blobs::whole(connection, row, 1)? }))
}

pub(super) fn journal(connection: &Connection, run: RunKey) -> Result<Vec<EntryRow>> {
    if length(connection, run)?.is_some() { entries(connection, run, None, Wanted::all()) } else { Ok(Vec::new()) }
}

fn entries(connection: &Connection, run: RunKey, after: Option<u64>, mut wanted: Wanted) -> Result<Vec<EntryRow>> {
    let mut statement = connection.prepare_cached(sql::ENTRIES)?;
    let mut found = statement.query(params![run.0, after.map_or(-1, |seq| seq as i64)])?;
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        let (last, text) = (row.get::<_, u64>(0)?, Stored::of(row, 1)?);
        let items = text.items::<&RawValue>()?;
        let first = (last + 1).saturating_sub(items.len() as u64);
        for (seq, item) in (first..).zip(items).filter(|(seq, _)| after.is_none_or(|after| *seq > after)) {
            if !wanted.has(seq) {
                return Ok(entries);
            }
            let entry = EntryRow { seq, bytes: text.value(connection, item)? };
            wanted.took(&entry);
            entries.push(entry);
        }
    }
    Ok(entries)
}

pub(super) fn final_state(connection: &Connection, run: RunKey) -> Result<Option<Bytes>> {
    let mut statement = connection.prepare_cached(sql::STATE)?;
    let mut found = statement.query([run.0])?;
    match found.next()? {
        Some(row) if length(connection, run)?.is_some() => blobs::whole(connection, row, 0).map(Some),
        _ => Ok(None),
    }
}

pub(super) fn frames(connection: &Connection, run: &str, after: i64, limit: usize) -> Result<Vec<FrameRow>> {
    let Some(run) = key(connection, run)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(sql::FRAMES)?;
    let mut found = statement.query(params![run, after])?;
    let mut frames: Vec<FrameRow> = Vec::new();
    let mut size = 0;
    while let Some(row) = found.next()? {
        let text = Stored::of(row, 0)?;
        for (sequence, flags, envelope) in text.items::<(u64, u8, &RawValue)>()? {
            if i64::try_from(sequence).is_ok_and(|it| it <= after) {
                continue;
            }
            if frames.len() == limit || size >= READ_BYTES_MAX {
                return Ok(frames);
            }
            let json = Bytes::from(text.value(connection, envelope)?);
            size += json.len();
            frames.push(FrameRow { sequence, internal: flags & 1 != 0, terminal: flags & 2 != 0, json });
        }
    }
    Ok(frames)
}

pub(super) fn last_sequence(connection: &Connection, run: &str) -> Result<i64> {
    let Some(run) = key(connection, run)? else { return Ok(-1) };
    Ok(connection.prepare_cached(sql::LAST_FRAME)?.query_row([run], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(-1))
}

pub(super) fn logs(connection: &Connection, run: &str) -> Result<Vec<LogRow>> {
    let Some(run) = key(connection, run)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(sql::LINES)?;
    let mut found = statement.query([run])?;
    let mut lines = Lines::default();
    while let Some(row) = found.next()? {
        let text = Stored::of(row, 0)?.whole(connection)?;
        let written: Vec<Line> = serde_json::from_slice(&text).map_err(blobs::unreadable)?;
        lines.extend(written.into_iter().map(LogRow::from));
    }
    Ok(lines.into_rows())
}

/// What was written in one append is read at once: its rows are the places.
pub(super) fn written(connection: &Connection, run: &str, after: u64, limit: usize) -> Result<Written> {
    let mut all = Written { last: after, ..Written::default() };
    let Some(run) = key(connection, run)? else { return Ok(all) };
    let mut statement = connection.prepare_cached(sql::LINES_AFTER)?;
    let mut found = statement.query(params![run, number(after)])?;
    let mut size = 0;
    while let Some(row) = found.next()? {
        if all.lines.len() >= limit || size >= READ_BYTES_MAX {
            all.more = true;
            break;
        }
        let text = Stored::of(row, 0)?.whole(connection)?;
        size += text.len();
        all.last = row.get(2)?;
        all.lines.extend(serde_json::from_slice::<Vec<Line>>(&text).map_err(blobs::unreadable)?.into_iter().map(LogRow::from));
    }
    Ok(all)
}

pub(super) fn idempotency(connection: &Connection, scope: &str, key: &str) -> Result<Option<IdempotencyRow>> {
    let found = |row: &Row| {
        let made = match row.get::<_, Option<String>>(1)? {
            Some(run) => Made::Run(run),
            None => Made::Event(row.get(2)?),
        };
        Ok(IdempotencyRow { scope: scope.to_owned(), key: key.to_owned(), body: row.get(0)?, made })
    };
    Ok(connection.prepare_cached(sql::REMEMBERED)?.query_row([scope, key], found).optional()?)
}

/// One that is damaged is as if it was not there: whoever serves the component describes it again.
pub(super) fn manifest(connection: &Connection, digest: &str) -> Result<Option<String>> {
    let sealed = |row: &Row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    let found = connection.prepare_cached(sql::MANIFEST)?.query_row([digest], sealed).optional()?;
    let is_sound = |(manifest, seal): &(String, i64)| *seal == seal::UNSEALED || *seal == seal::seal(&[Some(manifest.as_bytes())]);
    Ok(found.filter(is_sound).map(|(manifest, _)| manifest))
}

pub(super) fn component(connection: &Connection, digest: &str) -> Result<Option<Bytes>> {
    let bytes = |row: &Row| row.get::<_, Vec<u8>>(0).map(Bytes::from);
    Ok(connection.prepare_cached(sql::COMPONENT)?.query_row([digest], bytes).optional()?)
}
