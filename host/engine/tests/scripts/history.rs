//! The history of a run: who stood where, and when.

use std::fmt::Write;

use expect_test::{Expect, expect};
use wf_engine::answers::answers;
use wf_engine::attempt::{Query, ReadAnswer};
use wf_engine::effect::Effect;
use wf_engine::entry::{Call, Event, Function, Input, Told, Usage};
use wf_engine::history::Ended;
use wf_engine::journal;
use wf_engine::run::Run;
use wf_engine::state::Overlay;

use super::{World, played};

#[track_caller]
fn check(script: &str, expect: Expect) {
    let world = played(script);
    let history = journal::history(Run::new(world.definition), &world.journal).expect("the journal fits");
    let mut text = String::new();
    for moment in &history.moments {
        let about = moment.event.as_deref().map(str::to_owned).or(moment.invocation.map(|it| format!("#{it}"))).unwrap_or_default();
        let _ = writeln!(text, "{} @{} {} {about}, {} frames", moment.seq, seconds(moment.at), moment.kind, moment.frames);
    }
    for it in history.deliveries.values() {
        let names: Vec<&str> = it.events.iter().map(|event| &*event.name).collect();
        let _ = writeln!(text, "#{} {}({}) by {} @{}", it.invocation, it.step, names.join(", "), it.seq, seconds(it.at));
        for span in &it.spans {
            let until = span.until.map_or("now".to_owned(), seconds);
            let slot = span.slot.map(|slot| format!(" in {slot}")).unwrap_or_default();
            let wait = span
                .wait
                .as_ref()
                .map(|wait| format!(" for {} until {:?}", wait.types.join(" "), wait.due.map(seconds)))
                .unwrap_or_default();
            let _ = writeln!(text, "    {:?} .{} {} to {until}{slot}{wait}", span.phase, span.attempt, seconds(span.at));
        }
        for (seq, name) in &it.sent {
            let _ = writeln!(text, "    sent {name} by {seq}");
        }
        for (attempt, failure) in &it.failures {
            let _ = writeln!(text, "    .{attempt} failed: {}", failure.message);
        }
        let _ = match &it.end {
            None => writeln!(text, "    goes on"),
            Some(end) => match &end.how {
                Ended::Returned(names) => writeln!(text, "    returned {} @{}", names.join(", "), seconds(end.at)),
                other => writeln!(text, "    {other:?} @{}", seconds(end.at)),
            },
        };
    }
    expect.assert_eq(&text);
}

fn seconds(at: u64) -> String {
    format!("{}s", at as f64 / 1e6)
}

