//! What follows from a call's function, failures as they cross the contract, and the text form of a run's seed.

use serde::{Deserialize, Serialize};

use super::{Buffered, Failure, Forked, Function, SLEEP_DROP_MIN, Started, Wait};
use crate::json::{Json, canonical, quoted, to_json};
use crate::text::{self, DETAILS_MAX, KIND_MAX, Limit, MESSAGE_MAX, Refused, TRACE_MAX, cut, shown};

impl Buffered {
    /// The path that it writes to; none of an event.
    pub fn path(&self) -> Option<&str> {
        match self {
            Buffered::Set { path, .. } | Buffered::Push { path, .. } | Buffered::Delete { path } => Some(path),
            Buffered::Send { .. } | Buffered::NoList => None,
        }
    }

    /// At most so many bytes longer is the state after it: by what it writes, and by the keys of its path, each in
    /// an object of its own and escaped.
    pub(crate) fn growth_max(&self) -> usize {
        match self {
            Buffered::Set { path, value } | Buffered::Push { path, value } => 8 * (path.len() + 1) + value.get().len(),
            Buffered::Delete { .. } | Buffered::Send { .. } | Buffered::NoList => 0,
        }
    }
}

impl Function {
    /// Whether the instance is dropped after it: it is answered by entering the attempt again.
    pub fn suspends(&self) -> bool {
        match self {
            Function::Wait(_) | Function::EditExclusive { .. } => true,
            Function::Sleep { duration, .. } => *duration >= SLEEP_DROP_MIN,
            Function::Send { .. }
            | Function::Publish { .. }
            | Function::Collect { .. }
            | Function::Get { .. }
            | Function::Set { .. }
            | Function::Push { .. }
            | Function::Delete { .. }
            | Function::EditBegin { .. }
            | Function::EditCommit { .. }
            | Function::LookUp { .. }
            | Function::Keep { .. }
            | Function::Log
            | Function::Commit
            | Function::Request { .. }
            | Function::Read { .. }
            | Function::Variables { .. }
            | Function::Refused { .. } => false,
        }
    }

