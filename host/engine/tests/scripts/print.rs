//! Effects as the expectations of the scripts show them. Times are in seconds.

use std::fmt::Write;

use serde_json::Value;
use wf_engine::effect::{Due, Effect, Frame, Invoke, Outcome};
use wf_engine::entry::{Batch, Call, Chunk, Event, Function, Micros, Response, Told, WaitAnswer};

/// The line of an effect; none for a frame that is not to be shown.
pub fn effect(effect: &Effect, shows_steps: bool) -> Option<String> {
    let line = match effect {
        Effect::Invoke(it) => invoke(it),
        Effect::Answer { invocation, attempt, call: it } => format!("answer #{invocation}.{attempt} {}", call(it)),
        Effect::Abort { invocation, attempt } => format!("abort #{invocation}.{attempt}"),
        Effect::SetTimer { timer, due: Due::At(at) } => format!("timer {timer} at {}", seconds(*at)),
        Effect::SetTimer { timer, due: Due::Alive(at) } => format!("timer {timer} alive at {}", seconds(*at)),
        Effect::ClearTimer { timer } => format!("clear timer {timer}"),
        Effect::Publish(it) if &*it.event.name == "StepStateChanged" && !shows_steps => return None,
        Effect::Publish(it) => frame(it),
        Effect::End(Outcome::Completed(it)) => format!("completed with {}", event(it)),
        Effect::End(Outcome::Failed(message)) => format!("failed: {message}"),
        Effect::End(Outcome::Cancelled) => "cancelled".to_owned(),
    };
    Some(line)
}

fn invoke(invoke: &Invoke) -> String {
    let events: Vec<String> = invoke.events.iter().map(event).collect();
    let mut line = format!("invoke #{}.{} {}({})", invoke.invocation, invoke.attempt, invoke.step, events.join(", "));
    if !invoke.log.is_empty() {
        let log: Vec<String> = invoke.log.iter().map(call).collect();
        let _ = write!(line, " from {}, committed {}, log: {}", seconds(invoke.started_at), invoke.committed, log.join("; "));
    }
    if let Some(last) = &invoke.retry.last_failure {
        let _ = write!(line, ", {} failed in {}, last {}", invoke.retry.failures, seconds(invoke.retry.elapsed), last.kind);
        if let Some(at) = invoke.retry.failed_at {
            let _ = write!(line, " at {}", seconds(at));
        }
    }
    if !invoke.memos.is_empty() {
        let memos: Vec<String> = invoke.memos.iter().map(|(name, value)| format!("{name}={}", value.get())).collect();
        let _ = write!(line, ", memos: {}", memos.join(" "));
    }
    if let Some(left) = invoke.time_left {
        let _ = write!(line, ", {} left", seconds(left));
    }
    line
}

/// A frame; those that the fold makes of a step's state are shortened.
fn frame(frame: &Frame) -> String {
    let Frame { sequence, event: it } = frame;
    let payload: Value = serde_json::from_str(it.payload.get()).expect("JSON");
    let field = |name: &str| payload[name].as_str().unwrap_or("-").to_owned();
    match &*it.name {
        "StepStateChanged" => {
            let [step, state, slot, input, output] =
                ["name", "step_state", "worker_id", "input_event_name", "output_event_name"].map(field);
            format!("frame {sequence}: {step} {state} [{slot}] {input} -> {output}")
        }
        _ => format!("frame {sequence}: {}", event(it)),
    }
}

fn event(event: &Event) -> String {
    match event.payload.get() {
        "{}" => event.name.to_string(),
        payload => format!("{} {payload}", event.name),
    }
}

fn call(call: &Call) -> String {
    let answer = match &call.function {
        Function::Wait(wait) => match &wait.answer {
            Some(WaitAnswer::Event(it)) => event(it),
            Some(WaitAnswer::TimedOut) => "timed out".to_owned(),
            None => "?".to_owned(),
        },
        Function::Collect { answer: None, .. } => "?".to_owned(),
        Function::Collect { answer: Some(Batch::Incomplete), .. } => "not yet".to_owned(),
        Function::Collect { answer: Some(Batch::Complete(batch)), .. } => batch.iter().map(event).collect::<Vec<_>>().join(", "),
        Function::EditBegin { version, answer, .. } => format!("{} in version {version}", told(answer)),
        Function::EditExclusive { answer, .. } => {
            answer.as_ref().map_or("?".to_owned(), |(version, it)| format!("{} in version {version}", told(it)))
        }
        Function::Request { answer: Response::Head(head), .. } => head.to_string(),
        Function::Read { answer: Chunk::Data(data), .. } => data.clone(),
        Function::Variables { values } => format!("{values:?}"),
        Function::EditCommit { answer, .. } => answer.map_or("?", |done| if done { "done" } else { "conflict" }).to_owned(),
        Function::Sleep { answer, .. } => if *answer { "over" } else { "?" }.to_owned(),
        Function::Get { answer, .. } => told(answer),
        _ => String::new(),
    };
    let identity = call.function.identity();
    let answer = if answer.is_empty() { answer } else { format!(" = {answer}") };
    format!("{identity}{answer} @{}", seconds(call.at))
}

fn told(answer: &Told) -> String {
    match answer {
        Told::Nothing => "nothing".to_owned(),
        Told::Value(value) => value.to_string(),
        Told::Same(ordinal) => format!("that of {ordinal}"),
        Told::Before(seq) => format!("that before {seq}"),
    }
}

fn seconds(micros: Micros) -> String {
    format!("{}s", micros as f64 / 1e6)
}
