//! `GET /workflows/{name}/schema`, `/events` and `/representation`.

use std::collections::BTreeSet;

use expect_test::expect;
use serde_json::Value;
use wf_tests::{Serve, Server, artifacts, check};

#[tokio::test]
async fn unknown_workflows() {
    let server = Server::start(&["greeting"]).await;
    check(
        &server,
        "
        GET /workflows/nope/schema
        GET /workflows/nope/events
        GET /workflows/nope/representation
        ",
        expect![[r#"
            GET /workflows/nope/schema
            404 {"detail":"Workflow not found"}
            GET /workflows/nope/events
            404 {"detail":"Workflow 'nope' not found"}
            GET /workflows/nope/representation
            404 {"detail":"Workflow not found"}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_graph_has_the_name_of_the_manifest_whatever_it_is_served_as() {
    let paths = vec![format!("mine={}", artifacts::guest("greeting").display())];
    let server = Serve { paths, ..Serve::default() }.start().await;
    assert_eq!(server.get("/workflows").await.body, r#"{"workflows":["mine"]}"#);
    let run = server.run("mine", "{}").await.run();
    for path in ["/workflows/mine/representation", &format!("/api/v1/runs/{run}/representation")] {
        assert_eq!(server.get(path).await.json()["graph"]["name"], "greeting", "{path}");
    }
}

#[tokio::test]
async fn a_step_that_takes_subtypes_has_an_edge_from_each() {
    let server = Server::start(&["subtypes"]).await;
    let graph = server.get("/workflows/subtypes/representation").await.json()["graph"].clone();
    let edges = graph["edges"].as_array().expect("edges").iter();
    let edges: Vec<String> =
        edges.map(|it| format!("{} {}", it["source"].as_str().expect("a name"), it["target"].as_str().expect("a name"))).collect();
    expect![[r#"
        StartEvent place
        place Order
        place RushOrder
        Order take
        RushOrder take
        Change take
        take StopEvent
        external_step Change"#]]
    .assert_eq(&edges.join("\n"));
}

#[tokio::test]
async fn schemas() {
    let server = Server::start(&["greeting", "hitl", "fanout", "waiter"]).await;
    for (workflow, start, stop) in
        [("greeting", "StartEvent", "StopEvent"), ("hitl", "StartEvent", "OutEvent"), ("fanout", "FanStart", "StopEvent")]
    {
        let schema = server.get(&format!("/workflows/{workflow}/schema")).await.json();
        let keys: Vec<&String> = schema.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["start", "stop"]);
        assert_eq!((&schema["start"]["title"], &schema["stop"]["title"]), (&start.into(), &stop.into()));
    }
    let fan = server.get("/workflows/fanout/schema").await.json()["start"].clone();
    let n = &fan["properties"]["n"];
    assert_eq!((fan["type"].as_str(), n["type"].as_str()), (Some("object"), Some("integer")), "{fan}");
    assert_eq!((n["default"].as_i64(), n["minimum"].as_f64(), n["maximum"].as_f64()), (Some(3), Some(0.0), Some(1000.0)), "{fan}");
    let out = server.get("/workflows/hitl/schema").await.json()["stop"].clone();
    assert_eq!(out["required"].to_string(), r#"["output"]"#, "{out}");
}

#[tokio::test]
async fn events_each_once() {
    let server = Server::start(&["greeting", "hitl", "fanout", "waiter"]).await;
    let cases = [
        ("hitl", "OutEvent RequestEvent ResponseEvent StartEvent"),
        ("waiter", "AnswerEvent AskEvent StartEvent StopEvent"),
        ("fanout", "DoneEvent FanStart StopEvent WorkEvent"),
    ];
    for (workflow, expected) in cases {
        // Twice: one of the originals has the list grow at each call.
        for _ in 0..2 {
            let events = server.get(&format!("/workflows/{workflow}/events")).await.json()["events"].clone();
            let mut titles: Vec<&str> = events.as_array().expect("a list").iter().filter_map(|it| it["title"].as_str()).collect();
            titles.sort_unstable();
            assert_eq!(titles.join(" "), expected, "{events}");
        }
    }
}

#[tokio::test]
async fn the_graph_of_a_human_in_the_loop() {
    let server = Server::start(&["hitl"]).await;
    let answer = server.get("/workflows/hitl/representation").await.json();
    let graph = &answer["graph"];
    let keys: Vec<&String> = graph.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["name", "nodes", "edges", "description"]);
    let edges: BTreeSet<String> = list(graph, "edges").iter().map(Value::to_string).collect();
    let path = ["StartEvent", "prompt_human", "RequestEvent", "external_step", "ResponseEvent", "greet_human", "OutEvent"];
    let expected = path.windows(2).map(|it| format!(r#"{{"source":"{}","target":"{}","label":null}}"#, it[0], it[1]));
    assert_eq!(edges, expected.collect());

    let mut nodes = list(graph, "nodes").to_vec();
    nodes.sort_by_key(|it| path.iter().position(|id| it["id"] == *id));
    for node in &mut nodes {
        // Which words a schema and a description have is the guest's affair.
        assert!(node.get("event_schema").is_none_or(|it| it["title"] == node["id"]), "{node}");
        for key in ["event_schema", "description"] {
            if let Some(value) = node.get_mut(key) {
                *value = "…".into();
            }
        }
    }
    let shown: Vec<String> = nodes.iter().map(Value::to_string).collect();
    expect![[r#"
        {"id":"StartEvent","label":"StartEvent","node_type":"event","title":null,"event_type":"StartEvent","event_types":["StartEvent"],"event_schema":"…","produced_by":[]}
        {"id":"prompt_human","label":"prompt_human","node_type":"step","description":"…"}
        {"id":"RequestEvent","label":"RequestEvent","node_type":"event","title":null,"event_type":"RequestEvent","event_types":["RequestEvent","InputRequiredEvent"],"event_schema":"…","produced_by":["prompt_human"]}
        {"id":"external_step","label":"External","node_type":"external"}
        {"id":"ResponseEvent","label":"ResponseEvent","node_type":"event","title":null,"event_type":"ResponseEvent","event_types":["ResponseEvent","HumanResponseEvent"],"event_schema":"…","produced_by":[]}
        {"id":"greet_human","label":"greet_human","node_type":"step","description":"…"}
        {"id":"OutEvent","label":"OutEvent","node_type":"event","title":null,"event_type":"OutEvent","event_types":["OutEvent","StopEvent"],"event_schema":"…","produced_by":["greet_human"]}"#]].assert_eq(&shown.join("\n"));
}

fn list<'a>(graph: &'a Value, key: &str) -> &'a Vec<Value> {
    graph[key].as_array().expect("a list")
}

#[tokio::test]
async fn every_conformance_workflow_and_step_has_a_description() {
    let server = Server::start(&wf_tests::CONFORMANCE).await;
    for workflow in wf_tests::CONFORMANCE {
        let graph = server.get(&format!("/workflows/{workflow}/representation")).await.json()["graph"].clone();
        assert!(graph["description"].as_str().is_some_and(|it| !it.is_empty()), "{workflow}: {graph}");
        for node in list(&graph, "nodes").iter().filter(|it| it["node_type"] == "step") {
            assert!(node["description"].as_str().is_some_and(|it| !it.is_empty()), "{workflow}: {node}");
        }
    }
}
