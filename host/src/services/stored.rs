//! A run as it is stored. Looking at one changes nothing.

use std::sync::Arc;

use serde_json::value::RawValue;
use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Input, Part};
use wf_engine::history::History;
use wf_engine::journal::{self, Misfit};
use wf_engine::json::Json;
use wf_engine::run::Run;
use wf_engine::snapshot;

use super::Services;
use crate::model::{Refusal, Workflow};
use crate::registry::Loaded;
use crate::store::{self, EntryRow, RunKey, RunSummary};

/// A run, replayed from what is stored.
pub(crate) struct Stored {
    pub run: Run,
    /// How much was read, in bytes: of a snapshot, and of the entries after it.
    pub sizes: (usize, usize),
}

impl Services {
    /// A run, as fast as it can be read: from its newest snapshot, where there is one.
    pub async fn stored(&self, id: &str, key: RunKey) -> Result<Stored, Refusal> {
        let stored = self.store.load(key).await.map_err(|error| unreadable(id, error))?;
        let Some(snapshot) = stored.snapshot else { return self.replayed(id, &stored.entries).await };
        match self.restored(&snapshot.bytes, &stored.entries).await {
            Ok(run) => Ok(Stored { run, sizes: (snapshot.bytes.len(), size(&stored.entries)) }),
            Err(error) => {
                tracing::warn!(run.id = id, "run `{id}`: its snapshot is not used: {error:#}");
                let rows = self.store.journal(key).await.map_err(|error| unreadable(id, error))?;
                self.replayed(id, &rows).await
            }
        }
    }

    async fn restored(&self, snapshot: &[u8], rows: &[EntryRow]) -> anyhow::Result<Run> {
        let definition = self.registry.definition(&snapshot::parts(snapshot)?, &*self.store).await?;
        let run = snapshot::restore(Arc::new(definition), snapshot)?;
        let entries: Result<Vec<Entry>, Misfit> = rows.iter().map(read).collect();
        Ok(journal::replay(run, &entries?)?)
    }

    async fn replayed(&self, id: &str, rows: &[EntryRow]) -> Result<Stored, Refusal> {
        let entries = entries(id, rows)?;
        let definition = self.definition(id, parts(id, &entries)?).await?;
        let run = journal::replay(Run::new(definition), &entries).map_err(|misfit| unfit(id, misfit))?;
        Ok(Stored { run, sizes: (0, size(rows)) })
    }

    /// What happened in a run, entry by entry.
    pub async fn history(&self, run: &RunSummary) -> Result<History, Refusal> {
        let rows = self.store.journal(run.key).await.map_err(|error| unreadable(&run.run, error))?;
        let entries = entries(&run.run, &rows)?;
        let definition = self.definition(&run.run, parts(&run.run, &entries)?).await?;
        journal::history(definition, &entries).map_err(|misfit| unfit(&run.run, misfit))
    }

    /// A run's state as it was after an entry; none: as it is.
    pub async fn state(&self, run: &RunSummary, seq: Option<u64>) -> Result<Json, Refusal> {
        let Some(seq) = seq else {
            return match self.store.final_state(run.key).await? {
                Some(state) => json(&run.run, &state),
                None => Ok(self.stored(&run.run, run.key).await?.run.state()),
            };
        };
        let mut rows = self.store.journal(run.key).await?;
        rows.retain(|row| row.seq <= seq);
        Ok(self.replayed(&run.run, &rows).await?.run.state())
    }

    /// The workflow as a run holds it.
    pub async fn workflow_of(&self, run: &RunSummary) -> Result<Arc<Workflow>, Refusal> {
        if let Some(current) = self.registry.workflow(&run.workflow).filter(|it| it.digests() == run.definition) {
            return Ok(current);
        }
        let run = self.stored(&run.run, run.key).await?.run;
        Ok(self.pinned(&run).await?.workflow)
    }

    /// The workflow as a run holds it, ready to run.
    pub async fn pinned(&self, run: &Run) -> Result<Loaded, Refusal> {
        let started = run.started().ok_or_else(|| Refusal::Unavailable("a run that has not begun".to_owned()))?;
        if let Some(current) = self.registry.loaded(&started.workflow)
            && current.workflow.definition.parts() == started.definition
            && current.workflow.additional_events == started.additional_events
        {
            return Ok(current);
        }
        let pinned = self.registry.pinned(started, &self.runtime, &*self.store).await;
        pinned.map_err(|error| unusable(&started.run, &error))
    }

    async fn definition(&self, run: &str, parts: &[Part]) -> Result<Arc<Definition>, Refusal> {
        let definition = self.registry.definition(parts, &*self.store).await;
        definition.map(Arc::new).map_err(|error| unusable(run, &error))
    }
}

fn read(row: &EntryRow) -> Result<Entry, Misfit> {
    journal::read(row.seq, &row.bytes)
}

fn entries(run: &str, rows: &[EntryRow]) -> Result<Vec<Entry>, Refusal> {
    let entries: Result<Vec<Entry>, Misfit> = rows.iter().map(read).collect();
    entries.map_err(|misfit| unfit(run, misfit))
}

/// What a journal's run is pinned to.
fn parts<'a>(run: &str, entries: &'a [Entry]) -> Result<&'a [Part], Refusal> {
    match entries.first().map(|entry| &entry.input) {
        Some(Input::Started(started)) => Ok(&started.definition),
        _ => Err(unfit(run, Misfit::Beginning { seq: 0 })),
    }
}

fn json(run: &str, bytes: &[u8]) -> Result<Json, Refusal> {
    let state: Result<Box<RawValue>, _> = serde_json::from_slice(bytes);
    state.map(Json::from).map_err(|error| Refusal::Unavailable(format!("the state of run `{run}` is damaged: {error}")))
}

fn size(rows: &[EntryRow]) -> usize {
    rows.iter().map(|row| row.bytes.len()).sum()
}

fn unfit(run: &str, why: impl std::fmt::Display) -> Refusal {
    Refusal::Unfit { run: run.to_owned(), why: why.to_string() }
}

/// What is damaged stays so; else it may be tried again.
fn unreadable(run: &str, error: store::Error) -> Refusal {
    match error {
        store::Error::Damaged(_) => unfit(run, error),
        error => error.into(),
    }
}

/// Why a run's definition, or a component of it, cannot be had. Only the store may have it later.
fn unusable(run: &str, error: &anyhow::Error) -> Refusal {
    match error.downcast_ref::<store::Error>() {
        Some(error) => unreadable(run, error.clone()),
        None => unfit(run, format!("{error:#}")),
    }
}
