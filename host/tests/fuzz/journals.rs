//! Journals and snapshots as no host has written them.

use std::sync::Arc;

use wf_engine::answers::answers;
use wf_engine::definition::Definition;
use wf_engine::effect::{Effect, Invoke, Memos};
use wf_engine::entry::Entry;
use wf_engine::journal::{self, Misfit};
use wf_engine::run::Run;
use wf_engine::snapshot;
use wf_tests::artifacts::root;
use wf_tests::fuzz::{corpus, fuzz};

/// The golden journals: parts with their manifests in the first line, then entries.
fn golden() -> Vec<String> {
    let folder = root().join("host/engine/tests/golden");
    let files = std::fs::read_dir(folder).expect("golden journals").map(|file| file.expect("a file").path());
    let mut paths: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a journal")).collect()
}

/// None: a host would not have loaded it. Those of golden journals are taken as they are.
fn definition(parts: &str, golden: &[String]) -> Option<Arc<Definition>> {
    let definition = Definition::new(serde_json::from_str(parts).ok()?);
    let known = || golden.iter().flat_map(|journal| journal.lines()).any(|line| line == parts);
    (known() || definition.check().is_empty()).then(|| Arc::new(definition))
}

/// What is to be done, as text; memos by what they hold, since the shape of their tree tells how they came.
fn shown(accepted: &Result<Vec<Effect>, Misfit>) -> String {
    let Ok(effects) = accepted else { return format!("{accepted:?}") };
    let shown = effects.iter().map(|effect| match effect {
        Effect::Invoke(invoke) => {
            let memos: Vec<_> = invoke.memos.iter().collect();
            format!("{:?} {memos:?}", Invoke { memos: Memos::default(), ..(**invoke).clone() })
        }
        other => format!("{other:?}"),
    });
    shown.collect()
}

/// As a host reads a run's journal, up to where it does not fit; every entry also into a run that was put away before it.
fn replay(text: &str, golden: &[String]) -> Option<()> {
    let (parts, lines) = text.split_once('\n')?;
    let first = definition(parts, golden)?;
    let mut run = Run::new(first.clone());
    let (mut entries, mut redefined): (Vec<Entry>, bool) = (Vec::new(), false);
    for line in lines.lines() {
        if line.starts_with('[') {
            run.redefine(definition(line, golden)?);
            redefined = true;
            continue;
        }
        let Ok(entry) = journal::read(run.next_seq(), line.as_bytes()) else { break };
        let written = serde_json::to_vec(&entry).expect("an entry can be written");
        let again = journal::read(entry.seq, &written).expect("and read again");
        assert_eq!(serde_json::to_vec(&again).expect("JSON"), written);
        if redefined {
            if journal::accept(&mut run, &entry).is_err() {
                break;
            }
        } else {
            let mut restored = snapshot::restore(first.clone(), &snapshot::take(&run)).expect("what was put away is taken up");
            let (one, other) = (journal::accept(&mut run, &entry), journal::accept(&mut restored, &entry));
            assert_eq!(shown(&one), shown(&other), "a snapshot changes nothing");
            if one.is_err() {
                break;
            }
            entries.push(entry);
        }
        assert!(run.state().get().starts_with('{'));
    }
    let history = journal::history(Run::new(first.clone()), &entries).expect("it fits so far");
    assert_eq!(history.moments.len(), entries.len());
    for invocation in history.deliveries.keys().take(3) {
        answers(|| Run::new(first.clone()), &entries, *invocation, 0).expect("it fits so far");
    }
    Some(())
}

#[test]
fn fuzz_journal() {
    let golden = golden();
    let mut seeds: Vec<Vec<u8>> = golden.iter().map(|journal| journal.clone().into_bytes()).collect();
    seeds.extend(corpus("journal"));
    fuzz("journal", &seeds, |bytes| replay(&String::from_utf8_lossy(bytes), &golden).unwrap_or_default());
}

#[test]
fn fuzz_snapshot() {
    let golden = golden();
    let journal = golden.iter().max_by_key(|journal| journal.len()).expect("a journal");
    let (parts, lines) = journal.split_once('\n').expect("parts and entries");
    let definition = definition(parts, &golden).expect("its definition");
    let mut run = Run::new(definition.clone());
    let mut seeds = vec![snapshot::take(&run)];
    for line in lines.lines() {
        let entry = journal::read(run.next_seq(), line.as_bytes()).expect("an entry");
        journal::accept(&mut run, &entry).expect("it fits");
        seeds.push(snapshot::take(&run));
    }
    fuzz("snapshot", &seeds, |bytes| {
        if let Ok(run) = snapshot::restore(definition.clone(), bytes) {
            assert!(seeds.contains(&snapshot::take(&run)), "what was damaged is not taken up");
        }
    });
}
