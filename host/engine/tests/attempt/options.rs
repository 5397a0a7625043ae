//! Options of wait, collect and send.

use expect_test::{Expect, expect};
use wf_engine::attempt::{Next, Request};

use super::wait;
use super::world::World;

/// What a call with these options is recorded as, or why it is refused.
fn check_options(request: Request, expected: Expect) {
    let mut attempt = World::new("{}").enter();
    let shown = match attempt.call(request, 0) {
        Next::Progress { calls, .. } => serde_json::to_string(&calls[0].function).expect("JSON"),
        Next::Answer(Ok(_)) => attempt.failed()[0].function.identity(),
        next => super::shown(&next),
    };
    expected.assert_eq(&shown);
}

#[test]
fn a_wait_says_what_it_waits_for() {
    check_options(wait(r#"{"type":"A","new":1}"#), expect![[r#"{"Wait":{"types":["A"]}}"#]]);
    let all = r#"{"types":["A","B"],"subtypes":true,"fresh":true,"id":"i","requirements":{"n":1.50},"timeout":2,"request":{"name":"Ask","payload":"{\"x\":1.0}"}}"#;
    check_options(
        wait(all),
        expect![[
            r#"{"Wait":{"types":["A","B"],"subtypes":true,"id":"i","requirements":{"n":1.50},"timeout":2.0,"request":{"name":"Ask","payload":{"x":1.0}},"fresh":true}}"#
        ]],
    );
    check_options(
        wait(r#"{"type":"A","types":null,"id":null,"requirements":null,"request":null,"timeout":null}"#),
        expect![[r#"{"Wait":{"types":["A"]}}"#]],
    );
}

#[test]
fn a_type_that_is_named_twice_counts_once() {
    check_options(wait(r#"{"types":["A","B","A"]}"#), expect![[r#"{"Wait":{"types":["A","B"]}}"#]]);
}

#[test]
fn a_wait_that_is_not_understood_is_refused() {
    for (options, expected) in [
        ("", expect!["refused invalid: a wait needs either `type`, or at least one name in `types`"]),
        ("{", expect!["refused invalid: the text of the options is no JSON: EOF while parsing an object at line 1 column 1"]),
        ("[]", expect!["refused invalid: the text of the options is no JSON object"]),
        (r#"{"type":"A","types":["B"]}"#, expect!["refused invalid: a wait needs either `type`, or at least one name in `types`"]),
        (r#"{"types":[]}"#, expect!["refused invalid: a wait needs either `type`, or at least one name in `types`"]),
        (r#"{"type":""}"#, expect!["refused invalid: the type of a wait is empty"]),
        (r#"{"type":"A","type":"B"}"#, expect!["refused invalid: the text of the options has the field `type` twice"]),
        (r#"{"type":"A","timeout":-1}"#, expect!["refused invalid: the timeout of a wait is less than 0 seconds"]),
        (
            r#"{"type":"A","timeout":1e999}"#,
            expect!["refused invalid: the text of the options has the number 1e999, which is beyond a double"],
        ),
        (
            r#"{"type":"A","requirements":[1]}"#,
            expect!["refused invalid: the options are not understood: invalid type: sequence, expected a map at line 1 column 27"],
        ),
        (
            r#"{"type":"A","request":{"name":"Ask","payload":{}}}"#,
            expect!["refused invalid: the options are not understood: invalid type: map, expected a string at line 1 column 46"],
        ),
        (r#"{"type":"A","request":{"name":"Ask","payload":"[]"}}"#, expect!["refused invalid: the payload of `Ask` is no JSON object"]),
    ] {
        check_options(wait(options), expected);
    }
    let large = format!(r#"{{"type":"A","requirements":{{"x":"{}"}}}}"#, "x".repeat(17 << 10));
    check_options(wait(&large), expect!["refused limit: the text of the requirements is longer than 16384 bytes (limit requirements_max)"]);
    let deep = format!(r#"{{"type":"A","requirements":{{"x":{}{}}}}}"#, "[".repeat(120), "]".repeat(120));
    check_options(wait(&deep), expect!["refused limit: the text of the options is more than 64 deep (limit depth_max)"]);
    check_options(
        wait(&format!(r#"{{"type":"A","id":"{}"}}"#, "i".repeat(257))),
        expect!["refused limit: the id of a wait is longer than 256 bytes (limit id_max)"],
    );
}

fn collect(name: &str, options: &str) -> Request {
    Request::Collect { name: name.into(), payload: "{}".into(), options: options.into() }
}

#[test]
fn a_collect_counts_what_it_expects() {
    check_options(
        collect("A", r#"{"expected":["A","A",["B",1000],["B",2],"A"]}"#),
        expect![[r#"{"Collect":{"id":null,"expected":[["A",2],["B",1002],["A",1]],"event":{"name":"A","payload":{}}}}"#]],
    );
    for (options, expected) in [
        (r#"{"expected":[]}"#, expect!["refused invalid: `expected` of collect names no type, or one 0 times"]),
        (r#"{"expected":[["A",0]]}"#, expect!["refused invalid: `expected` of collect names no type, or one 0 times"]),
        (r#"{"expected":["B"]}"#, expect!["refused invalid: `A` is not among the types that collect expects"]),
        (
            r#"{"expected":[["A",1.5]]}"#,
            expect![
                "refused invalid: the options are not understood: `expected` lists names, or pairs of a name and how often it is expected at line 1 column 23"
            ],
        ),
        (
            r#"{"expected":[["A",4000000000],"B",["A",4000000000]]}"#,
            expect!["refused invalid: `expected` of collect counts more events than there can be"],
        ),
        (
            r#"{"expected":[["A",4000000000],["A",4000000000]]}"#,
            expect!["refused invalid: `expected` of collect counts more events than there can be"],
        ),
        (r#"{}"#, expect!["refused invalid: the options are not understood: missing field `expected` at line 1 column 2"]),
    ] {
        check_options(collect("A", options), expected);
    }
}

#[test]
fn a_collect_lists_so_many_types_that_a_batch_takes_so_many_calls_and_not_its_square() {
    // Each call carries the whole list.
    let alternating = |count: usize| format!(r#"{{"expected":{:?}}}"#, ["A", "B"].repeat(count / 2));
    let mut attempt = World::new("{}").enter();
    assert!(matches!(attempt.call(collect("A", &alternating(64)), 0), Next::Progress { .. }));
    check_options(
        collect("A", &alternating(66)),
        expect!["refused limit: `expected` of collect lists more than 64 types one after the other (limit expected_max)"],
    );
    check_options(
        collect("A", &format!(r#"{{"expected":{:?}}}"#, ["A"].repeat(1_000))),
        expect![[r#"{"Collect":{"id":null,"expected":[["A",1000]],"event":{"name":"A","payload":{}}}}"#]],
    );
}

#[test]
fn a_send_can_name_a_step() {
    let send = |options: &str| Request::Send { name: "A".into(), payload: "{}".into(), options: options.into() };
    check_options(send(r#"{"step":"next"}"#), expect!["send A to next"]);
    check_options(send(r#"{"step":"nope"}"#), expect!["refused invalid: Step nope does not exist"]);
    check_options(send(r#"{"step":"work"}"#), expect!["refused invalid: Step work does not accept A"]);
    check_options(send(r#"{"step":""}"#), expect!["refused invalid: the step is empty"]);
    check_options(
        send(r#"{"step":1}"#),
        expect!["refused invalid: the options are not understood: invalid type: integer `1`, expected a string at line 1 column 9"],
    );
}
