//! From what was written on the command line to the files to load.

use std::path::{Path, PathBuf};

use super::Problem;
use crate::registry::Source;

/// The files that an argument names: a file, a directory, a glob or `name=path`.
pub(super) fn sources(argument: &str) -> Result<Vec<Source>, Problem> {
    if let Some((name, path)) = named(argument) {
        return Ok(vec![Source { name: Some(name.to_owned()), path: existing(path)? }]);
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
        return Err(Problem::new(format!("no `.wasm` file at `{argument}`")).hint("build a workflow first: `make guests`"));
    }
    Ok(files.into_iter().map(|path| Source { name: None, path }).collect())
}

/// `name=path`, unless a file of that whole name exists.
fn named(argument: &str) -> Option<(&str, &str)> {
    let (name, path) = argument.split_once('=')?;
    let plain = !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it));
    (plain && !Path::new(argument).exists()).then_some((name, path))
}

fn existing(path: &str) -> Result<PathBuf, Problem> {
    let file = PathBuf::from(path);
    if file.is_file() {
        return Ok(file);
    }
    Err(Problem::new(format!("there is no file `{path}`")).hint("give a `.wasm` file, a directory of them, a glob or `name=path`"))
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, Problem> {
    let paths = glob::glob(pattern).map_err(|error| Problem::new(format!("`{pattern}` is no glob: {error}")))?;
    paths.map(|path| path.map_err(|error| Problem::new(error.to_string()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(argument: &str) -> Vec<String> {
        let sources = sources(argument).expect("sources");
        sources.iter().map(|it| format!("{}:{}", it.name.as_deref().unwrap_or("-"), it.path.file_name().unwrap().display())).collect()
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
