//! From what the user wrote to a store.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Error, Memory, Result, Sqlite, Store};

/// The database's name in the data directory.
const DATABASE: &str = "wf-host.db";

/// Opens a store: `memory:`, `sqlite:PATH`, or where nothing is said a SQLite file in the data
/// directory. Two hosts cannot share one.
pub async fn open(spec: Option<&str>, data_dir: &Path) -> Result<Arc<dyn Store>> {
    let path = match spec.map(|spec| spec.split_once(':').ok_or(spec)) {
        Some(Ok(("memory", ""))) => return Ok(Arc::new(Memory::default())),
        Some(Ok(("sqlite", path))) if !path.is_empty() => PathBuf::from(path),
        Some(Ok(("sqlite", _))) => return Err(Error::open("`sqlite:` names no file", "write `sqlite:PATH`, as in `sqlite:runs.db`")),
        Some(Ok((other, _)) | Err(other)) => {
            let message = format!("there is no store `{other}`");
            return Err(Error::open(message, "use `memory:` or `sqlite:PATH`"));
        }
        None => data_dir.join(DATABASE),
    };
    let opened = tokio::task::spawn_blocking(move || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        create(folder)?;
        // Beside a file that is not ours there is not even a lock.
        if !lock_of(&path).exists() {
            Sqlite::check(&path)?;
        }
        Sqlite::open(&path, lock(&path)?)
    });
    let store = opened.await.map_err(|error| Error::Unavailable(error.to_string()))??;
    Ok(Arc::new(store))
}

/// Makes a folder that only its owner can read: journals hold what users sent.
fn create(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        let message = format!("the folder `{}` cannot be made: {error}", folder.display());
        Error::open(message, "choose another with `--data-dir`, or use `--store memory:`")
    })
}

fn lock_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Keeps other hosts out for as long as the file is open.
fn lock(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let name = lock_of(path);
    let unwritable = |error: std::io::Error| {
        let message = format!("`{}` cannot be written: {error}", name.display());
        Error::open(message, "choose another place with `--data-dir`, or use `--store memory:`")
    };
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&name).map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another wf-host uses `{}`", path.display());
            Err(Error::open(message, "stop it, or give this one a folder of its own with `--data-dir`"))
        }
        Err(TryLockError::Error(error)) => Err(unwritable(error)),
    }
}
