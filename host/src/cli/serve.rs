//! `wf-host serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::layers::{self, Layers};
use super::{Problem, screen};
use crate::config::{Config, WorkflowConfig};
use crate::host::Host;
use crate::model::{Limits, Workflow};
use crate::registry::Source;
use crate::runtime::{self, Runtime};
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
    /// What to load: a `.wasm` file, a directory, a glob or `name=path` [default: what `wf-host.toml` names].
    #[arg(value_name = "PATH")]
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

/// How a server behaves, whatever it serves. Each can stand in `wf-host.toml`, too.
#[derive(Args)]
pub(super) struct Options {
    /// A file of settings, for what neither a flag nor the environment says [default: ./wf-host.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "WF_HOST_CONFIG")]
    pub config: Option<PathBuf>,
    /// The address to listen on [default: 0.0.0.0; for `dev`, 127.0.0.1] [env: WORKFLOWS_PY_SERVER_HOST, too]
    #[arg(long, env = "WF_HOST_HOST")]
    host: Option<String>,
    /// The port to listen on; 0 for any free one [default: 8080] [env: WORKFLOWS_PY_SERVER_PORT, too]
    #[arg(long, env = "WF_HOST_PORT")]
    port: Option<u16>,
    /// Where runs are kept: `memory:` or `sqlite:PATH` [default: a SQLite file in the data directory]
    #[arg(long, env = "WF_HOST_STORE")]
    store: Option<String>,
    /// The directory for the store and for compiled code. Two hosts cannot share one [default: .wf-host]
    #[arg(long, env = "WF_HOST_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// An origin whose pages may use this server, beside its own; `*` for every one. May be repeated.
    #[arg(long = "cors-origin", env = "WF_HOST_CORS_ORIGIN", value_delimiter = ',')]
    cors_origins: Option<Vec<String>>,
    /// The URL under which people reach this server, where a proxy stands before it.
    #[arg(long, env = "WF_HOST_PUBLIC_URL")]
    public_url: Option<String>,
    /// Seconds that a graceful stop may take [default: 10]
    #[arg(long, value_name = "SECONDS", env = "WF_HOST_SHUTDOWN_TIMEOUT")]
    shutdown_timeout: Option<f64>,
    /// Most memory of one instance, in MiB [default: 256]
    #[arg(long, value_name = "MIB", env = "WF_HOST_MEMORY_MAX")]
    memory_max: Option<u64>,
    /// Most seconds that a step may compute without reporting anything [default: 30]
    #[arg(long, value_name = "SECONDS", env = "WF_HOST_EXECUTING_MAX")]
    executing_max: Option<f64>,
    /// Largest request body, in MiB [default: 10]
    #[arg(long, value_name = "MIB", env = "WF_HOST_BODY_MAX")]
    body_max: Option<u64>,
    /// Days that runs are kept after their end [default: until they are purged]
    #[arg(long, value_name = "DAYS", env = "WF_HOST_RETENTION")]
    retention: Option<f64>,
}

/// What a server does, all layers together.
pub(super) struct Settings {
    host: String,
    port: u16,
    store: Option<String>,
    data_dir: PathBuf,
    cors_origins: Vec<String>,
    public_url: Option<String>,
    shutdown_timeout: Duration,
    body_max: u64,
    config: Config,
}

/// What `serve` does, all layers together.
pub(super) struct Serving {
    paths: Vec<String>,
    strict: bool,
    watch: bool,
    settings: Settings,
}

impl Serve {
    /// The file that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.options.config.as_deref()
    }

    /// Brings the layers together.
    pub(super) fn settle(self, layers: &mut Layers) -> Result<Serving, Problem> {
        let given = |flag: bool, means: bool| flag.then_some(means);
        let paths = (!self.paths.is_empty()).then_some(self.paths);
        let mut paths = layers.pick("paths", paths, layers.file.paths.clone(), Some(Vec::new())).unwrap_or_default();
        let own = layers.file.workflows.iter().filter_map(|(name, it)| Some(format!("{name}={}", it.path.as_ref()?.display())));
        paths.extend(own);
        let settings = self.options.settle(layers, "0.0.0.0")?;
        let strict = layers.pick("strict", given(self.strict, true), layers.file.strict, Some(false)).unwrap_or(false);
        let watch = layers.pick("watch", given(self.no_watch, false), layers.file.watch, Some(true)).unwrap_or(true);
        Ok(Serving { paths, strict, watch, settings })
    }
}

