//! What there is to do with a text without asking anybody.

use std::collections::HashMap;

use wf_guest::prelude::*;

/// A part holds about so many characters.
const CHUNK: usize = 600;

/// A name that leads nowhere else.
pub fn file_name(name: &str) -> Result<&str> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']);
    if plain { Ok(name) } else { Err(Failure::new("NoFile", format!("`{name}` is no name of a file")).no_retry()) }
}

/// Paragraphs, as many in each part as fit.
pub fn chunks(text: &str) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    for paragraph in text.split("\n\n").map(str::trim).filter(|it| !it.is_empty()) {
        match chunks.last_mut() {
            Some(last) if last.len() + paragraph.len() < CHUNK => *last = format!("{last}\n\n{paragraph}"),
            _ => chunks.push(paragraph.to_owned()),
        }
    }
    chunks
}

/// The sentence whose words come up most in the text.
pub fn telling(text: &str) -> String {
    let mut often: HashMap<String, usize> = HashMap::new();
    for word in words(text) {
        *often.entry(word).or_default() += 1;
    }
    let score = |sentence: &&str| {
        let scores: Vec<usize> = words(sentence).map(|word| often[&word]).collect();
        scores.iter().sum::<usize>() * 100 / scores.len().max(4)
    };
    let sentences = text.split_inclusive(['.', '!', '?']).map(str::trim).filter(|it| !it.is_empty());
    // Of equals the first.
    sentences.rev().max_by_key(score).unwrap_or_default().to_owned()
}

/// Long ones, which mean something.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|it: char| !it.is_alphanumeric()).filter(|it| it.chars().count() > 3).map(str::to_lowercase)
}
