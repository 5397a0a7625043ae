//! Breaks rules on purpose, one after the other, and shows that the tests notice each.
//!
//! `cargo run --release --package wf-engine --example mutations [WORD…]`, or `make mutations` for all of them
//!
//! `PART`, a number: of twenty in turn, only each that has this remainder; CI goes through all of them in twenty commits or so.
//!
//! In a copy, where what a mutation leaves as it was is not built again. While one is built, others are tried.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

mod engine;
mod machine;
mod outside;

/// What is broken, where, and how: the text must be there once.
struct Mutation {
    what: &'static str,
    /// The tests that must notice.
    by: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// The tests that are beside what they test.
const UNIT: &str = "unit tests";

/// How long tests may take, with little of the machine: a mutation may also go round for ever.
const TRIAL_MAX: Duration = Duration::from_secs(1200);

/// What became of the tests.
enum Tried {
    Passed,
    Failed,
    NoEnd,
}

/// What is broken: a crate of the workspace, copied to where it is built alone.
struct Subject {
    name: &'static str,
    package: &'static str,
    source: &'static str,
    mutations: &'static [&'static [Mutation]],
    /// How many worlds its simulation plays: few are enough.
    worlds: &'static str,
    copy: fn(&Path, &Path),
}

const SUBJECTS: [Subject; 2] = [
    Subject {
        name: "engine",
        package: "wf-engine",
        source: "host/engine/src",
        mutations: &[engine::MUTATIONS, outside::MUTATIONS],
        worlds: "1500",
        copy: engine::copy,
    },
    Subject {
        name: "machine",
        package: "wf-host",
        source: "host/src",
        mutations: &[machine::MUTATIONS],
        worlds: "8000",
        copy: machine::copy,
    },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let caught = SUBJECTS.iter().map(|subject| subject.is_watched(&words)).fold(true, |all, one| all & one);
    if caught { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where what is broken is built: one at a time, so that what it stands on is built once.
struct Place {
    copy: PathBuf,
    target: PathBuf,
}

impl Place {
    fn new(subject: &Subject, root: &Path) -> Place {
        let copy = root.join("target/mutations").join(subject.name);
        let _ = std::fs::remove_dir_all(&copy);
        (subject.copy)(root, &copy);
        // The workspace's may be in use.
        Place { copy, target: root.join("target/mutations/target") }
    }
}

impl Subject {
    /// Whether the tests hold for what there is, and notice every mutation that one of the words names.
    fn is_watched(&self, words: &[String]) -> bool {
        let root = root();
        let wanted = |it: &&Mutation| words.is_empty() || words.iter().any(|word| it.what.contains(word));
        let part: Option<usize> = std::env::var("PART").ok().and_then(|it| it.parse().ok());
        let is_of_part = |(at, _): &(usize, &Mutation)| part.is_none_or(|part| at % 20 == part % 20);
        let all = self.mutations.iter().copied().flatten().filter(wanted);
        let mutations: Vec<&Mutation> = all.enumerate().filter(is_of_part).map(|(_, it)| it).collect();
        // The tests must hold for it as it is, or nothing that they fail for means anything.
        let unbroken = mutations.iter().map(|it| it.by).collect::<BTreeSet<_>>().into_iter().map(|tests| (tests, None));
        let trials: Vec<(&str, Option<&Mutation>)> = unbroken.chain(mutations.iter().map(|it| (it.by, Some(*it)))).collect();
        let left = Mutex::new(trials.into_iter());
        let place = Mutex::new(Place::new(self, root));
        let work = &|lane: usize| {
            let mine = root.join("target/mutations").join(format!("{}-{lane}", self.name));
            let next = || left.lock().expect("nobody panics with it").next();
            std::iter::from_fn(next).fold(true, |all, (tests, mutation)| all & self.is_noticed(&place, &mine, tests, mutation))
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..cores).map(|lane| scope.spawn(move || work(lane))).collect();
            workers.into_iter().fold(true, |all, worker| all & worker.join().expect("it does not panic"))
        })
    }

    /// The program of the tests of what is broken so.
    fn build(&self, place: &Place, tests: &str, mutation: Option<&Mutation>) -> Result<PathBuf, &'static str> {
        let Some(Mutation { file, from, to, .. }) = mutation else { return self.program(place, tests) };
        let file = place.copy.join(self.source).join(file);
        let source = std::fs::read_to_string(&file).unwrap_or_default();
        if source.matches(from).count() != 1 {
            return Err("NO MATCH");
        }
        std::fs::write(&file, source.replace(from, to)).expect("the copy can be written");
        let program = self.program(place, tests);
        std::fs::write(&file, source).expect("the copy can be written");
        program
    }

    fn program(&self, place: &Place, tests: &str) -> Result<PathBuf, &'static str> {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--quiet", "--release", "--no-run", "--message-format=json", "--package", self.package]);
        command.args(if tests == UNIT { vec!["--lib"] } else { vec!["--test", tests] });
        // Built for one short run each: to build it takes longer than what it runs until a test fails.
        for (package, setting) in
            [(self.package, "opt-level=0"), (self.package, "debug=0"), (self.package, "codegen-units=256"), ("*", "opt-level=1")]
        {
            command.args(["--config", &format!("profile.release.package.\"{package}\".{setting}")]);
        }
        command.env("CARGO_TARGET_DIR", &place.target).env("CARGO_INCREMENTAL", "1").current_dir(&place.copy);
        let output = command.output().expect("cargo starts");
        let message = |line: &str| serde_json::from_str::<Value>(line).ok();
        let text = String::from_utf8_lossy(&output.stdout);
        let built = text.lines().filter_map(message).find_map(|it| it["executable"].as_str().map(PathBuf::from));
        let program = built.filter(|_| output.status.success());
        if program.is_none() {
            say_why(&text, &output.stderr);
        }
        program.ok_or("NO BUILD")
    }

    #[expect(clippy::print_stdout, reason = "the command's own output")]
    fn is_noticed(&self, place: &Mutex<Place>, mine: &Path, tests: &str, mutation: Option<&Mutation>) -> bool {
        let built = {
            let place = place.lock().expect("nobody panics with it");
            // The next one is built to where this one lies. A copy would be open for writing while others are started.
            self.build(&place, tests, mutation).map(|program| std::fs::rename(program, mine).expect("it can be moved"))
        };
        let tried = built.map(|()| {
            let mut command = Command::new(mine);
            // That a test fails is enough, without the smallest case.
            // What is whole is tried by the tests themselves: here it is enough that they run at all where they were copied to.
            let worlds = if mutation.is_some() { self.worlds } else { "600" };
            command.env_remove("SEED").env("WORLDS", worlds).env("RUST_BACKTRACE", "0").env("PROPTEST_MAX_SHRINK_ITERS", "0");
            command.current_dir(root().join("target/mutations").join(self.name).join(self.source).parent().expect("a crate"));
            tried(&mut command)
        });
        let (verdict, wanted) = match tried {
            Ok(Tried::NoEnd) => ("NO END  ", false),
            Ok(Tried::Passed) => (if mutation.is_some() { "SURVIVES" } else { "holds   " }, mutation.is_none()),
            Ok(Tried::Failed) => (if mutation.is_some() { "caught  " } else { "FAILS   " }, mutation.is_some()),
            Err(why) => (why, false),
        };
        match mutation {
            Some(Mutation { what, file, .. }) => println!("{verdict}  {what} ({file}, by the {tests})"),
            None => println!("{verdict}  the {} as it is, by the {tests}", self.name),
        }
        wanted
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it lies in the workspace")
}

