//! How wasmtime is set up.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

use super::LoadError;
use super::memory::TABLE_MAX;
use super::ticks::{TICK, Ticks};
use crate::model::Limits;

/// Components that may describe themselves at once, beside whatever runs.
pub(super) const DESCRIBES_MAX: u32 = 4;

/// An engine with a pool of instances; without one where the address space is too small for it.
pub(super) fn new(limits: &Limits, ticks: &Ticks) -> wasmtime::Result<Engine> {
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
    tick(&engine, ticks.clone());
    Ok(engine)
}

/// An engine that only compiles: what it makes is for those of [`new`], too.
pub(super) fn unpooled() -> wasmtime::Result<Engine> {
    Engine::new(&config(&Limits::default()))
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
        // Read where one is told (`source`), and not at each end of an entry.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .concurrency_support(false);
    config
}

/// What a place in the pool keeps of the memory and of a table that stood in it, cleared: to give each page back, and to
/// be given it again by the next instance, costs more than to clear the few that most guests touch.
pub(super) const MEMORY_KEPT: usize = 1 << 20;
const TABLE_KEPT: usize = 64 << 10;

/// So many places that nobody uses keep that, for the next instance of the same component: each version of a component
/// that is loaded has others, and what all keep together must stay small (34 MiB).
const WARM_MAX: u32 = 32;

/// What one component may have of each.
pub(super) const MEMORIES_MAX: u32 = 4;
pub(super) const TABLES_MAX: u32 = 32;
pub(super) const CORE_INSTANCES_MAX: u32 = 64;

/// As large as what all that have a turn may have at once, so that none fails for want of room.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let instances = limits.instances_max.saturating_add(DESCRIBES_MAX);
    // Where the system does not say what was written to, all of it is put back each time.
    let kept = if PoolingAllocationConfig::is_pagemap_scan_available() { MEMORY_KEPT } else { MEMORY_KEPT / 4 };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_MAX))
        .total_memories(instances.saturating_mul(MEMORIES_MAX))
        .total_tables(instances.saturating_mul(TABLES_MAX))
        .total_stacks(instances)
        .max_memory_size(usize::try_from(limits.memory_max).unwrap_or(usize::MAX))
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_memories_per_module(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_tables_per_module(TABLES_MAX)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(1 << 20)
        .table_elements(TABLE_MAX)
        .linear_memory_keep_resident(kept)
        .table_keep_resident(TABLE_KEPT)
        .max_unused_warm_slots(WARM_MAX)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Why the compiler refuses a component: a defect of it, or more than the pool has for each.
pub(super) fn unfit(error: &wasmtime::Error) -> LoadError {
    let text = format!("{error:#}");
    if !text.contains("exceeds the") {
        return LoadError::new(format!("it is no valid component: {text}"), "build it again");
    }
    let hint = format!(
        "one component has at most {MEMORIES_MAX} memories, {TABLES_MAX} tables of {TABLE_MAX} elements and {CORE_INSTANCES_MAX} core instances, and begins with no more memory than `memory_max`"
    );
    LoadError::new(format!("it wants more than one component may have: {text}"), hint)
}

/// Makes guests yield, for as long as the engine is there: so often a computing one lets others have its thread.
fn tick(engine: &Engine, ticks: Ticks) {
    let engine = engine.weak();
    let ticker = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            ticks.tick();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    if let Err(error) = std::thread::Builder::new().name("epoch".to_owned()).spawn(ticker) {
        tracing::error!("guests that compute for long block others, and none is ended that waits for ever: {error}");
    }
}
