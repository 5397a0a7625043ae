//! Lists of runs. What is in memory is looked through.

use std::collections::BTreeSet;

use super::tables::Tables;
use crate::model::{RunsFilter, RunsOrder, RunsPlace};
use crate::store::rows::{HandlersQuery, LIST_BYTES_MAX, Made, RunKey, RunSummary, RunsPage};

fn matches(run: &RunSummary, status: &[String], workflow: &[String]) -> bool {
    let any = |wanted: &[String], value: &str| wanted.is_empty() || wanted.iter().any(|it| it == value);
    any(status, run.status.text()) && any(workflow, &run.workflow)
}

pub(super) fn handlers(tables: &Tables, query: &HandlersQuery) -> Vec<RunSummary> {
    let newest = |run: &&RunSummary| tables.newest(&run.handler).is_some_and(|newest| newest.key == run.key);
    let runs = tables.runs.values().map(|row| &row.summary);
    let runs = runs.filter(|run| query.after.is_none_or(|after| run.key > after) && matches(run, &query.status, &query.workflow));
    let mut size = 0;
    let fits = |run: &&RunSummary| {
        let fits = size < LIST_BYTES_MAX;
        size += run.status.size();
        fits
    };
    runs.filter(newest).take(query.limit).take_while(fits).cloned().collect()
}

pub(super) fn made(tables: &Tables, scope: &str) -> Vec<String> {
    let mut made: Vec<(RunKey, String)> = Vec::new();
    for (_, (row, run)) in tables.idempotency.range((scope.to_owned(), String::new())..).take_while(|((of, _), _)| of == scope) {
        if let Made::Run(id) = &row.made {
            made.push((*run, id.clone()));
        }
    }
    made.sort_unstable();
    made.into_iter().map(|(_, id)| id).collect()
}

pub(super) fn workflows(tables: &Tables) -> Vec<String> {
    let names: BTreeSet<&String> = tables.runs.values().map(|row| &row.summary.workflow).collect();
    names.into_iter().cloned().collect()
}

pub(super) fn runs(tables: &Tables, filter: &RunsFilter) -> RunsPage {
    let mut runs: Vec<(RunsPlace, &RunSummary)> = tables.runs.values().filter_map(|row| placed(filter, &row.summary)).collect();
    runs.sort_unstable_by_key(|(place, _)| *place);
    if !is_up(filter) {
        runs.reverse();
    }
    let is_newest = |run: &RunSummary| tables.newest(&run.handler).is_some_and(|newest| newest.key == run.key);
    let mut page = RunsPage { runs: Vec::new(), next: None };
    let (mut size, mut last) = (0, filter.after);
    for (place, run) in runs.into_iter().filter(|(_, run)| wanted(filter, run) && (!filter.newest || is_newest(run))) {
        if page.runs.len() == filter.limit || size >= LIST_BYTES_MAX {
            page.next = last;
            break;
        }
        size += run.status.size();
        page.runs.push(run.clone());
        last = Some(place);
    }
    page
}

/// Those of one handler are sorted by their keys, whatever is asked for.
fn is_up(filter: &RunsFilter) -> bool {
    filter.order.is_up() && filter.handler.is_none()
}

/// A run at its place in the list, if that comes after where an earlier page ended.
fn placed<'a>(filter: &RunsFilter, run: &'a RunSummary) -> Option<(RunsPlace, &'a RunSummary)> {
    let is_timed = filter.handler.is_none() && (filter.since.is_some() || filter.until.is_some() || filter.order != RunsOrder::default());
    let at = match (is_timed, filter.order.is_by_end()) {
        (false, _) => 0,
        (true, false) => run.started_at,
        (true, true) => run.completed_at?,
    };
    let within = !is_timed || filter.since.is_none_or(|since| at >= since) && filter.until.is_none_or(|until| at < until);
    let place = RunsPlace { at: i64::try_from(at).unwrap_or(i64::MAX), key: run.key.0 };
    let comes = filter.after.is_none_or(|after| if is_up(filter) { place > after } else { place < after });
    (within && comes).then_some((place, run))
}

fn wanted(filter: &RunsFilter, run: &RunSummary) -> bool {
    let status = if run.waiting.is_some() { "waiting" } else { run.status.text() };
    let any = |wanted: &[String], value: &str| wanted.is_empty() || wanted.iter().any(|it| it == value);
    let found = |text: &String| {
        let text = text.to_ascii_lowercase();
        let has = |it: &str| it.to_ascii_lowercase().contains(&text);
        has(&run.run) || has(&run.handler) || has(&run.preview) || run.result_preview.as_deref().is_some_and(has)
    };
    any(&filter.status, status)
        && any(&filter.workflow, &run.workflow)
        && filter.handler.as_ref().is_none_or(|handler| *handler == run.handler)
        && filter.search.as_ref().is_none_or(found)
}
