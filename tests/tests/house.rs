//! House rules that a machine can check. Each ban names what to use instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect;
use wf_tests::artifacts::root;

/// A word that must not stand in the code of a folder.
struct Ban {
    folder: &'static str,
    word: &'static str,
    /// Files, by the end of their path, where it may.
    except: &'static [&'static str],
    instead: &'static str,
}

const fn ban(folder: &'static str, word: &'static str, except: &'static [&'static str], instead: &'static str) -> Ban {
    Ban { folder, word, except, instead }
}

const BANS: &[Ban] = &[
    ban("host/engine/src", "tokio", &[], "return an `Effect`: the worker carries it out"),
    ban("host/engine/src", "wasmtime", &[], "return `Effect::Invoke`: the runtime enters the guest"),
    ban("host/engine/src", "rusqlite", &[], "return entries: the worker appends them"),
    ban("host/engine/src", "std::time", &[], "take the time from the entry"),
    ban("host/engine/src", "Instant::now", &[], "take the time from the entry"),
    ban("host/engine/src", "std::fs", &[], "take what is needed in an entry"),
    ban("host/engine/src", "serde_json::Value", &["src/manifest.rs", "src/definition"], "`json::Tree`: a `Value` rounds numbers"),
    ban("host/engine/src", "serde_json::{Value", &["src/manifest.rs", "src/definition"], "`json::Tree`: a `Value` rounds numbers"),
    ban("host/engine/src", "async ", &[], "the fold is one function"),
    ban("host/engine/src", "HashMap", &[], "a `BTreeMap`: a fold must not depend on an order by chance"),
    ban("host/src", "SystemTime::now", &["src/clock.rs"], "`Clock`: it alone reads time"),
    ban("host/src", "wasmtime::", &["src/runtime.rs", "src/runtime/"], "`runtime::Runtime`"),
    ban("host/src", "wasmtime_wasi", &["src/runtime.rs", "src/runtime/"], "`runtime::Runtime`"),
    ban("host/src", "rusqlite", &["src/store/"], "`store::Store`"),
    ban("host/src", "warp::", &["src/http.rs", "src/http/"], "`host::Host`: HTTP stands on it, not the other way round"),
    ban("host/src", "println!", &["src/cli.rs", "src/cli/"], "`tracing`, or say it in `cli`"),
    ban("host/src", "process::exit", &["src/cli.rs", "src/cli/"], "return an error"),
    ban("host/src/http", "wf_engine::run", &["http/edge.rs"], "`host::Host`: HTTP sees no engine internals"),
    ban("host/src", "static mut", &[], "a field"),
    ban("host", "#[allow(", &[], "`#[expect(…, reason = \"…\")]`"),
    ban("guest-sdk/rust", "#[allow(", &["wf-guest-macros/"], "`#[expect(…, reason = \"…\")]`"),
    ban("tests", "#[allow(", &["tests/house.rs", "guests/"], "`#[expect(…, reason = \"…\")]`"),
    ban("tests", "#[ignore", &["tests/house.rs"], "a test that runs"),
    ban("host", "#[ignore", &[], "a test that runs"),
    ban("host", "todo!(", &[], "do it"),
    ban("guest-sdk", "todo!(", &[], "do it"),
    ban("tests/src", "thread::sleep", &["src/patience.rs"], "`patience::until`"),
    ban("tests/tests", "thread::sleep", &["tests/house.rs"], "`until`"),
    ban(
        "tests/tests",
        "time::sleep",
        &["tests/house.rs", "tests/kill.rs", "tests/crash.rs", "tests/soak.rs", "tests/parts.rs"],
        "`until`; only a kill comes at a moment of its own, and a load is looked at so often",
    ),
];

