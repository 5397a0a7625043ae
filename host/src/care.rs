//! What operators do with a store beside the host that has it, or without one.

pub mod backup;
pub mod export;
mod files;
pub mod fsck;
pub mod import;
mod manifest;
mod redact;
mod seal;
