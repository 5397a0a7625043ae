//! `wf-host.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cli::{LogFormat, Problem, grants};
use crate::model::Grants;
use crate::sources;

/// Where it is looked for when nothing says so.
pub(super) const DEFAULT: &str = "wf-host.toml";
/// Names less alike than this are not meant.
const ALIKE_MIN: f64 = 0.85;

/// What a server does, where neither a flag nor the environment says so. Paths are relative to the
/// file's folder.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "wf-host.toml")]
pub(in crate::cli) struct File {
    /// What to load: `.wasm` files, directories, globs or `name=path`.
    pub paths: Option<Vec<String>>,
    /// The address to listen on [default: 0.0.0.0].
    pub host: Option<String>,
    /// The port to listen on; 0 for any free one [default: 8080].
    pub port: Option<u16>,
    /// Where runs are kept: `memory:` or `sqlite:PATH` [default: a SQLite file in the data directory].
    pub store: Option<String>,
    /// The directory for the store, its keys and its audit log [default: .wf-host].
    pub data_dir: Option<PathBuf>,
    /// Origins whose pages may use this server, beside its own; `*` for every one.
    pub cors_origins: Option<Vec<String>>,
    /// The URL under which people reach this server, where a proxy stands before it.
    pub public_url: Option<String>,
    /// Names by which this server may be asked, beside addresses and names that no stranger can own; `*` for every one.
    pub allowed_hosts: Option<Vec<String>>,
    /// A file with the certificate, and those that it stands on, as PEM: the server speaks TLS.
    pub tls_cert: Option<PathBuf>,
    /// A file with the certificate's private key, as PEM.
    pub tls_key: Option<PathBuf>,
    /// How often each key, and each address, may ask, as in `100/s` [default: as often as it likes].
    pub rate_limit: Option<String>,
    /// Seconds that a graceful stop may take [default: 10].
    pub shutdown_timeout: Option<f64>,
    /// Most memory of one instance, in MiB [default: 256].
    pub memory_max: Option<u64>,
    /// Most seconds that a step may compute without reporting anything [default: 30].
    pub executing_max: Option<f64>,
    /// Most seconds by the clock that a step may keep its instance: computing, sleeping outside the SDK, waiting for the host [default: 300].
    pub entry_max: Option<f64>,
    /// Most memory of all instances together, in MiB [default: half of the machine's].
    pub memory_total_max: Option<u64>,
    /// Most instances at once [default: 500].
    pub instances_max: Option<u32>,
    /// Most seconds of processors that compiling a component may take [default: 120].
    pub compile_max: Option<f64>,
    /// Most memory that compiling a component may take, in MiB [default: 2048].
    pub compile_memory_max: Option<u64>,
    /// Largest request body, in MiB [default: 10].
    pub body_max: Option<u64>,
    /// Days that runs are kept after their end [default: until they are purged].
    pub retention: Option<f64>,
    /// MiB of free disk below which the log and `/health` warn [default: a twentieth of the disk, at most 1024].
    pub free_min: Option<u64>,
    /// Refuse to start when any of the workflows does not load [default: false].
    pub strict: Option<bool>,
    /// Reload workflows when their files change [default: true].
    pub watch: Option<bool>,
    /// How log lines are written on stderr [default: text].
    pub log_format: Option<LogFormat>,
    /// Requests that all workflows may make, as in `https://api.example.com` or `GET,POST http://127.0.0.1:8081`.
    pub allow_http: Option<Vec<String>>,
    /// Variables that all workflows have: `NAME`, or `NAME=VALUE`.
    pub allow_env: Option<Vec<String>>,
    /// Folders that all workflows may open as `/name`: `name=path`, with `:rw` behind it to write, too.
    pub allow_dir: Option<Vec<String>>,
    /// Secrets of all workflows, as in `KEY=env:KEY@https://api.example.com`.
    pub secrets: Option<Vec<String>>,
    /// A file with certificates to trust for requests of workflows beside the system's, as PEM.
    pub http_roots: Option<PathBuf>,
    /// What differs for single workflows, by the name that the API has for them.
    #[serde(default)]
    pub workflows: BTreeMap<String, Workflow>,
}

/// What differs for one workflow.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(in crate::cli) struct Workflow {
    /// Its `.wasm` file, where `paths` does not name it; or a list of files, each of which adds its steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Files>,
    /// Types that the outside may send although no step accepts them, beside the workflow's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_events: Vec<String>,
    /// Requests that it may make, as in `https://api.example.com`, `GET,POST http://127.0.0.1:8081` or `https://*.example.com`.
    /// Addresses of this machine and its networks are granted by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_http: Vec<String>,
    /// Variables that it has: `NAME` as it is where the host starts, or `NAME=VALUE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_env: Vec<String>,
    /// Folders that it may open as `/name`: `name=path`, with `:rw` behind it to write, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_dir: Vec<String>,
    /// Secrets that it uses without seeing them, in requests to these hosts: `NAME=env:VARIABLE@HOSTS`, `NAME=file:PATH@HOSTS`,
    /// or `dir:PATH@HOSTS` for each file of a folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Most memory of one instance, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_max: Option<u64>,
    /// Most seconds that a step may compute without reporting anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executing_max: Option<f64>,
    /// Most seconds by the clock that a step may keep its instance: computing, sleeping outside the SDK, waiting for the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_max: Option<f64>,
    /// Most runs of it that go on at once; more queue, first come, first served.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub runs_max: Option<std::num::NonZeroU32>,
    /// Days that its runs are kept after their end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<f64>,
    /// Most handlers of it that are kept once they are over: those that ended last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs_kept: Option<u64>,
    /// Most of it that is kept once it is over, in MiB: what ended last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_kept: Option<u64>,
}

