//! Compiled code on disk, by the component's digest and the engine's settings.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};
use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// What a file of ours begins with; the SHA-256 of the rest follows.
const MAGIC: &[u8; 8] = b"wf-host\x01";
const HEADER: usize = MAGIC.len() + 32;
/// Bits of a mode.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;
/// What was used longest ago goes at the next start when all of it is larger than this, in bytes. A workflow in Python
/// takes some 24 MB, and what all of them share 19.
const SIZE_MAX: u64 = 4 << 30;

/// What is used is modified, by the clock of the disk.
const USED_NOW: Timestamps =
    Timestamps { last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }, last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW } };

pub(super) struct Cache {
    folder: PathBuf,
    /// Of the engine's version and settings.
    engine: u64,
}

impl Cache {
    /// None, with a warning, where the folder cannot be made, or somebody else can put code there.
    pub(super) fn open(folder: PathBuf, engine: &Engine) -> Option<Cache> {
        use std::os::unix::fs::DirBuilderExt;
        if let Err(error) = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder) {
            tracing::warn!("compiled code is not kept: `{}` cannot be made: {error}", folder.display());
            return None;
        }
        if let Err(why) = ours_alone(&folder) {
            tracing::warn!("compiled code is neither kept nor loaded: {why}; WF_HOST_CACHE_DIR names another folder");
            return None;
        }
        trim(&folder, SIZE_MAX);
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Some(Cache { folder, engine: hasher.finish() })
    }

    /// The compiled component; none where there is no file, or not one of ours, or a damaged one.
    pub(super) fn get(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let code = self.read(digest)?;
        let path = self.path(digest);
        let component = component(engine, &code);
        component.inspect_err(|error| tracing::warn!("`{}` is of another wasmtime and is made again: {error:#}", path.display())).ok()
    }

    /// The compiled library; as with a component.
    pub(super) fn library(&self, engine: &Engine, name: &str) -> Option<Module> {
        let code = self.read(name)?;
        let path = self.path(name);
        let module = library(engine, &code);
        module.inspect_err(|error| tracing::warn!("`{}` is of another wasmtime and is made again: {error:#}", path.display())).ok()
    }

    /// What was kept; none where there is no file, or not one of ours, or a damaged one.
    pub(super) fn read(&self, digest: &str) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let mut bytes = std::fs::read(&path).ok()?;
        let (header, kept) = bytes.split_at_checked(HEADER)?;
        if header[..MAGIC.len()] != MAGIC[..] || header[MAGIC.len()..] != Sha256::digest(kept)[..] {
            tracing::warn!("`{}` is damaged and is made again", path.display());
            return None;
        }
        bytes.drain(..HEADER);
        // It was used now. Where that cannot be noted, it is made again a little sooner.
        let _ = std::fs::File::open(&path).is_ok_and(|file| futimens(file, &USED_NOW).is_ok());
        Some(bytes)
    }

    /// Keeps what was made. Where that fails it is made again the next time.
    pub(super) fn put(&self, digest: &str, made: &[u8]) {
        if let Err(error) = self.write(digest, made) {
            tracing::warn!("compiled code could not be kept in `{}`: {error}", self.folder.display());
        }
    }

    /// All of a file, or none of it.
    fn write(&self, digest: &str, code: &[u8]) -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(MAGIC)?;
        file.write_all(&Sha256::digest(code))?;
        file.write_all(code)?;
        file.persist(self.path(digest))?;
        Ok(())
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("{digest}-{:016x}", self.engine))
    }
}

/// Code that is loaded runs as we do: nobody else may be able to put it there, neither into the
/// folder nor by exchanging one that it lies in.
fn ours_alone(folder: &Path) -> Result<(), String> {
    let us = rustix::process::geteuid().as_raw();
    let whole = folder.canonicalize().map_err(|error| format!("`{}`: {error}", folder.display()))?;
    for (at, folder) in whole.ancestors().enumerate() {
        let there = folder.metadata().map_err(|error| format!("`{}`: {error}", folder.display()))?;
        let (owner, mode) = (there.uid(), there.mode());
        // Above it, the system's own, and those like `/tmp` where everybody moves only their own.
        let above = at > 0;
        if owner != us && !(above && owner == 0) {
            return Err(format!("`{}` belongs to another user", folder.display()));
        }
        if mode & OTHERS_WRITE != 0 && !(above && mode & STICKY != 0) {
            return Err(format!("others than its user can write `{}` (mode {:o})", folder.display(), mode & 0o7777));
        }
    }
    Ok(())
}

/// The component of compiled code that we made ourselves.
pub(super) fn component(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    #[expect(unsafe_code, reason = "the code comes from our compiler: its checksum says so, or the pipe that it came by")]
    unsafe {
        Component::deserialize(engine, code)
    }
}

/// The same of a library.
pub(super) fn library(engine: &Engine, code: &[u8]) -> wasmtime::Result<Module> {
    #[expect(unsafe_code, reason = "the code comes from our compiler: its checksum says so, or the pipe that it came by")]
    unsafe {
        Module::deserialize(engine, code)
    }
}

/// Deletes the files that were used longest ago until what is left is not larger than this. What is deleted is made again
/// when it is needed.
fn trim(folder: &Path, size_max: u64) {
    let file = |entry: std::fs::DirEntry| {
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some((metadata.modified().ok()?, metadata.len(), entry.path()))
    };
    let mut files: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(file).collect();
    files.sort_by(|one, other| other.cmp(one));
    let mut size = 0;
    for (_, length, path) in files {
        size += length;
        if size > size_max
            && let Err(error) = std::fs::remove_file(&path)
            // Another command may have done it.
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("`{}` is no longer needed and cannot be deleted: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_can_write_is_not_ours_alone() {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("cache");
        std::fs::create_dir(&folder).unwrap();
        let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let why = || ours_alone(&folder).err().map(|why| why.replace(&outer.path().canonicalize().unwrap().display().to_string(), "[DIR]"));
        set(&folder, 0o755);
        assert_eq!(why(), None);
        for mode in [0o775, 0o757, 0o1777] {
            set(&folder, mode);
            assert_eq!(why(), Some(format!("others than its user can write `[DIR]/cache` (mode {mode:o})")));
        }
        set(&folder, 0o700);
        set(outer.path(), 0o770);
        assert_eq!(why(), Some("others than its user can write `[DIR]` (mode 770)".to_owned()));
        set(outer.path(), 0o1777);
        assert_eq!(why(), None, "there nobody moves what is another's");
        // The way to a folder counts, not its name.
        let link = outer.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        set(&folder, 0o777);
        assert!(ours_alone(&link).is_err());
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache { folder: folder.path().to_owned(), engine: 1 };
        for (name, age) in [("new", 1), ("middle", 2), ("old", 3), ("oldest", 4)] {
            cache.put(name, &[0; 60]);
            let file = std::fs::File::open(cache.path(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - age)).unwrap();
        }
        assert_eq!(cache.read("oldest"), Some(vec![0; 60]));
        trim(folder.path(), 310);
        let left = ["new", "middle", "old", "oldest"].map(|name| cache.read(name).is_some());
        assert_eq!(left, [true, true, false, true], "each has a hundred bytes");
        trim(folder.path(), 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
