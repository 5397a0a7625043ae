//! Projects in Python: a file of workflows, or a folder with such files.
//!
//! A component begins as Python with the SDK in it, which is made once (`base`). Each file is then imported into that,
//! and what it holds is kept as the component: that takes a second or two, whatever the file imports.

mod base;
mod kept;
mod packages;
mod sources;
mod tools;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::json;

use self::packages::Packages;
pub(super) use self::sources::is_packed;
use self::sources::{Found, inspect};
use self::tools::Tools;
use super::Problem;
use super::environment::{digest, folder_and_file};
use crate::host::Host;
use crate::runtime::Beginning;

/// The step by which a component is given files; `base.py` knows it, too.
const BEGIN: &str = "wf-host:begin";
/// The step that does what most steps do; `base.py` knows it, too.
const REHEARSE: &str = "wf-host:rehearse";

/// Where a component reads which workflow it is.
const ENTRY: &str = "/entry/wf_entry.py";

/// Files of workflows.
pub(super) struct Project {
    dir: PathBuf,
    /// Those that may have workflows, relative to the folder; empty: whichever are there.
    only: Option<PathBuf>,
    offline: bool,
    /// What was built of each file, and of what: one that is as it was is not built again.
    built: HashMap<PathBuf, (String, Vec<PathBuf>)>,
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
        Ok(Some(Project { dir: dir.to_owned(), only, offline, built: HashMap::new() }))
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Gives the files that were made, one for each workflow.
    pub(super) async fn build(&mut self, host: &Host) -> Result<Vec<PathBuf>, Problem> {
        let tools = Tools::ready(self.offline).await?;
        let packages = Packages::ready(&tools, &self.dir).await?;
        let candidates = self.only.clone().map_or_else(|| sources::candidates(&self.dir), |file| vec![file]);
        let mut found: BTreeMap<PathBuf, Vec<Found>> = BTreeMap::new();
        for file in candidates {
            let workflows = inspect(&tools, &packages, &self.dir, &file, self.only.is_some()).await?;
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
        let mut made = Vec::new();
        for (file, workflows) in found {
            made.extend(self.file(host, &tools, &packages, &files, file, &workflows).await?);
        }
        Ok(made)
    }

    async fn file(
        &mut self,
        host: &Host,
        tools: &Tools,
        packages: &Packages,
        files: &BTreeMap<String, String>,
        file: PathBuf,
        workflows: &[Found],
    ) -> Result<Vec<PathBuf>, Problem> {
        let base = base::ready(host, tools).await?;
        let mut inside: BTreeMap<String, serde_json::Value> = BTreeMap::new();
        inside.extend(packages.files.iter().map(|(path, text)| (format!("/packages/{path}"), packed(text))));
        inside.extend(files.iter().map(|(path, text)| (format!("/app/{path}"), packed(text))));
        let names = workflows.iter().map(|it| it.name.as_bytes());
        let made_of = digest([base.name.as_bytes(), json!(inside).to_string().as_bytes()].into_iter().chain(names));
        if let Some((before, made)) = self.built.get(&file).filter(|(_, made)| made.iter().all(|it| it.is_file()))
            && *before == made_of
        {
            return Ok(made.clone());
        }
        let mut made = Vec::new();
        let entries: Vec<String> = workflows.iter().map(|workflow| sources::entry(&file, workflow)).collect();
        for (workflow, entry) in workflows.iter().zip(&entries) {
            inside.insert(ENTRY.to_owned(), packed(entry));
            let steps = vec![(BEGIN, json!(inside).to_string()), (base::SETTLE, String::new())];
            let begun = host.begin(&base.bytes, Beginning { steps, rehearsal: Some(REHEARSE), mend: kept::immortal }).await;
            let (component, said) = begun.map_err(|error| Problem::new(error.to_string()).hint(error.hint()))?;
            tell(&said[0]);
            let wasm = self.dir.join(format!("{}.wasm", sources::file_name(&workflow.name)));
            let wasm = wasm.strip_prefix(".").unwrap_or(&wasm).to_owned();
            put(&component, &wasm).map_err(|error| Problem::new(format!("`{}` cannot be written: {error}", wasm.display())))?;
            made.push(wasm);
        }
        self.built.insert(file, (made_of, made.clone()));
        Ok(made)
    }
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
