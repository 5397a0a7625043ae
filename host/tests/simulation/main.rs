//! A hostile world around the machine that is shipped: a store that fails, stalls, lies about failing and
//! forgets what was not synced; hosts that crash between any two outputs; workers that panic; clients that
//! ask again. After each happening every run has its place; at the end everybody was answered, and what was
//! acknowledged is there once.
//!
//! `WORLDS=1000000 cargo test --release --workspace --test simulation` plays more worlds (`make simulate`),
//! `SEED=39 …` one of them again.

mod client;
mod guest;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use world::World;

/// How many worlds are played, unless `WORLDS` says so; and for how long at most.
const WORLDS: u64 = 20_000;
const TIME: Duration = Duration::from_secs(60);
/// Fewer say nothing.
const WORLDS_MIN: u64 = 500;

#[test]
fn every_run_has_its_place_in_hostile_worlds() {
    let number = |name: &str| std::env::var(name).ok().map(|it| it.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a number")));
    if let Some(seed) = number("SEED") {
        return play(seed);
    }
    let (worlds, time) = number("WORLDS").map_or((WORLDS, TIME), |worlds| (worlds, Duration::MAX));
    let (began, next) = (Instant::now(), AtomicU64::new(0));
    let some = || {
        while began.elapsed() < time {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= worlds {
                break;
            }
            checked(seed);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(some))));
    let played = next.into_inner();
    assert!(played > WORLDS_MIN, "only {played} worlds were played");
}

#[expect(clippy::print_stderr, reason = "whoever mends it needs the seed")]
fn checked(seed: u64) {
    if let Err(panic) = std::panic::catch_unwind(|| play(seed)) {
        eprintln!("SEED={seed}");
        std::panic::resume_unwind(panic);
    }
}

fn play(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..300 {
        world.tick();
    }
    world.settle();
}
