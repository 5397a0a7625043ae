//! The HTTP API: that of LlamaIndex's WorkflowServer, and our own additions under `/api/v1/`.

mod serve;

mod cors;
mod routes;

mod context;
mod events;
mod handlers;
mod health;
mod history;
mod openapi;
mod page;
mod runs;
mod workflows;

mod body;
mod error;
mod header;
mod representation;
mod stream;
mod uri;
mod wire;

use std::sync::Arc;
use std::time::Duration;

pub use openapi::document as openapi;
pub use serve::serve;

use crate::forms;
use crate::host::Host;

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Origins whose pages may use the server, beside its own; `*` for every one.
    pub cors_origins: Vec<String>,
    /// The URL under which people reach it.
    pub public_url: Option<String>,
    /// Largest request body, in bytes.
    pub body_max: u64,
    /// How long a graceful stop may take.
    pub shutdown_timeout: Duration,
    /// Most connections at once; more wait to be accepted.
    pub connections_max: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cors_origins: Vec::new(),
            public_url: None,
            body_max: 10 << 20,
            shutdown_timeout: Duration::from_secs(10),
            connections_max: 65_536,
        }
    }
}

/// What every endpoint has at hand.
struct Api {
    host: Host,
    options: Options,
    schemas: forms::Schemas,
}

type Shared = Arc<Api>;
type Answer = Result<warp::reply::Response, error::ApiError>;

#[cfg(test)]
mod edge;
