//! So much of a thing, shared out between workflows: none of them can take all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The name of a workflow.
pub(super) type Name = Arc<str>;

/// What is there, and who holds how much of it.
pub(super) struct Shares {
    free: u64,
    held: BTreeMap<Name, u64>,
}

impl Shares {
    pub(super) fn new(all: u64) -> Shares {
        Shares { free: all, held: BTreeMap::new() }
    }

    pub(super) fn held(&self, name: &Name) -> u64 {
        self.held.get(name).copied().unwrap_or(0)
    }

    /// Whoever would hold more than is free before may not: so there is always something left for
    /// whoever holds less, and the first half at most goes to the first who comes.
    pub(super) fn may_take(&self, name: &Name, amount: u64) -> bool {
        self.held(name).saturating_add(amount) <= self.free
    }

    /// False: nothing was taken.
    pub(super) fn take(&mut self, name: &Name, amount: u64) -> bool {
        let may = self.may_take(name, amount);
        if may {
            self.free -= amount;
            *self.held.entry(name.clone()).or_default() += amount;
        }
        may
    }

    /// Gives back what was taken.
    pub(super) fn give(&mut self, name: &Name, amount: u64) {
        self.free += amount;
        let left = self.held(name).saturating_sub(amount);
        if left == 0 {
            self.held.remove(name);
        } else {
            self.held.insert(name.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whoever_comes_later_finds_some() {
        let mut shares = Shares::new(500);
        let mut taken = |name: &str| (0..500).filter(|_| shares.take(&name.into(), 1)).count();
        assert_eq!(["first", "second", "third", "fourth", "first"].map(&mut taken), [250, 125, 63, 31, 0]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_taken_twice(moves in proptest::collection::vec((0..5_u8, 0..60_u64, any::<bool>()), 0..200)) {
            let mut shares = Shares::new(300);
            let mut taken: Vec<(Name, u64)> = Vec::new();
            for (who, amount, back) in moves {
                if back && !taken.is_empty() {
                    let (name, amount) = taken.swap_remove(who as usize % taken.len());
                    shares.give(&name, amount);
                } else {
                    let name = Name::from(who.to_string());
                    let nobody_has_any = taken.is_empty();
                    let took = shares.take(&name, amount);
                    prop_assert!(took || !nobody_has_any, "there was all of it");
                    if took {
                        taken.push((name, amount));
                    }
                }
                prop_assert_eq!(shares.free + taken.iter().map(|(_, amount)| amount).sum::<u64>(), 300);
                prop_assert_eq!(shares.held.values().sum::<u64>(), 300 - shares.free);
            }
            for (name, amount) in taken {
                shares.give(&name, amount);
            }
            prop_assert!(shares.held.is_empty());
        }
    }
}
