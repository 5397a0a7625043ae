//! Of a workflow only so many runs go on at once: the others queue.

use wf_host::store::{Append, Created, Error, Made, NewRun, Purged, Release, Standing, Status, TURNS_MAX, Unbegun, Wake, open};

use super::on_every_store;
use super::rows::{AnyStore, HOST, append, created, ended, entry, frame, ids, key, line, new, now, seqs, sequences};

on_every_store!(
    who_comes_when_as_many_run_as_may_queues,
    one_that_queues_has_not_begun,
    turns_come_in_the_order_of_the_starts,
    one_whose_turn_has_come_begins,
    a_turn_that_comes_while_it_is_owned_is_not_lost,
    one_that_queues_can_be_ended,
    a_cap_is_raised_or_taken_away,
    many_turns_are_given_in_steps,
    one_that_ends_at_once_needs_no_turn,
    one_that_queues_can_go,
    a_fork_queues_with_all_that_it_was_copied_with,
);

fn capped(store: &AnyStore, run: &str, runs_max: u32) -> NewRun {
    NewRun { runs_max: Some(runs_max), ..new(store, run, run) }
}

/// Starts runs, of which so many may go on at once. Says which of them queue.
async fn start(store: &AnyStore, runs: &[&str], runs_max: u32) -> Vec<String> {
    let mut queued = Vec::new();
    for run in runs {
        match store.create(capped(store, run, runs_max)).await.expect("created") {
            Created::Begun => (),
            Created::Queued => queued.push((*run).to_owned()),
        }
    }
    queued
}

async fn end(store: &AnyStore, run: &str) {
    let (key, generation) = match store.run(run).await.expect("an answer").expect("it is there") {
        run if run.queue.is_some() => panic!("{} queues", run.run),
        run => (run.key, store.acquire(HOST, &run.run, now(1, 1)).await.expect("ours").generation),
    };
    let seq = store.journal(key).await.expect("a journal").len() as u64;
    store.append(Append { standing: ended(Status::Cancelled, 20), ..append(key, generation, seq) }).await.expect("it ends");
}

async fn who_comes_when_as_many_run_as_may_queues(store: AnyStore) {
    assert_eq!(start(&store, &["r1", "r2", "r3", "r4"], 2).await, ["r3", "r4"]);
    let other = NewRun { workflow: "other".into(), ..capped(&store, "other", 1) };
    assert_eq!(store.create(other).await, Ok(Created::Begun), "each workflow has its own");
    assert_eq!(store.create(new(&store, "free", "free")).await, Ok(Created::Begun), "without a cap nobody queues");
    assert_eq!(store.queues().await, Ok(vec!["greeting".to_owned()]));
    end(&store, "r1").await;
    end(&store, "r2").await;
    end(&store, "free").await;
    assert_eq!(start(&store, &["r5"], 2).await, ["r5"], "nobody passes those who queue");
}

async fn one_that_queues_has_not_begun(store: AnyStore) {
    start(&store, &["r1"], 1).await;
    let standing = Standing { updated_at: 10, wake: Wake { at: Some(1), alive: Some(1) }, waiting: Some("Answer".into()), ended: None };
    let second = NewRun { standing, idempotency: Some(key("scope", "k", Made::Run("r2".into()))), ..capped(&store, "r2", 1) };
    let run = second.key;
    assert_eq!(store.create(second).await, Ok(Created::Queued));
    let summary = store.run("r2").await.expect("an answer").expect("it is there");
    assert_eq!((summary.status, summary.queue.as_deref(), summary.waiting), (Status::Running, Some("greeting"), None));
    assert_eq!((seqs(&store, run).await, sequences(&store, "r2", -1, 9).await), (vec![], vec![]));
    assert_eq!(store.unbegun(run).await, Ok(Some(Unbegun { entries: vec![entry(0)], queues: true })));
    assert_eq!(store.owned(HOST).await, Ok(vec!["r1".to_owned()]));
    assert_eq!(store.next_due().await, Ok(Wake::default()));
    assert_eq!(store.append(append(run, 1, 0)).await, Err(Error::Stale));
    assert_eq!(store.create(new(&store, "r3", "r2")).await, Err(Error::AlreadyRunning));
    assert_eq!(store.purge("r2", false).await, Err(Error::AlreadyRunning));
    assert_eq!(store.idempotency("scope", "k").await.expect("an answer").expect("it is kept").made, Made::Run("r2".into()));
    assert_eq!(store.unfinished().await, Ok(2));
}

