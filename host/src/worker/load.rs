//! How a run comes into memory, and how it leaves.

use std::sync::Arc;

use tokio::sync::mpsc;
use wf_engine::entry::{Entry, Input};
use wf_engine::run::Run;

use super::{Command, Fresh, Guests, Held, Worker};
use crate::host::{Inner, Refusal};

type Commands = mpsc::UnboundedReceiver<Command>;

impl Worker {
    pub(super) fn fresh(inner: Arc<Inner>, fresh: Fresh, commands: Commands) -> Worker {
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
            commands,
        };
        worker.perform(effects);
        worker
    }

    /// Loads the journal, replays the fold, and resumes what was under way.
    pub(super) async fn load(inner: Arc<Inner>, id: &str, commands: Commands) -> Result<Worker, (Refusal, Commands)> {
        match loaded(&inner, id).await {
            Ok(fresh) => {
                let running = fresh.run.is_running();
                let mut worker = Worker::fresh(inner, fresh, commands);
                if running {
                    let planned = worker.inner.was_planned(&worker.info.run);
                    worker.input(Input::Resumed { planned }, Held::default(), None);
                }
                Ok(worker)
            }
            Err(refusal) => Err((refusal, commands)),
        }
    }
}

async fn loaded(inner: &Arc<Inner>, id: &str) -> Result<Fresh, Refusal> {
    let row = inner.store.run(id).await?.ok_or(Refusal::NotFound)?;
    let generation = inner.store.acquire(row.key).await?;
    let journal = inner.store.journal(row.key).await?;
    let entries: Result<Vec<Entry>, _> = journal.iter().map(|row| serde_json::from_slice(&row.bytes)).collect();
    let entries = entries.map_err(|error| Refusal::Unavailable(format!("the journal of run `{id}` is unreadable: {error}")))?;
    let Some(Input::Started(started)) = entries.first().map(|entry| &entry.input) else {
        return Err(Refusal::Unavailable(format!("the journal of run `{id}` has no beginning")));
    };
    let workflow = inner.pinned(started).await?;
    let info = Inner::info(started);
    let run = Run::replay(workflow.definition.clone(), &entries);
    Ok(Fresh { key: row.key, generation, run, workflow, info, effects: Vec::new() })
}

/// Answers what was asked of a run that could not be loaded.
pub(super) fn refuse(mut commands: Commands, refusal: Refusal) {
    commands.close();
    while let Ok(command) = commands.try_recv() {
        match command {
            Command::Send { reply, .. } | Command::Cancel { reply } => drop(reply.send(Err(refusal.clone()))),
            Command::State { reply } => drop(reply.send(Err(refusal.clone()))),
            Command::Wake | Command::Stop => (),
        }
    }
}
