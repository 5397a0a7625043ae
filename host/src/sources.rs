//! From what was written on the command line to the files to load.

use std::path::{Path, PathBuf};

use crate::registry::{Rejected, Source};

/// The workflows that an argument names: a file, a directory, a glob or `name=path`; `path+path` is one workflow of
/// several files.
pub fn sources(argument: &str) -> Result<Vec<Source>, Rejected> {
    let (name, path) = named(argument).map_or((None, argument), |(name, path)| (Some(name.to_owned()), path));
    let parts = parts(path);
    if name.is_some() || parts.len() > 1 {
        let files = parts.into_iter().map(existing).collect::<Result<_, _>>()?;
        return Ok(vec![Source { name, files }]);
    }
    let path = Path::new(argument);
    let files = if path.is_dir() {
        matching(&format!("{}/*.wasm", glob::Pattern::escape(argument.trim_end_matches('/'))))?
    } else if path.exists() || !argument.contains(['*', '?', '[']) {
        vec![existing(argument)?]
    } else {
        matching(argument)?
    };
    if files.is_empty() {
        return Err(rejected(format!("no `.wasm` file at `{argument}`"), "build a workflow first, or correct the path"));
    }
    Ok(files.into_iter().map(Source::file).collect())
}

/// The argument as it is meant from within a folder.
pub fn below(folder: &Path, argument: &str) -> String {
    let whole = folder.join(argument);
    if whole.exists() {
        return whole.display().to_string();
    }
    let (name, path) = split(argument).map_or((String::new(), argument), |(name, path)| (format!("{name}="), path));
    let of_several = path.contains('+') && !folder.join(path).exists();
    let parts = if of_several { path.split('+').collect() } else { vec![path] };
    name + &parts.into_iter().map(|it| folder.join(it).display().to_string()).collect::<Vec<_>>().join("+")
}

/// `name=path`, unless a file of that whole name exists.
fn named(argument: &str) -> Option<(&str, &str)> {
    split(argument).filter(|_| !Path::new(argument).exists())
}

/// The files of one workflow, unless a file of that whole name exists.
fn parts(path: &str) -> Vec<&str> {
    if path.contains('+') && !Path::new(path).exists() { path.split('+').collect() } else { vec![path] }
}

fn split(argument: &str) -> Option<(&str, &str)> {
    let (name, path) = argument.split_once('=')?;
    let plain = !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it));
    plain.then_some((name, path))
}

fn existing(path: &str) -> Result<PathBuf, Rejected> {
    let file = PathBuf::from(path);
    if file.is_file() {
        return Ok(file);
    }
    Err(rejected(format!("there is no file `{path}`"), "give a `.wasm` file, a directory of them, a glob, `name=path` or `name=path+path`"))
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, Rejected> {
    let paths = glob::glob(pattern).map_err(|error| rejected(format!("`{pattern}` is no glob: {error}"), "quote what is no wildcard"))?;
    let readable = |path: glob::GlobResult| path.map_err(|error| rejected(error.to_string(), "check its permissions"));
    paths.map(readable).collect()
}

/// The folders in which a change can change what an argument names, and whether that includes
/// the folders in them.
pub fn folders(argument: &str) -> Vec<(PathBuf, bool)> {
    let argument = named(argument).map_or(argument, |(_, path)| path);
    let parts = parts(argument);
    if parts.len() > 1 {
        return parts.into_iter().map(|it| (parent(Path::new(it)), false)).collect();
    }
    let path = Path::new(argument);
    if path.is_dir() {
        return vec![(path.to_owned(), false), (parent(path), false)];
    }
    if path.exists() || !argument.contains(['*', '?', '[']) {
        return vec![(parent(path), false)];
    }
    let fixed: PathBuf = path.components().take_while(|it| !it.as_os_str().to_string_lossy().contains(['*', '?', '['])).collect();
    let deep = path.components().count() > fixed.components().count() + 1;
    vec![(if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed }, deep)]
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn rejected(message: String, hint: &str) -> Rejected {
    Rejected { message, hint: Some(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(argument: &str) -> Vec<String> {
        let sources = sources(argument).expect("sources");
        let name = |path: &PathBuf| path.file_name().unwrap().display().to_string();
        let names = |it: &Source| it.files.iter().map(name).collect::<Vec<_>>().join("+");
        sources.iter().map(|it| format!("{}:{}", it.name.as_deref().unwrap_or("-"), names(it))).collect()
    }

    #[test]
    fn one_workflow_may_be_of_several_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.wasm", "b.wasm", "c+d.wasm"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(names(&format!("order={}+{}", at("a.wasm"), at("b.wasm"))), ["order:a.wasm+b.wasm"]);
        assert_eq!(names(&format!("{}+{}", at("b.wasm"), at("a.wasm"))), ["-:b.wasm+a.wasm"]);
        assert_eq!(names(&at("c+d.wasm")), ["-:c+d.wasm"]);
        assert_eq!(names(&format!("x={}", at("c+d.wasm"))), ["x:c+d.wasm"]);
        let missing = sources(&format!("order={}+{}", at("a.wasm"), at("nope.wasm"))).expect_err("no such file");
        assert!(missing.message.contains(&at("nope.wasm")), "{missing}");
        assert!(sources(&format!("order={}+", at("a.wasm"))).is_err());
        assert_eq!(folders("order=x/a.wasm+b.wasm"), [(PathBuf::from("x"), false), (PathBuf::from("."), false)]);
        let below = |argument: &str| below(folder.path(), argument);
        assert_eq!(below("order=a.wasm+nope/b.wasm"), format!("order={}+{}", at("a.wasm"), at("nope/b.wasm")));
        assert_eq!(below("a.wasm+b.wasm"), format!("{}+{}", at("a.wasm"), at("b.wasm")));
        assert_eq!(below("x=c+d.wasm"), format!("x={}", at("c+d.wasm")));
        assert_eq!(below("*.wasm"), at("*.wasm"));
    }

    #[test]
    fn changes_are_looked_for_where_they_can_happen() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.wasm"), "").unwrap();
        let at = |name: &str| folder.path().join(name);
        let of = |name: &str| folders(&at(name).display().to_string());
        assert_eq!(of("a.wasm"), [(folder.path().to_owned(), false)]);
        assert_eq!(of("*.wasm"), [(folder.path().to_owned(), false)]);
        assert_eq!(of("*/x/*.wasm"), [(folder.path().to_owned(), true)]);
        assert_eq!(of("").len(), 2);
        assert_eq!(folders("x.wasm"), [(PathBuf::from("."), false)]);
        assert_eq!(folders("*.wasm"), [(PathBuf::from("."), false)]);
        assert_eq!(folders("name=some/x.wasm"), [(PathBuf::from("some"), false)]);
    }

    #[test]
    fn a_file_a_directory_a_glob_and_a_name_are_paths() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.wasm", "b.wasm", "c.txt", "d=e.wasm"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(names(&at("a.wasm")), ["-:a.wasm"]);
        assert_eq!(names(&at("")), ["-:a.wasm", "-:b.wasm", "-:d=e.wasm"]);
        assert_eq!(names(&at("[ab].wasm")), ["-:a.wasm", "-:b.wasm"]);
        assert_eq!(names(&format!("hello={}", at("a.wasm"))), ["hello:a.wasm"]);
        assert_eq!(names(&at("d=e.wasm")), ["-:d=e.wasm"]);
        assert!(sources(&at("nope.wasm")).is_err());
        assert!(sources(&at("*.nope")).is_err());
    }
}
