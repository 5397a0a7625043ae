//! `wf-host serve`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use super::{Problem, paths};
use crate::host::{Host, Workflow};
use crate::runtime::{self, Runtime};
use crate::{http, store};

/// Loads workflows and serves them over HTTP.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host serve workflows/                  every .wasm file in a directory
  wf-host serve hello=target/greeting.wasm  one file, under a name of your own
  wf-host serve --store memory: *.wasm      keep nothing over a restart
")]
pub(super) struct Serve {
    /// What to load: a `.wasm` file, a directory, a glob or `name=path`.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// The address to listen on [default: 0.0.0.0] [env: WF_HOST_HOST, WORKFLOWS_PY_SERVER_HOST]
    #[arg(long)]
    host: Option<String>,
    /// The port to listen on; 0 for any free one [default: 8080] [env: WF_HOST_PORT, WORKFLOWS_PY_SERVER_PORT]
    #[arg(long)]
    port: Option<u16>,
    /// Where runs are kept: `memory:` or `sqlite:PATH` [default: a SQLite file in the data directory]
    #[arg(long, env = "WF_HOST_STORE")]
    store: Option<String>,
    /// The directory for the store and for compiled code. Two hosts cannot share one.
    #[arg(long, env = "WF_HOST_DATA_DIR", default_value = "./.wf-host")]
    data_dir: PathBuf,
    /// An origin whose pages may use this server, beside its own; `*` for every one. May be repeated.
    #[arg(long = "cors-origin", env = "WF_HOST_CORS_ORIGIN", value_delimiter = ',')]
    cors_origins: Vec<String>,
    /// The URL under which people reach this server, where a proxy stands before it.
    #[arg(long, env = "WF_HOST_PUBLIC_URL")]
    public_url: Option<String>,
    /// Refuse to start when any of the workflows does not load.
    #[arg(long)]
    strict: bool,
    /// Seconds that a graceful stop may take.
    #[arg(long, default_value_t = 10.0, env = "WF_HOST_SHUTDOWN_TIMEOUT")]
    shutdown_timeout: f64,
    /// Most memory of one instance, in MiB.
    #[arg(long, default_value_t = 256, env = "WF_HOST_MEMORY_MAX")]
    memory_max: u64,
    /// Most seconds that a step may compute without reporting anything.
    #[arg(long, default_value_t = 30.0, env = "WF_HOST_EXECUTING_MAX")]
    executing_max: f64,
    /// Largest request body, in MiB.
    #[arg(long, default_value_t = 10, env = "WF_HOST_BODY_MAX")]
    body_max: u64,
}
