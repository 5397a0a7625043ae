//! The one border for text: whatever a guest or a client hands in is checked here, once, where it
//! comes in. Behind it nothing is unreadable, and nothing is without a limit.
//!
//! The table of limits is at the top; those that are configured (payloads, values, the state) come
//! with the call. Each has the name that its error says.

mod readable;

use std::fmt;

use serde_json::value::RawValue;

use crate::json::{Json, to_json};

/// Deepest a value may be, in brackets around the innermost one; the state as a whole as well.
pub const DEPTH_MAX: Limit = Limit { name: "depth_max", max: 64 };
/// Longest options of a call, in bytes.
pub const OPTIONS_MAX: Limit = Limit { name: "options_max", max: 64 << 10 };
/// Longest path in the state, in bytes.
pub const PATH_MAX: Limit = Limit { name: "path_max", max: 1 << 10 };
/// Most keys of a path.
pub const PATH_KEYS_MAX: Limit = Limit { name: "path_keys_max", max: 32 };
/// Longest name of an event type, a step, a memo or a workflow, in bytes.
pub const NAME_MAX: Limit = Limit { name: "name_max", max: 256 };
/// Longest id of a wait or a collect, and longest label, in bytes.
pub const ID_MAX: Limit = Limit { name: "id_max", max: 256 };
/// Most types that a collect lists; of one after the other those of a type count as one.
pub const EXPECTED_MAX: Limit = Limit { name: "expected_max", max: 64 };
/// Longest requirements of a wait, in bytes: names and values together.
pub const REQUIREMENTS_MAX: Limit = Limit { name: "requirements_max", max: 16 << 10 };
/// Longest method and URL of a request to the outside, in bytes.
pub const TARGET_MAX: Limit = Limit { name: "target_max", max: 8 << 10 };
/// Longest message of a failure or a log line, in bytes: the rest is cut.
pub const MESSAGE_MAX: Limit = Limit { name: "message_max", max: 16 << 10 };
/// Longest kind of a failure, in bytes: the rest is cut.
pub const KIND_MAX: Limit = Limit { name: "kind_max", max: 256 };
/// Longest backtrace of a failure, in bytes: the rest is cut.
pub const TRACE_MAX: Limit = Limit { name: "trace_max", max: 64 << 10 };
/// Longest details of a failure, in bytes: a backtrace among them, with what JSON adds to it.
pub const DETAILS_MAX: Limit = Limit { name: "details_max", max: 1 << 20 };
/// Longest fields of a log line, in bytes.
pub const FIELDS_MAX: Limit = Limit { name: "fields_max", max: 64 << 10 };
/// The level of what is no line, and no guest can write, but says that none follows: those of its
/// attempt and source that are there from its number on are of an entry that was lost, and go.
pub const LEVEL_END: &str = "end";

/// What the level of a log line can be.
pub const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// How much of a text is shown in an error, in bytes.
const SHOWN_MAX: Limit = Limit { name: "shown_max", max: 128 };
/// Longest mark of a cut, in bytes: with a count of as many digits as a `usize` has.
const MARK_MAX: usize = "… (18446744073709551615 bytes more)".len();

/// A limit, with the name that its error says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it is called, in errors and in the configuration.
    pub name: &'static str,
    /// The largest number that is within it; of bytes, where it is one of text.
    pub max: usize,
}

impl Limit {
    /// That something is longer than this many bytes.
    pub fn exceeded(&self, what: &str) -> Refused {
        self.refused(format!("{what} is longer than {} bytes", self.max))
    }

    /// That it is passed, in other words than bytes.
    pub(crate) fn refused(&self, message: String) -> Refused {
        Refused { kind: "limit", message: format!("{message} (limit {})", self.name) }
    }
}

/// Why a text is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `limit`: there is too much of it. `invalid`: it is not what it has to be.
    pub kind: &'static str,
    /// What is wrong, and with what.
    pub message: String,
}

