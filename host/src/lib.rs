//! The server for event-driven workflows whose steps are WebAssembly components.

// Rooms, from the lowest: each names only those of the groups before its own.
pub mod model;

pub mod outside;

pub mod config;
mod forms;
pub mod runtime;
pub mod store;

mod audit;
mod clock;
pub mod keys;
pub mod machine;
pub mod registry;
mod tail;

mod services;
mod sources;

pub mod care;
mod driver;

pub mod host;

pub mod http;
mod watch;

pub mod cli;
