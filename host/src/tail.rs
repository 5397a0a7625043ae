//! The live end of a run's stream: what its readers wait on.
//!
//! The store is the truth; a tail only says how far it goes, and keeps the newest frames so that
//! many readers of one stream do not each ask the store for the same rows. While no worker here
//! drives the run, another host may: then readers follow the store.

use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;

use crate::model::Frame;
use crate::store::Store;

/// Frames kept in memory for the readers of one run, and bytes of them.
const RECENT_MAX: usize = 256;
const RECENT_BYTES_MAX: usize = 4 << 20;
/// Frames that are read from the store at once.
const BATCH_MAX: usize = 512;

/// The tails of the runs that have a worker or a reader.
#[derive(Default)]
pub struct Tails {
    tails: Mutex<HashMap<String, Weak<Tail>>>,
    closed: AtomicBool,
}

/// The end of one run's stream.
pub struct Tail {
    signal: watch::Sender<Mark>,
    /// How many workers here drive the run: one that comes may overlap with one that goes.
    workers: watch::Sender<usize>,
    recent: Mutex<VecDeque<Frame>>,
}

/// The tail of a run that a worker here drives, as long as it is held.
pub struct Driven(Arc<Tail>);

#[derive(Clone, Default)]
struct Mark {
    /// Counts the changes, so that each wakes the readers.
    changes: u64,
    /// The run has ended.
    ended: bool,
    /// The host stops: nothing will follow.
    closed: bool,
}

impl Tails {
    /// The tail of a run, made when nobody holds it.
    pub fn of(&self, run: &str) -> Arc<Tail> {
        let mut tails = self.tails.lock().expect("no panic while locked");
        if let Some(tail) = tails.get(run).and_then(Weak::upgrade) {
            return tail;
        }
        if tails.len() > 64 && tails.len().is_power_of_two() {
            tails.retain(|_, tail| tail.strong_count() > 0);
        }
        let signal = watch::channel(Mark { closed: self.closed.load(Ordering::Acquire), ..Mark::default() }).0;
        let tail = Arc::new(Tail { signal, workers: watch::Sender::default(), recent: Mutex::default() });
        tails.insert(run.to_owned(), Arc::downgrade(&tail));
        tail
    }

    /// The tail of a run, if somebody holds it.
    fn held(&self, run: &str) -> Option<Arc<Tail>> {
        self.tails.lock().expect("no panic while locked").get(run).and_then(Weak::upgrade)
    }

    /// The tail of a run that a worker drives from here on. What was stored and never shown here, because whoever
    /// stored it is gone, or is another host, is shown from the store.
    pub fn driven(&self, run: &str) -> Driven {
        let tail = self.of(run);
        tail.recent.lock().expect("no panic while locked").clear();
        tail.workers.send_modify(|workers| *workers += 1);
        Driven(tail)
    }

    /// A run is over, or was deleted: what is left of it is in the store.
    pub fn end(&self, run: &str) {
        if let Some(tail) = self.held(run) {
            tail.end();
        }
    }

    /// Ends every stream without a terminal frame: the host stops.
    pub fn close(&self) {
        let tails = self.tails.lock().expect("no panic while locked");
        self.closed.store(true, Ordering::Release);
        let open = tails.values().filter_map(Weak::upgrade);
        open.for_each(|tail| tail.signal.send_modify(|mark| mark.closed = true));
    }
}

impl Tail {
    /// Hands durable frames to the readers.
    pub fn extend(&self, frames: Vec<Frame>) {
        let Some(first) = frames.first() else { return };
        let mut recent = self.recent.lock().expect("no panic while locked");
        // After a reload some may be missing here; the readers find them in the store.
        if recent.back().is_some_and(|last| last.sequence + 1 != first.sequence) {
            recent.clear();
        }
        recent.extend(frames);
        let mut size: usize = recent.iter().map(|frame| frame.envelope.len()).sum();
        while !self.has_readers() && !recent.is_empty() || recent.len() > RECENT_MAX || size > RECENT_BYTES_MAX && recent.len() > 1 {
            size -= recent.pop_front().map_or(0, |frame| frame.envelope.len());
        }
        drop(recent);
        self.signal.send_modify(|mark| mark.changes += 1);
    }

    /// Whether somebody waits for frames.
    pub fn has_readers(&self) -> bool {
        self.signal.receiver_count() > 0
    }

    /// Says that the run has ended, durably; its frames came before.
    pub fn end(&self) {
        self.signal.send_modify(|mark| mark.ended = true);
    }

    /// The frames after a sequence, if memory reaches back that far.
    fn recent(&self, after: i64) -> Option<Vec<Frame>> {
        let recent = self.recent.lock().expect("no panic while locked");
        let first = i64::try_from(recent.front()?.sequence).ok()?;
        let skip = usize::try_from(after.saturating_add(1).checked_sub(first)?).ok()?;
        Some(recent.iter().skip(skip).cloned().collect())
    }

