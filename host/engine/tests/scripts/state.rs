//! The state, and what commits.

use expect_test::expect;
use wf_engine::journal;
use wf_engine::run::Run;

use super::{check, played};

#[test]
fn what_is_buffered_is_committed_at_a_commit_point_and_a_publish_is_none() {
    check(
        r#"
        show state
        step work: StartEvent -> StopEvent
        step other: Item -> StopEvent
        start
        #0 set a 1; send Item {"i":1}; publish Stream {"n":0}
        #0 get a; send Item {"i":2}; commit
        #0 return StopEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 set a 1; send Item {"i":1}; publish Stream {"n":0}
                frame 1: Stream {"n":0}
                answer #0.0 publish Stream @0s
            #0 get a; send Item {"i":2}; commit
                answer #0.0 commit @0s
                invoke #1.0 other(Item {"i":1})
                invoke #2.0 other(Item {"i":2})
                state {"a":1}
            #0 return StopEvent
                abort #1.0
                abort #2.0
                frame 5: StopEvent
                completed with StopEvent
        "#]],
    );
}

#[test]
fn the_return_commits() {
    check(
        r#"
        show state
        step work: StartEvent -> Item
        step next: Item Other -> StopEvent
        start
        #0 set a.b 1; send Other; return Item
        #2 get a.b; commit
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
            #0 set a.b 1; send Other; return Item
                invoke #1.0 next(Other)
                invoke #2.0 next(Item)
                state {"a":{"b":1}}
            #2 get a.b; commit
                answer #2.0 commit @0s
        "#]],
    );
}

#[test]
fn an_edit_conflicts_with_a_change_of_another_attempt_and_then_commits_nothing() {
    check(
        r#"
        show state
        state {"count":1,"other":0}
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 set mine 1; begin count; log; edit count 2
        #0 set more 1; begin count; publish Stream
        #1 begin count; edit count 3
        #0 edit count 10
        #1 get mine; get more; get count; commit
        #0 begin count; edit count 4
        #1 get more; get count; commit
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
                state {"count":1,"other":0}
            #0 set mine 1; begin count; log; edit count 2
                answer #0.0 edit-commit count = done @0s
                state {"count":2,"other":0,"mine":1}
            #0 set more 1; begin count; publish Stream
                frame 2: Stream
                answer #0.0 publish Stream @0s
            #1 begin count; edit count 3
                answer #1.0 edit-commit count = done @0s
                state {"count":3,"other":0,"mine":1}
            #0 edit count 10
                answer #0.0 edit-commit count = conflict @0s
            #1 get mine; get more; get count; commit
                answer #1.0 commit @0s
            #0 begin count; edit count 4
                answer #0.0 edit-commit count = done @0s
                state {"count":4,"other":0,"mine":1,"more":1}
            #1 get more; get count; commit
                answer #1.0 commit @0s
        "#]],
    );
}

#[test]
fn an_edit_conflicts_with_changes_of_ancestors_and_descendants_and_not_of_siblings() {
    check(
        r#"
        show state
        state {"a":{"b":{"c":1},"d":1}}
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 begin a.b; publish Stream
        #1 set a.d 2; commit
        #0 edit a.b {"c":2}
        #0 begin a.b; publish Stream
        #1 set a.b.c 3; commit
        #0 edit a.b {"c":4}
        #0 begin a.b; publish Stream
        #1 set a {}; commit
        #0 edit a.b {"c":5}
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
                state {"a":{"b":{"c":1},"d":1}}
            #0 begin a.b; publish Stream
                frame 2: Stream
                answer #0.0 publish Stream @0s
            #1 set a.d 2; commit
                answer #1.0 commit @0s
                state {"a":{"b":{"c":1},"d":2}}
            #0 edit a.b {"c":2}
                answer #0.0 edit-commit a.b = done @0s
                state {"a":{"b":{"c":2},"d":2}}
            #0 begin a.b; publish Stream
                frame 3: Stream
                answer #0.0 publish Stream @0s
            #1 set a.b.c 3; commit
                answer #1.0 commit @0s
                state {"a":{"b":{"c":3},"d":2}}
            #0 edit a.b {"c":4}
                answer #0.0 edit-commit a.b = conflict @0s
            #0 begin a.b; publish Stream
                frame 4: Stream
                answer #0.0 publish Stream @0s
            #1 set a {}; commit
                answer #1.0 commit @0s
                state {"a":{}}
            #0 edit a.b {"c":5}
                answer #0.0 edit-commit a.b = conflict @0s
        "#]],
    );
}

