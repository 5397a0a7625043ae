//! How reports tell what was read.

use wf_engine::attempt::Request;
use wf_engine::entry::{Call, Told};

use super::world::World;
use super::{get, publish, set};

/// A state with a text of 2 kB.
fn large() -> World {
    World::new(&format!(r#"{{"t":"{}","n":1}}"#, "x".repeat(2000)))
}

/// What each read was told, short.
fn told<'a>(calls: impl IntoIterator<Item = &'a Call>) -> String {
    let short = |told: &Told| match told {
        Told::Value(value) => format!("value of {}", value.get().len()),
        other => format!("{other:?}"),
    };
    calls.into_iter().filter_map(|call| call.function.told()).map(short).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_large_value_is_told_once() {
    let mut world = large();
    let mut attempt = world.enter();
    let begin = || Request::EditBegin { path: "t".into() };
    let reads = || [get("t"), get("n"), get("n"), get("t"), begin(), publish("P"), get("t"), publish("P")];
    let first = reads().map(|request| world.told(&mut attempt, request));
    assert_eq!(told(&world.log), "value of 2002, value of 1, value of 1, Same(0), Same(0), Same(0)");
    let mut again = world.enter();
    assert_eq!(reads().map(|request| world.told(&mut again, request)), first, "a guest sees what it saw");
    world.call(&mut again, get("t"));
    world.call(&mut again, publish("P"));
    assert!(told(&world.log).ends_with("Same(0)"), "also at a later entry");
}

#[test]
fn a_memo_is_told_once() {
    let mut world = large();
    let mut attempt = world.enter();
    let keep = Request::Keep { name: "m".into(), value: format!("\"{}\"", "y".repeat(2000)) };
    world.call(&mut attempt, keep);
    world.call(&mut attempt, Request::LookUp { name: "m".into() });
    let (calls, ..) = attempt.returned(Vec::new()).expect("it returns");
    assert_eq!(told(&calls), "Same(0)");
    // Another attempt of the invocation has it from before.
    world.log = wf_engine::effect::Log::new_sync();
    let mut next = world.enter();
    world.call(&mut next, Request::LookUp { name: "m".into() });
    world.call(&mut next, Request::LookUp { name: "m".into() });
    assert_eq!(told(&next.failed()), "value of 2002, Same(0)");
}

#[test]
fn the_last_report_tells_what_the_run_cannot_tell_again() {
    for failed in [true, false] {
        let mut world = large();
        let mut attempt = world.enter();
        world.call(&mut attempt, get("t"));
        world.call(&mut attempt, publish("P"));
        world.call(&mut attempt, get("t"));
        world.call(&mut attempt, get("no.such"));
        world.call(&mut attempt, Request::EditBegin { path: "n".into() });
        world.call(&mut attempt, set("n"));
        world.call(&mut attempt, get("n"));
        world.call(&mut attempt, get("t"));
        let calls = if failed { attempt.failed() } else { attempt.returned(Vec::new()).expect("it returns").0 };
        assert_eq!(told(&calls), "Before(2), Nothing, Before(2), value of 1, Before(2)");
    }
}

#[test]
fn a_progress_report_after_a_read_tells_it() {
    let mut world = large();
    let mut attempt = world.enter();
    world.call(&mut attempt, get("n"));
    world.call(&mut attempt, publish("P"));
    assert_eq!(told(&world.log), "value of 1");
    world.call(&mut attempt, super::send("A"));
    assert_eq!(told(&attempt.failed()), "");
}