/// A file, or several that make one workflow.
#[derive(Clone, Debug, Deserialize, serde::Serialize, JsonSchema)]
#[serde(untagged, expecting = "a path, or a list of paths")]
#[schemars(inline)]
pub(in crate::cli) enum Files {
    /// One component.
    One(PathBuf),
    /// A component each.
    Several(Vec<PathBuf>),
}

impl Files {
    fn paths(&mut self) -> &mut [PathBuf] {
        match self {
            Files::One(path) => std::slice::from_mut(path),
            Files::Several(paths) => paths,
        }
    }

    /// As an argument.
    pub(in crate::cli) fn argument(&self) -> String {
        let paths = match self {
            Files::One(path) => std::slice::from_ref(path),
            Files::Several(paths) => paths,
        };
        paths.iter().map(|it| it.display().to_string()).collect::<Vec<_>>().join("+")
    }
}

impl Workflow {
    /// What it may reach outside. `at`: what stands before the names of its settings.
    pub(in crate::cli) fn grants(&self, at: &str) -> Result<Grants, Problem> {
        let Workflow { allow_http, allow_env, allow_dir, secrets, .. } = self;
        grants::grants(at, &grants::Texts { http: allow_http, env: allow_env, dir: allow_dir, secrets, roots: None })
    }
}

impl File {
    /// The file that was asked for, else the one in this folder, else nothing. With its path, where there is one.
    pub(in crate::cli) fn find(asked: Option<&Path>) -> Result<(File, Option<PathBuf>), Problem> {
        let path = asked.unwrap_or(Path::new(DEFAULT));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && asked.is_none() => return Ok((File::default(), None)),
            Err(error) => {
                let problem = Problem::new(format!("`{}` cannot be read: {error}", path.display()));
                return Err(problem.hint("correct `--config`, or WF_HOST_CONFIG").usage());
            }
        };
        let mut file = File::parse(&text, &path.display().to_string())?;
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        if let Some(folder) = folder {
            file.resolve(folder);
        }
        Ok((file, Some(path.to_owned())))
    }

    fn parse(text: &str, path: &str) -> Result<File, Problem> {
        let hint = "`wf-host config --schema` says what can stand here";
        let problem = |at: Option<std::ops::Range<usize>>, message: &str| {
            let line = at.map(|at| format!(":{}", line(text, at.start))).unwrap_or_default();
            Problem::new(format!("`{path}`{line}: {message}")).usage()
        };
        let table = DeTable::parse(text).map_err(|error| problem(error.span(), error.message()).hint(hint))?;
        let schema = schema();
        if let Some(Unknown { at, key, known }) = unknown(table.get_ref(), &schema) {
            let problem = problem(Some(at), &format!("there is no setting `{key}`"));
            return Err(match meant(&key, &known) {
                Some(name) => problem.hint(format!("did you mean `{name}`?")),
                None => problem.hint(format!("there are {}", known.join(", "))),
            });
        }
        toml::from_str(text).map_err(|error| {
            let key = error.span().and_then(|at| text[..at.start].lines().next_back()?.split_once('=')).map(|(key, _)| key.trim());
            let key = key.map(|key| format!("`{key}`: ")).unwrap_or_default();
            problem(error.span(), &format!("{key}{}", error.message())).hint(hint)
        })
    }

    /// Makes paths that are relative to the file's folder relative to the current one.
    fn resolve(&mut self, folder: &Path) {
        let below = |path: &mut PathBuf| *path = folder.join(&path);
        [&mut self.data_dir, &mut self.tls_cert, &mut self.tls_key, &mut self.http_roots].into_iter().flatten().for_each(below);
        self.workflows.values_mut().filter_map(|it| it.path.as_mut()).flat_map(Files::paths).for_each(below);
        let own = self.workflows.values_mut().flat_map(|it| it.allow_dir.iter_mut().chain(&mut it.secrets));
        for text in own.chain(self.allow_dir.iter_mut().flatten()).chain(self.secrets.iter_mut().flatten()) {
            *text = grants::below(folder, text);
        }
        for path in self.paths.iter_mut().flatten() {
            *path = sources::below(folder, path);
        }
        if let Some(file) = self.store.as_deref().and_then(|it| it.strip_prefix("sqlite:")) {
            self.store = Some(format!("sqlite:{}", folder.join(file).display()));
        }
    }
}

/// The JSON Schema of the file, for editors.
pub(in crate::cli) fn schema() -> Value {
    schemars::schema_for!(File).to_value()
}

struct Unknown {
    at: std::ops::Range<usize>,
    key: String,
    known: Vec<String>,
}

/// The first key that the schema does not know.
fn unknown(table: &DeTable, schema: &Value) -> Option<Unknown> {
    let named = schema["properties"].as_object();
    for (key, value) in table {
        let inner = match (named.and_then(|it| it.get(&**key.get_ref())), &schema["additionalProperties"]) {
            (Some(inner), _) => inner,
            (None, any @ Value::Object(_)) => any,
            (None, _) => {
                let known = named.into_iter().flatten().map(|(name, _)| name.clone()).collect();
                return Some(Unknown { at: Spanned::span(key), key: key.get_ref().to_string(), known });
            }
        };
        if let DeValue::Table(table) = value.get_ref()
            && let Some(found) = unknown(table, inner)
        {
            return Some(found);
        }
    }
    None
}

/// The name that somebody who wrote this most likely meant.
fn meant<'a>(written: &str, known: &'a [String]) -> Option<&'a str> {
    let alike = known.iter().map(|name| (strsim::jaro_winkler(written, name), name));
    alike.filter(|(alike, _)| *alike >= ALIKE_MIN).max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name)| name.as_str())
}

fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
