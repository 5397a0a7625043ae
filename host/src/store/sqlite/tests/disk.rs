//! A disk whose sync fails, and one that has no room for temporary files. SQLite is given a file system that
//! fails to sync files of a certain name while it is told to, never makes a temporary file, and is that of the
//! machine for all else.
#![expect(unsafe_code, reason = "SQLite's interface to file systems is one of C")]

use std::ffi::{CStr, c_char, c_int};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rusqlite::ffi;

use super::*;

const NAME: &str = "failing-sync";
static FAILS: AtomicBool = AtomicBool::new(false);
/// How many temporary files somebody wanted to make.
static TEMPORARY: AtomicUsize = AtomicUsize::new(0);

fn machine() -> *mut ffi::sqlite3_vfs {
    // SAFETY: that of the machine is always there, and is never taken away.
    unsafe { ffi::sqlite3_vfs_find(c"unix".as_ptr()) }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    if flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0 {
        TEMPORARY.fetch_add(1, Ordering::SeqCst);
        // SAFETY: SQLite has made room for the file; one without methods is not closed.
        unsafe { (*file).pMethods = std::ptr::null() };
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: the arguments are those that SQLite gave; a file that was opened has its methods.
    unsafe {
        let opened = (*machine()).xOpen.expect("it opens files")(machine(), name, file, flags, out);
        if opened == ffi::SQLITE_OK && !name.is_null() && CStr::from_ptr(name).to_string_lossy().contains(NAME) {
            let methods = ffi::sqlite3_io_methods { xSync: Some(sync), ..*(*file).pMethods };
            (*file).pMethods = Box::leak(Box::new(methods));
        }
        opened
    }
}

unsafe extern "C" fn sync(_: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // That it is not synced where it does not fail is nothing that a test of this process sees.
    if FAILS.load(Ordering::SeqCst) { ffi::SQLITE_IOERR_FSYNC } else { ffi::SQLITE_OK }
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: it lives as long as the process.
        unsafe {
            let ours = ffi::sqlite3_vfs { zName: c"failing".as_ptr(), xOpen: Some(open), pNext: std::ptr::null_mut(), ..*machine() };
            assert_eq!(ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 1), ffi::SQLITE_OK);
        }
    });
}

#[tokio::test]
async fn a_sync_that_fails_fails_the_group() {
    install();
    let folder = tempfile::Builder::new().prefix(NAME).tempdir().expect("a folder");
    let store = opened(folder.path());
    let run = created(&store, "r").await;
    FAILS.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let failed = store.append(append(run, 1)).await.expect_err("it cannot be synced");
        assert!(is_outage(&failed), "{failed:?}");
        assert_eq!(store.health(), Err(failed));
        assert_eq!(store.journal(run).await.expect("a journal").len(), 1);
    }
    FAILS.store(false, Ordering::SeqCst);
    store.append(append(run, 1)).await.expect("it can be synced again");
    assert_eq!(store.health(), Ok(()));
    sound(&store).await;
    drop(store);
    let store = opened(folder.path());
    assert_eq!(store.journal(run).await.expect("a journal").len(), 2);
}

/// As on a machine whose root directory is read-only, and its folder for temporary files with it.
#[tokio::test]
async fn nothing_needs_a_temporary_file() {
    install();
    let folder = tempfile::tempdir().expect("a folder");
    // More is sorted than SQLite keeps in memory of itself.
    let sort = |connection: &Connection| {
        let sorted = "with recursive n(n) as (select 1 union all select n + 1 from n limit 300000)
            select count(*) from (select n from n order by random() limit -1 offset 1)";
        connection.query_row(sorted, [], |row| row.get::<_, i64>(0))
    };
    let elsewhere = sort(&Connection::open_in_memory().expect("a database"));
    assert!(elsewhere.is_err() && TEMPORARY.swap(0, Ordering::SeqCst) > 0, "{elsewhere:?}");

    let store = opened(folder.path());
    let run = created(&store, "r").await;
    // One transaction, much larger than what SQLite keeps in memory.
    let mut written = Vec::new();
    for seq in 1..300 {
        let large = FrameRow { sequence: seq, internal: false, terminal: false, json: large(&seq.to_string()).into() };
        written.push(store.append(Append { frames: vec![large], waited: seq == 299, ..append(run, seq) }));
    }
    written.push(store.append(everywhere(run, 300)));
    for one in written {
        one.await.expect("appended");
    }
    assert_eq!(store.runs(RunsFilter { limit: 10, ..RunsFilter::default() }).await.expect("a list").runs.len(), 1);
    assert_eq!(store.journal(run).await.expect("a journal").len(), 301);
    assert_eq!(store.read(move |connection| Ok(sort(connection)?)).await, Ok(299_999), "who reads");
    assert_eq!(store.write(move |connection| Ok(sort(connection)?)).await, Ok(299_999), "who writes");
    store.purge("r", false).await.expect("purged");
    tidied(&store).await;
    assert_eq!(TEMPORARY.load(Ordering::SeqCst), 0);
}
