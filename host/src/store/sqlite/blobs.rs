//! Where the large values of texts are kept, and which run needs which.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;

use super::change::Allowance;
use super::statements as sql;
use super::text::{STAND_IN, Text};
use crate::store::rows::RunKey;
use crate::store::{Error, Result};

/// Stores the pieces of a text, and says where they are: for the column `holes`.
pub(super) fn keep(connection: &Connection, run: RunKey, text: &Text) -> rusqlite::Result<Option<String>> {
    if text.pieces.is_empty() {
        return Ok(None);
    }
    let mut holes = Vec::new();
    for piece in &text.pieces {
        let known = connection.prepare_cached(sql::BLOB_KEY)?.query_row([piece.digest], |row| row.get(0)).optional()?;
        let blob: i64 = match known {
            Some(blob) => blob,
            None => connection.prepare_cached(sql::ADD_BLOB)?.insert(params![piece.digest, &piece.bytes[..]])?,
        };
        connection.prepare_cached(sql::USE_BLOB)?.execute(params![run.0, blob])?;
        holes.push(format!("[{},{blob}]", piece.offset));
    }
    Ok(Some(format!("[{}]", holes.join(","))))
}

/// Takes away what a run needs of blobs, for as long as an allowance lasts.
pub(super) fn forget_run(connection: &Connection, run: RunKey, allowance: &mut Allowance) -> rusqlite::Result<()> {
    let uses: rusqlite::Result<Vec<(i64, Option<usize>)>> = connection
        .prepare_cached(sql::BLOBS_OF_RUN)?
        .query_map(params![run.0, allowance.left()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect();
    let mut allowed = uses?.into_iter().take_while(|(_, size)| allowance.take(size.unwrap_or(0)));
    allowed.try_for_each(|(blob, _)| forget(connection, run, blob))
}

fn forget(connection: &Connection, run: RunKey, blob: i64) -> rusqlite::Result<()> {
    connection.prepare_cached(sql::UNUSE_BLOB)?.execute([run.0, blob])?;
    if !connection.prepare_cached(sql::BLOB_USED)?.exists([blob])? {
        connection.prepare_cached(sql::DELETE_BLOB)?.execute([blob])?;
    }
    Ok(())
}

/// A text as it is in a row.
pub(super) struct Stored {
    text: Vec<u8>,
    holes: Vec<(usize, i64)>,
}

impl Stored {
    /// From a column and the one after it; none where it is null.
    pub(super) fn maybe(row: &Row, column: usize) -> Result<Option<Stored>> {
        let Some(text) = row.get::<_, Option<Vec<u8>>>(column)? else { return Ok(None) };
        let holes = match row.get_ref(column + 1)?.as_str_or_null().map_err(rusqlite::Error::from)? {
            Some(holes) => serde_json::from_str(holes).map_err(unreadable)?,
            None => Vec::new(),
        };
        Ok(Some(Stored { text, holes }))
    }

    pub(super) fn of(row: &Row, column: usize) -> Result<Stored> {
        Stored::maybe(row, column)?.ok_or_else(|| Error::Damaged("a row lacks its text".to_owned()))
    }

    /// The text without its large values.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The keys of its large values.
    pub(super) fn blobs(&self) -> impl Iterator<Item = i64> {
        self.holes.iter().map(|(_, blob)| *blob)
    }

    /// The text, as it was written.
    pub(super) fn whole(&self, connection: &Connection) -> Result<Vec<u8>> {
        self.fill(connection, 0, &self.text)
    }

    /// Its items, where it is a list: each with its large values still out.
    pub(super) fn items<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<Vec<T>> {
        serde_json::from_slice(&self.text).map_err(unreadable)
    }

    /// A value within it, as it was written.
    pub(super) fn value(&self, connection: &Connection, value: &RawValue) -> Result<Vec<u8>> {
        let value = value.get().as_bytes();
        self.fill(connection, value.as_ptr() as usize - self.text.as_ptr() as usize, value)
    }

    fn fill(&self, connection: &Connection, start: usize, part: &[u8]) -> Result<Vec<u8>> {
        let first = self.holes.partition_point(|(offset, _)| *offset < start);
        let holes = self.holes[first..].iter().take_while(|(offset, _)| *offset < start + part.len());
        let mut filled = Vec::with_capacity(part.len());
        let mut done = 0;
        for (offset, blob) in holes {
            let at = offset - start;
            filled.extend_from_slice(part.get(done..at).ok_or_else(|| unreadable("a hole is in another"))?);
            let found = connection.prepare_cached(sql::BLOB)?.query_row([blob], |row| {
                filled.extend_from_slice(row.get_ref(0)?.as_blob()?);
                Ok(())
            });
            found.optional()?.ok_or_else(|| unreadable(format!("value {blob} is missing")))?;
            done = at + STAND_IN.len();
        }
        filled.extend_from_slice(part.get(done..).ok_or_else(|| unreadable("a hole is cut off"))?);
        Ok(filled)
    }
}

/// The bytes of a row's text.
pub(super) fn whole(connection: &Connection, row: &Row, column: usize) -> Result<Bytes> {
    Ok(Stored::of(row, column)?.whole(connection)?.into())
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Damaged(format!("a row cannot be read: {error}"))
}
