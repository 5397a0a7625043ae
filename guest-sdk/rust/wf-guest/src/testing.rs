//! Runs a workflow in plain `cargo test`: no wasm, no server, and a clock that stands still.
//!
//! It is the engine of wf-host that routes the events, joins, retries and waits, so a test cannot
//! disagree with the host about them. What is missing is the sandbox: a step runs as native code,
//! its memory and computing time are not limited, and time and chance of the standard library
//! are the machine's own.
//!
//! ```
//! use wf_guest::prelude::*;
//! use wf_guest::testing::Test;
//!
//! #[derive(Event)]
//! #[event(input_required)]
//! struct NameNeeded {
//!     prompt: String,
//! }
//!
//! #[derive(Event)]
//! #[event(human_response)]
//! struct NameGiven {
//!     name: String,
//! }
//!
//! struct Greeter;
//!
//! #[workflow(additional_events(NameNeeded, NameGiven))]
//! impl Greeter {
//!     #[step(retry(delay = 60.0, attempts_max = 2))]
//!     fn greet(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
//!         let question = NameNeeded { prompt: "Your name?".into() };
//!         let answer = context.wait::<NameGiven>().request(&question)?.get()?;
//!         Ok(StopEvent::new(format!("Hello, {}!", answer.name)))
//!     }
//! }
//!
//! let mut run = Test::of(Greeter)
//!     .answer(|_question: NameNeeded| NameGiven { name: "Ada".into() })
//!     .fail_first("greet", 1, Failure::new("NetworkError", "the line was cut"))
//!     .restart_at_every_commit()
//!     .start(json!({}));
//! assert!(run.is_running(), "the second attempt comes after a minute");
//! run.advance(Duration::from_secs(60));
//! assert_eq!(run.result::<String>(), "Hello, Ada!");
//! assert_eq!(run.published_types(), ["NameNeeded", "StopEvent"]);
//! ```

pub(crate) mod contract;
mod entry;
mod outside;
mod schemas;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use wf_engine::definition::Definition;
use wf_engine::entry::Part;
use wf_engine::json::{Json, empty};
use wf_engine::run::Status;

use crate::read::read;
use crate::{Event, Failure, RawEvent, StopEvent, Workflow};
pub use outside::{HttpRequest, HttpResponse};
use world::{Fault, World};

/// A test in the making: which workflow, and what is to go wrong.
#[must_use = "nothing runs until `start` is called"]
pub struct Test {
    definition: Definition,
    invoke: entry::Step,
    state: Json,
    responders: Vec<Responder>,
    faults: Vec<Fault>,
    restarts: bool,
    variables: BTreeMap<String, String>,
    outside: Option<Answers>,
}

/// Who answers requests.
type Answers = Box<dyn FnMut(&HttpRequest) -> HttpResponse>;

/// Who answers an event of a type that the run publishes.
struct Responder {
    asks: &'static str,
    answers: Box<dyn FnMut(&RawEvent) -> RawEvent>,
}

/// A run. It stands still until the test sends something or moves the clock.
pub struct Run {
    world: World,
}

/// A line that a step wrote to the run's log.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The step.
    pub step: String,
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The text.
    pub message: String,
    /// An object. Numbers with more digits than a double holds are rounded here.
    pub fields: Value,
}

