//! Failures: retries, catch-error steps, and what no step may do.

use expect_test::expect;

use super::check;

#[test]
fn a_failure_without_a_policy_fails_the_run_with_its_message() {
    check(
        r#"
        show steps
        step work: StartEvent -> StopEvent
        step other: StartEvent -> StopEvent
        @1 start
        @3.5 #0 fail ValueError "boom"
        "#,
        expect![[r#"
            @1 start
                frame 0: work running [0] StartEvent -> -
                invoke #0.0 work(StartEvent)
                frame 1: other running [0] StartEvent -> -
                invoke #1.0 other(StartEvent)
            @3.5 #0 fail ValueError "boom"
                frame 2: work not_running [0] StartEvent -> -
                abort #1.0
                frame 3: WorkflowFailedEvent {"step_name":"work","exception":{"exception_type":"ValueError","exception_message":"boom"},"attempts":1,"elapsed_seconds":2.5}
                failed: boom
        "#]],
    );
}

#[test]
fn a_constant_retry_waits_the_same_each_time_and_ends_with_its_attempts() {
    check(
        r#"
        show steps
        step flaky: StartEvent -> StopEvent, slots 1 retry 0.05 attempts 3
        start
        event StartEvent
        @1 #0 fail ValueError "try 0"
        @2 timer 0
        #1 return
        @3 #0 fail ValueError "try 1"
        @4 timer 1
        @5 #0 fail ValueError "try 2"
        "#,
        expect![[r#"
            start
                frame 0: flaky running [0] StartEvent -> -
                invoke #0.0 flaky(StartEvent)
            event StartEvent
                frame 1: flaky preparing [<enqueued>] StartEvent -> -
            @1 #0 fail ValueError "try 0"
                frame 2: flaky not_running [0] StartEvent -> -
                timer 0 at 1.05s
                frame 3: flaky running [0] StartEvent -> -
                invoke #1.0 flaky(StartEvent)
            @2 timer 0
            #1 return
                frame 4: flaky not_running [0] StartEvent -> -
                frame 5: flaky running [0] StartEvent -> -
                invoke #0.1 flaky(StartEvent), 1 failed in 2s, last ValueError at 1s
            @3 #0 fail ValueError "try 1"
                frame 6: flaky not_running [0] StartEvent -> -
                timer 1 at 3.05s
            @4 timer 1
                frame 7: flaky running [0] StartEvent -> -
                invoke #0.2 flaky(StartEvent), 2 failed in 4s, last ValueError at 3s
            @5 #0 fail ValueError "try 2"
                frame 8: flaky not_running [0] StartEvent -> -
                frame 9: WorkflowFailedEvent {"step_name":"flaky","exception":{"exception_type":"ValueError","exception_message":"try 2"},"attempts":3,"elapsed_seconds":5.0}
                failed: try 2
        "#]],
    );
}

#[test]
fn a_linear_retry_waits_longer_by_the_delay_and_an_exponential_one_by_the_factor() {
    check(
        r#"
        step linear: A -> StopEvent, retry 1 linear
        step exponential: B -> StopEvent, retry 1 exponential factor 3 at-most 5
        step split: StartEvent -> A B
        start
        #0 return A, B
        #1 fail Boom ""
        timer 0
        #1 fail Boom ""
        timer 1
        #1 fail Boom ""
        #2 fail Boom ""
        timer 3
        #2 fail Boom ""
        timer 4
        #2 fail Boom ""
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return A, B
                invoke #1.0 linear(A)
                invoke #2.0 exponential(B)
            #1 fail Boom ""
                timer 0 at 1s
            timer 0
                invoke #1.1 linear(A), 1 failed in 0s, last Boom at 0s
            #1 fail Boom ""
                timer 1 at 2s
            timer 1
                invoke #1.2 linear(A), 2 failed in 0s, last Boom at 0s
            #1 fail Boom ""
                timer 2 at 3s
            #2 fail Boom ""
                timer 3 at 1s
            timer 3
                invoke #2.1 exponential(B), 1 failed in 0s, last Boom at 0s
            #2 fail Boom ""
                timer 4 at 3s
            timer 4
                invoke #2.2 exponential(B), 2 failed in 0s, last Boom at 0s
            #2 fail Boom ""
                timer 5 at 5s
        "#]],
    );
}

#[test]
fn jitter_follows_from_the_seed_the_invocation_and_the_attempt() {
    check(
        r#"
        step work: StartEvent -> StopEvent, retry 10 jitter 0.5
        start
        event StartEvent
        #0 fail Boom ""
        #1 fail Boom ""
        timer 0
        #0 fail Boom ""
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            event StartEvent
                invoke #1.0 work(StartEvent)
            #0 fail Boom ""
                timer 0 at 6.020018s
            #1 fail Boom ""
                timer 1 at 8.346235s
            timer 0
                invoke #0.1 work(StartEvent), 1 failed in 0s, last Boom at 0s
            #0 fail Boom ""
                timer 2 at 9.181733s
        "#]],
    );
}

#[test]
fn retry_after_wins_over_the_policy() {
    check(
        r#"
        step work: StartEvent -> StopEvent, retry 1 at-most 2 attempts 2
        start
        #0 fail Busy "later" after 30
        timer 0
        #0 fail Busy "later" after 30
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 fail Busy "later" after 30
                timer 0 at 30s
            timer 0
                invoke #0.1 work(StartEvent), 1 failed in 0s, last Busy at 0s
            #0 fail Busy "later" after 30
                frame 4: WorkflowFailedEvent {"step_name":"work","exception":{"exception_type":"Busy","exception_message":"later"},"attempts":2,"elapsed_seconds":0.0}
                failed: later
        "#]],
    );
}

#[test]
fn no_attempt_begins_once_the_elapsed_time_is_over() {
    check(
        r#"
        step work: StartEvent -> StopEvent, retry 2 elapsed 10
        start
        @5 #0 fail Boom ""
        @7 timer 0
        @8 #0 fail Boom "too late"
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            @5 #0 fail Boom ""
                timer 0 at 7s
            @7 timer 0
                invoke #0.1 work(StartEvent), 1 failed in 7s, last Boom at 5s
            @8 #0 fail Boom "too late"
                frame 4: WorkflowFailedEvent {"step_name":"work","exception":{"exception_type":"Boom","exception_message":"too late"},"attempts":2,"elapsed_seconds":8.0}
                failed: too late
        "#]],
    );
}

#[test]
fn only_the_named_kinds_are_retried_and_none_that_says_that_it_is_not_retryable() {
    check(
        r#"
        step work: StartEvent -> StopEvent, retry 1 on Busy timeout
        step recover: StepFailedEvent -> Nothing, catch max 9
        start
        event StartEvent
        event StartEvent
        #0 fail timeout "slow"
        #1 fail ValueError "wrong"
        #2 fail Busy "never" for-good
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            event StartEvent
                invoke #1.0 work(StartEvent)
            event StartEvent
                invoke #2.0 work(StartEvent)
            #0 fail timeout "slow"
                timer 0 at 1s
            #1 fail ValueError "wrong"
                invoke #3.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"ValueError","exception_message":"wrong"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #2 fail Busy "never" for-good
                invoke #4.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"Busy","exception_message":"never"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
        "#]],
    );
}

#[test]
fn a_catch_error_step_gets_the_errors_of_its_steps_as_often_as_it_says() {
    check(
        r#"
        step split: StartEvent -> A B
        step work: A -> StopEvent, retry 1 attempts 2
        step other: B -> StopEvent
        step recover: StepFailedEvent -> Nothing, catch work max 2
        step rest: StepFailedEvent -> Nothing, catch
        start
        #0 return A {"x":1.50}, B, A
        @1 #1 fail Boom "first"
        @2 timer 0
        @3 #1 fail Boom "second"
        #2 fail Boom "other"
        #3 fail Boom "" for-good
        event A
        #7 fail Boom "third time" for-good
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return A {"x":1.50}, B, A
                invoke #1.0 work(A {"x":1.50})
                invoke #3.0 work(A)
                invoke #2.0 other(B)
            @1 #1 fail Boom "first"
                timer 0 at 2s
            @2 timer 0
                invoke #1.1 work(A {"x":1.50}), 1 failed in 2s, last Boom at 1s
            @3 #1 fail Boom "second"
                invoke #4.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"A","value":{"x":1.50}},"exception":{"exception_type":"Boom","exception_message":"second"},"attempts":2,"elapsed_seconds":3.0,"failed_at":"1970-01-01T00:00:03.000000+00:00"})
            #2 fail Boom "other"
                invoke #5.0 rest(StepFailedEvent {"step_name":"other","input_event":{"type":"B","value":{}},"exception":{"exception_type":"Boom","exception_message":"other"},"attempts":1,"elapsed_seconds":3.0,"failed_at":"1970-01-01T00:00:03.000000+00:00"})
            #3 fail Boom "" for-good
                invoke #6.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"A","value":{}},"exception":{"exception_type":"Boom","exception_message":""},"attempts":1,"elapsed_seconds":3.0,"failed_at":"1970-01-01T00:00:03.000000+00:00"})
            event A
                invoke #7.0 work(A)
            #7 fail Boom "third time" for-good
                abort #4.0
                abort #5.0
                abort #6.0
                frame 15: WorkflowFailedEvent {"step_name":"work","exception":{"exception_type":"Boom","exception_message":"third time (the recoveries of step `recover` are used up (2): raise its `max_recoveries`)"},"attempts":1,"elapsed_seconds":0.0}
                failed: third time (the recoveries of step `recover` are used up (2): raise its `max_recoveries`)
        "#]],
    );
}

#[test]
fn a_catch_error_step_does_not_catch_its_own_errors() {
    check(
        r#"
        step work: StartEvent -> StopEvent
        step recover: StepFailedEvent -> StopEvent, catch max 5
        start
        #0 fail Boom "one"
        #1 fail Boom "two"
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 fail Boom "one"
                invoke #1.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"Boom","exception_message":"one"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #1 fail Boom "two"
                frame 4: WorkflowFailedEvent {"step_name":"recover","exception":{"exception_type":"Boom","exception_message":"two"},"attempts":1,"elapsed_seconds":0.0}
                failed: two
        "#]],
    );
}

#[test]
fn publishing_or_sending_a_stop_event_fails_for_good_and_commits_nothing() {
    check(
        r#"
        show state
        type Out: stop
        step work: StartEvent -> StopEvent, retry 1
        step recover: StepFailedEvent -> Nothing, catch max 5
        start
        event StartEvent
        event StartEvent
        #0 set n 1; publish StopEvent
        #1 set n 2; send Out; commit
        #2 set n 3; send StopEvent; return StopEvent
        #3 get n; commit
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            event StartEvent
                invoke #1.0 work(StartEvent)
            event StartEvent
                invoke #2.0 work(StartEvent)
            #0 set n 1; publish StopEvent
                abort #0.0
                invoke #3.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"invalid","exception_message":"step `work` published `StopEvent`: a stop event ends the run when a step returns it, and only then"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #1 set n 2; send Out; commit
                abort #1.0
                invoke #4.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"invalid","exception_message":"step `work` sent `Out`: a stop event ends the run when a step returns it, and only then"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #2 set n 3; send StopEvent; return StopEvent
                invoke #5.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"invalid","exception_message":"step `work` sent `StopEvent`: a stop event ends the run when a step returns it, and only then"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #3 get n; commit
                answer #3.0 commit @0s
        "#]],
    );
}

#[test]
fn returning_an_undeclared_type_fails_for_good() {
    check(
        r#"
        show state
        type Out: stop
        step work: StartEvent -> Item, retry 1
        step next: Item Other -> Out
        step recover: StepFailedEvent -> StopEvent, catch max 5
        start
        event StartEvent
        #0 set n 1; return Item, Nope
        #1 return Out
        #2 get n; return Out {"derives":"from what it declares"}
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            event StartEvent
                invoke #1.0 work(StartEvent)
            #0 set n 1; return Item, Nope
                invoke #2.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"invalid","exception_message":"step `work` returned `Nope`, which it does not declare: add the type to what the step emits"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #1 return Out
                invoke #3.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"invalid","exception_message":"step `work` returned `Out`, which it does not declare: add the type to what the step emits"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #2 get n; return Out {"derives":"from what it declares"}
                abort #3.0
                frame 7: Out {"derives":"from what it declares"}
                completed with Out {"derives":"from what it declares"}
        "#]],
    );
}

#[test]
fn memos_answers_and_published_frames_outlive_a_failed_attempt() {
    check(
        r#"
        additional Answer
        step work: StartEvent -> StopEvent, retry 1
        start
        #0 look costly; keep costly {"answer":42}
        #0 publish Stream {"n":0}
        #0 wait Answer
        event Answer {"a":1}
        #0 fail Boom ""
        timer 0
        #0 publish Stream {"n":0}
        #0 wait Answer
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 look costly; keep costly {"answer":42}
                answer #0.0 keep costly @0s
            #0 publish Stream {"n":0}
                frame 1: Stream {"n":0}
                answer #0.0 publish Stream @0s
            #0 wait Answer
                frame 3: WorkflowIdleEvent
            event Answer {"a":1}
                invoke #0.0 work(StartEvent) from 0s, committed 4, log: look-up costly @0s; keep costly @0s; publish Stream @0s; wait Answer = Answer {"a":1} @0s, memos: costly={"answer":42}
            #0 fail Boom ""
                timer 0 at 1s
            timer 0
                invoke #0.1 work(StartEvent), 1 failed in 0s, last Boom at 0s, memos: costly={"answer":42}
            #0 publish Stream {"n":0}
                frame 7: Stream {"n":0}
                answer #0.1 publish Stream @0s
            #0 wait Answer
                invoke #0.1 work(StartEvent) from 0s, committed 2, log: publish Stream @0s; wait Answer = Answer {"a":1} @0s, 1 failed in 0s, last Boom at 0s, memos: costly={"answer":42}
        "#]],
    );
}

#[test]
fn recoveries_that_are_used_up_are_told() {
    check(
        r#"
        step work: StartEvent Item -> StopEvent
        step recover: StepFailedEvent -> Item, catch work
        start
        #0 fail Boom "first"
        #1 return Item
        #2 fail Boom "second"
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 fail Boom "first"
                invoke #1.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"Boom","exception_message":"first"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #1 return Item
                invoke #2.0 work(Item)
            #2 fail Boom "second"
                frame 6: WorkflowFailedEvent {"step_name":"work","exception":{"exception_type":"Boom","exception_message":"second (the recoveries of step `recover` are used up (1): raise its `max_recoveries`)"},"attempts":1,"elapsed_seconds":0.0}
                failed: second (the recoveries of step `recover` are used up (1): raise its `max_recoveries`)
        "#]],
    );
}

#[test]
fn an_attempt_knows_of_those_before_it() {
    check(
        r#"
        step work: StartEvent -> StopEvent, retry 1
        @10 start
        @12 #0 fail Boom "first"
        @13 timer 0
        @14 #0 fail Bang "second"
        @15 timer 1
        @16 resume
        "#,
        expect![[r#"
            @10 start
                invoke #0.0 work(StartEvent)
            @12 #0 fail Boom "first"
                timer 0 at 13s
            @13 timer 0
                invoke #0.1 work(StartEvent), 1 failed in 3s, last Boom at 12s
            @14 #0 fail Bang "second"
                timer 1 at 15s
            @15 timer 1
                invoke #0.2 work(StartEvent), 2 failed in 5s, last Bang at 14s
            @16 resume
                invoke #0.2 work(StartEvent), 2 failed in 5s, last Bang at 14s
        "#]],
    );
}

#[test]
fn who_was_on_a_thread_counts_when_a_host_is_lost() {
    let mut world = super::played(
        "step split: StartEvent -> Item
        step work: Item -> StopEvent, slots 9
        step recover: StepFailedEvent -> Nothing, catch work
        start
        #0 return Item {\"i\":1}, Item {\"i\":2}",
    );
    (0..9).for_each(|_| world.line("resume on 2"));
    assert!(!world.out.contains("crashed"));
    world.line("resume planned on 2");
    assert!(!world.out.contains("crashed"), "a planned one does not count");
    world.line("resume on 2");
    assert!(world.out.contains("\"exception_type\":\"crashed\""), "the tenth is one too many");
    assert!(world.out.lines().last().is_some_and(|line| line.contains("invoke #3.0 recover")), "{}", world.out);
    world.line("#1 return StopEvent");
    assert!(world.out.ends_with("completed with StopEvent\n"), "its neighbour goes on");
}

#[test]
fn an_input_that_is_too_deep_to_be_handed_on_is_left_out_of_the_failure() {
    let input = |depth: usize| format!("{{\"x\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    for (depth, kept) in [(62, true), (63, false)] {
        let world = super::played(&format!(
            "step work: StartEvent -> StopEvent
            step recover: StepFailedEvent -> StopEvent, catch work
            start {}
            #0 fail Boom \"x\"",
            input(depth)
        ));
        assert_eq!(world.out.contains("\"value\":null"), !kept, "{depth}: {}", world.out);
    }
}

/// The check of a definition finds it.
#[test]
fn a_catch_error_step_that_joins_is_given_its_error_alone() {
    check(
        r#"
        step work: StartEvent -> Extra
        step recover: StepFailedEvent Extra -> StopEvent, join each catch work
        start
        #0 fail Boom ""
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 fail Boom ""
                invoke #1.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"StartEvent","value":{}},"exception":{"exception_type":"Boom","exception_message":""},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
        "#]],
    );
}
