//! `wf-host run`: one run without a server.

use std::collections::{HashSet, VecDeque};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use wf_engine::manifest::EventKind;

use super::grants::Flags;
use super::layers::Layers;
use super::people::{given_with, line_of, trace};
use super::screen::{examples, note, out};
use super::{Problem, offline};
use crate::forms::{self, BadStart, Form, Schemas};
use crate::host::Host;
use crate::model::{Fields, Frame, Refusal, RunStatus, RunView, Start, Target, Workflow};
use crate::store;

/// Once there is no more input, the run is looked at so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What its steps write is looked for so often.
const WRITTEN_EVERY: Duration = Duration::from_millis(250);
/// The exit code after Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Runs a workflow once, without a server, and shows its events; what its steps log and print goes to stderr.
///
/// On a terminal events are shown for people, and what the run asks is prompted for. In a pipe
/// each event is a line of JSON on stdout, and answers are read as lines of JSON from stdin:
/// `{"type": "ResponseEvent", "value": {"response": "Ada"}}`, or the value alone where only one
/// type can be meant. What steps print and log, and the trace of each failure, goes to stderr.
///
/// The limits are those that `wf-host serve` has by default. What the workflow may reach outside is
/// what `wf-host.toml` in this folder says of it, and what the flags add.
///
/// The exit code is 0 when the run completed, 1 when it failed, 2 when what was asked makes no
/// sense, and 130 after Ctrl-C, which cancels the run.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host run greeting.wasm --param name=Ada
  wf-host run order.wasm --event '{\"items\": [1, 2]}' | jq .value
")]
pub(super) struct Run {
    /// A `.wasm` file, `name=path`, or `name=path+path`.
    path: String,
    /// The start event's fields, as a JSON object; `@FILE` is one in a file.
    #[arg(long, value_name = "JSON")]
    event: Option<String>,
    /// One of its fields: JSON where it is that, else text. May be repeated.
    #[arg(long = "param", value_name = "KEY=VALUE")]
    params: Vec<String>,
    /// Show the events of the run's inner life, too.
    #[arg(long)]
    internal: bool,
    /// Where the run is kept: `memory:` or `sqlite:PATH`.
    #[arg(long, env = "WF_HOST_STORE", default_value = "memory:")]
    store: String,
    #[command(flatten)]
    grants: Flags,
}

impl Run {
    pub(super) async fn run(self, mut layers: Layers<'_>) -> Result<ExitCode, Problem> {
        let payload = fields(self.event.as_deref(), &self.params)?.json();
        let source = offline::source(&self.path).map_err(Problem::usage)?;
        let store = store::open(Some(&self.store), Path::new("")).await?;
        let host = offline::host(Some(store), self.grants.config(&mut layers)?).await?;
        let (workflow, _) = host.load(&source).await?;
        host.resume().await?;
        let schemas = Schemas::default();
        let form = Form { name: None, payload };
        let unfit =
            |why: String| Problem::new(format!("the start event does not fit: {why}")).hint("`wf-host inspect` shows its fields").usage();
        let given = schemas.start(&workflow, form).map_err(|(BadStart::Invalid(why) | BadStart::Other(why))| unfit(why))?;
        let event = host.validated(&workflow, given).await.map_err(refused)?.map_err(unfit)?;
        let start = Start { workflow: workflow.clone(), event, state: None, handler: None, idempotency: None };
        let view = host.start(start).await.map_err(refused)?;
        let session =
            Session { host: host.clone(), workflow, schemas, view, internal: self.internal, people: std::io::stdout().is_terminal() };
        let result = session.follow().await;
        host.stop().await;
        result
    }
}

/// An event's fields, from a JSON object and single ones. They are carried as they were written.
pub(super) fn fields(event: Option<&str>, params: &[String]) -> Result<Fields, Problem> {
    let problem = |why: String| Problem::new(why).hint("give an object, as in `--event '{\"name\": \"Ada\"}'`").usage();
    let event = match event.and_then(|it| it.strip_prefix('@')) {
        Some(path) => from_file(path)?,
        None => event.unwrap_or("{}").to_owned(),
    };
    let event = RawValue::from_string(event);
    let event = event.map_err(|error| problem(format!("`--event` is no JSON: {error}")))?;
    let mut fields = Fields::read("`--event`", &event).map_err(problem)?;
    for param in params {
        let problem = || Problem::new(format!("`--param {param}` has no value")).hint("write `--param key=value`").usage();
        let (key, value) = param.split_once('=').ok_or_else(problem)?;
        fields.set(key, json_or_text(value));
    }
    Ok(fields)
}

/// What stands in a file, or on stdin.
fn from_file(path: &str) -> Result<String, Problem> {
    let read = if path == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    read.map_err(|error| {
        let problem = Problem::new(format!("`--event @{path}` cannot be read: {error}"));
        problem.hint("behind `@` stands the path of a file with a JSON object, or `-` for stdin").usage()
    })
}

