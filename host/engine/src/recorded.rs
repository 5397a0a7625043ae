//! What attempts did that have ended, for whoever runs them again: what each was given, what it called and was
//! answered, and how it ended; and whether another run of it does the same.

use std::collections::BTreeMap;

use crate::answers::tell_again;
use crate::attempt::{Request, RunInfo};
use crate::effect::{Effect, Frame, Invoke};
use crate::entry::{Buffered, Call, Entry, Event, Failure, Function, Input, InvocationId, Micros, Started};
use crate::journal::{self, Misfit};
use crate::json::{Json, canonical};
use crate::run::Run;
use crate::text::shown;

/// An attempt that has ended with a report of its own.
#[derive(Debug)]
pub struct Recorded {
    /// With what it was entered first. Its log has all calls, as the guest saw them answered.
    pub invoke: Invoke,
    /// The run that it worked for.
    pub info: RunInfo,
    /// What its calls have buffered, by ordinal; not what a failed attempt had not committed.
    effects: BTreeMap<u32, Buffered>,
    /// The frames of what it has published, by ordinal.
    published: BTreeMap<u32, u64>,
    /// With what its waits have asked, by ordinal: the log of a run does not keep it.
    asked: BTreeMap<u32, Option<Event>>,
    /// What it returned, or why it failed.
    pub end: Result<Vec<Event>, Failure>,
}

/// Where another run of an attempt first does another thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In which call; none: in how it ends.
    pub call: Option<u32>,
    /// What was recorded.
    pub then: String,
    /// What it is now.
    pub now: String,
}

/// What an attempt has done so far that has not ended.
struct Open {
    invoke: Invoke,
    info: RunInfo,
    /// What was committed, with the ordinal of the call that did so.
    commits: Vec<(u32, Vec<Buffered>)>,
    published: BTreeMap<u32, u64>,
    asked: BTreeMap<u32, Option<Event>>,
}

/// The attempts that have ended with a report of their own, in the order of their ends. `begin`: the run before its
/// first entry, which knows what its forks go on with.
pub fn recorded(begin: impl Fn() -> Run, entries: &[Entry]) -> Result<Vec<Recorded>, Misfit> {
    let mut run = begin();
    let mut open: BTreeMap<(InvocationId, u32), Open> = BTreeMap::new();
    let (mut ended, mut calls) = (Vec::new(), Vec::new());
    for entry in entries {
        let mut last = None;
        if let Input::StepReturned { invocation, attempt, calls, .. } | Input::StepFailed { invocation, attempt, calls, .. } = &entry.input
            && let Some(log) = run.log(*invocation, *attempt)
            && let Some(open) = open.remove(&(*invocation, *attempt))
        {
            last = Some((open, log.iter().chain(calls).cloned().collect::<Vec<Call>>()));
        }
        let effects = journal::accept(&mut run, entry)?;
        if let Some((open, made)) = last {
            ended.push(open.ended(&entry.input, &made));
            calls.push(made);
        }
        if let Input::StepProgressed { invocation, attempt, calls, commit, .. } = &entry.input
            && let Some(open) = open.get_mut(&(*invocation, *attempt))
            && let Some(call) = calls.last()
        {
            open.commits.extend(commit.as_ref().map(|commit| (call.ordinal, commit.effects.clone())));
            open.published.extend(frame_of(call, &effects));
            if let Function::Wait(wait) = &call.function {
                open.asked.insert(call.ordinal, wait.request.clone());
            }
        }
        let Some(started) = run.started() else { continue };
        for effect in effects {
            if let Effect::Invoke(invoke) = effect {
                let key = (invoke.invocation, invoke.attempt);
                // It may be entered again, and is still the same.
                open.entry(key).or_insert_with(|| Open::new(*invoke, started));
            }
        }
    }
    tell_again(begin, entries, &mut calls)?;
    for (recorded, calls) in ended.iter_mut().zip(calls) {
        recorded.invoke.committed = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        recorded.invoke.log = calls.into_iter().collect();
    }
    Ok(ended)
}

/// The frame of what was just published.
fn frame_of(call: &Call, effects: &[Effect]) -> Option<(u32, u64)> {
    let Function::Publish { event } = &call.function else { return None };
    let frame = effects.iter().find_map(|effect| match effect {
        Effect::Publish(Frame { sequence, event: published }) if published.name == event.name => Some(*sequence),
        _ => None,
    });
    Some((call.ordinal, frame?))
}

impl Open {
    fn new(invoke: Invoke, started: &Started) -> Open {
        let Started { run, handler, workflow, .. } = started;
        let info = RunInfo { run: run.clone(), handler: handler.clone(), workflow: workflow.clone(), seed: started.seed_bytes() };
        Open { invoke, info, commits: Vec::new(), published: BTreeMap::new(), asked: BTreeMap::new() }
    }

