//! Programs with a server in them, and programs that talk to one: the examples of the libraries, run as what they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use wf_tests::artifacts::{self, root};
use wf_tests::output::Output;
use wf_tests::pages::pages;
use wf_tests::patience::until_blocking;
use wf_tests::{Client, Serve, until};

/// A program under test. Killed when dropped.
struct Program {
    child: Child,
    stdout: Output,
    stderr: Output,
}

impl Program {
    fn start(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Program {
        let mut command = Command::new(path(name));
        command.args(arguments).envs(environment.iter().copied()).current_dir(root());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let stdout = Output::of(child.stdout.take().expect("piped"));
        let stderr = Output::of(child.stderr.take().expect("piped"));
        Program { child, stdout, stderr }
    }

    async fn client(&mut self) -> Client {
        let url = until("it to listen", async || {
            assert!(self.child.try_wait().expect("a child").is_none(), "it has ended: {}", self.stderr.so_far());
            Some(self.stdout.so_far().split_once("listening on ")?.1.lines().next()?.to_owned())
        });
        Client::new(&url.await)
    }

    /// As Ctrl-C does.
    fn interrupt(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("`kill` exists").success());
        let status = until_blocking("it to stop", || self.child.try_wait().expect("a child"));
        assert!(status.success(), "{status}: {}", self.stderr.so_far());
        self.stdout.whole()
    }

    fn answer(&mut self, line: &str) {
        use std::io::Write;
        writeln!(self.child.stdin.as_mut().expect("piped"), "{line}").expect("it reads");
    }

