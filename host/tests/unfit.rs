//! A journal that does not fit is an error with its own words, for that run alone.

use std::sync::Arc;

use expect_test::{Expect, expect};
use wf_engine::definition::Definition;
use wf_engine::entry::{Entry, Event, Input, Part, RULES, Started};
use wf_engine::json;
use wf_engine::run::Run;
use wf_host::config::Config;
use wf_host::host::Host;
use wf_host::machine::{Action, Command, Owners, UNFIT_MAX};
use wf_host::model::{Limits, Refusal, RunStatus, Target};
use wf_host::runtime::{Compiler, Options, Runtime};
use wf_host::store::{EntryRow, Follows, HostId, Memory, NewRun, Now, Standing, Store};
use wf_tests::wasm::Module;

const MANIFEST: &str = r#"{"name":"waits","steps":[{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]},
    {"name":"answer","accepts":["HumanResponseEvent"],"emits":["StopEvent"]}]}"#;

fn definition(digest: &str) -> Arc<Definition> {
    let manifest = serde_json::from_str(MANIFEST).expect("a manifest");
    Arc::new(Definition::new(vec![(Part { component: digest.to_owned(), data: None }, manifest)]))
}

fn event(name: &str) -> Event {
    Event { name: name.into(), payload: json::empty() }
}

fn started(digest: &str, run: &str) -> Entry {
    let definition = definition(digest);
    let started = Started {
        rules: RULES,
        definition: definition.parts(),
        workflow: "waits".to_owned(),
        handler: run.to_owned(),
        run: run.to_owned(),
        start: event("StartEvent"),
        state: json::empty(),
        seed: Started::seed_text([1; 32]),
        timeout: None,
        additional_events: Vec::new(),
        state_max: None,
    };
    Run::new(definition).entry(1, 1, Input::Started(Box::new(started)))
}

struct Fixture {
    host: Host,
    store: Arc<dyn Store>,
    digest: String,
}

async fn fixture() -> Fixture {
    let runtime = Runtime::new(Options {
        cache_dir: None,
        compiler: Compiler::Here,
        threads: None,
        limits: Limits { instances_max: 4, ..Limits::default() },
    })
    .expect("a runtime");
    let component = runtime.load(Module::quiet(MANIFEST).binary()).await.expect("it loads");
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let kept = store.put_component(&component.view.digest, component.bytes.clone(), MANIFEST.to_owned());
    kept.await.expect("it is kept");
    let host = Host::open(store.clone(), runtime, Config::default()).await.expect("it opens");
    Fixture { host, store, digest: component.view.digest.clone() }
}

impl Fixture {
    /// Of a host that is lost: it is claimed.
    async fn put(&self, run: &str, entry: Vec<u8>) {
        self.put_of(HostId(0), run, entry).await;
    }

    async fn put_of(&self, host: HostId, run: &str, entry: Vec<u8>) {
        let new = NewRun {
            key: self.store.key(),
            host,
            run: run.to_owned(),
            handler: run.to_owned(),
            follows: Follows::Any,
            workflow: "waits".to_owned(),
            definition: vec![self.digest.clone()],
            started_at: 1,
            entries: vec![EntryRow { seq: 0, bytes: entry }],
            logs: Vec::new(),
            frames: Vec::new(),
            copied: 0,
            preview: String::new(),
            standing: Standing::default(),
            runs_max: None,
            idempotency: None,
            waited: true,
        };
        self.store.create(new).await.expect("it is created");
    }
}

fn changed(entry: &Entry, from: &str, to: &str) -> Vec<u8> {
    let text = serde_json::to_string(entry).expect("JSON");
    assert!(text.contains(from), "{text}");
    text.replace(from, to).into_bytes()
}

async fn check(host: &Host, run: &str, expected: Expect) {
    let refusals = [
        host.send(run, event("HumanResponseEvent"), Target::default(), None).await.err(),
        host.cancel(run).await.err(),
        host.state(run).await.err(),
        host.history(run, None, 9).await.err(),
    ];
    for refusal in &refusals {
        let refusal = refusal.as_ref().expect("it is refused");
        assert!(matches!(refusal, Refusal::Unfit { .. }), "{refusal:?}");
        expected.assert_eq(&refusal.to_string());
    }
    // It is still listed, and can be deleted.
    assert!(matches!(host.handler(run).await.expect("it is there").status, RunStatus::Running));
    host.purge(run).await.expect("it goes");
    assert!(matches!(host.handler(run).await, Err(Refusal::NotFound)));
}

