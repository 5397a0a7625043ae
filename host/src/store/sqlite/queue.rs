//! What waits to be written, and how much of it goes into one transaction.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::change::Change;
use crate::store::Result;

/// How long a write that nobody waits for may wait for company.
const LINGER_MAX: Duration = Duration::from_millis(5);
/// Changes of one transaction, and how large they may be together: others wait for them.
const GROUP_MAX: usize = 1000;
const GROUP_BYTES_MAX: usize = 16 << 20;
/// How much may wait before nothing new is begun: what goes on may still be written, which has bounds of its own.
const WAITING_BYTES_MAX: usize = 256 << 20;

/// Makes a change, or says what keeps it from being made; again, where its group was rolled back.
/// One that is refused is made: its answer is the refusal.
pub(super) type Make = Box<dyn Fn(&Connection) -> Change + Send>;
/// Is told how the commit went.
pub(super) type Tell = Box<dyn FnOnce(Result<()>) + Send>;

pub(super) struct Job {
    size: usize,
    waited: bool,
    came: Instant,
    pub(super) make: Make,
    pub(super) tell: Tell,
}

impl Job {
    pub(super) fn new(size: usize, waited: bool, make: Make, tell: Tell) -> Job {
        Job { size, waited, came: Instant::now(), make, tell }
    }
}

#[derive(Default)]
pub(super) struct Queue {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Default)]
struct Pending {
    jobs: VecDeque<Job>,
    /// How many of them somebody waits for.
    waited: usize,
    /// How large they are together.
    bytes: usize,
    closed: bool,
    abandoned: bool,
}

impl Queue {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().expect("no panic while locked")
    }

    pub(super) fn push(&self, job: Job) {
        let mut pending = self.pending();
        // Dropped, it tells that there is nobody to do it.
        if !pending.abandoned {
            pending.waited += usize::from(job.waited);
            pending.bytes += job.size;
            pending.jobs.push_back(job);
            drop(pending);
            self.changed.notify_one();
        }
    }

    /// Whether so much waits that nothing new may be begun.
    pub(super) fn is_full(&self) -> bool {
        self.pending().bytes > WAITING_BYTES_MAX
    }

    /// What is queued is still taken.
    pub(super) fn close(&self) {
        self.pending().closed = true;
        self.changed.notify_one();
    }

    /// Nothing is taken any more.
    pub(super) fn abandon(&self) {
        let mut pending = self.pending();
        pending.abandoned = true;
        let jobs = std::mem::take(&mut pending.jobs);
        pending.bytes = 0;
        drop(pending);
        drop(jobs);
    }

    /// The next group, which is empty when none has come for some time; none when the queue is
    /// closed and nothing is left.
    pub(super) fn take(&self, patience: Option<Duration>) -> Option<Vec<Job>> {
        let until = patience.map(|patience| Instant::now() + patience);
        let mut pending = self.pending();
        loop {
            let left = match pending.jobs.front() {
                Some(first) => {
                    let left = LINGER_MAX.saturating_sub(first.came.elapsed());
                    if pending.waited > 0 || pending.closed || left.is_zero() {
                        return Some(pending.group());
                    }
                    Some(left)
                }
                None if pending.closed => return None,
                None => until.map(|until| until.saturating_duration_since(Instant::now())),
            };
            pending = match left {
                Some(Duration::ZERO) => return Some(Vec::new()),
                Some(left) => self.changed.wait_timeout(pending, left).expect("no panic while locked").0,
                None => self.changed.wait(pending).expect("no panic while locked"),
            };
        }
    }
}

impl Pending {
    fn group(&mut self) -> Vec<Job> {
        let mut bytes = 0;
        let fits = |job: &&Job| {
            let first = bytes == 0;
            bytes += job.size.max(1);
            first || bytes <= GROUP_BYTES_MAX
        };
        let count = self.jobs.iter().take(GROUP_MAX).take_while(fits).count();
        let group: Vec<Job> = self.jobs.drain(..count).collect();
        self.waited -= group.iter().filter(|job| job.waited).count();
        self.bytes -= group.iter().map(|job| job.size).sum::<usize>();
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_bounded() {
        let queue = Queue::default();
        let sizes = (0..2500).map(|_| 0).chain([GROUP_BYTES_MAX * 2, GROUP_BYTES_MAX / 2, GROUP_BYTES_MAX / 2, 1]);
        for size in sizes {
            queue.push(Job::new(size, size > 0, Box::new(|_| Ok(())), Box::new(|_| ())));
        }
        let mut groups = Vec::new();
        while let Some(group) = queue.take(Some(Duration::ZERO)).filter(|group| !group.is_empty()) {
            groups.push(group.len());
        }
        assert_eq!(groups, [1000, 1000, 500, 1, 2, 1]);
    }

    #[test]
    fn a_queue_is_full_until_it_was_taken() {
        let queue = Queue::default();
        let push = |size| queue.push(Job::new(size, true, Box::new(|_| Ok(())), Box::new(|_| ())));
        push(WAITING_BYTES_MAX);
        assert!(!queue.is_full());
        push(1);
        assert!(queue.is_full());
        assert_eq!(queue.take(None).map(|group| group.len()), Some(1));
        assert!(!queue.is_full());
    }

    #[test]
    fn what_nobody_waits_for_waits_a_little_for_company() {
        let queue = Queue::default();
        let job = |waited| Job::new(0, waited, Box::new(|_| Ok(())), Box::new(|_| ()));
        queue.push(job(false));
        let before = Instant::now();
        assert_eq!(queue.take(None).map(|group| group.len()), Some(1));
        assert!(before.elapsed() < LINGER_MAX * 20, "{:?}", before.elapsed());
        queue.push(job(false));
        queue.push(job(true));
        assert_eq!(queue.take(None).map(|group| group.len()), Some(2));
        queue.push(job(false));
        queue.close();
        assert_eq!(queue.take(None).map(|group| group.len()), Some(1));
        assert!(queue.take(None).is_none());
    }
}
