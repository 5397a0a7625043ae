//! Steps that take several events.

use expect_test::expect;

use super::{check, played};

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
                invoke #3.1 work(Item {"i":3}), 1 failed in 0s, last Boom at 0s
            #3 return Done {"i":3}, Done {"i":33}
                invoke #5.0 gather(Done {"i":1}, Done {"i":2}, Done {"i":3}, Done {"i":33})
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
                invoke #6.0 gather(Done {"g":1,"i":1}, Done {"g":1,"i":2})
            #6 return Sum {"g":1}
                invoke #7.0 total(Sum {"g":1}, Sum {"g":2})
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
                frame 6: WorkflowIdleEvent
            event Answer
                invoke #1.0 work(Item {"i":1}) from 0s, committed 1, log: wait Answer = Answer @0s
            #1 return Done {"i":1}
                invoke #3.0 gather(Done {"i":1}, Done {"i":2})
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
fn a_pair_of_two_scopes_is_made_where_both_are_once_the_inner_one_is_closed() {
    check(
        r#"
        step split: StartEvent -> A, fan-out
        step pair: A B -> Done, join each
        step gather: Done -> StopEvent, join all
        start
        event B {"i":1}
        #0 return A {"i":1}
        #1 return
        #2 return Done
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            event B {"i":1}
            #0 return A {"i":1}
                invoke #2.0 pair(A {"i":1}, B {"i":1})
                invoke #1.0 gather()
            #1 return
            #2 return Done
                frame 6: UnhandledEvent {"event_type":"Done","qualified_name":"demo.Done","step_name":null,"idle":true}
                frame 7: WorkflowFailedEvent {"step_name":"","exception":{"exception_type":"stuck","exception_message":"the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event"},"attempts":null,"elapsed_seconds":0.0}
                failed: the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event
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

const NESTED: &str = r#"
    step outer: StartEvent -> Group, fan-out
    step inner: Group -> Item, fan-out
    step work: Item -> A B Done, slots 9
    step pair: A B -> Done, join each
    step gather: Done -> Sum, join all
    step total: Sum -> StopEvent, join all
    start
    #0 return Group {"g":1}, Group {"g":2}
    #1 return Item {"i":1}, Item {"i":11}
    #2 return Item {"i":2}
"#;

/// What is left when both halves of a pair came from different groups.
#[test]
fn an_each_join_pairs_within_one_scope_and_what_is_unpaired_moves_up() {
    check(
        &format!("{NESTED} #3 return A\n #5 return B\n #4 return Done\n #6 return Sum\n #7 return Sum\n #8 return Done {{\"pair\":1}}"),
        expect![[r#"
            start
                invoke #0.0 outer(StartEvent)
            #0 return Group {"g":1}, Group {"g":2}
                invoke #1.0 inner(Group {"g":1})
                invoke #2.0 inner(Group {"g":2})
            #1 return Item {"i":1}, Item {"i":11}
                invoke #3.0 work(Item {"i":1})
                invoke #4.0 work(Item {"i":11})
            #2 return Item {"i":2}
                invoke #5.0 work(Item {"i":2})
            #3 return A
            #5 return B
                invoke #6.0 gather()
            #4 return Done
                invoke #8.0 pair(A, B)
                invoke #7.0 gather(Done)
            #6 return Sum
            #7 return Sum
            #8 return Done {"pair":1}
                invoke #9.0 total(Sum, Sum)
                frame 19: UnhandledEvent {"event_type":"Done","qualified_name":"demo.Done","step_name":null,"idle":false}
        "#]],
    );
}

#[test]
fn how_an_each_join_pairs_does_not_depend_on_who_is_first() {
    let first = played(&format!("{NESTED} #3 return A\n #5 return B\n #4 return Done"));
    let second = played(&format!("{NESTED} #3 return A\n #4 return Done\n #5 return B"));
    let pairs = |world: &super::World| {
        world
            .out
            .lines()
            .filter(|line| line.contains("pair("))
            .map(|line| line.split_once(" pair").map(|it| it.1.to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(pairs(&first), pairs(&second));
    assert_eq!(pairs(&first).len(), 1, "{}", first.out);
}

#[test]
fn an_all_join_has_the_order_of_emission_or_of_arrival() {
    for (order, expected) in [("", r#"{"i":1}, Done {"i":2}, Done {"i":3}"#), (" arrival", r#"{"i":3}, Done {"i":1}, Done {"i":2}"#)] {
        let world = played(&format!(
            r#"
            step split: StartEvent -> Item, fan-out
            step work: Item -> Done
            step gather: Done -> StopEvent, join all{order}
            start
            #0 return Item {{"i":1}}, Item {{"i":2}}, Item {{"i":3}}
            #3 return Done {{"i":3}}
            #1 return Done {{"i":1}}
            #2 return Done {{"i":2}}
            "#
        ));
        assert_eq!(world.out.lines().last(), Some(format!("    invoke #4.0 gather(Done {expected})").as_str()));
    }
}

#[test]
fn the_order_of_emission_goes_through_inner_fan_outs() {
    check(
        r#"
        step outer: StartEvent -> Group, fan-out
        step inner: Group -> Item, fan-out
        step work: Item -> Done, slots 9
        step gather: Done -> Sum, join all
        step total: Sum -> StopEvent, join all
        start
        #0 return Group {"g":1}, Group {"g":2}
        #2 return Item {"i":3}
        #1 return Item {"i":1}, Item {"i":2}
        #3 return Done {"i":3}
        #6 return Sum {"g":2}
        #5 return Done {"i":2}
        #4 return Done {"i":1}
        #7 return Sum {"g":1}
        "#,
        expect![[r#"
            start
                invoke #0.0 outer(StartEvent)
            #0 return Group {"g":1}, Group {"g":2}
                invoke #1.0 inner(Group {"g":1})
                invoke #2.0 inner(Group {"g":2})
            #2 return Item {"i":3}
                invoke #3.0 work(Item {"i":3})
            #1 return Item {"i":1}, Item {"i":2}
                invoke #4.0 work(Item {"i":1})
                invoke #5.0 work(Item {"i":2})
            #3 return Done {"i":3}
                invoke #6.0 gather(Done {"i":3})
            #6 return Sum {"g":2}
            #5 return Done {"i":2}
            #4 return Done {"i":1}
                invoke #7.0 gather(Done {"i":1}, Done {"i":2})
            #7 return Sum {"g":1}
                invoke #8.0 total(Sum {"g":1}, Sum {"g":2})
        "#]],
    );
}

#[test]
fn an_all_join_that_takes_two_fires_at_the_second_and_once() {
    check(
        r#"
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done, slots 9
        step first: Done -> StopEvent, join all take 2
        additional Nothing
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
        #3 return Done {"i":3}
        #1 return Done {"i":1}
        #4 return
        #2 return Done {"i":2}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
                invoke #3.0 work(Item {"i":3})
            #3 return Done {"i":3}
            #1 return Done {"i":1}
                invoke #4.0 first(Done {"i":1}, Done {"i":3})
            #4 return
            #2 return Done {"i":2}
                frame 10: WorkflowIdleEvent
        "#]],
    );
}

#[test]
fn an_all_join_that_takes_more_than_there_are_fires_when_nothing_is_in_flight() {
    check(
        r#"
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done
        step first: Done -> StopEvent, join all take 5
        start
        #0 return Item {"i":1}
        #1 return Done {"i":1}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}
                invoke #1.0 work(Item {"i":1})
            #1 return Done {"i":1}
                invoke #2.0 first(Done {"i":1})
        "#]],
    );
}

#[test]
fn a_join_that_only_a_catch_error_step_feeds_is_paired() {
    check(
        r#"
        step split: StartEvent -> Item, fan-out
        step work: Item -> Nothing
        step recover: StepFailedEvent -> Bad, catch work max 9
        step gather: Bad -> StopEvent, join all
        start
        #0 return Item {"i":1}, Item {"i":2}
        #1 return
        #2 fail Boom "x"
        #3 return Bad
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
            #1 return
            #2 fail Boom "x"
                invoke #3.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"Item","value":{"i":2}},"exception":{"exception_type":"Boom","exception_message":"x"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #3 return Bad
                invoke #4.0 gather(Bad)
        "#]],
    );
}

#[test]
fn a_loop_through_a_fan_out_fires_each_of_its_scopes() {
    check(
        r#"
        step loop: StartEvent Next -> Next Item, fan-out
        step work: Item -> Done
        step gather: Done -> StopEvent, join all
        start
        #0 return Next, Item
        #1 return Next, Item
        #2 return Done {"i":1}
        #4 return Done {"i":2}
        #3 return
        #5 return
        #6 return
        "#,
        expect![[r#"
            start
                invoke #0.0 loop(StartEvent)
            #0 return Next, Item
                invoke #1.0 loop(Next)
                invoke #2.0 work(Item)
            #1 return Next, Item
                invoke #3.0 loop(Next)
                invoke #4.0 work(Item)
            #2 return Done {"i":1}
            #4 return Done {"i":2}
            #3 return
                invoke #5.0 gather()
            #5 return
                invoke #6.0 gather(Done {"i":2})
            #6 return
                invoke #7.0 gather(Done {"i":1})
        "#]],
    );
}

#[test]
fn several_fan_outs_have_one_join_that_fires_for_each() {
    check(
        r#"
        step left: StartEvent -> Item, fan-out
        step right: StartEvent -> Part, fan-out
        step work: Item -> Done
        step shape: Part -> Done
        step gather: Done -> StopEvent, join all
        start
        #0 return Item {"i":1}, Item {"i":2}
        #1 return Part {"p":1}
        #3 return Done {"i":2}
        #4 return Done {"p":1}
        #2 return Done {"i":1}
        "#,
        expect![[r#"
            start
                invoke #0.0 left(StartEvent)
                invoke #1.0 right(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}
                invoke #2.0 work(Item {"i":1})
                invoke #3.0 work(Item {"i":2})
            #1 return Part {"p":1}
                invoke #4.0 shape(Part {"p":1})
            #3 return Done {"i":2}
            #4 return Done {"p":1}
                invoke #5.0 gather(Done {"p":1})
            #2 return Done {"i":1}
                invoke #6.0 gather(Done {"i":1}, Done {"i":2})
        "#]],
    );
}

#[test]
fn a_join_takes_what_an_inner_fan_out_makes_for_the_inner_one() {
    check(
        r#"
        step split: StartEvent -> Item Part, fan-out
        step work: Item -> Done
        step shape: Part -> Done, fan-out
        step gather: Done -> Sum, join all
        step last: Sum -> StopEvent
        start
        #0 return Item {"i":1}, Part
        #1 return Done {"i":1}
        #2 return Done {"p":1}, Done {"p":2}
        #3 return Sum {"of":"shape"}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Part
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 shape(Part)
            #1 return Done {"i":1}
            #2 return Done {"p":1}, Done {"p":2}
                invoke #3.0 gather(Done {"p":1}, Done {"p":2})
            #3 return Sum {"of":"shape"}
                invoke #4.0 last(Sum {"of":"shape"})
        "#]],
    );
}

#[test]
fn a_join_that_fans_out_again_makes_rounds() {
    let mut world = played(
        r#"
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done
        step gather: Done -> Item StopEvent, join all, fan-out
        start
        #0 return Item {"i":1}, Item {"i":2}
        #1 return Done {"i":1}
        #2 return Done {"i":2}
        #3 return Item {"i":3}, Item {"i":4}
        #5 return Done {"i":4}
        #4 return Done {"i":3}
        "#,
    );
    expect![[r#"
        start
            invoke #0.0 split(StartEvent)
        #0 return Item {"i":1}, Item {"i":2}
            invoke #1.0 work(Item {"i":1})
            invoke #2.0 work(Item {"i":2})
        #1 return Done {"i":1}
        #2 return Done {"i":2}
            invoke #3.0 gather(Done {"i":1}, Done {"i":2})
        #3 return Item {"i":3}, Item {"i":4}
            invoke #4.0 work(Item {"i":3})
            invoke #5.0 work(Item {"i":4})
        #5 return Done {"i":4}
        #4 return Done {"i":3}
            invoke #6.0 gather(Done {"i":3}, Done {"i":4})
    "#]]
    .assert_eq(&world.out);
    // A round leaves nothing behind.
    let size = |world: &super::World| wf_engine::snapshot::take(&world.run).len();
    let mut sizes = Vec::new();
    for gather in 0..200 {
        let id = 6 + 2 * gather;
        world.line(&format!("#{id} return Item"));
        world.line(&format!("#{} return Done", id + 1));
        sizes.push(size(&world));
    }
    assert!(sizes[199] < sizes[20] + 100, "from {} to {} bytes", sizes[20], sizes[199]);
    world.line("#406 return StopEvent");
    assert!(matches!(world.run.status(), wf_engine::run::Status::Completed(_)), "{:?}", world.run.status());
}

#[test]
fn what_a_fan_out_returns_alone_opens_no_scope() {
    check(
        r#"
        step split: StartEvent -> Item Total, fan-out
        step work: Item -> Done
        step gather: Done -> Item Total, join all fan-out or alone Total
        step finish: Total -> StopEvent
        start
        #0 return Item {"i":1}
        #1 return Done {"i":1}
        #2 return Item {"i":2}
        #3 return Done {"i":2}
        #4 no-list; return Total
        #5 return
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}
                invoke #1.0 work(Item {"i":1})
            #1 return Done {"i":1}
                invoke #2.0 gather(Done {"i":1})
            #2 return Item {"i":2}
                invoke #3.0 work(Item {"i":2})
            #3 return Done {"i":2}
                invoke #4.0 gather(Done {"i":2})
            #4 no-list; return Total
                invoke #5.0 finish(Total)
            #5 return
                frame 12: WorkflowFailedEvent {"step_name":"","exception":{"exception_type":"stuck","exception_message":"the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event"},"attempts":null,"elapsed_seconds":0.0}
                failed: the run is stuck: nothing is queued, running or waiting, and nothing from the outside could move it. Return a stop event, let a step accept a human-response event, or declare the event that is still to come as an additional event
        "#]],
    );
    // Nothing at all is no list that is empty: no join has it, nor does one that returns nothing fire itself for ever.
    check(
        r#"
        additional Go
        step split: StartEvent Go -> Item, fan-out
        step work: Item -> Done
        step gather: Done -> Item StopEvent, join all fan-out
        start
        #0 no-list; return
        event Go
        #1 return Item
        #2 return Done
        #3 no-list; return
        event Go
        #4 return
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 no-list; return
                frame 2: WorkflowIdleEvent
            event Go
                invoke #1.0 split(Go)
            #1 return Item
                invoke #2.0 work(Item)
            #2 return Done
                invoke #3.0 gather(Done)
            #3 no-list; return
                frame 9: WorkflowIdleEvent
            event Go
                invoke #4.0 split(Go)
            #4 return
                invoke #5.0 gather()
        "#]],
    );
}

#[test]
fn a_loop_through_a_fan_out_leaves_no_scope_for_every_turn() {
    let mut world = played(
        "step loop: StartEvent Next -> Next Item B, fan-out
        step pair: Item B -> Done, join each
        start
        #0 return Next, Item, B",
    );
    let size = |world: &super::World| wf_engine::snapshot::take(&world.run).len();
    let mut id = 1;
    let mut sizes = Vec::new();
    for _ in 0..200 {
        world.line(&format!("#{id} return Next, Item, B"));
        world.line(&format!("#{} return", id + 1));
        id += 2;
        sizes.push(size(&world));
    }
    assert!(sizes[199] < sizes[20] + 100, "from {} to {} bytes", sizes[20], sizes[199]);
}

#[test]
fn an_each_join_pairs_what_inner_joins_emit_only_within_their_outer_scope() {
    let mut world = played(
        r#"
        additional Go
        step outer: StartEvent Go -> Group, fan-out
        step inner: Group -> Item, fan-out
        step work: Item -> Done
        step left: Done -> A, join all
        step right: Done -> B, join all
        step pair: A B -> StopEvent, join each
        start
        event Go
        #0 return Group {"g":1}
        #1 return Group {"g":2}
        #2 return Item
        #3 return Item
        #4 return Done
        #5 return Done
        "#,
    );
    // #6, #7: left and right of the first; #8, #9: of the second.
    world.line(r#"#6 return A {"g":1}"#);
    world.line(r#"#9 return B {"g":2}"#);
    world.line(r#"#8 return A {"g":2}"#);
    world.line(r#"#7 return B {"g":1}"#);
    let pairs: Vec<&str> = world.out.lines().filter(|line| line.contains(" pair(")).map(str::trim).collect();
    assert_eq!(pairs, [r#"invoke #10.0 pair(A {"g":2}, B {"g":2})"#, r#"invoke #11.0 pair(A {"g":1}, B {"g":1})"#]);
}

#[test]
fn a_join_that_has_taken_its_events_takes_no_more_however_late_they_are() {
    check(
        r#"
        step outer: StartEvent -> Group, fan-out
        step inner: Group -> Item, fan-out
        step work: Item -> Done
        step gather: Done -> Sum, join all
        step first: Sum -> StopEvent, join all take 1
        start
        #0 return Group {"g":1}, Group {"g":2}
        #1 return Item {"i":1}
        #2 return Item {"i":2}
        #3 return Done {"i":1}
        #5 return Sum {"g":1}
        #6 publish Late
        #4 return Done {"i":2}
        #7 return Sum {"g":2}
        "#,
        expect![[r#"
            start
                invoke #0.0 outer(StartEvent)
            #0 return Group {"g":1}, Group {"g":2}
                invoke #1.0 inner(Group {"g":1})
                invoke #2.0 inner(Group {"g":2})
            #1 return Item {"i":1}
                invoke #3.0 work(Item {"i":1})
            #2 return Item {"i":2}
                invoke #4.0 work(Item {"i":2})
            #3 return Done {"i":1}
                invoke #5.0 gather(Done {"i":1})
            #5 return Sum {"g":1}
                invoke #6.0 first(Sum {"g":1})
            #6 publish Late
                frame 12: Late
                answer #6.0 publish Late @0s
            #4 return Done {"i":2}
                invoke #7.0 gather(Done {"i":2})
            #7 return Sum {"g":2}
        "#]],
    );
}
