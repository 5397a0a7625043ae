//! Waiting for one of many; of not too many. What is ready of an answer is recorded as ready.

use std::time::Duration;

use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll;

use super::guest::Guest;
use super::wasi::{HANDLES_MAX, TooMany};
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
        // At most one part is recorded by a poll: what else has come is ready at the next. Between two parts the guest
        // may do what is recorded, and when it is entered again they must come as they did then.
        let (mut told, mut recorded) = (Vec::new(), false);
        for at in poll::Host::poll(&mut guest.table, pollables).await? {
            let Some(reading) = readings.get(at as usize).and_then(Option::as_ref) else {
                told.push(at);
                continue;
            };
            let at_hand = reading.lock().expect("no panic while locked").is_at_hand();
            if at_hand || !recorded && is_ready(guest, reading) {
                recorded |= !at_hand;
                fetch(guest, reading).await?;
                told.push(at);
            }
        }
        // When a timer is due beside a part is not recorded: when the step is entered again the part is there at once, and the
        // timer is not. So it is told alone, at a poll that finds no part.
        if recorded {
            told.retain(|at| readings.get(*at as usize).is_some_and(Option::is_some));
        }
        Ok(told)
    }
}

impl poll::HostPollable for Polls<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        let Some(reading) = self.0.http.of_pollable(&pollable) else {
            return poll::HostPollable::ready(&mut self.0.table, pollable).await;
        };
        let ready = is_ready(self.0, &reading);
        if ready {
            fetch(self.0, &reading).await?;
        }
        Ok(ready)
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        match self.0.http.of_pollable(&pollable) {
            Some(reading) => fetch(self.0, &reading).await,
            None => poll::HostPollable::block(&mut self.0.table, pollable).await,
        }
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.0.http.drop_pollable(&pollable);
        poll::HostPollable::drop(&mut self.0.table, pollable)
    }
}
