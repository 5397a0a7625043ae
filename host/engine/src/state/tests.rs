use expect_test::{Expect, expect};

use super::*;
use crate::json::{empty, of_text};

mod properties;

/// A state that is large enough for every test.
const ROOM: usize = 1 << 30;

fn json(text: &str) -> Json {
    of_text(text.to_owned())
}

fn state(text: &str) -> State {
    State::new(&json(text))
}

/// Writes as text: `path = value`, `path + value` for a push, `-path`; semicolons between them.
fn writes(text: &str) -> Vec<Buffered> {
    text.split(';').map(str::trim).filter(|line| !line.is_empty()).map(write).collect()
}

fn write(line: &str) -> Buffered {
    if let Some(path) = line.strip_prefix('-') {
        Buffered::Delete { path: path.to_owned() }
    } else if let Some((path, value)) = line.split_once(" = ") {
        Buffered::Set { path: path.to_owned(), value: json(value) }
    } else {
        let (path, value) = line.split_once(" + ").expect("a set, a push or a delete");
        Buffered::Push { path: path.to_owned(), value: json(value) }
    }
}

/// What an attempt has written.
fn own(text: &str) -> Overlay {
    let mut own = Overlay::default();
    writes(text).into_iter().for_each(|write| own.add(write));
    own
}

fn read(state: &State, path: &str, own: &mut Overlay) -> Option<String> {
    state.read(path, own).expect("a path").value.map(|value| value.get().to_owned())
}

/// Commits writes to an object, and shows it.
fn check(start: &str, text: &str, expected: Expect) {
    let mut state = state(start);
    state.commit(&writes(text), (0, 0), 1);
    expected.assert_eq(state.json().get());
    assert_eq!(state.size(), state.json().get().len());
}

