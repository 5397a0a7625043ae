//! A run as it was, for those who look at it: folded from the nearest snapshot before.

use serde_json::value::RawValue;
use wf_engine::entry::Entry;
use wf_engine::history::History;
use wf_engine::journal;
use wf_engine::json::Json;

use super::Services;
use super::stored::{Stored, aside, knowing, read_all, unfit, unreadable, unusable};
use crate::model::Refusal;
use crate::store::{Past, RunSummary};

impl Services {
    /// What happened in a run by at most `limit` entries after one, or from the first; and the last of
    /// them, where there are more.
    pub async fn history(&self, run: &RunSummary, after: Option<u64>, limit: usize) -> Result<(History, Option<u64>), Refusal> {
        let id = &run.run;
        let past = self.store.load_at(run.key, after, limit).await.map_err(|error| unreadable(id, error))?;
        let Past { snapshot, entries: mut before, length } = past;
        if length == 0 {
            // It queues for its workflow's turn, or is gone.
            return if run.status.is_running() { Ok((History::default(), None)) } else { Err(Refusal::NotFound) };
        }
        let page = before.split_off(before.partition_point(|row| after.is_some_and(|after| row.seq <= after)));
        let next = page.last().map(|row| row.seq).filter(|last| last.saturating_add(1) < length);
        let page = aside(move || read_all(&page)).await?.map_err(|misfit| unfit(id, misfit))?;
        let begun = match after {
            Some(after) => {
                let before = self.fold(id, run.key, snapshot, before, after).await?.run;
                knowing(before, self.known(&page).await.map_err(|error| unusable(id, &error))?)
            }
            None => self.begun(id, &page).await?,
        };
        let history = aside(move || journal::history(begun, &page)).await?;
        Ok((history.map_err(|misfit| unfit(id, misfit))?, next))
    }

    /// The entry from which what a run failed with is tried again; none: it has not failed with an attempt.
    pub async fn try_again(&self, id: &str, entries: &[Entry]) -> Result<Option<u64>, Refusal> {
        let (begun, entries) = (self.begun(id, entries).await?, entries.to_vec());
        let history = aside(move || journal::history(begun, &entries)).await?;
        Ok(history.map_err(|misfit| unfit(id, misfit))?.try_again())
    }

    /// A run's state as it was after an entry; none: as it is.
    pub async fn state(&self, run: &RunSummary, seq: Option<u64>) -> Result<Json, Refusal> {
        let id = &run.run;
        let Some(seq) = seq else {
            return match self.store.final_state(run.key).await? {
                Some(state) => json(id, &state),
                None => told(self.stored(id, run.key).await?).await,
            };
        };
        let Past { snapshot, entries, .. } = self.store.load_at(run.key, Some(seq), 0).await.map_err(|error| unreadable(id, error))?;
        if snapshot.is_none() && entries.is_empty() {
            return told(self.stored(id, run.key).await?).await;
        }
        told(self.fold(id, run.key, snapshot, entries, seq).await?).await
    }
}

async fn told(stored: Stored) -> Result<Json, Refusal> {
    match stored.unbegun {
        Some(unbegun) => Ok(unbegun.started.state),
        None => aside(move || stored.run.state()).await,
    }
}

fn json(run: &str, bytes: &[u8]) -> Result<Json, Refusal> {
    let state: Result<Box<RawValue>, _> = serde_json::from_slice(bytes);
    state.map(Json::from).map_err(|error| Refusal::Unavailable(format!("the state of run `{run}` is damaged: {error}")))
}
