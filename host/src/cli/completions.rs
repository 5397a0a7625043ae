//! `wf-host completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Prints completions for a shell.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host completions bash > ~/.local/share/bash-completion/completions/wf-host
  wf-host completions fish > ~/.config/fish/completions/wf-host.fish
")]
pub(super) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) {
        clap_complete::generate(self.shell, &mut super::Arguments::command(), "wf-host", &mut std::io::stdout());
    }
}
