//! Files that have their name once they are whole, and that their user alone can read.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::store::{Error, Result};

/// What a file is called until it is whole.
pub(super) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Whether a file is not whole, by its name.
pub(super) fn is_partial(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "partial")
}

/// An empty file, that nobody else writes meanwhile.
pub(super) fn alone(path: &Path) -> Result<File> {
    let file = locked(path)?;
    // What an earlier one has left.
    file.set_len(0).map_err(|error| unwritable(path, &error))?;
    Ok(file)
}

/// A file that nobody else writes meanwhile, as an earlier one has left it.
pub(super) fn locked(path: &Path) -> Result<File> {
    let written = |error: io::Error| unwritable(path, &error);
    loop {
        let file = File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(path).map_err(written)?;
        match file.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => {
                let message = format!("another wf-host writes `{}`", path.display());
                return Err(Error::open(message, "let it end, or choose another name"));
            }
            Err(TryLockError::Error(error)) => return Err(written(error)),
        }
        // Between the two it may have been given its name, and is what somebody wants to keep.
        if is_at(&file, path).map_err(written)? {
            return Ok(file);
        }
    }
}

/// Whether a file is still the one that has this name.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where it did not go, nothing is left of the file.
pub(super) fn or_nothing<T>(result: Result<T>, unfinished: &Path) -> Result<T> {
    if result.is_err() {
        // What is left would be refused all the same.
        let _ = fs::remove_file(unfinished);
    }
    result
}

/// Gives a file that is on the disk its name, durably.
pub(super) fn named(unfinished: &Path, path: &Path) -> Result<()> {
    let named = fs::rename(unfinished, path).and_then(|()| File::open(folder(path))?.sync_all());
    named.map_err(|error| unwritable(path, &error))
}

pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses a name for a file that is to be made, where it is taken, or says that the file is not whole.
pub(super) fn free(path: &Path) -> Result<()> {
    if is_partial(path) {
        let message = format!("`{}` is the name of a file that is not finished", path.display());
        return Err(Error::open(message, "choose one without `.partial`"));
    }
    absent(path, "choose another name, or remove it first")
}

pub(super) fn absent(path: &Path, hint: &str) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(Error::open(format!("`{}` is there already", path.display()), hint)),
        Err(_) => Ok(()),
    }
}

pub(super) fn unwritable(path: &Path, error: &io::Error) -> Error {
    let message = format!("`{}` cannot be written: {error}", path.display());
    Error::open(message, "make room, or choose another place")
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::open(format!("`{}` cannot be read: {error}", path.display()), "look whether it is there, and whether you may read it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_got_its_name_is_not_the_one_that_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, unfinished) = (folder.path().join("it"), folder.path().join("it.partial"));
        let file = alone(&unfinished).expect("a file");
        assert!(is_at(&file, &unfinished).expect("there"));
        assert!(alone(&unfinished).expect_err("it is written").to_string().starts_with("another wf-host writes"));
        fs::write(&unfinished, "whole").expect("room");
        named(&unfinished, &path).expect("renamed");
        assert!(!is_at(&file, &unfinished).expect("none is there"));
        let next = alone(&unfinished).expect("another file");
        assert!(is_at(&next, &unfinished).expect("there") && !is_at(&file, &unfinished).expect("it is another"));
        assert_eq!(fs::read_to_string(&path).expect("a file"), "whole");
    }

    #[test]
    fn what_an_earlier_one_has_left_is_there_until_somebody_empties_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let unfinished = folder.path().join("it.partial");
        fs::write(&unfinished, "whole").expect("room");
        drop(locked(&unfinished).expect("a file"));
        assert_eq!(fs::read_to_string(&unfinished).expect("a file"), "whole");
        drop(alone(&unfinished).expect("a file"));
        assert_eq!(fs::read_to_string(&unfinished).expect("a file"), "");
    }
}