async fn turns_come_in_the_order_of_the_starts(store: AnyStore) {
    start(&store, &["r1", "r2", "r3", "r4", "r5"], 2).await;
    assert_eq!(store.give_turns("greeting", Some(2), now(5, 5)).await, Ok(0));
    assert_eq!(store.give_turns("other", Some(2), now(5, 5)).await, Ok(0));
    end(&store, "r2").await;
    assert_eq!(store.give_turns("greeting", Some(2), now(5, 5)).await, Ok(1));
    assert_eq!(store.give_turns("greeting", Some(2), now(5, 5)).await, Ok(0), "whose turn has come counts");
    assert_eq!(store.next_due().await, Ok(Wake { at: Some(5_000_000), alive: None }));
    assert_eq!(ids(store.claim_due(HOST, now(5, 5), 9).await), ["r3"]);
    end(&store, "r1").await;
    end(&store, "r3").await;
    assert_eq!(store.give_turns("greeting", Some(2), now(6, 6)).await, Ok(2));
    assert_eq!(ids(store.claim_due(HOST, now(6, 6), 9).await), ["r4", "r5"]);
    assert_eq!(store.queues().await, Ok(vec![]));
}

async fn one_whose_turn_has_come_begins(store: AnyStore) {
    start(&store, &["r1", "r2"], 1).await;
    let run = store.run("r2").await.expect("an answer").expect("it is there").key;
    end(&store, "r1").await;
    assert_eq!(store.give_turns("greeting", Some(1), now(5, 5)).await, Ok(1));
    let claim = store.claim_due(HOST, now(5, 5), 9).await.expect("claims").remove(0);
    assert_eq!((claim.generation, claim.abandoned), (2, false));
    assert_eq!(store.unbegun(run).await, Ok(Some(Unbegun { entries: vec![entry(0)], queues: false })));
    let standing = Standing { updated_at: 77, ..Standing::default() };
    store.append(Append { standing, ..append(run, 2, 0) }).await.expect("it begins");
    let summary = store.run("r2").await.expect("an answer").expect("it is there");
    assert_eq!((summary.started_at, summary.queue), (77, None), "it has begun now");
    assert_eq!((seqs(&store, run).await, store.unbegun(run).await), (vec![0], Ok(None)));
}

async fn a_turn_that_comes_while_it_is_owned_is_not_lost(store: AnyStore) {
    start(&store, &["r1", "r2"], 1).await;
    let claim = store.acquire(HOST, "r2", now(1, 1)).await.expect("somebody asks it something");
    let left = Release { run: claim.key, generation: claim.generation, wake: Wake::default() };
    store.release(left).await.expect("left");
    assert_eq!(store.next_due().await, Ok(Wake::default()), "it queues");
    let claim = store.acquire(HOST, "r2", now(1, 1)).await.expect("somebody asks it something");
    end(&store, "r1").await;
    assert_eq!(store.give_turns("greeting", Some(1), now(5, 5)).await, Ok(1));
    assert_eq!(ids(store.claim_due(HOST, now(5, 5), 9).await), [""; 0], "it is owned");
    store.release(Release { generation: claim.generation, ..left }).await.expect("left");
    assert_eq!(ids(store.claim_due(HOST, now(5, 5), 9).await), ["r2"]);
}

async fn one_that_queues_can_be_ended(store: AnyStore) {
    start(&store, &["r1", "r2", "r3"], 1).await;
    let claim = store.acquire(HOST, "r2", now(1, 1)).await.expect("ours");
    let both =
        Append { entries: vec![entry(0), entry(1)], standing: ended(Status::Cancelled, 9), ..append(claim.key, claim.generation, 0) };
    store.append(both).await.expect("it begins and ends");
    let summary = store.run("r2").await.expect("an answer").expect("it is there");
    assert_eq!((summary.status, summary.queue), (Status::Cancelled, None));
    assert_eq!((seqs(&store, claim.key).await, store.unbegun(claim.key).await), (vec![0, 1], Ok(None)));
    assert_eq!(store.give_turns("greeting", Some(1), now(5, 5)).await, Ok(0), "it took nobody's turn, and gives none");
    end(&store, "r1").await;
    assert_eq!(store.give_turns("greeting", Some(1), now(5, 5)).await, Ok(1));
    assert_eq!(ids(store.claim_due(HOST, now(5, 5), 9).await), ["r3"]);
}

