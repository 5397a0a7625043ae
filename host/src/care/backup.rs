//! A store as one file, made while a host has it; and a store made of such a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wf_engine::entry::Micros;

use super::files::{absent, alone, folder, free, is_partial, named, or_nothing, partial, unreadable, unwritable};
use super::seal::{self, Kind, Sealed};
use crate::keys::{self, KeyFile};
use crate::store::backup::Beside;
use crate::store::{self, Error, Examination, backup};

/// A store, and the file of its keys.
pub(crate) struct Place {
    pub database: PathBuf,
    pub keys: PathBuf,
}

/// What was copied.
pub(crate) struct Copied {
    /// How long the file is, or the database made of it, in bytes.
    pub size: u64,
    /// How many keys went with it; none: there is no file of keys.
    pub keys: Option<usize>,
    /// When the copy was made.
    pub made_at: Micros,
}

/// Why it did not go.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Keys(#[from] keys::Error),
}

type Result<T> = std::result::Result<T, Failure>;

/// Copies a store to a file that is not there yet. It has its name once it is whole.
pub(crate) fn make(place: &Place, to: &Path, now: Micros, told: &mut dyn FnMut(u64, u64)) -> Result<Copied> {
    free(to)?;
    let file = KeyFile::new(place.keys.clone());
    // Keys that nobody can read open nothing: neither would a copy of them.
    let keys = file.read()?;
    let text = keys.is_some().then(|| fs::read(file.path())).transpose().map_err(|error| unreadable(file.path(), &error))?;
    backup::there(&place.database)?;
    let unfinished = partial(to);
    let mut sealed = alone(&unfinished)?;
    let written = |error: io::Error| unwritable(&unfinished, &error);
    let copied = backup::copy(&place.database, &unfinished, &Beside { keys: text, made_at: now }, told);
    let copied = copied.and_then(|()| seal::seal(&mut sealed, Kind::Backup).map_err(written));
    or_nothing(copied, &unfinished)?;
    let size = sealed.metadata().map_err(written)?.len();
    named(&unfinished, to)?;
    Ok(Copied { size, keys: keys.map(|it| it.keys().len()), made_at: now })
}

/// A file to be looked at, as it is. Refused where it is not whole.
pub(crate) fn examine(path: &Path) -> store::Result<Examination> {
    whole(path)?;
    Examination::of_copy(path)
}

fn whole(path: &Path) -> store::Result<Sealed> {
    if is_partial(path) {
        let message = format!("`{}` is a backup that was not finished", path.display());
        return Err(Error::open(message, "use an earlier one; `wf-host backup` makes another"));
    }
    seal::open(path, Kind::Backup)
}

/// Makes a store of a file, where no host has it. `force`: in the place of the one that is there.
pub(crate) fn restore(from: &Path, place: &Place, force: bool) -> Result<Copied> {
    let Sealed { mut file, size, .. } = whole(from)?;
    store::private_folder(folder(&place.database))?;
    let _lock = store::lock(&place.database)?;
    let _alone = store::replace(&place.database)?;
    if !force {
        let hint = "choose another folder with `--data-dir`; `--force` replaces what is there, and it is gone then";
        absent(&place.database, hint)?;
        absent(&place.keys, hint)?;
    }
    let unfinished = partial(&place.database);
    let mut copy = alone(&unfinished)?;
    let written = |error: io::Error| unwritable(&unfinished, &error);
    let copied = io::copy(&mut io::Read::take(&mut file, size), &mut copy).map_err(written);
    let released = copied.and_then(|_| backup::release(&unfinished, from));
    let released = released.and_then(|beside| copy.sync_all().map(|()| beside).map_err(written));
    let Beside { keys, made_at } = or_nothing(released, &unfinished)?;
    // Whatever ends this, the old database or the new one is there, and whole. The log of the old one must not be there
    // with the new one: SQLite would take it for its log.
    backup::settle(&place.database);
    // They are there before what they keep closed.
    let held = KeyFile::new(place.keys.clone());
    if let Some(text) = &keys {
        held.replace(text)?;
    }
    for log in ["-wal", "-shm"] {
        let mut name = place.database.clone().into_os_string();
        name.push(log);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(Path::new(&name), &error).into()),
            _ => (),
        }
    }
    named(&unfinished, &place.database)?;
    Ok(Copied { size, keys: held.read()?.map(|it| it.keys().len()), made_at })
}