/// Words that stand nowhere, not even in documents.
const NOWHERE: &[(&str, &str)] = &[("FIX\u{4d}E", "fix it, or file an issue"), ("\u{3c}<<<<<< ", "resolve the conflict")];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.flatten().map(|it| it.path()) {
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        if path.is_dir() && !["target", "node_modules", ".git"].contains(&name) {
            found.extend(sources(&path));
        } else if ["rs", "md", "sh", "py", "mjs", "toml", "wit", "json"].iter().any(|it| name.ends_with(&format!(".{it}"))) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Code without comments and without what is for tests alone: what `#[cfg(test)]` stands before, and not what comes
/// after that.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut test: Option<usize> = None;
    let lines = text.lines().enumerate().filter_map(move |(at, line)| {
        let indent = line.len() - line.trim_start().len();
        if let Some(begun) = test {
            // Formatted code ends where it is as far to the left as it began.
            test = test.filter(|_| indent != begun || !line.ends_with([';', '}']));
            return None;
        }
        test = (line.trim() == "#[cfg(test)]").then_some(indent);
        test.is_none().then_some((at + 1, line))
    });
    lines.map(|(at, line)| (at, line.split("//").next().unwrap_or_default()))
}

fn broken(ban: &Ban, path: &str, text: &str) -> Vec<String> {
    if ban.except.iter().any(|it| path.contains(it)) {
        return Vec::new();
    }
    let found = code(text).filter(|(_, line)| line.contains(ban.word));
    found.map(|(at, _)| format!("{path}:{at}: `{}` is banned here. Instead: {}", ban.word, ban.instead)).collect()
}

