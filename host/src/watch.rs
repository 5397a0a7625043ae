//! Reload: what files there are, and what changed about them.
//!
//! Notifications only say that it is time to look; what counts is what is there then. So a file
//! that was replaced, renamed into place, deleted and written again, or reached through another
//! symbolic link is all one case.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify_debouncer_mini::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_mini::{Debouncer, new_debouncer};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::host::Host;
use crate::registry::{Change, Prepared, Source};
use crate::sources;

/// Notifications that come within this are one.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// A file is loaded once it has not changed for so long: it may be half written.
const SETTLED: Duration = Duration::from_millis(40);
/// A file that never rests is loaded all the same after this.
const UNSETTLED_MAX: Duration = Duration::from_secs(1);
/// A load of a version that is gone by now may go on for so long, so that a file that changes often is loaded all the
/// same; then the newest version takes its place.
const OVERTAKEN_AFTER: Duration = Duration::from_secs(10);
/// Looked at without a notification as well: not every file system has them, and what a symbolic
/// link leads to may lie anywhere.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What tells one content of a file from another, without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Fingerprint {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

/// The files that some arguments name, as they were when they were last looked at.
pub struct Watch {
    arguments: Vec<String>,
    seen: HashMap<Source, Vec<Fingerprint>>,
    /// In the order in which the arguments name them.
    order: Vec<Source>,
    /// The last load of each: none keeps another waiting.
    loading: HashMap<Source, Load>,
}

/// A file that is being loaded.
struct Load {
    begun: Instant,
    task: JoinHandle<()>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watch {
    /// Of arguments as on the command line. Files that change from here on are noticed.
    pub fn new(arguments: &[String]) -> Watch {
        let (order, seen) = look(arguments);
        Watch { arguments: arguments.to_vec(), seen, order, loading: HashMap::new() }
    }

    /// Keeps the host's workflows what the files say, until the task is dropped.
    pub async fn run(mut self, host: Host) {
        let (notify, mut notified) = mpsc::unbounded_channel();
        let mut folders = Folders::new(notify);
        loop {
            folders.follow(&self.arguments);
            // Once more where it changed between the last look and the watch.
            self.update(&host).await;
            let _ = tokio::time::timeout(LOOK_EVERY, notified.recv()).await;
            while notified.try_recv().is_ok() {}
        }
    }

    /// Loads what is new or changed, and takes away what is gone.
    async fn update(&mut self, host: &Host) {
        let begun = Instant::now();
        let (mut order, mut found) = look(&self.arguments);
        if found == self.seen {
            return;
        }
        while begun.elapsed() < UNSETTLED_MAX {
            tokio::time::sleep(SETTLED).await;
            let (now_order, now) = look(&self.arguments);
            let settled = now == found;
            (order, found) = (now_order, now);
            if settled {
                break;
            }
        }
        for source in self.order.iter().filter(|it| !found.contains_key(*it)) {
            self.loading.remove(source);
            if let Some(workflow) = host.retire(source) {
                tracing::info!("`{source}` is gone: `{}` takes no new runs; those under way finish", workflow.name);
            }
        }
        self.loading.retain(|_, load| !load.task.is_finished());
        let mut later = Vec::new();
        for source in order.iter().filter(|it| self.seen.get(*it) != found.get(*it)) {
            if self.loading.get(source).is_some_and(|load| load.begun.elapsed() < OVERTAKEN_AFTER) {
                // At the next look it is another still.
                later.push(source.clone());
                continue;
            }
            let task = tokio::spawn(load(host.clone(), source.clone()));
            self.loading.insert(source.clone(), Load { begun: Instant::now(), task });
        }
        for source in later {
            match self.seen.get(&source) {
                Some(before) => drop(found.insert(source, before.clone())),
                None => drop(found.remove(&source)),
            }
        }
        (self.order, self.seen) = (order, found);
    }
}

async fn load(host: Host, source: Source) {
    let begun = Instant::now();
    let prepared = host.prepare(&source).await;
    register(&host, prepared, begun);
}

/// Registers what was loaded while the host serves, and says so.
pub(crate) fn register(host: &Host, prepared: Prepared, begun: Instant) {
    let source = prepared.source.clone();
    match host.register(prepared) {
        Ok((workflow, Change::Added)) => tracing::info!("added `{}` from `{source}` in {:.0?}", workflow.name, begun.elapsed()),
        Ok((workflow, Change::Swapped(changes))) => {
            let changes = if changes.is_empty() { "the same steps and events".to_owned() } else { changes.join(", ") };
            tracing::info!("reloaded `{}` from `{source}` in {:.0?}: {changes}", workflow.name, begun.elapsed());
        }
        Ok((_, Change::None)) => tracing::debug!("`{source}` was written, and is the same"),
        Err(rejected) => {
            let before = host.listings().iter().any(|it| it.source == source && it.workflow.is_some());
            let goes_on = if before { "; the version before goes on" } else { "" };
            let hint = rejected.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
            tracing::warn!("not loaded{goes_on}: {rejected}{hint}");
        }
    }
}

/// What the arguments name now. What cannot be read is not there.
fn look(arguments: &[String]) -> (Vec<Source>, HashMap<Source, Vec<Fingerprint>>) {
    let (mut order, mut found) = (Vec::new(), HashMap::new());
    for source in arguments.iter().flat_map(|it| sources::sources(it).unwrap_or_default()) {
        let Ok(fingerprints) = source.files.iter().map(|it| Fingerprint::of(it)).collect() else { continue };
        if found.insert(source.clone(), fingerprints).is_none() {
            order.push(source);
        }
    }
    (order, found)
}

impl Fingerprint {
    fn of(file: &Path) -> std::io::Result<Fingerprint> {
        let metadata = std::fs::metadata(file)?;
        Ok(Fingerprint {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }
}

/// The folders under notification.
struct Folders {
    debouncer: Option<Debouncer<RecommendedWatcher>>,
    /// By path, with the inode that the notification is for: a folder made anew is another.
    watched: HashMap<PathBuf, u64>,
}

impl Folders {
    fn new(notify: mpsc::UnboundedSender<()>) -> Folders {
        let debouncer = new_debouncer(DEBOUNCE, move |_| {
            // Nobody listens once the watch has ended.
            let _ = notify.send(());
        });
        let debouncer = debouncer.inspect_err(|error| tracing::warn!("files are looked at every second only: {error}")).ok();
        Folders { debouncer, watched: HashMap::new() }
    }

    fn follow(&mut self, arguments: &[String]) {
        let Some(debouncer) = &mut self.debouncer else { return };
        for (folder, deep) in arguments.iter().flat_map(|it| sources::folders(it)) {
            let inode = std::fs::metadata(&folder).map(|it| it.ino()).ok();
            if self.watched.get(&folder).copied() == inode {
                continue;
            }
            let mode = if deep { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            // One that is not there is looked at every second until it is.
            match (inode, debouncer.watcher().watch(&folder, mode)) {
                (Some(inode), Ok(())) => drop(self.watched.insert(folder, inode)),
                _ => drop(self.watched.remove(&folder)),
            }
        }
    }
}
