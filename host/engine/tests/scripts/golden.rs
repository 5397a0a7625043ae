//! Journals of every number of the rules, replayed: what they did then, they do now.
//!
//! `tests/golden/RULES-NAME.jsonl` holds the parts with their manifests, and the entries, a line each; before a fork onto
//! another definition, the parts of that. The `.txt` beside it holds what each entry printed. No test run changes either: what is missing is written when
//! `UPDATE_EXPECT` is set, and what is there stays. A change that alters what a journal prints
//! changes the rules: give them a new number, keep these files, and let new ones be written.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wf_engine::definition::Definition;
use wf_engine::effect::Effect;
use wf_engine::entry::{Entry, Input, Part, RULES};
use wf_engine::manifest::Manifest;
use wf_engine::recorded::recorded;
use wf_engine::run::{Run, Status};
use wf_engine::{journal, snapshot};

use super::words::Words;
use super::workflow::Workflow;
use super::{World, pages, played, print, workflow};

/// One journal for each family of moves. `LARGE` stands for a text that is told once.
const SCRIPTS: [(&str, &str); 24] = [
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
        "step-timeout",
        r#"
        type Answer: human-response
        step work: StartEvent -> StopEvent, timeout 5, retry 1
        @100/10 start
        @101/11 #0 keep draft "Who?"; used 100 0.5 65536
        @109/19 #0 sleep 0.25; used 100 1 65536
        @109.25/19.25 timer 0
        @119/29 #0 wait Answer; used 100 2 65536
        @200/30 event Answer
        @201/31 #0 keep more 1; used 200 1 65536
        @202/32 resume
        @300/40 #0 sleep 60; used 202 1.5 65536
        @360/100 timer 1
        @361/101 #0 fail timeout "5s"; used 360 1 65536
        @363/103 timer 2
        @364/104 #0 return StopEvent {"result":1}
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
        "run-timeout-whole",
        r#"
        timeout 45
        step nap: StartEvent -> StopEvent
        @100/1 start
        @145/46 timer 0
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
        "variables",
        r#"
        step work: StartEvent -> StopEvent, retry 1
        start
        #0 variables {"REGION":"eu","STAGE":"\u00e9"}; set a 1; publish Stream
        resume
        #0 get a; commit
        #0 fail Boom "once"
        timer 0
        #0 variables {"REGION":"us"}; return StopEvent
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
    (
        "every-call",
        r#"
        additional Answer
        state {"n":1,"l":[1],"m":{"a":1,"b":2}}
        step split: StartEvent -> Item
        step work: Item -> Done, retry 1
        step end: Done -> StopEvent
        @1 start
        @2 #0 used 1.5 0.25 65536; return Item
        @3 #1 keep draft "Who?"; used 2 0.001 131072
        @4 #1 look draft "Who?"; look other; look draft same 0; get n; set a 1; push l 2; delete m.b; log; send Done {"early":1}; used 2 0.002 131072; commit
        @5 #1 publish Stream {"p":1}; used 2 0.003 131072
        @5 #1 begin n; edit n 2; used 2 0.004 131072
        @6 #1 collect Item {"c":1} into Item 2; used 2 0.005 131072
        @7 #1 request GET https://example.com/a {"status":200}; used 2 0.006 131072
        @8 #1 read 15 aGk=; used 2 0.007 131072
        @9 #1 exclusive n; used 2 0.008 131072
        @10 #1 edit n 3; used 9 0.001 131072
        @11 #1 sleep 0.5; used 9 0.002 131072
        @11.5 timer 0
        @12 #1 wait Answer where {"n":1} timeout 60; used 9 0.003 131072
        @13 event Answer {"n":1}
        @14 #1 look draft "Who?"; get n before; set lost 1; push l 3; delete m.a; begin l before; log; send Done {"lost":1}; refuse "set a..b"; used 13 0.5 262144; fail Boom "after every call"
        @15 timer 2
        @16 #1 look draft "Who?"; get l; used 15 0.125 65536; return Done
        @17 #2 used 4 1 1; return StopEvent
        "#,
    ),
    (
        "large-reads",
        r#"
        state {"a":"LARGE"}
        step work: StartEvent -> Item
        step other: StartEvent -> Item
        step end: Item -> StopEvent
        start
        #0 get a; publish Stream
        #0 begin a; edit a "LARGE!"
        #0 get a; set a 1; commit
        resume
        #0 get a; return Item
        #1 get a; set a "LARGE"; commit
        #1 get a; sleep 2
        resume
        @3 timer 0
        #2 get a before; return StopEvent
        "#,
    ),
    (
        "outgrown",
        r#"
        state-max 30
        state {"a":"1234567890"}
        step split: StartEvent -> Item
        step work: Item -> StopEvent, slots 9
        step recover: StepFailedEvent -> StopEvent, catch work max 9
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}, Item {"i":4}
        #1 set b 12345; commit
        #2 set c 12345; commit
        #3 begin a; edit a "12345678901234567890"
        #4 set a 1; set d 123; commit
        #4 set e 1234567; return StopEvent
        "#,
    ),
];

