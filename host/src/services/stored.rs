//! A run as it is stored. Looking at one changes nothing.

use std::sync::Arc;

use bytes::Bytes;
use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Input, Started};
use wf_engine::journal::{self, Misfit};
use wf_engine::run::Run;
use wf_engine::snapshot;

use super::Services;
use crate::machine::{Unbegun, UnbegunFork};
use crate::model::{Refusal, Workflow};
use crate::registry::Loaded;
use crate::runtime::LoadError;
use crate::store::{self, EntryRow, RunKey, RunSummary, Snapshot};

/// A run, replayed from what is stored.
pub(crate) struct Stored {
    pub run: Run,
    /// What it begins with, where it has not begun.
    pub unbegun: Option<Unbegun>,
    /// How much was read, in bytes: of a snapshot, and of the entries after it.
    pub sizes: (usize, usize),
}

impl Stored {
    /// What it has begun with, or will.
    pub fn started(&self) -> Option<&Started> {
        self.unbegun.as_ref().map(|it| &it.started).or(self.run.started())
    }
}

impl Services {
    /// A run, as fast as it can be read: from its newest snapshot, where there is one.
    pub async fn stored(&self, id: &str, key: RunKey) -> Result<Stored, Refusal> {
        let mut stored = self.store.load(key).await.map_err(|error| unreadable(id, error))?;
        if stored.snapshot.is_none() && stored.entries.is_empty() {
            if let Some(first) = self.store.unbegun(key).await.map_err(|error| unreadable(id, error))? {
                return self.waiting(id, first).await;
            }
            // It may have begun since it was looked at.
            stored = self.store.load(key).await.map_err(|error| unreadable(id, error))?;
        }
        self.fold(id, key, stored.snapshot, stored.entries, u64::MAX).await
    }

    /// A run that has not begun.
    async fn waiting(&self, id: &str, first: store::Unbegun) -> Result<Stored, Refusal> {
        let store::Unbegun { entries: rows, queues } = first;
        if let [entry] = &rows[..] {
            let started = self.first(id, Some(entry))?;
            let run = self.unbegun(id, &started).await?;
            return Ok(Stored { run, unbegun: Some(Unbegun { started, fork: None, queues }), sizes: (0, 0) });
        }
        self.waiting_fork(id, rows, queues).await
    }

    /// A fork that has not begun: as its origin was, knowing the definition that it goes on with.
    async fn waiting_fork(&self, id: &str, rows: Vec<EntryRow>, queues: bool) -> Result<Stored, Refusal> {
        let (mut copied, mut entries) = self.read(id, rows).await?;
        // Its own is the last: those before were copied.
        let own = entries.iter().rposition(|entry| matches!(entry.input, Input::Forked(_)));
        let own = own.ok_or_else(|| unfit(id, Misfit::Beginning { seq: 1 }))?;
        let inputs: Vec<Input> = entries.split_off(own).into_iter().map(|entry| entry.input).collect();
        copied.truncate(own);
        let mut run = self.replay(id, entries).await?;
        let (Some(Input::Forked(forked)), Some(begun)) = (inputs.first(), run.started()) else {
            return Err(unfit(id, Misfit::Beginning { seq: 0 }));
        };
        let started = Started {
            run: forked.run.clone(),
            handler: forked.handler.clone(),
            seed: forked.seed.clone(),
            definition: forked.definition.clone(),
            state: forked.state.clone().unwrap_or_else(|| run.state()),
            ..begun.clone()
        };
        let definition = self.registry.definition(&started.definition, &*self.store).await;
        run.redefine(definition.map_err(|error| unusable(id, &error))?);
        Ok(Stored { run, unbegun: Some(Unbegun { started, fork: Some(UnbegunFork { copied, inputs }), queues }), sizes: (0, 0) })
    }

