//! Guests that take all they can get, in numbers, beside an open load of greetings that does not notice.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use wf_tests::wasm::Module;
use wf_tests::{Client, Serve, Server, artifacts, until};

/// Between two greetings: fifty a second.
const EVERY: Duration = Duration::from_millis(20);
/// Greetings in one window.
const GREETINGS: usize = 60;
/// What guests may add to the slowest: three ticks of the epoch.
const NOTICED: Duration = Duration::from_millis(30);
/// How often a case is tried, each time beside a window without guests right before it: the machine may be busy with
/// something else.
const WINDOWS: usize = 6;
/// Requests under way while copies begin and end.
const AT_ONCE: usize = 16;

/// What all guests together may have, in MiB, of which one workflow has no more than half; and what the host has beside
/// that for as many as have a turn: stacks, and what it keeps of each run.
const BUDGET: u64 = 256;
const BESIDE: u64 = 64;

/// What is measured is not measured beside another test.
static ALONE: Mutex<()> = Mutex::const_new(());

/// How an open load fared.
struct Window {
    p50: Duration,
    p99: Duration,
    errors: usize,
}

/// Greets at a fixed rate, however long the answers take.
async fn greet(client: &Client) -> Window {
    let mut greetings = JoinSet::new();
    let mut rate = tokio::time::interval(EVERY);
    for _ in 0..GREETINGS {
        rate.tick().await;
        let client = client.clone();
        greetings.spawn(async move {
            let begun = Instant::now();
            let body = r#"{"start_event":{"name":"Ada"}}"#;
            let answer = client.attempt("POST", "/workflows/greeting/run", &[], body).await;
            let greeted = answer.is_some_and(|answer| answer.status == 200 && answer.result() == "Hello, Ada!");
            (begun.elapsed(), greeted)
        });
    }
    let told = greetings.join_all().await;
    let errors = told.iter().filter(|(_, greeted)| !greeted).count();
    let mut took: Vec<Duration> = told.into_iter().map(|(took, _)| took).collect();
    took.sort_unstable();
    Window { p50: took[took.len() / 2], p99: took[(took.len() * 99).div_ceil(100) - 1], errors }
}

