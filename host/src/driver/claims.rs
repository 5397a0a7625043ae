//! What is due in the store is claimed, in steps.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::Driver;
use crate::store;

/// The store and the clocks are looked at so often, however far off the next that is due: clocks may jump, and what is
/// due then goes on within a second.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(800);
/// What was left behind by a host that was lost is looked for so often.
const SEARCH_EVERY: Duration = Duration::from_secs(5);
/// Where there is no room for what is due, that is looked for so often.
const ROOM_EVERY: Duration = Duration::from_millis(50);

/// Until the host stops.
pub(super) async fn keep(driver: Driver) {
    let mut searched: Option<Instant> = None;
    let mut turns_given: Option<Instant> = None;
    let mut commands = driver.0.services.store.watch_commands();
    let mut asked: Option<Instant> = None;
    loop {
        let is_time = |last: Option<Instant>| last.is_none_or(|at| at.elapsed() >= SEARCH_EVERY);
        // Many runs are searched in steps; turns need not be given at each of them.
        let (search, give) = (is_time(searched), is_time(turns_given));
        // Whoever searches finds runs whose owner was lost before it could do what it was told.
        let ask = search || asked.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        if ask {
            commands.mark_unchanged();
            asked = Some(Instant::now());
        }
        let looked = AssertUnwindSafe(look(&driver, give, search, ask)).catch_unwind().await;
        let looked = looked.unwrap_or_else(|_| Err(store::Error::Unavailable("a defect of wf-host".to_owned())));
        let wait = match looked {
            Ok((wait, searched_all)) => {
                if give {
                    turns_given = Some(Instant::now());
                }
                if search && searched_all {
                    searched = Some(Instant::now());
                }
                wait
            }
            Err(error) => {
                tracing::warn!("what is due cannot be claimed: {error}");
                driver.table().owners.lose_sight();
                // Nobody makes it come earlier: it would fail again.
                tokio::select! {
                    () = driver.0.stopping.cancelled() => return,
                    () = tokio::time::sleep(LOOK_EVERY) => continue,
                }
            }
        };
        tokio::select! {
            () = driver.0.stopping.cancelled() => return,
            () = tokio::time::sleep(wait) => (),
            () = driver.0.earlier.notified() => (),
            Ok(()) = commands.changed() => asked = None,
        }
    }
}

async fn look(driver: &Driver, give: bool, search: bool, ask: bool) -> store::Result<(Duration, bool)> {
    if give {
        look_at_queues(driver).await?;
    }
    let looked = look_at_dues(driver, search).await?;
    if ask {
        look_at_commands(driver).await?;
    }
    Ok(looked)
}

/// Gives turns that nobody has given: a host was lost after a run's end, a run was purged, a cap is another now.
async fn look_at_queues(driver: &Driver) -> store::Result<()> {
    for workflow in driver.0.services.store.queues().await? {
        driver.turns(&workflow).await?;
    }
    Ok(())
}

/// Claims what is due. Says how long to wait until the next look, and whether nothing was left.
async fn look_at_dues(driver: &Driver, search: bool) -> store::Result<(Duration, bool)> {
    let services = &driver.0.services;
    let (actions, again) = {
        let mut table = driver.table();
        (table.owners.due(services.clock.alive()), table.owners.next_due())
    };
    driver.act(actions);
    let looks = driver.table().owners.looks();
    if looks {
        let owned = services.store.owned(services.host).await?;
        let actions = driver.table().owners.recover(owned);
        driver.act(actions);
    }
    let due = services.clock.until(services.store.next_due().await?);
    let again = again.map(|again| Duration::from_micros(again.saturating_sub(services.clock.alive())));
    let wait = again.into_iter().chain(due).fold(LOOK_EVERY, Duration::min);
    if !search && !due.is_some_and(|due| due.is_zero()) {
        return Ok((wait, false));
    }
    let room = driver.table().owners.room();
    if room == 0 {
        return Ok((ROOM_EVERY, false));
    }
    let claims = services.store.claim_due(services.host, services.now(), room).await?;
    let more = claims.len() == room;
    let actions = driver.table().owners.claimed(claims);
    driver.act(actions);
    // What was due is claimed: it does not count any more.
    let wait = if more { Duration::ZERO } else { again.map_or(LOOK_EVERY, |again| again.min(LOOK_EVERY)).min(next(driver).await?) };
    Ok((wait, !more))
}

async fn next(driver: &Driver) -> store::Result<Duration> {
    let services = &driver.0.services;
    Ok(services.clock.until(services.store.next_due().await?).unwrap_or(LOOK_EVERY))
}

/// Takes in runs for which other hosts have left commands: while one is here, its worker looks at them, else it is
/// loaded for them. A command may have come without a word, or its run may have been left meanwhile.
async fn look_at_commands(driver: &Driver) -> store::Result<()> {
    let services = &driver.0.services;
    let commanded = services.store.commanded(services.host).await?;
    let actions = driver.table().owners.commanded(commanded);
    driver.act(actions);
    Ok(())
}
