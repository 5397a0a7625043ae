//! Brings faults back into the machine of owners and workers, one after the other, and shows that its
//! simulation finds each.
//!
//! The rooms that it stands on are copied into a crate of their own, without the runtime, so that a
//! mutation is built in seconds. `cargo run --release --package wf-host --example mutations [WORD…]`

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
        what: "a disk that fails leaves runs that nobody drives",
        file: "machine/owners.rs",
        from: "(Some(slot), Refusal::Unavailable(_)) if open =>",
        to: "(Some(slot), Refusal::Unavailable(_)) if open && slot.failures > 1_000 =>",
    },
    Mutation {
        what: "a request between creation and adoption makes a second worker",
        file: "machine/owners.rs",
        from: "        let identity = self.slot(run, State::Working);\n",
        to: "        let identity = self.slot(run, State::Working);\n        self.slots.remove(run);\n",
    },
    Mutation {
        what: "a purge beside a start takes a run that somebody waits for",
        file: "store/memory/tables.rs",
        from: "&& !running_too {",
        to: "&& running_too {",
    },
    Mutation {
        what: "a worker that panics leaves its run to nobody",
        file: "machine/owners.rs",
        from: "    pub fn lost(&mut self, now: Micros, run: &str, identity: Identity) -> Vec<Action<T>> {\n        match self.of(run, identity) {",
        to: "    pub fn lost(&mut self, now: Micros, run: &str, identity: Identity) -> Vec<Action<T>> {\n        match self.of(run, identity).filter(|_| false) {",
    },
    Mutation {
        what: "somebody is answered before it is durable",
        file: "machine/worker/way.rs",
        from: "        let answers = reply.map(|reply| (reply, Ok(self.view()))).into_iter().collect();\n",
        to: "        let view = self.view();\n        reply.into_iter().for_each(|reply| self.tell(reply, Ok(view.clone())));\n        let answers = Vec::new();\n",
    },
    Mutation {
        what: "a worker leaves with mail",
        file: "machine/owners.rs",
        from: "            Exit::Parked(_) if !slot.mail.is_empty() => None,\n",
        to: "",
    },
    Mutation {
        what: "a parked run forgets its timers",
        file: "machine/worker/way.rs",
        from: "Wake { at: Some(0), alive: None } } else { self.timers.wake() };",
        to: "Wake { at: Some(0), alive: None } } else { Wake::default() };",
    },
    Mutation {
        what: "what was lost sight of is not looked for",
        file: "machine/owners.rs",
        from: "filter(|run| self.open && !self.has(run))",
        to: "filter(|run| self.open && !self.has(run) && run.is_empty())",
    },
    Mutation {
        what: "a timer fires early",
        file: "machine/timers.rs",
        from: "filter(|(due, _)| *due <= clock)",
        to: "filter(|(due, _)| *due <= clock + 100_000)",
    },
    Mutation {
        what: "who waits for the end is not told of it",
        file: "machine/owners.rs",
        from: "        late.chain(waiters.into_iter().map(|(_, waiter)| Action::Tell(waiter, Ok(view.clone())))).collect()",
        to: "        self.waiters.insert(run.to_owned(), waiters);\n        late.chain(std::iter::once(view).filter_map(|_| None)).collect()",
    },
];

/// The rooms that the machine stands on, and itself.
const ROOMS: [&str; 3] = ["model", "store", "machine"];
/// What they need, by the workspace's names.
const NEEDED: [&str; 13] = [
    "bytes",
    "expect-test",
    "futures-util",
    "proptest",
    "rand_chacha",
    "rusqlite",
    "serde",
    "serde_json",
    "sha2",
    "tempfile",
    "thiserror",
    "tokio",
    "tracing",
];

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn main() -> ExitCode {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the engine lies in the host");
    let copy = host.parent().expect("it lies in the workspace").join("target/machine");
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    prepare(host, &copy);
    let holds = passes(&copy) == Some(true);
    println!("{}  the machine as it is", if holds { "holds   " } else { "FAILS   " });
    let mut caught = holds;
    for mutation in MUTATIONS.iter().filter(|it| wanted.is_empty() || wanted.iter().any(|word| it.what.contains(word))) {
        prepare(host, &copy);
        let verdict = verdict(&copy, mutation);
        println!("{verdict}  {} ({})", mutation.what, mutation.file);
        caught &= verdict == "caught  ";
    }
    if caught { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(copy: &Path, mutation: &Mutation) -> &'static str {
    let file = copy.join("host/src").join(mutation.file);
    let source = std::fs::read_to_string(&file).unwrap_or_default();
    if source.matches(mutation.from).count() != 1 {
        return "NO MATCH";
    }
    std::fs::write(&file, source.replace(mutation.from, mutation.to)).expect("the copy can be written");
    match passes(copy) {
        Some(false) => "caught  ",
        Some(true) => "SURVIVES",
        None => "NO BUILD",
    }
}

/// A fresh copy in a workspace of its own; what was built before is kept.
fn prepare(host: &Path, copy: &Path) {
    let root = host.parent().expect("it lies in the workspace");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the workspace's manifest");
    let members = manifest.lines().map(|line| if line.starts_with("members") { "members = [\"host\", \"host/engine\"]" } else { line });
    let crate_manifest = format!(
        "[package]\nname = \"wf-host\"\nversion = \"0.0.0\"\nedition.workspace = true\n\n[dependencies]\nwf-engine.workspace = true\n{}",
        NEEDED.map(|name| format!("{name}.workspace = true\n")).concat()
    );
    let _ = std::fs::remove_dir_all(copy.join("host"));
    copy_folder(&host.join("engine"), &copy.join("host/engine"));
    copy_folder(&host.join("tests/simulation"), &copy.join("host/tests/simulation"));
    for room in ROOMS {
        copy_folder(&host.join("src").join(room), &copy.join("host/src").join(room));
        let file = Path::new("host/src").join(format!("{room}.rs"));
        std::fs::copy(root.join(&file), copy.join(&file)).expect("a file");
    }
    let modules = ROOMS.map(|room| format!("pub mod {room};\n")).concat();
    std::fs::write(copy.join("host/src/lib.rs"), modules).expect("a file");
    std::fs::write(copy.join("host/Cargo.toml"), crate_manifest).expect("a manifest");
    std::fs::write(copy.join("Cargo.toml"), members.collect::<Vec<_>>().join("\n")).expect("a manifest");
    std::fs::copy(root.join("Cargo.lock"), copy.join("Cargo.lock")).expect("a lock file");
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
fn passes(copy: &Path) -> Option<bool> {
    let cargo = |last: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--quiet", "--release", "--package", "wf-host", "--test", "simulation"]).args(last);
        command.env("CARGO_TARGET_DIR", copy.join("target")).env("WORLDS", "1500").env_remove("SEED").current_dir(copy);
        // Built for one short run each.
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        command.env("CARGO_INCREMENTAL", "1").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256");
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    cargo(&["--no-run"]).then(|| cargo(&[]))
}
