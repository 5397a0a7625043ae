//! What is in memory, and how it changes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use wf_engine::entry::Micros;

use crate::store::rows::{
    Append, Claim, CommandId, Ended, EntryRow, Expiry, FrameRow, HostId, IdempotencyRow, LEASE, Lines, NewRun, Now, Purged, Release,
    RunKey, RunSummary, SentCommand, Snapshot, Standing, Status, Wake,
};
use crate::store::{Error, Result};

#[derive(Default)]
pub(super) struct Tables {
    /// By key, and so in the order of their beginnings.
    pub(super) runs: BTreeMap<RunKey, Row>,
    by_id: HashMap<String, RunKey>,
    /// A handler's runs, oldest first.
    by_handler: HashMap<String, Vec<RunKey>>,
    pub(super) idempotency: HashMap<(String, String), (IdempotencyRow, RunKey)>,
    pub(super) components: HashMap<String, (Bytes, String)>,
    /// When their leases end.
    hosts: BTreeMap<HostId, Micros>,
    commands: BTreeMap<CommandId, Command>,
    last_command: i64,
    pub(super) alive: Micros,
}

pub(super) struct Row {
    pub(super) summary: RunSummary,
    owner: Option<HostId>,
    generation: u64,
    wake: Wake,
    pub(super) journal: Vec<EntryRow>,
    pub(super) frames: Vec<FrameRow>,
    pub(super) lines: Lines,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) state: Option<Bytes>,
}

struct Command {
    run: RunKey,
    command: Vec<u8>,
    answer: Option<Vec<u8>>,
}

impl Command {
    fn is_open(&self) -> bool {
        self.answer.is_none()
    }
}

impl Row {
    fn stand(&mut self, standing: Standing) {
        self.summary.updated_at = Some(standing.updated_at);
        self.summary.waiting = standing.waiting;
        self.summary.queue = standing.queue;
        self.wake = standing.wake;
        if let Some(Ended { status, at, state }) = standing.ended {
            self.summary.result_preview = status.preview();
            self.summary.status = status;
            self.summary.completed_at = Some(at);
            self.summary.waiting = None;
            self.summary.queue = None;
            self.state = Some(state);
            self.owner = None;
            self.wake = Wake::default();
        }
    }

    /// For how long it has been due, on the clock on which that is longer; none: it is not.
    fn late(&self, now: Now) -> Option<Micros> {
        let late = |at: Option<Micros>, clock: Micros| clock.checked_sub(at?);
        late(self.wake.at, now.at).max(late(self.wake.alive, now.alive))
    }
}

impl Tables {
    pub(super) fn join(&mut self, now: Now) -> HostId {
        // A host stays known, so that none gets the number of another.
        let host = HostId(self.hosts.len() as i64 + 1);
        self.keep_alive(host, now);
        host
    }

    pub(super) fn keep_alive(&mut self, host: HostId, now: Now) {
        self.hosts.insert(host, now.at.saturating_add(LEASE));
        self.alive = self.alive.max(now.alive);
    }

    /// Whether a host that is not this one still owns what it owned.
    fn lasts(&self, owner: HostId, host: HostId, now: Now) -> bool {
        owner != host && self.hosts.get(&owner).is_some_and(|until| *until > now.at)
    }

    pub(super) fn create(&mut self, new: NewRun) -> Result<()> {
        if self.newest(&new.handler).is_some_and(|run| run.status.is_running()) || self.by_id.contains_key(&new.run) {
            return Err(Error::AlreadyRunning);
        }
        self.remember(new.idempotency, new.key)?;
        let summary = RunSummary {
            key: new.key,
            run: new.run.clone(),
            handler: new.handler.clone(),
            workflow: new.workflow,
            definition: new.definition,
            status: Status::Running,
            started_at: new.started_at,
            updated_at: None,
            completed_at: None,
            preview: new.preview,
            result_preview: None,
            waiting: None,
            queue: None,
        };
        let mut row = Row {
            summary,
            owner: Some(new.host),
            generation: 1,
            wake: Wake::default(),
            journal: vec![new.entry],
            frames: new.frames,
            lines: Lines::default(),
            snapshot: None,
            state: None,
        };
        row.stand(new.standing);
        self.runs.insert(new.key, row);
        self.by_id.insert(new.run, new.key);
        self.by_handler.entry(new.handler).or_default().push(new.key);
        Ok(())
    }

