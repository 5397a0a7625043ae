//! How a problem reaches a person: what happened, and what to do.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::plain::plain;

/// Whether what does not stop a command is a line of its log, as all else that a server says.
static IN_LOG: AtomicBool = AtomicBool::new(false);

/// From here on warnings are lines of the log.
pub(super) fn warn_into_log() {
    IN_LOG.store(true, Ordering::Relaxed);
}

/// Something that keeps a command from doing what it was asked.
#[derive(Debug)]
pub struct Problem {
    message: String,
    hint: Option<String>,
    code: u8,
    silent: bool,
}

/// What was asked makes no sense; as for arguments that are not understood.
const USAGE: u8 = 2;
/// Nobody knows: no server answered, or what was to be looked at cannot be.
const UNREACHABLE: u8 = 3;
/// As `timeout` has it.
const LATE: u8 = 124;
/// As shells have it for a program that a pipe without a reader has ended.
const NOBODY_READS: u8 = 141;

impl Problem {
    /// What happened, in lower case and without a full stop.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), hint: None, code: 1, silent: false }
    }

    /// What to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }

    /// Without what stands behind its first line.
    pub(super) fn in_short(mut self) -> Problem {
        self.message.truncate(self.message.find('\n').unwrap_or(self.message.len()));
        self
    }

    /// It has been reported already.
    pub(super) fn reported() -> Problem {
        Problem { silent: true, ..Problem::new("see above") }
    }

    /// Whoever read the output has gone: there is nobody to tell.
    pub(super) fn nobody_reads() -> Problem {
        Problem { code: NOBODY_READS, silent: true, ..Problem::new("nobody reads the output") }
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// It lies in what was asked: the exit code is 2.
    pub fn usage(mut self) -> Problem {
        self.code = USAGE;
        self
    }

    /// Nobody knows: no server answered, or what was to be looked at cannot be. The exit code is 3.
    pub(super) fn unreachable(mut self) -> Problem {
        self.code = UNREACHABLE;
        self
    }

    /// It took longer than somebody would wait: the exit code is 124.
    pub(super) fn late(mut self) -> Problem {
        self.code = LATE;
        self
    }

    /// Prints it on stderr; gives the exit code, which is 1 where nothing else was said.
    pub fn report(&self) -> ExitCode {
        self.print("error");
        ExitCode::from(self.code)
    }

    /// Prints it on stderr as something that does not stop the command.
    pub fn warn(&self) {
        if IN_LOG.load(Ordering::Relaxed) && !self.silent {
            return tracing::warn!(hint = self.hint, "{}", self.message);
        }
        self.print("warning");
    }

    #[expect(clippy::print_stderr, reason = "the one place where problems are printed")]
    fn print(&self, severity: &str) {
        if self.silent {
            return;
        }
        eprintln!("{severity}: {}", plain(&self.message));
        if let Some(hint) = &self.hint {
            eprintln!("hint: {}", plain(hint));
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(formatter, "; {hint}"))
    }
}

impl From<crate::store::Error> for Problem {
    fn from(error: crate::store::Error) -> Problem {
        let problem = Problem::new(error.to_string());
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<crate::registry::Rejected> for Problem {
    fn from(rejected: crate::registry::Rejected) -> Problem {
        let problem = Problem::new(rejected.message);
        match rejected.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<crate::server::Error> for Problem {
    fn from(error: crate::server::Error) -> Problem {
        let problem = Problem::new(error.to_string());
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<crate::keys::Error> for Problem {
    fn from(error: crate::keys::Error) -> Problem {
        Problem::new(error.to_string()).hint(error.hint())
    }
}
