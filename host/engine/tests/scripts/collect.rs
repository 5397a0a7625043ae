//! `events.collect`.

use expect_test::expect;

use super::check;

#[test]
fn the_completing_call_gets_the_batch_in_the_order_of_the_expected_types_then_of_arrival() {
    check(
        r#"
        step split: StartEvent -> A B
        step gather: A B -> StopEvent
        start
        #0 return A {"i":1}, B {"i":2}, A {"i":3}, A {"i":4}
        #1 collect A {"i":1} into B A A
        #3 collect A {"i":3} into B A A
        #1 return
        #3 return
        #2 collect B {"i":2} into B A A
        #4 collect A {"i":4} into B A A
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return A {"i":1}, B {"i":2}, A {"i":3}, A {"i":4}
                invoke #1.0 gather(A {"i":1})
                invoke #2.0 gather(B {"i":2})
                invoke #3.0 gather(A {"i":3})
                invoke #4.0 gather(A {"i":4})
            #1 collect A {"i":1} into B A A
                answer #1.0 collect B, A x2 = not yet @0s
            #3 collect A {"i":3} into B A A
                answer #3.0 collect B, A x2 = not yet @0s
            #1 return
            #3 return
            #2 collect B {"i":2} into B A A
                answer #2.0 collect B, A x2 = B {"i":2}, A {"i":1}, A {"i":3} @0s
            #4 collect A {"i":4} into B A A
                answer #4.0 collect B, A x2 = not yet @0s
        "#]],
    );
}

#[test]
fn buffers_are_told_apart_by_id_else_by_the_expected_types_and_belong_to_a_step() {
    check(
        r#"
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 collect A {"one":1} into A A
        #1 collect A {"two":1} into A A
        #0 collect A {"one":2} into A A id mine
        #1 collect A {"two":2} into A A A
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
            #0 collect A {"one":1} into A A
                answer #0.0 collect A x2 = not yet @0s
            #1 collect A {"two":1} into A A
                answer #1.0 collect A x2 = not yet @0s
            #0 collect A {"one":2} into A A id mine
                answer #0.0 collect #mine = not yet @0s
            #1 collect A {"two":2} into A A A
                answer #1.0 collect A x3 = not yet @0s
        "#]],
    );
}

#[test]
fn an_event_is_added_once_per_invocation_and_stays_although_its_invocation_fails() {
    check(
        r#"
        step split: StartEvent -> A
        step gather: A -> StopEvent, retry 1 attempts 2
        step recover: StepFailedEvent -> Nothing, catch gather
        start
        #0 return A {"i":1}, A {"i":2}
        #1 collect A {"i":1} into A A
        #1 fail Boom "once"
        timer 0
        #1 collect A {"i":1} into A A
        #1 fail Boom "for good"
        #2 collect A {"i":2} into A A
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return A {"i":1}, A {"i":2}
                invoke #1.0 gather(A {"i":1})
                invoke #2.0 gather(A {"i":2})
            #1 collect A {"i":1} into A A
                answer #1.0 collect A x2 = not yet @0s
            #1 fail Boom "once"
                timer 0 at 1s
            timer 0
                invoke #1.1 gather(A {"i":1}), 1 failed in 0s, last Boom at 0s
            #1 collect A {"i":1} into A A
                answer #1.1 collect A x2 = not yet @0s
            #1 fail Boom "for good"
                invoke #3.0 recover(StepFailedEvent {"step_name":"gather","input_event":{"type":"A","value":{"i":1}},"exception":{"exception_type":"Boom","exception_message":"for good"},"attempts":2,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #2 collect A {"i":2} into A A
                answer #2.0 collect A x2 = A {"i":1}, A {"i":2} @0s
        "#]],
    );
}

