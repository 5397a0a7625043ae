//! A fork: a copied journal, then an entry that makes it one of its own.

use std::sync::Arc;

use expect_test::expect;
use wf_engine::definition::Definition;
use wf_engine::entry::{Input, Part};
use wf_engine::journal::{self, Misfit};
use wf_engine::run::Run;
use wf_engine::snapshot;

use super::{check, played};

#[test]
fn what_was_in_flight_starts_anew_and_keeps_what_it_had() {
    check(
        r#"
        timeout 60
        additional Answer
        type Ask: input-required
        state {"n":1}
        show state
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done, slots 2 retry 1
        step gather: Done -> StopEvent, join all
        @10 start
        @11 #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
        @12 #1 keep draft 1
        @13 #1 wait Answer timeout 5 ask Ask
        @14 #2 fail Boom ""
        @15 event Answer {"n":1}
        @20 fork state {"n":2} #2 Item {"i":20}
        @21 #1 wait Answer timeout 5 ask Ask
        @22 #2 return Done {"i":20}
        "#,
        expect![[r#"
            @10 start
                timer 0 alive at 70s
                invoke #0.0 split(StartEvent)
                state {"n":1}
            @11 #0 return Item {"i":1}, Item {"i":2}, Item {"i":3}
                invoke #1.0 work(Item {"i":1})
                invoke #2.0 work(Item {"i":2})
            @12 #1 keep draft 1
                answer #1.0 keep draft @12s
            @13 #1 wait Answer timeout 5 ask Ask
                frame 5: Ask
                timer 1 alive at 18s
                invoke #3.0 work(Item {"i":3})
            @14 #2 fail Boom ""
                timer 2 at 15s
            @15 event Answer {"n":1}
                clear timer 1
                invoke #1.0 work(Item {"i":1}) from 11s, committed 2, log: keep draft @12s; wait Answer = Answer {"n":1} @15s, memos: draft=1
            @20 fork state {"n":2} #2 Item {"i":20}
                clear timer 0
                clear timer 2
                timer 3 alive at 80s
                invoke #1.1 work(Item {"i":1}), memos: draft=1
                invoke #2.2 work(Item {"i":20})
                state {"n":2}
            @21 #1 wait Answer timeout 5 ask Ask
                invoke #1.1 work(Item {"i":1}) from 20s, committed 1, log: wait Answer = Answer {"n":1} @21s, memos: draft=1
            @22 #2 return Done {"i":20}
                invoke #3.1 work(Item {"i":3})
        "#]],
    );
}

#[test]
fn a_fork_goes_on_with_another_definition_where_steps_are_known_by_their_names() {
    let mut world = played(
        r#"
        step split: StartEvent -> Item, fan-out
        step old: Item -> Done, slots 1
        step work: Item -> Done
        step gather: Done -> Sum, join all
        step total: Sum -> StopEvent
        start
        #0 return Item {"i":1}, Item {"i":2}
        #1 collect Item into Item 2
        #2 return Done {"i":1}
        "#,
    );
    let (other, _) = super::workflow::parse(
        r#"
        step first: StartEvent -> Item
        step split: StartEvent -> Item, fan-out
        step work: Item -> Done
        step total: Sum -> StopEvent
        step gather: Done -> Sum, join all
        step new: Done -> Sum, join all
        "#,
    );
    let other = vec![(Part { component: "other".into(), data: None }, other.parts[0].1.clone())];
    let definition = Definition::new(other);
    let forked = super::workflow::forked(&mut super::words::Words::of(""), definition.parts());
    let entry = world.run.entry(0, 0, Input::Forked(Box::new(forked)));
    let refused = journal::accept(&mut world.run, &entry).expect_err("it is not known");
    assert_eq!(refused, Misfit::Definition { expected: definition.parts() });
    world.run.redefine(Arc::new(definition));
    let effects = journal::accept(&mut world.run, &entry).expect("it is known now");
    let shown: Vec<String> = effects.iter().filter_map(|effect| super::print::effect(effect, false)).collect();
    assert_eq!(shown, ["invoke #4.1 work(Item {\"i\":2})"], "what was in `old` has ended");
    let restored = snapshot::restore(world.run.definition().clone(), &snapshot::take(&world.run)).expect("a snapshot");
    assert_eq!(format!("{restored:?}"), format!("{:?}", world.run));
    world.put_away = Some(restored);
    world.guests.clear();
    world.out.clear();
    world.line("#4.1 return Done {\"i\":2}");
    expect![[r##"
        #4.1 return Done {"i":2}
            invoke #5.0 gather(Done {"i":1}, Done {"i":2})
            invoke #6.0 new(Done {"i":2})
    "##]]
    .assert_eq(&world.out);
}

#[test]
fn a_fork_has_its_own_ids_and_seed() {
    let world = played("step work: StartEvent -> StopEvent\n start\n fork");
    let started = world.run.started().expect("it has begun");
    assert_eq!((started.run.as_str(), started.handler.as_str(), started.seed_bytes()), ("fork", "fork's", [8; 32]));
}

#[test]
fn a_fork_begins_when_it_is_made() {
    let world = played("step work: StartEvent -> StopEvent\n @5 start\n @9 fork");
    let restored = snapshot::restore(world.definition.clone(), &snapshot::take(&world.run)).expect("it fits");
    for run in [&world.run, &restored] {
        assert_eq!((run.first_at(), run.started_at()), (5_000_000, 9_000_000));
    }
}

#[test]
fn a_fork_has_the_whole_timeout_of_what_executed_at_its_origin() {
    check(
        r#"
        step work: StartEvent -> StopEvent, timeout 5
        start
        @100 fork
        "#,
        expect![[r#"
            start
                invoke #0.0 work(StartEvent), 5s left
            @100 fork
                invoke #0.1 work(StartEvent), 5s left
        "#]],
    );
}

#[test]
fn the_history_of_a_fork_of_a_fork_tells_what_each_of_its_definitions_did() {
    const BEFORE: &str = "step old: StartEvent -> StopEvent\n step work: StartEvent -> Item\n start";
    let mut world = played(BEFORE);
    let mut known = vec![world.definition.clone()];
    for (other, line) in [
        ("part one\n step work: StartEvent -> Item\n step next: Item -> Done", "#1 return Item"),
        ("part two\n step next: Item -> StopEvent", ""),
    ] {
        world.redefine(super::workflow::parse(other).0);
        known.push(world.definition.clone());
        ["fork", line].into_iter().filter(|line| !line.is_empty()).for_each(|line| world.line(line));
    }
    world.line("#2 return StopEvent");
    // Whatever comes first, and also what has not begun by it.
    for turned in 0..known.len() {
        let mut begun = Run::new(known[0].clone());
        known.iter().cycle().skip(turned).take(known.len()).for_each(|it| begun.redefine(it.clone()));
        let history = journal::history(begun, &world.journal).expect("the journal fits");
        let told = history.deliveries.values().map(|it| {
            let end = it.end.as_ref().map(|end| format!("{:?} by {}", end.how, end.seq));
            format!("{} {}", it.step, end.unwrap_or_default())
        });
        let told: Vec<String> = told.collect();
        assert_eq!(told, ["old Dropped by 1", "work Returned([\"Item\"]) by 2", "next Returned([\"StopEvent\"]) by 4"]);
    }
    let misfit = journal::history(Run::new(known[0].clone()), &world.journal).expect_err("it knows one of them");
    assert_eq!(misfit, Misfit::Definition { expected: known[1].parts() });
}
