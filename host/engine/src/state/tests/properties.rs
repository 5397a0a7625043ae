//! What holds for all writes, in any order.

use proptest::prelude::*;

use super::*;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Move {
    /// A write that the attempt makes, where it is possible.
    Write(Buffered),
    /// One of its writes that comes again at re-entry.
    Add(Buffered),
    /// Another attempt commits.
    Commit(Vec<Buffered>),
    Read(String),
}

fn path() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec!["a", "b", "l", "0", "1", "2", "01"]);
    prop::collection::vec(key, 1..4).prop_map(|keys| keys.join("."))
}

fn value() -> impl Strategy<Value = Json> {
    let texts =
        ["1", "2.50", "null", "\"\\u00e9\"", "[]", "{}", "[1,[2],{\"a\":1}]", "{\"b\":{\"a\":1},\"0\":[3,4],\"a\":\"x\"}", "[7,8,9]"];
    prop::sample::select(texts.to_vec()).prop_map(json)
}

fn effect() -> impl Strategy<Value = Buffered> {
    prop_oneof![
        3 => (path(), value()).prop_map(|(path, value)| Buffered::Set { path, value }),
        2 => (path(), value()).prop_map(|(path, value)| Buffered::Push { path, value }),
        2 => path().prop_map(|path| Buffered::Delete { path }),
    ]
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => effect().prop_map(Move::Write),
        2 => effect().prop_map(Move::Add),
        2 => prop::collection::vec(effect(), 1..3).prop_map(Move::Commit),
        2 => path().prop_map(Move::Read),
    ];
    prop::collection::vec(one, 0..40)
}

fn start() -> impl Strategy<Value = Json> {
    (value(), value(), value()).prop_map(|(a, b, l)| json(&format!(r#"{{"b":{b},"l":{l},"a":{a}}}"#)))
}

/// The state in a serialised form, and back.
fn put_away(state: &State) -> State {
    serde_json::from_str(&serde_json::to_string(state).expect("it is written")).expect("it is read")
}

/// What an attempt sees, by definition.
fn seen(state: &State, own: &[Buffered]) -> State {
    let mut state = state.clone();
    state.commit(own, (0, 0), u64::MAX);
    state
}

fn agree(state: &State, path: &str, overlay: &mut Overlay, own: &[Buffered]) -> Result<(), TestCaseError> {
    let expected = read(&seen(state, own), path, &mut Overlay::default());
    let found = state.read(path, overlay).expect("a path");
    prop_assert_eq!(found.value.as_ref().map(|value| value.get()), expected.as_deref(), "at {}", path);
    if !found.own {
        prop_assert_eq!(read(state, path, &mut Overlay::default()), expected, "what is not own is committed");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_seen_is_the_committed_state_with_own_writes_applied_in_order(start in start(), moves in moves()) {
        let mut state = State::new(&start);
        let mut overlay = Overlay::default();
        let mut own = Vec::new();
        for (seq, one) in moves.into_iter().enumerate() {
            match one {
                Move::Write(effect) => {
                    if state.write(&effect, &mut overlay, ROOM).is_ok() {
                        own.push(effect);
                    }
                }
                Move::Add(effect) => {
                    overlay.add(effect.clone());
                    own.push(effect);
                }
                Move::Commit(effects) => {
                    state.commit(&effects, (9, 0), seq as u64 + 1);
                    prop_assert_eq!(state.size(), state.json().get().len());
                    let again = put_away(&state);
                    prop_assert_eq!(format!("{again:?}"), format!("{state:?}"));
                    state = again;
                }
                Move::Read(path) => agree(&state, &path, &mut overlay, &own)?,
            }
        }
        for path in ["a", "b", "l", "0", "01", "a.b", "l.0", "a.0.b", "l.1.a"] {
            agree(&state, path, &mut overlay, &own)?;
        }
        prop_assert_eq!(overlay.is_empty(), own.is_empty());
    }

    #[test]
    fn own_writes_are_counted_for_no_less_than_they_are(start in start(), effects in prop::collection::vec(effect(), 0..20)) {
        let state = State::new(&start);
        let mut overlay = Overlay::default();
        let own: Vec<_> = effects.into_iter().filter(|effect| state.write(effect, &mut overlay, ROOM).is_ok()).collect();
        let counted = state.size() as isize + overlay.grown();
        prop_assert!(counted >= seen(&state, &own).size() as isize);
    }

    #[test]
    fn what_does_not_conflict_has_not_changed(
        start in start(),
        path in path(),
        commits in prop::collection::vec(prop::collection::vec(effect(), 1..3), 0..4),
    ) {
        let mut state = State::new(&start);
        let before = read(&state, &path, &mut Overlay::default());
        for (seq, effects) in commits.iter().enumerate() {
            state.commit(effects, (9, 0), seq as u64 + 1);
        }
        if !state.conflicts(&path, 0, (1, 0)) {
            prop_assert_eq!(read(&state, &path, &mut Overlay::default()), before);
        }
    }

    #[test]
    fn what_can_be_written_is_there_after_its_commit(start in start(), effect in effect()) {
        let mut state = State::new(&start);
        if state.write(&effect, &mut Overlay::default(), ROOM).is_ok() {
            state.commit(std::slice::from_ref(&effect), (1, 0), 1);
            match &effect {
                Buffered::Set { path, value } => {
                    let expected = Some(Tree::parse(value).to_json().get().to_owned());
                    prop_assert_eq!(read(&state, path, &mut Overlay::default()), expected);
                }
                Buffered::Push { path, .. } => prop_assert!(read(&state, path, &mut Overlay::default()).is_some()),
                Buffered::Delete { .. } | Buffered::Send { .. } | Buffered::NoList => (),
            }
        }
    }
}
