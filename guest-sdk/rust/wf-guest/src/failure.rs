//! Why a step did not succeed.

use std::fmt::{self, Display};
use std::time::Duration;

use serde_json::json;

use crate::bindings::wf::workflow::types::Failure as WitFailure;

/// What a step gives: its events, or a failure.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a step did not succeed. Any error becomes one by `?`; its kind is the error type's name.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: String,
    message: String,
    retryable: bool,
    retry_after: Option<Duration>,
    keep_answers: bool,
}

impl Failure {
    /// A failure of a kind, with a message. The step is tried again, as its policy says.
    pub fn new(kind: impl Into<String>, message: impl Display) -> Failure {
        Failure { kind: kind.into(), message: message.to_string(), retryable: true, retry_after: None, keep_answers: true }
    }

    /// No further attempt would do better.
    pub fn no_retry(mut self) -> Failure {
        self.retryable = false;
        self
    }

    /// The next attempt comes after this time, whatever the policy says.
    pub fn retry_after(mut self, delay: Duration) -> Failure {
        self.retry_after = Some(delay);
        self
    }

    /// The next attempt waits anew for what this one was answered.
    pub fn forget_answers(mut self) -> Failure {
        self.keep_answers = false;
        self
    }

    /// The error's type: `ValueError`, or a kind of the host, as `timeout`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// As it is shown where a run has failed.
impl Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.message)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        let name = std::any::type_name::<E>();
        let name = name.split('<').next().and_then(|name| name.rsplit("::").next()).unwrap_or(name);
        Failure::new(name, error)
    }
}

/// Marks an error as one that no further attempt would mend: `work().fatal()?`.
pub trait Fatal<T> {
    /// The same, not to be retried.
    fn fatal(self) -> Result<T>;
}

impl<T, E: Into<Failure>> Fatal<T> for std::result::Result<T, E> {
    fn fatal(self) -> Result<T> {
        self.map_err(|error| error.into().no_retry())
    }
}

impl Failure {
    /// Says where it happened.
    pub(crate) fn context(mut self, place: String) -> Failure {
        self.message = format!("{place}: {}", self.message);
        self
    }

    pub(crate) fn from_host(failure: WitFailure) -> Failure {
        let details: serde_json::Value = serde_json::from_str(&failure.details).unwrap_or_default();
        let retryable = details["retryable"].as_bool().unwrap_or(true);
        Failure { retryable, ..Failure::new(failure.kind, failure.message) }
    }

    pub(crate) fn into_host(self) -> WitFailure {
        let retry_after = self.retry_after.map(|delay| delay.as_secs_f64());
        let details = json!({ "retryable": self.retryable, "retry_after": retry_after, "keep_answers": self.keep_answers });
        WitFailure { kind: self.kind, message: self.message, details: details.to_string() }
    }
}