    /// Whether it commits what is buffered; an edit only where it succeeds.
    pub fn is_commit_point(&self) -> bool {
        match self {
            Function::Wait(_)
            | Function::Collect { .. }
            | Function::EditExclusive { .. }
            | Function::EditCommit { .. }
            | Function::Sleep { .. }
            | Function::Keep { .. }
            | Function::Commit => true,
            Function::Send { .. }
            | Function::Publish { .. }
            | Function::Get { .. }
            | Function::Set { .. }
            | Function::Push { .. }
            | Function::Delete { .. }
            | Function::EditBegin { .. }
            | Function::LookUp { .. }
            | Function::Log
            | Function::Request { .. }
            | Function::Read { .. }
            | Function::Variables { .. }
            | Function::Refused { .. } => false,
        }
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
            Function::Variables { .. } => "variables".to_owned(),
            Function::Refused { call, .. } => call.clone(),
        }
    }

    /// The path that it reads, and what it is told on the guest's side.
    pub(crate) fn read(&mut self) -> Option<(&str, &mut super::Told)> {
        match self {
            Function::Get { path, answer } | Function::EditBegin { path, answer, .. } => Some((path, answer)),
            _ => None,
        }
    }

    /// What an edit writes if it commits.
    pub fn edit(&self) -> Option<Buffered> {
        let Function::EditCommit { path, value, .. } = self else { return None };
        Some(Buffered::Set { path: path.clone(), value: value.clone() })
    }

    /// What it told of the state or of a memo.
    pub fn told(&self) -> Option<&super::Told> {
        match self {
            Function::Get { answer, .. } | Function::LookUp { answer, .. } | Function::EditBegin { answer, .. } => Some(answer),
            Function::EditExclusive { answer, .. } => answer.as_ref().map(|(_, answer)| answer),
            Function::Send { .. }
            | Function::Publish { .. }
            | Function::Wait(_)
            | Function::Collect { .. }
            | Function::Set { .. }
            | Function::Push { .. }
            | Function::Delete { .. }
            | Function::EditCommit { .. }
            | Function::Sleep { .. }
            | Function::Keep { .. }
            | Function::Log
            | Function::Commit
            | Function::Request { .. }
            | Function::Read { .. }
            | Function::Variables { .. }
            | Function::Refused { .. } => None,
        }
    }

    /// The value that it carries whole: what [`Told::Same`] can mean.
    pub fn value(&self) -> Option<&Json> {
        match (self, self.told()) {
            (Function::Keep { value, .. }, _) | (_, Some(super::Told::Value(value))) => Some(value),
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

/// What a guest tells beside kind and message. `null` is as if it were not there.
#[derive(Deserialize)]
struct Told {
    retryable: Option<bool>,
    retry_after: Option<f64>,
    keep_answers: Option<bool>,
    trace: Option<String>,
}

impl Told {
    /// Empty text is an empty object.
    fn of(details: &str) -> Result<Told, Refused> {
        let details = if details.trim().is_empty() { "{}" } else { details };
        let details = text::object("the text of its details", details.to_owned(), DETAILS_MAX)?;
        serde_json::from_str(details.get())
            .map_err(|error| Refused::invalid(format!("its details are not understood: {}", shown(&error.to_string()))))
    }
}

impl Failure {
    /// One that keeps answers and has no trace.
    pub fn new(kind: &str, message: impl Into<String>, retryable: bool) -> Failure {
        Failure { kind: kind.to_owned(), message: message.into(), retryable, retry_after: None, keep_answers: true, trace: None }
    }

    /// As a guest reports it, cut to its limits. One whose details are not understood is not retried: they may
    /// have forbidden it. Its message says what is wrong with them.
    pub fn from_guest(kind: String, message: String, details: &str) -> Failure {
        let kind = cut(kind, KIND_MAX);
        let told = match Told::of(details) {
            Ok(told) => told,
            Err(refused) => {
                let wrong = format!(" [not retried: {}]", refused.message);
                let room = Limit { max: MESSAGE_MAX.max.saturating_sub(wrong.len()), ..MESSAGE_MAX };
                return Failure::new(&kind, cut(message, room) + &wrong, false);
            }
        };
        Failure {
            kind,
            message: cut(message, MESSAGE_MAX),
            retryable: told.retryable.unwrap_or(true),
            // A moment that has passed already is none.
            retry_after: told.retry_after.filter(|seconds| *seconds >= 0.0),
            keep_answers: told.keep_answers.unwrap_or(true),
            trace: told.trace.map(|trace| cut(trace, TRACE_MAX)),
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
        let details = r#"{"retryable":false,"retry_after":-3,"keep_answers":null,"trace":"here","more":1}"#;
        let failure = Failure::from_guest("K".repeat(1000), "m".repeat(1 << 20), details);
        assert!(failure.kind.len() <= KIND_MAX.max && failure.message.len() <= MESSAGE_MAX.max);
        assert!(!failure.retryable && failure.keep_answers && failure.retry_after.is_none());
        assert_eq!(failure.trace.as_deref(), Some("here"));
        assert!(Failure::from_guest("K".into(), String::new(), " ").retryable);
    }

    #[test]
    fn a_failure_with_details_that_are_not_understood_says_so_and_is_not_retried() {
        let longest = "m".repeat(1 << 20);
        for (details, wrong) in [
            ("no JSON", "is no JSON"),
            ("[]", "is no JSON object"),
            (r#"{"retryable":"no"}"#, "not understood"),
            (r#"{"retry_after":"soon"}"#, "not understood"),
            (r#"{"keep_answers":0}"#, "not understood"),
            (r#"{"trace":1}"#, "not understood"),
            (r#"{"retryable":true,"\ud83d":1}"#, "half of a surrogate pair"),
            (r#"{"retryable":true,"retryable":false}"#, "twice"),
            (&format!("{{\"trace\":\"{longest}\"}}"), "limit details_max"),
        ] {
            let failure = Failure::from_guest("K".into(), longest.clone(), details);
            assert!(!failure.retryable && failure.message.ends_with(']') && failure.message.contains(wrong), "{details:.40}");
            assert!(failure.message.len() <= MESSAGE_MAX.max);
        }
    }
}
