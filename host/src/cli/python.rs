//! Projects in Python: a file of workflows, or a folder with such files.
//!
//! A component begins as Python with the SDK in it, which is made once (`base`). Each file is then imported into that,
//! and what it holds is kept as the component: that takes a second or two, whatever the file imports.

mod base;
mod kept;
mod packages;
mod sources;
mod stamp;
mod tools;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::runtime::Handle;

use self::base::Base;
use self::packages::Packages;
pub(super) use self::sources::is_packed;
use self::sources::{Found, inspect};
use self::stamp::Stamp;
use self::tools::Tools;
use super::Problem;
use super::environment::{digest, folder_and_file};
use crate::host::Host;
use crate::runtime::Beginning;

/// The step by which a component is given files; `base.py` knows it, too.
const BEGIN: &str = "wf-host:begin";
/// The step that does what most steps do; `base.py` knows it, too.
const REHEARSE: &str = "wf-host:rehearse";

/// What makes a component of its base, of which the base's name says nothing.
const MADE_BY: [&[u8]; 2] = [include_bytes!("../runtime/begin.rs"), include_bytes!("../runtime/touch.rs")];

/// Where a component reads which workflow it is.
const ENTRY: &str = "/entry/wf_entry.py";

/// Files of workflows.
pub(super) struct Project {
    dir: PathBuf,
    /// Those that may have workflows, relative to the folder; empty: whichever are there.
    only: Option<PathBuf>,
    offline: bool,
    /// What was warned of in the last build: while nothing changes it is not said again.
    warned: HashSet<String>,
}

