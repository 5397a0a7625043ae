//! Compiled code on disk, by the component's digest and the engine's settings.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What a file of ours begins with; the SHA-256 of the rest follows.
const MAGIC: &[u8; 8] = b"wf-host\x01";
const HEADER: usize = MAGIC.len() + 32;

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
