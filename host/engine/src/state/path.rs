//! Dotted paths: keys joined by dots; integers index lists.

use std::fmt;

use serde_json::Value;

/// Why a path cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError(String);

impl fmt::Display for PathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for PathError {}

/// The keys of a path: at least one.
pub(super) fn segments(path: &str) -> Result<Vec<&str>, PathError> {
    if path.is_empty() {
        return Err(PathError("the path is empty".to_owned()));
    }
    let segments: Vec<&str> = path.split('.').collect();
    if segments.contains(&"") {
        return Err(PathError(format!("the path `{path}` has an empty key")));
    }
    Ok(segments)
}

/// The value at a path.
pub(super) fn get<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| match value {
        Value::Object(object) => object.get(*key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Sets the value at a path, and creates the objects on the way to it.
pub(super) fn set(value: &mut Value, path: &[&str], new: Value) -> Result<(), PathError> {
    let mut target = value;
    for (depth, key) in path.iter().enumerate() {
        target = child(target, path, depth, key)?;
    }
    *target = new;
    Ok(())
}

/// What lies under a key: made, where it is not there.
fn child<'a>(parent: &'a mut Value, path: &[&str], depth: usize, key: &str) -> Result<&'a mut Value, PathError> {
    let refused = |why: String| PathError(format!("`{}` cannot be set: `{}` {why}", path.join("."), path[..depth].join(".")));
    let made = || if depth + 1 < path.len() { Value::Object(Default::default()) } else { Value::Null };
    match parent {
        Value::Object(object) => Ok(object.entry(key).or_insert_with(made)),
        Value::Array(list) => {
            let index: usize = key.parse().map_err(|_| refused(format!("is a list, and `{key}` is no index")))?;
            let length = list.len();
            if index == length {
                list.push(made());
            }
            list.get_mut(index).ok_or_else(|| refused(format!("has {length} items")))
        }
        Value::Null => Err(refused("is null".to_owned())),
        Value::Bool(_) => Err(refused("is a boolean".to_owned())),
        Value::Number(_) => Err(refused("is a number".to_owned())),
        Value::String(_) => Err(refused("is a text".to_owned())),
    }
}

/// Deletes the value at a path; false where there is none. Items of a list move up.
pub(super) fn delete(value: &mut Value, path: &[&str]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let parent = parents.iter().try_fold(value, |value, key| match value {
        Value::Object(object) => object.get_mut(*key),
        Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    });
    match parent {
        Some(Value::Object(object)) => object.shift_remove(*last).is_some(),
        Some(Value::Array(list)) => last.parse().ok().filter(|&index: &usize| index < list.len()).map(|index| list.remove(index)).is_some(),
        _ => false,
    }
}
