//! A run: its journal replayed, and all that follows from it compared with what is stored.

use std::sync::Arc;

use wf_engine::effect::{Due, Effect};
use wf_engine::entry::{Entry, Function, Input, Started};
use wf_engine::journal;
use wf_engine::run::{Run, Status};
use wf_engine::snapshot;

use super::replay::Definitions;
use super::rows::OfRun;
use super::same::same_json;
use super::stream::{Frames, Published};
use crate::care::redact::SHOWN;
use crate::machine::preview;
use crate::model::{waiting, waiting_before};
use crate::store::finding::{self, Finding, Mend, Summary};
use crate::store::{self, EntryRow, Error, Examination, ExaminedRun, Result, RunKey};

/// What is wrong with a run.
pub(super) fn check(store: &Examination, key: RunKey, definitions: &mut Definitions) -> Result<Vec<Finding>> {
    let mut of = OfRun::new(store, key, [format!("of key {}", key.0), String::new()]);
    let Some(row) = of.read("run", Some(key.0.to_string()), store.run(key))?.flatten() else { return Ok(of.findings) };
    of.names = [row.run.clone(), row.handler.clone()];
    of.rows()?;
    let has_begun = of.read("journal", None, store.next_entries(key, -1))?.is_none_or(|first| first.is_some());
    let told = if has_begun { replayed(&mut of, definitions)? } else { unbegun(&mut of, &row)? };
    if row.newest_of_handler != 1 {
        let what = format!("{} runs of its handler are the newest", row.newest_of_handler);
        of.add("run", Some(key.0.to_string()), what, finding::RESTORE_RUN, None);
    }
    if let Some(told) = told {
        compare(&mut of, &row, &told);
    }
    Ok(of.findings)
}

/// What the journal of a run tells of it.
struct Told {
    started: Started,
    digests: String,
    summary: Summary,
    /// When something of it is due, on both clocks.
    wake: (Option<i64>, Option<i64>),
    /// What an older build says that it waits for.
    waiting_before: Option<String>,
    /// Whether it goes on at once with whoever takes it.
    at_once: bool,
}

/// A run that queues, or whose turn has come.
fn unbegun(of: &mut OfRun, row: &ExaminedRun) -> Result<Option<Told>> {
    let first = match of.store.unbegun(of.key) {
        Ok(Some(text)) => of.store.entries(&text).map(|entries| entries.into_iter().next()),
        other => other.map(|_| None),
    };
    let Some(first) = of.read("queued", None, first)? else { return Ok(None) };
    let (started, at) = match first.map(|first| journal::read(0, &first.bytes)) {
        Some(Ok(Entry { input: Input::Started(started), at, .. })) => (*started, number(at)),
        Some(Err(misfit)) => {
            of.add("queued", None, misfit.to_string(), finding::RESTORE_RUN, None);
            return Ok(None);
        }
        _ => {
            of.add("journal", None, "it is missing, and so is what the run would begin with", finding::RESTORE_RUN, None);
            return Ok(None);
        }
    };
    let summary = Summary {
        status: "running".to_owned(),
        started_at: at,
        updated_at: at,
        completed_at: None,
        next_seq: 0,
        waiting: None,
        preview: preview(&started.start),
        result_preview: None,
    };
    let digests = started.definition.iter().map(|part| part.component.as_str()).collect::<Vec<_>>().join(" ");
    Ok(Some(Told { started, digests, summary, wake: row.wake, waiting_before: None, at_once: row.queue.is_none() }))
}

/// A run that has begun, so far as its journal can be read.
fn replayed(of: &mut OfRun, definitions: &mut Definitions) -> Result<Option<Told>> {
    let mut frames = Frames::default();
    let mut begun: Option<(Started, Run)> = None;
    let mut earlier = Vec::new();
    let mut taken = of.read("snapshot", None, of.store.next_snapshot(of.key, -1))?.flatten();
    let mut last = -1;
    while let Some(text) = of.read("journal", None, of.store.next_entries(of.key, last))?.flatten() {
        last = text.last;
        let row = Some(text.key.to_string());
        let Some(entries) = of.read("journal", row.clone(), of.store.entries(&text))? else { return Ok(None) };
        for entry in entries {
            let (effects, called) = match applied(of.store, &mut begun, &entry, definitions) {
                Ok(applied) => applied,
                Err(Error::Damaged(why)) => {
                    of.add("journal", row, why, finding::RESTORE_RUN, None);
                    return Ok(None);
                }
                Err(other) => return Err(other),
            };
            let Some((started, run)) = &begun else { return Ok(None) };
            went_by(&mut earlier, run);
            let published = Published { definition: run.definition(), workflow: &started.workflow, called, effects: &effects };
            if !frames.fit(of, &published)? {
                return Ok(None);
            }
            while let Some(there) = taken.take_if(|it| it.last <= number(entry.seq)) {
                let bytes = of.store.json(&there).unwrap_or_default();
                // One of another form is not used.
                if snapshot::is_of_this_form(&bytes) && bytes != snapshot::take(run) {
                    let mend = Some(Mend::Snapshot(there.key));
                    of.add("snapshot", Some(there.key.to_string()), "it is not what the journal tells until there", finding::MENDED, mend);
                }
                taken = of.read("snapshot", None, of.store.next_snapshot(of.key, there.last))?.flatten();
            }
        }
    }
    if let Some(beyond) = taken {
        let mend = Some(Mend::Snapshot(beyond.key));
        of.add("snapshot", Some(beyond.key.to_string()), "it tells of an entry that is not there", finding::MENDED, mend);
    }
    let Some((started, run)) = begun else { return Ok(None) };
    frames.end(of)?;
    let status = ended(of, &run, frames.terminal)?;
    Ok(Some(told(started, &run, &status, &earlier)))
}

