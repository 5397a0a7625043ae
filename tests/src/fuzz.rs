//! Inputs that nobody thought of: the corpus, and what chance makes of it.
//!
//! `tests/corpus/TARGET` holds small inputs, made by hand or found here. Each is tried as it is; then bolero's
//! engine changes them at random until the time is over. What is tried lies in `target/fuzz/TARGET`, also when the
//! process has died of it; the smallest input that broke something in `target/fuzz/TARGET.broken`. It belongs into
//! the corpus.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use bolero::{TypeGenerator, produce};

use crate::artifacts::root;
use crate::patience::DEADLINE;

/// How long each target is tried. `BOLERO_RANDOM_TEST_TIME_MS` says otherwise.
const TIME: Duration = Duration::from_secs(20);
/// Longest input.
const LENGTH_MAX: usize = 256 << 10;
/// What has broken parsers before.
const ODD: &[&[u8]] = &[
    b"",
    b"0",
    b"-1",
    b"-0",
    b"1e999",
    b"1e-999",
    b"nan",
    b"inf",
    b"0.1",
    b"4294967296",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"340282366920938463463374607431768211456",
    b"null",
    b"true",
    b"\"\"",
    b"{}",
    b"[]",
    b"[[",
    b"{\"a\":{\"a\":",
    b"\"$serde_json::private::RawValue\":1,",
    b"\\ud83d",
    b"\\u0000",
    b"\0",
    b"\n",
    b"\"",
    b"\\",
    b".",
    b"*",
    b"../",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xff\xff\xff\xff\x0f",
    b"\x80\x80\x80\x80\x10",
    "\u{202e}\u{1f600}".as_bytes(),
];

/// A change of an input. Places are counted modulo what there is.
#[derive(Clone, Debug, TypeGenerator)]
enum Change {
    /// A bit is the other one.
    Flip { at: u32, bit: u8 },
    /// A byte is another.
    Set { at: u32, byte: u8 },
    /// A piece is missing.
    Cut { at: u32, length: u8 },
    /// A piece is there more often.
    Repeat { at: u32, length: u8, times: u8 },
    /// A word or a number is another, which stands elsewhere: such an input is still read to its end.
    Word { at: u32, from: u32 },
    /// A word or a number is something odd.
    Odd { at: u32, which: u8 },
    /// Something odd stands in between.
    Insert { at: u32, which: u8 },
    /// A piece of another input stands in between.
    Borrow { at: u32, seed: u8, from: u32, length: u8 },
    /// A line is there once more, elsewhere.
    Line { from: u8, to: u8 },
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let place = |at: u32| at as usize % (bytes.len() + 1);
        let piece = |at: u32, length: u8| place(at)..(place(at) + usize::from(length)).min(bytes.len());
        let odd = |which: u8| ODD[usize::from(which) % ODD.len()].to_vec();
        let (range, new) = match *self {
            Change::Flip { at, bit } => {
                let range = piece(at, 1);
                (range.clone(), bytes[range].iter().map(|byte| byte ^ (1 << (bit % 8))).collect())
            }
            Change::Set { at, byte } => (piece(at, 1), vec![byte]),
            Change::Cut { at, length } => (piece(at, length), Vec::new()),
            Change::Repeat { at, length, times } => (piece(at, length), bytes[piece(at, length)].repeat(usize::from(times))),
            Change::Word { at, from } => (word(bytes, place(at)), bytes[word(bytes, place(from))].to_vec()),
            Change::Odd { at, which } => (word(bytes, place(at)), odd(which)),
            Change::Insert { at, which } => (place(at)..place(at), odd(which)),
            Change::Borrow { at, seed, from, length } => {
                let seed = &seeds[usize::from(seed) % seeds.len()];
                let from = from as usize % (seed.len() + 1);
                let end = (from + 16 * usize::from(length)).min(seed.len());
                (place(at)..place(at), seed[from..end].to_vec())
            }
            Change::Line { from, to } => {
                let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
                let before = lines.iter().take(usize::from(to) % (lines.len() + 1)).map(|line| line.len()).sum::<usize>();
                let line = lines.get(usize::from(from) % lines.len().max(1)).map_or(Vec::new(), |line| line.to_vec());
                (before..before, line)
            }
        };
        bytes.splice(range, new);
        bytes.truncate(LENGTH_MAX);
    }
}

