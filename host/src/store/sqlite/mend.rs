//! Puts right what loses nothing by that. No journal is touched.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, params};

use super::change::transaction;
use super::connect;
use super::statements as sql;
use crate::store::Result;
use crate::store::finding::Mend;

/// Makes changes to a database that nobody else has: all, or nothing.
pub(in crate::store) fn mend(path: &Path, _lock: &File, mends: &[Mend]) -> Result<()> {
    let (connection, _) = connect::open(path)?;
    // First: the others go by them.
    if mends.contains(&Mend::Indexes) {
        connection.execute_batch("reindex")?;
    }
    transaction(&connection, || Ok(mends.iter().try_for_each(|mend| make(&connection, mend))?))
}

fn make(connection: &Connection, mend: &Mend) -> rusqlite::Result<()> {
    let execute = |statement: &str, values: &[&dyn rusqlite::ToSql]| connection.prepare_cached(statement)?.execute(values).map(drop);
    match mend {
        Mend::Indexes => Ok(()),
        Mend::Snapshot(key) => execute(sql::DELETE_SNAPSHOTS, params![key]),
        Mend::Blob(key) => match connection.prepare_cached(sql::BLOB_USED)?.exists([key])? {
            true => Ok(()),
            false => execute(sql::DELETE_BLOB, params![key]),
        },
        Mend::Uses { run, blobs } => {
            execute(sql::FORGET_USES, params![run.0])?;
            blobs.iter().try_for_each(|blob| execute(sql::USE_BLOB, params![run.0, blob]))
        }
        Mend::Component(digest) => execute(sql::DELETE_COMPONENT, params![digest]),
        Mend::Parts => parts(connection),
        Mend::Rest(run) => execute(sql::DELETED, params![run.0]),
        Mend::Summary(run, it) => execute(
            sql::SUMMARISE,
            params![
                run.0,
                it.status,
                it.started_at,
                it.updated_at,
                it.completed_at,
                it.next_seq,
                it.waiting,
                it.preview,
                it.result_preview
            ],
        ),
        Mend::Due(run) => execute(sql::MAKE_DUE, params![run.0]),
    }
}

fn parts(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(sql::FORGET_PARTS)?;
    let definitions: rusqlite::Result<Vec<(i64, String)>> =
        connection.prepare_cached(sql::DEFINITIONS)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
    for (key, digests) in definitions? {
        for digest in digests.split_whitespace() {
            connection.prepare_cached(sql::ADD_PART)?.execute(params![digest, key])?;
        }
    }
    Ok(())
}
