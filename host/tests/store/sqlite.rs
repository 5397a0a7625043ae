//! What SQLite does beside: files, and what can be wrong with them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use wf_host::store::{Append, EntryRow, Error, RunKey, Snapshot, Status, Store, open};

use super::rows::{HOST, append, created, ended, expect_everything, new, now, seqs, write_everything};

fn database(folder: &Path) -> PathBuf {
    folder.join("wf-host.db")
}

async fn opened(folder: &Path) -> Arc<dyn Store> {
    open(None, folder).await.expect("it opens")
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

async fn refused(folder: &Path) -> Error {
    match open(None, folder).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn it_keeps_everything_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    write_everything(&opened(folder.path()).await).await;
    expect_everything(&opened(folder.path()).await).await;
}

#[tokio::test]
async fn what_nobody_waits_for_is_written_before_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path()).await;
    let run = created(&store, "r", "h").await;
    let unwaited = store.append(Append { waited: false, ..append(run, 1, 1) });
    drop(store);
    unwaited.await.expect("written before the end");
    assert_eq!(seqs(&opened(folder.path()).await, run).await, [0, 1]);
}

#[tokio::test]
async fn no_key_is_given_again_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path()).await;
    let run = created(&store, "r", "h").await;
    store.purge("h", true).await.expect("purged");
    drop(store);
    assert!(opened(folder.path()).await.key() > run);
}

#[tokio::test]
async fn it_takes_one_host_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path()).await;
    let error = refused(folder.path()).await;
    assert!(error.to_string().starts_with("another wf-host uses"), "{error}");
    assert!(error.hint().is_some_and(|it| it.contains("--data-dir")));
    drop(store);
    opened(folder.path()).await;
}

#[tokio::test]
async fn its_files_are_for_its_user_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("data");
    let store = opened(&inner).await;
    store.join(now(0, 0)).await.expect("joined");
    assert_eq!(mode(&inner), 0o700);
    for file in std::fs::read_dir(&inner).expect("a folder").flatten() {
        assert_eq!(mode(&file.path()), 0o600, "{}", file.path().display());
    }
}

/// What it is refused with, where it was served before and where it was not. No file changes, and none comes.
async fn left_as_it_was(folder: &Path) -> Error {
    let lock = folder.join("wf-host.db.lock");
    let mut errors = Vec::new();
    for served in [true, false] {
        drop(if served { std::fs::write(&lock, b"") } else { std::fs::remove_file(&lock) });
        std::fs::set_permissions(database(folder), Permissions::from_mode(0o644)).expect("its mode is set");
        let before = files(folder);
        errors.push(refused(folder).await);
        assert!(files(folder) == before, "{} changed", folder.display());
    }
    assert_eq!(errors[0], errors[1]);
    errors.remove(0)
}

fn files(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let paths = std::fs::read_dir(folder).expect("a folder").flatten().map(|file| file.path());
    let mut files: Vec<_> = paths.map(|path| (path.clone(), mode(&path), std::fs::read(path).expect("a file"))).collect();
    files.sort();
    // What those who read mark in the index of the log is none of its content.
    files.iter_mut().filter(|(path, ..)| path.to_string_lossy().ends_with("-shm")).for_each(|(.., bytes)| bytes.clear());
    files
}

#[tokio::test]
async fn it_does_not_touch_what_a_newer_host_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(opened(folder.path()).await);
    let connection = Connection::open(database(folder.path())).expect("a database");
    connection.pragma_update(None, "user_version", 99).expect("written");
    drop(connection);
    let error = left_as_it_was(folder.path()).await;
    assert!(error.to_string().ends_with("was written by a newer wf-host (version 99 of the database)"), "{error}");
    assert!(error.hint().is_some_and(|it| it.contains("--store")));
}

#[tokio::test]
async fn it_does_not_touch_what_another_program_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    // Of either kind of journal, closed or in use.
    for journal in ["delete", "wal"] {
        let folder = folder.path().join(journal);
        std::fs::create_dir(&folder).expect("a folder");
        let connection = Connection::open(database(&folder)).expect("a database");
        connection.pragma_update(None, "journal_mode", journal).expect("set");
        connection.execute_batch("create table song (title text)").expect("written");
        let in_use = left_as_it_was(&folder).await;
        drop(connection);
        for error in [in_use, left_as_it_was(&folder).await] {
            assert!(error.to_string().ends_with("is the database of another program"), "{journal}: {error}");
        }
    }
}

