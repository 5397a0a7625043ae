//! What an attempt has buffered since its last commit.

use crate::entry::{Buffered, Commit};
use crate::state::Overlay;

/// What an attempt has buffered since its last commit.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// All of it, in order.
    pub effects: Vec<Buffered>,
    /// The writes among it, as its reads see them.
    pub seen: Overlay,
    /// Bytes of what was buffered by this entry.
    pub bytes: usize,
}

impl Own {
    /// Buffers what a call of now leaves to be committed.
    pub(super) fn add(&mut self, effect: Buffered) {
        self.bytes += match &effect {
            Buffered::Send { event, .. } => event.payload.get().len(),
            Buffered::Set { path, value } | Buffered::Push { path, value } => path.len() + value.get().len(),
            Buffered::Delete { path } => path.len(),
            Buffered::NoList => 0,
        };
        self.effects.push(effect);
    }

    /// Buffers again what was buffered at an earlier entry.
    pub(super) fn again(&mut self, effect: Buffered) {
        if !matches!(effect, Buffered::Send { .. }) {
            self.seen.add(effect.clone());
        }
        self.effects.push(effect);
    }

    /// Takes it all out.
    pub(super) fn commit(&mut self) -> Commit {
        Commit { effects: std::mem::take(self).effects }
    }
}