impl Test {
    /// Of a workflow.
    ///
    /// # Panics
    /// When wf-host would not load it; the findings are in the message.
    #[track_caller]
    pub fn of<W: Workflow>(_workflow: W) -> Test {
        let manifest = serde_json::from_str(&W::describe()).expect("the manifest that the macros write");
        let part = Part { component: "0".repeat(64), data: None };
        let definition = Definition::new(vec![(part, manifest)]);
        let findings: Vec<String> = definition.check().iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "wf-host would not load the workflow `{}`:\n{}", definition.name(), findings.join("\n"));
        Test {
            definition,
            invoke: W::invoke,
            state: empty(),
            responders: Vec::new(),
            faults: Vec::new(),
            restarts: false,
            variables: BTreeMap::new(),
            outside: None,
        }
    }

    /// The state that the run begins with: an object.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn state(mut self, state: impl Serialize) -> Test {
        self.state = object("the state", state).into();
        self
    }

    /// Answers every event of a type that the run publishes, at once.
    pub fn answer<Q: Event, A: Event>(mut self, mut answer: impl FnMut(Q) -> A + 'static) -> Test {
        let answers = move |asked: &RawEvent| {
            let question = asked.parse().unwrap_or_else(|failure| panic!("the question does not fit its type: {}", failure.message()));
            raw(&answer(question))
        };
        self.responders.push(Responder { asks: Q::NAME, answers: Box::new(answers) });
        self
    }

    /// The first so many attempts of each invocation of a step fail with this, after they have done
    /// their work: what they had not committed is lost, and their memos are kept. A step without
    /// `retry` has one attempt: then the run fails.
    pub fn fail_first(mut self, step: &str, attempts: u32, failure: Failure) -> Test {
        assert!(self.definition.step(step).is_some(), "the workflow has no step `{step}`");
        self.faults.push(Fault { step: step.to_owned(), delivery: None, attempts, failure });
        self
    }

    /// The same of one delivery alone: the first invocation of the step is 0.
    pub fn fail_first_of(mut self, step: &str, delivery: usize, attempts: u32, failure: Failure) -> Test {
        assert!(self.definition.step(step).is_some(), "the workflow has no step `{step}`");
        self.faults.push(Fault { step: step.to_owned(), delivery: Some(delivery), attempts, failure });
        self
    }

    /// Answers the requests of all steps: nothing leaves the test.
    pub fn http(mut self, answers: impl FnMut(&HttpRequest) -> HttpResponse + 'static) -> Test {
        self.outside = Some(Box::new(answers));
        self
    }

    /// Gives the workflow a variable; or, for a secret, what it has in its place.
    pub fn variable(mut self, name: &str, value: &str) -> Test {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The host is restarted at every commit point, and whenever a step returns: all that executes
    /// is entered again, and must do the same again up to where it was. Only not while a step has an answer of the outside
    /// to read, because that would be cut.
    pub fn restart_at_every_commit(mut self) -> Test {
        self.restarts = true;
        self
    }

    /// Starts a run with a start event, given as JSON or as the event itself, and lets it go on
    /// until it has ended or needs time or an event to go on.
    ///
    /// # Panics
    /// When the start event is no object, or does not fit its type: the API would refuse it.
    #[track_caller]
    pub fn start(self, event: impl Serialize) -> Run {
        let event = object("a start event", event);
        let name = self.definition.start_type().unwrap_or("StartEvent").to_owned();
        schemas::check(&self.definition, &name, event.get());
        Run { world: World::start(self, event) }
    }
}

