//! What a server is to be.

use std::collections::HashSet;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::future::{self, BoxFuture};
use tokio::net::{TcpListener, ToSocketAddrs};

use super::{Error, WorkflowServer};
use crate::config::Config;
use crate::host::Host;
use crate::http::{DoorFiles, Options};
use crate::registry::{Prepared, Rejected, Source};
use crate::runtime::{self, Compiler, Runtime};
use crate::store;

/// A store that keeps nothing.
const IN_MEMORY: &str = "memory:";

/// A workflow's component: where it lies, or what it is.
#[derive(Clone, Debug)]
pub enum Code {
    /// A `.wasm` file.
    File(PathBuf),
    /// What is in such a file, as `include_bytes!` gives it.
    Bytes(Bytes),
}

/// What a server is to be. Nothing happens before [`serve`](Builder::serve) or [`start`](Builder::start).
#[derive(Clone, Debug, Default)]
pub struct Builder {
    workflows: Vec<(String, Code)>,
    additional: Vec<(String, Vec<String>)>,
    config: Config,
    store: Option<String>,
    data_dir: Option<PathBuf>,
    cache_dir: Option<PathBuf>,
    compiler: Compiler,
    http: Options,
}

impl Builder {
    /// Serves a component under a name. A path is read once, when the server starts.
    #[must_use]
    pub fn add_workflow(mut self, name: impl Into<String>, code: impl Into<Code>) -> Builder {
        self.workflows.push((name.into(), code.into()));
        self
    }

    /// Types of events that the outside may send to a workflow although no step accepts them, beside those that its
    /// component names.
    #[must_use]
    pub fn additional_events<N: Into<String>>(mut self, workflow: impl Into<String>, names: impl IntoIterator<Item = N>) -> Builder {
        self.additional.push((workflow.into(), names.into_iter().map(Into::into).collect()));
        self
    }

    /// Where runs are kept: `sqlite:PATH`, or `memory:`, which is meant where neither this nor a
    /// [folder](Builder::data_dir) is named: then nothing is kept over a restart.
    ///
    /// Beside the file lie its keys. Where `wf-host keys add` has made some, whoever asks needs one.
    #[must_use]
    pub fn store(mut self, store: impl Into<String>) -> Builder {
        self.store = Some(store.into());
        self
    }

