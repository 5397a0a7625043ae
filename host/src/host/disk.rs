//! The room on the disk: it is said that there is little of it, before there is none.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use crate::config::Config;

/// Looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Below such a share of the disk there is little room, or below so many bytes, whichever is less.
const FREE_SHARE: u64 = 20;
const FREE_BYTES: u64 = 1 << 30;

/// What is to be said of the room on the disk. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Arc<Mutex<Option<String>>>);

impl Room {
    pub(super) fn warning(&self) -> Option<String> {
        self.0.lock().expect("no panic while locked").clone()
    }

    /// Says whether there is something new to be said.
    fn set(&self, warning: Option<String>) -> bool {
        let mut before = self.0.lock().expect("no panic while locked");
        let differs = before.is_some() != warning.is_some();
        *before = warning;
        differs
    }
}

/// Looks after the disk of a folder until nobody is left who asks.
pub(super) async fn watch(folder: PathBuf, room: Room, mut configured: watch::Receiver<Config>) {
    loop {
        let free_min = configured.borrow_and_update().free_min;
        let (of, looked_at) = (folder.clone(), tokio::task::spawn_blocking);
        match looked_at(move || look(&of)).await {
            Ok(Ok((free, whole))) => {
                let warning = little(free, whole, free_min).then(|| warning(&folder, free));
                if room.set(warning.clone()) {
                    match warning {
                        Some(warning) => tracing::warn!("{warning}"),
                        None => tracing::info!("the disk of `{}` has room again", folder.display()),
                    }
                }
            }
            Ok(Err(error)) => tracing::debug!("the room on the disk of `{}` is not known: {error}", folder.display()),
            Err(error) => tracing::debug!("the room on the disk of `{}` is not known: {error}", folder.display()),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => (),
            changed = configured.changed() => if changed.is_err() { return },
        }
    }
}

/// What is free on its disk for such as us, and all of it, in bytes.
fn look(folder: &Path) -> std::io::Result<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok((disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize)))
}

fn little(free: u64, whole: u64, free_min: Option<u64>) -> bool {
    free < free_min.unwrap_or((whole / FREE_SHARE).min(FREE_BYTES))
}

fn warning(folder: &Path, free: u64) -> String {
    format!("the disk of `{}` is nearly full: {} MiB are free; `wf-host store` shows what takes space", folder.display(), free >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_little_room_below_a_share_of_the_disk_and_never_above_a_gibibyte() {
        let gib = 1 << 30;
        assert!(little(49, 1000, None) && !little(50, 1000, None));
        assert!(little(gib - 1, 1000 * gib, None) && !little(gib, 1000 * gib, None));
        assert!(little(99, 1000, Some(100)) && !little(100, 1000, Some(100)) && !little(0, 1000, Some(0)));
    }
}
