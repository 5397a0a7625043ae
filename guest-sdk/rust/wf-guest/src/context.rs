//! What a step may ask of its host.

use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::host::{events, log, memo, run, state, time};
use crate::{Event, Failure, RawEvent, Result};

/// What a step may ask of its host while it runs.
pub struct Context(());

/// A wait in the making: see [`Context::wait`].
#[must_use = "nothing waits until `get` is called"]
pub struct Wait<E> {
    options: Map<String, Value>,
    event: PhantomData<E>,
}

impl Context {
    #[doc(hidden)]
    pub fn new() -> Context {
        Context(())
    }

    /// Sends an event to the steps that take it, once this step has come to its next commit point.
    pub fn send<E: Event>(&self, event: &E) -> Result<()> {
        events::send(&RawEvent::of(event)?.into_host(), "{}").map_err(Failure::from_host)
    }

    /// Sends an event to one step.
    pub fn send_to<E: Event>(&self, step: &str, event: &E) -> Result<()> {
        let options = json!({ "step": step }).to_string();
        events::send(&RawEvent::of(event)?.into_host(), &options).map_err(Failure::from_host)
    }

    /// Shows an event to those who read the run's stream.
    pub fn publish<E: Event>(&self, event: &E) -> Result<()> {
        events::publish(&RawEvent::of(event)?.into_host(), "{}").map_err(Failure::from_host)
    }

    /// Waits for an event: `context.wait::<Answer>().request(&question)?.get()?`. The step leaves
    /// memory until it comes. The workflow names its type, unless a step takes it as well:
    /// `#[workflow(additional_events(Answer))]`.
    pub fn wait<E: Event>(&self) -> Wait<E> {
        let options = Map::from_iter([("type".to_owned(), E::NAME.into())]);
        Wait { options, event: PhantomData }
    }

    /// Adds an event to those of its type that this step collects; all of them, once there are `count`.
    pub fn collect<E: Event>(&self, event: &E, count: usize) -> Result<Option<Vec<E>>> {
        let options = json!({ "id": E::NAME, "expected": vec![E::NAME; count] }).to_string();
        let batch = events::collect(&RawEvent::of(event)?.into_host(), &options).map_err(Failure::from_host)?;
        batch.map(|batch| batch.into_iter().map(|event| RawEvent::from_host(event).parse()).collect()).transpose()
    }

    /// Sleeps durably. From a second on the step leaves memory meanwhile.
    pub fn sleep(&self, duration: Duration) {
        time::sleep(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// The time since 1970 in UTC. The same again when the step is re-entered.
    pub fn now(&self) -> Duration {
        Duration::from_micros(time::now())
    }

    /// The value in the run's state at a dotted path; none where there is none.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let value = state::get(path).map_err(Failure::from_host)?;
        Ok(value.map(|json| serde_json::from_str(&json)).transpose()?)
    }

    /// Sets the value at a path, at the next commit point; the last commit wins.
    pub fn set(&self, path: &str, value: impl Serialize) -> Result<()> {
        state::set(path, &serde_json::to_string(&value)?).map_err(Failure::from_host)
    }

    /// Deletes the value at a path, at the next commit point.
    pub fn delete(&self, path: &str) -> Result<()> {
        state::delete(path).map_err(Failure::from_host)
    }

    /// Changes the value at a path as one: the closure is called again when another step has
    /// changed it meanwhile. Gives the new value.
    pub fn edit<T: DeserializeOwned + Serialize>(&self, path: &str, mut change: impl FnMut(Option<T>) -> T) -> Result<T> {
        loop {
            let (version, json) = state::edit_begin(path).map_err(Failure::from_host)?;
            let old = json.map(|json| serde_json::from_str(&json)).transpose()?;
            let new = change(old);
            if state::edit_commit(path, version, &serde_json::to_string(&new)?).map_err(Failure::from_host)? {
                return Ok(new);
            }
        }
    }

    /// Does expensive work once: its result is kept over re-entries and retries of this step.
    pub fn memo<T: DeserializeOwned + Serialize>(&self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if let Some(json) = memo::look_up(name).map_err(Failure::from_host)? {
            return Ok(serde_json::from_str(&json)?);
        }
        let value = work()?;
        memo::keep(name, &serde_json::to_string(&value)?).map_err(Failure::from_host)?;
        Ok(value)
    }

    /// Commits what is buffered: sends and state writes.
    pub fn commit(&self) {
        run::commit();
    }

    /// Writes a line to the run's log. Levels: `trace`, `debug`, `info`, `warn`, `error`.
    pub fn log(&self, level: &str, message: &str, fields: Value) {
        log::write(level, message, &fields.to_string());
    }

    /// Writes a line to the run's log.
    pub fn info(&self, message: &str) {
        self.log("info", message, json!({}));
    }

    /// The run's id.
    pub fn run_id(&self) -> String {
        run::run_id()
    }

    /// The id of the handler that the outside holds.
    pub fn handler_id(&self) -> String {
        run::handler_id()
    }

    /// The workflow's name.
    pub fn workflow(&self) -> String {
        run::workflow()
    }

    /// This step's name.
    pub fn step(&self) -> String {
        run::step()
    }

    /// Which attempt this is, from 0.
    pub fn attempt(&self) -> u32 {
        run::attempt()
    }

    /// A UUID for an effect on the outside: the same over all re-entries and retries.
    pub fn idempotency_key(&self, label: &str) -> String {
        run::idempotency_key(label)
    }
}

impl<E: Event> Wait<E> {
    fn option(mut self, key: &str, value: impl Into<Value>) -> Wait<E> {
        self.options.insert(key.to_owned(), value.into());
        self
    }

    /// Tells two waits of one step apart.
    pub fn id(self, id: &str) -> Wait<E> {
        self.option("id", id)
    }

    /// Takes only an event whose field has this value.
    pub fn requirement(mut self, field: &str, value: impl Into<Value>) -> Wait<E> {
        let requirements = self.options.entry("requirements").or_insert_with(|| json!({}));
        requirements[field] = value.into();
        self
    }

    /// Fails with kind `timeout` when nothing comes in this time.
    pub fn timeout(self, timeout: Duration) -> Wait<E> {
        self.option("timeout", timeout.as_secs_f64())
    }

    /// Publishes an event that asks for the answer, once.
    pub fn request<R: Event>(self, request: &R) -> Result<Wait<E>> {
        let payload = serde_json::to_value(request)?;
        Ok(self.option("request", json!({ "name": R::NAME, "payload": payload })))
    }

    /// Waits.
    pub fn get(self) -> Result<E> {
        let event = events::wait(&Value::Object(self.options).to_string()).map_err(Failure::from_host)?;
        RawEvent::from_host(event).parse()
    }
}
