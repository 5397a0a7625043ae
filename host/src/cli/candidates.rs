//! Names for shell completions, from the server that the line speaks to. Where none answers, there are none.

use std::time::Duration;

use clap_complete::CompletionCandidate;
use wf_client::{Client, Filter, Handler, Result};

use super::connection::{SERVER, name, unasked};

/// Somebody has pressed a key, and waits.
const PATIENCE: Duration = Duration::from_millis(500);
/// More than this nobody reads.
const HANDLERS_MAX: usize = 200;

/// The workflows.
pub(super) fn workflows() -> Vec<CompletionCandidate> {
    let named = |it: wf_client::Listing| {
        let about = it.description.as_deref().and_then(|it| it.lines().next()).map(|it| it.to_owned().into());
        CompletionCandidate::new(it.name).help(about)
    };
    ask(async |client| client.listings().await).into_iter().flatten().map(named).collect()
}

/// The handlers.
pub(super) fn handlers() -> Vec<CompletionCandidate> {
    let about = |it: Handler| {
        let help = format!("{} {}", it.workflow_name, name(it.status));
        CompletionCandidate::new(it.handler_id).help(Some(help.into()))
    };
    let filter = Filter { limit: Some(HANDLERS_MAX), ..Filter::default() };
    ask(async |client| client.handlers(&filter).await).into_iter().flat_map(|page| page.handlers).map(about).collect()
}

/// The types of events that the run on the line takes.
pub(super) fn event_types() -> Vec<CompletionCandidate> {
    let types = ask(async |client| {
        let workflow = client.handler(&handler()).await?.workflow_name;
        client.event_types(&workflow).await
    });
    let names = types.into_iter().flatten().filter_map(|it| it["title"].as_str().map(str::to_owned));
    names.filter(|it| it != "StopEvent").map(CompletionCandidate::new).collect()
}

/// The steps of the run on the line.
pub(super) fn steps() -> Vec<CompletionCandidate> {
    let graph = ask(async |client| {
        let workflow = client.handler(&handler()).await?.workflow_name;
        client.representation(&workflow).await
    });
    let nodes = graph.map(|graph| graph["nodes"].as_array().cloned().unwrap_or_default()).unwrap_or_default();
    let steps = nodes.into_iter().filter(|it| it["node_type"] == "step");
    steps.filter_map(|it| Some(CompletionCandidate::new(it["id"].as_str()?.to_owned()))).collect()
}

/// The handler that `runs send` is to send to: the first word that is neither an option nor its value.
fn handler() -> String {
    let mut words = std::env::args().skip_while(|it| it != "send").skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => (),
            option if option.starts_with('-') && !option.contains('=') => drop(words.next()),
            option if option.starts_with('-') => (),
            _ => return word,
        }
    }
    String::new()
}

fn ask<T>(question: impl AsyncFnOnce(Client) -> Result<T>) -> Option<T> {
    let url = option("--server").or_else(|| std::env::var("WF_HOST_SERVER").ok()).unwrap_or_else(|| SERVER.to_owned());
    let client = unasked(&url, option("--api-key"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, question(client)).await.ok()?.ok() })
}

/// The value of an option on the line that is being written.
fn option(name: &str) -> Option<String> {
    let mut words = std::env::args().skip_while(|it| it != name && !it.starts_with(&format!("{name}=")));
    let word = words.next()?;
    word.split_once('=').map(|(_, value)| value.to_owned()).or_else(|| words.next()).filter(|it| !it.is_empty())
}
