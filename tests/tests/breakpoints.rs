//! `wf-host dev` with breakpoints: runs wait before a step, are looked at, edited, and go on.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use wf_tests::artifacts::{cache, root};
use wf_tests::command_line::wf_host;
use wf_tests::project::Dev;
use wf_tests::{Answer, Client, Server, server, until};

/// Of an order; of one with several parts.
const FLOWS: &str = r#"
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent
from llama_agents.server import WorkflowServer


class Priced(Event):
    amount: int


class Part(Event):
    number: int


class Done(Event):
    number: int


class Order(Workflow):
    @step
    async def take(self, ctx: Context, ev: StartEvent) -> Priced:
        await ctx.store.set("seen", ev.amount)
        return Priced(amount=ev.amount)

    @step
    async def price(self, ctx: Context, ev: Priced) -> StopEvent:
        return StopEvent(result=[ev.amount, await ctx.store.get("seen")])


class Parts(Workflow):
    @step
    async def split(self, ctx: Context, ev: StartEvent) -> Part | None:
        for number in range(3):
            ctx.send_event(Part(number=number))

    @step
    async def work(self, ev: Part) -> Done:
        return Done(number=ev.number)

    @step
    async def join(self, ctx: Context, ev: Done) -> StopEvent | None:
        done = ctx.collect_events(ev, [Done] * 3)
        return None if done is None else StopEvent(result=sorted(it.number for it in done))


server = WorkflowServer()
server.add_workflow("order", Order(timeout=5))
server.add_workflow("parts", Parts())
"#;

/// A project whose orders may take so many seconds.
fn project(timeout: u32) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let flows = FLOWS.replace("timeout=5", &format!("timeout={timeout}"));
    std::fs::write(folder.path().join("flows.py"), flows).expect("written");
    // The first of all builds makes what the others stand on, which takes long.
    let mut build = server::command();
    build.args(["build", "flows.py", "--offline"]).env("WF_HOST_CACHE_DIR", cache()).current_dir(folder.path()).stdin(Stdio::null());
    let built = build.output().expect("it starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    folder
}

async fn dev(project: &TempDir, breaks: &[&str]) -> Dev {
    let breaks = breaks.iter().flat_map(|name| ["--break", name]);
    let arguments: Vec<&str> = ["dev", "flows.py", "--offline", "--port", "0"].into_iter().chain(breaks).collect();
    let dev = Dev::of(project.path(), &arguments).await;
    until("the workflows", async || {
        let served = dev.client.get("/workflows").await.json()["workflows"].as_array()?.len() == 2;
        (served && dev.client.get("/health").await.status == 200).then_some(())
    })
    .await;
    dev
}

async fn breakpoints(client: &Client, workflow: &str) -> Value {
    client.get(&format!("/api/v1/workflows/{workflow}/breakpoints")).await.json()
}

async fn set(client: &Client, workflow: &str, names: &[&str]) -> Answer {
    client.post(&format!("/api/v1/workflows/{workflow}/breakpoints"), &json!({ "breakpoints": names }).to_string()).await
}

/// So many steps that wait.
async fn paused(client: &Client, workflow: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} steps of {workflow} to wait"), async || {
        let waits = breakpoints(client, workflow).await["paused"].as_array()?.clone();
        (waits.len() == count).then_some(waits)
    })
    .await
}

