//! `wf-host build`, and what `dev` builds with: the language's own tools, called as they want to be.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::screen::out;
use super::{Problem, cargo, go, javascript, native, offline, python};
use crate::config::Config;
use crate::host::Host;

/// Builds a project to workflows, and checks them as `serve` would.
///
/// A Rust project is built with cargo. Of Python a file is enough: each workflow in it becomes a `.wasm` file beside
/// it, with what `requirements.txt` or `pyproject.toml` names. So it is of TypeScript and JavaScript: a file whose
/// default export is a workflow becomes one, with what it imports. Of C, C++ and Zig each file that defines
/// `wf_this_workflow` becomes one, of Go each program. The tools that are not installed are fetched once, into your
/// cache folder.
///
/// A convenience: whatever another tool builds is as welcome.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host build                 the project in this folder
  wf-host build hello           writes hello/hello.wasm
  wf-host build my_server.py    a file of LlamaIndex workflows, as it is: one .wasm file each
  wf-host build flow.ts         a workflow in TypeScript, to flow.wasm
  wf-host build flow.c          a workflow in C
")]
pub(super) struct Build {
    /// The folders of projects, or files in Python, TypeScript, JavaScript, C, C++ or Zig.
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Fetch nothing: say what is missing.
    #[arg(long)]
    offline: bool,
    /// It is one of several components that make a workflow: `wf-host check one.wasm+other.wasm` looks at the whole.
    #[arg(long)]
    part: bool,
}

impl Build {
    pub(super) async fn run(self) -> Result<(), Problem> {
        for path in &self.paths {
            // Each by itself: of two projects each may have a workflow of the same name.
            let host = offline::host(None, Config::default()).await?;
            self.build(path, &host).await?;
        }
        Ok(())
    }

    async fn build(&self, path: &Path, host: &Host) -> Result<(), Problem> {
        let mut project = Project::find(path, self.offline)?;
        let built = match project.build(host).await {
            // What the compiler says stands above already.
            Err(problem) if matches!(project, Project::Cargo(_)) => return Err(problem.in_short()),
            built => built?,
        };
        let took = format!("in {:.1?}", built.took);
        for wasm in &built.wasm {
            let name = if self.part {
                format!("`{}`", wasm.display())
            } else {
                let source = offline::source(&wasm.display().to_string())?;
                let (workflow, _) = host.load(&source).await?;
                format!("`{}` to `{}`", workflow.name, wasm.display())
            };
            // Of several nobody knows what each took: they were built at once.
            out(&if built.wasm.len() == 1 { format!("built {name} {took}\n") } else { format!("built {name}\n") })?;
        }
        if built.wasm.len() > 1 { out(&format!("{} workflows {took}\n", built.wasm.len())) } else { Ok(()) }
    }
}

/// What is to be built, in a language that was recognised.
pub(super) enum Project {
    Cargo(cargo::Project),
    Python(Box<python::Project>),
    JavaScript(Box<javascript::Project>),
    Go(go::Project),
    Native(native::Project),
}

/// Workflows that were built.
pub(super) struct Built {
    /// The files.
    pub wasm: Vec<PathBuf>,
    /// What the language's tools took.
    pub took: Duration,
}

impl Project {
    /// Recognises a project by its own files, and finds the tools for it.
    pub(super) fn find(path: &Path, offline: bool) -> Result<Project, Problem> {
        if path.join("Cargo.toml").is_file() {
            return Ok(Project::Cargo(cargo::Project::find(path)?));
        }
        if let Some(project) = python::Project::find(path, offline)? {
            return Ok(Project::Python(Box::new(project)));
        }
        if let Some(project) = javascript::Project::find(path, offline)? {
            return Ok(Project::JavaScript(Box::new(project)));
        }
        if let Some(project) = go::Project::find(path, offline) {
            return Ok(Project::Go(project));
        }
        if let Some(project) = native::Project::find(path, offline)? {
            return Ok(Project::Native(project));
        }
        if path.join("package.json").is_file() {
            return Err(Problem::new(format!("`{}` has no workflow in JavaScript beside its `package.json`", path.display()))
                .hint("a workflow is what a file has for its default export: `export default defineWorkflow(…)`; or name the file"));
        }
        Err(Problem::new(format!("there is no project in `{}`", path.display()))
            .hint("`wf-host new NAME` makes one; a Rust project has a `Cargo.toml`, one in Go a `go.mod`, of other languages name the file or its folder"))
    }

    /// The folder with its sources.
    pub(super) fn dir(&self) -> &Path {
        match self {
            Project::Cargo(project) => project.dir(),
            Project::Python(project) => project.dir(),
            Project::JavaScript(project) => project.dir(),
            Project::Go(project) => project.dir(),
            Project::Native(project) => project.dir(),
        }
    }

    /// Whether a file belongs to it. Of folders in that one all do, where nobody knows what is read of them.
    pub(super) fn has(&self, path: &Path) -> bool {
        let endings: &[&str] = match self {
            Project::Python(_) => return python::is_packed(path),
            _ if path.parent() != Some(self.dir()) => return true,
            Project::Cargo(_) => &["rs", "toml", "wit"],
            Project::Go(_) => &["go", "mod", "sum"],
            Project::Native(_) => &["c", "h", "cpp", "cc", "cxx", "hpp", "zig"],
            Project::JavaScript(_) => &["ts", "mts", "tsx", "js", "mjs", "jsx", "json"],
        };
        path.extension().and_then(|it| it.to_str()).is_some_and(|it| endings.contains(&it))
    }

    /// What an earlier build has made, of a language whose components say so.
    pub(super) fn built_before(&self) -> Vec<PathBuf> {
        match self {
            Project::Python(project) => project.built_before(),
            Project::Cargo(_) | Project::JavaScript(_) | Project::Go(_) | Project::Native(_) => Vec::new(),
        }
    }

    /// Builds it; what the tools say goes on to stderr as it comes, and into the error.
    pub(super) async fn build(&mut self, host: &Host) -> Result<Built, Problem> {
        let begun = Instant::now();
        let wasm = match self {
            Project::Cargo(project) => vec![project.build().await?],
            Project::Python(project) => project.build(host).await?,
            Project::JavaScript(project) => project.build(host).await?,
            Project::Go(project) => project.build().await?,
            Project::Native(project) => project.build().await?,
        };
        Ok(Built { wasm, took: begun.elapsed() })
    }
}
