//! Who owns which run, what is due, and commands for an owner elsewhere.

use wf_host::store::{Append, Claim, CommandId, Error, Follows, Held, HostId, NewRun, Now, Release, Standing, Status, Wake, open};

use super::on_every_store;
use super::rows::{AnyStore, HOST, append, created, ended, ids, new, now, over, seqs};

on_every_store!(
    a_run_is_left_and_taken_again,
    who_has_left_a_run_writes_nothing,
    what_is_due_is_claimed,
    a_claim_is_bounded,
    what_has_ended_is_nobodys,
    a_run_that_only_waits_is_acquired,
    who_has_lost_a_run_can_know_it,
    a_run_follows_the_one_whose_state_it_carries,
    commands_are_answered,
    a_command_is_carried_out_with_its_answer,
    a_command_is_withdrawn,
    who_has_commands_is_known,
    commands_go_with_their_run,
    the_far_future_is_no_fault,
);

fn wake(at: Option<u64>, alive: Option<u64>) -> Wake {
    let micros = |seconds: Option<u64>| seconds.map(|it| it * 1_000_000);
    Wake { at: micros(at), alive: micros(alive) }
}

/// A run that nobody owns, and when it is due.
async fn left(store: &AnyStore, run: &str, wake: Wake) {
    let key = created(store, run, run).await;
    store.release(Release { run: key, generation: 1, wake }).await.expect("left");
}

async fn a_run_is_left_and_taken_again(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    assert_eq!(store.next_due().await, Ok(wake(None, None)), "it has an owner");
    assert_eq!(store.claim_due(HOST, now(99, 99), 9).await, Ok(vec![]));
    store.release(Release { run, generation: 7, wake: wake(Some(1), None) }).await.expect("nothing: another's");
    assert_eq!(store.next_due().await, Ok(wake(None, None)));
    store.release(Release { run, generation: 1, wake: wake(Some(20), Some(30)) }).await.expect("left");
    assert_eq!(store.next_due().await, Ok(wake(Some(20), Some(30))));
    assert_eq!(store.claim_due(HOST, now(19, 29), 9).await, Ok(vec![]));
    let claim = Claim { key: run, run: "r".into(), generation: 2, abandoned: false };
    assert_eq!(store.claim_due(HOST, now(20, 29), 9).await, Ok(vec![claim]));
    assert_eq!(store.claim_due(HOST, now(99, 99), 9).await, Ok(vec![]), "it is owned");
    assert_eq!(store.next_due().await, Ok(wake(None, None)));
    store.append(append(run, 2, 1)).await.expect("the owner");
}

async fn who_has_left_a_run_writes_nothing(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    store.release(Release { run, generation: 1, wake: wake(Some(5), None) }).await.expect("left");
    assert_eq!(store.append(append(run, 1, 1)).await, Err(Error::Stale));
    store.release(Release { run, generation: 1, wake: wake(Some(50), None) }).await.expect("nothing: it was left");
    assert_eq!(store.next_due().await, Ok(wake(Some(5), None)));
    assert_eq!(seqs(&store, run).await, [0]);
}

async fn what_is_due_is_claimed(store: AnyStore) {
    left(&store, "early", wake(Some(10), None)).await;
    left(&store, "late", wake(Some(40), None)).await;
    left(&store, "timeout", wake(None, Some(5))).await;
    left(&store, "both", wake(Some(8), Some(1))).await;
    left(&store, "idle", wake(None, None)).await;
    assert_eq!(store.next_due().await, Ok(wake(Some(8), Some(1))));
    assert_eq!(ids(store.claim_due(HOST, now(30, 9), 9).await), ["both", "early", "timeout"], "due longest first, each once");
    assert_eq!(store.next_due().await, Ok(wake(Some(40), None)));
}

async fn a_claim_is_bounded(store: AnyStore) {
    for place in 0..25 {
        left(&store, &format!("r{place}"), wake(Some(place), Some(place))).await;
    }
    let mut claimed = Vec::new();
    loop {
        let some = ids(store.claim_due(HOST, now(99, 99), 10).await);
        assert!(some.len() <= 10);
        if some.is_empty() {
            break;
        }
        claimed.extend(some);
    }
    assert_eq!(claimed, (0..25).map(|place| format!("r{place}")).collect::<Vec<_>>());
}

async fn what_has_ended_is_nobodys(store: AnyStore) {
    let standing = Standing { wake: wake(Some(1), Some(1)), ..ended(Status::Cancelled, 9) };
    store.create(NewRun { standing: standing.clone(), ..new(&store, "at once", "h1") }).await.expect("created");
    let run = created(&store, "r", "h2").await;
    store.append(Append { standing, ..append(run, 1, 1) }).await.expect("appended");
    assert_eq!(store.next_due().await, Ok(wake(None, None)));
    assert_eq!(store.claim_due(HOST, now(99, 99), 9).await, Ok(vec![]));
    assert_eq!(store.acquire(HOST, "r", now(1, 1)).await, Err(Error::Over));
    store.release(Release { run, generation: 1, wake: wake(Some(1), None) }).await.expect("nothing: it is over");
    assert_eq!(store.next_due().await, Ok(wake(None, None)));
}

