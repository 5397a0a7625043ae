//! What a row says about itself, so that a change of a single letter of it is seen.

use crc32fast::Hasher;

/// What stands in a row that was written before there were seals.
pub(super) const UNSEALED: i64 = -1;

/// The checksum of a row's values, in the order of its columns. None: null.
pub(super) fn seal(values: &[Option<&[u8]>]) -> i64 {
    let mut hasher = Hasher::new();
    for value in values {
        // With its length: what ends one value must not begin the next.
        let length = value.map_or(u64::MAX, |value| value.len() as u64);
        hasher.update(&length.to_le_bytes());
        hasher.update(value.unwrap_or_default());
    }
    hasher.finalize().into()
}

/// The checksum of a text's row: what it is of, and the text.
pub(super) fn of_text(numbers: &[i64], text: &[u8], holes: Option<&str>) -> i64 {
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    seal(&[Some(&numbers), Some(text), holes.map(str::as_bytes)])
}

/// The checksum of how a run ended: outcome and state.
pub(super) fn of_ending(run: i64, texts: [Option<&[u8]>; 2], holes: [Option<&str>; 2]) -> i64 {
    let [outcome_holes, state_holes] = holes.map(|holes| holes.map(str::as_bytes));
    seal(&[Some(&run.to_le_bytes()), texts[0], outcome_holes, texts[1], state_holes])
}

/// The checksum of an idempotency key, and of what it made.
pub(super) fn of_key(scope: &str, key: &str, body: &[u8], run: i64, made: [Option<&str>; 2]) -> i64 {
    let [made_run, made_event] = made.map(|made| made.map(str::as_bytes));
    seal(&[Some(scope.as_bytes()), Some(key.as_bytes()), Some(body), Some(&run.to_le_bytes()), made_run, made_event])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_differs_has_another_seal() {
        let rows: [&[Option<&[u8]>]; 6] =
            [&[], &[None], &[Some(b"")], &[Some(b"a"), Some(b"b")], &[Some(b"ab"), Some(b"")], &[Some(b"ab"), None]];
        let mut seals: Vec<i64> = rows.iter().map(|row| seal(row)).collect();
        seals.extend([of_text(&[1, 2], b"[]", None), of_text(&[2, 1], b"[]", None), of_text(&[1, 2], b"[]", Some(""))]);
        assert!(seals.iter().all(|seal| (0..1 << 32).contains(seal)), "none is as a row without: {seals:?}");
        let count = seals.len();
        seals.sort_unstable();
        seals.dedup();
        assert_eq!(seals.len(), count);
    }
}
