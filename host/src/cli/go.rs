//! Projects in Go: a module whose programs are workflows.
//!
//! Go has nothing at run time of its comments, so they are put beside each program as it is compiled, by an overlay.

mod comments;
mod tools;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::json;

use self::tools::Tools;
use super::Problem;
use super::environment::{output, unwritable, whole};

/// What a workflow imports.
const SDK: &str = "wf-host/wf";

/// A folder with Go in it.
pub(super) struct Project {
    dir: PathBuf,
    offline: bool,
}

impl Project {
    /// None: there is nothing of Go.
    pub(super) fn find(path: &Path, offline: bool) -> Option<Project> {
        let dir = if path.extension().is_some_and(|it| it == "go") { path.parent().unwrap_or(path) } else { path };
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        let is_module = |dir: &Path| dir.ancestors().any(|it| it.join("go.mod").is_file());
        let whole = fs::canonicalize(dir).ok()?;
        let inner = || fs::read_dir(dir).into_iter().flatten().flatten().any(|it| sources(&it.path()).next().is_some());
        let has_go = dir.join("go.mod").is_file() || sources(dir).next().is_some() || inner();
        (is_module(&whole) && has_go).then(|| Project { dir: dir.to_owned(), offline })
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Gives the files that were made, one for each program that is a workflow.
    pub(super) async fn build(&self) -> Result<Vec<PathBuf>, Problem> {
        let tools = Tools::ready(self.offline).await?;
        let beside = tempfile::Builder::new().prefix(".wf-host-").tempdir_in(&self.dir).map_err(|error| unwritable(&self.dir, &error))?;
        let folder = fs::canonicalize(beside.path()).map_err(|error| unwritable(beside.path(), &error))?;
        let mut all = Vec::new();
        for program in self.programs(&tools).await? {
            let name = program.file_name().map(PathBuf::from).unwrap_or_default();
            let made = folder.join(name.with_added_extension("wasm"));
            let overlay = overlay(&program, &folder).map_err(|error| unwritable(&folder, &error))?;
            let mut build = tools.go(&self.dir);
            build.args(["build", "-trimpath", "-buildmode=c-shared", "-ldflags=-s -w", "-overlay"]).arg(overlay);
            let built = output(build.arg("-o").arg(&made).arg(&program)).await?;
            if !built.status.success() {
                return Err(self.mistake(&built, "correct `go.mod`; `go mod tidy` adds what is missing"));
            }
            let wasm = self.dir.join(name.with_added_extension("wasm"));
            let wasm = wasm.strip_prefix(".").unwrap_or(&wasm).to_owned();
            // Whole, or not at all: somebody may be serving it.
            fs::rename(&made, &wasm).map_err(|error| unwritable(&wasm, &error))?;
            all.push(wasm);
        }
        Ok(all)
    }

    /// The folders of the programs that import the SDK.
    async fn programs(&self, tools: &Tools) -> Result<Vec<PathBuf>, Problem> {
        let form = r#"{{if eq .Name "main"}}{{.Dir}}{{range .Imports}}{{"\t"}}{{.}}{{end}}{{end}}"#;
        let listed = output(tools.go(&self.dir).args(["list", "-f", form, "./..."])).await?;
        if !listed.status.success() {
            return Err(self.mistake(&listed, "correct `go.mod`; `wf-host new NAME --lang go` shows one"));
        }
        self.of_the_sdk(&String::from_utf8_lossy(&listed.stdout))
    }

    /// What Go says of a source, at its line; or else of the module, and what to do about that.
    fn mistake(&self, output: &Output, of_the_module: &'static str) -> Problem {
        let text = whole(output);
        // Above its messages stands the package that they are of.
        let lines = text.lines().filter(|line| !line.starts_with("# ")).map(|line| line.strip_prefix("./").unwrap_or(line));
        let said = lines.collect::<Vec<_>>().join("\n");
        let hint = if self.offline && said.contains("GOPROXY=off") {
            "once without `--offline`: modules are kept"
        } else if said.contains(".go:") {
            "correct what the compiler names; `go vet ./...` finds more"
        } else {
            of_the_module
        };
        Problem::new(said).hint(hint)
    }

    /// Those that `go list` tells of, which import the SDK.
    fn of_the_sdk(&self, text: &str) -> Result<Vec<PathBuf>, Problem> {
        let program = |line: &str| {
            let mut parts = line.split('\t');
            let dir = parts.next()?;
            parts.any(|it| it == SDK).then(|| PathBuf::from(dir))
        };
        let programs: Vec<PathBuf> = text.lines().filter_map(program).collect();
        if programs.is_empty() {
            return Err(Problem::new(format!("`{}` has no workflow in Go", self.dir.display()))
                .hint(format!("a workflow is a program, `package main`, that imports `{SDK}`")));
        }
        Ok(programs)
    }
}

/// What lays a file with a program's comments beside its own.
fn overlay(program: &Path, folder: &Path) -> std::io::Result<OsString> {
    let mut docs = serde_json::Map::new();
    for path in sources(program) {
        docs.extend(comments::of(&fs::read_to_string(path)?).into_iter().map(|(name, text)| (name, text.into())));
    }
    let texts: String = docs.iter().map(|(name, text)| format!("\t\t{}: {text},\n", json!(name))).collect();
    let file = format!("package main\n\nimport \"{SDK}\"\n\nfunc init() {{\n\twf.Docs(map[string]string{{\n{texts}\t}})\n}}\n");
    let (path, overlay) = (folder.join("comments.go"), folder.join("overlay.json"));
    fs::write(&path, file)?;
    let replaced = json!({ "Replace": { program.join("wf_host_comments.go").display().to_string(): path } });
    fs::write(&overlay, replaced.to_string())?;
    Ok(overlay.into_os_string())
}

/// The files of a folder that are compiled, by name.
fn sources(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    all.sort();
    all.into_iter().filter(|path| {
        path.extension().is_some_and(|it| it == "go") && !path.file_stem().is_some_and(|it| it.to_string_lossy().ends_with("_test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_the_sdk_are_told_from_others() {
        let project = Project { dir: PathBuf::from("mine"), offline: true };
        let found = project.of_the_sdk(&format!("/mine/a\tfmt\t{SDK}\n/mine/b\tfmt\n\n/mine/c\t{SDK}\n")).ok();
        assert_eq!(found, Some(vec![PathBuf::from("/mine/a"), PathBuf::from("/mine/c")]));
        let problem = project.of_the_sdk("/mine/b\tfmt\n").expect_err("none");
        assert_eq!(problem.message(), "`mine` has no workflow in Go");
    }
}
