//! The file as a whole: what SQLite itself says of it, its tables, its log.

use super::{Examination, log};
use crate::store::finding::{Finding, Mend, Place};
use crate::store::sqlite::connect;
use crate::store::{Error, Result, finding};

/// A file beyond this is looked at table by table, so that the log of a server does not wait for all of it: 1 GiB.
const AT_ONCE_MAX: i64 = 1 << 30;

impl Examination {
    /// What is wrong with the log beside the database.
    pub fn log(&self) -> Vec<Finding> {
        let path = connect::log_of(&self.path);
        let wrong = log::damage(&path);
        let place = Place { file: Some(path.display().to_string()), ..Place::default() };
        wrong.map(|what| Finding { place, what, advice: finding::LOG, mend: None }).into_iter().collect()
    }

    /// What is wrong with the tables as such: they are not those of this version.
    pub fn form(&self) -> Result<Vec<Finding>> {
        let (mut there, mut expected) = (connect::form(&self.connection)?, connect::newest_form()?);
        // Tables of others are theirs: Litestream's, what `analyze` has found out, the keys that go with a copy.
        there.retain(|[_, name, table, _]| expected.iter().any(|it| it[1] == *name || it[1] == *table));
        let differ = |of: &[[String; 4]], from: &[[String; 4]]| {
            of.iter().filter(|it| !from.contains(it)).map(|it| it[1].clone()).collect::<Vec<_>>()
        };
        let (more, less) = (differ(&there, &expected), differ(&expected, &there));
        expected.clear();
        let vacuum: i64 = self.connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
        let mut findings = Vec::new();
        for name in more.iter().chain(less.iter().filter(|it| !more.contains(it))) {
            let what = format!("`{name}` of `sqlite_schema` is not as version {} has it", connect::VERSION);
            findings.push(self.of_file(what, finding::RESTORE, None));
        }
        // 0 is that of a file that was put together elsewhere.
        if vacuum == 1 {
            findings.push(self.of_file("its header says that space is given back with each change".to_owned(), finding::RESTORE, None));
        }
        Ok(findings)
    }

    /// What SQLite says: of its pages, rows and indexes.
    pub fn structure(&self, mut between: impl FnMut()) -> Result<Vec<Finding>> {
        let pages: i64 = self.connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let size: i64 = self.connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        if pages.saturating_mul(size) <= AT_ONCE_MAX {
            between();
            return self.at_once(|it| it.integrity(""));
        }
        let mut findings = Vec::new();
        let tables = connect::form(&self.connection)?.into_iter().filter(|it| it[0] == "table").map(|[_, name, ..]| name);
        for table in tables {
            between();
            findings.extend(self.at_once(|it| it.integrity(&format!("('{table}')")))?);
        }
        Ok(findings)
    }

    fn integrity(&self, of: &str) -> Result<Vec<Finding>> {
        let lines = || -> rusqlite::Result<Vec<String>> {
            self.connection.prepare(&format!("pragma integrity_check{of}"))?.query_map([], |row| row.get(0))?.collect()
        };
        let lines = match lines().map_err(Error::from) {
            Ok(lines) => lines,
            Err(Error::Damaged(why)) => vec![why],
            Err(other) => return Err(other),
        };
        let lines = lines.iter().flat_map(|line| line.lines()).filter(|line| *line != "ok" && !line.starts_with("*** "));
        let finding = |line: &str| {
            let of_an_index = line.contains("missing from index") || line.starts_with("wrong # of entries in index");
            let (advice, mend) = if of_an_index { (finding::MENDED, Some(Mend::Indexes)) } else { (finding::RESTORE, None) };
            self.of_file(format!("SQLite says: {line}"), advice, mend)
        };
        Ok(lines.map(finding).collect())
    }

    fn of_file(&self, what: String, advice: &'static str, mend: Option<Mend>) -> Finding {
        Finding { place: Place { file: Some(self.path.display().to_string()), ..Place::default() }, what, advice, mend }
    }
}
