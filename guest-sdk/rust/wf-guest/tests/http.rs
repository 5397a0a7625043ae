//! Requests of a workflow, answered by its test.

use wf_guest::prelude::*;
use wf_guest::testing::{HttpRequest, HttpResponse, Test};

#[derive(Event)]
struct Told {
    text: String,
}

struct Asker;

#[workflow]
impl Asker {
    #[step(retry(delay = 1.0, attempts_max = 3))]
    fn ask(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let how: String = start.get("how")?.unwrap_or_default();
        let request = context.http().post("https://api.example/v1").query("a b", "c&d").bearer("key").json(&json!({ "n": 1 }))?;
        let response = request.idempotency_key("once").timeout(Duration::from_secs(9)).send()?;
        Ok(StopEvent::new(match how.as_str() {
            "json" => response.error_for_status()?.json::<Value>()?,
            "head" => json!([response.status(), response.header("X-Way"), response.is_success(), response.headers().len()]),
            "lines" => json!(response.lines().collect::<Result<Vec<String>>>()?),
            "events" => {
                let mut told = Vec::new();
                for event in response.error_for_status()?.events() {
                    let event = event?;
                    context.publish(&Told { text: event.data.clone() })?;
                    told.push(json!([event.event, event.data, event.id]));
                }
                json!(told)
            }
            _ => json!(context.variable("REGION")),
        }))
    }
}

fn test(answers: impl FnMut(&HttpRequest) -> HttpResponse + 'static) -> Test {
    Test::of(Asker).http(answers).variable("REGION", "north")
}

#[test]
fn a_request_is_what_was_said_and_its_answer_a_value() {
    let answers = |request: &HttpRequest| {
        assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "https://api.example/v1?a%20b=c%26d"));
        assert_eq!((request.header("Authorization"), request.header("content-type")), (Some("Bearer key"), Some("application/json")));
        assert_eq!(request.json::<Value>(), json!({ "n": 1 }));
        HttpResponse::json(json!({ "long": 12345678901234567890_u64 }))
    };
    let run = test(answers).restart_at_every_commit().start(json!({ "how": "json" }));
    assert_eq!(run.result::<Value>(), json!({ "long": 12345678901234567890_u64 }));
    let run = test(|_| HttpResponse::status(404).header("x-way", "here")).start(json!({ "how": "head" }));
    assert_eq!(run.result::<Value>(), json!([404, "here", false, 1]));
    assert_eq!(test(|_| HttpResponse::status(204)).start(json!({})).result::<String>(), "north");
}

#[test]
fn lines_come_wherever_the_parts_end() {
    let answers = |_: &_| HttpResponse::status(200).part("one\r\ntw").part("o\n\nthr").part("\u{e9}e\nlast".as_bytes());
    let run = test(answers).start(json!({ "how": "lines" }));
    assert_eq!(run.result::<Vec<String>>(), ["one", "two", "", "thrée", "last"]);
    let run = test(|_| HttpResponse::status(200)).start(json!({ "how": "lines" }));
    assert_eq!(run.result::<Vec<String>>(), Vec::<String>::new());
    let broken = test(|_| HttpResponse::status(200).part([0xff, b'\n'])).start(json!({ "how": "lines" }));
    assert!(broken.is_running(), "what is no text fails the attempt");
}

#[test]
fn server_sent_events_are_read_as_browsers_do() {
    let text = "\u{feff}: a comment\ndata: one\ndata:two\n\nevent: named\nid: 7\ndata\n\nid: 8\n\nretry: 10\ndata: {\"a\":1}\r\n\r\ndata: never ended";
    for length in [1, 3, text.len()] {
        let answers = move |_: &_| text.as_bytes().chunks(length).fold(HttpResponse::status(200), |response, part| response.part(part));
        let run = test(answers).start(json!({ "how": "events" }));
        let expected = json!([["message", "one\ntwo", null], ["named", "", "7"], ["message", "{\"a\":1}", null]]);
        assert_eq!(run.result::<Value>(), expected, "{length}");
        assert_eq!(run.published_of::<Told>().len(), 3);
    }
}

#[test]
fn an_error_of_the_other_side_is_retried_where_and_when_that_helps() {
    let mut asked = 0;
    let answers = move |_: &_| {
        asked += 1;
        if asked == 1 { HttpResponse::status(429).header("retry-after", 30) } else { HttpResponse::json(json!(asked)) }
    };
    let mut run = test(answers).start(json!({ "how": "json" }));
    run.advance(Duration::from_secs(29));
    assert!(run.is_running(), "it asked for half a minute");
    run.advance(Duration::from_secs(1));
    assert_eq!(run.result::<u32>(), 2);
    let run = test(|_| HttpResponse::status(400).part("no such thing")).start(json!({ "how": "json" }));
    assert_eq!(
        run.failure().lines().next().map(|it| it.contains("400 of `POST https://api.example/v1`: no such thing")),
        Some(true),
        "{}",
        run.failure()
    );
    assert_eq!(run.attempts("ask"), 1);
}

#[test]
fn a_cut_answer_and_nobody_at_all_are_tried_again() {
    let mut asked = 0;
    let answers = move |_: &_| {
        asked += 1;
        match asked {
            1 => HttpResponse::status(200).events(["a"]).cut(),
            2 => HttpResponse::failed(Failure::new("network", "nobody is there")),
            _ => HttpResponse::status(200).events(["a", "b"]),
        }
    };
    let mut run = test(answers).start(json!({ "how": "events" }));
    run.finish();
    assert_eq!(run.result::<Vec<Value>>().len(), 2);
    assert_eq!(run.published_of::<Told>().len(), 3, "what was shown stays");
    assert_eq!(run.attempts("ask"), 3);
}

#[test]
fn a_test_that_answers_no_requests_says_so() {
    let run = Test::of(Asker).start(json!({}));
    assert!(run.failure().contains("say who does with `Test::http`"), "{}", run.failure());
}
