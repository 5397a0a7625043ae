//! Commands for the owner of a run, from a host that is not.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::change::Change;
use super::seal::seal;
use super::statements as sql;
use crate::store::rows::{CommandId, HostId, RunKey, SentCommand};
use crate::store::{Error, Result};

pub(super) fn send(connection: &Connection, run: &str, command: &[u8]) -> Change<CommandId> {
    let found = connection.prepare_cached(sql::OWNED)?.query_row([run], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    let (run, status) = found.optional()?.ok_or(Error::Gone)?;
    if status != "running" {
        return Err(Error::Over.into());
    }
    Ok(CommandId(connection.prepare_cached(sql::SEND_COMMAND)?.insert(params![run, command, seal(&[Some(command), None])])?))
}

pub(super) fn commands(connection: &Connection, run: RunKey) -> Result<Vec<SentCommand>> {
    let mut statement = connection.prepare_cached(sql::COMMANDS)?;
    let commands = statement.query_map([run.0], |row| Ok((CommandId(row.get(0)?), row.get(1)?)))?;
    Ok(commands.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn commanded(connection: &Connection, host: HostId) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(sql::COMMANDED)?;
    let runs = statement.query_map([host.0], |row| row.get(0))?;
    // A run is there once for each of its commands.
    Ok(runs.collect::<rusqlite::Result<BTreeSet<String>>>()?.into_iter().collect())
}

/// Whether a command can still be carried out.
pub(super) fn is_open(connection: &Connection, command: CommandId) -> rusqlite::Result<bool> {
    connection.prepare_cached(sql::OPEN_COMMAND)?.exists([command.0])
}

/// Answers the run's id; none where the command is not there any more, or is answered.
pub(super) fn answer(connection: &Connection, command: CommandId, answer: &[u8]) -> Change<Option<String>> {
    let run = connection.prepare_cached(sql::COMMAND_RUN)?.query_row([command.0], |row| row.get(0)).optional()?;
    connection.prepare_cached(sql::ANSWER_COMMAND)?.execute(params![command.0, answer, seal(&[Some(b""), Some(answer)])])?;
    Ok(run)
}

pub(super) fn take(connection: &Connection, command: CommandId) -> Change<Option<Vec<u8>>> {
    let answer = answer_of(connection, command)?;
    if answer.is_some() {
        connection.prepare_cached(sql::FORGET_COMMAND)?.execute([command.0])?;
    }
    Ok(answer)
}

pub(super) fn withdraw(connection: &Connection, command: CommandId) -> Change<Option<Vec<u8>>> {
    let answer = answer_of(connection, command)?;
    connection.prepare_cached(sql::FORGET_COMMAND)?.execute([command.0])?;
    Ok(answer)
}

fn answer_of(connection: &Connection, command: CommandId) -> Change<Option<Vec<u8>>> {
    let answer = connection.prepare_cached(sql::ANSWER)?.query_row([command.0], |row| row.get(0));
    Ok(answer.optional()?.ok_or(Error::Gone)?)
}
