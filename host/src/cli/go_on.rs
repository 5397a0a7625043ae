//! `wf-host runs go-on`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use wf_client::{Client, GoOn, Handler};

use super::candidates;
use super::fork::{Refused, json, run_of};

/// Lets a run go on that waits at breakpoints of `wf-host dev`; prints the id of the run that goes on.
///
/// As it is, or with another event or state: then a fork takes its place under its handler, and the run is cancelled.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host runs go-on vHhEB2Vyg9
  wf-host runs go-on vHhEB2Vyg9 --event '{\"amount\": 5}'
")]
pub(super) struct GoOnRun {
    /// A run's id, or a handler's: then it is its newest run.
    #[arg(add = ArgValueCandidates::new(candidates::handlers))]
    run: String,
    /// Which of its invocations goes on [default: all that wait]
    #[arg(long, value_name = "NUMBER")]
    invocation: Option<u64>,
    /// What it is given instead, as JSON, or `@` and a file: its fields, or `{"type", "value"}`.
    #[arg(long, value_name = "JSON")]
    event: Option<String>,
    /// The state from there on, as a JSON object, or `@` and a file.
    #[arg(long, value_name = "JSON")]
    state: Option<String>,
}

impl GoOnRun {
    pub(super) async fn go_on(&self, client: &Client) -> Result<Handler, Refused> {
        let how = GoOn {
            invocation: self.invocation,
            event: self.event.as_deref().map(|text| json("--event", text)).transpose()?,
            state: self.state.as_deref().map(|text| json("--state", text)).transpose()?,
        };
        Ok(client.go_on(&run_of(client, &self.run).await?, &how).await?)
    }
}
