//! Bytes of a body, as the journal has them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Chunk;

impl Chunk {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Chunk {
        Chunk::Data(BASE64_STANDARD.encode(bytes))
    }

    /// The bytes; none of what is no data, or was never written by [`Chunk::of`].
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let Chunk::Data(text) = self else { return None };
        BASE64_STANDARD.decode(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_what_they_were() {
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [&all[..], b"", b"hi"] {
            assert_eq!(Chunk::of(bytes).bytes().as_deref(), Some(bytes));
        }
        assert_eq!(Chunk::of(b"hi"), Chunk::Data("aGk=".to_owned()));
        assert_eq!((Chunk::End.bytes(), Chunk::Data("?".to_owned()).bytes()), (None, None));
    }
}
