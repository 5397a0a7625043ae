//! Faults in the middle of a group.

use std::panic::panic_any;

use super::*;
use crate::store::sqlite::change::Change;

/// How many pages the file may have.
async fn limit(store: &Sqlite, pages: i64) {
    let limit = move |connection: &Connection| -> Change {
        let set: i64 = connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0))?;
        assert_eq!(set, pages);
        Ok(())
    };
    store.write(limit).await.expect("limited");
}

async fn pages(store: &Sqlite) -> i64 {
    let pages = |connection: &Connection| Ok(connection.pragma_query_value(None, "page_count", |row| row.get(0))?);
    store.write(move |connection| pages(connection)).await.expect("a count")
}

fn full() -> Error {
    Error::Unavailable("database or disk is full".to_owned())
}

const UNLIMITED: i64 = 1_000_000;

/// A disk that is full a page later each time, until the change fits: so it fails at each of its statements.
#[tokio::test]
async fn a_disk_that_is_full_at_any_statement_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    let before = created(&store, "before").await;
    let (mut run, mut failed) = (None, 0);
    for more in 0..200 {
        limit(&store, pages(&store).await + more).await;
        let big = EntryRow { seq: 0, bytes: format!("[{}]", "1234567,".repeat(6000) + "1").into_bytes() };
        let frames = vec![FrameRow { sequence: 0, internal: false, terminal: false, json: large("frame").into() }];
        let new = NewRun { definition: vec!["d".repeat(9000)], entries: vec![big], frames, waited: false, ..new(&store, "r") };
        let key = new.key;
        let (made, neighbour) = (store.create(new), store.append(append(before, 1)));
        match made.await {
            Ok(_) => {
                neighbour.await.expect("appended");
                run = Some(key);
                break;
            }
            Err(error) => {
                assert_eq!((&error, store.health()), (&full(), Err(full())));
                assert_eq!(neighbour.await, Err(full()), "the whole group fails");
                failed += 1;
            }
        }
        assert_eq!(store.run("r").await, Ok(None));
        assert_eq!(store.journal(before).await.expect("a journal").len(), 1);
        assert_eq!((count(&store, "blob").await, count(&store, "definition").await), (0, 1));
        sound(&store).await;
    }
    assert!(failed > 20, "{failed}");
    let run = run.expect("created at last");
    assert_eq!(store.health(), Ok(()));

    let mut failed = 0;
    for more in 0..200 {
        limit(&store, pages(&store).await + more).await;
        match store.append(everywhere(run, 1)).await {
            Ok(()) => break,
            Err(error) => assert_eq!(error, full()),
        }
        failed += 1;
        assert_eq!(store.journal(run).await.expect("a journal").len(), 1);
        assert_eq!(store.run("r").await.expect("an answer").expect("it is there").status, Status::Running);
        assert_eq!((count(&store, "log").await, count(&store, "snapshot").await, count(&store, "ending").await), (0, 0, 0));
        sound(&store).await;
    }
    assert!((6..200).contains(&failed), "{failed}");

    // It needs hardly a page: where it fails, it fails as a whole.
    limit(&store, pages(&store).await).await;
    if store.purge("r", false).await.is_err() {
        assert_eq!(store.journal(run).await.expect("a journal").len(), 2);
        limit(&store, UNLIMITED).await;
        store.purge("r", false).await.expect("purged");
    }
    limit(&store, UNLIMITED).await;
    tidied(&store).await;
    sound(&store).await;
    assert_eq!(count(&store, "journal").await, 1 + 1, "those of the other run");
    store.append(append(before, 2)).await.expect("it goes on");
}

#[tokio::test]
async fn a_panic_fails_alone_and_the_writer_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    let run = created(&store, "r").await;
    // In one group: nobody waits for the first.
    let first = store.append(Append { waited: false, ..append(run, 1) });
    let failed = store.write(|connection| -> Change { panic_any(connection.is_autocommit()) });
    first.await.expect("appended");
    let failed = failed.await.expect_err("it panics");
    assert!(is_outage(&failed) && failed.to_string().contains("a defect of wf-host"), "{failed:?}");
    assert_eq!(store.health(), Err(failed));
    store.append(append(run, 2)).await.expect("it goes on");
    assert_eq!(store.health(), Ok(()));
    assert_eq!(store.journal(run).await.expect("a journal").len(), 3);
    sound(&store).await;
}

#[tokio::test]
async fn a_writer_that_is_gone_is_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    let run = created(&store, "r").await;
    store.lose_writer().await;
    let late = store.append(append(run, 1)).await.expect_err("nobody writes it");
    assert_eq!(late.to_string(), "the store is not available: its writer has ended");
    assert_eq!(store.health(), Err(late));
    assert_eq!(store.journal(run).await.expect("readers go on").len(), 1);
}
