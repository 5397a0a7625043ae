//! `wf-host fsck`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::Problem;
use super::layers::Layers;
use super::progress::Progress;
use super::screen::out;
use crate::audit;
use crate::care::backup;
use crate::care::fsck::{Found, Progress as Looked, check};
use crate::keys::KeyFile;
use crate::store::finding::{self, Finding, Mend, Place};
use crate::store::{self, Examination, Kept};

/// Checks a store: whether all of it is as it was written. A server on it goes on meanwhile.
///
/// What SQLite says of its file is checked, the checksum of each row, and each journal by replay: snapshots, streams and
/// lists have to tell what it tells. The keys and the audit log beside the store are checked, too. Nothing is changed, and
/// a copy of the files can be checked as well.
///
/// A finding is a line on stdout. Exit codes: 0 all is sound, or was put right; 1 there are findings; 2 what was asked makes
/// no sense; 3 the store cannot be read, or a server has it that is to be put right.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host fsck                               the store in this folder, beside its server or without
  wf-host fsck --data-dir /backup/monday     a copy
  wf-host fsck monday.backup                 a backup, as it is
  wf-host fsck --repair                      without a server: puts right what loses nothing by that
  wf-host fsck --json | jq -r .what          one JSON object a line
")]
pub(super) struct Fsck {
    /// What `wf-host backup` has made, to be checked in the place of the store.
    #[arg(conflicts_with = "repair")]
    backup: Option<PathBuf>,
    #[command(flatten)]
    place: super::place::Place,
    /// Put right what loses nothing by that: drops bad snapshots and what nobody needs, makes indexes and what lists show
    /// anew. No journal is touched. No server may be there.
    #[arg(long)]
    repair: bool,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl Fsck {
    /// The file that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.place.file()
    }

    pub(super) fn run(self, mut layers: Layers) -> Result<ExitCode, Problem> {
        let (store, data_dir) = self.place.settle(&mut layers);
        let mut kept = Kept::at(store.as_deref(), &data_dir).map_err(|error| Problem::from(error).usage())?;
        let unreadable = |error: store::Error| Problem::from(error).unreachable();
        if let Some(backup) = &self.backup {
            let found = backup::examine(backup).and_then(|copy| looked_at(&copy)).map_err(unreadable)?;
            let lines: Vec<(&Finding, bool)> = found.findings.iter().map(|it| (it, false)).collect();
            return self.print(&lines, &found);
        }
        if self.repair {
            // Where there is no store, there is not even a lock.
            kept.examine().map_err(unreadable)?;
            kept = kept.lock().map_err(unreadable)?;
        }
        // First: what nobody may read is said before the store is looked at for long.
        let beside = |kind: &str| store::beside(store.as_deref(), &data_dir, kind).map_err(unreadable);
        let files = files(&KeyFile::new(beside("keys")?), &beside("audit.log")?)?;
        let looked = |kept: &Kept| kept.examine().and_then(|store| looked_at(&store)).map_err(unreadable);
        let found = looked(&kept)?;
        let mut left = None;
        let mends = if self.repair { mends(&found) } else { Vec::new() };
        if !mends.is_empty() {
            kept.mend(&mends).map_err(unreadable)?;
            left = Some(looked(&kept)?);
        }
        let is_left = |finding: &Finding| left.as_ref().is_none_or(|left| left.findings.contains(finding));
        let mut lines: Vec<(&Finding, bool)> = found.findings.iter().map(|it| (it, !is_left(it))).collect();
        lines.extend(files.iter().map(|it| (it, false)));
        // What came to light once the rest was right.
        lines.extend(left.iter().flat_map(|left| &left.findings).filter(|it| !found.findings.contains(it)).map(|it| (it, false)));
        self.print(&lines, &found)
    }

    fn print(&self, lines: &[(&Finding, bool)], found: &Found) -> Result<ExitCode, Problem> {
        let shown = |finding, is_mended, is_harmless| match self.json {
            true => as_json(finding, is_mended, is_harmless),
            false => as_text(finding, is_mended),
        };
        for (finding, is_mended) in lines {
            out(&shown(finding, *is_mended, false))?;
        }
        for component in &found.unused {
            out(&shown(component, self.repair, true))?;
        }
        let mended = lines.iter().filter(|(_, is_mended)| *is_mended).count();
        let (runs, unused) = (found.runs, found.unused.len());
        if self.json {
            let unused = if self.repair { 0 } else { unused };
            out(&format!("{}\n", json!({ "runs": runs, "findings": lines.len(), "repaired": mended, "unused_components": unused })))?;
        } else {
            let findings = match (lines.len(), mended) {
                (0, _) => "all is sound".to_owned(),
                (all, 0) => counted(all, "finding"),
                (all, mended) => format!("{}, {mended} of them put right", counted(all, "finding")),
            };
            let verb = if self.repair { " dropped" } else { "" };
            let unused = if unused > 0 { format!("; {}{verb} that no run needs", counted(unused, "component")) } else { String::new() };
            out(&format!("{} checked: {findings}{unused}\n", counted(runs as usize, "run")))?;
        }
        Ok(ExitCode::from(u8::from(mended < lines.len())))
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What would be put right.
fn mends(found: &Found) -> Vec<Mend> {
    found.findings.iter().chain(&found.unused).filter_map(|it| it.mend.clone()).collect()
}

fn looked_at(store: &Examination) -> store::Result<Found> {
    let mut progress = Progress::begun();
    check(store, &mut |Looked { runs, of }| {
        progress.tell(|| if of == 0 { "looking at the file".to_owned() } else { format!("{runs} of at most {of} runs looked at") });
    })
}

/// What is wrong with the files beside the store.
fn files(keys: &KeyFile, log: &Path) -> Result<Vec<Finding>, Problem> {
    let of_file = |path: &Path, row: Option<String>, what: String, advice| {
        let place = Place { file: Some(path.display().to_string()), row, ..Place::default() };
        Finding { place, what, advice, mend: None }
    };
    let mut findings = Vec::new();
    let damage = keys.damage().map_err(|error| Problem::from(error).unreachable())?;
    findings.extend(damage.map(|what| of_file(keys.path(), None, what, finding::KEYS)));
    for path in audit::files(log) {
        let damaged = audit::damaged(&path).map_err(|error| Problem::new(format!("`{}`: {error}", path.display())).unreachable())?;
        let line = |line: usize| of_file(&path, Some(line.to_string()), "it is not as it was written".to_owned(), finding::AUDIT);
        findings.extend(damaged.into_iter().map(line));
    }
    Ok(findings)
}

fn as_text(finding: &Finding, is_mended: bool) -> String {
    let Finding { place, what, advice, .. } = finding;
    format!("{place}: {what}; {}\n", if is_mended { "put right" } else { advice })
}

/// `is_harmless`: it is named, and is no finding.
fn as_json(finding: &Finding, is_mended: bool, is_harmless: bool) -> String {
    let Finding { place, what, advice, mend } = finding;
    let handler = place.handler.as_ref().filter(|handler| !handler.is_empty());
    let shown = json!({
        "file": place.file, "run": place.run, "handler": handler, "table": place.table, "row": place.row,
        "what": what, "advice": advice, "harmless": is_harmless, "repairable": mend.is_some(), "repaired": is_mended,
    });
    format!("{shown}\n")
}
