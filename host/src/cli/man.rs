//! `wf-host man`.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::Problem;

/// Writes the man pages, one for each command.
#[derive(Args)]
#[command(after_help = "\
Example:
  wf-host man ~/.local/share/man/man1 && man wf-host-serve
")]
pub(super) struct Man {
    /// The folder to write them to.
    dir: PathBuf,
}

impl Man {
    pub(super) fn run(&self) -> Result<(), Problem> {
        let written = std::fs::create_dir_all(&self.dir).and_then(|()| clap_mangen::generate_to(super::Arguments::command(), &self.dir));
        let problem = |error| Problem::new(format!("the man pages cannot be written to `{}`: {error}", self.dir.display()));
        written.map_err(|error| problem(error).hint("name a folder that you can write to"))
    }
}