    /// The folder for a store that has no place of its own, and for what belongs to it. No two servers share one.
    #[must_use]
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.data_dir = Some(folder.into());
        self
    }

    /// The folder where compiled code is kept for the next start; without one each start compiles again. Whoever can
    /// write there decides what this program runs.
    #[must_use]
    pub fn cache_dir(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.cache_dir = Some(folder.into());
        self
    }

    /// Where components are compiled: by default in this process, one after the other; or by a `wf-host` of the same
    /// version, which bounds the time and the memory that a hostile one takes.
    #[must_use]
    pub fn compiler(mut self, compiler: Compiler) -> Builder {
        self.compiler = compiler;
        self
    }

    /// Changes what workflows may use and reach, and how long their runs are kept.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Builder {
        change(&mut self.config);
        self
    }

    /// Changes how requests are answered.
    #[must_use]
    pub fn http(mut self, change: impl FnOnce(&mut Options)) -> Builder {
        change(&mut self.http);
        self
    }

    /// Starts it and answers whoever connects to an address; comes back once it does, with a handle to it.
    ///
    /// Runs of an earlier server on this store go on. An error names the first thing that is wrong; nothing is served then.
    pub async fn serve(self, address: impl ToSocketAddrs + Debug) -> Result<WorkflowServer, Error> {
        let given = format!("{address:?}");
        let listen = |error| Error::Listen { address: given.clone(), error };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let server = self.begin(Some(listener.local_addr().map_err(listen)?)).await?;
        server.listen(listener).await;
        Ok(server)
    }

    /// Starts it without listening anywhere: its [service](WorkflowServer::service) answers, and its
    /// [host](WorkflowServer::host) without HTTP.
    pub async fn start(self) -> Result<WorkflowServer, Error> {
        self.begin(None).await
    }

    /// Boxed, as is whatever a program awaits that embeds one: so it is compiled here, and not anew in each of them.
    fn begin(mut self, address: Option<SocketAddr>) -> BoxFuture<'static, Result<WorkflowServer, Error>> {
        Box::pin(async move {
            self.settle()?;
            let workflows = std::mem::take(&mut self.workflows);
            let server = self.open(address).await?;
            match load(server.host(), workflows).await {
                Ok(()) => Ok(server),
                Err(error) => {
                    // Whoever tries again finds the store free.
                    server.stop().await;
                    Err(error)
                }
            }
        })
    }

    /// Puts together what was said of single workflows.
    fn settle(&mut self) -> Result<(), Rejected> {
        let mut names = HashSet::new();
        if let Some((twice, _)) = self.workflows.iter().find(|(name, _)| !names.insert(name)) {
            return Err(rejected(format!("two workflows are to be named `{twice}`"), "give each a name of its own"));
        }
        for (name, events) in std::mem::take(&mut self.additional) {
            if !names.contains(&name) {
                let message = format!("`{name}` is to have additional events, and no workflow of that name is added");
                return Err(rejected(message, "correct the name, or add the workflow"));
            }
            self.config.workflows.entry(name).or_default().additional_events.extend(events);
        }
        Ok(())
    }

    /// Opens it on its store, without workflows: until the host [resumes](Host::resume), requests are put off.
    pub(crate) async fn open(mut self, address: Option<SocketAddr>) -> Result<WorkflowServer, Error> {
        let (spec, folder) = (self.spec().map(str::to_owned), self.data_dir.clone().unwrap_or_default());
        let spec = spec.as_deref();
        let store = store::open(spec, &folder).await?;
        // A store of its own place does not need it; what else is kept goes without.
        if let Some(error) = self.data_dir.as_deref().and_then(|folder| store::private_folder(folder).err()) {
            tracing::warn!("{error}");
        }
        if self.http.door.is_none() && (self.data_dir.is_some() || spec != Some(IN_MEMORY)) {
            let beside = |kind| store::beside(spec, &folder, kind);
            self.http.door = Some(DoorFiles { keys: beside("keys")?, audit: beside("audit.log")? });
        }
        let runtime = Runtime::new(runtime::Options {
            cache_dir: self.cache_dir,
            compiler: self.compiler,
            threads: self.data_dir.map(|folder| folder.join("threads")),
            limits: self.config.limits_max(),
        })?;
        let host = Host::open(store, runtime, self.config).await?;
        host.watch_disk(store::folder(spec, &folder)?);
        WorkflowServer::new(host, self.http, address)
    }

    /// As it is opened; none: in its folder.
    fn spec(&self) -> Option<&str> {
        self.store.as_deref().or(self.data_dir.is_none().then_some(IN_MEMORY))
    }
}

/// Loads them all, and lets runs go on.
async fn load(host: &Host, workflows: Vec<(String, Code)>) -> Result<(), Error> {
    let prepare = async |(name, code): (String, Code)| -> Prepared {
        match code {
            Code::File(path) => host.prepare(&Source { name: Some(name), files: vec![path] }).await,
            Code::Bytes(bytes) => host.prepare_bytes(&name, bytes).await,
        }
    };
    for prepared in future::join_all(workflows.into_iter().map(prepare)).await {
        host.register(prepared)?;
    }
    host.resume().await?;
    Ok(())
}

fn rejected(message: String, hint: &str) -> Rejected {
    Rejected { message, hint: Some(hint.to_owned()) }
}

impl From<&str> for Code {
    fn from(path: &str) -> Code {
        Code::File(path.into())
    }
}

impl From<String> for Code {
    fn from(path: String) -> Code {
        Code::File(path.into())
    }
}

impl From<&Path> for Code {
    fn from(path: &Path) -> Code {
        Code::File(path.into())
    }
}

impl From<PathBuf> for Code {
    fn from(path: PathBuf) -> Code {
        Code::File(path)
    }
}

impl From<Bytes> for Code {
    fn from(bytes: Bytes) -> Code {
        Code::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Code {
    fn from(bytes: Vec<u8>) -> Code {
        Code::Bytes(bytes.into())
    }
}

impl From<&'static [u8]> for Code {
    fn from(bytes: &'static [u8]) -> Code {
        Code::Bytes(Bytes::from_static(bytes))
    }
}

impl<const LENGTH: usize> From<&'static [u8; LENGTH]> for Code {
    fn from(bytes: &'static [u8; LENGTH]) -> Code {
        Code::Bytes(Bytes::from_static(bytes))
    }
}
