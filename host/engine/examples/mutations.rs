//! Breaks the engine on purpose, in ten ways, and shows that the simulation notices each.
//!
//! `cargo run --release --package wf-engine --example mutations`

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What is broken, where, and how: the text must be there once.
struct Mutation {
    what: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const MUTATIONS: [Mutation; 10] = [
    Mutation {
        what: "a scope is not inherited",
        file: "run/report.rs",
        from: "self.emit(event, None, opened.or(invocation.scope));",
        to: "self.emit(event, None, opened);",
    },
    Mutation {
        what: "an edit that conflicts commits",
        file: "run/commit.rs",
        from: "=> self.state.conflicts(path, *version, (id, attempt)),",
        to: "=> false && self.state.conflicts(path, *version, (id, attempt)),",
    },
    Mutation {
        what: "the clock is taken from `Resumed`",
        file: "run/slots.rs",
        from: "*invocation.started_at.get_or_insert(self.at)",
        to: "*invocation.started_at.insert(self.at)",
    },
    Mutation {
        what: "a batch of `collect` is given twice",
        file: "run/collect.rs",
        from: "let batch = pool.take(expected);",
        to: "let batch = pool.take(expected); for it in batch.iter().flatten() { pool.add(&it.name, it.clone()); }",
    },
    Mutation {
        what: "a step has a slot too many",
        file: "run/slots.rs",
        from: "max: manifest.num_workers.max(1),",
        to: "max: manifest.num_workers.max(1) + 1,",
    },
    Mutation {
        what: "a retry forgets the memos",
        file: "run/invocation.rs",
        from: "        self.log.clear();\n",
        to: "        self.log.clear();\n        self.kept.memos.clear();\n",
    },
    Mutation {
        what: "a retry forgets the answered waits",
        file: "run/wait.rs",
        from: "drop(invocation.kept.answers.insert(key, event.clone()))",
        to: "drop((key, event.clone()))",
    },
    Mutation {
        what: "a repeated report is taken again",
        file: "run/report.rs",
        from: "executing && calls.iter().zip(ordinals)",
        to: "executing || calls.iter().zip(ordinals)",
    },
    Mutation { what: "`Resumed` sets no timers", file: "run/resume.rs", from: "self.turn.effects.extend(timers);", to: "drop(timers);" },
    Mutation {
        what: "an all-join fires before its scope is done",
        file: "run/scope.rs",
        from: "if scope.busy > 0 {",
        to: "if scope.busy > 1 {",
    },
];

fn main() -> ExitCode {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = engine.ancestors().nth(2).expect("it lies in the workspace");
    let copy = root.join("target/mutations");
    let mut caught = passes_unbroken(engine, root, &copy);
    for mutation in &MUTATIONS {
        caught &= try_one(engine, root, &copy, mutation);
    }
    if caught { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The simulation must hold for the engine as it is, or nothing below means anything.
#[expect(clippy::print_stdout, reason = "the command's own output")]
fn passes_unbroken(engine: &Path, root: &Path, copy: &Path) -> bool {
    prepare(engine, root, copy);
    let passes = simulate(copy) == Some(true);
    println!("{}  the engine as it is", if passes { "holds   " } else { "FAILS   " });
    passes
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn try_one(engine: &Path, root: &Path, copy: &Path, mutation: &Mutation) -> bool {
    prepare(engine, root, copy);
    let file = copy.join("host/engine/src").join(mutation.file);
    let source = std::fs::read_to_string(&file).unwrap_or_default();
    let verdict = if source.matches(mutation.from).count() == 1 {
        std::fs::write(&file, source.replace(mutation.from, mutation.to)).expect("the copy can be written");
        match simulate(copy) {
            Some(false) => "caught  ",
            Some(true) => "SURVIVES",
            None => "NO BUILD",
        }
    } else {
        "NO MATCH"
    };
    println!("{verdict}  {} ({})", mutation.what, mutation.file);
    verdict == "caught  "
}

/// A fresh copy of the engine in a workspace of its own; what was built before is kept.
fn prepare(engine: &Path, root: &Path, copy: &Path) {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the workspace's manifest");
    let members = manifest.lines().map(|line| if line.starts_with("members") { "members = [\"host/engine\"]" } else { line });
    std::fs::create_dir_all(copy.join("host")).expect("a folder");
    std::fs::write(copy.join("Cargo.toml"), members.collect::<Vec<_>>().join("\n")).expect("a manifest");
    std::fs::copy(root.join("Cargo.lock"), copy.join("Cargo.lock")).expect("a lock file");
    let target = copy.join("host/engine");
    let _ = std::fs::remove_dir_all(&target);
    copy_folder(engine, &target);
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (source, target): (PathBuf, PathBuf) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_folder(&source, &target);
        } else {
            std::fs::copy(&source, &target).expect("a file");
        }
    }
}

/// Whether the simulation passes; none, where it does not build.
fn simulate(copy: &Path) -> Option<bool> {
    let cargo = |last: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--quiet", "--release", "--package", "wf-engine", "--test", "simulation"]).args(last);
        command.env("CARGO_TARGET_DIR", copy.join("target")).env_remove("SEED").current_dir(copy);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    cargo(&["--no-run"]).then(|| cargo(&[]))
}