#[tokio::test]
async fn it_opens_what_was_cut_off_while_all_was_in_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path()).await;
    let run = created(&store, "r", "h").await;
    let copy = tempfile::tempdir().expect("a folder");
    for name in ["wf-host.db", "wf-host.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).expect("copied");
    }
    let store = opened(copy.path()).await;
    assert_eq!(seqs(&store, run).await, [0]);
}

#[tokio::test]
async fn it_says_when_its_file_is_no_database() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(database(folder.path()), b"SQLite format 3\0 and then nothing that fits".repeat(200)).expect("writable");
    let error = left_as_it_was(folder.path()).await;
    assert!(error.to_string().contains("cannot be opened as a database:"), "{error}");
    assert!(error.hint().is_some_and(|it| it.contains("or damaged")), "{error}");
}

/// Breaks the page of a database that holds a text.
fn break_page(path: &Path, text: &str) {
    const PAGE: usize = 4096;
    let mut bytes = std::fs::read(path).expect("a file");
    let at = bytes.windows(text.len()).position(|it| it == text.as_bytes()).expect("the text is there");
    let page = at / PAGE * PAGE;
    // The first page begins with the file's own header.
    let header = page + if page == 0 { 100 } else { 0 };
    bytes[header..header + 8].fill(0xff);
    std::fs::write(path, bytes).expect("writable");
}

#[tokio::test]
async fn a_damaged_page_is_found_when_it_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(opened(folder.path()).await);
    break_page(&database(folder.path()), "SQLite format 3");
    let error = left_as_it_was(folder.path()).await;
    assert!(error.to_string().contains("malformed"), "{error}");
    assert!(error.hint().is_some_and(|it| it.contains("or damaged")), "{error}");
}

#[tokio::test]
async fn a_damaged_page_is_found_when_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path()).await;
    let runs = ["first", "second", "third"];
    let mut keys: Vec<RunKey> = Vec::new();
    for run in runs {
        // A page for each.
        let entry = EntryRow { seq: 0, bytes: format!(r#""{run}'s journal {}""#, "x".repeat(3500)).into_bytes() };
        let new = wf_host::store::NewRun { entries: vec![entry], ..new(&store, run, run) };
        keys.push(new.key);
        store.create(new).await.expect("created");
    }
    drop(store);
    break_page(&database(folder.path()), "second's journal");
    let store = opened(folder.path()).await;
    let damaged = store.journal(keys[1]).await.expect_err("it cannot be read");
    assert!(matches!(damaged, Error::Damaged(_)), "{damaged}");
    assert!(damaged.to_string().starts_with("the store is damaged: ") && damaged.hint().is_some_and(|it| it.contains("backup")));
    assert_eq!((seqs(&store, keys[0]).await, seqs(&store, keys[2]).await), (vec![0], vec![0]), "the others go on");
    assert!(store.run("second").await.expect("an answer").is_some());
}

#[tokio::test]
async fn a_damaged_page_fails_none_but_those_who_need_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path()).await;
    let (sound, damaged) = (created(&store, "sound", "sound").await, created(&store, "damaged", "damaged").await);
    let snapshot = |seq| Some(Snapshot { seq, bytes: br#""the snapshot""#.as_slice().into() });
    store.append(Append { snapshot: snapshot(1), ..append(damaged, 1, 1) }).await.expect("appended");
    drop(store);
    break_page(&database(folder.path()), "the snapshot");
    let store = opened(folder.path()).await;
    // One group: nobody waits but for the last.
    let unwaited = |run, seq| Append { waited: false, ..append(run, 1, seq) };
    let before = [store.append(unwaited(sound, 1)), store.append(unwaited(sound, 2))];
    let failed = store.append(Append { snapshot: snapshot(2), ..unwaited(damaged, 2) });
    let refused = store.append(unwaited(damaged, 3));
    let failed_too = store.append(Append { snapshot: snapshot(2), ..unwaited(damaged, 2) });
    let after = store.append(append(sound, 1, 3));
    for done in before {
        done.await.expect("appended");
    }
    for failed in [failed.await, failed_too.await] {
        assert!(matches!(failed, Err(Error::Damaged(_))), "{failed:?}");
    }
    assert_eq!(refused.await, Err(Error::Stale), "what was to be before it is not there");
    after.await.expect("appended");
    assert_eq!(store.health(), Ok(()));
    assert_eq!((seqs(&store, sound).await, seqs(&store, damaged).await), (vec![0, 1, 2, 3], vec![0, 1]));
}

#[tokio::test]
async fn it_says_that_another_process_has_locked_it() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(opened(folder.path()).await);
    let other = Connection::open(database(folder.path())).expect("a database");
    other.execute_batch("pragma locking_mode = exclusive; begin exclusive").expect("it holds the lock");
    let error = refused(folder.path()).await;
    assert!(error.to_string().contains("locked"), "{error}");
    assert!(error.hint().is_some_and(|it| it.contains("another process has locked it")), "{error}");
    drop(other);
    opened(folder.path()).await;
}

