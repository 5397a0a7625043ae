//! The inbox: *sent* means kept, until a wait takes it.

use expect_test::expect;
use wf_engine::run::{INBOX_BYTES_MAX, INBOX_EVENTS_MAX};

use super::{check, played};

#[test]
fn an_answer_that_comes_before_its_question_is_kept_for_it() {
    check(
        r#"
        type Ask: input-required
        type Answer: human-response
        step ask: StartEvent -> StopEvent
        start
        event Answer {"n":1}
        #0 wait Answer ask Ask {"q":"n?"}
        #0 return StopEvent {"result":1}
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            event Answer {"n":1}
                frame 1: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":false}
            #0 wait Answer ask Ask {"q":"n?"}
                frame 2: Ask {"q":"n?"}
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer = Answer {"n":1} @0s
            #0 return StopEvent {"result":1}
                frame 4: StopEvent {"result":1}
                completed with StopEvent {"result":1}
        "#]],
    );
}

#[test]
fn two_quick_answers_are_taken_in_their_order() {
    check(
        r#"
        additional Answer
        step ask: StartEvent -> StopEvent
        start
        #0 wait Answer id one
        event Answer {"n":1}
        event Answer {"n":2}
        event Answer {"n":3}
        #0 wait Answer id two
        #0 wait Answer id three
        #0 return StopEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            #0 wait Answer id one
                frame 2: WorkflowIdleEvent
            event Answer {"n":1}
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait #one = Answer {"n":1} @0s
            event Answer {"n":2}
                frame 4: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":false}
            event Answer {"n":3}
                frame 5: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":false}
            #0 wait Answer id two
                invoke #0.0 ask(StartEvent) from 0s, committed 2, log: wait #one = Answer {"n":1} @0s; wait #two = Answer {"n":2} @0s
            #0 wait Answer id three
                invoke #0.0 ask(StartEvent) from 0s, committed 3, log: wait #one = Answer {"n":1} @0s; wait #two = Answer {"n":2} @0s; wait #three = Answer {"n":3} @0s
            #0 return StopEvent
                frame 7: StopEvent
                completed with StopEvent
        "#]],
    );
}

#[test]
fn a_fresh_wait_takes_only_what_comes_after_it() {
    check(
        r#"
        additional Answer
        step ask: StartEvent -> StopEvent
        start
        event Answer {"n":1}
        #0 wait Answer fresh
        event Answer {"n":2}
        #0 wait Answer
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            event Answer {"n":1}
                frame 1: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":false}
            #0 wait Answer fresh
                frame 3: WorkflowIdleEvent
            event Answer {"n":2}
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Answer = Answer {"n":2} @0s
            #0 wait Answer
                invoke #0.0 ask(StartEvent) from 0s, committed 2, log: wait Answer = Answer {"n":2} @0s; wait Answer = Answer {"n":1} @0s
        "#]],
    );
}

#[test]
fn a_kept_event_goes_to_the_first_wait_that_it_meets() {
    check(
        r#"
        additional Answer Other
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        event Other {"n":0}
        event Answer {"n":1,"user":"bob"}
        event Answer {"n":2,"user":"ada"} to two
        event Answer {"n":3,"user":"ada"}
        #0 wait Answer where {"user":"ada"}
        #1 wait Answer where {"user":"ada"}
        #0 wait Answer Other
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
            event Other {"n":0}
                frame 2: UnhandledEvent {"event_type":"Other","qualified_name":"demo.Other","step_name":null,"idle":false}
            event Answer {"n":1,"user":"bob"}
                frame 3: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":false}
            event Answer {"n":2,"user":"ada"} to two
                frame 4: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":"two","idle":false}
            event Answer {"n":3,"user":"ada"}
                frame 5: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":false}
            #0 wait Answer where {"user":"ada"}
                invoke #0.0 one(StartEvent) from 0s, committed 1, log: wait Answer {"user":"ada"} = Answer {"n":3,"user":"ada"} @0s
            #1 wait Answer where {"user":"ada"}
                invoke #1.0 two(StartEvent) from 0s, committed 1, log: wait Answer {"user":"ada"} = Answer {"n":2,"user":"ada"} @0s
            #0 wait Answer Other
                invoke #0.0 one(StartEvent) from 0s, committed 2, log: wait Answer {"user":"ada"} = Answer {"n":3,"user":"ada"} @0s; wait Answer | Other = Other {"n":0} @0s
        "#]],
    );
}