/// Notes the digests of what a run goes by: another only after a fork.
fn went_by(earlier: &mut Vec<String>, run: &Run) {
    for digest in run.definition().digests() {
        if !earlier.contains(&digest) {
            earlier.push(digest);
        }
    }
}

/// Applies an entry. With the first a run begins; a fork is given what it goes on with. Gives the types of the events, too,
/// that a step has published with it.
fn applied(
    store: &Examination,
    begun: &mut Option<(Started, Run)>,
    row: &EntryRow,
    definitions: &mut Definitions,
) -> Result<(Vec<Effect>, Vec<Arc<str>>)> {
    let misfit = |misfit: journal::Misfit| Error::Damaged(misfit.to_string());
    let entry = journal::read(row.seq, &row.bytes).map_err(misfit)?;
    if entry.seq != row.seq {
        return Err(Error::Damaged(format!("entry {} stands at the place of entry {}", entry.seq, row.seq)));
    }
    let (started, run) = match (&entry.input, begun.take()) {
        (Input::Started(started), None) => begun.insert((started.as_ref().clone(), Run::new(definitions.of(&started.definition, store)?))),
        (_, None) => return Err(misfit(journal::Misfit::Beginning { seq: 0 })),
        (_, Some(there)) => begun.insert(there),
    };
    if let Input::Forked(forked) = &entry.input {
        (started.run, started.handler) = (forked.run.clone(), forked.handler.clone());
        run.redefine(definitions.of(&forked.definition, store)?);
    }
    let effects = journal::accept(run, &entry).map_err(misfit)?;
    Ok((effects, published(&entry.input)))
}

/// The types of the events that a step publishes: only these are in the journal, and not what they hold.
fn published(input: &Input) -> Vec<Arc<str>> {
    let (Input::StepProgressed { calls, .. } | Input::StepReturned { calls, .. } | Input::StepFailed { calls, .. }) = input else {
        return Vec::new();
    };
    let published = calls.iter().filter_map(|call| if let Function::Publish { event } = &call.function { Some(&event.name) } else { None });
    published.cloned().collect()
}

/// Compares how it has ended with what is stored of that; gives how it has.
fn ended(of: &mut OfRun, run: &Run, terminal: Option<bytes::Bytes>) -> Result<store::Status> {
    let status = match run.status() {
        Status::Queued | Status::Running => store::Status::Running,
        Status::Completed(_) => store::Status::Completed(terminal.unwrap_or_default()),
        Status::Failed(message) => store::Status::Failed(message.clone()),
        Status::Cancelled => store::Status::Cancelled,
    };
    let Some(stored) = of.read("ending", None, of.store.ending(of.key))? else { return Ok(status) };
    let outcome = match &status {
        store::Status::Completed(result) => Some(&result[..]),
        store::Status::Failed(message) => Some(message.as_bytes()),
        store::Status::Running | store::Status::Cancelled => None,
    };
    let wrong = match (&stored, status.is_running()) {
        (None, true) => None,
        (None, false) => Some("it is missing: the journal tells that the run has ended"),
        (Some(_), true) => Some("the journal does not tell that the run has ended"),
        (Some(stored), false) if stored.outcome.as_deref() != outcome => Some("its outcome is not that of the journal"),
        (Some(stored), false) if !same_json(&stored.state, run.state().get().as_bytes()) => Some("its state is not that of the journal"),
        (Some(_), false) => None,
    };
    if let Some(wrong) = wrong {
        of.add("ending", None, wrong, finding::RESTORE_RUN, None);
    }
    Ok(status)
}

