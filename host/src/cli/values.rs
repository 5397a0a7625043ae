//! From the values of settings to what they mean, or what is wrong with them.

use std::time::Duration;

use super::Problem;

/// A setting in seconds.
pub(super) fn seconds(key: &str, value: f64) -> Result<Duration, Problem> {
    let hint = "give a number of seconds, as in `2.5`";
    Duration::try_from_secs_f64(value).map_err(|_| Problem::new(format!("`{key}` cannot be {value}")).hint(hint).usage())
}

/// A setting in days.
pub(super) fn days(key: &str, value: f64) -> Result<Duration, Problem> {
    let hint = "give a number of days, as in `30`";
    Duration::try_from_secs_f64(value * 86_400.0).map_err(|_| Problem::new(format!("`{key}` cannot be {value}")).hint(hint).usage())
}

/// Memory of an instance, in MiB; WebAssembly has addresses for 4 GiB.
pub(super) fn memory(key: &str, value: u64) -> Result<u64, Problem> {
    let hint = "give a number of MiB from 2 to 4096, as in `256`";
    let fits = (2..=4096).contains(&value);
    if fits { Ok(mebibytes(value)) } else { Err(Problem::new(format!("`{key}` cannot be {value}")).hint(hint).usage()) }
}

/// Memory of all instances, in MiB.
pub(super) fn memory_total(value: u64) -> Result<u64, Problem> {
    let hint = "give a number of MiB from 16, as in `4096`";
    if value >= 16 { Ok(mebibytes(value)) } else { Err(Problem::new(format!("`memory_total_max` cannot be {value}")).hint(hint).usage()) }
}

/// Memory of a compiler, in MiB: less is not enough for any.
pub(super) fn compile_memory(value: u64) -> Result<u64, Problem> {
    let hint = "give a number of MiB from 64, as in `2048`";
    if value >= 64 { Ok(mebibytes(value)) } else { Err(Problem::new(format!("`compile_memory_max` cannot be {value}")).hint(hint).usage()) }
}

/// Instances at once: with less than two there is none for a second workflow, and more have no addresses.
pub(super) fn instances(value: u32) -> Result<u32, Problem> {
    let hint = "give a number from 2 to 4000, as in `500`";
    let fits = (2..=4000).contains(&value);
    if fits { Ok(value) } else { Err(Problem::new(format!("`instances_max` cannot be {value}")).hint(hint).usage()) }
}

pub(super) fn mebibytes(value: u64) -> u64 {
    value.saturating_mul(1 << 20)
}
