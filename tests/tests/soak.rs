//! A mixed load for long, with reloads, kills, retention, large values, backups and readers of streams: what the server
//! takes stays flat, and so does how long it takes; no acknowledged run is lost, and the store is sound all along.
//!
//! `MINUTES=n` is how long; without it, seconds. The curves are a picture in `target/soak`. Kills come in the first third: the
//! process of the two others is one, so that what it keeps by mistake adds up. Latencies, and how memory climbs, are judged
//! from ten minutes on: in seconds they say nothing.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout};
use wf_tests::chance::Chance;
use wf_tests::chart::{Chart, Panel};
use wf_tests::command_line::{done, text};
use wf_tests::patience::within;
use wf_tests::player::{Player, play_all};
use wf_tests::{Answer, CONFORMANCE, Client, Serve, Server, artifacts, until};

/// Looked at so often in all, after each of so many windows; in the short form less often.
const WINDOWS: u32 = 60;
const WINDOWS_SHORT: u32 = 12;
const SHORT: Duration = Duration::from_secs(12);
/// From here on it says something how fast what climbs does.
const LONG: Duration = Duration::from_secs(600);

/// Clients at any time: those that play runs of all kinds, those that greet, and those that read what waits.
const PLAYERS: usize = 2;
const GREETERS: usize = 4;
const READERS: usize = 12;

/// Between two greetings of a client.
const GREET_EVERY: Duration = Duration::from_millis(50);
/// One greeting of so many has a value that stands apart.
const LARGE_EVERY: usize = 100;
const LARGE: usize = 70_000;
/// So long a reader stays before it goes, and comes again.
const READ_FOR: Duration = Duration::from_millis(700);

/// Runs are kept for half a minute; of those that greet, so many.
const KEPT: usize = 50;
const SETTINGS: &str = "retention = 0.00035\n\n[workflows.app]\nretention = 1\nruns_kept = 50\n";

/// What all clients share.
struct Load {
    /// Where the server is. Whoever kills it has this alone; whoever must not see that holds it meanwhile.
    client: RwLock<Client>,
    is_over: AtomicBool,
    round: AtomicU64,
    /// How long greetings took since the last look, in milliseconds.
    latencies: Mutex<Vec<f64>>,
    /// The handlers that have greeted, in the order of their answers.
    greeted: Mutex<Vec<String>>,
}

