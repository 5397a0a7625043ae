//! Databases of every version, read: what was written then is there now.
//!
//! `golden/VERSION.db` is a database as a host of that version has left it. No test run changes one: what is
//! missing is written when `UPDATE_EXPECT` is set, and what is there stays. A change of the tables is a
//! migration with a new version: keep these files, and let a new one be written.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use wf_host::store::open;

use super::rows::{expect_everything, write_everything};

const DATABASE: &str = "wf-host.db";

fn golden(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/store/golden/{version}.db"))
}

/// Writes what is missing, if that is asked for; nothing is overwritten.
fn write_missing(path: &Path, database: &Path) {
    if std::env::var_os("UPDATE_EXPECT").is_some() && !path.exists() {
        let copy = tempfile::NamedTempFile::new_in(path.parent().expect("a folder")).expect("a writable folder");
        std::fs::copy(database, copy.path()).expect("copied");
        // Another test may have been faster.
        drop(copy.persist_noclobber(path));
    }
}

/// A database with everything, as this host leaves it.
async fn written(folder: &Path) -> PathBuf {
    write_everything(&open(None, folder).await.expect("it opens")).await;
    let path = folder.join(DATABASE);
    assert!(!folder.join("wf-host.db-wal").exists(), "all of it is in one file");
    write_missing(&golden(version(&looked_at(&path))), &path);
    path
}

fn looked_at(path: &Path) -> Connection {
    // Not even a log is made beside it.
    let name = format!("file:{}?immutable=1", path.display());
    Connection::open(name).expect("a database")
}

fn version(connection: &Connection) -> u32 {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number")
}

/// What makes the form: the texts of tables and indexes, and what is said of the file as a whole.
fn form(connection: &Connection) -> Vec<String> {
    let mut statement = connection.prepare("select coalesce(sql, name) from sqlite_schema order by name").expect("a statement");
    let texts: Result<Vec<String>, _> = statement.query_map([], |row| row.get(0)).expect("texts").collect();
    let pragma = |name: &str| {
        let value: String =
            connection.query_row(&format!("select cast({name} as text) from pragma_{name}"), [], |row| row.get(0)).expect(name);
        format!("{name} {value}")
    };
    let pragmas = ["application_id", "user_version", "page_size", "encoding", "auto_vacuum", "journal_mode"].map(pragma);
    texts.expect("texts").into_iter().chain(pragmas).collect()
}

/// And so are those of the versions after it.
#[tokio::test]
async fn a_database_of_the_first_version_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let newest = version(&looked_at(&written(folder.path()).await));
    for version in 1..=newest {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::copy(golden(version), folder.path().join(DATABASE)).expect("a golden database for each version");
        expect_everything(&open(None, folder.path()).await.expect("it opens")).await;
    }
}

#[tokio::test]
async fn a_change_of_the_tables_has_a_new_version() {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = looked_at(&written(folder.path()).await);
    let then = form(&looked_at(&golden(version(&connection))));
    assert_eq!(then, form(&connection), "what is published is never changed: add a migration");
}

/// The SHA-256 of each migration, in their order.
const MIGRATIONS: &[&str] = &[
    "0f5ae5cd72e1beeec9ad5b7b407bdfd1ec80df6b5dd6cdc4f7ec035e584a5812",
    "9cdb6f707b06f2f091299bdddb1fe7517e53e7dab1a8450215b99a018625957d",
    "3d9d50d4645e08d600841c237be7fd06274f9149b15a26d80486d262ce3a4ae0",
    "3a4453690580d3d76184850eed4eb9dd902ef9c723f3a52b5755c34e1dcfb7d0",
    "b6e3632053c2355c8dbea17abd72daa89bce070989ecd1b711caa12101b6e2d6",
];

#[test]
fn a_published_migration_is_never_changed() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite");
    let files = std::fs::read_dir(&folder).expect("a folder").flatten().map(|it| it.path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|it| it == "sql")).collect();
    files.sort();
    let digest =
        |path: &PathBuf| Sha256::digest(std::fs::read(path).expect("a file")).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let there: Vec<String> = files.iter().map(digest).collect();
    assert_eq!(there, MIGRATIONS, "add a new one, with a new version, and its digest here");
}

#[tokio::test]
async fn a_golden_database_holds_rows_of_every_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = looked_at(&golden(version(&looked_at(&written(folder.path()).await))));
    let mut statement = connection.prepare("select name from sqlite_schema where type = 'table'").expect("a statement");
    let tables: Result<Vec<String>, _> = statement.query_map([], |row| row.get(0)).expect("names").collect();
    let is_empty = |table: &String| !connection.prepare(&format!("select 1 from {table}")).and_then(|mut it| it.exists([])).expect("rows");
    let empty: Vec<String> = tables.expect("names").into_iter().filter(is_empty).collect();
    // What was deleted is gone by the time that a host has started.
    assert_eq!(empty, ["deleted"]);
}
