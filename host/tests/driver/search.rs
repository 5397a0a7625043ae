//! A store with much that is due: it is claimed in steps, and nothing else is done at each of them.

use super::two_hosts::until;
use super::*;

use wf_host::store::{Follows, Standing, TURNS_MAX};

const HOST: HostId = HostId(1);

/// One that nobody can read, and so stays with whoever claims it.
fn torn(store: &Hostile, run: &str, runs_max: Option<u32>) -> NewRun {
    NewRun {
        key: store.key(),
        host: HOST,
        run: run.to_owned(),
        handler: run.to_owned(),
        follows: Follows::Any,
        workflow: "echo".to_owned(),
        definition: Vec::new(),
        started_at: 1,
        preview: String::new(),
        entries: vec![EntryRow { seq: 0, bytes: b"{".to_vec() }],
        logs: Vec::new(),
        frames: Vec::new(),
        copied: 0,
        standing: Standing::default(),
        runs_max,
        idempotency: None,
        waited: true,
    }
}

#[tokio::test]
async fn turns_are_not_given_at_each_step_of_a_search() {
    let store = Arc::new(Hostile::default());
    store.join(Now::default()).await.expect("a host that is gone");
    for run in 0..1000 {
        let new = torn(&store, &format!("r{run}"), None);
        store.create(new).await.expect("created");
    }
    let since = Instant::now();
    let _host = host(store.clone(), Module::echoing(MANIFEST)).await;
    until("all are claimed", async || store.owned(HOST).await.expect("an answer").is_empty()).await;
    let asked = store.asked_for_queues.load(Ordering::Acquire);
    assert!(asked as u64 <= 1 + since.elapsed().as_secs() / 5, "asked for queues {asked} times in {:?}", since.elapsed());
}

#[tokio::test]
async fn however_many_turns_there_are_they_are_given_in_one_look() {
    let store = Arc::new(Hostile::default());
    store.join(Now::default()).await.expect("a host that is gone");
    for run in 0..TURNS_MAX + 100 {
        let new = torn(&store, &format!("r{run}"), Some(1));
        store.create(new).await.expect("created");
    }
    // Nothing is capped any more.
    let _host = host(store.clone(), Module::echoing(MANIFEST)).await;
    until("nobody queues", async || store.store.queues().await.expect("an answer").is_empty()).await;
    assert_eq!(store.asked_for_queues.load(Ordering::Acquire), 1);
}
