//! WASI without the world: derived clocks and chance, no files, no environment, no network.

use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostMonotonicClock, WasiCtx, WasiCtxBuilder, async_trait};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};
use wf_engine::entry::{InvocationId, Micros};

use super::clock::Clock;
use super::lines::Output;

/// The chance of an attempt: a stream that is the same at every entry.
fn chance(seed: &[u8; 32], invocation: InvocationId, attempt: u32, purpose: &str) -> ChaCha12Rng {
    let mut hash = Sha256::new();
    hash.update(seed);
    hash.update(invocation.to_le_bytes());
    hash.update(attempt.to_le_bytes());
    hash.update(purpose);
    ChaCha12Rng::from_seed(hash.finalize().into())
}

/// All of WASI that a guest gets.
pub(super) fn context(seed: &[u8; 32], invocation: InvocationId, attempt: u32, clock: &Clock, stdout: &Output, stderr: &Output) -> WasiCtx {
    let mut fixed = [0; 16];
    fixed.copy_from_slice(&Sha256::digest([&seed[..], &invocation.to_le_bytes(), &attempt.to_le_bytes()].concat())[..16]);
    WasiCtxBuilder::new()
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .wall_clock(clock.clone())
        .monotonic_clock(clock.clone())
        .secure_random(chance(seed, invocation, attempt, "secure"))
        .insecure_random(chance(seed, invocation, attempt, "insecure"))
        .insecure_random_seed(u128::from_le_bytes(fixed))
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}

/// The monotonic clock, whose sleeps move the derived clock on: WASI's own would leave it behind.
pub(super) struct Clocks<'a> {
    pub clock: &'a Clock,
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
        let sleep = Sleep { until: tokio::time::Instant::now().checked_add(duration), clock: self.clock.clone(), due };
        let sleep = self.table.push(sleep)?;
        subscribe(self.table, sleep)
    }
}

struct Sleep {
    /// None: so far in the future that it never comes.
    until: Option<tokio::time::Instant>,
    clock: Clock,
    due: Micros,
}

#[async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        let Some(until) = self.until else { return std::future::pending().await };
        if until <= tokio::time::Instant::now() {
            // A guest that polls in a loop must let others have the thread.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep_until(until).await;
        }
        self.clock.advance(self.due);
    }
}

/// What every request to the outside is answered with.
pub(super) struct Denied;

impl WasiHttpHooks for Denied {
    fn send_request(
        &mut self,
        _request: hyper::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<(hyper::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>> + Send>
    {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
