//! `wf-host.toml`: the layers, what is wrong with a file, and what its settings do.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use wf_tests::command_line::{check_command, filtered};
use wf_tests::{Serve, artifacts, server, until};

fn folder(toml: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("wf-host.toml"), toml).expect("written");
    folder
}

/// What is wrong with a file.
fn check(toml: &str, expect: Expect) {
    check_command(folder(toml).path(), &["serve"], &expect);
}

fn config(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = server::command();
    command.arg("config").args(arguments).envs(environment.iter().copied()).current_dir(folder);
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    filtered(&String::from_utf8(output.stdout).expect("text"), folder)
}

#[test]
fn a_setting_comes_from_its_flag_else_the_environment_else_the_file() {
    let folder = folder(
        r#"
            paths = ["flows/"]
            port = 9000
            memory_max = 64
            public_url = "https://flows.example"
            watch = false

            [workflows.order]
            path = "order.wasm"
            additional_events = ["Nudge"]
            retention = 7
        "#,
    );
    let environment = [("WF_HOST_MEMORY_MAX", "128"), ("WF_HOST_PORT", "9001"), ("WORKFLOWS_PY_SERVER_HOST", "127.0.0.1")];
    expect![[r#"
        log_format = "text"                   # default
        paths = ["flows/"]                    # wf-host.toml
        host = "127.0.0.1"                    # WORKFLOWS_PY_SERVER_HOST
        port = 9002                           # --port
        # store =                             # not set
        data_dir = ".wf-host"                 # default
        cors_origins = []                     # default
        public_url = "https://flows.example"  # wf-host.toml
        allowed_hosts = []                    # default
        # tls_cert =                          # not set
        # tls_key =                           # not set
        # rate_limit =                        # not set
        shutdown_timeout = 10.0               # default
        memory_max = 128                      # WF_HOST_MEMORY_MAX
        executing_max = 30.0                  # default
        entry_max = 300.0                     # default
        # memory_total_max =                  # not set
        instances_max = 500                   # default
        compile_max = 120.0                   # default
        compile_memory_max = 2048             # default
        body_max = 10                         # default
        # retention =                         # not set
        # free_min =                          # not set
        allow_http = []                       # default
        allow_env = []                        # default
        allow_dir = []                        # default
        secrets = []                          # default
        # http_roots =                        # not set
        strict = true                         # --strict
        watch = false                         # wf-host.toml

        # wf-host.toml
        [workflows.order]
        additional_events = ["Nudge"]
        path = "order.wasm"
        retention = 7.0
    "#]]
    .assert_eq(&config(folder.path(), &["--port", "9002", "--strict"], &environment));
    let origins: Value = serde_json::from_str(&config(folder.path(), &["--json"], &environment)).expect("JSON");
    assert_eq!(origins["port"], json!({ "value": 9001, "origin": "WF_HOST_PORT" }));
    let formats = [(vec!["--json", "--log-format", "json"], vec![]), (vec!["--json"], vec![("WF_HOST_LOG_FORMAT", "json")])];
    for ((arguments, environment), origin) in formats.into_iter().zip(["--log-format", "WF_HOST_LOG_FORMAT"]) {
        let origins: Value = serde_json::from_str(&config(folder.path(), &arguments, &environment)).expect("JSON");
        assert_eq!(origins["log_format"], json!({ "value": "json", "origin": origin }));
    }
    assert_eq!(origins["body_max"], json!({ "value": 10, "origin": "default" }));
    assert_eq!(origins["workflows"]["value"]["order"]["additional_events"], json!(["Nudge"]));
}

#[test]
fn what_is_printed_is_such_a_file() {
    let first = folder("port = 9000\n[workflows.order]\npath = 'order.wasm'\nmemory_max = 3\n");
    let printed = config(first.path(), &["--retention", "2.5"], &[]);
    let second = folder(&printed);
    let again: Value = serde_json::from_str(&config(second.path(), &["--json"], &[])).expect("JSON");
    assert_eq!((&again["port"]["value"], &again["retention"]["value"]), (&json!(9000), &json!(2.5)));
    assert_eq!(again["workflows"]["value"]["order"], json!({ "path": "order.wasm", "memory_max": 3 }));
}

#[test]
fn paths_are_relative_to_the_file() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let below = folder.path().join("below");
    fs::create_dir(&below).expect("made");
    let text = "paths = ['a.wasm', 'tea=b.wasm']\nstore = 'sqlite:runs.db'\ndata_dir = 'data'\n[workflows.c]\npath = 'c.wasm'\n";
    fs::write(below.join("flows.toml"), text).expect("written");
    let shown: Value = serde_json::from_str(&config(folder.path(), &["--json", "--config", "below/flows.toml"], &[])).expect("JSON");
    assert_eq!(shown["paths"], json!({ "value": ["below/a.wasm", "tea=below/b.wasm"], "origin": "below/flows.toml" }));
    assert_eq!((&shown["store"]["value"], &shown["data_dir"]["value"]), (&json!("sqlite:below/runs.db"), &json!("below/data")));
    assert_eq!(shown["workflows"]["value"]["c"]["path"], "below/c.wasm");
}

#[test]
fn mistakes_are_named_with_their_line() {
    check(
        "port = 9000\nretentoin = 3\n",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `wf-host.toml`:2: there is no setting `retentoin`
        hint: did you mean `retention`?
    "#]],
    );
    check(
        "[workflows.order]\nmemmory_max = 3\n",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `wf-host.toml`:2: there is no setting `memmory_max`
        hint: did you mean `memory_max`?
    "#]],
    );
    check(
        "colour = 'red'\n",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `wf-host.toml`:1: there is no setting `colour`
            hint: there are paths, host, port, store, data_dir, cors_origins, public_url, allowed_hosts, tls_cert, tls_key, rate_limit, shutdown_timeout, memory_max, executing_max, entry_max, memory_total_max, instances_max, compile_max, compile_memory_max, body_max, retention, free_min, strict, watch, log_format, allow_http, allow_env, allow_dir, secrets, http_roots, workflows
        "#]],
    );
    check(
        "public_url = 'flows.example'\n",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `public_url` cannot be `flows.example`
            hint: give it as in `https://flows.example/wf/`
        "#]],
    );
    check(
        "port = 'many'\n",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `wf-host.toml`:1: `port`: invalid type: string "many", expected u16
            hint: `wf-host config --schema` says what can stand here
        "#]],
    );
    check(
        "port = \n",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `wf-host.toml`:1: string values must be quoted, expected literal string
        hint: `wf-host config --schema` says what can stand here
    "#]],
    );
    check(
        "executing_max = -1.0\npaths = ['.']\n",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `executing_max` cannot be -1
            hint: give a number of seconds, as in `2.5`
        "#]],
    );
    check(
        "retention = -1.0\npaths = ['.']\n",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `retention` cannot be -1
            hint: give a number of days, as in `30`
        "#]],
    );
    check(
        "memory_max = 0\npaths = ['.']\n",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `memory_max` cannot be 0
        hint: give a number of MiB from 2 to 4096, as in `256`
    "#]],
    );
    check(
        "memory_total_max = 1\npaths = ['.']\n",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `memory_total_max` cannot be 1
            hint: give a number of MiB from 16, as in `4096`
        "#]],
    );
    check(
        "instances_max = 1\npaths = ['.']\n",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `instances_max` cannot be 1
            hint: give a number from 2 to 4000, as in `500`
        "#]],
    );
    check(
        "compile_memory_max = 1\npaths = ['.']\n",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `compile_memory_max` cannot be 1
            hint: give a number of MiB from 64, as in `2048`
        "#]],
    );
    check(
        "log_format = 'loud'\n",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `wf-host.toml`:1: `log_format`: unknown variant `loud`, expected `text` or `json`
            hint: `wf-host config --schema` says what can stand here
        "#]],
    );
    check(
        "port = 9000\n",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: there is nothing to serve
        hint: name `.wasm` files, a directory or a glob, here or under `paths` in `wf-host.toml`
    "#]],
    );
    check_command(
        folder("").path(),
        &["config", "--config", "nope.toml"],
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `nope.toml` cannot be read: No such file or directory (os error 2)
        hint: correct `--config`, or WF_HOST_CONFIG
    "#]],
    );
    let output = server::command().args(["config"]).env("WORKFLOWS_PY_SERVER_PORT", "many").output().expect("it starts");
    expect![[r#"
        error: `WORKFLOWS_PY_SERVER_PORT`: `many` is no port
        hint: a port is a number from 0 to 65535
    "#]]
    .assert_eq(&String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_schema_knows_what_the_file_knows() {
    let folder = folder("");
    let schema: Value = serde_json::from_str(&config(folder.path(), &["--schema"], &[])).expect("JSON");
    let settings: Value = serde_json::from_str(&config(folder.path(), &["--json"], &[])).expect("JSON");
    let known: Vec<&String> = schema["properties"].as_object().expect("an object").keys().collect();
    for name in settings.as_object().expect("an object").keys() {
        assert!(known.contains(&name), "{name} is no setting of the schema");
    }
    assert_eq!(known.len(), settings.as_object().expect("an object").len(), "`config` shows every setting");
    let descriptions = schema["properties"].as_object().expect("an object").values().filter(|it| it["description"].is_string());
    assert_eq!(descriptions.count(), known.len());
    let workflow = &schema["properties"]["workflows"]["additionalProperties"];
    assert!(workflow["properties"]["additional_events"].is_object() && workflow["additionalProperties"] == false, "{workflow}");
}

#[tokio::test]
async fn settings_of_single_workflows() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("wf-host.toml");
    let text = format!(
        "[workflows.mine]\npath = '{}'\nadditional_events = ['ResponseEvent']\n[workflows.hungry]\npath = '{}'\nmemory_max = 8\n[workflows.nobody]\n",
        artifacts::guest("hitl").display(),
        artifacts::guest("grow").display(),
    );
    fs::write(&file, text).expect("written");
    let serve = Serve { arguments: vec!["--config".into(), file.display().to_string()], ..Serve::default() };
    let server = serve.start().await;
    let warned = "`[workflows.nobody]` is configured, and no workflow of that name is loaded";
    assert!(server.log().contains(warned), "{}", server.log());
    assert_eq!(server.get("/api/v1/workflows/mine").await.json()["additional_events"], json!(["ResponseEvent"]));
    let failed = server.run("hungry", "{}").await;
    assert!(failed.text("error").contains("the memory limit of 8 MiB was exceeded"), "{failed:?}");
}

#[test]
fn an_additional_event_that_no_workflow_declares_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let guest = artifacts::guest("hitl");
    let text = format!("[workflows.mine]\npath = '{}'\nadditional_events = ['NudgeEvent']\n", guest.display());
    fs::write(folder.path().join("wf-host.toml"), text).expect("written");
    let said = wf_tests::command_line::outcome(folder.path(), &["check"]);
    let why = "`additional_events` of `mine` has `NudgeEvent`, which is no type of its events\nhint: name one that it declares: `RequestEvent`, `ResponseEvent`, `OutEvent`";
    assert!(said.starts_with("exit code 1\n") && said.contains(why), "{said}");
}

#[tokio::test]
async fn warnings_are_in_the_log_as_the_log_is() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("wf-host.toml");
    fs::write(&file, "log_format = 'json'\n[workflows.nobody]\n").expect("written");
    let server = Serve::guests(&["greeting"]).with(&["--config", &file.display().to_string()]).start().await;
    let log = server.log();
    let lines: Vec<Value> = log.lines().filter_map(|it| serde_json::from_str(it).ok()).collect();
    let warned = lines.iter().find(|it| it["fields"]["message"].as_str().is_some_and(|it| it.contains("[workflows.nobody]"))).expect(&log);
    assert_eq!(warned["level"], "WARN");
    assert!(warned["fields"]["hint"].as_str().is_some_and(|it| it.starts_with("correct the name")), "{log}");
    assert!(!log.contains("warning: "), "{log}");
}

#[tokio::test]
async fn runs_go_after_their_retention() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("wf-host.toml");
    // A tenth of a second, and for ever.
    let text = format!("retention = 1.2e-6\n[workflows.kept]\npath = '{}'\nretention = 365\n", artifacts::guest("counter").display());
    fs::write(&file, text).expect("written");
    let mut serve = Serve::guests(&["greeting", "hitl"]);
    serve.arguments.extend(["--config".into(), file.display().to_string()]);
    let server = serve.start().await;
    for (workflow, handler) in [("greeting", "over"), ("hitl", "waiting"), ("kept", "kept")] {
        server.post(&format!("/workflows/{workflow}/run-nowait"), &json!({ "handler_id": handler }).to_string()).await;
    }
    server.ended("kept").await;
    until("the run to be purged", async || (server.get("/handlers/over").await.status == 404).then_some(())).await;
    for handler in ["waiting", "kept"] {
        assert_ne!(server.get(&format!("/handlers/{handler}")).await.status, 404, "{handler}");
    }
    until("the log to say so", async || server.log().contains("purged 1 handler").then_some(())).await;
}

#[tokio::test]
async fn a_file_that_is_edited_is_applied_or_what_has_changed_is_named() {
    let folder = folder("body_max = 1\nmemory_max = 64\nretention = 30\n");
    let file = folder.path().join("wf-host.toml");
    let server = Serve::guests(&["greeting"]).with(&["--config", &file.display().to_string()]).start().await;
    let handler = server.run("greeting", "{}").await.handler();
    let large = format!(r#"{{"start_event":{{"name":"{}"}}}}"#, "a".repeat(3 << 20));
    assert_eq!(server.post("/workflows/greeting/run", &large).await.status, 413);
    let stranger = [("host", "flows.example"), ("origin", "https://friend.example")];
    assert_eq!(server.request("GET", "/health", &stranger, "").await.status, 421);

    // A flag wins over the file: what it says of the port changes nothing.
    let edited = "port = 9\nbody_max = 4\nmemory_max = 32\nallowed_hosts = ['flows.example']\n\
        cors_origins = ['https://friend.example']\n[workflows.greeting]\nretention = 0.00001\nexecuting_max = 3\n";
    fs::write(&file, edited).expect("written");
    let said = async |line: &str| until(line, async || server.log().contains(line).then_some(())).await;
    for key in ["allowed_hosts", "body_max", "cors_origins", "retention", "workflows.greeting.retention"] {
        said(&format!("`{key}` changed: applied")).await;
    }
    said("`memory_max` changed: restart to apply").await;
    said("`workflows.greeting.executing_max` changed: restart to apply").await;
    assert!(!server.log().contains("`port` changed"), "{}", server.log());
    let answer = server.request("GET", "/health", &stranger, "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "https://friend.example"));
    assert_eq!(server.post("/workflows/greeting/run", &large).await.status, 200);
    until("the run to go", async || (server.get(&format!("/handlers/{handler}")).await.status == 404).then_some(())).await;

    fs::write(&file, "body_max = 4\nretentoin = 1\n").expect("written");
    said("there is no setting `retentoin`; did you mean `retention`?").await;
    assert!(server.log().contains("was changed and is not applied; what it said before goes on"), "{}", server.log());
    fs::write(&file, "body_max = 1\nmemory_max = 64\n").expect("written");
    said("`memory_max` changed: it is again what this server runs with").await;
    assert_eq!(server.post("/workflows/greeting/run", &large).await.status, 413);
}