async fn order(client: &Client) -> String {
    client.begin("order", r#"{"amount":5}"#).await
}

async fn go_on(client: &Client, run: &str, how: &Value) -> Answer {
    client.post(&format!("/api/v1/runs/{run}/go-on"), &how.to_string()).await
}

fn run_of(paused: &Value) -> &str {
    paused["run_id"].as_str().expect("an id")
}

#[tokio::test]
async fn a_step_waits_before_it_begins_and_its_timeout_with_it_until_it_goes_on() {
    let project = project(5);
    let dev = dev(&project, &["price", "prise"]).await;
    let client = &dev.client;
    let handler = order(client).await;
    let waits = paused(client, "order", 1).await;
    let (one, since) = (&waits[0], Instant::now());
    assert_eq!(one["events"], json!([{ "type": "Priced", "value": { "amount": 5 } }]));
    assert_eq!(
        [&one["step"], &one["breakpoint"], &one["attempt"], &one["handler_id"]],
        [&json!("price"), &json!("price"), &json!(0), &json!(handler)]
    );
    for said in [
        "is paused before step `price`, at breakpoint `price`",
        "warning: no run waits at `--break prise`: there is no such step, and none that is given such an event",
    ] {
        until(said, async || dev.log().contains(said).then_some(())).await;
    }
    // Longer than the run may take.
    until("its timeout to be over", async || (since.elapsed() > Duration::from_millis(5500)).then_some(())).await;
    assert_eq!(client.get(&format!("/handlers/{handler}")).await.text("status"), "running");
    let goes = go_on(client, run_of(one), &json!({})).await;
    assert_eq!((goes.status, goes.run().as_str()), (200, run_of(one)), "{}", goes.body);
    assert_eq!(client.ended(&handler).await.result(), json!([5, 5]));
    assert_eq!(go_on(client, run_of(one), &json!({})).await.status, 409);

    // On a type of event, and on nothing.
    assert_eq!(set(client, "order", &["StartEvent"]).await.json()["breakpoints"], json!(["StartEvent"]));
    let handler = order(client).await;
    let waits = paused(client, "order", 1).await;
    assert_eq!([&waits[0]["step"], &waits[0]["breakpoint"]], [&json!("take"), &json!("StartEvent")]);
    let output = wf_host(&["runs", "go-on", &handler, "--server", client.url()]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), run_of(&waits[0]), "{output:?}");
    assert_eq!(client.ended(&handler).await.result(), json!([5, 5]));
    assert_eq!(set(client, "order", &[]).await.status, 200);
    assert_eq!(client.run("order", r#"{"amount":6}"#).await.result(), json!([6, 6]));
    let unknown = set(client, "order", &["nothing"]).await;
    let why = "Workflow 'order' has no step 'nothing', and none that is given an event of that type";
    assert_eq!((unknown.status, unknown.text("detail").as_str()), (400, why));
    assert_eq!(set(client, "nobody", &[]).await.status, 404);
    assert_eq!(client.post("/api/v1/workflows/order/breakpoints", r#"{"breakpoints":"price"}"#).await.status, 400);
}

#[tokio::test]
async fn it_goes_on_in_another_form_as_a_fork_in_its_place() {
    let project = project(600);
    let dev = dev(&project, &["price"]).await;
    let client = &dev.client;
    for (edit, expected) in [
        (json!({ "event": { "amount": 7 } }), json!([7, 5])),
        (json!({ "event": { "type": "Priced", "value": { "amount": 8 } }, "invocation": 1 }), json!([8, 5])),
        (json!({ "state": { "seen": 9 } }), json!([5, 9])),
    ] {
        let handler = order(client).await;
        let waits = paused(client, "order", 1).await;
        let refused = go_on(client, run_of(&waits[0]), &json!({ "event": { "amount": "many" } })).await;
        assert_eq!((refused.status, refused.text("detail").contains("should be a valid integer")), (400, true), "{}", refused.body);
        assert_eq!(go_on(client, run_of(&waits[0]), &json!({ "at": 0 })).await.status, 400);
        assert_eq!(paused(client, "order", 1).await, waits, "it waits on");
        let forked = go_on(client, run_of(&waits[0]), &edit).await;
        assert_eq!((forked.status, forked.handler()), (200, handler.clone()), "{}", forked.body);
        assert_eq!(forked.json()["forked_from"], waits[0]["run_id"]);
        assert_eq!(client.ended(&handler).await.result(), expected, "{edit}");
        let before = client.get(&format!("/api/v1/runs/{}", run_of(&waits[0]))).await;
        assert_eq!(before.text("status"), "cancelled");
        assert!(paused(client, "order", 0).await.is_empty());
    }
    let handler = order(client).await;
    paused(client, "order", 1).await;
    let output = wf_host(&["runs", "go-on", &handler, "--event", r#"{"amount":7}"#, "--server", client.url()]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(client.ended(&handler).await.result(), json!([7, 5]));
}

#[tokio::test]
async fn of_several_that_wait_one_goes_on_or_all_and_what_is_cancelled_waits_no_more() {
    let project = project(600);
    let dev = dev(&project, &["work"]).await;
    let client = &dev.client;
    let handler = client.begin("parts", "{}").await;
    let waits = paused(client, "parts", 3).await;
    let run = run_of(&waits[0]);
    let which = go_on(client, run, &json!({ "event": { "number": 9 } })).await;
    assert!(
        which.status == 400 && which.text("detail").starts_with("Several wait: say which 'invocation' is to have the event, of "),
        "{}",
        which.body
    );
    assert_eq!(go_on(client, run, &json!({ "invocation": 99 })).await.status, 409);
    assert_eq!(go_on(client, run, &json!({ "invocation": waits[1]["invocation"] })).await.status, 200);
    let left = paused(client, "parts", 2).await;
    assert_eq!([&left[0]["invocation"], &left[1]["invocation"]], [&waits[0]["invocation"], &waits[2]["invocation"]]);
    assert_eq!(go_on(client, run, &json!({})).await.status, 200);
    assert_eq!(client.ended(&handler).await.result(), json!([0, 1, 2]));
    let handler = client.begin("parts", "{}").await;
    paused(client, "parts", 3).await;
    assert_eq!(client.post(&format!("/handlers/{handler}/cancel"), "").await.status, 200);
    paused(client, "parts", 0).await;
}

#[tokio::test]
async fn a_restart_while_it_waits_loses_no_run() {
    let project = project(600);
    let handler = {
        let dev = dev(&project, &["price"]).await;
        let handler = order(&dev.client).await;
        paused(&dev.client, "order", 1).await;
        handler
    };
    let handler = {
        let dev = dev(&project, &["price"]).await;
        let waits = paused(&dev.client, "order", 1).await;
        assert_eq!(waits[0]["handler_id"], json!(handler));
        assert_eq!(go_on(&dev.client, run_of(&waits[0]), &json!({})).await.status, 200);
        assert_eq!(dev.client.ended(&handler).await.result(), json!([5, 5]));
        let next = order(&dev.client).await;
        paused(&dev.client, "order", 1).await;
        next
    };
    // Breakpoints are of a server, not of a run.
    let dev = dev(&project, &[]).await;
    assert_eq!(dev.client.ended(&handler).await.result(), json!([5, 5]));
}

#[tokio::test]
async fn a_server_for_others_has_no_breakpoints() {
    let server = Server::start(&["greeting"]).await;
    assert_eq!(breakpoints(&server, "greeting").await, json!({ "enabled": false, "breakpoints": [], "paused": [] }));
    let refused = set(&server, "greeting", &["greet"]).await;
    assert_eq!((refused.status, refused.text("detail").as_str()), (409, "This server has no breakpoints: `wf-host dev` does"));
    let handler = server.begin("greeting", r#"{"name":"Ada"}"#).await;
    let run = server.ended(&handler).await.run();
    assert_eq!(go_on(&server, &run, &json!({})).await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_waits_and_lets_it_go_on() {
    let project = project(600);
    let dev = dev(&project, &[]).await;
    let mut tests = Command::new("node");
    tests.args(["--test", "--test-reporter=spec", "host/ui/tests/breakpoints.mjs"]).current_dir(root()).stdin(Stdio::null());
    tests.env("WF_HOST_URL", dev.client.url()).env("WF_HOST_SHOTS", root().join("target/screenshots"));
    let output = tokio::task::spawn_blocking(move || tests.output()).await.expect("no panic").expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("pass 1"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
