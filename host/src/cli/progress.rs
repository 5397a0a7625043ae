//! How far something is that takes long, for whoever sits before it.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// What takes less than this says nothing; nor is it said more often.
const EVERY: Duration = Duration::from_secs(1);

pub(super) struct Progress(Instant);

impl Progress {
    pub(super) fn begun() -> Progress {
        Progress(Instant::now())
    }

    #[expect(clippy::print_stderr, reason = "the command line's own output")]
    pub(super) fn tell(&mut self, text: impl FnOnce() -> String) {
        if std::io::stderr().is_terminal() && self.is_due(Instant::now()) {
            eprintln!("{}", text());
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = now.duration_since(self.0) >= EVERY;
        if is_due {
            self.0 = now;
        }
        is_due
    }

    /// How much is done of so many bytes, where that is known.
    pub(super) fn tell_bytes(&mut self, what: &str, done: u64, all: Option<u64>) {
        self.tell(|| format!("{what} {}{}", size(done), all.map(|all| format!(" of {}", size(all))).unwrap_or_default()));
    }
}

/// A size, as people read it.
pub(super) fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = (0..units.len() - 1).find(|unit| bytes >> (10 * (unit + 1)) == 0).unwrap_or(units.len() - 1);
    match unit {
        0 => format!("{bytes} B"),
        unit => format!("{:.1} {}", bytes as f64 / (1_u64 << (10 * unit)) as f64, units[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::{EVERY, Progress, size};

    #[test]
    fn what_takes_long_is_told_once_a_second() {
        let mut progress = Progress::begun();
        let begun = progress.0;
        let told: Vec<u32> = (0..35).filter(|tenths| progress.is_due(begun + EVERY / 10 * *tenths)).collect();
        assert_eq!(told, [10, 20, 30]);
    }

    #[test]
    fn a_size_is_shown_in_its_unit() {
        let shown = [0, 1023, 1024, 1536, (1 << 20) - 1, 5 << 30, u64::MAX].map(size);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1024.0 KiB", "5.0 GiB", "16777216.0 TiB"]);
    }
}
