//! Tools that other languages are built with, in environments of their own in the user's cache: what makes and
//! guards such a folder.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use include_dir::{Dir, DirEntry};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::progress::size;
use super::{Problem, cache};

/// Written when all of a folder is there.
pub(super) const DONE: &str = "done";
/// Another command that looks whether all is there is done before this.
const SILENT: Duration = Duration::from_secs(2);

/// The folder of a language's tools.
pub(super) fn home(language: &str, folder: &str) -> Result<PathBuf, Problem> {
    let cache = cache::folder().ok_or_else(|| {
        Problem::new(format!("there is no folder for the tools of {language}"))
            .hint("`WF_HOST_CACHE_DIR` names one, where you have no home")
    })?;
    private(cache.join(folder))
}

/// Writes files into a folder that is named by what is in them: once.
pub(super) fn unpacked(home: &Path, name: &str, all: &[(PathBuf, &[u8])]) -> std::io::Result<PathBuf> {
    let parts = all.iter().flat_map(|(path, bytes)| [path.as_os_str().as_encoded_bytes(), bytes]);
    let folder = home.join(format!("{name}-{}", short(&digest(parts))));
    if !folder.join(DONE).is_file() {
        for (path, bytes) in all {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            fs::write(path, bytes)?;
        }
        fs::write(folder.join(DONE), "")?;
    }
    Ok(folder)
}

pub(super) fn files<'a>(folder: &'a Dir<'a>) -> Box<dyn Iterator<Item = (&'a Path, &'a [u8])> + 'a> {
    Box::new(folder.entries().iter().flat_map(|entry| match entry {
        DirEntry::Dir(inner) => files(inner),
        DirEntry::File(file) => Box::new(std::iter::once((file.path(), file.contents()))),
    }))
}

/// Held while something is made that another command may want as well; the system lets go of it with the process.
pub(super) struct Lock(#[expect(dead_code, reason = "held")] fs::File);

impl Lock {
    pub(super) async fn take(home: &Path, what: &str) -> Result<Lock, Problem> {
        let path = home.join("lock");
        let file = fs::File::options().create(true).truncate(false).write(true).open(&path).map_err(|error| unwritable(&path, &error))?;
        let mut locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
        let locked = match tokio::time::timeout(SILENT, &mut locked).await {
            Ok(locked) => locked,
            Err(_) => {
                progress(&format!("waiting for another command, which makes {what}"));
                locked.await
            }
        };
        let locked = locked.map_err(|error| Problem::new(error.to_string()))?;
        Ok(Lock(locked.map_err(|error| unwritable(&path, &error))?))
    }
}

/// A folder that nobody else reads.
fn private(folder: PathBuf) -> Result<PathBuf, Problem> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|error| unwritable(&folder, &error))?;
    Ok(folder)
}

pub(super) fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(format!("`{}` cannot be written: {error}", path.display())).hint("`WF_HOST_CACHE_DIR` names another folder")
}

/// What a command says, where it succeeds.
pub(super) async fn said(command: &mut Command, arguments: &[&str]) -> Option<String> {
    let said = command.args(arguments).stdin(Stdio::null()).output().await.ok().filter(|it| it.status.success())?;
    Some(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

pub(super) async fn output(command: &mut Command) -> Result<Output, Problem> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    output.map_err(|error| Problem::new(format!("`{}` cannot be started: {error}", command.as_std().get_program().display())))
}

/// What a command has written to say why it failed.
pub(super) fn whole(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).trim().to_owned()
}

pub(super) fn last(output: &Output) -> String {
    whole(output).lines().rfind(|line| !line.trim().is_empty()).map_or_else(|| output.status.to_string(), |line| line.trim().to_owned())
}

#[expect(clippy::print_stderr, reason = "the command line's own output")]
pub(super) fn progress(text: &str) {
    eprintln!("{text}");
}

/// What is made once and kept by a name: found, or made in a folder of its own, by `make`, which is given a file there
/// that becomes it. `making` says so; `what` is whose turn others wait for.
pub(super) async fn kept(
    home: &Path,
    name: &str,
    what: &str,
    making: &str,
    make: impl AsyncFnOnce(&Path) -> Result<Vec<u8>, Problem>,
) -> Result<Vec<u8>, Problem> {
    let path = home.join(name).with_extension("wasm");
    if let Ok(bytes) = fs::read(&path) {
        return Ok(bytes);
    }
    let _lock = Lock::take(home, what).await?;
    if let Ok(bytes) = fs::read(&path) {
        return Ok(bytes);
    }
    progress(making);
    let begun = Instant::now();
    let folder = tempfile::tempdir_in(home).map_err(|error| unwritable(home, &error))?;
    let made = folder.path().join("base.wasm");
    let bytes = make(&made).await?;
    fs::write(&made, &bytes).and_then(|()| fs::rename(&made, &path)).map_err(|error| unwritable(&path, &error))?;
    progress(&format!("made it in {:.1?}, {}", begun.elapsed(), size(bytes.len() as u64)));
    Ok(bytes)
}

/// SHA-256 over parts, each with its length, as text.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Enough of a digest to name a folder.
pub(super) fn short(digest: &str) -> &str {
    &digest[..16]
}

/// All files below a folder, in bytes.
pub(super) fn weight(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let weigh = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => weight(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(weigh).sum()
}

/// A file as text; none where it is none.
pub(super) fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    fs::File::open(path).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

/// The folder that a path names, or that its file lies in; and the file, where it names one.
pub(super) fn folder_and_file(path: &Path, is_file: bool) -> (&Path, Option<PathBuf>) {
    match path.parent() {
        _ if !is_file => (path, None),
        Some(folder) if !folder.as_os_str().is_empty() => (folder, path.file_name().map(PathBuf::from)),
        _ => (Path::new("."), Some(path.to_owned())),
    }
}
