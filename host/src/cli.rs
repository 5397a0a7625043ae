//! The command line. Only this part prints.

mod answers;
mod backup;
mod build;
mod cache;
mod candidates;
mod cargo;
mod carry;
mod check;
mod compile;
mod completions;
mod config;
mod connection;
mod dev;
mod environment;
mod error;
mod follow;
mod fork;
mod fsck;
#[cfg(test)]
mod fuzz;
mod go;
mod grants;
mod graph;
mod inspect;
mod javascript;
mod keys;
mod layers;
mod man;
mod native;
mod new;
mod offline;
mod open;
mod openapi;
mod people;
mod place;
mod plain;
mod progress;
mod pypi;
mod python;
mod remote;
mod replay;
mod run;
mod screen;
mod serve;
mod signals;
mod store;
mod values;
mod workflows;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use error::Problem;
use layers::{Layers, Noted};

/// Serves event-driven workflows made of WebAssembly components.
///
/// Each workflow is a component that exports steps; steps exchange events. wf-host routes them,
/// keeps every run durable, and offers the HTTP API of LlamaIndex's WorkflowServer.
#[derive(Parser)]
#[command(name = "wf-host", version, arg_required_else_help = true)]
struct Arguments {
    /// How log lines are written on stderr; RUST_LOG chooses which [default: text]
    #[arg(long, global = true, value_enum, env = "WF_HOST_LOG_FORMAT")]
    log_format: Option<LogFormat>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    New(new::New),
    Build(build::Build),
    Dev(Box<dev::Dev>),
    Run(run::Run),
    Check(check::Check),
    Inspect(inspect::Inspect),
    #[command(hide = true)]
    CompileComponent(compile::CompileComponent),
    Config(Box<config::Config>),
    Fsck(fsck::Fsck),
    Store(store::Store),
    Keys(keys::Keys),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Export(carry::Export),
    Import(carry::Import),
    Open(open::Open),
    Replay(replay::Replay),
    Workflows(workflows::Workflows),
    Runs(remote::Runs),
    Openapi(openapi::Openapi),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    // Where a shell asks for completions, this answers and ends.
    clap_complete::CompleteEnv::with_factory(Arguments::command).complete();
    let matches = Arguments::command().get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Command::CompileComponent(compile) = arguments.command {
        return compile.run();
    }
    let settled = settle(&arguments, matches.subcommand().map_or(&matches, |(_, matches)| matches));
    let layers = match settled {
        Ok(layers) => layers,
        Err(problem) => return problem.report(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Problem::new(format!("no threads could be started: {error}")).report(),
    };
    let result = match arguments.command {
        Command::Serve(serve) => served(&runtime, *serve, layers).map(|()| ExitCode::SUCCESS),
        Command::CompileComponent(compile) => Ok(compile.run()),
        Command::Config(config) => config.run(layers).map(|()| ExitCode::SUCCESS),
        Command::Fsck(fsck) => fsck.run(layers),
        Command::Store(store) => store.run(layers).map(|()| ExitCode::SUCCESS),
        Command::Keys(keys) => keys.run(layers).map(|()| ExitCode::SUCCESS),
        Command::Backup(backup) => backup.run(layers).map(|()| ExitCode::SUCCESS),
        Command::Restore(restore) => restore.run(layers).map(|()| ExitCode::SUCCESS),
        Command::Export(export) => export.run(layers).map(|()| ExitCode::SUCCESS),
        Command::Import(import) => import.run(layers).map(|()| ExitCode::SUCCESS),
        Command::Open(open) => runtime.block_on(open.run()).map(|()| ExitCode::SUCCESS),
        Command::Replay(replay) => runtime.block_on(replay.run(layers)),
        Command::New(new) => new.run().map(|()| ExitCode::SUCCESS),
        Command::Build(build) => runtime.block_on(build.run()).map(|()| ExitCode::SUCCESS),
        Command::Dev(dev) => runtime.block_on(dev.run(layers, dev_again)).map(|()| ExitCode::SUCCESS),
        Command::Run(run) => runtime.block_on(run.run(layers)),
        Command::Check(check) => runtime.block_on(check.run(layers)).map(|()| ExitCode::SUCCESS),
        Command::Inspect(inspect) => runtime.block_on(inspect.run(layers)).map(|()| ExitCode::SUCCESS),
        Command::Workflows(workflows) => runtime.block_on(workflows.run()).map(|()| ExitCode::SUCCESS),
        Command::Runs(runs) => runtime.block_on(runs.run()).map(|()| ExitCode::SUCCESS),
        Command::Openapi(openapi) => openapi.run().map(|()| ExitCode::SUCCESS),
        Command::Man(man) => man.run().map(|()| ExitCode::SUCCESS),
        Command::Completions(completions) => completions.run().map(|()| ExitCode::SUCCESS),
    };
    // Whatever is still blocking must not hold up the end: all that counts is durable.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(problem) => problem.report(),
    }
}

