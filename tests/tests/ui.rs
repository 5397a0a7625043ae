//! The debugger in a real browser; the tests themselves are in `host/ui/tests/browser.mjs`.

use std::process::{Command, Stdio};

use wf_tests::artifacts::root;
use wf_tests::{Serve, Server};

const GUESTS: [&str; 11] =
    ["greeting", "hitl", "waiter", "failing", "retry", "slow", "timeout", "fanout", "counter", "trap", "publish-10000"];

#[tokio::test(flavor = "multi_thread")]
async fn the_page_in_a_browser() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let broken = folder.path().join("broken.wasm");
    std::fs::write(&broken, "no wasm").expect("written");
    let mut serve = Serve::guests(&GUESTS).with(&["--store", "memory:"]);
    serve.paths.push(broken.display().to_string());
    let server = serve.start().await;
    let mut tests = Command::new("node");
    tests.args(["--test", "--test-reporter=spec", "host/ui/tests/browser.mjs"]).current_dir(root()).stdin(Stdio::null());
    tests.env("WF_HOST_URL", server.url()).env("WF_HOST_SHOTS", root().join("target/screenshots"));
    let output = tokio::task::spawn_blocking(move || tests.output()).await.expect("no panic").expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for line in said.lines().filter(|line| line.contains("scripting per frame")) {
        show(line);
    }
    assert!(said.contains("pass 12"), "all of them ran: {said}");
}

#[expect(clippy::print_stdout, reason = "measured, to be read")]
fn show(line: &str) {
    println!("{line}");
}

#[tokio::test]
async fn the_page_is_small_compressed_and_cached() {
    let server = Server::start(&["greeting"]).await;
    let page = server.request("GET", "/", &[("accept-encoding", "gzip")], "").await;
    assert_eq!((page.status, page.header("content-encoding"), page.header("cache-control")), (200, "gzip", "no-cache"));
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
    let plain = server.get("/").await;
    assert!(plain.body.contains("<div id=\"root\">"), "{plain:?}");
    let names: Vec<&str> = plain.body.split("\"ui/").skip(1).filter_map(|it| it.split('"').next()).collect();
    assert_eq!(names.len(), 2, "a script and a style: {names:?}");
    let mut size = 0;
    for name in names {
        let file = server.request("GET", &format!("/ui/{name}"), &[("accept-encoding", "gzip")], "").await;
        assert_eq!((file.status, file.header("cache-control")), (200, "public, max-age=31536000, immutable"));
        size += file.header("content-length").parse::<usize>().expect("a number");
    }
    assert!(size < 500_000, "{size} bytes");
    assert_eq!(server.get("/ui/nothing.js").await.status, 404);
}
