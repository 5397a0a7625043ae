//! What a run costs in statements and transactions: SQLite itself tells of each.
#![expect(unsafe_code, reason = "SQLite's interface to whoever watches it is one of C")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::{Mutex, Once};

use expect_test::expect;
use rusqlite::ffi;

use super::*;

/// In the path of the databases that are watched.
const NAME: &str = "watched-costs";
/// What was asked, in order, and of which connection.
static ASKED: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());
/// Held by whoever goes by that.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

unsafe extern "C" fn asked(_: c_uint, _: *mut c_void, statement: *mut c_void, text: *mut c_void) -> c_int {
    // SAFETY: of a statement that begins, the last arguments are itself and its text.
    let (connection, text) = unsafe { (ffi::sqlite3_db_handle(statement.cast()), CStr::from_ptr(text.cast::<c_char>())) };
    let asked = (connection as usize, text.to_string_lossy().into_owned());
    ASKED.lock().expect("no panic while locked").push(asked);
    0
}

unsafe extern "C" fn opened(connection: *mut ffi::sqlite3, _: *mut *mut c_char, _: *const ffi::sqlite3_api_routines) -> c_int {
    // SAFETY: the connection is open; what watches it is a function, and is always there.
    unsafe {
        let path = ffi::sqlite3_db_filename(connection, c"main".as_ptr());
        if !path.is_null() && CStr::from_ptr(path).to_string_lossy().contains(NAME) {
            ffi::sqlite3_trace_v2(connection, ffi::SQLITE_TRACE_STMT as c_uint, Some(asked), std::ptr::null_mut());
        }
    }
    ffi::SQLITE_OK
}

fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: it lives as long as the process.
        assert_eq!(unsafe { ffi::sqlite3_auto_extension(Some(opened)) }, ffi::SQLITE_OK);
    });
}

/// The verb and what it is about.
fn shown(statement: &str) -> String {
    let about = |word: &str| statement.split_once(word).and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or_default().to_owned();
    let verb = statement.split_whitespace().next().unwrap_or_default();
    let table = match verb {
        "select" => about(" from "),
        "insert" => about(" into "),
        "update" => about("update "),
        _ => String::new(),
    };
    format!("{verb} {table}").trim_end().to_owned()
}

/// The transactions that were made, but for those that keep the host's clock.
fn transactions() -> Vec<Vec<String>> {
    let asked = ASKED.lock().expect("no panic while locked");
    let writer = asked.iter().find(|(_, text)| text.starts_with("begin immediate")).map(|(connection, _)| *connection);
    let (mut transactions, mut open): (Vec<Vec<String>>, bool) = (Vec::new(), false);
    for (_, text) in asked.iter().filter(|(connection, _)| Some(*connection) == writer) {
        match (shown(text).as_str(), transactions.last_mut()) {
            ("begin", _) => {
                transactions.push(Vec::new());
                open = true;
            }
            ("commit", _) => open = false,
            ("insert host" | "insert clock", _) => (),
            // Whoever keeps the clock looks for what other processes have moved away.
            _ if text.starts_with("PRAGMA data_version") || text.starts_with("select key from idempotency") => (),
            (other, Some(last)) if open => last.push(other.to_owned()),
            _ => (),
        }
    }
    transactions.retain(|it| !it.is_empty());
    transactions
}

/// A host whose store is watched.
async fn watched() -> (Fixture, tempfile::TempDir) {
    watch();
    let folder = tempfile::Builder::new().prefix(NAME).tempdir().expect("a folder");
    let sqlite = wf_host::store::open(None, folder.path()).await.expect("it opens");
    let store = Arc::new(Hostile::on(sqlite));
    (Fixture { host: host(store.clone(), Module::echoing(MANIFEST)).await, store }, folder)
}

#[tokio::test]
async fn a_host_that_has_nothing_to_do_asks_little() {
    let _alone = ALONE.lock().await;
    let (fixture, _folder) = watched().await;
    fixture.run(0).await.expect("it ends");
    let (renewed, since) = (fixture.store.renewed.load(Ordering::Acquire), Instant::now());
    ASKED.lock().expect("no panic while locked").clear();
    two_hosts::until("the lease is renewed some times", async || fixture.store.renewed.load(Ordering::Acquire) >= renewed + 6).await;
    let (asked, seconds) = (ASKED.lock().expect("no panic while locked").len(), since.elapsed().as_secs());
    assert!(asked as u64 <= 20 * (1 + seconds), "{asked} statements in {seconds} seconds");
}

#[tokio::test]
async fn a_run_that_waits_for_nothing_is_one_write() {
    let _alone = ALONE.lock().await;
    let (fixture, _folder) = watched().await;
    fixture.run(0).await.expect("it ends: from here on its definition is known");
    let since = Instant::now();
    for handler in 1.. {
        ASKED.lock().expect("no panic while locked").clear();
        let before = fixture.store.writes.load(Ordering::Acquire);
        fixture.run(handler).await.expect("it ends");
        // On a busy machine one or another is not over within the milliseconds that its creation waits.
        if fixture.store.writes.load(Ordering::Acquire) == before + 1 {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "none of {handler} was one write");
    }
    let transactions = transactions();
    let [one] = &transactions[..] else { panic!("one transaction: {transactions:?}") };
    expect![[r#"
        select run
        select run
        select definition
        insert run
        insert journal
        insert stream
        insert ending
    "#]]
    .assert_eq(&(one.join("\n") + "\n"));
}
