//! A copy of a database that is not one of a server: it is marked as a copy, and holds the keys that belong to it, so
//! that no server opens it as it is.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

pub(crate) use super::connect::there;
use super::connect::{self, APPLICATION, COPY};
use crate::store::{Error, Result};

/// So many pages are copied at once, between two words about how far it is: 4 MiB.
const PAGES: i32 = 1024;

/// What belongs to a database, and goes with its copy.
pub(crate) struct Beside {
    /// The file of its keys; none: there are none.
    pub keys: Option<Vec<u8>>,
    /// When the copy was made, in UTC.
    pub made_at: u64,
}

/// Copies a database into an empty file, while others write to it: as it was when this began. `told`: how many of its
/// bytes are copied, and how many there are.
pub(crate) fn copy(from: &Path, to: &Path, beside: &Beside, told: &mut dyn FnMut(u64, u64)) -> Result<()> {
    let source = connect::reading(from)?;
    // One state of the database for all steps. Without this, each write of another process would make it begin anew.
    source.execute_batch("begin")?;
    source.query_row("select count(*) from clock", [], |_| Ok(()))?;
    let page: u64 = source.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let mut copy = Connection::open(to)?;
    // It counts only once it is whole: until then nothing of it need be kept.
    copy.pragma_update(None, "journal_mode", "off")?;
    copy.pragma_update(None, "synchronous", "off")?;
    let copying = Backup::new(&source, &mut copy)?;
    loop {
        let step = copying.step(PAGES)?;
        let progress = copying.progress();
        let bytes = |pages: i32| u64::try_from(pages).unwrap_or(0) * page;
        told(bytes(progress.pagecount - progress.remaining), bytes(progress.pagecount));
        match step {
            StepResult::Done => break,
            StepResult::More => (),
            // Another process has locked it.
            _ => return Err(Error::Busy("it cannot be read".to_owned())),
        }
    }
    drop(copying);
    // Others need keep nothing for it any more.
    drop(source);
    // So that the file is all there is of it.
    copy.pragma_update(None, "journal_mode", "delete")?;
    copy.pragma_update(None, "journal_mode", "off")?;
    copy.execute_batch("create table beside (keys blob, made_at integer not null)")?;
    copy.execute("insert into beside (keys, made_at) values (?1, ?2)", params![beside.keys, beside.made_at])?;
    copy.pragma_update(None, "application_id", COPY)?;
    check(to, &copy)?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Makes a database of a copy again, which nobody else has. Gives what went with it. `from`: where the copy comes from.
pub(crate) fn release(path: &Path, from: &Path) -> Result<Beside> {
    let copy = Connection::open_with_flags(path, OpenFlags::default() & !OpenFlags::SQLITE_OPEN_URI)?;
    let application: i64 = copy.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != COPY {
        let message = format!("`{}` holds no copy of a store", from.display());
        return Err(Error::open(message, "give it what `wf-host backup` has made"));
    }
    check(from, &copy)?;
    copy.pragma_update(None, "journal_mode", "off")?;
    copy.pragma_update(None, "synchronous", "off")?;
    let beside = copy.query_row("select keys, made_at from beside", [], |row| Ok(Beside { keys: row.get(0)?, made_at: row.get(1)? }));
    let beside = beside.optional()?.ok_or_else(|| Error::Damaged("the copy does not say what belongs to it".to_owned()))?;
    copy.execute_batch("drop table beside")?;
    copy.pragma_update(None, "application_id", APPLICATION)?;
    copy.close().map_err(|(_, error)| error)?;
    // A newer build may have made it.
    connect::check(path)?;
    Ok(beside)
}

/// Takes the log of a database into it, so that it is whole without. Nobody else has it; where it is damaged, it stays as
/// it is, for it is about to be replaced.
pub(crate) fn settle(path: &Path) {
    if connect::log_of(path).exists()
        && let Ok(database) = Connection::open_with_flags(path, OpenFlags::default() & !OpenFlags::SQLITE_OPEN_URI)
        && let Err(error) = database.pragma_update(None, "journal_mode", "delete")
    {
        tracing::warn!("what is in the log of `{}` could not be kept: {error}", path.display());
    }
}

fn check(path: &Path, copy: &Connection) -> Result<()> {
    let found: String = copy.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    let message = format!("`{}` is damaged: {found}", path.display());
    Err(Error::open(message, "the store it was made of is damaged, or the disk it is on"))
}
