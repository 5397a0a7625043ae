//! The server for event-driven workflows whose steps are WebAssembly components.

// Read in this order.
pub mod host;
pub mod registry;
mod worker;
mod tail;
mod alarms;
mod clock;
pub mod runtime;
pub mod store;
pub mod envelope;
pub mod http;
pub mod cli;
