//! The host's lease and the store's clock, which are kept whatever happens.

use std::io::Write;
use std::sync::Mutex;

use super::two_hosts::{start_under, until};
use super::*;

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while locked").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_in_the_lease_loop_is_logged_and_the_lease_is_kept() {
    let log = Log::default();
    let kept = log.clone();
    let _logs = tracing::subscriber::set_default(tracing_subscriber::fmt().with_writer(move || kept.clone()).finish());
    let fixture = fixture().await;
    fixture.store.renewals_panic.store(2, Ordering::Release);
    until("they are met", async || fixture.store.renewals_panic.load(Ordering::Acquire) == 0).await;
    let before = fixture.store.renewed.load(Ordering::Acquire);
    until("the lease is renewed again", async || fixture.store.renewed.load(Ordering::Acquire) >= before + 2).await;
    let logged = String::from_utf8(log.0.lock().expect("no panic while locked").clone()).expect("text");
    let said = logged.matches("the store's clock could not be kept: the store is not available: a defect of wf-host").count();
    assert_eq!(said, 2, "{logged}");
    assert!(matches!(fixture.run(1).await.expect("it ends").status, RunStatus::Completed(_)));
}

#[tokio::test]
async fn the_clock_is_kept_each_second_while_nothing_runs() {
    let fixture = fixture().await;
    let mut kept = Vec::new();
    until("it is kept some times", async || {
        let alive = fixture.store.alive().await.expect("a clock");
        if kept.last() != Some(&alive) {
            kept.push(alive);
        }
        kept.len() > 5
    })
    .await;
    // On a machine that has much else to do, single ones may be late.
    let least = kept.windows(2).map(|two| two[1] - two[0]).min().expect("some");
    assert!(least <= 1_000_000, "{kept:?}");
}

#[tokio::test]
async fn what_others_have_taken_is_not_asked_with_each_renewal() {
    let store = Arc::new(Hostile::default());
    let spinning = Module { invoke: "(loop (br 0)) unreachable", ..Module::describing(two_hosts::WAITING) };
    let host = host(store.clone(), spinning).await;
    host.start(start_under(&host, "h")).await.expect("it is durable");
    let (since, before) = (Instant::now(), store.asked_for_newer.load(Ordering::Acquire));
    let renewed = store.renewed.load(Ordering::Acquire);
    until("the lease is renewed some times", async || store.renewed.load(Ordering::Acquire) >= renewed + 6).await;
    let asked = store.asked_for_newer.load(Ordering::Acquire) - before;
    assert!(asked > 0, "it is asked");
    assert!(asked as u64 <= 1 + since.elapsed().as_secs() / 2, "{asked} times in {:?}", since.elapsed());
}
