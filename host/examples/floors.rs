//! What a run is made of, each by itself: no server of runs can cost less than their sum.
//!
//! - `floors warp` serves the answer of a `greeting` from memory, and streams one frame to each reader, to all of them at
//!   once, until it is killed.
//! - `floors parts` measures a call of a fresh instance of it, and its rows in a grouped commit of SQLite, and prints µs of
//!   CPU as JSON, and how many µs a commit of one run alone takes; the same of an event of BYTES through a step of `chain`;
//!   and to load a component that is compiled.
//! - `floors readers ADDRESS PATH COUNT` reads a stream so often at once, and prints how many ms lay between the first and
//!   the last who had its last frame.
//! - `floors settings FILE` calls the step of a greeting under each of wasmtime's settings that the host has questioned, in
//!   turns, and prints what each changes.

use std::path::Path;

use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What a greeting is answered with, about.
const ANSWER: &str = r#"{"handler_id":"bXnU4mBvN1","workflow_name":"greeting","run_id":"q0R3e7LwXk","error":null,"result":{"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"status":"completed","started_at":"2026-11-26T20:00:00.000000+00:00","updated_at":"2026-11-26T20:00:00.000000+00:00","completed_at":"2026-11-26T20:00:00.000000+00:00"}"#;
/// Its journal and its stream, in bytes.
const ROW: usize = 1000;
/// A frame of its stream, about.
const FRAME: &str =
    concat!(r#"{"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}"#, "\n");
/// All who read a stream have come by then, also those whose first attempt to connect the system has put off.
const READERS_COME: std::time::Duration = std::time::Duration::from_secs(3);
const CALLS: u32 = 5_000;
const GROUPS: u32 = 200;
const IN_A_GROUP: u32 = 64;

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's own output")]
async fn main() -> std::process::ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("warp") => warp().await,
        Some("parts") => parts(std::env::args().nth(2)).await.map(|parts| println!("{parts}")),
        Some("readers") => readers(std::env::args().skip(2).collect()).await.map(|late| println!("{late:.3}")),
        Some("settings") => settings(std::env::args().nth(2)).await,
        _ => Err("floors warp | floors parts BYTES | floors readers ADDRESS PATH COUNT | floors settings FILE".into()),
    };
    if let Err(error) = done {
        eprintln!("error: {error}");
        return std::process::ExitCode::FAILURE;
    }
    std::process::ExitCode::SUCCESS
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
async fn warp() -> Outcome<()> {
    use warp::Filter;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let answer = warp::path!("workflows" / String / "run")
        .and(warp::post())
        .and(warp::body::bytes())
        .map(|_, _| warp::reply::with_header(ANSWER, "content-type", "application/json"));
    // Who comes first says when.
    let begins = std::sync::Arc::new(std::sync::Mutex::new(std::time::Instant::now()));
    let frame = warp::path!("events" / String).and(warp::get()).map(move |_| {
        let now = std::time::Instant::now();
        let at = {
            let mut begins = begins.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if *begins <= now {
                *begins = now + READERS_COME;
            }
            *begins
        };
        warp::reply::stream(futures_util::stream::once(async move {
            tokio::time::sleep_until(at.into()).await;
            Ok::<_, std::convert::Infallible>(FRAME)
        }))
    });
    let service = hyper_util::service::TowerToHyperService::new(warp::service(answer.or(frame)));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
        tokio::spawn(served);
    }
}

/// ms from the first reader of a stream to the last.
async fn readers(arguments: Vec<String>) -> Outcome<f64> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let [address, path, count] = &arguments[..] else { return Err("floors readers ADDRESS PATH COUNT".into()) };
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut reading = tokio::task::JoinSet::new();
    for _ in 0..count.parse()? {
        let (address, request) = (address.clone(), request.clone());
        reading.spawn(async move {
            let mut stream = tokio::net::TcpStream::connect(address).await?;
            stream.write_all(request.as_bytes()).await?;
            let (mut bytes, mut last) = (vec![0; 16 << 10], None);
            // The end of the body comes with the last frame, or after it.
            loop {
                let read = stream.read(&mut bytes).await?;
                if read == 0 {
                    return std::io::Result::Ok(last);
                }
                if bytes[..read].windows(9).any(|it| it == b"\"value\":{") {
                    last = Some(std::time::Instant::now());
                }
            }
        });
    }
    let mut ends = Vec::new();
    while let Some(read) = reading.join_next().await {
        ends.push(read??.ok_or("a reader had no frame")?);
    }
    let (first, last) = (ends.iter().min().ok_or("nobody read")?, ends.iter().max().ok_or("nobody read")?);
    Ok(last.duration_since(*first).as_secs_f64() * 1e3)
}

