//! What an answer repeats of a secret, put back to what the guest has for it.

/// A value that is shorter is not looked for: it would be found everywhere.
const SHORT: usize = 8;

/// Replaces values in bytes that come in parts.
#[derive(Default)]
pub(super) struct Redactor {
    /// Each with what stands for it, longest first.
    values: Vec<(Vec<u8>, Vec<u8>)>,
    /// What may be the beginning of one.
    held: Vec<u8>,
}

impl Redactor {
    pub(super) fn new(mut values: Vec<(Vec<u8>, Vec<u8>)>) -> Redactor {
        values.retain(|(value, _)| value.len() >= SHORT);
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        values.dedup();
        Redactor { values, held: Vec::new() }
    }

    /// For what follows from several requests.
    pub(super) fn and(self, other: Redactor) -> Redactor {
        Redactor::new([self.values, other.values].concat())
    }

    /// What can be told once this came.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.values.is_empty() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let (mut told, mut at) = (Vec::with_capacity(self.held.len()), 0);
        while at < self.held.len() {
            let rest = &self.held[at..];
            if let Some((value, placeholder)) = self.values.iter().find(|(value, _)| rest.starts_with(value)) {
                told.extend_from_slice(placeholder);
                at += value.len();
            } else if self.values.iter().any(|(value, _)| value.starts_with(rest)) {
                break;
            } else {
                told.push(self.held[at]);
                at += 1;
            }
        }
        self.held.drain(..at);
        told
    }

    /// What is left once nothing more comes.
    pub(super) fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// A text, whole.
    pub(super) fn text(&self, text: &str) -> String {
        let mut own = Redactor { values: self.values.clone(), held: Vec::new() };
        let mut told = own.push(text.as_bytes());
        told.extend(own.end());
        String::from_utf8_lossy(&told).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_wherever_the_parts_begin() {
        let text = b"abc sk-live-12 sk-live-123456 sk-live-1sk-live-123456";
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut redactor = Redactor::new(vec![(b"sk-live-123456".to_vec(), b"KEY".to_vec()), (b"short".to_vec(), b"".to_vec())]);
                let mut told = redactor.push(&text[..first]);
                told.extend(redactor.push(&text[first..second]));
                told.extend(redactor.push(&text[second..]));
                told.extend(redactor.end());
                assert_eq!(String::from_utf8_lossy(&told), "abc sk-live-12 KEY sk-live-1KEY", "{first} {second}");
            }
        }
    }

    #[test]
    fn what_has_no_value_comes_as_it_is_and_at_once() {
        assert_eq!(Redactor::default().push(b"short"), b"short");
        let mut redactor = Redactor::new(vec![(b"12345678".to_vec(), Vec::new())]);
        assert_eq!((redactor.push(b"x1234567"), redactor.end()), (b"x".to_vec(), b"1234567".to_vec()));
    }
}