#[tokio::test]
async fn it_refuses_while_it_cannot_write_and_goes_on_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path()).await;
    let run = created(&store, "r", "h").await;
    let other = Connection::open(database(folder.path())).expect("a database");
    other.execute_batch("begin immediate").expect("it holds the write lock");
    let refused = store.append(append(run, 1, 1)).await.expect_err("it cannot be written");
    assert!(matches!(refused, Error::Busy(_)), "{refused:?}");
    assert!(refused.hint().is_some_and(|it| it.contains("end what else has opened its file")));
    assert_eq!(store.health(), Err(refused));
    assert_eq!(seqs(&store, run).await, [0], "readers go on");
    other.execute_batch("rollback").expect("it lets go");
    assert_eq!(store.append(append(run, 1, 7)).await, Err(Error::Stale));
    assert!(store.health().is_err(), "nothing was written so far");
    store.keep_alive(HOST, now(1, 1)).await.expect("it can write again");
    assert_eq!(store.health(), Ok(()));
    store.append(append(run, 1, 1)).await.expect("it can write again");
    assert_eq!(seqs(&store, run).await, [0, 1]);
}

#[tokio::test]
async fn it_syncs_before_it_answers() {
    // Durability itself is shown by `kill -9` from outside; here, that the settings are the safe ones.
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path()).await;
    created(&store, "r", "h").await;
    let other = Connection::open(database(folder.path())).expect("a database");
    let mode: String = other.query_row("pragma journal_mode", [], |row| row.get(0)).expect("a mode");
    assert_eq!(mode, "wal");
    let vacuum: i64 = other.query_row("pragma auto_vacuum", [], |row| row.get(0)).expect("a mode");
    assert_eq!(vacuum, 2, "incremental");
}

#[tokio::test]
async fn purge_gives_space_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path()).await;
    let size = || -> u64 {
        let files = std::fs::read_dir(folder.path()).expect("a folder").flatten();
        files.map(|file| file.metadata().map_or(0, |it| it.len())).sum()
    };
    created(&store, "stays", "stays").await;
    let run = created(&store, "r", "h").await;
    let entry = |seq| EntryRow { seq, bytes: format!(r#"{{"seq":{seq},"text":"{}"}}"#, "x".repeat(20_000)).into_bytes() };
    for seq in 1..1000 {
        let large = EntryRow { seq, bytes: format!(r#"["{seq} {}"]"#, "y".repeat(100_000)).into_bytes() };
        let entries = vec![if seq % 10 == 0 { large } else { entry(seq) }];
        let done = store.append(Append { entries, waited: seq % 100 == 0, ..append(run, 1, seq) });
        if seq % 100 == 0 {
            done.await.expect("appended");
        }
    }
    store.append(Append { standing: ended(Status::Cancelled, 9), ..append(run, 1, 1000) }).await.expect("appended");
    let before = size();
    assert!(before > 20 << 20, "{before}");
    store.purge("h", false).await.expect("purged");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while size() > 1 << 20 {
        assert!(std::time::Instant::now() < until, "{} of {before} bytes are left", size());
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(seqs(&store, store.run("stays").await.expect("an answer").expect("it stays").key).await, [0]);
}
