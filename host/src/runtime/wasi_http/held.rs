//! What the host holds for an instance until its requests leave: not more than one of them may have.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most bytes of headers and bodies that an instance may have in the host: they are beside its own memory, and as many
/// instances as there may be have them at one time.
const HELD_MAX: usize = 2 << 20;

/// More than an instance may have.
#[derive(Debug, thiserror::Error)]
#[error("the requests of `wasi:http` that a step makes ready hold more than {HELD_MAX} bytes (limit wasi_http_max)")]
pub(in crate::runtime) struct Exceeded;

/// What is left of it.
#[derive(Clone)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Default for Room {
    fn default() -> Room {
        Room(Arc::new(AtomicUsize::new(HELD_MAX)))
    }
}

impl Room {
    pub(super) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Nothing yet.
    pub(super) fn none(&self) -> Held {
        Held { room: self.clone(), bytes: 0 }
    }

    pub(super) fn take(&self, bytes: usize) -> Result<Held, Exceeded> {
        let mut held = self.none();
        held.grow(bytes).map(|()| held)
    }
}

/// So much of it: given back with this.
pub(super) struct Held {
    room: Room,
    bytes: usize,
}

impl Held {
    pub(super) fn room(&self) -> &Room {
        &self.room
    }

    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Exceeded> {
        let taken = self.room.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        self.bytes += taken.map(|_| bytes).map_err(|_| Exceeded)?;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_given_back_and_no_more_than_there_is_is_given() {
        let room = Room::default();
        let mut held = room.take(HELD_MAX - 1).expect("there is room");
        assert!(held.grow(2).is_err() && held.grow(1).is_ok() && room.take(1).is_err());
        assert_eq!(room.left(), 0);
        drop(held);
        assert_eq!(room.left(), HELD_MAX);
    }
}
