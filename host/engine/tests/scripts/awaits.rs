//! What a run waits for from outside.

use super::played;

#[track_caller]
fn check(script: &str, expected: &str) {
    let world = played(script);
    let told = serde_json::to_string(&world.run.awaits()).expect("JSON");
    assert_eq!(told, expected);
}

const TYPES: &str = "type Ask: input-required\n type Answer: human-response\n";

#[test]
fn a_wait_for_a_person_is_told_with_its_question_also_while_others_go_on() {
    let script = |more: &str| format!("{TYPES} step ask: StartEvent -> Item StopEvent\n step work: Item -> StopEvent\n {more}");
    let begun = script("start\n #0 return Item, Item");
    check(&begun, "[]");
    let asks = script("start\n #0 send Item; wait Answer ask Ask");
    check(&asks, r#"[{"types":["Answer"],"step":"ask","invocation":0,"request":1}]"#);
    check(&format!("{asks}\n event Answer"), "[]");
}

#[test]
fn a_question_that_is_an_event_waits_for_what_steps_are_given() {
    let script = format!("{TYPES} step ask: StartEvent -> Ask\n step take: Answer -> StopEvent\n start\n #0 return Ask");
    check(&script, r#"[{"types":["Answer"],"request":2}]"#);
    check(&format!("{script}\n event Answer"), "[]");
}

#[test]
fn of_several_questions_the_oldest_is_answered_first_while_others_go_on() {
    let script = format!(
        "{TYPES} step ask: StartEvent -> Ask Item\n step work: Item -> StopEvent\n step take: Answer -> \n start\n #0 return Ask, Ask, Item"
    );
    check(&script, r#"[{"types":["Answer"],"request":2},{"types":["Answer"],"request":3}]"#);
    check(&format!("{script}\n event Answer"), r#"[{"types":["Answer"],"request":3}]"#);
    check(&format!("{script}\n event Answer\n event Answer"), "[]");
}

#[test]
fn a_question_that_was_published_before_a_wait_is_the_waits() {
    let script = format!("{TYPES} step ask: StartEvent -> StopEvent\n step take: Answer ->\n start\n #0 publish Ask; wait Answer");
    check(&script, r#"[{"types":["Answer"],"step":"ask","invocation":0,"request":1}]"#);
}

#[test]
fn a_question_of_an_attempt_that_failed_is_asked_by_the_next_one_alone() {
    let script = format!(
        "{TYPES} step ask: StartEvent -> StopEvent, retry 1 attempts 3\n step take: Answer ->\n start\n #0 publish Ask; fail ValueError \"x\"\n @5 timer 0\n #0 publish Ask; sleep 100"
    );
    assert_eq!(played(&script).run.awaits().len(), 1);
}

#[test]
fn a_wait_that_another_step_can_end_is_told_once_only_the_outside_can() {
    let script = "step ask: StartEvent -> Item StopEvent\n step work: Item -> Ready\n start\n #0 send Item; wait Ready";
    check(script, "[]");
    check(&format!("{script}\n #1 return"), r#"[{"types":["Ready"],"step":"ask","invocation":0}]"#);
}

#[test]
fn a_run_that_only_additional_events_move_waits_for_them() {
    check("additional Ping\n step begin: StartEvent -> StopEvent\n start\n #0 return", r#"[{"types":["Ping"]}]"#);
}

#[test]
fn what_is_told_is_bounded_and_ends_with_the_run() {
    let asks = ["Ask"; 150].join(", ");
    let script = format!("{TYPES} step ask: StartEvent -> Ask\n step take: Answer -> StopEvent\n start\n #0 return {asks}");
    assert_eq!(played(&script).run.awaits().len(), 20);
    check(&format!("{script}\n cancel"), "[]");
}
