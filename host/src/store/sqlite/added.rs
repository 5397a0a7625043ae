//! What goes into the rows of a run. To look for large values and to hash them takes two milliseconds
//! a MiB: the writer does it when their turn has come, so that whoever calls is not held up.

use std::mem::take;

use super::text::{Cutter, Text};
use crate::store::rows::{Append, Ended, EntryRow, FrameRow, LogRow, NewRun, Snapshot, Status};
use crate::store::{Error, Result};

/// The largest row that SQLite takes is somewhat larger: 900 MB.
const TEXT_MAX: usize = 900_000_000;
/// A row takes no more entries, or frames, once it holds so many bytes: 4 MiB.
const ROW_MAX: usize = 4 << 20;

/// What an append or a creation adds beside the run's own row.
#[derive(Default)]
pub(super) struct Added {
    /// Rows, with the place of the last entry of each.
    pub(super) entries: Vec<(u64, Text)>,
    /// All entries at once, where they are several rows and perhaps have to queue.
    pub(super) first: Option<Text>,
    /// Rows, with the sequence of the last frame of each.
    pub(super) frames: Vec<(u64, Text)>,
    /// How many of these rows were copied.
    pub(super) copied: usize,
    pub(super) lines: Option<Text>,
    pub(super) snapshot: Option<(u64, Text)>,
    pub(super) ending: Option<Ending>,
}

pub(super) struct Ending {
    pub(super) status: &'static str,
    pub(super) at: u64,
    pub(super) preview: Option<String>,
    pub(super) outcome: Option<Text>,
    pub(super) state: Text,
}

impl Added {
    /// Takes what it adds out of a creation: what waits to be written is in memory once.
    pub(super) fn by_creation(mut new: NewRun) -> (NewRun, Added) {
        let (entries, frames, logs) = (take(&mut new.entries), take(&mut new.frames), take(&mut new.logs));
        let ended = new.standing.ended.take();
        let frames = frames.split_at(new.copied.min(frames.len()));
        let mut added = Added::new(&entries, frames, &logs, None, ended.as_ref());
        if new.runs_max.is_some() && added.entries.len() > 1 {
            added.first = Some(self::entries(&mut Cutter::default(), &entries));
        }
        (new, added)
    }

    /// As [`Added::by_creation`], out of an append.
    pub(super) fn by_append(mut append: Append) -> (Append, Added) {
        let (entries, frames, logs) = (take(&mut append.entries), take(&mut append.frames), take(&mut append.logs));
        let (snapshot, ended) = (append.snapshot.take(), append.standing.ended.take());
        let added = Added::new(&entries, (&[], &frames), &logs, snapshot.as_ref(), ended.as_ref());
        (append, added)
    }

    /// `frames`: those that were copied, and the others.
    fn new(
        entries: &[EntryRow],
        frames: (&[FrameRow], &[FrameRow]),
        lines: &[LogRow],
        snapshot: Option<&Snapshot>,
        ended: Option<&Ended>,
    ) -> Added {
        let mut cutter = Cutter::default();
        let pieces = pieces(entries, |entry| entry.bytes.len());
        let entries = pieces.map(|(last, piece)| (last.seq, self::entries(&mut cutter, piece))).collect();
        let mut rows = self::frames(&mut cutter, frames.0);
        let copied = rows.len();
        rows.extend(self::frames(&mut cutter, frames.1));
        Added {
            entries,
            first: None,
            frames: rows,
            copied,
            lines: self::lines(&mut cutter, lines),
            snapshot: snapshot.map(|it| (it.seq, cutter.cut(&it.bytes))),
            ending: ended.map(|it| ending(&mut cutter, it)),
        }
    }

    /// Lines alone.
    pub(super) fn lines(rows: &[LogRow]) -> Added {
        Added { lines: lines(&mut Cutter::default(), rows), ..Added::default() }
    }

    fn texts(&self) -> impl Iterator<Item = &Text> {
        let ending = self.ending.iter().flat_map(|it| it.outcome.iter().chain([&it.state]));
        let placed = self.entries.iter().chain(&self.frames).chain(&self.snapshot).map(|(_, text)| text);
        placed.chain(&self.first).chain(&self.lines).chain(ending)
    }

    /// Refuses what no row can hold: as a statement, it would have its group rolled back.
    pub(super) fn check(&self) -> Result<()> {
        let fits = |text: &Text| text.bytes.len() <= TEXT_MAX && text.pieces.iter().all(|piece| piece.bytes.len() <= TEXT_MAX);
        if self.texts().all(fits) { Ok(()) } else { Err(Error::Unavailable("a value is larger than a row can be".to_owned())) }
    }
}

fn entries(cutter: &mut Cutter, entries: &[EntryRow]) -> Text {
    cutter.array(entries.iter().map(|entry| (String::new(), entry.bytes.as_slice(), "")))
}

fn frames(cutter: &mut Cutter, frames: &[FrameRow]) -> Vec<(u64, Text)> {
    let row = |frame: &FrameRow| {
        let flags = u8::from(frame.internal) | u8::from(frame.terminal) << 1;
        format!("[{},{flags},", frame.sequence)
    };
    let piece = |(last, frames): (&FrameRow, &[FrameRow])| {
        (last.sequence, cutter.array(frames.iter().map(|frame| (row(frame), &frame.json[..], "]"))))
    };
    pieces(frames, |frame| frame.json.len()).map(piece).collect()
}

/// What goes into a row each: what is read at once is not much more than it has to be. An append is one.
fn pieces<T>(all: &[T], size: impl Fn(&T) -> usize) -> impl Iterator<Item = (&T, &[T])> {
    let mut rest = all;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |item: &&T| {
            let fits = bytes < ROW_MAX;
            bytes += size(item);
            fits
        };
        let count = rest.iter().take_while(fits).count();
        let (piece, further) = rest.split_at(count);
        rest = further;
        piece.last().map(|last| (last, piece))
    })
}

fn lines(cutter: &mut Cutter, rows: &[LogRow]) -> Option<Text> {
    let line = |row: &LogRow| {
        let LogRow { invocation, attempt, source, number, at, level, message, fields } = row;
        let line = serde_json::to_string(&(invocation, attempt, source, number, at, level, message, fields));
        line.expect("numbers and texts are JSON")
    };
    let lines: Vec<String> = rows.iter().map(line).collect();
    (!lines.is_empty()).then(|| cutter.array(lines.iter().map(|line| (String::new(), line.as_bytes(), ""))))
}

fn ending(cutter: &mut Cutter, ended: &Ended) -> Ending {
    let outcome = match &ended.status {
        Status::Completed(result) => Some(&result[..]),
        Status::Failed(message) => Some(message.as_bytes()),
        Status::Running | Status::Cancelled => None,
    };
    Ending {
        status: ended.status.text(),
        at: ended.at,
        preview: ended.status.preview(),
        outcome: outcome.map(|it| cutter.cut(it)),
        state: cutter.cut(&ended.state),
    }
}
