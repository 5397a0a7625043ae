//! What a step has written when its worker is lost, and what its next entry writes; and how much of it waits for the store.

use super::two_hosts::until;
use super::*;

const MANIFEST: &str = r#"{"name":"echo","events":[{"name":"Note","kind":"human-response"}],
    "steps":[{"name":"say","accepts":["StartEvent"],"emits":["StopEvent"]},{"name":"n","accepts":["Note"]}]}"#;

/// `n` sets `n` in the state. `say` writes three lines and computes for ever while there is no `n`; else it writes one, and ends the run.
fn module() -> Module {
    let (quiet, echoing) = (Module::quiet(MANIFEST), Module::echoing(MANIFEST));
    let imports = r#"
        (import "wf:workflow/state@0.1.0" "get" (func $get (param i32 i32 i32)))
        (import "wf:workflow/state@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))
        (import "wf:workflow/log@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32 i32)))
        (data (i32.const 28800) "n1infoline{}")"#;
    let line = "(call $write (i32.const 28802) (i32.const 4) (i32.const 28806) (i32.const 4) (i32.const 28810) (i32.const 2))";
    let invoke = format!(
        "(if (result i32) (i32.eq (local.get 1) (i32.const 1))
            (then (call $set (i32.const 28800) (i32.const 1) (i32.const 28801) (i32.const 1) (i32.const 28736)) {quiet})
            (else
                (call $get (i32.const 28800) (i32.const 1) (i32.const 28736))
                (if (i32.eqz (i32.load8_u offset=4 (i32.const 28736))) (then {line} {line} {line} (loop (br 0))))
                {line}
                {echo}))",
        quiet = quiet.invoke,
        echo = echoing.invoke
    );
    Module { fields: format!("{imports} {}", echoing.fields), invoke: invoke.leak(), ..echoing }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_an_entry_that_was_lost_go_where_the_next_writes_fewer() {
    let store = Arc::new(Hostile::default());
    let fixture = Fixture { host: host(store.clone(), module()).await, store };
    let begun = fixture.host.start(fixture.start(1)).await.expect("it is durable");
    let lines = async || fixture.store.logs(&begun.run).await.expect("lines").len();
    let note = || fixture.host.send("h1", Event { name: "Note".into(), payload: to_json(&serde_json::json!({})) }, Target::default(), None);
    until("the lines are there", async || lines().await == 3).await;
    note().await.expect("it is durable");
    until("it is set", async || fixture.host.state("h1").await.is_ok_and(|state| state.get().contains(r#""n":1"#))).await;
    assert_eq!(lines().await, 3, "it goes on");
    fixture.store.panics.store(1, Ordering::Release);
    let lost = note().await;
    assert!(matches!(lost, Err(Refusal::Unavailable(_))), "{lost:?}");
    fixture.completes(1).await;
    until("the others are gone", async || lines().await == 1).await;
}

/// Writes 60 lines of 16 KB, and ends the run.
fn verbose() -> Module {
    let echoing = Module::echoing(super::MANIFEST);
    let imports = r#"(import "wf:workflow/log@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32 i32)))
        (data (i32.const 28800) "info{}")"#;
    let invoke = format!(
        "(local $left i32) (local.set $left (i32.const 60))
        (memory.fill (i32.const 8192) (i32.const 120) (i32.const 16000))
        (loop $again
            (call $write (i32.const 28800) (i32.const 4) (i32.const 8192) (i32.const 16000) (i32.const 28804) (i32.const 2))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        {}",
        echoing.invoke
    );
    Module { fields: format!("{imports} {}", echoing.fields), invoke: invoke.leak(), ..echoing }
}

/// A hundred runs write 96 MB, and the store none of it: all together have 64 MiB on the way, and wait.
#[tokio::test(flavor = "multi_thread")]
async fn lines_that_wait_for_the_store_are_bounded() {
    let store = Arc::new(Hostile::default());
    let fixture = Fixture { host: host(store.clone(), verbose()).await, store };
    fixture.store.holds_lines.send_replace(true);
    let held = || fixture.store.lines_held.load(Ordering::Acquire);
    let host = &fixture.host;
    let (ended, ()) = tokio::join!(join_all((0..100).map(|run| fixture.host.start_and_wait(fixture.start(run)))), async {
        until("there are many", async || held() > 48 << 20).await;
        let (mut before, mut since) = (held(), Instant::now());
        until("no more come", async || {
            if held() > before {
                (before, since) = (held(), Instant::now());
            }
            since.elapsed() > Duration::from_secs(1)
        })
        .await;
        assert!(held() < 65 << 20, "{} bytes wait for the store", held());
        // Who waits for room keeps none that was never on its way.
        until("each is created", async || {
            join_all((0..100).map(|run| async move { host.handler(&format!("h{run}")).await.is_ok() })).await.into_iter().all(|there| there)
        })
        .await;
        fixture.store.holds_lines.send_replace(false);
    });
    assert!(ended.iter().all(|it| matches!(it, Ok(RunView { status: RunStatus::Completed(_), .. }))), "{ended:?}");
    for run in 0..100 {
        let run = fixture.host.handler(&format!("h{run}")).await.expect("it is there").run;
        assert_eq!(fixture.store.logs(&run).await.expect("lines").len(), 60);
    }
}
