//! Journals of every number of the rules, replayed: what they did then, they do now.
//!
//! `tests/golden/RULES-NAME.jsonl` holds the parts with their manifests, and the entries, a line each; the `.txt` beside
//! it what each entry printed. No test run changes either: what is missing is written when
//! `UPDATE_EXPECT` is set, and what is there stays. A change that alters what a journal prints
//! changes the rules: give them a new number, keep these files, and let new ones be written.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wf_engine::definition::Definition;
use wf_engine::entry::{Input, Part, RULES};
use wf_engine::manifest::Manifest;
use wf_engine::run::Run;
use wf_engine::{journal, snapshot};

use super::{played, print};

/// One journal for each family of moves.
const SCRIPTS: [(&str, &str); 18] = [
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
    (
        "cancel",
        r#"
        additional Answer
        step work: StartEvent -> StopEvent, retry 1
        step ask: StartEvent -> StopEvent
        step nap: StartEvent -> StopEvent
        start
        #0 set n 1; publish Stream {"n":1}
        #1 wait Answer timeout 9
        #2 sleep 0.5
        cancel
        #0 return StopEvent
        "#,
    ),
    (
        "run-timeout",
        r#"
        timeout 0.3
        additional Answer
        step nap: StartEvent -> StopEvent
        step ask: StartEvent -> StopEvent
        step busy: StartEvent -> StopEvent, slots 1
        step idle: Other -> StopEvent
        @100/1 start
        @100.1/1.1 #0 sleep 60
        @100.1/1.1 #1 wait Answer
        @100.3/1.3 timer 0
        "#,
    ),
    (
        "poison",
        r#"
        step split: StartEvent -> Item
        step work: Item -> Done StopEvent, slots 9
        step recover: StepFailedEvent -> StopEvent, catch work
        start
        #0 return Item {"i":1}, Item {"i":2}
        resume on 1
        resume on 1
        resume on 1
        resume on 1
        resume on 1
        resume planned on 1
        resume on 1
        resume on 1
        resume on 1
        resume on 1
        resume on 1
        #3 return StopEvent
        "#,
    ),
    (
        "subtypes",
        r#"
        type Shape: plain
        type Round: plain of Shape
        type Circle: plain of Round
        type Answer: human-response
        type Written: human-response of Answer
        step draw: StartEvent -> Circle Shape
        step all: Shape -> Done, subtypes
        step exact: Shape -> Done
        step pair: Round Done -> StopEvent, join each subtypes
        step ask: StartEvent -> StopEvent
        start
        #1 wait Answer subtypes where {"n":1}
        #0 return Circle {"r":1}, Shape
        event Written {"n":1.0}
        #2 return Done
        #5 return StopEvent
        "#,
    ),
    (
        "orphaned-pairs",
        r#"
        step outer: StartEvent -> Group, fan-out
        step inner: Group -> Item, fan-out
        step work: Item -> A B Done, slots 9
        step pair: A B -> Done, join each
        step gather: Done -> Sum, join all
        step total: Sum -> StopEvent, join all
        start
        #0 return Group {"g":1}, Group {"g":2}
        #1 return Item {"i":1}, Item {"i":11}
        #2 return Item {"i":2}
        #3 return A
        #5 return B
        #4 return Done
        #6 return Sum
        #7 return Sum
        #8 return
        #9 return StopEvent
        "#,
    ),
    (
        "take-and-arrival",
        r#"
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done, slots 9
        step two: Done -> Pair, join all take 2
        step order: Done -> Whole, join all arrival
        step last: Pair Whole -> StopEvent, join each
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
        #3 return Done {"i":3}
        #1 return Done {"i":1}
        #2 return Done {"i":2}
        #4 return Pair
        #5 return Whole
        #6 return StopEvent
        "#,
    ),
    (
        "loop",
        r#"
        step loop: StartEvent Next -> Next Item B StopEvent, fan-out
        step pair: Item B -> Done, join each
        start
        #0 return Next, Item, B
        #1 return Next, Item
        #2 return
        #3 return Next, B
        #4 return StopEvent
        "#,
    ),
    (
        "backoffs",
        r#"
        step split: StartEvent -> A B C
        step constant: A -> StopEvent, retry 1 jitter 0.5
        step linear: B -> StopEvent, retry 1 linear at-most 2.5 jitter 0.1
        step exponential: C -> StopEvent, retry 1 exponential factor 3 elapsed 100 on Boom
        start
        #0 return A, B, C
        #1 fail Boom ""
        #2 fail Boom ""
        #3 fail Boom ""
        timer 0
        timer 1
        timer 2
        #1 fail Boom "" after 7
        #2 fail Boom ""
        #3 fail Boom ""
        timer 4
        timer 5
        #2 fail Boom ""
        #3 fail Boom ""
        timer 6
        #2 fail Other "" forget
        timer 7
        #3 fail Other "not retried"
        "#,
    ),
    (
        "refused",
        r#"
        type Ask: input-required
        step publishes: StartEvent -> Item
        step sends: StartEvent -> Item, retry 1
        step returns: StartEvent -> Item
        step waits: StartEvent -> Item
        step asks: StartEvent -> Item
        step recover: StepFailedEvent -> Nothing, catch max 9
        start
        #0 publish StopEvent
        #1 send WorkflowCancelledEvent; commit
        #2 return Nope
        #3 wait Nope
        #4 wait Ask ask Nope
        #0.3 return Item
        #77 return Item
        timer 9
        event Nope
        cancel
        "#,
    ),
    (
        "inbox",
        r#"
        type Ask: input-required
        type Answer: human-response
        additional Other
        step split: StartEvent -> Item
        step ask: Item -> StopEvent
        start
        event Answer {"n":1}
        event Answer {"n":2} to ask
        event Other
        #0 return Item {"i":1}, Item {"i":2}
        #1 wait Answer where {"n":2} ask Ask
        #1 wait Other Answer
        #1 wait Other Answer fresh timeout 9
        #2 wait Answer
        event Answer {"n":3} at 2
        resume
        event Answer {"n":4}
        #1 wait Other
        #1 return StopEvent
        "#,
    ),
    (
        "exclusive",
        r#"
        state {"n":1,"l":[]}
        step split: StartEvent -> Item
        step work: Item -> StopEvent, slots 9 retry 1
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
        #1 set mine 1; push l 1; exclusive n
        #2 exclusive n
        #3 begin n; edit n 9
        #1 edit n 2
        #3 push l 2; push l 3; exclusive l
        #2 fail Boom "within"
        #3 begin l; edit l [0]
        resume
        timer 0
        #2 exclusive n
        #2 delete l.0; edit n 3
        #2 return StopEvent
        "#,
    ),
    (
        "outside",
        r#"
        step work: StartEvent -> StopEvent, retry 1
        start
        #0 set a 1; request GET https://example.com/a {"status":200}
        #0 request GET https://example.com/b {"status":201}
        #0 read 2 aGk=
        #0 read 1 YQ==
        resume
        #0 read 2 end
        #0 get a; commit
        #0 fail interrupted "the body was cut"
        timer 0
        #0 return StopEvent
        "#,
    ),
    (
        "reads",
        r#"
        state {"a":"a value that is told once"}
        step work: StartEvent -> Item
        step next: Item -> StopEvent, retry 1
        start
        #0 get a; refuse "set a..b"; publish Stream
        #0 get a same 0; commit
        resume
        #0 get a before; set a 1; return Item
        #1 get a before; refuse "get ."; fail Boom "after a read"
        timer 0
        #1 get a; return StopEvent
        "#,
    ),
    (
        "parts",
        r#"
        type Order: start
        step take: Order -> Item, fan-out
        part python data 6a1f
        step work: Item -> Done
        part other
        step gather: Done -> StopEvent, join all
        start {"n":2}
        #0 return Item {"i":1}, Item {"i":2}
        #2 return Done
        #1 return Done
        #3 return StopEvent
        "#,
    ),
    (
        "fork",
        r#"
        timeout 60
        additional Answer
        type Ask: input-required
        state {"n":1}
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done, slots 2 retry 1
        step gather: Done -> StopEvent, join all
        @10 start
        @11 #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
        @12 #1 keep draft 1
        @13 #1 wait Answer timeout 5 ask Ask
        @14 #2 fail Boom ""
        @15 event Other
        @20 fork state {"n":2} #2 Item {"i":20}
        @21 #1 wait Answer timeout 5 ask Ask
        @22 #2 return Done {"i":20}
        @23 event Answer
        @24 #1 return Done {"i":1}
        @25 #3 return Done {"i":3}
        @26 #4 return StopEvent
        "#,
    ),
];

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Writes what is missing, if that is asked for; nothing is overwritten.
pub fn write_missing(path: &Path, text: impl FnOnce() -> String) {
    if std::env::var_os("UPDATE_EXPECT").is_some() && !path.exists() {
        std::fs::write(path, text()).expect("a writable folder");
    }
}

