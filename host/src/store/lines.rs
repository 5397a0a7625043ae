//! The lines that a run's steps have written, put together from what was written when.

use std::collections::BTreeMap;

use wf_engine::text::LEVEL_END;

use super::rows::{LogRow, READ_BYTES_MAX};

/// A part of what was written to a run's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// In the order in which it came.
    pub lines: Vec<LogRow>,
    /// The place after which what is written later stands.
    pub last: u64,
    /// Whether there is more by now.
    pub more: bool,
}

/// A run's lines: what was written again takes the place of what was there.
#[derive(Default)]
pub(super) struct Lines {
    /// With the place at which each came.
    rows: BTreeMap<(u64, u32, String, u64), (u64, LogRow)>,
    /// Where lines went, by the place at which that came.
    ends: BTreeMap<u64, LogRow>,
    last: u64,
}

impl Lines {
    pub(super) fn extend(&mut self, rows: impl IntoIterator<Item = LogRow>) {
        for row in rows {
            self.last += 1;
            let key = |number| (row.invocation, row.attempt, row.source.clone(), number);
            if row.level == LEVEL_END {
                let past: Vec<_> = self.rows.range(key(row.number)..=key(u64::MAX)).map(|(key, _)| key.clone()).collect();
                past.iter().for_each(|key| drop(self.rows.remove(key)));
                self.ends.insert(self.last, row);
            } else {
                self.rows.insert(key(row.number), (self.last, row));
            }
        }
    }

    pub(super) fn into_rows(self) -> Vec<LogRow> {
        self.rows.into_values().map(|(_, row)| row).collect()
    }

    pub(super) fn rows(&self) -> Vec<LogRow> {
        self.rows.values().map(|(_, row)| row.clone()).collect()
    }

    /// What came after a place, as far as it still stands.
    pub(super) fn written(&self, after: u64, limit: usize) -> Written {
        let mut came: Vec<(u64, &LogRow)> = self.rows.values().map(|(place, row)| (*place, row)).filter(|it| it.0 > after).collect();
        came.extend(self.ends.range(after.saturating_add(1)..).map(|(place, row)| (*place, row)));
        came.sort_unstable_by_key(|(place, _)| *place);
        let (mut written, mut size) = (Written { last: after, ..Written::default() }, 0);
        for (place, row) in came {
            if written.lines.len() >= limit || size >= READ_BYTES_MAX {
                written.more = true;
                break;
            }
            size += row.size();
            written.last = place;
            written.lines.push(row.clone());
        }
        if !written.more {
            // What came last may have been written again since, or have gone.
            written.last = after.max(self.last);
        }
        written
    }
}
