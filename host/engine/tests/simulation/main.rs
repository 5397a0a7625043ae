//! A hostile world around one run: seeded, and the same again for the same seed.
//!
//! Step programs run in instances that report late, twice or never; the outside that they ask is slow,
//! cut or silent; the host crashes at any point and loses what was not synced; two clocks run on. After each input the invariants of
//! [`world::World`] are checked. `SEED=39 cargo test --release -p wf-engine --test simulation`
//! plays one world again, `WORLDS=1000000 …` more of them.

mod outside;
#[path = "../scripts/pages.rs"]
mod pages;
mod program;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use world::World;

/// How many worlds a test run sees, unless `WORLDS` says so.
const WORLDS: u64 = 3_000;

#[test]
#[expect(clippy::print_stderr, reason = "whoever mends it needs the seed")]
fn the_invariants_hold_in_hostile_worlds() {
    let number = |name: &str| std::env::var(name).ok().map(|it| it.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a number")));
    if let Some(seed) = number("SEED") {
        return play(seed);
    }
    let worlds = number("WORLDS").unwrap_or(WORLDS);
    let next = AtomicU64::new(0);
    let play_on = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < worlds) {
            if let Err(panic) = std::panic::catch_unwind(|| play(seed)) {
                eprintln!("SEED={seed}");
                next.store(worlds, Ordering::Relaxed);
                std::panic::resume_unwind(panic);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(play_on))));
}

fn play(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..400 {
        world.tick();
    }
    world.settle();
}
