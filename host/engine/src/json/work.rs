//! How many parts of values are gone through: counted for tests, which hold it against what they ask for.

use std::cell::Cell;

thread_local! {
    static PARTS: Cell<usize> = const { Cell::new(0) };
}

/// Counts so many more; outside of tests, nothing.
pub(crate) fn add(parts: usize) {
    if cfg!(test) {
        PARTS.set(PARTS.get() + parts);
    }
}

/// How many there were since it was asked last.
#[cfg(test)]
pub(crate) fn take() -> usize {
    PARTS.take()
}
