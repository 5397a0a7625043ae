//! The guest's side of a script: it numbers its calls and buffers its effects, as a real one does.
//!
//! ```text
//! #0 CALL; CALL; …            invocation 0 reports; `#0.1` names an attempt that is not its last
//! send Item {} to work        set path 1        delete path       get path       log
//! begin path                  edit path 2       keep name 1       look name      commit
//! publish Stream {}           sleep 1.5         collect Item {} into A B id mine
//! wait Answer id mine where {} timeout 5 ask Ask {}
//! return Done {}, Done {}     fail ValueError "boom" for-good after 3 forget
//! ```

use std::collections::BTreeMap;

use wf_engine::effect::{Effect, Invoke};
use wf_engine::entry::{Buffered, Call, Commit, Failure, Function, Input, InvocationId, Micros, Usage, Wait};
use wf_engine::run::Run;

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
        let mut calls = Vec::new();
        for part in line.split(';').map(str::trim) {
            let mut words = Words::of(part);
            if words.eat("fail") {
                return Input::StepFailed { invocation: id, attempt, failure: failure(&mut words), usage: Usage::default() };
            }
            if words.eat("return") {
                let mut events = Vec::new();
                while !words.is_empty() {
                    events.push(words.event());
                }
                return Input::StepReturned { invocation: id, attempt, calls, commit: self.commit(), events, usage: Usage::default() };
            }
            let ordinal = self.next;
            self.next += 1;
            calls.push(Call { ordinal, at, function: self.call(&mut words, ordinal, run) });
        }
        let publishes = matches!(calls.last().map(|call| &call.function), Some(Function::Publish { .. }));
        let commit = (!publishes).then(|| self.commit());
        Input::StepProgressed { invocation: id, attempt, calls, commit }
    }

    fn commit(&self) -> Commit {
        Commit { effects: self.own() }
    }

    fn own(&self) -> Vec<Buffered> {
        self.buffered.iter().map(|(_, effect)| effect.clone()).collect()
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
            "delete" => {
                let path = words.word().to_owned();
                self.buffered.push((ordinal, Buffered::Delete { path: path.clone() }));
                Function::Delete { path }
            }
            "get" => {
                let path = words.word().to_owned();
                let answer = run.read(&path, &self.own()).expect("a sound path");
                Function::Get { path, answer }
            }
            "begin" => {
                let path = words.word().to_owned();
                let answer = run.edit_begin(&path, &self.own()).expect("a sound path");
                self.versions.insert(path.clone(), answer.0);
                Function::EditBegin { path, answer }
            }
            "edit" => {
                let path = words.word().to_owned();
                Function::EditCommit { version: self.versions[&path], path, value: words.json(), answer: None }
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
        "look" => Function::LookUp { name: words.word().to_owned(), answer: None },
        "collect" => {
            let event = words.event();
            assert!(words.eat("into"), "`into` is missing");
            let expected = words.names(&["id"]);
            let id = words.eat("id").then(|| words.word().to_owned());
            Function::Collect { id, expected, event, answer: None }
        }
        "wait" => Function::Wait(wait(words)),
        other => panic!("`{other}` is no call"),
    }
}

fn wait(words: &mut Words) -> Wait {
    let name = words.word().to_owned();
    let id = words.eat("id").then(|| words.word().to_owned());
    let requirements = if words.eat("where") { serde_json::from_value(words.value()).expect("an object") } else { BTreeMap::new() };
    let timeout = words.number_after("timeout");
    let request = words.eat("ask").then(|| words.event());
    Wait { name, id, requirements, timeout, request, answer: None }
}

fn failure(words: &mut Words) -> Failure {
    let kind = words.word().to_owned();
    let message = words.value().as_str().expect("a text").to_owned();
    let retryable = !words.eat("for-good");
    let retry_after = words.number_after("after");
    Failure { kind, message, retryable, retry_after, keep_answers: !words.eat("forget"), trace: None }
}
