//! What a guest writes, line by line, into the log of its run.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wf_engine::entry::InvocationId;
use wf_engine::text::LEVEL_END;

use super::clock::Clock;
use super::report::{LogLine, Report, Reporter};

/// Lines that are kept for the message of a failure.
const LAST_MAX: usize = 32;
/// What a line costs beside its text, in bytes.
const LINE_COST: usize = 64;
/// A longer line is cut into several.
const LINE_MAX: usize = 16 << 10;

/// Where the lines of one entry go.
#[derive(Clone)]
pub(super) struct Lines {
    pub invocation: InvocationId,
    pub attempt: u32,
    pub reports: Reporter,
    pub clock: Clock,
    /// Bytes that may still be written.
    pub left: Arc<Mutex<usize>>,
}

impl Lines {
    pub(super) fn write(&self, source: &'static str, number: u64, level: String, message: String, fields: String) {
        let mut left = self.left.lock().expect("no panic while locked");
        if *left == 0 {
            return;
        }
        let size = message.len() + fields.len() + LINE_COST;
        let (message, fields) =
            if size > *left { ("the log is full; the rest is cut".to_owned(), "{}".to_owned()) } else { (message, fields) };
        *left = left.saturating_sub(size);
        let line = LogLine { source, number, at: self.clock.standing(), level, message, fields };
        // The worker is gone when the run has ended: nobody reads it.
        self.reports.hold(Report::Logged { invocation: self.invocation, attempt: self.attempt, line });
    }

    /// Says that no line follows: those that an entry which was lost had written past it go.
    pub(super) fn end(&self, source: &'static str, number: u64) {
        let (level, message, fields) = (LEVEL_END.to_owned(), String::new(), "{}".to_owned());
        let line = LogLine { source, number, at: self.clock.standing(), level, message, fields };
        self.reports.hold(Report::Logged { invocation: self.invocation, attempt: self.attempt, line });
    }
}

/// A guest's stdout or stderr. None: nobody listens, as while a component describes itself.
#[derive(Clone)]
pub(super) struct Output(Arc<Mutex<State>>);

struct State {
    source: &'static str,
    lines: Option<Lines>,
    number: u64,
    partial: Vec<u8>,
    last: VecDeque<String>,
}

impl Output {
    pub(super) fn new(source: &'static str, lines: Option<Lines>) -> Output {
        Output(Arc::new(Mutex::new(State { source, lines, number: 0, partial: Vec::new(), last: VecDeque::new() })))
    }

    /// The newest lines.
    pub(super) fn last(&self) -> Vec<String> {
        self.0.lock().expect("no panic while locked").last.iter().cloned().collect()
    }

    /// Ends a line that the guest has not ended.
    pub(super) fn finish(&self) {
        let mut state = self.0.lock().expect("no panic while locked");
        if !state.partial.is_empty() {
            state.line();
        }
    }

    /// As [`Lines::end`].
    pub(super) fn end(&self) {
        let state = self.0.lock().expect("no panic while locked");
        state.lines.iter().for_each(|lines| lines.end(state.source, state.number));
    }
}

impl State {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                self.partial.push(byte);
            }
            if byte == b'\n' || self.partial.len() >= LINE_MAX {
                self.line();
            }
        }
    }

    fn line(&mut self) {
        let text = String::from_utf8_lossy(&self.partial).trim_end_matches('\r').to_owned();
        self.partial.clear();
        if let Some(lines) = &self.lines {
            let level = if self.source == "stderr" { "warn" } else { "info" };
            lines.write(self.source, self.number, level.to_owned(), text.clone(), "{}".to_owned());
        }
        self.number += 1;
        self.last.push_back(text);
        if self.last.len() > LAST_MAX {
            self.last.pop_front();
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > LINE_MAX {
            return Err(StreamError::trap("it wrote more at once than `check-write` allows"));
        }
        self.0.lock().expect("no panic while locked").write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_output_is_past_its_last_line() {
        let (reports, mut reported) = tokio::sync::mpsc::unbounded_channel();
        let reports = Reporter::new(reports);
        let lines = Lines { invocation: 1, attempt: 0, reports: reports.clone(), clock: Clock::at(5), left: Arc::new(Mutex::new(1)) };
        let stdout = Output::new("stdout", Some(lines.clone()));
        // The log is full after the first: an end is told all the same.
        stdout.0.lock().expect("no panic while locked").write(b"one\ntwo\nthr");
        stdout.finish();
        stdout.end();
        lines.end("log", 7);
        reports.flush();
        drop((stdout, lines, reports));
        let told = std::iter::from_fn(|| reported.blocking_recv()).map(|report| match report {
            Report::Logged { line, .. } => (line.source, line.number, line.level),
            _ => panic!("another report"),
        });
        let told: Vec<_> = told.collect();
        assert_eq!(told, [("stdout", 0, "info".into()), ("stdout", 3, "end".into()), ("log", 7, "end".into())]);
    }
}