async fn a_run_that_only_waits_is_acquired(store: AnyStore) {
    assert_eq!(store.acquire(HOST, "r", now(1, 1)).await, Err(Error::Gone));
    left(&store, "r", wake(None, None)).await;
    let claim = store.acquire(HOST, "r", now(1, 1)).await.expect("owned");
    assert_eq!((claim.generation, claim.abandoned), (2, false));
    let again = store.acquire(HOST, "r", now(1, 1)).await.expect("its own");
    assert_eq!((again.generation, again.abandoned), (3, false), "it was here all the time");
    assert_eq!(store.append(append(claim.key, 2, 1)).await, Err(Error::Stale));
    store.append(append(claim.key, 3, 1)).await.expect("the owner");
}

async fn who_has_lost_a_run_can_know_it(store: AnyStore) {
    let (first, second) = (created(&store, "r1", "h1").await, created(&store, "r2", "h2").await);
    let held = |key, generation| Held { key, generation };
    let ours = vec![held(first, 1), held(second, 1), held(store.key(), 1)];
    assert_eq!(store.newer(ours.clone()).await, Ok(vec![]), "also of one that is not stored yet");
    store.acquire(HOST, "r2", now(1, 1)).await.expect("owned");
    assert_eq!(store.newer(ours.clone()).await, Ok(vec![held(second, 2)]));
    store.release(Release { run: second, generation: 2, wake: wake(None, None) }).await.expect("left");
    assert_eq!(store.newer(ours).await, Ok(vec![held(second, 2)]), "whoever had it has left it");
    assert_eq!(store.newer(vec![held(second, 2)]).await, Ok(vec![]));
}

async fn a_run_follows_the_one_whose_state_it_carries(store: AnyStore) {
    let following = |run: &str, follows| NewRun { follows, standing: ended(Status::Cancelled, 9), ..new(&store, run, "h") };
    store.create(following("first", Follows::None)).await.expect("nothing was there");
    assert_eq!(store.create(following("another", Follows::None)).await, Err(Error::AlreadyRunning));
    let first = store.run("first").await.expect("an answer").expect("it is there").key;
    store.create(following("second", Follows::Run(first))).await.expect("it is the newest");
    assert_eq!(store.create(following("another", Follows::Run(first))).await, Err(Error::AlreadyRunning), "it has a state of its own");
    store.create(following("third", Follows::Any)).await.expect("it carries nothing");
    assert_eq!(store.handler("h").await.map(|it| it.map(|it| it.run)), Ok(Some("third".to_owned())));
}

async fn commands_are_answered(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let first = store.send_command("r", b"first".to_vec()).await.expect("sent");
    let second = store.send_command("r", b"second".to_vec()).await.expect("sent");
    assert_eq!(store.commands(run).await, Ok(vec![(first, b"first".to_vec()), (second, b"second".to_vec())]));
    assert_eq!(store.take_answer(first).await, Ok(None));
    store.answer_command(first, b"done".to_vec()).await.expect("answered");
    assert_eq!(store.commands(run).await, Ok(vec![(second, b"second".to_vec())]));
    assert_eq!(store.take_answer(first).await, Ok(Some(b"done".to_vec())));
    assert_eq!(store.take_answer(first).await, Err(Error::Gone), "once");
    assert_eq!(store.take_answer(second).await, Ok(None));
}

async fn a_command_is_carried_out_with_its_answer(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let first = store.send_command("r", b"first".to_vec()).await.expect("sent");
    let carried_out = |seq| Append { answer: Some((first, b"done".to_vec())), ..append(run, 1, seq) };
    store.append(carried_out(1)).await.expect("appended");
    assert_eq!(store.commands(run).await, Ok(vec![]));
    assert_eq!(store.append(carried_out(2)).await, Err(Error::Stale), "once");
    assert_eq!(seqs(&store, run).await, [0, 1]);
    store.answer_command(first, b"refused".to_vec()).await.expect("nothing: it is answered");
    assert_eq!(store.take_answer(first).await, Ok(Some(b"done".to_vec())), "the first stands");
}

