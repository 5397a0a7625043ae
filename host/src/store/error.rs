//! Why a store did not do what it was asked.

use crate::model::Refusal;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The handler has a run that has not ended.
    #[error("the handler has a run that has not ended")]
    AlreadyRunning,
    /// The idempotency key is there already.
    #[error("the idempotency key is there already")]
    KeyTaken,
    /// Another owner has taken the run over, or has appended to it.
    #[error("another owner has appended to the run")]
    Stale,
    /// The run was purged.
    #[error("the run was deleted")]
    Gone,
    /// The run has ended.
    #[error("the run has ended")]
    Over,
    /// Another host owns the run.
    #[error("another host owns the run")]
    Owned,
    /// It does not take writes, or reads, at the moment.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// Another process keeps it from its file, at the moment.
    #[error("the store is locked by another process: {0}")]
    Busy(String),
    /// What it has read cannot have been written by it.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// It cannot be opened.
    #[error("{message}")]
    Open {
        /// What happened.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Error::Open { hint, .. } => Some(hint),
            Error::Unavailable(_) => Some("check that its disk has space and can be written to"),
            Error::Busy(_) => Some("end what else has opened its file; it goes on by itself"),
            Error::Damaged(_) => {
                Some("stop the host, and bring its file back from a backup, or save what is left with `sqlite3 FILE .recover`")
            }
            _ => None,
        }
    }

    pub(crate) fn open(message: impl Into<String>, hint: impl Into<String>) -> Error {
        Error::Open { message: message.into(), hint: hint.into() }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => Error::Busy(error.to_string()),
            Some(DatabaseCorrupt | NotADatabase) => Error::Damaged(error.to_string()),
            Some(_) => Error::Unavailable(error.to_string()),
            // A row that is there, and is not what a row can be.
            None => Error::Damaged(error.to_string()),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        match error {
            Error::Gone => Refusal::NotFound,
            Error::Over => Refusal::AlreadyCompleted,
            other => Refusal::Unavailable(other.to_string()),
        }
    }
}
