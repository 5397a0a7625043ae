//! A store that lasts as long as its process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};
use wf_engine::entry::Micros;

use super::rows::{
    Append, EntryRow, Expiry, FrameRow, HandlersQuery, IdempotencyRow, LogRow, NewRun, RunKey, RunSummary, RunsQuery, Status,
};
use super::{Error, Result, Store};

/// A store in memory.
#[derive(Default)]
pub struct Memory(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    next_key: i64,
    /// By key, and so in the order of their beginnings.
    runs: BTreeMap<RunKey, Row>,
    by_id: HashMap<String, RunKey>,
    /// A handler's runs, oldest first.
    by_handler: HashMap<String, Vec<RunKey>>,
    idempotency: HashMap<(String, String), (IdempotencyRow, RunKey)>,
    components: HashMap<String, (Bytes, String)>,
    alive: Micros,
    planned: bool,
}

struct Row {
    summary: RunSummary,
    generation: u64,
    journal: Vec<EntryRow>,
    frames: Vec<FrameRow>,
    logs: BTreeMap<(u64, u32, String, u64), LogRow>,
}

impl Memory {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().expect("no panic while locked")
    }

    fn answer<'a, T: Send + 'a>(&self, ask: impl FnOnce(&mut Tables) -> Result<T>) -> BoxFuture<'a, Result<T>> {
        ready(ask(&mut self.tables())).boxed()
    }
}

impl Tables {
    fn create(&mut self, new: NewRun) -> Result<(RunKey, u64)> {
        let last = self.by_handler.get(&new.handler).and_then(|runs| runs.last());
        if last.is_some_and(|key| self.runs[key].summary.status.is_running()) {
            return Err(Error::AlreadyRunning);
        }
        self.next_key += 1;
        let key = RunKey(self.next_key);
        self.remember(new.idempotency, key)?;
        let (status, completed_at) = new.ended.map_or((Status::Running, None), |ended| (ended.status, Some(ended.at)));
        let summary = RunSummary {
            key,
            run: new.run.clone(),
            handler: new.handler.clone(),
            workflow: new.workflow,
            definition: new.definition,
            status,
            started_at: new.started_at,
            updated_at: Some(new.started_at),
            completed_at,
        };
        let row = Row { summary, generation: 1, journal: vec![new.entry], frames: new.frames, logs: BTreeMap::new() };
        self.runs.insert(key, row);
        self.by_id.insert(new.run, key);
        self.by_handler.entry(new.handler).or_default().push(key);
        Ok((key, 1))
    }

    fn append(&mut self, append: Append) -> Result<()> {
        let row = self.runs.get(&append.run).ok_or(Error::Gone)?;
        if row.generation != append.generation || row.journal.len() as u64 != append.expected_seq {
            return Err(Error::Stale);
        }
        self.remember(append.idempotency, append.run)?;
        let row = self.runs.get_mut(&append.run).ok_or(Error::Gone)?;
        row.journal.extend(append.entries);
        row.frames.extend(append.frames);
        for log in append.logs {
            row.logs.entry((log.invocation, log.attempt, log.source.clone(), log.number)).or_insert(log);
        }
        row.summary.updated_at = Some(append.updated_at);
        if let Some(ended) = append.ended {
            row.summary.status = ended.status;
            row.summary.completed_at = Some(ended.at);
        }
        Ok(())
    }

    fn remember(&mut self, idempotency: Option<IdempotencyRow>, run: RunKey) -> Result<()> {
        let Some(row) = idempotency else { return Ok(()) };
        let key = (row.scope.clone(), row.key.clone());
        if self.idempotency.contains_key(&key) {
            return Err(Error::KeyTaken);
        }
        self.idempotency.insert(key, (row, run));
        Ok(())
    }

    fn run(&self, run: &str) -> Option<&Row> {
        self.runs.get(self.by_id.get(run)?)
    }

    fn newest(&self, handler: &str) -> Option<&RunSummary> {
        let key = self.by_handler.get(handler)?.last()?;
        Some(&self.runs[key].summary)
    }

    fn handlers(&self, query: &HandlersQuery) -> Vec<RunSummary> {
        let after = match &query.after {
            Some(handler) => self.newest(handler).map_or(RunKey(i64::MAX), |run| run.key),
            None => RunKey(0),
        };
        let newest = |run: &&RunSummary| self.newest(&run.handler).is_some_and(|newest| newest.key == run.key);
        let runs = self.runs.values().map(|row| &row.summary).filter(newest);
        let runs = runs.filter(|run| run.key > after && query.matches(run));
        runs.take(query.limit.unwrap_or(usize::MAX)).cloned().collect()
    }

    fn purge(&mut self, handler: &str) {
        let keys = self.by_handler.remove(handler).unwrap_or_default();
        for key in &keys {
            if let Some(row) = self.runs.remove(key) {
                self.by_id.remove(&row.summary.run);
            }
        }
        self.idempotency.retain(|_, (_, run)| !keys.contains(run));
    }

    fn expire(&mut self, expiry: &Expiry) -> usize {
        let over = |run: &&RunSummary| {
            run.completed_at.is_some_and(|at| at < expiry.before)
                && expiry.workflow.as_ref().is_none_or(|only| run.workflow == *only)
                && !expiry.except.contains(&run.workflow)
        };
        let mut over: Vec<&RunSummary> = self.by_handler.keys().filter_map(|handler| self.newest(handler)).filter(over).collect();
        over.sort_by_key(|run| run.completed_at);
        let handlers: Vec<String> = over.into_iter().take(expiry.max).map(|run| run.handler.clone()).collect();
        handlers.iter().for_each(|handler| self.purge(handler));
        handlers.len()
    }

