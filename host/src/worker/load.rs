//! How a run comes into memory, and how it leaves.

use std::sync::Arc;

use wf_engine::entry::{Entry, Input};
use wf_engine::run::Run;

use super::{Command, Commands, Fresh, Guests, Held, Worker};
use crate::host::{Inner, Refusal};
use crate::store::{self, EntryRow};

impl Worker {
    pub(super) fn new(inner: Arc<Inner>, fresh: Fresh, commands: Commands) -> Worker {
        let Fresh { key, generation, run, workflow, info, effects } = fresh;
        let tail = inner.tails.of(&info.run);
        let mut worker = Worker {
            inner,
            key,
            generation,
            run,
            info,
            workflow,
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

    /// Loads the journal, replays the fold, and resumes what was under way.
    pub(super) async fn load(inner: Arc<Inner>, id: &str, commands: Commands) -> Result<Worker, (Refusal, Commands)> {
        let fresh = match loaded(&inner, id).await {
            Ok(fresh) => fresh,
            Err(refusal) => return Err((refusal, commands)),
        };
        let mut worker = Worker::new(inner, fresh, commands);
        if worker.run.is_running() {
            let planned = worker.inner.left_planned(id);
            worker.input(Input::Resumed { planned }, Held::default(), None);
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
    let Some(Input::Started(started)) = entries.first().map(|entry| &entry.input) else {
        return Err(Refusal::Unavailable(format!("the journal of run `{id}` has no beginning")));
    };
    let workflow = inner.pinned(started).await?;
    let info = Inner::info(started);
    let run = Run::replay(workflow.definition.clone(), &entries);
    Ok(Fresh { key: row.key, generation, run, workflow, info, effects: Vec::new() })
}

/// The entries of a journal.
pub(crate) fn entries(run: &str, rows: &[EntryRow]) -> Result<Vec<Entry>, Refusal> {
    let entries: Result<Vec<Entry>, _> = rows.iter().map(|row| serde_json::from_slice(&row.bytes)).collect();
    entries.map_err(|error| Refusal::Unavailable(format!("the journal of run `{run}` is unreadable: {error}")))
}

/// Leaves memory, and refuses whatever else was asked.
pub(super) fn refuse(inner: &Inner, id: &str, mut commands: Commands, refusal: &Refusal) {
    inner.forget(id);
    while let Ok(command) = commands.try_recv() {
        match command {
            Command::Send { reply, .. } | Command::Cancel { reply } => drop(reply.send(Err(refusal.clone()))),
            Command::State { reply } => drop(reply.send(Err(refusal.clone()))),
            Command::Wake => tracing::error!(run.id = id, "run `{id}` cannot go on: {refusal}"),
            Command::Stop => (),
        }
    }
}
