//! Waits in the making.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::host::events;
use crate::{Event, Events, Failure, RawEvent, Result, StepInput, Subtype};

/// A wait in the making: see [`Context::wait`](crate::Context::wait).
#[must_use = "nothing waits until `get` is called"]
pub struct Wait<E> {
    options: Texts,
    requirements: Texts,
    /// A requirement that is no JSON.
    unsound: Option<Failure>,
    event: PhantomData<E>,
}

/// An object of JSON texts, which stay as they are.
#[derive(Default)]
struct Texts(BTreeMap<String, String>);

impl fmt::Display for Texts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (key, text)) in self.0.iter().enumerate() {
            write!(formatter, "{}{}:{text}", if place == 0 { "{" } else { "," }, Value::from(key.as_str()))?;
        }
        formatter.write_str(if self.0.is_empty() { "{}" } else { "}" })
    }
}

impl<E: Event> Wait<E> {
    pub(crate) fn for_one() -> Wait<E> {
        Wait::new("type", E::NAME)
    }

    /// Takes an event of a type that derives from this one, too.
    pub fn subtypes(self) -> Wait<Subtype<E>> {
        let Wait { options, requirements, unsound, .. } = self.option("subtypes", true);
        Wait { options, requirements, unsound, event: PhantomData }
    }
}

impl<E: Events> Wait<E> {
    pub(crate) fn for_any() -> Wait<E> {
        let types: Vec<&str> = E::types().into_iter().map(|(name, _)| name).collect();
        Wait::new("types", types)
    }
}

impl<E: StepInput> Wait<E> {
    fn new(key: &str, types: impl Into<Value>) -> Wait<E> {
        let wait = Wait { options: Texts::default(), requirements: Texts::default(), unsound: None, event: PhantomData };
        wait.option(key, types)
    }

    fn option(mut self, key: &str, value: impl Into<Value>) -> Wait<E> {
        self.options.0.insert(key.to_owned(), value.into().to_string());
        self
    }

    /// Tells two waits of one step apart.
    pub fn id(self, id: &str) -> Wait<E> {
        self.option("id", id)
    }

    /// Takes only an event whose field has this value. Numbers are equal by value: 1 is 1.0.
    pub fn requirement(mut self, field: &str, value: impl Serialize) -> Wait<E> {
        match serde_json::to_string(&value) {
            Ok(text) => drop(self.requirements.0.insert(field.to_owned(), text)),
            Err(error) => self.unsound = Some(Failure::from(error).no_retry()),
        }
        self
    }

    /// Fails with kind `timeout` when nothing comes in this time. It counts on a clock that stands
    /// while no host is up, unlike a sleep.
    pub fn timeout(self, timeout: Duration) -> Wait<E> {
        self.option("timeout", timeout.as_secs_f64())
    }

    /// Takes only what comes after the wait has begun. Otherwise it may be answered at once, by an
    /// event that came before it and that nothing has taken.
    pub fn fresh(self) -> Wait<E> {
        self.option("fresh", true)
    }

    /// Publishes an event that asks for the answer, once.
    pub fn request<R: Event>(self, request: &R) -> Result<Wait<E>> {
        let RawEvent { name, payload } = RawEvent::of(request)?;
        Ok(self.option("request", json!({ "name": name, "payload": payload })))
    }

    /// The options, as the contract has them.
    fn text(mut self) -> Result<String> {
        if let Some(failure) = self.unsound {
            return Err(failure);
        }
        if !self.requirements.0.is_empty() {
            self.options.0.insert("requirements".to_owned(), self.requirements.to_string());
        }
        Ok(self.options.to_string())
    }

    /// Waits.
    pub fn get(self) -> Result<E> {
        let event = events::wait(&self.text()?).map_err(Failure::from_host)?;
        E::take(&mut VecDeque::from([RawEvent::from_host(event)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StartEvent, StopEvent};

    #[test]
    fn requirements_are_carried_as_they_are() {
        let wait = Wait::<StopEvent>::for_one().requirement("amount", 0.1_f32).requirement("number", u128::MAX).requirement("\"", "a\"b");
        let expected = r#"{"requirements":{"\"":"a\"b","amount":0.1,"number":340282366920938463463374607431768211455},"type":"StopEvent"}"#;
        assert_eq!(wait.text().unwrap(), expected);
    }

    #[test]
    fn a_request_is_text() {
        let wait = Wait::<StartEvent>::for_one().fresh().subtypes().id("it").timeout(Duration::from_millis(1500));
        let wait = wait.request(&StopEvent::new(json!({ "a": 1.0 }))).unwrap();
        let expected = r#"{"fresh":true,"id":"it","request":{"name":"StopEvent","payload":"{\"result\":{\"a\":1.0}}"},"subtypes":true,"timeout":1.5,"type":"StartEvent"}"#;
        assert_eq!(wait.text().unwrap(), expected);
    }

    #[test]
    fn a_requirement_that_is_no_json_fails_the_wait() {
        let unsound = BTreeMap::from([((1, 2), 3)]);
        assert!(Wait::<StartEvent>::for_one().requirement("map", unsound).text().is_err());
    }
}
