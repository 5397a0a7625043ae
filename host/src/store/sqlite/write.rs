//! Changes of a run. Each reads before it writes: one that is refused has written nothing.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::added::{Added, Ending};
use super::blobs::{self, Use};
use super::change::{Change, Failure, number};
use super::inbox;
use super::statements as sql;
use super::text::Text;
use crate::store::Error;
use crate::store::rows::{Append, IdempotencyRow, Made, NewRun, RunKey, Standing};

pub(super) fn create(connection: &Connection, new: &NewRun, added: &Added) -> Change {
    added.check()?;
    let newest = connection
        .prepare_cached(sql::NEWEST_STATUS)?
        .query_row([&new.handler], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    if newest.as_ref().is_some_and(|(_, status)| status == "running") || connection.prepare_cached(sql::KEY)?.exists([&new.run])? {
        return Err(Error::AlreadyRunning.into());
    }
    free(connection, new.idempotency.as_ref())?;
    if let Some((key, _)) = newest {
        connection.prepare_cached(sql::NOT_NEWEST)?.execute([key])?;
    }
    let definition = definition(connection, &new.definition)?;
    let Standing { updated_at, wake, waiting, queue, .. } = &new.standing;
    connection.prepare_cached(sql::CREATE)?.execute(params![
        new.key.0,
        new.run,
        new.handler,
        new.workflow,
        definition,
        number(new.started_at),
        number(*updated_at),
        new.host.0,
        wake.at.map(number),
        wake.alive.map(number),
        waiting,
        queue,
        new.preview
    ])?;
    remember(connection, new.idempotency.as_ref(), new.key)?;
    add(connection, new.key, added)
}

/// The key of a list of digests; the same for all runs that are pinned to it.
fn definition(connection: &Connection, digests: &[String]) -> rusqlite::Result<i64> {
    let joined = digests.join(" ");
    let known = connection.prepare_cached(sql::DEFINITION)?.query_row([&joined], |row| row.get(0)).optional()?;
    if let Some(key) = known {
        return Ok(key);
    }
    let key = connection.prepare_cached(sql::ADD_DEFINITION)?.insert([&joined])?;
    for digest in digests {
        connection.prepare_cached(sql::ADD_PART)?.execute(params![digest, key])?;
    }
    Ok(key)
}

/// Adds to a run: its own row from one, what belongs to it from the other. Answers the run's id.
pub(super) fn append(connection: &Connection, append: &Append, added: &Added) -> Change<String> {
    added.check()?;
    let run = append.run;
    let (id, owned, generation, seq) = connection
        .prepare_cached(sql::STANDING)?
        .query_row([run.0], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?.is_some(), row.get::<_, u64>(2)?, row.get::<_, u64>(3)?))
        })
        .optional()?
        .ok_or(Error::Gone)?;
    // Who has left a run, or ended it, is its owner no more.
    if !owned || (generation, seq) != (append.generation, append.expected_seq) {
        return Err(Error::Stale.into());
    }
    if let Some((command, _)) = &append.answer
        && !inbox::is_open(connection, *command)?
    {
        return Err(Error::Stale.into());
    }
    free(connection, append.idempotency.as_ref())?;
    remember(connection, append.idempotency.as_ref(), run)?;
    if let Some((command, answer)) = &append.answer {
        inbox::answer(connection, *command, answer)?;
    }
    let Standing { updated_at, wake, waiting, queue, .. } = &append.standing;
    let next = added.entries.as_ref().map_or(seq, |(last, _)| last + 1);
    connection.prepare_cached(sql::APPENDED)?.execute(params![
        run.0,
        next,
        number(*updated_at),
        wake.at.map(number),
        wake.alive.map(number),
        waiting,
        queue
    ])?;
    add(connection, run, added)?;
    Ok(id)
}

pub(super) fn log(connection: &Connection, run: RunKey, added: &Added) -> Change {
    added.check()?;
    let there = connection.prepare_cached(sql::STANDING)?.exists([run.0])?;
    if there { add(connection, run, added) } else { Ok(()) }
}

fn add(connection: &Connection, run: RunKey, added: &Added) -> Change {
    let row = |statement: &str, last: u64, text: &Text, by| -> rusqlite::Result<()> {
        let holes = blobs::keep(connection, run, text, by)?;
        connection.prepare_cached(statement)?.execute(params![run.0, last, text.bytes, holes]).map(drop)
    };
    if let Some((last, text)) = &added.entries {
        row(sql::ADD_ENTRIES, *last, text, Use::Run)?;
    }
    if let Some((last, text)) = &added.frames {
        row(sql::ADD_FRAMES, *last, text, Use::Run)?;
    }
    if let Some(text) = &added.lines {
        let holes = blobs::keep(connection, run, text, Use::Run)?;
        connection.prepare_cached(sql::ADD_LINES)?.execute(params![run.0, text.bytes, holes])?;
    }
    if let Some((seq, text)) = &added.snapshot {
        blobs::forget_snapshot(connection, run)?;
        row(sql::PUT_SNAPSHOT, *seq, text, Use::Snapshot)?;
    }
    added.ending.as_ref().map_or(Ok(()), |ending| end(connection, run, ending).map_err(Failure::from))
}

fn end(connection: &Connection, run: RunKey, ending: &Ending) -> rusqlite::Result<()> {
    let Ending { status, at, preview, outcome, state } = ending;
    connection.prepare_cached(sql::ENDED)?.execute(params![run.0, status, number(*at), preview])?;
    let outcome_holes = match outcome {
        Some(outcome) => blobs::keep(connection, run, outcome, Use::Run)?,
        None => None,
    };
    let state_holes = blobs::keep(connection, run, state, Use::Run)?;
    let outcome = outcome.as_ref().map(|it| &it.bytes);
    connection.prepare_cached(sql::ADD_ENDING)?.execute(params![run.0, outcome, outcome_holes, state.bytes, state_holes])?;
    Ok(())
}

/// Refuses a key that is there.
fn free(connection: &Connection, row: Option<&IdempotencyRow>) -> Change {
    let Some(row) = row else { return Ok(()) };
    let taken = connection.prepare_cached(sql::REMEMBERED)?.exists([&row.scope, &row.key])?;
    if taken { Err(Error::KeyTaken.into()) } else { Ok(()) }
}

fn remember(connection: &Connection, row: Option<&IdempotencyRow>, run: RunKey) -> rusqlite::Result<()> {
    let Some(row) = row else { return Ok(()) };
    let (made_run, made_event) = match &row.made {
        Made::Run(run) => (Some(run), None),
        Made::Event(event) => (None, Some(event)),
    };
    let values = params![row.scope, row.key, row.body, run.0, made_run, made_event];
    connection.prepare_cached(sql::REMEMBER)?.execute(values).map(drop)
}

pub(super) fn put_component(connection: &Connection, digest: &str, bytes: &Bytes, manifest: &str) -> Change {
    connection.prepare_cached(sql::PUT_COMPONENT)?.execute(params![digest, manifest, &bytes[..]])?;
    Ok(())
}