/// The settings of commands that have some, and the log as they want it.
fn settle<'a>(arguments: &Arguments, matches: &'a clap::ArgMatches) -> Result<Layers<'a>, Problem> {
    // A command that serves nothing has its own output; its log is for looking into it.
    let (asked, level) = match &arguments.command {
        Command::Serve(serve) => (Some(serve.file()), "info"),
        Command::Dev(dev) => (Some(dev.file()), "info"),
        Command::Config(config) => (Some(config.file()), "warn"),
        Command::Fsck(fsck) => (Some(fsck.file()), "warn"),
        Command::Store(store) => (Some(store.file()), "warn"),
        Command::Keys(keys) => (Some(keys.file()), "warn"),
        Command::Backup(backup) => (Some(backup.file()), "warn"),
        Command::Restore(restore) => (Some(restore.file()), "warn"),
        Command::Export(export) => (Some(export.file()), "warn"),
        Command::Import(import) => (Some(import.file()), "warn"),
        Command::Replay(replay) => (Some(replay.file()), "warn"),
        Command::Run(_) | Command::Check(_) | Command::Inspect(_) => (Some(None), "warn"),
        _ => (None, "warn"),
    };
    let mut layers = match asked {
        Some(file) => Layers::new(file, matches)?,
        None => Layers::none(matches),
    };
    let format = layers.pick("log_format", arguments.log_format, layers.file.log_format, Some(LogFormat::Text));
    let format = format.unwrap_or(LogFormat::Text);
    if matches!(format, LogFormat::Json) && level == "info" {
        error::warn_into_log();
    }
    log(format, level);
    Ok(layers)
}

fn served(runtime: &tokio::runtime::Runtime, serve: serve::Serve, mut layers: Layers) -> Result<(), Problem> {
    let serving = serve.settle(&mut layers)?;
    runtime.block_on(serving.run(layers.noted(), serve_again))
}

/// What `serve` would do if it were called now as it was.
fn serve_again() -> Result<(Noted, serve::Serving), Problem> {
    again(|command, layers| match command {
        Command::Serve(serve) => serve.settle(layers),
        _ => Err(Problem::reported()),
    })
}

/// The same of `dev`.
fn dev_again() -> Result<(Noted, serve::Settings), Problem> {
    again(|command, layers| match command {
        Command::Dev(dev) => dev.settle(layers),
        _ => Err(Problem::reported()),
    })
}

fn again<S>(settle: impl FnOnce(Command, &mut Layers) -> Result<S, Problem>) -> Result<(Noted, S), Problem> {
    let matches = Arguments::command().get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let file = match &arguments.command {
        Command::Serve(serve) => serve.file(),
        Command::Dev(dev) => dev.file(),
        _ => None,
    };
    let mut layers = Layers::new(file, matches.subcommand().map_or(&matches, |(_, matches)| matches))?;
    layers.pick("log_format", arguments.log_format, layers.file.log_format, Some(LogFormat::Text));
    let settled = settle(arguments.command, &mut layers)?;
    Ok((layers.noted(), settled))
}

fn log(format: LogFormat, level: &str) {
    use std::io::IsTerminal;
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| format!("{level},notify=error,rustls_platform_verifier=off").into());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
}
