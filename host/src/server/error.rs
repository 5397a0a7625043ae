//! Why a server did not come about.

use std::io;

use crate::registry::Rejected;
use crate::runtime::LoadError;
use crate::store;

/// Why a server did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its address is none, or is not to be had.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// As it was given.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// Its store cannot be opened.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// WebAssembly cannot run here.
    #[error(transparent)]
    Runtime(#[from] LoadError),
    /// A workflow is none, or does not fit those that are there.
    #[error(transparent)]
    Workflow(#[from] Rejected),
    /// It got no threads.
    #[error("{0}")]
    Threads(String),
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Error::Listen { .. } => Some("choose another address; port 0 takes any free one"),
            Error::Store(error) => error.hint(),
            Error::Runtime(error) => Some(error.hint()),
            Error::Workflow(rejected) => rejected.hint.as_deref(),
            Error::Threads(_) => None,
        }
    }
}
