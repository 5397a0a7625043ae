//! Commands without a server: `run`, `check`, `inspect`, `completions`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use expect_test::{Expect, expect};
use wf_tests::command_line::check_command;
use wf_tests::{artifacts, server};

/// `GUEST:name` stands for a component's path.
fn check(arguments: &[&str], expect: Expect) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    check_in(directory.path(), arguments, &expect);
}

fn check_in(directory: &Path, arguments: &[&str], expect: &Expect) {
    let filled: Vec<String> = arguments.iter().map(|it| fill(it)).collect();
    check_command(directory, &filled.iter().map(String::as_str).collect::<Vec<_>>(), expect);
}

fn fill(word: &str) -> String {
    match word.split_once("GUEST:") {
        Some((before, name)) => format!("{before}{}", artifacts::guest(name).display()),
        None => word.to_owned(),
    }
}

/// With lines on stdin; exit code and stdout.
fn with_input(arguments: &[&str], input: &str) -> (i32, String) {
    let mut command = server::command();
    let mut child = command
        .args(arguments.iter().map(|it| fill(it)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    (output.status.code().expect("it exits"), String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn a_run_shows_what_its_steps_log_and_print_beside_its_events() {
    check(
        &["run", "GUEST:talker"],
        expect![[r#"
        exit code 0
        --- stdout
        {"value":{"result":"said"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
        --- stderr
          info   begun
          begun on stdout
    "#]],
    );
}

#[test]
fn check_reads_what_the_file_of_settings_names() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let text = format!("paths = ['{}']\n[workflows.mine]\npath = '{}'\n[workflows.nobody]\n", fill("GUEST:greeting"), fill("GUEST:hitl"));
    fs::write(directory.path().join("wf-host.toml"), text).expect("written");
    check_in(
        directory.path(),
        &["check"],
        &expect![[r#"
            exit code 0
            --- stdout
            ok: `[GUESTS]/greeting.wasm` is `greeting`, 1 step
            ok: `[GUESTS]/hitl.wasm` is `mine`, 2 steps
            --- stderr
            warning: `[workflows.nobody]` in wf-host.toml is configured, and no workflow of that name is here
            hint: correct the name, or add a `path`; here: greeting, mine
        "#]],
    );
    check(
        &["check"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: there is nothing to check
            hint: name `.wasm` files, a directory or a glob, here or under `paths` in `wf-host.toml`
        "#]],
    );
}

#[test]
fn a_run_prints_its_events_and_ends_with_its_fate() {
    check(
        &["run", "GUEST:greeting", "--param", "name=Ada"],
        expect![[r#"
        exit code 0
        --- stdout
        {"value":{"sequence":0},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
        {"value":{"sequence":1},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
        {"value":{"sequence":2},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
        {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
        --- stderr
    "#]],
    );
    check(
        &["run", "GUEST:counter", "--event", r#"{"by": 2}"#],
        expect![[r#"
        exit code 0
        --- stdout
        {"value":{"result":{"count":2}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
        --- stderr
    "#]],
    );
    let (code, out) = with_input(&["run", "mine=GUEST:failing", "--param", "message=no luck"], "");
    assert!(code == 1 && out.contains(r#""exception_message":"no luck""#), "{code}: {out}");
    check(
        &["run", "GUEST:slow", "--param", "seconds=0.01", "--internal"],
        expect![[r#"
        exit code 0
        --- stdout
        {"value":{"name":"nap","step_state":"running","worker_id":"0","input_event_name":"StartEvent","output_event_name":null},"qualified_name":"workflows.events.StepStateChanged","type":"StepStateChanged","types":["InternalDispatchEvent"]}
        {"value":{"name":"nap","step_state":"not_running","worker_id":"0","input_event_name":"StartEvent","output_event_name":"StopEvent"},"qualified_name":"workflows.events.StepStateChanged","type":"StepStateChanged","types":["InternalDispatchEvent"]}
        {"value":{"result":"slept 0.01"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
        --- stderr
    "#]],
    );
}

#[test]
fn a_run_shows_what_its_steps_say_and_where_they_fail() {
    check(
        &["run", "GUEST:talker"],
        expect![[r#"
            exit code 0
            --- stdout
            {"value":{"result":"said"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            --- stderr
              info   begun
              begun on stdout
        "#]],
    );
    let output = server::command().args(["run", &fill("GUEST:trap")]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let (panic, trace) = ("  thread '<unnamed>'", "\n  error  it broke  kind=panic  retryable=true\n    panicked at rust/trap/src/lib.rs:");
    let places = [said.find(panic), said.find(trace), said.find("\nerror: it broke")];
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{said}");
}

#[test]
fn the_help_of_run_says_which_limits_hold() {
    let (code, out) = with_input(&["run", "--help"], "");
    assert!(code == 0 && out.contains("The limits are those that `wf-host serve` has by default"), "{code}: {out}");
}

#[test]
fn what_makes_no_sense_ends_with_2() {
    check(
        &["run", "GUEST:fanout", "--param", "n=many"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the start event does not fit: n: "many" is not of type "integer"
        hint: `wf-host inspect` shows its fields
    "#]],
    );
    check(
        &["run", "GUEST:fanout", "--event", "{"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `--event` is no JSON: EOF while parsing an object at line 1 column 1
        hint: give an object, as in `--event '{"name": "Ada"}'`
    "#]],
    );
    check(
        &["run", "GUEST:fanout", "--event", "[]"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `--event` is no JSON object
        hint: give an object, as in `--event '{"name": "Ada"}'`
    "#]],
    );
    check(
        &["run", "GUEST:fanout", "--param", "n"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `--param n` has no value
        hint: write `--param key=value`
    "#]],
    );
    check(
        &["run", "nowhere.wasm"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: there is no file `nowhere.wasm`
        hint: give a `.wasm` file, a directory of them, a glob, `name=path` or `name=path+path`
    "#]],
    );
}

#[test]
fn answers_are_lines_on_stdin() {
    let (code, out) = with_input(&["run", "GUEST:hitl"], "{\"response\":\"Ada\"}\n");
    assert_eq!(code, 0, "{out}");
    assert!(out.lines().last().is_some_and(|it| it.contains("Hello, Ada")), "{out}");
    let (code, out) = with_input(&["run", "GUEST:hitl"], "nonsense\n{\"type\":\"ResponseEvent\",\"value\":{\"response\":\"Bob\"}}\n");
    assert_eq!(code, 0, "a bad line is told, and the next is read: {out}");
    assert!(out.contains("Hello, Bob"), "{out}");
    let (code, out) = with_input(&["run", "GUEST:hitl"], "");
    assert_eq!((code, out.lines().count()), (1, 1), "nobody will answer: {out}");
    let (code, out) = with_input(&["run", "GUEST:waiter"], "{\"user\":\"laurie\",\"answer\":\"42\"}\n");
    assert!(code == 0 && out.contains("42"), "{out}");
}

#[test]
fn an_interrupt_cancels_the_run() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let database = format!("sqlite:{}", directory.path().join("runs.db").display());
    let path = fill("GUEST:hitl");
    let mut child = server::command()
        .args(["run", &path, "--store", &database])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut stdout, &mut line).expect("the question");
    assert!(line.contains("RequestEvent"), "{line}");
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("`kill` exists");
    assert!(killed.success());
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut rest).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{rest}");
}

#[test]
fn check_says_what_serve_would() {
    check(
        &["check", "GUEST:greeting", "mine=GUEST:hitl"],
        expect![[r#"
        exit code 0
        --- stdout
        ok: `[GUESTS]/greeting.wasm` is `greeting`, 1 step
        ok: `[GUESTS]/hitl.wasm` is `mine`, 2 steps
        --- stderr
    "#]],
    );
    check(
        &["check", "GUEST:greeting", "GUEST:describe-unsound", "nowhere.wasm"],
        expect![[r#"
        exit code 1
        --- stdout
        ok: `[GUESTS]/greeting.wasm` is `greeting`, 1 step
        --- stderr
        error: `[GUESTS]/describe-unsound.wasm`: no step returns a stop event: let one return `StopEvent` or a type of kind `stop`; step `lost` accepts event `Lost`, which nothing produces: let a step return it, or name it in the `sends` of the step that sends it; no event reaches step `lost` from the start: let a step that is reached return what it accepts
        hint: fix the workflow's steps and events and build it again
        error: there is no file `nowhere.wasm`
        hint: give a `.wasm` file, a directory of them, a glob, `name=path` or `name=path+path`
        error: 2 of 3 not sound
        hint: the errors above say what to do
    "#]],
    );
    check(
        &["check", "GUEST:greeting", "greeting=GUEST:hitl"],
        expect![[r#"
        exit code 1
        --- stdout
        ok: `[GUESTS]/greeting.wasm` is `greeting`, 1 step
        --- stderr
        error: `[GUESTS]/hitl.wasm`: a workflow named `greeting` is loaded already
        hint: give it another name: `name=path`
        error: 1 of 2 not sound
        hint: the errors above say what to do
    "#]],
    );
}

#[test]
fn check_names_keys_that_mean_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let manifest = r#"{"name":"typo","timout":3,"steps":[{"name":"s","accepts":["StartEvent"],"emits":["StopEvent"],"retries":2}]}"#;
    std::fs::write(directory.path().join("typo.wasm"), wf_tests::wasm::Module::describing(manifest).binary()).expect("writable");
    check_in(
        directory.path(),
        &["check", "typo.wasm"],
        &expect![[r#"
        exit code 0
        --- stdout
        ok: `typo.wasm` is `typo`, 1 step
        --- stderr
        warning: `typo.wasm`: its manifest has the key `timout`, which this version does not know
        hint: it is kept and has no effect; perhaps it is misspelt
        warning: `typo.wasm`: its manifest has the key `steps.s.retries`, which this version does not know
        hint: it is kept and has no effect; perhaps it is misspelt
    "#]],
    );
}

#[test]
fn inspect_shows_what_is_in_a_workflow() {
    let text = |arguments: &[&str]| {
        let (code, out) = with_input(arguments, "");
        assert_eq!(code, 0, "{out}");
        // Digest and size change with the compiler.
        out.lines()
            .filter(|it| {
                !["digest", "size", "  of WASI", "    files", "    variables", "    sockets"].iter().any(|begin| it.starts_with(begin))
            })
            .map(|it| format!("{it}\n"))
            .collect::<String>()
    };
    expect![[r#"
        workflow     fanout
        about        Squares numbers, several at once.
        language     rust

        steps
          dispatch  FanStart → StopEvent
              Sends the numbers out.
          work  WorkEvent → DoneEvent
              Squares one.
          collect  DoneEvent → StopEvent
              Gathers them all.

        events
          FanStart  (starts)
              n: integer, optional
          WorkEvent
              i: integer
          DoneEvent
              i: integer
              square: integer

        graph (┄ sent, published, waited for, failed or not named)
          FanStart  (starts)
          └─ [dispatch]
             ├─ StopEvent  (ends)
             └┄ WorkEvent
                └─ [work]
                   └─ DoneEvent
                      └─ [collect]
                         └─ StopEvent  (ends)

        asks for
          of the run   events, state, time
          granted      clocks, chance and output, all derived from the run; of the outside:
    "#]]
    .assert_eq(&text(&["inspect", "GUEST:fanout"]));
    expect![[r#"
        flowchart TD
          event_StartEvent(["StartEvent"])
          step_prompt_human["prompt_human"]
          event_RequestEvent(["RequestEvent"])
          event_ResponseEvent(["ResponseEvent"])
          step_greet_human["greet_human"]
          event_OutEvent(["OutEvent"])
          outside{{"outside"}}
          event_StartEvent --> step_prompt_human
          step_prompt_human --> event_RequestEvent
          event_ResponseEvent --> step_greet_human
          step_greet_human --> event_OutEvent
          event_RequestEvent --> outside
          outside --> event_ResponseEvent
    "#]]
    .assert_eq(&text(&["inspect", "GUEST:hitl", "--format", "mermaid"]));
    expect![[r#"
        digraph workflow {
          event_StartEvent [label="StartEvent", shape=ellipse];
          step_prompt_human [label="prompt_human", shape=box];
          event_RequestEvent [label="RequestEvent", shape=ellipse];
          event_ResponseEvent [label="ResponseEvent", shape=ellipse];
          step_greet_human [label="greet_human", shape=box];
          event_OutEvent [label="OutEvent", shape=ellipse];
          outside [label="outside", shape=circle];
          event_StartEvent -> step_prompt_human;
          step_prompt_human -> event_RequestEvent;
          event_ResponseEvent -> step_greet_human;
          step_greet_human -> event_OutEvent;
          event_RequestEvent -> outside;
          outside -> event_ResponseEvent;
        }
    "#]]
    .assert_eq(&text(&["inspect", "GUEST:hitl", "--format", "dot"]));
    let json: serde_json::Value = serde_json::from_str(&with_input(&["inspect", "GUEST:hitl", "--format", "json"], "").1).expect("JSON");
    assert_eq!((&json["name"], &json["steps"][0]["name"]), (&"hitl".into(), &"prompt_human".into()));
    assert_eq!(json["digest"].as_str().map(str::len), Some(64));
    assert!(json["size"].as_u64().is_some_and(|it| it > 1000) && json["imports"].is_array(), "{json}");
    let svg = text(&["inspect", "GUEST:hitl", "--format", "svg"]);
    assert!(svg.contains("<svg") && ["prompt_human", "RequestEvent", "outside"].iter().all(|it| svg.contains(it)), "{svg}");
    check(
        &["inspect", "nowhere.wasm"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: there is no file `nowhere.wasm`
            hint: give a `.wasm` file, a directory of them, a glob, `name=path` or `name=path+path`
        "#]],
    );
}

#[test]
fn completions_are_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out) = with_input(&["completions", shell], "");
        assert!(code == 0 && out.contains("COMPLETE") && out.contains("wf-host"), "{shell}: {out}");
    }
}

#[test]
fn too_little_address_space_for_a_pool_is_said_and_does_no_harm() {
    let arguments = ["run".to_owned(), fill("GUEST:greeting")];
    // Enough for one instance after the other, and far from enough for five hundred at once.
    let script = r#"ulimit -v 6000000; exec "$@""#;
    let command = server::command();
    let output =
        std::process::Command::new("sh").args(["-c", script, "sh"]).arg(command.get_program()).args(arguments).output().expect("it runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stdout.contains("Hello, World!"), "{stdout}{stderr}");
    assert!(stderr.contains("instances are not pooled, which is slower"), "{stderr}");
}

#[test]
fn man_pages_are_written_for_every_command() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let folder = directory.path().join("man1");
    let (code, out) = with_input(&["man", folder.to_str().expect("text")], "");
    assert_eq!(code, 0, "{out}");
    for name in ["wf-host", "wf-host-serve", "wf-host-runs-send"] {
        let page = std::fs::read_to_string(folder.join(format!("{name}.1"))).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.contains(".SH"), "{page}");
    }
    check(
        &["man", "/proc/nowhere"],
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: the man pages cannot be written to `/proc/nowhere`: No such file or directory (os error 2)
        hint: name a folder that you can write to
    "#]],
    );
}

/// The files of compiled code below a folder, with their numbers: one that is made again is another.
fn compiled(folder: &Path) -> Vec<(PathBuf, u64)> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = files.map(|it| (it.path(), it.metadata().expect("a file").ino())).collect();
    files.sort();
    files
}

#[test]
fn compiled_code_is_kept_for_the_next_command() {
    let (cache, here) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let ask = |arguments: &[&str]| {
        let mut command = server::command();
        command
            .args(arguments.iter().map(|it| fill(it)))
            .env_remove("WF_HOST_CACHE_DIR")
            .env("XDG_CACHE_HOME", cache.path())
            .current_dir(here.path());
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    ask(&["inspect", "GUEST:greeting"]);
    let first = compiled(&cache.path().join("wf-host"));
    assert_eq!(first.len(), 1, "{first:?}");
    for arguments in [&["inspect", "GUEST:greeting"][..], &["check", "GUEST:greeting"], &["run", "GUEST:greeting"]] {
        ask(arguments);
        assert_eq!(compiled(&cache.path().join("wf-host")), first, "{arguments:?}: it is not made again");
    }
    assert_eq!(fs::read_dir(here.path()).expect("a folder").count(), 0, "nothing is left where they were called");
}
