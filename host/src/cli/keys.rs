//! `wf-host keys`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use wf_engine::entry::Micros;
use wf_engine::time::utc_text;

use super::Problem;
use super::layers::Layers;
use super::people::table;
use super::place::{noted, settled};
use super::screen::out;
use crate::audit::Line;
use crate::clock::Clock;
use crate::keys::{Key, KeyFile, NewKey, Scope};
use crate::store;

/// Makes, lists and revokes the keys that a server asks for. A server that runs takes notice at once.
///
/// Without keys a server lets everybody in. With the first it is locked, and stays so.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host keys add ada                                            one that reads and runs everything
  wf-host keys add ci --scope run --workflow 'build-*' --expires 90d
  wf-host keys                                                    those that are there
  wf-host keys revoke ci
")]
pub(super) struct Keys {
    /// A file of settings, as for `serve` [default: ./wf-host.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "WF_HOST_CONFIG")]
    config: Option<PathBuf>,
    /// The store of the server, as for `serve` [default: a SQLite file in the data directory]
    #[arg(long, global = true, env = "WF_HOST_STORE")]
    store: Option<String>,
    /// The data directory of the server [default: .wf-host]
    #[arg(long, global = true, env = "WF_HOST_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<KeysCommand>,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Makes a key, and prints it: this once.
    Add {
        /// Whose it is, or what for.
        name: String,
        /// What it is good for.
        #[arg(long = "scope", value_enum, value_delimiter = ',', default_values = ["read", "run"])]
        scopes: Vec<ScopeName>,
        /// A workflow that it knows, or a pattern of names; all others are not there for it. May be repeated [default: all]
        #[arg(long = "workflow", value_name = "PATTERN")]
        workflows: Vec<String>,
        /// When it ends by itself, from now, as in `90d`, `12h`, `30m` or `45s` [default: never]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Lists the keys.
    Ls,
    /// Takes a key away. Whoever has signed in with it is signed out, and streams end.
    Revoke {
        /// Its name.
        name: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum ScopeName {
    /// Looking at workflows and runs.
    Read,
    /// Starting and cancelling runs, sending events.
    Run,
    /// Everything, purging included.
    Admin,
}

impl Keys {
    /// The file that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    pub(super) fn run(self, mut layers: Layers) -> Result<(), Problem> {
        let (store, data_dir) = settled(&mut layers, self.store, self.data_dir);
        let file = KeyFile::new(store::beside(store.as_deref(), &data_dir, "keys")?);
        let audit = store::beside(store.as_deref(), &data_dir, "audit.log")?;
        let now = Clock::new(0).at();
        let note = |action, of: String| noted(&audit, &Line { at: utc_text(now), action, of: Some(of), ..Line::default() });
        match self.command.unwrap_or(KeysCommand::Ls) {
            KeysCommand::Add { name, scopes, workflows, expires } => {
                let expires_at = expires.map(|text| Ok::<_, Problem>(now.saturating_add(time(&text)?))).transpose()?;
                let new = NewKey { name: name.clone(), scopes: scopes.into_iter().map(Scope::from).collect(), workflows, expires_at };
                let first = file.read()?.is_none();
                let secret = file.change(|keys| keys.add(new, now))?;
                note("add-key", name.clone());
                if first {
                    locked(&file);
                }
                let shown = json!({ "name": name, "key": secret });
                out(&if self.json { format!("{shown}\n") } else { format!("{secret}\n") })
            }
            KeysCommand::Ls => {
                let keys = file.read()?.map(|keys| keys.keys().to_vec()).unwrap_or_default();
                let listed = if self.json { format!("{:#}", json!(keys.iter().map(Shown::json).collect::<Vec<_>>())) } else { list(&keys) };
                out(&format!("{listed}\n"))
            }
            KeysCommand::Revoke { name } => {
                file.change(|keys| keys.revoke(&name))?;
                note("revoke-key", name);
                Ok(())
            }
        }
    }
}

impl From<ScopeName> for Scope {
    fn from(name: ScopeName) -> Scope {
        match name {
            ScopeName::Read => Scope::Read,
            ScopeName::Run => Scope::Run,
            ScopeName::Admin => Scope::Admin,
        }
    }
}

/// A key, for whoever looks at the list.
struct Shown;

impl Shown {
    fn json(key: &Key) -> serde_json::Value {
        json!({
            "name": key.name, "scopes": key.scopes, "workflows": key.workflows,
            "created_at": utc_text(key.created_at), "expires_at": key.expires_at.map(utc_text),
        })
    }
}

fn list(keys: &[Key]) -> String {
    let rows = keys.iter().map(|key| {
        let scopes = key.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let workflows = if key.workflows.is_empty() {
            "*".to_owned()
        } else {
            key.workflows.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        let expires = key.expires_at.map_or_else(|| "-".to_owned(), utc_text);
        [key.name.clone(), scopes, workflows, utc_text(key.created_at), expires]
    });
    table(["NAME", "SCOPES", "WORKFLOWS", "MADE", "EXPIRES"], rows.collect())
}

/// From now, in microseconds.
fn time(text: &str) -> Result<Micros, Problem> {
    let problem = || {
        Problem::new(format!("`--expires` cannot be `{text}`"))
            .hint("give a number and a unit of `d`, `h`, `m` and `s`, as in `90d`")
            .usage()
    };
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(problem)?;
    let seconds: Micros = match unit {
        "d" => 86_400,
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => return Err(problem()),
    };
    let number: Micros = number.parse().map_err(|_| problem())?;
    number.checked_mul(seconds * 1_000_000).filter(|it| *it > 0).ok_or_else(problem)
}

#[expect(clippy::print_stderr, reason = "the command line's own output")]
fn locked(file: &KeyFile) {
    eprintln!("from now on everybody needs a key, also when the last one is revoked; without `{}` nobody does", file.path().display());
}
