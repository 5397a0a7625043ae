//! What follows from a call's function, failures as they cross the contract, and the text form of a run's seed.

use serde::Serialize;

use super::{Buffered, Failure, Forked, Function, SLEEP_DROP_MIN, Started, Told, Wait};
use crate::json::{Fields, Json, canonical, quoted, to_json};
use crate::text::{KIND_MAX, MESSAGE_MAX, TRACE_MAX, cut};

impl Buffered {
    /// The path that it writes to; none of an event.
    pub fn path(&self) -> Option<&str> {
        match self {
            Buffered::Set { path, .. } | Buffered::Push { path, .. } | Buffered::Delete { path } => Some(path),
            Buffered::Send { .. } => None,
        }
    }
}

impl Function {
    /// Whether the instance is dropped after it: it is answered by entering the attempt again.
    pub fn suspends(&self) -> bool {
        match self {
            Function::Wait(_) | Function::EditExclusive { .. } => true,
            Function::Sleep { duration, .. } => *duration >= SLEEP_DROP_MIN,
            _ => false,
        }
    }

    /// Whether it commits what is buffered; an edit only where it succeeds.
    pub fn is_commit_point(&self) -> bool {
        matches!(
            self,
            Function::Wait(_)
                | Function::Collect { .. }
                | Function::EditExclusive { .. }
                | Function::EditCommit { .. }
                | Function::Sleep { .. }
                | Function::Keep { .. }
                | Function::Commit
        )
    }