#[test]
fn a_batch_belongs_to_its_invocation_over_its_retries_and_to_no_other() {
    check(
        r#"
        step split: StartEvent -> A
        step gather: A -> StopEvent, retry 1
        start
        #0 return A {"i":1}, A {"i":2}, A {"i":3}
        #1 collect A {"i":1} into A A
        #2 collect A {"i":2} into A A
        #2 fail Boom "after the batch"
        #3 collect A {"i":3} into A A
        timer 0
        #2 collect A {"i":2} into A A
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return A {"i":1}, A {"i":2}, A {"i":3}
                invoke #1.0 gather(A {"i":1})
                invoke #2.0 gather(A {"i":2})
                invoke #3.0 gather(A {"i":3})
            #1 collect A {"i":1} into A A
                answer #1.0 collect A x2 = not yet @0s
            #2 collect A {"i":2} into A A
                answer #2.0 collect A x2 = A {"i":1}, A {"i":2} @0s
            #2 fail Boom "after the batch"
                timer 0 at 1s
            #3 collect A {"i":3} into A A
                answer #3.0 collect A x2 = not yet @0s
            timer 0
                invoke #2.1 gather(A {"i":2}), 1 failed in 0s, last Boom at 0s
            #2 collect A {"i":2} into A A
                answer #2.1 collect A x2 = A {"i":1}, A {"i":2} @0s
        "#]],
    );
}

#[test]
fn a_second_collect_of_one_invocation_counts() {
    check(
        r#"
        step split: StartEvent -> A B
        step gather: A B -> StopEvent, join each retry 1
        start
        #0 return A {"i":1}, B {"i":2}
        #1 collect A {"i":1} into A B
        #1 fail Boom "between"
        timer 0
        #1 collect A {"i":1} into A B
        #1 collect B {"i":2} into A B
        #1 return
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return A {"i":1}, B {"i":2}
                invoke #1.0 gather(A {"i":1}, B {"i":2})
            #1 collect A {"i":1} into A B
                answer #1.0 collect A, B = not yet @0s
            #1 fail Boom "between"
                timer 0 at 1s
            timer 0
                invoke #1.1 gather(A {"i":1}, B {"i":2}), 1 failed in 0s, last Boom at 0s
            #1 collect A {"i":1} into A B
                answer #1.1 collect A, B = not yet @0s
            #1 collect B {"i":2} into A B
                answer #1.1 collect A, B = A {"i":1}, B {"i":2} @0s
            #1 return
                frame 6: WorkflowFailedEvent {"step_name":"","exception":{"exception_type":"stuck","exception_message":"the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event"},"attempts":null,"elapsed_seconds":0.0}
                failed: the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event
        "#]],
    );
}

#[test]
fn a_collect_of_ten_thousand_journals_each_event_once() {
    let mut world = super::played("step split: StartEvent -> A\n step gather: A -> StopEvent, slots 10000\n start");
    world.line(&format!("#0 return {}", vec!["A"; 10_000].join(", ")));
    (1..=10_000).for_each(|id| world.line(&format!("#{id} collect A into A 10000")));
    let bytes: usize = world.journal[2..].iter().map(|entry| serde_json::to_string(entry).expect("JSON").len()).sum();
    assert!(bytes < 10_000 * 300, "{bytes} bytes of journal");
    let batch = world.out.lines().last().map(|line| line.split(", ").count());
    assert_eq!(batch, Some(10_000), "the last call is given all");
}

/// The border refuses such a call, but a journal may have it.
#[test]
fn an_event_that_is_not_expected_completes_no_batch() {
    check(
        r#"
        step split: StartEvent -> A C
        step gather: A C -> StopEvent
        start
        #0 return A {"i":1}, C {"i":2}, A {"i":3}
        #2 collect C {"i":2} into A A
        #1 collect A {"i":1} into A A
        #3 collect A {"i":3} into A A
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return A {"i":1}, C {"i":2}, A {"i":3}
                invoke #1.0 gather(A {"i":1})
                invoke #2.0 gather(C {"i":2})
                invoke #3.0 gather(A {"i":3})
            #2 collect C {"i":2} into A A
                answer #2.0 collect A x2 = not yet @0s
            #1 collect A {"i":1} into A A
                answer #1.0 collect A x2 = not yet @0s
            #3 collect A {"i":3} into A A
                answer #3.0 collect A x2 = A {"i":1}, A {"i":3} @0s
        "#]],
    );
}