impl Load {
    async fn client(&self) -> Client {
        self.client.read().await.clone()
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Runs of all kinds, round after round: each is seen to end as it should.
    async fn play(self: Arc<Load>) {
        while self.goes_on() {
            let round = self.round.fetch_add(1, Ordering::Relaxed);
            // The counter's handler is never over for long: it would be kept, and grow.
            let players: Vec<Player> = CONFORMANCE.iter().filter(|it| **it != "counter").map(|it| Player::new(it, round)).collect();
            within("every stream to end", async { while !play_all(&self.client().await, &players).await {} }).await;
            let client = self.client.read().await;
            for player in &players {
                player.check(&client, round).await;
            }
        }
    }

    /// Greetings, one after the other, of the workflow that is reloaded.
    async fn greet(self: Arc<Load>, greeter: usize) {
        let mut pace = interval(GREET_EVERY);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0.. {
            if !self.goes_on() {
                break;
            }
            pace.tick().await;
            let handler = format!("app-{greeter}-{number}");
            let body = json!({ "handler_id": handler, "start_event": { "name": name(&handler) } }).to_string();
            let (answer, took) = within("an answer", self.ask(&handler, &body)).await;
            assert!(answer.status == 200 && answer.result() == greeting(&handler), "{handler}: {}", answer.status);
            self.latencies.lock().expect("no panic while locked").push(took.as_secs_f64() * 1000.0);
            self.greeted.lock().expect("no panic while locked").push(handler);
        }
    }

    /// A greeting until it is answered, and how long that took.
    async fn ask(&self, key: &str, body: &str) -> (Answer, Duration) {
        loop {
            let client = self.client().await;
            let begun = Instant::now();
            let answer = client.attempt("POST", "/workflows/app/run", &[("Idempotency-Key", key)], body).await;
            if let Some(answer) = answer.filter(|it| it.status != 503) {
                return (answer, begun.elapsed());
            }
        }
    }

    /// A reader of a run that waits, which goes and comes again.
    async fn read(self: Arc<Load>, handler: String) {
        while self.goes_on() {
            let Some(mut stream) = self.client().await.open(&format!("/events/{handler}"), &[]).await else { continue };
            if stream.status() == 200
                && let Ok(frame) = stream.next().await
            {
                assert_eq!(frame.name(), "RequestEvent");
                // Nothing comes but a kill.
                let _ = timeout(READ_FOR, stream.next()).await;
            }
        }
    }

    fn greeted(&self) -> Vec<String> {
        self.greeted.lock().expect("no panic while locked").clone()
    }
}

/// Who greets under a handler.
fn name(handler: &str) -> String {
    let number: usize = handler.rsplit('-').next().and_then(|it| it.parse().ok()).expect("a number");
    let large = if number % LARGE_EVERY == LARGE_EVERY / 2 { LARGE } else { 0 };
    handler.to_owned() + &"x".repeat(large)
}

fn greeting(handler: &str) -> Value {
    json!(format!("Hello, {}!", name(handler)))
}

/// What operators do beside it: the store is checked, and copied, and so is the copy.
fn looked_after(server: &Server, folder: &Path) {
    server.check_store();
    let backup = folder.join("soak.backup");
    done(&["backup", text(&backup), "--data-dir", text(&server.data())]);
    done(&["fsck", text(&backup)]);
    std::fs::remove_file(backup).expect("it is there");
}

/// A server that has much to compile listens before it is through.
async fn until_served(server: &Server) {
    let all = CONFORMANCE.len() + 1;
    let served = async || server.get("/workflows").await.json()["workflows"].as_array().is_some_and(|it| it.len() == all);
    until("every workflow to be served", async || served().await.then_some(())).await;
}

/// `kill -9` under load, and a start on the same data.
async fn crash(server: &mut Server, load: &Load) {
    let mut client = load.client.write().await;
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.crash().await;
    until_served(server).await;
    *client = (*server).clone();
}

/// The component of `app` anew, with one byte in a section that means nothing. There are two, by turns.
fn replace(app: &Path, turn: u32) {
    let mut bytes = std::fs::read(artifacts::guest("greeting")).expect("readable");
    bytes.extend([0, 3, 1, b'x', (turn % 2) as u8]);
    std::fs::write(app.with_extension("tmp"), bytes).expect("writable");
    std::fs::rename(app.with_extension("tmp"), app).expect("renamed");
}

async fn digest(server: &Server) -> Value {
    let all = server.get("/api/v1/workflows").await.json();
    let app = all["workflows"].as_array().and_then(|all| all.iter().find(|it| it["name"] == "app")).expect("it is served");
    app["digest"].clone()
}

async fn count(server: &Server, query: &str) -> usize {
    server.get(&format!("/handlers?{query}")).await.json()["handlers"].as_array().expect("a list").len()
}

/// What the server takes, and what it gives.
struct Sample {
    at: Duration,
    memory: f64,
    descriptors: f64,
    files: f64,
    size: f64,
    /// Handlers that are not purged.
    handlers: f64,
    /// Greetings, and how long half and how long 99 of 100 of them took at most.
    greetings: usize,
    p50: Option<f64>,
    p99: Option<f64>,
}

impl Sample {
    async fn of(server: &Server, load: &Load, at: Duration) -> Sample {
        let handlers = count(server, "").await as f64;
        let mut latencies = std::mem::take(&mut *load.latencies.lock().expect("no panic while locked"));
        latencies.sort_by(f64::total_cmp);
        let share = |hundredths: usize| latencies.get(latencies.len() * hundredths / 100).copied();
        let sizes = server.file_sizes();
        Sample {
            at,
            memory: mebibytes(server.memory()),
            descriptors: server.descriptors() as f64,
            files: sizes.len() as f64,
            size: mebibytes(sizes.iter().sum()),
            handlers,
            greetings: latencies.len(),
            p50: share(50),
            p99: share(99),
        }
    }

