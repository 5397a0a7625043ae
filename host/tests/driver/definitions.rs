//! Runs that hold something else than what new runs get.

use super::two_hosts::{module, start_under, until};
use super::*;

use wf_tests::database::rows;

/// That workflow with another description: another component.
fn newer() -> Module {
    let module = module();
    Module { fields: format!(r#"{} (data (i32.const 28900) "newer")"#, module.fields), ..module }
}

#[tokio::test]
async fn a_component_that_many_runs_hold_is_loaded_once() {
    let store = Arc::new(Hostile::default());
    let before = host(store.clone(), module()).await;
    for handler in 0..20 {
        before.start(start_under(&before, &format!("h{handler}"))).await.expect("it is durable");
    }
    before.stop().await;
    drop(before);
    let after = host(store.clone(), newer()).await;
    let handlers: Vec<String> = (0..20).map(|handler| format!("h{handler}")).collect();
    let cancelled = join_all(handlers.iter().map(|handler| after.cancel(handler))).await;
    assert!(cancelled.iter().all(std::result::Result::is_ok), "{cancelled:?}");
    assert_eq!(store.components.load(Ordering::Acquire), 1);
}

/// A host on which the outside may send these types, too.
async fn host_with(store: &Arc<Hostile>, additional: &[&str]) -> Host {
    let own = WorkflowConfig { additional_events: additional.iter().map(|it| (*it).to_owned()).collect(), ..WorkflowConfig::default() };
    let config = Config { workflows: [("waiting".to_owned(), own)].into(), ..Config::default() };
    host_of(store.clone(), module(), config).await
}

#[tokio::test]
async fn a_run_is_sent_what_it_began_with_whatever_is_configured_later() {
    let store = Arc::new(Hostile::default());
    let before = host_with(&store, &["Note"]).await;
    before.start(start_under(&before, "old")).await.expect("it is durable");
    assert_eq!(before.definition("old").await.expect("it is there").additional_events, ["Note"]);
    before.stop().await;
    let after = host_with(&store, &["Answer"]).await;
    after.start(start_under(&after, "new")).await.expect("it is durable");
    for (handler, takes) in [("old", "Note"), ("new", "Answer")] {
        assert_eq!(after.definition(handler).await.expect("it is there").additional_events, [takes], "{handler}");
    }
}

/// Its frames or its lines may be gone in part.
#[tokio::test]
async fn a_fork_of_what_is_purged_while_it_is_made_is_refused() {
    let host = host(Arc::new(Hostile::default()), module()).await;
    let run = host.start(start_under(&host, "h")).await.expect("it is durable").run;
    let forking = host.forking(&run, Some(0), false).await.expect("it can be forked");
    host.purge("h").await.expect("it goes");
    let forked = host.fork(forking, Edit::default(), None).await;
    assert!(matches!(forked, Err(Refusal::NotFound)), "{forked:?}");
    assert!(matches!(host.forking(&run, Some(0), false).await, Err(Refusal::NotFound)));
}

/// It holds a component that is served no more, and a large value that is stored once for both.
#[tokio::test]
async fn a_fork_goes_on_without_its_origin_and_what_it_held_goes_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(Hostile::on(wf_host::store::open(None, folder.path()).await.expect("it opens")));
    let before = host(store.clone(), module()).await;
    let digest = before.workflow("waiting").expect("it is loaded").digests().remove(0);
    let state = to_json(&serde_json::json!({ "large": "x".repeat(1 << 17) }));
    let origin = before.start(Start { state: Some(state.clone()), ..start_under(&before, "origin") }).await.expect("it is durable");
    let forking = before.forking(&origin.run, Some(0), false).await.expect("it can be forked");
    let fork = before.fork(forking, Edit::default(), None).await.expect("it begins");
    before.purge("origin").await.expect("it goes");
    before.stop().await;
    drop(before);
    let after = host(store.clone(), newer()).await;
    let served = after.workflow("waiting").expect("it is loaded").digests();
    until("the origin to be gone", async || rows(folder.path(), "deleted") == 0).await;
    assert_eq!(store.drop_components(served.clone()).await, Ok(0), "the fork needs its own");
    assert!(rows(folder.path(), "blob") > 0);
    let answer = Event { name: "Answer".into(), payload: to_json(&serde_json::json!({ "result": 7 })) };
    after.send(&fork.handler, answer, Target::default(), None).await.expect("it waits");
    assert!(matches!(after.ended(&fork.run).await.expect("it ends").status, RunStatus::Completed(_)));
    assert_eq!(after.state(&fork.handler).await.expect("it is kept").get(), state.get());
    after.purge(&fork.handler).await.expect("it goes");
    assert_eq!(store.drop_components(served).await, Ok(1));
    assert_eq!(store.component(&digest).await, Ok(None));
    until("what it held to be gone", async || rows(folder.path(), "blob") == 0).await;
}
