//! A server in a program of one's own; `wf-host serve` stands on it as well.
//!
//! ```no_run
//! use wf_host::WorkflowServer;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = WorkflowServer::builder()
//!         .add_workflow("greet", "greeting.wasm") // a path, or bytes: include_bytes!("greeting.wasm")
//!         .additional_events("greet", ["Progress"])
//!         .store("sqlite:runs.db") // left out: memory
//!         .configure(|config| config.limits.memory_max = 64 << 20)
//!         .serve("127.0.0.1:8080")
//!         .await?;
//!     tokio::signal::ctrl_c().await?;
//!     server.stop().await; // any clone of `server` is a handle
//!     Ok(())
//! }
//! ```
//!
//! In a server that is there already, it is a service of tower among others, here beside the routes of axum:
//!
//! ```ignore
//! let server = WorkflowServer::builder().add_workflow("greet", bytes).start().await?;
//! let router = Router::new().route("/", get(home)).fallback_service(server.service());
//! ```
//!
//! `host/examples/embed.rs` and `mount.rs` are both as whole programs.

mod builder;
mod error;

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

pub use builder::{Builder, Code};
pub use error::Error;

use crate::host::Host;
use crate::http::{self, Options, Service};

/// A server of workflows. Each clone is a handle of the same one.
///
/// [`stop`](WorkflowServer::stop) it before the program ends: its runs then go on at the next start from where they
/// were. Without that they go on from the last point that was durable, as after a crash.
#[derive(Clone)]
pub struct WorkflowServer(Arc<Inner>);

struct Inner {
    host: Host,
    service: Service,
    options: watch::Sender<Options>,
    address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    stopped: watch::Sender<bool>,
    /// Whoever accepts connections, until it was stopped.
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl WorkflowServer {
    /// Begins to say what it is to be.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(host: Host, options: Options, address: Option<SocketAddr>) -> Result<WorkflowServer, Error> {
        let (options, seen) = watch::channel(options);
        let service = Service::new(host.clone(), seen, address).map_err(|error| Error::Threads(error.to_string()))?;
        let (stop, stopped) = (watch::Sender::new(false), watch::Sender::new(false));
        Ok(WorkflowServer(Arc::new(Inner { host, service, options, address, stop, stopped, listening: Mutex::default() })))
    }

    /// Its runs and workflows, without HTTP.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// Its whole API, to be mounted in a server of one's own: at the root of it, or below a path that
    /// [`Options::public_url`] names.
    pub fn service(&self) -> Service {
        self.0.service.clone()
    }

    /// Where it listens; none: nowhere by itself.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// Answers whoever connects, until it is stopped.
    pub(crate) fn listen(&self, listener: TcpListener) -> BoxFuture<'_, ()> {
        let mut stopping = self.0.stop.subscribe();
        let stopped = async move {
            // A sender that is gone means the same.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        Box::pin(async {
            *self.0.listening.lock().await = Some(tokio::spawn(http::serve(self.service(), listener, stopped)));
        })
    }

    /// How it answers, to be changed while it serves. What it was begun with stays: its keys, its certificate, its
    /// rates, its limits of time and of connections.
    #[cfg(feature = "cli")]
    pub(crate) fn options(&self) -> watch::Sender<Options> {
        self.0.options.clone()
    }

    /// Stops gracefully: accepts no more, brings every run to a durable point, ends every stream, and waits for the
    /// answers under way, as long as [`Options::shutdown_timeout`] says. Whoever asks a second time waits for the same.
    pub fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let Inner { host, service, options, stop, stopped, listening, .. } = &*self.0;
            let mut listening = listening.lock().await;
            if *stopped.borrow() {
                return;
            }
            stop.send_replace(true);
            let limit = options.borrow().shutdown_timeout;
            if tokio::time::timeout(limit, host.stop()).await.is_err() {
                tracing::warn!("not every run came to a durable point within {limit:?}; they go on from the last one");
            }
            if let Some(Err(error)) = async { Some(listening.as_mut()?.await) }.await {
                tracing::error!("connections are not accepted any more: {error}");
            }
            *listening = None;
            service.flush().await;
            stopped.send_replace(true);
        })
    }

    /// Waits until it has been stopped, by whichever handle.
    pub async fn stopped(&self) {
        let mut stopped = self.0.stopped.subscribe();
        // The sender is in what this holds.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }
}
