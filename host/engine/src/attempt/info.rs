//! What a guest may know of its run, and of the attempts before its own.

use serde::Serialize;
use uuid::Uuid;

use super::Attempt;
use crate::entry::{InvocationId, Micros};

/// The run that a guest works for.
#[derive(Clone, Debug)]
pub struct RunInfo {
    /// Its id.
    pub run: String,
    /// Its handler's id.
    pub handler: String,
    /// Its workflow's name.
    pub workflow: String,
    /// What all its chance comes from.
    pub seed: [u8; 32],
}

impl RunInfo {
    /// A UUID for an outside effect: the same over all entries and attempts of an invocation.
    /// The label can have any length, because nothing but its digest is used.
    pub fn idempotency_key(&self, invocation: InvocationId, label: &str) -> String {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("wf-host/{}/{invocation}/{label}", self.run).as_bytes()).to_string()
    }
}

#[derive(Serialize)]
struct Retry<'a> {
    /// How many attempts have failed.
    attempts: u32,
    /// Seconds.
    elapsed: f64,
    last_failure: Option<LastFailure<'a>>,
}

#[derive(Serialize)]
struct LastFailure<'a> {
    kind: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Micros>,
}

impl Attempt {
    /// What `run.retry-info` gives, as JSON: `attempts` that failed before, `elapsed` seconds from when the first
    /// was entered to when this one was, and the `last_failure`, with `kind`, `message` and when it was, `at`, in µs
    /// since 1970, or null.
    pub fn retry_info(&self) -> String {
        let last = self.retry.last_failure.as_ref();
        let last_failure = last.map(|failure| LastFailure { kind: &failure.kind, message: &failure.message, at: self.retry.failed_at });
        let elapsed = self.retry.elapsed as f64 / 1e6;
        crate::json::to_json(&Retry { attempts: self.retry.failures, elapsed, last_failure }).get().to_owned()
    }
}
