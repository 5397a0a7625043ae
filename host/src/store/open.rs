//! From what the user wrote to a store.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::finding::Mend;
use super::sqlite::examine::Examination;
use super::sqlite::mend::mend;
use super::{Error, Memory, Result, Sqlite, Store};

/// The database's name in the data directory.
const DATABASE: &str = "wf-host.db";

/// Opens a store: `memory:`, `sqlite:PATH`, or where nothing is said a SQLite file in the data
/// directory. Two hosts cannot share one.
pub async fn open(spec: Option<&str>, data_dir: &Path) -> Result<Arc<dyn Store>> {
    let Some(path) = file(spec, data_dir)? else { return Ok(Arc::new(Memory::default())) };
    let opened = tokio::task::spawn_blocking(move || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        private_folder(folder)?;
        // Beside a file that is not ours there is not even a lock.
        if !lock_of(&path).exists() {
            Sqlite::check(&path)?;
        }
        Sqlite::open(&path, lock(&path)?)
    });
    let store = opened.await.map_err(|error| Error::Unavailable(error.to_string()))??;
    Ok(Arc::new(store))
}

/// A store on the disk that no host is to open: for whoever checks it.
pub struct Kept {
    path: PathBuf,
    /// Keeps hosts out.
    lock: Option<File>,
}

impl Kept {
    /// Where it is. Refused for one in memory.
    pub fn at(spec: Option<&str>, data_dir: &Path) -> Result<Kept> {
        let path = file(spec, data_dir)?;
        let path = path.ok_or_else(|| Error::open("a store in memory lies nowhere", "name a file with `--store sqlite:PATH`"))?;
        Ok(Kept { path, lock: None })
    }

    /// What its file takes on the disk, in bytes.
    pub fn size(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |it| it.len())
    }

    /// Keeps hosts out from here on. Refused where one is there.
    pub fn lock(mut self) -> Result<Kept> {
        self.lock = Some(lock(&self.path)?);
        Ok(self)
    }

    /// Opens it to look at it, beside whoever uses it.
    pub fn examine(&self) -> Result<Examination> {
        Examination::open(&self.path)
    }

    /// Puts right what loses nothing by that, all or nothing. Hosts are kept out.
    pub fn mend(&self, mends: &[Mend]) -> Result<()> {
        match &self.lock {
            Some(lock) => mend(&self.path, lock, mends),
            None => Err(Error::Busy("it was not locked".to_owned())),
        }
    }
}

/// The database's file; none: everything is in memory.
fn file(spec: Option<&str>, data_dir: &Path) -> Result<Option<PathBuf>> {
    match spec.map(|spec| spec.split_once(':').ok_or(spec)) {
        Some(Ok(("memory", ""))) => Ok(None),
        Some(Ok(("sqlite", path))) if !path.is_empty() => Ok(Some(PathBuf::from(path))),
        Some(Ok(("sqlite", _))) => Err(Error::open("`sqlite:` names no file", "write `sqlite:PATH`, as in `sqlite:runs.db`")),
        Some(Ok((other, _)) | Err(other)) => {
            let message = format!("there is no store `{other}`");
            Err(Error::open(message, "use `memory:` or `sqlite:PATH`"))
        }
        None => Ok(Some(data_dir.join(DATABASE))),
    }
}

/// The folder whose disk a store needs room on; none: it is in memory.
pub fn folder(spec: Option<&str>, data_dir: &Path) -> Result<Option<PathBuf>> {
    let folder = |path: PathBuf| path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    Ok(file(spec, data_dir)?.map(folder))
}

/// The database's file, for whoever works on it without being its host.
pub(crate) fn database(spec: Option<&str>, data_dir: &Path) -> Result<PathBuf> {
    file(spec, data_dir)?.ok_or_else(|| {
        let message = "a store in memory is its host's alone";
        Error::open(message, "name the one of a file with `--store sqlite:PATH` or `--data-dir`")
    })
}

/// What else belongs to a store lies beside its database; that of a store in memory, where the database would be.
pub fn beside(spec: Option<&str>, data_dir: &Path, kind: &str) -> Result<PathBuf> {
    let mut name = file(spec, data_dir)?.unwrap_or_else(|| data_dir.join(DATABASE)).into_os_string();
    name.push(format!(".{kind}"));
    Ok(name.into())
}

/// Makes a folder that only its owner can read: journals hold what users sent.
pub(crate) fn private_folder(folder: &Path) -> Result<()> {
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

/// Keeps the database from being replaced, for a command that writes to it beside its host, as long as the file is open.
pub(crate) fn stay(path: &Path) -> Result<File> {
    let folder = folder_of(path)?;
    match folder.try_lock_shared() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => {
            Err(Error::open(format!("`{}` is being replaced by a restore", path.display()), "try again once it has ended"))
        }
        Err(TryLockError::Error(error)) => Err(unlockable(path, &error)),
    }
}

/// Keeps such commands out as long as the file is open. Refused where one is there.
pub(crate) fn replace(path: &Path) -> Result<File> {
    let folder = folder_of(path)?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another command writes to `{}`", path.display());
            Err(Error::open(message, "try again once it has ended, or choose another folder with `--data-dir`"))
        }
        Err(TryLockError::Error(error)) => Err(unlockable(path, &error)),
    }
}

fn folder_of(path: &Path) -> Result<File> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).map_err(|error| unlockable(path, &error))
}

fn unlockable(path: &Path, error: &std::io::Error) -> Error {
    Error::open(format!("`{}` cannot be written: {error}", path.display()), "choose another place with `--data-dir`")
}

/// Keeps other hosts out for as long as the file is open.
pub(crate) fn lock(path: &Path) -> Result<File> {
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
