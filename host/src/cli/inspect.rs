//! `wf-host inspect`.

use std::fmt::Write;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use wf_engine::manifest::{Backoff, EventKind, Join, Manifest, Retry, StepManifest};

use super::grants::Flags;
use super::graph::{Graph, catches};
use super::layers::Layers;
use super::people::type_of;
use super::screen::out;
use super::{Problem, offline, progress};
use crate::model::{Asked, ComponentView, Workflow};

/// Shows what is in a workflow: its steps, events, graph, and what it asks for.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host inspect greeting.wasm                          for people
  wf-host inspect greeting.wasm --format svg > it.svg    a picture of the graph
  wf-host inspect greeting.wasm --format json | jq .steps
")]
pub(super) struct Inspect {
    /// A `.wasm` file; of a workflow in several, `path+path`.
    path: String,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    grants: Flags,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// Everything, for programs.
    Json,
    /// The graph, for Mermaid.
    Mermaid,
    /// The graph, for Graphviz.
    Dot,
    /// The graph, as a picture.
    Svg,
}

impl Inspect {
    pub(super) async fn run(self, mut layers: Layers<'_>) -> Result<(), Problem> {
        let host = offline::host(None, self.grants.config(&mut layers)?).await?;
        let (workflow, _) = host.load(&offline::source(&self.path).map_err(Problem::usage)?).await?;
        let graph = Graph::of(&workflow.definition);
        match self.format {
            Format::Text => out(&text(&workflow)),
            Format::Json => out(&format!("{:#}\n", json(&workflow))),
            Format::Mermaid => out(&graph.mermaid()),
            Format::Dot => out(&graph.dot()),
            Format::Svg => {
                let hint = "use `--format dot`, and Graphviz";
                let svg = graph.svg().ok_or_else(|| Problem::new("the graph cannot be laid out").hint(hint))?;
                out(&format!("{svg}\n"))
            }
        }
    }
}

fn size(workflow: &Workflow) -> usize {
    workflow.components.iter().map(|it| it.size).sum()
}

fn json(workflow: &Workflow) -> Value {
    let definition = &workflow.definition;
    let mut shown = json!(definition.manifests().next());
    shown["name"] = json!(workflow.name);
    shown["digest"] = json!(workflow.digests().first());
    if workflow.components.len() > 1 {
        shown["language"] = json!(definition.languages().join(", "));
        shown["steps"] = json!(definition.steps().collect::<Vec<_>>());
        shown["events"] = json!(definition.event_types().filter(|it| !definition.is_builtin(&it.name)).collect::<Vec<_>>());
        shown["additional_events"] = json!(definition.additional_events());
        let parts = workflow.components.iter().zip(definition.manifests());
        let part = |(view, manifest): (&ComponentView, &Manifest)| {
            let steps: Vec<&String> = manifest.steps.iter().map(|it| &it.name).collect();
            json!({ "digest": view.digest, "size": view.size, "language": manifest.language, "steps": steps })
        };
        shown["components"] = json!(parts.map(part).collect::<Vec<_>>());
    }
    shown["size"] = json!(size(workflow));
    shown["imports"] = json!(workflow.imports().collect::<Vec<_>>());
    let asked = workflow.asked().into_iter();
    let asked = asked.map(|Asked { what, requested, granted }| (what.to_owned(), json!({ "requested": requested, "granted": granted })));
    shown["outside"] = Value::Object(asked.collect());
    shown
}

fn text(workflow: &Workflow) -> String {
    let definition = &workflow.definition;
    let manifest = definition.manifests().next();
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<12} {value}");
        }
    };
    row("workflow", &workflow.name);
    row("about", definition.description().unwrap_or_default().lines().next().unwrap_or_default());
    row("version", manifest.and_then(|it| it.version.as_deref()).unwrap_or_default());
    row("language", &definition.languages().join(", "));
    row("digest", &workflow.digests().join(" "));
    row("size", &progress::size(size(workflow) as u64));
    row("timeout", &definition.timeout().map(|it| format!("{it} s")).unwrap_or_default());
    let _ = writeln!(text, "\nsteps");
    let of_several = definition.languages().len() > 1;
    for it in definition.steps() {
        step(it, definition.language_of(&it.name).filter(|_| of_several), &mut text);
    }
    let mut events = definition.event_types().filter(|it| !definition.is_builtin(&it.name)).peekable();
    if events.peek().is_some() {
        let _ = writeln!(text, "\nevents");
    }
    for event in events {
        let _ = writeln!(text, "  {}{}", event.name, kind(event.kind));
        fields(&event.schema, &mut text);
    }
    let _ = writeln!(text, "\ngraph (┄ sent, published, waited for, failed or not named)");
    Graph::of(definition).text().lines().for_each(|line| text += &format!("  {line}\n"));
    let _ = writeln!(text, "\nasks for");
    let (ours, outside): (Vec<&String>, Vec<&String>) = workflow.imports().partition(|it| it.starts_with("wf:workflow/"));
    let ours: Vec<&str> = ours.iter().filter_map(|it| it["wf:workflow/".len()..].split('@').next()).filter(|it| *it != "types").collect();
    let mut packages: Vec<&str> = outside.iter().filter_map(|it| it.split('/').next()).collect();
    packages.sort_unstable();
    packages.dedup();
    let or_nothing = |names: Vec<&str>| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let _ = writeln!(text, "  of the run   {}", or_nothing(ours));
    let _ = writeln!(text, "  of WASI      {}", or_nothing(packages));
    let _ = writeln!(text, "  granted      clocks, chance and output, all derived from the run; of the outside:");
    text + &of_the_outside(workflow)
}

