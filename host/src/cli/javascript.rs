//! Projects in TypeScript and JavaScript: a file with a workflow, or a folder with such files.
//!
//! Each file whose default export is a workflow becomes a component beside it, with what it imports: bundled, and run
//! once to the end of its module, by the build of the SDK (`guest-sdk/js/tools`).

mod tools;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use self::tools::Tools;
use super::Problem;
use super::environment::{folder_and_file, output, text, unwritable, whole};

/// Endings of files that may have a workflow.
const ENDINGS: [&str; 4] = ["ts", "mts", "js", "mjs"];

/// Files of workflows.
pub(super) struct Project {
    dir: PathBuf,
    /// The one that was named, relative to the folder; none: whichever are there.
    only: Option<PathBuf>,
    offline: bool,
}

impl Project {
    /// None: there is nothing of JavaScript.
    pub(super) fn find(path: &Path, offline: bool) -> Result<Option<Project>, Problem> {
        let is_source = path.extension().is_some_and(|it| ENDINGS.iter().any(|ending| it == *ending));
        if is_source && !path.is_file() {
            return Err(
                Problem::new(format!("there is no file `{}`", path.display())).hint("name a TypeScript or JavaScript file, or its folder")
            );
        }
        let (dir, only) = folder_and_file(path, is_source);
        if only.is_none() && candidates(dir).is_empty() {
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
        let sources = self.only.clone().map_or_else(|| candidates(&self.dir), |file| vec![file]);
        if sources.is_empty() {
            return Err(Problem::new(format!("there is no project in `{}`", self.dir.display()))
                .hint("a workflow is what a file has for its default export: `export default defineWorkflow(…)`"));
        }
        check_names(&sources)?;
        let beside = tempfile::Builder::new().prefix(".wf-host-").tempdir_in(&self.dir).map_err(|error| unwritable(&self.dir, &error))?;
        let folder = fs::canonicalize(beside.path()).map_err(|error| unwritable(beside.path(), &error))?;
        let made = |source: &Path| source.with_extension("wasm");
        let mut build = Command::new("node");
        build.arg(tools.build()).current_dir(&self.dir);
        for source in &sources {
            build.arg(source).arg(folder.join(made(source)));
        }
        let built = output(&mut build).await?;
        if !built.status.success() {
            let said = whole(&built);
            let hint = if said.contains("Could not resolve") {
                "`npm install NAME` in the project's folder brings a package; files are named with `./`"
            } else {
                "correct it; `npx tsc --noEmit` also finds what does not fit the types"
            };
            return Err(Problem::new(said).hint(hint));
        }
        let mut all = Vec::new();
        for source in &sources {
            let wasm = self.dir.join(made(source));
            let wasm = wasm.strip_prefix(".").unwrap_or(&wasm).to_owned();
            // Whole, or not at all: somebody may be serving it.
            fs::rename(folder.join(made(source)), &wasm).map_err(|error| unwritable(&wasm, &error))?;
            all.push(wasm);
        }
        Ok(all)
    }
}

/// The files of a folder that look as if they had a workflow, by name.
fn candidates(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.retain(|path| {
        let fits = path.extension().is_some_and(|it| ENDINGS.iter().any(|ending| it == *ending));
        fits && text(path).is_some_and(|text| text.contains("wf-guest") && text.contains("export default"))
    });
    found.sort();
    found.into_iter().filter_map(|path| path.file_name().map(PathBuf::from)).collect()
}

/// Each becomes a file of its name.
fn check_names(sources: &[PathBuf]) -> Result<(), Problem> {
    let mut seen: HashMap<PathBuf, &Path> = HashMap::new();
    for source in sources {
        if let Some(before) = seen.insert(source.with_extension(""), source) {
            let message = format!("`{}` and `{}` would be one file", before.display(), source.display());
            return Err(Problem::new(message).hint("give one of them another name, or name the one to build"));
        }
    }
    Ok(())
}
