//! `wf-host config`.

use clap::Args;

use super::Problem;
use super::layers::{self, Layers};
use super::screen::out;
use super::serve::Serve;

/// Prints what `serve` would do with these arguments, and where each setting comes from.
///
/// A setting is taken from its flag, else from the environment, else from `wf-host.toml` in this
/// folder (or the file that `--config` names), else it has its default. What is printed is such a file.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host config                                  what `wf-host serve` would do here
  wf-host config --port 9000 workflows/           what it would do with these
  wf-host config --schema > wf-host.schema.json   for editors: `#:schema ./wf-host.schema.json`
")]
pub(super) struct Config {
    #[command(flatten)]
    serve: Serve,
    /// Print JSON, with the origin of each setting.
    #[arg(long)]
    json: bool,
    /// Print the JSON Schema of `wf-host.toml`.
    #[arg(long, conflicts_with = "json")]
    schema: bool,
}

impl Config {
    /// The file that was asked for.
    pub(super) fn file(&self) -> Option<&std::path::Path> {
        self.serve.file()
    }

    pub(super) fn run(self, mut layers: Layers) -> Result<(), Problem> {
        if self.schema {
            return out(&format!("{:#}\n", layers::schema()));
        }
        self.serve.settle(&mut layers)?;
        out(&format!("{}\n", if self.json { layers.json() } else { layers.toml() }))
    }
}
