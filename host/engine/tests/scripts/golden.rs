//! Journals of every number of the rules, replayed: what they did then, they do now.
//!
//! `tests/golden/NAME.jsonl` holds a manifest and the entries, a line each; `NAME.txt` what each
//! entry printed. A change that alters a `.txt` changes the rules: give them a new number, keep
//! these files, and add new ones.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use expect_test::expect_file;
use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Input, RULES};
use wf_engine::run::Run;

use super::print;

fn journals() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = folder.read_dir().expect("the folder of golden journals").map(|file| file.expect("a file").path());
    let mut journals: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")).collect();
    journals.sort();
    journals
}

/// What each entry of a journal prints, and the number of its rules.
fn replay(text: &str) -> (u32, String) {
    let (manifest, entries) = text.split_once('\n').expect("a manifest and entries");
    let manifest = serde_json::from_str(manifest).expect("a manifest");
    let mut run = Run::new(Arc::new(Definition::new(vec![("digest".into(), manifest)])));
    let (mut rules, mut out) = (0, String::new());
    for line in entries.lines() {
        let entry: Entry = serde_json::from_str(line).expect("an entry");
        if let Input::Started(started) = &entry.input {
            rules = started.rules;
        }
        let _ = writeln!(out, "{}", entry.seq);
        for line in run.apply(&entry).iter().filter_map(|effect| print::effect(effect, true)) {
            let _ = writeln!(out, "    {line}");
        }
    }
    (rules, out)
}

#[test]
fn golden_journals_of_every_number_of_the_rules_print_what_they_printed() {
    let mut replayed = BTreeSet::new();
    for path in journals() {
        let text = std::fs::read_to_string(&path).expect("a readable journal");
        let (rules, out) = replay(&text);
        expect_file![path.with_extension("txt")].assert_eq(&out);
        replayed.insert(rules);
    }
    assert_eq!(replayed, (1..=RULES).collect(), "there is a golden journal for each number");
}
