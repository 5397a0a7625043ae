//! JSON and other texts at the border, and manifests.

use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;
use wf_engine::definition::Definition;
use wf_engine::entry::{Event, Input, Part, RULES, Started};
use wf_engine::journal;
use wf_engine::json::{canonical, empty};
use wf_engine::manifest::Manifest;
use wf_engine::run::Run;
use wf_engine::text::{self, Limit};
use wf_tests::fuzz::{corpus, fuzz};

const MAX: Limit = Limit { name: "value_max", max: 64 << 10 };

#[test]
fn fuzz_json() {
    fuzz("json", &corpus("json"), |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let short = Limit { name: "name_max", max: 200 };
        assert!(text::cut(text.clone(), short).len() <= short.max, "it is cut");
        for line in text.lines() {
            let sound = text::name("it", line).is_ok() && text::id("it", line).is_ok() && text::path(line).is_ok();
            assert!(!sound || !line.is_empty());
        }
        let (_, message, fields) = text::log_line(text.clone(), text.clone(), text.clone());
        assert!(serde_json::from_str::<Value>(&fields).is_ok_and(|it| it.is_object()), "{message}");
        let Ok(json) = text::json("it", text, MAX) else { return };
        serde_json::from_str::<Value>(json.get()).expect("every reader reads what was let in");
        let once = canonical(&json);
        let again = canonical(&RawValue::from_string(once.clone()).expect("JSON"));
        assert_eq!(once, again, "it is the one form of all that are alike");
    });
}

fn part() -> Part {
    Part { component: "digest".into(), data: None }
}

fn started() -> Started {
    Started {
        rules: RULES,
        definition: vec![part()],
        workflow: "demo".into(),
        handler: "handler".into(),
        run: "run".into(),
        start: Event { name: "StartEvent".into(), payload: empty() },
        state: empty(),
        seed: Started::seed_text([7; 32]),
        timeout: None,
        additional_events: Vec::new(),
        state_max: None,
    }
}

#[test]
fn fuzz_manifest() {
    fuzz("manifest", &corpus("manifest"), |bytes| {
        let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) else { return };
        let written = serde_json::to_string(&manifest).expect("a manifest can be written");
        let again: Manifest = serde_json::from_str(&written).expect("and read again");
        assert_eq!(serde_json::to_string(&again).expect("JSON"), written);
        let definition = Arc::new(Definition::new(vec![(part(), manifest)]));
        let findings: Vec<String> = definition.check_part().iter().chain(&definition.check()).map(ToString::to_string).collect();
        if !findings.is_empty() {
            return assert!(findings.iter().all(|finding| !finding.is_empty()));
        }
        let mut run = Run::new(definition.clone());
        let begun = run.entry(1, 1, Input::Started(Box::new(started())));
        journal::accept(&mut run, &begun).expect("a run of a sound definition begins");
        assert!(!run.state().get().is_empty());
    });
}
