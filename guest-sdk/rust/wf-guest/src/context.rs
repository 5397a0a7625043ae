//! What a step may ask of its host.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::host::{self, events, log, memo, run, state, time};
use crate::http::Http;
use crate::read::read;
use crate::{Event, Events, Failure, RawEvent, Result, Wait};

/// What a step may ask of its host while it runs.
pub struct Context(());

/// What came before an attempt: see [`Context::retry_info`].
#[derive(Clone, Debug)]
pub struct RetryInfo {
    /// How many attempts have failed.
    pub attempts: u32,
    /// Time since the first one began.
    pub elapsed: Duration,
    /// Why the last one failed; none in the first attempt.
    pub last_failure: Option<Failure>,
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
    /// memory until it comes. Where no step takes, returns or sends the type, the outside may send
    /// it: the macro declares so.
    ///
    /// An answer that comes before its question is not lost: what nothing takes is kept, and the
    /// first wait that it meets gets it. [`Wait::fresh`] takes only what comes later.
    pub fn wait<E: Event>(&self) -> Wait<E> {
        Wait::for_one()
    }

    /// Waits for an event of any of several types, the first to come:
    /// `match context.wait_any::<Decision>().get()? { Decision::Yes(yes) => …, Decision::No(no) => … }`.
    pub fn wait_any<E: Events>(&self) -> Wait<E> {
        Wait::for_any()
    }

    /// Adds an event to those of its type that this step collects; all of them, once there are `count`.
    pub fn collect<E: Event>(&self, event: &E, count: usize) -> Result<Option<Vec<E>>> {
        self.collect_in(E::NAME, event, count)
    }

    /// The same apart from others: only with those that the step collects under the same id, as of one order, or one customer.
    pub fn collect_in<E: Event>(&self, id: &str, event: &E, count: usize) -> Result<Option<Vec<E>>> {
        let options = json!({ "id": id, "expected": [[E::NAME, count]] }).to_string();
        let batch = events::collect(&RawEvent::of(event)?.into_host(), &options).map_err(Failure::from_host)?;
        batch.map(|batch| batch.into_iter().map(|event| RawEvent::from_host(event).parse()).collect()).transpose()
    }

