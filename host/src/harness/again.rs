//! The finished attempts of a run under test, run again: whether they do what they did.

use std::collections::BTreeSet;

use serde::Serialize;
use wf_engine::entry::InvocationId;

use super::Mistake;
use crate::care::bundle::Bundle;
use crate::care::replay::Replay;
use crate::config::Config;
use crate::model::Workflow;
use crate::runtime::LoadError;
use crate::services::Services;
use crate::store::{FrameRow, Shown, Store};

/// What came of it.
#[derive(Serialize)]
pub(super) struct Replayed {
    /// How many attempts were run again.
    pub attempts: usize,
    pub differing: Vec<Differing>,
}

/// An attempt that does another thing.
#[derive(Serialize)]
pub(super) struct Differing {
    pub step: String,
    pub invocation: u64,
    pub attempt: u32,
    /// The call, by its number; none: its end.
    pub call: Option<u32>,
    pub then: String,
    pub now: String,
}

/// Runs all attempts of a run again that have ended, but for those that the test has made fail.
pub(super) async fn replay(
    services: &Services,
    run: &str,
    workflow: &Workflow,
    failed: &BTreeSet<(InvocationId, u32)>,
) -> Result<Replayed, Mistake> {
    let store = &*services.store;
    let gone = || Mistake::new("the run is gone", "this is a defect of wf-host");
    let summary = store.run(run).await?.ok_or_else(gone)?;
    let entries = store.journal(summary.key).await?;
    let shown = Shown { summary, entries, frames: frames(store, run).await?, logs: Vec::new(), state: None, first: Vec::new() };
    let mut bundle = Bundle::default();
    for digest in workflow.digests() {
        let (bytes, manifest) = (store.component(&digest).await?, store.manifest(&digest).await?);
        bundle.components.extend(bytes.zip(manifest).map(|both| (digest, both)));
    }
    let replayed = Replay::new(services.runtime.clone(), Config::default()).run(&bundle, &shown).await?;
    let own = replayed.differing.into_iter().filter(|it| !failed.contains(&(it.invocation, it.attempt)));
    let differing = own.map(|it| Differing {
        step: it.step,
        invocation: it.invocation,
        attempt: it.attempt,
        call: it.difference.call,
        then: it.difference.then,
        now: it.difference.now,
    });
    Ok(Replayed { attempts: replayed.attempts, differing: differing.collect() })
}

async fn frames(store: &dyn Store, run: &str) -> Result<Vec<FrameRow>, Mistake> {
    let mut all: Vec<FrameRow> = Vec::new();
    loop {
        let after = all.last().map_or(-1, |it| i64::try_from(it.sequence).unwrap_or(i64::MAX));
        let more = store.frames(run, after, usize::MAX).await?;
        if more.is_empty() {
            return Ok(all);
        }
        all.extend(more);
    }
}

impl From<LoadError> for Mistake {
    fn from(error: LoadError) -> Mistake {
        Mistake::new(error.to_string(), error.hint())
    }
}
