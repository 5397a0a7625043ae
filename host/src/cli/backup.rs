//! `wf-host backup` and `wf-host restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use wf_engine::time::utc_text;

use super::Problem;
use super::layers::Layers;
use super::place::{Found, Place};
use super::progress::{Progress, size};
use super::screen::out;
use crate::care::backup::{self, Copied, Failure};
use crate::clock::Clock;

/// Copies a store with its keys into one file, also while a server has it.
///
/// The file has its name once it is whole; until then it is PATH.partial. Whatever a server has answered before the
/// command was called is in it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host backup runs-monday.backup
  wf-host backup /mnt/backups/runs.backup --data-dir /var/lib/wf-host
  wf-host restore /mnt/backups/runs.backup --data-dir /var/lib/wf-host-again
")]
pub(super) struct Backup {
    /// The file to make. It must not be there.
    path: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Makes a store of a backup, where there is none.
///
/// Its runs go on with the next server on it. Where the server goes on that the backup is of, do not let both run: what is
/// under way would be done twice.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host restore runs-monday.backup
  wf-host restore /mnt/backups/runs.backup --data-dir /var/lib/wf-host
  wf-host restore runs-monday.backup --force                      in the place of the store that is there
")]
pub(super) struct Restore {
    /// What `wf-host backup` has made.
    path: PathBuf,
    /// Replace the store that is there, and its keys.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

impl Backup {
    /// The file of settings that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.place.file()
    }

    pub(super) fn run(self, mut layers: Layers) -> Result<(), Problem> {
        let found = self.place.find(&mut layers)?;
        let mut progress = Progress::begun();
        let copied =
            backup::make(&found.place(), &self.path, Clock::new(0).at(), &mut |done, all| progress.tell_bytes("copied", done, Some(all)))?;
        found.note("backup", &self.path, None);
        out(&format!("{} ({}, {})\n", self.path.display(), size(copied.size), keys(&copied)))
    }
}

impl Restore {
    /// The file of settings that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.place.file()
    }

    pub(super) fn run(self, mut layers: Layers) -> Result<(), Problem> {
        let found = self.place.find(&mut layers)?;
        let copied = backup::restore(&self.path, &found.place(), self.force)?;
        found.note("restore", &self.path, None);
        out(&format!("{} (as of {}, {})\n", found.database.display(), utc_text(copied.made_at), keys(&copied)))
    }
}

fn keys(copied: &Copied) -> String {
    match copied.keys {
        None => "no keys: a server on it lets everybody in".to_owned(),
        Some(1) => "with its 1 key".to_owned(),
        Some(many) => format!("with its {many} keys"),
    }
}

impl Found {
    fn place(&self) -> backup::Place {
        backup::Place { database: self.database.clone(), keys: self.keys.clone() }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        match failure {
            Failure::Store(error) => error.into(),
            Failure::Keys(error) => error.into(),
        }
    }
}
