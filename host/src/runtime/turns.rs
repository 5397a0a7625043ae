//! Turns to have an instance: so many in all, shared out between workflows, in the order of asking.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

use super::shares::{Name, Shares};

/// Hands out turns. Cheap to clone.
#[derive(Clone)]
pub(super) struct Turns(Arc<Mutex<Queues<oneshot::Sender<Turn>>>>);

/// Given back when it is dropped.
pub(super) struct Turn {
    turns: Turns,
    name: Name,
}

impl Turns {
    pub(super) fn new(all: u32) -> Turns {
        Turns(Arc::new(Mutex::new(Queues { shares: Shares::new(all.into()), waiting: BTreeMap::new(), asked: 0 })))
    }

    fn queues(&self) -> MutexGuard<'_, Queues<oneshot::Sender<Turn>>> {
        self.0.lock().expect("no panic while locked")
    }

    /// Waits for a turn. Whoever stops waiting gets none.
    pub(super) async fn turn(&self, name: &Name) -> Turn {
        let (sender, receiver) = oneshot::channel();
        let now = self.queues().ask(name, sender);
        if let Some(sender) = now {
            self.hand_over(name.clone(), sender);
        }
        receiver.await.expect("a turn is handed over before its queue is gone")
    }

    /// A turn that nobody takes any more goes back.
    fn hand_over(&self, name: Name, sender: oneshot::Sender<Turn>) {
        let _ = sender.send(Turn { turns: self.clone(), name });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = self.turns.queues().give(&self.name, oneshot::Sender::is_closed);
        for (name, sender) in next {
            self.turns.hand_over(name, sender);
        }
    }
}

/// Who has turns and who waits for one.
struct Queues<T> {
    shares: Shares,
    /// With the number of the asking.
    waiting: BTreeMap<Name, VecDeque<(u64, T)>>,
    asked: u64,
}

impl<T> Queues<T> {
    /// The ticket again, where its turn is now.
    fn ask(&mut self, name: &Name, ticket: T) -> Option<T> {
        if !self.waiting.contains_key(name) && self.shares.take(name, 1) {
            return Some(ticket);
        }
        self.asked += 1;
        self.waiting.entry(name.clone()).or_default().push_back((self.asked, ticket));
        None
    }

    /// Takes a turn back. Whose turn it is then: of the workflows that may have another the one that holds fewest,
    /// and of its tickets the one that has waited longest.
    fn give(&mut self, name: &Name, is_gone: impl Fn(&T) -> bool) -> Vec<(Name, T)> {
        self.shares.give(name, 1);
        let mut next = Vec::new();
        loop {
            let may = self.waiting.iter().filter(|(name, _)| self.shares.may_take(name, 1));
            let first = may.min_by_key(|(name, tickets)| (self.shares.held(name), tickets.front().map(|(asked, _)| *asked)));
            let Some(name) = first.map(|(name, _)| name.clone()) else { return next };
            let Some(tickets) = self.waiting.get_mut(&name) else { return next };
            let ticket = std::iter::from_fn(|| tickets.pop_front()).map(|(_, ticket)| ticket).find(|ticket| !is_gone(ticket));
            if tickets.is_empty() {
                self.waiting.remove(&name);
            }
            if let Some(ticket) = ticket {
                self.shares.take(&name, 1);
                next.push((name, ticket));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn queues(all: u64) -> Queues<u32> {
        Queues { shares: Shares::new(all), waiting: BTreeMap::new(), asked: 0 }
    }

    #[test]
    fn a_crowd_leaves_turns_for_whoever_comes_later() {
        let mut queues = queues(8);
        let (crowd, other) = (Name::from("crowd"), Name::from("other"));
        let at_once = (0..100).filter_map(|ticket| queues.ask(&crowd, ticket)).count();
        assert_eq!(at_once, 4);
        assert_eq!(queues.ask(&other, 1000), Some(1000));
        assert_eq!(queues.ask(&other, 1001), Some(1001));
        assert_eq!(queues.ask(&other, 1002), None, "two are free and two are held");
        // The crowd holds most: the other one has what it wants before it.
        assert_eq!(queues.give(&crowd, |_| false), [(other.clone(), 1002)]);
        assert_eq!(queues.give(&crowd, |_| false), [(crowd.clone(), 4)]);
        assert_eq!(queues.give(&other, |_| false), []);
        assert_eq!(queues.give(&other, |ticket| *ticket < 50), [(crowd, 50)], "who is gone is passed over");
    }

    proptest! {
        /// However turns are asked for and given back: nobody waits who may have one, and all get theirs in the end.
        #[test]
        fn nobody_is_forgotten(all in 1..20_u64, moves in proptest::collection::vec((0..4_u8, any::<bool>(), any::<bool>()), 0..300)) {
            let mut queues = queues(all);
            let (mut having, mut asked, mut had) = (Vec::new(), 0, 0);
            for (who, back, gone) in moves {
                if back && !having.is_empty() {
                    let name: Name = having.swap_remove(who as usize % having.len());
                    let next = queues.give(&name, |ticket| ticket % 5 == 0);
                    had += next.len();
                    having.extend(next.into_iter().map(|(name, _)| name));
                } else {
                    asked += 1;
                    let ticket = if gone { 5 } else { 1 };
                    let name = Name::from(who.to_string());
                    if queues.ask(&name, ticket).is_some() {
                        had += 1;
                        having.push(name);
                    }
                }
                prop_assert!(having.len() as u64 <= all);
                prop_assert!(queues.waiting.keys().all(|name| !queues.shares.may_take(name, 1)));
            }
            while let Some(name) = having.pop() {
                let next = queues.give(&name, |_| false);
                had += next.len();
                having.extend(next.into_iter().map(|(name, _)| name));
            }
            prop_assert!(queues.waiting.is_empty());
            prop_assert!(had <= asked);
        }
    }

    #[tokio::test]
    async fn who_stops_waiting_keeps_no_turn() {
        let turns = Turns::new(2);
        let name = Name::from("one");
        let first = turns.turn(&name).await;
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                tokio::spawn({
                    let (turns, name) = (turns.clone(), name.clone());
                    async move { turns.turn(&name).await }
                })
            })
            .collect();
        while turns.queues().waiting.get(&name).map_or(0, VecDeque::len) < 3 {
            tokio::task::yield_now().await;
        }
        let [gone, also, last] = <[_; 3]>::try_from(waiting).ok().expect("three");
        for task in [gone, also] {
            task.abort();
            assert!(task.await.is_err());
        }
        drop(first);
        drop(last.await.expect("its turn"));
        drop(turns.turn(&name).await);
    }
}
