//! Answers of whoever sits at the terminal to what a run on a server asks.

use std::io::BufRead;
use std::time::Duration;

use futures_util::TryStreamExt;
use serde_json::{Map, Value, json};
use wf_client::{Client, Error, From, Handler, Result, To, WaitingFor};

use super::Problem;
use super::people::line_of;
use super::screen::{examples, note};

/// A question is looked up so often before it is taken to need no answer.
const LOOKS: u32 = 40;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Asks on stderr what a run asks, and sends what is written on stdin, until the run ends or there is no more of it.
/// `asks`: somebody is there; else it says how an answer can be sent.
pub(super) async fn give(client: &Client, run: &Handler, asks: bool) -> Result<()> {
    let Some(id) = &run.run_id else { return Ok(()) };
    let mut events = client.events(&run.handler_id, From::Beginning);
    while let Some(event) = events.try_next().await? {
        if !event.event.types.iter().flatten().any(|it| it == "InputRequiredEvent") && event.event.name != "InputRequiredEvent" {
            continue;
        }
        let Some(question) = waits(client, id, event.sequence).await? else { continue };
        note(&format!("{}  {}\n", event.event.name, line_of(event.event.value.text())));
        let Some(name) = question.types.first() else { continue };
        if !asks {
            let schema = schema(client, &run.workflow_name, name).await?;
            let example = json!(examples(&schema, &schema)).to_string();
            let example = shlex::try_quote(&example).unwrap_or("JSON".into());
            note(&format!("waiting for {name}: `wf-host runs send {} {name} --event {example}` answers\n", run.handler_id));
            continue;
        }
        let Some(value) = written(client, &run.workflow_name, name).await? else { return Ok(()) };
        let to = To { step: None, invocation: question.invocation };
        match client.send(&run.handler_id, name, value, to).await {
            // Somebody else was faster, or the answer does not fit: it is still waited for, here or elsewhere.
            Err(Error::Refused { detail, .. }) => Problem::new(detail).hint("`wf-host runs send` sends another answer").warn(),
            sent => sent?,
        }
    }
    Ok(())
}

/// What waits for the answer to the question in a frame; where nothing says that it does, what waits besides.
async fn waits(client: &Client, run: &str, frame: i64) -> Result<Option<WaitingFor>> {
    let mut other = None;
    for _ in 0..LOOKS {
        let run = client.run_of(run).await?;
        other = None;
        for it in run.waiting_for.into_iter().flatten() {
            match &it.request {
                Some(request) if request.sequence == frame => return Ok(Some(it)),
                Some(_) => (),
                None => other = Some(it),
            }
        }
        if run.completed_at.is_some() {
            return Ok(None);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(other)
}

/// The schema of an event; nothing, where the server has none.
async fn schema(client: &Client, workflow: &str, name: &str) -> Result<Value> {
    let types = client.event_types(workflow).await?;
    Ok(types.into_iter().find(|it| it["title"] == name).unwrap_or_default())
}

/// The fields of an event, asked for one after the other; none: there is no more input.
async fn written(client: &Client, workflow: &str, name: &str) -> Result<Option<Value>> {
    let schema = schema(client, workflow, name).await?;
    let mut fields = Map::new();
    for (field, schema) in schema["properties"].as_object().cloned().unwrap_or_default() {
        let about = schema["description"].as_str().map(|it| format!(" ({it})")).unwrap_or_default();
        note(&format!("? {field}{about}: "));
        let Some(line) = read_line().await else { return Ok(None) };
        let text = Value::String(line.clone());
        fields.insert(field, if schema["type"] == "string" { text } else { serde_json::from_str(&line).unwrap_or(text) });
    }
    Ok(Some(Value::Object(fields)))
}

/// A line of stdin, read by a thread of its own: a read cannot be interrupted.
async fn read_line() -> Option<String> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = sender.send(matches!(read, Ok(1..)).then(|| line.trim_end_matches(['\r', '\n']).to_owned()));
    });
    receiver.await.ok().flatten()
}