/// The word or number at that place, or the next one.
fn word(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(byte);
    let start = bytes[..at].iter().rposition(|byte| !is_word(byte)).map_or(0, |before| before + 1);
    let start = bytes[start..].iter().position(is_word).map_or(bytes.len(), |skipped| start + skipped);
    let length = bytes[start..].iter().take_while(|byte| is_word(byte)).count();
    start..start + length
}

/// What is kept for a target, in the order of its names.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(root().join("tests/corpus").join(target)).into_iter().flatten();
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a readable file")).collect()
}

/// Tries what is given, then what chance makes of it: a panic, or an input that takes too long, fails the test.
pub fn fuzz(target: &str, seeds: &[Vec<u8>], test: impl Fn(&[u8])) {
    assert!(!seeds.is_empty(), "{target} has nothing to begin with");
    let tried = root().join("target/fuzz").join(target);
    std::fs::create_dir_all(root().join("target/fuzz")).expect("a folder");
    // Open all the time: to open it anew takes longer than most tests.
    let file = File::create(&tried).expect("a writable folder");
    let alive = watch(&tried);
    let test = AssertUnwindSafe(|bytes: &[u8]| {
        file.write_all_at(bytes, 0).and_then(|()| file.set_len(bytes.len() as u64)).expect("it is written");
        alive.send(()).expect("the watch goes on");
        if let Err(cause) = panic::catch_unwind(AssertUnwindSafe(|| test(bytes))) {
            std::fs::write(tried.with_extension("broken"), bytes).expect("it is written");
            panic::resume_unwind(cause);
        }
    });
    seeds.iter().for_each(|seed| test(seed));
    let changes = produce::<Vec<Change>>().with().len(1_usize..=6);
    let engine = bolero::check!().with_test_time(TIME).with_iterations(usize::MAX);
    engine.with_generator((produce::<u16>(), changes)).for_each(|(seed, changes)| {
        let mut bytes = seeds[usize::from(*seed) % seeds.len()].clone();
        changes.iter().for_each(|change| change.apply(&mut bytes, seeds));
        (*test)(&bytes);
    });
}

/// Ends the process when nothing is heard for too long: what hangs cannot be ended otherwise.
#[expect(clippy::print_stderr, reason = "the process ends, and nobody else could say why")]
fn watch(tried: &Path) -> mpsc::Sender<()> {
    let (alive, heard) = mpsc::channel();
    let tried = tried.display().to_string();
    std::thread::spawn(move || {
        loop {
            match heard.recv_timeout(DEADLINE) {
                Ok(()) => (),
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    eprintln!("`{tried}` took more than {DEADLINE:?}");
                    std::process::abort();
                }
            }
        }
    });
    alive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_finds_what_is_broken_and_keeps_it() {
        let seeds = [br#"{"n":1,"m":2}"#.to_vec(), br#"{"list":[]}"#.to_vec()];
        let reader = |bytes: &[u8]| assert!(!String::from_utf8_lossy(bytes).contains(r#""n":1e999"#), "beyond a double");
        let found = panic::catch_unwind(|| fuzz("planted", &seeds, reader));
        assert!(found.is_err(), "an odd number in the place of another is soon tried");
        let broken = std::fs::read(root().join("target/fuzz/planted.broken")).expect("it is kept");
        let broken = String::from_utf8_lossy(&broken);
        assert!(broken.contains(r#""n":1e999"#), "{broken}");
    }
}
