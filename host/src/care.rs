//! What operators do with a store beside the host that has it, or without one.

pub mod backup;
pub mod bundle;
pub mod export;
mod files;
pub mod fsck;
pub mod import;
mod manifest;
mod redact;
pub mod replay;
mod seal;
