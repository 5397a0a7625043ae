//! Who changed what, and when: enough to tell whether an edit conflicts.

use serde::{Deserialize, Serialize};

use super::paths::Paths;
use crate::entry::InvocationId;

/// Most paths whose changes are remembered. Older ones are forgotten; an edit that began before
/// a forgotten change is answered as if it conflicted, and is repeated.
const CHANGES_MAX: usize = 1024;

/// Who changed something: an attempt of an invocation.
type Author = (InvocationId, u32);

/// The newest changes, by path.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Changes {
    /// The seq of the newest.
    version: u64,
    paths: Paths<Change>,
    /// The seq of the newest that is no longer among them.
    forgotten: u64,
}

/// The newest change of a path, and the newest of another attempt than that one's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    seq: u64,
    by: Author,
    other: u64,
}

impl Changes {
    /// The seq of the newest change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether another attempt has, after a version, changed a path, what it lies in, or what
    /// lies in it.
    pub fn by_others(&self, path: &str, version: u64, by: Author) -> bool {
        self.any(path, version, |change| if change.by == by { change.other } else { change.seq })
    }

    /// Whether anybody has.
    pub fn since(&self, path: &str, version: u64) -> bool {
        self.any(path, version, |change| change.seq)
    }

    fn any(&self, path: &str, version: u64, newest: impl Fn(&Change) -> u64) -> bool {
        let related = || self.paths.related(path).any(|change| newest(change) > version);
        self.version > version && (self.forgotten > version || related())
    }

    /// Remembers a change.
    pub fn note(&mut self, path: String, by: Author, seq: u64) {
        self.version = seq;
        match self.paths.get_mut(&path) {
            Some(change) => {
                let other = if change.by == by { change.other } else { change.seq };
                *change = Change { seq, by, other };
            }
            None => self.paths.insert(path, Change { seq, by, other: 0 }),
        }
        if self.paths.len() > CHANGES_MAX {
            self.forget();
        }
    }

    /// Forgets the older half.
    fn forget(&mut self) {
        let mut seqs: Vec<u64> = self.paths.values().map(|change| change.seq).collect();
        seqs.sort_unstable();
        let forgotten = seqs[seqs.len() / 2];
        self.paths.retain(|change| change.seq > forgotten);
        self.forgotten = forgotten;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgotten_changes_count_as_conflicts() {
        let mut changes = Changes::default();
        for seq in 1..=5000 {
            changes.note(format!("k{seq}"), (seq, 0), seq);
        }
        assert!(changes.paths.len() <= CHANGES_MAX);
        assert!(changes.by_others("other", 1, (9, 0)));
        assert!(!changes.by_others("other", changes.version(), (9, 0)));
    }

    #[test]
    fn a_change_of_ones_own_does_not_hide_one_of_another() {
        let mut changes = Changes::default();
        for (by, seq) in [((1, 0), 5), ((2, 0), 6), ((2, 0), 7), ((1, 1), 8)] {
            changes.note("a".to_owned(), by, seq);
        }
        assert!(changes.by_others("a", 6, (1, 1)) && !changes.by_others("a", 7, (1, 1)));
        assert!(changes.by_others("a", 7, (2, 0)), "another attempt of the same invocation is another");
    }
}
