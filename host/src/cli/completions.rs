//! `wf-host completions`.

use clap::Args;
use clap_complete::Shell;
use clap_complete::env::Shells;

use super::Problem;
use super::screen::out;

/// Prints completions for a shell.
///
/// They know the workflows, handlers and events of the server that a line speaks to (`--server`, or
/// WF_HOST_SERVER), where it answers.
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
    pub(super) fn run(&self) -> Result<(), Problem> {
        let name = self.shell.to_string();
        let mut script = Vec::new();
        let written =
            Shells::builtins().completer(&name).map(|it| it.write_registration("COMPLETE", "wf-host", "wf-host", "wf-host", &mut script));
        match written {
            Some(Ok(())) => out(&String::from_utf8_lossy(&script)),
            _ => Err(Problem::new(format!("there are no completions for {name}"))),
        }
    }
}
