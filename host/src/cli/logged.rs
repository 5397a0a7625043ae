//! What a run's steps have written, for people.

use std::collections::BTreeSet;
use std::io::Write;

use serde::Deserialize;

use crate::store::LogRow;

/// The lines that have been shown, by invocation, attempt, source and number.
#[derive(Default)]
pub(super) struct Logged(BTreeSet<(u64, u32, String, u64)>);

impl Logged {
    /// Shows what is new among all lines of a run, on stderr: stdout is for its events.
    pub(super) fn show(&mut self, mut rows: Vec<LogRow>) {
        rows.sort_by_key(|row| row.at);
        let mut text = String::new();
        for row in rows {
            let LogRow { invocation, attempt, source, number, level, message, fields, .. } = row;
            if self.0.insert((invocation, attempt, source, number)) {
                text.push_str(&format!("  {level:<5}  {invocation}.{attempt}  {message}{}\n", trace(&fields)));
            }
        }
        // The run goes on, whether anybody reads this or not.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// The backtrace among a line's fields, on lines of its own below it; nothing, where it has none.
pub(super) fn trace(fields: &str) -> String {
    #[derive(Deserialize)]
    struct Fields {
        trace: String,
    }
    let Ok(Fields { trace }) = serde_json::from_str(fields) else { return String::new() };
    trace.trim_end().lines().map(|line| format!("\n    {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::trace;

    #[test]
    fn a_trace_stands_below_its_line() {
        assert_eq!(trace(r#"{"kind":"Boom","trace":"one\n  two\n\nthree\n\n"}"#), "\n    one\n      two\n    \n    three");
        for none in ["{}", "", r#"{"trace":null}"#, r#"{"trace":1}"#, r#"{"trace":""}"#] {
            assert_eq!(trace(none), "", "{none}");
        }
    }
}
