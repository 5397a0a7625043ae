//! A database that is looked at as it lies on the disk, beside whoever uses it. Nothing of it is changed.
//!
//! What it says is one state of the database within [`Examination::at_once`], which is to be short: as long as it lasts,
//! the log of a server that writes can only grow.

mod log;
mod rows;
pub(super) mod space;
mod tables;
mod whole;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::connect;
use crate::store::{Error, Result};

pub use rows::{ExaminedEnding, ExaminedRun, ExaminedText, Seal};
pub use space::{Space, TableSpace, ValueSpace, WorkflowSpace};
pub use tables::ExaminedDefinition;

/// A database that is looked at.
pub struct Examination {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl Examination {
    /// Opens a database to look at it. Refused where there is none, and where it is none of this build's.
    pub(in crate::store) fn open(path: &Path) -> Result<Examination> {
        if !path.exists() {
            let message = format!("there is no database `{}`", path.display());
            return Err(Error::open(message, "name its folder with `--data-dir`, or the file with `--store sqlite:PATH`"));
        }
        connect::check(path)?;
        Examination::reading(path)
    }

    /// The same of a copy that is to be restored first.
    pub(crate) fn of_copy(path: &Path) -> Result<Examination> {
        connect::check_copy(path)?;
        Examination::reading(path)
    }

    fn reading(path: &Path) -> Result<Examination> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // Beside a file without a log SQLite would make one even to read.
        let opened = match connect::log_of(path).exists() {
            true => Connection::open_with_flags(path, flags),
            false => Connection::open_with_flags(connect::immutable(path), flags | OpenFlags::SQLITE_OPEN_URI),
        };
        let ready = |connection: Connection| {
            connection.busy_timeout(connect::BUSY_MAX)?;
            connection.pragma_update(None, "temp_store", "memory")?;
            connection.set_prepared_statement_cache_capacity(64);
            Ok(connection)
        };
        let connection = opened.and_then(ready).map_err(|error| connect::unusable(path, &error))?;
        let examination = Examination::of(connection, path);
        examination.at_once(|it| it.of_this_form())?;
        Ok(examination)
    }

    /// What a connection sees that is there already.
    pub(super) fn of(connection: Connection, path: &Path) -> Examination {
        Examination { connection, path: path.to_owned() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All that is asked within sees one state of the database.
    pub fn at_once<T>(&self, ask: impl FnOnce(&Examination) -> Result<T>) -> Result<T> {
        self.connection.execute_batch("begin")?;
        let answer = ask(self);
        // Nothing was written. A commit would fail where a page could not be read, whatever became of that.
        self.connection.execute_batch("rollback")?;
        answer
    }

    fn of_this_form(&self) -> Result<()> {
        let version: usize = self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == connect::VERSION {
            return Ok(());
        }
        if connect::form(&self.connection)? == connect::newest_form()? {
            let message =
                format!("`{}` says that it has version {version} of the database, and has the tables of another", self.path.display());
            return Err(Error::open(message, "its header is damaged: bring the store back from a backup"));
        }
        let message =
            format!("`{}` has version {version} of the database, and this build checks version {}", self.path.display(), connect::VERSION);
        Err(Error::open(message, "start `wf-host serve` on a copy of it: that brings the copy to this version"))
    }
}
