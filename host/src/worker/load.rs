//! How a run comes into memory, and how it leaves.

use std::sync::Arc;

use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Input, Started};
use wf_engine::journal::{self, Misfit};
use wf_engine::run::Run;

use super::{Command, Commands, Fresh, Guests, Held, Worker};
use crate::host::Inner;
use crate::model::Refusal;
use crate::store::{self, EntryRow};

impl Worker {
    pub(super) fn new(inner: Arc<Inner>, fresh: Fresh, commands: Commands) -> Worker {
        let Fresh { key, generation, run, loaded, info, effects } = fresh;
        let tail = inner.tails.of(&info.run);
        let mut worker = Worker {
            inner,
            key,
            generation,
            run,
            info,
            loaded,
            tail,
            guests: Guests::new(),
            timers: Default::default(),
            logs: Vec::new(),
            appends: Default::default(),
            keys: Default::default(),
            commands,
        };
        worker.perform(effects);
        worker
    }

    /// Loads the journal, replays the fold, and resumes what was executing. A run that was only
    /// waiting is told nothing.
    pub(super) async fn load(inner: Arc<Inner>, id: &str, commands: Commands) -> Result<Worker, (Refusal, Commands)> {
        let fresh = match loaded(&inner, id).await {
            Ok(fresh) => fresh,
            Err(refusal) => return Err((refusal, commands)),
        };
        let mut worker = Worker::new(inner, fresh, commands);
        worker.timers = worker.run.timers().collect();
        let planned = worker.inner.left_planned(id);
        if worker.run.needs_resume() {
            let on_thread = worker.inner.runtime.on_thread(id);
            worker.input(Input::Resumed { planned, on_thread }, Held::default(), None);
        }
        Ok(worker)
    }

    /// Leaves memory for good: the run has ended.
    pub(super) fn leave(mut self) {
        self.inner.forget(&self.info.run);
        while let Ok(command) = self.commands.try_recv() {
            self.command(command);
        }
        // Nothing is under way: what is held now is durable.
        while let Some(Some((_, held))) = futures_util::FutureExt::now_or_never(self.appends.next()) {
            held.release(&self.tail);
        }
    }

    /// Answers what waited for appends that will not come.
    pub(super) async fn refuse_held(&mut self, error: &store::Error) {
        while let Some((result, held)) = self.appends.next().await {
            held.refuse(result.as_ref().err().unwrap_or(error));
        }
    }
}

async fn loaded(inner: &Arc<Inner>, id: &str) -> Result<Fresh, Refusal> {
    let _turn = inner.loading.acquire().await.expect("never closed");
    let row = inner.store.run(id).await?.ok_or(Refusal::NotFound)?;
    let generation = inner.store.acquire(row.key).await?;
    let entries = entries(id, &inner.store.journal(row.key).await?)?;
    let started = started(id, &entries)?;
    let loaded = inner.pinned(started).await?;
    let info = Inner::info(started);
    let run = replay(id, loaded.workflow.definition.clone(), &entries)?;
    Ok(Fresh { key: row.key, generation, run, loaded, info, effects: Vec::new() })
}

/// The entries of a journal.
pub(crate) fn entries(run: &str, rows: &[EntryRow]) -> Result<Vec<Entry>, Refusal> {
    let entries: Result<Vec<Entry>, Misfit> = rows.iter().map(|row| journal::read(row.seq, &row.bytes)).collect();
    entries.map_err(|misfit| unfit(run, misfit))
}

/// What a run was started with.
pub(crate) fn started<'a>(run: &str, entries: &'a [Entry]) -> Result<&'a Started, Refusal> {
    match entries.first().map(|entry| &entry.input) {
        Some(Input::Started(started)) => Ok(started),
        _ => Err(unfit(run, Misfit::Beginning { seq: 0 })),
    }
}

/// The run that a journal tells of.
pub(crate) fn replay(run: &str, definition: Arc<Definition>, entries: &[Entry]) -> Result<Run, Refusal> {
    journal::replay(Run::new(definition), entries).map_err(|misfit| unfit(run, misfit))
}

pub(crate) fn unfit(run: &str, misfit: Misfit) -> Refusal {
    Refusal::Unfit { run: run.to_owned(), misfit }
}

/// Leaves memory, and refuses whatever else was asked.
pub(super) fn refuse(inner: &Inner, id: &str, mut commands: Commands, refusal: &Refusal) {
    inner.forget(id);
    let mut woken = false;
    while let Ok(command) = commands.try_recv() {
        match command {
            Command::Send { reply, .. } | Command::Cancel { reply } => drop(reply.send(Err(refusal.clone()))),
            Command::Wake => woken = true,
            Command::Stop => (),
        }
    }
    let unheard = match refusal {
        // It will not fit later either: that is said once.
        Refusal::Unfit { .. } => inner.note_unfit(id),
        _ => woken,
    };
    if unheard {
        tracing::error!(run.id = id, "run `{id}` cannot go on: {refusal}");
    }
}