/// What it asks for of the outside beside what it is granted, a line for each kind.
pub(super) fn of_the_outside(workflow: &Workflow) -> String {
    let mut text = String::new();
    for Asked { what, requested, granted } in workflow.asked().iter().filter(|it| it.requested || !it.granted.is_empty()) {
        let asked = if *requested { "" } else { " (not asked for)" };
        let granted = if granted.is_empty() { "nothing".to_owned() } else { granted.join("; ") };
        let _ = writeln!(text, "    {what:<10} {granted}{asked}");
    }
    text
}

fn step(step: &StepManifest, language: Option<&str>, text: &mut String) {
    let anything = step.emits_any.then_some("anything declared");
    let emits: Vec<&str> = step.emits.iter().map(String::as_str).chain(anything).collect();
    let emits = if emits.is_empty() { "nothing".to_owned() } else { emits.join(" | ") };
    let joined = match step.join {
        Some(Join::Each) => " + ",
        Some(Join::All) => ", all of a fan-out; ",
        None => " | ",
    };
    let _ = writeln!(text, "  {}  {} → {}{emits}", step.name, step.accepts.join(joined), if step.fan_out { "many " } else { "" });
    if let Some(description) = step.description.as_deref().and_then(|it| it.lines().next()).filter(|it| !it.is_empty()) {
        let _ = writeln!(text, "      {description}");
    }
    let mut traits = Vec::from_iter(language.map(|it| format!("in {it}")));
    if step.num_workers != wf_engine::manifest::SLOTS_DEFAULT {
        traits.push(format!("{} slots", step.num_workers));
    }
    if let Some(timeout) = step.timeout {
        traits.push(format!("timeout {timeout} s"));
    }
    if let Some(retry) = &step.retry {
        traits.push(again(retry));
    }
    if let Some(caught) = &step.catch_error {
        traits.push(catches(caught));
    }
    if !step.waits.is_empty() {
        traits.push(format!("waits for {}", step.waits.join(" or ")));
    }
    if !traits.is_empty() {
        let _ = writeln!(text, "      {}", traits.join(", "));
    }
}

/// How often it is tried, and how long after each failure.
fn again(retry: &Retry) -> String {
    let most = retry.attempts_max.map_or("any number of".to_owned(), |it| it.to_string());
    let mut text = match retry.backoff {
        Backoff::Constant => format!("{most} attempts, {} s apart", retry.delay),
        Backoff::Linear => format!("{most} attempts, {} s later and then {} s more each time", retry.delay, retry.delay),
        Backoff::Exponential => format!("{most} attempts, {} s later and then {} times as long each time", retry.delay, retry.factor),
    };
    if let Some(longest) = retry.delay_max {
        let _ = write!(text, ", at most {longest} s");
    }
    if retry.jitter > 0.0 {
        let _ = write!(text, ", give or take {} %", retry.jitter * 100.0);
    }
    if let Some(all) = retry.elapsed_max {
        let _ = write!(text, ", for {all} s in all");
    }
    if !retry.kinds.is_empty() {
        let _ = write!(text, ", after {} alone", retry.kinds.join(" or "));
    }
    text
}

fn kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Start => "  (starts)",
        EventKind::Stop => "  (ends)",
        EventKind::InputRequired => "  (asks)",
        EventKind::HumanResponse => "  (is answered)",
        EventKind::Plain => "",
    }
}

fn fields(schema: &Value, text: &mut String) {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|it| it == name));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let of = type_of(field);
        let optional = if required(name) { "" } else { ", optional" };
        let about = field["description"].as_str().map(|it| format!("  {it}")).unwrap_or_default();
        let _ = writeln!(text, "      {name}: {of}{optional}{about}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(step: Value) -> String {
        let mut text = String::new();
        super::step(&serde_json::from_value(step).expect("a step"), None, &mut text);
        text.lines().last().unwrap_or_default().trim().to_owned()
    }

    #[test]
    fn what_a_step_does_with_failures_and_waits_is_shown_as_what_it_is() {
        let with = |key: &str, value: Value| told(json!({ "name": "s", "accepts": ["A"], "emits": ["B"], key: value }));
        assert_eq!(with("retry", json!({ "delay": 2.0, "attempts_max": 3 })), "3 attempts, 2 s apart");
        let growing =
            json!({ "backoff": "exponential", "delay": 1.0, "factor": 3.0, "delay_max": 60.0, "jitter": 0.1, "kinds": ["NetworkError"] });
        let expected = "any number of attempts, 1 s later and then 3 times as long each time, at most 60 s, give or take 10 %, after NetworkError alone";
        assert_eq!(with("retry", growing), expected);
        let linear = json!({ "backoff": "linear", "delay": 1.0, "attempts_max": 4, "elapsed_max": 30.0 });
        assert_eq!(with("retry", linear), "4 attempts, 1 s later and then 1 s more each time, for 30 s in all");
        assert_eq!(with("catch_error", json!({})), "catches errors of all steps that no other step names, once in a run");
        let some = json!({ "steps": ["charge", "ship"], "max_recoveries": 3 });
        assert_eq!(with("catch_error", some), "catches errors of charge, ship, 3 times in a run");
        assert_eq!(with("waits", json!(["Yes", "No"])), "waits for Yes or No");
    }
}
