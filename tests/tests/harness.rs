//! `wf-host harness`: what tests ask of workflows, by lines of JSON.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use expect_test::expect;
use serde_json::{Value, json};
use wf_tests::artifacts::{Language, guest, guest_of};
use wf_tests::patience::DEADLINE;
use wf_tests::server;
use wf_tests::wasm::Module;

/// A harness, and the lines of both sides.
struct Harness {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    hello: Value,
}

impl Harness {
    fn of(arguments: &[&str]) -> Harness {
        Harness::by(server::command(), arguments)
    }

    fn by(mut command: Command, arguments: &[&str]) -> Harness {
        command.arg("harness").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let input = child.stdin.take();
        let mut harness = Harness { child, input, lines, hello: Value::Null };
        harness.hello = harness.line();
        harness
    }

    fn guests(names: &[&str]) -> Harness {
        let paths: Vec<String> = names.iter().map(|name| guest(name).display().to_string()).collect();
        Harness::of(&paths.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn line(&self) -> Value {
        let line = self.lines.recv_timeout(DEADLINE).expect("a line in time");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().expect("open").write_all(bytes).expect("it reads");
    }

    fn ask(&mut self, request: Value) -> Value {
        self.write(format!("{request}\n").as_bytes());
        self.line()
    }

    fn start(&mut self, more: Value) -> Value {
        let mut request = json!({ "do": "start" });
        let fields = request.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        self.ask(request)
    }

    fn advance(&mut self, seconds: f64) -> Value {
        self.ask(json!({ "do": "advance", "seconds": seconds }))
    }

    fn finish(&mut self) -> Value {
        self.ask(json!({ "do": "finish" }))
    }

    fn send(&mut self, name: &str, value: Value) -> Value {
        self.ask(json!({ "do": "send", "event": { "type": name, "value": value } }))
    }

    /// The error, and its hint.
    fn refused(&mut self, request: Value) -> (String, String) {
        mistake(&self.ask(request))
    }

    fn ends(mut self) -> ExitStatus {
        drop(self.input.take());
        self.child.wait().expect("it ends")
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mistake(answer: &Value) -> (String, String) {
    let text = |key: &str| answer[key].as_str().unwrap_or_else(|| panic!("it is done: {answer}")).to_owned();
    assert_eq!(answer.as_object().map(|it| it.len()), Some(2), "{answer}");
    (text("error"), text("hint"))
}

/// The types of events.
fn types(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().expect("a list").iter().filter_map(|it| it["type"].as_str()).collect()
}

#[test]
fn a_run_goes_on_until_it_needs_time_or_an_event() {
    let mut harness = Harness::guests(&["hitl", "slow", "waiter"]);
    let listed = json!({ "name": "hitl", "start": "StartEvent", "steps": ["prompt_human", "greet_human"] });
    assert_eq!((&harness.hello["harness"], &harness.hello["workflows"][0]), (&json!(1), &listed));

    let asked = harness.start(json!({ "workflow": "hitl" }));
    assert_eq!((&asked["status"], types(&asked)), (&json!("running"), vec!["RequestEvent"]), "{asked}");
    assert_eq!(asked["waits"], json!([{ "types": ["ResponseEvent"], "request": asked["waits"][0]["request"] }]), "{asked}");
    let ended = harness.send("ResponseEvent", json!({ "response": "Ada" }));
    assert_eq!((&ended["status"], &ended["result"]), (&json!("completed"), &json!({ "output": "Hello, Ada" })), "{ended}");
    assert_eq!((types(&ended), &ended["stop"]["type"]), (vec!["OutEvent"], &json!("OutEvent")), "what was told before is not told again");
    assert_eq!(harness.refused(json!({ "do": "cancel" })).0, "the run has ended");

    let begun = Instant::now();
    let sleeps = harness.start(json!({ "workflow": "slow", "event": { "seconds": 3e6 } }));
    assert_eq!((&sleeps["status"], &sleeps["next"], &sleeps["now"]), (&json!("running"), &json!(3e6), &json!(0.0)), "{sleeps}");
    let sleeps = harness.advance(2e6);
    assert_eq!((&sleeps["next"], &sleeps["now"]), (&json!(1e6), &json!(2e6)), "{sleeps}");
    let ended = harness.finish();
    assert_eq!((&ended["result"], &ended["now"]), (&json!("slept 3000000.0"), &json!(3e6)), "{ended}");
    assert!(begun.elapsed() < DEADLINE, "a month takes no time");

    let asked = harness.start(json!({ "workflow": "waiter", "event": { "wait": 60 } }));
    assert_eq!(asked["waits"][0]["step"], "ask", "{asked}");
    let not_hers = harness.send("AnswerEvent", json!({ "answer": "no", "user": "bob" }));
    assert_eq!(not_hers["status"], "running", "{not_hers}");
    let ended = harness.advance(60.0);
    assert_eq!((&ended["status"], &ended["now"]), (&json!("failed"), &json!(60.0)), "{ended}");
    assert!(ended["failure"].as_str().is_some_and(|it| it.contains("AnswerEvent")), "{ended}");

    harness.start(json!({ "workflow": "slow", "event": { "seconds": 5 } }));
    assert_eq!(harness.ask(json!({ "do": "cancel" }))["status"], "cancelled");
    assert!(harness.ends().success());
}

#[test]
fn attempts_fail_where_the_test_says_so_and_timeouts_come_by_its_clock() {
    let mut harness = Harness::guests(&["retry", "timeout", "fanout", "greeting"]);
    let ended = harness.start(json!({ "workflow": "retry" }));
    assert_eq!((&ended["status"], &ended["next"]), (&json!("running"), &json!(0.05)), "its own failure: {ended}");
    assert_eq!(harness.finish()["result"], json!({ "tries": 3 }));
    assert_eq!(harness.ask(json!({ "do": "state" })), json!({ "state": { "tries": 3 } }));

    // The work is done, and then it fails: what was committed stands. The third attempt would end it well.
    let fail = json!([{ "step": "flaky", "times": 9, "kind": "Boom", "message": "not today", "retryable": false }]);
    let ended = harness.start(json!({ "workflow": "retry", "state": { "tries": 2 }, "fail": fail }));
    assert_eq!((&ended["status"], &ended["failure"]), (&json!("failed"), &json!("not today")), "{ended}");
    assert_eq!(harness.ask(json!({ "do": "state" })), json!({ "state": { "tries": 3 } }));
    let attempts = harness.ask(json!({ "do": "attempts" }));
    let failure = json!({ "kind": "Boom", "message": "not today" });
    assert_eq!(attempts, json!({ "attempts": [{ "step": "flaky", "invocation": 0, "attempt": 0, "failure": failure }] }));
    let log = harness.ask(json!({ "do": "log" }));
    assert_eq!((&log["log"][0]["source"], &log["log"][0]["step"]), (&json!("failure"), &json!("flaky")), "{log}");

    let fail = json!([{ "step": "flaky", "retry_after": 7.5 }]);
    let waits = harness.start(json!({ "workflow": "retry", "state": { "tries": 2 }, "fail": fail }));
    assert_eq!(waits["next"], 7.5, "{waits}");

    // Of five that are alike, one.
    let fail = json!([{ "step": "work", "delivery": 2, "message": "the third" }]);
    harness.start(json!({ "workflow": "fanout", "event": { "n": 5 }, "fail": fail }));
    let ended = harness.finish();
    assert_eq!(ended["failure"], "the third", "{ended}");

    let late = harness.start(json!({ "workflow": "timeout", "event": { "seconds": 1 } }));
    assert_eq!((&late["status"], &late["next"]), (&json!("running"), &json!(0.3)), "{late}");
    let late = harness.advance(0.5);
    assert_eq!((&late["status"], &late["now"]), (&json!("failed"), &json!(0.5)), "{late}");

    let (error, hint) = harness.refused(json!({ "do": "start", "workflow": "retry", "fail": [{ "step": "nope" }] }));
    assert_eq!((&*error, &*hint), ("there is no step `nope` to fail", "there are `flaky`"));
}

/// All that is seen of a run, and how often it was restarted. What asks is answered.
fn whole(harness: &mut Harness, name: &str, event: &Value, restart_at: Value) -> (Value, Value) {
    let plan = json!({ "workflow": name, "event": event, "seed": 7, "restart_at": restart_at });
    let mut told = vec![harness.start(plan)];
    told.extend(match name {
        "hitl" => Some(harness.send("ResponseEvent", json!({ "response": "Ada" }))),
        "waiter" => Some(harness.send("AnswerEvent", json!({ "answer": "me", "user": "laurie" }))),
        _ => None,
    });
    let ended = harness.finish();
    let state = harness.ask(json!({ "do": "state" }));
    told.push(ended.clone());
    let seen: Vec<&Value> = told.iter().flat_map(|it| it["events"].as_array().expect("a list")).collect();
    (json!([seen, ended["status"], ended["result"], ended["failure"], ended["points"], ended["now"], state]), ended["restarts"].clone())
}

/// A host that is restarted at every point, or at one, changes nothing of what is seen.
fn a_restart_at_every_point_changes_nothing(language: Language) {
    let runs = [
        ("greeting", json!({ "name": "Ada", "delay": 2 }), "completed"),
        ("hitl", json!({}), "completed"),
        ("waiter", json!({ "wait": 60 }), "completed"),
        ("failing", json!({ "message": "no luck" }), "failed"),
        ("counter", json!({ "by": 2 }), "completed"),
        ("retry", json!({}), "completed"),
        ("fanout", json!({ "n": 3 }), "completed"),
        ("random", json!({ "sleep": 5 }), "completed"),
        ("slow", json!({ "seconds": 0.2 }), "completed"),
        ("timeout", json!({ "seconds": 1 }), "failed"),
    ];
    let paths = runs.iter().map(|(name, ..)| guest_of(language, name).display().to_string());
    let mut harness = Harness::by(server::command(), &paths.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>());
    for (name, event, status) in runs {
        let (plain, never) = whole(&mut harness, name, &event, json!(null));
        assert_eq!((never, plain[1].as_str()), (json!(0), Some(status)), "{name}: {plain}");
        let (every, restarts) = whole(&mut harness, name, &event, json!("every"));
        assert_eq!(plain, every, "{name}");
        // The last one ends the run, where it is not its timeout that does.
        let points = plain[4].as_u64().expect("a number") - u64::from(name != "timeout");
        assert_eq!(restarts, points, "{name}");
        // Its steps do the same again, payload by payload.
        let again = harness.ask(json!({ "do": "replay" }));
        assert_eq!(again["differing"], json!([]), "{name}");
        assert!(name == "timeout" || again["attempts"].as_u64() > Some(0), "{name}: {again}");
        for point in 1..=points {
            assert_eq!(whole(&mut harness, name, &event, json!([point])), (plain.clone(), json!(1)), "{name} at {point}");
        }
    }
    // And while nothing goes on.
    harness.start(json!({ "workflow": "slow", "event": { "seconds": 9 } }));
    assert_eq!(harness.ask(json!({ "do": "restart" }))["restarts"], 1);
    assert_eq!(harness.finish()["result"], "slept 9.0");
    assert_eq!(harness.ask(json!({ "do": "restart" }))["restarts"], 1, "nothing is left to go on");
}

mod a_restart_at_every_point_changes_nothing {
    use super::Language;

    #[test]
    fn in_rust() {
        super::a_restart_at_every_point_changes_nothing(Language::Rust);
    }

    #[test]
    fn in_python() {
        super::a_restart_at_every_point_changes_nothing(Language::Python);
    }

    #[test]
    fn in_typescript() {
        super::a_restart_at_every_point_changes_nothing(Language::TypeScript);
    }

    #[test]
    fn in_go() {
        super::a_restart_at_every_point_changes_nothing(Language::Go);
    }

    #[test]
    fn in_c() {
        super::a_restart_at_every_point_changes_nothing(Language::C);
    }
}

#[test]
fn chance_goes_by_the_seed() {
    let mut harness = Harness::guests(&["random"]);
    let mut drawn = |seed: u64| harness.start(json!({ "seed": seed }))["result"].clone();
    let (one, again, other) = (drawn(1), drawn(1), drawn(2));
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[test]
fn requests_are_answered_by_the_test_and_nothing_leaves() {
    for name in ["wasi-http", "outside"] {
        // Hosts that are granted are not reached either.
        let mut harness = Harness::of(&[&guest(name).display().to_string(), "--allow-http", "https://api.example.com"]);
        let url = if name == "outside" { "https://api.example.com/a?b" } else { "http://api.example.com/a?b" };
        let task = match name {
            "outside" => json!({ "method": "POST", "url": url, "headers": { "x-one": "1" }, "body": "hello", "publish": true }),
            _ => json!({ "method": "POST", "authority": "api.example.com", "path": "/a?b", "body": "hello", "publish": true }),
        };
        let http = json!([
            { "url": "http*://api.example.com/a*", "method": "post", "times": 1, "status": 201, "headers": { "x-two": "2" }, "json": { "is": "fine" } },
            { "url": "*", "text": "more" },
        ]);
        let ended = harness.start(json!({ "event": { "tasks": [task] }, "http": http, "restart_at": "every" }));
        assert_eq!(ended["status"], "completed", "{name}: {ended}");
        let told = ended["result"].to_string();
        assert!(told.contains("201") && told.contains("fine"), "{name}: {told}");
        let requests = harness.ask(json!({ "do": "requests" }));
        let made = &requests["requests"];
        assert_eq!(made.as_array().map(Vec::len), Some(1), "once, whatever is restarted: {requests}");
        assert_eq!((&made[0]["method"], &made[0]["url"]), (&json!("POST"), &json!(url)), "{requests}");
        assert_eq!(made[0]["text"], "hello", "{requests}");
        if name == "wasi-http" {
            continue;
        }

        let tasks =
            json!({ "tasks": [{ "url": "http://nobody.example/" }, { "url": "http://slow.example/" }, { "url": "http://cut.example/" }] });
        let http = json!([
            { "url": "http://slow.*", "failure": { "kind": "timeout", "message": "too slow" } },
            { "url": "http://cut.*", "base64": "aGVsbG8=", "cut": true },
        ]);
        let ended = harness.start(json!({ "event": tasks, "http": http }));
        let told = ended["result"]["told"].as_array().unwrap_or_else(|| panic!("{ended}")).clone();
        expect![[r#"
            {"kind":"denied","message":"nobody answers `GET http://nobody.example/` in this test: add an answer to `http` of its start"}
            {"kind":"timeout","message":"too slow"}
            {"kind":"network","message":"the connection broke"}"#]]
        .assert_eq(&told.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"));

        let tasks = json!({ "tasks": [{ "variable": "REGION" }] });
        let ended = harness.start(json!({ "event": tasks, "variables": { "REGION": "eu" } }));
        assert_eq!(ended["result"]["told"], json!(["eu"]));
        let (error, _) = harness.refused(json!({ "do": "start", "http": [{ "url": "*", "text": "a", "json": 1 }] }));
        assert_eq!(error, "the answer to `*` has more than one of `json`, `text`, `base64` and `failure`");
        let (error, _) = harness.refused(json!({ "do": "start", "http": [{ "url": "*", "headers": { "a b": "1" } }] }));
        assert_eq!(error, "the answer to `*`: `a b: 1` is no header");
    }
}

/// An answer that somebody is reading is cut by a restart, as it would be by a crash, and read anew by the next attempt.
#[test]
fn a_restart_amid_an_answer_cuts_it() {
    let mut harness = Harness::guests(&["outside"]);
    let event = json!({ "tasks": [{ "url": "http://a.example/", "fails": true }] });
    let plan = |restart_at: Value| json!({ "event": event, "http": [{ "url": "*", "text": "hello" }], "restart_at": restart_at });
    let points = harness.start(plan(json!(null)))["points"].as_u64().expect("a number");
    let mut cut = 0;
    for point in 1..points {
        harness.start(plan(json!([point])));
        let ended = harness.finish();
        assert_eq!((&ended["status"], &ended["result"]["told"][0]["body"]), (&json!("completed"), &json!("hello")), "{ended}");
        cut += ended["result"]["attempt"].as_u64().expect("a number");
    }
    assert!(cut > 0, "one of {points} points lies between the head and the body");
}

#[test]
fn a_clock_that_is_moved_stands_still_where_the_test_is_to_answer() {
    let mut harness = Harness::guests(&["greeting"]);
    let begun = harness.start(json!({ "event": { "delay": 10 }, "pause_at": ["StreamEvent"] }));
    assert_eq!(types(&begun), ["StreamEvent"]);
    let paused = harness.advance(25.0);
    assert_eq!((&paused["now"], &paused["left"], types(&paused)), (&json!(10.0), &json!(15.0), vec!["StreamEvent"]), "{paused}");
    let paused = harness.advance(15.0);
    assert_eq!((&paused["now"], &paused["left"]), (&json!(20.0), &json!(5.0)), "{paused}");
    let waits = harness.advance(5.0);
    assert_eq!((&waits["now"], &waits["left"], &waits["next"]), (&json!(25.0), &Value::Null, &json!(5.0)), "{waits}");
    assert_eq!(harness.finish()["result"], "Hello, World!");
}

#[test]
fn a_guest_that_traps_or_hangs_fails_its_attempt_and_nothing_else() {
    let mut harness = Harness::guests(&["trap", "spin", "greeting"]);
    let ended = harness.start(json!({ "workflow": "trap", "event": { "message": "oh no" } }));
    assert_eq!((&ended["status"], &ended["failure"]), (&json!("failed"), &json!("oh no")), "{ended}");
    let log = harness.ask(json!({ "do": "log" })).to_string();
    assert!(log.contains("wasm backtrace"), "{log}");
    let ended = harness.start(json!({ "workflow": "spin", "executing_max": 0.05 }));
    let failure = ended["failure"].as_str().unwrap_or_else(|| panic!("{ended}"));
    assert!(failure.contains("step `spin` computed for more than 50ms"), "{failure}");
    assert_eq!(harness.start(json!({ "workflow": "greeting" }))["result"], "Hello, World!");
}

/// What comes in is checked as a server checks it.
#[test]
fn what_a_server_would_refuse_is_refused() {
    let mut harness = Harness::guests(&["hitl", "fanout"]);
    let start = |workflow: &str, event: Value| json!({ "do": "start", "workflow": workflow, "event": event });
    let (error, hint) = harness.refused(start("fanout", json!({ "n": "three" })));
    assert_eq!(error, "the event does not fit: n: \"three\" is not of type \"integer\"");
    assert!(hint.contains("wf-host inspect"), "{hint}");
    assert!(harness.refused(start("fanout", json!({ "n": 1001 }))).0.contains("1001 is greater than the maximum"));
    assert!(harness.refused(start("fanout", json!([]))).0.contains("no JSON object"));
    assert!(harness.refused(start("nope", json!({}))).0.contains("there is no workflow `nope`"));
    assert!(harness.refused(json!({ "do": "start" })).0.contains("`start` names none"));
    assert!(harness.refused(json!({ "do": "start", "workflow": "hitl", "state": [] })).0.contains("the state is no JSON object"));
    let (error, hint) = harness.refused(json!({ "do": "finish" }));
    assert_eq!((&*error, &*hint), ("no run was started", "`{\"do\":\"start\",\"event\":{…}}` starts one"));

    harness.start(json!({ "workflow": "hitl" }));
    let sent = |name: &str, value: Value| json!({ "do": "send", "event": { "type": name, "value": value } });
    assert!(harness.refused(sent("Nope", json!({}))).0.contains("unknown event type Nope"));
    assert!(harness.refused(sent("ResponseEvent", json!({}))).0.contains("\"response\" is a required property"));
    let step = json!({ "do": "send", "event": { "type": "ResponseEvent", "value": { "response": "x" } }, "step": "prompt_human" });
    assert!(harness.refused(step).0.contains("step `prompt_human` does not accept ResponseEvent"));
    assert!(harness.refused(json!({ "do": "send", "event": {} })).0.contains("Must have a type"));
    let ended = harness.send("ResponseEvent", json!({ "response": "Ada" }));
    assert_eq!(ended["status"], "completed", "what was refused has changed nothing: {ended}");
}

#[test]
fn numbers_and_line_breaks_come_as_they_were() {
    let mut harness = Harness::guests(&["ask", "greeting"]);
    harness.write(b"{\"do\":\"start\",\"workflow\":\"greeting\",\"event\":{\"name\":\"a\\nb\"},\"state\":{\"n\":12345678901234567890123,\"f\":1.0}}\n");
    assert_eq!(harness.line()["result"], "Hello, a\nb!");
    harness.write(b"{\"do\":\"state\"}\n");
    let line = harness.lines.recv_timeout(DEADLINE).expect("a line");
    assert_eq!(line, r#"{"state":{"n":12345678901234567890123,"f":1.0}}"#);
}

/// None of it ends the harness, and each has its answer.
#[test]
fn what_is_no_request_is_answered_with_what_one_is() {
    let mut harness = Harness::guests(&["greeting"]);
    let long = format!("{{\"do\":\"start\",\"event\":{{\"name\":\"{}\"}}}}", "x".repeat(33 << 20));
    let deep = format!("{{\"do\":\"start\",\"event\":{{\"a\":{}{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
    let kept = format!("{{\"do\":\"start\",\"event\":{{\"name\":\"{}\"}}}}", "x".repeat(5 << 20));
    let bad: Vec<(&[u8], &str)> = vec![
        (b"hello", "the request is no JSON object"),
        (b"{", "the request cannot be read"),
        (b"[\"end\"]", "the request is no JSON object"),
        (b"\"start\"", "the request is no JSON object"),
        (b"{\"do\":1}", "the request cannot be read"),
        (b"{}", "the request does not say what to do"),
        (b"{\"do\":\"dance\"}", "there is nothing like `dance` to do"),
        (b"{\"do\":\"start\",\"evnet\":{}}", "unknown field `evnet`"),
        (b"{\"do\":\"finish\",\"seconds\":1}", "unknown field `seconds`"),
        (b"{\"do\":\"start\",\"event\":{},\"event\":{}}", "duplicate field `event`"),
        (b"{\"do\":\"start\",\"fail\":[{\"step\":\"greet\",\"tims\":1}]}", "unknown field `tims`"),
        (b"{\"do\":\"start\",\"restart_at\":\"sometimes\"}", "`restart_at` is \"every\", or a list of numbers of points"),
        (b"{\"do\":\"start\",\"executing_max\":-1}", "`executing_max` cannot be -1 seconds"),
        (b"{\"do\":\"advance\"}", "missing field `seconds`"),
        (b"{\"do\":\"advance\",\"seconds\":-1}", "a clock cannot be moved by -1 seconds"),
        (b"{\"do\":\"advance\",\"seconds\":1e300}", "a clock cannot be moved by"),
        (b"\xff\xfe", "the request is no text"),
        (b"{\"do\":\"start\"}\x00", "the request cannot be read"),
        (long.as_bytes(), "the request has more than 33554432 bytes (limit line_max)"),
        (deep.as_bytes(), "is more than 64 deep (limit depth_max)"),
        (kept.as_bytes(), "payload_max"),
    ];
    for (line, why) in bad {
        harness.write(&[line, b"\n"].concat());
        let (error, hint) = mistake(&harness.line());
        assert!(error.contains(why) && error.len() < 20_000 && !hint.is_empty(), "{error}");
    }
    harness.write(b"\n  \r\n");
    assert_eq!(harness.start(json!({}))["result"], "Hello, World!");
    // Many at once are answered one after the other, and the end may come in the middle of one.
    harness.write(b"{\"do\":\"state\"}\n{\"do\":\"attempts\"}\n{\"do\":\"sta");
    drop(harness.input.take());
    let answers = [harness.line(), harness.line(), harness.line()];
    assert_eq!(answers[0], json!({ "state": {} }));
    assert!(answers[1]["attempts"].is_array() && answers[2]["error"].is_string(), "{answers:?}");
    assert!(harness.ends().success());

    let mut harness = Harness::guests(&["slow"]);
    harness.start(json!({ "event": { "seconds": 5 } }));
    harness.write(b"{\"do\":\"end\"}\n");
    assert!(harness.child.wait().expect("it ends").success(), "also amid a run");
}

/// Runs that never come to rest are ended, and the harness goes on.
#[test]
fn what_goes_on_for_ever_is_ended() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    // One event leads to the next.
    let events = r#"[{"name":"EventLoop","kind":"plain"}]"#;
    let steps = r#"[{"name":"only","accepts":["StartEvent","EventLoop"],"emits":["EventLoop","StopEvent"]}]"#;
    let ending = Module::echoing(&format!(r#"{{"name":"loop","events":{events},"steps":{steps}}}"#));
    let looping = Module { fields: ending.fields.replace(r#""StopEvent""#, r#""EventLoop""#), ..ending };
    let path = folder.path().join("loop.wasm");
    std::fs::write(&path, looping.binary()).expect("written");
    let mut harness = Harness::of(&[&path.display().to_string()]);
    let (error, hint) = harness.refused(json!({ "do": "start", "patience": 500 }));
    assert!(error.contains("the run goes on and on: its steps reported 500 times") && hint.contains("loop"), "{error}: {hint}");
    assert_eq!(harness.refused(json!({ "do": "state" })).0, "no run was started");

    // Each attempt fails, and the next one comes after a day.
    let step = r#"{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"],"retry":{"delay":86400}}"#;
    let failing = Module { fields: Module::describing(&format!(r#"{{"name":"failing","steps":[{step}]}}"#)).fields, ..Module::sound("") };
    let path = folder.path().join("failing.wasm");
    std::fs::write(&path, failing.binary()).expect("written");
    let mut harness = Harness::of(&[&path.display().to_string()]);
    assert_eq!(harness.start(json!({ "patience": 100 }))["next"], 86400.0);
    let week = harness.advance(6.5 * 86400.0);
    assert_eq!((&week["status"], &week["next"]), (&json!("running"), &json!(43200.0)), "{week}");
    let (error, hint) = harness.refused(json!({ "do": "finish" }));
    assert_eq!(error, "the run goes on and on: something came due 100 times");
    assert!(hint.contains("move the clock by less"), "{hint}");
}

#[test]
fn what_cannot_be_loaded_is_said_in_the_first_line() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("broken.wasm");
    std::fs::write(&path, "no wasm").expect("written");
    for (argument, why) in [(path.display().to_string(), "broken.wasm"), ("nope.wasm".to_owned(), "there is no file `nope.wasm`")] {
        let harness = Harness::of(&[&argument]);
        let (error, hint) = mistake(&harness.hello);
        assert!(error.contains(why) && !hint.is_empty(), "{error}");
        assert_eq!(harness.ends().code(), Some(1));
    }
}

/// Whatever a component was written in.
#[test]
fn every_language_is_tested_by_the_same_words() {
    for language in [Language::Rust, Language::Python, Language::TypeScript, Language::C, Language::Go] {
        let path = guest_of(language, "waiter").display().to_string();
        let mut harness = Harness::by(server::command(), &[&format!("it={path}")]);
        let plan = json!({ "event": { "wait": 3600 }, "restart_at": "every", "fail": [] });
        let asked = harness.start(plan);
        assert_eq!((types(&asked), &asked["next"]), (vec!["AskEvent"], &json!(3600.0)), "{language:?}: {asked}");
        harness.advance(3599.0);
        let ended = harness.send("AnswerEvent", json!({ "answer": "me", "user": "laurie" }));
        assert_eq!((&ended["status"], &ended["result"]), (&json!("completed"), &json!({ "answer": "me" })), "{language:?}: {ended}");
    }
}
