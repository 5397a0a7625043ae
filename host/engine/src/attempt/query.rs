//! What an attempt asks of its run's state.

use crate::entry::Buffered;
use crate::json::Json;
use crate::state::{Overlay, Read, State, WriteError};
use crate::text::{Limit, Refused};

/// A question about the run's state.
#[derive(Clone, Debug)]
pub enum Query {
    /// The value at a path.
    Get {
        /// The path.
        path: String,
    },
    /// The version and the value.
    EditBegin {
        /// The path.
        path: String,
    },
    /// Whether a write is possible. If so, the attempt's own writes have it from then on.
    Write {
        /// Of `set`, `push` or `delete`.
        effect: Buffered,
        /// The largest state, in bytes.
        state_max: usize,
    },
    /// Whether an edit could be committed.
    Check {
        /// The path.
        path: String,
        /// What is to be there.
        value: Json,
        /// The largest state, in bytes.
        state_max: usize,
    },
}

/// Its answer.
#[derive(Clone, Debug)]
pub enum ReadAnswer {
    /// To `Get`.
    Value {
        /// What is there.
        value: Option<Json>,
        /// The seq of the entry that comes next: the answer holds until it is applied.
        seq: u64,
        /// Whether the attempt's own writes have a part in it.
        own: bool,
    },
    /// To `EditBegin`.
    Edit {
        /// What to give to `edit-commit`.
        version: u64,
        /// What is there.
        value: Option<Json>,
        /// As with `Value`.
        seq: u64,
        /// As with `Value`.
        own: bool,
    },
    /// To `Write` and `Check`: nothing speaks against it.
    Sound,
}

impl Query {
    /// What the state says to it, as an attempt sees it that has written `own`. `seq`: of the entry that comes next.
    pub fn answer(&self, state: &State, seq: u64, own: &mut Overlay) -> Result<ReadAnswer, Refused> {
        match self {
            Query::Get { path } => {
                let Read { value, own } = read(state, path, own)?;
                Ok(ReadAnswer::Value { value, seq, own })
            }
            Query::EditBegin { path } => {
                let Read { value, own } = read(state, path, own)?;
                Ok(ReadAnswer::Edit { version: state.version(), value, seq, own })
            }
            Query::Write { effect, state_max } => sound(state.write(effect, own, *state_max), *state_max),
            Query::Check { path, value, state_max } => sound(state.check(path, value, own, *state_max), *state_max),
        }
    }
}

fn read(state: &State, path: &str, own: &mut Overlay) -> Result<Read, Refused> {
    state.read(path, own).map_err(|error| Refused::invalid(error.to_string()))
}

fn sound(written: Result<(), WriteError>, state_max: usize) -> Result<ReadAnswer, Refused> {
    written.map(|()| ReadAnswer::Sound).map_err(|error| match error {
        WriteError::Path(error) => Refused::invalid(error.to_string()),
        WriteError::TooLarge => Limit { name: "state_max", max: state_max }.exceeded("the state"),
    })
}
