//! What is over for long enough goes: runs after their retention, components that no run needs.

use std::sync::Weak;
use std::time::Duration;

use crate::config::Config;
use crate::services::Services;
use crate::store::{self, Expiry};

/// Looked after so often; more often where something is kept for a short time.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEEP_EVERY_MIN: Duration = Duration::from_secs(1);
/// Components that no run needs are looked for so often.
const DROP_EVERY: Duration = Duration::from_secs(600);
/// Handlers that one write purges: others wait for it.
const BATCH_MAX: usize = 200;

/// Sweeps until the host is gone.
pub(super) async fn keep(services: Weak<Services>, config: Config) {
    let shortest = config.workflows.values().filter_map(|it| it.retention).chain(config.retention).min();
    let every = shortest.map_or(SWEEP_EVERY, |it| (it / 10).clamp(SWEEP_EVERY_MIN, SWEEP_EVERY));
    let mut unswept = Duration::ZERO;
    loop {
        tokio::time::sleep(every).await;
        unswept += every;
        let Some(services) = services.upgrade() else { return };
        match sweep(&services, &config).await {
            Ok(0) => (),
            Ok(purged) => tracing::info!("purged {purged} handlers whose runs have ended long enough ago"),
            Err(error) => tracing::warn!("runs past their retention could not be purged: {error}"),
        }
        if unswept >= DROP_EVERY {
            unswept = Duration::ZERO;
            match services.registry.drop_unneeded(&*services.store).await {
                Ok(dropped) => tracing::debug!("dropped {dropped} components that no run needs"),
                Err(error) => tracing::warn!("components that no run needs could not be dropped: {error}"),
            }
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
        loop {
            let expiry = Expiry { workflow: workflow.clone(), except: except.clone(), before, max: BATCH_MAX };
            let some = services.store.expire(expiry).await?;
            purged += some;
            if some < BATCH_MAX {
                break;
            }
        }
    }
    Ok(purged)
}
