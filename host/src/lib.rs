//! The server for event-driven workflows whose steps are WebAssembly components.

// Read in this order.
mod alarms;
pub mod cli;
mod clock;
pub mod config;
mod forms;
pub mod host;
pub mod http;
pub mod model;
pub mod registry;
pub mod runtime;
mod sources;
pub mod store;
mod tail;
mod watch;
mod worker;
