//! Connections that read, beside the writer: a few, and never more threads than connections.
//!
//! A semaphore and a list instead of a pool from a library: r2d2_sqlite (0.35) and deadpool-sqlite (0.14) want rusqlite
//! 0.40, not ours. What is special here would be ours with them as well: each question sees one state of the database,
//! and a connection that has failed to answer one is not asked again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connect::reading;
use crate::store::{Error, Result};

/// How many questions are answered at once; further ones wait without a thread.
const READERS_MAX: usize = 8;

pub(super) struct Readers {
    path: PathBuf,
    permits: Arc<Semaphore>,
    free: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Arc<Readers> {
        Arc::new(Readers { path, permits: Arc::new(Semaphore::new(READERS_MAX)), free: Mutex::default() })
    }

    pub(super) async fn ask<T: Send + 'static>(
        self: Arc<Self>,
        question: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let closed = |error: &dyn std::fmt::Display| Error::Unavailable(error.to_string());
        let permit = self.permits.clone().acquire_owned().await.map_err(|error| closed(&error))?;
        let task = tokio::task::spawn_blocking(move || {
            // Given back when it is answered, also where nobody waits for the answer any more.
            let _permit = permit;
            self.with(question)
        });
        task.await.map_err(|error| closed(&error))?
    }

    fn with<T>(&self, question: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let free = self.free.lock().expect("no panic while locked").pop();
        let connection = match free {
            Some(connection) => connection,
            None => reading(&self.path)?,
        };
        // One state of the database for all statements of a question.
        connection.execute_batch("begin")?;
        let answer = question(&connection);
        connection.execute_batch("commit")?;
        // One that has failed to answer is not asked again.
        if answer.is_ok() {
            self.free.lock().expect("no panic while locked").push(connection);
        }
        answer
    }
}
