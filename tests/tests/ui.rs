//! The debugger in a real browser; the tests themselves are in `host/ui/tests/browser.mjs`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use wf_tests::artifacts::{example, root};
use wf_tests::command_line::{Opened, done, text};
use wf_tests::database::change_journals;
use wf_tests::wasm::{Module, debug_info, traced};
use wf_tests::{Serve, Server, until};

const GUESTS: [&str; 15] = [
    "greeting",
    "hitl",
    "waiter",
    "failing",
    "retry",
    "slow",
    "timeout",
    "fanout",
    "counter",
    "trap",
    "publish-10000",
    "spread",
    "talker",
    "inbox",
    "subtypes",
];

/// A workflow of so many steps, one after the other, each of which hands on what it is given; the last one may fail.
fn chain(name: &str, steps: usize, fails: bool) -> Vec<u8> {
    let event = |at: usize| match at {
        0 => "StartEvent".to_owned(),
        at if at == steps => "StopEvent".to_owned(),
        at => format!("Event{at}"),
    };
    let events: Vec<Value> = (1..steps).map(|at| json!({ "name": event(at), "kind": "plain" })).collect();
    let named: Vec<Value> =
        (0..steps).map(|at| json!({ "name": format!("step{at}"), "accepts": [event(at)], "emits": [event(at + 1)] })).collect();
    let returned: Vec<String> = (1..=steps).map(|at| if fails && at == steps { String::new() } else { event(at) }).collect();
    Module::handing_on(&json!({ "name": name, "events": events, "steps": named }).to_string(), &returned).binary()
}

/// A workflow that ends with what it began with; its first step may return anything that is declared.
fn echo() -> Vec<u8> {
    let fields = json!({ "n": { "type": "integer" }, "f": { "type": "number", "default": 0.5 }, "result": {} });
    let events = [
        json!({ "name": "StartEvent", "kind": "start", "schema": { "type": "object", "properties": fields } }),
        json!({ "name": "LaterEvent", "kind": "plain" }),
    ];
    let steps = [
        json!({ "name": "repeat", "accepts": ["StartEvent"], "emits": [], "emits_any": true }),
        json!({ "name": "later", "accepts": ["LaterEvent"], "emits": ["StopEvent"] }),
    ];
    Module::echoing(&json!({ "name": "echo", "events": events, "steps": steps }).to_string()).binary()
}

/// A workflow that asks for every kind of value.
fn form() -> Vec<u8> {
    let text = |format: &str| json!({ "type": "string", "format": format });
    let few = json!({ "type": "string", "enum": ["small", "large"] });
    let mut fields = json!({
        "words": { "type": "string" }, "whole": { "type": "integer" }, "real": { "type": "number" }, "sure": { "type": "boolean" },
        "maybe": { "type": "boolean", "default": false }, "size": few, "extras": { "type": "array", "uniqueItems": true, "items": few },
        "names": { "type": "array", "items": { "type": "string" }, "default": ["Ada"] },
        "address": { "type": "object", "properties": { "street": { "type": "string" } } },
        "zip": { "anyOf": [{ "type": "integer" }, { "type": "null" }], "default": null },
        "either": { "anyOf": [{ "type": "integer" }, { "type": "string" }] },
    });
    for format in ["date", "date-time", "time", "email", "uri", "password", "color", "data-url"] {
        fields[format] = text(format);
    }
    let events =
        [json!({ "name": "StartEvent", "kind": "start", "schema": { "type": "object", "properties": fields, "required": ["sure"] } })];
    let steps = [json!({ "name": "repeat", "accepts": ["StartEvent"], "emits": ["StopEvent"] })];
    Module::echoing(&json!({ "name": "form", "events": events, "steps": steps }).to_string()).binary()
}

/// A file with a run that has failed, as it is looked at.
async fn opened(folder: &Path) -> Opened {
    let server = Server::start(&["trap"]).await;
    let run = server.run("trap", "{}").await.run();
    let file = folder.join("run.wfrun");
    done(&["export", &run, "-o", text(&file), "--data-dir", text(&server.data())]);
    Opened::file(&file)
}