impl Project {
    /// None: there is nothing of Python.
    pub(super) fn find(path: &Path, offline: bool) -> Result<Option<Project>, Problem> {
        let is_python = path.extension().is_some_and(|it| it == "py");
        if is_python && !path.is_file() {
            return Err(Problem::new(format!("there is no file `{}`", path.display())).hint("name a Python file, or its folder"));
        }
        let (dir, only) = folder_and_file(path, is_python);
        if only.is_none() && sources::candidates(dir).is_empty() {
            return Ok(None);
        }
        Ok(Some(Project { dir: dir.to_owned(), only, offline, warned: HashSet::new() }))
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What an earlier build has made.
    pub(super) fn built_before(&self) -> Vec<PathBuf> {
        let is_ours = |from: &Path| self.only.as_deref().is_none_or(|only| only == from);
        stamp::left(&self.dir, &[], is_ours).into_iter().map(|(path, _)| path).collect()
    }

    /// Gives the files that were made, one for each workflow.
    pub(super) async fn build(&mut self, host: &Host) -> Result<Vec<PathBuf>, Problem> {
        let mut warnings = Vec::new();
        let built = self.built(host, &mut warnings).await;
        let told = std::mem::take(&mut self.warned);
        for warning in warnings {
            if !told.contains(warning.message()) {
                warning.warn();
            }
            self.warned.insert(warning.message().to_owned());
        }
        built
    }

    async fn built(&self, host: &Host, warnings: &mut Vec<Problem>) -> Result<Vec<PathBuf>, Problem> {
        let tools = Tools::ready(self.offline).await?;
        let packages = Packages::ready(&tools, &self.dir, warnings).await?;
        let candidates = self.only.clone().map_or_else(|| sources::candidates(&self.dir), |file| vec![file]);
        let mut found: BTreeMap<PathBuf, Vec<Found>> = BTreeMap::new();
        for file in candidates {
            let workflows = inspect(&tools, &packages, &self.dir, &file, self.only.is_some(), warnings).await?;
            if !workflows.is_empty() {
                found.insert(file, workflows);
            }
        }
        if found.is_empty() {
            let file = self.only.as_ref().map_or_else(|| self.dir.clone(), |file| self.dir.join(file));
            return Err(Problem::new(format!("`{}` has no workflow", file.display()))
                .hint("a workflow is a class that derives from `Workflow`, with methods that are `@step`s"));
        }
        check_names(&found)?;
        let files = sources::files(&self.dir)?;
        let base = Arc::new(base::ready(host, &tools).await?);
        let mut inside: BTreeMap<String, serde_json::Value> = BTreeMap::new();
        inside.extend(packages.files.iter().map(|(path, text)| (format!("/packages/{path}"), packed(text))));
        inside.extend(files.iter().map(|(path, text)| (format!("/app/{path}"), packed(text))));
        let workflows = found.iter().flat_map(|(file, workflows)| workflows.iter().map(move |it| (file, it)));
        let builds = workflows.map(|(file, workflow)| {
            let entry = (ENTRY.to_owned(), packed(&sources::entry(file, workflow)));
            let inside =
                json!(inside.iter().map(|(path, it)| (path.clone(), it.clone())).chain([entry]).collect::<serde_json::Map<_, _>>());
            let to = self.dir.join(format!("{}.wasm", sources::file_name(&workflow.name)));
            let to = to.strip_prefix(".").unwrap_or(&to).to_owned();
            // Each on a thread of its own, as many at once as there are.
            let (host, base, inside) = (host.clone(), base.clone(), inside.to_string());
            let made_of = [base.name.as_bytes(), inside.as_bytes()];
            let of = digest(made_of.into_iter().chain(MADE_BY));
            let stamp = Stamp { from: file.clone(), workflow: workflow.name.clone(), of };
            let build = || tokio::task::spawn_blocking(move || Handle::current().block_on(component(&host, &base, &stamp, inside, to)));
            async { build().await.unwrap_or_else(|error| Err(Problem::new(error.to_string()))) }
        });
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        // None goes on once this has ended: the next build may write the same files.
        let made: Vec<Result<PathBuf, Problem>> = stream::iter(builds).buffered(at_once).collect().await;
        let made = made.into_iter().collect::<Result<Vec<PathBuf>, Problem>>()?;
        let is_built = |file: &Path| found.contains_key(file) || self.only.is_none() && !self.dir.join(file).is_file();
        for (path, Stamp { from, workflow, .. }) in stamp::left(&self.dir, &made, is_built) {
            let (path, from) = (path.display(), from.display());
            let message = format!("`{path}` was built of `{from}`, which has no workflow `{workflow}` any more");
            warnings.push(Problem::new(message).hint("remove it, unless it is to be served still"));
        }
        Ok(made)
    }
}

/// Builds one, unless it is there.
async fn component(host: &Host, base: &Base, stamp: &Stamp, inside: String, to: PathBuf) -> Result<PathBuf, Problem> {
    if Stamp::of_file(&to).is_some_and(|it| it == *stamp) {
        return Ok(to);
    }
    let steps = vec![(BEGIN, inside), (base::SETTLE, String::new())];
    let begun = host.begin(&base.bytes, Beginning { steps, rehearsal: Some(REHEARSE), mend: kept::immortal }).await;
    let (mut component, said) = begun.map_err(|error| Problem::new(error.to_string()).hint(error.hint()))?;
    tell(&said[0]);
    stamp.put(&mut component);
    put(&component, &to).map_err(|error| Problem::new(format!("`{}` cannot be written: {error}", to.display())))?;
    Ok(to)
}

/// A file as a component keeps it: its size, and what it is packed into. Whatever is handed over leaves traces in its memory.
fn packed(text: &str) -> serde_json::Value {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    // Memory takes whatever is written.
    let written = packed.write_all(text.as_bytes()).and_then(|()| packed.finish());
    json!([text.len(), BASE64_STANDARD.encode(written.unwrap_or_default())])
}

/// Each becomes a workflow of the server, and a file of its name.
fn check_names(found: &BTreeMap<PathBuf, Vec<Found>>) -> Result<(), Problem> {
    let mut seen: HashMap<String, (&PathBuf, &Found)> = HashMap::new();
    for (file, workflow) in found.iter().flat_map(|(file, workflows)| workflows.iter().map(move |it| (file, it))) {
        if let Some((other, before)) = seen.insert(sources::file_name(&workflow.name), (file, workflow)) {
            let message = format!(
                "{}:{}: a second workflow of the name `{}`; the first is at {}:{}",
                file.display(),
                workflow.line,
                workflow.name,
                other.display(),
                before.line
            );
            return Err(Problem::new(message).hint("give one of them another name: `add_workflow(\"name\", …)`"));
        }
    }
    Ok(())
}

/// What the files printed when they were imported.
#[expect(clippy::print_stderr, reason = "the user's own output")]
fn tell(said: &str) {
    for line in said.lines() {
        eprintln!("{line}");
    }
}

/// Whole, or not at all: somebody may be serving it.
fn put(component: &[u8], to: &Path) -> std::io::Result<()> {
    let beside = to.with_extension("wasm.new");
    fs::write(&beside, component)?;
    fs::rename(beside, to)
}
