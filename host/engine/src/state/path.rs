//! Dotted paths: keys joined by dots; whole numbers index lists.

use std::fmt;

use crate::text;

/// Why a path cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError(pub(super) String);

impl fmt::Display for PathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for PathError {}

/// Why the path of a write can always be taken apart.
pub(super) const SOUND: &str = "cannot happen: the border of attempts and the gate of journals let no other path in";

/// The keys of a path: at least one.
pub(super) fn keys(path: &str) -> Result<Vec<&str>, PathError> {
    text::path(path).map_err(|refused| PathError(refused.message))?;
    Ok(path.split('.').collect())
}

/// The keys of a path that is only read: none, where it is empty. That is the whole state.
pub(super) fn keys_read(path: &str) -> Result<Vec<&str>, PathError> {
    if path.is_empty() { Ok(Vec::new()) } else { keys(path) }
}

/// The item that a key of a list means: decimal digits without zeros before them. `01` and `+1`
/// mean none, so that an item has one path.
pub(super) fn index(key: &str) -> Option<usize> {
    let digits = key.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && !key.is_empty() && (key == "0" || !key.starts_with('0'));
    // One that no machine can count to is past the end of every list.
    plain.then(|| key.parse().unwrap_or(usize::MAX))
}

/// A path and one more key.
pub(super) fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_has_one_text() {
        assert_eq!(["0", "10", "99999999999999999999999"].map(index), [Some(0), Some(10), Some(usize::MAX)]);
        assert_eq!(["", "01", "00", "+1", "-1", "1 ", "x", "١"].map(index), [None; 8]);
    }
}
