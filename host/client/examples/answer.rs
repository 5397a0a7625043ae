//! A person in the loop: asks at the terminal whatever the run asks, until it ends.
//!
//! ```sh
//! cargo run --release --package wf-client --example answer -- human-in-the-loop ApprovalResponse
//! ```

use std::error::Error;

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use wf_client::{Client, Envelope, From, Start, To};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(workflow), Some(answer)) = (arguments.next(), arguments.next()) else {
        return Err("say which workflow, which event answers it, and its start event's fields as `key=value`".into());
    };
    let client = client()?;
    let types = client.event_types(&workflow).await?;
    let schema = types.iter().find(|it| it["title"] == *answer).ok_or(format!("`{workflow}` has no event `{answer}`"))?;
    let run = client.start(&workflow, &Start::event(fields(arguments))).await?;
    let mut events = client.events(&run.handler_id, From::Beginning);
    while let Some(numbered) = events.try_next().await? {
        if asks(&numbered.event) {
            say(&numbered.event.value.to_string());
            client.send(&run.handler_id, &answer, ask(schema)?, To::default()).await?;
        }
    }
    let result: Value = client.output(&run.handler_id).await?;
    say(&format!("result: {result}"));
    Ok(())
}

fn asks(event: &Envelope) -> bool {
    event.name == "InputRequiredEvent" || event.types.iter().flatten().any(|it| it == "InputRequiredEvent")
}

/// One field after the other.
fn ask(schema: &Value) -> Result<Value, Box<dyn Error>> {
    let mut answer = json!({});
    for (field, about) in schema["properties"].as_object().into_iter().flatten() {
        say(&format!("{field}? {}", about["description"].as_str().unwrap_or_default()));
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line)? == 0 {
            return Err("nobody answers".into());
        }
        let line = line.trim();
        answer[field] = if about["type"] == "string" { line.into() } else { serde_json::from_str(line)? };
    }
    Ok(answer)
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
