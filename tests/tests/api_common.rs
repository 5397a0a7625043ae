//! Section 1 of the HTTP contract: what holds for every endpoint.

use expect_test::expect;
use wf_tests::{Serve, Server, check};

#[tokio::test]
async fn paths_and_methods() {
    let server = Server::start(&["greeting"]).await;
    check(
        &server,
        r#"
        GET /health
        HEAD /health
          ? content-type
        GET /workflows
        GET /nope
        GET /workflows/
        GET /handlers/
        POST /nope {}
        DELETE /workflows
          ? allow
        POST /health
          ? allow
        GET /workflows/greeting/run
          ? allow
        PUT /workflows/greeting/run-nowait
          ? allow
        POST /workflows/greeting/schema
          ? allow
        PUT /events/x
          ? allow
        POST /handlers
          ? allow
        DELETE /handlers/x
          ? allow
        GET /handlers/x/cancel
          ? allow
        POST /results/x
          ? allow
        HEAD /workflows
          ? content-type
        HEAD /handlers/x
        "#,
        expect![[r#"
            GET /health
            200 {"status":"healthy"}
            HEAD /health
            200
              content-type: application/json
            GET /workflows
            200 {"workflows":["greeting"]}
            GET /nope
            404 {"detail":"Not Found"}
            GET /workflows/
            404 {"detail":"Not Found"}
            GET /handlers/
            404 {"detail":"Not Found"}
            POST /nope {}
            404 {"detail":"Not Found"}
            DELETE /workflows
            405
              allow: GET, HEAD
            {"detail":"Method Not Allowed"}
            POST /health
            405
              allow: GET, HEAD
            {"detail":"Method Not Allowed"}
            GET /workflows/greeting/run
            405
              allow: POST
            {"detail":"Method Not Allowed"}
            PUT /workflows/greeting/run-nowait
            405
              allow: POST
            {"detail":"Method Not Allowed"}
            POST /workflows/greeting/schema
            405
              allow: GET, HEAD
            {"detail":"Method Not Allowed"}
            PUT /events/x
            405
              allow: GET, HEAD, POST
            {"detail":"Method Not Allowed"}
            POST /handlers
            405
              allow: GET, HEAD
            {"detail":"Method Not Allowed"}
            DELETE /handlers/x
            405
              allow: GET, HEAD
            {"detail":"Method Not Allowed"}
            GET /handlers/x/cancel
            405
              allow: POST
            {"detail":"Method Not Allowed"}
            POST /results/x
            405
              allow: GET, HEAD
            {"detail":"Method Not Allowed"}
            HEAD /workflows
            200
              content-type: application/json
            HEAD /handlers/x
            404
        "#]],
    )
    .await;
}

#[tokio::test]
async fn the_page_has_a_root() {
    let server = Server::start(&["greeting"]).await;
    let page = server.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    assert!(page.body.contains(r#"<div id="root">"#), "{page:?}");
    let head = server.request("HEAD", "/", &[], "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn bodies_are_compact_json_whatever_the_content_type() {
    let server = Server::start(&["greeting"]).await;
    check(
        &server,
        r#"
        POST /workflows/greeting/run {"start_event":{"name":"Ada"}}
          Content-Type: text/plain
          ? content-type
        POST /workflows/greeting/run {"start_event":{"name":"Ada"}}
          Content-Type: application/x-www-form-urlencoded
        "#,
        expect![[r#"
            POST /workflows/greeting/run {"start_event":{"name":"Ada"}}
              Content-Type: text/plain
            200
              content-type: application/json
            {"handler_id":"$1","workflow_name":"greeting","run_id":"$r1","error":null,"result":{"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/greeting/run {"start_event":{"name":"Ada"}}
              Content-Type: application/x-www-form-urlencoded
            200 {"handler_id":"$2","workflow_name":"greeting","run_id":"$r2","error":null,"result":{"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn workflows_are_listed_in_order_of_registration() {
    let server = Server::start(&["slow", "greeting", "hitl"]).await;
    assert_eq!(server.get("/workflows").await.body, r#"{"workflows":["slow","greeting","hitl"]}"#);
}

#[tokio::test]
async fn origins_are_its_own_and_those_that_are_named() {
    let server = Serve::guests(&["greeting"]).with(&["--cors-origin", "https://friend.example"]).start().await;
    let own = format!("http://{}", server.address());
    let script = r#"
        GET /workflows
          Origin: OWN
          ? access-control-allow-origin
          ? access-control-allow-credentials
          ? vary
        GET /workflows
          Origin: https://friend.example
          ? access-control-allow-origin
          ? access-control-allow-credentials
          ? vary
        GET /workflows
          Origin: https://stranger.example
          ? access-control-allow-origin
        GET /workflows
          ? access-control-allow-origin
        OPTIONS /workflows/greeting/run
          Origin: https://friend.example
          Access-Control-Request-Method: POST
          Access-Control-Request-Headers: content-type, x-mine
          ? access-control-allow-origin
          ? access-control-allow-credentials
          ? access-control-allow-headers
          ? access-control-max-age
        POST /workflows/greeting/run {}
          Origin: https://stranger.example
        POST /workflows/greeting/run {}
          Origin: null
        POST /handlers/x/cancel
          Origin: https://stranger.example
        POST /events/x {}
          Origin: https://stranger.example
        POST /handlers/x/cancel
          Origin: https://friend.example
        POST /handlers/x/cancel
          Origin: OWN
    "#;
    let own_port = server.address().rsplit(':').next().expect("a port").to_owned();
    let seen = wf_tests::script::outcome(&server, &script.replace("OWN", &own)).await;
    expect![[r#"
        GET /workflows
          Origin: http://127.0.0.1:PORT
        200
          access-control-allow-origin: http://127.0.0.1:PORT
          access-control-allow-credentials: true
          vary: Origin
        {"workflows":["greeting"]}
        GET /workflows
          Origin: https://friend.example
        200
          access-control-allow-origin: https://friend.example
          access-control-allow-credentials: true
          vary: Origin
        {"workflows":["greeting"]}
        GET /workflows
          Origin: https://stranger.example
        200
          access-control-allow-origin: 
        {"workflows":["greeting"]}
        GET /workflows
        200
          access-control-allow-origin: 
        {"workflows":["greeting"]}
        OPTIONS /workflows/greeting/run
          Origin: https://friend.example
          Access-Control-Request-Method: POST
          Access-Control-Request-Headers: content-type, x-mine
        200
          access-control-allow-origin: https://friend.example
          access-control-allow-credentials: true
          access-control-allow-headers: content-type, x-mine
          access-control-max-age: 600
        POST /workflows/greeting/run {}
          Origin: https://stranger.example
        403 {"detail":"This origin is not allowed; the server's --cors-origin names those that are"}
        POST /workflows/greeting/run {}
          Origin: null
        403 {"detail":"This origin is not allowed; the server's --cors-origin names those that are"}
        POST /handlers/x/cancel
          Origin: https://stranger.example
        403 {"detail":"This origin is not allowed; the server's --cors-origin names those that are"}
        POST /events/x {}
          Origin: https://stranger.example
        403 {"detail":"This origin is not allowed; the server's --cors-origin names those that are"}
        POST /handlers/x/cancel
          Origin: https://friend.example
        404 {"detail":"Handler not found"}
        POST /handlers/x/cancel
          Origin: http://127.0.0.1:PORT
        404 {"detail":"Handler not found"}
    "#]]
    .assert_eq(&seen.replace(&own_port, "PORT"));
}

#[tokio::test]
async fn every_origin_and_a_public_url_can_be_allowed() {
    let server = Serve::guests(&["greeting"]).with(&["--cors-origin", "*"]).start().await;
    let script = r#"
        POST /workflows/nope/run {}
          Origin: https://anyone.example
          ? access-control-allow-origin
          ? access-control-allow-credentials
    "#;
    check(
        &server,
        script,
        expect![[r#"
        POST /workflows/nope/run {}
          Origin: https://anyone.example
        404
          access-control-allow-origin: https://anyone.example
          access-control-allow-credentials: true
        {"detail":"Workflow not found"}
    "#]],
    )
    .await;
    let server = Serve::guests(&["greeting"]).with(&["--public-url", "https://flows.example/"]).start().await;
    let script = r#"
        POST /handlers/x/cancel
          Origin: https://flows.example
          ? access-control-allow-origin
        POST /handlers/x/cancel
          Origin: https://flows.example.evil.example
          ? access-control-allow-origin
        POST /handlers/x/cancel
          Host: flows.example
          Origin: http://flows.example
          ? access-control-allow-origin
    "#;
    check(
        &server,
        script,
        expect![[r#"
        POST /handlers/x/cancel
          Origin: https://flows.example
        404
          access-control-allow-origin: https://flows.example
        {"detail":"Handler not found"}
        POST /handlers/x/cancel
          Origin: https://flows.example.evil.example
        403
          access-control-allow-origin: 
        {"detail":"This origin is not allowed; the server's --cors-origin names those that are"}
        POST /handlers/x/cancel
          Host: flows.example
          Origin: http://flows.example
        403
          access-control-allow-origin: 
        {"detail":"This origin is not allowed; the server's --cors-origin names those that are"}
    "#]],
    )
    .await;
}