#[tokio::test]
async fn it_says_what_is_wrong_and_other_runs_go_on() {
    let fixture = fixture().await;
    let entry = |run: &str| started(&fixture.digest, run);
    fixture.put("sound", serde_json::to_vec(&entry("sound")).expect("JSON")).await;
    fixture.put("form", changed(&entry("form"), r#"{"v":1,"#, r#"{"v":9,"#)).await;
    fixture.put("rules", changed(&entry("rules"), r#""rules":4"#, r#""rules":700"#)).await;
    fixture.put("gap", changed(&entry("gap"), r#""seq":0"#, r#""seq":5"#)).await;
    fixture.put("torn", b"{\"v\":1,\"seq\":0,".to_vec()).await;
    fixture.put("empty", Vec::new()).await;
    let host = &fixture.host;
    assert_eq!(host.resume().await.expect("runs go on"), 6);
    check(
        host,
        "form",
        expect![
            "run `form` cannot be read: entry 0 of the journal has form 9, and this build knows form 1: it was written by another version"
        ],
    )
    .await;
    check(
        host,
        "rules",
        expect![
            "run `rules` cannot be read: the run follows rules 700, and this build knows rules 1 to 4: it was begun by a newer version"
        ],
    )
    .await;
    check(host, "gap", expect!["run `gap` cannot be read: entry 0 of the journal is missing: entry 5 stands there"]).await;
    check(
        host,
        "torn",
        expect!["run `torn` cannot be read: entry 0 of the journal is unreadable: EOF while parsing a value at line 1 column 15"],
    )
    .await;
    check(
        host,
        "empty",
        expect!["run `empty` cannot be read: entry 0 of the journal is unreadable: EOF while parsing a value at line 1 column 0"],
    )
    .await;
    assert_eq!(host.history("sound", None, 9).await.expect("it fits").0.moments[0].kind, "started");
    host.cancel("sound").await.expect("it goes on, and can be cancelled");
    assert!(matches!(host.handler("sound").await.expect("it is there").status, RunStatus::Cancelled));
}

#[tokio::test]
async fn nobody_waits_for_the_end_of_one_that_is_not_here() {
    let fixture = fixture().await;
    let far = Now { at: u64::MAX / 4, alive: 0 };
    let other = fixture.store.join(far).await.expect("it joins, for long");
    fixture.put_of(other, "elsewhere", b"{}".to_vec()).await;
    fixture.host.resume().await.expect("runs go on");
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), fixture.host.ended("elsewhere")).await;
    let ended = ended.expect("whoever waits is answered");
    assert!(matches!(ended, Err(Refusal::Unfit { .. })), "{ended:?}");
}

/// Asks for a run, which turns out not to fit; says whether whoever asked was told so.
fn is_told(owners: &mut Owners<usize>, run: usize) -> bool {
    let name = run.to_string();
    let refusal = Refusal::Unfit { run: name.clone(), why: "it is torn".to_owned() };
    let told = match owners.tell(&name, Command::Cancel { reply: run }) {
        Some(Action::Load { identity, .. }) => owners.loaded(0, &name, identity, Err(refusal)),
        other => other.into_iter().collect(),
    };
    matches!(&told[..], [Action::Tell(asker, Err(Refusal::Unfit { .. }))] if *asker == run)
}

#[test]
fn no_more_of_them_are_remembered_than_there_is_room_for() {
    let mut owners = Owners::default();
    owners.open();
    for run in 0..UNFIT_MAX + 100 {
        assert!(is_told(&mut owners, run), "{run}");
        assert!(is_told(&mut owners, run), "{run}, again");
    }
    assert_eq!(owners.len(), UNFIT_MAX);
    owners.purged(&["7".to_owned()]);
    assert!(!owners.has("7"));
    assert!(is_told(&mut owners, UNFIT_MAX + 7) && owners.has(&(UNFIT_MAX + 7).to_string()), "there is room again");
    assert!(is_told(&mut owners, UNFIT_MAX + 8) && !owners.has(&(UNFIT_MAX + 8).to_string()));
    owners.stop();
    assert!(owners.is_empty());
}
