//! Whether two JSON texts say the same: another build may have put it in other words, and some of it may have been taken out.

use serde_json::Value;

use crate::care::redact::SHOWN;

pub(super) fn same_json(one: &[u8], other: &[u8]) -> bool {
    let value = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    one == other || value(one).zip(value(other)).is_some_and(|(one, other)| same(&one, &other))
}

/// What was taken out of a run may have been taken out of an entry as a whole, and out of what came of it in part.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(text), _) | (_, Value::String(text)) if text == SHOWN => true,
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other)),
        _ => one == other,
    }
}
