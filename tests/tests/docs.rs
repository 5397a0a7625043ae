//! What the pages say: every link leads somewhere, and every block of code is run, or at least read by what it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wf_tests::artifacts::{binary, cache, example, root, tool};
use wf_tests::pages::{Block, Page, pages};
use wf_tests::{Serve, Server, server};

/// The blocks of these languages, of all pages.
fn blocks(languages: &[&str]) -> Vec<Block> {
    pages().into_iter().flat_map(|page| page.blocks()).filter(|block| languages.contains(&block.language.as_str())).collect()
}

/// Those that no other test tries.
fn own(languages: &[&str]) -> Vec<Block> {
    blocks(languages).into_iter().filter(|block| !looked_at(block)).collect()
}

/// Its output, where it succeeds.
fn succeeded(command: &mut Command, what: &str) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{what}: {error}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}: {}\n{}{}", output.status, said(&output.stdout), said(&output.stderr));
    said(&output.stdout)
}

#[test]
fn every_link_leads_somewhere() {
    let pages: BTreeMap<String, Page> = pages().into_iter().map(|page| (page.path.clone(), page)).collect();
    let mut broken = Vec::new();
    for page in pages.values() {
        for link in page.links().into_iter().filter(|it| !it.contains("://") && !it.starts_with("mailto:")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(&page.path).parent().expect("a file");
            let target = if path.is_empty() { Path::new(&page.path).to_owned() } else { normal(&folder.join(path)) };
            let found = pages.get(target.to_str().expect("text"));
            let is_there = root().join(&target).exists();
            let has_part = anchor.is_empty() || found.is_some_and(|it| it.anchors().iter().any(|it| it == anchor));
            if !is_there || !has_part {
                broken.push(format!("{} links to `{link}`", page.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut parts = Vec::new();
    for part in path.components() {
        match part.as_os_str().to_str() {
            Some("..") => drop(parts.pop()),
            Some(".") => (),
            _ => parts.push(part.as_os_str()),
        }
    }
    parts.iter().collect()
}

#[test]
fn every_page_for_users_is_linked_from_the_first() {
    let pages: BTreeMap<String, Page> = pages().into_iter().map(|page| (page.path.clone(), page)).collect();
    let (mut reached, mut next) = (BTreeSet::new(), vec!["README.md".to_owned()]);
    while let Some(path) = next.pop() {
        let Some(page) = pages.get(&path) else { continue };
        if reached.insert(path.clone()) {
            let folder = Path::new(&path).parent().expect("a file");
            let targets = page.links().into_iter().filter(|it| !it.contains("://")).filter_map(|it| it.split('#').next());
            next.extend(targets.map(|it| normal(&folder.join(it)).display().to_string()));
        }
    }
    let lost: Vec<&String> = pages.keys().filter(|it| !reached.contains(*it)).filter(|it| !INNER.contains(&it.as_str())).collect();
    assert!(lost.is_empty(), "no way leads from README.md to {lost:?}");
}

/// Pages of the projects that `wf-host new` makes: `dev.rs` makes them, and does what they say.
const INNER: &[&str] = &[
    "guest-sdk/rust/template/README.md",
    "host/src/cli/new/python/README.md",
    "host/src/cli/new/typescript/README.md",
    "host/src/cli/new/c/README.md",
    "host/src/cli/new/go/README.md",
];

/// What tries the blocks of a language: a test of this file by its name.
const TRIED: &[(&str, &str)] = &[
    ("rust", "the_rust_of_the_pages_compiles_and_its_tests_pass"),
    ("python", "the_python_of_the_pages_is_workflows"),
    ("typescript", "what_the_guide_says_is_printed"),
    ("ts", "the_typescript_of_the_pages_builds"),
    ("c", "the_c_of_the_pages_compiles"),
    ("go", "the_go_of_the_pages_compiles"),
    ("console", "what_the_guide_says_is_printed"),
    ("sh", "commands_are_as_the_pages_say"),
    ("toml", "settings_are_as_the_pages_say"),
    ("yaml", "what_is_for_other_programs_is_tried_with_them"),
    ("nginx", "what_is_for_other_programs_is_tried_with_them"),
    ("caddyfile", "what_is_for_other_programs_is_tried_with_them"),
    ("json", "what_is_for_other_programs_is_tried_with_them"),
    ("text", "nothing: a picture"),
];

#[test]
fn every_block_is_of_a_language_that_is_tried() {
    for page in pages() {
        for block in page.blocks() {
            assert!(TRIED.iter().any(|it| it.0 == block.language), "{}: nothing tries `{}`", block.place, block.language);
        }
    }
}

/// All of it becomes one crate, a module each, natively: what a page's `#[test]` says, holds.
#[test]
fn the_rust_of_the_pages_compiles_and_its_tests_pass() {
    let folder = root().join("target/docs/rust");
    fs::create_dir_all(folder.join("src")).expect("a folder");
    let mut lib = "#![allow(unused, reason = \"pages show parts\")]\n".to_owned();
    for (number, block) in own(&["rust"]).iter().filter(|it| !documented(it)).enumerate() {
        let _ = write!(lib, "\n/// {}\nmod page_{number} {{\n{}}}\n", block.place, block.program());
    }
    let sdk = root().join("guest-sdk/rust/wf-guest");
    let manifest = format!(
        "[package]\nname = \"pages\"\nedition = \"2024\"\n\n[lib]\ndoctest = false\n\n[dependencies]\nwf-guest.path = {sdk:?}\nserde_json = \"1\"\n\n[workspace]\n"
    );
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        if !fs::read_to_string(&path).is_ok_and(|it| it == text) {
            fs::write(path, text).expect("written");
        }
    };
    write("Cargo.toml", &manifest);
    write("src/lib.rs", &lib);
    fs::copy(root().join("guest-sdk/rust/Cargo.lock"), folder.join("Cargo.lock")).expect("a file of ours");
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet"]).current_dir(&folder).env("CARGO_TARGET_DIR", root().join("target/guest-sdk"));
    let said = succeeded(&mut cargo, "cargo test");
    assert!(said.contains("test result: ok"), "{said}");
}

/// Whether it is a part of a crate's documentation, whose tests try it.
fn documented(block: &Block) -> bool {
    let page = block.place.split(':').next().expect("a place");
    let folder = root().join(Path::new(page).parent().expect("a file"));
    let name = Path::new(page).file_name().and_then(|it| it.to_str()).expect("text");
    fs::read_to_string(folder.join("src/lib.rs")).is_ok_and(|it| it.contains("include_str!") && it.contains(name))
}

/// Each is what `wf-host build` would begin with: it is imported, by the package that is built in.
#[test]
fn the_python_of_the_pages_is_workflows() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (number, block) in own(&["python"]).iter().enumerate() {
        let file = folder.path().join(format!("page_{number}.py"));
        fs::write(&file, block.program()).expect("written");
        let mut python = Command::new("python3");
        if block.note("alone").is_some() {
            python.args(["-m", "py_compile"]).arg(&file);
        } else {
            python.args(["-m", "wf_guest.inspect"]).arg(&file).env("PYTHONPATH", root().join("guest-sdk/python/src"));
        }
        let said = succeeded(python.env("PYTHONDONTWRITEBYTECODE", "1"), &block.place);
        let is_sound = said.contains("\"name\"") && said.contains("\"warnings\": []");
        assert!(is_sound || said.is_empty(), "{}: {said}", block.place);
    }
}

#[test]
fn the_typescript_of_the_pages_builds() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (number, block) in own(&["ts"]).iter().enumerate() {
        let name = format!("page_{number}.ts");
        fs::write(folder.path().join(&name), block.program()).expect("written");
        let mut build = server::command();
        build.args(["build", &name]).current_dir(folder.path()).env("WF_HOST_CACHE_DIR", cache());
        succeeded(&mut build, &block.place);
    }
}

#[test]
fn the_c_of_the_pages_compiles() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let python = tool("c", "bin/python");
    let zig = cache().join("c/cache");
    for (number, block) in own(&["c"]).iter().enumerate() {
        let file = folder.path().join(format!("page_{number}.c"));
        fs::write(&file, block.program()).expect("written");
        let mut compiler = Command::new(&python);
        compiler.args(["-m", "ziglang", "cc", "-target", "wasm32-wasi", "-c", "-Wall", "-Wextra", "-Werror"]);
        compiler.args(["-Wno-missing-field-initializers", "-Wno-unused", "-Wno-unused-parameter", "-I"]).arg(root().join("guest-sdk/c"));
        compiler.arg(&file).arg("-o").arg(file.with_extension("o"));
        compiler.env("ZIG_GLOBAL_CACHE_DIR", &zig).env("ZIG_LOCAL_CACHE_DIR", &zig);
        succeeded(&mut compiler, &block.place);
    }
}

/// A whole program is one; types stand in one; what calls have to be within stands in a function.
#[test]
fn the_go_of_the_pages_compiles() {
    let go = tool("go", "bin/go");
    let folder = tempfile::tempdir().expect("a temporary directory");
    let sdk = root().join("guest-sdk/go").display().to_string();
    let module = format!("module pages\n\ngo 1.24\n\nrequire wf-host/wf v0.0.0\n\nreplace wf-host/wf => {sdk}\n");
    fs::write(folder.path().join("go.mod"), module).expect("written");
    for (number, block) in own(&["go"]).iter().enumerate() {
        let code = block.code.replace("{ … }", "{}");
        let imports: String = [("time.", "time"), ("wf.", "wf-host/wf"), ("wfhttp.", "wf-host/wf/wfhttp")]
            .iter()
            .filter(|(name, _)| code.contains(name) || *name == "wf.")
            .map(|(_, path)| format!("import \"{path}\"\n"))
            .collect();
        let program = if code.contains("package main") {
            code
        } else if code.contains("\ntype ") {
            format!("package main\n{imports}{code}func main() {{}}\n")
        } else {
            let known = "type Ask struct {\nwf.InputRequired\nQuestion string\n}\ntype Answer struct {\nwf.HumanResponse\nUser string\n}\n";
            let used: String = ["answer", "response"].iter().filter(|it| code.starts_with(**it)).map(|it| format!("_ = {it}\n")).collect();
            format!("package main\n{imports}{known}func page(context *wf.Context) error {{\n{code}{used}return err\n}}\nfunc main() {{}}\n")
        };
        let page = folder.path().join(format!("page{number}"));
        fs::create_dir(&page).expect("made");
        fs::write(page.join("main.go"), program).expect("written");
        succeeded(Command::new(&go).arg("vet").arg(".").env("GOFLAGS", "-mod=mod").current_dir(&page), &block.place);
    }
}

/// The files of a page are written, and its commands typed: what they print is what the page shows, `…` being anything.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_guide_says_is_printed() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for block in blocks(&["typescript", "python"]) {
        if let Some(file) = &block.file {
            fs::write(folder.path().join(file), &block.code).expect("written");
        }
    }
    for block in blocks(&["console"]) {
        if looked_at(&block) {
            continue;
        }
        let server = served(&block, folder.path()).await;
        for exchange in block.code.split("\n$ ").map(|it| it.trim_start_matches("$ ")) {
            let (command, shown) = exchange.split_once('\n').unwrap_or((exchange, ""));
            let said = typed(folder.path(), command, server.as_ref(), &block.place);
            let shown = shown.trim_end();
            assert!(shown.is_empty() || fits(said.trim_end(), shown), "{}: `{command}` prints\n{said}and not\n{shown}", block.place);
        }
    }
}

