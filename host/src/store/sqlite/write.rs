//! The changes, each within a savepoint of the writer's transaction.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::value::RawValue;
use wf_engine::entry::Micros;

use crate::store::rows::{Append, Ended, EntryRow, Expiry, FrameRow, IdempotencyRow, LogRow, Made, NewRun, RunKey, Status};
use crate::store::{Error, Result};

pub(super) fn create(connection: &Connection, new: &NewRun) -> Result<(RunKey, u64)> {
    let running = "select 1 from run where handler = ?1 and status = 'running'";
    if connection.prepare_cached(running)?.exists([&new.handler])? {
        return Err(Error::AlreadyRunning);
    }
    let insert = "insert into run (id, handler, workflow, definition, status, started_at, updated_at, generation, next_seq) \
                  values (?1, ?2, ?3, ?4, 'running', ?5, ?5, 1, 1)";
    let definition = new.definition.join(" ");
    connection.prepare_cached(insert)?.execute(params![new.run, new.handler, new.workflow, definition, new.started_at])?;
    let key = RunKey(connection.last_insert_rowid());
    remember(connection, new.idempotency.as_ref(), key)?;
    entries(connection, key, 0, std::slice::from_ref(&new.entry))?;
    frames(connection, key, &new.frames)?;
    if let Some(ended) = &new.ended {
        end(connection, key, ended)?;
    }
    Ok((key, 1))
}

pub(super) fn acquire(connection: &Connection, key: RunKey) -> Result<u64> {
    let update = "update run set generation = generation + 1 where key = ?1 returning generation";
    connection.prepare_cached(update)?.query_row([key.0], |row| row.get(0)).optional()?.ok_or(Error::Gone)
}

pub(super) fn append(connection: &Connection, append: &Append) -> Result<()> {
    let expected = connection
        .prepare_cached("select generation, next_seq from run where key = ?1")?
        .query_row([append.run.0], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)))
        .optional()?
        .ok_or(Error::Gone)?;
    if expected != (append.generation, append.expected_seq) {
        return Err(Error::Stale);
    }
    remember(connection, append.idempotency.as_ref(), append.run)?;
    entries(connection, append.run, append.expected_seq, &append.entries)?;
    frames(connection, append.run, &append.frames)?;
    append.logs.iter().try_for_each(|line| log(connection, append.run, line))?;
    let next = append.expected_seq + append.entries.len() as u64;
    let update = "update run set next_seq = ?2, updated_at = ?3 where key = ?1";
    connection.prepare_cached(update)?.execute(params![append.run.0, next, append.updated_at])?;
    match &append.ended {
        Some(ended) => end(connection, append.run, ended),
        None => Ok(()),
    }
}

fn end(connection: &Connection, run: RunKey, ended: &Ended) -> Result<()> {
    let outcome: Option<&[u8]> = match &ended.status {
        Status::Completed(result) => Some(result),
        Status::Failed(message) => Some(message.as_bytes()),
        Status::Running | Status::Cancelled => None,
    };
    let update = "update run set status = ?2, outcome = ?3, completed_at = ?4 where key = ?1";
    connection.prepare_cached(update)?.execute(params![run.0, ended.status.text(), outcome, ended.at])?;
    Ok(())
}

fn entries(connection: &Connection, run: RunKey, seq: u64, entries: &[EntryRow]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let texts: Vec<&[u8]> = entries.iter().map(|entry| entry.bytes.as_slice()).collect();
    let array = [b"[", texts.join(&b","[..]).as_slice(), b"]"].concat();
    connection.prepare_cached("insert into journal (run, seq, entries) values (?1, ?2, ?3)")?.execute(params![run.0, seq, array])?;
    Ok(())
}

fn frames(connection: &Connection, run: RunKey, frames: &[FrameRow]) -> Result<()> {
    let Some(last) = frames.last() else { return Ok(()) };
    let rows: Result<Vec<(u64, u8, &RawValue)>> = frames.iter().map(frame).collect();
    let array = serde_json::to_vec(&rows?).map_err(|error| Error::Unavailable(error.to_string()))?;
    connection.prepare_cached("insert into stream (run, last, frames) values (?1, ?2, ?3)")?.execute(params![
        run.0,
        last.sequence,
        array
    ])?;
    Ok(())
}

