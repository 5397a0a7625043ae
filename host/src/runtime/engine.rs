//! How wasmtime is set up.

use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::model::Limits;

/// How often a computing guest lets others have its thread.
const TICK: Duration = Duration::from_millis(10);

/// An engine with a pool of instances; without one where the address space is too small for it.
pub(super) fn new(limits: &Limits) -> wasmtime::Result<Engine> {
    let mut config = config(limits);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    let engine = match Engine::new(&config) {
        Ok(engine) => engine,
        Err(error) => {
            tracing::warn!("instances are not pooled, which is slower: {error:#}");
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Engine::new(&config)?
        }
    };
    tick(&engine);
    Ok(engine)
}

fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_max)
        .async_stack_size(limits.stack_max + (1 << 20))
        // The same result on every machine, and at every re-entry.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .memory_init_cow(true)
        .generate_address_map(true)
        .concurrency_support(false);
    config
}

/// Twice as many of everything as there are turns for instances, so that none fails for want of room.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let instances = limits.instances_max;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(2 * instances)
        .total_core_instances(16 * instances)
        .total_memories(2 * instances)
        .total_tables(8 * instances)
        .total_stacks(2 * instances)
        .max_memory_size(usize::try_from(limits.memory_max).unwrap_or(usize::MAX))
        .max_core_instances_per_component(64)
        .max_memories_per_component(4)
        .max_tables_per_component(32)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(1 << 20)
        .table_elements(100_000);
    pool
}

/// Makes guests yield, for as long as the engine is there.
fn tick(engine: &Engine) {
    let engine = engine.weak();
    let ticker = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    if let Err(error) = std::thread::Builder::new().name("epoch".to_owned()).spawn(ticker) {
        tracing::error!("guests that compute for long block others: {error}");
    }
}
