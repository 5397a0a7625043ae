//! The memory of guests: what one of them may have, and all of them together.

use std::sync::{Arc, Mutex};

use wasmtime::ResourceLimiter;

use super::meter::Meter;
use super::shares::{Name, Shares};

/// Most elements of one table.
pub(super) const TABLE_MAX: usize = 100_000;
/// What one takes.
const ELEMENT: usize = size_of::<usize>();

/// The memory of all guests, shared out between workflows. Cheap to clone.
#[derive(Clone)]
pub(super) struct Budget(Arc<Mutex<Shares>>);

impl Budget {
    pub(super) fn new(bytes: u64) -> Budget {
        Budget(Arc::new(Mutex::new(Shares::new(bytes))))
    }

    fn take(&self, name: &Name, bytes: u64) -> bool {
        self.0.lock().expect("no panic while locked").take(name, bytes)
    }

    fn give(&self, name: &Name, bytes: u64) {
        self.0.lock().expect("no panic while locked").give(name, bytes);
    }
}

/// Whose limit kept an instance from having more memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refused {
    /// Its own.
    Own,
    /// That of all guests together.
    Total,
}

/// Watches over the memories and tables of an instance. Dropped, it gives back what they took.
pub(super) struct Memory {
    pub max: u64,
    pub refused: Option<Refused>,
    taken: u64,
    name: Name,
    budget: Budget,
    meter: Meter,
}

impl Memory {
    pub(super) fn new(max: u64, name: Name, budget: Budget, meter: Meter) -> Memory {
        Memory { max, refused: None, taken: 0, name, budget, meter }
    }

    /// What is refused by the system afterwards is not given back before the end.
    fn grow(&mut self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        if self.taken.saturating_add(bytes) > self.max {
            self.refused = Some(Refused::Own);
        } else if !self.budget.take(&self.name, bytes) {
            self.refused = Some(Refused::Total);
        } else {
            self.taken += bytes;
            self.meter.memory(self.taken);
            return true;
        }
        false
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // A memory's own maximum is no limit of ours, unless it is that of the pool.
        if maximum.is_some_and(|maximum| desired > maximum) && desired as u64 <= self.max {
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let beyond = maximum.is_some_and(|maximum| desired > maximum) || desired > TABLE_MAX;
        Ok(!beyond && self.grow(desired.saturating_sub(current).saturating_mul(ELEMENT)))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.budget.give(&self.name, self.taken);
    }
}

/// Half of what this machine has, or the group of processes that this one is in; none where that cannot be told.
pub(super) fn half_of_the_machine() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = machine.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let machine = line.trim().trim_end_matches(" kB").parse::<u64>().ok()?.saturating_mul(1 << 10);
    Some(groups().fold(machine, u64::min) / 2)
}

/// The limits of the groups around this process, in both forms that Linux has for them.
fn groups() -> impl Iterator<Item = u64> {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let files: Vec<_> = own
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            match (parts.next()?, parts.next()?) {
                ("", path) => Some(("/sys/fs/cgroup", path, "memory.max")),
                ("memory", path) => Some(("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes")),
                _ => None,
            }
        })
        .flat_map(|(root, path, file)| {
            // Inside a container the path may be one of the machine's: the root is ours in any case.
            std::path::Path::new(path).ancestors().map(|it| format!("{root}/{}/{file}", it.display())).collect::<Vec<_>>()
        })
        .collect();
    files.into_iter().filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::ticks::Ticks;
    use super::*;

    fn memory(budget: &Budget, name: &str) -> Memory {
        Memory::new(100, name.into(), budget.clone(), Meter::from(0, Ticks::default()))
    }

    #[test]
    fn all_memories_and_tables_of_an_instance_count() {
        let mut memory = memory(&Budget::new(1000), "one");
        assert!(memory.memory_growing(0, 40, None).expect("no trap"));
        assert!(memory.memory_growing(0, 40, None).expect("no trap"));
        assert!(memory.table_growing(0, 2, None).expect("no trap"));
        assert!(!memory.memory_growing(40, 45, None).expect("no trap"));
        assert_eq!(memory.refused, Some(Refused::Own));
        assert!(memory.memory_growing(40, 44, None).expect("no trap"));
        assert_eq!(memory.meter.usage().memory, 100);
    }

    #[test]
    fn nobody_takes_all_of_the_budget_and_all_of_it_comes_back() {
        let budget = Budget::new(300);
        let grown = |memory: &mut Memory| memory.memory_growing(0, 100, None).expect("no trap");
        let mut crowd = [memory(&budget, "crowd"), memory(&budget, "crowd"), memory(&budget, "crowd")];
        assert_eq!(crowd.each_mut().map(grown), [true, true, false]);
        assert_eq!(crowd[2].refused, Some(Refused::Total));
        let mut other = memory(&budget, "other");
        assert!(grown(&mut other));
        drop((crowd, other));
        assert_eq!(budget.0.lock().expect("no panic").held(&"crowd".into()), 0);
        assert!(budget.take(&"crowd".into(), 300), "all of it is free again");
    }

    #[test]
    fn a_growth_beyond_its_own_maximum_takes_nothing() {
        let mut memory = memory(&Budget::new(1000), "one");
        assert!(!memory.memory_growing(0, 50, Some(40)).expect("no trap"));
        assert!(!memory.table_growing(0, 5, Some(4)).expect("no trap"));
        assert_eq!((memory.taken, memory.refused), (0, None));
    }
}
