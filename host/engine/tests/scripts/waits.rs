//! `events.wait`.

use expect_test::expect;
use wf_engine::text::{Limit, object};

use super::{check, played};

#[test]
fn a_wait_publishes_its_request_frees_its_slot_and_is_entered_again_with_its_answer() {
    check(
        r#"
        type AskEvent: input-required
        show steps
        additional Answer
        step ask: StartEvent Item -> StopEvent, slots 1
        start
        event Item
        @2 #0 set n 1; wait Answer where {"user":"laurie"} timeout 60 ask AskEvent {"question":"who?"}
        @3 event Answer {"user":"someone"}
        @4 event Answer {"user":"laurie","a":1}
        #1 return
        @6 #0 return StopEvent
        "#,
        expect![[r#"
            start
                frame 0: ask running [0] StartEvent -> -
                invoke #0.0 ask(StartEvent)
            event Item
                frame 1: ask preparing [<enqueued>] Item -> -
            @2 #0 set n 1; wait Answer where {"user":"laurie"} timeout 60 ask AskEvent {"question":"who?"}
                frame 2: AskEvent {"question":"who?"}
                timer 0 alive at 62s
                frame 3: ask not_running [0] StartEvent -> -
                frame 4: ask running [0] Item -> -
                invoke #1.0 ask(Item)
            @3 event Answer {"user":"someone"}
                frame 5: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":false}
            @4 event Answer {"user":"laurie","a":1}
                clear timer 0
            #1 return
                frame 6: ask not_running [0] Item -> -
                frame 7: ask running [0] StartEvent -> -
                invoke #0.0 ask(StartEvent) from 0s, committed 2, log: set n @2s; wait Answer {"user":"laurie"} = Answer {"user":"laurie","a":1} @4s
            @6 #0 return StopEvent
                frame 8: ask not_running [0] StartEvent -> StopEvent
                frame 9: StopEvent
                completed with StopEvent
        "#]],
    );
}

#[test]
fn an_event_resolves_every_matching_waiter_and_other_steps_get_it_as_input() {
    check(
        r#"
        step ask: StartEvent Answer -> StopEvent
        step other: Answer -> StopEvent
        start
        event StartEvent
        #0 wait Answer
        #1 wait Answer where {"n":1}
        event Answer {"n":1.0}
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            event StartEvent
                invoke #1.0 ask(StartEvent)
            #0 wait Answer
            #1 wait Answer where {"n":1}
                frame 4: WorkflowIdleEvent
            event Answer {"n":1.0}
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer = Answer {"n":1.0} @0s
                invoke #1.0 ask(StartEvent) from 0s, committed 1, log: wait Answer {"n":1} = Answer {"n":1.0} @0s
                invoke #2.0 other(Answer {"n":1.0})
        "#]],
    );
}

#[test]
fn a_directed_event_resolves_only_the_waiters_of_its_step() {
    check(
        r#"
        additional Answer
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 wait Answer
        #1 wait Answer
        event Answer to two
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
            #0 wait Answer
            #1 wait Answer
                frame 4: WorkflowIdleEvent
            event Answer to two
                invoke #1.0 two(StartEvent) from 0s, committed 1, log: wait Answer = Answer @0s
        "#]],
    );
}

#[test]
fn requirements_are_fields_that_are_equal_as_json() {
    check(
        r#"
        additional Answer
        step ask: StartEvent -> StopEvent
        start
        #0 wait Answer where {"a":{"b":[1,2]},"c":null}
        event Answer {"a":{"b":[1,2]}}
        event Answer {"a":{"b":[1]},"c":null}
        event Answer {"c":null,"x":0,"a":{"b":[1,2]}}
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            #0 wait Answer where {"a":{"b":[1,2]},"c":null}
                frame 2: WorkflowIdleEvent
            event Answer {"a":{"b":[1,2]}}
                frame 3: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":true}
            event Answer {"a":{"b":[1]},"c":null}
                frame 4: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":true}
            event Answer {"c":null,"x":0,"a":{"b":[1,2]}}
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer {"a":{"b":[1,2]},"c":null} = Answer {"c":null,"x":0,"a":{"b":[1,2]}} @0s
        "#]],
    );
}

#[test]
fn a_resumed_step_goes_to_the_head_of_its_queue() {
    check(
        r#"
        additional Answer
        step ask: StartEvent -> StopEvent, slots 1
        start {"n":0}
        event StartEvent {"n":1}
        event StartEvent {"n":2}
        #0 wait Answer
        event Answer
        #1 return
        "#,
        expect![[r#"
            start {"n":0}
                invoke #0.0 ask(StartEvent {"n":0})
            event StartEvent {"n":1}
            event StartEvent {"n":2}
            #0 wait Answer
                invoke #1.0 ask(StartEvent {"n":1})
            event Answer
            #1 return
                invoke #0.0 ask(StartEvent {"n":0}) from 0s, committed 1, log: wait Answer = Answer @0s
        "#]],
    );
}

#[test]
fn a_wait_times_out_on_the_clock_that_stands_while_no_host_is_up() {
    check(
        r#"
        additional Answer
        step ask: StartEvent -> StopEvent
        start
        @100/5 #0 wait Answer timeout 2
        @900/6 resume
        @902/7 timer 0
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            @100/5 #0 wait Answer timeout 2
                timer 0 alive at 7s
                frame 2: WorkflowIdleEvent
            @900/6 resume
            @902/7 timer 0
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer = timed out @902s
        "#]],
    );
}

#[test]
fn a_request_is_published_once_per_key_over_all_attempts() {
    check(
        r#"
        type Ask: input-required
        additional Answer
        step ask: StartEvent -> StopEvent, retry 1
        start
        #0 wait Answer ask Ask {"try":0}
        event Answer {"a":1}
        #0 wait Answer ask Ask {"second":true}
        event Answer {"a":2}
        #0 fail Boom "again"
        timer 0
        #0 wait Answer ask Ask {"try":1}
        #0 wait Answer ask Ask {"second":true}
        #0 wait Answer id mine ask Ask {"third":true}
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            #0 wait Answer ask Ask {"try":0}
                frame 1: Ask {"try":0}
                frame 3: WorkflowIdleEvent
            event Answer {"a":1}
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer = Answer {"a":1} @0s
            #0 wait Answer ask Ask {"second":true}
                frame 5: Ask {"second":true}
                frame 7: WorkflowIdleEvent
            event Answer {"a":2}
                invoke #0.0 ask(StartEvent) from 0s, committed 2, log: wait Answer = Answer {"a":1} @0s; wait Answer = Answer {"a":2} @0s
            #0 fail Boom "again"
                timer 0 at 1s
            timer 0
                invoke #0.1 ask(StartEvent), 1 failed in 0s, last Boom at 0s
            #0 wait Answer ask Ask {"try":1}
                invoke #0.1 ask(StartEvent) from 0s, committed 1, log: wait Answer = Answer {"a":1} @0s, 1 failed in 0s, last Boom at 0s
            #0 wait Answer ask Ask {"second":true}
                invoke #0.1 ask(StartEvent) from 0s, committed 2, log: wait Answer = Answer {"a":1} @0s; wait Answer = Answer {"a":2} @0s, 1 failed in 0s, last Boom at 0s
            #0 wait Answer id mine ask Ask {"third":true}
                frame 11: Ask {"third":true}
                frame 13: WorkflowIdleEvent
        "#]],
    );
}

#[test]
fn a_request_is_published_anew_after_a_time_out_which_is_not_kept() {
    check(
        r#"
        type Ask: input-required
        additional Answer
        step ask: StartEvent -> StopEvent, retry 1
        start
        @1 #0 wait Answer timeout 2 ask Ask
        @3 timer 0
        #0 fail timeout "nobody answered"
        @4 timer 1
        #0 wait Answer timeout 2 ask Ask
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            @1 #0 wait Answer timeout 2 ask Ask
                frame 1: Ask
                timer 0 alive at 3s
                frame 3: WorkflowIdleEvent
            @3 timer 0
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer = timed out @3s
            #0 fail timeout "nobody answered"
                timer 1 at 4s
            @4 timer 1
                invoke #0.1 ask(StartEvent), 1 failed in 4s, last timeout at 3s
            #0 wait Answer timeout 2 ask Ask
                frame 7: Ask
                timer 2 alive at 6s
                frame 9: WorkflowIdleEvent
        "#]],
    );
}

#[test]
fn a_failure_can_drop_the_answers_and_then_asks_again() {
    check(
        r#"
        type Ask: input-required
        additional Answer
        step ask: StartEvent -> StopEvent, retry 1
        start
        #0 wait Answer ask Ask
        event Answer {"a":"nonsense"}
        #0 fail ValueError "no number" forget
        timer 0
        #0 wait Answer ask Ask
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            #0 wait Answer ask Ask
                frame 1: Ask
                frame 3: WorkflowIdleEvent
            event Answer {"a":"nonsense"}
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer = Answer {"a":"nonsense"} @0s
            #0 fail ValueError "no number" forget
                timer 0 at 1s
            timer 0
                invoke #0.1 ask(StartEvent), 1 failed in 0s, last ValueError at 0s
            #0 wait Answer ask Ask
                frame 7: Ask
                frame 9: WorkflowIdleEvent
        "#]],
    );
}

#[test]
fn a_request_that_is_a_stop_event_fails_the_attempt() {
    check(
        r#"
        additional Answer
        step ask: StartEvent -> StopEvent
        start
        #0 set n 1; wait Answer ask StopEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            #0 set n 1; wait Answer ask StopEvent
                abort #0.0
                frame 2: WorkflowFailedEvent {"step_name":"ask","exception":{"exception_type":"invalid","exception_message":"step `ask` published `StopEvent`: a stop event ends the run when a step returns it, and only then"},"attempts":1,"elapsed_seconds":0.0}
                failed: step `ask` published `StopEvent`: a stop event ends the run when a step returns it, and only then
        "#]],
    );
}

#[test]
fn a_wait_for_a_type_that_nobody_declares_fails_for_good() {
    check(
        r#"
        step ask: StartEvent -> StopEvent
        start
        @1 #0 set n 1; wait Nope timeout 60 ask AskEvent {"question":"who?"}
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            @1 #0 set n 1; wait Nope timeout 60 ask AskEvent {"question":"who?"}
                abort #0.0
                frame 2: WorkflowFailedEvent {"step_name":"ask","exception":{"exception_type":"invalid","exception_message":"step `ask` waits for `Nope`, which the workflow does not declare: add the type to its additional events"},"attempts":1,"elapsed_seconds":1.0}
                failed: step `ask` waits for `Nope`, which the workflow does not declare: add the type to its additional events
        "#]],
    );
}

#[test]
fn the_stream_tells_when_a_step_waits_and_goes_on() {
    check(
        r#"
        type Ask: input-required
        show steps
        additional Answer
        step ask: StartEvent -> StopEvent
        start
        #0 wait Answer ask Ask
        event Answer
        resume
        #0 return StopEvent
        "#,
        expect![[r#"
            start
                frame 0: ask running [0] StartEvent -> -
                invoke #0.0 ask(StartEvent)
            #0 wait Answer ask Ask
                frame 1: Ask
                frame 2: ask not_running [0] StartEvent -> -
                frame 3: WorkflowIdleEvent
            event Answer
                frame 4: ask running [0] StartEvent -> -
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer = Answer @0s
            resume
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer = Answer @0s
            #0 return StopEvent
                frame 5: ask not_running [0] StartEvent -> StopEvent
                frame 6: StopEvent
                completed with StopEvent
        "#]],
    );
}

#[test]
fn a_wait_that_asks_with_a_type_that_nobody_declares_fails() {
    check(
        r#"
        additional Answer
        step ask: StartEvent -> StopEvent, retry 1
        start
        #0 wait Answer ask Question
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            #0 wait Answer ask Question
                abort #0.0
                frame 2: WorkflowFailedEvent {"step_name":"ask","exception":{"exception_type":"invalid","exception_message":"step `ask` asks with `Question`, which the workflow does not declare: add the type to what the step sends"},"attempts":1,"elapsed_seconds":0.0}
                failed: step `ask` asks with `Question`, which the workflow does not declare: add the type to what the step sends
        "#]],
    );
}

#[test]
fn an_answer_finds_its_waiter_among_many_by_any_of_their_fields() {
    let mut world = super::played("additional Answer\n step split: StartEvent -> Item\n step ask: Item -> StopEvent, slots 300\n start");
    world.line(&format!("#0 return {}", vec!["Item"; 300].join(", ")));
    (1..=300).for_each(|id| world.line(&format!("#{id} wait Answer where {{\"kind\":\"same\",\"n\":{id}.0,\"z\":null}}")));
    for id in [300, 1, 150] {
        world.line(&format!("event Answer {{\"z\":null,\"n\":{id},\"kind\":\"same\",\"more\":[1]}}"));
        assert!(world.out.lines().last().is_some_and(|line| line.contains(&format!("invoke #{id}.0"))), "{id}");
    }
    world.line("event Answer {\"n\":2,\"kind\":\"same\"}");
    assert!(!world.out.contains("invoke #2.0 ask(Item) from"), "a field is missing");
}

#[test]
fn half_an_emoji_is_refused_and_the_run_can_still_be_answered() {
    let half = r#"{"user":"ada","text":"cut \ud83d"}"#;
    let value = |text: &str| object("the value", text.to_owned(), Limit { name: "payload_max", max: 100 });
    let refused = value(half).expect_err("it stands for no text");
    assert_eq!(refused.to_string(), r#"the value has the text "cut \ud83d", which is half of a surrogate pair"#);
    let whole = r#"{"user":"ada","text":"cut \ud83d\ude00"}"#;
    assert!(value(whole).is_ok());
    let asked = "additional Answer\n step ask: StartEvent -> StopEvent\n start\n #0 wait Answer where {\"user\":\"ada\"}";
    // Also where a journal has what the border lets in no more.
    for payload in [whole, half] {
        let world = played(&format!("{asked}\n event Answer {payload}"));
        let answered =
            format!("invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer {{\"user\":\"ada\"}} = Answer {payload} @0s");
        assert_eq!(world.out.lines().last().map(str::trim), Some(answered.as_str()));
    }
}
