//! The server for event-driven workflows whose steps are WebAssembly components.
#![warn(missing_docs)]

// Read in this order.
pub mod host;