    /// A run after an entry: of a snapshot, and the entries from there to this one; where there is no
    /// snapshot, or none that can be used, of all entries.
    pub(super) async fn fold(
        &self,
        id: &str,
        key: RunKey,
        snapshot: Option<Snapshot>,
        rows: Vec<EntryRow>,
        last: u64,
    ) -> Result<Stored, Refusal> {
        let Some(snapshot) = snapshot else { return self.replayed(id, rows).await };
        let sizes = (snapshot.bytes.len(), size(&rows));
        match self.restored(snapshot.bytes, rows).await {
            Ok(run) => Ok(Stored { run, unbegun: None, sizes }),
            Err(error) => {
                tracing::warn!(run.id = id, "run `{id}`: its snapshot is not used: {error:#}");
                let mut rows = self.store.journal(key).await.map_err(|error| unreadable(id, error))?;
                rows.retain(|row| row.seq <= last);
                self.replayed(id, rows).await
            }
        }
    }

    async fn restored(&self, snapshot: Bytes, rows: Vec<EntryRow>) -> anyhow::Result<Run> {
        let away = aside(move || snapshot::read(&snapshot)).await??;
        let definition = self.registry.definition(away.parts(), &*self.store).await?;
        let entries = aside(move || read_all(&rows)).await??;
        let known = self.known(&entries).await?;
        let run = aside(move || journal::replay(knowing(away.restore(definition)?, known), &entries)).await?;
        Ok(run?)
    }

    async fn replayed(&self, id: &str, rows: Vec<EntryRow>) -> Result<Stored, Refusal> {
        let sizes = (0, size(&rows));
        let (_, entries) = self.read(id, rows).await?;
        let run = self.begun(id, &entries).await?;
        let run = perhaps_aside(sizes.1, move || journal::replay(run, &entries)).await?;
        Ok(Stored { run: run.map_err(|misfit| unfit(id, misfit))?, unbegun: None, sizes })
    }

    /// The entries of a run's rows, beside these.
    pub async fn read(&self, id: &str, rows: Vec<EntryRow>) -> Result<(Vec<EntryRow>, Vec<Entry>), Refusal> {
        let read = perhaps_aside(size(&rows), move || (read_all(&rows), rows)).await;
        let (rows, entries) = read.map(|(entries, rows)| (rows, entries))?;
        Ok((rows, entries.map_err(|misfit| unfit(id, misfit))?))
    }

    /// A run after some entries, from the first.
    pub async fn replay(&self, id: &str, entries: Vec<Entry>) -> Result<Run, Refusal> {
        let run = self.begun(id, &entries).await?;
        let run = aside(move || journal::replay(run, &entries)).await?;
        run.map_err(|misfit| unfit(id, misfit))
    }

    /// A run before its first entry, with what the forks among its entries go on with.
    pub(super) async fn begun(&self, id: &str, entries: &[Entry]) -> Result<Run, Refusal> {
        let Some(Entry { input: Input::Started(started), .. }) = entries.first() else {
            return Err(unfit(id, Misfit::Beginning { seq: 0 }));
        };
        let run = self.unbegun(id, started).await?;
        Ok(knowing(run, self.known(entries).await.map_err(|error| unusable(id, &error))?))
    }

    /// The definitions that the forks among some entries go on with.
    pub(super) async fn known(&self, entries: &[Entry]) -> anyhow::Result<Vec<Arc<Definition>>> {
        let mut known = Vec::new();
        for parts in journal::forks(entries) {
            known.push(self.registry.definition(parts, &*self.store).await?);
        }
        Ok(known)
    }

    /// What a run begins with, of its first entry.
    fn first(&self, id: &str, first: Option<&EntryRow>) -> Result<Started, Refusal> {
        match first.map(read).transpose().map_err(|misfit| unfit(id, misfit))?.map(|entry| entry.input) {
            Some(Input::Started(started)) => Ok(*started),
            _ => Err(unfit(id, Misfit::Beginning { seq: 0 })),
        }
    }

    /// A run before its first entry.
    async fn unbegun(&self, id: &str, started: &Started) -> Result<Run, Refusal> {
        let definition = self.registry.definition(&started.definition, &*self.store).await;
        definition.map(Run::new).map_err(|error| unusable(id, &error))
    }

