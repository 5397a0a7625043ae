//! What grows, counted: a time would tell more of the machine than of the engine.

use wf_engine::attempt::{Attempt, Limits, Next, Request};
use wf_engine::effect::{Effect, Invoke};
use wf_engine::entry::{Call, Event, Input, Usage};
use wf_engine::run::Run;
use wf_engine::snapshot;

use super::played;

/// Applies the next entry: the bytes of its input in the journal, and the effects.
fn apply(run: &mut Run, input: Input) -> (usize, Vec<Effect>) {
    let bytes = serde_json::to_vec(&input).expect("JSON").len();
    let entry = run.entry(0, 0, input);
    (bytes, run.apply(&entry))
}

/// What a step reports that waits once more, after as many waits as its log has.
fn waits_again(invoke: Invoke) -> Vec<Call> {
    let limits = Limits { payload_max: 100, value_max: 100, state_max: 100, events_max: 1, buffered_max: 1_000, calls_max: u32::MAX };
    let request = || Request::Wait { options: r#"{"type":"Answer","requirements":{"n":1}}"#.into() };
    let before = invoke.log.len();
    let mut attempt = Attempt::new(invoke, limits);
    for _ in 0..before {
        assert!(matches!(attempt.call(request(), 0), Next::Answer(Ok(_))), "it is answered from the log");
    }
    let Next::Progress { calls, .. } = attempt.call(request(), 0) else { panic!("it waits") };
    calls
}

#[test]
fn five_thousand_waits_of_one_attempt_are_journaled_in_the_same_bytes_each() {
    const COUNT: u32 = 5_000;
    let mut run = played("additional Answer\n step work: StartEvent -> StopEvent\n start").run;
    let (_, mut effects) = apply(&mut run, Input::Resumed { planned: true, on_thread: None });
    let (mut calls, mut first, mut sizes) = (Vec::new(), None, Vec::new());
    for ordinal in 0..COUNT {
        let invoke = effects.drain(..).find_map(|effect| if let Effect::Invoke(invoke) = effect { Some(*invoke) } else { None });
        let invoke = invoke.expect("an answer enters the step again");
        // The guest itself is asked now and then, because each of its entries goes through all its waits.
        if [0, 1, 10, 100, 1_000, COUNT - 1].contains(&ordinal) {
            sizes.push(snapshot::take(&run).len());
            calls = waits_again(invoke);
        }
        calls.iter_mut().for_each(|call| call.ordinal = ordinal);
        let report = Input::StepProgressed { invocation: 0, attempt: 0, calls: calls.clone(), commit: None, usage: Usage::default() };
        let (reported, _) = apply(&mut run, report);
        let event = Event { name: "Answer".into(), payload: serde_json::from_str(r#"{"n":1}"#).expect("JSON") };
        let (_, answered) = apply(&mut run, Input::EventReceived { id: String::new(), event, step: None, invocation: None });
        let first = first.get_or_insert((reported, answered.len()));
        let digits = ordinal.to_string().len() - 1;
        assert_eq!((reported - digits, answered.len()), *first, "wait {ordinal}");
        effects = answered;
    }
    let last = sizes.len() - 1;
    assert!(sizes[last] < 6 * sizes[last - 1], "five times as many waits are five times as much to put away: {sizes:?}");
}
