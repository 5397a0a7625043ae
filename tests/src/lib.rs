//! Tests of wf-host from the outside: the real binary on a free port, real components, real clients.
//!
//! Nothing is built here. `make guests` makes the components, `cargo test --release --workspace`
//! the binary; what is missing is named together with the command that makes it.

// Read in this order.
pub mod artifacts;
pub mod certificates;
pub mod chance;
pub mod chart;
pub mod command_line;
pub mod database;
pub mod fuzz;
pub mod http;
pub mod origin;
pub mod output;
pub mod pages;
pub mod patience;
pub mod player;
pub mod project;
pub mod script;
pub mod server;
pub mod stream;
pub mod wasm;
pub mod wire;
pub mod written;

pub use http::{Answer, Client};
pub use patience::until;
pub use script::check;
pub use server::{Serve, Server};
pub use stream::{End, Frame, Stream};

/// The conformance workflows, in the order in which they are given to the server.
pub const CONFORMANCE: [&str; 10] = ["greeting", "hitl", "waiter", "failing", "retry", "slow", "timeout", "fanout", "counter", "random"];
