//! The part of a script that says what workflow it is about.
//!
//! ```text
//! timeout 0.3                 the run's
//! additional Answer           additional event types
//! state {"n": 1}              to begin with
//! type Ask: input-required    of a kind; `of Base` for a base type. Plain types need no line.
//! step work: Item -> Done     accepts and returns, then any of:
//!   subtypes; any (emits); slots 2; fan-out [or alone Total]; join each; join all; arrival; take 2; timeout 3; catch [steps] max 2;
//!   retry 0.5 [linear|exponential] [factor 3] [at-most 9] [jitter 0.5] [attempts 3] [elapsed 60] [on ValueError]
//! part other data x           what follows is of another part of the definition
//! show steps                  print the frames of StepStateChanged too
//! show state                  print the committed state wherever it has changed
//! ```

use serde_json::{Value, json};
use wf_engine::entry::{Forked, InvocationId, Part, RULES, Started};
use wf_engine::json::{self, Json};
use wf_engine::manifest::Manifest;

use super::words::Words;

const BUILT_IN: [&str; 5] = ["StartEvent", "StopEvent", "InputRequiredEvent", "HumanResponseEvent", "StepFailedEvent"];

pub struct Workflow {
    /// The parts of the definition, in order.
    pub parts: Vec<(Part, Manifest)>,
    pub state: Json,
    pub state_max: Option<u64>,
    pub shows_steps: bool,
    pub shows_state: bool,
}

/// The workflow, and the lines that are not about it.
pub fn parse(script: &str) -> (Workflow, Vec<&str>) {
    let (mut state, mut state_max, mut shows_steps, mut shows_state, mut inputs) = (json::empty(), None, false, false, Vec::new());
    let mut parts = vec![Draft { part: Some(part()), ..Draft::default() }];
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = Words::of(line);
        let draft = parts.last_mut().expect("there is a first one");
        match words.word() {
            "timeout" => draft.timeout = json!(words.number()),
            "additional" => draft.additional = words.names(&[]),
            "state-max" => state_max = Some(words.number() as u64),
            "state" => state = words.json(),
            "type" => draft.events.push(event_type(&mut words)),
            "step" => draft.steps.push(step(&mut words)),
            "part" => parts.push(Draft::of(&mut words)),
            "show" if words.eat("steps") => shows_steps = true,
            "show" if words.eat("state") => shows_state = true,
            _ => inputs.push(line),
        }
    }
    (Workflow { parts: parts.into_iter().map(Draft::done).collect(), state, state_max, shows_steps, shows_state }, inputs)
}

/// A part of the definition in the making.
#[derive(Default)]
struct Draft {
    part: Option<Part>,
    steps: Vec<Value>,
    events: Vec<Value>,
    additional: Vec<String>,
    timeout: Value,
}

impl Draft {
    fn of(words: &mut Words) -> Draft {
        let component = words.word().to_owned();
        let data = words.eat("data").then(|| words.word().to_owned());
        Draft { part: Some(Part { component, data }), ..Draft::default() }
    }

    fn done(self) -> (Part, Manifest) {
        let Draft { part, steps, mut events, additional, timeout } = self;
        let plain = undeclared(&steps, &events);
        events.extend(plain.into_iter().map(|name| json!({ "name": name, "kind": "plain" })));
        let manifest = json!({ "name": "demo", "steps": steps, "events": events, "timeout": timeout, "additional_events": additional });
        (part.expect("set when it was begun"), serde_json::from_value(manifest).expect("a manifest"))
    }
}

impl Workflow {
    pub fn started(&self, words: &mut Words) -> Started {
        let start = words.event_of("StartEvent");
        let manifest = &self.parts[0].1;
        Started {
            rules: RULES,
            definition: self.parts.iter().map(|(part, _)| part.clone()).collect(),
            workflow: manifest.name.clone(),
            handler: "handler".into(),
            run: "run".into(),
            start,
            state: self.state.clone(),
            seed: Started::seed_text([7; 32]),
            timeout: manifest.timeout,
            additional_events: manifest.additional_events.clone(),
            state_max: self.state_max,
        }
    }
}

/// The one part of the definition.
pub fn part() -> Part {
    Part { component: "digest".into(), data: None }
}

/// `fork [state {}] [#0 Item {}]`, onto a definition of these parts.
pub fn forked(words: &mut Words, definition: Vec<Part>) -> Forked {
    let state = words.eat("state").then(|| words.json());
    let events = (!words.is_empty()).then(|| {
        let id: InvocationId = words.word().trim_start_matches('#').parse().expect("an invocation's number");
        (id, vec![words.event()])
    });
    let seed = Started::seed_text([8; 32]);
    Forked { origin: "run".into(), run: "fork".into(), handler: "fork's".into(), seed, definition, state, events }
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
    let options = ["subtypes", "any", "arrival", "take", "slots", "fan-out", "or", "join", "timeout", "catch", "retry"];
    let mut step = json!({ "name": name, "accepts": accepts, "emits": words.names(&options) });
    while !words.is_empty() {
        match words.word() {
            "subtypes" => step["subtypes"] = json!(true),
            "any" => step["emits_any"] = json!(true),
            "arrival" => step["order"] = json!("arrival"),
            "take" => step["take"] = json!(words.number() as u32),
            "fan-out" => step["fan_out"] = json!(true),
            "or" if words.eat("alone") => step["returns_alone"] = json!(words.names(&options)),
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