/// JSON where it is that, else a text.
fn json_or_text(value: &str) -> Box<RawValue> {
    RawValue::from_string(value.to_owned()).unwrap_or_else(|_| text(value))
}

fn text(value: &str) -> Box<RawValue> {
    to_raw_value(value).expect("a text is JSON")
}

fn refused(refusal: Refusal) -> Problem {
    Problem::new(refusal.to_string())
}

/// One run, from its start to its end, and who answers what it asks.
struct Session {
    host: Host,
    workflow: Arc<Workflow>,
    schemas: Schemas,
    view: RunView,
    internal: bool,
    /// Somebody reads along, and no program.
    people: bool,
}

/// The lines that were shown.
#[derive(Default)]
struct Written(HashSet<(u64, u32, String, u64)>);

/// A question to a person: the fields that are still to be asked for, and those that are there.
struct Question {
    name: String,
    left: VecDeque<(String, Value)>,
    given: Fields,
}

impl Session {
    async fn follow(&self) -> Result<ExitCode, Problem> {
        let mut frames = self.host.frames(&self.view.run, -1);
        let mut written = Written::default();
        let mut lines = None;
        let mut question: Option<Question> = None;
        // Questions without an answer so far, and whether there will be no more answers.
        let (mut open, mut exhausted) = (0_u32, false);
        // One and the same, so that none is lost between two turns.
        let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
        loop {
            tokio::select! {
                batch = frames.next() => {
                    let Some(batch) = batch else { break };
                    self.show_written(&mut written).await?;
                    for frame in batch {
                        self.show(&frame)?;
                        let idle = envelope(&frame).name == "WorkflowIdleEvent";
                        if idle || self.asks(&frame) {
                            self.show_written(&mut written).await?;
                            lines = if exhausted { None } else { lines.or_else(|| Some(read_lines())) };
                        }
                        if self.asks(&frame) {
                            open += 1;
                            if self.prompting() {
                                question = self.question();
                                self.prompt(question.as_ref())?;
                            }
                        }
                    }
                }
                line = next_line(&mut lines) => {
                    let Some(line) = line else {
                        (lines, exhausted) = (None, true);
                        continue;
                    };
                    match self.answer(&line, &mut question).await {
                        Ok(sent) => open = open.saturating_sub(sent.into()),
                        Err(why) => {
                            Problem::new(why).warn();
                            question = self.prompting().then(|| self.question()).flatten();
                        }
                    }
                    if open > 0 {
                        self.prompt(question.as_ref())?;
                    }
                }
                () = tokio::time::sleep(LOOK_EVERY), if exhausted => {
                    if !self.only_waits().await? {
                        continue;
                    }
                    // What waits may still time out, but nobody will answer it.
                    let _ = self.host.cancel(&self.view.handler).await;
                    return Err(Problem::new("the run waits for an answer, and there is no more input")
                        .hint(format!("give answers as lines of JSON on stdin, as `{}`, or run it on a terminal", self.example())));
                }
                () = tokio::time::sleep(WRITTEN_EVERY) => self.show_written(&mut written).await?,
                _ = &mut interrupted => {
                    let _ = self.host.cancel(&self.view.handler).await;
                    return Ok(ExitCode::from(INTERRUPTED));
                }
            }
        }
        self.show_written(&mut written).await?;
        match self.host.run(&self.view.run).await.map_err(refused)?.status {
            RunStatus::Completed(_) => Ok(ExitCode::SUCCESS),
            RunStatus::Failed(message) => Err(Problem::new(message)),
            RunStatus::Cancelled | RunStatus::Running => Err(Problem::new("the run was stopped before its end")),
        }
    }

    /// Shows on stderr what its steps have written since.
    async fn show_written(&self, written: &mut Written) -> Result<(), Problem> {
        let mut lines = self.host.logs(&self.view.run).await.map_err(refused)?;
        lines.retain(|it| written.0.insert((it.invocation, it.attempt, it.source.clone(), it.number)));
        lines.sort_by_key(|it| it.at);
        for it in &lines {
            // What ended an attempt is told with the run's end, unless it goes on.
            let shown = match it.source.as_str() {
                "stdout" | "stderr" => it.message.clone(),
                _ => format!("{:5}  {}{}{}", it.level, it.message, given_with(&it.fields), trace(&it.fields)),
            };
            note(&format!("  {}\n", shown.trim_end()));
        }
        Ok(())
    }

    /// Whether nothing but an event can let the run go on.
    async fn only_waits(&self) -> Result<bool, Problem> {
        self.host.is_idle(&self.view.run).await.map_err(refused)
    }

