//! What a change is, to the writer: all of it, or nothing.

use rusqlite::Connection;

use crate::store::{Error, Result};

/// What keeps a change from being made.
pub(super) enum Failure {
    /// It is not to be; nothing of it is written.
    Refused(Error),
    /// It cannot be made, for what it is or for what is in its way; others can.
    Broken(Error),
    /// No change can be made, at the moment.
    Outage(Error),
}

impl Failure {
    /// What whoever asked for it is told.
    pub(super) fn into_error(self) -> Error {
        let (Failure::Refused(error) | Failure::Broken(error) | Failure::Outage(error)) = self;
        error
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Refused(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, OutOfMemory, ReadOnly, SystemIoFailure};
        match error.sqlite_error_code() {
            Some(CannotOpen | DatabaseBusy | DatabaseLocked | DiskFull | OutOfMemory | ReadOnly | SystemIoFailure) => {
                Failure::Outage(error.into())
            }
            _ => Failure::Broken(error.into()),
        }
    }
}

/// What a change answers.
pub(super) type Change<T = ()> = std::result::Result<T, Failure>;

/// Makes changes in a transaction of their own.
pub(super) fn transaction(connection: &Connection, change: impl FnOnce() -> Result<()>) -> Result<()> {
    let made = connection.execute_batch("begin immediate").map_err(Error::from);
    let made = made.and_then(|()| change()).and_then(|()| Ok(connection.execute_batch("commit")?));
    // A full disk makes SQLite roll back by itself.
    if made.is_err() && !connection.is_autocommit() && connection.execute_batch("rollback").is_err() {
        tracing::error!("a failed transaction could not be rolled back");
    }
    made
}

/// How much one step may delete, so that others do not wait for long.
pub(super) struct Allowance(usize);

impl Allowance {
    /// So many bytes count as a row.
    const ROW: usize = 16 << 10;

    pub(super) fn of_rows(rows: usize) -> Allowance {
        Allowance(rows)
    }

    pub(super) fn left(&self) -> usize {
        self.0
    }

    /// Takes a row of so many bytes from it; false: there is nothing left. The last may be of any size.
    pub(super) fn take(&mut self, size: usize) -> bool {
        let any = self.0 > 0;
        self.0 = self.0.saturating_sub(1 + size / Allowance::ROW);
        any
    }
}

/// A number as SQLite holds it: one that is larger is as large as can be. A time of the far
/// future must not make a statement fail.
pub(super) fn number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
