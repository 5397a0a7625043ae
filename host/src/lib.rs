//! The server for event-driven workflows whose steps are WebAssembly components.
//!
//! [`WorkflowServer`] puts one into a program of one's own. The command `wf-host` is the feature `cli`, which is on by
//! default: without it, neither the command nor what only it needs is built.

#![cfg_attr(
    not(feature = "cli"),
    expect(dead_code, unused_imports, reason = "the store and the machine have some things for the command alone")
)]

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
#[cfg(feature = "cli")]
mod sources;

#[cfg(feature = "cli")]
pub mod care;
mod driver;

#[cfg(feature = "cli")]
mod harness;

pub mod host;

pub mod http;
#[cfg(feature = "cli")]
mod watch;

pub mod server;
pub use server::WorkflowServer;

#[cfg(feature = "cli")]
pub mod cli;
