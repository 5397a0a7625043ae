//! `POST /events/{id}`: every row of its table, and the forms of an event.

use expect_test::expect;
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
        GET /handlers/h
        "#,
        expect![[""]],
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
        expect![[""]],
    )
    .await;
}
