//! Runs as others see them, one and many.
//!
//! A list is a union over what is wanted: for each status and workflow the keys come from an
//! index in their order, and are merged. So nothing is looked at that is not in the list. What is listed by time, or of
//! one handler, comes from one index, and what is in its rows is looked at for the rest: so many of them at once.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::blobs::Stored;
use super::change::number;
use super::statements as sql;
use crate::model::{RunsFilter, RunsPlace};
use crate::store::rows::{HandlersQuery, LIST_BYTES_MAX, RunKey, RunSummary, RunsPage, SEARCH_MAX, Status};
use crate::store::{Error, Result, forked_from};

/// Every status, for whoever asks for all.
const STATUSES: [&str; 4] = ["running", "completed", "failed", "cancelled"];
/// Places that are fetched at once where each is looked at.
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

pub(super) fn runs(connection: &Connection, filter: &RunsFilter) -> Result<RunsPage> {
    let is_looked_at = is_looked_at(filter);
    let step = if is_looked_at { SEARCH_STEP } else { filter.limit.saturating_add(1) };
    let mut page = RunsPage { runs: Vec::new(), next: None };
    let mut last = filter.after;
    let (mut looked_at, mut size) = (0, 0);
    loop {
        let places = places(connection, filter, last, step)?;
        let more = places.len() == step;
        for place in places {
            if is_looked_at && !matches(connection, filter, place.key)? {
                last = Some(place);
                continue;
            }
            if page.runs.len() == filter.limit || size >= LIST_BYTES_MAX {
                page.next = last;
                return Ok(page);
            }
            if let Some(run) = one(connection, sql::RUN_BY_KEY, place.key)? {
                size += run.status.size();
                page.runs.push(run);
            }
            last = Some(place);
        }
        looked_at += step;
        if !more {
            return Ok(page);
        }
        if looked_at >= SEARCH_MAX {
            page.next = last;
            return Ok(page);
        }
    }
}

/// Whether its places come from an index of their own, which knows neither status nor workflow.
fn is_timed(filter: &RunsFilter) -> bool {
    filter.since.is_some() || filter.until.is_some() || filter.order != Default::default()
}

/// Whether each place is looked at: its index does not know all that is wanted.
fn is_looked_at(filter: &RunsFilter) -> bool {
    let narrows = filter.newest || !filter.status.is_empty() || !filter.workflow.is_empty();
    filter.search.is_some() || (filter.handler.is_some() || is_timed(filter)) && narrows
}

/// The next places of a list.
fn places(connection: &Connection, filter: &RunsFilter, after: Option<RunsPlace>, limit: usize) -> Result<Vec<RunsPlace>> {
    let newest: &[i64] = if filter.newest { &[1] } else { &[0, 1] };
    if filter.handler.is_none() && is_timed(filter) {
        return timed(connection, filter, after, limit);
    }
    let before = after.map_or(i64::MAX, |place| place.key);
    let keys = match &filter.handler {
        // Those of one handler are sorted by their keys whatever is asked for.
        Some(handler) => of_handler(connection, newest, handler, before, limit)?,
        None => Wanted { newest, status: &filter.status, workflow: &filter.workflow }.keys_down(connection, before, limit)?,
    };
    Ok(keys.into_iter().map(|key| RunsPlace { at: 0, key }).collect())
}

fn of_handler(connection: &Connection, newest: &[i64], handler: &str, before: i64, limit: usize) -> Result<Vec<i64>> {
    let mut keys: Vec<i64> = Vec::new();
    for newest in newest {
        let mut statement = connection.prepare_cached(sql::KEYS_OF_HANDLER)?;
        for key in statement.query_map(params![handler, newest, before, number(limit)], |row| row.get(0))? {
            keys.push(key?);
        }
    }
    keys.sort_unstable_by(|one, other| other.cmp(one));
    keys.truncate(limit);
    Ok(keys)
}