#[test]
fn an_edit_does_not_conflict_with_what_its_own_attempt_has_committed() {
    check(
        r#"
        show state
        step one: StartEvent -> StopEvent
        start
        #0 begin n; set n 1; commit
        #0 edit n 2
        #0 get n; commit
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
            #0 begin n; set n 1; commit
                answer #0.0 commit @0s
                state {"n":1}
            #0 edit n 2
                answer #0.0 edit-commit n = done @0s
                state {"n":2}
            #0 get n; commit
                answer #0.0 commit @0s
        "#]],
    );
}

#[test]
fn what_a_failed_attempt_had_committed_stands_and_what_it_had_buffered_is_gone() {
    check(
        r#"
        show state
        state {"n":0}
        step work: StartEvent -> StopEvent, retry 1
        step other: Item -> StopEvent
        start
        #0 set n 1; commit
        #0 set n 2; send Item; publish Stream
        #0 fail Boom "before the commit"
        timer 0
        #0 get n; publish Stream
        #0 return StopEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
                state {"n":0}
            #0 set n 1; commit
                answer #0.0 commit @0s
                state {"n":1}
            #0 set n 2; send Item; publish Stream
                frame 1: Stream
                answer #0.0 publish Stream @0s
            #0 fail Boom "before the commit"
                timer 0 at 1s
            timer 0
                invoke #0.1 work(StartEvent), 1 failed in 0s, last Boom at 0s
            #0 get n; publish Stream
                frame 4: Stream
                answer #0.1 publish Stream @0s
            #0 return StopEvent
                frame 6: StopEvent
                completed with StopEvent
        "#]],
    );
}

#[test]
fn values_come_back_as_they_came() {
    check(
        r#"
        show state
        state {"x":0.30000000000000004,"y":8.41e21,"z":123456.789e-20,"w":2.638344616030823e-256}
        step work: StartEvent -> StopEvent
        start
        #0 set big 12345678901234567890123; set more 18446744073709551616; set half "\ud83d\ude00"; set one 1.50; commit
        #0 get big; get half; get one; get x; get none; set none null; get none; publish Stream
        resume
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
                state {"x":0.30000000000000004,"y":8.41e21,"z":123456.789e-20,"w":2.638344616030823e-256}
            #0 set big 12345678901234567890123; set more 18446744073709551616; set half "\ud83d\ude00"; set one 1.50; commit
                answer #0.0 commit @0s
                state {"x":0.30000000000000004,"y":8.41e21,"z":123456.789e-20,"w":2.638344616030823e-256,"big":12345678901234567890123,"more":18446744073709551616,"half":"\ud83d\ude00","one":1.50}
            #0 get big; get half; get one; get x; get none; set none null; get none; publish Stream
                frame 1: Stream
                answer #0.0 publish Stream @0s
            resume
                invoke #0.0 work(StartEvent) from 0s, committed 5, log: set big @0s; set more @0s; set half @0s; set one @0s; commit @0s; get big = 12345678901234567890123 @0s; get half = "\ud83d\ude00" @0s; get one = 1.50 @0s; get x = 0.30000000000000004 @0s; get none = nothing @0s; set none @0s; get none = null @0s; publish Stream @0s
        "#]],
    );
}

#[test]
fn doubles_at_random_come_back_as_they_came() {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut world = played("step work: StartEvent -> StopEvent\n start");
    for _ in 0..2_000 {
        let double = f64::from_bits(u64::from(chance.next_u32()) << 32 | u64::from(chance.next_u32()));
        if double.is_finite() {
            world.line(&format!("#0 set x {double:e}; commit"));
            assert_eq!(world.run.state().get(), format!("{{\"x\":{double:e}}}"));
        }
    }
}

