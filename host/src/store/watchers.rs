//! Tells those who watch a run that something of it has changed, and whoever owns runs of commands.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::watch;

/// Looked through for runs that nobody watches any more, when there are as many and twice the last.
const LOOK_THROUGH_MIN: usize = 64;

/// Who watches which run.
#[derive(Default)]
pub(super) struct Watchers {
    runs: Mutex<Watched>,
    commands: watch::Sender<u64>,
}

#[derive(Default)]
struct Watched {
    runs: HashMap<String, watch::Sender<u64>>,
    look_through_at: usize,
}

impl Watchers {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.runs.lock().expect("no panic while locked")
    }

    pub(super) fn watch(&self, run: &str) -> watch::Receiver<u64> {
        let mut watched = self.watched();
        if let Some(sender) = watched.runs.get(run) {
            return sender.subscribe();
        }
        if watched.runs.len() >= watched.look_through_at.max(LOOK_THROUGH_MIN) {
            watched.runs.retain(|_, sender| sender.receiver_count() > 0);
            watched.look_through_at = watched.runs.len() * 2;
        }
        let (sender, receiver) = watch::channel(0);
        watched.runs.insert(run.to_owned(), sender);
        receiver
    }

    pub(super) fn watch_commands(&self) -> watch::Receiver<u64> {
        self.commands.subscribe()
    }

    /// Called once a command for the run is durable.
    pub(super) fn tell_of_command(&self, run: &str) {
        self.tell(run);
        self.commands.send_modify(|commands| *commands += 1);
    }

    /// Called once a change of the run is durable.
    pub(super) fn tell(&self, run: &str) {
        let mut watched = self.watched();
        let Some(sender) = watched.runs.get(run) else { return };
        if sender.receiver_count() == 0 {
            watched.runs.remove(run);
        } else {
            sender.send_modify(|changes| *changes += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_nobody_watches_are_forgotten() {
        let watchers = Watchers::default();
        let kept = watchers.watch("kept");
        for run in 0..1000 {
            drop(watchers.watch(&run.to_string()));
        }
        assert!(watchers.watched().runs.len() <= LOOK_THROUGH_MIN, "{}", watchers.watched().runs.len());
        watchers.tell("kept");
        watchers.tell("nobody");
        assert_eq!(*kept.borrow(), 1);
        drop(kept);
        watchers.tell("kept");
        assert!(!watchers.watched().runs.contains_key("kept"));
    }
}