#[test]
fn slots_waits_and_events() {
    check(
        r#"
        additional Answer
        step ask: StartEvent Item -> StopEvent, slots 1
        start
        @1 event Item
        @2 #0 wait Answer timeout 60
        @3 event Answer {"a":1}
        @5 #1 return
        @6 #0 return StopEvent
        "#,
        expect![[r#"
            0 @0s started StartEvent, 1 frames
            1 @1s event-received Item, 2 frames
            2 @2s step-progressed #0, 4 frames
            3 @3s event-received Answer, 4 frames
            4 @5s step-returned #1, 6 frames
            5 @6s step-returned #0, 8 frames
            #0 ask(StartEvent) by 0 @0s
                Executing .0 0s to 2s in 0
                Waiting .0 2s to 3s for Answer until Some("62s")
                Queued .0 3s to 5s
                Executing .0 5s to 6s in 0
                returned StopEvent @6s
            #1 ask(Item) by 1 @1s
                Queued .0 1s to 2s
                Executing .0 2s to 5s in 0
                returned  @5s
        "#]],
    );
}

#[test]
fn retries_sleeps_and_what_the_end_drops() {
    check(
        r#"
        step flaky: StartEvent -> StopEvent, retry 2 attempts 2
        step slow: StartEvent -> StopEvent
        start
        @1 #0 fail ValueError "try 0"
        @2 #1 sleep 100
        @3 timer 0
        @4 #0 fail ValueError "try 1"
        "#,
        expect![[r#"
            0 @0s started StartEvent, 2 frames
            1 @1s step-failed #0, 3 frames
            2 @2s step-progressed #1, 3 frames
            3 @3s timer-fired , 4 frames
            4 @4s step-failed #0, 6 frames
            #0 flaky(StartEvent) by 0 @0s
                Executing .0 0s to 1s in 0
                Retrying .1 1s to 3s
                Executing .1 3s to 4s in 0
                .0 failed: try 0
                .1 failed: try 1
                Failed @4s
            #1 slow(StartEvent) by 0 @0s
                Executing .0 0s to 2s in 0
                Sleeping .0 2s to 4s in 0
                Dropped @4s
        "#]],
    );
}

#[test]
fn what_was_sent_counts_once_it_is_committed() {
    check(
        r#"
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        step work: Item -> StopEvent
        start
        #0 begin x; publish Stream {}
        #1 begin x; edit x 1
        #0 send Item {} to work; edit x 2
        #0 begin x; edit x 3
        #0 send Item {}; return
        "#,
        expect![[r#"
            0 @0s started StartEvent, 2 frames
            1 @0s step-progressed #0, 3 frames
            2 @0s step-progressed #1, 3 frames
            3 @0s step-progressed #0, 3 frames
            4 @0s step-progressed #0, 4 frames
            5 @0s step-returned #0, 6 frames
            #0 one(StartEvent) by 0 @0s
                Executing .0 0s to 0s in 0
                sent Item by 4
                sent Item by 5
                returned  @0s
            #1 two(StartEvent) by 0 @0s
                Executing .0 0s to now in 0
                goes on
            #2 work(Item) by 4 @0s
                Executing .0 0s to now in 0
                goes on
            #3 work(Item) by 5 @0s
                Executing .0 0s to now in 1
                goes on
        "#]],
    );
}

#[test]
fn a_run_that_goes_on_over_a_restart() {
    check(
        r#"
        step work: StartEvent -> StopEvent
        start
        @9 resume
        "#,
        expect![[r#"
            0 @0s started StartEvent, 1 frames
            1 @9s resumed , 1 frames
            #0 work(StartEvent) by 0 @0s
                Executing .0 0s to now in 0
                goes on
        "#]],
    );
}

#[test]
fn what_a_guest_saw_before_a_report_that_is_refused_or_a_failure_is_told_too() {
    let told = |calls: &str| {
        let world = played(&format!("state {{\"x\":1}}\n step work: StartEvent -> StopEvent\n start\n #0 {calls}"));
        let calls = answers(|| Run::new(world.definition.clone()), &world.journal, 0, 0).expect("the journal fits");
        calls.iter().map(|call| call.function.identity()).collect::<Vec<String>>()
    };
    assert_eq!(told("get x; publish StopEvent"), ["get x", "publish StopEvent"]);
    assert_eq!(told("get x; set x 2; fail Boom \"\""), ["get x", "set x"]);
}

#[test]
fn a_read_is_told_from_before_the_entry_that_others_committed_by_after_it() {
    let world = played(
        "state {\"x\":1}
        step reader: StartEvent -> StopEvent
        step writer: StartEvent -> StopEvent
        start
        #1 set x 2; commit
        #0 get x before 1; get x before 2; return StopEvent",
    );
    let calls = answers(|| Run::new(world.definition.clone()), &world.journal, 0, 0).expect("the journal fits");
    let values: Vec<&str> = calls.iter().filter_map(|call| call.function.value()).map(|value| value.get()).collect();
    assert_eq!(values, ["1", "2"], "entry 1 sets it to 2");
}

#[test]
fn what_is_refused_is_not_told_as_done() {
    for calls in ["send Item; return Nope", "publish StopEvent", "send Item; send StopEvent; commit"] {
        let world = played(&format!(
            "step work: StartEvent -> Item
            step recover: StepFailedEvent -> StopEvent, catch max 5
            start
            #0 {calls}"
        ));
        let history = journal::history(Run::new(world.definition), &world.journal).expect("the journal fits");
        let delivery = &history.deliveries[&0];
        assert!(matches!(&delivery.end, Some(end) if matches!(end.how, Ended::Failed)), "{calls}: {delivery:?}");
        assert!(delivery.sent.is_empty() && delivery.failures.len() == 1, "{calls}: {delivery:?}");
    }
}

#[test]
fn a_large_value_that_is_read_at_every_turn_is_journaled_only_where_it_has_changed() {
    let large = |letter: &str| letter.repeat(5_000);
    let mut world = played(&format!(
        "state {{\"t\":\"{}\"}}
        step reader: StartEvent -> StopEvent
        step writer: StartEvent -> StopEvent
        start
        #0 get t; publish Stream
        #0 begin t; edit t \"{}\"
        #0 get t; publish Stream",
        large("a"),
        large("b"),
    ));
    let told = |world: &World, seq: usize| serde_json::to_string(&world.journal[seq]).expect("JSON");
    assert!(told(&world, 1).contains(r#"{"Before":1}"#) && told(&world, 1).len() < 500, "{}", told(&world, 1));
    assert!(told(&world, 2).contains(r#"{"Before":2}"#), "an edit that begins is told so too");
    assert!(told(&world, 3).contains(r#"{"Before":3}"#));
    // It was read, and is another by the time it is reported.
    let stale = world.run.query(&Query::Get { path: "t".into() }, &mut Overlay::default()).expect("it is there");
    let ReadAnswer::Value { value: Some(value), .. } = stale else { panic!("a value") };
    world.line("#1 set t 1; commit");
    let call = |ordinal, function| Call { ordinal, at: 0, function };
    let calls = vec![
        call(6, Function::Get { path: "t".into(), answer: Told::Value(value) }),
        call(7, Function::Publish { event: Event { name: "Stream".into(), payload: wf_engine::json::empty() } }),
    ];
    let input = Input::StepProgressed { invocation: 0, attempt: 0, calls, commit: None, usage: Usage::default() };
    let entry = world.run.entry(0, 0, input);
    world.run.apply(&entry);
    world.journal.push(entry);
    assert!(told(&world, 5).contains(&large("b")), "the run tells another value by then");
    let calls = answers(|| Run::new(world.definition.clone()), &world.journal, 0, 0).expect("the journal fits");
    let values: Vec<&str> = calls.iter().filter_map(|call| call.function.value()).map(|value| &value.get()[..2]).collect();
    assert_eq!(values, ["\"a", "\"a", "\"b", "\"b"]);
    // Whoever enters the attempt again is told the same.
    let entry = world.run.entry(0, 0, Input::Resumed { planned: true, on_thread: None });
    let log = world.run.apply(&entry).into_iter().find_map(|effect| match effect {
        Effect::Invoke(invoke) if invoke.invocation == 0 => Some(invoke.log),
        _ => None,
    });
    let values: Vec<String> =
        log.expect("it is entered").iter().filter_map(|call| call.function.value()).map(|value| value.get()[..2].to_owned()).collect();
    assert_eq!(values, ["\"a", "\"a", "\"b", "\"b"]);
}