    fn prompting(&self) -> bool {
        self.people && std::io::stdin().is_terminal()
    }

    fn asks(&self, frame: &Frame) -> bool {
        let name = envelope(frame).name;
        self.workflow.definition.kind(&name) == Some(EventKind::InputRequired)
    }

    fn show(&self, frame: &Frame) -> Result<(), Problem> {
        if frame.internal && !self.internal {
            return Ok(());
        }
        if !self.people {
            return out(&format!("{}\n", line_of(&String::from_utf8_lossy(&frame.envelope))));
        }
        let Shown { name, value } = envelope(frame);
        out(&format!(
            "{}{name}  {}\n",
            if frame.internal {
                "  · "
            } else if frame.terminal {
                "■ "
            } else {
                "→ "
            },
            line_of(value.get())
        ))
    }

    /// The types with which the outside can answer.
    fn answers(&self) -> Vec<&str> {
        let declared = self.workflow.definition.event_types().map(|it| it.name.as_str());
        let additional = self.workflow.additional_events.iter().map(String::as_str);
        let is_answer = |name: &str| self.workflow.definition.kind(name) == Some(EventKind::HumanResponse) && name != "HumanResponseEvent";
        let mut names: Vec<&str> = Vec::new();
        for name in declared.chain(additional).filter(|it| is_answer(it)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            names.push("HumanResponseEvent");
        }
        names
    }

    /// An answer as it can be given.
    fn example(&self) -> String {
        let name = self.answers().first().copied().unwrap_or_default();
        let schema = self.workflow.definition.event_type(name).map(|it| it.schema.clone()).unwrap_or_default();
        json!({ "type": name, "value": examples(&schema, &schema) }).to_string()
    }

    /// The fields of the answer, where only one type can be meant.
    fn question(&self) -> Option<Question> {
        let [name] = self.answers()[..] else { return None };
        let schema = self.workflow.definition.event_type(name).map(|it| &it.schema)?;
        let fields = schema["properties"].as_object().into_iter().flatten();
        Some(Question {
            name: name.to_owned(),
            left: fields.map(|(key, value)| (key.clone(), value.clone())).collect(),
            given: Fields::default(),
        })
    }

    fn prompt(&self, question: Option<&Question>) -> Result<(), Problem> {
        if !self.prompting() {
            return Ok(());
        }
        match question {
            Some(Question { left, .. }) if !left.is_empty() => {
                let (name, schema) = &left[0];
                let about = schema["description"].as_str().map(|it| format!(" ({it})")).unwrap_or_default();
                out(&format!("? {name}{about}: "))
            }
            Some(_) => Ok(()),
            None => out(&format!("? an event as JSON, of {}: ", self.answers().join(", "))),
        }
    }

    /// Takes a line: the next field of a question, or a whole event. Says whether an event was sent.
    async fn answer(&self, line: &str, question: &mut Option<Question>) -> Result<bool, String> {
        if line.trim().is_empty() && question.is_none() {
            return Ok(false);
        }
        let (name, payload) = match question {
            Some(asked) => {
                if let Some((name, schema)) = asked.left.pop_front() {
                    let value = if schema["type"] == "string" { text(line) } else { json_or_text(line) };
                    asked.given.set(&name, value);
                }
                if !asked.left.is_empty() {
                    return Ok(false);
                }
                let Some(asked) = question.take() else { return Ok(false) };
                (asked.name, asked.given.json())
            }
            None => {
                let raw = RawValue::from_string(line.trim().to_owned()).map_err(|error| format!("the answer is no JSON: {error}"))?;
                let form = Form::start(&raw)?;
                let name = match (form.name, &self.answers()[..]) {
                    (Some(name), _) => name,
                    (None, [only]) => (*only).to_owned(),
                    (None, several) => return Err(format!("say which event it is: {}", several.join(", "))),
                };
                (name, form.payload)
            }
        };
        forms::check(&self.workflow, &name, &Target::default()).map_err(|refusal| refusal.to_string())?;
        let given = self.schemas.event(&self.workflow, name, payload)?;
        let event = self.host.validated(&self.workflow, given).await.map_err(|refusal| refusal.to_string())??;
        self.host.send(&self.view.handler, event, Target::default(), None).await.map_err(|refusal| refusal.to_string())?;
        Ok(true)
    }
}

/// Type and value of an event, as we have written them.
#[derive(Deserialize)]
struct Shown {
    #[serde(rename = "type")]
    name: String,
    value: Box<RawValue>,
}

fn envelope(frame: &Frame) -> Shown {
    serde_json::from_slice(&frame.envelope).expect("cannot happen: an envelope that is none")
}

/// Lines of stdin, from a thread of their own: a read cannot be interrupted.
fn read_lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Never, until the run has asked something.
async fn next_line(lines: &mut Option<mpsc::UnboundedReceiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}