/// A script as parts and entries.
fn journal_of(script: &str) -> String {
    let world = played(script);
    let parts = serde_json::to_string(&world.workflow.parts).expect("JSON");
    let entries = world.journal.iter().map(|entry| serde_json::to_string(entry).expect("JSON"));
    std::iter::once(parts).chain(entries).map(|line| line + "\n").collect()
}

fn journals() -> Vec<PathBuf> {
    let files = folder().read_dir().expect("the folder of golden journals").map(|file| file.expect("a file").path());
    let mut journals: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")).collect();
    journals.sort();
    journals
}

/// What each entry of a journal prints, and the number of its rules.
fn replay(text: &str) -> (u32, String) {
    let (parts, entries) = text.split_once('\n').expect("parts and entries");
    let parts: Vec<(Part, Manifest)> = serde_json::from_str(parts).expect("parts with their manifests");
    let mut run = Run::new(Arc::new(Definition::new(parts)));
    // The same without snapshots.
    let mut straight = Run::new(run.definition().clone());
    let (mut rules, mut out) = (0, String::new());
    for line in entries.lines() {
        let entry = journal::read(run.next_seq(), line.as_bytes()).expect("an entry");
        if let Input::Started(started) = &entry.input {
            rules = started.rules;
        }
        let _ = writeln!(out, "{}", entry.seq);
        run = snapshot::restore(run.definition().clone(), &snapshot::take(&run)).expect("a snapshot at every entry");
        for line in journal::accept(&mut run, &entry).expect("the journal fits").iter().filter_map(|effect| print::effect(effect, true)) {
            let _ = writeln!(out, "    {line}");
        }
        journal::accept(&mut straight, &entry).expect("the journal fits");
        assert_eq!(format!("{run:?}"), format!("{straight:?}"), "a snapshot changes nothing");
    }
    let _ = writeln!(out, "state {}", run.state());
    let _ = writeln!(out, "{:?}", run.status());
    (rules, out)
}

#[test]
fn golden_journals_of_every_number_of_the_rules_print_what_they_printed() {
    for (name, script) in SCRIPTS {
        write_missing(&folder().join(format!("{RULES}-{name}.jsonl")), || journal_of(script));
    }
    let mut replayed = BTreeSet::new();
    for path in journals() {
        let text = std::fs::read_to_string(&path).expect("a readable journal");
        let (rules, out) = replay(&text);
        let printed = path.with_extension("txt");
        write_missing(&printed, || out.clone());
        let then = std::fs::read_to_string(&printed).expect("what the journal printed");
        assert_eq!(then, out, "{} prints another thing: the fold has changed, and its rules need a new number", path.display());
        replayed.insert(rules);
    }
    assert_eq!(replayed, (1..=RULES).collect(), "there is a golden journal for each number");
}
