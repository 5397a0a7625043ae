//! Who gets an event, and when it is let in.

use expect_test::expect;

use super::check;

#[test]
fn an_event_goes_to_every_step_that_accepts_exactly_its_type() {
    check(
        r#"
        type Special: plain of Item
        step split: StartEvent -> Item Special
        step work: Item -> StopEvent
        step log: Item -> Logged
        step lenient: Item -> StopEvent, subtypes
        start
        #0 return Item {"i":1}
        #1 return
        event Special {"i":2}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 log(Item {"i":1})
                invoke #3.0 lenient(Item {"i":1})
            #1 return
            event Special {"i":2}
                invoke #4.0 lenient(Special {"i":2})
        "#]],
    );
}

#[test]
fn a_directed_event_goes_to_one_step() {
    check(
        r#"
        step split: StartEvent -> Item
        step work: Item -> StopEvent
        step other: Item -> StopEvent
        start
        #0 send Item {"i":1} to other; commit
        event Item {"i":2} to work
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 send Item {"i":1} to other; commit
                answer #0.0 commit @0s
                invoke #1.0 other(Item {"i":1})
            event Item {"i":2} to work
                invoke #2.0 work(Item {"i":2})
        "#]],
    );
}

#[test]
fn an_event_that_nobody_takes_is_told_to_the_stream() {
    check(
        r#"
        additional Answer
        step split: StartEvent -> Item
        step work: Other -> StopEvent
        start
        #0 send Item to work; commit
        #0 return Item {"i":1}
        event Other to split
        event StopEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 send Item to work; commit
                answer #0.0 commit @0s
                frame 1: UnhandledEvent {"event_type":"Item","qualified_name":"demo.Item","step_name":"work","idle":false}
            #0 return Item {"i":1}
                frame 3: UnhandledEvent {"event_type":"Item","qualified_name":"demo.Item","step_name":null,"idle":true}
                frame 4: WorkflowIdleEvent
            event Other to split
                frame 5: UnhandledEvent {"event_type":"Other","qualified_name":"demo.Other","step_name":"split","idle":true}
            event StopEvent
                frame 6: UnhandledEvent {"event_type":"StopEvent","qualified_name":"workflows.events.StopEvent","step_name":null,"idle":true}
        "#]],
    );
}

#[test]
fn a_step_runs_at_once_as_many_as_it_has_slots_in_order_of_arrival() {
    check(
        r#"
        show steps
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done, slots 2
        step end: Done -> StopEvent
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}, Item {"i":4}
        #2 return
        #1 return Done
        "#,
        expect![[r#"
            start
                frame 0: split running [0] StartEvent -> -
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}, Item {"i":4}
                frame 1: split not_running [0] StartEvent -> Item
                frame 2: work running [0] Item -> -
                invoke #1.0 work(Item {"i":1})
                frame 3: work running [1] Item -> -
                invoke #2.0 work(Item {"i":2})
                frame 4: work preparing [<enqueued>] Item -> -
                frame 5: work preparing [<enqueued>] Item -> -
            #2 return
                frame 6: work not_running [1] Item -> -
                frame 7: work running [1] Item -> -
                invoke #3.0 work(Item {"i":3})
            #1 return Done
                frame 8: work not_running [0] Item -> Done
                frame 9: work running [0] Item -> -
                invoke #4.0 work(Item {"i":4})
                frame 10: end running [0] Done -> -
                invoke #5.0 end(Done)
        "#]],
    );
}

#[test]
fn a_step_has_four_slots_where_it_does_not_say() {
    check(
        r#"
        step split: StartEvent -> Item
        step work: Item -> StopEvent
        start
        #0 return Item, Item, Item, Item, Item
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item, Item, Item, Item, Item
                invoke #1.0 work(Item)
                invoke #2.0 work(Item)
                invoke #3.0 work(Item)
                invoke #4.0 work(Item)
        "#]],
    );
}

#[test]
fn a_returned_stop_event_ends_the_run_and_aborts_what_is_in_flight() {
    check(
        r#"
        show steps
        type Ask: input-required
        type Out: stop
        step split: StartEvent -> Item Ask Out
        step work: Item -> StopEvent
        start
        event Item
        event Item
        #1 sleep 0.5
        #0 send Item; return Ask {"q":1}, Out {"output":"hi"}, Ask {"q":2}
        event Item
        #1 return StopEvent
        timer 0
        "#,
        expect![[r#"
            start
                frame 0: split running [0] StartEvent -> -
                invoke #0.0 split(StartEvent)
            event Item
                frame 1: work running [0] Item -> -
                invoke #1.0 work(Item)
            event Item
                frame 2: work running [1] Item -> -
                invoke #2.0 work(Item)
            #1 sleep 0.5
                timer 0 at 0.5s
            #0 send Item; return Ask {"q":1}, Out {"output":"hi"}, Ask {"q":2}
                frame 3: split not_running [0] StartEvent -> Ask
                frame 4: Ask {"q":1}
                abort #1.0
                abort #2.0
                frame 5: Out {"output":"hi"}
                completed with Out {"output":"hi"}
            event Item
            #1 return StopEvent
            timer 0
        "#]],
    );
}

#[test]
fn an_input_required_event_is_published_and_needs_no_consumer() {
    check(
        r#"
        type Ask: input-required
        type Answer: human-response
        step prompt: StartEvent -> Ask
        step greet: Answer -> StopEvent
        start
        #0 send Ask {"q":0}; return Ask {"q":1}
        event Answer {"a":"x"}
        #1 return StopEvent {"result":"x"}
        "#,
        expect![[r#"
            start
                invoke #0.0 prompt(StartEvent)
            #0 send Ask {"q":0}; return Ask {"q":1}
                frame 2: Ask {"q":0}
                frame 3: Ask {"q":1}
                frame 4: WorkflowIdleEvent
            event Answer {"a":"x"}
                invoke #1.0 greet(Answer {"a":"x"})
            #1 return StopEvent {"result":"x"}
                frame 7: StopEvent {"result":"x"}
                completed with StopEvent {"result":"x"}
        "#]],
    );
}
