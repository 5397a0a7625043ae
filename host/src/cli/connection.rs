//! The server that a command speaks to, and what can go wrong with it.

use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use clap::{Args, Parser};
use wf_client::{Client, Error, Status};

use super::Problem;

/// The server that is meant when nothing says so.
pub(super) const SERVER: &str = "http://127.0.0.1:8080";

/// How long a server that is not there, or that starts or stops, is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// Which server, and for whom the output is.
#[derive(Args)]
pub(super) struct Remote {
    /// The server.
    #[arg(long, global = true, value_name = "URL", env = "WF_HOST_SERVER", default_value = SERVER)]
    server: String,
    #[command(flatten)]
    trust: Trust,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Who asks, and whom they trust.
#[derive(Parser)]
pub(super) struct Trust {
    /// The API key, where the server asks for one. The variable keeps it from the list of processes.
    #[arg(long, global = true, value_name = "KEY", env = "WF_HOST_API_KEY", hide_env_values = true, conflicts_with = "api_key_file")]
    api_key: Option<String>,
    /// A file that holds it.
    #[arg(long, global = true, value_name = "FILE", env = "WF_HOST_API_KEY_FILE")]
    api_key_file: Option<PathBuf>,
    /// Certificates to trust beside the system's, as PEM.
    #[arg(long, global = true, value_name = "FILE", env = "WF_HOST_CA_CERT")]
    ca_cert: Option<PathBuf>,
}

impl Trust {
    /// Makes a client show it.
    fn give(&self, mut client: Client) -> Result<Client, Problem> {
        let read = |path: &PathBuf| {
            let problem =
                |error| Problem::new(format!("`{}` cannot be read: {error}", path.display())).hint("correct its name, or its permissions");
            std::fs::read(path).map_err(|error| problem(error).usage())
        };
        if let Some(path) = &self.ca_cert {
            client = client.with_ca(&read(path)?).map_err(|error| {
                Problem::new(format!("`{}` cannot be trusted: {error}", path.display())).hint("`--ca-cert` names a PEM file").usage()
            })?;
        }
        let from_file = self.api_key_file.as_ref().map(read).transpose()?;
        let key = from_file.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).or_else(|| self.api_key.clone());
        match key.filter(|key| !key.trim().is_empty()) {
            Some(key) => {
                client.with_key(&key).map_err(|error| Problem::new(error.to_string()).hint("`wf-host keys add NAME` makes one").usage())
            }
            None => Ok(client),
        }
    }
}

impl Remote {
    /// A client of that server.
    pub(super) fn client(&self) -> Result<Client, Problem> {
        let client = Client::new(&self.server).map(|client| client.with_patience(PATIENCE).with_notice(notice));
        self.trust.give(client.map_err(|error| self.problem(&error).usage())?)
    }

    /// What went wrong, and what to do.
    pub(super) fn problem(&self, error: &Error) -> Problem {
        let problem = Problem::new(error.to_string());
        match error {
            Error::Url { .. } => problem.hint("give it as in `--server http://127.0.0.1:8080`"),
            Error::Connection(_) => problem.hint(format!("is a server at {}? `--server` names another", self.server)).unreachable(),
            Error::Untrusted(_) => problem.hint("`--ca-cert` names certificates to trust; a server without TLS is at `http://`"),
            Error::Unavailable { .. } => problem.hint("it starts or stops, or its store refuses; ask again later").unreachable(),
            Error::TooMany { detail, .. } if detail.ends_with("(limit inbox_max)") => {
                problem.hint("the run takes more once a step of it waits for what it keeps; `wf-host runs show` says how it stands")
            }
            Error::TooMany { .. } => problem.hint("wait a little, or have its `--rate-limit` raised"),
            Error::Refused { status: 401, .. } => {
                problem.hint("give a key with `--api-key` or WF_HOST_API_KEY; `wf-host keys add NAME`, where the server runs, makes one")
            }
            Error::Refused { status: 403, .. } => problem.hint("`wf-host keys ls`, where the server runs, says what each key is good for"),
            Error::Refused { status: 404, detail } if detail == "Workflow not found" => {
                problem.hint("`wf-host workflows ls` lists those that are there")
            }
            Error::Refused { status: 404, .. } => problem.hint("`wf-host runs ls` lists the handlers that are there"),
            Error::Refused { status: 409, .. } => problem.hint("`wf-host runs show` says how it stands"),
            Error::Refused { status: 400 | 422, detail } if is_of_a_list(detail) => {
                problem.hint("`wf-host runs ls --help` says what it may be").usage()
            }
            Error::Refused { status: 413, .. } => problem.hint("send less, or have the server's `--body-max` raised"),
            Error::Refused { status: 500.., .. } => problem.hint("the server's log says more"),
            Error::Refused { .. } => problem.hint("`wf-host workflows show` names the events and their fields"),
            Error::Failed { .. } | Error::Cancelled { .. } => problem,
            Error::Form(_) | Error::Key(_) | Error::Certificate(_) => problem.hint("is it a server for workflows?"),
        }
    }
}

/// Whether a refusal is of what a list was asked for.
fn is_of_a_list(detail: &str) -> bool {
    ["limit", "before", "since", "until", "order"].iter().any(|it| detail.starts_with(&format!("Invalid {it}:")))
}

/// Says once why nothing happens.
fn notice(error: &Error) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let message = format!("{error}; that is tried again for {} seconds", PATIENCE.as_secs());
        Problem::new(message).hint("Ctrl-C ends it").warn();
    });
}

/// A client for completions: as the variables say, where the line that is being written does not.
pub(super) fn unasked(url: &str, key: Option<String>) -> Option<Client> {
    // Only the program's name stands there: all else comes from the variables.
    let trust = Trust::try_parse_from(["wf-host"]).ok()?;
    let client = trust.give(Client::new(url).ok()?.with_patience(Duration::ZERO)).ok()?;
    match key {
        Some(key) => client.with_key(&key).ok(),
        None => Some(client),
    }
}

/// The name of a status.
pub(super) fn name(status: Status) -> String {
    serde_json::to_value(status).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}
