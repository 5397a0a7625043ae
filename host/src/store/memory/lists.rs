//! Lists of runs. What is in memory is looked through.

use std::collections::BTreeSet;

use super::tables::Tables;
use crate::store::rows::{HandlersQuery, LIST_BYTES_MAX, Made, RunKey, RunSummary, RunsPage, RunsQuery};

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
    for ((of, _), (row, run)) in &tables.idempotency {
        if let (true, Made::Run(id)) = (of == scope, &row.made) {
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

pub(super) fn runs(tables: &Tables, query: &RunsQuery) -> RunsPage {
    let found =
        |run: &RunSummary| query.search.as_ref().is_none_or(|text| run.run.contains(text.as_str()) || run.handler.contains(text.as_str()));
    let runs = tables.runs.values().rev().map(|row| &row.summary);
    let runs = runs.filter(|run| query.before.is_none_or(|before| run.key < before) && matches(run, &query.status, &query.workflow));
    let mut page = RunsPage { runs: Vec::new(), next: None };
    let mut size = 0;
    for run in runs.filter(|run| found(run)) {
        if page.runs.len() == query.limit || size >= LIST_BYTES_MAX {
            page.next = page.runs.last().map(|run| run.key);
            break;
        }
        size += run.status.size();
        page.runs.push(run.clone());
    }
    page
}
