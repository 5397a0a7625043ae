//! `wf-host replay`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use clap_complete::ArgValueCandidates;
use serde::Serialize;

use super::grants::Flags;
use super::layers::Layers;
use super::place::Place;
use super::progress::Progress;
use super::screen::out;
use super::{Problem, cache, candidates, compile};
use crate::care::bundle::Bundle;
use crate::care::replay::{self, Differing, Replayed};
use crate::model::Limits;
use crate::runtime::{self, LoadError, Runtime};
use crate::store::carry::Carrier;
use crate::store::{RunKey, Shown};

/// Runs the finished attempts of runs again, against what was recorded of them, and says where one does another thing.
///
/// Nothing is reached and nothing changes: what a step asked of its run, of time, of chance and of the world is answered
/// as it was. So a step that is not deterministic is found, and with --with whether a new version would have done the
/// same on yesterday's runs. Works beside a server. What a step read of files that it was granted is not recorded.
///
/// The exit code is 0 when all are the same, and 1 when one differs.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host replay vHhEB2Vyg9
  wf-host replay run.wfrun                              what `wf-host export` has made
  wf-host replay --last 1000 --with order.wasm          before it is served
")]
pub(super) struct Replay {
    /// Runs, by their ids or their handlers', and files of `wf-host export`.
    #[arg(value_name = "RUN|FILE", required_unless_present = "last", add = ArgValueCandidates::new(candidates::handlers))]
    names: Vec<String>,
    /// The newest runs of the store, so many of them.
    #[arg(long, value_name = "NUMBER")]
    last: Option<usize>,
    /// Only runs of this workflow, of the newest.
    #[arg(long, requires = "last", add = ArgValueCandidates::new(candidates::workflows))]
    workflow: Option<String>,
    /// A `.wasm` file, or `name=path`, that takes the place of the components of its workflow.
    #[arg(long, value_name = "FILE")]
    with: Option<String>,
    /// Print JSON, for programs: a line for each run.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// A run, for programs.
#[derive(Serialize)]
struct Line<'a> {
    run: &'a str,
    workflow: &'a str,
    attempts: usize,
    passed: usize,
    differing: Vec<Differs<'a>>,
}

#[derive(Serialize)]
struct Differs<'a> {
    step: &'a str,
    invocation: u64,
    attempt: u32,
    call: Option<u32>,
    then: &'a str,
    now: &'a str,
}

/// What was found in all.
#[derive(Default)]
struct Sum {
    runs: usize,
    attempts: usize,
    passed: usize,
    differing: usize,
}

