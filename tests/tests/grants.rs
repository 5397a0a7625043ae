//! What steps are granted: variables as they were, grants that change while a server is up, files that nobody granted.

use std::path::Path;

use serde_json::{Value, json};
use wf_tests::origin::{Origin, Part, reply};
use wf_tests::{Serve, Server, artifacts, database, until};

fn tasks(tasks: &[Value]) -> String {
    json!({ "tasks": tasks }).to_string()
}

/// A server with these settings, in a file that can be edited.
async fn serve(file: &Path, settings: &str) -> Server {
    std::fs::write(file, settings).expect("written");
    Serve::guests(&["outside"]).with(&["--config", &file.display().to_string()]).start().await
}

async fn said(server: &Server, line: &str) {
    until(line, async || server.log().contains(line).then_some(())).await;
}

#[tokio::test]
async fn an_attempt_has_the_variables_that_it_had_at_its_first_entry() {
    // Of the second request the first answer never comes.
    let origin = Origin::start(|seen, number| match (seen.path.as_str(), number) {
        ("/held", 1) => vec![Part::Hang],
        _ => vec![reply(200, &[], "")],
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wf-host.toml");
    let settings = |value: &str| format!("[workflows.outside]\nallow_env = [\"STAGE={value}\"]\nallow_http = [\"{}\"]\n", origin.url(""));
    let mut server = serve(&file, &settings("then")).await;
    let variable = json!({ "variable": "STAGE" });
    let request = |path: &str| json!({ "url": origin.url(path) });
    let handler = server.begin("outside", &tasks(&[variable.clone(), request("/whole"), request("/held"), variable.clone()])).await;
    until("the second request", async || (origin.seen().len() == 2).then_some(())).await;
    server.kill();
    std::fs::write(&file, settings("now")).expect("written");
    server.restart().await;
    let ended = server.ended(&handler).await.result();
    assert_eq!((&ended["attempt"], &ended["told"][0], &ended["told"][3]), (&json!(0), &json!("then"), &json!("then")), "{ended}");
    let paths: Vec<String> = origin.seen().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["/whole", "/held", "/held"], "the attempt was entered again, by what was recorded");
    assert_eq!(server.run("outside", &tasks(&[variable])).await.result()["told"], json!(["now"]));
    server.check_store();
}

#[tokio::test]
async fn a_workflow_without_variables_records_nothing_of_them() {
    let mut server = Serve::guests(&["outside"]).start().await;
    let told = server.run("outside", &tasks(&[json!({ "variable": "PATH" })])).await.result();
    assert_eq!(told["told"], json!([null]));
    server.stop();
    let recorded = database::query(&server.data(), "select count(*) from journal where cast(text as text) like '%Variables%'");
    assert_eq!(recorded[0][0], 0);
}

#[tokio::test]
async fn grants_that_change_count_from_the_next_attempt_on() {
    let other = Origin::start(|_, _| vec![reply(200, &[], "other")]).await;
    // The first answer breaks off, once it may: the step is tried again.
    let origin = Origin::start(|_, number| match number {
        0 => vec![Part::Gate, Part::Cut],
        _ => vec![reply(200, &[], "")],
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wf-host.toml");
    let (url, further) = (origin.url(""), other.url(""));
    let settings = |hosts: &[&str], stage: &str| format!("[workflows.outside]\nallow_http = {hosts:?}\nallow_env = [\"STAGE={stage}\"]\n");
    let server = serve(&file, &settings(&[&url], "one")).await;
    let (ask, stage) = (json!({ "url": other.url("/") }), json!({ "variable": "STAGE" }));
    let denied = server.run("outside", &tasks(std::slice::from_ref(&ask))).await.result();
    assert_eq!(denied["told"][0]["kind"], "denied", "{denied}");
    let under_way = [json!({ "url": origin.url("/"), "fails": true }), ask.clone(), stage.clone()];
    let handler = server.begin("outside", &tasks(&under_way)).await;
    until("its request", async || (origin.seen().len() == 1).then_some(())).await;

    std::fs::write(&file, settings(&[&url, &further], "two")).expect("written");
    said(&server, &format!("`workflows.outside.allow_http` changed: applied to what steps begin from here on; granted now: `{further}`"))
        .await;
    said(&server, "`workflows.outside.allow_env` changed: applied to what steps begin from here on").await;
    assert!(!server.log().contains("STAGE=two") && !server.log().contains("restart to apply"), "{}", server.log());
    let listed = server.get("/api/v1/workflows").await.json();
    assert_eq!(listed["workflows"][0]["outside"][0]["granted"], json!([url, further]), "it is shown");
    let told = server.run("outside", &tasks(&[ask.clone(), stage])).await.result()["told"].clone();
    assert_eq!((&told[0]["body"], &told[1]), (&json!("other"), &json!("two")), "{told}");
    origin.let_through(1);
    let ended = server.ended(&handler).await.result();
    assert_eq!((&ended["attempt"], &ended["told"][1]["body"], &ended["told"][2]), (&json!(1), &json!("other"), &json!("two")), "{ended}");

    // What is no grant changes nothing; what is taken away is.
    std::fs::write(&file, settings(&["ftp://a"], "three")).expect("written");
    said(&server, "was changed and is not applied; what it said before goes on").await;
    assert_eq!(server.run("outside", &tasks(std::slice::from_ref(&ask))).await.result()["told"][0]["body"], "other");
    std::fs::write(&file, settings(&[&url], "two")).expect("written");
    said(&server, &format!("not any more: `{further}`")).await;
    let denied = server.run("outside", &tasks(&[ask])).await.result();
    assert_eq!(denied["told"][0]["kind"], "denied", "{denied}");
}

/// Two workflows of one component: what one is granted is nothing to the other, of whatever kind it is.
#[tokio::test]
async fn what_one_workflow_is_granted_no_other_has() {
    let origin =
        Origin::start(|seen, _| vec![reply(200, &[], if seen.header("x-key") == "the value" { "known" } else { "unknown" })]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (file, url) = (folder.path().join("wf-host.toml"), origin.url(""));
    std::fs::create_dir(folder.path().join("notes")).expect("made");
    std::fs::write(folder.path().join("notes/n"), "noted").expect("written");
    std::fs::write(folder.path().join("key"), "the value").expect("written");
    let own = "allow_env = [\"STAGE=here\"]\nallow_dir = [\"notes=notes\"]\nsecrets = [\"KEY=file:key@";
    std::fs::write(&file, format!("[workflows.outside]\n{own}{url}\"]\nallow_http = [\"{url}\"]\n")).expect("written");
    let mut serve = Serve::guests(&["outside"]).with(&["--config", &file.display().to_string()]);
    serve.paths.push(format!("other={}", artifacts::guest("outside").display()));
    let server = serve.start().await;
    let ask = |more: Value| {
        let mut task = json!({ "url": origin.url("/") });
        task.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        task
    };
    let all = tasks(&[
        json!({ "variable": "STAGE" }),
        json!({ "variable": "KEY" }),
        json!({ "read": "/notes/n" }),
        ask(json!({})),
        ask(json!({ "fill": ["KEY"], "headers": { "x-key": "{KEY}" } })),
    ]);
    let told = server.run("other", &all).await.result()["told"].clone();
    assert_eq!((&told[0], &told[1]), (&Value::Null, &Value::Null), "{told}");
    let message = |at: usize| told[at]["message"].as_str().unwrap_or_else(|| panic!("it is no failure: {told}"));
    assert!(!message(2).is_empty(), "{told}");
    for (at, what) in [(3, format!("add `allow_http = [\"{url}\"]` to `[workflows.other]`")), (4, "has no secret `KEY`".to_owned())] {
        assert!(told[at]["kind"] == "denied" && message(at).contains(&what), "{told}");
    }
    assert_eq!(origin.connections(), 0);
    let told = server.run("outside", &all).await.result()["told"].clone();
    assert_eq!((&told[0], &told[2]), (&json!("here"), &json!("noted")), "{told}");
    assert_eq!((&told[3]["body"], &told[4]["body"]), (&json!("unknown"), &json!("known")), "{told}");
    let listed = server.get("/api/v1/workflows").await.json();
    for workflow in listed["workflows"].as_array().expect("a list") {
        let granted = workflow["outside"].as_array().expect("a list").iter().filter(|it| it["granted"] != json!([])).count();
        assert_eq!(granted, if workflow["name"] == "other" { 0 } else { 3 }, "{workflow}");
    }
}

#[tokio::test]
async fn what_flags_grant_stays_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wf-host.toml");
    std::fs::write(&file, "").expect("written");
    let arguments = ["--config", &file.display().to_string(), "--allow-env", "STAGE=flag"];
    let server = Serve::guests(&["outside"]).with(&arguments).start().await;
    std::fs::write(&file, "allow_env = [\"STAGE=file\"]\nbody_max = 4\n").expect("written");
    said(&server, "`body_max` changed: applied").await;
    let told = server.run("outside", &tasks(&[json!({ "variable": "STAGE" })])).await.result();
    assert_eq!(told["told"], json!(["flag"]));
    assert!(!server.log().contains("allow_env"), "{}", server.log());
}

/// The lines that the host has written into a run's log.
async fn host_lines(server: &Server, run: &str) -> Vec<String> {
    let logs = server.get(&format!("/api/v1/runs/{run}/logs")).await.json();
    let lines = logs["logs"].as_array().expect("a list").iter().filter(|line| line["source"] == "host");
    lines.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_file_that_is_not_granted_names_the_grant() {
    let server = Serve::guests(&["outside"]).start().await;
    let read = |fails: bool| json!({ "read": "/data/a.txt", "fails": fails });
    let ended = server.run("outside", &tasks(&[read(false), read(false), read(true)])).await;
    let grant = "no folder is granted: add `allow_dir = [\"name=path\"]` to `[workflows.outside]` in wf-host.toml, or start the host with `--allow-dir name=path`";
    assert!(ended.text("error").contains(grant), "{ended:?}");
    assert_eq!(ended.text("error").matches(grant).count(), 1, "{ended:?}");
    let nothing = server.run("outside", &tasks(&[json!({ "variable": "PATH" })])).await;
    assert_eq!(host_lines(&server, &nothing.run()).await, Vec::<String>::new(), "who opens nothing is told nothing");
}
