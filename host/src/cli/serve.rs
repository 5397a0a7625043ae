//! `wf-host serve`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::follow::follow;
use super::grants::Flags;
use super::layers::{self, Layers, Noted};
use super::signals::{signals, stopped};
use super::values::{compile_memory, days, instances, mebibytes, memory, memory_total, seconds};
use super::{Problem, compile, screen};
use crate::config::{Config, WorkflowConfig};
use crate::host::Host;
use crate::keys::KeyFile;
use crate::model::{Limits, Workflow};
use crate::registry::{Prepared, Source};
use crate::server::{Builder, WorkflowServer};
use crate::watch::{Watch, register};
use crate::{http, sources, store};

/// Where the store lies, and what belongs to it, unless something else is said.
pub(super) const DATA_DIR: &str = ".wf-host";
/// Loading that takes longer than this says what it is busy with.
const PROGRESS_AFTER: Duration = Duration::from_secs(1);
/// Workflows that take longer than this to load are served once they are there; the others do not wait for them.
const LOADING_MAX: Duration = Duration::from_secs(20);

/// Loads workflows and serves them over HTTP.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host serve workflows/                  every .wasm file in a directory
  wf-host serve hello=target/greeting.wasm  one file, under a name of your own
  wf-host serve order=take.wasm+price.wasm  one workflow, whose steps are in several files
  wf-host serve --store memory: *.wasm      keep nothing over a restart
")]
pub(super) struct Serve {
    /// What to load: a `.wasm` file, a directory, a glob, `name=path`, or `name=path+path` for one workflow of several
    /// files, perhaps in several languages [default: what `wf-host.toml` names].
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
    /// The directory for the store, its keys and its audit log. Two hosts cannot share one [default: .wf-host]
    #[arg(long, env = "WF_HOST_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// An origin whose pages may use this server, beside its own; `*` for every one. May be repeated.
    #[arg(long = "cors-origin", env = "WF_HOST_CORS_ORIGIN", value_delimiter = ',')]
    cors_origins: Option<Vec<String>>,
    /// The URL under which people reach this server, where a proxy stands before it.
    #[arg(long, env = "WF_HOST_PUBLIC_URL")]
    public_url: Option<String>,
    /// A name by which this server may be asked, beside addresses, names without a dot and `.localhost`, `.local` and
    /// `.internal`; `*` for every one. May be repeated.
    #[arg(long = "allowed-host", env = "WF_HOST_ALLOWED_HOST", value_delimiter = ',')]
    allowed_hosts: Option<Vec<String>>,
    /// A file with the certificate, and those that it stands on, as PEM: the server speaks TLS. Taken anew when it changes.
    #[arg(long, value_name = "FILE", env = "WF_HOST_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// A file with the certificate's private key, as PEM.
    #[arg(long, value_name = "FILE", env = "WF_HOST_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// How often each key, and each address, may ask, as in `100/s`, `600/m` or `1000/h` [default: as often as it likes]
    #[arg(long, value_name = "RATE", env = "WF_HOST_RATE_LIMIT")]
    rate_limit: Option<String>,
    /// Seconds that a graceful stop may take [default: 10]
    #[arg(long, value_name = "SECONDS", env = "WF_HOST_SHUTDOWN_TIMEOUT")]
    shutdown_timeout: Option<f64>,
    /// Most memory of one instance, in MiB [default: 256]
    #[arg(long, value_name = "MIB", env = "WF_HOST_MEMORY_MAX")]
    memory_max: Option<u64>,
    /// Most seconds that a step may compute without reporting anything [default: 30]
    #[arg(long, value_name = "SECONDS", env = "WF_HOST_EXECUTING_MAX")]
    executing_max: Option<f64>,
    /// Most seconds by the clock that a step may keep its instance: computing, sleeping outside the SDK, waiting for the host [default: 300]
    #[arg(long, value_name = "SECONDS", env = "WF_HOST_ENTRY_MAX")]
    entry_max: Option<f64>,
    /// Most memory of all instances together, in MiB [default: half of the machine's]
    #[arg(long, value_name = "MIB", env = "WF_HOST_MEMORY_TOTAL_MAX")]
    memory_total_max: Option<u64>,
    /// Most instances at once [default: 500]
    #[arg(long, value_name = "NUMBER", env = "WF_HOST_INSTANCES_MAX")]
    instances_max: Option<u32>,
    /// Most seconds of processors that compiling a component may take [default: 120]
    #[arg(long, value_name = "SECONDS", env = "WF_HOST_COMPILE_MAX")]
    compile_max: Option<f64>,
    /// Most memory that compiling a component may take, in MiB [default: 2048]
    #[arg(long, value_name = "MIB", env = "WF_HOST_COMPILE_MEMORY_MAX")]
    compile_memory_max: Option<u64>,
    /// Largest request body, in MiB [default: 10]
    #[arg(long, value_name = "MIB", env = "WF_HOST_BODY_MAX")]
    body_max: Option<u64>,
    /// Days that runs are kept after their end [default: until they are purged]
    #[arg(long, value_name = "DAYS", env = "WF_HOST_RETENTION")]
    retention: Option<f64>,
    /// MiB of free disk below which the log and `/health` warn [default: a twentieth of the disk, at most 1024]
    #[arg(long, value_name = "MIB", env = "WF_HOST_FREE_MIN")]
    free_min: Option<u64>,
    #[command(flatten)]
    grants: Flags,
}

