//! The guest's side of a script: it numbers its calls and buffers its effects, as a real one does.
//!
//! ```text
//! #0 CALL; CALL; …            invocation 0 reports; `#0.1` names an attempt that is not its last
//! send Item {} to work        set path 1        push path 1       delete path    get path [same 0|before [3]]
//! begin path [before]         edit path 2       exclusive path    keep name 1    look name [1|same 0]
//! publish Stream {}           sleep 1.5         log               commit
//! collect Item {} into A 2 B id mine            a type may be followed by how many of it
//! wait Answer Other id mine subtypes fresh where {} timeout 5 ask Ask {}
//! refuse "set a..b"           a call that the border refused
//! request GET https://x 200   read 3 aGk=       read 3 end       variables {"A":"1"}
//! return Done {}, Done {}     fail ValueError "boom" for-good after 3 forget
//! used 1 0.25 4096            no call: the report says that its entry began at 1 s, computed 0.25 s, and had 4096 bytes
//! ```

use std::collections::BTreeMap;

use wf_engine::attempt::{Query, ReadAnswer};
use wf_engine::effect::{Effect, Invoke};
use wf_engine::entry::{Buffered, Call, Chunk, Commit, Failure, Function, Input, InvocationId, Micros, Response, Told, Usage, Wait};
use wf_engine::run::Run;
use wf_engine::state::Overlay;

use super::words::Words;

/// One instance.
#[derive(Default)]
pub struct Guest {
    attempt: u32,
    /// The ordinal of its next call.
    next: u32,
    /// What it has buffered, by the ordinals of the calls.
    buffered: Vec<(u32, Buffered)>,
    /// Versions of the edits that it began.
    versions: BTreeMap<String, u64>,
}

impl Guest {
    /// Takes notice of what the fold wants.
    pub fn hear(guests: &mut BTreeMap<InvocationId, Guest>, effect: &Effect) {
        match effect {
            Effect::Invoke(invoke) => guests.entry(invoke.invocation).or_default().enter(invoke),
            Effect::Answer { invocation, call, .. } => guests.entry(*invocation).or_default().answered(call),
            _ => (),
        }
    }

    fn enter(&mut self, invoke: &Invoke) {
        if self.attempt != invoke.attempt {
            *self = Guest { attempt: invoke.attempt, ..Guest::default() };
        }
        self.next = invoke.log.len() as u32;
        self.buffered.retain(|(ordinal, _)| (invoke.committed..self.next).contains(ordinal));
    }

    fn answered(&mut self, call: &Call) {
        let conflict = matches!(call.function, Function::EditCommit { answer: Some(false), .. });
        if call.function.is_commit_point() && !conflict {
            self.buffered.clear();
        }
    }

    /// The report of a line of calls.
    pub fn report(&mut self, id: InvocationId, attempt: Option<u32>, line: &str, at: Micros, run: &Run) -> Input {
        let attempt = attempt.unwrap_or(self.attempt);
        let (mut calls, mut usage) = (Vec::new(), Usage::default());
        for part in line.split(';').map(str::trim) {
            let mut words = Words::of(part);
            if words.eat("used") {
                usage = used(&mut words);
                continue;
            }
            if words.eat("no-list") {
                self.buffered.push((self.next, Buffered::NoList));
                continue;
            }
            if words.eat("fail") {
                return Input::StepFailed { invocation: id, attempt, calls, failure: failure(&mut words), usage };
            }
            if words.eat("return") {
                let mut events = Vec::new();
                while !words.is_empty() {
                    events.push(words.event());
                }
                return Input::StepReturned { invocation: id, attempt, calls, commit: self.commit(), events, usage };
            }
            let ordinal = self.next;
            self.next += 1;
            calls.push(Call { ordinal, at, function: self.call(&mut words, ordinal, run) });
        }
        let only_recorded =
            |call: &Call| matches!(call.function, Function::Publish { .. } | Function::Request { .. } | Function::Read { .. });
        let commit = (!calls.last().is_some_and(only_recorded)).then(|| self.commit());
        Input::StepProgressed { invocation: id, attempt, calls, commit, usage }
    }

    fn commit(&self) -> Commit {
        Commit { effects: self.own() }
    }

    fn own(&self) -> Vec<Buffered> {
        self.buffered.iter().map(|(_, effect)| effect.clone()).collect()
    }

    /// What the run says of a path, as this guest sees it.
    fn ask(&self, query: &Query, run: &Run) -> (u64, Told) {
        let mut overlay = Overlay::default();
        self.own().into_iter().for_each(|effect| overlay.add(effect));
        match run.query(query, &mut overlay).expect("a sound path") {
            ReadAnswer::Value { value, .. } => (0, value.map_or(Told::Nothing, Told::Value)),
            ReadAnswer::Edit { version, value, .. } => (version, value.map_or(Told::Nothing, Told::Value)),
            other => panic!("{other:?}"),
        }
    }

