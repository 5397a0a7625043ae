//! When runs that have left memory want to be woken: one entry each, and no task.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The alarms of parked runs.
#[derive(Default)]
pub struct Alarms {
    set: Mutex<Set>,
    earlier: Notify,
}

#[derive(Default)]
struct Set {
    by_time: BTreeSet<(Instant, String)>,
    by_run: HashMap<String, Instant>,
}

impl Alarms {
    /// Wakes a run at a time; replaces its alarm.
    pub fn set(&self, run: &str, at: Instant) {
        let mut set = self.set.lock().expect("no panic while locked");
        set.clear(run);
        set.by_run.insert(run.to_owned(), at);
        set.by_time.insert((at, run.to_owned()));
        drop(set);
        self.earlier.notify_one();
    }

    /// Forgets a run's alarm.
    pub fn clear(&self, run: &str) {
        self.set.lock().expect("no panic while locked").clear(run);
    }

    /// Waits for the next alarm, and says whose it is.
    pub async fn next(&self) -> String {
        loop {
            let first = self.set.lock().expect("no panic while locked").by_time.first().cloned();
            let Some((at, run)) = first else {
                self.earlier.notified().await;
                continue;
            };
            tokio::select! {
                () = sleep_until(at) => {
                    let mut set = self.set.lock().expect("no panic while locked");
                    // Cleared or moved meanwhile: look again.
                    if set.by_run.get(&run) == Some(&at) {
                        set.clear(&run);
                        return run;
                    }
                }
                () = self.earlier.notified() => (),
            }
        }
    }
}

impl Set {
    fn clear(&mut self, run: &str) {
        if let Some(at) = self.by_run.remove(run) {
            self.by_time.remove(&(at, run.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn they_ring_in_order_of_time_and_only_while_set() {
        let alarms = Alarms::default();
        let now = Instant::now();
        alarms.set("late", now + Duration::from_secs(9));
        alarms.set("moved", now + Duration::from_secs(1));
        alarms.set("gone", now + Duration::from_secs(2));
        alarms.set("moved", now + Duration::from_secs(5));
        alarms.clear("gone");
        assert_eq!(alarms.next().await, "moved");
        assert_eq!(now.elapsed().as_secs(), 5);
        assert_eq!(alarms.next().await, "late");
    }
}