/// Journals that fork onto another definition, with its workflow.
const REDEFINED: [(&str, &str, &str, &str); 1] = [(
    "fork-redefined",
    r#"
    additional Answer
    state {"n":1}
    step split: StartEvent -> Item, fan-out
    step old: Item -> Done, slots 1
    step work: Item -> Done, retry 1
    step gather: Done -> Sum, join all
    step total: Sum -> StopEvent
    @10 start
    @11 #0 return Item {"i":1}, Item {"i":2}
    @12 #1 keep draft 1
    @12 #2 return Done {"i":1}
    @13 #4 keep draft 2
    @14 #4 wait Answer timeout 5
    "#,
    r#"
    additional Answer
    part other data 6a1f
    step first: StartEvent -> Item
    step split: StartEvent -> Item, fan-out
    step work: Item -> Done, retry 2
    step total: Sum -> StopEvent
    step gather: Done -> Sum, join all
    step new: Done -> Sum, join all
    "#,
    r#"
    @20 fork state {"n":2} #4 Item {"i":20}
    @21 #4 look draft 2; fail Boom "once"
    @23 timer 1
    @24 #4 return Done {"i":20}
    @25 #5 return Sum {"by":"gather"}
    @26 #6 return Sum {"by":"new"}
    @27 #7 return StopEvent
    "#,
)];

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
    let world = played(&script.replace("LARGE", &"x".repeat(2_000)));
    lines(std::iter::once(parts(&world.workflow)).chain(entries(&world)))
}

/// The same of one that forks onto another definition, and goes on by it.
fn redefined_journal_of(before: &str, other: &str, after: &str) -> String {
    let mut world = played(before);
    let (other, _) = workflow::parse(other);
    let mut written = vec![parts(&world.workflow)];
    written.extend(entries(&world));
    written.push(parts(&other));
    let forked = world.journal.len();
    world.redefine(other);
    after.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| world.line(line));
    written.extend(entries(&world).skip(forked));
    lines(written.into_iter())
}

fn parts(workflow: &Workflow) -> String {
    serde_json::to_string(&workflow.parts).expect("JSON")
}

fn entries(world: &World) -> impl Iterator<Item = String> {
    world.journal.iter().map(|entry| serde_json::to_string(entry).expect("JSON"))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

fn definition(parts: &str) -> Arc<Definition> {
    let parts: Vec<(Part, Manifest)> = serde_json::from_str(parts).expect("parts with their manifests");
    Arc::new(Definition::new(parts))
}

fn journals() -> Vec<PathBuf> {
    let files = folder().read_dir().expect("the folder of golden journals").map(|file| file.expect("a file").path());
    let mut journals: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")).collect();
    journals.sort();
    journals
}

/// The entries of a journal, with the definition that it begins by, then those that forks in it go on with.
fn read(text: &str) -> (Vec<Arc<Definition>>, Vec<Entry>) {
    let (definitions, entries): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('['));
    let entries = (0..).zip(entries).map(|(seq, line)| journal::read(seq, line.as_bytes()).expect("an entry"));
    (definitions.into_iter().map(definition).collect(), entries.collect())
}

/// All of a run but the definitions that it knows.
fn shown(run: &Run) -> String {
    String::from_utf8(snapshot::take(run)).expect("JSON")
}