    fn call(&mut self, words: &mut Words, ordinal: u32, run: &Run) -> Function {
        match words.word() {
            "send" => {
                let (event, step) = (words.event(), words.eat("to").then(|| words.word().to_owned()));
                self.buffered.push((ordinal, Buffered::Send { event: event.clone(), step: step.clone() }));
                Function::Send { step, name: event.name }
            }
            "set" => {
                let path = words.word().to_owned();
                self.buffered.push((ordinal, Buffered::Set { path: path.clone(), value: words.json() }));
                Function::Set { path }
            }
            "push" => {
                let path = words.word().to_owned();
                self.buffered.push((ordinal, Buffered::Push { path: path.clone(), value: words.json() }));
                Function::Push { path }
            }
            "delete" => {
                let path = words.word().to_owned();
                self.buffered.push((ordinal, Buffered::Delete { path: path.clone() }));
                Function::Delete { path }
            }
            "get" => {
                let path = words.word().to_owned();
                let answer = match words.number_after("same") {
                    Some(ordinal) => Told::Same(ordinal as u32),
                    None if words.eat("before") => Told::Before(if words.is_empty() { run.next_seq() } else { words.number() as u64 }),
                    None => self.ask(&Query::Get { path: path.clone() }, run).1,
                };
                Function::Get { path, answer }
            }
            "begin" => {
                let path = words.word().to_owned();
                let (version, answer) = self.ask(&Query::EditBegin { path: path.clone() }, run);
                self.versions.insert(path.clone(), version);
                let answer = if words.eat("before") { Told::Before(run.next_seq()) } else { answer };
                Function::EditBegin { path, version, answer }
            }
            "edit" => {
                let path = words.word().to_owned();
                Function::EditCommit {
                    version: self.versions.get(&path).copied().unwrap_or_default(),
                    path,
                    value: words.json(),
                    answer: None,
                }
            }
            other => answered_by_fold(other, words),
        }
    }
}

fn answered_by_fold(function: &str, words: &mut Words) -> Function {
    match function {
        "publish" => Function::Publish { event: words.event() },
        "log" => Function::Log,
        "commit" => Function::Commit,
        "sleep" => Function::Sleep { duration: (words.number() * 1e6) as Micros, answer: false },
        "keep" => Function::Keep { name: words.word().to_owned(), value: words.json() },
        "look" => {
            let name = words.word().to_owned();
            let same = words.number_after("same").map(|ordinal| Told::Same(ordinal as u32));
            let answer = same.unwrap_or_else(|| if words.is_empty() { Told::Nothing } else { Told::Value(words.json()) });
            Function::LookUp { name, answer }
        }
        "refuse" => Function::Refused { call: words.text(), failure: Failure::new("invalid", "the border says why", false) },
        "exclusive" => Function::EditExclusive { path: words.word().to_owned(), answer: None },
        "request" => {
            let target = format!("{} {}", words.word(), words.word());
            Function::Request { target, answer: Response::Head(words.json()) }
        }
        "read" => {
            let request = words.number() as u32;
            Function::Read { request, answer: if words.eat("end") { Chunk::End } else { Chunk::Data(words.word().to_owned()) } }
        }
        "variables" => Function::Variables { values: serde_json::from_str(words.json().get()).expect("texts") },
        "collect" => {
            let event = words.event();
            assert!(words.eat("into"), "`into` is missing");
            let expected = counted(&words.names(&["id"]));
            let id = words.eat("id").then(|| words.word().to_owned());
            Function::Collect { id, expected, event, answer: None }
        }
        "wait" => Function::Wait(Box::new(wait(words))),
        other => panic!("`{other}` is no call"),
    }
}

/// Types, each followed by how many of it are expected where that is not one.
fn counted(words: &[String]) -> Vec<(String, u32)> {
    let mut runs: Vec<(String, u32)> = Vec::new();
    for word in words {
        match (word.parse(), runs.last_mut()) {
            (Ok(count), Some(last)) => last.1 = count,
            (_, Some(last)) if last.0 == *word => last.1 += 1,
            _ => runs.push((word.clone(), 1)),
        }
    }
    runs
}

fn wait(words: &mut Words) -> Wait {
    let types = words.names(&["id", "subtypes", "fresh", "where", "timeout", "ask"]);
    let id = words.eat("id").then(|| words.word().to_owned());
    let (subtypes, fresh) = (words.eat("subtypes"), words.eat("fresh"));
    let requirements = if words.eat("where") { serde_json::from_str(words.json().get()).expect("an object") } else { BTreeMap::new() };
    let timeout = words.number_after("timeout");
    let request = words.eat("ask").then(|| words.event());
    Wait { types, subtypes, id, requirements, timeout, request, fresh, answer: None }
}

fn used(words: &mut Words) -> Usage {
    let (started_at, cpu) = (words.number() * 1e6, words.number() * 1e6);
    Usage { started_at: started_at as Micros, cpu: cpu as Micros, memory: words.number() as u64 }
}

fn failure(words: &mut Words) -> Failure {
    let kind = words.word().to_owned();
    let message = words.text();
    let retryable = !words.eat("for-good");
    let retry_after = words.number_after("after");
    Failure { kind, message, retryable, retry_after, keep_answers: !words.eat("forget"), trace: None }
}
