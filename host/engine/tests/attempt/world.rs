//! A run of one attempt: its state, and the step log as the fold would keep it. What is reported goes through JSON.

use std::sync::Arc;

use wf_engine::attempt::{Attempt, Limits, Next, Outside, Request};
use wf_engine::definition::Definition;
use wf_engine::effect::{Invoke, Log, Memos, RetryInfo};
use wf_engine::entry::{Call, Chunk, Commit, Event, Function, Input, Part, Response, Told, WaitAnswer};
use wf_engine::json::Json;
use wf_engine::state::{Overlay, State};

pub struct World {
    pub limits: Limits,
    pub state: State,
    pub log: Log,
    pub committed: u32,
    pub memos: Memos,
    /// Of the entry that comes next.
    pub seq: u64,
    /// The effects that were committed last, as JSON.
    pub commit: String,
    /// How many reports there were.
    pub reports: usize,
}

/// Limits that nothing reaches.
pub fn wide() -> Limits {
    Limits {
        payload_max: 4 << 20,
        value_max: 4 << 20,
        state_max: 16 << 20,
        events_max: 10_000,
        buffered_max: usize::MAX,
        calls_max: 1_000_000,
    }
}

pub fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

pub fn invoke(log: Log, committed: u32) -> Invoke {
    Invoke {
        invocation: 7,
        attempt: 0,
        step: "work".into(),
        component: 0,
        events: [].into(),
        started_at: 100,
        log,
        committed,
        memos: Memos::new_sync(),
        retry: RetryInfo::default(),
        definition: definition(),
        time_left: None,
        lost: false,
    }
}

/// Two steps: `work` takes `StartEvent`, and `next` takes `A`.
fn definition() -> Arc<Definition> {
    let manifest = r#"{"name":"w","event_types":[{"name":"A","kind":"plain"}],"steps":[
        {"name":"work","accepts":["StartEvent"],"emits":["A"]},{"name":"next","accepts":["A"],"emits":["StopEvent"]}]}"#;
    Arc::new(Definition::new(vec![(Part { component: "c".into(), data: None }, serde_json::from_str(manifest).expect("a manifest"))]))
}

impl World {
    pub fn new(state: &str) -> World {
        let state = State::new(&json(state));
        World {
            limits: wide(),
            state,
            log: Log::new_sync(),
            committed: 0,
            memos: Memos::new_sync(),
            seq: 1,
            commit: String::new(),
            reports: 0,
        }
    }

    /// Enters the attempt.
    pub fn enter(&self) -> Attempt {
        let invoke = Invoke { memos: self.memos.clone(), ..invoke(self.log.clone(), self.committed) };
        Attempt::new(invoke, self.limits.clone())
    }

    /// Carries out a call, up to its answer; a report of a call that suspends is the last of its entry.
    pub fn call(&mut self, attempt: &mut Attempt, request: Request) -> Next {
        let mut next = attempt.call(request, 0);
        loop {
            next = match next {
                Next::Read { query, mut own } => attempt.read(query.answer(&self.state, self.seq, &mut own), own),
                Next::Progress { calls, commit } => match self.report(calls, commit) {
                    call if call.function.suspends() => return Next::Progress { calls: vec![call], commit: None },
                    call => attempt.answered(call),
                },
                Next::Perform(Outside::Request { .. }) => attempt.performed(Response::Head(json(r#"{"status":200}"#))),
                Next::Perform(Outside::Read { .. }) => attempt.received(Chunk::Data("aGk=".into())),
                last => return last,
            };
        }
    }

    /// What a guest is given, as text.
    pub fn told(&mut self, attempt: &mut Attempt, request: Request) -> String {
        match self.call(attempt, request) {
            Next::Answer(Ok(answer)) => format!("{answer:?}"),
            Next::Answer(Err(failure)) => format!("{}: {}", failure.kind, failure.message),
            Next::Progress { .. } => "suspended".to_owned(),
            next => format!("{next:?}"),
        }
    }

    /// Takes a report as the fold does. The last call, answered.
    pub fn report(&mut self, calls: Vec<Call>, commit: Option<Commit>) -> Call {
        let input = Input::StepProgressed { invocation: 7, attempt: 0, calls, commit, usage: Default::default() };
        let text = serde_json::to_string(&input).expect("JSON");
        let Ok(Input::StepProgressed { calls, commit, .. }) = serde_json::from_str(&text) else { panic!("it cannot be read: {text}") };
        self.reports += 1;
        self.commit = serde_json::to_string(&commit).expect("JSON");
        calls.into_iter().for_each(|call| self.log.push_back_mut(call));
        let mut last = self.log.last().cloned().expect("a report has calls");
        last.at += 1;
        let commits = self.answer(&mut last.function);
        self.log.set_mut(self.log.len() - 1, last.clone());
        if let Some(commit) = commit.filter(|_| commits) {
            self.state.commit(&commit.effects, (7, 0), self.seq);
            self.committed = self.log.len() as u32;
        }
        self.seq += 1;
        last
    }

    /// Fills in what the fold answers; whether it commits.
    fn answer(&mut self, function: &mut Function) -> bool {
        match function {
            Function::Wait(wait) => {
                wait.answer = Some(WaitAnswer::Event(Event { name: wait.types[0].as_str().into(), payload: json("{}") }))
            }
            Function::Sleep { answer, .. } => *answer = true,
            Function::Collect { answer, .. } => *answer = Some(wf_engine::entry::Batch::Incomplete),
            Function::Keep { name, value } => self.memos.insert_mut(name.clone(), value.clone()),
            Function::EditExclusive { path, answer } => {
                let value = self.state.read(path, &mut Overlay::default()).expect("a path").value;
                *answer = Some((self.state.version(), value.map_or(Told::Nothing, Told::Value)));
            }
            Function::EditCommit { path, version, answer, .. } => *answer = Some(!self.state.conflicts(path, *version, (7, 0))),
            _ => (),
        }
        !matches!(function, Function::EditCommit { answer: Some(false), .. })
    }

    /// Another attempt sets a path.
    pub fn interfere(&mut self, path: &str, value: &str) {
        let set = wf_engine::entry::Buffered::Set { path: path.into(), value: json(value) };
        self.state.commit(&[set], (8, 0), self.seq);
        self.seq += 1;
    }
}
