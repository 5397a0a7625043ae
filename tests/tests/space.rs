//! What takes space, what of it goes by itself, and what is said before there is none.

use std::path::Path;

use expect_test::expect;
use serde_json::{Value, json};
use wf_tests::command_line::outcome;
use wf_tests::{Serve, Server, until};

/// A server of `greeting` with these settings.
async fn server(settings: &str) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = folder.path().join("wf-host.toml");
    std::fs::write(&config, settings).expect("written");
    (Serve::guests(&["greeting"]).with(&["--config", &config.display().to_string()]).start().await, folder)
}

/// Runs a greeting under a handler, with a name of so many letters.
async fn greet(server: &Server, handler: &str, letters: usize) {
    let body = json!({ "handler_id": handler, "start_event": { "name": "x".repeat(letters) } }).to_string();
    let answer = server.post("/workflows/greeting/run", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn handlers(server: &Server) -> Vec<String> {
    let list = server.get("/handlers").await.json();
    let mut names: Vec<String> =
        list["handlers"].as_array().expect("a list").iter().map(|it| it["handler_id"].as_str().expect("a text").to_owned()).collect();
    names.sort();
    names
}

async fn until_left(server: &Server, expected: &[&str]) {
    until(&format!("only {expected:?} to be left"), async || (handlers(server).await == expected).then_some(())).await;
}

#[tokio::test]
async fn of_what_is_over_so_many_are_kept_and_so_much() {
    let (server, folder) = server("[workflows.greeting]\nruns_kept = 2\n").await;
    for handler in ["a", "b", "c", "d"] {
        greet(&server, handler, 1).await;
    }
    until_left(&server, &["c", "d"]).await;
    // Edited, it counts from here on.
    std::fs::write(folder.path().join("wf-host.toml"), "[workflows.greeting]\nsize_kept = 1\n").expect("written");
    until("the settings", async || server.log().contains("`workflows.greeting.size_kept` changed: applied").then_some(())).await;
    for handler in ["e", "f", "g"] {
        greet(&server, handler, 240_000).await;
    }
    // Each holds its name several times, and that stands once.
    until_left(&server, &["f", "g"]).await;
    assert!(server.log().contains("purged 2 handlers that are over and not to be kept any more"), "{}", server.log());
    server.check_store();
}

fn size(data: &Path) -> u64 {
    data.join("wf-host.db").metadata().expect("the database").len()
}

/// Runs whose values make the file large, and one that is small and last.
async fn fill(server: &Server) {
    for number in 0..20 {
        greet(server, &format!("h{number}"), 300_000 + number).await;
    }
    until("all of it to be in the file", async || {
        // What is in the log comes into the file with more of it.
        greet(server, "kept", 1).await;
        (size(&server.data()) > 6 << 20).then_some(())
    })
    .await;
}

#[tokio::test]
async fn retention_alone_gives_space_back() {
    let (server, folder) = server("").await;
    fill(&server).await;
    std::fs::write(folder.path().join("wf-host.toml"), "[workflows.greeting]\nruns_kept = 1\n").expect("written");
    until("the file to be small", async || (size(&server.data()) < 2 << 20).then_some(())).await;
    until_left(&server, &["kept"]).await;
    server.check_store();
}

#[tokio::test]
async fn the_file_shrinks_while_it_is_served() {
    let (server, _folder) = server("").await;
    fill(&server).await;
    for number in 0..20 {
        assert_eq!(server.post(&format!("/handlers/h{number}/cancel?purge=true"), "").await.status, 200);
    }
    until("the file to be small", async || (size(&server.data()) < 2 << 20).then_some(())).await;
    assert_eq!(handlers(&server).await, ["kept"]);
    server.check_store();
}

#[tokio::test]
async fn what_takes_space_is_shown_beside_the_server() {
    let (mut server, _folder) = server("").await;
    for handler in ["a", "b"] {
        greet(&server, handler, 100_000).await;
    }
    let live: Value = {
        let told = outcome(&server.data(), &["store", "--data-dir", ".", "--json"]);
        let (_, rest) = told.split_once("--- stdout\n").expect("output");
        serde_json::from_str(rest.split("--- stderr").next().expect("output")).expect("JSON")
    };
    assert_eq!((&live["workflows"][0]["name"], &live["workflows"][0]["runs"]), (&json!("greeting"), &json!(2)));
    assert!(live["workflows"][0]["bytes"].as_u64() > Some(200_000), "{live}");
    assert!(live["values"][0]["bytes"].as_u64() > Some(100_000), "{live}");
    assert!(live["file"].as_u64() > Some(0) || live["log"].as_u64() > Some(0), "{live}");
    assert!(server.stop().success());
    let told = outcome(&server.data(), &["store", "--data-dir", "."]);
    // Sizes and ids differ from build to build.
    let words = told.split_inclusive([' ', '\n']).map(|word| {
        let text = word.trim_end();
        let is_number = text.parse::<f64>().is_ok_and(|it| it > 3.0 || text.contains('.'));
        let is_name = text.len() == 10 && text.chars().any(|it| it.is_ascii_uppercase()) && !text.contains(['.', '$']);
        if is_number || is_name { word.replace(text, "#") } else { word.to_owned() }
    });
    let shown: Vec<String> = words.collect::<String>().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    expect![[r#"
        exit code 0
        --- stdout
        ./wf-host.db: # KiB, of which 0 B are free; its log: # KiB

        TABLE ROWS SIZE
        component 1 # KiB
        blob 2 # KiB
        run 2 # KiB
        command 0 # KiB
        blob_use # # KiB
        clock 1 # KiB
        definition 1 # KiB
        host 1 # KiB
        idempotency 0 # KiB
        journal # # KiB
        log 0 # KiB
        snapshot 0 # KiB
        stream # # KiB
        deleted 0 # KiB
        ending 2 # KiB
        part 1 # KiB
        queued 0 # KiB
        sqlite_sequence 2 # KiB

        WORKFLOW RUNS ENDED SIZE
        greeting 2 2 # KiB

        VALUE RUNS ONE OF THEM SIZE
        2 2 # # KiB
        1 2 # # KiB
        --- stderr"#]]
    .assert_eq(&shown.join("\n"));
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_is_told_before_it_is() {
    let (server, folder) = server("").await;
    assert_eq!(server.get("/health").await.body, r#"{"status":"healthy"}"#, "this machine has room");
    // More than any disk has.
    std::fs::write(folder.path().join("wf-host.toml"), format!("free_min = {}\n", 1_u64 << 40)).expect("written");
    let warned = until("the warning", async || {
        let health = server.get("/health").await;
        health.body.contains("reason").then_some(health)
    })
    .await;
    let reason = warned.text("reason");
    assert_eq!((warned.status, warned.text("status").as_str()), (200, "healthy"), "it goes on");
    assert!(reason.contains("is nearly full: ") && reason.ends_with("MiB are free; `wf-host store` shows what takes space"), "{reason}");
    until("the log", async || server.log().contains(&reason).then_some(())).await;
    std::fs::write(folder.path().join("wf-host.toml"), "free_min = 0\n").expect("written");
    until("that to be over", async || (server.get("/health").await.body == r#"{"status":"healthy"}"#).then_some(())).await;
    until("the log", async || server.log().contains("has room again").then_some(())).await;
}
