//! A disk whose sync fails. SQLite is given a file system that fails to sync files of a certain
//! name while it is told to, and is that of the machine for all else.
#![expect(unsafe_code, reason = "SQLite's interface to file systems is one of C")]

use std::ffi::{CStr, c_char, c_int};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::ffi;

use super::*;

const NAME: &str = "failing-sync";
static FAILS: AtomicBool = AtomicBool::new(false);

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
