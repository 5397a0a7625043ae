//! Runs as others see them, one and many.
//!
//! A list is a union over what is wanted: for each status and workflow the keys come from an
//! index in their order, and are merged. So nothing is looked at that is not in the list.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, params};

use super::blobs::Stored;
use super::change::number;
use super::statements as sql;
use crate::store::rows::{HandlersQuery, LIST_BYTES_MAX, RunKey, RunSummary, RunsPage, RunsQuery, SEARCH_MAX, Status};
use crate::store::{Error, Result, forked_from};

/// Every status, for whoever asks for all.
const STATUSES: [&str; 4] = ["running", "completed", "failed", "cancelled"];
/// Keys that a search fetches at once.
const SEARCH_STEP: usize = 500;

pub(super) fn run(connection: &Connection, run: &str) -> Result<Option<RunSummary>> {
    one(connection, sql::RUN, run)
}

pub(super) fn handler(connection: &Connection, handler: &str) -> Result<Option<RunSummary>> {
    one(connection, sql::NEWEST, handler)
}

fn one(connection: &Connection, statement: &str, value: impl rusqlite::ToSql) -> Result<Option<RunSummary>> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query([value])?;
    rows.next()?.map(|row| summary(connection, row)).transpose()
}

fn summary(connection: &Connection, row: &Row) -> Result<RunSummary> {
    let outcome = || Stored::maybe(row, 13)?.map_or(Ok(Vec::new()), |outcome| outcome.whole(connection));
    let status = match row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)? {
        "running" => Status::Running,
        "completed" => Status::Completed(outcome()?.into()),
        "failed" => Status::Failed(String::from_utf8(outcome()?).map_err(super::blobs::unreadable)?),
        "cancelled" => Status::Cancelled,
        other => return Err(Error::Damaged(format!("a run is `{other}`"))),
    };
    Ok(RunSummary {
        key: RunKey(row.get(0)?),
        run: row.get(1)?,
        handler: row.get(2)?,
        workflow: row.get(3)?,
        definition: row.get::<_, String>(4)?.split_whitespace().map(str::to_owned).collect(),
        status,
        started_at: row.get(6)?,
        updated_at: row.get(7)?,
        completed_at: row.get(8)?,
        preview: row.get(9)?,
        result_preview: row.get(10)?,
        waiting: row.get(11)?,
        queue: row.get(12)?,
        origin: row.get::<_, Option<String>>(15)?.as_deref().and_then(forked_from).map(str::to_owned),
    })
}

pub(super) fn handlers(connection: &Connection, query: &HandlersQuery) -> Result<Vec<RunSummary>> {
    let after = query.after.map_or(i64::MIN, |key| key.0);
    let wanted = Wanted { newest: &[1], status: &query.status, workflow: &query.workflow };
    let keys = wanted.keys(connection, [sql::KEYS_UP, sql::KEYS_UP_OF], after, query.limit)?;
    let (mut runs, mut size) = (Vec::new(), 0);
    for key in keys {
        if size >= LIST_BYTES_MAX {
            break;
        }
        if let Some(run) = one(connection, sql::RUN_BY_KEY, key)? {
            size += run.status.size();
            runs.push(run);
        }
    }
    Ok(runs)
}

pub(super) fn runs(connection: &Connection, query: &RunsQuery) -> Result<RunsPage> {
    let wanted = Wanted { newest: &[0, 1], status: &query.status, workflow: &query.workflow };
    let mut page = RunsPage { runs: Vec::new(), next: None };
    let mut before = query.before.map_or(i64::MAX, |key| key.0);
    let (mut looked_at, mut size) = (0, 0);
    loop {
        let step = if query.search.is_some() { SEARCH_STEP } else { query.limit.saturating_add(1) };
        let keys = wanted.keys(connection, [sql::KEYS_DOWN, sql::KEYS_DOWN_OF], before, step)?;
        let more = keys.len() == step;
        for key in keys {
            if let Some(text) = &query.search
                && !connection.prepare_cached(sql::SEARCHED)?.query_row(params![key, text], |row| row.get::<_, bool>(0))?
            {
                before = key;
                continue;
            }
            if page.runs.len() == query.limit || size >= LIST_BYTES_MAX {
                page.next = Some(RunKey(before));
                return Ok(page);
            }
            if let Some(run) = one(connection, sql::RUN_BY_KEY, key)? {
                size += run.status.size();
                page.runs.push(run);
            }
            before = key;
        }
        looked_at += step;
        if !more {
            return Ok(page);
        }
        if looked_at >= SEARCH_MAX {
            page.next = Some(RunKey(before));
            return Ok(page);
        }
    }
}

pub(super) fn made(connection: &Connection, scope: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(sql::MADE)?;
    Ok(statement.query_map([scope], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// From each to the next, not through all runs.
pub(super) fn workflows(connection: &Connection) -> Result<Vec<String>> {
    let mut workflows = BTreeSet::new();
    for newest in [0, 1] {
        let mut last = String::new();
        let mut statement = connection.prepare_cached(sql::NEXT_NAME)?;
        while let Some(next) = statement.query_row(params![newest, last], |row| row.get::<_, Option<String>>(0))? {
            workflows.insert(next.clone());
            last = next;
        }
    }
    Ok(workflows.into_iter().collect())
}

/// What is in a list. Empty lists: whatever there is.
struct Wanted<'a> {
    newest: &'a [i64],
    status: &'a [String],
    workflow: &'a [String],
}

impl Wanted<'_> {
    /// The first of the keys after a place, in the order of the statements: one for runs of any
    /// workflow, one for those of a certain one.
    fn keys(&self, connection: &Connection, [of_any, of_one]: [&str; 2], from: i64, limit: usize) -> Result<Vec<i64>> {
        let statuses: Vec<&str> = match self.status {
            [] => STATUSES.to_vec(),
            some => some.iter().map(String::as_str).collect(),
        };
        let mut keys: Vec<i64> = Vec::new();
        for newest in self.newest {
            for status in &statuses {
                if self.workflow.is_empty() {
                    let mut statement = connection.prepare_cached(of_any)?;
                    for key in statement.query_map(params![newest, status, from, number(limit)], |row| row.get(0))? {
                        keys.push(key?);
                    }
                }
                for workflow in self.workflow {
                    let mut statement = connection.prepare_cached(of_one)?;
                    for key in statement.query_map(params![newest, status, from, number(limit), workflow], |row| row.get(0))? {
                        keys.push(key?);
                    }
                }
            }
        }
        keys.sort_unstable();
        // The same status or workflow, twice.
        keys.dedup();
        if of_any == sql::KEYS_DOWN {
            keys.reverse();
        }
        keys.truncate(limit);
        Ok(keys)
    }
}