/// A server with the runs of two handlers; one's journal was changed while no server was there.
async fn damaged() -> Server {
    let mut server = Server::start(&["hitl"]).await;
    for handler in ["broken", "sound"] {
        let answer = server.post("/workflows/hitl/run-nowait", &format!(r#"{{"handler_id":"{handler}"}}"#)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    server.kill();
    change_journals(&server.data(), "broken", r#""v":1"#, r#""v":9"#);
    server.restart().await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_in_a_browser() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let broken = folder.path().join("broken.wasm");
    std::fs::write(&broken, "no wasm").expect("written");
    let mut serve = Serve::guests(&GUESTS).with(&["--store", "memory:"]);
    let [large, twenty, breaking] = [("large", 200, false), ("twenty", 20, false), ("breaking", 40, true)].map(|(name, steps, fails)| {
        let file = folder.path().join(format!("{name}.wasm"));
        std::fs::write(&file, chain(name, steps, fails)).expect("written");
        file
    });
    let echoing = folder.path().join("echo.wasm");
    std::fs::write(&echoing, echo()).expect("written");
    let asking = folder.path().join("form.wasm");
    std::fs::write(&asking, form()).expect("written");
    let failing = folder.path().join("traced.wasm");
    std::fs::write(&failing, traced("traced", &debug_info())).expect("written");
    serve.paths.extend([&broken, &large, &twenty, &breaking, &echoing, &asking, &failing].map(|it| it.display().to_string()));
    let parts = ["take", "price", "serve"].map(|name| example(&format!("three-languages/{name}")).display().to_string());
    serve.paths.push(format!("order={}", parts.join("+")));
    let server = serve.start().await;
    // A server may answer before it has compiled all of them; this one takes the longest.
    until("`order` to be loaded", async || server.get("/workflows").await.body.contains("\"order\"").then_some(())).await;
    let damaged = damaged().await;
    let opened = opened(folder.path()).await;
    let below = Serve::guests(&["fanout", "greeting"]).with(&["--public-url", "http://flows.localhost/wf/"]).start().await;
    let mut tests = Command::new("node");
    tests.args(["--test", "--test-reporter=spec", "host/ui/tests/browser.mjs"]).current_dir(root()).stdin(Stdio::null());
    tests
        .env("WF_HOST_URL", server.url())
        .env("WF_HOST_DAMAGED", damaged.url())
        .env("WF_HOST_BELOW", below.url())
        .env("WF_HOST_OPENED", opened.client.url())
        .env("WF_HOST_SHOTS", root().join("target/screenshots"));
    tests.env("WF_HOST_OFFICIAL", root().join("target/clients/workflow-debugger/package/dist"));
    let output = tokio::task::spawn_blocking(move || tests.output()).await.expect("no panic").expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for line in said.lines().filter(|line| line.contains("measured:")) {
        show(line);
    }
    let tests = std::fs::read_to_string(root().join("host/ui/tests/browser.mjs")).expect("the tests are there");
    let count = tests.lines().filter(|line| line.starts_with("test(")).count();
    assert!(said.contains(&format!("pass {count}\n")), "all of them ran: {said}");
}

/// Past the harness, which keeps what tests that pass have printed.
fn show(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("stdout");
}

#[tokio::test]
async fn the_page_is_small_compressed_and_cached() {
    let server = Server::start(&["greeting"]).await;
    let page = server.request("GET", "/", &[("accept-encoding", "gzip")], "").await;
    assert_eq!((page.status, page.header("content-encoding"), page.header("cache-control")), (200, "gzip", "no-cache"));
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
    let plain = server.get("/").await;
    assert!(plain.body.contains("<div id=\"root\">"), "{plain:?}");
    let names: Vec<&str> = plain.body.split("\"ui/").skip(1).filter_map(|it| it.split('"').next()).collect();
    assert_eq!(names.len(), 2, "a script and a style: {names:?}");
    let mut size = 0;
    for name in names {
        let file = server.request("GET", &format!("/ui/{name}"), &[("accept-encoding", "gzip")], "").await;
        assert_eq!((file.status, file.header("cache-control")), (200, "public, max-age=31536000, immutable"));
        size += file.header("content-length").parse::<usize>().expect("a number");
    }
    assert!(size < 500_000, "{size} bytes");
    assert_eq!(server.get("/ui/nothing.js").await.status, 404);
}
