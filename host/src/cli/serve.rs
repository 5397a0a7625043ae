//! `wf-host serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Problem, screen};
use crate::host::{Host, Workflow};
use crate::registry::Source;
use crate::runtime::{self, Limits, Runtime};
use crate::watch::Watch;
use crate::{http, sources, store};

/// Loading that takes longer than this says what it is busy with.
const PROGRESS_AFTER: Duration = Duration::from_secs(1);

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
    /// Refuse to start when any of the workflows does not load.
    #[arg(long)]
    strict: bool,
    /// Do not reload workflows when their files change.
    #[arg(long)]
    no_watch: bool,
    #[command(flatten)]
    options: Options,
}

/// How a server behaves, whatever it serves.
#[derive(Args)]
pub(super) struct Options {
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

impl Serve {
    /// Serves until a signal comes, then stops gracefully.
    pub(super) async fn run(self) -> Result<(), Problem> {
        let watch = Watch::new(&self.paths);
        let sources = self.sources()?;
        let mut server = Server::start(&self.options).await?;
        let workflows = self.load(&server.host, &sources).await?;
        let resumed = server.host.resume().await?;
        if !self.no_watch {
            tokio::spawn(watch.run(server.host.clone()));
        }
        server.show(&screen::Content { workflows, resumed });
        server.stopped().await
    }

    fn sources(&self) -> Result<Vec<Source>, Problem> {
        let mut sources = Vec::new();
        for argument in &self.paths {
            match sources::sources(argument) {
                Ok(found) => sources.extend(found),
                Err(rejected) if self.strict || self.paths.len() == 1 => return Err(rejected.into()),
                Err(rejected) => Problem::from(rejected).warn(),
            }
        }
        Ok(sources)
    }

    /// Loads what can be loaded. A workflow that fails does not stop the others, unless `--strict`.
    async fn load(&self, host: &Host, sources: &[Source]) -> Result<Vec<Arc<Workflow>>, Problem> {
        let mut loaded = Vec::new();
        for source in sources {
            let mut registering = Box::pin(host.load(source));
            let registered = match tokio::time::timeout(PROGRESS_AFTER, &mut registering).await {
                Ok(registered) => registered,
                Err(_) => {
                    tracing::info!("compiling `{}`; it is cached for the next start", source.path.display());
                    registering.await
                }
            };
            match registered {
                Ok((workflow, _)) => loaded.push(workflow),
                Err(rejected) if self.strict => return Err(rejected.into()),
                Err(rejected) => Problem::from(rejected).warn(),
            }
        }
        if loaded.is_empty() {
            return Err(Problem::new("no workflow could be loaded").hint("the warnings above say why"));
        }
        Ok(loaded)
    }
}

/// A server that answers, though it has no workflows yet.
pub(super) struct Server {
    /// What it serves.
    pub host: Host,
    address: SocketAddr,
    public_url: Option<String>,
    shutdown_timeout: Duration,
    stop: watch::Sender<bool>,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Server {
    /// Listens, and opens the store.
    pub(super) async fn start(options: &Options) -> Result<Server, Problem> {
        let shutdown_timeout = seconds("--shutdown-timeout", options.shutdown_timeout)?;
        let listener = options.listen().await?;
        let address = listener.local_addr().map_err(|error| Problem::new(error.to_string()))?;
        let descriptors = rlimit::increase_nofile_limit(u64::MAX);
        tracing::debug!("file descriptors: {descriptors:?}");
        let host = options.open().await?;
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(http::serve(host.clone(), options.http(shutdown_timeout), listener, stopped(stopping)));
        Ok(Server { host, address, public_url: options.public_url.clone(), shutdown_timeout, stop, serving })
    }

    /// Prints the first screen; gives the URL.
    pub(super) fn show(&self, content: &screen::Content) -> String {
        screen::show(self.address, self.public_url.as_deref(), content)
    }

    /// Waits for a signal, then stops gracefully.
    pub(super) async fn stopped(&mut self) -> Result<(), Problem> {
        signalled().await;
        tracing::info!("stopping; runs go on after the next start");
        tokio::spawn(async {
            signalled().await;
            tracing::warn!("stopped at once");
            std::process::exit(130);
        });
        let _ = self.stop.send(true);
        let limit = self.shutdown_timeout;
        if tokio::time::timeout(limit, self.host.stop()).await.is_err() {
            tracing::warn!("not every run came to a durable point within {limit:?}; they go on from the last one");
        }
        match (&mut self.serving).await {
            Ok(result) => result.map_err(|error| Problem::new(format!("{error:#}"))),
            Err(error) => Err(Problem::new(error.to_string())),
        }
    }
}

impl Options {
    /// Where to listen when nothing says so.
    pub(super) fn default_host(&mut self, host: &str) {
        if setting(&self.host, "HOST").is_none() {
            self.host = Some(host.to_owned());
        }
    }

    async fn listen(&self) -> Result<TcpListener, Problem> {
        let host = setting(&self.host, "HOST").unwrap_or_else(|| "0.0.0.0".into());
        let port = match self.port {
            Some(port) => port,
            None => match setting(&None, "PORT") {
                Some(text) => {
                    text.parse().map_err(|_| Problem::new(format!("`{text}` is no port")).hint("a port is a number from 0 to 65535"))?
                }
                None => 8080,
            },
        };
        TcpListener::bind((host.as_str(), port)).await.map_err(|error| {
            let problem = Problem::new(format!("cannot listen on {host}:{port}: {error}"));
            match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    problem.hint("stop what listens there, or choose another with `--port`; 0 takes any free one")
                }
                _ => problem.hint("`--host` and `--port` choose where to listen"),
            }
        })
    }

    async fn open(&self) -> Result<Host, Problem> {
        let store = store::open(self.store.as_deref(), &self.data_dir).await?;
        let executing_max = seconds("--executing-max", self.executing_max)?;
        let limits = Limits { memory_max: self.memory_max.saturating_mul(1 << 20), executing_max, ..Limits::default() };
        let options = runtime::Options { cache_dir: Some(self.data_dir.join("compiled")), limits };
        let runtime = Runtime::new(options).map_err(|error| Problem::new(error.to_string()).hint(error.hint()))?;
        Ok(Host::open(store, runtime).await?)
    }

    fn http(&self, shutdown_timeout: Duration) -> http::Options {
        http::Options {
            cors_origins: self.cors_origins.clone(),
            public_url: self.public_url.clone(),
            body_max: self.body_max.saturating_mul(1 << 20),
            shutdown_timeout,
            ..http::Options::default()
        }
    }
}

/// A flag's seconds.
fn seconds(flag: &str, value: f64) -> Result<Duration, Problem> {
    let problem = |error| Problem::new(format!("`{flag} {value}`: {error}")).hint("give a number of seconds, as in `2.5`");
    Duration::try_from_secs_f64(value).map_err(problem)
}

/// From the flag, ours, or the variable of LlamaIndex's server.
fn setting(flag: &Option<String>, name: &str) -> Option<String> {
    let variable = |prefix: &str| std::env::var(format!("{prefix}{name}")).ok().filter(|value| !value.is_empty());
    flag.clone().or_else(|| variable("WF_HOST_")).or_else(|| variable("WORKFLOWS_PY_SERVER_"))
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Waits for the signal to stop: Ctrl-C or SIGTERM.
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => (),
        _ = tokio::signal::ctrl_c() => (),
    }
}