    /// Exit code, stdout, stderr.
    fn ended(mut self) -> (Option<i32>, String, String) {
        drop(self.child.stdin.take());
        let status = until_blocking("it to end", || self.child.try_wait().expect("a child"));
        (status.code(), self.stdout.whole(), self.stderr.whole())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn path(name: &str) -> PathBuf {
    let binary = artifacts::binary();
    let path = binary.parent().expect("a folder").join("examples").join(name);
    assert!(path.exists(), "`{}` is missing: `cargo build --release --workspace --examples` makes it", path.display());
    path
}

fn store(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("runs.db").display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_serves_its_workflows_and_goes_on_with_their_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let mut program = Program::start("embed", &["127.0.0.1:0", &store], &[]);
    let client = program.client().await;
    assert_eq!(client.run("greet", r#"{"name":"Ada"}"#).await.result(), "Hello, Ada!");
    let handler = client.begin("approve", "{}").await;
    client.events(&handler, "").await.until("ApprovalRequest").await;
    assert!(program.interrupt().ends_with("stopped; runs that wait go on after the next start\n"));

    let mut program = Program::start("embed", &["127.0.0.1:0", &store], &[]);
    let client = program.client().await;
    assert_eq!(client.send(&handler, "ApprovalResponse", r#"{"approved":true}"#).await.status, 200);
    assert_eq!(client.ended(&handler).await.result(), "it is out");

    // Its keys are those of its store, as of any server.
    let mut add = wf_tests::server::command();
    let key = add.args(["keys", "add", "ada", "--store", &store]).output().expect("it runs");
    assert!(key.status.success(), "{}", String::from_utf8_lossy(&key.stderr));
    until("it to be locked", async || (client.get("/handlers").await.status == 401).then_some(())).await;
    let key = String::from_utf8(key.stdout).expect("text");
    assert_eq!(client.with_key(key.trim()).get(&format!("/handlers/{handler}")).await.json()["status"], "completed");
    program.interrupt();
    let (code, _, said) = Program::start("embed", &["nowhere"], &[]).ended();
    assert!(code == Some(1) && said.contains("Listen"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_ones_own_has_the_api_below_a_path() {
    let mut program = Program::start("mount", &["127.0.0.1:0"], &[]);
    let client = program.client().await;
    assert_eq!(client.get("/hello").await.body, "hello\n");
    assert_eq!(client.get("/workflows").await.body, "nothing here\n");
    assert_eq!(client.get("/flows/workflows").await.json(), json!({ "workflows": ["greet"] }));
    let start = json!({ "handler_id": "ada", "start_event": { "name": "Ada" } }).to_string();
    assert_eq!(client.post("/flows/workflows/greet/run", &start).await.result(), "Hello, Ada!");
    let events = client.stream("/flows/events/ada", &[]).await.until("StopEvent").await;
    assert_eq!(events[0].json()["value"]["message"], "looking up Ada");
    let page = client.get("/flows/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    program.interrupt();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_examples_stream_a_run_and_ask_at_the_terminal() {
    let paths = ["greeting", "human-in-the-loop"].map(|name| artifacts::example(name).display().to_string()).to_vec();
    let server = Serve { paths, ..Serve::default() }.start().await;
    let environment = [("WF_HOST_SERVER", server.url())];
    let (code, shown, said) = Program::start("stream", &["greeting", "name=Ada"], &environment).ended();
    // What the server tells of itself has numbers, too, and is not shown.
    let expected = "1  Progress  {\"message\":\"looking up Ada\"}\n3  StopEvent  {\"result\":\"Hello, Ada!\"}\nresult: \"Hello, Ada!\"\n";
    assert_eq!((code, &*shown, &*said), (Some(0), expected, ""));
    let (code, _, said) = Program::start("stream", &["nope"], &environment).ended();
    assert!(code == Some(1) && said.contains("404") && said.contains("Workflow not found"), "{said}");

    let mut program = Program::start("answer", &["human-in-the-loop", "ApprovalResponse", "what=it"], &environment);
    until("the question", async || program.stdout.so_far().contains("approved? Whether it may go on.").then_some(())).await;
    program.answer("true");
    let (code, shown, said) = program.ended();
    assert!(shown.contains(r#"{"question":"Shall it go out?"}"#) && shown.ends_with("result: \"it is out\"\n"), "{shown}{said}");
    assert_eq!(code, Some(0));
    // Nobody is at the terminal.
    let (code, _, said) = Program::start("answer", &["human-in-the-loop", "ApprovalResponse"], &environment).ended();
    assert!(code == Some(1) && said.contains("nobody answers"), "{said}");
    let (code, _, said) = Program::start("answer", &["human-in-the-loop", "Nope"], &environment).ended();
    assert!(code == Some(1) && said.contains("has no event `Nope`"), "{said}");
}

/// What README.md shows whoever embeds a server is what rustdoc compiles.
#[test]
fn the_program_of_the_page_is_that_of_the_documentation() {
    let documentation = std::fs::read_to_string(root().join("host/src/server.rs")).expect("a file");
    let documentation: String =
        documentation.lines().filter_map(|it| it.strip_prefix("//!")).map(|it| format!("{}\n", it.trim())).collect();
    let page = std::fs::read_to_string(root().join("README.md")).expect("a page");
    let (_, program) = page.split_once("```rust\nuse wf_host::WorkflowServer;\n").expect("it is shown");
    let program: String = program.split("```").next().expect("it ends").lines().map(|it| format!("{}\n", it.trim())).collect();
    assert!(documentation.contains(&program), "{program}");
}

/// A block of README.md, by the heading above it and its language.
fn shown(heading: &str, language: &str) -> String {
    let all = pages().into_iter().find(|it| it.path == "README.md").expect("the page").blocks();
    all.into_iter().find(|it| it.heading == heading && it.language == language).expect("it is shown").code
}

/// Whoever talks to a server by the lines of README.md has what they say.
#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_the_page_that_talk_to_a_server_are_those_of_a_program() -> wf_client::Result<()> {
    use wf_client::Start;
    let server = wf_tests::Server::start(&["greeting"]).await;
    let client = wf_client::Client::new(server.url())?;
    let run = client.start("greeting", &Start::event(json!({ "name": "Ada" }))).await?;
    let greeting: String = client.output(&run.handler_id).await?;
    assert_eq!(greeting, "Hello, Ada!");
    let page = shown("Talk to it", "rust").replace("\"http://127.0.0.1:8080\"", "server.url()");
    let lines: Vec<&str> = page.lines().filter_map(|it| it.split_once("?;")).map(|it| it.0).collect();
    assert!(!lines.is_empty() && lines.len() == page.lines().count(), "each is whole: {page}");
    for line in lines {
        assert!(include_str!("embed.rs").contains(&format!("\n    {line}?;\n")), "{line}");
    }
    Ok(())
}

/// Whoever embeds a server, by the lines of README.md, does not build the command.
#[test]
fn without_its_feature_the_command_and_what_it_needs_are_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = format!("path = {:?}", root().join("host"));
    let own = shown("Put it into your own program", "toml").replacen("git = \"…\"", &here, 1);
    assert!(own.contains(&here), "{own}");
    std::fs::write(folder.path().join("Cargo.toml"), format!("[package]\nname = \"own\"\nedition = \"2024\"\n\n{own}")).expect("written");
    std::fs::create_dir(folder.path().join("src")).expect("a folder");
    std::fs::write(folder.path().join("src/main.rs"), shown("Put it into your own program", "rust")).expect("written");
    std::fs::copy(root().join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("a file of ours");
    let mut cargo = Command::new("cargo");
    cargo.args(["tree", "--edges", "normal", "--prefix", "none", "--offline"]);
    let tree = cargo.current_dir(folder.path()).output().expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("text");
    let has = |name: &str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    assert!(has("wasmtime") && has("hyper"), "{tree}");
    let built: Vec<&str> = ["clap", "notify", "schemars", "shlex", "strsim", "tar", "toml", "tracing-subscriber", "wf-client"].into();
    let built: Vec<&str> = built.into_iter().filter(|name| has(name)).collect();
    assert_eq!(built, Vec::<&str>::new());
}

/// What the client's `output` makes of the ends of runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_a_type_of_ones_own_or_an_error_that_says_why() {
    use wf_client::{Client, Error, Start};
    let server = wf_tests::Server::start(&["greeting", "hitl", "failing"]).await;
    let client = Client::new(server.url()).expect("a client");
    let begin = async |workflow: &str, fields: Value| client.start(workflow, &Start::event(fields)).await.expect("it starts").handler_id;
    let plain = begin("greeting", json!({ "name": "Ada" })).await;
    assert_eq!(client.output::<String>(&plain).await.expect("a text"), "Hello, Ada!");
    assert!(matches!(client.output::<u8>(&plain).await, Err(Error::Form(_))));
    let own = begin("hitl", json!({})).await;
    server.events(&own, "").await.until("RequestEvent").await;
    server.send(&own, "ResponseEvent", r#"{"response":"Ada"}"#).await;
    assert_eq!(client.output::<BTreeMap<String, String>>(&own).await.expect("its fields")["output"], "Hello, Ada");
    let failed = begin("failing", json!({})).await;
    let error = client.output::<Value>(&failed).await.expect_err("it failed");
    assert!(
        matches!(&error, Error::Failed { handler_id, .. } if *handler_id == failed) && error.to_string().contains("failed: "),
        "{error}"
    );
    let cancelled = begin("hitl", json!({})).await;
    client.cancel(&cancelled).await.expect("it is cancelled");
    let error = client.output::<Value>(&cancelled).await.expect_err("it was cancelled");
    assert_eq!(error.to_string(), format!("the run of `{cancelled}` was cancelled"));
    assert!(matches!(client.output::<Value>("nope").await, Err(Error::Refused { status: 404, .. })));
}
