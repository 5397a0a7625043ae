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
    /// It does not take writes, or reads, at the moment.
    #[error("the store is not available: {0}")]
    Unavailable(String),
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
            _ => None,
        }
    }

    pub(super) fn open(message: impl Into<String>, hint: impl Into<String>) -> Error {
        Error::Open { message: message.into(), hint: hint.into() }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        Error::Unavailable(error.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        match error {
            Error::Gone => Refusal::NotFound,
            other => Refusal::Unavailable(other.to_string()),
        }
    }
}
