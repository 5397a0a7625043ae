//! The HTTP API: that of LlamaIndex's WorkflowServer, and our own additions under `/api/v1/`.

mod serve;
mod service;

mod browser;
mod cors;
mod door;
mod names;
mod routes;
mod tls;
mod underway;

mod breakpoints;
mod context;
mod events;
mod forks;
mod handlers;
mod health;
mod history;
mod logs;
mod openapi;
mod page;
mod run;
mod runs;
mod session;
mod workflows;

mod aside;
mod body;
mod compressed;
mod error;
mod header;
mod representation;
mod stream;
mod uri;
mod wire;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use door::{DoorFiles, Rate};
pub use openapi::document as openapi;
pub use serve::serve;
pub use service::{Body, Peer, Service};
pub use tls::Tls;

use crate::forms;
use crate::host::Host;
use door::Visitor;

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Origins whose pages may use the server, beside its own; `*` for every one.
    pub cors_origins: Vec<String>,
    /// The URL under which people reach it.
    pub public_url: Option<String>,
    /// Names by which it may be asked, beside those that no stranger can own.
    pub allowed_hosts: Vec<String>,
    /// Largest request body, in bytes.
    pub body_max: u64,
    /// How long a graceful stop may take.
    pub shutdown_timeout: Duration,
    /// Most connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// Where keys are looked for; none: nobody needs one.
    pub door: Option<DoorFiles>,
    /// How often each key, and each address, may ask; none: as often as it likes.
    pub rate_limit: Option<Rate>,
    /// The file whose runs are shown, and cannot be changed; none: they can.
    pub read_only: Option<String>,
    /// What the server proves its name with; none: connections are as they are.
    pub tls: Option<Tls>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cors_origins: Vec::new(),
            public_url: None,
            allowed_hosts: Vec::new(),
            body_max: 10 << 20,
            shutdown_timeout: Duration::from_secs(10),
            connections_max: 65_536,
            door: None,
            rate_limit: None,
            read_only: None,
            tls: None,
        }
    }
}

impl Options {
    /// What stands before every path in the public URL: `/wf` of `https://flows.example/wf/`.
    fn prefix(&self) -> &str {
        let path = self.public_url.as_deref().and_then(|url| url.split_once("://")).and_then(|(_, rest)| Some(&rest[rest.find('/')?..]));
        path.unwrap_or_default().trim_end_matches('/')
    }
}

/// What every endpoint has at hand.
struct Api {
    host: Host,
    /// As they are now: some change while it serves.
    options: watch::Receiver<Options>,
    schemas: forms::Schemas,
    refused_names: names::Refused,
    /// Where it listens; none: requests come from elsewhere in its program.
    address: Option<SocketAddr>,
    room: body::Room,
}

/// What an endpoint has at hand for one request.
#[derive(Clone)]
struct Shared {
    api: Arc<Api>,
    /// Who asks.
    visitor: Visitor,
}

impl Deref for Shared {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

type Answer = Result<warp::reply::Response, error::ApiError>;

#[cfg(test)]
mod costs;
#[cfg(test)]
mod edge;