/// Whether a text is as a pattern says, in which `…` is anything.
fn fits(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        if part.is_empty() {
            rest = "";
        }
    }
    rest.is_empty()
}

/// Whether other tests try what it says, which its comment names: they are there.
fn looked_at(block: &Block) -> bool {
    if INNER.iter().any(|it| block.place.starts_with(it)) {
        return true;
    }
    let Some(files) = block.note("tried by") else { return false };
    for file in files.split_whitespace() {
        assert!(root().join(file).exists(), "{}: `{file}` is not there", block.place);
    }
    true
}

/// The server that a block is typed beside: of files in the folder, or of examples.
async fn served(block: &Block, folder: &Path) -> Option<Server> {
    let names = block.note("serves")?.split_whitespace();
    let path = |name: &str| if name.ends_with(".wasm") { folder.join(name) } else { example(name) };
    let paths = names.map(|name| path(name).display().to_string()).collect();
    Some(Serve { paths, ..Serve::default() }.start().await)
}

/// What a command prints in a folder, where it succeeds. One that reads a stream may be cut by its own time-out.
fn typed(folder: &Path, command: &str, server: Option<&Server>, place: &str) -> String {
    let mut path = binary().parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let address = server.map_or("localhost:8080", |it| it.address());
    let command = command.replace("localhost:8080", address);
    let mut bash = Command::new("bash");
    bash.args(["-o", "pipefail", "-c", &command]).current_dir(folder).env("PATH", path).env("WF_HOST_CACHE_DIR", cache());
    let output = bash.stdin(Stdio::null()).output().expect("bash starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let cut = command.starts_with("curl") && output.status.code() == Some(28);
    assert!(output.status.success() || cut, "{place}: `{command}`: {}\n{}{}", output.status, said(&output.stdout), said(&output.stderr));
    said(&output.stdout)
}

/// Each command is one, with options that it has; what is typed beside a server does what it says.
#[tokio::test(flavor = "multi_thread")]
async fn commands_are_as_the_pages_say() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut help = BTreeMap::new();
    let makefile = fs::read_to_string(root().join("Makefile")).expect("a Makefile");
    for block in blocks(&["sh", "console"]) {
        let code = block.code.replace("\\\n", " ");
        if block.language == "sh" {
            succeeded(Command::new("bash").args(["-n", "-c", &code]), &block.place);
        }
        for command in code.lines().flat_map(commands) {
            let words: Vec<&str> = command.split_whitespace().skip_while(|it| it.contains('=') && !it.starts_with('-')).collect();
            match words.split_first() {
                Some((program, words)) if program.ends_with("wf-host") => options_are_there(words, &mut help, &block.place),
                Some((&"make", words)) => {
                    for target in words.iter().filter(|it| !it.contains('=')) {
                        assert!(makefile.contains(&format!("\n{target}:")), "{}: there is no `make {target}`", block.place);
                    }
                }
                _ => (),
            }
        }
        if block.language == "console" || looked_at(&block) {
            continue;
        }
        let server = served(&block, folder.path()).await;
        let server = server
            .as_ref()
            .unwrap_or_else(|| panic!("{}: a comment before it says what it is typed beside, or what tries it", block.place));
        let before = |line: &&str| line.starts_with("make ") || line.contains("wf-host serve ") || line.starts_with("export ");
        for line in code.lines().filter(|it| !it.trim().is_empty() && !before(it)) {
            typed(folder.path(), line, Some(server), &block.place);
        }
    }
}

