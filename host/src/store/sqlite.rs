//! A store in one SQLite file: one writer thread that commits in groups, and readers beside it.

mod migrate;
mod read;
mod write;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use rusqlite::Connection;
use wf_engine::entry::Micros;

use super::rows::{Append, EntryRow, Expiry, FrameRow, HandlersQuery, IdempotencyRow, LogRow, NewRun, RunKey, RunSummary, RunsQuery};
use super::{Error, Result, Store};
use writer::Writer;

/// Connections for readers that are kept open.
const READERS_MAX: usize = 4;

/// A store in one SQLite file.
pub struct Sqlite {
    writer: Writer,
    readers: Arc<Readers>,
    /// Keeps other hosts out.
    _lock: File,
}

struct Readers {
    path: PathBuf,
    free: Mutex<Vec<Connection>>,
}

impl Sqlite {
    /// Opens or makes a database. `lock`: held for as long as the store is.
    pub fn open(path: &Path, lock: File) -> Result<Sqlite> {
        let mut connection = connect(path).map_err(|error| unusable(path, &error))?;
        migrate::run(&mut connection, path)?;
        let readers = Arc::new(Readers { path: path.to_owned(), free: Mutex::default() });
        Ok(Sqlite { writer: Writer::start(connection)?, readers, _lock: lock })
    }

    fn read<'a, T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'a, Result<T>> {
        let readers = self.readers.clone();
        let task = tokio::task::spawn_blocking(move || readers.with(query));
        async move { task.await.map_err(|error| Error::Unavailable(error.to_string()))? }.boxed()
    }

    /// A write that somebody waits for.
    fn write<T: Send + 'static>(&self, change: impl FnOnce(&Connection) -> Result<T> + Send + 'static) -> BoxFuture<'static, Result<T>> {
        self.writer.write(true, change)
    }
}

impl Readers {
    fn with<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let free = self.free.lock().expect("no panic while locked").pop();
        let connection = match free {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let answer = query(&connection)?;
        let mut free = self.free.lock().expect("no panic while locked");
        if free.len() < READERS_MAX {
            free.push(connection);
        }
        Ok(answer)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// What keeps a file from being opened as a database.
fn unusable(path: &Path, error: &rusqlite::Error) -> Error {
    let message = format!("`{}` cannot be opened as a database: {error}", path.display());
    let hint = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            "it is another kind of file, or damaged: choose another with `--store sqlite:PATH`"
        }
        Some(rusqlite::ErrorCode::DiskFull) => "make room on its disk, or choose another with `--data-dir`",
        _ => "check its permissions, or choose another with `--data-dir` or `--store`",
    };
    Error::open(message, hint)
}

impl Store for Sqlite {
    fn create(&self, new: NewRun) -> BoxFuture<'static, Result<(RunKey, u64)>> {
        self.write(move |connection| write::create(connection, &new))
    }

    fn acquire(&self, key: RunKey) -> BoxFuture<'static, Result<u64>> {
        self.write(move |connection| write::acquire(connection, key))
    }

    fn append(&self, append: Append) -> BoxFuture<'static, Result<()>> {
        self.writer.write(append.waited, move |connection| write::append(connection, &append))
    }

    fn run(&self, run: &str) -> BoxFuture<'_, Result<Option<RunSummary>>> {
        let run = run.to_owned();
        self.read(move |connection| read::run(connection, &run))
    }

    fn handler(&self, handler: &str) -> BoxFuture<'_, Result<Option<RunSummary>>> {
        let handler = handler.to_owned();
        self.read(move |connection| read::handler(connection, &handler))
    }

    fn handlers(&self, query: HandlersQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>> {
        self.read(move |connection| read::handlers(connection, &query))
    }

    fn runs(&self, query: RunsQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>> {
        self.read(move |connection| read::runs(connection, &query))
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        self.read(read::unfinished)
    }

    fn journal(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<EntryRow>>> {
        self.read(move |connection| read::journal(connection, key))
    }

    fn frames(&self, run: &str, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<FrameRow>>> {
        let run = run.to_owned();
        self.read(move |connection| read::frames(connection, &run, after, limit))
    }

    fn last_sequence(&self, run: &str) -> BoxFuture<'_, Result<i64>> {
        let run = run.to_owned();
        self.read(move |connection| read::last_sequence(connection, &run))
    }

    fn logs(&self, run: &str) -> BoxFuture<'_, Result<Vec<LogRow>>> {
        let run = run.to_owned();
        self.read(move |connection| read::logs(connection, &run))
    }

    fn idempotency(&self, scope: &str, key: &str) -> BoxFuture<'_, Result<Option<IdempotencyRow>>> {
        let (scope, key) = (scope.to_owned(), key.to_owned());
        self.read(move |connection| read::idempotency(connection, &scope, &key))
    }

    fn purge(&self, handler: &str) -> BoxFuture<'static, Result<()>> {
        let handler = handler.to_owned();
        self.write(move |connection| write::purge(connection, &handler))
    }

    fn expire(&self, expiry: Expiry) -> BoxFuture<'static, Result<usize>> {
        self.write(move |connection| write::expire(connection, &expiry))
    }

    fn drop_components(&self, keep: Vec<String>) -> BoxFuture<'static, Result<usize>> {
        self.write(move |connection| write::drop_components(connection, &keep))
    }

    fn put_component(&self, digest: &str, bytes: Bytes, manifest: String) -> BoxFuture<'static, Result<()>> {
        let digest = digest.to_owned();
        self.write(move |connection| write::put_component(connection, &digest, &bytes, &manifest))
    }

    fn manifest(&self, digest: &str) -> BoxFuture<'_, Result<Option<String>>> {
        let digest = digest.to_owned();
        self.read(move |connection| read::manifest(connection, &digest))
    }

    fn component(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>>> {
        let digest = digest.to_owned();
        self.read(move |connection| read::component(connection, &digest))
    }

    fn alive(&self) -> BoxFuture<'_, Result<Micros>> {
        self.read(read::alive)
    }

    fn save_alive(&self, alive: Micros) -> BoxFuture<'static, Result<()>> {
        self.write(move |connection| write::save_alive(connection, alive))
    }

    fn take_planned(&self) -> BoxFuture<'static, Result<bool>> {
        self.write(write::take_planned)
    }

    fn mark_planned(&self) -> BoxFuture<'static, Result<()>> {
        self.write(write::mark_planned)
    }
}
