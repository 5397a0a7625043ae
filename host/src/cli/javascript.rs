//! Projects in TypeScript and JavaScript: a file with a workflow, or a folder with such files.
//!
//! A component begins as QuickJS, waiting for a bundle, which is made once (`base`). Each file whose default export is a
//! workflow is bundled with what it imports, by the build of the SDK (`guest-sdk/js/tools`); the bundle is evaluated in
//! that, and what it holds is kept as the component, beside the file.

mod base;
mod tools;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use self::tools::Tools;
use super::Problem;
use super::environment::{digest, folder_and_file, output, text, unwritable, whole};
use crate::host::Host;
use crate::runtime::Beginning;

/// Endings of files that may have a workflow.
const ENDINGS: [&str; 4] = ["ts", "mts", "js", "mjs"];

/// The step by which a component is given its bundle. A base knows no other.
const BEGIN: &str = "wf-host:begin";

/// What to do about most mistakes.
const CORRECT: &str = "correct it; `npx tsc --noEmit` also finds what does not fit the types";

/// Files of workflows.
pub(super) struct Project {
    dir: PathBuf,
    /// The one that was named, relative to the folder; none: whichever are there.
    only: Option<PathBuf>,
    offline: bool,
    tools: Option<Tools>,
    /// Of what each file was built: one that is as it was is not built again.
    built: HashMap<PathBuf, String>,
}

/// A file's bundle, as the build of the SDK gives it.
#[derive(Deserialize)]
struct Bundle {
    world: String,
    /// What its component is given.
    #[serde(flatten)]
    given: Map<String, Value>,
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
        Ok(Some(Project { dir: dir.to_owned(), only, offline, tools: None, built: HashMap::new() }))
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Gives the files that were made, one for each workflow.
    pub(super) async fn build(&mut self, host: &Host) -> Result<Vec<PathBuf>, Problem> {
        let tools = match self.tools.take().filter(Tools::are_there) {
            Some(tools) => tools,
            None => Tools::ready(self.offline).await?,
        };
        let tools = self.tools.insert(tools);
        let sources = self.only.clone().map_or_else(|| candidates(&self.dir), |file| vec![file]);
        if sources.is_empty() {
            return Err(Problem::new(format!("there is no project in `{}`", self.dir.display()))
                .hint("a workflow is what a file has for its default export: `export default defineWorkflow(…)`"));
        }
        check_names(&sources)?;
        let mut made = Vec::new();
        for (source, bundle) in sources.iter().zip(bundles(tools, &self.dir, &sources).await?) {
            let wasm = self.dir.join(source.with_extension("wasm"));
            let wasm = wasm.strip_prefix(".").unwrap_or(&wasm).to_owned();
            let Bundle { world, mut given } = bundle;
            given.insert("hint".to_owned(), CORRECT.into());
            let base = base::ready(tools, &world).await?;
            let given = Value::from(given).to_string();
            let made_of = digest([base.name.as_bytes(), given.as_bytes()]);
            if self.built.get(source) == Some(&made_of) && wasm.is_file() {
                made.push((source, wasm, made_of, None));
                continue;
            }
            let begun = host.begin(&base.bytes, Beginning { steps: vec![(BEGIN, given)], rehearsal: None, mend: |_, _| Ok(()) }).await;
            let (component, _) = begun.map_err(|error| {
                // What was thrown names its line already.
                let message = if error.hint() == CORRECT { error.to_string() } else { format!("{}: {error}", source.display()) };
                Problem::new(message).hint(error.hint())
            })?;
            made.push((source, wasm, made_of, Some(component)));
        }
        // None, where one of them fails.
        for (_, wasm, _, component) in &made {
            let Some(component) = component else { continue };
            // Whole, or not at all: somebody may be serving it.
            let beside = wasm.with_extension("wasm.new");
            fs::write(&beside, component).and_then(|()| fs::rename(&beside, wasm)).map_err(|error| unwritable(wasm, &error))?;
        }
        let built = made.iter().map(|(source, _, made_of, _)| ((*source).clone(), made_of.clone()));
        self.built = built.collect();
        Ok(made.into_iter().map(|(_, wasm, ..)| wasm).collect())
    }
}

/// Has each bundled.
async fn bundles(tools: &Tools, dir: &Path, sources: &[PathBuf]) -> Result<Vec<Bundle>, Problem> {
    let built = output(tools.program("build.mjs").args(sources).current_dir(dir)).await?;
    if !built.status.success() {
        let said = whole(&built);
        let hint = if said.contains("Could not resolve") {
            "`npm install NAME` in the project's folder brings a package; files are named with `./`"
        } else {
            CORRECT
        };
        return Err(Problem::new(said).hint(hint));
    }
    let lines = built.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let bundles: Result<Vec<Bundle>, _> = lines.map(serde_json::from_slice).collect();
    bundles
        .map_err(|error| Problem::new(format!("the build of the SDK says what is no bundle: {error}")).hint("this is a defect of wf-host"))
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
