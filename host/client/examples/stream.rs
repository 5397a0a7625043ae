//! Starts a run, shows its events as they come, and then its result.
//!
//! ```sh
//! cargo run --release --package wf-client --example stream -- greeting name=Ada
//! ```

use std::error::Error;

use futures_util::TryStreamExt;
use serde_json::Value;
use wf_client::{Client, From, Start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let workflow = arguments.next().ok_or("say which workflow, and its start event's fields as `key=value`")?;
    let client = client()?;
    let run = client.start(&workflow, &Start::event(fields(arguments))).await?;
    let mut events = client.events(&run.handler_id, From::Beginning);
    while let Some(numbered) = events.try_next().await? {
        say(&format!("{}  {}  {}", numbered.sequence, numbered.event.name, numbered.event.value));
    }
    let result: Value = client.output(&run.handler_id).await?;
    say(&format!("result: {result}"));
    Ok(())
}

/// Of the server that `WF_HOST_SERVER` names, with the key in `WF_HOST_API_KEY`.
fn client() -> Result<Client, wf_client::Error> {
    let url = std::env::var("WF_HOST_SERVER").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let client = Client::new(&url)?;
    match std::env::var("WF_HOST_API_KEY") {
        Ok(key) => client.with_key(&key),
        Err(_) => Ok(client),
    }
}

/// The start event's fields: JSON where a value is that, else text.
fn fields(arguments: impl Iterator<Item = String>) -> Value {
    let field = |argument: String| {
        let (key, value) = argument.split_once('=').unwrap_or((&argument, ""));
        (key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)))
    };
    Value::Object(arguments.map(field).collect())
}

#[expect(clippy::print_stdout, reason = "a program's own output")]
fn say(text: &str) {
    println!("{text}");
}
