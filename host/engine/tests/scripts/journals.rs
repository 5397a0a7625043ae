//! What the journal holds and what it does not.

use expect_test::expect;
use wf_engine::effect::Effect;
use wf_engine::entry::{Entry, Event, Function, Input, Started, Usage};
use wf_engine::journal::{self, Misfit};
use wf_engine::run::{Run, Status};

use super::{check, played};

#[test]
fn the_payload_of_a_published_frame_is_not_journaled() {
    let world = played(
        "step work: StartEvent -> StopEvent
        start
        #0 log; publish Stream {\"secret\":1}",
    );
    let text = serde_json::to_string(&world.journal[1].input).expect("JSON");
    expect![[r#"{"StepProgressed":{"invocation":0,"attempt":0,"calls":[{"ordinal":0,"at":0,"function":"Log"},{"ordinal":1,"at":0,"function":{"Publish":{"event":"Stream"}}}],"usage":{"started_at":0,"cpu":0,"memory":0}}}"#]].assert_eq(&text);
}

#[test]
fn payload_text_is_carried_as_it_came() {
    check(
        r#"
        step work: StartEvent -> Item
        step next: Item -> StopEvent
        start {"z":1.50,"a":12345678901234567890123,"z":1}
        #0 return Item { "b" : 1e2 }
        #1 return StopEvent {"result":0.10}
        "#,
        expect![[r#"
            start {"z":1.50,"a":12345678901234567890123,"z":1}
                invoke #0.0 work(StartEvent {"z":1.50,"a":12345678901234567890123,"z":1})
            #0 return Item { "b" : 1e2 }
                invoke #1.0 next(Item { "b" : 1e2 })
            #1 return StopEvent {"result":0.10}
                frame 4: StopEvent {"result":0.10}
                completed with StopEvent {"result":0.10}
        "#]],
    );
}

/// The gate lets none of them through; the fold is not thrown off by them either.
#[test]
fn entries_before_the_start_and_a_second_start_change_nothing() {
    let world = played(
        "step work: StartEvent -> StopEvent
        event StartEvent
        cancel
        start
        start",
    );
    expect![[r#"
        event StartEvent
        cancel
        start
            invoke #0.0 work(StartEvent)
        start
    "#]]
    .assert_eq(&world.out);
}

#[test]
fn a_run_counts_entries_and_frames_and_knows_its_times() {
    let world = played(
        "state {\"n\":1}
        step work: StartEvent -> StopEvent
        @5 start
        @6 #0 set n 2; publish Stream
        @7 #0 return StopEvent
        @8 cancel",
    );
    assert!(matches!(Run::new(world.definition.clone()).status(), Status::Queued), "before its first entry it queues for its turn");
    let run = &world.run;
    assert_eq!((run.next_seq(), run.next_sequence()), (4, 4));
    assert_eq!((run.started_at(), run.updated_at()), (5_000_000, 7_000_000));
    assert_eq!(run.state().get(), r#"{"n":2}"#);
    assert!(matches!(run.status(), Status::Completed(Event { name, .. }) if &**name == "StopEvent"));
    assert_eq!(run.started().map(Started::seed_bytes), Some([7; 32]));
}

#[test]
fn every_prefix_of_a_journal_gives_the_run_as_it_was_then() {
    let world = played(
        r#"
        additional Answer
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done, slots 2 retry 1
        step gather: Done -> StopEvent, join all
        start
        #0 set n 1; return Item {"i":1}, Item {"i":2}, Item {"i":3}
        #1 keep memo 1
        #1 wait Answer timeout 5 ask Ask
        #2 fail Boom ""
        event Answer
        #1 publish Stream {"n":1}
        resume
        #1 return Done
        "#,
    );
    let mut run = Run::new(world.definition.clone());
    for length in 0..=world.journal.len() {
        let replayed = journal::replay(Run::new(world.definition.clone()), &world.journal[..length]).expect("the journal fits");
        assert_eq!(format!("{run:?}"), format!("{replayed:?}"), "{length} entries");
        world.journal.get(length).into_iter().for_each(|entry| drop(run.apply(entry)));
    }
}

#[test]
fn an_attempt_with_ten_thousand_frames_reports_each_in_little_time() {
    let mut world = played("step work: StartEvent -> StopEvent\n start");
    let event = Event { name: "Stream".into(), payload: wf_engine::json::empty() };
    for ordinal in 0..10_000 {
        let call = wf_engine::entry::Call { ordinal, at: 0, function: Function::Publish { event: event.clone() } };
        let input = Input::StepProgressed { invocation: 0, attempt: 0, calls: vec![call], commit: None, usage: Usage::default() };
        let entry = world.run.entry(0, 0, input);
        assert_eq!(world.run.apply(&entry).len(), 2, "a frame and an answer");
    }
    assert_eq!(world.run.next_sequence(), 10_001);
}

#[test]
fn the_frames_of_the_fold_have_these_payloads() {
    let world = played(
        "timeout 0.3
        type Ask: input-required
        type Answer: human-response
        step prompt: StartEvent -> Ask
        step greet: Answer -> StopEvent, slots 1
        start
        #0 return Ask
        event Answer
        event Answer
        event Item to greet
        event StopEvent
        timer 0",
    );
    let mut out = String::new();
    let mut run = Run::new(world.definition.clone());
    for effect in world.journal.iter().flat_map(|entry| run.apply(entry)) {
        if let Effect::Publish(frame) = effect {
            out += &format!("{} {} {}\n", frame.sequence, frame.event.name, frame.event.payload.get());
        }
    }
    expect![[r#"
        0 StepStateChanged {"name":"prompt","step_state":"running","worker_id":"0","input_event_name":"StartEvent","output_event_name":null}
        1 StepStateChanged {"name":"prompt","step_state":"not_running","worker_id":"0","input_event_name":"StartEvent","output_event_name":"Ask"}
        2 Ask {}
        3 WorkflowIdleEvent {}
        4 StepStateChanged {"name":"greet","step_state":"running","worker_id":"0","input_event_name":"Answer","output_event_name":null}
        5 StepStateChanged {"name":"greet","step_state":"preparing","worker_id":"<enqueued>","input_event_name":"Answer","output_event_name":null}
        6 UnhandledEvent {"event_type":"Item","qualified_name":"demo.Item","step_name":"greet","idle":false}
        7 UnhandledEvent {"event_type":"StopEvent","qualified_name":"workflows.events.StopEvent","step_name":null,"idle":false}
        8 WorkflowTimedOutEvent {"timeout":0.3,"active_steps":["greet"]}
    "#]].assert_eq(&out);
}

#[test]
fn a_fan_out_of_ten_thousand_is_joined_in_little_time() {
    let items = vec!["Item"; 10_000].join(", ");
    let mut world = played(&format!(
        "step split: StartEvent -> Item, fan-out
        step work: Item -> Done, slots 5000
        step gather: Done -> StopEvent, join all
        start
        #0 return {items}"
    ));
    (1..=10_000).for_each(|id| world.line(&format!("#{id} return Done")));
    let last = world.out.lines().last().expect("output");
    assert_eq!(
        last.trim().split_once('(').map(|(invoke, events)| (invoke, events.split(',').count())),
        Some(("invoke #10001.0 gather", 10_000))
    );
}

/// Reads a journal back that was changed as text, and replays it.
fn reread(change: impl Fn(String) -> String) -> Result<(), Misfit> {
    let world = played("step work: StartEvent -> Item\n step next: Item -> StopEvent\n start\n #0 return Item\n #1 return StopEvent");
    let text = world.journal.iter().map(|entry| change(serde_json::to_string(entry).expect("JSON")));
    let entries: Result<Vec<Entry>, Misfit> = (0..).zip(text).map(|(seq, text)| journal::read(seq, text.as_bytes())).collect();
    journal::replay(Run::new(world.definition.clone()), &entries?).map(|_| ())
}

#[test]
fn a_journal_that_does_not_fit_is_an_error_with_a_name() {
    let refused = |from: &'static str, to: &'static str| reread(|text| text.replace(from, to)).expect_err("it does not fit").to_string();
    assert_eq!(reread(|text| text), Ok(()));
    expect![[r#"
        entry 0 of the journal has form 99, and this build knows form 1: it was written by another version
        entry 0 of the journal has form 99, and this build knows form 1: it was written by another version
        the run follows rules 77, and this build knows rules 1 to 4: it was begun by a newer version
        the run follows rules 77, and this build knows rules 1 to 4: it was begun by a newer version
        entry 1 of the journal is missing: entry 2 stands there
        the run is pinned to another definition: another
        entry 0 of the journal is unreadable: unknown field `meaning`, expected one of `v`, `seq`, `at`, `alive`, `frames`, `input` at line 1 column 41
        entry 1 of the journal is unreadable: unknown variant `StepVanished`, expected one of `Started`, `EventReceived`, `StepProgressed`, `StepReturned`, `StepFailed`, `TimerFired`, `CancelRequested`, `Resumed`, `Forked` at line 1 column 55
        entry 1 of the journal is unreadable: unknown field `more`, expected one of `invocation`, `attempt`, `calls`, `commit`, `events`, `usage` at line 1 column 63
        entry 1 of the journal is unreadable: unknown variant `Lend`, expected one of `Send`, `Set`, `Push`, `Delete`, `NoList` at line 1 column 112"#]]
    .assert_eq(&[
        refused(r#""v":1"#, r#""v":99"#),
        refused(r#""v":1"#, r#""v":99,"newer":true"#),
        refused(r#""rules":4"#, r#""rules":77"#),
        refused(r#""rules":4"#, r#""rules":77,"newer":true"#),
        refused(r#""seq":1"#, r#""seq":2"#),
        refused(r#""digest""#, r#""another""#),
        refused(r#""input":"#, r#""meaning":"negated","input":"#),
        refused(r#"{"StepReturned":{"#, r#"{"StepVanished":{"#),
        refused(r#"{"StepReturned":{"#, r#"{"StepReturned":{"more":1,"#),
        refused(r#""commit":[]"#, r#""commit":[{"Lend":{"path":"a"}}]"#),
    ].join("\n"));
}

#[test]
fn entries_that_are_missing_or_twice_are_noticed() {
    let world = played("step work: StartEvent -> Item\n step next: Item -> StopEvent\n start\n #0 return Item\n #1 return StopEvent");
    let replayed = |order: &[usize]| {
        let entries: Vec<Entry> = order.iter().map(|place| world.journal[*place].clone()).collect();
        journal::replay(Run::new(world.definition.clone()), &entries).map(|_| ())
    };
    assert_eq!(replayed(&[0, 1, 2]), Ok(()));
    assert_eq!(replayed(&[0, 2]), Err(Misfit::Gap { expected: 1, found: 2 }));
    assert_eq!(replayed(&[0, 1, 1]), Err(Misfit::Gap { expected: 2, found: 1 }));
    assert_eq!(replayed(&[1, 2]), Err(Misfit::Gap { expected: 0, found: 1 }));
    let mut late = world.journal[1].clone();
    late.seq = 0;
    assert_eq!(journal::replay(Run::new(world.definition.clone()), [&late]).map(|_| ()), Err(Misfit::Beginning { seq: 0 }));
    let mut again = world.journal[0].clone();
    again.seq = 1;
    let twice = [&world.journal[0], &again];
    assert_eq!(journal::replay(Run::new(world.definition.clone()), twice).map(|_| ()), Err(Misfit::Beginning { seq: 1 }));
}

#[test]
fn a_fold_that_counts_other_frames_is_noticed() {
    let mut world = played("step work: StartEvent -> StopEvent\n start");
    for n in 0..40 {
        world.line(&format!("#0 publish Stream {{\"n\":{n}}}"));
    }
    let told: Vec<u64> = world.journal.iter().filter_map(|entry| entry.frames.map(|_| entry.seq)).collect();
    assert_eq!(told, [16, 32], "each sixteenth entry tells");
    world.journal[32].frames = Some(7);
    let replayed = journal::replay(Run::new(world.definition.clone()), &world.journal).map(|_| ());
    assert_eq!(replayed, Err(Misfit::Frames { seq: 32, told: 7, counted: 32 }));
}

#[test]
fn an_entry_that_says_what_cannot_be_is_noticed() {
    let unsound = |script: &str| {
        let world = played(script);
        journal::replay(Run::new(world.definition.clone()), &world.journal).map(|_| ()).expect_err("it does not fit").to_string()
    };
    let step = "step work: StartEvent -> StopEvent\n";
    expect![[r#"
        entry 0 of the journal cannot be: the state is no object
        entry 1 of the journal cannot be: the state is no object
        entry 2 of the journal cannot be: a run is forked that has ended by then
        entry 1 of the journal cannot be: a fork edits what is not in flight"#]]
    .assert_eq(
        &[
            unsound(&format!("state 5\n {step} start")),
            unsound(&format!("{step} start\n fork state []")),
            unsound(&format!("{step} start\n #0 return StopEvent\n fork")),
            unsound(&format!("{step} start\n fork #7 StartEvent")),
        ]
        .join("\n"),
    );
}

#[test]
fn a_path_that_no_border_lets_in_is_noticed() {
    let world = played("step work: StartEvent -> StopEvent\n start\n #0 set a.b 1\n #0 commit\n #0 get a.b\n #0 return StopEvent");
    for path in ["", "a..b", "a\nb", &"k.".repeat(50_000)] {
        let text = serde_json::to_string(&world.journal).expect("JSON").replace("a.b", &path.escape_default().to_string());
        let entries: Vec<Entry> = serde_json::from_str(&text).expect("entries");
        for only in [1, 2] {
            let mut journal = world.journal.clone();
            journal[only] = entries[only].clone();
            let replayed = journal::replay(Run::new(world.definition.clone()), &journal).map(|_| ());
            assert_eq!(
                replayed,
                Err(Misfit::Unsound { seq: only as u64, message: "a path of the state is none" }),
                "{path:?} in entry {only}"
            );
        }
    }
}

/// As a handler's next run does; also with what a journal has that the border lets in no more.
#[test]
fn the_state_that_a_run_ends_with_can_begin_another() {
    let work = "step work: StartEvent -> StopEvent\n start";
    let lists = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for (keys, depth) in [(1, 0), (1, 63), (32, 32), (32, 200)] {
        let value = if depth == 0 { "1".to_owned() } else { lists(depth) };
        let first = played(&format!("{work}\n #0 set {} {value}; return StopEvent", vec!["a"; keys].join(".")));
        let state = first.run.state();
        assert!(state.get().contains(&value));
        let second = played(&format!("state {state}\n {work}"));
        let text = serde_json::to_vec(&second.journal[0]).expect("JSON");
        let entry = journal::read(0, &text).expect("an entry");
        let run = journal::replay(Run::new(second.definition.clone()), [&entry]).expect("the journal fits");
        assert_eq!(run.state().get(), state.get());
    }
}

#[test]
fn a_payload_that_the_fold_cannot_look_into_is_noticed() {
    let script = r#"
        additional Answer
        step work: StartEvent -> StopEvent
        start {"p":1}
        #0 send Item {"p":1}; commit
        #0 collect Item {"p":1} into Item 2
        #0 wait Answer where {"n":1} ask Answer {"p":1}
        event Answer {"p":1}
        fork #0 StartEvent {"p":1}
        #0 return StopEvent {"p":1}
    "#;
    let world = played(script);
    for payload in ["5", "[]", "null", r#"{"\ud83d":1}"#] {
        for (place, entry) in world.journal.iter().enumerate() {
            let text = serde_json::to_string(entry).expect("JSON").replace(r#"{"p":1}"#, payload);
            let mut journal = world.journal.clone();
            journal[place] = serde_json::from_str(&text).expect("an entry");
            let replayed = journal::replay(Run::new(world.definition.clone()), &journal).map(|_| ());
            let message = "a payload is no object with fields that can be read";
            assert_eq!(replayed, Err(Misfit::Unsound { seq: place as u64, message }), "{payload} in entry {place}");
        }
    }
}
