//! The questions.

use bytes::Bytes;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::value::RawValue;
use wf_engine::entry::Micros;

use crate::store::rows::{EntryRow, FrameRow, HandlersQuery, IdempotencyRow, LogRow, Made, RunKey, RunSummary, RunsQuery, Status};

const COLUMNS: &str = "key, id, handler, workflow, definition, status, outcome, started_at, updated_at, completed_at";

fn summary(row: &Row) -> Result<RunSummary> {
    let status: String = row.get(5)?;
    let outcome = || row.get::<_, Option<Vec<u8>>>(6).map(Option::unwrap_or_default);
    let status = match status.as_str() {
        "running" => Status::Running,
        "completed" => Status::Completed(outcome()?.into()),
        "failed" => Status::Failed(String::from_utf8_lossy(&outcome()?).into_owned()),
        _ => Status::Cancelled,
    };
    Ok(RunSummary {
        key: RunKey(row.get(0)?),
        run: row.get(1)?,
        handler: row.get(2)?,
        workflow: row.get(3)?,
        definition: row.get::<_, String>(4)?.split_whitespace().map(str::to_owned).collect(),
        status,
        started_at: row.get(7)?,
        updated_at: row.get(8)?,
        completed_at: row.get(9)?,
    })
}

pub(super) fn run(connection: &Connection, run: &str) -> Result<Option<RunSummary>> {
    connection.prepare_cached(&format!("select {COLUMNS} from run where id = ?1"))?.query_row([run], summary).optional()
}

pub(super) fn handler(connection: &Connection, handler: &str) -> Result<Option<RunSummary>> {
    let newest = format!("select {COLUMNS} from run where handler = ?1 order by key desc limit 1");
    connection.prepare_cached(&newest)?.query_row([handler], summary).optional()
}

pub(super) fn handlers(connection: &Connection, query: &HandlersQuery) -> Result<Vec<RunSummary>> {
    let after = match &query.after {
        Some(after) => handler(connection, after)?.map_or(i64::MAX, |run| run.key.0),
        None => 0,
    };
    let newest = format!(
        "select {COLUMNS} from run where key > ?1 \
         and not exists (select 1 from run newer where newer.handler = run.handler and newer.key > run.key) order by key"
    );
    let mut statement = connection.prepare_cached(&newest)?;
    let runs = statement.query_map([after], summary)?;
    let matching = runs.filter(|run| run.as_ref().map_or(true, |run| query.matches(run)));
    matching.take(query.limit.unwrap_or(usize::MAX)).collect()
}

pub(super) fn runs(connection: &Connection, query: &RunsQuery) -> Result<Vec<RunSummary>> {
    let select = format!(
        "select {COLUMNS} from run where key < ?1 \
         and (?2 = '[]' or status in (select value from json_each(?2))) \
         and (?3 = '[]' or workflow in (select value from json_each(?3))) \
         and (?4 is null or instr(id, ?4) > 0 or instr(handler, ?4) > 0) order by key desc limit ?5"
    );
    let json = |names: &[String]| serde_json::to_string(names).unwrap_or_default();
    let before = query.before.map_or(i64::MAX, |key| key.0);
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&select)?;
    statement.query_map(params![before, json(&query.status), json(&query.workflow), query.search, limit], summary)?.collect()
}

pub(super) fn unfinished(connection: &Connection) -> Result<Vec<String>> {
    connection.prepare_cached("select id from run where status = 'running' order by key")?.query_map([], |row| row.get(0))?.collect()
}

pub(super) fn journal(connection: &Connection, key: RunKey) -> Result<Vec<EntryRow>> {
    let mut statement = connection.prepare_cached("select seq, entries from journal where run = ?1 order by seq")?;
    let mut rows = statement.query([key.0])?;
    let mut journal = Vec::new();
    while let Some(row) = rows.next()? {
        let first: u64 = row.get(0)?;
        let entries = array::<Box<RawValue>>(row.get_ref(1)?.as_blob()?, 1)?;
        journal.extend((first..).zip(entries).map(|(seq, entry)| EntryRow { seq, bytes: entry.get().as_bytes().to_vec() }));
    }
    Ok(journal)
}

pub(super) fn frames(connection: &Connection, run: &str, after: i64, limit: usize) -> Result<Vec<FrameRow>> {
    let select = "select frames from stream where run = (select key from run where id = ?1) and last > ?2 order by last";
    let mut statement = connection.prepare_cached(select)?;
    let mut rows = statement.query(params![run, after])?;
    let mut frames: Vec<FrameRow> = Vec::new();
    while frames.len() < limit
        && let Some(row) = rows.next()?
    {
        let some = array::<(u64, u8, Box<RawValue>)>(row.get_ref(0)?.as_blob()?, 0)?;
        let later = some.into_iter().filter(|(sequence, ..)| i64::try_from(*sequence).is_ok_and(|it| it > after));
        frames.extend(later.map(|(sequence, flags, envelope)| FrameRow {
            sequence,
            internal: flags & 1 != 0,
            terminal: flags & 2 != 0,
            json: Bytes::copy_from_slice(envelope.get().as_bytes()),
        }));
    }
    frames.truncate(limit);
    Ok(frames)
}

fn array<T: serde::de::DeserializeOwned>(bytes: &[u8], column: usize) -> Result<Vec<T>> {
    serde_json::from_slice(bytes).map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error)))
}

pub(super) fn last_sequence(connection: &Connection, run: &str) -> Result<i64> {
    let select = "select coalesce(max(last), -1) from stream where run = (select key from run where id = ?1)";
    connection.prepare_cached(select)?.query_row([run], |row| row.get(0))
}

pub(super) fn logs(connection: &Connection, run: &str) -> Result<Vec<LogRow>> {
    let select = "select invocation, attempt, source, number, at, level, message, fields from log \
                  where run = (select key from run where id = ?1) order by invocation, attempt, source, number";
    let line = |row: &Row| {
        Ok(LogRow {
            invocation: row.get(0)?,
            attempt: row.get(1)?,
            source: row.get(2)?,
            number: row.get(3)?,
            at: row.get(4)?,
            level: row.get(5)?,
            message: row.get(6)?,
            fields: row.get(7)?,
        })
    };
    connection.prepare_cached(select)?.query_map([run], line)?.collect()
}

pub(super) fn idempotency(connection: &Connection, scope: &str, key: &str) -> Result<Option<IdempotencyRow>> {
    let select = "select body, made_run, made_event from idempotency where scope = ?1 and key = ?2";
    let found = |row: &Row| {
        let made = match row.get::<_, Option<String>>(1)? {
            Some(run) => Made::Run(run),
            None => Made::Event(row.get(2)?),
        };
        Ok(IdempotencyRow { scope: scope.to_owned(), key: key.to_owned(), body: row.get(0)?, made })
    };
    connection.prepare_cached(select)?.query_row([scope, key], found).optional()
}

pub(super) fn manifest(connection: &Connection, digest: &str) -> Result<Option<String>> {
    connection.prepare_cached("select manifest from component where digest = ?1")?.query_row([digest], |row| row.get(0)).optional()
}

pub(super) fn component(connection: &Connection, digest: &str) -> Result<Option<Bytes>> {
    let bytes = |row: &Row| row.get::<_, Vec<u8>>(0).map(Bytes::from);
    connection.prepare_cached("select bytes from component where digest = ?1")?.query_row([digest], bytes).optional()
}

pub(super) fn alive(connection: &Connection) -> Result<Micros> {
    let alive = connection.query_row("select value from host where key = 'alive'", [], |row| row.get(0)).optional()?;
    Ok(alive.unwrap_or(0))
}