    /// The path in the state that it is about.
    pub fn path(&self) -> Option<&str> {
        match self {
            Function::Get { path, .. }
            | Function::Set { path }
            | Function::Push { path }
            | Function::Delete { path }
            | Function::EditBegin { path, .. }
            | Function::EditExclusive { path, .. }
            | Function::EditCommit { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Function and identity, as text: what a call is matched by on re-entry, beside its ordinal.
    pub fn identity(&self) -> String {
        match self {
            Function::Send { step: Some(step), name } => format!("send {name} to {step}"),
            Function::Send { step: None, name } => format!("send {name}"),
            Function::Publish { event } => format!("publish {}", event.name),
            Function::Wait(wait) => format!("wait {}", wait.key()),
            Function::Collect { id, expected, .. } => format!("collect {}", buffer(id.as_deref(), expected)),
            Function::Get { path, .. } => format!("get {path}"),
            Function::Set { path } => format!("set {path}"),
            Function::Push { path } => format!("push {path}"),
            Function::Delete { path } => format!("delete {path}"),
            Function::EditBegin { path, .. } => format!("edit-begin {path}"),
            Function::EditExclusive { path, .. } => format!("edit-exclusive {path}"),
            Function::EditCommit { path, .. } => format!("edit-commit {path}"),
            Function::Sleep { .. } => "sleep".to_owned(),
            Function::LookUp { name, .. } => format!("look-up {name}"),
            Function::Keep { name, .. } => format!("keep {name}"),
            Function::Log => "log".to_owned(),
            Function::Commit => "commit".to_owned(),
            Function::Request { target, .. } => format!("request {target}"),
            Function::Read { request, .. } => format!("read {request}"),
            Function::Refused { call, .. } => call.clone(),
        }
    }

    /// What it told of the state or of a memo.
    pub fn told(&self) -> Option<&Told> {
        match self {
            Function::Get { answer, .. } | Function::LookUp { answer, .. } | Function::EditBegin { answer, .. } => Some(answer),
            Function::EditExclusive { answer: Some((_, answer)), .. } => Some(answer),
            _ => None,
        }
    }

    /// The value that it carries whole: what [`Told::Same`] can mean.
    pub fn value(&self) -> Option<&Json> {
        match (self, self.told()) {
            (Function::Keep { value, .. }, _) | (_, Some(Told::Value(value))) => Some(value),
            _ => None,
        }
    }
}

impl Wait {
    /// What its answer is kept under, the occurrence aside: the caller's id, else types and requirements.
    /// Requirements that are equal by value give the same key.
    pub fn key(&self) -> String {
        if let Some(id) = &self.id {
            return format!("#{id}");
        }
        let mut key = self.types.join(" | ");
        key.push_str(if self.subtypes { "+" } else { "" });
        for (index, (field, value)) in self.requirements.iter().enumerate() {
            key.push_str(if index == 0 { " {" } else { "," });
            key.push_str(&quoted(field));
            key.push(':');
            key.push_str(&canonical(value));
        }
        key.push_str(if self.requirements.is_empty() { "" } else { "}" });
        key
    }
}

/// The name of a collect buffer in its step: the caller's id, else the expected types, where
/// repeats of a type are counted.
pub(crate) fn buffer(id: Option<&str>, expected: &[(String, u32)]) -> String {
    if let Some(id) = id {
        return format!("#{id}");
    }
    let counted = expected.iter().map(|(name, count)| if *count == 1 { name.clone() } else { format!("{name} x{count}") });
    counted.collect::<Vec<_>>().join(", ")
}

/// What a guest is told beside kind and message.
#[derive(Serialize)]
struct Details {
    retryable: bool,
}

impl Failure {
    /// One that keeps answers and has no trace.
    pub fn new(kind: &str, message: impl Into<String>, retryable: bool) -> Failure {
        Failure { kind: kind.to_owned(), message: message.into(), retryable, retry_after: None, keep_answers: true, trace: None }
    }

    /// As a guest reports it, cut to its limits. Details that are not understood are as if they were not there.
    pub fn from_guest(kind: String, message: String, details: &str) -> Failure {
        let details: Option<Json> = serde_json::from_str(details).ok();
        let details = details.as_deref().map(Fields::of).unwrap_or_default();
        let get = |name: &str| details.get(name);
        let flag = |name: &str| get(name).and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or(true);
        let retry_after = get("retry_after").and_then(|it| serde_json::from_str::<f64>(it.get()).ok());
        let trace: Option<String> = get("trace").and_then(|it| serde_json::from_str(it.get()).ok());
        Failure {
            kind: cut(kind, KIND_MAX),
            message: cut(message, MESSAGE_MAX),
            retryable: flag("retryable"),
            retry_after: retry_after.filter(|seconds| *seconds >= 0.0),
            keep_answers: flag("keep_answers"),
            trace: trace.map(|trace| cut(trace, TRACE_MAX)),
        }
    }

    /// The details that a guest is told.
    pub fn details(&self) -> String {
        to_json(&Details { retryable: self.retryable }).get().to_owned()
    }
}

impl Started {
    /// The seed. A digit that is none counts as 0; a missing one too.
    pub fn seed_bytes(&self) -> [u8; 32] {
        seed_bytes(&self.seed)
    }

    /// The form of a seed that `seed` takes.
    pub fn seed_text(bytes: [u8; 32]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Forked {
    /// The seed, as [`Started::seed_bytes`] reads it.
    pub fn seed_bytes(&self) -> [u8; 32] {
        seed_bytes(&self.seed)
    }
}

fn seed_bytes(text: &str) -> [u8; 32] {
    let digits: Vec<u8> = text.chars().take(64).map(|digit| digit.to_digit(16).unwrap_or(0) as u8).collect();
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair[0] << 4 | pair.get(1).copied().unwrap_or(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_without_an_id_is_named_by_counted_types() {
        let expected = [("A".to_owned(), 1), ("B".to_owned(), 2), ("A".to_owned(), 1)];
        assert_eq!(buffer(None, &expected), "A, B x2, A");
        assert_eq!(buffer(Some("mine"), &expected), "#mine");
    }

    fn key(subtypes: bool, requirements: &str) -> String {
        let requirements = serde_json::from_str(requirements).expect("an object");
        let types = vec!["A".to_owned(), "B".to_owned()];
        Wait { types, subtypes, id: None, requirements, timeout: None, request: None, fresh: false, answer: None }.key()
    }

    #[test]
    fn a_wait_is_known_by_types_and_requirements() {
        assert_eq!(key(false, "{}"), "A | B");
        assert_eq!(key(true, "{}"), "A | B+");
        assert_eq!(key(true, r#"{"b":[1],"a":"x"}"#), r#"A | B+ {"a":"x","b":[1]}"#);
        assert_eq!(key(false, r#"{"n":1.0,"o":{"y":1,"x":2}}"#), key(false, r#"{"o":{"x":2,"y":1e0},"n":1}"#));
    }

    #[test]
    fn a_failure_of_a_guest_is_cut_and_understood_as_far_as_it_goes() {
        let details = r#"{"retryable":false,"retry_after":-3,"keep_answers":"no","trace":"here"}"#;
        let failure = Failure::from_guest("K".repeat(1000), "m".repeat(1 << 20), details);
        assert!(failure.kind.len() <= KIND_MAX.max && failure.message.len() <= MESSAGE_MAX.max);
        assert!(!failure.retryable && failure.keep_answers && failure.retry_after.is_none());
        assert_eq!(failure.trace.as_deref(), Some("here"));
        assert!(Failure::from_guest("K".into(), String::new(), "no JSON").retryable);
    }
}
