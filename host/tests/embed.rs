//! A server in a program of one's own, as its library offers it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tower_service::Service as _;
use wf_host::WorkflowServer;
use wf_host::http::{Body, Peer, Service};
use wf_host::server::Error;
use wf_tests::wasm::Module;
use wf_tests::{Client, until};

/// Ends with its start event's `result`.
fn echo() -> Vec<u8> {
    Module::echoing(&manifest("echo")).binary()
}

/// Never ends.
fn quiet() -> Vec<u8> {
    Module::quiet(&manifest("quiet")).binary()
}

fn manifest(name: &str) -> String {
    let events = json!([{ "name": "Nudge", "kind": "human-response", "schema": {} }]);
    let steps = json!([{ "name": "only", "accepts": ["StartEvent"], "emits": ["StopEvent"] }]);
    json!({ "name": name, "events": events, "steps": steps }).to_string()
}

fn client(server: &WorkflowServer) -> Client {
    Client::new(&format!("http://{}", server.address().expect("it listens")))
}

fn request(method: &str, path: &str, body: &str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    request.body(Full::from(body.to_owned())).expect("a request")
}

async fn call(service: &mut Service, request: Request<Full<Bytes>>) -> (StatusCode, Value) {
    let answer: Result<Response<Body>, Infallible> = service.call(request).await;
    let Ok(answer) = answer;
    let status = answer.status();
    let body = answer.into_body().collect().await.expect("it comes").to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// Why none came about: the message, and the hint.
async fn refused(builder: wf_host::server::Builder) -> (Error, String) {
    let error = builder.start().await.err().expect("it does not come about");
    let said = format!("{error}\nhint: {}", error.hint().unwrap_or_default());
    (error, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_bytes_are_served_under_their_names_until_it_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("quiet.wasm");
    std::fs::write(&path, quiet()).expect("it is written");
    let server = WorkflowServer::builder().add_workflow("says", echo()).add_workflow("waits", path).serve("127.0.0.1:0").await;
    let server = server.expect("it serves");
    let client = client(&server);
    assert_eq!(client.get("/workflows").await.json(), json!({ "workflows": ["says", "waits"] }));
    assert_eq!(client.run("says", r#"{"result":7}"#).await.result(), 7);
    let handle = server.clone();
    let ((), ended) = tokio::join!(handle.stop(), tokio::time::timeout(Duration::from_secs(60), server.stopped()));
    ended.expect("whoever waits for its end is told");
    handle.stop().await;
    assert!(tokio::net::TcpStream::connect(client.address()).await.is_err(), "nobody listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_go_on_in_the_next_server_on_their_store_in_the_same_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("sqlite:{}", folder.path().join("runs.db").display());
    let builder = WorkflowServer::builder().add_workflow("waits", quiet()).additional_events("waits", ["Nudge"]).store(store);
    let server = builder.clone().serve("127.0.0.1:0").await.expect("it serves");
    let handler = client(&server).begin("waits", "{}").await;
    let (error, said) = refused(builder.clone()).await;
    assert!(matches!(error, Error::Store(_)) && said.contains("another wf-host uses"), "{said}");
    server.stop().await;
    drop(server);
    let server = until("the store to be free", async || builder.clone().serve("127.0.0.1:0").await.ok()).await;
    assert_eq!(client(&server).get(&format!("/handlers/{handler}")).await.json()["status"], "running");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_before_anything_is_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let builder = || WorkflowServer::builder().add_workflow("says", echo());
    let (error, said) = refused(builder().add_workflow("says", quiet())).await;
    assert!(matches!(error, Error::Workflow(_)));
    assert_eq!(said, "two workflows are to be named `says`\nhint: give each a name of its own");
    let (_, said) = refused(builder().additional_events("sais", ["Nudge"])).await;
    let expected = "`sais` is to have additional events, and no workflow of that name is added";
    assert_eq!(said, format!("{expected}\nhint: correct the name, or add the workflow"));
    for (code, part) in [(Vec::new(), "`none`: "), (vec![0; 1 << 20], "`none`: "), (b"\0asm\x0d\0\x01\0".to_vec(), "`none`: ")] {
        let (error, said) = refused(builder().add_workflow("none", code)).await;
        assert!(matches!(error, Error::Workflow(_)) && said.contains(part), "{said}");
    }
    let missing = folder.path().join("missing.wasm");
    let (_, said) = refused(builder().add_workflow("gone", missing.as_path())).await;
    assert!(said.contains("missing.wasm`: No such file") && said.ends_with("hint: check the path and its permissions"), "{said}");
    let (error, said) = refused(builder().store("postgres://here")).await;
    assert!(matches!(error, Error::Store(_)) && said.contains("there is no store `postgres`"), "{said}");
    // The store of one that did not come about is free.
    let kept = builder().data_dir(folder.path());
    refused(kept.clone().add_workflow("none", Vec::new())).await;
    let server = until("the store to be free", async || kept.clone().serve("127.0.0.1:0").await.ok()).await;
    let taken = server.address().expect("it listens").to_string();
    let error = builder().serve(&taken).await.err().expect("it is taken");
    assert!(error.to_string().starts_with(&format!("cannot listen on \"{taken}\": ")), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.starts_with("choose another address")));
    assert!(matches!(builder().serve("nowhere").await, Err(Error::Listen { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_service_answers_requests_of_whatever_server() {
    let server = WorkflowServer::builder().add_workflow("says", echo()).start().await.expect("it starts");
    assert_eq!(server.address(), None);
    let mut service = server.service();
    let (status, answer) = call(&mut service, request("POST", "/workflows/says/run", r#"{"start_event":{"result":[1]}}"#)).await;
    assert_eq!((status, &answer["result"]["value"]["result"], &answer["status"]), (StatusCode::OK, &json!([1]), &json!("completed")));
    let (status, _) = call(&mut service, request("POST", "/workflows/says/run", "no JSON")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (_, session) = call(&mut service, request("GET", "/api/v1/session", "")).await;
    assert_eq!(session["notice"], "Without keys, whoever reaches this server can start workflows and read runs.");
    let mut foreign = request("GET", "/workflows", "");
    foreign.headers_mut().insert("host", "evil.example".parse().expect("a name"));
    assert_eq!(call(&mut service, foreign).await.0, StatusCode::MISDIRECTED_REQUEST);
    server.stop().await;
    assert_eq!(call(&mut service, request("POST", "/workflows/says/run", "{}")).await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_of_a_mounted_service_are_counted_for_each_peer() {
    let rate = "1/h".parse().expect("a rate");
    let builder = WorkflowServer::builder().add_workflow("says", echo()).http(|options| options.rate_limit = Some(rate));
    let server = builder.start().await.expect("it starts");
    let mut service = server.service();
    let mut ask = async |peer: Option<u8>| {
        let mut request = request("GET", "/workflows", "");
        if let Some(last) = peer {
            request.extensions_mut().insert(Peer(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))));
        }
        call(&mut service, request).await.0.as_u16()
    };
    let answers = [ask(Some(1)).await, ask(Some(1)).await, ask(Some(2)).await, ask(None).await, ask(None).await];
    assert_eq!(answers, [200, 429, 200, 200, 429]);
}

#[tokio::test(flavor = "multi_thread")]
async fn additional_events_are_those_of_the_component_and_those_that_were_added() {
    let server = WorkflowServer::builder().add_workflow("waits", quiet()).additional_events("waits", ["Nudge"]).start().await;
    let server = server.expect("it starts");
    assert_eq!(server.host().workflow("waits").expect("it is there").additional_events, ["Nudge"]);
    let mut service = server.service();
    call(&mut service, request("POST", "/workflows/waits/run-nowait", r#"{"handler_id":"h"}"#)).await;
    let sent = call(&mut service, request("POST", "/events/h", r#"{"event":{"type":"Nudge","value":{}}}"#)).await;
    assert_eq!(sent.0, StatusCode::OK, "{}", sent.1);
}
