//! One path for a crash, a hand-over and a reload: the journal is replayed, then `Resumed`.

use expect_test::expect;
use wf_engine::effect::Effect;
use wf_engine::journal;
use wf_engine::run::Run;

use super::{check, played};

#[test]
fn the_same_attempt_goes_on_with_its_log_and_no_frame_is_written_again() {
    check(
        r#"
        show steps
        step work: StartEvent -> StopEvent
        step other: Item -> StopEvent
        @5 start
        @6 #0 set a 1; commit
        @7 #0 set b 2; send Item; publish Stream {"n":0}
        @50 resume
        @51 #0 publish Stream {"n":1}
        @52 #0 return StopEvent
        "#,
        expect![[r#"
            @5 start
                frame 0: work running [0] StartEvent -> -
                invoke #0.0 work(StartEvent)
            @6 #0 set a 1; commit
                answer #0.0 commit @6s
            @7 #0 set b 2; send Item; publish Stream {"n":0}
                frame 1: Stream {"n":0}
                answer #0.0 publish Stream @7s
            @50 resume
                invoke #0.0 work(StartEvent) from 5s, committed 2, log: set a @6s; commit @6s; set b @7s; send Item @7s; publish Stream @7s
            @51 #0 publish Stream {"n":1}
                frame 2: Stream {"n":1}
                answer #0.0 publish Stream @51s
            @52 #0 return StopEvent
                frame 3: work not_running [0] StartEvent -> StopEvent
                frame 4: StopEvent
                completed with StopEvent
        "#]],
    );
}

#[test]
fn what_was_executing_is_entered_and_every_timer_set_again() {
    check(
        r#"
        timeout 60
        additional Answer
        step work: StartEvent -> StopEvent, slots 2 retry 9
        start {"n":0}
        event StartEvent {"n":1}
        event StartEvent {"n":2}
        event StartEvent {"n":3}
        event StartEvent {"n":4}
        #0 wait Answer timeout 30
        #1 sleep 20
        #2 fail Boom ""
        resume
        "#,
        expect![[r#"
            start {"n":0}
                timer 0 alive at 60s
                invoke #0.0 work(StartEvent {"n":0})
            event StartEvent {"n":1}
                invoke #1.0 work(StartEvent {"n":1})
            event StartEvent {"n":2}
            event StartEvent {"n":3}
            event StartEvent {"n":4}
            #0 wait Answer timeout 30
                timer 1 alive at 30s
                invoke #2.0 work(StartEvent {"n":2})
            #1 sleep 20
                timer 2 at 20s
            #2 fail Boom ""
                timer 3 at 9s
                invoke #3.0 work(StartEvent {"n":3})
            resume
                invoke #3.0 work(StartEvent {"n":3})
        "#]],
    );
}

#[test]
fn a_report_that_is_late_or_comes_twice_changes_nothing() {
    check(
        r#"
        additional Answer
        step work: StartEvent -> StopEvent Item, retry 1
        step next: Item -> StopEvent
        start
        #9 return StopEvent
        #0 fail Boom ""
        #0.0 return StopEvent
        #0.0 fail Boom ""
        timer 0
        timer 0
        #0.0 return StopEvent
        #0.1 return Item
        #0.1 return Item
        #0.1 fail Boom ""
        #1 return StopEvent
        #1 return StopEvent
        cancel
        resume
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #9 return StopEvent
            #0 fail Boom ""
                timer 0 at 1s
            #0.0 return StopEvent
            #0.0 fail Boom ""
            timer 0
                invoke #0.1 work(StartEvent), 1 failed in 0s, last Boom at 0s
            timer 0
            #0.0 return StopEvent
            #0.1 return Item
                invoke #1.0 next(Item)
            #0.1 return Item
            #0.1 fail Boom ""
            #1 return StopEvent
                frame 6: StopEvent
                completed with StopEvent
            #1 return StopEvent
            cancel
            resume
        "#]],
    );
}

#[test]
fn calls_that_are_recorded_already_are_not_recorded_again() {
    check(
        r#"
        step work: StartEvent -> StopEvent
        start
        #0 publish Stream {"n":0}
        #0 publish Stream {"n":1}
        resume
        #0.0 publish Stream {"n":2}
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 publish Stream {"n":0}
                frame 1: Stream {"n":0}
                answer #0.0 publish Stream @0s
            #0 publish Stream {"n":1}
                frame 2: Stream {"n":1}
                answer #0.0 publish Stream @0s
            resume
                invoke #0.0 work(StartEvent) from 0s, committed 0, log: publish Stream @0s; publish Stream @0s
            #0.0 publish Stream {"n":2}
                frame 3: Stream {"n":2}
                answer #0.0 publish Stream @0s
        "#]],
    );
}

#[test]
fn an_attempt_that_takes_down_ten_hosts_in_a_row_fails() {
    let nine = "resume\n".repeat(9);
    let planned = "resume planned\n".repeat(3);
    check(
        &format!("step work: StartEvent -> StopEvent, retry 1 attempts 2\n start\n {nine} {planned} resume"),
        expect![[r#"
        start
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume planned
            invoke #0.0 work(StartEvent)
        resume planned
            invoke #0.0 work(StartEvent)
        resume planned
            invoke #0.0 work(StartEvent)
        resume
            frame 2: WorkflowFailedEvent {"step_name":"work","exception":{"exception_type":"crashed","exception_message":"step `work` was entered 10 times, and each time its host was lost before it recorded anything"},"attempts":1,"elapsed_seconds":0.0}
            failed: step `work` was entered 10 times, and each time its host was lost before it recorded anything
    "#]],
    );
}

#[test]
fn what_an_attempt_records_in_between_ends_the_count() {
    let nine = "resume\n".repeat(9);
    check(
        &format!("step work: StartEvent -> StopEvent\n start\n {nine} #0 log; commit\n {nine} #0 return StopEvent"),
        expect![[r#"
        start
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        resume
            invoke #0.0 work(StartEvent)
        #0 log; commit
            answer #0.0 commit @0s
        resume
            invoke #0.0 work(StartEvent) from 0s, committed 2, log: log @0s; commit @0s
        resume
            invoke #0.0 work(StartEvent) from 0s, committed 2, log: log @0s; commit @0s
        resume
            invoke #0.0 work(StartEvent) from 0s, committed 2, log: log @0s; commit @0s
        resume
            invoke #0.0 work(StartEvent) from 0s, committed 2, log: log @0s; commit @0s
        resume
            invoke #0.0 work(StartEvent) from 0s, committed 2, log: log @0s; commit @0s
        resume
            invoke #0.0 work(StartEvent) from 0s, committed 2, log: log @0s; commit @0s
        resume
            invoke #0.0 work(StartEvent) from 0s, committed 2, log: log @0s; commit @0s
        resume
            invoke #0.0 work(StartEvent) from 0s, committed 2, log: log @0s; commit @0s
        resume
            invoke #0.0 work(StartEvent) from 0s, committed 2, log: log @0s; commit @0s
        #0 return StopEvent
            frame 2: StopEvent
            completed with StopEvent
    "#]],
    );
}

/// What it does beyond its log may be another thing than what was done there before.
#[test]
fn an_entry_says_whether_the_one_before_was_lost() {
    let script = "additional Answer\n step work: StartEvent -> StopEvent\n start\n resume planned\n #0 wait Answer\n event Answer\n resume";
    let world = played(script);
    let mut run = Run::new(world.definition);
    let effects = world.journal.iter().flat_map(|entry| journal::accept(&mut run, entry).expect("the journal fits"));
    let lost: Vec<bool> = effects.filter_map(|effect| if let Effect::Invoke(it) = effect { Some(it.lost) } else { None }).collect();
    assert_eq!(lost, [false, true, false, true]);
}

#[test]
fn a_run_needs_a_resume_only_where_something_was_executing() {
    let needs = |inputs: &str| {
        let workflow = "additional Answer\n step work: StartEvent -> StopEvent, retry 9 slots 1\n";
        played(&format!("{workflow}{inputs}")).run.needs_resume()
    };
    assert!(!needs(""), "it queues");
    assert!(needs("start"));
    assert!(needs("start\n #0 sleep 0.5"), "a short sleep has its instance");
    assert!(!needs("start\n #0 sleep 5"));
    assert!(!needs("start\n #0 wait Answer"));
    assert!(!needs("start\n #0 fail Boom \"\""), "it waits for its next attempt");
    assert!(!needs("start\n #0 return StopEvent"));
}
