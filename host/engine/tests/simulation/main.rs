//! A hostile world around one run: seeded, and the same again for the same seed.
//!
//! Step programs run in instances that report late, twice or never; the host crashes at any
//! point and loses what was not synced; two clocks run on. After each input the invariants of
//! [`world::World`] are checked. `SEED=39 cargo test --release -p wf-engine --test simulation`
//! plays one world again.

mod program;
mod world;

use world::World;

/// How many worlds a test run sees.
const WORLDS: u64 = 3_000;

#[test]
#[expect(clippy::print_stderr, reason = "whoever mends it needs the seed")]
fn the_invariants_hold_in_hostile_worlds() {
    if let Ok(seed) = std::env::var("SEED") {
        return play(seed.parse().expect("SEED is a number"));
    }
    for seed in 0..WORLDS {
        if let Err(panic) = std::panic::catch_unwind(|| play(seed)) {
            eprintln!("SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

fn play(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..400 {
        world.tick();
    }
    world.settle();
}