impl Serving {
    /// Serves until a signal comes, then stops gracefully.
    pub(super) async fn run(self) -> Result<(), Problem> {
        if self.paths.is_empty() {
            let hint = "name `.wasm` files, a directory or a glob, here or under `paths` in `wf-host.toml`";
            return Err(Problem::new("there is nothing to serve").hint(hint).usage());
        }
        let watch = Watch::new(&self.paths);
        let sources = self.sources()?;
        let mut server = Server::start(&self.settings).await?;
        let asked = stopped(server.asked.clone());
        let workflows = tokio::select! {
            loaded = self.load(&server.host, &sources) => loaded?,
            () = asked => return server.stopped().await,
        };
        for name in self.settings.config.workflows.keys().filter(|name| workflows.iter().all(|it| it.name != **name)) {
            Problem::new(format!("`[workflows.{name}]` is configured, and no workflow of that name is loaded"))
                .hint(format!("correct the name, or add a `path`; loaded: {}", names(&workflows)))
                .warn();
        }
        let resumed = server.host.resume().await?;
        if self.watch {
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
    /// Whether a signal has asked it to stop.
    asked: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Server {
    /// Listens, and opens the store.
    pub(super) async fn start(settings: &Settings) -> Result<Server, Problem> {
        let shutdown_timeout = settings.shutdown_timeout;
        let listener = settings.listen().await?;
        let address = listener.local_addr().map_err(|error| Problem::new(error.to_string()))?;
        let descriptors = rlimit::increase_nofile_limit(u64::MAX);
        tracing::debug!("file descriptors: {descriptors:?}");
        // From here on a signal stops gracefully, also while it starts.
        let asked = signals();
        let host = settings.open().await?;
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(http::serve(host.clone(), settings.http(), listener, stopped(stopping)));
        Ok(Server { host, address, public_url: settings.public_url.clone(), shutdown_timeout, asked, stop, serving })
    }

    /// Prints the first screen; gives the URL.
    pub(super) fn show(&self, content: &screen::Content) -> String {
        screen::show(self.address, self.public_url.as_deref(), content)
    }

    /// Waits for a signal, then stops gracefully.
    pub(super) async fn stopped(&mut self) -> Result<(), Problem> {
        stopped(self.asked.clone()).await;
        tracing::info!("stopping; runs go on after the next start");
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
    /// Brings the layers together. `host`: where to listen when nothing says so.
    pub(super) fn settle(self, layers: &mut Layers, host: &str) -> Result<Settings, Problem> {
        let file = layers.file.clone();
        let host = match (&self.host, variable("WORKFLOWS_PY_SERVER_HOST")) {
            (None, Some(value)) => layers.variable("host", "WORKFLOWS_PY_SERVER_HOST", value),
            _ => layers.pick("host", self.host, file.host, Some(host.to_owned())),
        };
        let port = match (self.port, variable("WORKFLOWS_PY_SERVER_PORT")) {
            (None, Some(text)) => {
                let port = text.parse().map_err(|_| {
                    Problem::new(format!("`WORKFLOWS_PY_SERVER_PORT`: `{text}` is no port"))
                        .hint("a port is a number from 0 to 65535")
                        .usage()
                })?;
                layers.variable("port", "WORKFLOWS_PY_SERVER_PORT", port)
            }
            _ => layers.pick("port", self.port, file.port, Some(8080)),
        };
        let store = layers.pick("store", self.store, file.store, None);
        let data_dir = layers.pick("data_dir", self.data_dir, file.data_dir, Some(".wf-host".into()));
        let cors_origins = layers.pick("cors_origins", self.cors_origins, file.cors_origins, Some(Vec::new()));
        let public_url = layers.pick("public_url", self.public_url, file.public_url, None);
        let shutdown_timeout = layers.pick("shutdown_timeout", self.shutdown_timeout, file.shutdown_timeout, Some(10.0));
        let memory_max = layers.pick("memory_max", self.memory_max, file.memory_max, Some(256));
        let executing_max = layers.pick("executing_max", self.executing_max, file.executing_max, Some(30.0));
        let body_max = layers.pick("body_max", self.body_max, file.body_max, Some(10));
        let retention = layers.pick("retention", self.retention, file.retention, None);
        let mut limits = Limits::default();
        if let Some(value) = memory_max {
            limits.memory_max = memory("memory_max", value)?;
        }
        if let Some(value) = executing_max {
            limits.executing_max = seconds("executing_max", value)?;
        }
        let retention = retention.map(|value| days("retention", value)).transpose()?;
        let workflows: Result<_, Problem> =
            file.workflows.into_iter().map(|(name, own)| Ok((name.clone(), workflow(&name, own)?))).collect();
        Ok(Settings {
            host: host.unwrap_or_default(),
            port: port.unwrap_or_default(),
            store,
            data_dir: data_dir.unwrap_or_default(),
            cors_origins: cors_origins.unwrap_or_default(),
            public_url,
            shutdown_timeout: seconds("shutdown_timeout", shutdown_timeout.unwrap_or_default())?,
            body_max: mebibytes(body_max.unwrap_or_default()),
            config: Config { limits, retention, workflows: workflows? },
        })
    }
}

/// What the file says of one workflow.
fn workflow(name: &str, own: layers::Workflow) -> Result<WorkflowConfig, Problem> {
    let at = |key: &str| format!("workflows.{name}.{key}");
    Ok(WorkflowConfig {
        additional_events: own.additional_events,
        memory_max: own.memory_max.map(|value| memory(&at("memory_max"), value)).transpose()?,
        executing_max: own.executing_max.map(|value| seconds(&at("executing_max"), value)).transpose()?,
        retention: own.retention.map(|value| days(&at("retention"), value)).transpose()?,
    })
}

impl Settings {
    async fn listen(&self) -> Result<TcpListener, Problem> {
        let (host, port) = (&self.host, self.port);
        TcpListener::bind((unbracketed(host), port)).await.map_err(|error| {
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
        let options = runtime::Options {
            cache_dir: Some(self.data_dir.join("compiled")),
            threads: Some(self.data_dir.join("threads")),
            limits: self.config.limits_max(),
        };
        let runtime = Runtime::new(options).map_err(|error| Problem::new(error.to_string()).hint(error.hint()))?;
        Ok(Host::open(store, runtime, self.config.clone()).await?)
    }

    fn http(&self) -> http::Options {
        http::Options {
            cors_origins: self.cors_origins.clone(),
            public_url: self.public_url.clone(),
            body_max: self.body_max,
            shutdown_timeout: self.shutdown_timeout,
            ..http::Options::default()
        }
    }
}

/// An IPv6 address may stand in brackets, as it does in a URL.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host)
}

/// A setting in seconds.
fn seconds(key: &str, value: f64) -> Result<Duration, Problem> {
    let hint = "give a number of seconds, as in `2.5`";
    Duration::try_from_secs_f64(value).map_err(|_| Problem::new(format!("`{key}` cannot be {value}")).hint(hint).usage())
}

/// A setting in days.
fn days(key: &str, value: f64) -> Result<Duration, Problem> {
    let hint = "give a number of days, as in `30`";
    Duration::try_from_secs_f64(value * 86_400.0).map_err(|_| Problem::new(format!("`{key}` cannot be {value}")).hint(hint).usage())
}

/// Memory of an instance, in MiB; WebAssembly has addresses for 4 GiB.
fn memory(key: &str, value: u64) -> Result<u64, Problem> {
    let hint = "give a number of MiB from 2 to 4096, as in `256`";
    let fits = (2..=4096).contains(&value);
    if fits { Ok(mebibytes(value)) } else { Err(Problem::new(format!("`{key}` cannot be {value}")).hint(hint).usage()) }
}

fn mebibytes(value: u64) -> u64 {
    value.saturating_mul(1 << 20)
}

/// A variable of LlamaIndex's server.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn names(workflows: &[Arc<Workflow>]) -> String {
    workflows.iter().map(|it| format!("`{}`", it.name)).collect::<Vec<_>>().join(", ")
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Listens to the signals to stop, Ctrl-C and SIGTERM. The first asks for it; the second stops at once.
fn signals() -> watch::Receiver<bool> {
    use tokio::signal::unix::{SignalKind, signal};
    let (ask, asked) = watch::channel(false);
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    tokio::spawn(async move {
        // Where they cannot be had, whoever sends them ends the process, and nobody is asked.
        let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else { return ask.closed().await };
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => (),
                _ = interrupt.recv() => (),
            }
            if first {
                let _ = ask.send(true);
            }
        }
        tracing::warn!("stopped at once");
        std::process::exit(130);
    });
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_stand_in_brackets() {
        assert_eq!(["::1", "[::1]", "127.0.0.1", "[", ""].map(unbracketed), ["::1", "::1", "127.0.0.1", "[", ""]);
    }
}
