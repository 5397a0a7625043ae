//! Who owns which run, and what is due. This process holds the file's lock: other hosts of the
//! database are those before it.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wf_engine::entry::Micros;

use super::carry::MOVED;
use super::change::{Change, number};
use super::statements as sql;
use crate::store::rows::{Claim, Held, HostId, LEASE, Now, Release, RunKey, Wake};
use crate::store::{Error, Result};

pub(super) fn join(connection: &Connection, now: Now) -> Change<HostId> {
    let host = connection.prepare_cached(sql::JOIN)?.insert([lease(now)])?;
    connection.prepare_cached(sql::END_OTHER_LEASES)?.execute([host])?;
    connection.prepare_cached(sql::SET_ALIVE)?.execute([number(now.alive)])?;
    Ok(HostId(host))
}

/// When a lease ends that begins now.
fn lease(now: Now) -> i64 {
    number(now.at).saturating_add(number(LEASE))
}

/// Answers with a number that is another whenever another process has changed the file. Where it is not the one that
/// was seen before: with the runs that were ever moved away, too.
pub(super) fn keep_alive(connection: &Connection, host: HostId, now: Now, seen: i64) -> Change<(i64, Vec<String>)> {
    connection.prepare_cached(sql::RENEW)?.execute(params![host.0, lease(now)])?;
    connection.prepare_cached(sql::SET_ALIVE)?.execute([number(now.alive)])?;
    let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
    if version == seen {
        return Ok((version, Vec::new()));
    }
    let mut statement = connection.prepare_cached(sql::MOVED)?;
    let moved: rusqlite::Result<Vec<String>> = statement.query_map([MOVED], |row| row.get(0))?.collect();
    Ok((version, moved?))
}

pub(super) fn acquire(connection: &Connection, host: HostId, run: &str, now: Now) -> Change<Claim> {
    let found = connection
        .prepare_cached(sql::OWNED)?
        .query_row([run], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<i64>>(2)?)));
    let (key, status, owner) = found.optional()?.ok_or(Error::Gone)?;
    if status != "running" {
        return Err(Error::Over.into());
    }
    if let Some(owner) = owner.filter(|owner| *owner != host.0) {
        let lease: Option<Micros> = connection.prepare_cached(sql::LEASE)?.query_row([owner], |row| row.get(0)).optional()?;
        if lease.is_some_and(|until| until > now.at) {
            return Err(Error::Owned.into());
        }
    }
    Ok(claim(connection, host, key, owner.is_some_and(|owner| owner != host.0))?)
}

pub(super) fn claim_due(connection: &Connection, host: HostId, now: Now, limit: usize) -> Change<Vec<Claim>> {
    let mut claims = Vec::new();
    for lost in keys(connection, sql::LOST_HOSTS, params![number(now.at), host.0])? {
        let runs = keys(connection, sql::OWNED_BY, params![lost, number(limit - claims.len())])?;
        if runs.is_empty() && claims.len() < limit {
            connection.prepare_cached(sql::FORGET_HOST)?.execute([lost])?;
        }
        for run in runs {
            claims.push(claim(connection, host, run, true)?);
        }
    }
    for run in due(connection, now, limit - claims.len())? {
        claims.push(claim(connection, host, run, false)?);
    }
    Ok(claims)
}

/// What nobody owns and is due, what is due longest first.
fn due(connection: &Connection, now: Now, limit: usize) -> rusqlite::Result<Vec<i64>> {
    let mut due: Vec<(Micros, i64)> = Vec::new();
    for (statement, clock) in [(sql::DUE_AT, now.at), (sql::DUE_ALIVE, now.alive)] {
        let mut statement = connection.prepare_cached(statement)?;
        let rows =
            statement.query_map(params![number(clock), number(limit)], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Micros>(1)?)))?;
        for row in rows {
            let (key, at) = row?;
            due.push((clock.saturating_sub(at), key));
        }
    }
    due.sort_by_key(|(late, key)| (std::cmp::Reverse(*late), *key));
    let mut runs: Vec<i64> = Vec::new();
    for (_, key) in due {
        // One that is due on both clocks is there twice.
        if runs.len() < limit && !runs.contains(&key) {
            runs.push(key);
        }
    }
    Ok(runs)
}

fn claim(connection: &Connection, host: HostId, key: i64, abandoned: bool) -> rusqlite::Result<Claim> {
    let claimed = |row: &Row| Ok(Claim { key: RunKey(key), run: row.get(0)?, generation: row.get(1)?, abandoned });
    connection.prepare_cached(sql::CLAIM)?.query_row([key, host.0], claimed)
}

fn keys(connection: &Connection, statement: &str, values: impl rusqlite::Params) -> rusqlite::Result<Vec<i64>> {
    connection.prepare_cached(statement)?.query_map(values, |row| row.get(0))?.collect()
}

pub(super) fn release(connection: &Connection, release: &Release) -> Change {
    let Release { run, generation, wake } = release;
    connection.prepare_cached(sql::RELEASE)?.execute(params![run.0, generation, wake.at.map(number), wake.alive.map(number)])?;
    Ok(())
}

pub(super) fn newer(connection: &Connection, held: Vec<Held>) -> Result<Vec<Held>> {
    let mut statement = connection.prepare_cached(sql::GENERATION)?;
    let mut newer = Vec::new();
    for Held { key, generation } in held {
        let newest: Option<u64> = statement.query_row([key.0], |row| row.get(0)).optional()?;
        newer.extend(newest.filter(|newest| *newest > generation).map(|generation| Held { key, generation }));
    }
    Ok(newer)
}

pub(super) fn unfinished(connection: &Connection) -> Result<u64> {
    Ok(connection.prepare_cached(sql::UNFINISHED)?.query_row([], |row| row.get(0))?)
}

pub(super) fn owned(connection: &Connection, host: HostId) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(sql::OWNED_IDS)?;
    let ids: rusqlite::Result<Vec<String>> = statement.query_map([host.0], |row| row.get(0))?.collect();
    Ok(ids?)
}

pub(super) fn next_due(connection: &Connection) -> Result<Wake> {
    let first = |statement| connection.prepare_cached(statement)?.query_row([], |row| row.get(0));
    Ok(Wake { at: first(sql::NEXT_DUE_AT)?, alive: first(sql::NEXT_DUE_ALIVE)? })
}

pub(super) fn alive(connection: &Connection) -> Result<Micros> {
    Ok(connection.prepare_cached(sql::ALIVE)?.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}
