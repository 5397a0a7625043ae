//! `wf-host runs`: runs on a server.

use std::io::IsTerminal;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::ArgValueCandidates;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use wf_client::{Client, Envelope, Error, Filter, From, Handler, Json, Numbered, RunsFilter, RunsPage, Start, Status, To};
use wf_engine::text::{self, Limit};

use super::answers;
use super::connection::{Remote, name};
use super::people::{given_with, line, lines, moment, out, print, table, time, trace};
use super::screen::note;
use super::{Problem, candidates, fork, go_on, run};

/// Starts, follows, answers and ends runs on a server.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host runs start greeting --param name=Ada
  wf-host runs ls --status waiting --status failed
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
        /// The start event's fields, as a JSON object; `@FILE` is one in a file, `@-` one on stdin.
        #[arg(long, value_name = "JSON")]
        event: Option<String>,
        /// One of its fields: JSON where it is that, else text. May be repeated.
        #[arg(long = "param", value_name = "KEY=VALUE")]
        params: Vec<String>,
        /// The handler's id; one that has ended goes on with its state.
        #[arg(long, add = ArgValueCandidates::new(candidates::handlers))]
        handler: Option<String>,
        /// Wait for its end; the exit code is 1 when it failed. What it asks is asked on a terminal, and else said with how to answer.
        #[arg(long)]
        wait: bool,
        /// Wait at most so many seconds; the exit code is 124 then, and the run goes on.
        #[arg(long, value_name = "SECONDS", requires = "wait", value_parser = seconds)]
        timeout: Option<Duration>,
    },
    /// Lists the newest run of each handler, newest first.
    Ls {
        /// Only those that stand so; `running` are those that do not wait. May be repeated.
        #[arg(long, value_enum)]
        status: Vec<StatusName>,
        /// Only those of this workflow. May be repeated.
        #[arg(long, add = ArgValueCandidates::new(candidates::workflows))]
        workflow: Vec<String>,
        /// All runs of this handler, the earlier ones too.
        #[arg(long, add = ArgValueCandidates::new(candidates::handlers))]
        handler: Option<String>,
        /// The earlier runs of all handlers, too.
        #[arg(long)]
        all: bool,
        /// Only those with this text in an id, in what went in, or in what came out.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only those that began at this time or later, as in `2026-11-23` or `2026-11-23T06:38:23Z`.
        #[arg(long, value_name = "TIME", conflicts_with = "handler")]
        since: Option<String>,
        /// Only those that began before this time.
        #[arg(long, value_name = "TIME", conflicts_with = "handler")]
        until: Option<String>,
        /// At most so many.
        #[arg(long)]
        limit: Option<usize>,
        /// From where an earlier list says that it goes on.
        #[arg(long, value_name = "PLACE")]
        before: Option<String>,
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
        /// The event's fields, as a JSON object; `@FILE` is one in a file, `@-` one on stdin.
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
    GoOn(go_on::GoOnRun),
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
    /// Prints what a run's steps have written, in the order of time.
    Logs {
        /// Its handler's id.
        #[arg(add = ArgValueCandidates::new(candidates::handlers))]
        handler: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum StatusName {
    Running,
    Waiting,
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
                    if !json {
                        note(&format!("handler: {}\n", handler.handler_id));
                    }
                    let asks = !json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
                    let waited = async {
                        let given = answers::give(&client, &handler, asks).await;
                        // What is only told may fail, and the end is waited for.
                        if asks {
                            given?;
                        }
                        client.wait(&handler.handler_id).await
                    };
                    let waited = within(timeout, &handler.handler_id, waited).await?;
                    return ended(&waited.map_err(problem)?, json);
                }
                if json { print(&handler) } else { out(&handler.handler_id) }
            }
            RunsCommand::Ls { status, workflow, handler, all, search, since, until, limit, before } => {
                let status = status.into_iter().map(Into::into).collect();
                let newest = !all && handler.is_none();
                let filter = RunsFilter { status, workflow, handler, newest, search, since, until, order: None, limit, before };
                let page = listed(&client, &filter).await.map_err(problem)?;
                if json {
                    return print(&page);
                }
                let rows = page.runs.iter().map(|it| {
                    let run = if newest { it.handler_id.clone() } else { it.run_id.clone().unwrap_or_default() };
                    [run, it.workflow_name.clone(), stands(it), time(&it.started_at), about(it)]
                });
                let head = [if newest { "HANDLER" } else { "RUN" }, "WORKFLOW", "STATUS", "STARTED (UTC)", "ABOUT"];
                out(&table(head, rows.collect()))?;
                match page.next {
                    Some(next) => out(&format!("more: --before {next}")),
                    None => Ok(()),
                }
            }
            RunsCommand::Show { handler } => {
                let handler = newest(&client, &handler).await.map_err(problem)?;
                if json {
                    return print(&handler);
                }
                let optional = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                let times = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), time);
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
                    ["status".to_owned(), stands(&handler)],
                    ["waits for".to_owned(), waits_for(&handler).unwrap_or_else(|| "-".to_owned())],
                    ["started".to_owned(), time(&handler.started_at)],
                    ["updated".to_owned(), times(&handler.updated_at)],
                    ["ended".to_owned(), times(&handler.completed_at)],
                    ["input".to_owned(), optional(&handler.input_preview)],
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
                    let _ = answers::give(&client, &forked, false).await;
                    return ended(&client.wait(&forked.handler_id).await.map_err(problem)?, json);
                }
                if json { print(&forked) } else { out(&forked.handler_id) }
            }
            RunsCommand::GoOn(asked) => {
                let run = asked.go_on(&client).await.map_err(|refused| match refused {
                    fork::Refused::Here(problem) => problem,
                    fork::Refused::There(error) => problem(error),
                })?;
                if json { print(&run) } else { out(run.run_id.as_deref().unwrap_or_default()) }
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
                let mut logged = client.logs(&run).await.map_err(problem)?;
                if json {
                    return print(&logged);
                }
                let steps = client.steps(&run).await.map_err(problem)?;
                // Those of one moment stay as they are: by invocation, attempt and place.
                logged.sort_by(|one, other| one.at.cmp(&other.at));
                for it in &logged {
                    let step = steps.get(&it.invocation).cloned().unwrap_or_default();
                    let again = if it.attempt == 0 { String::new() } else { format!(" attempt {}", it.attempt + 1) };
                    let (at, level, message) = (moment(&it.at), &it.level, it.message.trim_end());
                    out(&format!(
                        "{at}  {level:5}  {step}[{}]{again}  {message}{}",
                        it.invocation,
                        given_with(it.fields.text()) + &trace(it.fields.text())
                    ))?;
                }
                Ok(())
            }
        }
    }
}

