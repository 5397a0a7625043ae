//! Steps that take several events.

use expect_test::expect;

use super::check;

#[test]
fn an_each_join_pairs_first_in_first_out() {
    check(
        r#"
        additional Answer
        step split: StartEvent -> A B
        step pair: A B -> Done, join each
        start
        #0 return A {"i":1}, A {"i":2}, B {"i":1}
        event B {"i":2}
        event B {"i":3}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return A {"i":1}, A {"i":2}, B {"i":1}
                invoke #1.0 pair(A {"i":1}, B {"i":1})
            event B {"i":2}
                invoke #2.0 pair(A {"i":2}, B {"i":2})
            event B {"i":3}
        "#]],
    );
}

#[test]
fn an_each_join_takes_a_subtype_for_its_type() {
    check(
        r#"
        type Special: plain of A
        step split: StartEvent -> Special B
        step pair: A B -> Done, join each subtypes
        start
        #0 return B, Special
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return B, Special
                invoke #1.0 pair(Special, B)
        "#]],
    );
}

#[test]
fn an_all_join_fires_when_nothing_of_its_scope_is_in_flight() {
    check(
        r#"
        step split: StartEvent -> Item, fan-out
        step work: Item -> Half Done, retry 1
        step finish: Half -> Done
        step gather: Done -> StopEvent, join all
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
        #2 return Done {"i":2}
        #1 return Half {"i":1}
        #3 fail Boom "once"
        #4 return Done {"i":1}
        timer 0
        #3 return Done {"i":3}, Done {"i":33}
        #5 return StopEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
                invoke #3.0 work(Item {"i":3})
            #2 return Done {"i":2}
            #1 return Half {"i":1}
                invoke #4.0 finish(Half {"i":1})
            #3 fail Boom "once"
                timer 0 at 1s
            #4 return Done {"i":1}
            timer 0
                invoke #3.1 work(Item {"i":3})
            #3 return Done {"i":3}, Done {"i":33}
                invoke #5.0 gather(Done {"i":2}, Done {"i":1}, Done {"i":3}, Done {"i":33})
            #5 return StopEvent
                frame 14: StopEvent
                completed with StopEvent
        "#]],
    );
}

