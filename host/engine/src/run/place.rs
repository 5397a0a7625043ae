//! Where an event comes from, seen from the fan-outs before it.

use serde::{Deserialize, Serialize};

pub(super) type ScopeId = u64;

/// A scope, and which of the fan-out's events it goes back to. What nobody's return gave rise to
/// has no scope.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Place {
    pub scope: Option<ScopeId>,
    pub index: u64,
}