impl Refused {
    /// Of kind `invalid`.
    pub fn invalid(message: impl Into<String>) -> Refused {
        Refused { kind: "invalid", message: message.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

/// A JSON value that any reader can read back: valid, at most [`DEPTH_MAX`] deep, no half of a
/// surrogate pair, no number beyond a double, no field twice. It comes back as it is, without
/// white space around it. `what` begins the error: "the value".
pub fn json(what: &str, text: String, max: Limit) -> Result<Json, Refused> {
    within(what, &text, max)?;
    let value = RawValue::from_string(text).map_err(|error| Refused::invalid(format!("{what} is no JSON: {error}")))?;
    readable::check(what, value.get())?;
    Ok(value.into())
}

/// As [`json`], and an object.
pub fn object(what: &str, text: String, max: Limit) -> Result<Json, Refused> {
    an_object(what, json(what, text, max)?)
}

/// As [`object`], of what was read as JSON already, on the way here.
pub fn read_object(what: &str, value: Json, max: Limit) -> Result<Json, Refused> {
    within(what, value.get(), max)?;
    readable::check(what, value.get())?;
    an_object(what, value)
}

fn an_object(what: &str, value: Json) -> Result<Json, Refused> {
    if !value.get().starts_with('{') {
        return Err(Refused::invalid(format!("{what} is no JSON object")));
    }
    Ok(value)
}

/// A text that is not longer than a limit.
pub fn within(what: &str, text: &str, max: Limit) -> Result<(), Refused> {
    if text.len() > max.max { Err(max.exceeded(what)) } else { Ok(()) }
}

/// A name: at least one character, none of them a control character, at most [`NAME_MAX`].
pub fn name(what: &str, name: &str) -> Result<(), Refused> {
    filled(what, name)?;
    line(what, name, NAME_MAX)
}

/// An id or a label: as a name, but it may be empty, and at most [`ID_MAX`].
pub fn id(what: &str, id: &str) -> Result<(), Refused> {
    line(what, id, ID_MAX)
}

/// A path in the state: one to [`PATH_KEYS_MAX`] keys joined by dots, none of them empty.
pub fn path(path: &str) -> Result<(), Refused> {
    filled("the path", path)?;
    line("the path", path, PATH_MAX)?;
    if path.split('.').any(str::is_empty) {
        return Err(Refused::invalid(format!("the path `{path}` has an empty key")));
    }
    if let Some(key) = path.split('.').find(|key| key.starts_with(readable::RESERVED)) {
        return Err(Refused::invalid(format!("the path has the key `{key}`, a name that is reserved")));
    }
    if path.split('.').count() > PATH_KEYS_MAX.max {
        return Err(PATH_KEYS_MAX.refused(format!("the path `{}` has more than {} keys", shown(path), PATH_KEYS_MAX.max)));
    }
    Ok(())
}

fn filled(what: &str, text: &str) -> Result<(), Refused> {
    if text.is_empty() { Err(Refused::invalid(format!("{what} is empty"))) } else { Ok(()) }
}

/// One line of text.
fn line(what: &str, text: &str, max: Limit) -> Result<(), Refused> {
    within(what, text, max)?;
    if text.contains(char::is_control) {
        return Err(Refused::invalid(format!("{what} {} has a control character", to_json(text))));
    }
    Ok(())
}

/// A text for people, cut where it is longer than a limit, with a mark that says how much is missing.
pub fn cut(mut text: String, max: Limit) -> String {
    if text.len() <= max.max {
        return text;
    }
    let end = text.floor_char_boundary(max.max.saturating_sub(MARK_MAX));
    let mark = format!("… ({} bytes more)", text.len() - end);
    text.truncate(end);
    text + &mark
}

/// So much of a text as an error shows.
pub fn shown(text: &str) -> String {
    if text.len() <= SHOWN_MAX.max {
        return text.to_owned();
    }
    cut(text.to_owned(), SHOWN_MAX)
}

/// A log line's level, message and fields, as they can be kept. A line is never refused: what was
/// wrong with it is said in its message.
pub fn log_line(level: String, message: String, fields: String) -> (String, String, String) {
    let mut wrong = Vec::new();
    let level = if LEVELS.contains(&level.as_str()) {
        level
    } else {
        wrong.push(format!("the level `{}` is none of {}", shown(&level).escape_debug(), LEVELS.join(", ")));
        "info".to_owned()
    };
    let fields = if fields.trim().is_empty() { "{}".to_owned() } else { fields };
    let fields = match object("the value of `fields`", fields, FIELDS_MAX) {
        Ok(fields) => fields.get().to_owned(),
        Err(refused) => {
            wrong.push(refused.message);
            "{}".to_owned()
        }
    };
    let message = cut(message, MESSAGE_MAX);
    let message = if wrong.is_empty() { message } else { format!("{message} [{}]", wrong.join("; ")) };
    (level, message, fields)
}

#[cfg(test)]
mod tests;
