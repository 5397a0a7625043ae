//! From a path to a database in its newest form.
//!
//! Migrations are these few lines instead of `rusqlite_migration`, whose newest (2.6) wants rusqlite 0.40 while 0.43 is
//! here, and two of them would be two SQLites. It knows the version alone: that a file of another program, of a newer
//! build, a backup or a damaged one is refused with nothing of it changed would stand here all the same.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use super::statements as sql;
use crate::store::{Error, Result};

/// One after the other; what is published here is never changed. The file says how many it has.
const MIGRATIONS: [&str; 5] =
    [include_str!("0001.sql"), include_str!("0002.sql"), include_str!("0003.sql"), include_str!("0004.sql"), include_str!("0005.sql")];

/// The newest version of the database.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// Marks the file as ours: `wfhs`.
pub(super) const APPLICATION: i64 = 0x7766_6873;

/// Marks a copy that is to be restored first: `wfhb`.
pub(super) const COPY: i64 = 0x7766_6862;

/// How long another process may keep the file locked before a write or a question fails.
pub(super) const BUSY_MAX: Duration = Duration::from_secs(5);

/// Once what it holds is in the database, its log is cut down to this: 16 MiB.
const LOG_BYTES_MAX: i64 = 16 << 20;

/// Opens or makes a database, for its writer. Says the last key that a run was given, too.
pub(super) fn open(path: &Path) -> Result<(Connection, i64)> {
    check(path)?;
    let opened = private(path).and_then(|()| writing(path)).and_then(|mut connection| Ok((migrate(&mut connection)?, connection)));
    let (version, connection) = opened.map_err(|error| unusable(path, &error))?;
    ours(path, &version)?;
    let last_key = connection.query_row(sql::LAST_KEY, [], |row| row.get(0)).optional();
    Ok((connection, last_key.map_err(|error| unusable(path, &error))?.unwrap_or(0)))
}

/// Opens a database for a command, beside the host that may have it: it is there, and nothing of its form is changed.
pub(super) fn beside(path: &Path) -> Result<Connection> {
    there(path)?;
    let looked = look(path).map_err(|error| unusable(path, &error))?;
    ours(path, &looked)?;
    if !matches!(looked, Version::Ours(version) if version == MIGRATIONS.len()) {
        let message = format!("`{}` was written by an older wf-host", path.display());
        return Err(Error::open(message, "`wf-host serve` brings it up to date"));
    }
    let opened = connect(path).and_then(|connection| durable(&connection).map(|()| connection));
    opened.map_err(|error| unusable(path, &error))
}

/// Refuses what is no database of ours, and what is not there.
pub(crate) fn there(path: &Path) -> Result<()> {
    if path.exists() {
        return check(path);
    }
    let message = format!("there is no store in `{}`", path.display());
    Err(Error::open(message, "name the one that the server has, with `--data-dir` or `--store`"))
}

/// Refuses what is no copy that is to be restored first.
pub(super) fn check_copy(path: &Path) -> Result<()> {
    match look(path).map_err(|error| unusable(path, &error))? {
        Version::Copy => Ok(()),
        _ => {
            let message = format!("`{}` holds no copy of a store", path.display());
            Err(Error::open(message, "give it what `wf-host backup` has made"))
        }
    }
}

/// Refuses what is not ours. Nothing of another's file is changed, not even its mode.
pub(super) fn check(path: &Path) -> Result<()> {
    let looked = look(path).map_err(|error| unusable(path, &error))?;
    ours(path, &looked)
}

fn ours(path: &Path, version: &Version) -> Result<()> {
    match version {
        Version::Ours(_) => Ok(()),
        Version::Newer(version) => {
            let message = format!("`{}` was written by a newer wf-host (version {version} of the database)", path.display());
            Err(Error::open(message, "start that one, or choose another database with `--store sqlite:PATH`"))
        }
        Version::Copy => {
            let message = format!("`{}` is a backup, and no store", path.display());
            Err(Error::open(message, "`wf-host restore` makes a store of it, with the keys that belong to it"))
        }
        Version::Foreign => {
            let message = format!("`{}` is the database of another program", path.display());
            Err(Error::open(message, "choose another file with `--store sqlite:PATH`"))
        }
    }
}

