//! `wf-host runs fork`.

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;
use serde_json::value::RawValue;
use wf_client::{Client, Definition, Error, Fork, Handler};

use super::{Problem, candidates};

/// Begins a new run from an entry of another, under a handler of its own; prints the handler's id.
///
/// What had ended by that entry is taken over, and what was in flight runs again from the top of its step. A run that has
/// failed is tried again from the step that it failed in, where no entry is named.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host runs fork vHhEB2Vyg9                                     a failed run: try again from this step
  wf-host runs fork vHhEB2Vyg9 --definition current                the same, with the workflow as it is served now
  wf-host runs fork vHhEB2Vyg9 --at 7 --state @state.json
  wf-host runs fork vHhEB2Vyg9 --at 0 --event '{\"name\": \"Ada\"}' --wait
")]
pub(super) struct ForkRun {
    /// A run's id, or a handler's: then it is its newest run.
    #[arg(add = ArgValueCandidates::new(candidates::handlers))]
    run: String,
    /// The last entry of its journal that the new one has, too [default: the one with which the attempt began that it failed with; else the last before its end]
    #[arg(long, value_name = "ENTRY")]
    at: Option<u64>,
    /// The state from there on, as a JSON object, or `@` and a file.
    #[arg(long, value_name = "JSON")]
    state: Option<String>,
    /// What a step in flight is given instead, as JSON, or `@` and a file: its fields, or `{"type", "value"}`. Where no step in flight takes it, it comes next from outside.
    #[arg(long, value_name = "JSON")]
    event: Option<String>,
    /// Which invocation that is, where several are in flight.
    #[arg(long, value_name = "NUMBER", requires = "event")]
    invocation: Option<u64>,
    /// What it goes on with: the components of its origin, or those that are served now.
    #[arg(long, value_enum, default_value_t = With::Pinned)]
    definition: With,
    /// The handler that it is a run of: one whose run has ended, or a new one [default: a new one without a name]
    #[arg(long, value_name = "HANDLER")]
    handler_id: Option<String>,
    /// Wait for its end; the exit code is 1 when it failed.
    #[arg(long)]
    pub wait: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum With {
    Pinned,
    Current,
}

/// What keeps a run from being forked.
pub(super) enum Refused {
    /// What was asked makes no sense.
    Here(Problem),
    /// The server says so.
    There(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::There(error)
    }
}

impl ForkRun {
    pub(super) async fn fork(&self, client: &Client) -> Result<Handler, Refused> {
        let fork = Fork {
            at: self.at,
            state: self.state.as_deref().map(|text| json("--state", text)).transpose()?,
            event: self.event.as_deref().map(|text| json("--event", text)).transpose()?,
            invocation: self.invocation,
            definition: match self.definition {
                With::Pinned => Definition::Pinned,
                With::Current => Definition::Current,
            },
            handler_id: self.handler_id.clone(),
        };
        Ok(client.fork(&run_of(client, &self.run).await?, &fork).await?)
    }
}

/// A run's id, of its own or of its handler's.
pub(super) async fn run_of(client: &Client, named: &str) -> Result<String, Error> {
    match client.run_of(named).await {
        Ok(_) => Ok(named.to_owned()),
        Err(Error::Refused { status: 404, .. }) => Ok(client.handler(named).await?.run_id.unwrap_or_default()),
        Err(error) => Err(error),
    }
}

/// JSON as it was written, in the argument or in a file.
pub(super) fn json(flag: &str, given: &str) -> Result<wf_client::Json, Refused> {
    let refused = |problem: Problem| Refused::Here(problem.usage());
    let text = match given.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            refused(Problem::new(format!("`{path}` cannot be read: {error}")).hint("correct its name, or its permissions"))
        })?,
        None => given.to_owned(),
    };
    let value = RawValue::from_string(text.trim().to_owned());
    let value = value.map_err(|error| {
        refused(Problem::new(format!("`{flag}` is no JSON: {error}")).hint("give an object, or `@` and the name of a file that holds one"))
    })?;
    Ok(value.into())
}
