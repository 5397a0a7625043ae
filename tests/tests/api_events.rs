//! `POST /events/{id}`: every row of its table, and the forms of an event.

use expect_test::expect;
use serde_json::json;
use wf_tests::{Server, check};

#[tokio::test]
async fn what_is_refused() {
    let server = Server::start(&["hitl", "waiter", "greeting"]).await;
    check(
        &server,
        r#"
        POST /workflows/hitl/run-nowait {"handler_id":"h"}
        POST /events/h
        POST /events/h {
        POST /events/h []
        POST /events/h "text"
        POST /events/h {}
        POST /events/h {"event":{}}
        POST /events/h {"event":""}
        POST /events/h {"event":null}
        POST /events/h {"event":"no JSON"}
        POST /events/h {"event":17}
        POST /events/h {"event":{"response":"Ada"}}
        POST /events/h {"event":{"value":{}}}
        POST /events/h {"event":{"type":"ResponseEvent"}}
        POST /events/h {"event":{"type":"Nope","value":{}}}
        POST /events/h {"event":{"value":{},"qualified_name":"os.path.Nope"}}
        POST /events/h {"event":{"type":"ResponseEvent","value":{}}}
        POST /events/h {"event":{"type":"ResponseEvent","value":{"response":17}}}
        POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"x"}},"step":"nope"}
        POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"x"}},"step":"prompt_human"}
        POST /events/nobody {"event":{"type":"ResponseEvent","value":{"response":"x"}}}
        POST /events/nobody {
        POST /workflows/greeting/run {"handler_id":"g"}
        POST /events/g {"event":{"type":"StartEvent","value":{}}}
        POST /events/g {
        POST /events/g {"event":{}}
        POST /events/g {"event":{"type":"Nope","value":{}}}
        POST /events/g {"event":{"type":"StartEvent","value":[]}}
        GET /handlers/h
        "#,
        expect![[r#"
            POST /workflows/hitl/run-nowait {"handler_id":"h"}
            200 {"handler_id":"h","workflow_name":"hitl","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /events/h
            400 {"detail":"Invalid JSON body: EOF while parsing a value at line 1 column 0"}
            POST /events/h {
            400 {"detail":"Invalid JSON body: EOF while parsing an object at line 1 column 1"}
            POST /events/h []
            400 {"detail":"Event data is required"}
            POST /events/h "text"
            400 {"detail":"Event data is required"}
            POST /events/h {}
            400 {"detail":"Event data is required"}
            POST /events/h {"event":{}}
            400 {"detail":"Event data is required"}
            POST /events/h {"event":""}
            400 {"detail":"Event data is required"}
            POST /events/h {"event":null}
            400 {"detail":"Event data is required"}
            POST /events/h {"event":"no JSON"}
            400 {"detail":"Failed to deserialize event: expected ident at line 1 column 2"}
            POST /events/h {"event":17}
            400 {"detail":"Failed to deserialize event: it is no JSON object"}
            POST /events/h {"event":{"response":"Ada"}}
            400 {"detail":"Failed to deserialize event: Invalid client data. Must have a type or a qualified name, got {\"response\":\"Ada\"}"}
            POST /events/h {"event":{"value":{}}}
            400 {"detail":"Failed to deserialize event: Invalid client data. Must have a type or a qualified name, got {\"value\":{}}"}
            POST /events/h {"event":{"type":"ResponseEvent"}}
            400 {"detail":"Failed to deserialize event: Invalid client data. Must have a value, got {\"type\":\"ResponseEvent\"}"}
            POST /events/h {"event":{"type":"Nope","value":{}}}
            400 {"detail":"Invalid event type: Nope. Expected one of RequestEvent, ResponseEvent, StartEvent"}
            POST /events/h {"event":{"value":{},"qualified_name":"os.path.Nope"}}
            400 {"detail":"Invalid event type: Nope. Expected one of RequestEvent, ResponseEvent, StartEvent"}
            POST /events/h {"event":{"type":"ResponseEvent","value":{}}}
            400 {"detail":"Failed to deserialize event: \"response\" is a required property"}
            POST /events/h {"event":{"type":"ResponseEvent","value":{"response":17}}}
            400 {"detail":"Failed to deserialize event: response: 17 is not of type \"string\""}
            POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"x"}},"step":"nope"}
            400 {"detail":"Failed to send event: Step nope does not exist"}
            POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"x"}},"step":"prompt_human"}
            400 {"detail":"Failed to send event: Step prompt_human does not accept ResponseEvent"}
            POST /events/nobody {"event":{"type":"ResponseEvent","value":{"response":"x"}}}
            404 {"detail":"Handler not found"}
            POST /events/nobody {
            404 {"detail":"Handler not found"}
            POST /workflows/greeting/run {"handler_id":"g"}
            200 {"handler_id":"g","workflow_name":"greeting","run_id":"$r2","error":null,"result":{"value":{"result":"Hello, World!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /events/g {"event":{"type":"StartEvent","value":{}}}
            409 {"detail":"Workflow already completed"}
            POST /events/g {
            400 {"detail":"Invalid JSON body: EOF while parsing an object at line 1 column 1"}
            POST /events/g {"event":{}}
            400 {"detail":"Event data is required"}
            POST /events/g {"event":{"type":"Nope","value":{}}}
            400 {"detail":"Invalid event type: Nope. Expected one of StreamEvent, StartEvent"}
            POST /events/g {"event":{"type":"StartEvent","value":[]}}
            400 {"detail":"Failed to deserialize event: its value is no JSON object"}
            GET /handlers/h
            202 {"handler_id":"h","workflow_name":"hitl","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn forms_of_an_event() {
    let server = Server::start(&["hitl"]).await;
    let forms = [
        r#"{"type":"ResponseEvent","value":{"response":"Ada"}}"#,
        r#"{"type":"ResponseEvent","data":{"response":"Ada"}}"#,
        r#""{\"type\":\"ResponseEvent\",\"data\":{\"response\":\"Ada\"}}""#,
        r#""{\"type\":\"ResponseEvent\",\"value\":{\"response\":\"Ada\"}}""#,
        r#"{"__is_pydantic":true,"value":{"response":"Ada"},"qualified_name":"__main__.ResponseEvent"}"#,
        r#"{"value":{"response":"Ada"},"qualified_name":"mod.ResponseEvent"}"#,
        r#"{"type":"ResponseEvent","value":{"response":"Ada"},"qualified_name":"mod.Another"}"#,
        r#"{"type":"ResponseEvent","value":{"response":"Ada"},"types":["HumanResponseEvent"]}"#,
    ];
    for form in forms {
        let handler = server.begin("hitl", "{}").await;
        server.events(&handler, "").await.until("RequestEvent").await;
        let sent = server.post(&format!("/events/{handler}"), &format!(r#"{{"event":{form}}}"#)).await;
        assert_eq!((sent.status, sent.body.as_str()), (200, r#"{"status":"sent"}"#), "{form}");
        assert_eq!(server.ended(&handler).await.value().to_string(), r#"{"output":"Hello, Ada"}"#, "{form}");
    }
}

#[tokio::test]
async fn a_number_that_its_type_cannot_hold_is_refused_and_one_that_it_can_is_taken_in_any_form() {
    let server = Server::start(&["inbox"]).await;
    let handler = server.begin("inbox", r#"{"n":1}"#).await;
    server.events(&handler, "").await.until("AskEvent").await;
    for times in ["4294967296", "4294967296.0", "-1", "0.5"] {
        let refused = server.send(&handler, "AnswerEvent", &format!(r#"{{"text":"wrong","times":{times}}}"#)).await;
        assert_eq!(refused.status, 400, "{times}: {}", refused.body);
        assert!(refused.text("detail").starts_with("Failed to deserialize event: times: "), "{times}: {}", refused.body);
    }
    let sent = server.send(&handler, "AnswerEvent", r#"{"text":"right","times":1.0}"#).await;
    assert_eq!((sent.status, sent.body.as_str()), (200, r#"{"status":"sent"}"#));
    assert_eq!(server.ended(&handler).await.result(), json!(["right"]), "nothing else was sent");
}

#[tokio::test]
async fn a_type_is_qualified_by_its_own_module() {
    let server = Server::start(&["two-types"]).await;
    let handler = server.begin("two-types", "{}").await;
    let frames = server.events(&handler, "").await.until("DecideEvent").await;
    let asked = frames.last().expect("it was asked").json();
    assert_eq!(asked["qualified_name"], "house.decisions.DecideEvent", "{asked}");
}

#[tokio::test]
async fn an_event_that_no_step_takes_is_sent() {
    let server = Server::start(&["hitl", "waiter"]).await;
    check(
        &server,
        r#"
        POST /workflows/hitl/run-nowait {"handler_id":"h"}
        POST /events/h {"event":{"type":"RequestEvent","value":{"prompt":"mine"}}}
        GET /handlers/h
        POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"Ada"}},"step":"greet_human"}
        UNTIL 200 /handlers/h
        POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"Ada"}}}
        POST /workflows/waiter/run-nowait {"handler_id":"w"}
        POST /events/w {"event":{"type":"AnswerEvent","value":{"answer":"nobody asked for anyone's"}}}
        POST /events/w {"event":{"type":"AnswerEvent","value":{"answer":"42","user":"laurie"}}}
        UNTIL 200 /handlers/w
        "#,
        expect![[r#"
            POST /workflows/hitl/run-nowait {"handler_id":"h"}
            200 {"handler_id":"h","workflow_name":"hitl","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /events/h {"event":{"type":"RequestEvent","value":{"prompt":"mine"}}}
            200 {"status":"sent"}
            GET /handlers/h
            202 {"handler_id":"h","workflow_name":"hitl","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"Ada"}},"step":"greet_human"}
            200 {"status":"sent"}
            UNTIL 200 /handlers/h
            200 {"handler_id":"h","workflow_name":"hitl","run_id":"$r1","error":null,"result":{"value":{"output":"Hello, Ada"},"qualified_name":"hitl.OutEvent","type":"OutEvent","types":["StopEvent"]},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"Ada"}}}
            409 {"detail":"Workflow already completed"}
            POST /workflows/waiter/run-nowait {"handler_id":"w"}
            200 {"handler_id":"w","workflow_name":"waiter","run_id":"$r2","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /events/w {"event":{"type":"AnswerEvent","value":{"answer":"nobody asked for anyone's"}}}
            200 {"status":"sent"}
            POST /events/w {"event":{"type":"AnswerEvent","value":{"answer":"42","user":"laurie"}}}
            200 {"status":"sent"}
            UNTIL 200 /handlers/w
            200 {"handler_id":"w","workflow_name":"waiter","run_id":"$r2","error":null,"result":{"value":{"result":{"answer":"42"}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
        "#]],
    )
    .await;
}
