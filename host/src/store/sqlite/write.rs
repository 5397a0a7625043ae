//! Changes of a run. Each reads before it writes: one that is refused has written nothing.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::added::{Added, Ending};
use super::blobs;
use super::change::{Change, Failure, number};
use super::inbox;
use super::seal;
use super::statements as sql;
use super::text::Text;
use super::turns;
use crate::store::Error;
use crate::store::rows::{Append, Created, Follows, IdempotencyRow, Made, NewRun, RunKey, Standing};

pub(super) fn create(connection: &Connection, new: &NewRun, added: &Added) -> Change<Created> {
    added.check()?;
    let newest = connection
        .prepare_cached(sql::NEWEST_STATUS)?
        .query_row([&new.handler], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let follows = match new.follows {
        Follows::Any => true,
        Follows::None => newest.is_none(),
        Follows::Run(run) => newest.as_ref().is_some_and(|(key, _)| *key == run.0),
    };
    let runs = newest.as_ref().is_some_and(|(_, status)| status == "running");
    if runs || !follows || connection.prepare_cached(sql::KEY)?.exists([&new.run])? {
        return Err(Error::AlreadyRunning.into());
    }
    free(connection, new.idempotency.as_ref())?;
    if let Some((key, _)) = newest {
        connection.prepare_cached(sql::NOT_NEWEST)?.execute([key])?;
    }
    let definition = definition(connection, &new.definition)?;
    let queues = match new.runs_max {
        Some(max) if added.ending.is_none() => turns::must_queue(connection, &new.workflow, max)?,
        _ => false,
    };
    let next = added.entries.last().map_or(0, |(last, _)| last + 1);
    let Standing { updated_at, wake, waiting, .. } = &new.standing;
    let ending = added.ending.as_ref();
    let goes_on = !queues && ending.is_none();
    connection.prepare_cached(sql::CREATE)?.execute(params![
        new.key.0,
        new.run,
        new.handler,
        new.workflow,
        definition,
        ending.map_or("running", |it| it.status),
        number(new.started_at),
        number(*updated_at),
        goes_on.then_some(new.host.0),
        if queues { 0 } else { next },
        wake.at.filter(|_| goes_on).map(number),
        wake.alive.filter(|_| goes_on).map(number),
        waiting.as_ref().filter(|_| goes_on),
        queues.then_some(&new.workflow),
        new.preview,
        ending.map(|it| number(it.at)),
        ending.and_then(|it| it.preview.as_ref())
    ])?;
    remember(connection, new.idempotency.as_ref(), new.key)?;
    if queues {
        turns::keep(connection, new.key, added)?;
        add(connection, new.key, &[], &added.frames[..added.copied], added)?;
        return Ok(Created::Queued);
    }
    add(connection, new.key, &added.entries, &added.frames, added)?;
    Ok(Created::Begun)
}

/// The key of a list of digests; the same for all runs that are pinned to it.
pub(super) fn definition(connection: &Connection, digests: &[String]) -> rusqlite::Result<i64> {
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
    if seq == 0 {
        turns::begin(connection, run, append.standing.updated_at)?;
    }
    add_to(connection, run, append, added)?;
    Ok(id)
}

/// Adds to a run, whoever owns it.
pub(super) fn add_to(connection: &Connection, run: RunKey, append: &Append, added: &Added) -> Change {
    let Standing { updated_at, wake, waiting, .. } = &append.standing;
    let next = added.entries.last().map_or(append.expected_seq, |(last, _)| last + 1);
    match &added.ending {
        Some(ending) => ended(connection, run, next, *updated_at, ending)?,
        None => {
            let (at, alive) = (wake.at.map(number), wake.alive.map(number));
            connection.prepare_cached(sql::APPENDED)?.execute(params![run.0, next, number(*updated_at), at, alive])?;
            // Where it is what it was, nothing is written: that would touch the lists that it is in.
            connection.prepare_cached(sql::WAITS)?.execute(params![run.0, waiting])?;
        }
    }
    add(connection, run, &added.entries, &added.frames, added)
}

pub(super) fn log(connection: &Connection, run: RunKey, added: &Added) -> Change {
    added.check()?;
    let there = connection.prepare_cached(sql::STANDING)?.exists([run.0])?;
    if there { add(connection, run, &added.entries, &added.frames, added) } else { Ok(()) }
}

/// Adds these rows of entries and frames, and all that is added beside them.
fn add(connection: &Connection, run: RunKey, entries: &[(u64, Text)], frames: &[(u64, Text)], added: &Added) -> Change {
    let row = |statement: &str, last: u64, text: &Text| -> rusqlite::Result<()> {
        let holes = blobs::keep(connection, run, text)?;
        let seal = seal::of_text(&[run.0, number(last)], &text.bytes, holes.as_deref());
        connection.prepare_cached(statement)?.execute(params![run.0, last, text.bytes, holes, seal]).map(drop)
    };
    for (last, text) in entries {
        row(sql::ADD_ENTRIES, *last, text)?;
    }
    for (last, text) in frames {
        row(sql::ADD_FRAMES, *last, text)?;
    }
    if let Some(text) = &added.lines {
        let holes = blobs::keep(connection, run, text)?;
        let seal = seal::of_text(&[run.0], &text.bytes, holes.as_deref());
        connection.prepare_cached(sql::ADD_LINES)?.execute(params![run.0, text.bytes, holes, seal])?;
    }
    if let Some((seq, text)) = &added.snapshot {
        row(sql::ADD_SNAPSHOT, *seq, text)?;
    }
    added.ending.as_ref().map_or(Ok(()), |ending| add_ending(connection, run, ending).map_err(Failure::from))
}

/// The row of a run that has ended.
fn ended(connection: &Connection, run: RunKey, next: u64, updated_at: u64, ending: &Ending) -> rusqlite::Result<()> {
    let Ending { status, at, preview, .. } = ending;
    let values = params![run.0, next, number(updated_at), status, number(*at), preview];
    connection.prepare_cached(sql::ENDED)?.execute(values).map(drop)
}

fn add_ending(connection: &Connection, run: RunKey, ending: &Ending) -> rusqlite::Result<()> {
    let Ending { outcome, state, .. } = ending;
    let outcome_holes = match outcome {
        Some(outcome) => blobs::keep(connection, run, outcome)?,
        None => None,
    };
    let state_holes = blobs::keep(connection, run, state)?;
    let outcome = outcome.as_ref().map(|it| &it.bytes[..]);
    let seal = seal::of_ending(run.0, [outcome, Some(&state.bytes)], [outcome_holes.as_deref(), state_holes.as_deref()]);
    connection.prepare_cached(sql::ADD_ENDING)?.execute(params![run.0, outcome, outcome_holes, state.bytes, state_holes, seal])?;
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
    let seal = seal::of_key(&row.scope, &row.key, &row.body, run.0, [made_run, made_event].map(|made| made.map(String::as_str)));
    let values = params![row.scope, row.key, row.body, run.0, made_run, made_event, seal];
    connection.prepare_cached(sql::REMEMBER)?.execute(values).map(drop)
}

pub(super) fn put_component(connection: &Connection, digest: &str, bytes: &Bytes, manifest: &str) -> Change {
    connection.prepare_cached(sql::PUT_COMPONENT)?.execute(params![
        digest,
        manifest,
        &bytes[..],
        seal::seal(&[Some(manifest.as_bytes())])
    ])?;
    Ok(())
}