fn frame(frame: &FrameRow) -> Result<(u64, u8, &RawValue)> {
    let envelope = serde_json::from_slice(&frame.json).map_err(|error| Error::Unavailable(format!("an envelope is no JSON: {error}")))?;
    Ok((frame.sequence, u8::from(frame.internal) | u8::from(frame.terminal) << 1, envelope))
}

fn log(connection: &Connection, run: RunKey, line: &LogRow) -> Result<()> {
    let insert = "insert or ignore into log (run, invocation, attempt, source, number, at, level, message, fields) \
                  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let LogRow { invocation, attempt, source, number, at, level, message, fields } = line;
    connection.prepare_cached(insert)?.execute(params![run.0, invocation, attempt, source, number, at, level, message, fields])?;
    Ok(())
}

fn remember(connection: &Connection, row: Option<&IdempotencyRow>, run: RunKey) -> Result<()> {
    let Some(row) = row else { return Ok(()) };
    let (made_run, made_event) = match &row.made {
        Made::Run(run) => (Some(run), None),
        Made::Event(event) => (None, Some(event)),
    };
    let insert = "insert or ignore into idempotency (scope, key, body, run, made_run, made_event) values (?1, ?2, ?3, ?4, ?5, ?6)";
    let inserted = connection.prepare_cached(insert)?.execute(params![row.scope, row.key, row.body, run.0, made_run, made_event])?;
    if inserted == 1 { Ok(()) } else { Err(Error::KeyTaken) }
}

pub(super) fn purge(connection: &Connection, handler: &str) -> Result<()> {
    for table in ["journal", "stream", "log", "idempotency"] {
        let delete = format!("delete from {table} where run in (select key from run where handler = ?1)");
        connection.prepare_cached(&delete)?.execute([handler])?;
    }
    connection.prepare_cached("delete from run where handler = ?1")?.execute([handler])?;
    Ok(())
}

pub(super) fn expire(connection: &Connection, expiry: &Expiry) -> Result<usize> {
    let select = "select handler from run where completed_at < ?1 and (?2 is null or workflow = ?2) \
                  and workflow not in (select value from json_each(?3)) \
                  and not exists (select 1 from run newer where newer.handler = run.handler and newer.key > run.key) \
                  order by completed_at limit ?4";
    let except = serde_json::to_string(&expiry.except).unwrap_or_default();
    let handlers: rusqlite::Result<Vec<String>> = connection
        .prepare_cached(select)?
        .query_map(params![expiry.before, expiry.workflow, except, expiry.max], |row| row.get(0))?
        .collect();
    let handlers = handlers?;
    handlers.iter().try_for_each(|handler| purge(connection, handler))?;
    Ok(handlers.len())
}

pub(super) fn drop_components(connection: &Connection, keep: &[String]) -> Result<usize> {
    let delete = "delete from component where digest not in (select value from json_each(?1)) \
                  and not exists (select 1 from run where instr(definition, component.digest) > 0)";
    let keep = serde_json::to_string(keep).unwrap_or_default();
    Ok(connection.prepare_cached(delete)?.execute([keep])?)
}

pub(super) fn put_component(connection: &Connection, digest: &str, bytes: &Bytes, manifest: &str) -> Result<()> {
    let insert = "insert or ignore into component (digest, manifest, bytes) values (?1, ?2, ?3)";
    connection.prepare_cached(insert)?.execute(params![digest, manifest, &bytes[..]])?;
    Ok(())
}

pub(super) fn save_alive(connection: &Connection, alive: Micros) -> Result<()> {
    let save = "insert into host (key, value) values ('alive', ?1) on conflict do update set value = max(value, excluded.value)";
    connection.prepare_cached(save)?.execute([alive])?;
    Ok(())
}

pub(super) fn take_planned(connection: &Connection) -> Result<bool> {
    Ok(connection.execute("delete from host where key = 'planned'", [])? > 0)
}

pub(super) fn mark_planned(connection: &Connection) -> Result<()> {
    connection.execute("insert or ignore into host (key, value) values ('planned', 1)", [])?;
    Ok(())
}