impl Replay {
    /// The file of settings that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.place.file()
    }

    pub(super) async fn run(self, mut layers: Layers<'_>) -> Result<ExitCode, Problem> {
        let Replay { names, last, workflow, with, json, place } = self;
        let config = Flags::default().config(&mut layers)?;
        let options =
            runtime::Options { cache_dir: cache::folder(), compiler: compile::compiler(), threads: None, limits: Limits::default() };
        let runtime = Runtime::new(options).map_err(problem)?;
        let mut replay = replay::Replay::new(runtime, config);
        let named = match &with {
            Some(with) => Some(taken(&mut replay, with).await?),
            None => None,
        };
        let (files, names): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| Path::new(name).is_file());
        let mut sum = Sum::default();
        for file in files {
            let bundle = Bundle::read(Path::new(&file))?;
            for shown in &bundle.runs {
                one(&mut replay, &bundle, shown, json, &mut sum).await?;
            }
        }
        if !names.is_empty() || last.is_some() {
            let carrier = Carrier::open(&place.find(&mut layers)?.database)?;
            for name in names {
                let found = carrier.find(&name)?.ok_or_else(|| {
                    let message = format!("there is no run and no handler `{name}` in the store, and no file of that name");
                    Problem::new(message).hint("`wf-host runs ls` shows those of a server; `--data-dir` or `--store` name another store")
                })?;
                let bundle = Bundle::of(&carrier, found)?;
                one(&mut replay, &bundle, &bundle.runs[0], json, &mut sum).await?;
            }
            newest(&mut replay, &carrier, last.unwrap_or(0), workflow.as_deref(), json, &mut sum).await?;
        }
        if !json {
            out(&sum.text(named.as_deref()))?;
        }
        Ok(if sum.differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Runs that are asked for at once.
const PAGE: usize = 100;

async fn newest(
    replay: &mut replay::Replay,
    carrier: &Carrier,
    last: usize,
    workflow: Option<&str>,
    json: bool,
    sum: &mut Sum,
) -> Result<(), Problem> {
    let (mut before, mut left, mut progress): (Option<RunKey>, usize, Progress) = (None, last, Progress::begun());
    while left > 0 {
        let page = carrier.last(before, PAGE)?;
        let Some((oldest, _)) = page.last() else { return Ok(()) };
        before = Some(*oldest);
        for found in page.into_iter().filter(|(_, row)| workflow.is_none_or(|it| it == row.workflow)).take(left.min(PAGE)) {
            let bundle = Bundle::of(carrier, found)?;
            one(replay, &bundle, &bundle.runs[0], json, sum).await?;
            left -= 1;
            progress.tell(|| format!("{} runs, {left} to go", sum.runs));
        }
    }
    Ok(())
}

/// What takes the place of a workflow's components; gives that workflow's name.
async fn taken(replay: &mut replay::Replay, with: &str) -> Result<String, Problem> {
    let (name, path) = match with.split_once('=') {
        Some((name, path)) if !Path::new(with).exists() => (Some(name.to_owned()), PathBuf::from(path)),
        _ => (None, PathBuf::from(with)),
    };
    let bytes = std::fs::read(&path).map_err(|error| {
        Problem::new(format!("`{}` cannot be read: {error}", path.display())).hint("check the path and its permissions").usage()
    })?;
    replay.take(name, bytes).await.map_err(|error| Problem::new(format!("`{}`: {error}", path.display())).hint(error.hint()))
}

async fn one(replay: &mut replay::Replay, bundle: &Bundle, shown: &Shown, json: bool, sum: &mut Sum) -> Result<(), Problem> {
    let (run, workflow) = (&shown.summary.run, &shown.summary.workflow);
    let replayed = replay.run(bundle, shown).await;
    let replayed = replayed.map_err(|error| Problem::new(format!("run `{run}` cannot be replayed: {error}")).hint(error.hint()))?;
    sum.runs += 1;
    sum.attempts += replayed.attempts;
    sum.passed += replayed.passed;
    sum.differing += replayed.differing.len();
    if json {
        let Replayed { attempts, passed, differing } = &replayed;
        let differing = differing.iter().map(|Differing { step, invocation, attempt, difference }| Differs {
            step,
            invocation: *invocation,
            attempt: *attempt,
            call: difference.call,
            then: &difference.then,
            now: &difference.now,
        });
        let line = Line { run, workflow, attempts: *attempts, passed: *passed, differing: differing.collect() };
        return out(&format!("{}\n", serde_json::to_string(&line).expect("JSON")));
    }
    for Differing { step, invocation, attempt, difference } in &replayed.differing {
        let call = difference.call.map_or_else(|| "its end".to_owned(), |call| format!("call {call}"));
        let place = format!("run {run} of {workflow}, step {step}, invocation {invocation}, attempt {attempt}, {call}");
        out(&format!("{place}\n  recorded  {}\n  now       {}\n", difference.then, difference.now))?;
    }
    Ok(())
}

impl Sum {
    fn text(&self, with: Option<&str>) -> String {
        let count = |count: usize, what: &str| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
        let mut text = format!("{} of {}: ", count(self.attempts, "attempt"), count(self.runs, "run"));
        text += &match self.differing {
            0 => "all did again what they did".to_owned(),
            1 => "1 differs".to_owned(),
            many => format!("{many} differ"),
        };
        if self.passed > 0 {
            text += &format!("; {} not run again, which a limit of time or the host had cut", self.passed);
        }
        text += &with.map(|name| format!("; with the new component of {name}")).unwrap_or_default();
        text + "\n"
    }
}

fn problem(error: LoadError) -> Problem {
    Problem::new(error.to_string()).hint(error.hint())
}
