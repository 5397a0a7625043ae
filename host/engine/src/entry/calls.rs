//! What follows from a call's function, failures as they cross the contract, and the text form of a run's seed.

use serde_json::{Value, json};

use super::{Failure, Function, SLEEP_DROP_MIN, Started, Wait};

impl Function {
    /// Whether the instance is dropped after it: it is answered by entering the attempt again.
    pub fn suspends(&self) -> bool {
        match self {
            Function::Wait(_) => true,
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
                | Function::EditCommit { .. }
                | Function::Sleep { .. }
                | Function::Keep { .. }
                | Function::Commit
        )
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
            Function::Delete { path } => format!("delete {path}"),
            Function::EditBegin { path, .. } => format!("edit-begin {path}"),
            Function::EditCommit { path, .. } => format!("edit-commit {path}"),
            Function::Sleep { .. } => "sleep".to_owned(),
            Function::LookUp { name, .. } => format!("look-up {name}"),
            Function::Keep { name, .. } => format!("keep {name}"),
            Function::Log => "log".to_owned(),
            Function::Commit => "commit".to_owned(),
            Function::Refused { call, .. } | Function::Outside { call, .. } => call.clone(),
        }
    }
}

impl Wait {
    /// What its answer is kept under, the occurrence aside: the caller's id, else type and requirements.
    pub fn key(&self) -> String {
        match &self.id {
            Some(id) => format!("#{id}"),
            None if self.requirements.is_empty() => self.name.clone(),
            None => format!("{} {}", self.name, serde_json::to_string(&self.requirements).unwrap_or_default()),
        }
    }
}

/// The name of a collect buffer in its step: the caller's id, else the expected types, where
/// repeats of a type are counted.
pub(crate) fn buffer(id: Option<&str>, expected: &[String]) -> String {
    if let Some(id) = id {
        return format!("#{id}");
    }
    let runs = expected.chunk_by(|one, next| one == next);
    let counted = runs.map(|run| if run.len() == 1 { run[0].clone() } else { format!("{} x{}", run[0], run.len()) });
    counted.collect::<Vec<_>>().join(", ")
}

impl Failure {
    /// One that keeps answers and has no trace.
    pub fn new(kind: &str, message: impl Into<String>, retryable: bool) -> Failure {
        Failure { kind: kind.to_owned(), message: message.into(), retryable, retry_after: None, keep_answers: true, trace: None }
    }

    /// As a guest reports it. Details that are not understood are as if they were not there.
    pub fn from_guest(kind: String, message: String, details: &str) -> Failure {
        let details: Value = serde_json::from_str(details).unwrap_or_default();
        let flag = |name: &str| details.get(name).and_then(Value::as_bool).unwrap_or(true);
        Failure {
            kind,
            message,
            retryable: flag("retryable"),
            retry_after: details.get("retry_after").and_then(Value::as_f64),
            keep_answers: flag("keep_answers"),
            trace: details.get("trace").and_then(Value::as_str).map(str::to_owned),
        }
    }

    /// The details that a guest is told.
    pub fn details(&self) -> String {
        json!({ "retryable": self.retryable }).to_string()
    }
}

impl Started {
    /// The seed. A digit that is none counts as 0; a missing one too.
    pub fn seed_bytes(&self) -> [u8; 32] {
        let digits: Vec<u8> = self.seed.chars().map(|digit| digit.to_digit(16).unwrap_or(0) as u8).collect();
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = pair[0] << 4 | pair.get(1).copied().unwrap_or(0);
        }
        bytes
    }

    /// The form of a seed that `seed` takes.
    pub fn seed_text(bytes: [u8; 32]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_without_an_id_is_named_by_counted_types() {
        let expected = ["A", "B", "B", "A"].map(String::from);
        assert_eq!(buffer(None, &expected), "A, B x2, A");
        assert_eq!(buffer(Some("mine"), &expected), "#mine");
    }
}
