//! Who did what, when: a line of JSON each, in a file that its user alone can read.

use std::fs::{self, File};
use std::io::{self, BufRead, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use serde::Serialize;
use tokio::sync::oneshot;

/// A file that has grown beyond this is put aside, in bytes.
const SIZE_MAX: u64 = 16 << 20;
/// So many files that were put aside are kept.
const KEPT: usize = 4;
/// What stands before a line's checksum.
const SUM: &str = r#","sum":""#;
/// Lines that wait to be written; what comes past this is lost, and the next line says how many were.
const WAITING_MAX: usize = 4096;

/// Something that somebody did, or was refused.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Line {
    /// UTC.
    pub at: String,
    /// The name of the key; none: nobody whom we know.
    pub key: Option<String>,
    /// Where from.
    pub address: Option<String>,
    /// `start`, `send`, `cancel`, `purge`, `sign-in`, `sign-out`, `add-key`, `revoke-key`, `backup`,
    /// `restore`, `export`, `move`, `import` or `refused`.
    pub action: &'static str,
    /// To what: a path, where it was refused; a file, where something was carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// To which workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// To which handler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// To which run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// To which key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What it was answered; none: by a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// So many lines before this one were lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
}

enum Work {
    Line(Box<Line>),
    Flush(oneshot::Sender<()>),
}

/// Writes the lines of a server, on a thread of its own.
pub struct Audit {
    work: SyncSender<Work>,
    lost: Arc<AtomicU64>,
}

impl Audit {
    /// To a file, which is made with its first line.
    pub fn start(path: PathBuf) -> io::Result<Audit> {
        let (work, received) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let told = lost.clone();
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || write(&path, SIZE_MAX, &received, &told))?;
        Ok(Audit { work, lost })
    }

    /// Leaves a line to be written. Nobody waits for it.
    pub fn note(&self, line: Line) {
        if self.work.try_send(Work::Line(Box::new(line))).is_err() && self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!("lines of the audit log are lost: its disk does not keep up, or fails");
        }
    }

    /// Waits until everything before is on disk.
    pub async fn flush(&self) {
        let (done, told) = oneshot::channel();
        let mut work = Work::Flush(done);
        // What is full becomes free.
        while let Err(std::sync::mpsc::TrySendError::Full(again)) = self.work.try_send(work) {
            work = again;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let _ = told.await;
    }
}

/// Adds a line of a command, beside a server that may write to the same file.
pub fn note(path: &Path, line: &Line) -> io::Result<()> {
    append(path)?.write_all(&text(line))
}

fn append(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).mode(0o600).open(path)
}

