//! What is found about a store that cannot be as it is.

use std::fmt;

use super::rows::RunKey;

/// It cannot be made out of what is left.
pub const RESTORE: &str = "bring the store back from a backup";
/// It is about one run.
pub const RESTORE_RUN: &str = "bring the store back from a backup, or purge the run's handler";
/// A component can be had again.
pub const COMPONENT: &str = "serve the same file again, or bring the store back from a backup";
/// No harm: it may be served, and wait for its first run.
pub const UNUSED: &str = "no harm: where nobody serves it, `--repair` drops it";
/// Nothing is lost by that.
pub const MENDED: &str = "stop the server, and check again with `--repair`";
/// Who may come in cannot be made out of anything else.
pub const KEYS: &str = "bring the file back from a backup, or revoke its keys and make others";
/// The log is for people.
pub const AUDIT: &str = "keep the file: the line tells what it can";
/// What a log has lost.
pub const LOG: &str = "keep a copy of the log; the next start goes on without those changes, or bring the store back from a backup";

/// Something that cannot be as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub what: String,
    /// What to do about it.
    pub advice: &'static str,
    /// What would put it right, where nothing is lost by that.
    pub mend: Option<Mend>,
}

/// Where something is: as much of it as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file's path, where it is not about what is in a table.
    pub file: Option<String>,
    /// The run's id.
    pub run: Option<String>,
    /// Its handler's id.
    pub handler: Option<String>,
    /// The table.
    pub table: Option<&'static str>,
    /// The key of the row, or what tells it from others.
    pub row: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.run.as_ref().map(|run| match &self.handler {
            Some(handler) if !handler.is_empty() => format!("run `{run}` of handler `{handler}`"),
            _ => format!("run `{run}`"),
        });
        let row = self.row.as_ref().map(|row| if self.table.is_none() { format!("line {row}") } else { format!("row {row}") });
        let table = self.table.map(|table| format!("table {table}"));
        let parts: Vec<String> = [self.file.clone(), run, table, row].into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}

/// A change that loses nothing: what it touches is kept twice, or nobody needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mend {
    /// Makes all indexes anew from their tables.
    Indexes,
    /// Drops a snapshot, by the key of its row: what it holds follows from the journal.
    Snapshot(i64),
    /// Drops a value that nobody needs, by its key.
    Blob(i64),
    /// Notes which values a run needs.
    Uses {
        /// The run.
        run: RunKey,
        /// The keys of the values.
        blobs: Vec<i64>,
    },
    /// Drops a component that no run needs, by its digest.
    Component(String),
    /// Notes anew which components each definition has.
    Parts,
    /// Drops what is left of a run that is not there.
    Rest(RunKey),
    /// Sets what lists show of a run to what its journal tells.
    Summary(RunKey, Box<Summary>),
    /// Gives a run that goes on to nobody, due at once: whoever claims it reads its journal.
    Due(RunKey),
}

/// What lists show of a run, as its journal tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// `running`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// When it began.
    pub started_at: i64,
    /// When its last entry was made.
    pub updated_at: i64,
    /// When it ended.
    pub completed_at: Option<i64>,
    /// The length of its journal.
    pub next_seq: i64,
    /// What it waits for from outside.
    pub waiting: Option<String>,
    /// The beginning of its start event's payload.
    pub preview: String,
    /// The beginning of its result.
    pub result_preview: Option<String>,
}