    /// What memory still has after a sequence.
    fn remaining(&self, after: i64) -> Vec<Frame> {
        let recent = self.recent.lock().expect("no panic while locked");
        recent.iter().filter(|frame| i64::try_from(frame.sequence).is_ok_and(|it| it > after)).cloned().collect()
    }
}

impl Deref for Driven {
    type Target = Tail;

    fn deref(&self) -> &Tail {
        &self.0
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if !self.0.signal.borrow().ended {
            // Others may add to what was shown here.
            self.0.recent.lock().expect("no panic while locked").clear();
        }
        self.0.workers.send_modify(|workers| *workers -= 1);
    }
}

/// What happens to a run where nobody here tells of it.
pub struct Moves {
    store: Arc<dyn Store>,
    run: String,
    workers: watch::Receiver<usize>,
    /// None: as long as a worker here drives the run, nobody else need be watched.
    changes: Option<watch::Receiver<u64>>,
    /// Kept, because whoever drives the run must have the same.
    _tail: Arc<Tail>,
}

impl Moves {
    /// From here on.
    pub fn of(store: Arc<dyn Store>, tail: Arc<Tail>, run: &str) -> Moves {
        Moves { store, run: run.to_owned(), workers: tail.workers.subscribe(), changes: None, _tail: tail }
    }

    /// Called before the store is asked: what comes afterwards is still to be seen. Says whether a worker here drives the run.
    pub fn look(&mut self) -> bool {
        let here = *self.workers.borrow_and_update() > 0;
        match &mut self.changes {
            Some(changes) => changes.mark_unchanged(),
            None if !here => self.changes = Some(self.store.watch(&self.run)),
            None => (),
        }
        here
    }

    /// Until a worker here takes the run or leaves it, or the run changes while there is none: while there is one, it
    /// tells of all that happens, and nobody need ask the store.
    pub async fn next(&mut self) {
        let here = *self.workers.borrow() > 0;
        let Some(changes) = self.changes.as_mut().filter(|_| !here) else {
            // Nobody has looked since it left: it may have changed already.
            if here && self.workers.changed().await.is_err() {
                std::future::pending().await
            }
            return;
        };
        tokio::select! {
            Ok(()) = self.workers.changed() => (),
            Ok(()) = changes.changed() => (),
            else => std::future::pending().await,
        }
    }
}

struct Reader {
    store: Arc<dyn Store>,
    run: String,
    tail: Arc<Tail>,
    signal: watch::Receiver<Mark>,
    moves: Moves,
    after: i64,
    /// Seen running while we held the tail: then its end comes through the tail, if a worker here drives it.
    known_running: bool,
    ended: bool,
}

/// Durable frames after a sequence, then live ones; ends after the terminal frame.
pub fn frames(store: Arc<dyn Store>, tail: Arc<Tail>, run: &str, after: i64) -> BoxStream<'static, Vec<Frame>> {
    let signal = tail.signal.subscribe();
    let moves = Moves::of(store.clone(), tail.clone(), run);
    let reader = Reader { store, run: run.to_owned(), tail, signal, moves, after, known_running: false, ended: false };
    stream::unfold(reader, |mut reader| async {
        let frames = reader.next().await?;
        Some((frames, reader))
    })
    .boxed()
}

impl Reader {
    async fn next(&mut self) -> Option<Vec<Frame>> {
        while !self.ended {
            // Marked as seen before reading, so that what comes in between wakes us again.
            let Mark { closed, ended, .. } = self.signal.borrow_and_update().clone();
            let here = self.moves.look();
            let mut frames = match self.tail.recent(self.after) {
                Some(frames) => frames,
                None => self.stored().await?,
            };
            if frames.is_empty() && ended {
                // Purged: the store has nothing left, and the terminal frame is still here.
                frames = self.tail.remaining(self.after);
            }
            if frames.is_empty() && !(here && self.known_running) && !ended {
                self.known_running = self.is_running().await;
                if !self.known_running {
                    // It ended while we looked, or before: whatever there is, is stored.
                    frames = self.stored().await?;
                    self.ended = frames.is_empty();
                }
            }
            if let Some(last) = frames.last() {
                self.after = i64::try_from(last.sequence).unwrap_or(i64::MAX);
                self.ended = last.terminal;
                return Some(frames);
            }
            if self.ended || closed || ended {
                return None;
            }
            tokio::select! {
                Ok(()) = self.signal.changed() => (),
                () = self.moves.next() => (),
            }
        }
        None
    }

    /// Whether something may follow. A run may have ended before this tail was made.
    async fn is_running(&self) -> bool {
        matches!(self.store.run(&self.run).await, Ok(Some(run)) if run.status.is_running())
    }

    async fn stored(&self) -> Option<Vec<Frame>> {
        let rows = self.store.frames(&self.run, self.after, BATCH_MAX).await;
        let rows = rows.inspect_err(|error| tracing::warn!(run.id = self.run, "run `{}`: a reader failed: {error}", self.run));
        Some(rows.ok()?.into_iter().map(Frame::from).collect())
    }
}