#[test]
fn a_wait_of_several_types_takes_the_first_to_come() {
    check(
        r#"
        additional Yes No
        step ask: StartEvent -> StopEvent
        start
        #0 wait Yes No
        event No {"n":1}
        event Yes {"n":2}
        #0 wait Yes No
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            #0 wait Yes No
                frame 2: WorkflowIdleEvent
            event No {"n":1}
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Yes | No = No {"n":1} @0s
            event Yes {"n":2}
                frame 4: UnhandledEvent {"event_type":"Yes","qualified_name":"demo.Yes","step_name":null,"idle":false}
            #0 wait Yes No
                invoke #0.0 ask(StartEvent) from 0s, committed 2, log: wait Yes | No = No {"n":1} @0s; wait Yes | No = Yes {"n":2} @0s
        "#]],
    );
}

#[test]
fn a_wait_takes_declared_subtypes_where_it_says_so() {
    check(
        r#"
        type Answer: human-response
        type Written: human-response of Answer
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 wait Answer
        #1 wait Answer subtypes where {"n":1}
        event Written {"n":2}
        event Written {"n":1}
        #1 wait Answer subtypes
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
            #0 wait Answer
            #1 wait Answer subtypes where {"n":1}
                frame 4: WorkflowIdleEvent
            event Written {"n":2}
                frame 5: UnhandledEvent {"event_type":"Written","qualified_name":"demo.Written","step_name":null,"idle":true}
            event Written {"n":1}
                invoke #1.0 two(StartEvent) from 0s, committed 1, log: wait Answer+ {"n":1} = Written {"n":1} @0s
            #1 wait Answer subtypes
                invoke #1.0 two(StartEvent) from 0s, committed 2, log: wait Answer+ {"n":1} = Written {"n":1} @0s; wait Answer+ = Written {"n":2} @0s
        "#]],
    );
}

#[test]
fn an_event_for_one_invocation_is_taken_by_its_wait_or_refused() {
    check(
        r#"
        additional Answer
        step split: StartEvent -> Item
        step ask: Item -> StopEvent
        start
        #0 return Item {"i":1}, Item {"i":2}
        #1 wait Answer
        #2 wait Answer where {"n":1}
        event Answer {"n":1} at 2
        event Answer {"n":1} at 2
        event Answer {"n":1} at 7
        event Answer {"n":1} to split at 1
        event Answer {"n":2} to ask at 1
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}
                invoke #1.0 ask(Item {"i":1})
                invoke #2.0 ask(Item {"i":2})
            #1 wait Answer
            #2 wait Answer where {"n":1}
                frame 6: WorkflowIdleEvent
            event Answer {"n":1} at 2
                invoke #2.0 ask(Item {"i":2}) from 0s, committed 1, log: wait Answer {"n":1} = Answer {"n":1} @0s
            refused: NotWaiting(2)
            event Answer {"n":1} at 2
            refused: NotWaiting(7)
            event Answer {"n":1} at 7
            refused: NotWaiting(1)
            event Answer {"n":1} to split at 1
            event Answer {"n":2} to ask at 1
                invoke #1.0 ask(Item {"i":1}) from 0s, committed 1, log: wait Answer = Answer {"n":2} @0s
        "#]],
    );
}

