//! `state.edit-exclusive`: for languages that cannot repeat a block.

use expect_test::expect;

use super::{check, played};

#[test]
fn exclusive_edits_of_a_path_come_one_after_the_other() {
    check(
        r#"
        show state
        state {"n":1}
        step split: StartEvent -> Item
        step work: Item -> StopEvent
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
        #1 set mine 1; exclusive n
        #2 exclusive n
        #3 exclusive n
        #1 edit n 2
        #2 edit n 3
        #3 edit n 4
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
                state {"n":1}
            #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
                invoke #3.0 work(Item {"i":3})
            #1 set mine 1; exclusive n
                invoke #1.0 work(Item {"i":1}) from 0s, committed 2, log: set mine @0s; edit-exclusive n = 1 in version 2 @0s
                state {"n":1,"mine":1}
            #2 exclusive n
            #3 exclusive n
            #1 edit n 2
                answer #1.0 edit-commit n = done @0s
                invoke #2.0 work(Item {"i":2}) from 0s, committed 1, log: edit-exclusive n = 2 in version 5 @0s
                state {"n":2,"mine":1}
            #2 edit n 3
                answer #2.0 edit-commit n = done @0s
                invoke #3.0 work(Item {"i":3}) from 0s, committed 1, log: edit-exclusive n = 3 in version 6 @0s
                state {"n":3,"mine":1}
            #3 edit n 4
                answer #3.0 edit-commit n = done @0s
                state {"n":4,"mine":1}
        "#]],
    );
}

#[test]
fn an_exclusive_edit_excludes_what_its_path_lies_in_and_what_lies_in_it() {
    check(
        r#"
        step split: StartEvent -> Item
        step work: Item -> StopEvent, slots 9
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}, Item {"i":4}
        #1 exclusive a.b
        #2 exclusive a
        #3 exclusive a.b.c
        #4 exclusive x
        #1 edit a.b 1
        #2 edit a {}
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}, Item {"i":4}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
                invoke #3.0 work(Item {"i":3})
                invoke #4.0 work(Item {"i":4})
            #1 exclusive a.b
                invoke #1.0 work(Item {"i":1}) from 0s, committed 1, log: edit-exclusive a.b = nothing in version 0 @0s
            #2 exclusive a
            #3 exclusive a.b.c
            #4 exclusive x
                invoke #4.0 work(Item {"i":4}) from 0s, committed 1, log: edit-exclusive x = nothing in version 0 @0s
            #1 edit a.b 1
                answer #1.0 edit-commit a.b = done @0s
                invoke #2.0 work(Item {"i":2}) from 0s, committed 1, log: edit-exclusive a = {"b":1} in version 6 @0s
            #2 edit a {}
                answer #2.0 edit-commit a = done @0s
                invoke #3.0 work(Item {"i":3}) from 0s, committed 1, log: edit-exclusive a.b.c = nothing in version 7 @0s
        "#]],
    );
}

#[test]
fn an_exclusive_edit_ends_with_its_attempt() {
    check(
        r#"
        step split: StartEvent -> Item
        step work: Item -> StopEvent, retry 1
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
        #1 exclusive n
        #2 exclusive n
        #3 exclusive n
        #1 fail Boom ""
        #2 return
        resume on 3
        #3 edit n 1
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
            #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
                invoke #3.0 work(Item {"i":3})
            #1 exclusive n
                invoke #1.0 work(Item {"i":1}) from 0s, committed 1, log: edit-exclusive n = nothing in version 0 @0s
            #2 exclusive n
            #3 exclusive n
            #1 fail Boom ""
                invoke #2.0 work(Item {"i":2}) from 0s, committed 1, log: edit-exclusive n = nothing in version 0 @0s
                timer 0 at 1s
            #2 return
                invoke #3.0 work(Item {"i":3}) from 0s, committed 1, log: edit-exclusive n = nothing in version 0 @0s
            resume on 3
                invoke #3.0 work(Item {"i":3}) from 0s, committed 1, log: edit-exclusive n = nothing in version 0 @0s
            #3 edit n 1
                answer #3.0 edit-commit n = done @0s
        "#]],
    );
}