/// The key of a wait has what it requires: it is the same once the journal was read, and met by an equal number.
#[test]
fn waits_for_doubles_at_random_are_the_same_when_they_come_back() {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use wf_engine::entry::Wait;
    let mut chance = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..2_000 {
        let double = f64::from(chance.next_u32()) / f64::from(u32::MAX) * 1e-5;
        let wait = format!(r#"{{"types":["Answer"],"requirements":{{"x":{double:e}}}}}"#);
        let wait: Wait = serde_json::from_str(&wait).expect("a wait");
        let back: Wait = serde_json::from_str(&serde_json::to_string(&wait).expect("JSON")).expect("a wait");
        assert_eq!(wait.key(), back.key());
        assert_eq!(back.requirements["x"].get(), format!("{double:e}"));
    }
    let mut world = played("additional Answer\n step work: StartEvent -> StopEvent\n start");
    for _ in 0..100 {
        let double = f64::from_bits(u64::from(chance.next_u32()) << 32 | u64::from(chance.next_u32()));
        if double.is_finite() {
            world.line(&format!("#0 wait Answer where {{\"x\":{double:e}}}"));
            world.out.clear();
            world.line(&format!("event Answer {{\"x\":{double}}}"));
            assert!(world.out.contains("invoke #0.0 work"), "{double:e} is not {double}: {}", world.out);
        }
    }
    let text = world.journal.iter().map(|entry| serde_json::to_vec(entry).expect("JSON"));
    let journal: Vec<_> = (0..).zip(text).map(|(seq, text)| journal::read(seq, &text).expect("an entry")).collect();
    let replayed = journal::replay(Run::new(world.definition.clone()), &journal).expect("the journal fits");
    assert_eq!(format!("{replayed:?}"), format!("{:?}", world.run));
}

#[test]
fn deleting_an_item_conflicts_with_an_edit_of_what_moves() {
    check(
        r#"
        show state
        state {"l":["a","b","c"]}
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 begin l.1; publish Stream
        #1 delete l.0; commit
        #0 edit l.1 "b, edited"
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
                state {"l":["a","b","c"]}
            #0 begin l.1; publish Stream
                frame 2: Stream
                answer #0.0 publish Stream @0s
            #1 delete l.0; commit
                answer #1.0 commit @0s
                state {"l":["b","c"]}
            #0 edit l.1 "b, edited"
                answer #0.0 edit-commit l.1 = conflict @0s
        "#]],
    );
}

#[test]
fn what_is_pushed_is_appended_and_disturbs_no_edit_of_another_item() {
    check(
        r#"
        show state
        state {"l":["a"]}
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 begin l.0; publish Stream
        #1 push l "b"; push l "c"; push new 1; get l; commit
        #0 edit l.0 "a, edited"
        #0 begin l; publish Stream
        #1 push l "d"; commit
        #0 edit l []
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
                state {"l":["a"]}
            #0 begin l.0; publish Stream
                frame 2: Stream
                answer #0.0 publish Stream @0s
            #1 push l "b"; push l "c"; push new 1; get l; commit
                answer #1.0 commit @0s
                state {"l":["a","b","c"],"new":[1]}
            #0 edit l.0 "a, edited"
                answer #0.0 edit-commit l.0 = done @0s
                state {"l":["a, edited","b","c"],"new":[1]}
            #0 begin l; publish Stream
                frame 3: Stream
                answer #0.0 publish Stream @0s
            #1 push l "d"; commit
                answer #1.0 commit @0s
                state {"l":["a, edited","b","c","d"],"new":[1]}
            #0 edit l []
                answer #0.0 edit-commit l = conflict @0s
        "#]],
    );
}

#[test]
fn the_last_commit_wins_over_what_stands_in_its_way() {
    check(
        r#"
        show state
        state {"a":{"b":1},"l":[1,2,3],"p":[]}
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 set a.b 2; set l.2 9; push p 1; publish Stream
        #1 set a 5; delete l.0; delete l.0; set p "none"; commit
        #0 commit
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
                state {"a":{"b":1},"l":[1,2,3],"p":[]}
            #0 set a.b 2; set l.2 9; push p 1; publish Stream
                frame 2: Stream
                answer #0.0 publish Stream @0s
            #1 set a 5; delete l.0; delete l.0; set p "none"; commit
                answer #1.0 commit @0s
                state {"a":5,"l":[3],"p":"none"}
            #0 commit
                answer #0.0 commit @0s
                state {"a":{"b":2},"l":[3,9],"p":[1]}
        "#]],
    );
}

/// The border lets none of them in, but a journal may have them.
#[test]
fn values_that_cannot_be_read_are_carried_and_not_lost() {
    check(
        r#"
        show state
        state {"n":0}
        step work: StartEvent -> StopEvent
        start
        #0 set cut "\ud83d"; set big 1e999; commit
        #0 begin n; edit n "\ud83d"
        #0 get cut; get big; get n; publish Stream
        resume
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent)
                state {"n":0}
            #0 set cut "\ud83d"; set big 1e999; commit
                answer #0.0 commit @0s
                state {"n":0,"cut":"\ud83d","big":1e999}
            #0 begin n; edit n "\ud83d"
                answer #0.0 edit-commit n = done @0s
                state {"n":"\ud83d","cut":"\ud83d","big":1e999}
            #0 get cut; get big; get n; publish Stream
                frame 1: Stream
                answer #0.0 publish Stream @0s
            resume
                invoke #0.0 work(StartEvent) from 0s, committed 5, log: set cut @0s; set big @0s; commit @0s; edit-begin n = 0 in version 1 @0s; edit-commit n = done @0s; get cut = "\ud83d" @0s; get big = 1e999 @0s; get n = "\ud83d" @0s; publish Stream @0s
        "#]],
    );
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let world = played(&format!("step work: StartEvent -> StopEvent\n start\n #0 set deep {deep}; commit"));
    assert_eq!(world.run.state().get(), format!("{{\"deep\":{deep}}}"));
}

