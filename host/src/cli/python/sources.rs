//! The files of a project, and the workflows in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio::process::Command;

use super::packages::Packages;
use super::tools::Tools;
use crate::cli::Problem;
use crate::cli::environment::{output, text, whole};

/// Folders that hold nothing of a workflow.
const NOT_OURS: [&str; 7] = ["__pycache__", "node_modules", "target", "venv", "env", "dist", "build"];
/// What goes into a component beside modules: what a file reads beside itself.
const DATA: [&str; 5] = ["json", "txt", "toml", "yaml", "md"];
/// What the host goes by: grants, and perhaps the values of variables.
const CONFIG: &str = "wf-host.toml";
/// A file that is larger is no source, in bytes.
const FILE_MAX: u64 = 1 << 20;
/// All files together, in bytes.
const FILES_MAX: usize = 16 << 20;

/// What is said of a file that has no workflow.
const NONE: &str = "it has no workflow";

/// A workflow in a file.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub name: String,
    pub line: usize,
}

/// What `wf_guest.inspect` says of a file.
#[derive(Deserialize)]
struct Inspected {
    #[serde(default)]
    workflows: Vec<Found>,
    #[serde(default)]
    warnings: Vec<Mistake>,
    error: Option<Mistake>,
}

#[derive(Deserialize)]
struct Mistake {
    file: Option<String>,
    line: Option<usize>,
    message: String,
    hint: Option<String>,
}

/// The files of a folder that may have workflows: those that import them.
pub(super) fn candidates(dir: &Path) -> Vec<PathBuf> {
    let is_test = |name: &str| name.starts_with("test_") || name.ends_with("_test.py") || ["conftest.py", "setup.py"].contains(&name);
    let names = fs::read_dir(dir).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<PathBuf> = names
        .filter(|name| name.ends_with(".py") && !is_test(name))
        .filter(|name| text(&dir.join(name)).is_some_and(|text| text.lines().any(imports)))
        .map(PathBuf::from)
        .collect();
    found.sort();
    found
}

/// Whether a line imports what workflows are made of.
fn imports(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let module = match (words.next(), words.next()) {
        (Some("from" | "import"), Some(module)) => module,
        _ => return false,
    };
    ["workflows", "llama_index", "llama_agents", "wf_guest"].contains(&module.split(['.', ',']).next().unwrap_or_default())
}

/// The workflows of a file, by the SDK, which runs it as the component will.
/// `only`: it is an error where it has none.
pub(super) async fn inspect(
    tools: &Tools,
    packages: &Packages,
    dir: &Path,
    file: &Path,
    only: bool,
    warnings: &mut Vec<Problem>,
) -> Result<Vec<Found>, Problem> {
    let root = dir.canonicalize().map_err(|error| Problem::new(format!("`{}`: {error}", dir.display())))?;
    let mut path = vec![tools.sdk.join("src")];
    path.extend(packages.folder.clone());
    let path = std::env::join_paths(path).map_err(|error| Problem::new(error.to_string()))?;
    let mut command = Command::new(&tools.python);
    command.current_dir(dir).env("PYTHONPATH", path).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = output(command.args(["-m", "wf_guest.inspect"]).arg(file)).await?;
    let Ok(inspected) = serde_json::from_slice::<Inspected>(&output.stdout) else {
        return Err(Problem::new(format!("`{}` cannot be inspected: {}", dir.join(file).display(), whole(&output)))
            .hint("it is imported to find its workflows: see that it can be"));
    };
    let problem = |it: Mistake| {
        let at = it.file.unwrap_or_else(|| file.display().to_string());
        let at = Path::new(&at).strip_prefix(&root).map_or(at.clone(), |inside| shown(dir, inside));
        let line = it.line.map(|line| format!(":{line}")).unwrap_or_default();
        let problem = Problem::new(format!("{at}{line}: {}", it.message));
        match it.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    };
    warnings.extend(inspected.warnings.into_iter().map(problem));
    match inspected.error {
        None => Ok(inspected.workflows),
        // One of many files may have none.
        Some(mistake) if !only && mistake.message == NONE => Ok(Vec::new()),
        Some(mistake) => Err(problem(mistake)),
    }
}

/// A file of the folder as the user would name it.
fn shown(dir: &Path, inside: &Path) -> String {
    let path = dir.join(inside);
    path.strip_prefix(".").unwrap_or(&path).display().to_string()
}

/// What a component reads to know which workflow it is.
pub(super) fn entry(file: &Path, workflow: &Found) -> String {
    let module = file.file_stem().unwrap_or_default().to_string_lossy();
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    format!("module = {}\nworkflow = {}\n", quoted(&module), quoted(&workflow.name))
}

/// The file of a workflow, without its ending.
pub(super) fn file_name(workflow: &str) -> String {
    let name: String = workflow.chars().map(|it| if it.is_alphanumeric() || "-_.".contains(it) { it } else { '-' }).collect();
    name.trim_start_matches('.').to_owned()
}

/// Whether a component is given a file, by its name.
pub(in crate::cli) fn is_packed(path: &Path) -> bool {
    let is_config = path.file_name().is_some_and(|it| it == CONFIG);
    !is_config && path.extension().and_then(|it| it.to_str()).is_some_and(|it| it == "py" || DATA.contains(&it))
}

/// All files of a folder that a component is given, by their paths in it.
pub(super) fn files(dir: &Path) -> Result<BTreeMap<String, String>, Problem> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let Ok(metadata) = entry.metadata() else { continue };
            if name.starts_with('.') || metadata.is_dir() && (NOT_OURS.contains(&&*name) || path.join("pyvenv.cfg").is_file()) {
                continue;
            }
            if metadata.is_dir() {
                folders.push(path);
                continue;
            }
            if is_packed(&path)
                && metadata.len() <= FILE_MAX
                && let (Some(text), Ok(inside)) = (text(&path), path.strip_prefix(dir))
            {
                files.insert(inside.to_string_lossy().into_owned(), text);
            }
        }
    }
    let size: usize = files.values().map(String::len).sum();
    if size > FILES_MAX {
        let message = format!("`{}` has {} MiB of files, more than fit into a component", dir.display(), size >> 20);
        return Err(Problem::new(message).hint("put the workflows into a folder of their own"));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_candidate_by_what_it_imports() {
        let lines = [
            "from workflows import Workflow",
            "  import llama_index.core",
            "import workflows, os",
            "from workflow import x",
            "# from workflows",
        ];
        assert_eq!(lines.map(imports), [true, true, true, false, false]);
    }

    #[test]
    fn what_the_host_goes_by_stays_out() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["wf-host.toml", "flow.py", "own.toml", "picture.png"] {
            fs::write(dir.path().join(name), "").expect("written");
        }
        assert_eq!(files(dir.path()).expect("files").into_keys().collect::<Vec<_>>(), ["flow.py", "own.toml"]);
    }

    #[test]
    fn a_workflow_has_a_file_of_its_name() {
        let names = ["greeting", "Grüße an/alle", "../up", ".hidden"].map(file_name);
        assert_eq!(names, ["greeting", "Grüße-an-alle", "-up", "hidden"]);
    }
}