    /// Answers the run's id.
    pub(super) fn append(&mut self, append: Append) -> Result<String> {
        let row = self.runs.get(&append.run).ok_or(Error::Gone)?;
        let expected = (row.generation, row.journal.len() as u64);
        // Who has left a run, or ended it, is its owner no more.
        if row.owner.is_none() || expected != (append.generation, append.expected_seq) {
            return Err(Error::Stale);
        }
        if append.answer.as_ref().is_some_and(|(id, _)| !self.commands.get(id).is_some_and(Command::is_open)) {
            return Err(Error::Stale);
        }
        self.remember(append.idempotency, append.run)?;
        if let Some((id, answer)) = append.answer {
            self.answer_command(id, answer);
        }
        let row = self.runs.get_mut(&append.run).ok_or(Error::Gone)?;
        row.journal.extend(append.entries);
        row.frames.extend(append.frames);
        row.lines.extend(append.logs);
        row.snapshot = append.snapshot.or(row.snapshot.take());
        row.stand(append.standing);
        Ok(row.summary.run.clone())
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

    pub(super) fn acquire(&mut self, host: HostId, run: &str, now: Now) -> Result<Claim> {
        let row = self.run(run).ok_or(Error::Gone)?;
        if !row.summary.status.is_running() {
            return Err(Error::Over);
        }
        if row.owner.is_some_and(|owner| self.lasts(owner, host, now)) {
            return Err(Error::Owned);
        }
        let key = row.summary.key;
        self.claim(host, key).ok_or(Error::Gone)
    }

    fn claim(&mut self, host: HostId, key: RunKey) -> Option<Claim> {
        let row = self.runs.get_mut(&key)?;
        row.generation += 1;
        let abandoned = row.owner.replace(host).is_some_and(|owner| owner != host);
        Some(Claim { key, run: row.summary.run.clone(), generation: row.generation, abandoned })
    }

    pub(super) fn claim_due(&mut self, host: HostId, now: Now, limit: usize) -> Vec<Claim> {
        let lost = |owner: HostId| owner != host && !self.lasts(owner, host, now);
        // Those of lost hosts first.
        let due = |(key, row): (&RunKey, &Row)| match row.owner {
            Some(owner) => lost(owner).then_some((Reverse(Micros::MAX), *key)),
            None => row.late(now).map(|late| (Reverse(late), *key)),
        };
        let mut due: Vec<(Reverse<Micros>, RunKey)> = self.runs.iter().filter_map(due).collect();
        due.sort_unstable();
        due.into_iter().take(limit).filter_map(|(_, key)| self.claim(host, key)).collect()
    }

    pub(super) fn release(&mut self, release: Release) {
        let row = self.runs.get_mut(&release.run).filter(|row| row.owner.is_some() && row.generation == release.generation);
        if let Some(row) = row {
            row.owner = None;
            row.wake = release.wake;
        }
    }

    pub(super) fn owned(&self, host: HostId) -> Vec<String> {
        self.runs.values().filter(|row| row.owner == Some(host)).map(|row| row.summary.run.clone()).collect()
    }

    pub(super) fn next_due(&self) -> Wake {
        let left = || self.runs.values().filter(|row| row.owner.is_none());
        Wake { at: left().filter_map(|row| row.wake.at).min(), alive: left().filter_map(|row| row.wake.alive).min() }
    }

    pub(super) fn send_command(&mut self, run: &str, command: Vec<u8>) -> Result<CommandId> {
        let row = self.run(run).ok_or(Error::Gone)?;
        if !row.summary.status.is_running() {
            return Err(Error::Over);
        }
        let run = row.summary.key;
        self.last_command += 1;
        let id = CommandId(self.last_command);
        self.commands.insert(id, Command { run, command, answer: None });
        Ok(id)
    }

    pub(super) fn commands_of(&self, run: RunKey) -> Vec<SentCommand> {
        let open = self.commands.iter().filter(|(_, command)| command.run == run && command.is_open());
        open.map(|(id, command)| (*id, command.command.clone())).collect()
    }

    pub(super) fn commanded(&self, host: HostId) -> Vec<String> {
        let runs: BTreeSet<RunKey> = self.commands.values().filter(|command| command.is_open()).map(|command| command.run).collect();
        let rows = runs.iter().filter_map(|run| self.runs.get(run));
        let ours = rows.filter(|row| row.summary.status.is_running() && row.owner.is_none_or(|owner| owner == host));
        ours.map(|row| row.summary.run.clone()).collect()
    }

    /// Answers the run's id; none where the command is not there any more, or is answered.
    pub(super) fn answer_command(&mut self, command: CommandId, answer: Vec<u8>) -> Option<String> {
        let command = self.commands.get_mut(&command).filter(|command| command.is_open())?;
        command.answer = Some(answer);
        Some(self.runs.get(&command.run)?.summary.run.clone())
    }

    pub(super) fn take_answer(&mut self, id: CommandId) -> Result<Option<Vec<u8>>> {
        let command = self.commands.get_mut(&id).ok_or(Error::Gone)?;
        let answer = command.answer.take();
        if answer.is_some() {
            self.commands.remove(&id);
        }
        Ok(answer)
    }

    pub(super) fn withdraw_command(&mut self, id: CommandId) -> Result<Option<Vec<u8>>> {
        Ok(self.commands.remove(&id).ok_or(Error::Gone)?.answer)
    }

    pub(super) fn run(&self, run: &str) -> Option<&Row> {
        self.runs.get(self.by_id.get(run)?)
    }

    pub(super) fn newest(&self, handler: &str) -> Option<&RunSummary> {
        let key = self.by_handler.get(handler)?.last()?;
        Some(&self.runs[key].summary)
    }

    pub(super) fn purge(&mut self, handler: &str, running_too: bool) -> Result<Purged> {
        if self.newest(handler).is_some_and(|run| run.status.is_running()) && !running_too {
            return Err(Error::AlreadyRunning);
        }
        Ok(Purged { runs: self.delete(handler) })
    }

    fn delete(&mut self, handler: &str) -> Vec<String> {
        let keys = self.by_handler.remove(handler).unwrap_or_default();
        self.idempotency.retain(|_, (_, run)| !keys.contains(run));
        self.commands.retain(|_, command| !keys.contains(&command.run));
        let runs: Vec<String> = keys.iter().filter_map(|key| Some(self.runs.remove(key)?.summary.run)).collect();
        for run in &runs {
            self.by_id.remove(run);
        }
        runs
    }

    /// Answers how many handlers, and their runs.
    pub(super) fn expire(&mut self, expiry: &Expiry) -> (usize, Purged) {
        let over = |run: &&RunSummary| {
            run.completed_at.is_some_and(|at| at < expiry.before)
                && expiry.workflow.as_ref().is_none_or(|only| run.workflow == *only)
                && !expiry.except.contains(&run.workflow)
        };
        let mut over: Vec<&RunSummary> = self.by_handler.keys().filter_map(|handler| self.newest(handler)).filter(over).collect();
        over.sort_by_key(|run| run.completed_at);
        let handlers: Vec<String> = over.into_iter().take(expiry.max).map(|run| run.handler.clone()).collect();
        let runs = handlers.iter().flat_map(|handler| self.delete(handler)).collect();
        (handlers.len(), Purged { runs })
    }

    pub(super) fn drop_components(&mut self, keep: &[String]) -> usize {
        let before = self.components.len();
        let runs = &self.runs;
        let needed = |digest: &String| keep.contains(digest) || runs.values().any(|row| row.summary.definition.contains(digest));
        self.components.retain(|digest, _| needed(digest));
        before - self.components.len()
    }
}