#[test]
fn an_empty_fan_out_fires_its_join_with_nothing() {
    check(
        r#"
        show steps
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done
        step gather: Done -> StopEvent, join all
        start
        #0 return
        #1 return StopEvent {"result":[]}
        "#,
        expect![[r#"
            start
                frame 0: split running [0] StartEvent -> -
                invoke #0.0 split(StartEvent)
            #0 return
                frame 1: split not_running [0] StartEvent -> -
                frame 2: gather running [0]  -> -
                invoke #1.0 gather()
            #1 return StopEvent {"result":[]}
                frame 3: gather not_running [0]  -> StopEvent
                frame 4: StopEvent {"result":[]}
                completed with StopEvent {"result":[]}
        "#]],
    );
}

#[test]
fn scopes_nest() {
    check(
        r#"
        step outer: StartEvent -> Group, fan-out
        step inner: Group -> Item, fan-out
        step work: Item -> Done
        step gather: Done -> Sum, join all
        step total: Sum -> StopEvent, join all
        start
        #0 return Group {"g":1}, Group {"g":2}
        #1 return Item {"g":1,"i":1}, Item {"g":1,"i":2}
        #2 return
        #5 return Sum {"g":2}
        #4 return Done {"g":1,"i":2}
        #3 return Done {"g":1,"i":1}
        #6 return Sum {"g":1}
        #7 return StopEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 outer(StartEvent)
            #0 return Group {"g":1}, Group {"g":2}
                invoke #1.0 inner(Group {"g":1})
                invoke #2.0 inner(Group {"g":2})
            #1 return Item {"g":1,"i":1}, Item {"g":1,"i":2}
                invoke #3.0 work(Item {"g":1,"i":1})
                invoke #4.0 work(Item {"g":1,"i":2})
            #2 return
                invoke #5.0 gather()
            #5 return Sum {"g":2}
            #4 return Done {"g":1,"i":2}
            #3 return Done {"g":1,"i":1}
                invoke #6.0 gather(Done {"g":1,"i":2}, Done {"g":1,"i":1})
            #6 return Sum {"g":1}
                invoke #7.0 total(Sum {"g":2}, Sum {"g":1})
            #7 return StopEvent
                frame 16: StopEvent
                completed with StopEvent
        "#]],
    );
}

#[test]
fn what_is_sent_has_no_scope() {
    check(
        r#"
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done
        step gather: Done -> StopEvent, join all
        start
        #0 return Item {"i":1}, Item {"i":2}
        #1 send Done {"sent":1}; return Done {"i":1}
        event Done {"from":"outside"}
        #2 send Item {"i":3}; return Done {"i":2}
        #3 return Done {"i":3}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
            #1 send Done {"sent":1}; return Done {"i":1}
                frame 5: UnhandledEvent {"event_type":"Done","qualified_name":"demo.Done","step_name":null,"idle":false}
            event Done {"from":"outside"}
                frame 6: UnhandledEvent {"event_type":"Done","qualified_name":"demo.Done","step_name":null,"idle":false}
            #2 send Item {"i":3}; return Done {"i":2}
                invoke #3.0 work(Item {"i":3})
                invoke #4.0 gather(Done {"i":1}, Done {"i":2})
            #3 return Done {"i":3}
                frame 11: UnhandledEvent {"event_type":"Done","qualified_name":"demo.Done","step_name":null,"idle":false}
        "#]],
    );
}

#[test]
fn a_wait_keeps_its_scope_open() {
    check(
        r#"
        additional Answer
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done
        step gather: Done -> StopEvent, join all
        start
        #0 return Item {"i":1}, Item {"i":2}
        #1 wait Answer
        #2 return Done {"i":2}
        event Answer
        #1 return Done {"i":1}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
            #1 wait Answer
            #2 return Done {"i":2}
                frame 5: WorkflowIdleEvent
            event Answer
                invoke #1.0 work(Item {"i":1}) from 0s, committed 1, log: wait Answer = Answer @0s
            #1 return Done {"i":1}
                invoke #3.0 gather(Done {"i":2}, Done {"i":1})
        "#]],
    );
}

#[test]
fn a_caught_error_keeps_its_scope() {
    check(
        r#"
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done
        step recover: StepFailedEvent -> Done, catch work
        step gather: Done -> StopEvent, join all
        start
        #0 return Item {"i":1}, Item {"i":2}
        #1 return Done {"i":1}
        @3 #2 fail Boom "no"
        #3 return Done {"i":-2}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
            #1 return Done {"i":1}
            @3 #2 fail Boom "no"
                invoke #3.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"Item","value":{"i":2}},"exception":{"exception_type":"Boom","exception_message":"no"},"attempts":1,"elapsed_seconds":3.0,"failed_at":"1970-01-01T00:00:03.000000+00:00"})
            #3 return Done {"i":-2}
                invoke #4.0 gather(Done {"i":1}, Done {"i":-2})
        "#]],
    );
}

#[test]
fn a_pair_of_two_scopes_belongs_to_the_inner_one() {
    check(
        r#"
        step split: StartEvent -> A, fan-out
        step pair: A B -> Done, join each
        step gather: Done -> StopEvent, join all
        start
        event B {"i":1}
        #0 return A {"i":1}
        #1 return Done
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            event B {"i":1}
            #0 return A {"i":1}
                invoke #1.0 pair(A {"i":1}, B {"i":1})
            #1 return Done
                invoke #2.0 gather(Done)
        "#]],
    );
}

#[test]
fn an_unpaired_event_does_not_keep_its_scope_open() {
    check(
        r#"
        type Answer: human-response
        step split: StartEvent -> A, fan-out
        step pair: A Answer -> Done, join each
        step gather: Done -> StopEvent, join all
        start
        #0 return A {"i":1}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return A {"i":1}
                invoke #1.0 gather()
        "#]],
    );
}