#[test]
fn paths_create_objects_and_index_lists() {
    check("{}", "a.b.c = 1; a.b.d = 2.50", expect![[r#"{"a":{"b":{"c":1,"d":2.50}}}"#]]);
    check(r#"{"l":[1,2]}"#, "l.0 = 9; l.2 = 3", expect![[r#"{"l":[9,2,3]}"#]]);
    check(r#"{"l":[{}]}"#, r#"l.0.x = {"z":1,"a":2}"#, expect![[r#"{"l":[{"x":{"z":1,"a":2}}]}"#]]);
    check(r#"{"a":1,"b":{"c":1},"l":[1,2,3]}"#, "-a; -b.c; -l.1; -no.such; -l.9; -l.01", expect![[r#"{"b":{},"l":[1,3]}"#]]);
    check(r#"{"l":[1]}"#, "l + 2; new.list + {}; l + null", expect![[r#"{"l":[1,2,null],"new":{"list":[{}]}}"#]]);
    check(r#"{"a":1,"b":2}"#, "-a; a = 3", expect![[r#"{"b":2,"a":3}"#]]);
}

#[test]
fn numbers_and_texts_stay_as_they_came() {
    let text =
        r#"{"n":12345678901234567890123,"u":18446744073709551616,"x":1.0,"e":1E+2,"t":"\u00e9\ud83d\ude00","d":2.638344616030823e-256}"#;
    let state = state(text);
    assert_eq!(state.json().get(), text);
    let again: State = serde_json::from_str(&serde_json::to_string(&state).expect("it is written")).expect("it is read");
    assert_eq!(again.json().get(), text);
    assert_eq!(read(&state, "t", &mut own("")).as_deref(), Some(r#""\u00e9\ud83d\ude00""#));
}

#[test]
fn null_is_another_thing_than_nothing() {
    let state = state(r#"{"n":null}"#);
    assert_eq!(read(&state, "n", &mut own("")).as_deref(), Some("null"));
    assert_eq!(read(&state, "no", &mut own("")), None);
    assert_eq!(read(&state, "no", &mut own("no = null")).as_deref(), Some("null"));
    assert_eq!(read(&state, "n", &mut own("-n")), None);
}

#[test]
fn the_last_commit_wins_over_what_stands_in_its_way() {
    check(r#"{"a":5}"#, "a.b.c = 1", expect![[r#"{"a":{"b":{"c":1}}}"#]]);
    check(r#"{"l":[1]}"#, "l.7 = 2", expect![[r#"{"l":[1,2]}"#]]);
    check(r#"{"l":[1]}"#, "l.99999999999999999999999.x = 2", expect![[r#"{"l":[1,{"x":2}]}"#]]);
    check(r#"{"l":[1]}"#, "l.01 = 2", expect![[r#"{"l":{"01":2}}"#]]);
    check(r#"{"a":{"b":1},"t":"x"}"#, "a + 2; t + 3", expect![[r#"{"a":[2],"t":[3]}"#]]);
    check(r#"{"a":1}"#, "-a.b; -a.b.c", expect![[r#"{"a":1}"#]]);
}

#[test]
fn a_path_that_is_none_is_neither_read_nor_written() {
    let many = vec!["k"; 50_000].join(".");
    let state = state("{}");
    for path in [many.as_str(), "a..b"] {
        assert!(state.read(path, &mut own("")).is_err());
        assert!(state.write(&write(&format!("{path} = 1")), &mut own(""), ROOM).is_err());
    }
}

/// Why writes are not possible over a state.
fn refusals(start: &str, own_writes: &str, text: &str, expected: Expect) {
    let state = state(start);
    let refused = |write: &Buffered| state.write(write, &mut own(own_writes), ROOM).expect_err("it cannot be written").to_string();
    expected.assert_eq(&writes(text).iter().map(refused).collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_cannot_be_written_says_why() {
    refusals(
        r#"{"n":1,"l":[1],"o":{},"z":null,"t":"x","b":true}"#,
        "",
        "a..b = 1; n.x = 1; l.x = 1; l.5 = 1; l.01 = 1; l.+1 = 1; z.x = 1; t.x + 1; o + 1; n + 1; b.x = 1; -a..b",
        expect![[r#"
            the path `a..b` has an empty key
            `n.x` cannot be set: `n` is a number
            `l.x` cannot be set: `l` is a list, and `x` is no index
            `l.5` cannot be set: `l` has 1 items
            `l.01` cannot be set: `l` is a list, and `01` is no index
            `l.+1` cannot be set: `l` is a list, and `+1` is no index
            `z.x` cannot be set: `z` is null
            `t.x` cannot be set: `t` is a text
            nothing can be pushed to `o`: it is an object
            nothing can be pushed to `n`: it is a number
            `b.x` cannot be set: `b` is a boolean
            the path `a..b` has an empty key"#]],
    );
    refusals(
        "{}",
        "o = 5; l + 1",
        "o.x = 1; l.2 = 1; l.x = 1",
        expect![[r#"
        `o.x` cannot be set: `o` is a number
        `l.2` cannot be set: `l` has 1 items
        `l.x` cannot be set: `l` is a list, and `x` is no index"#]],
    );
    assert_eq!(state(r#"{"l":[1]}"#).write(&write("l.1 = 2"), &mut own(""), ROOM), Ok(()));
    assert_eq!(read(&state(r#"{"l":[1,2]}"#), "l.01", &mut own("")), None);
}

#[test]
fn the_state_is_at_most_64_deep_as_a_whole() {
    let deep = |depth: usize| json(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    let state = state("{}");
    let set = |depth| state.write(&Buffered::Set { path: "a.b".to_owned(), value: deep(depth) }, &mut own(""), ROOM);
    let push = |depth| state.write(&Buffered::Push { path: "a.b".to_owned(), value: deep(depth) }, &mut own(""), ROOM);
    assert_eq!((set(62), push(61)), (Ok(()), Ok(())));
    expect!["`a.b` cannot be written: the state would be more than 64 deep (limit depth_max)"]
        .assert_eq(&set(63).expect_err("too deep").to_string());
    assert!(push(62).is_err());
    assert!(state.check("a.b", &deep(63), &mut own(""), ROOM).is_err());
}

#[test]
fn what_makes_the_state_longer_than_its_limit_is_refused() {
    let state = state(r#"{"a":"0123456789"}"#);
    let mut own = Overlay::default();
    let mut set = |text: &str, max: usize| state.write(&write(text), &mut own, max);
    assert_eq!(set("b = 1", state.size() + 5), Err(WriteError::TooLarge));
    assert_eq!(set("b = 1", state.size() + 6), Ok(()));
    assert_eq!(set("c = 1", state.size() + 6), Err(WriteError::TooLarge), "own writes count");
    assert_eq!(set("b = 2", state.size() + 6), Ok(()), "what is replaced does not");
    assert_eq!(set("a = 1", 0), Ok(()), "what makes it shorter is possible in any state");
    assert_eq!(set("-b", 0), Ok(()));
    assert_eq!(set("d = 1", state.size()), Ok(()), "there is room again");
    assert_eq!(state.check("e", &json("12345678"), &mut own, state.size()), Err(WriteError::TooLarge));
    let mut own = Overlay::default();
    for at in 0..1_000 {
        let mut set = |text: String| state.write(&write(&text), &mut own, state.size() + 2_000);
        assert_eq!((set(format!("a{at}.some.long.key = 1")), set(format!("-a{at}"))), (Ok(()), Ok(())), "what went has no weight");
    }
}

#[test]
fn own_writes_are_seen_over_committed_state_and_change_nothing() {
    let state = state(r#"{"a":{"x":1},"b":2,"l":[1]}"#);
    let text = state.json();
    let read = |path, text| read(&state, path, &mut own(text));
    assert_eq!(read("a", "a.y = 2; b = 3").as_deref(), Some(r#"{"x":1,"y":2}"#));
    assert_eq!(read("a.x", "-a"), None);
    assert_eq!(read("b.no.such", ""), None);
    assert_eq!(read("a", "-a.x; a.y = 1; a.x = 2").as_deref(), Some(r#"{"y":1,"x":2}"#));
    assert_eq!(read("l", "l + 2; l + 3").as_deref(), Some("[1,2,3]"));
    assert_eq!(read("l", "l + 2; l.0 = 0; -l.1; l + 4").as_deref(), Some("[0,4]"));
    assert_eq!(state.json().get(), text.get());
}

#[test]
fn a_read_says_whether_own_writes_have_a_part_in_it() {
    let state = state(r#"{"a":{"x":1,"y":{"z":1}},"l":[1]}"#);
    let is_own = |path, text| state.read(path, &mut own(text)).expect("a path").own;
    for (path, text) in [("a", "a.x = 2"), ("a.x", "a.x = 2"), ("a.x.q", "a = 2"), ("a.y", "-a.y"), ("l.1", "l + 1"), ("l", "l + 1")] {
        assert!(is_own(path, text), "{path} after {text}");
    }
    for (path, text) in [("a", ""), ("a", "b = 1"), ("a.y", "a.x = 2"), ("a.no", "a.x = 2"), ("l.0", "l + 1")] {
        assert!(!is_own(path, text), "{path} after {text}");
    }
}

#[test]
fn the_empty_path_reads_the_whole_and_writes_nothing() {
    let state = state(r#"{"a":1,"b":[2]}"#);
    let mut own = own("c.d = 3; b + 4; -a");
    assert_eq!(read(&state, "", &mut own).as_deref(), Some(r#"{"b":[2,4],"c":{"d":3}}"#));
    assert_eq!(read(&super::State::new(&json("{}")), "", &mut Overlay::default()).as_deref(), Some("{}"));
    assert!(state.write(&writes("x = 1")[0], &mut own, ROOM).is_ok());
    assert!(state.write(&Buffered::Set { path: String::new(), value: json("{}") }, &mut own, ROOM).is_err());
}

#[test]
fn what_others_commit_meanwhile_is_seen_under_own_writes() {
    let mut state = state(r#"{"l":["a"],"o":{}}"#);
    let mut own = own("l + \"own\"; o.own = 1; m.0 = 1; m.x = 2; k.0 = 7; k + 9");
    assert_eq!(read(&state, "m", &mut own).as_deref(), Some(r#"{"0":1,"x":2}"#));
    assert_eq!(read(&state, "k", &mut own).as_deref(), Some("[9]"));
    state.commit(&writes("l + \"b\"; o.theirs = 2; m = [0, 0]; k = [0, 0]"), (9, 0), 1);
    assert_eq!(read(&state, "l", &mut own).as_deref(), Some(r#"["a","b","own"]"#));
    assert_eq!(read(&state, "o", &mut own).as_deref(), Some(r#"{"theirs":2,"own":1}"#));
    assert_eq!(read(&state, "m", &mut own).as_deref(), Some(r#"{"x":2}"#), "a list that a later write replaced");
    assert_eq!(read(&state, "k", &mut own).as_deref(), Some("[7,0,9]"));
}

#[test]
fn an_edit_conflicts_with_another_attempts_change_of_what_it_edits() {
    let mut state = State::new(&empty());
    state.commit(&writes("a.b = 1"), (1, 0), 5);
    let conflicts = |path, version, by| state.conflicts(path, version, by);
    assert!(conflicts("a.b", 4, (2, 0)), "the path");
    assert!(conflicts("a", 4, (2, 0)), "an ancestor");
    assert!(conflicts("a.b.c", 4, (2, 0)), "a descendant");
    assert!(conflicts("a.b", 4, (1, 1)), "another attempt of the same invocation");
    assert!(!conflicts("a.b", 4, (1, 0)), "its own change");
    assert!(!conflicts("a.b", 5, (2, 0)), "it has seen the change");
    assert!(!conflicts("a.bc", 4, (2, 0)), "a namesake");
    state.commit(&writes("a.b = 2"), (2, 0), 6);
    assert!(state.conflicts("a.b", 4, (2, 0)), "an earlier change of another attempt");
}

#[test]
fn a_structural_change_of_a_list_conflicts_with_edits_inside() {
    let conflicts = |text: &str, path: &str| {
        let mut state = state(r#"{"l":["a","b","c"],"n":5}"#);
        state.commit(&writes(text), (1, 0), 1);
        state.conflicts(path, 0, (2, 0))
    };
    assert!(conflicts("-l.0", "l.1"), "the items behind have moved");
    assert!(!conflicts("l + \"d\"", "l.1"), "a push moves none");
    assert!(!conflicts("l.3 = \"d\"", "l.1"), "nor does a set at the end");
    assert!(conflicts("l + \"d\"", "l") && conflicts("l + \"d\"", "l.3"));
    assert!(conflicts("l.9 = \"d\"", "l.3"), "an index past the end is the next one");
    assert!(conflicts("l.x = 1", "l.1"), "the list was replaced");
    assert!(conflicts("n.x = 1", "n.y"), "what was in the way was replaced");
    assert!(!conflicts("-l.7", "l.1") && !conflicts("-no", "no"), "nothing was deleted");
}

#[test]
fn many_writes_and_reads_take_their_time_once() {
    let mut state = state(r#"{"list":[0],"all":{"x":0}}"#);
    let mut own = Overlay::default();
    for at in 0..20_000_u64 {
        for text in [format!("k{at} = {at}"), format!("all.k{at}.deep = {at}"), format!("list + {at}"), "list.0 = 1".to_owned()] {
            // The last one would copy the list after each commit of others to it.
            if at < 5_000 || text.starts_with('k') {
                state.write(&write(&text), &mut own, ROOM).expect("it can be written");
            }
        }
        assert_eq!(read(&state, &format!("k{at}"), &mut own), Some(at.to_string()));
        assert_eq!(read(&state, "all.k7.deep", &mut own).is_some(), at >= 7);
        state.commit(&writes(&format!("theirs.k{at} = 1; -theirs.k{}", at.saturating_sub(100))), (9, 0), at + 1);
    }
    assert_eq!(read(&state, "list.5000", &mut own).as_deref(), Some("4999"));
}