async fn a_command_is_withdrawn(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let first = store.send_command("r", b"first".to_vec()).await.expect("sent");
    let second = store.send_command("r", b"second".to_vec()).await.expect("sent");
    assert_eq!(store.withdraw_command(first).await, Ok(None));
    let late = Append { answer: Some((first, b"done".to_vec())), ..append(run, 1, 1) };
    assert_eq!(store.append(late).await, Err(Error::Stale), "nobody carries it out");
    assert_eq!(seqs(&store, run).await, [0]);
    store.answer_command(first, b"done".to_vec()).await.expect("nothing: it is not there");
    assert_eq!(store.withdraw_command(first).await, Err(Error::Gone));
    store.answer_command(second, b"done".to_vec()).await.expect("answered");
    assert_eq!(store.withdraw_command(second).await, Ok(Some(b"done".to_vec())), "it came too late");
    assert_eq!(store.take_answer(second).await, Err(Error::Gone));
}

async fn who_has_commands_is_known(store: AnyStore) {
    let mut sent = store.watch_commands();
    created(&store, "quiet", "h1").await;
    let ours = created(&store, "ours", "h2").await;
    left(&store, "nobodys", wake(None, None)).await;
    assert_eq!(store.commanded(HOST).await, Ok(vec![]));
    assert!(!sent.has_changed().expect("the store is there"), "nothing was sent");
    let mut commands = Vec::new();
    for run in ["nobodys", "ours", "ours"] {
        commands.push(store.send_command(run, b"do".to_vec()).await.expect("sent"));
        assert!(sent.has_changed().expect("the store is there"), "for {run}");
        sent.mark_unchanged();
    }
    let sorted = |runs: Result<Vec<String>, Error>| {
        let mut runs = runs.expect("runs");
        runs.sort();
        runs
    };
    assert_eq!(sorted(store.commanded(HOST).await), ["nobodys", "ours"], "each once");
    assert_eq!(store.commanded(HostId(99)).await, Ok(vec!["nobodys".to_owned()]));
    store.answer_command(commands[0], b"done".to_vec()).await.expect("answered");
    assert_eq!(store.commanded(HOST).await, Ok(vec!["ours".to_owned()]));
    store.append(Append { standing: ended(Status::Cancelled, 9), ..append(ours, 1, 1) }).await.expect("appended");
    assert_eq!(store.commanded(HOST).await, Ok(vec![]), "it is over");
}

async fn commands_go_with_their_run(store: AnyStore) {
    assert_eq!(store.send_command("nobody", b"do".to_vec()).await, Err(Error::Gone));
    over(&store, "over", "h1", "greeting", 9).await;
    assert_eq!(store.send_command("over", b"do".to_vec()).await, Err(Error::Over));
    let run = created(&store, "r", "h2").await;
    let command = store.send_command("r", b"do".to_vec()).await.expect("sent");
    store.purge("h2", true).await.expect("purged");
    assert_eq!(store.commands(run).await, Ok(vec![]));
    store.answer_command(command, b"done".to_vec()).await.expect("nothing: it has gone");
    assert_eq!(store.take_answer(command).await, Err(Error::Gone));
    store.answer_command(CommandId(99), b"done".to_vec()).await.expect("nothing");
}

#[tokio::test]
async fn memory_has_room_for_several_hosts() {
    let store = open(Some("memory:"), std::path::Path::new("unused")).await.expect("it opens");
    assert_eq!((store.join(now(0, 0)).await, store.join(now(0, 0)).await), (Ok(HOST), Ok(HostId(2))));
    let run = created(&store, "r", "h").await;
    assert_eq!(store.acquire(HostId(2), "r", now(9, 9)).await, Err(Error::Owned));
    assert_eq!(store.claim_due(HostId(2), now(9, 9), 9).await, Ok(vec![]));
    store.keep_alive(HOST, now(9, 9)).await.expect("renewed");
    assert_eq!(store.acquire(HostId(2), "r", now(18, 9)).await, Err(Error::Owned));
    let claims = store.claim_due(HostId(2), now(19, 9), 9).await.expect("claims");
    assert_eq!(claims, [Claim { key: run, run: "r".into(), generation: 2, abandoned: true }]);
    store.keep_alive(HostId(2), now(19, 9)).await.expect("renewed");
    store.keep_alive(HOST, now(20, 9)).await.expect("it is back");
    assert_eq!(store.append(append(run, 1, 1)).await, Err(Error::Stale), "it has lost the run");
    assert_eq!(store.claim_due(HOST, now(20, 9), 9).await, Ok(vec![]));
    store.append(append(run, 2, 1)).await.expect("the new owner");
}

async fn the_far_future_is_no_fault(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let never = Wake { at: Some(u64::MAX), alive: Some(u64::MAX) };
    let standing = Standing { updated_at: u64::MAX, wake: never, ..Standing::default() };
    store.append(Append { standing, ..append(run, 1, 1) }).await.expect("appended");
    store.release(Release { run, generation: 1, wake: never }).await.expect("left");
    assert_eq!(store.claim_due(HOST, now(99, 99), usize::MAX).await, Ok(vec![]));
    store.keep_alive(HOST, Now { at: u64::MAX, alive: 7 }).await.expect("renewed");
}
