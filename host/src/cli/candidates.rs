//! Names for shell completions, from the server that the line speaks to. Where none answers, there are none.

use std::time::Duration;

use clap_complete::CompletionCandidate;
use wf_client::{Client, Filter, Handler, Result};

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
        let help = format!("{} {}", it.workflow_name, super::remote::name(it.status));
        CompletionCandidate::new(it.handler_id).help(Some(help.into()))
    };
    let filter = Filter { limit: Some(HANDLERS_MAX), ..Filter::default() };
    ask(async |client| client.handlers(&filter).await).into_iter().flat_map(|page| page.handlers).map(about).collect()
}

/// The types of events that the run on the line takes.
pub(super) fn event_types() -> Vec<CompletionCandidate> {
    let Some(handler) = after("send") else { return Vec::new() };
    let types = ask(async |client| {
        let workflow = client.handler(&handler).await?.workflow_name;
        client.event_types(&workflow).await
    });
    types.into_iter().flatten().filter_map(|it| Some(CompletionCandidate::new(it["title"].as_str()?.to_owned()))).collect()
}

fn ask<T>(question: impl AsyncFnOnce(Client) -> Result<T>) -> Option<T> {
    let url = after("--server").or_else(|| std::env::var("WF_HOST_SERVER").ok()).unwrap_or_else(|| super::remote::SERVER.to_owned());
    let client = Client::new(&url).ok()?.with_retries(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, question(client)).await.ok()?.ok() })
}

/// The word after another on the line that is being written.
fn after(word: &str) -> Option<String> {
    let mut words = std::env::args().skip_while(|it| it != word).skip(1);
    words.find(|it| !it.starts_with('-')).filter(|it| !it.is_empty())
}
