//! The real binary under the load of an official client, over rounds of what may befall a server. A
//! checker outside knows every acknowledgement: nothing is lost and nothing is doubled. After each kill, and beside
//! the server that goes on, its store passes `wf-host fsck`.
//!
//! `ROUNDS=n` is how many (ten); `SEED=n` repeats what befalls it, in the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use wf_tests::chance::Chance;
use wf_tests::database::Lock;
use wf_tests::output::Output;
use wf_tests::patience::until_blocking;
use wf_tests::player::{Player, play_all};
use wf_tests::{CONFORMANCE, Client, Frame, Serve, Server, artifacts, until};

const ROUNDS: u64 = 10;

/// It comes before the runs of a round are over.
const MOMENT_MAX_MS: u64 = 900;
/// So long it may stand still, or its disk may refuse.
const FAULT_MAX_MS: u64 = 6000;
/// Longer than the server waits for a lock.
const LOCKED_MAX_MS: u64 = 8000;

/// What befalls a server.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// `kill -9`; with some chance once or twice more while it starts again.
    Kill,
    /// A graceful stop.
    Stop,
    /// It stands still for a while.
    Pause,
    /// There is little room on the disk, for a while.
    Full,
    /// No file can be written, for a while; with some chance it is killed or stopped meanwhile.
    ReadOnly,
    /// Another process keeps the database locked, for a while.
    Locked,
}

const FAULTS: [Fault; 6] = [Fault::Kill, Fault::Stop, Fault::Pause, Fault::Full, Fault::ReadOnly, Fault::Locked];

async fn moment(chance: &mut Chance, max_ms: u64) {
    tokio::time::sleep(Duration::from_millis(chance.below(max_ms))).await;
}

impl Fault {
    fn by(chance: &mut Chance) -> Fault {
        FAULTS[chance.below(FAULTS.len() as u64) as usize]
    }

    /// Lets it befall a server under load; it is there again afterwards.
    async fn befall(self, server: &mut Server, chance: &mut Chance) {
        moment(chance, MOMENT_MAX_MS).await;
        match self {
            Fault::Kill => {
                server.kill();
                server.check_store();
                for _ in 0..chance.below(3) {
                    server.begin_restart();
                    moment(chance, MOMENT_MAX_MS).await;
                    server.kill();
                }
            }
            Fault::Stop => assert!(server.stop().success(), "{}", server.log()),
            Fault::Pause => {
                server.pause();
                moment(chance, FAULT_MAX_MS).await;
                server.resume();
            }
            Fault::Full => {
                server.limit_files(Some(server.longest_file() + chance.below(64 << 10)));
                moment(chance, FAULT_MAX_MS).await;
                server.limit_files(None);
            }
            Fault::ReadOnly => {
                server.limit_files(Some(0));
                moment(chance, FAULT_MAX_MS).await;
                match chance.below(3) {
                    0 => server.kill(),
                    1 => {
                        // What it cannot write, it cannot: but it ends.
                        server.terminate();
                        server.exited();
                    }
                    _ => server.limit_files(None),
                }
            }
            Fault::Locked => {
                let lock = Lock::of(&server.data());
                moment(chance, LOCKED_MAX_MS).await;
                drop(lock);
            }
        }
        assert!(!server.log().contains("panicked"), "{}", server.log());
        if matches!(self, Fault::Kill | Fault::Stop) || !server.is_up() {
            server.restart().await;
        }
    }
}

/// The official client at work.
struct Load {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Output,
    stderr: Output,
}

impl Load {
    fn start(seed: u64) -> Load {
        let folder = artifacts::root().join("tests/clients");
        let status = Command::new(folder.join("setup.sh")).status().expect("bash");
        assert!(status.success(), "`tests/clients/setup.sh` installs the official clients");
        let mut python = Command::new(artifacts::root().join("target/clients/python-new/bin/python"));
        python.arg(folder.join("python-new/load.py")).arg(seed.to_string());
        python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = python.spawn().expect("the load starts");
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Load { child, stdin, stdout: Output::of(stdout.expect("piped")), stderr: Output::of(stderr.expect("piped")) }
    }

    /// Where the server listens now.
    fn goes_to(&mut self, client: &Client) {
        let stdin = self.stdin.as_mut().expect("it has not been told to end");
        if writeln!(stdin, "{}", client.url()).is_err() {
            panic!("the load has ended:\n{}", self.stderr.whole());
        }
    }

