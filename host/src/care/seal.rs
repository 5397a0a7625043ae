//! The last line of a file that is carried away: how long it is, and its SHA-256. A file that was cut lacks it, one
//! that was changed has another hash; what reads the file for what it is, looks past it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::files::unreadable;
use crate::store::{Error, Result};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Backup,
    Export,
}

/// The forms of these files, by which a later build knows them.
const FORM: u32 = 1;
/// How long the last line is, in bytes, with the line end before it.
const LINE: u64 = 124;
/// What is read at once.
const CHUNK: usize = 256 << 10;

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Backup => "backup",
            Kind::Export => "export",
        }
    }
}

fn line(kind: Kind, form: u32, size: u64, hash: &str) -> String {
    format!("\nwf-host {} form {form:04} size {size:020} sha256 {hash}\n", kind.name())
}

/// What an unbroken file holds.
pub(super) struct Sealed {
    /// At its beginning.
    pub file: File,
    /// How much there is before the last line, in bytes.
    pub size: u64,
    pub hash: [u8; 32],
}

/// Adds the last line to a file, and brings it to the disk. Gives the hash.
pub(super) fn seal(file: &mut File, kind: Kind) -> io::Result<[u8; 32]> {
    let (size, hash) = sum(file, u64::MAX)?;
    file.write_all(line(kind, FORM, size, &hex(&hash)).as_bytes())?;
    file.sync_all()?;
    Ok(hash)
}

/// Looks whether a file is whole.
pub(super) fn open(path: &Path, kind: Kind) -> Result<Sealed> {
    let unreadable = |error: io::Error| unreadable(path, &error);
    let mut file = File::open(path).map_err(unreadable)?;
    let whole = file.metadata().map_err(unreadable)?.len();
    let size = whole.checked_sub(LINE);
    let told = match size {
        Some(size) => last_line(&mut file, size).map_err(unreadable)?,
        None => String::new(),
    };
    let name = kind.name();
    let Some((form, told_size, told_hash)) = parse(&told, kind) else {
        let message = format!("`{}` is no whole {name} of wf-host: it was cut, or is another kind of file", path.display());
        return Err(Error::open(message, "copy it again from where it was made"));
    };
    if form != FORM {
        let message = format!("`{}` was written by a newer wf-host (form {form} of the {name})", path.display());
        return Err(Error::open(message, "use that one"));
    }
    let size = size.unwrap_or(0);
    file.rewind().map_err(unreadable)?;
    let (read, hash) = sum(&mut file, size).map_err(unreadable)?;
    if (read, hex(&hash).as_str()) != (told_size, told_hash) {
        let message = format!("`{}` is damaged: what is in it is not what its last line says", path.display());
        return Err(Error::open(message, "copy it again from where it was made"));
    }
    file.rewind().map_err(unreadable)?;
    Ok(Sealed { file, size, hash })
}

fn last_line(file: &mut File, from: u64) -> io::Result<String> {
    file.seek(SeekFrom::Start(from))?;
    let mut line = Vec::new();
    file.read_to_end(&mut line)?;
    Ok(String::from_utf8(line).unwrap_or_default())
}

fn parse(line: &str, kind: Kind) -> Option<(u32, u64, &str)> {
    let rest = line.strip_prefix("\nwf-host ")?.strip_prefix(kind.name())?.strip_prefix(" form ")?;
    let (form, rest) = rest.split_once(" size ")?;
    let (size, rest) = rest.split_once(" sha256 ")?;
    Some((form.parse().ok()?, size.parse().ok()?, rest.strip_suffix('\n')?))
}

/// How much there is from the beginning, at most so much, and its hash.
fn sum(file: &mut File, most: u64) -> io::Result<(u64, [u8; 32])> {
    file.rewind()?;
    let mut from = file.take(most);
    let (mut hash, mut size, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        match from.read(&mut chunk)? {
            0 => return Ok((size, hash.finalize().into())),
            read => {
                hash.update(&chunk[..read]);
                size += read as u64;
            }
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(text: &[u8]) -> (tempfile::TempDir, std::path::PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("it");
        let mut file = File::options().create_new(true).read(true).write(true).open(&path).expect("a file");
        file.write_all(text).expect("room");
        seal(&mut file, Kind::Backup).expect("sealed");
        let bytes = std::fs::read(&path).expect("a file");
        (folder, path, bytes)
    }

    fn opened(path: &Path, bytes: &[u8]) -> std::result::Result<u64, String> {
        std::fs::write(path, bytes).expect("room");
        open(path, Kind::Backup).map(|sealed| sealed.size).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_that_was_cut_anywhere_is_refused() {
        let (_folder, path, bytes) = sealed(&[7; 300]);
        assert_eq!(opened(&path, &bytes), Ok(300));
        for end in 0..bytes.len() {
            let refused = opened(&path, &bytes[..end]).expect_err("refused");
            assert!(refused.contains("it was cut"), "{end}: {refused}");
        }
        let refused = opened(&path, &[&bytes[..], b"\n"].concat()).expect_err("refused");
        assert!(refused.contains("it was cut"), "longer: {refused}");
    }

    #[test]
    fn a_byte_that_was_changed_anywhere_is_found() {
        let (_folder, path, bytes) = sealed(b"what is carried away");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let refused = opened(&path, &changed).expect_err("refused");
            assert!(refused.starts_with(&format!("`{}`", path.display())), "{at}: {refused}");
        }
    }

    #[test]
    fn a_newer_form_is_named() {
        let (_folder, path, bytes) = sealed(b"x");
        let newer = String::from_utf8(bytes).expect("text").replace("form 0001", "form 0002");
        assert!(opened(&path, newer.as_bytes()).expect_err("refused").ends_with("was written by a newer wf-host (form 2 of the backup)"));
    }

    #[test]
    fn an_empty_file_is_whole() {
        let (_folder, path, bytes) = sealed(b"");
        assert_eq!(bytes.len() as u64, LINE);
        assert_eq!(opened(&path, &bytes), Ok(0));
    }
}
