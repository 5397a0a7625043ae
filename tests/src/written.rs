//! Everything that a host has written or says, and what must stand nowhere in it.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use crate::server::Server;

/// Every file below a folder, whole, by its place.
pub fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path().is_dir() {
            true => files(&entry.path(), found),
            false => found.push((entry.path().display().to_string(), std::fs::read(entry.path()).unwrap_or_default())),
        }
    }
}

/// Everything that the host has written or says: files, log, screen, and what it answers about a run.
pub async fn all_that_is_said(server: &Server, handler: &str, run: &str) -> Vec<(String, Vec<u8>)> {
    let mut said = Vec::new();
    files(server.data().parent().expect("its folder"), &mut said);
    let parts = ["", "/history", "/state", "/logs", "/representation"].map(|part| format!("/api/v1/runs/{run}{part}"));
    let handler = [format!("/handlers/{handler}"), "/handlers".to_owned(), "/api/v1/runs".to_owned(), "/api/v1/workflows".to_owned()];
    for path in parts.into_iter().chain(handler) {
        let answer = server.get(&path).await;
        said.push((path, answer.body.into_bytes()));
    }
    said.push(("the log".to_owned(), server.log().into_bytes()));
    said.push(("the screen".to_owned(), server.screen().into_bytes()));
    said
}

/// Panics where one of the words stands anywhere, as it is or in base64, as parts of answers are journaled.
pub fn stands_nowhere(words: &[&str], written: &[(String, Vec<u8>)]) {
    let forms: Vec<String> = words.iter().flat_map(|word| in_base64(word).into_iter().chain([(*word).to_owned()])).collect();
    for (place, bytes) in written {
        for form in &forms {
            assert!(!bytes.windows(form.len()).any(|it| it == form.as_bytes()), "what is secret stands in {place}, as {form}");
        }
    }
}

/// What a word is in base64, wherever it begins.
fn in_base64(word: &str) -> [String; 3] {
    [(0, 0), (1, 2), (2, 3)].map(|(before, skipped)| {
        let all = [vec![0; before], word.as_bytes().to_vec()].concat();
        BASE64_STANDARD_NO_PAD.encode(&all)[skipped..all.len() * 8 / 6].to_owned()
    })
}
