//! Whose turn it is: of a workflow only so many runs go on at once, the others queue.

use rusqlite::{Connection, Row, params};
use serde_json::value::RawValue;
use wf_engine::entry::Micros;

use super::added::Added;
use super::blobs::{self, Stored};
use super::change::{Change, number};
use super::seal;
use super::statements as sql;
use crate::store::rows::{EntryRow, Now, RunKey, TURNS_MAX, Unbegun};
use crate::store::{Error, Result};

/// Whether a new run of a workflow has to queue: nobody passes those who queue already.
pub(super) fn must_queue(connection: &Connection, workflow: &str, max: u32) -> rusqlite::Result<bool> {
    Ok(connection.prepare_cached(sql::ANY_QUEUED)?.exists([workflow])? || begun(connection, workflow, max)? >= max)
}

/// How many runs of a workflow have begun and not ended; so many are counted at most.
fn begun(connection: &Connection, workflow: &str, max: u32) -> rusqlite::Result<u32> {
    let mut statement = connection.prepare_cached(sql::BEGUN)?;
    let mut found = statement.query(params![workflow, max])?;
    let mut begun = 0;
    while found.next()?.is_some() {
        begun += 1;
    }
    Ok(begun)
}

/// Keeps what a run begins with.
pub(super) fn keep(connection: &Connection, run: RunKey, added: &Added) -> Change {
    if let Some(text) = added.first.as_ref().or(added.entries.first().map(|(_, text)| text)) {
        let holes = blobs::keep(connection, run, text)?;
        let seal = seal::of_text(&[run.0], &text.bytes, holes.as_deref());
        connection.prepare_cached(sql::KEEP_FIRST)?.execute(params![run.0, text.bytes, holes, seal])?;
    }
    Ok(())
}

pub(super) fn unbegun(connection: &Connection, run: RunKey) -> Result<Option<Unbegun>> {
    let mut statement = connection.prepare_cached(sql::FIRST)?;
    let mut found = statement.query([run.0])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let text = Stored::of(row, 0)?;
    let entry = |(seq, item)| Ok(EntryRow { seq, bytes: text.value(connection, item)? });
    let entries: Vec<EntryRow> = (0..).zip(text.items::<&RawValue>()?).map(entry).collect::<Result<_>>()?;
    if entries.is_empty() {
        return Err(Error::Damaged("a run that queues lacks its first entry".to_owned()));
    }
    Ok(Some(Unbegun { entries, queues: row.get(2)? }))
}

/// Notes that a run begins.
pub(super) fn begin(connection: &Connection, run: RunKey, at: Micros) -> rusqlite::Result<()> {
    connection.prepare_cached(sql::BEGIN)?.execute(params![run.0, number(at)])?;
    connection.prepare_cached(sql::FORGET_FIRST)?.execute([run.0])?;
    Ok(())
}

/// From each to the next, not through all runs.
pub(super) fn queues(connection: &Connection) -> Result<Vec<String>> {
    let mut queues: Vec<String> = Vec::new();
    let mut last = String::new();
    while let Some(next) = connection.prepare_cached(sql::NEXT_QUEUE)?.query_row([&last], |row| row.get::<_, Option<String>>(0))? {
        queues.push(next.clone());
        last = next;
    }
    Ok(queues)
}

pub(super) fn give(connection: &Connection, workflow: &str, runs_max: Option<u32>, now: Now) -> Change<usize> {
    // Most often nobody queues.
    if !connection.prepare_cached(sql::ANY_QUEUED)?.exists([workflow])? {
        return Ok(0);
    }
    let free = match runs_max {
        Some(max) => (max - begun(connection, workflow, max)?) as usize,
        None => TURNS_MAX,
    };
    let (key, free) = (|row: &Row| row.get(0), number(free.min(TURNS_MAX)));
    let next: rusqlite::Result<Vec<i64>> = connection.prepare_cached(sql::QUEUED)?.query_map(params![workflow, free], key)?.collect();
    let next = next?;
    for run in &next {
        connection.prepare_cached(sql::GIVE_TURN)?.execute(params![run, number(now.at)])?;
    }
    Ok(next.len())
}