/// µs of CPU: of a call and of a commit in a group, of the same with an event of so many bytes, and of loading what is
/// compiled; and how many µs a commit alone takes.
async fn parts(bytes: Option<String>) -> Outcome<serde_json::Value> {
    let bytes: usize = bytes.ok_or("floors parts BYTES")?.parse()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("it lies in a workspace")?;
    let folder = root.join("target");
    let guest = |name: &str| folder.join(format!("guests/rust/{name}.wasm"));
    let call = call(&guest("greeting"), &config(pool()), &GREET).await?;
    let text = serde_json::json!({ "text": "x".repeat(bytes) }).to_string();
    let first = Step { name: "first", event: "StartEvent", payload: &text, calls: CALLS / 50 };
    let call_large = self::call(&guest("chain"), &config(pool()), &first).await?;
    let row = vec![b'x'; ROW];
    Ok(serde_json::json!({
        "call": call,
        "commit": commit(&folder, IN_A_GROUP, &row)?.0,
        "alone": commit(&folder, 1, &row)?.1,
        "call_large": call_large,
        // An event is a row, where that of a small run is two.
        "commit_large": commit(&folder, 4, text.as_bytes())?.0 / 2.0,
        "load": load(&guest("greeting"))?,
    }))
}

/// µs of CPU to load a component that is compiled.
fn load(file: &Path) -> Outcome<f64> {
    const LOADS: u32 = 100;
    let engine = Engine::new(&config(pool()))?;
    let compiled = Component::from_file(&engine, file)?.serialize()?;
    let begun = used();
    for _ in 0..LOADS {
        // SAFETY: it was made just now, by this engine.
        #[expect(unsafe_code, reason = "wasmtime has no other way to load what is compiled")]
        unsafe {
            Component::deserialize(&engine, &compiled)?
        };
    }
    Ok((used() - begun) / f64::from(LOADS))
}

/// µs of CPU that this process has used.
fn used() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// As the host has it.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.linear_memory_keep_resident(1 << 20).table_keep_resident(64 << 10).pagemap_scan(wasmtime::Enabled::Auto);
    pool
}

fn config(pool: PoolingAllocationConfig) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// What is changed, and how.
type Setting = (&'static str, fn() -> Config);

/// Each beside the first, which is the host's.
const SETTINGS: [Setting; 10] = [
    ("as the host has it", || config(pool())),
    ("no pool", || {
        let mut config = config(pool());
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        config
    }),
    ("no pagemap_scan", || {
        let mut pool = pool();
        pool.pagemap_scan(wasmtime::Enabled::No);
        config(pool)
    }),
    ("nothing of a memory kept", || {
        let mut pool = pool();
        pool.linear_memory_keep_resident(0);
        config(pool)
    }),
    ("256 KiB of a memory kept", || {
        let mut pool = pool();
        pool.linear_memory_keep_resident(256 << 10);
        config(pool)
    }),
    ("nothing of a table kept", || {
        let mut pool = pool();
        pool.table_keep_resident(0);
        config(pool)
    }),
    ("pages given back 16 at a time", || {
        let mut pool = pool();
        pool.decommit_batch_size(16);
        config(pool)
    }),
    ("memories are copied, not mapped", || {
        let mut config = config(pool());
        config.memory_init_cow(false);
        config
    }),
    ("no epochs: a guest that computes cannot be stopped", || {
        let mut config = config(pool());
        config.epoch_interruption(false);
        config
    }),
    ("fuel instead of epochs", || {
        let mut config = config(pool());
        config.epoch_interruption(false).consume_fuel(true);
        config
    }),
];

/// µs of CPU for an instance and its call under each, in rounds.
#[expect(clippy::print_stdout, reason = "the command's own output")]
async fn settings(file: Option<String>) -> Outcome<()> {
    const ROUNDS: usize = 3;
    let file = file.ok_or("floors settings FILE")?;
    let mut took = vec![Vec::new(); SETTINGS.len()];
    for _ in 0..ROUNDS {
        for ((_, config), took) in SETTINGS.iter().zip(&mut took) {
            took.push(call(Path::new(&file), &config(), &GREET).await?);
        }
    }
    took.iter_mut().for_each(|it| it.sort_by(f64::total_cmp));
    let own = took[0][ROUNDS / 2];
    for ((name, _), took) in SETTINGS.iter().zip(&took) {
        let median = took[ROUNDS / 2];
        println!("| {name} | {median:.1} | {:+.0} % |", (median / own - 1.0) * 100.0);
    }
    Ok(())
}

/// What is called, so often.
struct Step<'a> {
    name: &'a str,
    event: &'a str,
    payload: &'a str,
    calls: u32,
}