/// `earlier`: the digests of all that its journal went by.
fn told(started: Started, run: &Run, status: &store::Status, earlier: &[String]) -> Told {
    let updated_at = number(run.updated_at());
    let due = |clock: fn(Due) -> Option<u64>| run.timers().filter_map(|(_, due)| clock(due)).min().map(number);
    let at = |due| if let Due::At(at) = due { Some(at) } else { None };
    let alive = |due| if let Due::Alive(at) = due { Some(at) } else { None };
    let runs = status.is_running();
    let mut digests = run.definition().digests();
    digests.extend(earlier.iter().filter(|digest| !digests.contains(digest)).cloned().collect::<Vec<_>>());
    Told {
        digests: digests.join(" "),
        summary: Summary {
            status: status.text().to_owned(),
            started_at: number(run.started_at()),
            updated_at,
            completed_at: (!runs).then_some(updated_at),
            next_seq: number(run.next_seq()),
            waiting: waiting(run),
            preview: preview(&started.start),
            result_preview: status.preview(),
        },
        wake: if runs { (due(at), due(alive)) } else { (None, None) },
        waiting_before: waiting_before(run),
        at_once: run.needs_resume(),
        started,
    }
}

/// Compares a run's own row with what its journal tells.
fn compare(of: &mut OfRun, row: &ExaminedRun, told: &Told) {
    let key = Some(row.key.0.to_string());
    let names = [
        ("id", row.run == told.started.run),
        ("handler", row.handler == told.started.handler),
        ("workflow", row.workflow == told.started.workflow),
        ("definition", row.definition.as_deref() == Some(&told.digests)),
        ("queue", row.queue.as_ref().is_none_or(|queue| *queue == row.workflow && row.next_seq == 0)),
    ];
    let wrong: Vec<&str> = names.into_iter().filter(|(_, same)| !same).map(|(column, _)| column).collect();
    if !wrong.is_empty() {
        of.add("run", key.clone(), format!("`{}` is not as its journal tells", wrong.join("`, `")), finding::RESTORE_RUN, None);
    }
    let wrong = differing(row, told);
    if !wrong.is_empty() {
        // Where the row tells of more entries than there are, it may be the journal that lacks them.
        let mend = (row.next_seq <= told.summary.next_seq).then(|| Mend::Summary(row.key, Box::new(told.summary.clone())));
        let advice = if mend.is_some() { finding::MENDED } else { finding::RESTORE_RUN };
        of.add("run", key.clone(), format!("`{}` is not as its journal tells", wrong.join("`, `")), advice, mend);
    }
    if let Some(what) = misplaced(row, told) {
        let mend = (told.summary.status == "running").then_some(Mend::Due(row.key));
        let advice = if mend.is_some() { finding::MENDED } else { finding::RESTORE_RUN };
        of.add("run", key, what, advice, mend);
    }
}

/// The columns that are not as they should be.
fn differing(row: &ExaminedRun, Told { summary: told, waiting_before, .. }: &Told) -> Vec<&'static str> {
    let columns = [
        ("status", row.status == told.status),
        ("started_at", row.started_at == told.started_at),
        ("updated_at", row.updated_at == told.updated_at),
        ("completed_at", row.completed_at == told.completed_at),
        ("next_seq", row.next_seq == told.next_seq),
        ("waiting", row.waiting == told.waiting || row.waiting == *waiting_before),
        ("preview", row.preview == SHOWN || row.preview == told.preview),
        ("result_preview", row.result_preview.as_deref() == Some(SHOWN) || row.result_preview == told.result_preview),
    ];
    columns.into_iter().filter(|(_, same)| !same).map(|(column, _)| column).collect()
}

/// Whether it has no place: nobody would ever go on with it, or somebody with one that has ended.
fn misplaced(row: &ExaminedRun, told: &Told) -> Option<&'static str> {
    let due = row.wake != (None, None);
    if told.summary.status != "running" {
        return (row.owner.is_some() || due || row.queue.is_some()).then_some("it has ended, and is to go on all the same");
    }
    match row.owner {
        Some(false) => Some("its owner is a host that is not known"),
        Some(true) if due && row.wake != told.wake => Some("it is due at another time than its journal tells"),
        Some(true) => None,
        None if row.queue.is_some() => None,
        None if due && is_late(row, told) => Some("nobody owns it, and it is due later than its journal tells"),
        None if (told.at_once || told.wake != (None, None)) && !due => Some("nobody owns it and it is never due, but it has to go on"),
        None => None,
    }
}

/// Whether it would be gone on with later than its journal tells, or never, although it is due some time.
fn is_late(row: &ExaminedRun, told: &Told) -> bool {
    let later = |row: Option<i64>, told: Option<i64>| told.is_some_and(|told| row.is_none_or(|row| row > told));
    let now = row.wake.0.is_some_and(|at| at <= told.summary.updated_at);
    let goes_on_now = told.at_once && told.summary.next_seq > 0;
    !now && (goes_on_now || later(row.wake.0, told.wake.0) || later(row.wake.1, told.wake.1))
}

/// As the store holds it.
fn number(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
