//! What takes the space of a database: by table, by workflow, by value.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::Examination;
use crate::store::Result;
use crate::store::rows::RunKey;
use crate::store::sqlite::{connect, statements as sql};

/// Runs that are looked at in one state of the database.
const RUNS_STEP: usize = 1000;
/// So many of the largest values are named.
const VALUES_MAX: usize = 5;

/// What takes the space of a database, in bytes.
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// The file.
    pub file: u64,
    /// The log beside it.
    pub log: u64,
    /// Of the file, what is free.
    pub free: u64,
    /// The tables with their indexes, the largest first.
    pub tables: Vec<TableSpace>,
    /// The workflows, the largest first.
    pub workflows: Vec<WorkflowSpace>,
    /// The largest of the values that stand apart.
    pub values: Vec<ValueSpace>,
}

/// A table, with its indexes.
#[derive(Clone, Debug)]
pub struct TableSpace {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// What its pages take.
    pub bytes: u64,
}

/// The runs of a workflow.
#[derive(Clone, Debug, Default)]
pub struct WorkflowSpace {
    /// Its name.
    pub name: String,
    /// Its runs.
    pub runs: u64,
    /// Of them, those that have ended.
    pub ended: u64,
    /// What they hold, with the values that stand apart: one that several runs need counts for each.
    pub bytes: u64,
}

/// A value that stands apart.
#[derive(Clone, Debug)]
pub struct ValueSpace {
    /// Its key.
    pub key: i64,
    /// Its size.
    pub bytes: u64,
    /// How many runs need it.
    pub runs: u64,
    /// One of them, by its id.
    pub run: Option<String>,
}

/// What a run holds, in bytes, with the values that it needs.
pub(in crate::store::sqlite) fn of_run(connection: &Connection, run: RunKey) -> rusqlite::Result<u64> {
    connection.prepare_cached(sql::SIZE_OF_RUN)?.query_row([run.0], |row| row.get(0))
}

impl Examination {
    /// What takes its space. All pages are looked at, and each run.
    pub fn space(&self) -> Result<Space> {
        let size = |path: &std::path::Path| path.metadata().map_or(0, |file| file.len());
        let mut space = Space { file: size(&self.path), log: size(&connect::log_of(&self.path)), ..Space::default() };
        self.at_once(|it| it.pages(&mut space))?;
        space.workflows = self.workflows()?;
        Ok(space)
    }

    fn pages(&self, space: &mut Space) -> Result<()> {
        let number = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
        space.free = number("freelist_count")? * number("page_size")?;
        let table = |row: &Row| Ok(TableSpace { name: row.get(0)?, rows: 0, bytes: row.get(1)? });
        let tables: rusqlite::Result<Vec<TableSpace>> = self.connection.prepare(sql::PAGES_OF_TABLES)?.query_map([], table)?.collect();
        space.tables = tables?;
        for table in &mut space.tables {
            table.rows = self.connection.query_row(&format!("select count(*) from {}", table.name), [], |row| row.get(0))?;
        }
        let value = |row: &Row| Ok(ValueSpace { key: row.get(0)?, bytes: row.get(1)?, runs: row.get(2)?, run: row.get(3)? });
        let values: rusqlite::Result<Vec<ValueSpace>> =
            self.connection.prepare(sql::LARGEST_VALUES)?.query_map([VALUES_MAX], value)?.collect();
        space.values = values?;
        Ok(())
    }

    fn workflows(&self) -> Result<Vec<WorkflowSpace>> {
        let mut workflows: BTreeMap<String, WorkflowSpace> = BTreeMap::new();
        let mut last = i64::MIN;
        loop {
            let looked_at = self.at_once(|it| {
                let mut statement = it.connection.prepare_cached(sql::SOME_RUNS)?;
                let mut found = statement.query(params![last, RUNS_STEP])?;
                let mut looked_at = 0;
                while let Some(row) = found.next()? {
                    last = row.get(0)?;
                    let name: String = row.get(1)?;
                    let of = workflows.entry(name.clone()).or_default();
                    of.name = name;
                    of.runs += 1;
                    of.ended += u64::from(row.get::<_, bool>(2)?);
                    of.bytes += of_run(&it.connection, RunKey(last))?;
                    looked_at += 1;
                }
                Ok(looked_at)
            })?;
            if looked_at < RUNS_STEP {
                break;
            }
        }
        let mut workflows: Vec<WorkflowSpace> = workflows.into_values().collect();
        workflows.sort_by_key(|it| std::cmp::Reverse(it.bytes));
        Ok(workflows)
    }
}
