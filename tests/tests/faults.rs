//! Guests that trap, hang, grow and flood, beside runs that do not notice.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use serde_json::json;
use wf_tests::artifacts::{cache, tool};
use wf_tests::wasm::{Module, debug_info, traced};
use wf_tests::{Serve, Server, until};

/// Runs a misbehaving workflow while others work; gives its error.
async fn failure(guest: &str) -> String {
    let server = Server::start(&[guest, "fanout", "slow"]).await;
    let beside = (server.begin("slow", r#"{"seconds":1.5}"#).await, server.begin("fanout", r#"{"n":40}"#).await);
    let handler = server.begin(guest, "{}").await;
    // They work while the other one misbehaves.
    assert_eq!(server.run("fanout", r#"{"n":5}"#).await.result(), json!([0, 1, 4, 9, 16]));
    let ended = server.ended(&handler).await;
    assert_eq!(ended.text("status"), "failed", "{ended:?}");
    assert_eq!(server.ended(&beside.0).await.result(), "slept 1.5");
    let squares: Vec<u64> = (0..40).map(|it| it * it).collect();
    assert_eq!(server.ended(&beside.1).await.result(), json!(squares));
    // And it can be done again.
    let again = server.begin(guest, "{}").await;
    assert_eq!(server.ended(&again).await.text("error"), ended.text("error"));
    assert_eq!(server.get("/health").await.status, 200);
    ended.text("error")
}

#[tokio::test]
async fn a_trap_ends_with_the_message_of_the_guest() {
    assert_eq!(failure("trap").await, "it broke");
}

#[tokio::test]
async fn a_step_that_never_returns_times_out() {
    assert_eq!(failure("spin").await, "step `spin` timed out");
}

#[tokio::test]
async fn memory_is_limited() {
    assert_eq!(failure("grow").await, "the memory limit of 256 MiB was exceeded");
}

#[tokio::test]
async fn the_stack_is_limited() {
    assert_eq!(failure("recurse").await, "the stack limit of 1024 KiB was exceeded");
}

#[tokio::test]
async fn events_are_limited() {
    assert_eq!(failure("flood").await, "the step sent more than 10000 events (limit events_max)");
}

#[tokio::test]
async fn the_state_is_limited() {
    assert_eq!(failure("hoard").await, "the state is longer than 16777216 bytes (limit state_max)");
}

#[tokio::test]
async fn the_log_is_limited() {
    let server = Server::start(&["chatty"]).await;
    let ended = server.run("chatty", "{}").await;
    assert_eq!(ended.result(), "said", "{ended:?}");
    let lines = server.get(&format!("/api/v1/runs/{}/logs", ended.run())).await.json();
    let lines = lines["logs"].as_array().expect("a list of lines");
    let written: usize = lines.iter().map(|line| line["message"].as_str().map_or(0, str::len)).sum();
    assert!((900_000..=1 << 20).contains(&written), "{written} bytes were kept");
}

#[tokio::test]
async fn ten_thousand_published_events_are_read_in_order() {
    let server = Server::start(&["publish-10000"]).await;
    let handler = server.begin("publish-10000", "{}").await;
    let frames = server.events(&handler, "").await.rest().await;
    assert_eq!(frames.len(), 10_001);
    for (place, frame) in frames[..10_000].iter().enumerate() {
        assert_eq!(frame.json()["value"]["sequence"], place, "{frame:?}");
    }
    assert_eq!(server.ended(&handler).await.result(), "published");
}

/// So many runs of a neighbour end at least while one that is heavy goes on: where it is held up, one or two do.
const NEIGHBOURS_MIN: usize = 5;

/// A guest that publishes 800 MB waits for the store: what is not written yet is never all in memory.
#[tokio::test(flavor = "multi_thread")]
async fn who_publishes_faster_than_the_disk_writes_waits() {
    let server = Server::start(&["torrent", "greeting"]).await;
    let handler = server.begin("torrent", r#"{"events":400,"bytes":2000000}"#).await;
    let path = format!("/handlers/{handler}");
    let mut neighbours = 0;
    while server.get(&path).await.status == 202 {
        assert_eq!(server.run("greeting", "{}").await.status, 200);
        neighbours += 1;
    }
    assert_eq!(server.ended(&handler).await.result(), 400);
    assert!(neighbours >= NEIGHBOURS_MIN, "{neighbours} runs of a neighbour meanwhile");
    let megabytes = server.memory_max() / 1_000_000;
    assert!(megabytes < 500, "{megabytes} MB");
}

/// Completed runs whose results have 3.5 MB each, none like another; ten go on at once.
async fn large_runs(server: &Server, count: usize) {
    let name = "x".repeat(3_500_000);
    let run = async |number: usize| server.run("greeting", &format!(r#"{{"name":"{number}{name}"}}"#)).await.status;
    let ended: Vec<u16> = stream::iter((0..count).map(run)).buffer_unordered(10).collect().await;
    assert_eq!(ended, vec![200; count]);
}

/// Sixty, which have once made everybody slow.
#[tokio::test(flavor = "multi_thread")]
async fn runs_with_large_values_hold_up_no_neighbour() {
    let server = Server::start(&["greeting", "fanout"]).await;
    let over = AtomicBool::new(false);
    let large = async {
        large_runs(&server, 60).await;
        over.store(true, Ordering::Release);
    };
    let neighbour = async {
        let mut runs = 0;
        while !over.load(Ordering::Acquire) {
            assert_eq!(server.run("fanout", r#"{"n":5}"#).await.result(), json!([0, 1, 4, 9, 16]));
            runs += 1;
        }
        runs
    };
    let ((), runs) = tokio::join!(large, neighbour);
    assert!(runs >= NEIGHBOURS_MIN, "{runs} runs of a neighbour meanwhile");
}

/// 210 MB of results are read and sent in parts: some 40 to 120 MB, however many there are.
#[tokio::test]
async fn a_list_of_large_results_is_never_all_in_memory() {
    let mut server = Server::start(&["greeting"]).await;
    large_runs(&server, 60).await;
    // What runs have taken does not count.
    server.stop();
    server.restart().await;
    assert_eq!(server.run("greeting", "{}").await.status, 200);
    let before = server.memory_max();
    let listed = server.get("/handlers").await;
    assert!(listed.body.len() > 60 * 3_500_000, "all are there");
    let megabytes = (server.memory_max() - before) / 1_000_000;
    assert!(megabytes < 150, "{megabytes} MB for a list");
}

#[tokio::test]
async fn nothing_is_granted() {
    let server = Server::start(&["ask"]).await;
    let told = server.run("ask", "{}").await.result();
    assert_ne!(told["file"], "granted");
    assert_ne!(told["network"], "granted");
    assert_eq!(told["variables"], json!([]));
    let network = told["network"].as_str().expect("a text");
    assert!(network.to_lowercase().contains("denied"), "what is not granted says so: {network}");
    let http = told["http"].as_str().expect("a text");
    assert!(http.contains("InternalError") && http.contains("add `allow_http = ["), "`wasi:http` links, and names the grant: {http}");
}

#[tokio::test]
async fn a_sleep_through_wasi_moves_the_derived_clock() {
    let server = Server::start(&["wasi-sleep"]).await;
    let moved = server.run("wasi-sleep", "{}").await.result();
    for clock in ["monotonic", "wall"] {
        let milliseconds = moved[clock].as_u64().expect("a number");
        assert!((200..210).contains(&milliseconds), "{clock} moved by {milliseconds} ms, of the derived clock");
    }
}

#[tokio::test]
async fn computing_is_limited() {
    let server = Serve::guests(&["busy"]).with(&["--executing-max", "0.5"]).start().await;
    let ended = server.run("busy", "{}").await;
    assert_eq!(ended.text("error"), "step `work` computed for more than 500ms", "{ended:?}");
}

/// Computes for two billion rounds of nothing, a second or so, and ends with what it is given.
fn diligent(timeout: &str) -> Vec<u8> {
    const WORK: &str = "(local $left i32) (local.set $left (i32.const 2000000000))
        (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))";
    let step = format!(r#"{{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"],"timeout":{timeout}}}"#);
    let module = Module::echoing(&format!(r#"{{"name":"diligent","steps":[{step}]}}"#));
    Module { invoke: format!("{WORK} {}", module.invoke).leak(), ..module }.binary()
}

/// What a step may take is counted in what it computes: on a machine that stands still for longer it is as healthy as before.
#[tokio::test]
async fn a_machine_that_stands_still_kills_no_healthy_step() {
    let stands_still = Duration::from_secs(6);
    for (timeout, arguments) in [("null", ["--executing-max", "5"]), ("5", ["--executing-max", "30"]), ("null", ["--entry-max", "5"])] {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("diligent.wasm");
        std::fs::write(&path, diligent(timeout)).expect("writable");
        let server = Serve { paths: vec![path.display().to_string()], ..Serve::default() }.with(&arguments).start().await;
        let handler = server.begin("diligent", r#"{"result":"done"}"#).await;
        server.events(&handler, "include_internal=true").await.until("StepStateChanged").await;
        server.pause();
        let begun = Instant::now();
        until("the machine to have stood still", async || (begun.elapsed() > stands_still).then_some(())).await;
        server.resume();
        assert_eq!(server.get(&format!("/handlers/{handler}")).await.status, 202, "it was not over before");
        let ended = server.ended(&handler).await;
        assert_eq!(ended.text("status"), "completed", "{timeout} {arguments:?}: {ended:?}");
    }
}

/// How a run of the guest that has every fault ends.
async fn hostile(fault: &str, arguments: &[&str]) -> String {
    let server = Serve::guests(&["hostile", "greeting"]).with(arguments).start().await;
    let handler = server.begin("hostile", &format!(r#"{{"fault":"{fault}"}}"#)).await;
    assert_eq!(server.run("greeting", "{}").await.result(), "Hello, World!");
    let ended = server.ended(&handler).await;
    assert_eq!(ended.text("status"), "failed", "{ended:?}");
    assert_eq!(server.run("greeting", "{}").await.result(), "Hello, World!");
    let megabytes = server.memory_max() / 1_000_000;
    assert!(megabytes < 1000, "{fault}: {megabytes} MB");
    ended.text("error")
}

#[tokio::test]
async fn a_long_sleep_through_wasi_is_refused_and_the_durable_one_is_named() {
    assert_eq!(
        hostile("sleep", &[]).await,
        "step `hurt` sleeps for a second or more in a way that keeps its instance: use the `sleep` of the SDK's context, which is durable"
    );
}

#[tokio::test]
async fn short_sleeps_through_wasi_come_to_an_end() {
    assert_eq!(
        hostile("nap", &["--entry-max", "1.5"]).await,
        "step `hurt` computed, slept and waited for the host for more than 1.5s in all (limit entry_max)"
    );
}

/// What an entry may take by the clock is counted while its host runs: where the machine stands still for longer it goes on.
#[tokio::test]
async fn a_machine_that_stands_still_ends_nobody_who_sleeps() {
    let server = Serve::guests(&["hostile"]).with(&["--entry-max", "5"]).start().await;
    let handler = server.begin("hostile", r#"{"fault":"nap"}"#).await;
    server.events(&handler, "include_internal=true").await.until("StepStateChanged").await;
    let begun = Instant::now();
    server.pause();
    until("the machine to have stood still", async || (begun.elapsed() > Duration::from_secs(6)).then_some(())).await;
    server.resume();
    let resumed = Instant::now();
    assert_eq!(server.ended(&handler).await.text("status"), "failed");
    // It had more than four of its five seconds left.
    assert!(resumed.elapsed() > Duration::from_secs(3), "{:?}", resumed.elapsed());
}

#[tokio::test]
async fn handles_of_wasi_are_limited() {
    for fault in ["handles", "polls"] {
        assert_eq!(hostile(fault, &[]).await, "an instance has no more than 1024 of WASI's handles", "{fault}");
    }
}

#[tokio::test]
async fn what_one_call_of_wasi_gives_or_takes_is_limited() {
    assert_eq!(hostile("random", &[]).await, "requested len 67108864 exceeds limit 1048576");
    assert_eq!(hostile("write", &[]).await, "it wrote more at once than `check-write` allows");
}

#[tokio::test]
async fn memory_of_all_guests_together_is_limited() {
    let error = hostile("grow", &["--memory-total-max", "64"]).await;
    assert_eq!(error, "all workflows together have used up their 64 MiB of memory (limit memory_total_max)");
}

#[tokio::test]
async fn requests_that_are_made_ready_and_never_leave_are_limited() {
    let server = Server::start(&["hostile"]).await;
    let before = server.memory_max();
    let ended = server.run("hostile", r#"{"fault":"http"}"#).await;
    let error = "the requests of `wasi:http` that a step makes ready hold more than 2097152 bytes (limit wasi_http_max)";
    assert_eq!(ended.text("error"), error, "{ended:?}");
    let megabytes = (server.memory_max() - before) / 1_000_000;
    assert!(megabytes < 50, "{megabytes} MB for headers of requests that nobody makes");
}

/// A memory of 200 MiB, and another one.
#[tokio::test]
async fn memories_of_one_instance_count_together() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("two.wasm");
    let grow = "(if (i32.eq (memory.grow 0 (i32.const 3200)) (i32.const -1)) (then unreachable))
        (if (i32.eq (memory.grow 1 (i32.const 3200)) (i32.const -1)) (then unreachable))
        (i32.const 28672)";
    let module = Module { invoke: grow, further: "(memory 1)".to_owned(), ..Module::sound("two") };
    std::fs::write(&path, module.binary()).expect("writable");
    let server = Serve { paths: vec![path.display().to_string()], ..Serve::default() }.start().await;
    assert_eq!(server.run("two", "{}").await.text("error"), "the memory limit of 256 MiB was exceeded");
}

#[tokio::test]
async fn a_trap_keeps_its_backtrace() {
    let server = Server::start(&["trap"]).await;
    let handler = server.begin("trap", r#"{"message":"of its own"}"#).await;
    let ended = server.ended(&handler).await;
    assert_eq!(ended.text("error"), "of its own");
    let logs = server.get(&format!("/api/v1/runs/{}/logs", ended.run())).await.json();
    let failure = logs["logs"].as_array().and_then(|lines| lines.iter().find(|it| it["source"] == "failure")).expect("how it ended");
    assert_eq!((&failure["message"], &failure["fields"]["kind"]), (&json!("of its own"), &json!("panic")), "{failure}");
    let trace = failure["fields"]["trace"].as_str().unwrap_or_default();
    assert!(trace.starts_with("panicked at rust/trap/src/lib.rs:11:9\n"), "where it was in its source: {failure}");
    assert!(trace.contains("panic"), "the guest's functions by name: {failure}");
}

/// The backtrace of the failure of a workflow in this file.
async fn trace_of(file: &Path) -> String {
    let server = Serve { paths: vec![file.display().to_string()], ..Serve::default() }.start().await;
    let failed = server.run(file.file_stem().and_then(|it| it.to_str()).expect("a name"), "{}").await;
    let history = server.get(&format!("/api/v1/runs/{}/history", failed.run())).await.json();
    history["invocations"][0]["failures"][0]["trace"].as_str().unwrap_or_else(|| panic!("a trace: {history}")).to_owned()
}

#[tokio::test]
async fn a_trap_is_told_with_the_line_of_its_source_where_the_component_brings_it() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let trace = async |name: &str, debug: &[u8]| {
        let path = folder.path().join(format!("{name}.wasm"));
        std::fs::write(&path, traced(name, debug)).expect("writable");
        trace_of(&path).await
    };
    let told = trace("traced", &debug_info()).await;
    assert!(told.contains("\n           at /author/flow.c:7:9"), "{told}");
    // What cannot be read, or is too much, is as if it was not there.
    for (name, debug) in [("damaged", vec![0xff, 0, 1]), ("heavy", vec![0; 17 << 20])] {
        let told = trace(name, &debug).await;
        assert!(told.starts_with("error while executing at wasm backtrace:") && !told.contains("flow.c"), "{told}");
    }
}

/// A step that divides by zero, two calls deep.
const DIVIDES: &str = r#"
#define EXPORT(name) __attribute__((export_name(name)))

static char heap[65536];
static unsigned next;

EXPORT("cabi_realloc") void *make_room(void *old, unsigned was, unsigned align, unsigned size) {
  void *at = heap + next;
  next += (size + 15) & ~15u;
  return at;
}

static const char manifest[] = "{\"name\":\"flow\",\"steps\":[{\"name\":\"only\",\"accepts\":[\"StartEvent\"],\"emits\":[\"StopEvent\"]}]}";
static struct { const char *text; unsigned length; } described = {manifest, sizeof manifest - 1};

EXPORT("wf:workflow/steps@0.1.0#describe") void *describe(void) { return &described; }

__attribute__((noinline)) static int share(int whole, int parts) {
  return whole / parts; // fails here
}

EXPORT("wf:workflow/steps@0.1.0#invoke") int invoke(char *step, unsigned length, void *events, unsigned count) {
  return share(100, (int)count - 1);
}
"#;

#[tokio::test]
async fn a_trap_is_told_with_its_line_as_a_compiler_says_it() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (source, built) = (folder.path().join("flow.c"), folder.path().join("flow.wasm"));
    std::fs::write(&source, DIVIDES).expect("writable");
    let mut compiler = Command::new(tool("c", "bin/python"));
    compiler.args(["-m", "ziglang", "cc", "-target", "wasm32-freestanding", "-O1", "-g", "-nostdlib", "-Wl,--no-entry", "-o"]);
    compiler.arg(&built).arg(&source).current_dir(folder.path());
    for name in ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"] {
        compiler.env(name, cache().join("c/cache"));
    }
    let output = compiler.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = DIVIDES.lines().position(|it| it.ends_with("// fails here")).expect("a line") + 1;
    let told = trace_of(&built).await;
    assert!(told.contains(&format!("flow.c:{line}:")), "{told}");
}
