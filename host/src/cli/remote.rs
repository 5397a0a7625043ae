//! Commands against a server: `workflows` and `runs`.

use std::collections::HashSet;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::ArgValueCandidates;
use futures_util::TryStreamExt;
use serde::Serialize;
use serde_json::{Value, json};
use wf_client::{Envelope, Error, Filter, From, Handler, Json, Numbered, Start, Status, To};
use wf_engine::text::{self, Limit};

use super::connection::{Remote, name};
use super::logged::trace;
use super::{Problem, candidates, fork, run};

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

/// Starts, follows, answers and ends runs on a server.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host runs start greeting --param name=Ada
  wf-host runs ls --status running
  wf-host runs events HANDLER --follow
  wf-host runs send HANDLER ResponseEvent --param response=Ada
")]
pub(super) struct Runs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: RunsCommand,
}

#[derive(Subcommand)]
enum RunsCommand {
    /// Starts a run; prints its handler's id.
    Start {
        /// The workflow.
        #[arg(add = ArgValueCandidates::new(candidates::workflows))]
        workflow: String,
        /// The start event's fields, as a JSON object.
        #[arg(long, value_name = "JSON")]
        event: Option<String>,
        /// One of its fields: JSON where it is that, else text. May be repeated.
        #[arg(long = "param", value_name = "KEY=VALUE")]
        params: Vec<String>,
        /// The handler's id; one that has ended goes on with its state.
        #[arg(long, add = ArgValueCandidates::new(candidates::handlers))]
        handler: Option<String>,
        /// Wait for its end; the exit code is 1 when it failed.
        #[arg(long)]
        wait: bool,
        /// Wait at most so many seconds; the exit code is 124 then, and the run goes on.
        #[arg(long, value_name = "SECONDS", requires = "wait", value_parser = seconds)]
        timeout: Option<Duration>,
    },
    /// Lists the latest run of each handler, newest last.
    Ls {
        /// Only those that stand so. May be repeated.
        #[arg(long, value_enum)]
        status: Vec<StatusName>,
        /// Only those of this workflow. May be repeated.
        #[arg(long, add = ArgValueCandidates::new(candidates::workflows))]
        workflow: Vec<String>,
        /// At most so many.
        #[arg(long)]
        limit: Option<usize>,
        /// Only those after this handler.
        #[arg(long, add = ArgValueCandidates::new(candidates::handlers))]
        after: Option<String>,
    },
    /// Shows a handler's newest run.
    Show {
        /// Its handler's id.
        #[arg(add = ArgValueCandidates::new(candidates::handlers))]
        handler: String,
    },
    /// Prints a run's events.
    Events {
        /// Its handler's id.
        #[arg(add = ArgValueCandidates::new(candidates::handlers))]
        handler: String,
        /// Go on with those that come, to its end.
        #[arg(long, short)]
        follow: bool,
        /// Follow at most so many seconds; the exit code is 124 then, and the run goes on.
        #[arg(long, value_name = "SECONDS", requires = "follow", value_parser = seconds)]
        timeout: Option<Duration>,
    },
    /// Sends an event to a run.
    Send {
        /// Its handler's id.
        #[arg(add = ArgValueCandidates::new(candidates::handlers))]
        handler: String,
        /// The event's type.
        #[arg(add = ArgValueCandidates::new(candidates::event_types))]
        name: String,
        /// The event's fields, as a JSON object.
        #[arg(long, value_name = "JSON")]
        event: Option<String>,
        /// One of its fields: JSON where it is that, else text. May be repeated.
        #[arg(long = "param", value_name = "KEY=VALUE")]
        params: Vec<String>,
        /// Only to this step.
        #[arg(long, add = ArgValueCandidates::new(candidates::steps))]
        step: Option<String>,
        /// Only to this invocation, which waits: the page, and the run's history, have their numbers.
        #[arg(long, value_name = "NUMBER")]
        invocation: Option<u64>,
    },
    Fork(fork::ForkRun),
    /// Cancels a run.
    Cancel {
        /// Its handler's id.
        #[arg(add = ArgValueCandidates::new(candidates::handlers))]
        handler: String,
    },
    /// Cancels a run if it is running, and deletes its handler with everything of it.
    Purge {
        /// Its handler's id.
        #[arg(add = ArgValueCandidates::new(candidates::handlers))]
        handler: String,
    },
    /// Waits for a run's end, and prints what it gave; the exit code is 1 when it failed.
    Result {
        /// Its handler's id.
        #[arg(add = ArgValueCandidates::new(candidates::handlers))]
        handler: String,
        /// Wait at most so many seconds; the exit code is 124 then, and the run goes on.
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        timeout: Option<Duration>,
    },
    /// Prints what a run's steps have written.
    Logs {
        /// Its handler's id.
        #[arg(add = ArgValueCandidates::new(candidates::handlers))]
        handler: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum StatusName {
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// What a server takes at most is its own affair: this keeps what is written from being endless.
const EVENT_MAX: Limit = Limit { name: "event_max", max: 64 << 20 };

/// An event's fields, as they were written.
fn fields(event: Option<&str>, params: &[String]) -> Result<Json, Problem> {
    let written = run::fields(event, params)?.text();
    let problem = |why: String| Problem::new(format!("the event cannot be sent: {why}")).usage();
    let written = text::object("it", written, EVENT_MAX).map_err(|refused| problem(refused.message))?;
    Ok((*written).to_owned().into())
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
                let mut text = format!("{name}\n{}\n\nevents\n", graph["description"].as_str().unwrap_or_default());
                for event in &events {
                    text += &format!("  {}{}\n", event["title"].as_str().unwrap_or_default(), fields_of(event));
                }
                text += "\nedges\n";
                for edge in graph["edges"].as_array().into_iter().flatten() {
                    text +=
                        &format!("  {} → {}\n", edge["source"].as_str().unwrap_or_default(), edge["target"].as_str().unwrap_or_default());
                }
                out(text.trim_end())
            }
        }
    }
}

