//! Compiled code on disk, by the component's digest and the engine's settings.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What a file of ours begins with; the SHA-256 of the rest follows.
const MAGIC: &[u8; 8] = b"wf-host\x01";
const HEADER: usize = MAGIC.len() + 32;
/// The oldest goes at the next start when all of it is larger than this, in bytes.
const SIZE_MAX: u64 = 512 << 20;

pub(super) struct Cache {
    folder: PathBuf,
    /// Of the engine's version and settings.
    engine: u64,
}

impl Cache {
    /// None, with a warning, where the folder cannot be made.
    pub(super) fn open(folder: PathBuf, engine: &Engine) -> Option<Cache> {
        use std::os::unix::fs::DirBuilderExt;
        // Nobody else may put code there.
        if let Err(error) = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder) {
            tracing::warn!("compiled code is not kept: `{}` cannot be made: {error}", folder.display());
            return None;
        }
        trim(&folder, SIZE_MAX);
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Some(Cache { folder, engine: hasher.finish() })
    }

    /// The compiled component; none where there is no file, or not one of ours, or a damaged one.
    pub(super) fn get(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let path = self.path(digest);
        let bytes = std::fs::read(&path).ok()?;
        let (header, code) = bytes.split_at_checked(HEADER)?;
        if header[..MAGIC.len()] != MAGIC[..] || header[MAGIC.len()..] != Sha256::digest(code)[..] {
            tracing::warn!("`{}` is damaged and is made again", path.display());
            return None;
        }
        #[expect(unsafe_code, reason = "the checksum says that the code is what we wrote, and the folder is ours alone")]
        let component = unsafe { Component::deserialize(engine, code) };
        component.inspect_err(|error| tracing::warn!("`{}` is of another wasmtime and is made again: {error:#}", path.display())).ok()
    }

    /// Keeps a compiled component. Where that fails it is compiled again the next time.
    pub(super) fn put(&self, digest: &str, component: &Component) {
        let written = component.serialize().map_err(std::io::Error::other).and_then(|code| self.write(digest, &code));
        if let Err(error) = written {
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

/// Deletes the oldest files until what is left is not larger than this. What is deleted is made again when it is needed.
fn trim(folder: &Path, size_max: u64) {
    let file = |entry: std::fs::DirEntry| Some((entry.metadata().ok()?.modified().ok()?, entry.metadata().ok()?.len(), entry.path()));
    let mut files: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(file).collect();
    files.sort_by(|one, other| other.cmp(one));
    let mut size = 0;
    for (_, length, path) in files {
        size += length;
        if size > size_max
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!("`{}` is no longer needed and cannot be deleted: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_files_go_first() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age) in [("new", 1), ("middle", 2), ("old", 3)] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_len(100).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - age)).unwrap();
        }
        trim(folder.path(), 250);
        assert!(folder.path().join("middle").exists() && !folder.path().join("old").exists());
        trim(folder.path(), 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