#[test]
fn a_subtype_of_what_could_be_waited_for_is_kept_too() {
    check(
        r#"
        additional Note
        type Note: plain
        type Long: plain of Note
        step ask: StartEvent -> StopEvent
        start
        event Long {"n":1}
        #0 wait Note subtypes
        "#,
        expect![[r#"
            start
                invoke #0.0 ask(StartEvent)
            event Long {"n":1}
                frame 1: UnhandledEvent {"event_type":"Long","qualified_name":"demo.Long","step_name":null,"idle":false}
            #0 wait Note subtypes
                invoke #0.0 ask(StartEvent) from 0s, committed 1, log: wait Note+ = Long {"n":1} @0s
        "#]],
    );
}

#[test]
fn kept_events_are_found_by_short_and_by_long_fields() {
    let long = "x".repeat(300);
    let mut world = played("additional Answer\n step ask: StartEvent -> StopEvent\n start");
    for n in 0..3 {
        world.line(&format!("event Answer {{\"n\":{n},\"long\":\"{long}{n}\"}}"));
    }
    world.line(&format!("#0 wait Answer where {{\"long\":\"{long}1\"}}"));
    assert!(world.out.lines().last().is_some_and(|line| line.contains("\"n\":1")), "{}", world.out);
    world.line(&format!("#0 wait Answer where {{\"long\":\"{long}2\",\"n\":2.0}}"));
    assert!(world.out.lines().last().is_some_and(|line| line.contains("\"n\":2")), "{}", world.out);
    world.line("#0 wait Answer where {\"n\":7}");
    assert!(world.out.ends_with("WorkflowIdleEvent\n"), "{}", world.out);
}

#[test]
fn what_no_wait_could_take_is_not_kept() {
    check(
        r#"
        additional Answer
        step work: StartEvent -> StopEvent
        step next: Item -> StopEvent
        start
        #0 send Answer {"by":"a step"}; commit
        event Item {"i":1}
        event Stream
        #0 wait Answer
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 send Answer {"by":"a step"}; commit
                answer #0.0 commit @0s
                frame 1: UnhandledEvent {"event_type":"Answer","qualified_name":"demo.Answer","step_name":null,"idle":false}
            event Item {"i":1}
                invoke #1.0 next(Item {"i":1})
            event Stream
                frame 3: UnhandledEvent {"event_type":"Stream","qualified_name":"demo.Stream","step_name":null,"idle":false}
            #0 wait Answer
        "#]],
    );
}

#[test]
fn an_inbox_is_full_of_large_events_sooner() {
    let mut world = played("additional Answer\n step ask: StartEvent -> StopEvent\n start");
    let quarter = format!("event Answer {{\"x\":\"{}\"}}", "x".repeat(INBOX_BYTES_MAX / 4 - r#"{"x":""}"#.len()));
    (0..4).for_each(|_| world.line(&quarter));
    assert!(!world.out.contains("refused"), "they fill it to the last byte");
    world.line("#0 wait Answer");
    world.line(&quarter);
    assert!(!world.out.contains("refused"), "what was taken has left its room");
    world.line("event Answer");
    assert!(world.out.contains("refused: InboxFull"), "two bytes are too much");
}

#[test]
fn a_full_inbox_refuses_what_nothing_takes_now() {
    let mut world = played("additional Answer\n step ask: StartEvent Item -> StopEvent\n start");
    for _ in 0..INBOX_EVENTS_MAX {
        world.line("event Answer");
    }
    assert!(!world.out.contains("refused"));
    world.line("event Answer");
    assert!(world.out.contains("refused: InboxFull"), "the inbox has an end");
    world.out.clear();
    // What is taken at once needs no room.
    world.line("event Item");
    world.line("#0 wait Answer where {\"n\":1}");
    world.line("event Answer {\"n\":1}");
    assert!(!world.out.contains("refused"), "{}", world.out);
}

#[test]
fn a_full_inbox_refuses_what_only_a_join_of_a_fan_out_accepts() {
    let mut world = played(
        "additional Answer
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done
        step gather: Done Answer -> StopEvent, join all
        start",
    );
    (0..1_000).for_each(|_| world.line("event Answer"));
    assert!(!world.out.contains("refused"));
    world.line("event Answer");
    assert!(world.out.contains("refused: InboxFull"));
}
