//! Waiting for one of many; of not too many. What is ready of an answer is recorded as ready, and so is a timer beside it.

use std::time::Duration;

use tokio::task::yield_now;
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll;
use wf_engine::entry::Micros;

use super::clock::Clock;
use super::guest::Guest;
use super::wasi::{HANDLES_MAX, TooMany};
use super::wasi_http::reading::Shared;
use super::wasi_http::streams::{fetch, is_ready, turn};

pub(super) struct Polls<'a>(pub &'a mut Guest);

pub(super) struct HasPolls;

impl HasData for HasPolls {
    type Data<'a> = Polls<'a>;
}

impl poll::Host for Polls<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        if pollables.len() > HANDLES_MAX {
            return Err(TooMany.into());
        }
        // A guest that polls in a loop must let others have the thread.
        yield_now().await;
        let guest = &mut *self.0;
        let readings: Vec<_> = pollables.iter().map(|pollable| guest.http.of_pollable(pollable)).collect();
        for reading in readings.iter().flatten() {
            let mut reading = reading.lock().expect("no panic while locked");
            reading.turn = turn(guest, reading.request);
        }
        let later = |reading: &_| matches!(reading, Some(reading) if !is_ready(guest, reading));
        if guest.context.as_ref().is_some_and(|context| context.attempt.has_recorded()) && readings.iter().all(later) {
            // Something else was recorded next than any of them: the first says so.
            if let Some(Some(reading)) = readings.first() {
                fetch(guest, reading).await?;
            }
        }
        // Who waits for the outside beside a long timer does not sleep: it goes on when something comes.
        let _waits = readings.iter().any(Option::is_some).then(|| guest.meter.sleeping(Duration::ZERO));
        // At most one part is recorded by a poll, and none while another is not read to its end: what else has come is ready at
        // the next. Between two parts the guest may do what is recorded, and when it is entered again they must come as they did.
        let drains = readings.iter().flatten().any(|reading| reading.lock().expect("no panic while locked").has_bytes());
        let dues: Vec<_> = pollables.iter().map(|pollable| guest.timers.get(&pollable.rep()).copied()).collect();
        let (mut told, mut others, mut recorded) = (Vec::new(), Vec::new(), false);
        for at in poll::Host::poll(&mut guest.table, pollables).await? {
            let Some(reading) = readings.get(at as usize).and_then(Option::as_ref) else {
                others.push(at);
                continue;
            };
            let at_hand = reading.lock().expect("no panic while locked").is_at_hand();
            if at_hand || !recorded && !drains && is_ready(guest, reading) {
                recorded |= !at_hand;
                fetch(guest, reading).await?;
                told.push(at);
            }
        }
        // A timer is told at a poll that finds no part, and beside an answer that is recorded: else, when the step is entered
        // again, the part that came after it would be there at once.
        if !recorded && !drains && !others.is_empty() {
            let is_open = |reading: &Shared| !reading.lock().expect("no panic while locked").is_at_hand();
            if readings.iter().flatten().any(is_open) {
                guest.context()?.passes().await?;
            }
            told.extend(first(others, &dues, &guest.clock));
        }
        Ok(told)
    }
}

/// Of what is ready the timers that are due first, as the guest's clock has it: that moves on to then. By another clock two of
/// them might be due at once, or might not be.
fn first(mut ready: Vec<u32>, dues: &[Option<Micros>], clock: &Clock) -> Vec<u32> {
    let due = |at: u32| dues.get(at as usize).copied().flatten();
    if !ready.iter().any(|at| due(*at).is_some()) {
        return ready;
    }
    ready.retain(|at| due(*at).is_none());
    let first = dues.iter().flatten().min().copied();
    first.into_iter().for_each(|first| clock.advance(first));
    ready.extend((0..).zip(dues).filter(|(_, due)| **due == first).map(|(at, _)| at));
    ready
}

impl poll::HostPollable for Polls<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        yield_now().await;
        let Some(reading) = self.0.http.of_pollable(&pollable) else {
            let due = self.0.timers.get(&pollable.rep()).copied();
            let ready = poll::HostPollable::ready(&mut self.0.table, pollable).await?;
            due.filter(|_| ready).into_iter().for_each(|due| self.0.clock.advance(due));
            return Ok(ready);
        };
        let ready = is_ready(self.0, &reading);
        if ready {
            fetch(self.0, &reading).await?;
        }
        Ok(ready)
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        yield_now().await;
        if let Some(reading) = self.0.http.of_pollable(&pollable) {
            return fetch(self.0, &reading).await;
        }
        let due = self.0.timers.get(&pollable.rep()).copied();
        poll::HostPollable::block(&mut self.0.table, pollable).await?;
        due.into_iter().for_each(|due| self.0.clock.advance(due));
        Ok(())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.0.http.drop_pollable(&pollable);
        self.0.timers.remove(&pollable.rep());
        poll::HostPollable::drop(&mut self.0.table, pollable)
    }
}