fn timed(connection: &Connection, filter: &RunsFilter, after: Option<RunsPlace>, limit: usize) -> Result<Vec<RunsPlace>> {
    let since = filter.since.map_or(i64::MIN, number);
    let until = filter.until.map_or(i64::MAX, number);
    let statement = match (filter.order.is_by_end(), filter.order.is_up()) {
        (false, false) => sql::STARTED_DOWN,
        (false, true) => sql::STARTED_UP,
        (true, false) => sql::ENDED_DOWN,
        (true, true) => sql::ENDED_UP,
    };
    let (first, other_end) = match filter.order.is_up() {
        true => (RunsPlace { at: since, key: i64::MIN }, until),
        false => (RunsPlace { at: until, key: i64::MIN }, since),
    };
    let first = after.unwrap_or(first);
    let mut statement = connection.prepare_cached(statement)?;
    let place = |row: &Row| Ok(RunsPlace { at: row.get(0)?, key: row.get(1)? });
    let places: rusqlite::Result<_> = statement.query_map(params![first.at, first.key, other_end, number(limit)], place)?.collect();
    Ok(places?)
}

/// Whether a run is wanted, by what its row says.
fn matches(connection: &Connection, filter: &RunsFilter, key: i64) -> Result<bool> {
    let mut statement = connection.prepare_cached(sql::LOOKED_AT)?;
    let values = |row: &Row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, bool>(2)?));
    let Some((status, workflow, newest)) = statement.query_row([key], values).optional()? else { return Ok(false) };
    let any = |wanted: &[String], value: &str| wanted.is_empty() || wanted.iter().any(|it| it == value);
    if !any(&filter.status, &status) || !any(&filter.workflow, &workflow) || filter.newest && !newest {
        return Ok(false);
    }
    match &filter.search {
        Some(text) => Ok(connection.prepare_cached(sql::SEARCHED)?.query_row(params![key, text.to_ascii_lowercase()], |row| row.get(0))?),
        None => Ok(true),
    }
}

pub(super) fn made(connection: &Connection, scope: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(sql::MADE)?;
    let mut made: Vec<(i64, String)> =
        statement.query_map([scope], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    // They are few, and in the order of their keys of idempotency.
    made.sort_unstable();
    Ok(made.into_iter().map(|(_, id)| id).collect())
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
    /// The keys of runs before one, those with the highest first.
    fn keys_down(&self, connection: &Connection, before: i64, limit: usize) -> Result<Vec<i64>> {
        let mut keys = self.keys(connection, [sql::KEYS_DOWN, sql::KEYS_DOWN_OF], before, limit)?;
        for status in self.status.iter().filter(|it| *it == "waiting" || *it == "running") {
            let statements = match status.as_str() {
                "waiting" => [sql::WAITS_DOWN, sql::WAITS_DOWN_OF],
                _ => [sql::GOES_ON_DOWN, sql::GOES_ON_DOWN_OF],
            };
            self.keys_of("running", connection, statements, before, limit, &mut keys)?;
        }
        // The same status or workflow, twice.
        keys.sort_unstable_by(|one, other| other.cmp(one));
        keys.dedup();
        keys.truncate(limit);
        Ok(keys)
    }

    /// The first of the keys after a place, in the order of the statements: one for runs of any
    /// workflow, one for those of a certain one. Where certain runs that have not ended are wanted, without these.
    fn keys(&self, connection: &Connection, statements: [&str; 2], from: i64, limit: usize) -> Result<Vec<i64>> {
        let down = statements[0] == sql::KEYS_DOWN;
        let statuses: Vec<&str> = match self.status {
            [] => STATUSES.to_vec(),
            some => some.iter().map(String::as_str).filter(|it| !down || !["running", "waiting"].contains(it)).collect(),
        };
        let mut keys: Vec<i64> = Vec::new();
        for status in &statuses {
            self.keys_of(status, connection, statements, from, limit, &mut keys)?;
        }
        keys.sort_unstable();
        keys.dedup();
        if !down {
            keys.truncate(limit);
        }
        Ok(keys)
    }

    fn keys_of(
        &self,
        status: &str,
        connection: &Connection,
        [of_any, of_one]: [&str; 2],
        from: i64,
        limit: usize,
        keys: &mut Vec<i64>,
    ) -> Result<()> {
        for newest in self.newest {
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
        Ok(())
    }
}