/// The commands of a line, without its comment.
fn commands(line: &str) -> Vec<&str> {
    let line = line.trim_start_matches("$ ").split(" #").next().unwrap_or_default();
    line.split(" && ").flat_map(|it| it.split(" | ")).flat_map(|it| it.split("<(")).map(str::trim).collect()
}

/// Whether a command's help has each of the options.
fn options_are_there(words: &[&str], help: &mut BTreeMap<String, String>, place: &str) {
    let mut of = |path: &str| {
        let ask = || {
            let output = server::command().args(path.split_whitespace()).arg("--help").output().expect("the binary starts");
            if output.status.success() { String::from_utf8_lossy(&output.stdout).into_owned() } else { String::new() }
        };
        help.entry(path.to_owned()).or_insert_with(ask).clone()
    };
    let mut path = String::new();
    for word in words.iter().take_while(|it| !it.starts_with('-')) {
        let is_command = of(&path).lines().any(|line| line.split_whitespace().next() == Some(word) && line.starts_with("  "));
        if !is_command || !of(&path).contains("\nCommands:") {
            break;
        }
        path = format!("{path} {word}").trim().to_owned();
    }
    let text = of(&path);
    assert!(!path.is_empty() || words.iter().all(|it| it.starts_with('-')), "{place}: `wf-host {}` is no command", words.join(" "));
    for option in words.iter().filter(|it| it.starts_with("--")).filter_map(|it| it.split('=').next()) {
        let is_there = text.split(|it: char| !(it.is_alphanumeric() || it == '-')).any(|it| it == option);
        assert!(is_there, "{place}: `wf-host {path}` has no `{option}`");
    }
}

