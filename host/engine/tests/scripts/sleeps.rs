//! `time.sleep`, and the time that a step has.

use expect_test::expect;

use super::check;

#[test]
fn a_short_sleep_keeps_its_instance_and_a_long_one_drops_it_and_both_keep_their_slot() {
    check(
        r#"
        step nap: StartEvent -> StopEvent, slots 1
        start
        event StartEvent
        @1 #0 set n 1; sleep 0.5
        @1.5 timer 0
        @2 #0 sleep 1
        @3.2 timer 1
        #0 return
        "#,
        expect![[r#"
            start
                invoke #0.0 nap(StartEvent)
            event StartEvent
            @1 #0 set n 1; sleep 0.5
                timer 0 at 1.5s
            @1.5 timer 0
                answer #0.0 sleep = over @1.5s
            @2 #0 sleep 1
                timer 1 at 3s
            @3.2 timer 1
                invoke #0.0 nap(StartEvent) from 0s, committed 3, log: set n @1s; sleep = over @1.5s; sleep = over @3.2s
            #0 return
                invoke #1.0 nap(StartEvent)
        "#]],
    );
}

#[test]
fn a_short_sleep_whose_instance_is_lost_ends_in_a_new_one() {
    check(
        r#"
        step nap: StartEvent -> StopEvent
        start
        @1 #0 sleep 0.5
        @1.2 resume
        @1.5 timer 0
        "#,
        expect![[r#"
            start
                invoke #0.0 nap(StartEvent)
            @1 #0 sleep 0.5
                timer 0 at 1.5s
            @1.2 resume
            @1.5 timer 0
                invoke #0.0 nap(StartEvent) from 0s, committed 1, log: sleep = over @1.5s
        "#]],
    );
}

#[test]
fn a_sleep_is_due_in_utc_also_when_it_passed_while_no_host_was_up() {
    check(
        r#"
        step nap: StartEvent -> StopEvent
        start
        @10/10 #0 sleep 5
        @99/11 resume
        @99/11 timer 0
        "#,
        expect![[r#"
            start
                invoke #0.0 nap(StartEvent)
            @10/10 #0 sleep 5
                timer 0 at 15s
            @99/11 resume
            @99/11 timer 0
                invoke #0.0 nap(StartEvent) from 0s, committed 1, log: sleep = over @99s
        "#]],
    );
}

#[test]
fn a_failure_during_a_short_sleep_clears_its_timer() {
    check(
        r#"
        step nap: StartEvent -> StopEvent
        start
        #0 sleep 0.5
        #0 fail trap "killed"
        "#,
        expect![[r#"
            start
                invoke #0.0 nap(StartEvent)
            #0 sleep 0.5
                timer 0 at 0.5s
            #0 fail trap "killed"
                clear timer 0
                frame 2: WorkflowFailedEvent {"step_name":"nap","exception":{"exception_type":"trap","exception_message":"killed"},"attempts":1,"elapsed_seconds":0.0}
                failed: killed
        "#]],
    );
}

#[test]
fn the_time_of_a_step_counts_only_while_it_executes() {
    check(
        r#"
        additional Answer
        step work: StartEvent -> StopEvent, timeout 10 retry 1
        start
        @2 #0 wait Answer; used 0 2 65536
        @50 event Answer
        @53 #0 sleep 2; used 50 3 65536
        @55 timer 0
        @55.5 #0 sleep 0.5; used 55 0.5 65536
        @56 timer 1
        @57 #0 sleep 1; used 55 1.5 65536
        @58 timer 2
        @59 #0 fail Boom "again"
        @60 timer 3
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent), 10s left
            @2 #0 wait Answer; used 0 2 65536
                frame 2: WorkflowIdleEvent
            @50 event Answer
                invoke #0.0 work(StartEvent) from 0s, committed 1, log: wait Answer = Answer @50s, 8s left
            @53 #0 sleep 2; used 50 3 65536
                timer 0 at 55s
            @55 timer 0
                invoke #0.0 work(StartEvent) from 0s, committed 2, log: wait Answer = Answer @50s; sleep = over @55s, 5s left
            @55.5 #0 sleep 0.5; used 55 0.5 65536
                timer 1 at 56s
            @56 timer 1
                answer #0.0 sleep = over @56s
            @57 #0 sleep 1; used 55 1.5 65536
                timer 2 at 58s
            @58 timer 2
                invoke #0.0 work(StartEvent) from 0s, committed 4, log: wait Answer = Answer @50s; sleep = over @55s; sleep = over @56s; sleep = over @58s, 3.5s left
            @59 #0 fail Boom "again"
                timer 3 at 60s
            @60 timer 3
                invoke #0.1 work(StartEvent), 1 failed in 60s, last Boom at 59s, 10s left
        "#]],
    );
}

#[test]
fn a_step_never_sees_time_go_back() {
    check(
        r#"
        step nap: StartEvent -> StopEvent
        @100 start
        @90 #0 sleep 1
        @95 timer 0
        "#,
        expect![[r#"
            @100 start
                invoke #0.0 nap(StartEvent)
            @90 #0 sleep 1
                timer 0 at 91s
            @95 timer 0
                invoke #0.0 nap(StartEvent) from 100s, committed 1, log: sleep = over @95s
        "#]],
    );
}

#[test]
fn a_clock_that_was_wrong_once_does_not_hold_for_ever() {
    check(
        r#"
        additional Nope
        step nap: StartEvent -> StopEvent, retry 1
        @1000 start
        @4102444800/1001 event Nope
        @1002 #0 sleep 5
        @1007 timer 0
        @1008 #0 fail Boom ""
        "#,
        expect![[r#"
            @1000 start
                invoke #0.0 nap(StartEvent)
            @4102444800/1001 event Nope
                frame 1: UnhandledEvent {"event_type":"Nope","qualified_name":"demo.Nope","step_name":null,"idle":false}
            @1002 #0 sleep 5
                timer 0 at 1007s
            @1007 timer 0
                invoke #0.0 nap(StartEvent) from 1000s, committed 1, log: sleep = over @1007s
            @1008 #0 fail Boom ""
                timer 1 at 1009s
        "#]],
    );
}

/// A busy machine, or one that stands still, lets an instance wait: that is none of the step's time.
#[test]
fn a_steps_timeout_counts_what_the_entries_of_an_attempt_computed() {
    check(
        r#"
        step work: StartEvent -> StopEvent, timeout 5
        start
        @100/100 #0 keep draft 1; used 0 1 65536
        @101/101 #0 sleep 60; used 0 1.5 65536
        @161/161 timer 0
        @200/200 #0 sleep 60; used 161 2 65536
        @260/260 timer 1
        resume
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent), 5s left
            @100/100 #0 keep draft 1; used 0 1 65536
                answer #0.0 keep draft @100s
            @101/101 #0 sleep 60; used 0 1.5 65536
                timer 0 at 161s
            @161/161 timer 0
                invoke #0.0 work(StartEvent) from 0s, committed 2, log: keep draft @100s; sleep = over @161s, memos: draft=1, 3.5s left
            @200/200 #0 sleep 60; used 161 2 65536
                timer 1 at 260s
            @260/260 timer 1
                invoke #0.0 work(StartEvent) from 0s, committed 3, log: keep draft @100s; sleep = over @161s; sleep = over @260s, memos: draft=1, 1.5s left
            resume
                invoke #0.0 work(StartEvent) from 0s, committed 3, log: keep draft @100s; sleep = over @161s; sleep = over @260s, memos: draft=1, 1.5s left
        "#]],
    );
}
