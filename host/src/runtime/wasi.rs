//! WASI with derived clocks and chance, and of the world the folders that were granted, and no network.

use std::collections::HashMap;
use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{FsPerms, HostMonotonicClock, WasiCtxBuilder, async_trait};
use wf_engine::entry::{Failure, InvocationId, Micros};

use super::clock::Clock;
use super::lines::Output;
use super::meter::Meter;
use crate::model::{Folder, Grants};

/// Most of WASI's handles that an instance may have at once, and wait for: streams, timers and the like.
pub(super) const HANDLES_MAX: usize = 1024;
/// Most random bytes that one call gives.
const RANDOM_MAX: u64 = 1 << 20;

/// The chance of an attempt: a stream that is the same at every entry.
fn chance(seed: &[u8; 32], invocation: InvocationId, attempt: u32, purpose: &str) -> ChaCha12Rng {
    let mut hash = Sha256::new();
    hash.update(seed);
    hash.update(invocation.to_le_bytes());
    hash.update(attempt.to_le_bytes());
    hash.update(purpose);
    ChaCha12Rng::from_seed(hash.finalize().into())
}

/// All of WASI that every guest gets.
pub(super) fn context(
    seed: &[u8; 32],
    invocation: InvocationId,
    attempt: u32,
    clock: &Clock,
    stdout: &Output,
    stderr: &Output,
) -> WasiCtxBuilder {
    let mut fixed = [0; 16];
    fixed.copy_from_slice(&Sha256::digest([&seed[..], &invocation.to_le_bytes(), &attempt.to_le_bytes()].concat())[..16]);
    let mut context = WasiCtxBuilder::new();
    context
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .wall_clock(clock.clone())
        .monotonic_clock(clock.clone())
        .secure_random(chance(seed, invocation, attempt, "secure"))
        .insecure_random(chance(seed, invocation, attempt, "insecure"))
        .insecure_random_seed(u128::from_le_bytes(fixed))
        .max_random_size(RANDOM_MAX)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    context
}

/// Adds the folders that a workflow is granted.
pub(super) fn grant(context: &mut WasiCtxBuilder, grants: &Grants) -> Result<(), Failure> {
    for Folder { name, path, writable } in &grants.folders {
        let may = if *writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        context.preopened_dir(path, format!("/{name}"), may).map_err(|error| {
            let message = format!("the folder `{name}` that is granted cannot be opened at `{}`: {error:#}", path.display());
            Failure::new("denied", message, true)
        })?;
    }
    Ok(())
}

/// When the timers are due that an instance waits for, by what it waits with.
pub(super) type Timers = HashMap<u32, Micros>;

/// The monotonic clock, whose sleeps move the derived clock on, once they are told: WASI's own would leave it behind.
pub(super) struct Clocks<'a> {
    pub clock: &'a Clock,
    pub timers: &'a mut Timers,
    pub meter: &'a Meter,
    pub table: &'a mut ResourceTable,
}

pub(super) struct HasClocks;

impl HasData for HasClocks {
    type Data<'a> = Clocks<'a>;
}

impl monotonic_clock::Host for Clocks<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(HostMonotonicClock::now(self.clock))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(HostMonotonicClock::resolution(self.clock))
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = self.clock.standing().saturating_mul(1_000);
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(&mut self, nanoseconds: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let duration = Duration::from_nanos(nanoseconds);
        let due = self.clock.standing().saturating_add(nanoseconds.div_ceil(1_000));
        let sleep =
            Sleep { until: tokio::time::Instant::now().checked_add(duration), clock: self.clock.clone(), due, meter: self.meter.clone() };
        let sleep = self.table.push(sleep)?;
        let pollable = subscribe(self.table, sleep)?;
        self.timers.insert(pollable.rep(), due);
        Ok(pollable)
    }
}

struct Sleep {
    /// None: so far in the future that it never comes.
    until: Option<tokio::time::Instant>,
    clock: Clock,
    due: Micros,
    meter: Meter,
}

#[async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        let now = tokio::time::Instant::now();
        let left = self.until.map_or(Duration::MAX, |until| until.saturating_duration_since(now));
        // What a clock that was moved on shows as due is.
        if left.is_zero() || self.clock.standing() >= self.due {
            return;
        }
        let _sleeping = self.meter.sleeping(left);
        match self.until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    }
}

/// More handles than an instance may have.
#[derive(Debug, thiserror::Error)]
#[error("an instance has no more than {HANDLES_MAX} of WASI's handles")]
pub(super) struct TooMany;

/// The table of what an instance has handles of.
pub(super) fn table() -> ResourceTable {
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES_MAX);
    table
}