/// A line ends with the checksum of what stands before that.
fn text(line: &Line) -> Vec<u8> {
    let mut text = serde_json::to_vec(line).expect("a line is JSON");
    text.pop();
    let sum = format!(r#"{SUM}{:08x}"}}"#, crc32fast::hash(&text));
    text.extend_from_slice(sum.as_bytes());
    text.push(b'\n');
    text
}

/// The numbers of the lines of a file that are not as they were written. Older builds have written lines without a checksum.
pub fn damaged(path: &Path) -> io::Result<Vec<usize>> {
    let mut file = match File::open(path) {
        Ok(file) => io::BufReader::new(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let (mut damaged, mut number) = (Vec::new(), 0);
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        if !sum(&line).unwrap_or_else(|| is_older(&line)) {
            damaged.push(number);
        }
        line.clear();
    }
    Ok(damaged)
}

/// The files of an audit log: the newest, and those that were put aside.
pub fn files(path: &Path) -> Vec<PathBuf> {
    std::iter::once(path.to_owned()).chain((1..=KEPT).map(|number| aside(path, number))).collect()
}

/// Whether a line has the checksum that it says; none: it says none.
fn sum(line: &[u8]) -> Option<bool> {
    let body = line.strip_suffix(b"\"}\n")?;
    let (body, told) = body.split_at_checked(body.len().checked_sub(8)?)?;
    let body = body.strip_suffix(SUM.as_bytes())?;
    Some(told == format!("{:08x}", crc32fast::hash(body)).as_bytes())
}

/// Whether an older build may have written a line: it has no names that those did not know.
fn is_older(line: &[u8]) -> bool {
    let names = ["at", "key", "address", "action", "path", "workflow", "handler", "run", "of", "status", "lost"];
    let fields: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(line).ok();
    line.ends_with(b"\n") && fields.is_some_and(|fields| fields.keys().all(|name| names.contains(&name.as_str())))
}

fn write(path: &Path, size_max: u64, received: &Receiver<Work>, lost: &AtomicU64) {
    let (mut file, mut failing) = (None, false);
    while let Ok(work) = received.recv() {
        let written = match work {
            Work::Line(mut line) => {
                line.lost = Some(lost.swap(0, Ordering::Relaxed)).filter(|lost| *lost > 0);
                add(path, &mut file, &line, size_max)
            }
            Work::Flush(done) => {
                let synced = file.as_ref().map_or(Ok(()), File::sync_data);
                let _ = done.send(());
                synced
            }
        };
        if let Err(error) = &written
            && !failing
        {
            tracing::error!("the audit log `{}` cannot be written: {error}", path.display());
        }
        failing = written.is_err();
    }
}

fn add(path: &Path, file: &mut Option<File>, line: &Line, size_max: u64) -> io::Result<()> {
    let file = match file {
        Some(file) => file,
        None => file.insert(append(path)?),
    };
    file.write_all(&text(line))?;
    turn(path, file, size_max)
}

/// Puts a file aside that has grown enough, and goes on with an empty one.
fn turn(path: &Path, file: &mut File, size_max: u64) -> io::Result<()> {
    let own = file.metadata()?;
    if own.len() < size_max {
        return Ok(());
    }
    // Another host has done so already.
    if fs::metadata(path).is_ok_and(|there| there.ino() != own.ino()) {
        *file = append(path)?;
        return Ok(());
    }
    file.sync_data()?;
    for number in (1..KEPT).rev().filter(|number| aside(path, *number).exists()) {
        fs::rename(aside(path, number), aside(path, number + 1))?;
    }
    fs::rename(path, aside(path, 1))?;
    *file = append(path)?;
    Ok(())
}

fn aside(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_line_says_how_many_were_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.log");
        let (work, received) = sync_channel(2);
        (0..2).for_each(|_| work.send(Work::Line(Box::default())).expect("room"));
        drop(work);
        write(&path, SIZE_MAX, &received, &AtomicU64::new(3));
        let lines = fs::read_to_string(&path).expect("a file");
        let lost: Vec<_> =
            lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["lost"].as_u64()).collect();
        assert_eq!(lost, [Some(3), None]);
    }

    #[test]
    fn a_file_that_has_grown_is_put_aside_and_the_oldest_goes() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.log");
        let (work, received) = sync_channel(1000);
        for number in 0..100 {
            let line = Line { at: number.to_string(), action: "start", ..Line::default() };
            work.send(Work::Line(Box::new(line))).expect("room");
        }
        drop(work);
        // Three lines a file.
        write(&path, 150, &received, &AtomicU64::new(0));
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).expect("a folder").flatten().map(|it| it.file_name().into_string().expect("a name")).collect();
        names.sort();
        assert_eq!(names, ["audit.log", "audit.log.1", "audit.log.2", "audit.log.3", "audit.log.4"]);
        let lines: String = [4, 3, 2, 1].map(|it| fs::read_to_string(aside(&path, it)).expect("a file")).concat();
        let lines = lines + &fs::read_to_string(&path).expect("a file");
        let numbers: Vec<usize> = lines
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).expect("JSON")["at"].as_str().expect("a text").parse().expect("a number")
            })
            .collect();
        assert_eq!(numbers, (100 - numbers.len()..100).collect::<Vec<_>>(), "the newest, each once");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }
}
