//! Variables: an attempt has those that it had when it first asked.

use std::collections::BTreeMap;

use expect_test::expect;
use wf_engine::attempt::Request;

use super::world::World;
use super::{attempt, check, recorded, set};

fn variables(value: &str) -> Request {
    Request::Variables { values: BTreeMap::from([("REGION".to_owned(), value.to_owned())]).into() }
}

fn none() -> Request {
    Request::Variables { values: BTreeMap::new().into() }
}

#[test]
fn they_are_told_as_they_were_at_every_entry() {
    let mut world = World::new("{}");
    let mut first = world.enter();
    world.call(&mut first, set("x"));
    assert_eq!(world.told(&mut first, variables("eu")), r#"Variables({"REGION": "eu"})"#);
    assert_eq!(world.told(&mut first, variables("us")), r#"Variables({"REGION": "eu"})"#, "within an entry, too");
    world.call(&mut first, Request::Commit);
    assert_eq!(world.log.len(), 3, "they are recorded once");
    for now in [variables("us"), none()] {
        let mut again = world.enter();
        world.call(&mut again, set("x"));
        assert_eq!([now.clone(), now].map(|it| world.told(&mut again, it)), [r#"Variables({"REGION": "eu"})"#; 2]);
        assert_eq!(world.told(&mut again, Request::Commit), "Done", "the calls after it have their places");
    }
}

#[test]
fn who_had_none_has_none_whatever_is_granted_later() {
    let mut world = World::new("{}");
    let mut first = world.enter();
    assert_eq!(world.told(&mut first, none()), "Variables({})");
    assert_eq!(world.told(&mut first, variables("eu")), "Variables({})");
    world.call(&mut first, Request::Commit);
    assert_eq!(world.log.len(), 1, "nothing is recorded of it");
    let mut again = world.enter();
    assert_eq!(world.told(&mut again, variables("eu")), "Variables({})");
    assert_eq!(world.told(&mut again, Request::Commit), "Done");
    assert_eq!(world.told(&mut again, variables("eu")), "Variables({})");
    // Who asks for the first time after all that was recorded is told what is granted then.
    let mut late = world.enter();
    world.call(&mut late, Request::Commit);
    assert_eq!(world.told(&mut late, variables("eu")), r#"Variables({"REGION": "eu"})"#);
}

#[test]
fn a_step_that_asked_for_them_and_then_does_not_is_another() {
    let values = BTreeMap::from([("REGION".to_owned(), "eu".to_owned())]).into();
    let mut attempt = attempt(vec![recorded(0, wf_engine::entry::Function::Variables { values })], 0);
    check(
        &attempt.call(set("x"), 0),
        expect![
            "fail nondeterministic (retryable: false): nondeterministic step: where the call was `variables` when it was recorded, it is `set x` now"
        ],
    );
}
