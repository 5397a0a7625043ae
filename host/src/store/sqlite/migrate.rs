//! How the database came to look as it does.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::unusable;
use crate::store::{Error, Result};

/// One after the other; what is published here is never changed.
const MIGRATIONS: [&str; 2] = [include_str!("0001.sql"), include_str!("0002.sql")];

/// Brings the database to the newest version, step by step.
pub(super) fn run(connection: &mut Connection, path: &Path) -> Result<()> {
    let version = migrated(connection).map_err(|error| unusable(path, &error))?;
    if version > MIGRATIONS.len() {
        let message = format!("`{}` was written by a newer wf-host (version {version} of the database)", path.display());
        return Err(Error::open(message, "start that one, or choose another database with `--store sqlite:PATH`"));
    }
    Ok(())
}

fn migrated(connection: &mut Connection) -> rusqlite::Result<usize> {
    connection.execute_batch("create table if not exists migration (version integer primary key) strict")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: usize = transaction.query_row("select coalesce(max(version), 0) from migration", [], |row| row.get(0))?;
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        transaction.execute_batch(migration)?;
        transaction.execute("insert into migration (version) values (?1)", [index + 1])?;
    }
    transaction.commit()?;
    Ok(version)
}
