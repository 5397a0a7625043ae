//! How a run comes into memory.

use std::sync::Arc;

use tokio::sync::SemaphorePermit;

use super::{Driver, Task};
use crate::machine::{Action, Identity, Worker};
use crate::model::Refusal;
use crate::registry::Loaded;
use crate::services::Stored;
use crate::store::{self, Claim};

/// Loads a run, and drives it. One that was only waiting is told nothing.
pub(super) async fn load(driver: &Driver, run: &str, identity: Identity, claim: Option<Claim>) {
    let services = &driver.0.services;
    let turn = driver.0.loading.acquire().await.expect("never closed");
    let claimed = match claim {
        Some(claim) => Ok(claim),
        None => services.store.acquire(services.host, run, services.now()).await,
    };
    if claimed == Err(store::Error::Owned) {
        let actions = driver.table().owners.elsewhere(run, identity);
        return driver.act(actions);
    }
    if let Ok(claim) = &claimed {
        driver.table().owners.acquired(run, identity, claim);
    }
    let resumed = read(driver, run, claimed, turn).await.and_then(|(claim, stored, loaded)| {
        let abandoned = driver.table().owners.abandoned(run, identity);
        let on_thread = services.runtime.on_thread(run);
        let Stored { run: replayed, unbegun, sizes } = stored;
        let (workflow, now) = (Arc::clone(&loaded.workflow), services.now());
        let resumed = match unbegun {
            Some(unbegun) => Some(Worker::unbegun(&claim, workflow, replayed, unbegun, now)),
            None => Worker::resume(&claim, workflow, replayed, sizes, abandoned, on_thread, now),
        };
        resumed.map(|(worker, outputs)| (loaded, worker, outputs)).ok_or(Refusal::NotFound)
    });
    if let Err(Refusal::AlreadyCompleted | Refusal::NotFound) = &resumed {
        services.tails.end(run);
    }
    let (resumed, result) = match resumed {
        Ok(resumed) => (Some(resumed), Ok(())),
        Err(refusal) => (None, Err(refusal)),
    };
    if let Err(refusal @ Refusal::Unavailable(_)) = &result {
        tracing::warn!(run.id = run, "run `{run}` cannot be loaded; that is tried again: {refusal}");
    }
    let unfit = result.as_ref().err().filter(|it| matches!(it, Refusal::Unfit { .. })).map(ToString::to_string);
    let (actions, bell) = {
        let mut table = driver.table();
        (table.owners.loaded(services.clock.alive(), run, identity, result), table.bell(identity))
    };
    // It will not fit later either: that is said once, because it keeps its place. One that was claimed meanwhile is loaded again.
    if let Some(refusal) = unfit.filter(|_| !actions.iter().any(|it| matches!(it, Action::Load { .. }))) {
        tracing::error!(run.id = run, "run `{run}` cannot go on: {refusal}");
    }
    match resumed {
        Some((loaded, worker, outputs)) => driver.drive(Task::new(driver.clone(), run.to_owned(), identity, loaded, worker, bell), outputs),
        None => {
            driver.table().bells.remove(&identity);
            // It may be loaded again soon.
            driver.0.earlier.notify_one();
        }
    }
    driver.act(actions);
}

async fn read(
    driver: &Driver,
    run: &str,
    claimed: store::Result<Claim>,
    turn: SemaphorePermit<'_>,
) -> Result<(Claim, Stored, Loaded), Refusal> {
    let services = &driver.0.services;
    let claim = claimed?;
    let stored = services.stored(run, claim.key).await?;
    // To compile a component takes long: others need not wait for it.
    drop(turn);
    let loaded = services.pinned(stored.started().ok_or_else(|| Refusal::Unavailable("a run that has not begun".to_owned()))?).await?;
    Ok((claim, stored, loaded))
}
