//! Gives space back once something was deleted: rows, then pages, then the log's. In steps that
//! are short, between groups, so that nobody waits.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::change::{Allowance, transaction};
use super::statements as sql;
use super::{connect, purge};
use crate::store::Result;

/// Rows that one step deletes, large ones counting for more.
const ROWS_MAX: usize = 500;
/// Pages that one step gives back to the file system: 1 MiB.
const PAGES_MAX: usize = 256;
/// Under load, a step is taken so often.
const STEP_EVERY: Duration = Duration::from_millis(50);
/// After a step that failed, or that readers keep from its end.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// What is next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Nothing,
    Rows,
    Pages,
    Log,
}

pub(super) struct Tidy {
    next: Next,
    from: Instant,
}

impl Default for Tidy {
    /// Something may be left from before.
    fn default() -> Tidy {
        Tidy { next: Next::Rows, from: Instant::now() }
    }
}

impl Tidy {
    /// How long until there is something to do; none: nothing.
    pub(super) fn wait(&self) -> Option<Duration> {
        (self.next != Next::Nothing).then(|| self.from.saturating_duration_since(Instant::now()))
    }

    /// Deletes rows between groups. Pages and the log wait for a quiet moment.
    pub(super) fn after_a_group(&mut self, connection: &Connection) {
        if self.next == Next::Rows {
            if self.from.elapsed() >= STEP_EVERY {
                self.step(connection);
            }
        } else if deleted(connection).unwrap_or(false) {
            *self = Tidy::default();
        }
    }

    pub(super) fn step(&mut self, connection: &Connection) {
        self.from = Instant::now();
        match self.next.done(connection) {
            Ok(Some(next)) => self.next = next,
            Ok(None) => self.from += AGAIN_AFTER,
            Err(error) => {
                tracing::warn!("space of what was deleted could not be given back: {error}");
                self.from += AGAIN_AFTER;
            }
        }
    }
}

impl Next {
    /// Takes a step, and says what is next then; none: the same, but later.
    fn done(self, connection: &Connection) -> Result<Option<Next>> {
        Ok(Some(match self {
            Next::Nothing => Next::Nothing,
            Next::Rows => {
                let mut more = false;
                transaction(connection, || {
                    more = purge::sweep(connection, Allowance::of_rows(ROWS_MAX))?;
                    Ok(())
                })?;
                if more { Next::Rows } else { Next::Pages }
            }
            Next::Pages => {
                let free = || connection.pragma_query_value(None, "freelist_count", |row| row.get::<_, u64>(0));
                let before = free()?;
                let mut statement = connection.prepare(&format!("pragma incremental_vacuum({PAGES_MAX})"))?;
                let mut pages = statement.query([])?;
                while pages.next()?.is_some() {}
                // A file that was put together elsewhere may be of the kind that gives nothing back.
                if (1..before).contains(&free()?) { Next::Pages } else { Next::Log }
            }
            Next::Log => {
                // Those who read do not wait, and are not waited for.
                connection.busy_timeout(Duration::ZERO)?;
                let busy = connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get::<_, bool>(0));
                connection.busy_timeout(connect::BUSY_MAX)?;
                return Ok((!busy?).then_some(Next::Nothing));
            }
        }))
    }
}

fn deleted(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare_cached(sql::NEXT_DELETED)?.query_row([], |row| row.get::<_, Option<i64>>(0)).map(|it| it.is_some())
}