/// Shows what the compiler has against it.
#[expect(clippy::print_stderr, reason = "the command's own output")]
fn say_why(messages: &str, errors: &[u8]) {
    for line in messages.lines() {
        let message = &serde_json::from_str::<Value>(line).unwrap_or_default()["message"];
        if message["level"] == "error" {
            eprint!("{}", message["rendered"].as_str().unwrap_or_default());
        }
    }
    eprint!("{}", String::from_utf8_lossy(errors));
}

/// Runs tests until the first of them fails: the others would say nothing more.
fn tried(tests: &mut Command) -> Tried {
    let mut running = tests.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let said = running.stdout.take().expect("it is piped");
    let (failed, heard) = channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        if lines.any(|line| line.starts_with("test ") && line.ends_with("FAILED")) {
            // Whoever listens may have given up.
            let _ = failed.send(());
        }
    });
    let tried = match heard.recv_timeout(TRIAL_MAX) {
        Ok(()) => Tried::Failed,
        Err(RecvTimeoutError::Timeout) => Tried::NoEnd,
        // It has said all: it may have ended badly all the same.
        Err(RecvTimeoutError::Disconnected) => match running.wait() {
            Ok(status) if status.success() => return Tried::Passed,
            _ => return Tried::Failed,
        },
    };
    // It may have ended by itself meanwhile.
    let _ = running.kill();
    let _ = running.wait();
    tried
}

/// A workspace of those members alone, with the versions of ours.
fn workspace_of(members: &str, root: &Path, copy: &Path) {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the workspace's manifest");
    let lines = manifest.lines().map(|line| if line.starts_with("members") { members } else { line });
    std::fs::create_dir_all(copy.join("host")).expect("a folder");
    std::fs::write(copy.join("Cargo.toml"), lines.collect::<Vec<_>>().join("\n")).expect("a manifest");
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