/// What a file is, before anything of it is changed; one that is not there will be ours.
fn look(path: &Path) -> rusqlite::Result<Version> {
    let size = |path: &Path| path.metadata().map_or(0, |file| file.len());
    let Ok(path) = path.canonicalize() else { return Ok(Version::Ours(0)) };
    if size(&path) == 0 {
        return Ok(Version::Ours(0));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if size(&log_of(&path)) > 0 {
        Connection::open_with_flags(path, flags)?
    } else {
        // SQLite would make a log even to read.
        Connection::open_with_flags(immutable(&path), flags | OpenFlags::SQLITE_OPEN_URI)?
    };
    connection.busy_timeout(BUSY_MAX)?;
    version(&connection)
}

/// SQLite's log beside a database.
pub(super) fn log_of(path: &Path) -> PathBuf {
    // It is beside the file itself, not beside a link to it.
    let mut log = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    log.push("-wal");
    log.into()
}

/// The name of a database that nobody writes to as long as it is read: nothing is made beside it.
pub(super) fn immutable(path: &Path) -> String {
    let name: String = path.as_os_str().as_bytes().iter().map(|byte| format!("%{byte:02x}")).collect();
    format!("file:{name}?immutable=1")
}

/// The tables and indexes of a database: kind, name, table and text of each.
pub(super) fn form(connection: &Connection) -> rusqlite::Result<Vec<[String; 4]>> {
    let mut statement = connection.prepare("select type, name, tbl_name, coalesce(sql, '') from sqlite_schema order by type, name")?;
    statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?.collect()
}

/// As [`form`], of a database as this build makes it.
pub(super) fn newest_form() -> rusqlite::Result<Vec<[String; 4]>> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection)?;
    form(&connection)
}

/// A database as this build makes it, in a file without a name, or in memory as long as it is small.
pub(super) fn passing() -> rusqlite::Result<Connection> {
    let mut connection = Connection::open("")?;
    // Nobody needs it after a crash.
    connection.pragma_update(None, "synchronous", "off")?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn writing(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    // It can give space back; where the file is older than that, it stays as it is.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    durable(&connection)?;
    Ok(connection)
}

/// What is written through it is written as the host writes.
fn durable(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)
}

/// A connection that reads.
pub(super) fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // A path is a path, whatever it begins with.
    let connection = Connection::open_with_flags(path, OpenFlags::default() & !OpenFlags::SQLITE_OPEN_URI)?;
    connection.busy_timeout(BUSY_MAX)?;
    // Whatever is sorted or spilled: never in a folder that may be read-only, or full.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Makes the file so that its user alone can read it; SQLite makes those beside it alike.
fn private(path: &Path) -> rusqlite::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = std::fs::File::options().create(true).truncate(false).write(true).mode(0o600).open(path);
    let private = file.and_then(|file| file.set_permissions(std::fs::Permissions::from_mode(0o600)));
    private.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Whose a database is.
enum Version {
    /// With so many migrations.
    Ours(usize),
    Newer(usize),
    /// What [`super::backup`] has made.
    Copy,
    Foreign,
}

fn version(connection: &Connection) -> rusqlite::Result<Version> {
    // Always, so that a damaged beginning is found before anything is changed.
    let holds_tables = connection.prepare("select 1 from sqlite_schema")?.exists([])?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application == COPY {
        return Ok(Version::Copy);
    }
    if holds_tables && application != APPLICATION {
        return Ok(Version::Foreign);
    }
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(if version > MIGRATIONS.len() { Version::Newer(version) } else { Version::Ours(version) })
}

/// Brings the database to the newest version, step by step.
fn migrate(connection: &mut Connection) -> rusqlite::Result<Version> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = version(&transaction)?;
    let Version::Ours(done) = version else { return Ok(version) };
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    transaction.commit()?;
    Ok(version)
}

/// What keeps a file from being opened as a database.
pub(super) fn unusable(path: &Path, error: &rusqlite::Error) -> Error {
    let message = format!("`{}` cannot be opened as a database: {error}", path.display());
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "it is another kind of file, or damaged: choose another with `--store sqlite:PATH`"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another process has locked it: end that one first",
        Some(ErrorCode::DiskFull) => "make room on its disk, or choose another with `--data-dir`",
        _ => "check its permissions, or choose another with `--data-dir` or `--store`",
    };
    Error::open(message, hint)
}