impl Run {
    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        self.world.run.is_running()
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.world.run.status(), Status::Cancelled)
    }

    /// Sends an event, as the outside would.
    ///
    /// # Panics
    /// When the run has ended, the workflow does not declare the event's type, or the event does not fit what it declares.
    #[track_caller]
    pub fn send<E: Event>(&mut self, event: &E) {
        self.deliver(raw(event), None);
    }

    /// Sends an event to one step.
    ///
    /// # Panics
    /// As [`Run::send`], or when the step does not accept it.
    #[track_caller]
    pub fn send_to<E: Event>(&mut self, step: &str, event: &E) {
        assert!(self.world.definition.accepts(step, E::NAME), "step `{step}` does not accept `{}`", E::NAME);
        self.deliver(raw(event), Some(step));
    }

    #[track_caller]
    fn deliver(&mut self, event: RawEvent, step: Option<&str>) {
        assert!(self.is_running(), "`{}` was sent to a run that has ended\n{}", event.name, self.report());
        assert!(self.world.declares(&event.name), "the workflow does not declare `{}`: the API would refuse it", event.name);
        schemas::check(&self.world.definition, &event.name, &event.payload);
        self.world.send(event, step);
    }

    /// Moves the clock on; timers that come due on the way fire in their order.
    pub fn advance(&mut self, time: Duration) {
        self.world.advance(micros(time));
    }

    /// Moves the clock on to timer after timer, until the run has ended or only an event helps.
    /// Timeouts fire too.
    pub fn finish(&mut self) {
        self.world.finish();
    }

    /// Cancels the run.
    pub fn cancel(&mut self) {
        self.world.cancel();
    }

    /// The result that the run ended with: `result` of its stop event.
    ///
    /// # Panics
    /// When it has not completed, or the result is of another type.
    #[track_caller]
    pub fn result<T: DeserializeOwned>(&self) -> T {
        let result = read::<StopEvent>(self.completed()).map_err(Failure::from).and_then(|stop| stop.result());
        result.unwrap_or_else(|failure| panic!("{}\n{}", failure.message(), self.report()))
    }

    /// The stop event that the run ended with.
    ///
    /// # Panics
    /// When it has not completed, or not with this.
    #[track_caller]
    pub fn stop<E: Event>(&self) -> E {
        read(self.completed()).unwrap_or_else(|error| panic!("it is no {}: {error}\n{}", E::NAME, self.report()))
    }

    #[track_caller]
    fn completed(&self) -> &str {
        match self.world.run.status() {
            Status::Completed(event) => event.payload.get(),
            _ => panic!("the run has not completed\n{}", self.report()),
        }
    }

    /// The message that the run failed with.
    ///
    /// # Panics
    /// When it has not failed.
    #[track_caller]
    pub fn failure(&self) -> &str {
        match self.world.run.status() {
            Status::Failed(message) => message,
            _ => panic!("the run has not failed\n{}", self.report()),
        }
    }

    /// All events of the run's stream, but for those of its inner life.
    pub fn published(&self) -> Vec<RawEvent> {
        let shown = self.world.frames.iter().filter(|event| !self.world.definition.is_internal(&event.name));
        shown.cloned().collect()
    }

    /// Their types, in order.
    pub fn published_types(&self) -> Vec<String> {
        self.published().into_iter().map(|event| event.name).collect()
    }

    /// Those of one type.
    ///
    /// # Panics
    /// When one does not fit its type.
    #[track_caller]
    pub fn published_of<E: Event>(&self) -> Vec<E> {
        let events = self.published().into_iter().filter(|event| event.name == E::NAME);
        events.map(|event| event.parse().unwrap_or_else(|failure| panic!("{}", failure.message()))).collect()
    }

    /// The committed state.
    ///
    /// # Panics
    /// When it is of another type.
    #[track_caller]
    pub fn state<T: DeserializeOwned>(&self) -> T {
        let state = self.world.run.state();
        read(state.get()).unwrap_or_else(|error| panic!("the state is of another type: {error}\n  {}", state.get()))
    }

    /// What the steps wrote to the run's log.
    pub fn lines(&self) -> &[Line] {
        &self.world.lines
    }

    /// How many attempts of a step were begun.
    pub fn attempts(&self, step: &str) -> usize {
        self.world.attempts.iter().filter(|(name, ..)| name == step).count()
    }

    /// The clock, since 1970. It begins on 2026-01-01.
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.world.now)
    }

    /// How it stands, for the message of an assertion.
    fn report(&self) -> String {
        let mut text = match self.world.run.status() {
            Status::Queued | Status::Running => match self.world.next_timer() {
                Some((due, _)) => format!("it is running; its next timer is due in {:?}", Duration::from_micros(due - self.world.now)),
                None => "it is running, and only an event helps".to_owned(),
            },
            Status::Completed(event) => format!("it has completed with {} {}", event.name, event.payload.get()),
            Status::Failed(message) => format!("it has failed: {message}"),
            Status::Cancelled => "it was cancelled".to_owned(),
        };
        for event in self.published() {
            let _ = write!(text, "\n  {} {}", event.name, event.payload);
        }
        text
    }
}

fn raw<E: Event>(event: &E) -> RawEvent {
    RawEvent::of(event).unwrap_or_else(|failure| panic!("{} is no JSON: {}", E::NAME, failure.message()))
}

#[track_caller]
fn object(what: &str, value: impl Serialize) -> Box<RawValue> {
    let value = to_raw_value(&value).unwrap_or_else(|error| panic!("{what} is JSON: {error}"));
    assert!(value.get().starts_with('{'), "{what} is an object, as `json!({{}})`; this is {value}");
    value
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