/// What each entry of a journal prints, and the number of its rules.
fn replay(text: &str) -> (u32, String) {
    let (definitions, entries) = read(text);
    let mut run = pages::begin(&definitions);
    // The same without snapshots.
    let mut straight = pages::begin(&definitions);
    let (mut rules, mut out) = (0, String::new());
    for entry in entries {
        if let Input::Started(started) = &entry.input {
            rules = started.rules;
        }
        let _ = writeln!(out, "{}", entry.seq);
        run = snapshot::restore(run.definition().clone(), &snapshot::take(&run)).expect("a snapshot at every entry");
        definitions.iter().for_each(|it| run.redefine(it.clone()));
        for line in journal::accept(&mut run, &entry).expect("the journal fits").iter().filter_map(|effect| print::effect(effect, true)) {
            let _ = writeln!(out, "    {line}");
        }
        journal::accept(&mut straight, &entry).expect("the journal fits");
        assert_eq!(shown(&run), shown(&straight), "a snapshot changes nothing");
    }
    let _ = writeln!(out, "state {}", run.state());
    let _ = writeln!(out, "{:?}", run.status());
    (rules, out)
}

#[test]
fn a_golden_journal_is_told_alike_in_pages_of_every_size() {
    for path in journals() {
        let text = std::fs::read_to_string(&path).expect("a readable journal");
        let (definitions, entries) = read(&text);
        (1..=entries.len()).for_each(|size| pages::check(&definitions, &entries, size));
    }
}

/// What is in flight, with what it was given.
fn in_flight(run: &Run) -> Vec<String> {
    run.in_flight().map(|(id, step, events)| format!("{id} {step} {events:?}")).collect()
}

#[test]
fn a_fork_of_a_golden_journal_at_any_entry_takes_over_what_has_ended_and_begins_the_rest_anew() {
    for path in journals() {
        let (definitions, entries) = read(&std::fs::read_to_string(&path).expect("a readable journal"));
        let begin = || pages::begin(&definitions);
        for at in 0..entries.len() {
            let place = format!("{} at {at}", path.display());
            let mut journal = entries[..=at].to_vec();
            let mut run = journal::replay(begin(), &journal).expect("it fits");
            if !matches!(run.status(), Status::Running) {
                break;
            }
            let before = (run.state().get().to_owned(), run.next_sequence(), in_flight(&run));
            let ended = format!("{:?}", recorded(begin, &journal).expect("it fits"));
            let forked = workflow::forked(&mut Words::of(""), run.definition().parts());
            let entry = run.entry(entries[at].at, entries[at].alive, Input::Forked(Box::new(forked)));
            let effects = journal::accept(&mut run, &entry).expect("it can be forked");
            assert_eq!((run.state().get().to_owned(), in_flight(&run)), (before.0, before.2), "{place}");
            assert!(run.next_sequence() >= before.1 && run.timers().count() <= 1, "{place}: nothing waits or sleeps");
            for effect in effects {
                if let Effect::Invoke(invoke) = effect {
                    assert!(invoke.log.is_empty() && invoke.committed == 0 && invoke.retry.failures == 0, "{place}: {invoke:?}");
                }
            }
            journal.push(entry);
            assert_eq!(shown(&journal::replay(begin(), &journal).expect("it fits")), shown(&run), "{place}");
            assert_eq!(format!("{:?}", recorded(begin, &journal).expect("it fits")), ended, "{place}: what has ended is as it was");
        }
    }
}

#[test]
fn golden_journals_of_every_number_of_the_rules_print_what_they_printed() {
    let file = |name: &str| folder().join(format!("{RULES}-{name}.jsonl"));
    for (name, script) in SCRIPTS {
        write_missing(&file(name), || journal_of(script));
    }
    for (name, before, other, after) in REDEFINED {
        write_missing(&file(name), || redefined_journal_of(before, other, after));
    }
    for name in SCRIPTS.iter().map(|it| it.0).chain(REDEFINED.iter().map(|it| it.0)) {
        assert!(file(name).exists(), "the golden journal `{name}` is missing: its family of moves is not replayed");
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
