//! How runs end, and when they are quiet.

use expect_test::expect;

use super::check;

#[test]
fn a_run_times_out_on_the_clock_that_stands_while_no_host_is_up() {
    check(
        r#"
        timeout 0.3
        additional Answer
        step nap: StartEvent -> StopEvent, slots 1
        step ask: StartEvent -> StopEvent
        step think: StartEvent -> StopEvent
        step retry: StartEvent -> StopEvent, retry 60
        @1000/7 start
        #0 sleep 1
        #1 wait Answer
        #3 fail Boom ""
        event StartEvent to nap
        @2000/7.1 resume
        @2000.2/7.3 timer 0
        #2 return StopEvent
        "#,
        expect![[r#"
            @1000/7 start
                timer 0 alive at 7.3s
                invoke #0.0 nap(StartEvent)
                invoke #1.0 ask(StartEvent)
                invoke #2.0 think(StartEvent)
                invoke #3.0 retry(StartEvent)
            #0 sleep 1
                timer 1 at 1001s
            #1 wait Answer
            #3 fail Boom ""
                timer 2 at 1060s
            event StartEvent to nap
            @2000/7.1 resume
                invoke #2.0 think(StartEvent)
            @2000.2/7.3 timer 0
                abort #2.0
                frame 7: WorkflowTimedOutEvent {"timeout":0.3,"active_steps":["nap","ask","think"]}
                failed: Workflow timed out after 0.3s
            #2 return StopEvent
        "#]],
    );
}

#[test]
fn a_timeout_of_whole_seconds_is_told_with_a_fraction_as_by_python() {
    check(
        r#"
        timeout 45
        step nap: StartEvent -> StopEvent
        start
        timer 0
        "#,
        expect![[r#"
            start
                timer 0 alive at 45s
                invoke #0.0 nap(StartEvent)
            timer 0
                abort #0.0
                frame 1: WorkflowTimedOutEvent {"timeout":45.0,"active_steps":["nap"]}
                failed: Workflow timed out after 45.0s
        "#]],
    );
}

#[test]
fn a_cancelled_run_aborts_its_guests_and_nothing_follows_the_terminal_frame() {
    check(
        r#"
        show steps
        step work: StartEvent -> StopEvent, slots 1
        start
        event StartEvent
        cancel
        #0 publish Stream
        cancel
        "#,
        expect![[r#"
            start
                frame 0: work running [0] StartEvent -> -
                invoke #0.0 work(StartEvent)
            event StartEvent
                frame 1: work preparing [<enqueued>] StartEvent -> -
            cancel
                abort #0.0
                frame 2: WorkflowCancelledEvent
                cancelled
            #0 publish Stream
            cancel
        "#]],
    );
}

#[test]
fn a_run_that_nothing_can_move_is_stuck_and_says_so() {
    check(
        r#"
        step split: StartEvent -> Item
        step pair: Item Other -> StopEvent, join each
        @1 start
        @2 #0 return Item
        "#,
        expect![[r#"
            @1 start
                invoke #0.0 split(StartEvent)
            @2 #0 return Item
                frame 2: WorkflowFailedEvent {"step_name":"","exception":{"exception_type":"stuck","exception_message":"the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event"},"attempts":null,"elapsed_seconds":1.0}
                failed: the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event
        "#]],
    );
    check(
        r#"
        timeout 60
        step work: Item -> StopEvent
        start
        "#,
        expect![[r#"
            start
                timer 0 alive at 60s
                frame 0: UnhandledEvent {"event_type":"StartEvent","qualified_name":"workflows.events.StartEvent","step_name":null,"idle":true}
                frame 1: WorkflowFailedEvent {"step_name":"","exception":{"exception_type":"stuck","exception_message":"the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event"},"attempts":null,"elapsed_seconds":0.0}
                failed: the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event
        "#]],
    );
}

#[test]
fn a_run_that_the_outside_can_move_is_idle_and_stays() {
    check(
        r#"
        type Answer: human-response
        step split: StartEvent -> Item
        step reply: Answer -> Item
        start
        #0 return
        event Nope
        event Answer
        #1 return
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return
                frame 2: WorkflowIdleEvent
            event Nope
                frame 3: UnhandledEvent {"event_type":"Nope","qualified_name":"demo.Nope","step_name":null,"idle":true}
            event Answer
                invoke #1.0 reply(Answer)
            #1 return
                frame 6: WorkflowIdleEvent
        "#]],
    );
    check(
        r#"
        additional Answer
        step split: StartEvent -> Item
        start
        #0 return
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return
                frame 2: WorkflowIdleEvent
        "#]],
    );
}

#[test]
fn a_run_that_waits_is_idle_and_one_that_sleeps_or_will_retry_is_not() {
    check(
        r#"
        step wait: StartEvent -> StopEvent
        step sleep: StartEvent -> StopEvent
        step retry: StartEvent -> StopEvent, retry 1
        start
        #0 wait HumanResponseEvent timeout 9
        #1 sleep 1
        #2 fail Boom ""
        timer 1
        #1 return StopEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 wait(StartEvent)
                invoke #1.0 sleep(StartEvent)
                invoke #2.0 retry(StartEvent)
            #0 wait HumanResponseEvent timeout 9
                timer 0 alive at 9s
            #1 sleep 1
                timer 1 at 1s
            #2 fail Boom ""
                timer 2 at 1s
            timer 1
                invoke #1.0 sleep(StartEvent) from 0s, committed 1, log: sleep = over @1s
            #1 return StopEvent
                frame 6: StopEvent
                completed with StopEvent
        "#]],
    );
    check(
        r#"
        step wait: StartEvent -> StopEvent
        start
        #0 wait HumanResponseEvent timeout 9
        event Other
        timer 0
        #0 return
        "#,
        expect![[r#"
            start
                invoke #0.0 wait(StartEvent)
            #0 wait HumanResponseEvent timeout 9
                timer 0 alive at 9s
                frame 2: WorkflowIdleEvent
            event Other
                frame 3: UnhandledEvent {"event_type":"Other","qualified_name":"demo.Other","step_name":null,"idle":true}
            timer 0
                invoke #0.0 wait(StartEvent) from 0s, committed 1, log: wait HumanResponseEvent = timed out @0s
            #0 return
                frame 6: WorkflowFailedEvent {"step_name":"","exception":{"exception_type":"stuck","exception_message":"the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event"},"attempts":null,"elapsed_seconds":0.0}
                failed: the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event
        "#]],
    );
}

#[test]
fn what_was_asked_before_the_stop_is_shown_also_when_it_was_sent() {
    check(
        r#"
        type Ask: input-required
        step work: StartEvent -> Ask StopEvent
        start
        #0 send Ask {"by":"send"}; return Ask {"by":"return"}, StopEvent, Ask {"by":"nobody"}
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 send Ask {"by":"send"}; return Ask {"by":"return"}, StopEvent, Ask {"by":"nobody"}
                frame 2: Ask {"by":"send"}
                frame 3: Ask {"by":"return"}
                frame 4: StopEvent
                completed with StopEvent
        "#]],
    );
}

#[test]
fn a_step_returns_no_event_that_only_the_host_makes() {
    check(
        r#"
        step work: StartEvent -> StopEvent, retry 1
        step other: StartEvent -> StopEvent, retry 1
        start
        #0 return WorkflowCancelledEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
                invoke #1.0 other(StartEvent)
            #0 return WorkflowCancelledEvent
                abort #1.0
                frame 3: WorkflowFailedEvent {"step_name":"work","exception":{"exception_type":"invalid","exception_message":"step `work` returned `WorkflowCancelledEvent`, which only the host makes: use an event type of your own"},"attempts":1,"elapsed_seconds":0.0}
                failed: step `work` returned `WorkflowCancelledEvent`, which only the host makes: use an event type of your own
        "#]],
    );
}

#[test]
fn a_step_that_may_return_any_type_returns_those_that_are_declared() {
    check(
        r#"
        type Plain: plain
        step work: StartEvent -> any
        step next: Plain -> StopEvent
        step third: Plain -> StopEvent, any
        start
        #0 return Plain
        #2 return Nope
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 return Plain
                invoke #1.0 next(Plain)
                invoke #2.0 third(Plain)
            #2 return Nope
                abort #1.0
                frame 5: WorkflowFailedEvent {"step_name":"third","exception":{"exception_type":"invalid","exception_message":"step `third` returned `Nope`, which it does not declare: add the type to what the step emits"},"attempts":1,"elapsed_seconds":0.0}
                failed: step `third` returned `Nope`, which it does not declare: add the type to what the step emits
        "#]],
    );
}
