//! Projects in C, C++ and Zig: a file with a workflow, or a folder with such files.
//!
//! Each file that defines `wf_this_workflow` becomes a component beside it; the others of its folder are linked into all.

mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use self::tools::{Language, Tools};
use super::Problem;
use super::environment::{folder_and_file, output, progress, text, unwritable, whole};

/// What makes a file a workflow.
const DEFINES: &str = "wf_this_workflow";

/// Files of workflows.
pub(super) struct Project {
    dir: PathBuf,
    /// The one that was named, relative to the folder; none: whichever are there.
    only: Option<PathBuf>,
    offline: bool,
}

impl Project {
    /// None: there is nothing of these languages.
    pub(super) fn find(path: &Path, offline: bool) -> Result<Option<Project>, Problem> {
        let is_source = Language::of(path).is_some();
        if is_source && !path.is_file() {
            return Err(Problem::new(format!("there is no file `{}`", path.display())).hint("name a file in C, C++ or Zig, or its folder"));
        }
        let (dir, only) = folder_and_file(path, is_source);
        if only.is_none() && sources(dir, true).is_empty() {
            return Ok(None);
        }
        Ok(Some(Project { dir: dir.to_owned(), only, offline }))
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Gives the files that were made, one for each workflow.
    pub(super) async fn build(&self) -> Result<Vec<PathBuf>, Problem> {
        let tools = Tools::ready(self.offline).await?;
        let workflows = self.only.clone().map_or_else(|| sources(&self.dir, true), |file| vec![file]);
        let shared: Vec<PathBuf> = sources(&self.dir, false).into_iter().filter(|it| Some(it) != self.only.as_ref()).collect();
        let beside = tempfile::Builder::new().prefix(".wf-host-").tempdir_in(&self.dir).map_err(|error| unwritable(&self.dir, &error))?;
        let folder = fs::canonicalize(beside.path()).map_err(|error| unwritable(beside.path(), &error))?;
        let mut others = Vec::new();
        for source in &shared {
            others.push(self.compile(&tools, source, &folder).await?);
        }
        let mut made = Vec::new();
        for source in &workflows {
            let object = self.compile(&tools, source, &folder).await?;
            let wasm = folder.join(source.with_extension("wasm"));
            let of_cplusplus = shared.iter().chain([source]).any(|it| needs_library(&self.dir.join(it)));
            let mut link = tools.link(&wasm, of_cplusplus);
            self.run(link.arg(object).args(&others)).await?;
            made.push((wasm, self.dir.join(source.with_extension("wasm"))));
        }
        let mut all = Vec::new();
        for (made, wasm) in made {
            let wasm = wasm.strip_prefix(".").unwrap_or(&wasm).to_owned();
            // Whole, or not at all: somebody may be serving it.
            fs::rename(made, &wasm).map_err(|error| unwritable(&wasm, &error))?;
            all.push(wasm);
        }
        Ok(all)
    }

    /// Makes an object file of a source.
    async fn compile(&self, tools: &Tools, source: &Path, folder: &Path) -> Result<PathBuf, Problem> {
        let name = source.as_os_str().to_string_lossy();
        let object = folder.join(format!("{name}.o"));
        self.run(&mut tools.compile(source, &object)).await?;
        Ok(object)
    }

    async fn run(&self, command: &mut tokio::process::Command) -> Result<(), Problem> {
        let ran = output(command.current_dir(&self.dir)).await?;
        let said = whole(&ran);
        if !ran.status.success() {
            return Err(Problem::new(said).hint("correct what the compiler names; `wf.h` says what there is"));
        }
        if !said.is_empty() {
            progress(&said);
        }
        Ok(())
    }
}

/// Whether a source is in C++ and includes more than headers that need no library of it.
fn needs_library(source: &Path) -> bool {
    const LEAN: [&str; 8] = ["array", "cstddef", "cstdint", "iterator", "span", "string_view", "type_traits", "utility"];
    let lean = |line: &str| LEAN.iter().any(|it| line.contains(&format!("<{it}>"))) || !line.contains('<');
    Language::of(source) == Some(Language::CPlusPlus)
        && text(source).is_none_or(|text| text.lines().any(|it| it.starts_with("#include") && !lean(it)))
}

/// The sources of a folder that define a workflow, or those that do not, by name.
fn sources(dir: &Path, defining: bool) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.retain(|path| Language::of(path).is_some() && text(path).is_some_and(|text| text.contains(DEFINES) == defining));
    found.sort();
    found.into_iter().filter_map(|path| path.file_name().map(PathBuf::from)).collect()
}
