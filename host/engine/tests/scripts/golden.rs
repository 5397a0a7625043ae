//! Journals of every number of the rules, replayed: what they did then, they do now.
//!
//! `tests/golden/RULES-NAME.jsonl` holds a manifest and the entries, a line each; the `.txt` beside
//! it what each entry printed. A change that alters a `.txt` changes the rules: give them a new
//! number, keep these files, and let the scripts below write new ones (`UPDATE_EXPECT=1`).

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use expect_test::expect_file;
use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Input, RULES};
use wf_engine::run::Run;

use super::{played, print};

/// One journal for each family of moves.
const SCRIPTS: [(&str, &str); 3] = [
    (
        "human",
        r#"
        timeout 600
        type Ask: input-required
        type Answer: human-response
        step prompt: StartEvent -> Ask, slots 1 retry 0.5 jitter 0.5 attempts 3
        step greet: Answer -> StopEvent, timeout 5
        @100/10 start {"name":"Ada"}
        @101/11 #0 keep draft "Who?"
        @102/12 #0 set asked true; wait Answer where {"user":"ada"} timeout 60 ask Ask {"q":"Who?"}
        @103/13 event Answer {"user":"bob"}
        @104/14 #1 sleep 0.25
        @104.25/14.25 timer 2
        @105/15 #1 return
        @106/16 event Answer {"user":"ada","n":1}
        @107/17 #0 fail ValueError "no"
        @108/18 timer 3
        @109/19 #0 wait Answer where {"user":"ada"} timeout 60 ask Ask {"q":"Who?"}
        @200/20 resume
        @201/21 #0 return Ask {"q":"And?"}
        @202/22 event Answer
        @207/27 #2 fail timeout "5s"
        "#,
    ),
    (
        "fan-out",
        r#"
        type Out: stop
        step split: StartEvent -> Group, fan-out
        step inner: Group -> Item, fan-out
        step work: Item -> Done, slots 2
        step gather: Done -> Sum, join all
        step total: Sum -> Whole, join all
        step pair: Whole Extra -> Out, join each
        step recover: StepFailedEvent -> Done, catch work max 2
        start
        #0 send Extra {"x":1}; return Group {"g":1}, Group {"g":2}
        #1 return Item {"i":1}, Item {"i":2}, Item {"i":3}
        #2 return
        #6 return Sum {"g":2}
        #4 fail Boom "two"
        #3 return Done {"i":1}
        resume planned
        #5 return Done {"i":3}
        #7 return Done {"i":-2}
        #8 return Sum {"g":1}
        #9 return Whole
        #10 return Out {"sum":3}
        "#,
    ),
    (
        "state",
        r#"
        state {"count":1}
        step split: StartEvent -> Item
        step work: Item -> StopEvent, retry 1
        start
        #0 publish Stream {"n":0}
        #0 set n 2; return Item {"i":1}, Item {"i":2}
        #1 begin count; publish Stream {"n":1}
        #2 begin count; edit count 2
        #1 set lost 1; edit count 5
        resume
        #1 begin count; edit count 3
        #1 collect Item {"i":1} into Item Item
        #2 collect Item {"i":2} into Item Item
        #2 fail Boom "after the batch"
        #1 sleep 2
        @1 timer 0
        @2 timer 1
        #2 collect Item {"i":2} into Item Item
        #1 return
        #2 delete n; return StopEvent {"result":[1,2]}
        cancel
        "#,
    ),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Writes what is missing of the current rules, if that is asked for; nothing is overwritten.
fn write_missing() {
    for (name, script) in SCRIPTS {
        let path = folder().join(format!("{RULES}-{name}.jsonl"));
        if std::env::var_os("UPDATE_EXPECT").is_some() && !path.exists() {
            let world = played(script);
            let mut text = serde_json::to_string(&world.workflow.manifest).expect("JSON") + "\n";
            for entry in &world.journal {
                text += &(serde_json::to_string(entry).expect("JSON") + "\n");
            }
            std::fs::write(path, text).expect("a writable folder");
        }
    }
}

fn journals() -> Vec<PathBuf> {
    let files = folder().read_dir().expect("the folder of golden journals").map(|file| file.expect("a file").path());
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
    let _ = writeln!(out, "state {}", run.state());
    (rules, out)
}

#[test]
fn golden_journals_of_every_number_of_the_rules_print_what_they_printed() {
    write_missing();
    let mut replayed = BTreeSet::new();
    for path in journals() {
        let text = std::fs::read_to_string(&path).expect("a readable journal");
        let (rules, out) = replay(&text);
        expect_file![path.with_extension("txt")].assert_eq(&out);
        replayed.insert(rules);
    }
    assert_eq!(replayed, (1..=RULES).collect(), "there is a golden journal for each number");
}
