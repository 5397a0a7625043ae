//! SQLite's log, as bytes. What of it is damaged SQLite leaves out without a word, and all that follows.
//!
//! The form is that of <https://sqlite.org/fileformat2.html#the_write_ahead_log>: a header, and frames of a page each,
//! with a checksum over all from the header on. After an interrupted write the rest is of no use, and no damage: nobody
//! was told that it is durable. Damage is what has sound frames behind it that end a transaction; and an end of a
//! transaction that is there as a whole, and wrong. That a frame was such an end is said by a number in its header; where
//! this is what has changed, the checksum still tells.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Duration;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What is damaged of a log. It may grow meanwhile: what is damaged stays so.
pub(super) fn damage(path: &Path) -> Option<String> {
    let mut told = look(path)?;
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(20));
        let again = look(path)?;
        if again == told {
            return Some(told);
        }
        told = again;
    }
    Some(told)
}

/// Both halves of a checksum.
type Sum = (u32, u32);

struct Log {
    file: BufReader<File>,
    big_endian: bool,
    page: usize,
    salt: [u8; 8],
    sum: Sum,
}

fn look(path: &Path) -> Option<String> {
    let file = BufReader::with_capacity(1 << 20, File::open(path).ok()?);
    let mut log = match Log::open(file)? {
        Ok(log) => log,
        Err(what) => return Some(what),
    };
    log.frames()
}

impl Log {
    /// None: there is nothing in it.
    fn open(mut file: BufReader<File>) -> Option<Result<Log, String>> {
        let mut header = [0; HEADER];
        file.read_exact(&mut header).ok()?;
        let magic = number(&header, 0);
        let big_endian = magic & 1 == 1;
        let sum = added((0, 0), &header[..24], big_endian);
        let page = number(&header, 8) as usize;
        if magic | 1 != 0x377f_0683 || !(512..=65536).contains(&page) || sum != (number(&header, 24), number(&header, 28)) {
            return Some(Err("its header is damaged: none of the changes in it count".to_owned()));
        }
        let salt = header[16..24].try_into().expect("eight bytes");
        Some(Ok(Log { file, big_endian, page, salt, sum }))
    }

    fn frames(&mut self) -> Option<String> {
        let mut frame = vec![0; FRAME_HEADER + self.page];
        // The first that does not fit what is before it, and whether it was written as a whole.
        let mut broken: Option<(u64, bool)> = None;
        let mut place = 0;
        while self.file.read_exact(&mut frame).is_ok() {
            place += 1;
            let written: Sum = (number(&frame, 16), number(&frame, 20));
            let before = std::mem::replace(&mut self.sum, written);
            let sum = sum_of(before, &frame, self.big_endian);
            let ends = number(&frame, 4) != 0;
            // What was written before the log began anew has neither half of the salt.
            let halves = [frame[8..12] == self.salt[..4], frame[12..16] == self.salt[4..]];
            let is_sound = halves == [true; 2] && sum == written;
            match broken {
                None if !is_sound => {
                    let ended = || ends || ended_before(before, &frame, self.big_endian);
                    broken = Some((place, halves[0] != halves[1] || halves[0] && ended()));
                }
                Some((broken, _)) if is_sound && ends => {
                    return Some(format!("frame {broken} is damaged: the changes in it and after it do not count"));
                }
                _ => (),
            }
        }
        let (broken, _) = broken.filter(|(_, whole)| *whole)?;
        Some(format!("frame {broken} is damaged, or was being written when its host ended: the last changes do not count"))
    }
}

/// The checksum over all up to a frame, and the frame.
fn sum_of(before: Sum, frame: &[u8], big_endian: bool) -> Sum {
    added(added(before, &frame[..8], big_endian), &frame[FRAME_HEADER..], big_endian)
}

/// Whether a frame that does not fit ended a transaction before one byte of the number became 0 that says so: with that
/// byte it fits.
fn ended_before(before: Sum, frame: &[u8], big_endian: bool) -> bool {
    let mut frame = frame.to_vec();
    (4..8).any(|at| {
        (1..=u8::MAX).any(|byte| {
            frame[at] = byte;
            let fits = sum_of(before, &frame, big_endian) == (number(&frame, 16), number(&frame, 20));
            frame[at] = 0;
            fits
        })
    })
}

/// A number of a header.
fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn added(sum: Sum, bytes: &[u8], big_endian: bool) -> Sum {
    let (mut first, mut second) = sum;
    for pair in bytes.chunks_exact(8) {
        let word = |at: usize| {
            let word = number(pair, at);
            if big_endian { word } else { word.swap_bytes() }
        };
        first = first.wrapping_add(word(0)).wrapping_add(second);
        second = second.wrapping_add(word(4)).wrapping_add(first);
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A database with a log of some commits, of which the last is one frame.
    fn logged(folder: &Path) -> (Connection, std::path::PathBuf, Vec<u8>) {
        let database = folder.join("it.db");
        let connection = Connection::open(&database).expect("room");
        let begun = "pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table it (key integer primary key, text text)";
        connection.execute_batch(begun).expect("made");
        for _ in 0..5 {
            connection.execute("insert into it (text) values (hex(randomblob(20)))", []).expect("room");
        }
        let log = folder.join("it.db-wal");
        let bytes = std::fs::read(&log).expect("a log");
        (connection, log, bytes)
    }

    #[test]
    fn a_byte_that_was_changed_anywhere_in_the_last_commit_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let (_connection, log, whole) = logged(folder.path());
        assert_eq!(look(&log), None);
        let last = whole.len() - FRAME_HEADER - 4096;
        assert!(number(&whole, last + 4) > 0, "it ends a transaction");
        for at in (last..last + FRAME_HEADER).chain([whole.len() - 4096, whole.len() - 1]) {
            for flip in (0..8).map(|bit| 1 << bit).chain([whole[at]]).filter(|flip| *flip != 0) {
                let mut changed = whole.clone();
                changed[at] ^= flip;
                std::fs::write(&log, &changed).expect("room");
                assert!(look(&log).is_some(), "{flip:#x} at {}", at - last);
            }
        }
        // What was cut off is what nobody was told of.
        std::fs::write(&log, &whole[..last + 100]).expect("room");
        assert_eq!(look(&log), None);
    }

    /// What it has written of itself lies behind what was committed after it.
    #[test]
    fn a_large_transaction_that_was_rolled_back_is_no_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let (connection, log, before) = logged(folder.path());
        connection.execute_batch("pragma cache_size = 10; begin").expect("begun");
        for _ in 0..100 {
            connection.execute("insert into it (text) values (hex(randomblob(3000)))", []).expect("room");
        }
        connection.execute_batch("rollback; insert into it (text) values ('x')").expect("room");
        let length = std::fs::read(&log).expect("a log").len();
        assert!(length > before.len() + 20 * 4096, "it was in the log: {length}");
        assert_eq!(look(&log), None);
    }
}
