//! `wf-host check`.

use clap::Args;

use super::grants::Flags;
use super::inspect;
use super::layers::Layers;
use super::screen::out;
use super::{Problem, offline};
use crate::model::Workflow;
use crate::sources;

/// Loads workflows as `serve` would, says what is wrong with them, and starts nothing.
///
/// Without a path it checks what `wf-host.toml` in this folder names, under `paths` and as the `path` of workflows.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host check                                what wf-host.toml names
  wf-host check workflows/                     every .wasm file in a directory
  wf-host check target/*.wasm && deploy        the exit code is 1 where one is not sound
")]
pub(super) struct Check {
    /// What to check: a `.wasm` file, a directory, a glob, `name=path` or `name=path+path`.
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    #[command(flatten)]
    grants: Flags,
}

impl Check {
    pub(super) async fn run(self, mut layers: Layers<'_>) -> Result<(), Problem> {
        let paths = if self.paths.is_empty() { named(&layers)? } else { self.paths };
        let configured: Vec<String> = layers.file.workflows.keys().cloned().collect();
        let host = offline::host(None, self.grants.config(&mut layers)?).await?;
        let (mut checked, mut wrong, mut names) = (0, 0, Vec::new());
        for argument in &paths {
            let found = match sources::sources(argument) {
                Ok(found) => found,
                Err(rejected) => {
                    Problem::from(rejected).report();
                    (checked, wrong) = (checked + 1, wrong + 1);
                    continue;
                }
            };
            for source in found {
                checked += 1;
                match host.load(&source).await {
                    Ok((workflow, _)) => {
                        names.push(workflow.name.clone());
                        let steps = workflow.definition.steps().count();
                        let plural = if steps == 1 { "" } else { "s" };
                        out(&format!("ok: `{}` is `{}`, {steps} step{plural}\n", source, workflow.name))?;
                        // Where nothing is granted, all that could be is for `inspect` to show.
                        if workflow.asked().iter().any(|it| !it.granted.is_empty()) {
                            out(&inspect::of_the_outside(&workflow))?;
                        }
                        say_requests(&source.to_string(), &workflow)?;
                        for key in unknown(&workflow) {
                            let problem =
                                Problem::new(format!("`{}`: its manifest has the key `{key}`, which this version does not know", source));
                            problem.hint("it is kept and has no effect; perhaps it is misspelt").warn();
                        }
                    }
                    Err(rejected) => {
                        Problem::from(rejected).report();
                        wrong += 1;
                    }
                }
            }
        }
        if wrong == 0 {
            for name in configured.iter().filter(|it| !names.contains(it)) {
                let problem =
                    Problem::new(format!("`[workflows.{name}]` in wf-host.toml is configured, and no workflow of that name is here"));
                problem.hint(format!("correct the name, or add a `path`; here: {}", names.join(", "))).warn();
            }
        }
        if (checked, wrong) == (1, 1) {
            return Err(Problem::reported());
        }
        if wrong > 0 {
            return Err(Problem::new(format!("{wrong} of {checked} not sound")).hint("the errors above say what to do"));
        }
        Ok(())
    }
}

/// That it makes requests, and none is granted.
fn say_requests(source: &str, workflow: &Workflow) -> Result<(), Problem> {
    let name = &workflow.name;
    if !workflow.asked().iter().any(|it| it.requested && it.what == "http" && it.granted.is_empty()) {
        return Ok(());
    }
    if !workflow.means_requests() {
        return out(&format!("    no http is granted, should it ask for some: `allow_http` of `[workflows.{name}]`\n"));
    }
    let hint = format!("name the hosts in `allow_http` of `[workflows.{name}]` in wf-host.toml, or by `--allow-http`");
    Problem::new(format!("`{source}`: it asks for http, and none is granted")).hint(hint).warn();
    Ok(())
}

/// What the file of settings in this folder names.
fn named(layers: &Layers) -> Result<Vec<String>, Problem> {
    let mut paths = layers.file.paths.clone().unwrap_or_default();
    paths.extend(layers.file.workflows.iter().filter_map(|(name, it)| Some(format!("{name}={}", it.path.as_ref()?.argument()))));
    if paths.is_empty() {
        let hint = "name `.wasm` files, a directory or a glob, here or under `paths` in `wf-host.toml`";
        return Err(Problem::new("there is nothing to check").hint(hint).usage());
    }
    Ok(paths)
}

/// Keys of the manifest that mean nothing to this host.
fn unknown(workflow: &Workflow) -> Vec<String> {
    let mut keys = Vec::new();
    for manifest in workflow.definition.manifests() {
        keys.extend(manifest.other.keys().cloned());
        keys.extend(manifest.events.iter().flat_map(|it| it.other.keys().map(|key| format!("events.{}.{key}", it.name))));
        keys.extend(manifest.steps.iter().flat_map(|it| it.other.keys().map(|key| format!("steps.{}.{key}", it.name))));
    }
    keys
}