    fn drop_components(&mut self, keep: &[String]) -> usize {
        let before = self.components.len();
        let runs = &self.runs;
        let needed = |digest: &String| keep.contains(digest) || runs.values().any(|row| row.summary.definition.contains(digest));
        self.components.retain(|digest, _| needed(digest));
        before - self.components.len()
    }
}

impl Store for Memory {
    fn create(&self, new: NewRun) -> BoxFuture<'static, Result<(RunKey, u64)>> {
        self.answer(|tables| tables.create(new))
    }

    fn acquire(&self, key: RunKey) -> BoxFuture<'static, Result<u64>> {
        self.answer(|tables| {
            let row = tables.runs.get_mut(&key).ok_or(Error::Gone)?;
            row.generation += 1;
            Ok(row.generation)
        })
    }

    fn append(&self, append: Append) -> BoxFuture<'static, Result<()>> {
        self.answer(|tables| tables.append(append))
    }

    fn run(&self, run: &str) -> BoxFuture<'_, Result<Option<RunSummary>>> {
        self.answer(|tables| Ok(tables.run(run).map(|row| row.summary.clone())))
    }

    fn handler(&self, handler: &str) -> BoxFuture<'_, Result<Option<RunSummary>>> {
        self.answer(|tables| Ok(tables.newest(handler).cloned()))
    }

    fn handlers(&self, query: HandlersQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>> {
        self.answer(|tables| Ok(tables.handlers(&query)))
    }

    fn runs(&self, query: RunsQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>> {
        self.answer(|tables| {
            let matches = |run: &&RunSummary| {
                query.before.is_none_or(|before| run.key < before)
                    && (query.status.is_empty() || query.status.iter().any(|it| it == run.status.text()))
                    && (query.workflow.is_empty() || query.workflow.contains(&run.workflow))
                    && query.search.as_ref().is_none_or(|text| run.run.contains(text.as_str()) || run.handler.contains(text.as_str()))
            };
            let runs = tables.runs.values().rev().map(|row| &row.summary).filter(matches);
            Ok(runs.take(query.limit).cloned().collect())
        })
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        self.answer(|tables| {
            let running = tables.runs.values().filter(|row| row.summary.status.is_running());
            Ok(running.map(|row| row.summary.run.clone()).collect())
        })
    }

    fn journal(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<EntryRow>>> {
        self.answer(|tables| Ok(tables.runs.get(&key).map(|row| row.journal.clone()).unwrap_or_default()))
    }

    fn frames(&self, run: &str, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<FrameRow>>> {
        self.answer(|tables| {
            let frames = tables.run(run).map_or(&[][..], |row| &row.frames);
            let first = frames.partition_point(|frame| i64::try_from(frame.sequence).is_ok_and(|sequence| sequence <= after));
            Ok(frames[first..].iter().take(limit).cloned().collect())
        })
    }

    fn last_sequence(&self, run: &str) -> BoxFuture<'_, Result<i64>> {
        self.answer(|tables| Ok(tables.run(run).and_then(|row| row.frames.last()).map_or(-1, |frame| frame.sequence as i64)))
    }

    fn logs(&self, run: &str) -> BoxFuture<'_, Result<Vec<LogRow>>> {
        self.answer(|tables| Ok(tables.run(run).map(|row| row.logs.values().cloned().collect()).unwrap_or_default()))
    }

    fn idempotency(&self, scope: &str, key: &str) -> BoxFuture<'_, Result<Option<IdempotencyRow>>> {
        self.answer(|tables| Ok(tables.idempotency.get(&(scope.to_owned(), key.to_owned())).map(|(row, _)| row.clone())))
    }

    fn purge(&self, handler: &str) -> BoxFuture<'static, Result<()>> {
        self.answer(|tables| {
            tables.purge(handler);
            Ok(())
        })
    }

    fn expire(&self, expiry: Expiry) -> BoxFuture<'static, Result<usize>> {
        self.answer(|tables| Ok(tables.expire(&expiry)))
    }

    fn drop_components(&self, keep: Vec<String>) -> BoxFuture<'static, Result<usize>> {
        self.answer(|tables| Ok(tables.drop_components(&keep)))
    }

    fn put_component(&self, digest: &str, bytes: Bytes, manifest: String) -> BoxFuture<'static, Result<()>> {
        self.answer(|tables| {
            tables.components.entry(digest.to_owned()).or_insert((bytes, manifest));
            Ok(())
        })
    }

    fn manifest(&self, digest: &str) -> BoxFuture<'_, Result<Option<String>>> {
        self.answer(|tables| Ok(tables.components.get(digest).map(|(_, manifest)| manifest.clone())))
    }

    fn component(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>>> {
        self.answer(|tables| Ok(tables.components.get(digest).map(|(bytes, _)| bytes.clone())))
    }

    fn alive(&self) -> BoxFuture<'_, Result<Micros>> {
        self.answer(|tables| Ok(tables.alive))
    }

    fn save_alive(&self, alive: Micros) -> BoxFuture<'static, Result<()>> {
        self.answer(|tables| {
            tables.alive = tables.alive.max(alive);
            Ok(())
        })
    }

    fn take_planned(&self) -> BoxFuture<'static, Result<bool>> {
        self.answer(|tables| Ok(std::mem::take(&mut tables.planned)))
    }

    fn mark_planned(&self) -> BoxFuture<'static, Result<()>> {
        self.answer(|tables| {
            tables.planned = true;
            Ok(())
        })
    }
}