impl std::convert::From<StatusName> for Status {
    fn from(name: StatusName) -> Status {
        match name {
            StatusName::Running => Status::Running,
            StatusName::Waiting => Status::Waiting,
            StatusName::Completed => Status::Completed,
            StatusName::Failed => Status::Failed,
            StatusName::Cancelled => Status::Cancelled,
        }
    }
}

/// Runs of a wf-host; of another server, which knows handlers alone, these.
async fn listed(client: &Client, filter: &RunsFilter) -> wf_client::Result<RunsPage> {
    match client.runs(filter).await {
        Err(Error::Refused { status: 404, .. }) => {
            let filter = Filter { status: filter.status.clone(), workflow: filter.workflow.clone(), limit: None, after: None };
            let mut runs = client.handlers(&filter).await?.handlers;
            runs.reverse();
            Ok(RunsPage { runs, next: None })
        }
        page => page,
    }
}

/// A handler's newest run, with all that the server says of it.
async fn newest(client: &Client, handler: &str) -> wf_client::Result<Handler> {
    let handler = client.handler(handler).await?;
    let Some(run) = &handler.run_id else { return Ok(handler) };
    match client.run_of(run).await {
        Err(Error::Refused { status: 404, .. }) => Ok(handler),
        run => run,
    }
}

fn stands(run: &Handler) -> String {
    if run.queued { "queued".to_owned() } else { name(run.status) }
}

/// The types of events that it waits for.
fn waits_for(run: &Handler) -> Option<String> {
    let mut types: Vec<&str> = run.waiting_for.iter().flatten().flat_map(|it| &it.types).map(String::as_str).collect();
    types.sort_unstable();
    types.dedup();
    (!types.is_empty()).then(|| types.join(", "))
}

/// What a list says of a run: what it waits for, or why it failed.
fn about(run: &Handler) -> String {
    /// So much fits beside the rest.
    const ABOUT_MAX: usize = 60;
    let why = run.error.as_deref().and_then(|it| it.lines().next()).unwrap_or_default();
    waits_for(run).unwrap_or_else(|| why.chars().take(ABOUT_MAX).collect())
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
        (_, Some(error)) => {
            let hint = format!("`wf-host runs logs {}` shows what its steps have written", handler.handler_id);
            Err(Problem::new(error.clone()).hint(hint))
        }
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
