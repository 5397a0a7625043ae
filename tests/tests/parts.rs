//! One workflow of several components, in several languages.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};
use tempfile::TempDir;
use wf_tests::artifacts::{example, root};
use wf_tests::chance::Chance;
use wf_tests::command_line::{check_command, done, outcome, text};
use wf_tests::database::query;
use wf_tests::wasm::compiled;
use wf_tests::{Serve, Server, until};

/// The example's three parts, in a folder where they can be changed.
struct Parts {
    folder: TempDir,
}

const NAMES: [&str; 3] = ["take", "price", "serve"];

impl Parts {
    fn new() -> Parts {
        let folder = tempfile::tempdir().expect("a folder");
        for name in NAMES {
            fs::copy(example(&format!("three-languages/{name}")), folder.path().join(format!("{name}.wasm"))).expect("copied");
        }
        Parts { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.wasm"))
    }

    fn argument(&self) -> String {
        format!("order={}", NAMES.map(|name| self.path(name).display().to_string()).join("+"))
    }

    fn serve(&self) -> Serve {
        Serve { paths: vec![self.argument()], ..Serve::default() }
    }
}

/// As compilers do: written beside, then renamed.
fn replace(path: &Path, bytes: &[u8]) {
    let beside = path.with_extension("tmp");
    fs::write(&beside, bytes).expect("writable");
    fs::rename(beside, path).expect("renamed");
}

/// A part by hand: what it says about itself, and a step that nobody calls.
fn part(manifest: &Value) -> Vec<u8> {
    let (text, manifest) = (fs::read_to_string(root().join("guest-sdk/raw/hello.wat")).expect("the guest"), manifest.to_string());
    let answer = format!(r"\00\04\00\00\{:02x}\{:02x}\00\00", manifest.len() % 256, manifest.len() / 256);
    let own = text.replace(r"\00\00\00\00\5a\00\00\00", &answer);
    assert_ne!(own, text, "the guest is another one");
    let data = format!("(data (i32.const 1024) {})", json!(manifest));
    compiled(&own.replacen("(func", &format!("{data}\n  (func"), 1))
}

/// The part in C, in another version.
fn pouring() -> Vec<u8> {
    let mut bytes = fs::read(example("three-languages/serve")).expect("readable");
    let at = bytes.windows(8).position(|it| it == b", served").expect("what it says");
    bytes[at..at + 8].copy_from_slice(b", poured");
    bytes
}

async fn run(server: &Server) -> Value {
    server.run("order", r#"{"guest":"Ada","item":"tea","count":2}"#).await.result()
}

#[tokio::test]
async fn a_run_is_carried_with_all_its_parts() {
    let parts = Parts::new();
    let (here, there) = (parts.serve().start().await, Server::start(&["greeting"]).await);
    let ended = here.run("order", r#"{"guest":"Ada","item":"tea","count":2}"#).await;
    let file = parts.folder.path().join("order.tar");
    done(&["export", &ended.handler(), "--move", "-o", text(&file), "--data-dir", text(&here.data())]);
    let said = done(&["import", text(&file), "--data-dir", text(&there.data())]);
    assert_eq!(said, format!("{} (run {} has ended)\n", ended.handler(), ended.run()));
    here.check_store();
    there.check_store();
    assert_eq!(there.get(&format!("/handlers/{}", ended.handler())).await.result(), "Ada: 2 tea, 6.40, served");
    let digests = query(&there.data(), "select digests from run join definition on definition.key = run.definition");
    assert_eq!(digests[0][0].as_str().expect("a text").split(' ').count(), 3, "{digests}");
    // Each step of it runs again where nobody serves it.
    let said = done(&["replay", &ended.run(), "--data-dir", text(&there.data())]);
    assert_eq!(said, "3 attempts of 1 run: all did again what they did\n");
}

#[tokio::test]
async fn a_run_goes_through_three_languages() {
    let parts = Parts::new();
    let server = parts.serve().start().await;
    assert_eq!(run(&server).await, "Ada: 2 tea, 6.40, served");
    let listing = &server.get("/api/v1/workflows").await.json()["workflows"][0];
    assert_eq!(listing["name"], "order");
    assert_eq!(listing["description"], "Takes an order in TypeScript, prices it in Rust, serves it in C.");
    assert_eq!(listing["language"], "typescript, rust, c");
    let steps: Vec<String> =
        listing["components"].as_array().expect("parts").iter().map(|it| format!("{} {}", it["language"], it["steps"])).collect();
    assert_eq!(steps, [r#""typescript" ["take"]"#, r#""rust" ["price"]"#, r#""c" ["serve"]"#]);
    assert!(listing["path"].as_str().is_some_and(|it| it.matches('+').count() == 2), "{listing}");
}

#[tokio::test]
async fn what_a_run_was_given_and_has_noted_outlives_kills_between_the_languages() {
    let mut chance = Chance::from_environment();
    let parts = Parts::new();
    let mut server = parts.serve().start().await;
    let mut handlers = Vec::new();
    for _ in 0..4 {
        for guest in 0..8 {
            let event = format!(r#"{{"guest":"guest {guest}","item":"cake","count":{guest}}}"#);
            handlers.push((
                server.begin("order", &event).await,
                format!("guest {guest}: {guest} cake, {}.{:02}, served", guest * 450 / 100, guest * 450 % 100),
            ));
        }
        tokio::time::sleep(Duration::from_millis(chance.below(120))).await;
        server.kill();
        server.restart().await;
    }
    for (handler, said) in &handlers {
        assert_eq!(server.ended(handler).await.result(), *said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_part_is_reloaded_under_load_and_the_others_stay() {
    let parts = Parts::new();
    let server = parts.serve().start().await;
    let digests = async || {
        let listing = server.get("/api/v1/workflows").await.json()["workflows"][0].clone();
        listing["components"]
            .as_array()
            .expect("parts")
            .iter()
            .map(|it| it["digest"].as_str().expect("a digest").to_owned())
            .collect::<Vec<_>>()
    };
    let before = digests().await;
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (client, stop) = ((*server).clone(), stop.clone());
        async move {
            let mut answers = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let answer = client.run("order", r#"{"guest":"Ada","item":"tea","count":2}"#).await;
                assert_eq!(answer.status, 200, "{answer:?}");
                answers.push(answer.result());
            }
            answers
        }
    });
    until("an answer of the version before", async || (run(&server).await == "Ada: 2 tea, 6.40, served").then_some(())).await;
    // What began with the old part ends with it: it is between two languages while the part is swapped.
    let under_way = server.begin("order", r#"{"guest":"Bob","item":"tea"}"#).await;
    replace(&parts.path("serve"), &pouring());
    until("an answer of the new part", async || (run(&server).await == "Ada: 2 tea, 6.40, poured").then_some(())).await;
    assert_eq!(server.ended(&under_way).await.result(), "Bob: 1 tea, 3.20, served");
    stop.store(true, Ordering::Relaxed);
    let answers = load.await.expect("no request failed");
    assert!(answers.iter().all(|it| it == "Ada: 2 tea, 6.40, served" || it == "Ada: 2 tea, 6.40, poured"), "{answers:?}");
    let after = digests().await;
    assert_eq!((&after[..2], after[2] == before[2]), (&before[..2], false));
    assert!(server.log().contains("reloaded `order` from "), "{}", server.log());

    // One that is gone takes the workflow away, and with it back it is there again.
    fs::remove_file(parts.path("price")).expect("removed");
    until("it to be retired", async || (server.get("/workflows").await.body == r#"{"workflows":[]}"#).then_some(())).await;
    fs::copy(example("three-languages/price"), parts.path("price")).expect("copied");
    until("it to be there", async || (server.get("/workflows").await.body == r#"{"workflows":["order"]}"#).then_some(())).await;
}

#[tokio::test]
async fn parts_that_disagree_are_refused_by_the_names_of_both_files() {
    let parts = Parts::new();
    let server = parts.serve().start().await;
    let other = json!({
        "name": "serve",
        "events": [{"name": "Priced", "kind": "plain", "schema": {"type": "object", "properties": {"cents": {"type": "string"}}, "required": ["cents"]}}],
        "steps": [{"name": "serve", "accepts": ["Priced"], "emits": ["StopEvent"]}, {"name": "take", "accepts": ["Priced"], "emits": ["StopEvent"]}],
    });
    replace(&parts.path("serve"), &part(&other));
    let error = until("the finding", async || {
        let listing = server.get("/api/v1/workflows").await.json()["workflows"][0].clone();
        listing["error"]["message"].as_str().map(str::to_owned)
    })
    .await;
    let [take, price, serve] = NAMES.map(|name| parts.path(name).display().to_string());
    assert!(error.contains(&format!("step `take` is there twice, in `{take}` and in `{serve}`: rename one of them")), "{error}");
    let finding =
        format!("event `Priced` is declared in `{price}` and in `{serve}`, and `cents` is integer in the first and string in the second");
    assert!(error.contains(&finding), "{error}");
    assert_eq!(run(&server).await, "Ada: 2 tea, 6.40, served", "the version before goes on");
}

#[tokio::test]
async fn commands_and_settings_take_several_files() {
    let parts = Parts::new();
    let check = |arguments: &[&str], expect: expect_test::Expect| check_command(parts.folder.path(), arguments, &expect);
    check(
        &["check", "take.wasm+price.wasm+serve.wasm"],
        expect![[r#"
            exit code 0
            --- stdout
            ok: `take.wasm+price.wasm+serve.wasm` is `order`, 3 steps
            --- stderr
        "#]],
    );
    check(
        &["check", "take.wasm+price.wasm"],
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `take.wasm+price.wasm`: no step returns a stop event: let one return `StopEvent` or a type of kind `stop`; step `price` returns event `Priced`, which no step accepts: let one accept it, or publish it
            hint: fix the workflow's steps and events and build it again
        "#]],
    );
    check(
        &["check", "take.wasm+nope.wasm"],
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: there is no file `nope.wasm`
            hint: give a `.wasm` file, a directory of them, a glob, `name=path` or `name=path+path`
        "#]],
    );
    let event = r#"{"guest":"Ada","item":"tea"}"#;
    let ran = outcome(parts.folder.path(), &["run", "tea=take.wasm+price.wasm+serve.wasm", "--event", event]);
    assert!(ran.starts_with("exit code 0\n") && ran.contains("Ada: 1 tea, 3.20, served"), "{ran}");
    let inspected = outcome(parts.folder.path(), &["inspect", "take.wasm+price.wasm+serve.wasm"]);
    for line in ["language     typescript, rust, c", "  price  Line → Priced", "      in rust"] {
        assert!(inspected.lines().any(|it| it == line), "{line}: {inspected}");
    }
    let settings = "[workflows.tea]\npath = [\"take.wasm\", \"price.wasm\", \"serve.wasm\"]\n";
    fs::write(parts.folder.path().join("wf-host.toml"), settings).expect("written");
    let config = parts.folder.path().join("wf-host.toml").display().to_string();
    let server = Serve { paths: Vec::new(), ..Serve::default() }.with(&["--config", &config]).start().await;
    let answer = server.run("tea", r#"{"guest":"Ada","item":"tea"}"#).await;
    assert_eq!(answer.result(), "Ada: 1 tea, 3.20, served");
}
