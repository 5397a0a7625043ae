//! What is in memory, and how it changes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use wf_engine::entry::Micros;

use crate::store::lines::Lines;
use crate::store::rows::{
    Append, Claim, CommandId, Created, Ended, EntryRow, Expiry, Finished, Follows, FrameRow, Held, HostId, IdempotencyRow, LEASE, NewRun,
    Now, Past, Place, Purged, Release, RunKey, RunSummary, SentCommand, Shown, Snapshot, Standing, Status, TURNS_MAX, Unbegun, Wake,
    Wanted,
};
use crate::store::{Error, Result, forked_from};

#[derive(Default)]
pub(super) struct Tables {
    /// By key, and so in the order of their beginnings.
    pub(super) runs: BTreeMap<RunKey, Row>,
    by_id: HashMap<String, RunKey>,
    /// A handler's runs, oldest first.
    by_handler: HashMap<String, Vec<RunKey>>,
    pub(super) idempotency: BTreeMap<(String, String), (IdempotencyRow, RunKey)>,
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
    /// What it begins with, until then.
    first: Vec<EntryRow>,
    pub(super) journal: Vec<EntryRow>,
    pub(super) frames: Vec<FrameRow>,
    pub(super) lines: Lines,
    /// In the order of their entries.
    snapshots: Vec<Snapshot>,
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
        self.wake = standing.wake;
        if let Some(Ended { status, at, state }) = standing.ended {
            self.summary.result_preview = status.preview();
            self.summary.status = status;
            self.summary.completed_at = Some(at);
            self.summary.waiting = None;
            self.state = Some(state);
            self.owner = None;
            self.wake = Wake::default();
        }
    }

    pub(super) fn unbegun(&self) -> Option<Unbegun> {
        (!self.first.is_empty()).then(|| Unbegun { entries: self.first.clone(), queues: self.summary.queue.is_some() })
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

    pub(super) fn create(&mut self, new: NewRun) -> Result<Created> {
        if self.newest(&new.handler).is_some_and(|run| run.status.is_running()) || self.by_id.contains_key(&new.run) {
            return Err(Error::AlreadyRunning);
        }
        let newest = self.newest(&new.handler).map(|run| run.key);
        match new.follows {
            Follows::None if newest.is_some() => return Err(Error::AlreadyRunning),
            Follows::Run(run) if newest != Some(run) => return Err(Error::AlreadyRunning),
            Follows::Any | Follows::None | Follows::Run(_) => (),
        }
        let origin = new.idempotency.as_ref().and_then(|row| forked_from(&row.scope)).map(str::to_owned);
        self.remember(new.idempotency, new.key)?;
        let queues = new.standing.ended.is_none() && new.runs_max.is_some_and(|max| self.must_queue(&new.workflow, max));
        let queue = queues.then(|| new.workflow.clone());
        let summary = RunSummary {
            key: new.key,
            run: new.run.clone(),
            handler: new.handler.clone(),
            workflow: new.workflow,
            definition: new.definition,
            origin,
            status: Status::Running,
            started_at: new.started_at,
            updated_at: None,
            completed_at: None,
            preview: new.preview,
            result_preview: None,
            waiting: None,
            queue,
        };
        let mut row = Row {
            summary,
            owner: Some(new.host),
            generation: 1,
            wake: Wake::default(),
            first: Vec::new(),
            journal: new.entries,
            frames: new.frames,
            lines: Lines::default(),
            snapshots: Vec::new(),
            state: None,
        };
        row.lines.extend(new.logs);
        row.stand(new.standing);
        if queues {
            (row.owner, row.wake, row.summary.waiting, row.first) = (None, Wake::default(), None, std::mem::take(&mut row.journal));
            row.frames.truncate(new.copied);
        }
        self.runs.insert(new.key, row);
        self.by_id.insert(new.run, new.key);
        self.by_handler.entry(new.handler).or_default().push(new.key);
        Ok(if queues { Created::Queued } else { Created::Begun })
    }

    /// Keeps a run as it was elsewhere: nothing of it is ever due.
    pub(super) fn show(&mut self, shown: Shown) {
        let Shown { summary, entries, frames, logs, state, first } = shown;
        let mut lines = Lines::default();
        lines.extend(logs);
        self.by_id.insert(summary.run.clone(), summary.key);
        self.by_handler.entry(summary.handler.clone()).or_default().push(summary.key);
        let key = summary.key;
        let (owner, wake, snapshots) = (None, Wake::default(), Vec::new());
        self.runs.insert(key, Row { summary, owner, generation: 1, wake, first, journal: entries, frames, lines, snapshots, state });
    }

    /// Nobody passes those who queue already.
    fn must_queue(&self, workflow: &str, max: u32) -> bool {
        self.queued(workflow).next().is_some() || self.begun(workflow) >= max as usize
    }

    /// The one that queues longest first.
    fn queued(&self, workflow: &str) -> impl Iterator<Item = RunKey> {
        self.runs.values().map(|row| &row.summary).filter(move |run| run.queue.as_deref() == Some(workflow)).map(|run| run.key)
    }

    fn begun(&self, workflow: &str) -> usize {
        let has_begun = |row: &&Row| row.summary.workflow == workflow && row.summary.status.is_running() && row.summary.queue.is_none();
        self.runs.values().filter(has_begun).count()
    }

    pub(super) fn queues(&self) -> Vec<String> {
        let queues: BTreeSet<&String> = self.runs.values().filter_map(|row| row.summary.queue.as_ref()).collect();
        queues.into_iter().cloned().collect()
    }

    pub(super) fn give_turns(&mut self, workflow: &str, runs_max: Option<u32>, now: Now) -> usize {
        let free = runs_max.map_or(usize::MAX, |max| (max as usize).saturating_sub(self.begun(workflow)));
        let next: Vec<RunKey> = self.queued(workflow).take(free.min(TURNS_MAX)).collect();
        for key in &next {
            if let Some(row) = self.runs.get_mut(key) {
                (row.summary.queue, row.wake.at) = (None, Some(now.at));
            }
        }
        next.len()
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
        if append.expected_seq == 0 {
            (row.first, row.summary.queue, row.summary.started_at) = (Vec::new(), None, append.standing.updated_at);
        }
        row.journal.extend(append.entries);
        row.frames.extend(append.frames);
        row.lines.extend(append.logs);
        row.snapshots.extend(append.snapshot);
        row.stand(append.standing);
        Ok(row.summary.run.clone())
    }

    pub(super) fn past(&self, key: RunKey, after: Option<u64>, limit: usize) -> Past {
        let Some(row) = self.runs.get(&key) else { return Past { snapshot: None, entries: Vec::new(), length: 0 } };
        let snapshot = row.snapshots.iter().rfind(|it| after.is_some_and(|after| it.seq <= after)).cloned();
        let first = snapshot.as_ref().map_or(0, |it| it.seq as usize + 1);
        let mut wanted = Wanted::until(after, limit);
        let entries = row.journal.iter().skip(first).take_while(|entry| {
            let has = wanted.has(entry.seq);
            wanted.took(entry);
            has
        });
        Past { snapshot, entries: entries.cloned().collect(), length: row.journal.len() as u64 }
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
            // Its turn may have come meanwhile.
            let is_due = !row.first.is_empty() && row.summary.queue.is_none();
            row.wake = if is_due { Wake { at: Some(0), alive: None } } else { release.wake };
        }
    }

    pub(super) fn newer(&self, held: Vec<Held>) -> Vec<Held> {
        let newest = |held: Held| Some(Held { generation: self.runs.get(&held.key)?.generation, ..held });
        held.into_iter().filter_map(|held| newest(held).filter(|newest| newest.generation > held.generation)).collect()
    }

    pub(super) fn owned(&self, host: HostId) -> Vec<String> {
        self.runs.values().filter(|row| row.owner == Some(host)).map(|row| row.summary.run.clone()).collect()
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let commanded: BTreeSet<RunKey> = self.commands.values().filter(|command| command.is_open()).map(|command| command.run).collect();
        let place = |(key, row): (&RunKey, &Row)| Place {
            key: *key,
            run: row.summary.run.clone(),
            workflow: row.summary.workflow.clone(),
            owner: row.owner,
            wake: row.wake,
            queues: row.summary.queue.is_some(),
            commanded: commanded.contains(key),
            length: row.journal.len(),
        };
        self.runs.iter().filter(|(_, row)| row.summary.status.is_running()).map(place).collect()
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
    pub(super) fn over(&self, workflow: &str, after: Option<Finished>, limit: usize) -> Vec<Finished> {
        let newest = self.by_handler.keys().filter_map(|handler| self.newest(handler)).filter(|run| run.workflow == workflow);
        let over = |run: &RunSummary| Some(Finished { at: run.completed_at?, run: run.key, bytes: self.size(&run.handler) });
        let mut over: Vec<Finished> = newest.filter_map(over).collect();
        over.sort_by_key(|it| std::cmp::Reverse((it.at, it.run)));
        over.into_iter().filter(|it| after.is_none_or(|after| (it.at, it.run) < (after.at, after.run))).take(limit).collect()
    }

    /// What the runs of a handler hold.
    fn size(&self, handler: &str) -> u64 {
        let of_run = |run: &RunKey| {
            let row = self.runs.get(run)?;
            let entries: usize = row.journal.iter().map(|it| it.bytes.len()).sum();
            let frames: usize = row.frames.iter().map(|it| it.json.len()).sum();
            Some((entries + frames) as u64)
        };
        self.by_handler.get(handler).into_iter().flatten().filter_map(of_run).sum()
    }

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
