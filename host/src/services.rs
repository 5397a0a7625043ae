//! What everything that drives runs, or looks at them, stands on.

mod begun;
mod breakpoints;
mod past;
mod stored;
mod validated;

use std::sync::{Arc, OnceLock};

use wf_engine::entry::Micros;

use crate::clock::Clock;
use crate::registry::Registry;
use crate::runtime::Runtime;
use crate::store::{HostId, Now, Store};
use crate::tail::Tails;

pub(crate) use begun::Begun;
pub(crate) use breakpoints::{Breakpoints, Held};
pub(crate) use stored::Stored;

/// Store, runtime, registry, clock and tails of one host, and what it knows of its runs.
pub(crate) struct Services {
    pub store: Arc<dyn Store>,
    pub runtime: Runtime,
    pub registry: Registry,
    pub clock: Clock,
    pub tails: Tails,
    pub begun: Begun,
    /// Where steps are held; none: nowhere.
    pub breakpoints: OnceLock<Arc<Breakpoints>>,
    /// Who this host is to its store.
    pub host: HostId,
}

impl Services {
    /// What the clocks show.
    pub fn now(&self) -> Now {
        Now { at: self.clock.at(), alive: self.clock.alive() }
    }
}

/// The characters of identifiers, in the order in which a store sorts them.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many of an identifier's ten say when it was made, and how long they stay the same, in µs.
const TIMED: usize = 4;
const TIMED_FOR: Micros = 10_000;

/// A new identifier: ten characters of `[0-9A-Za-z]`. Those that are made together lie together in an index, so that a
/// store writes one page for many of them; the times come again after 41 hours, and so ids are spread as if all of it
/// were chance.
pub(crate) fn new_id(at: Micros) -> String {
    use rand::RngExt;
    let mut id = [0; 10];
    let mut time = at / TIMED_FOR;
    for letter in id[..TIMED].iter_mut().rev() {
        *letter = LETTERS[(time % 62) as usize];
        time /= 62;
    }
    let mut rng = rand::rng();
    id[TIMED..].fill_with(|| LETTERS[rng.random_range(..LETTERS.len())]);
    id.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_the_order_of_their_times_and_differ() {
        let at = 1_795_799_673_000_000;
        let ids: Vec<String> = (0..1000).map(|number| new_id(at + number * TIMED_FOR)).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        let mut together: Vec<String> = (0..1000).map(|_| new_id(at)).collect();
        assert!(together.iter().all(|id| id[..4] == together[0][..4]), "one place in an index");
        together.sort_unstable();
        together.dedup();
        assert_eq!(together.len(), 1000);
        assert!(together.iter().chain(&ids).all(|id| id.len() == 10 && id.bytes().all(|it| it.is_ascii_alphanumeric())));
    }
}