    fn line(&self) -> String {
        let time = |it: Option<f64>| it.map_or("-".to_owned(), |it| format!("{it:.0} ms"));
        format!(
            "{:>6.0} s  {:>6.1} MiB  {:>4} descriptors  {:>2} files of {:>6.1} MiB  {:>4} handlers  {:>5} greetings, p50 {:>7}, p99 {:>7}",
            self.at.as_secs_f64(),
            self.memory,
            self.descriptors,
            self.files,
            self.size,
            self.handlers,
            self.greetings,
            time(self.p50),
            time(self.p99),
        )
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What has to stay flat: its name with the unit, and by how much it may be more beside a tenth.
type Measure = (&'static str, f64, fn(&Sample) -> f64);

const FLAT: [Measure; 5] = [
    ("Memory (RSS), MiB", 16.0, |it| it.memory),
    ("Open descriptors", 16.0, |it| it.descriptors),
    ("Data folder, MiB", 16.0, |it| it.size),
    ("Data folder, files", 1.0, |it| it.files),
    ("Handlers that are kept", 500.0, |it| it.handlers),
];

/// The means of the second third and of the last.
fn thirds(values: &[f64]) -> (f64, f64) {
    let third = values.len() / 3;
    let mean = |some: &[f64]| some.iter().sum::<f64>() / some.len() as f64;
    (mean(&values[values.len() - 2 * third..values.len() - third]), mean(&values[values.len() - third..]))
}

fn is_flat(values: &[f64], more: f64) -> bool {
    let (before, after) = thirds(values);
    after <= before * 1.1 + more
}

/// By how much it has climbed from the first third on, as a straight line through all that was seen: what leaks slowly is
/// not a tenth more within a third.
fn climb(values: &[f64]) -> f64 {
    let values = &values[values.len() / 3..];
    let count = values.len() as f64;
    let (middle, mean) = ((count - 1.0) / 2.0, values.iter().sum::<f64>() / count);
    let places = (0..values.len()).map(|place| place as f64 - middle);
    let together: f64 = places.clone().zip(values).map(|(place, value)| place * (value - mean)).sum();
    together / places.map(|place| place * place).sum::<f64>() * (count - 1.0)
}

/// Memory may climb by so much of what it is, and so many MiB.
const CLIMB: (f64, f64) = (0.05, 8.0);

/// What half the windows of a third took at most: one that was held up by something else says nothing.
fn medians(values: &[Option<f64>]) -> (f64, f64) {
    let third = values.len() / 3;
    let median = |some: &[Option<f64>]| {
        let mut some: Vec<f64> = some.iter().flatten().copied().collect();
        some.sort_by(f64::total_cmp);
        some.get(some.len() / 2).copied().unwrap_or(f64::MAX)
    };
    (median(&values[values.len() - 2 * third..values.len() - third]), median(&values[values.len() - third..]))
}

/// How long something takes: its name, how many times as long it may take in the end, and by how many milliseconds more.
type Latency = (&'static str, f64, f64, fn(&Sample) -> Option<f64>);

const LATENCIES: [Latency; 2] = [("p50", 1.25, 5.0, |it| it.p50), ("p99", 2.0, 50.0, |it| it.p99)];

/// What takes longer and longer, or climbs; nothing, where all is well.
fn climbing(samples: &[Sample]) -> Option<String> {
    let memory: Vec<f64> = samples.iter().map(|it| it.memory).collect();
    let (climbed, most) = (climb(&memory), thirds(&memory).0 * CLIMB.0 + CLIMB.1);
    if climbed > most {
        return Some(format!("memory has climbed by {climbed:.1} MiB, and may by {most:.1}"));
    }
    LATENCIES.iter().find_map(|(name, times, more, value)| {
        let (before, after) = medians(&samples.iter().map(value).collect::<Vec<_>>());
        (after > before * times + more).then(|| format!("{name} was {before:.1} ms, and is {after:.1} ms"))
    })
}

fn picture(samples: &[Sample], kills: &[Duration], length: Duration) -> String {
    let (unit, seconds) = if length >= Duration::from_secs(120) { ("minutes", 60.0) } else { ("seconds", 1.0) };
    let time = |it: &Duration| it.as_secs_f64() / seconds;
    let mut panels: Vec<Panel> = FLAT
        .iter()
        .map(|(name, _, value)| {
            let values: Vec<f64> = samples.iter().map(value).collect();
            let (before, after) = thirds(&values);
            let title = format!("{name} (mean of the second third {before:.1}, of the last {after:.1})");
            Panel { title, curves: vec![("", values.into_iter().map(Some).collect())] }
        })
        .collect();
    let curve = |value: fn(&Sample) -> Option<f64>| samples.iter().map(value).collect();
    panels.push(Panel {
        title: "From the start of a greeting to its answer, milliseconds".to_owned(),
        curves: vec![("p50", curve(|it| it.p50)), ("p99", curve(|it| it.p99))],
    });
    let greetings = samples.iter().map(|it| it.greetings).sum::<usize>();
    let chart = Chart {
        title: format!("wf-host under a mixed load for {:.0} {unit}", time(&length)),
        note: format!("{greetings} greetings beside runs of all kinds and {READERS} readers; red: kill -9; a reload in each window"),
        unit,
        times: samples.iter().map(|it| time(&it.at)).collect(),
        marks: kills.iter().map(time).collect(),
        panels,
    };
    chart.svg()
}

fn picture_file(minutes: Option<f64>) -> PathBuf {
    let folder = artifacts::root().join("target/soak");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join(minutes.map_or("short.svg".to_owned(), |it| format!("{it}-minutes.svg")))
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "what it takes, shown by the test harness when the test fails")]
async fn a_mixed_load_takes_no_more_with_time_and_loses_nothing() {
    let minutes: Option<f64> = std::env::var("MINUTES").ok().map(|text| text.parse().expect("MINUTES is a number"));
    let (length, windows) = minutes.map_or((SHORT, WINDOWS_SHORT), |it| (Duration::from_secs_f64(it * 60.0), WINDOWS));
    let picture_file = picture_file(minutes);
    let mut chance = Chance::from_environment();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (app, settings) = (folder.path().join("app.wasm"), folder.path().join("wf-host.toml"));
    replace(&app, 1);
    std::fs::write(&settings, SETTINGS).expect("written");
    let mut serve = Serve::guests(&CONFORMANCE).with(&["--config", &settings.display().to_string()]);
    serve.paths.push(format!("app={}", app.display()));
    let mut server = serve.start().await;
    until_served(&server).await;

    let load = Arc::new(Load {
        client: RwLock::new((*server).clone()),
        is_over: AtomicBool::new(false),
        round: AtomicU64::new(0),
        latencies: Mutex::default(),
        greeted: Mutex::default(),
    });
    let (mut waiting, mut clients) = (Vec::new(), JoinSet::new());
    for _ in 0..READERS {
        waiting.push(server.begin("hitl", "{}").await);
    }
    waiting.iter().for_each(|it| _ = clients.spawn(load.clone().read(it.clone())));
    for _ in 0..PLAYERS {
        let (load, runtime) = (load.clone(), Handle::current());
        // What waits for a condition cannot go from thread to thread.
        clients.spawn_blocking(move || runtime.block_on(load.play()));
    }
    (0..GREETERS).for_each(|it| _ = clients.spawn(load.clone().greet(it)));

    let begun = tokio::time::Instant::now();
    let (mut samples, mut kills) = (Vec::new(), Vec::new());
    for window in 0..windows {
        let ends = tokio::time::Instant::now() + length / windows;
        let before = digest(&server).await;
        replace(&app, window);
        if window < windows / 3 {
            let moment = chance.below((length / windows / 2).as_millis() as u64);
            tokio::time::sleep(Duration::from_millis(moment)).await;
            kills.push(begun.elapsed());
            crash(&mut server, &load).await;
        }
        if window % (windows / 3) == windows / 6 {
            looked_after(&server, folder.path());
        }
        until("the file to be served as it is now", async || (digest(&server).await != before).then_some(())).await;
        sleep_until(ends).await;
        if let Some(ended) = clients.try_join_next() {
            panic!("a client ended before the load was over: {ended:?}");
        }
        let sample = Sample::of(&server, &load, begun.elapsed()).await;
        println!("{}", sample.line());
        samples.push(sample);
        std::fs::write(&picture_file, picture(&samples, &kills, length)).expect("written");
    }
    println!("{}", picture_file.display());
    until("more greetings than are kept", async || (load.greeted().len() > 2 * KEPT).then_some(())).await;
    crash(&mut server, &load).await;
    load.is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client panics");
    }

    for handler in &waiting {
        assert_eq!(server.send(handler, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200, "{handler} has waited");
        assert_eq!(server.ended(handler).await.value(), json!({"output": "Hello, Ada"}));
    }
    until("what is beyond retention to be purged", async || (count(&server, "workflow_name=app").await <= KEPT).then_some(())).await;
    for handler in load.greeted().iter().rev().take(KEPT / 2) {
        assert!(server.get(&format!("/handlers/{handler}")).await.result() == greeting(handler), "{handler}");
    }
    assert_eq!(count(&server, "status=running").await, 0);
    server.check_store();
    assert!(server.stop().success(), "{}", server.log());
    server.check_store();
    for (name, more, value) in FLAT {
        let values: Vec<f64> = samples.iter().map(value).collect();
        assert!(is_flat(&values, more), "{name}: {:?}, {}", thirds(&values), picture_file.display());
    }
    assert!(load.greeted().iter().any(|it| name(it).len() > LARGE), "some were large");
    if length >= LONG {
        assert_eq!(climbing(&samples), None, "{}", picture_file.display());
    }
}

#[test]
fn what_grows_is_not_flat() {
    let growing: Vec<f64> = (0..60).map(|it| 100.0 + f64::from(it) * 4.0).collect();
    assert!(!is_flat(&growing, 16.0));
    let level: Vec<f64> = (0..60).map(|it| 100.0 + f64::from(it % 7)).collect();
    assert!(is_flat(&level, 0.0));
    // What comes in the first third is the start.
    let settled: Vec<f64> = (0..60).map(|it| f64::from(it.min(20))).collect();
    assert!(is_flat(&settled, 0.0));
}

#[test]
fn the_picture_has_each_curve_and_each_kill() {
    let samples: Vec<Sample> = (0..6).map(|at| Sample { at: Duration::from_secs(at), ..sample(80.0, 5.0, 20.0) }).collect();
    let picture = picture(&samples, &[1, 2].map(Duration::from_secs), Duration::from_secs(6));
    // Those that stay flat, and the two latencies.
    assert_eq!(picture.matches("<polyline").count(), FLAT.len() + 2);
    for (title, ..) in FLAT {
        assert!(picture.contains(title), "{title}");
    }
    let without = self::picture(&samples, &[], Duration::from_secs(6));
    let panels = FLAT.len() + 1;
    assert_eq!(picture.matches("<line").count(), without.matches("<line").count() + 2 * panels);
}

fn sample(memory: f64, p50: f64, p99: f64) -> Sample {
    Sample {
        at: Duration::ZERO,
        memory,
        descriptors: 0.0,
        files: 0.0,
        size: 0.0,
        handlers: 0.0,
        greetings: 1,
        p50: Some(p50),
        p99: Some(p99),
    }
}

#[test]
fn what_climbs_or_takes_longer_is_named() {
    let said = |of: fn(f64) -> [f64; 3]| {
        let samples = (0..60).map(|it| of(f64::from(it))).map(|[memory, p50, p99]| sample(memory, p50, p99));
        climbing(&samples.collect::<Vec<_>>())
    };
    // An hour of which each minute leaks half a MiB, beside what comes and goes.
    assert_eq!(said(|it| [150.0 + it / 2.0 + it % 5.0, 6.0, 20.0]).as_deref(), Some("memory has climbed by 20.1 MiB, and may by 16.3"));
    assert_eq!(said(|it| [150.0 + it % 5.0, 6.0 + it % 2.0, if it % 10.0 == 0.0 { 900.0 } else { 40.0 }]), None);
    assert_eq!(said(|it| [150.0, 10.0 + it, 20.0]).as_deref(), Some("p50 was 40.0 ms, and is 60.0 ms"));
    // One that has taken longer now and then does so all the time.
    assert_eq!(said(|it| [150.0, 6.0, if it > 45.0 { 300.0 } else { 40.0 }]).as_deref(), Some("p99 was 40.0 ms, and is 300.0 ms"));
    // The start does not count.
    assert_eq!(said(|it| [if it < 20.0 { 60.0 } else { 150.0 }, 6.0, 20.0]), None);
}
