//! What lies in a component of Python for good: who refers to it need not be counted.
//!
//! Python writes a count into each object that it comes across, and each page that an instance writes to is copied for
//! it. Of an object whose count is large enough it takes that there is no end of it (PEP 683), and only reads.

use serde::Deserialize;

/// Python's own count for such objects where addresses have 32 bits, in the version that is pinned.
const IMMORTAL: u32 = 5 << 28;
/// An object with this count, or more, is one already.
const IMMORTAL_MIN: u32 = 1 << 30;
const WORD: usize = size_of::<u32>();

/// What the component said of its memory.
#[derive(Deserialize)]
struct Said {
    /// Where the addresses of the objects lie, and how many there are: it holds each of them.
    kept: (u32, u32),
}

/// Makes the objects that a component has named immortal; all, or none where something else lies in a place.
pub(super) fn immortal(said: &str, memory: &mut [u8]) -> Result<(), String> {
    let Said { kept: (at, count) } = serde_json::from_str(said).map_err(|error| format!("what it said is not understood: {error}"))?;
    let addresses = (0..count as usize).map(|number| word(memory, (at as usize).saturating_add(number.saturating_mul(WORD))));
    let objects = addresses.collect::<Option<Vec<u32>>>().ok_or("it has no such memory")?;
    let mut counted = Vec::new();
    for object in objects.into_iter().map(|it| it as usize) {
        // An object begins with its count, and the address of its type, which is an object itself.
        let count = word(memory, object);
        let kind = word(memory, object.saturating_add(WORD)).and_then(|kind| word(memory, kind as usize).filter(|_| kind > 0));
        match (count, kind) {
            (Some(1..IMMORTAL_MIN), Some(1..)) => counted.push(object),
            (Some(IMMORTAL_MIN..), Some(1..)) => (),
            _ => return Err(format!("there is no object at {object:#x}")),
        }
    }
    for object in counted {
        memory[object..object + WORD].copy_from_slice(&IMMORTAL.to_le_bytes());
    }
    Ok(())
}

fn word(memory: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*memory.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At 4 a type that is its own, at 12 an object of it, at 20 the addresses of both.
    fn memory(count: u32) -> Vec<u8> {
        [0, 7 << 28, 4, count, 4, 4, 12].iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
    }

    #[test]
    fn what_is_counted_is_counted_no_longer() {
        let mut memory = memory(3);
        immortal(r#"{"kept":[20,2]}"#, &mut memory).expect("objects");
        let words: Vec<u32> = memory.chunks(WORD).filter_map(|it| word(it, 0)).collect();
        assert_eq!(words, [0, 7 << 28, 4, IMMORTAL, 4, 4, 12]);
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        let before = memory(0);
        for said in [r#"{"kept":[20,2]}"#, r#"{"kept":[24,2]}"#, r#"{"kept":[4294967295,1]}"#, r#"{"kept":[20,4294967295]}"#, "{}"] {
            let mut memory = before.clone();
            immortal(said, &mut memory).expect_err("no object");
            assert_eq!(memory, before);
        }
    }
}
