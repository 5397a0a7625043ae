//! What a component was built of, as it says itself: so that none is built again that is there, and that it is seen where
//! one has no source any more.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{BinaryReader, BinaryReaderError, CustomSectionReader};

use super::sources::file_name;

/// The name of the section.
const SECTION: &str = "wf-host-built";
/// Before its sections a component has a magic number and a version.
const HEADER: usize = 8;
/// The number of a custom section.
const CUSTOM: u8 = 0;

#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Stamp {
    /// The source file, relative to its project's folder.
    pub from: PathBuf,
    pub workflow: String,
    /// The digest of all that went into it.
    pub of: String,
}

/// What stands in the section.
#[derive(Deserialize, Serialize)]
struct Section<T> {
    #[serde(flatten)]
    stamp: T,
    /// The checksum of all that stands before the section: a file that was damaged is built again.
    sum: u32,
}

impl Stamp {
    /// Writes it behind a component.
    pub fn put(&self, component: &mut Vec<u8>) {
        let section = Section { stamp: self, sum: crc32fast::hash(component) };
        let data = serde_json::to_vec(&section).expect("a path that came from a text");
        CustomSection { name: SECTION.into(), data: data.into() }.append_to_component(component);
    }

    /// Reads it from a file; none: it was not built here, or is not what was written then.
    pub fn of_file(path: &Path) -> Option<Stamp> {
        read(&fs::read(path).ok()?).ok().flatten()
    }
}

/// The stamp in a component. The sections are not looked into.
fn read(component: &[u8]) -> Result<Option<Stamp>, BinaryReaderError> {
    let mut sections = BinaryReader::new(component.get(HEADER..).unwrap_or_default(), HEADER);
    while !sections.eof() {
        let begins = sections.original_position();
        let is_custom = sections.read_u8()? == CUSTOM;
        let length = sections.read_var_u32()? as usize;
        let section = BinaryReader::new(sections.read_bytes(length)?, sections.original_position());
        if is_custom {
            let section = CustomSectionReader::new(section)?;
            if section.name() == SECTION {
                let read = serde_json::from_slice::<Section<Stamp>>(section.data()).ok();
                return Ok(read.filter(|it| it.sum == crc32fast::hash(&component[..begins])).map(|it| it.stamp));
            }
        }
    }
    Ok(None)
}

/// The components in a folder that were built there of a file, and are none of those that are built now. A copy of one has
/// another name. `is_built`: whether all that such a file has is among those.
pub(super) fn left(dir: &Path, made: &[PathBuf], is_built: impl Fn(&Path) -> bool) -> Vec<(PathBuf, Stamp)> {
    let mut left = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = dir.join(entry.file_name());
        let path = path.strip_prefix(".").unwrap_or(&path).to_owned();
        if path.extension().is_none_or(|it| it != "wasm") || made.contains(&path) {
            continue;
        }
        if let Some(stamp) = Stamp::of_file(&path)
            && path.file_stem().is_some_and(|it| *it == *file_name(&stamp.workflow))
            && is_built(&stamp.from)
        {
            left.push((path, stamp));
        }
    }
    left.sort_by(|one, other| one.0.cmp(&other.0));
    left
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{Component, Module, ModuleSection};

    use super::*;

    fn stamp(from: &str, workflow: &str) -> Stamp {
        Stamp { from: from.into(), workflow: workflow.to_owned(), of: "digest".to_owned() }
    }

    fn component() -> Vec<u8> {
        let mut component = Component::new();
        component.section(&ModuleSection(&Module::new()));
        component.section(&CustomSection { name: "other".into(), data: b"{}".into() });
        component.finish()
    }

    #[test]
    fn a_stamp_is_read_from_what_it_was_put_on() {
        let mut bytes = component();
        assert_eq!(read(&bytes).expect("sections"), None);
        stamp("flow.py", "flow").put(&mut bytes);
        assert_eq!(read(&bytes).expect("sections"), Some(stamp("flow.py", "flow")));
        wasmparser::Validator::new().validate_all(&bytes).expect("a component");
        // Whatever lies there is no reason to fail, and none of it is taken for what was built.
        for at in 0..bytes.len() {
            assert_ne!(read(&bytes[..at]).ok().flatten(), Some(stamp("flow.py", "flow")), "cut at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_ne!(read(&damaged).ok().flatten(), Some(stamp("flow.py", "flow")), "damaged at {at}");
        }
        let mut other = component();
        CustomSection { name: SECTION.into(), data: b"no json".into() }.append_to_component(&mut other);
        assert_eq!(read(&other).expect("sections"), None);
    }

    #[test]
    fn what_has_no_source_any_more_is_named_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, stamped: Option<Stamp>| {
            let mut bytes = component();
            if let Some(stamp) = stamped {
                stamp.put(&mut bytes);
            }
            fs::write(dir.path().join(name), bytes).expect("written");
        };
        write("made.wasm", Some(stamp("flow.py", "made")));
        write("be-fore.wasm", Some(stamp("flow.py", "be/fore")));
        write("copy-of-made.wasm", Some(stamp("flow.py", "made")));
        write("other.wasm", Some(stamp("other.py", "other")));
        write("strange.wasm", None);
        write("flow.bin", Some(stamp("flow.py", "flow")));
        let left = left(dir.path(), &[dir.path().join("made.wasm")], |from| from == Path::new("flow.py"));
        assert_eq!(left, [(dir.path().join("be-fore.wasm"), stamp("flow.py", "be/fore"))]);
    }
}