/// What a server does, all layers together.
pub(super) struct Settings {
    host: String,
    port: u16,
    store: Option<String>,
    data_dir: PathBuf,
    cors_origins: Vec<String>,
    public_url: Option<String>,
    allowed_hosts: Vec<String>,
    tls: Option<(PathBuf, PathBuf)>,
    rate_limit: Option<http::Rate>,
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
        let own = layers.file.workflows.iter().filter_map(|(name, it)| Some(format!("{name}={}", it.path.as_ref()?.argument())));
        paths.extend(own);
        let settings = self.options.settle(layers, "0.0.0.0")?;
        let strict = layers.pick("strict", given(self.strict, true), layers.file.strict, Some(false)).unwrap_or(false);
        let watch = layers.pick("watch", given(self.no_watch, false), layers.file.watch, Some(true)).unwrap_or(true);
        Ok(Serving { paths, strict, watch, settings })
    }
}

impl Serving {
    /// Serves until a signal comes, then stops gracefully. `again`: the same, with the file as it is then.
    pub(super) async fn run(self, noted: Noted, again: fn() -> Result<(Noted, Serving), Problem>) -> Result<(), Problem> {
        if self.paths.is_empty() {
            let hint = "name `.wasm` files, a directory or a glob, here or under `paths` in `wf-host.toml`";
            return Err(Problem::new("there is nothing to serve").hint(hint).usage());
        }
        let watch = Watch::new(&self.paths);
        let sources = self.sources()?;
        let mut server = Server::start(&self.settings).await?;
        let asked = stopped(server.asked.clone());
        let mut loading = JoinSet::new();
        let workflows = tokio::select! {
            loaded = self.load(&server.host, &sources, &mut loading) => loaded?,
            () = asked => {
                server.stopped().await;
                return Ok(());
            }
        };
        let all = loading.is_empty();
        for name in self.settings.config.workflows.keys().filter(|name| all && workflows.iter().all(|it| it.name != **name)) {
            Problem::new(format!("`[workflows.{name}]` is configured, and no workflow of that name is loaded"))
                .hint(format!("correct the name, or add a `path`; loaded: {}", names(&workflows)))
                .warn();
        }
        let resumed = server.host.resume().await?;
        tokio::spawn(load_further(server.host.clone(), loading));
        if self.watch {
            tokio::spawn(watch.run(server.host.clone()));
        }
        server.follow(noted, move || again().map(|(noted, serving)| (noted, serving.settings)));
        server.show(&screen::Content { workflows, resumed });
        server.stopped().await;
        Ok(())
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

    /// Loads what can be loaded, all at once. A workflow that fails does not stop the others, unless `--strict`; nor
    /// does one that takes long: it is left in the set.
    async fn load(&self, host: &Host, sources: &[Source], loading: &mut Loading) -> Result<Vec<Arc<Workflow>>, Problem> {
        for (place, source) in sources.iter().cloned().enumerate() {
            let host = host.clone();
            loading.spawn(async move { (place, host.prepare(&source).await) });
        }
        let (begun, mut told) = (Instant::now(), false);
        let mut prepared: BTreeMap<usize, Prepared> = BTreeMap::new();
        loop {
            let waits = if told { LOADING_MAX } else { PROGRESS_AFTER }.saturating_sub(begun.elapsed());
            let something = prepared.values().any(Prepared::is_sound);
            tokio::select! {
                done = loading.join_next() => match done {
                    Some(Ok((place, one))) => drop(prepared.insert(place, one)),
                    Some(Err(error)) => return Err(Problem::new(error.to_string())),
                    None => break,
                },
                () = tokio::time::sleep(waits), if !told => {
                    told = true;
                    for (_, source) in sources.iter().enumerate().filter(|(place, _)| !prepared.contains_key(place)) {
                        tracing::info!("loading `{}`: what has to be compiled is cached for the next start", source);
                    }
                }
                () = tokio::time::sleep(waits), if told && something && !self.strict => break,
            }
        }
        let mut loaded = Vec::new();
        // In their order: where two have one name, the first has it.
        for one in prepared.into_values() {
            match host.register(one) {
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

/// Files that are being loaded, with their places in the order.
type Loading = JoinSet<(usize, Prepared)>;

/// Registers those that take longer than the others are to wait.
async fn load_further(host: Host, mut loading: Loading) {
    let begun = Instant::now();
    while let Some(done) = loading.join_next().await {
        match done {
            Ok((_, prepared)) => register(&host, prepared, begun),
            Err(error) => tracing::error!("not loaded: {error}"),
        }
    }
}

/// A server that answers, though it has no workflows yet.
pub(super) struct Server {
    /// What it serves.
    pub host: Host,
    server: WorkflowServer,
    address: SocketAddr,
    public_url: Option<String>,
    by_tls: bool,
    keys: KeyFile,
    /// The command that makes a key for it.
    locks: String,
    /// Whether a signal has asked it to stop.
    asked: watch::Receiver<bool>,
}

impl Settings {
    /// The store's file; none: it is in memory.
    pub(super) fn kept(&self) -> Option<store::Kept> {
        store::Kept::at(self.store.as_deref(), &self.data_dir).ok()
    }
}

impl Server {
    /// Listens, and opens the store.
    pub(super) async fn start(settings: &Settings) -> Result<Server, Problem> {
        let (builder, keys) = settings.builder()?;
        let listener = settings.listen().await?;
        let address = listener.local_addr().map_err(|error| Problem::new(error.to_string()))?;
        let descriptors = rlimit::increase_nofile_limit(u64::MAX);
        tracing::debug!("file descriptors: {descriptors:?}");
        // From here on a signal stops gracefully, also while it starts.
        let asked = signals();
        let server = builder.open(Some(address)).await?;
        server.listen(listener).await;
        let (host, public_url, by_tls) = (server.host().clone(), settings.public_url.clone(), settings.tls.is_some());
        Ok(Server { host, server, address, public_url, by_tls, keys, locks: settings.locks(), asked })
    }

    /// Prints the first screen; gives the URL.
    pub(super) fn show(&self, content: &screen::Content) -> String {
        let keys = self.keys.read().ok().flatten().map(|keys| keys.keys().len());
        let public_url = self.public_url.as_deref();
        let place = screen::Place { address: self.address, public_url, by_tls: self.by_tls, keys, locks: &self.locks };
        screen::show(&place, content)
    }

    /// Applies what changes in the file of its settings. `again`: all layers together, as they are now.
    pub(super) fn follow(&self, noted: Noted, again: impl Fn() -> Result<(Noted, Settings), Problem> + Send + 'static) {
        let (host, http) = (self.host.clone(), self.server.options());
        tokio::spawn(follow(noted, again, move |settings: Settings| {
            host.apply(&settings.config);
            http.send_modify(|options| settings.apply(options));
        }));
    }

    /// Waits for a signal, then stops gracefully.
    pub(super) async fn stopped(&mut self) {
        stopped(self.asked.clone()).await;
        tracing::info!("stopping; runs go on after the next start");
        self.server.stop().await;
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
        let data_dir = layers.pick("data_dir", self.data_dir, file.data_dir, Some(DATA_DIR.into()));
        let cors_origins = layers.pick("cors_origins", self.cors_origins, file.cors_origins, Some(Vec::new()));
        let public_url = layers.pick("public_url", self.public_url, file.public_url, None);
        public_url.as_deref().map_or(Ok(()), check_url)?;
        let allowed_hosts = layers.pick("allowed_hosts", self.allowed_hosts, file.allowed_hosts, Some(Vec::new()));
        let tls_cert = layers.pick("tls_cert", self.tls_cert, file.tls_cert, None);
        let tls_key = layers.pick("tls_key", self.tls_key, file.tls_key, None);
        let rate_limit = layers.pick("rate_limit", self.rate_limit, file.rate_limit, None);
        let shutdown_timeout = layers.pick("shutdown_timeout", self.shutdown_timeout, file.shutdown_timeout, Some(10.0));
        let memory_max = layers.pick("memory_max", self.memory_max, file.memory_max, Some(256));
        let executing_max = layers.pick("executing_max", self.executing_max, file.executing_max, Some(30.0));
        let entry_max = layers.pick("entry_max", self.entry_max, file.entry_max, Some(300.0));
        let memory_total_max = layers.pick("memory_total_max", self.memory_total_max, file.memory_total_max, None);
        let instances_max = layers.pick("instances_max", self.instances_max, file.instances_max, Some(500));
        let compile_max = layers.pick("compile_max", self.compile_max, file.compile_max, Some(120.0));
        let compile_memory_max = layers.pick("compile_memory_max", self.compile_memory_max, file.compile_memory_max, Some(2048));
        let body_max = layers.pick("body_max", self.body_max, file.body_max, Some(10));
        let retention = layers.pick("retention", self.retention, file.retention, None);
        let free_min = layers.pick("free_min", self.free_min, file.free_min, None);
        let grants = self.grants.settle(layers)?;
        let mut limits = Limits::default();
        if let Some(value) = memory_max {
            limits.memory_max = memory("memory_max", value)?;
        }
        if let Some(value) = executing_max {
            limits.executing_max = seconds("executing_max", value)?;
        }
        if let Some(value) = entry_max {
            limits.entry_max = seconds("entry_max", value)?;
        }
        limits.memory_total_max = memory_total_max.map(memory_total).transpose()?;
        if let Some(value) = instances_max {
            limits.instances_max = instances(value)?;
        }
        if let Some(value) = compile_max {
            limits.compile_max = seconds("compile_max", value)?;
        }
        if let Some(value) = compile_memory_max {
            limits.compile_memory_max = compile_memory(value)?;
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
            allowed_hosts: allowed_hosts.unwrap_or_default(),
            tls: pair(tls_cert, tls_key)?,
            rate_limit: rate_limit.map(|text| rate(&text)).transpose()?,
            shutdown_timeout: seconds("shutdown_timeout", shutdown_timeout.unwrap_or_default())?,
            body_max: mebibytes(body_max.unwrap_or_default()),
            config: Config { limits, grants, retention, free_min: free_min.map(mebibytes), workflows: workflows? },
        })
    }
}

/// What the file says of one workflow.
fn workflow(name: &str, own: layers::Workflow) -> Result<WorkflowConfig, Problem> {
    let at = |key: &str| format!("workflows.{name}.{key}");
    Ok(WorkflowConfig {
        grants: own.grants(&at(""))?,
        additional_events: own.additional_events,
        memory_max: own.memory_max.map(|value| memory(&at("memory_max"), value)).transpose()?,
        executing_max: own.executing_max.map(|value| seconds(&at("executing_max"), value)).transpose()?,
        entry_max: own.entry_max.map(|value| seconds(&at("entry_max"), value)).transpose()?,
        runs_max: own.runs_max.map(std::num::NonZeroU32::get),
        retention: own.retention.map(|value| days(&at("retention"), value)).transpose()?,
        runs_kept: own.runs_kept,
        size_kept: own.size_kept.map(mebibytes),
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

    /// The command that makes a key for this server, wherever its keys are.
    fn locks(&self) -> String {
        let data_dir = (self.data_dir != Path::new(DATA_DIR)).then(|| self.data_dir.to_string_lossy());
        let named = [("--store", self.store.as_deref().map(Cow::from)), ("--data-dir", data_dir)];
        let flags = named.into_iter().filter_map(|(flag, value)| {
            let value = value?;
            Some(format!(" {flag} {}", shlex::try_quote(&value).unwrap_or_default()))
        });
        format!("wf-host keys add NAME{}", flags.collect::<String>())
    }

    /// The server that is meant, and where its keys are.
    fn builder(&self) -> Result<(Builder, KeyFile), Problem> {
        let beside = |kind: &str| store::beside(self.store.as_deref(), &self.data_dir, kind);
        let (keys, audit) = (beside("keys")?, beside("audit.log")?);
        let file = KeyFile::new(keys.clone());
        file.read()?;
        let tls = self.tls.clone().map(|(certificate, key)| http::Tls::load(certificate, key)).transpose();
        let tls = tls.map_err(|why| Problem::new(why).hint("`--tls-cert` and `--tls-key` name PEM files that belong together").usage())?;
        let options = |options: &mut http::Options| {
            options.shutdown_timeout = self.shutdown_timeout;
            options.door = Some(http::DoorFiles { keys, audit });
            options.rate_limit = self.rate_limit;
            options.tls = tls;
            self.apply(options);
        };
        let mut builder = WorkflowServer::builder().data_dir(&self.data_dir).compiler(compile::compiler());
        if let Some(store) = &self.store {
            builder = builder.store(store);
        }
        if let Some(folder) = super::cache::folder() {
            builder = builder.cache_dir(folder);
        }
        Ok((builder.configure(|config| config.clone_from(&self.config)).http(options), file))
    }

    /// What may change while it is served.
    fn apply(&self, options: &mut http::Options) {
        options.cors_origins.clone_from(&self.cors_origins);
        options.public_url.clone_from(&self.public_url);
        options.allowed_hosts.clone_from(&self.allowed_hosts);
        options.body_max = self.body_max;
    }
}

/// A certificate is nothing without its key.
fn pair(certificate: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<(PathBuf, PathBuf)>, Problem> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        _ => Err(Problem::new("TLS needs a certificate and its key").hint("give both `--tls-cert` and `--tls-key`").usage()),
    }
}

fn rate(text: &str) -> Result<http::Rate, Problem> {
    let hint = "give a number and a unit of `s`, `m` and `h`, as in `100/s`";
    text.parse().map_err(|()| Problem::new(format!("`rate_limit` cannot be `{text}`")).hint(hint).usage())
}

/// An IPv6 address may stand in brackets, as it does in a URL.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host)
}

fn check_url(url: &str) -> Result<(), Problem> {
    let is_url = ["http://", "https://"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    let problem = || Problem::new(format!("`public_url` cannot be `{url}`")).hint("give it as in `https://flows.example/wf/`").usage();
    if is_url { Ok(()) } else { Err(problem()) }
}

/// A variable of LlamaIndex's server.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn names(workflows: &[Arc<Workflow>]) -> String {
    workflows.iter().map(|it| format!("`{}`", it.name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_stand_in_brackets() {
        assert_eq!(["::1", "[::1]", "127.0.0.1", "[", ""].map(unbracketed), ["::1", "::1", "127.0.0.1", "[", ""]);
    }
}