#[test]
fn a_number_with_a_zero_before_it_is_no_index() {
    check(
        r#"
        show state
        state {"l":[0,0]}
        step one: StartEvent -> StopEvent
        step two: StartEvent -> StopEvent
        start
        #0 begin l.1; publish Stream
        #1 begin l.01; edit l.01 1
        #0 edit l.1 1
        "#,
        expect![[r#"
            start
                invoke #0.0 one(StartEvent)
                invoke #1.0 two(StartEvent)
                state {"l":[0,0]}
            #0 begin l.1; publish Stream
                frame 2: Stream
                answer #0.0 publish Stream @0s
            #1 begin l.01; edit l.01 1
                answer #1.0 edit-commit l.01 = done @0s
                state {"l":{"01":1}}
            #0 edit l.1 1
                answer #0.0 edit-commit l.1 = conflict @0s
        "#]],
    );
}

#[test]
fn attempts_that_each_keep_to_the_limit_do_not_make_the_state_too_large_together() {
    check(
        r#"
        state-max 30
        show state
        state {"a":"1234567890"}
        step split: StartEvent -> Item
        step work: Item -> StopEvent, slots 9
        step recover: StepFailedEvent -> StopEvent, catch work max 9
        start
        #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}, Item {"i":4}
        #1 set b 12345; commit
        #2 set c 12345; commit
        #3 begin a; edit a "12345678901234567890"
        #4 set a 1; set d 123; commit
        #4 set e 1234567; return StopEvent
        "#,
        expect![[r#"
            start
                invoke #0.0 split(StartEvent)
                state {"a":"1234567890"}
            #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}, Item {"i":4}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
                invoke #3.0 work(Item {"i":3})
                invoke #4.0 work(Item {"i":4})
            #1 set b 12345; commit
                answer #1.0 commit @0s
                state {"a":"1234567890","b":12345}
            #2 set c 12345; commit
                abort #2.0
                invoke #5.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"Item","value":{"i":2}},"exception":{"exception_type":"limit","exception_message":"the state, with what others have written, is longer than 30 bytes (limit state_max)"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #3 begin a; edit a "12345678901234567890"
                abort #3.0
                invoke #6.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"Item","value":{"i":3}},"exception":{"exception_type":"limit","exception_message":"the state, with what others have written, is longer than 30 bytes (limit state_max)"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
            #4 set a 1; set d 123; commit
                answer #4.0 commit @0s
                state {"a":1,"b":12345,"d":123}
            #4 set e 1234567; return StopEvent
                invoke #7.0 recover(StepFailedEvent {"step_name":"work","input_event":{"type":"Item","value":{"i":4}},"exception":{"exception_type":"limit","exception_message":"the state, with what others have written, is longer than 30 bytes (limit state_max)"},"attempts":1,"elapsed_seconds":0.0,"failed_at":"1970-01-01T00:00:00.000000+00:00"})
        "#]],
    );
}

#[test]
fn a_state_that_is_past_the_limit_already_may_become_shorter() {
    let world = played(
        r#"
        state-max 10
        state {"a":"1234567890","b":1}
        step work: StartEvent -> StopEvent
        start
        #0 set b 2; commit
        #0 delete b; commit
        #0 set a 123; return StopEvent
        "#,
    );
    assert_eq!(world.run.state().get(), r#"{"a":123}"#);
}
