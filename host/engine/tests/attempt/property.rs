//! Generated text of all kinds, in every call: each is refused with a reason, or comes back unchanged after a re-entry.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use wf_engine::attempt::{Next, Request};
use wf_engine::entry::{Failure, Function};

use super::world::{World, json};

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("JSON")
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    select(texts).prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = String> {
    const NUMBERS: &[&str] = &[
        "0",
        "-0",
        "1.0",
        "10e-1",
        "12345678901234567890123",
        "18446744073709551616",
        "1e308",
        "1e999",
        "1E-400",
        "01",
        "0.30000000000000004",
    ];
    const STRINGS: &[&str] =
        &[r#""\ud83d\ude00""#, r#""\ud83d""#, r#""\udc00x""#, r#""\u0000""#, r#""\/""#, "\"\n\"", r#""$serde_json::private::Number""#];
    prop_oneof![
        one_of(NUMBERS),
        one_of(STRINGS),
        any::<f64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| quoted(&text)),
        one_of(&["true", "null", "nul"]),
    ]
}

fn value() -> impl Strategy<Value = String> {
    let key = prop_oneof![one_of(&["a", "b", "$serde_json::private::RawValue"]), any::<String>()];
    let space = one_of(&["", " ", "\n\t"]);
    scalar().prop_recursive(6, 40, 4, move |inner| {
        let lists = (prop::collection::vec(inner.clone(), 0..4), space.clone());
        let objects = (prop::collection::vec((key.clone(), inner), 0..4), space.clone());
        prop_oneof![
            lists.prop_map(|(items, space)| format!("{space}[{space}{}{space}]{space}", items.join(","))),
            objects.prop_map(|(fields, space)| {
                let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{}{space}:{value}", quoted(key))).collect();
                format!("{space}{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// JSON, or nearly.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => value(),
        2 => value().prop_map(|value| format!("{{\"a\":{value}}}")),
        1 => any::<String>(),
        1 => (0..200_usize).prop_map(|deep| format!("{}{}", "[".repeat(deep), "]".repeat(deep))),
        1 => (0..200_usize).prop_map(|deep| format!("{}1{}", r#"{"a":"#.repeat(deep), "}".repeat(deep))),
        1 => (0..100_000_usize).prop_map(|long| format!("\"{}\"", "é".repeat(long))),
        1 => (value(), 0..20_usize).prop_map(|(value, end)| value.chars().take(end).collect()),
    ]
}

/// A name, an id, a path, or nearly.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => one_of(&["A", "n", "A.l", "A.l.0", "A.l.01", "A.l.1", "n.x", "new.one", "", "a..b", "a\nb"]),
        2 => any::<String>(),
        1 => (0..1200_usize).prop_map(|long| "x".repeat(long)),
        1 => (1..600_usize).prop_map(|keys| vec!["k"; keys].join(".")),
    ]
}

fn options() -> impl Strategy<Value = String> {
    let wait = (word(), text(), word(), text()).prop_map(|(name, requirement, id, payload)| {
        let (name, id, payload) = (quoted(&name), quoted(&id), quoted(&payload));
        format!(
            r#"{{"types":[{name},"B"],"requirements":{{"a":{requirement}}},"id":{id},"request":{{"name":{name},"payload":{payload}}}}}"#
        )
    });
    let keyed = (word(), text()).prop_map(|(name, requirements)| format!(r#"{{"type":{},"requirements":{requirements}}}"#, quoted(&name)));
    let collect = (word(), any::<u32>()).prop_map(|(name, count)| format!(r#"{{"expected":["A",[{},{count}]]}}"#, quoted(&name)));
    let send = word().prop_map(|step| format!(r#"{{"step":{}}}"#, quoted(&step)));
    prop_oneof![3 => wait, 3 => keyed, 2 => collect, 2 => send, 1 => text(), 1 => Just(String::new())]
}

fn request() -> impl Strategy<Value = Request> {
    (0..18_u8, word(), text(), options(), any::<u64>()).prop_map(|(kind, word, text, options, number)| match kind {
        0 => Request::Send { name: word, payload: text, options },
        1 => Request::Publish { name: word, payload: text },
        2 | 3 => Request::Wait { options },
        4 => Request::Collect { name: word, payload: text, options },
        5 => Request::Get { path: word },
        6 | 7 => Request::Set { path: word, value: text },
        8 => Request::Push { path: word, value: text },
        9 => Request::Delete { path: word },
        10 => Request::EditBegin { path: word },
        11 => Request::EditExclusive { path: word },
        12 => Request::EditCommit { path: word, version: number, value: text },
        13 => Request::LookUp { name: word },
        14 => Request::Keep { name: word, value: text },
        15 => Request::Outside { target: word, options: json("{}") },
        16 => Request::Variables { values: [(word, text)].into_iter().collect::<BTreeMap<_, _>>().into() },
        _ => Request::ReadBody { request: number as u32 % 3 },
    })
}

/// The text that a call carries on, as it is journaled.
fn carried(request: &Request) -> Option<&str> {
    match request {
        Request::Send { payload: text, .. }
        | Request::Collect { payload: text, .. }
        | Request::Set { value: text, .. }
        | Request::Push { value: text, .. }
        | Request::EditCommit { value: text, .. }
        | Request::Keep { value: text, .. } => Some(text.trim_matches([' ', '\n', '\t', '\r'])),
        _ => None,
    }
}

fn comes_back(request: Request) -> Result<(), TestCaseError> {
    let mut world = World::new(r#"{"A":{"l":[1]},"n":1}"#);
    let mut first = world.enter();
    let told = world.told(&mut first, request.clone());
    prop_assert!(!told.starts_with("Fail"), "{told}");
    if told == "suspended" {
        let again = world.told(&mut world.enter(), request);
        prop_assert!(again.starts_with("Event") || again.starts_with("Edit"), "{again}");
        return Ok(());
    }
    world.call(&mut first, Request::Commit);
    let (commit, log) = (world.commit.clone(), serde_json::to_string(&world.log).expect("JSON"));
    match &world.log[0].function {
        Function::Refused { call, failure } => {
            prop_assert!(["invalid", "limit"].contains(&failure.kind.as_str()) && !failure.message.is_empty());
            prop_assert!(call.len() <= 1024 && failure.message.len() < 4096, "it is short: {} {}", call.len(), failure.message.len());
            prop_assert_eq!(&commit, "[]");
        }
        _ => prop_assert!(carried(&request).is_none_or(|text| commit.contains(text) || log.contains(text)), "{commit} {log}"),
    }
    // The host went away before the commit.
    world.log.drop_last_mut();
    world.committed = 0;
    let mut again = world.enter();
    prop_assert_eq!(world.told(&mut again, request), told);
    let Next::Progress { commit: Some(effects), .. } = again.call(Request::Commit, 0) else { panic!("a commit point") };
    prop_assert_eq!(serde_json::to_string(&Some(effects)).expect("JSON"), commit);
    Ok(())
}

/// The details of a failure, or nearly.
fn details() -> impl Strategy<Value = String> {
    let keys = one_of(&[r#""retryable""#, r#""retry_after""#, r#""keep_answers""#, r#""trace""#, r#""more""#, r#""\ud83d""#]);
    let fields = prop::collection::vec((keys, prop_oneof![one_of(&["true", "false", "null", "2.5", "\"t\""]), scalar()]), 0..4);
    let object = fields.prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        format!("{{{}}}", fields.join(","))
    });
    prop_oneof![4 => object, 1 => text(), 1 => Just(String::new())]
}

/// What a guest says of its failure is kept, or it is not retried and its message says why.
fn is_kept(message: String, details: &str) -> Result<(), TestCaseError> {
    let failure = Failure::from_guest("Boom".to_owned(), message.clone(), details);
    if failure.message == message {
        let told: serde_json::Value =
            if details.trim().is_empty() { serde_json::json!({}) } else { serde_json::from_str(details).expect("JSON") };
        prop_assert_eq!(failure.retryable, told["retryable"].as_bool().unwrap_or(true));
        prop_assert_eq!(failure.keep_answers, told["keep_answers"].as_bool().unwrap_or(true));
        prop_assert_eq!(failure.trace.as_deref(), told["trace"].as_str());
        prop_assert_eq!(failure.retry_after, told["retry_after"].as_f64().filter(|seconds| *seconds >= 0.0));
    } else {
        prop_assert!(!failure.retryable && failure.message.contains(" [not retried: "), "{}", failure.message);
    }
    Ok(())
}

/// What a step returns is refused with a reason, or carried as it came.
fn is_returned(events: Vec<(String, String)>) -> Result<(), TestCaseError> {
    match World::new("{}").enter().returned(events.clone()) {
        Ok((_, _, returned)) => {
            prop_assert_eq!(returned.len(), events.len());
            for (event, (name, payload)) in returned.iter().zip(&events) {
                let carried = payload.trim_matches([' ', '\n', '\t', '\r']);
                prop_assert_eq!((&*event.name, event.payload.get()), (name.as_str(), carried));
                prop_assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(carried).is_ok(), "{carried}");
            }
        }
        Err(failure) => prop_assert!(["invalid", "limit"].contains(&failure.kind.as_str()) && !failure.message.is_empty()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_text_is_refused_with_a_reason_or_comes_back(request in request()) {
        comes_back(request)?;
    }

    #[test]
    fn generated_details_of_a_failure_are_kept_or_it_is_not_retried(message in "[a-z ]{0,20}", details in details()) {
        is_kept(message, &details)?;
    }

    #[test]
    fn generated_events_that_are_returned_are_refused_with_a_reason_or_come_back(events in prop::collection::vec((word(), text()), 0..3)) {
        is_returned(events)?;
    }
}
