//! Whether a store is as it was written: as SQLite sees it, as its rows say of themselves, and as its journals tell.

mod replay;
mod rows;
mod run;
mod same;
mod stream;

use std::collections::BTreeSet;

use crate::store::finding::{self, Finding, Mend, Place};
use crate::store::{Error, Examination, Result, RunKey, Seal};
use replay::Definitions;

/// Of a component.
const MISSING: &str = "it is missing, and runs are pinned to it";

/// How far a check is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The runs that were looked at.
    pub runs: u64,
    /// The highest key of a run: there are as many, or fewer.
    pub of: u64,
}

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What cannot be as it is.
    pub findings: Vec<Finding>,
    /// The components that no run needs. That is no damage: those that are still served are none the less in use.
    pub unused: Vec<Finding>,
    /// The runs that were looked at.
    pub runs: u64,
}

/// Looks at all of a store. An error says that it could not be looked at. `tell`: told often.
pub fn check(store: &Examination, tell: &mut dyn FnMut(Progress)) -> Result<Found> {
    let mut found = Found { findings: store.log(), ..Found::default() };
    let mut progress = Progress::default();
    found.findings.extend(store.structure(|| tell(progress))?);
    found.findings.extend(damaged(None, store.at_once(Examination::form))?);
    progress.of = store.at_once(Examination::runs).unwrap_or(0);
    beside_runs(store, &mut found)?;
    let mut definitions = Definitions::default();
    let (mut last, mut rests_read) = (RunKey(i64::MIN), true);
    loop {
        tell(progress);
        // One state of the database for each run.
        let next = store.at_once(|store| {
            let next = store.next_run(last)?;
            // What cannot be read is said once, and keeps no run from being looked at.
            if rests_read {
                let rests = rests(store, last, next.unwrap_or(RunKey(i64::MAX)));
                rests_read = !matches!(rests, Err(Error::Damaged(_)));
                found.findings.extend(damaged(Some("deleted"), rests)?);
            }
            if let Some(run) = next {
                found.findings.extend(run::check(store, run, &mut definitions)?);
            }
            Ok(next)
        });
        match next {
            Ok(Some(next)) => last = next,
            Ok(None) => break,
            Err(error) => {
                found.findings.extend(damaged(Some("run"), Err(error))?);
                break;
            }
        }
        progress.runs += 1;
    }
    found.runs = progress.runs;
    blobs(store, &mut found, || tell(progress))?;
    Ok(found)
}

/// What is damaged is a finding; that there is no answer for another reason ends the check.
fn damaged(table: Option<&'static str>, asked: Result<Vec<Finding>>) -> Result<Vec<Finding>> {
    match asked {
        Err(Error::Damaged(why)) => {
            let place = Place { table: table.or(Some("sqlite_schema")), ..Place::default() };
            Ok(vec![Finding { place, what: format!("it cannot be read: {why}"), advice: finding::RESTORE, mend: None }])
        }
        asked => asked,
    }
}

fn beside_runs(store: &Examination, found: &mut Found) -> Result<()> {
    let (mut needed, mut all) = (BTreeSet::new(), Vec::new());
    let definitions = store.at_once(|store| {
        let (definitions, findings) = store.definitions()?;
        for definition in definitions.iter().filter(|it| it.is_used) {
            needed.extend(definition.digests.iter().cloned());
        }
        all = store.components()?;
        Ok(findings)
    });
    found.findings.extend(damaged(Some("definition"), definitions)?);
    let missing = needed.iter().filter(|digest| !all.contains(digest));
    found.findings.extend(missing.map(|digest| of_component(digest, MISSING)));
    for digest in &all {
        let wrong = store.at_once(|store| Ok(store.component(digest)?.map(|wrong| of_component(digest, wrong)).into_iter().collect()));
        found.findings.extend(damaged(Some("component"), wrong)?);
    }
    found.unused = all.into_iter().filter(|digest| !needed.contains(digest)).map(unused).collect();
    found.findings.extend(damaged(Some("sqlite_sequence"), store.at_once(Examination::counters))?);
    found.findings.extend(damaged(Some("idempotency"), store.at_once(moved))?);
    Ok(())
}

/// What is remembered of runs that were moved away.
fn moved(store: &Examination) -> Result<Vec<Finding>> {
    let broken = store.keys(RunKey(0))?.into_iter().filter(|(_, seal)| *seal == Seal::Broken);
    let finding = |(row, _)| {
        let place = Place { table: Some("idempotency"), row: Some(row), ..Place::default() };
        Finding { place, what: rows::CHANGED.to_owned(), advice: finding::RESTORE, mend: None }
    };
    Ok(broken.map(finding).collect())
}

fn unused(digest: String) -> Finding {
    let place = Place { table: Some("component"), row: Some(digest.clone()), ..Place::default() };
    Finding { place, what: "no run needs it".to_owned(), advice: finding::UNUSED, mend: Some(Mend::Component(digest)) }
}

/// What is wrong with some runs and all that they need, the first of it, for whoever carries them from one store to
/// another. What is made anew there does not count.
pub(super) fn first_of(store: &Examination, runs: impl IntoIterator<Item = RunKey>) -> Result<Option<Finding>> {
    let (mut definitions, mut digests) = (Definitions::default(), BTreeSet::new());
    for key in runs {
        let findings = run::check(store, key, &mut definitions)?;
        let goes_along = |it: &Finding| !matches!(it.mend, Some(Mend::Snapshot(_) | Mend::Due(_))) && it.place.table != Some("command");
        if let Some(first) = findings.into_iter().find(goes_along) {
            return Ok(Some(first));
        }
        let Some(row) = store.run(key)? else { continue };
        for value in store.uses(key)? {
            if !store.is_sound_value(value)? {
                let place =
                    Place { table: Some("blob"), row: Some(value.to_string()), run: Some(row.run), handler: Some(row.handler), file: None };
                let what = "its bytes are not those of its digest".to_owned();
                return Ok(Some(Finding { place, what, advice: finding::RESTORE, mend: None }));
            }
        }
        digests.extend(row.definition.iter().flat_map(|joined| joined.split_whitespace()).map(str::to_owned));
    }
    for digest in digests {
        let wrong = if store.manifest(&digest)?.is_some() { store.component(&digest)? } else { Some(MISSING) };
        if let Some(wrong) = wrong {
            return Ok(Some(of_component(&digest, wrong)));
        }
    }
    Ok(None)
}

fn of_component(digest: &str, what: &str) -> Finding {
    let place = Place { table: Some("component"), row: Some(digest.to_owned()), ..Place::default() };
    Finding { place, what: what.to_owned(), advice: finding::COMPONENT, mend: None }
}

/// What is left of runs that are not there.
fn rests(store: &Examination, after: RunKey, before: RunKey) -> Result<Vec<Finding>> {
    let finding = |(table, run): (&'static str, RunKey)| {
        let place = Place { table: Some(table), row: Some(format!("of run {}", run.0)), ..Place::default() };
        Finding { place, what: "its run is not there".to_owned(), advice: finding::MENDED, mend: Some(Mend::Rest(run)) }
    };
    Ok(store.rests(after, before)?.into_iter().map(finding).collect())
}

fn blobs(store: &Examination, found: &mut Found, mut tell: impl FnMut()) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        tell();
        let next = match store.at_once(|store| store.blobs(after)) {
            Ok((findings, next)) => {
                found.findings.extend(findings);
                next
            }
            Err(error) => {
                found.findings.extend(damaged(Some("blob"), Err(error))?);
                None
            }
        };
        let Some(next) = next else { return Ok(()) };
        after = next;
    }
}
