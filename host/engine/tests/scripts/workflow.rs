//! The part of a script that says what workflow it is about.
//!
//! ```text
//! timeout 0.3                 the run's
//! additional Answer           additional event types
//! state {"n": 1}              to begin with
//! type Ask: input-required    of a kind; `of Base` for a base type. Plain types need no line.
//! step work: Item -> Done     accepts and returns, then any of:
//!   subtypes; slots 2; fan-out; join each; join all; timeout 3; catch [steps] max 2;
//!   retry 0.5 [linear|exponential] [factor 3] [at-most 9] [jitter 0.5] [attempts 3] [elapsed 60] [on ValueError]
//! show steps                  print the frames of StepStateChanged too
//! show state                  print the committed state wherever it has changed
//! ```

use serde_json::{Value, json};
use wf_engine::entry::{RULES, Started};
use wf_engine::manifest::Manifest;

use super::words::Words;

const BUILT_IN: [&str; 5] = ["StartEvent", "StopEvent", "InputRequiredEvent", "HumanResponseEvent", "StepFailedEvent"];

pub struct Workflow {
    pub manifest: Manifest,
    pub state: Value,
    pub shows_steps: bool,
    pub shows_state: bool,
}

/// The workflow, and the lines that are not about it.
pub fn parse(script: &str) -> (Workflow, Vec<&str>) {
    let (mut steps, mut events, mut additional, mut timeout) = (Vec::new(), Vec::new(), Vec::new(), Value::Null);
    let (mut state, mut shows_steps, mut shows_state, mut inputs) = (json!({}), false, false, Vec::new());
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = Words::of(line);
        match words.word() {
            "timeout" => timeout = json!(words.number()),
            "additional" => additional = words.names(&[]),
            "state" => state = words.value(),
            "type" => events.push(event_type(&mut words)),
            "step" => steps.push(step(&mut words)),
            "show" if words.eat("steps") => shows_steps = true,
            "show" if words.eat("state") => shows_state = true,
            _ => inputs.push(line),
        }
    }
    let plain = undeclared(&steps, &events);
    events.extend(plain.into_iter().map(|name| json!({ "name": name, "kind": "plain" })));
    let manifest = json!({ "name": "demo", "steps": steps, "events": events, "timeout": timeout, "additional_events": additional });
    let manifest = serde_json::from_value(manifest).expect("a manifest");
    (Workflow { manifest, state, shows_steps, shows_state }, inputs)
}

impl Workflow {
    pub fn started(&self, words: &mut Words) -> Started {
        let start = words.event_of("StartEvent");
        Started {
            rules: RULES,
            definition: vec!["digest".into()],
            workflow: self.manifest.name.clone(),
            handler: "handler".into(),
            run: "run".into(),
            start,
            state: self.state.clone(),
            seed: Started::seed_text([7; 32]),
            timeout: self.manifest.timeout,
            additional_events: self.manifest.additional_events.clone(),
        }
    }
}

fn undeclared(steps: &[Value], events: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in
        steps.iter().flat_map(|step| ["accepts", "emits"].map(|key| &step[key])).flat_map(|names| names.as_array().into_iter().flatten())
    {
        let name = name.as_str().expect("a name");
        let is_known =
            BUILT_IN.contains(&name) || events.iter().any(|event| event["name"] == name) || names.iter().any(|known| known == name);
        if !is_known {
            names.push(name.to_owned());
        }
    }
    names
}

fn event_type(words: &mut Words) -> Value {
    let (name, kind) = (words.word(), words.word());
    let base = words.eat("of").then(|| words.word());
    json!({ "name": name, "kind": kind, "base": base })
}

fn step(words: &mut Words) -> Value {
    let name = words.word().to_owned();
    let accepts = words.names(&["->"]);
    words.eat("->");
    let options = ["subtypes", "slots", "fan-out", "join", "timeout", "catch", "retry"];
    let mut step = json!({ "name": name, "accepts": accepts, "emits": words.names(&options) });
    while !words.is_empty() {
        match words.word() {
            "subtypes" => step["subtypes"] = json!(true),
            "fan-out" => step["fan_out"] = json!(true),
            "slots" => step["num_workers"] = json!(words.number() as u32),
            "join" => step["join"] = json!(words.word()),
            "timeout" => step["timeout"] = json!(words.number()),
            "catch" => {
                step["catch_error"] =
                    json!({ "steps": words.names(&["max"]), "max_recoveries": words.number_after("max").unwrap_or(1.0) as u32 })
            }
            "retry" => step["retry"] = retry(words),
            other => panic!("`{other}` is no option of a step"),
        }
    }
    step
}

fn retry(words: &mut Words) -> Value {
    let delay = words.number();
    let backoff = ["linear", "exponential"].into_iter().find(|backoff| words.eat(backoff)).unwrap_or("constant");
    let factor = words.number_after("factor").unwrap_or(2.0);
    let delay_max = words.number_after("at-most");
    let jitter = words.number_after("jitter").unwrap_or(0.0);
    let attempts_max = words.number_after("attempts").map(|number| number as u32);
    let elapsed_max = words.number_after("elapsed");
    let kinds = if words.eat("on") { words.names(&[]) } else { Vec::new() };
    json!({
        "backoff": backoff, "delay": delay, "factor": factor, "delay_max": delay_max, "jitter": jitter,
        "attempts_max": attempts_max, "elapsed_max": elapsed_max, "kinds": kinds,
    })
}
