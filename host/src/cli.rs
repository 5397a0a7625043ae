//! The command line. Only this part prints.

mod build;
mod check;
mod completions;
mod dev;
mod error;
mod graph;
mod inspect;
mod man;
mod new;
mod offline;
mod remote;
mod run;
mod screen;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

pub use error::Problem;

/// Serves event-driven workflows made of WebAssembly components.
///
/// Each workflow is a component that exports steps; steps exchange events. wf-host routes them,
/// keeps every run durable, and offers the HTTP API of LlamaIndex's WorkflowServer.
#[derive(Parser)]
#[command(name = "wf-host", version, arg_required_else_help = true)]
struct Arguments {
    /// How log lines are written on stderr. RUST_LOG chooses which.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "WF_HOST_LOG_FORMAT")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    New(new::New),
    Build(build::Build),
    Dev(Box<dev::Dev>),
    Run(run::Run),
    Check(check::Check),
    Inspect(inspect::Inspect),
    Workflows(remote::Workflows),
    Runs(remote::Runs),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A command that serves nothing has its own output; its log is for looking into it.
    let level = if matches!(arguments.command, Command::Serve(_) | Command::Dev(_)) { "info" } else { "warn" };
    log(arguments.log_format, level);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Problem::new(format!("no threads could be started: {error}")).report(),
    };
    let result = match arguments.command {
        Command::Serve(serve) => runtime.block_on(serve.run()).map(|()| ExitCode::SUCCESS),
        Command::New(new) => new.run().map(|()| ExitCode::SUCCESS),
        Command::Build(build) => runtime.block_on(build.run()).map(|()| ExitCode::SUCCESS),
        Command::Dev(dev) => runtime.block_on(dev.run()).map(|()| ExitCode::SUCCESS),
        Command::Run(run) => runtime.block_on(run.run()),
        Command::Check(check) => runtime.block_on(check.run()).map(|()| ExitCode::SUCCESS),
        Command::Inspect(inspect) => runtime.block_on(inspect.run()).map(|()| ExitCode::SUCCESS),
        Command::Workflows(workflows) => runtime.block_on(workflows.run()).map(|()| ExitCode::SUCCESS),
        Command::Runs(runs) => runtime.block_on(runs.run()).map(|()| ExitCode::SUCCESS),
        Command::Man(man) => man.run().map(|()| ExitCode::SUCCESS),
        Command::Completions(completions) => {
            completions.run();
            Ok(ExitCode::SUCCESS)
        }
    };
    // Whatever is still blocking must not hold up the end: all that counts is durable.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(problem) => problem.report(),
    }
}

fn log(format: LogFormat, level: &str) {
    use std::io::IsTerminal;
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
}