    fn ended(self, input: &Input, calls: &[Call]) -> Recorded {
        let Open { invoke, info, commits, published, asked } = self;
        // An edit that conflicts commits nothing: what was buffered comes again with the next commit.
        let conflicts = |ordinal: u32| {
            let function = calls.get(ordinal as usize).map(|call| &call.function);
            matches!(function, Some(Function::EditCommit { answer: Some(false), .. }))
        };
        let committed = commits.into_iter().filter(|(ordinal, _)| !conflicts(*ordinal)).flat_map(|(_, effects)| effects);
        let (last, end) = match input {
            Input::StepReturned { commit, events, .. } => (commit.effects.clone(), Ok(events.clone())),
            Input::StepFailed { failure, .. } => (Vec::new(), Err(failure.clone())),
            _ => unreachable!("cannot happen: no other input ends an attempt"),
        };
        let buffers = |call: &&Call| {
            matches!(call.function, Function::Send { .. } | Function::Set { .. } | Function::Push { .. } | Function::Delete { .. })
        };
        let ordinals = calls.iter().filter(buffers).map(|call| call.ordinal);
        Recorded { invoke, info, effects: ordinals.zip(committed.chain(last)).collect(), published, asked, end }
    }
}

impl Recorded {
    /// How many calls it made.
    pub fn calls(&self) -> u32 {
        self.invoke.committed
    }

    /// The frame of what a call has published.
    pub fn frame(&self, ordinal: u32) -> Option<u64> {
        self.published.get(&ordinal).copied()
    }

    /// Where another run of it differs in a call. What was published is for the caller to compare: it is in the stream.
    pub fn differs(&self, ordinal: u32, request: Request) -> Option<Difference> {
        let difference = |then: String, now: String| Some(Difference { call: Some(ordinal), then, now });
        let Some(call) = self.invoke.log.get(ordinal as usize) else {
            return difference("its end".to_owned(), request.name());
        };
        if !request.is(&call.function) {
            return difference(call.function.identity(), request.name());
        }
        if matches!(call.function, Function::Refused { .. }) {
            return None;
        }
        let name = request.name();
        let (now, effect) = match request.whole() {
            Ok(whole) => whole,
            Err(refused) => return difference(call.function.identity(), refused.message),
        };
        let pair = match (&call.function, &now) {
            (Function::Wait(then), Function::Wait(now)) => {
                let asked = self.asked.get(&ordinal).and_then(Option::as_ref);
                (of_wait(asked, then.timeout), of_wait(now.request.as_ref(), now.timeout))
            }
            (Function::Collect { event: then, .. }, Function::Collect { event: now, .. }) => (of_event(then), of_event(now)),
            (Function::EditCommit { value: then, .. }, Function::EditCommit { value: now, .. })
            | (Function::Keep { value: then, .. }, Function::Keep { value: now, .. }) => (canonical(then), canonical(now)),
            (Function::Sleep { duration: then, .. }, Function::Sleep { duration: now, .. }) => (seconds(*then), seconds(*now)),
            _ => match (self.effects.get(&ordinal), &effect) {
                (Some(then), Some(now)) => (of_effect(then), of_effect(now)),
                _ => return None,
            },
        };
        let (then, now) = pair;
        if then == now { None } else { difference(format!("{name} {}", shown(&then)), format!("{name} {}", shown(&now))) }
    }

    /// Where another run of it ends otherwise.
    pub fn ends(&self, calls: u32, end: &Result<Vec<Event>, Failure>) -> Option<Difference> {
        if let Some(call) = self.invoke.log.get(calls as usize) {
            return Some(Difference { call: Some(calls), then: call.function.identity(), now: of_end(end) });
        }
        let (then, now) = (of_end(&self.end), of_end(end));
        (then != now).then(|| Difference { call: None, then: shown(&then), now: shown(&now) })
    }
}

fn of_event(event: &Event) -> String {
    format!("{} {}", event.name, canonical(&event.payload))
}

fn of_wait(request: Option<&Event>, timeout: Option<f64>) -> String {
    let request = request.map_or_else(|| "nothing".to_owned(), of_event);
    format!("asking {request}{}", timeout.map(|seconds| format!(", for {seconds} s")).unwrap_or_default())
}

fn of_effect(effect: &Buffered) -> String {
    let value = |value: &Json| canonical(value);
    match effect {
        Buffered::Send { event, .. } => value(&event.payload),
        Buffered::Set { value: it, .. } | Buffered::Push { value: it, .. } => value(it),
        Buffered::Delete { .. } | Buffered::NoList => String::new(),
    }
}

fn of_end(end: &Result<Vec<Event>, Failure>) -> String {
    match end {
        Ok(events) if events.is_empty() => "it returned nothing".to_owned(),
        Ok(events) => format!("it returned {}", events.iter().map(of_event).collect::<Vec<_>>().join(", ")),
        Err(failure) => format!("it failed with {}: {}", failure.kind, failure.message),
    }
}

fn seconds(duration: Micros) -> String {
    format!("{} s", duration as f64 / 1e6)
}