fn fields_of(schema: &Value) -> String {
    let names: Vec<&str> = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() { String::new() } else { format!("  {{{}}}", names.join(", ")) }
}

impl Runs {
    pub(super) async fn run(self) -> Result<(), Problem> {
        let client = self.remote.client()?;
        let problem = |error: Error| self.remote.problem(&error);
        let json = self.remote.json;
        match self.command {
            RunsCommand::Start { workflow, event, params, handler, wait, timeout } => {
                let start = Start { start_event: Some(fields(event.as_deref(), &params)?), handler_id: handler, context: None };
                let handler = client.start(&workflow, &start).await.map_err(problem)?;
                if wait {
                    let waited = within(timeout, &handler.handler_id, client.wait(&handler.handler_id)).await?;
                    return ended(&waited.map_err(problem)?, json);
                }
                if json { print(&handler) } else { out(&handler.handler_id) }
            }
            RunsCommand::Ls { status, workflow, limit, after } => {
                let status = status.into_iter().map(|it| match it {
                    StatusName::Running => Status::Running,
                    StatusName::Completed => Status::Completed,
                    StatusName::Failed => Status::Failed,
                    StatusName::Cancelled => Status::Cancelled,
                });
                let filter = Filter { status: status.collect(), workflow, limit, after };
                let mut page = client.handlers(&filter).await.map_err(problem)?;
                if page.handlers.iter().any(|it| it.status == Status::Running) {
                    let queued = match client.queued(&filter.workflow).await {
                        // At another server than a wf-host none does.
                        Err(Error::Refused { status: 404, .. }) => HashSet::new(),
                        queued => queued.map_err(problem)?,
                    };
                    page.handlers.iter_mut().for_each(|it| it.queued = queued.contains(&it.handler_id));
                }
                if json {
                    return print(&page);
                }
                let rows = page
                    .handlers
                    .iter()
                    .map(|it| (it, if it.queued { "queued".to_owned() } else { name(it.status) }))
                    .map(|(it, stands)| [it.handler_id.clone(), it.workflow_name.clone(), stands, it.started_at.clone()]);
                out(&table(["HANDLER", "WORKFLOW", "STATUS", "STARTED"], rows.collect()))?;
                match page.next {
                    Some(next) => out(&format!("more: --after {next}")),
                    None => Ok(()),
                }
            }
            RunsCommand::Show { handler } => {
                let handler = client.handler(&handler).await.map_err(problem)?;
                if json {
                    return print(&handler);
                }
                let optional = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                let stop = handler.result.as_ref().and_then(envelope);
                let own = match &handler.run_id {
                    Some(run) => client.run_of(run).await.ok(),
                    None => None,
                };
                let (origin, forks) = own.map(|it| (it.forked_from, it.forks)).unwrap_or_default();
                let mut rows = vec![
                    ["handler".to_owned(), handler.handler_id.clone()],
                    ["run".to_owned(), optional(&handler.run_id)],
                    ["workflow".to_owned(), handler.workflow_name.clone()],
                    ["status".to_owned(), name(handler.status)],
                    ["started".to_owned(), handler.started_at.clone()],
                    ["updated".to_owned(), optional(&handler.updated_at)],
                    ["ended".to_owned(), optional(&handler.completed_at)],
                    ["error".to_owned(), optional(&handler.error)],
                    ["result".to_owned(), stop.map_or_else(|| "-".to_owned(), |it| it.value.to_string())],
                ];
                rows.extend(origin.map(|origin| ["forked from".to_owned(), origin]));
                rows.extend((!forks.is_empty()).then(|| ["forks".to_owned(), forks.join(" ")]));
                out(&lines(&rows))
            }
            RunsCommand::Events { handler, follow, timeout } => {
                // What is there now, or everything to the end.
                let last = if follow { None } else { Some(client.handler(&handler).await.map_err(problem)?.status) };
                let mut events = client.events(&handler, From::Beginning);
                let ended = last.is_some_and(|it| it != Status::Running);
                let shown = async {
                    loop {
                        let next = events.try_next();
                        let next = if follow || ended { next.await } else { tokio::time::timeout(QUIET, next).await.unwrap_or(Ok(None)) };
                        let Some(event) = next.map_err(problem)? else { return Ok(()) };
                        show(&event, json)?;
                    }
                };
                within(timeout, &handler, shown).await?
            }
            RunsCommand::Send { handler, name, event, params, step, invocation } => {
                let fields = fields(event.as_deref(), &params)?;
                client.send(&handler, &name, fields, To { step: step.as_deref(), invocation }).await.map_err(problem)?;
                if json { print(&json!({ "status": "sent" })) } else { out("sent") }
            }
            RunsCommand::Fork(fork) => {
                let forked = fork.fork(&client).await.map_err(|refused| match refused {
                    fork::Refused::Here(problem) => problem,
                    fork::Refused::There(Error::Refused { status: 400, detail }) => {
                        Problem::new(detail).hint("the page, and the run's history, show its entries and what was in flight")
                    }
                    fork::Refused::There(error) => problem(error),
                })?;
                if fork.wait {
                    return ended(&client.wait(&forked.handler_id).await.map_err(problem)?, json);
                }
                if json { print(&forked) } else { out(&forked.handler_id) }
            }
            RunsCommand::Cancel { handler } => {
                if let Err(error) = client.cancel(&handler).await {
                    return Err(match client.handler(&handler).await {
                        Ok(there) if matches!(error, Error::Refused { status: 404, .. }) => {
                            Problem::new(format!("the run is {} already", name(there.status)))
                                .hint("`wf-host runs purge` deletes it, with its handler")
                        }
                        _ => problem(error),
                    });
                }
                if json { print(&json!({ "status": "cancelled" })) } else { out("cancelled") }
            }
            RunsCommand::Purge { handler } => {
                client.purge(&handler).await.map_err(problem)?;
                if json { print(&json!({ "status": "deleted" })) } else { out("deleted") }
            }
            RunsCommand::Result { handler, timeout } => {
                within(timeout, &handler, client.wait(&handler)).await?.map_err(problem)?;
                let handler = client.result(&handler).await.map_err(problem)?;
                ended(&handler, json)
            }
            RunsCommand::Logs { handler } => {
                let run = client.handler(&handler).await.map_err(problem)?.run_id;
                let run = run.ok_or_else(|| Problem::new("this server keeps no logs").hint("only a wf-host does"))?;
                let logged = client.logs(&run).await.map_err(problem)?;
                if json {
                    return print(&logged);
                }
                let rows = logged.into_iter().map(|it| {
                    let message = it.message + &trace(it.fields.text());
                    [it.at, it.level, format!("{}.{}", it.invocation, it.attempt), message]
                });
                let rows: Vec<_> = rows.collect();
                if rows.is_empty() { Ok(()) } else { out(&lines(&rows)) }
            }
        }
    }
}

