//! `wf-host workflows`: what a server has.

use std::fmt::Write;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;
use serde_json::{Value, json};
use wf_client::Error;

use super::connection::Remote;
use super::people::{out, print, table, type_of};
use super::{Problem, candidates};

/// Shows the workflows of a server.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host workflows ls
  wf-host workflows show greeting --server https://flows.example
")]
pub(super) struct Workflows {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: WorkflowsCommand,
}

#[derive(Subcommand)]
enum WorkflowsCommand {
    /// Lists the workflows.
    Ls,
    /// Shows a workflow: its start event, its events and its graph.
    Show {
        /// Its name.
        #[arg(add = ArgValueCandidates::new(candidates::workflows))]
        name: String,
    },
}

impl Workflows {
    pub(super) async fn run(self) -> Result<(), Problem> {
        let client = self.remote.client()?;
        let problem = |error: Error| self.remote.problem(&error);
        match &self.command {
            WorkflowsCommand::Ls => {
                let listings = match client.listings().await {
                    Ok(listings) => listings,
                    // Another server than a wf-host knows the names alone.
                    Err(Error::Refused { status: 404, .. }) => {
                        let names = client.workflows().await.map_err(problem)?;
                        return if self.remote.json { print(&names) } else { out(&names.join("\n")) };
                    }
                    Err(error) => return Err(problem(error)),
                };
                if self.remote.json {
                    return print(&listings);
                }
                let rows = listings.iter().map(|it| {
                    let about = it.description.as_deref().and_then(|it| it.lines().next()).unwrap_or_default();
                    let state = match (&it.digest, &it.error) {
                        (Some(_), None) => "served",
                        (Some(_), Some(_)) => "served, newest not sound",
                        (None, _) => "not sound",
                    };
                    [it.name.clone(), state.to_owned(), about.to_owned()]
                });
                out(&table(["NAME", "STATE", "ABOUT"], rows.collect()))
            }
            WorkflowsCommand::Show { name } => {
                // One after the other: where there is no such workflow, it is always the first that says so.
                let schema = client.schema(name).await.map_err(problem)?;
                let events = client.event_types(name).await.map_err(problem)?;
                let graph = client.representation(name).await.map_err(problem)?;
                let shown = json!({ "name": name, "start": schema["start"], "stop": schema["stop"], "events": events, "graph": graph });
                if self.remote.json {
                    return print(&shown);
                }
                out(shown_to_people(name, &schema, &events, &graph).trim_end())
            }
        }
    }
}

/// With what it starts, how it ends, what else its events are, and where they go.
fn shown_to_people(name: &str, schema: &Value, events: &[Value], graph: &Value) -> String {
    let mut text = format!("{name}\n{}\n", graph["description"].as_str().unwrap_or_default());
    for (at, schema) in [("starts with", &schema["start"]), ("ends with", &schema["stop"])] {
        let _ = writeln!(text, "\n{at}\n  {}{}", schema["title"].as_str().unwrap_or_default(), fields_of(schema));
    }
    let ends = [&schema["start"]["title"], &schema["stop"]["title"]];
    text += "\nevents\n";
    for event in events.iter().filter(|it| !ends.contains(&&it["title"])) {
        let title = event["title"].as_str().unwrap_or_default();
        let _ = writeln!(text, "  {title}{}{}", kind(title, graph), fields_of(event));
    }
    text += "\nedges\n";
    for edge in graph["edges"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "  {} → {}", edge["source"].as_str().unwrap_or_default(), edge["target"].as_str().unwrap_or_default());
    }
    text
}

/// What an event is for, by the types that it derives from.
fn kind(event: &str, graph: &Value) -> &'static str {
    let node = graph["nodes"].as_array().into_iter().flatten().find(|it| it["event_type"] == event);
    let is = |base: &str| node.is_some_and(|it| it["event_types"].as_array().into_iter().flatten().any(|it| it == base));
    match () {
        () if is("InputRequiredEvent") => " (asks)",
        () if is("HumanResponseEvent") => " (answers)",
        () if is("StopEvent") => " (ends)",
        () if is("StartEvent") => " (starts)",
        () => "",
    }
}

/// Its fields with their types.
fn fields_of(schema: &Value) -> String {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|it| it == name));
    let field = |(name, field): (&String, &Value)| {
        let optional = if required(name) { "" } else { ", optional" };
        format!("{name}: {}{optional}", type_of(field))
    };
    let fields: Vec<String> = schema["properties"].as_object().into_iter().flatten().map(field).collect();
    if fields.is_empty() { String::new() } else { format!("  {{{}}}", fields.join("; ")) }
}
