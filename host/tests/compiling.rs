//! Compiling in processes of their own: how many, and what they may take.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use wf_host::config::Config;
use wf_host::host::Host;
use wf_host::model::Limits;
use wf_host::registry::Source;
use wf_host::runtime::{Compiler, LoadError, Options, Runtime};
use wf_host::store::Memory;
use wf_tests::wasm::Module;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wf-host");

fn runtime(compiler: impl Into<PathBuf>, cache: Option<&Path>, limits: Limits) -> Runtime {
    let compiler = Compiler::Child(compiler.into());
    let options = Options { cache_dir: cache.map(Into::into), compiler, threads: None, limits: Limits { instances_max: 4, ..limits } };
    Runtime::new(options).expect("a runtime")
}

/// The program, and a file in which each of its processes leaves a line that says what it makes.
struct Counted {
    folder: tempfile::TempDir,
}

impl Counted {
    fn new() -> Counted {
        let counted = Counted { folder: tempfile::tempdir().expect("a folder") };
        let script = format!(
            "#!/bin/sh\ncase $2 in --encode) echo encode;; *) echo compile;; esac >> {}\nexec {PROGRAM} \"$@\"\n",
            counted.log().display()
        );
        // Written by another process: one that this one starts meanwhile would hold it open, and nobody could run it.
        let write = ["-c", r#"printf %s "$1" > "$2" && chmod +x "$2""#, "sh", &script];
        let status = Command::new("sh").args(write).arg(counted.program()).status().expect("there is a shell");
        assert!(status.success(), "it is written");
        counted
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("wf-host")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn made(&self, what: &str) -> usize {
        std::fs::read_to_string(self.log()).unwrap_or_default().lines().filter(|it| *it == what).count()
    }
}

/// Twenty files, each as a workflow of its own name.
fn twenty(folder: &Path, bytes: impl Fn(usize) -> Vec<u8>) -> Vec<Source> {
    let source = |number| {
        let path = folder.join(format!("{number}.wasm"));
        std::fs::write(&path, bytes(number)).expect("writable");
        Source { name: Some(format!("name-{number}")), files: vec![path] }
    };
    (0..20).map(source).collect()
}

#[tokio::test]
async fn what_cannot_be_compiled_is_tried_once_for_all_who_wait() {
    let (files, counted) = (tempfile::tempdir().expect("a folder"), Counted::new());
    let laborious = Module::laborious("laborious", 10).binary();
    let sources = twenty(files.path(), |_| laborious.clone());
    let limits = Limits { compile_max: Duration::from_secs(1), ..Limits::default() };
    let host = Host::open(Arc::new(Memory::default()), runtime(counted.program(), None, limits), Config::default());
    let host = host.await.expect("it opens");
    let tried = futures_util::future::join_all(sources.iter().map(|source| host.load(source))).await;
    assert!(tried.iter().all(Result::is_err));
    assert_eq!(counted.made("compile"), 1);
    host.load(&sources[0]).await.map(|_| "it loads").expect_err("a limit");
    assert_eq!(counted.made("compile"), 2, "whoever comes later tries again");
}

async fn load_all(runtime: Runtime, sources: &[Source]) {
    let host = Host::open(Arc::new(Memory::default()), runtime, Config::default()).await.expect("it opens");
    let loading = sources.iter().map(|source| host.load(source));
    for loaded in futures_util::future::join_all(loading).await {
        loaded.expect("it loads");
    }
}

#[tokio::test]
async fn what_twenty_ask_for_at_once_is_compiled_once() {
    let (files, counted) = (tempfile::tempdir().expect("a folder"), Counted::new());
    let sources = twenty(files.path(), |_| Module::sound("same").binary());
    load_all(runtime(counted.program(), None, Limits::default()), &sources).await;
    assert_eq!(counted.made("compile"), 1);
}

#[tokio::test]
async fn what_is_kept_needs_no_compiler() {
    let (files, cache, counted) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"), Counted::new());
    let sources = twenty(files.path(), |number| Module::sound(&format!("one-{number}")).binary());
    load_all(runtime(counted.program(), Some(cache.path()), Limits::default()), &sources).await;
    assert_eq!((counted.made("encode"), counted.made("compile")), (20, 20));
    load_all(runtime(counted.program(), Some(cache.path()), Limits::default()), &sources).await;
    assert_eq!((counted.made("encode"), counted.made("compile")), (20, 20), "none is made again");
}

async fn error(program: &str, limits: Limits, bytes: Vec<u8>) -> LoadError {
    runtime(program, None, limits).load(bytes).await.map(|_| "it loads").expect_err("a limit")
}

fn shows(error: &LoadError, expect: &Expect) {
    expect.assert_eq(&format!("{error}\n{}", error.hint()));
}

#[tokio::test]
async fn compiling_has_limits() {
    let laborious = Module::laborious("laborious", 10).binary();
    let limits = Limits { compile_max: Duration::from_secs(1), ..Limits::default() };
    shows(
        &error(PROGRAM, limits, laborious.clone()).await,
        &expect![[r#"
        compiling it took more than 1s (limit compile_max)
        split large functions, or raise the limit"#]],
    );
    let limits = Limits { compile_memory_max: 64 << 20, ..Limits::default() };
    shows(
        &error(PROGRAM, limits, laborious.clone()).await,
        &expect![[r#"
        compiling it needed more than 64 MiB (limit compile_memory_max)
        split large functions, or raise the limit"#]],
    );
    let limits = Limits { component_max: 20 << 10, ..Limits::default() };
    shows(
        &error(PROGRAM, limits, laborious).await,
        &expect![[r#"
        it has more than 20480 bytes (limit component_max)
        leave out what it does not need"#]],
    );
}

#[tokio::test]
async fn what_is_made_has_a_limit() {
    // Eight pages of memory and little else, but the code of a component has tables of its own.
    let module = Module::sound("sound").binary();
    let limits = Limits { component_max: module.len() as u64, ..Limits::default() };
    let error = error(PROGRAM, limits, module.clone()).await;
    let message = format!("what is made of it has more than {} bytes (four times component_max)", 4 * module.len());
    assert_eq!(error.to_string(), message);
}

/// More than a pipe holds, of one that would go on for ever: nobody reads the rest, and it ends.
#[tokio::test]
async fn who_writes_without_end_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("endless");
    let write = ["-c", r#"printf '#!/bin/sh\nexec /usr/bin/yes\n' > "$1" && chmod +x "$1""#, "sh"];
    assert!(Command::new("sh").args(write).arg(&script).status().expect("there is a shell").success());
    let limits = Limits { component_max: 64 << 10, ..Limits::default() };
    let refused = error(script.to_str().expect("text"), limits, Module::sound("sound").binary());
    let refused = tokio::time::timeout(Duration::from_secs(20), refused).await.expect("it is not waited for");
    assert!(refused.to_string().starts_with("what is made of it has more than 262144 bytes"), "{refused}");
}

#[tokio::test]
async fn a_compiler_that_fails_says_how() {
    let sound = || Module::sound("sound").binary();
    shows(
        &error("/nowhere/wf-host", Limits::default(), sound()).await,
        &expect![[r#"
        it could not be compiled, because the compiler's process failed: No such file or directory (os error 2)
        see whether the machine has memory and processes left, and try again"#]],
    );
    shows(
        &error("/bin/false", Limits::default(), sound()).await,
        &expect![[r#"
        it could not be compiled, because the compiler's process failed: exit status: 1; it said nothing
        see whether the machine has memory and processes left, and try again"#]],
    );
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("killed");
    let write = ["-c", r#"printf '#!/bin/sh\necho oh no >&2\nkill -9 $$\n' > "$1" && chmod +x "$1""#, "sh"];
    assert!(Command::new("sh").args(write).arg(&script).status().expect("there is a shell").success());
    shows(
        &error(script.to_str().expect("text"), Limits::default(), sound()).await,
        &expect![[r#"
        it could not be compiled, because the compiler's process failed: signal: 9 (SIGKILL); oh no
        see whether the machine has memory and processes left, and try again"#]],
    );
}
