//! How often JSON is read and written on the way of a request: counted for tests, which hold it against what is needed.
//!
//! It stands where a text is read or written, because nothing else knows of that; outside of tests it is nothing.

use std::cell::Cell;

thread_local! {
    static DONE: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// A text is read, whole.
pub(crate) fn read() {
    if cfg!(test) {
        let (read, written) = DONE.get();
        DONE.set((read + 1, written));
    }
}

/// A text is written.
pub(crate) fn written() {
    if cfg!(test) {
        let (read, written) = DONE.get();
        DONE.set((read, written + 1));
    }
}

/// How many were read and written on this thread since it was asked last.
#[cfg(test)]
pub(crate) fn take() -> (usize, usize) {
    DONE.take()
}