/// A number of seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "give a number of seconds, as in `2.5`".to_owned())
}

/// What a command waits for, unless it takes longer than somebody wants to wait.
async fn within<T>(timeout: Option<Duration>, handler: &str, waited: impl Future<Output = T>) -> Result<T, Problem> {
    let Some(timeout) = timeout else { return Ok(waited.await) };
    let late = |_| {
        let problem = Problem::new(format!("the run has not ended within {} seconds", timeout.as_secs_f64()));
        problem.hint(format!("it goes on: `wf-host runs result {handler}` waits for its end")).late()
    };
    tokio::time::timeout(timeout, waited).await.map_err(late)
}

/// How long a stream is silent before it is taken to have shown all that is there.
const QUIET: Duration = Duration::from_millis(500);

fn show(event: &Numbered, json: bool) -> Result<(), Problem> {
    if json { line(event) } else { out(&format!("{:>4}  {}  {}", event.sequence, event.event.name, event.event.value)) }
}

/// The result, or why there is none.
fn ended(handler: &Handler, json: bool) -> Result<(), Problem> {
    if json {
        print(handler)?;
    }
    match (handler.status, &handler.error) {
        (Status::Completed, _) if json => Ok(()),
        (Status::Completed, _) => {
            // A run that gave nothing has null.
            out(&handler.result.as_ref().map_or_else(|| "null".to_owned(), |result| given(result).to_string()))
        }
        (_, Some(error)) => Err(Problem::new(error.clone()).hint("`wf-host runs logs` shows what its steps have written")),
        (status, None) => Err(Problem::new(format!("the run is {}", name(status)))),
    }
}

/// The envelope that a result is, where it is one.
fn envelope(result: &Json) -> Option<Envelope> {
    result.parse::<Envelope>().ok().filter(|envelope| envelope.qualified_name.is_some())
}

/// What the run gave, of its stop event's envelope or of its value alone.
fn given(result: &Json) -> Json {
    #[derive(serde::Deserialize)]
    struct Stop {
        result: Option<Json>,
    }
    match envelope(result) {
        Some(stop) if stop.name == "StopEvent" => {
            stop.parse::<Stop>().ok().and_then(|stop| stop.result).unwrap_or_else(|| Value::Null.into())
        }
        Some(other) => other.value,
        None => result.clone(),
    }
}

/// Rows below their heads, in columns.
pub(super) fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut all = vec![head.map(str::to_owned)];
    all.extend(rows);
    lines(&all)
}

fn lines<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn print(value: &impl Serialize) -> Result<(), Problem> {
    out(&serde_json::to_string_pretty(value).expect("JSON"))
}

fn line(value: &impl Serialize) -> Result<(), Problem> {
    out(&serde_json::to_string(value).expect("JSON"))
}

fn out(text: &str) -> Result<(), Problem> {
    super::screen::out(&format!("{text}\n"))
}
