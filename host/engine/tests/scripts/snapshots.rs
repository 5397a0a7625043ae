//! A run that is put away. That a replay from a snapshot gives the same run is part of every script.

use wf_engine::journal::Misfit;
use wf_engine::snapshot::{self, SNAPSHOT_VERSION};

use super::golden::{folder, write_missing};
use super::played;

/// Something in every part of a run.
const EVERYTHING: &str = r#"
    timeout 60
    additional Answer
    state {"n":1.50,"l":[1,2]}
    type Ask: input-required
    step split: StartEvent -> Item Group, fan-out
    step work: Item -> Done, slots 2 retry 1
    step pair: Done Group -> Sum, join each
    step gather: Sum -> StopEvent, join all
    @1 start
    @2 #0 set who "Ada"; return Item {"i":1}, Item {"i":2}, Item {"i":3}, Item {"i":4}, Group
    @3 #1 keep draft {"a":1}
    @4 #1 wait Answer where {"n":1} timeout 5 ask Ask
    @5 event Answer {"n":2}
    @6 #2 collect Item {"i":2} into Item 3
    @7 #2 fail Boom "once"
    @8 #3 exclusive n
    @9 #4 exclusive n
    @10 resume
"#;

#[test]
fn a_snapshot_of_an_older_or_newer_form_is_not_used() {
    let world = played(EVERYTHING);
    let text = String::from_utf8(snapshot::take(&world.run)).expect("JSON");
    let restored = |text: &str| snapshot::restore(world.definition.clone(), text.as_bytes()).map(|_| ());
    assert_eq!(restored(&text), Ok(()));
    let newer = text.replacen(r#""v":6,"rules":4"#, r#""v":7,"rules":4"#, 1);
    assert_eq!(restored(&newer), Err(Misfit::Snapshot("it has form 7 by rules 4".into())));
    let other = text.replacen("digest", "other", 1);
    assert!(matches!(restored(&other), Err(Misfit::Definition { .. })));
    assert!(matches!(restored(&text[..text.len() / 2]), Err(Misfit::Snapshot(_))), "a torn one");
}

#[test]
fn a_snapshot_with_one_digit_changed_is_not_used() {
    let world = played(EVERYTHING);
    let text = snapshot::take(&world.run);
    let run = text.windows(6).position(|part| part == br#""run":"#).expect("a run");
    for at in (run..text.len()).filter(|&at| text[at].is_ascii_digit()) {
        let mut damaged = text.clone();
        damaged[at] = if text[at] == b'9' { b'8' } else { text[at] + 1 };
        let restored = snapshot::restore(world.definition.clone(), &damaged).map(|_| ());
        assert_eq!(restored, Err(Misfit::Snapshot("it is damaged".into())), "the digit at {at}");
    }
}

/// The form of a snapshot is written down, in a file for its version that no test run changes.
#[test]
fn the_form_of_a_snapshot_changes_only_with_its_version() {
    let world = played(EVERYTHING);
    let value: serde_json::Value = serde_json::from_slice(&snapshot::take(&world.run)).expect("JSON");
    let text = serde_json::to_string_pretty(&value).expect("JSON") + "\n";
    let path = folder().join(format!("snapshot-{SNAPSHOT_VERSION}.json"));
    write_missing(&path, || text.clone());
    let written = std::fs::read_to_string(&path).expect("UPDATE_EXPECT writes the file of a new version");
    assert_eq!(written, text, "it has another form now: SNAPSHOT_VERSION needs a new number, and its file takes the place of this one");
}
