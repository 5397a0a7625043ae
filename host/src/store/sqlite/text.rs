//! A row's text, and the large values that are taken out of it: each is kept once, by its digest,
//! however many entries, frames, answers and lines hold it.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// Values of this many bytes are taken out, where none inside them is as large: 64 KiB.
pub(super) const PIECE_MIN: usize = 64 << 10;
/// Stands where a value was taken out, so that what is left can be read as JSON.
pub(super) const STAND_IN: &str = "null";

pub(super) type Digest = [u8; 32];

/// A text without its large values.
#[derive(Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    pub(super) pieces: Vec<Piece>,
}

/// A value that was taken out.
pub(super) struct Piece {
    /// Where its stand-in is.
    pub(super) offset: usize,
    pub(super) digest: Digest,
    pub(super) bytes: Bytes,
}

/// Takes texts apart that go into the store together. What one of them repeats is hashed once.
pub(super) struct Cutter {
    min: usize,
    known: Vec<(Digest, Bytes)>,
}

impl Default for Cutter {
    fn default() -> Cutter {
        Cutter { min: PIECE_MIN, known: Vec::new() }
    }
}

impl Cutter {
    pub(super) fn cut(&mut self, text: &[u8]) -> Text {
        let mut cut = Text::default();
        self.add(&mut cut, text);
        cut
    }

    /// A JSON array of items: of each what stands before its value, the value, and what stands after it.
    pub(super) fn array<'a>(&mut self, items: impl IntoIterator<Item = (String, &'a [u8], &'static str)>) -> Text {
        let mut array = Text::default();
        for (before, value, after) in items {
            array.bytes.push(if array.bytes.is_empty() { b'[' } else { b',' });
            array.bytes.extend_from_slice(before.as_bytes());
            self.add(&mut array, value);
            array.bytes.extend_from_slice(after.as_bytes());
        }
        array.bytes.push(b']');
        array
    }

    fn add(&mut self, to: &mut Text, value: &[u8]) {
        let mut done = 0;
        for (start, end) in large(value, self.min) {
            to.bytes.extend_from_slice(&value[done..start]);
            let (digest, bytes) = self.piece(&value[start..end]);
            to.pieces.push(Piece { offset: to.bytes.len(), digest, bytes });
            to.bytes.extend_from_slice(STAND_IN.as_bytes());
            done = end;
        }
        to.bytes.extend_from_slice(&value[done..]);
    }

    fn piece(&mut self, value: &[u8]) -> (Digest, Bytes) {
        if let Some(known) = self.known.iter().find(|(_, bytes)| bytes == value) {
            return known.clone();
        }
        let piece = (Sha256::digest(value).into(), Bytes::copy_from_slice(value));
        self.known.push(piece.clone());
        piece
    }
}

/// Where the smallest strings, lists and objects of a JSON text are that are large all the same.
/// A text that is no JSON has some such places, or none: it is put together again all the same.
fn large(text: &[u8], min: usize) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    if text.len() < min {
        return found;
    }
    // The beginnings of what is open.
    let mut open = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = match text[at] {
            b'"' => {
                let start = at;
                at = string_end(text, at);
                // A key stays: without it, the rest is no JSON.
                let is_key = text[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                (!is_key).then_some(start)
            }
            b'{' | b'[' => {
                open.push(at);
                None
            }
            b'}' | b']' => open.pop(),
            _ => None,
        };
        at += 1;
        let end = at.min(text.len());
        if let Some(start) = start
            && end - start >= min
            && found.last().is_none_or(|(inner, _)| *inner < start)
        {
            found.push((start, end));
        }
    }
    found
}

/// Where the closing quote of a string is, or the text's last byte.
fn string_end(text: &[u8], opening: usize) -> usize {
    let mut at = opening + 1;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at.min(text.len() - 1)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn joined(text: &Text) -> Vec<u8> {
        let mut joined = Vec::new();
        let mut done = 0;
        for piece in &text.pieces {
            joined.extend_from_slice(&text.bytes[done..piece.offset]);
            joined.extend_from_slice(&piece.bytes);
            done = piece.offset + STAND_IN.len();
        }
        joined.extend_from_slice(&text.bytes[done..]);
        joined
    }

    /// What is left of a text, and how many pieces were taken out of it.
    fn cut(text: &str) -> (String, usize) {
        let cut = Cutter::default().cut(text.as_bytes());
        assert_eq!(joined(&cut), text.as_bytes());
        (String::from_utf8(cut.bytes).expect("text"), cut.pieces.len())
    }

    #[test]
    fn the_smallest_large_values_are_taken_out() {
        let large = "x".repeat(PIECE_MIN);
        let many = format!("[{}1]", "123456789,".repeat(PIECE_MIN / 10 + 1));
        assert_eq!(cut("{}"), ("{}".into(), 0));
        assert_eq!(cut(&format!(r#""{large}""#)), ("null".into(), 1));
        assert_eq!(cut(&format!(r#"{{"a":{{"b":"{large}"}},"c":1}}"#)), (r#"{"a":{"b":null},"c":1}"#.into(), 1));
        assert_eq!(cut(&format!(r#"[{many}, "{large}" ,{{"a":{many}}}]"#)), (r#"[null, null ,{"a":null}]"#.into(), 3));
        let escaped = format!(r#"["\"{large}\\",{{}}]"#);
        assert_eq!(cut(&escaped), ("[null,{}]".into(), 1));
        let key = format!(r#"{{"{large}" :1}}"#);
        assert_eq!(cut(&key), ("null".into(), 1), "the object goes as a whole");
        assert_eq!(cut(&format!(r#"[{{"{large}":"{large}"}}]"#)), (format!(r#"[{{"{large}":null}}]"#), 1));
    }

    #[test]
    fn what_is_no_json_comes_back_as_it_was() {
        let large = "x".repeat(PIECE_MIN);
        for text in [format!("\"{large}"), format!("\"{large}\\"), format!("}}]{large}\"{large}\"]}}"), format!("[{large}")] {
            cut(&text);
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(Into::into),
            r#"[a\\"\[{:,é ]{0,12}"#.prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(5, 60, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                vec((r#"[a\\":]{0,12}"#, inner), 0..5).prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// Rows are taken apart as JSON while their values are still out.
        #[test]
        fn what_is_left_is_json(value in any_json(), spaced in any::<bool>()) {
            let text = if spaced { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("JSON");
            let cut = Cutter { min: 8, known: Vec::new() }.cut(text.as_bytes());
            prop_assert_eq!(joined(&cut), text.as_bytes());
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&cut.bytes).is_ok());
            prop_assert!(cut.pieces.iter().all(|piece| piece.bytes.len() >= 8));
        }
    }

    #[test]
    fn what_repeats_is_one_piece() {
        let large = format!("\"{}\"", "x".repeat(PIECE_MIN));
        let mut cutter = Cutter::default();
        let items = [(String::new(), large.as_bytes(), ""), ("[1,".to_owned(), large.as_bytes(), "]")];
        let array = cutter.array(items);
        assert_eq!(array.bytes, b"[null,[1,null]]");
        assert_eq!(array.pieces[0].digest, array.pieces[1].digest);
        assert_eq!(cutter.known.len(), 1);
    }
}