/// One server, with a guest that has this fault at 1, 64 and 510 copies.
async fn beside(server: &Server, workflow: &str, fault: &str) {
    let start = format!(r#"{{"fault":"{fault}"}}"#);
    for copies in [1, 64, 510] {
        let mut tried = Vec::new();
        while tried.len() < WINDOWS && !tried.last().is_some_and(|(without, with)| unnoticed(without, with)) {
            let without = greet(server).await;
            let begin = stream::iter(0..copies).map(|_| server.begin(workflow, &start)).buffer_unordered(AT_ONCE).collect();
            let (beginning, handlers): (Window, Vec<String>) = tokio::join!(greet(server), begin);
            assert_eq!(beginning.errors, 0, "{fault} at {copies} while they begin");
            let with = greet(server).await;
            assert_eq!(with.errors, 0, "{fault} at {copies}");
            tried.push((without, with));
            stream::iter(&handlers)
                .for_each_concurrent(AT_ONCE, async |handler| {
                    // One that has ended by itself is as good.
                    server.post(&format!("/handlers/{handler}/cancel"), "").await;
                    server.ended(handler).await;
                })
                .await;
        }
        let (without, with) = tried.last().expect("one window at least");
        show(fault, copies, without, with);
        assert!(unnoticed(without, with), "{fault} at {copies}: {:?} instead of {:?}, {WINDOWS} times", with.p99, without.p99);
    }
}

/// A component of four memories that computes for ever.
fn memories(folder: &TempDir) -> String {
    let path = folder.path().join("memories.wasm");
    let module = Module { invoke: "(loop (br 0)) unreachable", further: "(memory 1)".repeat(3), ..Module::sound("memories") };
    std::fs::write(&path, module.binary()).expect("writable");
    path.display().to_string()
}

/// Every copy comes to an end of its own, within its limits, and whoever greets meanwhile is greeted. All of them
/// together take no more of the machine's memory than they may, and what their runs are.
#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_guest_ends_by_itself() {
    let _alone = ALONE.lock().await;
    let total = BUDGET.to_string();
    let limits = ["--executing-max", "0.05", "--entry-max", "1", "--memory-max", "16", "--memory-total-max", &total];
    let folder = tempfile::tempdir().expect("a temporary directory");
    for fault in ["spin", "sleep", "nap", "grow", "http", "handles", "polls", "random", "write", "memories"] {
        let mut serve = Serve::guests(&["hostile", "greeting"]).with(&limits);
        serve.paths.push(memories(&folder));
        let server = serve.start().await;
        let before = server.memory_max();
        let workflow = if fault == "memories" { fault } else { "hostile" };
        let start = format!(r#"{{"fault":"{fault}"}}"#);
        for copies in [1, 64, 510] {
            let handlers: Vec<String> =
                stream::iter(0..copies).map(|_| server.begin(workflow, &start)).buffer_unordered(AT_ONCE).collect().await;
            let expected = if fault == "http" { "completed" } else { "failed" };
            for handler in &handlers {
                let ended = server.ended(handler).await;
                let status = ended.text("status");
                assert!(status == expected || fault == "http" && status == "failed", "{fault} at {copies}: {ended:?}");
            }
            assert_eq!(server.run("greeting", r#"{"name":"Ada"}"#).await.result(), "Hello, Ada!", "{fault} at {copies}");
            let running = server.get("/handlers?status=running&limit=1").await.json();
            assert_eq!(running["handlers"].as_array().map(Vec::len), Some(0), "{fault} at {copies}");
            let grown = (server.memory_max() - before) >> 20;
            show_memory(fault, copies, grown);
            assert!(grown < BUDGET / 2 + BESIDE, "{fault} at {copies}: {grown} MiB more");
        }
    }
}

/// Another component than all before it: a section of its own at the end, with a name and a number.
fn distinct(bytes: &[u8]) -> Vec<u8> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    [bytes, &[0, 6, 1, b'n'], &number.to_le_bytes()].concat()
}

/// A folder that is served, with a workflow that greets, and files that come and go.
struct Files {
    folder: TempDir,
    server: Server,
}

impl Files {
    async fn serve(arguments: &[&str]) -> Files {
        let folder = tempfile::tempdir().expect("a temporary directory");
        std::fs::copy(artifacts::guest("greeting"), folder.path().join("greeting.wasm")).expect("copied");
        let serve = Serve { paths: vec![folder.path().display().to_string()], ..Serve::default() };
        Files { server: serve.anew().with(arguments).start().await, folder }
    }

    /// So many, each another.
    async fn come(&self, bytes: &[u8], copies: usize) {
        for copy in 0..copies {
            std::fs::write(self.folder.path().join(format!("hurts-{copy}.wasm")), distinct(bytes)).expect("writable");
        }
        until("the first of them", async || (!self.server.children().is_empty()).then_some(())).await;
    }

    async fn go(&self, copies: usize) {
        for copy in 0..copies {
            std::fs::remove_file(self.folder.path().join(format!("hurts-{copy}.wasm"))).expect("removed");
        }
        until("nobody to compile them", async || self.server.children().is_empty().then_some(())).await;
    }
}

/// One that compiles for a second or more, in much memory, and one that sleeps while it says what it is. They are small:
/// what the disk has to write for them is not measured.
fn hurtful() -> [(&'static str, Vec<u8>); 2] {
    let sleeps = std::fs::read(artifacts::guest("describe-sleep")).expect("readable");
    [("compile", Module::laborious("laborious", 1).binary()), ("describe", sleeps)]
}

/// Prints what loading them did to the greetings.
#[tokio::test(flavor = "multi_thread")]
async fn no_file_hurts_a_neighbour() {
    let _alone = ALONE.lock().await;
    for (fault, bytes) in hurtful() {
        let files = Files::serve(&[]).await;
        for copies in [1, 64, 510] {
            let mut tried = Vec::new();
            while tried.len() < WINDOWS && !tried.last().is_some_and(|(without, with)| unnoticed(without, with)) {
                let without = greet(&files.server).await;
                files.come(&bytes, copies).await;
                let with = greet(&files.server).await;
                assert_eq!(with.errors, 0, "{fault} at {copies}");
                tried.push((without, with));
                files.go(copies).await;
            }
            let (without, with) = tried.last().expect("one window at least");
            show(fault, copies, without, with);
            assert!(unnoticed(without, with), "{fault} at {copies}: {:?} instead of {:?}, {WINDOWS} times", with.p99, without.p99);
        }
    }
}

/// More files than take seconds: `COPIES=510 cargo test … every_hurtful_file_is_refused` waits minutes for as many.
fn copies() -> impl Iterator<Item = usize> {
    [1, 64].into_iter().chain(std::env::var("COPIES").ok().map(|copies| copies.parse().expect("a number")))
}

/// Each is refused, however many there are; no one waits for that who greets.
#[tokio::test(flavor = "multi_thread")]
async fn every_hurtful_file_is_refused() {
    let _alone = ALONE.lock().await;
    let limits = ["--compile-memory-max", "96"];
    for ((_, bytes), why) in hurtful().iter().zip(["(limit compile_memory_max)", "its `describe` sleeps"]) {
        let (files, mut refused) = (Files::serve(&limits).await, 0);
        for copies in copies() {
            files.come(bytes, copies).await;
            let all = refused + copies;
            while refused < all {
                let before = refused;
                assert_eq!(files.server.run("greeting", r#"{"name":"Ada"}"#).await.result(), "Hello, Ada!", "{why} at {copies}");
                refused = until("one more to be refused", async || {
                    let refused = files.server.log().matches(why).count();
                    (refused > before).then_some(refused)
                })
                .await;
            }
            files.go(copies).await;
        }
    }
}

/// Whether the slowest greetings took no longer than they may beside guests.
fn unnoticed(without: &Window, with: &Window) -> bool {
    with.p99 <= without.p99 + NOTICED
}

#[expect(clippy::print_stdout, reason = "the table is what `--nocapture` shows")]
fn show(fault: &str, copies: usize, without: &Window, with: &Window) {
    let Window { p50, p99, errors } = with;
    println!(
        "{fault:>10} × {copies:<3}  without: p50 {:>9.1?} p99 {:>9.1?}  with: p50 {p50:>9.1?} p99 {p99:>9.1?} errors {errors}",
        without.p50, without.p99
    );
}

#[expect(clippy::print_stdout, reason = "the table is what `--nocapture` shows")]
fn show_memory(fault: &str, copies: usize, grown: u64) {
    println!("{fault:>10} × {copies:<3}  {grown} MiB more");
}

/// Prints what each of them did to the greetings.
#[tokio::test(flavor = "multi_thread")]
async fn no_guest_hurts_a_neighbour() {
    let _alone = ALONE.lock().await;
    for fault in ["spin", "sleep", "nap", "grow", "http", "handles", "polls", "random", "write"] {
        let server = Server::start(&["hostile", "greeting"]).await;
        beside(&server, "hostile", fault).await;
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut serve = Serve::guests(&["greeting"]);
    serve.paths.push(memories(&folder));
    beside(&serve.start().await, "memories", "memories").await;
}
