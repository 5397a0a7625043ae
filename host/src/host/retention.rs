//! What is over for long enough goes: runs after their retention, components that no run needs.

use std::sync::Weak;
use std::time::Duration;

use tokio::sync::watch;

use wf_engine::entry::Micros;

use crate::config::{Config, WorkflowConfig};
use crate::services::Services;
use crate::store::{self, Expiry, Finished};

/// Looked after so often; more often where something is kept for a short time.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEEP_EVERY_MIN: Duration = Duration::from_secs(1);
/// Looked after at least so often where the number or the size of what is kept has a limit.
const COUNT_EVERY: Duration = Duration::from_secs(10);
/// Components that no run needs are looked for so often.
const DROP_EVERY: Duration = Duration::from_secs(600);
/// Handlers that one write purges: others wait for it.
const BATCH_MAX: usize = 200;

/// Sweeps until the host is gone.
pub(super) async fn keep(services: Weak<Services>, mut configured: watch::Receiver<Config>) {
    let mut unswept = Duration::ZERO;
    loop {
        let config = configured.borrow_and_update().clone();
        let every = every(&config);
        // Changed, it may have to be looked after more often.
        tokio::select! {
            () = tokio::time::sleep(every) => unswept += every,
            Ok(()) = configured.changed() => continue,
        }
        let Some(services) = services.upgrade() else { return };
        match sweep(&services, &config).await {
            Ok(0) => (),
            Ok(purged) => tracing::info!("purged {purged} handlers that are over and not to be kept any more"),
            Err(error) => tracing::warn!("runs past their retention could not be purged: {error}"),
        }
        if unswept >= DROP_EVERY {
            unswept = Duration::ZERO;
            drop_unneeded(&services).await;
        }
    }
}

/// Drops the stored components that nothing needs.
pub(super) async fn drop_unneeded(services: &Services) {
    match services.registry.drop_unneeded(&*services.store).await {
        Ok(dropped) => tracing::debug!("dropped {dropped} components that no run needs"),
        Err(error) => tracing::warn!("components that no run needs could not be dropped: {error}"),
    }
}

fn every(config: &Config) -> Duration {
    let shortest = config.workflows.values().filter_map(|it| it.retention).chain(config.retention).min();
    let most = if config.workflows.values().any(is_bounded) { COUNT_EVERY } else { SWEEP_EVERY };
    shortest.map_or(most, |it| (it / 10).clamp(SWEEP_EVERY_MIN, most))
}

fn is_bounded(workflow: &WorkflowConfig) -> bool {
    workflow.runs_kept.is_some() || workflow.size_kept.is_some()
}

/// Purges what is beyond what is kept of a workflow, from what ended last on.
async fn beyond(services: &Services, workflow: &str, kept: &WorkflowConfig) -> store::Result<usize> {
    let (runs_max, bytes_max) = (kept.runs_kept.unwrap_or(u64::MAX), kept.size_kept.unwrap_or(u64::MAX));
    let (mut runs, mut bytes, mut after) = (0, 0, None);
    loop {
        let some = services.store.over(workflow, after, BATCH_MAX, kept.size_kept.is_some()).await?;
        let mut is_kept = |it: &&Finished| {
            runs += 1;
            bytes = u64::saturating_add(bytes, it.bytes);
            runs <= runs_max && bytes <= bytes_max
        };
        if let Some(first) = some.iter().find(|it| !is_kept(it)) {
            return purged(services, Some(workflow.to_owned()), Vec::new(), first.at.saturating_add(1)).await;
        }
        after = some.last().copied();
        if some.len() < BATCH_MAX {
            return Ok(0);
        }
    }
}

/// Purges what ended before a time, in steps.
async fn purged(services: &Services, workflow: Option<String>, except: Vec<String>, before: Micros) -> store::Result<usize> {
    let mut purged = 0;
    loop {
        let expiry = Expiry { workflow: workflow.clone(), except: except.clone(), before, max: BATCH_MAX };
        let some = services.store.expire(expiry).await?;
        purged += some;
        if some < BATCH_MAX {
            return Ok(purged);
        }
    }
}

async fn sweep(services: &Services, config: &Config) -> store::Result<usize> {
    let own = |(name, it): (&String, &crate::config::WorkflowConfig)| Some((Some(name.clone()), it.retention?));
    let single: Vec<(Option<String>, Duration)> = config.workflows.iter().filter_map(own).collect();
    let except: Vec<String> = single.iter().filter_map(|(name, _)| name.clone()).collect();
    let mut purged = 0;
    for (workflow, retention) in single.into_iter().chain(config.retention.map(|retention| (None, retention))) {
        let before = services.clock.at().saturating_sub(u64::try_from(retention.as_micros()).unwrap_or(u64::MAX));
        let except = if workflow.is_none() { except.clone() } else { Vec::new() };
        purged += self::purged(services, workflow, except, before).await?;
    }
    for (workflow, kept) in config.workflows.iter().filter(|(_, it)| is_bounded(it)) {
        purged += beyond(services, workflow, kept).await?;
    }
    Ok(purged)
}