/// What is a part of `wf-host.toml` is taken by the server that reads it.
#[test]
fn settings_are_as_the_pages_say() {
    for block in own(&["toml"]) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        fs::write(folder.path().join("wf-host.toml"), &block.code).expect("written");
        for path in ["workflows", "target", "data", "out"] {
            fs::create_dir(folder.path().join(path)).expect("a folder");
        }
        let mut config = server::command();
        config.arg("config").current_dir(folder.path()).env("OPENAI_API_KEY", "a key of some length").env("REGION", "eu");
        let said = succeeded(&mut config, &block.place);
        let key = block.code.lines().find(|it| it.contains(" = ")).and_then(|it| it.split(" = ").next()).expect("a setting");
        assert!(said.contains(key) && said.contains("wf-host.toml"), "{}: {said}", block.place);
    }
}

/// The chapters of each language are those of the guide, in one order.
#[test]
fn every_language_has_the_same_chapters() {
    let chapters = [
        "Install",
        "The first workflow",
        "Events",
        "Steps",
        "Context",
        "Waiting for people",
        "Retries",
        "Joins",
        "HTTP",
        "Testing",
        "Limits and sizes",
    ];
    for language in ["rust", "python", "js", "go", "c"] {
        let page = fs::read_to_string(root().join(format!("guest-sdk/{language}/README.md"))).expect("a page");
        let headings = page.lines().filter_map(|it| it.strip_prefix("## ")).filter(|it| chapters.contains(it));
        assert_eq!(headings.collect::<Vec<_>>(), chapters, "guest-sdk/{language}/README.md");
        assert!(page.contains("](../guide/README.md)"), "guest-sdk/{language}/README.md leads to the guide");
    }
}

