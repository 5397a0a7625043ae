//! The OpenAPI document: schemathesis makes requests from it, and compares the answers with it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use wf_tests::artifacts::root;
use wf_tests::{Server, server};

const CONFIG: &str = include_str!("../clients/schemathesis/schemathesis.toml");

async fn schemathesis(server: &Server, folder: &Path, parameters: &str) -> Output {
    let config = folder.join("schemathesis.toml");
    std::fs::write(&config, format!("{parameters}\n{CONFIG}")).expect("written");
    let mut command = Command::new(root().join("target/clients/schemathesis/bin/st"));
    command.arg("--config-file").arg(config).arg("run").arg(format!("{}/api/v1/openapi.json", server.url()));
    command.args([
        "--max-examples",
        "20",
        "--request-timeout",
        "10",
        "--no-color",
        "--warnings",
        "off",
        "--generation-database",
        ":memory:",
    ]);
    command.current_dir(folder).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("`make clients` has installed it")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_the_document_says() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(&["greeting", "counter"]).await;
    let started = server.post("/workflows/counter/run", &json!({ "handler_id": "mine" }).to_string()).await;
    // Names at random find what is not there; these, what is.
    let known = format!("[parameters]\nname = \"counter\"\nhandler_id = \"mine\"\nrun_id = \"{}\"\n", started.run());
    for parameters in ["", &known] {
        let output = schemathesis(&server, folder.path(), parameters).await;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("No issues found"), "with {parameters:?}: {said}");
        assert!(said.contains("Tested: 30"), "{said}");
    }
}

#[tokio::test]
async fn the_document_is_the_same_from_the_command_line_and_names_every_path() {
    let server = Server::start(&["greeting"]).await;
    let served = server.get("/api/v1/openapi.json").await.json();
    let output = server::command().arg("openapi").output().expect("it runs");
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(served, printed);
    let paths = served["paths"].as_object().expect("an object");
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("an object") {
            assert!(operation["operationId"].is_string() && operation["tags"].is_array(), "{method} {path}");
            let other = if method == "get" { "DELETE" } else { "PUT" };
            let concrete = path.replace("{name}", "greeting").replace("{handler_id}", "x").replace("{run_id}", "x");
            assert_eq!(server.request(other, &concrete, &[], "").await.status, 405, "{concrete} is an endpoint");
        }
    }
}