    /// The workflow as a run holds it. Its definition alone does not say that: what is configured may have changed since
    /// the run began.
    pub async fn workflow_of(&self, run: &RunSummary) -> Result<Arc<Workflow>, Refusal> {
        if let Some(held) = self.begun.get(run.key) {
            return Ok(held);
        }
        let begins = match run.origin {
            Some(_) => self.stored(&run.run, run.key).await.and_then(|stored| begins(&run.run, &stored)),
            None => self.begins(&run.run, run.key).await,
        };
        let started = match begins {
            // What it has begun with cannot be read; its definition can be looked at all the same.
            Err(unfit @ Refusal::Unfit { .. }) => {
                let current = self.registry.workflow(&run.workflow).filter(|it| run.definition.starts_with(&it.digests()));
                return current.ok_or(unfit);
            }
            started => started?,
        };
        let held = self.pinned(&started).await?.workflow;
        self.begun.put(run.key, held.clone());
        Ok(held)
    }

    /// What a run has begun with, or will.
    async fn begins(&self, id: &str, key: RunKey) -> Result<Started, Refusal> {
        let past = self.store.load_at(key, None, 1).await.map_err(|error| unreadable(id, error))?;
        if let Some(first) = past.entries.first() {
            return self.first(id, Some(first));
        }
        begins(id, &self.stored(id, key).await?)
    }

    /// The workflow as a run that has begun with this holds it, ready to run.
    pub async fn pinned(&self, started: &Started) -> Result<Loaded, Refusal> {
        if let Some(current) = self.registry.loaded(&started.workflow)
            && current.workflow.definition.parts() == started.definition
            && current.workflow.additional_events == started.additional_events
        {
            return Ok(current);
        }
        let pinned = self.registry.pinned(started, &self.runtime, &*self.store).await;
        pinned.map_err(|error| unusable(&started.run, &error))
    }
}

fn begins(id: &str, stored: &Stored) -> Result<Started, Refusal> {
    stored.started().cloned().ok_or_else(|| unfit(id, Misfit::Beginning { seq: 0 }))
}

/// The same run, which knows these definitions.
pub(super) fn knowing(mut run: Run, known: Vec<Arc<Definition>>) -> Run {
    known.into_iter().for_each(|definition| run.redefine(definition));
    run
}

/// What a run may have, in bytes, to be read where it is asked for: to hand it to another thread would take longer.
const SMALL: usize = 16 << 10;

/// As [`aside`], where there is much to do.
async fn perhaps_aside<T: Send + 'static>(size: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    if size <= SMALL { Ok(work()) } else { aside(work).await }
}

/// What takes longer the more there is of a run is not done by the threads that answer.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Refusal::Unavailable(error.to_string()))
}

pub(super) fn read_all(rows: &[EntryRow]) -> Result<Vec<Entry>, Misfit> {
    rows.iter().map(read).collect()
}

fn read(row: &EntryRow) -> Result<Entry, Misfit> {
    journal::read(row.seq, &row.bytes)
}

fn size(rows: &[EntryRow]) -> usize {
    rows.iter().map(|row| row.bytes.len()).sum()
}

pub(super) fn unfit(run: &str, why: impl std::fmt::Display) -> Refusal {
    Refusal::Unfit { run: run.to_owned(), why: why.to_string() }
}

/// What is damaged stays so; else it may be tried again.
pub(super) fn unreadable(run: &str, error: store::Error) -> Refusal {
    match error {
        store::Error::Damaged(_) => unfit(run, error),
        error => error.into(),
    }
}

/// Why a run's definition, or a component of it, cannot be had. Later the store may have it, or the machine room to compile it.
pub(super) fn unusable(run: &str, error: &anyhow::Error) -> Refusal {
    match error.downcast_ref::<store::Error>() {
        Some(error) => unreadable(run, error.clone()),
        None if error.downcast_ref().is_some_and(LoadError::is_passing) => Refusal::Unavailable(format!("{error:#}")),
        None => unfit(run, format!("{error:#}")),
    }
}
