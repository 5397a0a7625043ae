//! An exclusive edit: what is refused inside, and how it ends.

use expect_test::expect;
use wf_engine::attempt::{Attempt, Request};
use wf_engine::entry::SLEEP_DROP_MIN;

use super::world::World;
use super::{publish, wait};

fn exclusive(path: &str) -> Request {
    Request::EditExclusive { path: path.into() }
}

fn edit(path: &str) -> Request {
    Request::EditCommit { path: path.into(), version: 0, value: "2".into() }
}

/// An attempt that is in the exclusive edit of `n`.
fn held(world: &mut World) -> Attempt {
    let mut attempt = world.enter();
    assert_eq!(world.told(&mut attempt, exclusive("n")), "suspended");
    let mut attempt = world.enter();
    assert_eq!(world.told(&mut attempt, exclusive("n")), "Edit(0, Some(RawValue(1)))");
    attempt
}

/// The same attempt, entered again after all so far was reported.
fn again(world: &mut World, mut attempt: Attempt) -> Attempt {
    world.call(&mut attempt, publish("P"));
    let mut attempt = world.enter();
    world.call(&mut attempt, exclusive("n"));
    attempt
}

#[test]
fn it_commits_what_is_buffered_and_drops_the_instance() {
    let mut world = World::new(r#"{"n":1}"#);
    let mut attempt = world.enter();
    world.call(&mut attempt, super::set("x"));
    world.call(&mut attempt, exclusive("n"));
    assert_eq!((world.committed, world.state.json().get()), (2, r#"{"n":1,"x":1}"#));
}

#[test]
fn no_wait_and_no_second_one_inside() {
    let mut world = World::new(r#"{"n":1}"#);
    let mut attempt = held(&mut world);
    let not = "is not possible in the exclusive edit of `n`: end that with edit-commit";
    assert_eq!(world.told(&mut attempt, wait(r#"{"type":"A"}"#)), format!("invalid: a wait {not}"));
    assert_eq!(world.told(&mut attempt, exclusive("m")), format!("invalid: a second exclusive edit {not}"));
    let mut attempt = again(&mut world, attempt);
    assert_eq!(world.told(&mut attempt, wait(r#"{"type":"A"}"#)), format!("invalid: a wait {not}"), "the same at re-entry");
    assert_eq!(world.told(&mut attempt, exclusive("m")), format!("invalid: a second exclusive edit {not}"));
    assert_eq!(world.told(&mut attempt, publish("P")), "Done");
    assert_eq!(world.told(&mut attempt, Request::Sleep { duration: SLEEP_DROP_MIN - 1 }), "Done");
    assert_eq!(world.told(&mut attempt, edit("m")), "Committed(true)", "another edit does not end it");
    assert!(world.told(&mut attempt, exclusive("m")).starts_with("invalid"));
    assert_eq!(world.told(&mut attempt, edit("n")), "Committed(true)");
    assert_eq!(world.told(&mut attempt, wait(r#"{"type":"A"}"#)), "suspended");
}

#[test]
fn one_that_ended_at_an_earlier_entry_holds_nothing() {
    let mut world = World::new(r#"{"n":1}"#);
    let mut attempt = held(&mut world);
    world.call(&mut attempt, edit("n"));
    let mut again = world.enter();
    world.call(&mut again, exclusive("n"));
    world.call(&mut again, edit("n"));
    assert_eq!(world.told(&mut again, exclusive("n")), "suspended");
}

/// The contract's `sleep` has no failure to give to the guest: to go on as if it had slept would be untrue.
#[test]
fn a_long_sleep_inside_fails_the_attempt() {
    let mut world = World::new(r#"{"n":1}"#);
    let mut attempt = held(&mut world);
    let next = attempt.call(Request::Sleep { duration: SLEEP_DROP_MIN }, 0);
    expect!["fail invalid (retryable: false): a sleep of a second or more is not possible in the exclusive edit of `n`: end that with edit-commit"]
        .assert_eq(&super::shown(&next));
}
