//! The command line as a black box: exit code, stdout, stderr.

use std::net::TcpListener;
use std::path::Path;

use expect_test::{Expect, expect};
use wf_tests::command_line::{check_command, filtered};
use wf_tests::{Serve, Server, artifacts};

/// In an empty directory; `GUEST:name` stands for a component's path.
fn check(arguments: &str, expect: Expect) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    check_in(directory.path(), arguments, &expect);
}

fn check_in(directory: &Path, arguments: &str, expect: &Expect) {
    let filled = |word: &str| match word.split_once("GUEST:") {
        Some((before, name)) => format!("{before}{}", artifacts::guest(name).display()),
        None => word.to_owned(),
    };
    let arguments: Vec<String> = arguments.split_whitespace().map(filled).collect();
    check_command(directory, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), expect);
}

#[test]
fn help() {
    check(
        "",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            Serves event-driven workflows made of WebAssembly components

            Usage: wf-host [OPTIONS] <COMMAND>

            Commands:
              serve        Loads workflows and serves them over HTTP
              new          Makes a project: a small workflow that builds, passes its test and runs
              build        Builds a project to workflows, and checks them as `serve` would
              dev          Builds a project, serves it, and does both again after each save
              run          Runs a workflow once, without a server, and shows its events; what its steps log and
                           print goes to stderr
              check        Loads workflows as `serve` would, says what is wrong with them, and starts nothing
              inspect      Shows what is in a workflow: its steps, events, graph, and what it asks for
              harness      Runs workflows for tests, which ask it by lines of JSON
              config       Prints what `serve` would do with these arguments, and where each setting comes from
              fsck         Checks a store: whether all of it is as it was written. A server on it goes on
                           meanwhile
              store        Shows what takes the space of a store: by table, by workflow, and which values are
                           the largest. A server on it goes on meanwhile
              keys         Makes, lists and revokes the keys that a server asks for. A server that runs takes
                           notice at once
              backup       Copies a store with its keys into one file, also while a server has it
              restore      Makes a store of a backup, where there is none
              export       Writes a run into one file, with all that belongs to it, also while a server has it
              import       Takes the runs of a file into a store, also while a server has it; one that has not
                           ended goes on
              open         Shows the runs of a file in the debugger's page: as they were, and nothing can be
                           done to them
              replay       Runs the finished attempts of runs again, against what was recorded of them, and says
                           where one does another thing
              workflows    Shows the workflows of a server
              runs         Starts, follows, answers and ends runs on a server
              openapi      Prints the OpenAPI document of the HTTP API; a server has it at
                           `/api/v1/openapi.json`
              completions  Prints completions for a shell
              man          Writes the man pages, one for each command
              help         Print this message or the help of the given subcommand(s)

            Options:
                  --log-format <LOG_FORMAT>  How log lines are written on stderr; RUST_LOG chooses which
                                             [default: text] [env: WF_HOST_LOG_FORMAT=] [possible values: text,
                                             json]
              -h, --help                     Print help (see more with '--help')
              -V, --version                  Print version
        "#]],
    );
    check(
        "--help",
        expect![[r#"
            exit code 0
            --- stdout
            Serves event-driven workflows made of WebAssembly components.

            Each workflow is a component that exports steps; steps exchange events. wf-host routes them, keeps
            every run durable, and offers the HTTP API of LlamaIndex's WorkflowServer.

            Usage: wf-host [OPTIONS] <COMMAND>

            Commands:
              serve        Loads workflows and serves them over HTTP
              new          Makes a project: a small workflow that builds, passes its test and runs
              build        Builds a project to workflows, and checks them as `serve` would
              dev          Builds a project, serves it, and does both again after each save
              run          Runs a workflow once, without a server, and shows its events; what its steps log and
                           print goes to stderr
              check        Loads workflows as `serve` would, says what is wrong with them, and starts nothing
              inspect      Shows what is in a workflow: its steps, events, graph, and what it asks for
              harness      Runs workflows for tests, which ask it by lines of JSON
              config       Prints what `serve` would do with these arguments, and where each setting comes from
              fsck         Checks a store: whether all of it is as it was written. A server on it goes on
                           meanwhile
              store        Shows what takes the space of a store: by table, by workflow, and which values are
                           the largest. A server on it goes on meanwhile
              keys         Makes, lists and revokes the keys that a server asks for. A server that runs takes
                           notice at once
              backup       Copies a store with its keys into one file, also while a server has it
              restore      Makes a store of a backup, where there is none
              export       Writes a run into one file, with all that belongs to it, also while a server has it
              import       Takes the runs of a file into a store, also while a server has it; one that has not
                           ended goes on
              open         Shows the runs of a file in the debugger's page: as they were, and nothing can be
                           done to them
              replay       Runs the finished attempts of runs again, against what was recorded of them, and says
                           where one does another thing
              workflows    Shows the workflows of a server
              runs         Starts, follows, answers and ends runs on a server
              openapi      Prints the OpenAPI document of the HTTP API; a server has it at
                           `/api/v1/openapi.json`
              completions  Prints completions for a shell
              man          Writes the man pages, one for each command
              help         Print this message or the help of the given subcommand(s)

            Options:
                  --log-format <LOG_FORMAT>
                      How log lines are written on stderr; RUST_LOG chooses which [default: text]

                      Possible values:
                      - text: For people
                      - json: One JSON object a line

                      [env: WF_HOST_LOG_FORMAT=]

              -h, --help
                      Print help (see a summary with '-h')

              -V, --version
                      Print version
            --- stderr
        "#]],
    );
    check(
        "serve --help",
        expect![[r#"
            exit code 0
            --- stdout
            Loads workflows and serves them over HTTP

            Usage: wf-host serve [OPTIONS] [PATH]...

            Arguments:
              [PATH]...
                      What to load: a `.wasm` file, a directory, a glob, `name=path`, or `name=path+path` for
                      one workflow of several files, perhaps in several languages [default: what `wf-host.toml`
                      names]

            Options:
                  --log-format <LOG_FORMAT>
                      How log lines are written on stderr; RUST_LOG chooses which [default: text]

                      Possible values:
                      - text: For people
                      - json: One JSON object a line

                      [env: WF_HOST_LOG_FORMAT=]

                  --strict
                      Refuse to start when any of the workflows does not load

                  --no-watch
                      Do not reload workflows when their files change

                  --config <FILE>
                      A file of settings, for what neither a flag nor the environment says [default:
                      ./wf-host.toml, if it is there]

                      [env: WF_HOST_CONFIG=]

                  --host <HOST>
                      The address to listen on [default: 0.0.0.0; for `dev`, 127.0.0.1] [env:
                      WORKFLOWS_PY_SERVER_HOST, too]

                      [env: WF_HOST_HOST=]

                  --port <PORT>
                      The port to listen on; 0 for any free one [default: 8080] [env: WORKFLOWS_PY_SERVER_PORT,
                      too]

                      [env: WF_HOST_PORT=]

                  --store <STORE>
                      Where runs are kept: `memory:` or `sqlite:PATH` [default: a SQLite file in the data
                      directory]

                      [env: WF_HOST_STORE=]

                  --data-dir <DATA_DIR>
                      The directory for the store, its keys and its audit log. Two hosts cannot share one
                      [default: .wf-host]

                      [env: WF_HOST_DATA_DIR=]

                  --cors-origin <CORS_ORIGINS>
                      An origin whose pages may use this server, beside its own; `*` for every one. May be
                      repeated

                      [env: WF_HOST_CORS_ORIGIN=]

                  --public-url <PUBLIC_URL>
                      The URL under which people reach this server, where a proxy stands before it

                      [env: WF_HOST_PUBLIC_URL=]

                  --allowed-host <ALLOWED_HOSTS>
                      A name by which this server may be asked, beside addresses, names without a dot and
                      `.localhost`, `.local` and `.internal`; `*` for every one. May be repeated

                      [env: WF_HOST_ALLOWED_HOST=]

                  --tls-cert <FILE>
                      A file with the certificate, and those that it stands on, as PEM: the server speaks TLS.
                      Taken anew when it changes

                      [env: WF_HOST_TLS_CERT=]

                  --tls-key <FILE>
                      A file with the certificate's private key, as PEM

                      [env: WF_HOST_TLS_KEY=]

                  --rate-limit <RATE>
                      How often each key, and each address, may ask, as in `100/s`, `600/m` or `1000/h`
                      [default: as often as it likes]

                      [env: WF_HOST_RATE_LIMIT=]

                  --shutdown-timeout <SECONDS>
                      Seconds that a graceful stop may take [default: 10]

                      [env: WF_HOST_SHUTDOWN_TIMEOUT=]

                  --memory-max <MIB>
                      Most memory of one instance, in MiB [default: 256]

                      [env: WF_HOST_MEMORY_MAX=]

                  --executing-max <SECONDS>
                      Most seconds that a step may compute without reporting anything [default: 30]

                      [env: WF_HOST_EXECUTING_MAX=]

                  --entry-max <SECONDS>
                      Most seconds by the clock that a step may keep its instance: computing, sleeping outside
                      the SDK, waiting for the host [default: 300]

                      [env: WF_HOST_ENTRY_MAX=]

                  --memory-total-max <MIB>
                      Most memory of all instances together, in MiB [default: half of the machine's]

                      [env: WF_HOST_MEMORY_TOTAL_MAX=]

                  --instances-max <NUMBER>
                      Most instances at once [default: 500]

                      [env: WF_HOST_INSTANCES_MAX=]

                  --compile-max <SECONDS>
                      Most seconds of processors that compiling a component may take [default: 120]

                      [env: WF_HOST_COMPILE_MAX=]

                  --compile-memory-max <MIB>
                      Most memory that compiling a component may take, in MiB [default: 2048]

                      [env: WF_HOST_COMPILE_MEMORY_MAX=]

                  --body-max <MIB>
                      Largest request body, in MiB [default: 10]

                      [env: WF_HOST_BODY_MAX=]

                  --retention <DAYS>
                      Days that runs are kept after their end [default: until they are purged]

                      [env: WF_HOST_RETENTION=]

                  --free-min <MIB>
                      MiB of free disk below which the log and `/health` warn [default: a twentieth of the disk,
                      at most 1024]

                      [env: WF_HOST_FREE_MIN=]

                  --allow-http <HOST>
                      Requests that workflows may make, as in `https://api.example.com`, `GET,POST
                      http://127.0.0.1:8081` or `https://*.example.com`. Addresses of this machine and its
                      networks are granted by themselves. May be repeated

                  --allow-env <NAME[=VALUE]>
                      A variable that workflows have: `NAME` as it is here, or `NAME=VALUE`. May be repeated

                  --allow-dir <NAME=PATH[:rw]>
                      A folder that workflows may read as `/NAME`; with `:rw` behind it write, too. May be
                      repeated

                  --secret <NAME=SOURCE@HOSTS>
                      A secret that workflows use without seeing it, in requests to these hosts: from a
                      variable, a file, or each file of a folder, as in `KEY=env:KEY@https://api.example.com`,
                      `KEY=file:key.txt@HOST,HOST` or `dir:/run/secrets@HOST`. May be repeated

                  --http-roots <FILE>
                      A file with certificates to trust for requests beside the system's, as PEM

              -h, --help
                      Print help (see a summary with '-h')

            Examples:
              wf-host serve workflows/                  every .wasm file in a directory
              wf-host serve hello=target/greeting.wasm  one file, under a name of your own
              wf-host serve order=take.wasm+price.wasm  one workflow, whose steps are in several files
              wf-host serve --store memory: *.wasm      keep nothing over a restart
            --- stderr
        "#]],
    );
    check(
        "--version",
        expect![[r#"
        exit code 0
        --- stdout
        wf-host 0.1.0
        --- stderr
    "#]],
    );
}

#[test]
fn arguments_that_make_no_sense() {
    check(
        "nope",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: unrecognized subcommand 'nope'

              tip: some similar subcommands exist: 'inspect', 'openapi', 'open'

            Usage: wf-host [OPTIONS] <COMMAND>

            For more information, try '--help'.
        "#]],
    );
    check(
        "serve",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: there is nothing to serve
            hint: name `.wasm` files, a directory or a glob, here or under `paths` in `wf-host.toml`
        "#]],
    );
    check(
        "serve --port many x.wasm",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value 'many' for '--port <PORT>': invalid digit found in string

        For more information, try '--help'.
    "#]],
    );
    check(
        "serve --prot 1 x.wasm",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: unexpected argument '--prot' found

              tip: a similar argument exists: '--port'

            Usage: wf-host serve --port <PORT> [PATH]...

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn nothing_to_load() {
    check(
        "serve nope.wasm",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: there is no file `nope.wasm`
        hint: give a `.wasm` file, a directory of them, a glob, `name=path` or `name=path+path`
    "#]],
    );
    check(
        "serve *.wasm",
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: no `.wasm` file at `*.wasm`
            hint: build a workflow first, or correct the path
        "#]],
    );
    check(
        "serve .",
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: no `.wasm` file at `.`
            hint: build a workflow first, or correct the path
        "#]],
    );
    check(
        "serve hello=nope.wasm",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: there is no file `nope.wasm`
        hint: give a `.wasm` file, a directory of them, a glob, `name=path` or `name=path+path`
    "#]],
    );
    check(
        "serve --port 0 a.wasm b.wasm",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        warning: there is no file `a.wasm`
        hint: give a `.wasm` file, a directory of them, a glob, `name=path` or `name=path+path`
        warning: there is no file `b.wasm`
        hint: give a `.wasm` file, a directory of them, a glob, `name=path` or `name=path+path`
        error: no workflow could be loaded
        hint: the warnings above say why
    "#]],
    );
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let guest = artifacts::guest("greeting").display().to_string();
    let seen = wf_tests::command_line::outcome(directory.path(), &["serve", "--host", "127.0.0.1", "--port", &port.to_string(), &guest]);
    expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: cannot listen on 127.0.0.1:PORT: Address already in use (os error 98)
        hint: stop what listens there, or choose another with `--port`; 0 takes any free one
    "#]]
    .assert_eq(&seen.replace(&port.to_string(), "PORT"));
}

#[test]
fn stores_that_cannot_be() {
    check(
        "serve --port 0 --store redis://localhost GUEST:greeting",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: there is no store `redis`
        hint: use `memory:` or `sqlite:PATH`
    "#]],
    );
    check(
        "serve --port 0 --store nope GUEST:greeting",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: there is no store `nope`
        hint: use `memory:` or `sqlite:PATH`
    "#]],
    );
    check(
        "serve --port 0 --store sqlite: GUEST:greeting",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `sqlite:` names no file
        hint: write `sqlite:PATH`, as in `sqlite:runs.db`
    "#]],
    );
    // Root may write everywhere, but not there.
    check(
        "serve --port 0 --data-dir /proc/wf-host GUEST:greeting",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: the folder `/proc/wf-host` cannot be made: No such file or directory (os error 2)
        hint: choose another with `--data-dir`, or use `--store memory:`
    "#]],
    );
    check(
        "serve --port 0 --store sqlite:/proc/wf-host.db GUEST:greeting",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `/proc/wf-host.db.lock` cannot be written: No such file or directory (os error 2)
        hint: choose another place with `--data-dir`, or use `--store memory:`
    "#]],
    );
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("taken"), "a file").expect("writable");
    check_in(
        directory.path(),
        "serve --port 0 --data-dir taken GUEST:greeting",
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: the folder `taken` cannot be made: File exists (os error 17)
            hint: choose another with `--data-dir`, or use `--store memory:`
        "#]],
    );
    std::fs::write(directory.path().join("text.db"), "no database at all, but text of some length".repeat(100)).expect("writable");
    check_in(
        directory.path(),
        "serve --port 0 --store sqlite:text.db GUEST:greeting",
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `text.db` cannot be opened as a database: file is not a database
        hint: it is another kind of file, or damaged: choose another with `--store sqlite:PATH`
    "#]],
    );
}

#[tokio::test]
async fn a_data_directory_in_use() {
    let server = Server::start(&["greeting"]).await;
    let data = server.data();
    let guest = artifacts::guest("greeting").display().to_string();
    let arguments = ["serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", &data.display().to_string(), &guest];
    let seen = wf_tests::command_line::outcome(&data, &arguments);
    expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: another wf-host uses `[DIR]/wf-host.db`
        hint: stop it, or give this one a folder of its own with `--data-dir`
    "#]]
    .assert_eq(&seen);
    assert_eq!(server.get("/health").await.status, 200, "the first one goes on");
}

#[test]
fn two_workflows_of_one_name() {
    check(
        "serve --host 127.0.0.1 --port 0 --strict GUEST:greeting greeting=GUEST:hitl",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `[GUESTS]/hitl.wasm`: a workflow named `greeting` is loaded already
        hint: give it another name: `name=path`
    "#]],
    );
    check(
        "serve --host 127.0.0.1 --port 0 --strict same=GUEST:greeting GUEST:hitl same=GUEST:hitl",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `[GUESTS]/hitl.wasm`: a workflow named `same` is loaded already
        hint: give it another name: `name=path`
    "#]],
    );
}

#[tokio::test]
async fn the_first_screen() {
    let server = Server::start(&["greeting", "hitl"]).await;
    let screen = filtered(&server.screen(), &server.data()).replace(server.address(), "ADDRESS");
    expect![[r#"
        wf-host 0.1.0

          greeting  1 step   Greets by name.
          hitl      2 steps  Asks for a name and greets.

          listening on  http://ADDRESS
          open to everyone on this machine; `wf-host keys add NAME --data-dir [DIR]` locks it

          try  curl -X POST http://ADDRESS/workflows/greeting/run -d '{}'
               curl http://ADDRESS/handlers
    "#]]
    .assert_eq(&screen);
    assert!(!server.log().contains("warning"), "on loopback there is nothing to warn of: {}", server.log());
}

/// A new user's first run is one of a workflow that has what it needs.
#[tokio::test]
async fn the_first_screen_tries_what_asks_for_nothing_that_it_is_not_granted() {
    let example = |name: &str| artifacts::example(name).display().to_string();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let folder = format!("files={}", folder.path().display());
    for (paths, grants, tried) in [
        (vec!["chat", "documents", "greeting"], vec![], "greeting/run "),
        (vec!["chat", "documents"], vec![], "documents/run-nowait "),
        (vec!["chat", "documents"], vec!["--allow-http", "http://127.0.0.1:1"], "chat/run-nowait "),
        (vec!["documents", "greeting"], vec!["--allow-dir", &folder], "documents/run-nowait "),
    ] {
        let server = Serve { paths: paths.into_iter().map(example).collect(), ..Serve::default() }.with(&grants).start().await;
        let wanted = format!("\n  try  curl -X POST {}/workflows/{tried}", server.url());
        assert!(server.screen().contains(&wanted), "{grants:?}: {}", server.screen());
    }
}

#[tokio::test]
async fn a_warning_beyond_loopback() {
    let server = Serve::guests(&["greeting"]).with(&["--host", "0.0.0.0"]).start().await;
    let port = server.address().rsplit(':').next().expect("a port").to_owned();
    let log: String =
        server.log().lines().filter(|it| it.starts_with("warning") || it.starts_with("hint")).map(|it| format!("{it}\n")).collect();
    expect![[r#"
        warning: it listens on 0.0.0.0:PORT: whoever reaches this machine can start workflows and read runs
        hint: `wf-host keys add NAME --data-dir [DIR]` locks it; `--host 127.0.0.1` keeps it on this machine
    "#]]
    .assert_eq(&filtered(&log, &server.data()).replace(&port, "PORT"));
}

#[tokio::test]
async fn paths_are_files_directories_globs_and_names() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for name in ["greeting", "hitl"] {
        std::fs::copy(artifacts::guest(name), directory.path().join(format!("{name}.wasm"))).expect("readable");
    }
    let folder = directory.path().display();
    let cases = [
        (format!("{folder}"), r#"{"workflows":["greeting","hitl"]}"#),
        (format!("{folder}/h*.wasm"), r#"{"workflows":["hitl"]}"#),
        (format!("welcome={folder}/greeting.wasm"), r#"{"workflows":["welcome"]}"#),
    ];
    for (path, expected) in cases {
        let server = Serve { paths: vec![path.clone()], ..Serve::default() }.start().await;
        assert_eq!(server.get("/workflows").await.body, expected, "{path}");
    }
}

#[tokio::test]
async fn a_renamed_workflow_is_known_by_that_name() {
    let path = format!("welcome={}", artifacts::guest("hitl").display());
    let server = Serve { paths: vec![path], ..Serve::default() }.start().await;
    let handler = server.begin("welcome", "{}").await;
    let asked = server.events(&handler, "").await.next().await.expect("an event");
    assert_eq!(server.get("/workflows").await.body, r#"{"workflows":["welcome"]}"#);
    assert_eq!(asked.json()["qualified_name"], "hitl.RequestEvent", "a type is qualified by the module that declares it");
}

#[tokio::test]
async fn the_environment_chooses_where_to_listen() {
    for prefix in ["WF_HOST", "WORKFLOWS_PY_SERVER"] {
        let port = free_port();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut child = wf_tests::server::command();
        child.current_dir(directory.path()).args(["serve", &artifacts::guest("greeting").display().to_string()]);
        child.env(format!("{prefix}_HOST"), "127.0.0.1").env(format!("{prefix}_PORT"), port.to_string());
        let mut child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().expect("the binary starts");
        let client = wf_tests::Client::new(&format!("http://127.0.0.1:{port}"));
        let healthy = async || client.attempt("GET", "/health", &[], "").await.filter(|it| it.status == 200).map(drop);
        wf_tests::until("the server to be healthy", healthy).await;
        child.kill().expect("it can be killed");
        child.wait().expect("it is a child");
        assert!(directory.path().join(".wf-host").is_dir(), "the data directory's default");
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port()
}

#[tokio::test]
async fn logs_as_json() {
    let mut server = Serve::guests(&["greeting"]).with(&["--log-format", "json"]).start().await;
    server.run("greeting", "{}").await;
    assert!(server.stop().success());
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|it| it.starts_with('{')).collect();
    assert!(!lines.is_empty(), "{log}");
    for line in lines {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}