async fn a_cap_is_raised_or_taken_away(store: AnyStore) {
    start(&store, &["r1", "r2", "r3", "r4", "r5"], 1).await;
    assert_eq!(store.give_turns("greeting", Some(3), now(5, 5)).await, Ok(2));
    assert_eq!(store.give_turns("greeting", Some(1), now(5, 5)).await, Ok(0), "more run than may now");
    assert_eq!(store.give_turns("greeting", None, now(5, 5)).await, Ok(2));
    assert_eq!(ids(store.claim_due(HOST, now(5, 5), 9).await), ["r2", "r3", "r4", "r5"]);
}

async fn many_turns_are_given_in_steps(store: AnyStore) {
    let runs: Vec<String> = (0..TURNS_MAX + 11).map(|run| format!("r{run}")).collect();
    start(&store, &runs.iter().map(String::as_str).collect::<Vec<_>>(), 1).await;
    for runs_max in [None, Some(u32::MAX)] {
        assert_eq!(store.give_turns("greeting", runs_max, now(5, 5)).await, Ok(if runs_max.is_none() { TURNS_MAX } else { 10 }));
    }
    assert_eq!(store.queues().await, Ok(vec![]));
}

async fn one_that_ends_at_once_needs_no_turn(store: AnyStore) {
    created(&store, "r1", "h1").await;
    let new = NewRun { standing: ended(Status::Failed("stuck".into()), 9), ..capped(&store, "r2", 1) };
    assert_eq!(store.create(new).await, Ok(Created::Begun));
    assert_eq!(store.queues().await, Ok(vec![]));
}

async fn one_that_queues_can_go(store: AnyStore) {
    start(&store, &["r1", "r2"], 1).await;
    let run = store.run("r2").await.expect("an answer").expect("it is there").key;
    assert_eq!(store.purge("r2", true).await, Ok(Purged { runs: vec!["r2".into()] }));
    assert_eq!((store.queues().await, store.unbegun(run).await), (Ok(vec![]), Ok(None)));
}

async fn a_fork_queues_with_all_that_it_was_copied_with(store: AnyStore) {
    start(&store, &["r1"], 1).await;
    let entries: Vec<_> = (0..4).map(entry).collect();
    let fork = NewRun {
        entries: entries.clone(),
        frames: vec![frame(0), frame(1), frame(2)],
        copied: 2,
        logs: vec![line(0, 0, "log", 0, "copied")],
        ..capped(&store, "r2", 1)
    };
    let run = fork.key;
    assert_eq!(store.create(fork).await, Ok(Created::Queued));
    assert_eq!(store.unbegun(run).await, Ok(Some(Unbegun { entries: entries.clone(), queues: true })));
    assert_eq!((seqs(&store, run).await, sequences(&store, "r2", -1, 9).await), (vec![], vec![0, 1]));
    assert_eq!(store.logs("r2").await.expect("an answer").len(), 1);
    end(&store, "r1").await;
    assert_eq!(store.give_turns("greeting", Some(1), now(5, 5)).await, Ok(1));
    let claim = store.acquire(HOST, "r2", now(6, 6)).await.expect("ours");
    let begins = Append {
        entries,
        frames: vec![frame(2)],
        standing: Standing { updated_at: 7, ..Standing::default() },
        ..append(run, claim.generation, 0)
    };
    store.append(begins).await.expect("it begins");
    assert_eq!((seqs(&store, run).await, sequences(&store, "r2", -1, 9).await), (vec![0, 1, 2, 3], vec![0, 1, 2]));
    assert_eq!((store.unbegun(run).await, store.run("r2").await.expect("an answer").expect("it is there").started_at), (Ok(None), 7));
}