/// What runs at once and what does not is said where steps are described, in each language in the same words.
#[test]
fn every_language_says_what_async_means() {
    let words = "means here**: steps run side by side, each in an instance of its own; inside a step one call comes after the other";
    for language in ["rust", "python", "js", "go", "c"] {
        let page = fs::read_to_string(root().join(format!("guest-sdk/{language}/README.md"))).expect("a page");
        let steps = page.split("\n## ").find(|it| it.starts_with("Steps\n")).expect("a chapter");
        assert!(steps.contains(words), "guest-sdk/{language}/README.md");
    }
}

/// The table of limits has each, as the code has it.
#[test]
fn the_limits_are_as_the_guide_says() {
    let page = fs::read_to_string(root().join("guest-sdk/guide/limits.md")).expect("a page");
    let text = fs::read_to_string(root().join("host/engine/src/text.rs")).expect("code");
    let rows: BTreeMap<&str, &str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| Some((row.split('`').next()?, row.trim_end_matches(" |").rsplit("| ").next()?)))
        .collect();
    let named = text.lines().filter(|it| it.starts_with("pub const")).filter_map(|line| {
        let (_, rest) = line.split_once("Limit { name: \"")?;
        let (name, rest) = rest.split_once("\", max: ")?;
        Some((name, rest.trim_end_matches(" };")))
    });
    let limits = fs::read_to_string(root().join("host/src/model/limits.rs")).expect("code");
    let (_, defaults) = limits.split_once("fn default()").expect("defaults");
    let sizes = defaults.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(": ")).filter(|it| it.1.contains("<<"));
    let all: Vec<(&str, &str)> = named.chain(sizes).collect();
    assert!(all.len() > 20, "{all:?}");
    for (name, value) in all {
        let (number, shift) = value.split_once(" << ").unwrap_or((value, "0"));
        let unit = match shift {
            "10" => " KiB",
            "20" => " MiB",
            "30" => " GiB",
            _ => "",
        };
        let shown = rows.get(name).unwrap_or_else(|| panic!("the guide has no `{name}`"));
        assert_eq!(shown.trim_end_matches(" bytes"), format!("{number}{unit}"), "`{name}`");
    }
}