    /// Begins nothing any more, and brings everything to its end. What was asked and answered.
    fn settles(&mut self) -> Vec<Value> {
        self.stdin = None;
        let status = until_blocking("the load to end", || self.child.try_wait().expect("it is a child"));
        let told = self.stdout.whole();
        assert!(status.success(), "{}{}", self.stderr.whole(), story(&told));
        told.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
    }
}

/// What was asked and answered of the handlers that were refused something.
fn story(told: &str) -> String {
    let handler = |line: &str| serde_json::from_str::<Value>(line).ok().map(|told| told["handler"].clone());
    let refused: Vec<Option<Value>> = told.lines().filter(|line| line.contains(r#""refused""#)).map(handler).collect();
    told.lines().filter(|line| refused.contains(&handler(line))).flat_map(|line| [line, "\n"]).collect()
}

impl Drop for Load {
    fn drop(&mut self) {
        // It may have ended before; either way no process stays behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the client knows of a handler.
#[derive(Debug, Default)]
struct Told {
    kind: String,
    /// The runs whose starts were acknowledged, in order.
    runs: Vec<String>,
    /// Events that were acknowledged.
    sent: usize,
    purged: bool,
    /// The ends that it was told: run, status, result and error.
    ends: Vec<Value>,
    /// Sequence, type and value of each frame that it was given.
    frames: Vec<(u64, String, Value)>,
}

/// All that was acknowledged, by handler. Whatever was asked was acknowledged in the end.
fn ledger(lines: &[Value]) -> BTreeMap<String, Told> {
    let mut handlers: BTreeMap<String, Told> = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for line in lines {
        let told = handlers.entry(text(&line["handler"])).or_default();
        told.kind = text(&line["kind"]);
        match (text(&line["said"]).as_str(), text(&line["what"]).as_str()) {
            ("acknowledged", "start") => told.runs.push(text(&line["run"])),
            ("acknowledged", "send") => told.sent += 1,
            ("acknowledged", "cancel") => told.purged |= line["purge"] == true,
            ("acknowledged", "end") => told.ends.push(line.clone()),
            ("acknowledged", "frame") => {
                let sequence = line["sequence"].as_u64().expect("a number");
                told.frames.push((sequence, text(&line["type"]), line["value"].clone()));
            }
            ("asked" | "unanswered", _) => (),
            _ => panic!("{line}"),
        }
    }
    handlers
}

impl Told {
    /// How each of its runs must have ended: status, and result or error.
    fn expected(&self, handler: &str, place: usize) -> (&'static str, Value) {
        match self.kind.as_str() {
            "held" | "streamed" => ("completed", json!({ "result": format!("Hello, {handler}!") })),
            "human" => ("completed", json!({ "output": format!("Hello, {handler}") })),
            "inbox" => ("completed", json!({ "result": ["0", "1", "2", "3"] })),
            "retried" => ("completed", json!({ "result": { "tries": 3 } })),
            "counted" => ("completed", json!({ "result": { "count": place + 1 } })),
            "timer" => ("completed", Value::Null),
            "failing" => ("failed", json!(handler)),
            "cancelled" => ("cancelled", Value::Null),
            other => panic!("{other} is no kind of load"),
        }
    }

    async fn check(&self, client: &Client, handler: &str, runs: &[String]) {
        if self.purged {
            assert_eq!(client.get(&format!("/handlers/{handler}")).await.status, 404, "{handler} is gone");
            assert!(runs.is_empty(), "nothing of {handler} is left: {runs:?}");
            return;
        }
        assert_eq!(self.runs, runs, "each start of {handler} made one run");
        for (place, run) in runs.iter().enumerate() {
            let ended = client.get(&format!("/api/v1/runs/{run}")).await.json();
            let (status, expected) = self.expected(handler, place);
            let (result, error) = (&ended["result"]["value"], &ended["error"]);
            assert_eq!(ended["status"], status, "{ended}");
            assert!([Value::Null, result.clone(), error.clone()].contains(&expected), "{expected} of {ended}");
            for end in self.ends.iter().filter(|it| it["run"] == **run) {
                let now = json!([ended["status"], result, error]);
                assert_eq!(json!([end["status"], end["result"], end["error"]]), now, "{run} stays as it ended");
            }
            let history = client.get(&format!("/api/v1/runs/{run}/history?limit=1000")).await.json();
            assert_eq!(history["next"], Value::Null, "all of {handler} is on one page");
            let moments = history["moments"].as_array().expect("a list").iter();
            assert_eq!(moments.filter(|it| it["kind"] == "event-received").count(), self.sent, "{handler}: {history}");
            self.check_stream(client, handler, run).await;
        }
    }

    /// The whole stream has no gap and no repeat, and what was read before, behind one cursor after the other, is it.
    async fn check_stream(&self, client: &Client, handler: &str, run: &str) {
        let stream = client.stream(&format!("/api/v1/runs/{run}/events?include_internal=true"), &[]).await;
        let frames = stream.rest().await;
        let sequences: Vec<u64> = frames.iter().map(|it| it.id).collect();
        assert_eq!(sequences, (0..frames.len() as u64).collect::<Vec<u64>>(), "{handler}");
        let visible = |frame: &&Frame| frame.json()["types"] != json!(["InternalDispatchEvent"]);
        let shown = frames.iter().filter(visible).map(|it| (it.id, it.name(), it.json()["value"].clone()));
        let shown: Vec<(u64, String, Value)> = shown.collect();
        let read = matches!(self.kind.as_str(), "streamed" | "human" | "cancelled");
        assert_eq!(self.frames, if read { shown } else { Vec::new() }, "{handler} was read as it is");
    }
}

/// All runs that there are, by handler, in the order in which they began.
async fn all_runs(client: &Client) -> BTreeMap<String, Vec<String>> {
    let mut runs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut path = "/api/v1/runs?limit=500".to_owned();
    loop {
        let page = client.get(&path).await.json();
        for run in page["runs"].as_array().expect("a list") {
            let text = |key: &str| run[key].as_str().expect("a text").to_owned();
            runs.entry(text("handler_id")).or_default().insert(0, text("run_id"));
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/runs?limit=500&before={next}"),
            None => return runs,
        }
    }
}

async fn running(client: &Client) -> Vec<Value> {
    let list = client.get("/handlers?status=running").await.json();
    list["handlers"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "what befell it, shown by the test harness when the test fails")]
async fn rounds_of_crashes_lose_nothing_and_double_nothing() {
    let rounds = std::env::var("ROUNDS").ok().map_or(ROUNDS, |text| text.parse().expect("ROUNDS is a number"));
    let mut chance = Chance::from_environment();
    let guests: Vec<&str> = CONFORMANCE.into_iter().chain(["inbox"]).collect();
    let serve = Serve { files_may_be_full: true, ..Serve::guests(&guests) };
    let mut server = serve.start().await;
    let mut load = Load::start(chance.below(1 << 32));
    load.goes_to(&server);
    for round in 0..rounds {
        let fault = Fault::by(&mut chance);
        println!("round {round}: {fault:?}");
        let players: Vec<Player> = CONFORMANCE.iter().map(|workflow| Player::new(workflow, round)).collect();
        let under_way = {
            let (client, players) = ((*server).clone(), players.clone());
            tokio::spawn(async move { play_all(&client, &players).await })
        };
        fault.befall(&mut server, &mut chance).await;
        load.goes_to(&server);
        under_way.await.expect("no player panics");
        until("every stream to end", async || play_all(&server, &players).await.then_some(())).await;
        for player in &players {
            player.check(&server, round).await;
        }
        server.check_store();
    }
    let told = ledger(&load.settles());
    until("every run to end", async || running(&server).await.is_empty().then_some(())).await;
    assert_eq!(server.get("/health").await.status, 200);
    let runs = all_runs(&server).await;
    for (handler, told) in &told {
        told.check(&server, handler, runs.get(handler).map_or(&[], Vec::as_slice)).await;
    }
    let played = CONFORMANCE.len() as u64 * rounds;
    let loaded: usize = told.values().filter(|it| !it.purged).map(|it| it.runs.len()).sum();
    assert_eq!(runs.values().map(Vec::len).sum::<usize>() as u64, played + loaded as u64, "and there are no others");
    let kinds: BTreeSet<&str> = told.values().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds.len(), 10, "every kind of run was among them: {kinds:?}");
    println!("{} runs of {} handlers", loaded, told.len());
}