const GREET: Step = Step { name: "greet", event: "StartEvent", payload: r#"{"name":"Ada"}"#, calls: CALLS };

/// A fresh instance, and a call of its step.
async fn call(file: &Path, config: &Config, step: &Step<'_>) -> Outcome<f64> {
    let engine = Engine::new(config)?;
    let component = Component::from_file(&engine, file)?;
    let mut linker = Linker::<Guest>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    linker.instance("wf:workflow/events@0.1.0")?.func_new("publish", |_, _, _, results| {
        results[0] = Val::Result(Ok(None));
        Ok(())
    })?;
    linker.define_unknown_imports_as_traps(&component)?;
    let pre = linker.instantiate_pre(&component)?;
    let steps = component.get_export_index(None, "wf:workflow/steps@0.1.0").ok_or("no steps")?;
    let invoke = component.get_export_index(Some(&steps), "invoke").ok_or("no invoke")?;
    let text = |text: &str| Val::String(text.to_owned());
    let event = Val::Record(vec![("name".to_owned(), text(step.event)), ("payload".to_owned(), text(step.payload))]);
    let parameters = [text(step.name), Val::List(vec![event])];
    let mut begun = 0.0;
    for number in 0..step.calls + step.calls / 10 {
        // The first ones warm the pool.
        if number == step.calls / 10 {
            begun = used();
        }
        let guest = Guest { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
        let mut store = Store::new(&engine, guest);
        store.set_epoch_deadline(1);
        // An error where there is none.
        let _ = store.set_fuel(u64::MAX);
        let instance = pre.instantiate_async(&mut store).await?;
        let invoke = instance.get_func(&mut store, invoke).ok_or("no function")?;
        let mut results = [Val::Bool(false)];
        invoke.call_async(&mut store, &parameters, &mut results).await?;
        if !matches!(results[0], Val::Result(Ok(_))) {
            return Err(format!("the step failed: {:?}", results[0]).into());
        }
    }
    Ok((used() - begun) / f64::from(step.calls))
}

/// A run's two rows, in a durable transaction with those of others: µs of CPU for a run, and µs that a transaction takes.
fn commit(folder: &Path, together: u32, row: &[u8]) -> Outcome<(f64, f64)> {
    let folder = tempfile::tempdir_in(folder)?;
    let connection = Connection::open(folder.path().join("floor.db"))?;
    connection.execute_batch("pragma journal_mode = wal; pragma synchronous = full; create table journal (run integer, seq integer, text blob); create table stream (run integer, seq integer, text blob); create index by_journal on journal (run, seq); create index by_stream on stream (run, seq)")?;
    let groups = if row.len() > ROW { GROUPS / 20 } else { GROUPS };
    let (begun, clock) = (used(), std::time::Instant::now());
    for group in 0..groups {
        connection.execute_batch("begin immediate")?;
        for run in 0..together {
            for table in ["journal", "stream"] {
                let mut statement = connection.prepare_cached(&format!("insert into {table} values (?, 0, ?)"))?;
                statement.execute((group * together + run, row))?;
            }
        }
        connection.execute_batch("commit")?;
    }
    Ok(((used() - begun) / f64::from(groups * together), clock.elapsed().as_secs_f64() * 1e6 / f64::from(groups)))
}
