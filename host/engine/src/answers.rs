//! What a guest saw: the calls of an attempt with their answers, told again from the journal.

use std::collections::BTreeMap;

use crate::effect::Log;
use crate::entry::{Call, Entry, Function, Input, InvocationId, Told};
use crate::journal::{self, Misfit};
use crate::run::Run;

/// The calls of an attempt, in order, each as the guest saw it answered; without the answer of one
/// that it still waits in. Empty where there is no such attempt. `begin`: the run before its first entry.
pub fn answers(begin: impl Fn() -> Run, entries: &[Entry], invocation: InvocationId, attempt: u32) -> Result<Vec<Call>, Misfit> {
    let mut attempts = [recorded(begin(), entries, invocation, attempt)?];
    tell_again(begin, entries, &mut attempts)?;
    let [calls] = attempts;
    Ok(calls)
}

/// Fills in what the calls of some attempts were told that their entries do not say.
pub(crate) fn tell_again(begin: impl Fn() -> Run, entries: &[Entry], attempts: &mut [Vec<Call>]) -> Result<(), Misfit> {
    let mut before: BTreeMap<u64, Vec<(usize, usize)>> = BTreeMap::new();
    for (attempt, calls) in attempts.iter().enumerate() {
        for (place, call) in calls.iter().enumerate() {
            if let Some(Told::Before(seq)) = call.function.told() {
                before.entry(*seq).or_default().push((attempt, place));
            }
        }
    }
    let mut run = begin();
    for entry in entries {
        if before.is_empty() {
            break;
        }
        for (attempt, place) in before.remove(&entry.seq).into_iter().flatten() {
            if let Some((path, answer)) = attempts[attempt][place].function.read() {
                *answer = run.told(path);
            }
        }
        journal::accept(&mut run, entry)?;
    }
    for calls in attempts {
        for place in 0..calls.len() {
            if let Some(Told::Same(ordinal)) = calls[place].function.told() {
                let same = calls.get(*ordinal as usize).and_then(|call| call.function.value()).cloned();
                tell(&mut calls[place].function, same.map_or(Told::Nothing, Told::Value));
            }
        }
    }
    Ok(())
}

/// As the journal has them: those of the step log, and those of the last report, also where the
/// fold refused it.
fn recorded(mut run: Run, entries: &[Entry], invocation: InvocationId, attempt: u32) -> Result<Vec<Call>, Misfit> {
    let mut log: Option<Log> = None;
    for entry in entries {
        journal::accept(&mut run, entry)?;
        match (run.log(invocation, attempt), log) {
            (None, Some(log)) => {
                let last = last_calls(&entry.input, invocation, attempt).iter().cloned();
                return Ok(log.iter().cloned().chain(last).collect());
            }
            (now, _) => log = now.cloned(),
        }
    }
    Ok(log.iter().flatten().cloned().collect())
}

fn last_calls(input: &Input, invocation: InvocationId, attempt: u32) -> &[Call] {
    match input {
        Input::StepProgressed { invocation: id, attempt: nth, calls, .. }
        | Input::StepReturned { invocation: id, attempt: nth, calls, .. }
        | Input::StepFailed { invocation: id, attempt: nth, calls, .. }
            if (*id, *nth) == (invocation, attempt) =>
        {
            calls
        }
        _ => &[],
    }
}

/// Fills in what a read gave.
fn tell(function: &mut Function, told: Told) {
    if let Function::Get { answer, .. } | Function::EditBegin { answer, .. } | Function::LookUp { answer, .. } = function {
        *answer = told;
    }
}