#[test]
fn others_set_what_is_edited_exclusively_and_their_edits_conflict() {
    check(
        r#"
        show state
        state {"n":1}
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #1 begin n; publish Stream
        #0 exclusive n
        #1 edit n 5
        #1 set n 6; commit
        #0 edit n 2
        #1 begin n; edit n 3
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
                state {"n":1}
            #1 begin n; publish Stream
                frame 2: Stream
                answer #1.0 publish Stream @0s
            #0 exclusive n
                invoke #0.0 one(StartEvent) from 0s, committed 1, log: edit-exclusive n = 1 in version 0 @0s
            #1 edit n 5
            #1 set n 6; commit
                answer #1.0 commit @0s
                state {"n":6}
            #0 edit n 2
                answer #0.0 edit-commit n = done @0s
                answer #1.0 commit @0s
                state {"n":2}
            #1 begin n; edit n 3
                answer #1.0 edit-commit n = done @0s
                state {"n":3}
        "#]],
    );
}

#[test]
fn an_edit_of_what_another_has_to_itself_hears_of_its_conflict_once_that_is_over() {
    check(
        r#"
        state {"n":1}
        step one: StartEvent -> StopEvent, retry 1
        step two: StartEvent -> StopEvent
        step three: StartEvent -> StopEvent
        start
        #0 exclusive n
        #1 begin n; edit n 5
        #2 begin n.x; edit n.x 6
        resume
        #2 begin n; edit n 7
        #0 edit n 2
        #0 exclusive n
        #1 begin n; edit n 8
        #1 fail Boom "while it waits"
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
                invoke #2.0 three(StartEvent)
            #0 exclusive n
                invoke #0.0 one(StartEvent) from 0s, committed 1, log: edit-exclusive n = 1 in version 0 @0s
            #1 begin n; edit n 5
            #2 begin n.x; edit n.x 6
            resume
                invoke #0.0 one(StartEvent) from 0s, committed 1, log: edit-exclusive n = 1 in version 0 @0s
                invoke #1.0 two(StartEvent) from 0s, committed 0, log: edit-begin n = 1 in version 0 @0s; edit-commit n = conflict @0s
                invoke #2.0 three(StartEvent) from 0s, committed 0, log: edit-begin n.x = nothing in version 0 @0s; edit-commit n.x = conflict @0s
            #2 begin n; edit n 7
            #0 edit n 2
                answer #0.0 edit-commit n = done @0s
                answer #2.0 edit-commit n = conflict @0s
            #0 exclusive n
                invoke #0.0 one(StartEvent) from 0s, committed 3, log: edit-exclusive n = 1 in version 0 @0s; edit-commit n = done @0s; edit-exclusive n = 2 in version 6 @0s
            #1 begin n; edit n 8
            #1 fail Boom "while it waits"
                abort #0.0
                abort #2.0
                frame 4: WorkflowFailedEvent {"step_name":"two","exception":{"exception_type":"Boom","exception_message":"while it waits"},"attempts":1,"elapsed_seconds":0.0}
                failed: while it waits
        "#]],
    );
}

#[test]
fn an_attempt_that_asks_for_a_second_exclusive_edit_lets_the_first_go() {
    check(
        r#"
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 exclusive a
        #1 exclusive a
        #0 exclusive b
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
            #0 exclusive a
                invoke #0.0 one(StartEvent) from 0s, committed 1, log: edit-exclusive a = nothing in version 0 @0s
            #1 exclusive a
            #0 exclusive b
                invoke #1.0 two(StartEvent) from 0s, committed 1, log: edit-exclusive a = nothing in version 0 @0s
                invoke #0.0 one(StartEvent) from 0s, committed 2, log: edit-exclusive a = nothing in version 0 @0s; edit-exclusive b = nothing in version 0 @0s
        "#]],
    );
}

#[test]
fn twenty_increments_at_once_give_twenty() {
    let mut world = played(
        r#"
        state {"n":0}
        step split: StartEvent -> Item
        step work: Item -> StopEvent, slots 20
        start
        "#,
    );
    world.line(&format!("#0 return {}", vec!["Item"; 20].join(", ")));
    (1..=20).for_each(|id| world.line(&format!("#{id} exclusive n")));
    for id in 1..=20 {
        let told = format!("edit-exclusive n = {} in", id - 1);
        assert!(world.out.contains(&told), "{told} is missing in {}", world.out);
        world.line(&format!("#{id} edit n {id}"));
    }
    assert_eq!(world.run.state().get(), r#"{"n":20}"#);
}