#[test]
fn bans() {
    let mut found = Vec::new();
    for ban in BANS {
        for path in sources(&root().join(ban.folder)).iter().filter(|it| it.extension().is_some_and(|it| it == "rs")) {
            let shown = path.strip_prefix(root()).expect("below the root").display().to_string();
            found.extend(broken(ban, &shown, &fs::read_to_string(path).expect("text")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_check_of_bans_finds_what_it_should() {
    let ban = ban("host/src", "println!", &["src/cli/"], "`tracing`");
    let text = "fn main() {\n    // println! is for people\n    println!();\n}\n#[cfg(test)]\nmod tests { fn it() { println!() } }\n";
    expect![[r#"host/src/a.rs:3: `println!` is banned here. Instead: `tracing`"#]]
        .assert_eq(&broken(&ban, "host/src/a.rs", text).join("\n"));
    assert!(broken(&ban, "host/src/cli/a.rs", text).is_empty());
    let amid = "#[cfg(test)]\nmod tests;\n\nimpl A {\n    #[cfg(test)]\n    fn seen(\n    ) {\n        println!();\n    }\n\n    fn it() {\n        println!();\n    }\n}\n";
    expect![[r#"host/src/a.rs:12: `println!` is banned here. Instead: `tracing`"#]]
        .assert_eq(&broken(&ban, "host/src/a.rs", amid).join("\n"));
}

#[test]
fn words_that_stand_nowhere() {
    let mut found = Vec::new();
    for path in sources(&root()) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        for (word, instead) in NOWHERE.iter().filter(|(word, _)| text.contains(word)) {
            found.push(format!("{}: `{word}`. Instead: {instead}", path.display()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Files that name others of their crate: by `crate::` from the top, by `super::` from above them.
type Names = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// What each file of a crate names, those of tests aside.
fn names(folder: &str, tests: &[&str]) -> Names {
    let folder = root().join(folder);
    let module = |path: &Path| {
        let path = path.strip_prefix(&folder).expect("below the folder").with_extension("");
        path.iter().map(|it| it.to_string_lossy().into_owned()).collect::<Vec<String>>()
    };
    let is_test = |path: &Path| module(path).iter().any(|part| tests.contains(&part.as_str()));
    let is_ours = |path: &PathBuf| path.extension().is_some_and(|it| it == "rs") && !is_test(path);
    let paths: Vec<PathBuf> = sources(&folder).into_iter().filter(is_ours).collect();
    let files: BTreeSet<Vec<String>> = paths.iter().map(|path| module(path)).collect();
    let read = |path: &PathBuf| fs::read_to_string(path).expect("text");
    paths.iter().map(|path| (module(path), named(&module(path), &read(path), &files))).collect()
}

/// The files that a file names.
fn named(module: &[String], text: &str, files: &BTreeSet<Vec<String>>) -> BTreeSet<Vec<String>> {
    let text: String = code(text).flat_map(|(_, line)| [line, "\n"]).collect();
    let mut paths = Vec::new();
    for word in ["crate::", "super::"] {
        for (at, _) in text.match_indices(word) {
            if !text[..at].ends_with(|it: char| it.is_alphanumeric() || "_:".contains(it)) {
                tree(&text[at..], Vec::new(), &mut paths);
            }
        }
    }
    let absolute = paths.into_iter().map(|path| {
        let up = path.iter().take_while(|it| *it == "super").count();
        let from = if up == 0 { &[][..] } else { &module[..module.len() - up] };
        from.iter().chain(&path[up.max(1)..]).cloned().collect::<Vec<String>>()
    });
    let longest = |path: Vec<String>| (1..=path.len()).rev().map(|length| path[..length].to_vec()).find(|it| files.contains(it));
    absolute.filter_map(longest).filter(|it| it != module).collect()
}

/// The paths of a tree like that of a `use`. Gives what comes after it.
fn tree<'a>(mut text: &'a str, mut path: Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    loop {
        let word = text.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(text.len());
        path.extend((word > 0).then(|| text[..word].to_owned()));
        text = &text[word..];
        match text.strip_prefix("::") {
            Some(rest) => text = rest,
            None => break,
        }
    }
    let Some(mut inner) = text.strip_prefix('{') else {
        paths.push(path);
        return text;
    };
    while !inner.is_empty() {
        inner = tree(inner.trim_start(), path.clone(), paths).trim_start_matches(|it| !",}".contains(it));
        match inner.strip_prefix('}') {
            Some(rest) => return rest,
            None => inner = inner.strip_prefix(',').unwrap_or_default(),
        }
    }
    inner
}

/// The files that name one another in a circle. A folder's own file gathers what is in it: that it
/// names its parts, and they it, is none.
fn circles(mut names: Names) -> Vec<String> {
    for (module, named) in &mut names {
        named.retain(|other| !other.starts_with(module) && !module.starts_with(other));
    }
    let reached = |from: &Vec<String>| {
        let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            next.extend(names[module].iter().filter(|it| reached.insert((*it).clone())));
        }
        reached
    };
    let all: BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> = names.keys().map(|module| (module, reached(module))).collect();
    let with = |module: &Vec<String>| all[module].iter().filter(|it| all[it].contains(module)).map(|it| it.join("::")).collect::<Vec<_>>();
    let circles: BTreeSet<String> = all.keys().map(|module| with(module).join(", ")).filter(|it| !it.is_empty()).collect();
    circles.into_iter().collect()
}

fn engine() -> Names {
    names("host/engine/src", &["garbage", "tests"])
}

#[test]
fn a_module_of_the_engine_names_only_those_before_it() {
    let lib = fs::read_to_string(root().join("host/engine/src/lib.rs")).expect("text");
    let order: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let place = |module: &[String]| order.iter().position(|it| *it == module[0]);
    for (module, named) in engine() {
        let later = named.iter().find(|other| place(other) > place(&module)).map(|other| other.join("::"));
        assert_eq!(later, None, "`{}` names what comes after it: turn the arrow around", module.join("::"));
    }
}

#[test]
fn no_files_of_the_engine_name_one_another_in_a_circle() {
    assert_eq!(circles(engine()), Vec::<String>::new());
}

/// The methods of `impl Run`, which many files share: whose methods each file calls.
fn moves(files: &[(&str, String)]) -> Names {
    let own = |text: &str| text.split("\nimpl Run {\n").skip(1).filter_map(|it| it.split("\n}\n").next()).collect::<String>();
    let first_word = |text: &str| text.split(|it: char| !it.is_alphanumeric() && it != '_').next().unwrap_or_default().to_owned();
    let methods = |text: &str| own(text).split("fn ").skip(1).map(first_word).collect::<Vec<_>>();
    // A field may be named as the method that gives it out.
    let is_call = |text: &&str| text.trim_start_matches(|it: char| it.is_alphanumeric() || it == '_').starts_with('(');
    let calls = |text: &str| own(text).split("self.").skip(1).filter(is_call).map(first_word).collect::<BTreeSet<_>>();
    let owner: BTreeMap<String, &str> = files.iter().flat_map(|(file, text)| methods(text).into_iter().map(|it| (it, *file))).collect();
    let called =
        |text: &str| calls(text).iter().filter_map(|it| owner.get(it)).map(|file| vec![(*file).to_owned()]).collect::<BTreeSet<_>>();
    files.iter().map(|(file, text)| (vec![(*file).to_owned()], called(text))).collect()
}

#[test]
fn no_moves_of_a_run_call_one_another_in_a_circle() {
    let mut paths = sources(&root().join("host/engine/src/run"));
    paths.push(root().join("host/engine/src/run.rs"));
    let name = |path: &Path| path.file_stem().and_then(|it| it.to_str()).expect("a name").to_owned();
    let read = |path: &PathBuf| code(&fs::read_to_string(path).expect("text")).flat_map(|(_, line)| [line, "\n"]).collect::<String>();
    let files: Vec<(String, String)> = paths.iter().map(|path| (name(path), read(path))).filter(|(name, _)| name != "garbage").collect();
    let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    assert_eq!(circles(moves(&files)), Vec::<String>::new());

    let text = |name: &str, other: &str| format!("use x;\n\nimpl Run {{\n    fn {name}(&self) {{\n        self.{other}(1)\n    }}\n}}\n");
    let wrong = [("a", text("one", "two")), ("b", text("two", "three")), ("c", text("three", "one")), ("d", text("four", "one"))];
    expect!["a, b, c"].assert_eq(&circles(moves(&wrong)).join("; "));
}

/// Arrows between rooms of the host that are still to be turned around.
const OPEN: &[(&str, &str)] = &[];

fn is_open(from: &[String], to: &[String]) -> bool {
    OPEN.contains(&(&from[0], &to[0]))
}

fn host() -> Names {
    names("host/src", &["edge", "lib", "main"])
}

#[test]
fn a_room_of_the_host_names_only_those_of_the_groups_before_it() {
    let lib = fs::read_to_string(root().join("host/src/lib.rs")).expect("text");
    let groups: Vec<&str> = lib.split("\n\n").filter(|it| it.contains("mod ")).collect();
    let place = |room: &str| {
        let place = groups.iter().position(|group| group.lines().any(|line| line.trim_start_matches("pub ") == format!("mod {room};")));
        place.unwrap_or_else(|| panic!("lib.rs gives `{room}` no place"))
    };
    for (module, named) in host() {
        let wrong = named.iter().find(|it| it[0] != module[0] && place(&it[0]) >= place(&module[0]) && !is_open(&module, it));
        let wrong = wrong.map(|other| other.join("::"));
        assert_eq!(wrong, None, "`{}` names what is not below it: turn the arrow around", module.join("::"));
    }
    for (from, to) in OPEN {
        let is_there = host().iter().any(|(module, named)| module[0] == *from && named.iter().any(|it| it[0] == *to));
        assert!(is_there, "`{from}` names nothing of `{to}` any more: take it off the list");
    }
}

#[test]
fn no_files_of_the_host_name_one_another_in_a_circle() {
    let mut names = host();
    names.iter_mut().for_each(|(module, named)| named.retain(|it| !is_open(module, it)));
    assert_eq!(circles(names), Vec::<String>::new());
}

#[test]
fn the_check_of_circles_finds_what_it_should() {
    let module = |name: &str| name.split("::").map(str::to_owned).collect::<Vec<String>>();
    let texts = [
        ("a", "use crate::b::{self, c::{D, e as f}, G};"),
        ("b", "use crate::{\n    nothing,\n    h,\n};\n"),
        ("b::c", "fn it() { super::super::h::it() } // crate::a"),
        ("h", "use super::b::c;\n#[cfg(test)]\nmod tests { use crate::a; }"),
    ];
    let files = texts.iter().map(|(name, _)| module(name)).collect();
    let names: Names = texts.iter().map(|(name, text)| (module(name), named(&module(name), text, &files))).collect();
    let shown = names
        .iter()
        .map(|(name, named)| format!("{}: {}", name.join("::"), named.iter().map(|it| it.join("::")).collect::<Vec<_>>().join(" ")));
    expect![[r#"
        a: b b::c
        b: h
        b::c: h
        h: b::c"#]]
    .assert_eq(&shown.collect::<Vec<_>>().join("\n"));
    expect!["b::c, h"].assert_eq(&circles(names).join("; "));
}

#[test]
fn the_engine_depends_on_nothing_that_acts() {
    let manifest = fs::read_to_string(root().join("host/engine/Cargo.toml")).expect("a manifest");
    for name in ["tokio", "wasmtime", "warp", "rusqlite", "hyper", "tracing"] {
        assert!(!manifest.contains(name), "wf-engine depends on {name}: it is a pure fold");
    }
}

#[test]
fn store_is_the_only_trait_of_the_host() {
    let mut traits = Vec::new();
    for path in sources(&root().join("host")).iter().filter(|it| it.components().any(|it| it.as_os_str() == "src")) {
        let text = fs::read_to_string(path).expect("text");
        traits.extend(code(&text).filter_map(|(_, line)| line.trim().strip_prefix("pub trait ").map(str::to_owned)));
    }
    let names: Vec<&str> = traits.iter().filter_map(|it| it.split([':', ' ', '<']).next()).collect();
    assert_eq!(names, ["Store"]);
}

#[test]
fn the_map_names_every_module() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut missing = Vec::new();
    for folder in ["host/engine/src", "host/src", "tests/src", "tests/tests"] {
        for entry in fs::read_dir(root().join(folder)).expect(folder).flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let module = name.trim_end_matches(".rs");
            if !["lib", "main"].contains(&module) && !map.contains(&format!("`{module}`")) {
                missing.push(format!("{folder}/{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "ARCHITECTURE.md does not name {}", missing.join(", "));
}

/// What is not named in `main.rs` would not be compiled, and nobody would miss it.
#[test]
fn every_file_of_tests_is_in_the_program() {
    for folder in ["tests/tests", "host/tests"] {
        let program = fs::read_to_string(root().join(folder).join("main.rs")).expect("a program");
        for entry in fs::read_dir(root().join(folder)).expect(folder).flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(module) = name.strip_suffix(".rs").filter(|it| *it != "main") else { continue };
            assert!(program.contains(&format!("mod {module};\n")), "{folder}/main.rs does not name `{module}`");
        }
    }
}

#[test]
fn what_the_documents_name_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("a Makefile");
    let targets: BTreeSet<&str> = makefile.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "OPERATING.md"] {
        let text = fs::read_to_string(root().join(name)).expect(name);
        for part in text.split("`make ").skip(1) {
            let target = part.split(['`', ' ']).next().unwrap_or_default();
            assert!(targets.contains(target), "{name} names `make {target}`");
        }
        for link in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            assert!(path.is_empty() || path.contains("://") || root().join(path).exists(), "{name} links to {link}");
        }
    }
}

#[test]
fn every_promise_names_a_test_that_is_there() {
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let targets: String = ["host/tests/fuzz", "host/src/cli", "host/src/outside"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|path| fs::read_to_string(path).expect("text"))
        .collect();
    let mut missing = Vec::new();
    for name in text.split('`').skip(1).step_by(2).filter(|name| name.contains("::") || name.starts_with("fuzz_")) {
        let is_there = match name.split_once("::") {
            Some((_, "…")) => true,
            Some((file, test)) => {
                let file = fs::read_to_string(root().join(format!("tests/tests/{file}.rs"))).unwrap_or_default();
                file.contains(&format!("fn {test}()"))
            }
            None => targets.contains(&format!("fn {name}()")),
        };
        missing.extend((!is_there).then_some(name));
    }
    assert!(missing.is_empty(), "SECURITY.md names {}", missing.join(", "));
}

/// What is fetched is what it was when it was written down: a version alone, and the digest of each file. Of npm the
/// lock file has those.
#[test]
fn what_components_are_built_with_is_pinned() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut open = Vec::new();
    for path in ["guest-sdk/python/requirements.txt", "guest-sdk/go/requirements.txt", "guest-sdk/c/requirements.txt", ".ci/tools.txt"] {
        let found = open_requirements(&read(path));
        open.extend(found.unwrap_or_else(|| vec!["nothing is required".into()]).into_iter().map(|it| format!("{path}: {it}")));
    }
    for folder in ["guest-sdk/js", "guest-sdk/js/tests/spidermonkey", "host/src/cli/new/typescript", "host/ui"] {
        let found = open_packages(&read(&format!("{folder}/package.json")));
        open.extend(found.into_iter().map(|it| format!("{folder}/package.json: {it}")));
    }
    let locked: serde_json::Value = serde_json::from_str(&read("guest-sdk/js/package-lock.json")).expect("JSON");
    for (name, package) in locked["packages"].as_object().expect("packages").iter().filter(|(name, _)| !name.is_empty()) {
        if !package["integrity"].as_str().is_some_and(|it| it.starts_with("sha512-")) {
            open.push(format!("guest-sdk/js/package-lock.json: {name} has no digest"));
        }
    }
    assert!(open.is_empty(), "{}", open.join("\n"));

    let wrong = "# ours\none==1.2 \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\ntwo==1\nthree>=1 --hash=sha256:ab\nfour==1.* --hash=sha256:ab\n";
    expect!["two==1; three>=1 --hash=sha256:ab; four==1.* --hash=sha256:ab"].assert_eq(&open_requirements(wrong).expect("some").join("; "));
    assert_eq!(open_requirements("# nothing\n\n"), None);
    let wrong = r#"{ "dependencies": { "a": "1.2.3", "b": "^1.2.3" }, "devDependencies": { "c": "~1.2.3", "d": "1.2", "e": "latest" } }"#;
    expect!["b ^1.2.3; c ~1.2.3; d 1.2; e latest"].assert_eq(&open_packages(wrong).join("; "));
}

/// The requirements of a file, as `pip` reads it, that more than one version, or any file of that, would meet; none
/// where it has no requirements.
fn open_requirements(text: &str) -> Option<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let all: Vec<&str> = joined.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#')).collect();
    let is_open = |it: &&&str| {
        let (requirement, digests) = it.split_once(" --hash=sha256:").unwrap_or((**it, ""));
        let is_exact = requirement.split_once("==").is_some_and(|(_, version)| !version.contains('*'));
        !is_exact || digests.is_empty()
    };
    (!all.is_empty()).then(|| all.iter().filter(is_open).map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}

/// The packages of a `package.json` that are not named with one version.
fn open_packages(text: &str) -> Vec<String> {
    let package: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let of = |key: &str| package[key].as_object().cloned().unwrap_or_default();
    let version = |of: &serde_json::Value| of.as_str().unwrap_or_default().to_owned();
    let is_exact = |version: &str| {
        let parts: Vec<&str> = version.split('.').collect();
        parts.len() == 3 && parts.iter().all(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let all = ["dependencies", "devDependencies"].into_iter().flat_map(of);
    all.map(|(name, it)| (name, version(&it))).filter(|(_, it)| !is_exact(it)).map(|(name, it)| format!("{name} {it}")).collect()
}

#[test]
fn files_stay_small() {
    let mut long = Vec::new();
    for folder in ["host", "guest-sdk/rust", "tests/src"] {
        for path in sources(&root().join(folder)).iter().filter(|it| it.extension().is_some_and(|it| it == "rs")) {
            let lines = code(&fs::read_to_string(path).expect("text")).count();
            if lines > 600 && !path.components().any(|it| it.as_os_str() == "tests") {
                long.push(format!("{}: {lines} lines hold more than one idea", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// Messages that no test can bring about: by the words that find them, and why.
const UNPROVOKED: &[(&str, &str)] = &[
    ("cargo:", "a child that cannot be waited for"),
    ("there are no completions for", "every shell that can be named has some"),
    ("cannot be watched:", "the system is out of watches"),
    (": each version of a workflow stays for as long", "it takes half a gibibyte of versions"),
    ("no browser could be opened:", "it would open one where there is one"),
    ("the journal tells of another run", "a defect of the engine"),
    ("nobody reads the output", "it is not printed"),
    ("see above", "it is not printed"),
    ("the graph cannot be laid out", "a defect of the layout"),
    ("this server keeps no logs", "another server than ours"),
    ("the run was stopped before its end", "nobody else can stop the run of a command"),
    ("no threads could be started:", "the system is out of threads"),
    ("wasm cannot run here:", "another machine"),
    ("a defect of wf-host ended its", "a defect of ours"),
    ("the base of Python components cannot be made:", "a defect of ours"),
    ("it cannot begin:", "a defect of ours"),
    ("it did not end when it began", "as `describe`, which has a test"),
    ("cannot be fetched:", "the registry is down"),
];

/// Whatever makes a message for people.
const MAKERS: &[&str] = &["Problem::new(", "Rejected::new(", "LoadError::new(", "Error::open(", "rejected(", "let message ="];

#[test]
fn every_error_has_a_snapshot() {
    let tests: Vec<String> = ["tests/tests", "host/tests"]
        .iter()
        .flat_map(|it| sources(&root().join(it)))
        .filter_map(|it| fs::read_to_string(it).ok())
        .collect();
    let mut missing = Vec::new();
    for path in sources(&root().join("host/src")).iter().filter(|it| it.extension().is_some_and(|it| it == "rs")) {
        let text = fs::read_to_string(path).expect("text");
        let text = &text[..text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len())];
        let made = MAKERS.iter().flat_map(|maker| text.match_indices(maker).map(|(at, _)| (at, &text[at + maker.len()..])));
        for (at, rest) in made {
            let Some(words) = words(rest) else { continue };
            let known = tests.iter().any(|test| test.contains(&words)) || UNPROVOKED.iter().any(|(it, _)| words.contains(it));
            if !known {
                let line = text[..at].lines().count();
                missing.push(format!("{}:{line}: `{words}`", path.strip_prefix(root()).expect("below the root").display()));
            }
        }
    }
    assert!(missing.is_empty(), "no test shows these messages:\n{}", missing.join("\n"));
}

/// The longest stretch of a message that stands in it as it is; none where the message is another's.
fn words(rest: &str) -> Option<String> {
    let rest = rest.trim_start();
    let rest = rest.strip_prefix("format!(").unwrap_or(rest).trim_start();
    let literal = rest.strip_prefix('"')?.split('"').next()?.split("\\n").next()?;
    let fixed = literal.split(['{', '}']).step_by(2);
    fixed.map(|it| it.trim_matches(['`', ' ']).to_owned()).max_by_key(String::len).filter(|it| it.len() > 3)
}