    /// Sleeps durably. From a second on the step leaves memory meanwhile; in an exclusive edit that
    /// fails the attempt.
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
        value.map(|json| held(path, &json)).transpose()
    }

    /// Sets the value at a path, at the next commit point; the last commit wins.
    pub fn set(&self, path: &str, value: impl Serialize) -> Result<()> {
        state::set(path, &serde_json::to_string(&value)?).map_err(Failure::from_host)
    }

    /// Appends a value to the list at a path, at the next commit point; where there is none, it begins
    /// one. Costs what is appended, however long the list is.
    pub fn push(&self, path: &str, value: impl Serialize) -> Result<()> {
        state::push(path, &serde_json::to_string(&value)?).map_err(Failure::from_host)
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
            let old = json.map(|json| held(path, &json)).transpose()?;
            let new = change(old);
            if state::edit_commit(path, version, &serde_json::to_string(&new)?).map_err(Failure::from_host)? {
                return Ok(new);
            }
        }
    }

    /// Changes the value at a path as one, without repeating the closure: exclusive edits of a path
    /// queue, and the step leaves memory until it is its turn. What is buffered is committed before.
    /// Gives the new value. In most cases [`Context::edit`] is quicker.
    ///
    /// The closure may call the context, but not wait, sleep for a second or edit exclusively: that
    /// is refused, and a sleep fails the attempt. A plain `set` of another step does not queue: what
    /// is committed last stands, and that is this edit.
    pub fn edit_exclusive<T: DeserializeOwned + Serialize>(&self, path: &str, change: impl FnOnce(Option<T>) -> T) -> Result<T> {
        let (version, json) = state::edit_exclusive(path).map_err(Failure::from_host)?;
        let old = json.map(|json| held(path, &json)).transpose()?;
        let new = change(old);
        if state::edit_commit(path, version, &serde_json::to_string(&new)?).map_err(Failure::from_host)? {
            return Ok(new);
        }
        Err(Failure::new("conflict", format!("another step has set `{path}` during an exclusive edit of it")))
    }

    /// Does expensive work once: its result is kept over re-entries and retries of this step.
    pub fn memo<T: DeserializeOwned + Serialize>(&self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if let Some(json) = memo::look_up(name).map_err(Failure::from_host)? {
            return read(&json).map_err(|error| Failure::from(error).context(format!("the memo `{name}` holds another type")));
        }
        let value = work()?;
        memo::keep(name, &serde_json::to_string(&value)?).map_err(Failure::from_host)?;
        Ok(value)
    }

    /// Makes requests to the outside, to the hosts that the workflow is granted: see [`http`](crate::http).
    pub fn http(&self) -> Http {
        Http(())
    }

    /// A variable that the workflow is granted; none where it is not. It is what it was when the attempt
    /// first asked for its variables, also when the step is entered again.
    pub fn variable(&self, name: &str) -> Option<String> {
        host::variable(name)
    }

    /// What the workflow has for a secret: the host puts the value in its place, in the headers, the URL and the body of
    /// requests to the hosts that the secret is granted for. The value itself is nowhere here.
    pub fn secret(&self, name: &str) -> Result<String> {
        self.variable(name).ok_or_else(|| {
            let workflow = self.workflow();
            let message = format!(
                "`{workflow}` has no secret `{name}`: add `secrets = [\"{name}=env:{name}@https://HOST\"]` to `[workflows.{workflow}]` in wf-host.toml, or start the host with `--secret {name}=env:{name}@https://HOST`"
            );
            Failure::new("denied", message).no_retry()
        })
    }

    /// Commits what is buffered: sends and state writes.
    pub fn commit(&self) {
        run::commit();
    }

    /// Writes a line to the run's log. Levels: `trace`, `debug`, `info`, `warn`, `error`.
    /// The fields are an object; where they are none, the line is written without them and says so.
    pub fn log(&self, level: &str, message: &str, fields: impl Serialize) {
        match serde_json::to_string(&fields) {
            Ok(fields) => log::write(level, message, &fields),
            Err(error) => log::write(level, &format!("{message} [the fields are no JSON: {error}]"), "{}"),
        }
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

    /// What came before this attempt. The same at every entry into it.
    pub fn retry_info(&self) -> RetryInfo {
        RetryInfo::of(&run::retry_info())
    }

    /// A UUID for an effect on the outside: the same over all re-entries and retries.
    pub fn idempotency_key(&self, label: &str) -> String {
        run::idempotency_key(label)
    }
}

impl RetryInfo {
    /// What the host says. What it leaves out is as in a first attempt.
    fn of(json: &str) -> RetryInfo {
        let info: Value = serde_json::from_str(json).unwrap_or_default();
        let text = |name: &str| info["last_failure"][name].as_str().unwrap_or_default().to_owned();
        RetryInfo {
            attempts: info["attempts"].as_u64().and_then(|attempts| attempts.try_into().ok()).unwrap_or(0),
            elapsed: info["elapsed"].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default(),
            last_failure: info["last_failure"].is_object().then(|| Failure::new(text("kind"), text("message"))),
        }
    }
}

/// What the state holds at a path, as the type that is asked for.
fn held<T: DeserializeOwned>(path: &str, json: &str) -> Result<T> {
    read(json).map_err(|error| Failure::from(error).context(format!("the state holds another type at `{path}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_attempt_has_nothing_before_it() {
        for text in [r#"{"attempts":0,"elapsed":0.0,"last_failure":null}"#, "{}"] {
            let RetryInfo { attempts, elapsed, last_failure } = RetryInfo::of(text);
            assert!(attempts == 0 && elapsed.is_zero() && last_failure.is_none(), "{text}");
        }
    }

    #[test]
    fn a_later_attempt_knows_why_the_last_one_failed() {
        let info = RetryInfo::of(r#"{"attempts":2,"elapsed":1.5,"last_failure":{"kind":"NetworkError","message":"cut"}}"#);
        let failure = info.last_failure.expect("one");
        assert_eq!((info.attempts, info.elapsed), (2, Duration::from_millis(1500)));
        assert_eq!((failure.kind(), failure.message()), ("NetworkError", "cut"));
    }
}
