//! What goes. A run's own row goes at once, and nobody finds it any more; its other rows go
//! after it, in steps, so that nobody waits for long: see `tidy`.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};
use wf_engine::entry::Micros;

use super::blobs;
use super::change::{Allowance, Change, number};
use super::examine::space;
use super::statements as sql;
use crate::store::rows::{Expiry, Finished, Purged, RunKey};
use crate::store::{Error, Result};

pub(super) fn purge(connection: &Connection, handler: &str, running_too: bool) -> Change<Purged> {
    let newest = connection.prepare_cached(sql::NEWEST_STATUS)?.query_row([handler], |row| row.get::<_, String>(1)).optional()?;
    if newest.is_some_and(|status| status == "running") && !running_too {
        return Err(Error::AlreadyRunning.into());
    }
    Ok(Purged { runs: delete(connection, handler)? })
}

pub(super) fn delete(connection: &Connection, handler: &str) -> rusqlite::Result<Vec<String>> {
    let runs: rusqlite::Result<Vec<(i64, String)>> =
        connection.prepare_cached(sql::RUNS_OF)?.query_map([handler], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
    let mut ids = Vec::new();
    for (key, id) in runs? {
        for statement in [sql::FORGET_KEYS, sql::FORGET_COMMANDS, sql::DELETE_RUN, sql::DELETED] {
            connection.prepare_cached(statement)?.execute([key])?;
        }
        ids.push(id);
    }
    Ok(ids)
}

pub(super) fn over(connection: &Connection, workflow: &str, after: Option<Finished>, limit: usize, sized: bool) -> Result<Vec<Finished>> {
    let (at, key) = after.map_or((i64::MAX, i64::MAX), |after| (number(after.at), after.run.0));
    let mut statement = connection.prepare_cached(sql::OVER_DOWN)?;
    let mut found = statement.query(params![workflow, at, key, number(limit)])?;
    let mut over = Vec::new();
    while let Some(row) = found.next()? {
        let bytes = if sized { size(connection, &row.get::<_, String>(2)?)? } else { 0 };
        over.push(Finished { at: row.get(0)?, run: RunKey(row.get(1)?), bytes });
    }
    Ok(over)
}

/// What the runs of a handler hold.
fn size(connection: &Connection, handler: &str) -> rusqlite::Result<u64> {
    let runs: rusqlite::Result<Vec<i64>> = connection.prepare_cached(sql::RUNS_OF)?.query_map([handler], |row| row.get(0))?.collect();
    runs?.into_iter().map(|run| space::of_run(connection, RunKey(run))).sum()
}

/// Answers how many handlers, and the runs.
pub(super) fn expire(connection: &Connection, expiry: &Expiry) -> Change<(usize, Purged)> {
    let workflows = match &expiry.workflow {
        Some(workflow) => vec![workflow.clone()],
        None => workflows(connection)?,
    };
    let mut over: Vec<(Micros, String)> = Vec::new();
    for workflow in workflows.iter().filter(|it| !expiry.except.contains(it)) {
        let mut statement = connection.prepare_cached(sql::OVER)?;
        for row in
            statement.query_map(params![workflow, number(expiry.before), number(expiry.max)], |row| Ok((row.get(0)?, row.get(1)?)))?
        {
            over.push(row?);
        }
    }
    over.sort();
    over.truncate(expiry.max);
    let mut purged = Purged::default();
    for (_, handler) in &over {
        purged.runs.extend(delete(connection, handler)?);
    }
    Ok((over.len(), purged))
}

/// Those of runs that have ended: from each to the next, not through all runs.
fn workflows(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut workflows: Vec<String> = Vec::new();
    let mut last = String::new();
    while let Some(next) = connection.prepare_cached(sql::NEXT_WORKFLOW)?.query_row([&last], |row| row.get::<_, Option<String>>(0))? {
        workflows.push(next.clone());
        last = next;
    }
    Ok(workflows)
}

/// Deletes rows of runs that were deleted, for as long as an allowance lasts. Says whether more are left.
pub(super) fn sweep(connection: &Connection, mut allowance: Allowance) -> rusqlite::Result<bool> {
    loop {
        let run: Option<i64> = connection.prepare_cached(sql::NEXT_DELETED)?.query_row([], |row| row.get(0))?;
        let Some(run) = run else { return Ok(false) };
        rows(connection, [sql::ENTRIES_OF, sql::DELETE_ENTRIES], run, &mut allowance)?;
        rows(connection, [sql::FRAMES_OF, sql::DELETE_FRAMES], run, &mut allowance)?;
        rows(connection, [sql::LINES_OF, sql::DELETE_LINES], run, &mut allowance)?;
        rows(connection, [sql::SNAPSHOTS_OF, sql::DELETE_SNAPSHOTS], run, &mut allowance)?;
        blobs::forget_run(connection, RunKey(run), &mut allowance)?;
        if !allowance.take(0) {
            return Ok(true);
        }
        for statement in [sql::FORGET_FIRST, sql::DELETE_ENDING, sql::DELETED_ALL] {
            connection.prepare_cached(statement)?.execute([run])?;
        }
    }
}

fn rows(connection: &Connection, [select, delete]: [&str; 2], run: i64, allowance: &mut Allowance) -> rusqlite::Result<()> {
    let rows: rusqlite::Result<Vec<(i64, usize)>> =
        connection.prepare_cached(select)?.query_map(params![run, allowance.left()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
    for (key, _) in rows?.into_iter().take_while(|(_, size)| allowance.take(*size)) {
        connection.prepare_cached(delete)?.execute([key])?;
    }
    Ok(())
}

pub(super) fn drop_components(connection: &Connection, keep: &[String]) -> Change<usize> {
    let unused: rusqlite::Result<Vec<(i64, String)>> =
        connection.prepare_cached(sql::UNUSED_DEFINITIONS)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
    let keep: HashSet<&String> = keep.iter().collect();
    let digests: rusqlite::Result<Vec<String>> = connection.prepare_cached(sql::COMPONENTS)?.query_map([], |row| row.get(0))?.collect();
    let mut dropped = 0;
    for digest in digests?.iter().filter(|it| !keep.contains(it)) {
        if !connection.prepare_cached(sql::NEEDED)?.exists([digest])? {
            dropped += connection.prepare_cached(sql::DELETE_COMPONENT)?.execute([digest])?;
        }
    }
    for (definition, digests) in unused? {
        for digest in digests.split_whitespace() {
            connection.prepare_cached(sql::DELETE_PART)?.execute(params![digest, definition])?;
        }
        connection.prepare_cached(sql::DELETE_DEFINITION)?.execute([definition])?;
    }
    if dropped > 0 {
        // What it took is given back as that of a run is. This is none.
        connection.prepare_cached(sql::DELETED)?.execute([0])?;
    }
    Ok(dropped)
}
