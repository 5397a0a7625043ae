//! A program with a server in it: its own workflow, its own store, its own end.
//!
//! ```sh
//! make examples
//! cargo run --release --example embed -- 127.0.0.1:8080 sqlite:runs.db
//! curl -X POST localhost:8080/workflows/greet/run -d '{"start_event": {"name": "Ada"}}'
//! ```

use std::error::Error;

use wf_host::WorkflowServer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let store = arguments.next().unwrap_or_else(|| "memory:".to_owned());

    let server = WorkflowServer::builder()
        .add_workflow("greet", "target/examples/greeting.wasm")
        // A program that is to be one file brings its workflows along: `include_bytes!("approve.wasm")`.
        .add_workflow("approve", std::fs::read("target/examples/human-in-the-loop.wasm")?)
        .additional_events("greet", ["Progress"])
        .store(store)
        .configure(|config| config.limits.memory_max = 64 << 20)
        .serve(address)
        .await?;
    say(&format!("listening on http://{}", server.address().ok_or("nowhere")?));

    // Any clone is a handle: whoever has one can stop it.
    let handle = server.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            handle.stop().await;
        }
    });
    server.stopped().await;
    say("stopped; runs that wait go on after the next start");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a program's own output")]
fn say(text: &str) {
    println!("{text}");
}
