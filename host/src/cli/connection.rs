//! The server that a command speaks to, and what can go wrong with it.

use clap::Args;
use wf_client::{Client, Error, Status};

use super::Problem;

/// The server that is meant when nothing says so.
pub(super) const SERVER: &str = "http://127.0.0.1:8080";

/// Which server, and for whom the output is.
#[derive(Args)]
pub(super) struct Remote {
    /// The server.
    #[arg(long, global = true, value_name = "URL", env = "WF_HOST_SERVER", default_value = SERVER)]
    server: String,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Remote {
    /// A client of that server.
    pub(super) fn client(&self) -> Result<Client, Problem> {
        // A person waits: whether the server is there shows at once.
        let client = Client::new(&self.server).map(|client| client.with_retries(2));
        client.map_err(|error| self.problem(&error).usage())
    }

    /// What went wrong, and what to do.
    pub(super) fn problem(&self, error: &Error) -> Problem {
        let problem = Problem::new(error.to_string());
        match error {
            Error::Url { .. } => problem.hint("give it as in `--server http://127.0.0.1:8080`"),
            Error::Connection(_) => problem.hint(format!("is a server at {}? `--server` names another", self.server)),
            Error::Refused { status: 404, detail } if detail == "Workflow not found" => {
                problem.hint("`wf-host workflows ls` lists those that are there")
            }
            Error::Refused { status: 404, .. } => problem.hint("`wf-host runs ls` lists the handlers that are there"),
            Error::Refused { status: 409, .. } => problem.hint("`wf-host runs show` says how it stands"),
            Error::Refused { .. } => problem.hint("`wf-host workflows show` names the events and their fields"),
            Error::Form(_) => problem.hint("is it a server for workflows?"),
        }
    }
}

/// The name of a status.
pub(super) fn name(status: Status) -> String {
    serde_json::to_value(status).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}
