//! The outside: slow, cut, silent, and what it says it may say twice. It remembers what it was asked, and what it gave.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use serde_json::json;
use wf_engine::entry::{Chunk, Failure, Micros, Response};
use wf_engine::json::to_json;

/// Longest time that a slow answer takes.
const SLOW_MAX: u32 = 300_000;
/// When whoever asked gives up.
const PATIENCE: Micros = 5_000_000;

/// All that was ever sent to it: no crash of the host undoes that.
#[derive(Default)]
pub struct Outside {
    sendings: Vec<Sending>,
}

struct Sending {
    target: String,
    /// What was given of the body, in order.
    parts: Vec<Chunk>,
}

/// What comes of the outside.
#[derive(Debug)]
pub enum Came {
    /// To the sending of this number.
    Answer(usize, Response),
    Part(Chunk),
}

impl Outside {
    /// A request arrives: what comes of it, and in how long.
    pub fn ask(&mut self, target: &str, chance: &mut ChaCha8Rng) -> (Micros, Came) {
        let number = self.sendings.len();
        self.sendings.push(Sending { target: target.to_owned(), parts: Vec::new() });
        let (after, is_there) = when(chance);
        let failed = |kind: &str| Response::Failed(Failure::new(kind, number.to_string(), true));
        let response = match chance.next_u32() % 5 {
            _ if !is_there => failed("timeout"),
            0 => failed("network"),
            _ => Response::Head(to_json(&json!({ "sending": number }))),
        };
        (after, Came::Answer(number, response))
    }

    /// More of a body is read. No part is as another one, but for one that comes twice.
    pub fn read(&mut self, number: usize, chance: &mut ChaCha8Rng) -> (Micros, Came) {
        let (after, is_there) = when(chance);
        let parts = &mut self.sendings[number].parts;
        assert!(!parts.iter().any(is_last), "sending {number} is read past its end");
        let part = match (chance.next_u32() % 8, parts.last()) {
            _ if !is_there => Chunk::Failed(Failure::new("timeout", "nothing more came", true)),
            (0, _) => Chunk::Failed(Failure::new("network", "cut", true)),
            (1, _) => Chunk::End,
            (2, Some(again)) => again.clone(),
            _ => Chunk::of(format!("part {} of {number}", parts.len()).as_bytes()),
        };
        parts.push(part.clone());
        (after, Came::Part(part))
    }

    /// What it gave of a body, in order.
    pub fn parts(&self, number: usize) -> &[Chunk] {
        &self.sendings[number].parts
    }

    /// The number of the last sending of a request.
    pub fn last(&self, target: &str) -> Option<usize> {
        self.sendings.iter().rposition(|it| it.target == target)
    }
}

/// In how long something comes, and whether anything does before nobody waits for it any more.
fn when(chance: &mut ChaCha8Rng) -> (Micros, bool) {
    match chance.next_u32() % 12 {
        0 => (PATIENCE, false),
        1..=4 => (Micros::from(chance.next_u32() % SLOW_MAX), true),
        _ => (0, true),
    }
}

/// The sending that an answer is of.
pub fn sending(response: &Response) -> usize {
    match response {
        Response::Head(head) => {
            let head: serde_json::Value = serde_json::from_str(head.get()).expect("JSON");
            head["sending"].as_u64().expect("a number") as usize
        }
        Response::Failed(failure) => failure.message.parse().expect("a number"),
    }
}

/// Whether nothing follows a part.
pub fn is_last(part: &Chunk) -> bool {
    !matches!(part, Chunk::Data(_))
}
